"""What a run tells at its end, whoever started it, and what the sensor tells of those that cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from orchestration import lock
from orchestration.defs.watch import watch_sensor
from orchestration.graph import build_definitions
from orchestration.progress import progress
from orchestration.resources import STARTED_BY, UnicusRun
from orchestration.settings import EVENTS, Home, Notifications, read_config, write_config
from tests.conftest import Shop, load
from tests.unit.intake.test_recency import expecting
from tests.unit.orchestration.conftest import Command, describes

EVERY = Notifications(tuple(EVENTS))


class Unforeseen(Exception):
    pass


@pytest.fixture
def home(shop_home: Home) -> Home:
    write_config(shop_home, replace(read_config(shop_home), notifications=EVERY))
    progress.faults.clear()
    return shop_home


def lines(home: Home) -> list[dict[str, Any]]:
    path = home.logs / "notifications.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(home: Home, *results: dg.AssetCheckResult, error: Exception | None = None) -> str:
    """Run one asset with checks of these results; return the id of the run."""
    specs = [dg.AssetCheckSpec(str(one.check_name), asset="made") for one in results]

    @dg.asset(check_specs=specs)
    def made(unicus: UnicusRun) -> Any:
        yield dg.MaterializeResult(check_results=list(results))
        with unicus.faults_shown():
            if error:
                raise error

    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"unicus": UnicusRun(home=str(home.root))}
        return dg.materialize(
            [made], resources=resources, instance=instance, raise_on_error=False
        ).run_id


def check(name: str, severity: str, description: str | None = None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False, check_name=name, severity=dg.AssetCheckSeverity(severity),
        description=description, metadata={"dagster_dbt/failed_row_count": 1200},
    )  # fmt: skip


def test_a_run_that_ends_well_tells_nothing(home: Home) -> None:
    run(home, dg.AssetCheckResult(passed=True, check_name="one"))
    assert lines(home) == []


def test_a_run_that_breaks_off_is_told_without_what_its_exception_says(home: Home) -> None:
    run_id = run(home, error=Unforeseen("ann@example.com"))
    (line,) = lines(home)
    assert (line["kind"], line["run_id"]) == ("run_failure", run_id)
    assert "stopped at made" in line["text"]
    assert "ann@" not in json.dumps(line)


def test_a_fault_is_told_as_it_is_shown(home: Home) -> None:
    fault = lock.HomeBusy(home.root, {"pid": "1"})
    run_id = run(home, error=fault)
    (line,) = lines(home)
    assert (line["subject"], line["what"], line["fix"]) == (fault.subject, fault.what, fault.fix)
    assert line["run_id"] == run_id


def test_failed_and_warned_checks_are_told_apart(home: Home) -> None:
    several = [check(f"unique_{number}", "ERROR") for number in range(5)]
    run(home, *several, check("volume", "WARN", "orders of shop: 4 rows on 2024-01-08"))
    failed, warned = lines(home)
    assert (failed["kind"], failed["subject"]) == ("check_failed", "5 checks")
    assert failed["what"].startswith("unique_0: 1,200 rows; ")
    assert failed["what"].endswith("; unique_2: 1,200 rows and 2 more")
    assert (warned["kind"], warned["what"]) == (
        "check_warned", "orders of shop: 4 rows on 2024-01-08",
    )  # fmt: skip


def test_a_source_that_is_late_is_told_once_until_something_newer_came(
    home: Home, shop: Shop
) -> None:
    expecting(shop, "orders", "{latency_days: 2}")
    shop.orders("1,c1,2024-01-09,2024-01-09", name="orders-1.csv")
    load(home.lake, shop)
    run(home)
    run(home)
    (line,) = lines(home)
    assert (line["kind"], line["subject"]) == ("stale_source", "shop/orders")
    assert line["what"] == "orders of shop: newest 2024-01-09, expected within 2 days"
    shop.orders("2,c1,2024-01-12,2024-01-12", name="orders-2.csv")
    load(home.lake, shop)
    run(home)
    assert [line["what"].split()[4] for line in lines(home)] == ["2024-01-09,", "2024-01-12,"]


def test_a_run_that_stands_at_an_earlier_date_looks_from_there(home: Home, shop: Shop) -> None:
    from orchestration.occasions import stale

    expecting(shop, "orders", "{latency_days: 2}")
    shop.orders("1,c1,2024-01-09,2024-01-09")
    load(home.lake, shop)
    assert stale(home, date(2024, 1, 11)) == []
    assert len(stale(home, date(2024, 1, 12))) == 1
    assert len(stale(home)) == 1


def look(home: Home, instance: dg.DagsterInstance) -> str:
    sensor = watch_sensor(home, read_config(home))
    told = sensor.evaluate_tick(dg.build_sensor_context(instance=instance))
    assert not told.run_requests
    return str(told.skip_message)


def test_the_sensor_tells_of_a_killed_run_and_of_no_run_twice(home: Home) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        dead, told = dg.DagsterRun(job_name="everything"), run(home, error=Unforeseen())
        for one in (dead, dg.DagsterRun(job_name="everything", run_id=told)):
            instance.add_run(one)
            instance.report_run_failed(one, "The process of the run is gone.")
        assert look(home, instance).startswith("1 runs ended without a word")
        assert look(home, instance).startswith("0 runs ended without a word")
    assert [line["run_id"] for line in lines(home)] == [told, dead.run_id]
    assert "killed" in lines(home)[1]["what"]


def test_a_killed_run_of_the_terminal_is_told_by_the_next_one(home: Home) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        dead = dg.DagsterRun(job_name="everything", tags={STARTED_BY: "command line"})
        instance.add_run(dead)
        start = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name="everything")
        instance.report_dagster_event(start, run_id=dead.run_id)

        @dg.asset
        def made(unicus: UnicusRun) -> None: ...

        dg.materialize(
            [made], resources={"unicus": UnicusRun(home=str(home.root))}, instance=instance
        )
    assert [line["run_id"] for line in lines(home)] == [dead.run_id]


def test_the_sensor_tells_of_stale_sources_when_no_run_is_due(home: Home, shop: Shop) -> None:
    expecting(shop, "orders", "{latency_days: 2}")
    with dg.DagsterInstance.ephemeral() as instance:
        assert look(home, instance).endswith("1 sources stale.")
        look(home, instance)
        (shop.folder / "shop" / "source.yaml").write_text("system: [")
        assert look(home, instance).endswith("0 sources stale.")
    assert [line["kind"] for line in lines(home)] == ["stale_source"]


def test_the_sensor_looks_where_home_yaml_says_who_is_told(home: Home) -> None:
    def status() -> dg.DefaultSensorStatus:
        sensors = {one.name: one for one in build_definitions(home).sensors or ()}
        return sensors["watch"].default_status  # type: ignore[union-attr]

    assert status() == dg.DefaultSensorStatus.RUNNING
    write_config(home, replace(read_config(home), notifications=None))
    assert status() == dg.DefaultSensorStatus.STOPPED


def test_a_run_that_cannot_begin_is_told_from_the_terminal(
    full_home: Home, shop: Shop, unicus: Command
) -> None:
    (shop.files / "lines.csv").unlink()
    for _ in range(2):
        assert unicus("run", "--home", full_home.root).returncode == 2
    (line,) = lines(full_home)
    assert (line["kind"], line["subject"]) == ("run_failure", "shop/order_lines")


def test_a_day_without_anything_new_says_what_is_late(
    full_home: Home, shop: Shop, unicus: Command
) -> None:
    expecting(shop, "orders", "{latency_days: 2}")
    there = unicus("run", "--home", full_home.root, "--as-of", "2024-01-10", "--json")
    describes("run", json.loads(there.stdout))
    assert (there.returncode, json.loads(there.stdout)["warned"]) == (0, [])
    assert lines(full_home) == []
    today = unicus("run", "--home", full_home.root)
    assert today.returncode == 0, today
    assert "warned  orders of shop: newest 2024-01-09, expected within 2 days" in today.stdout
    assert [line["kind"] for line in lines(full_home)] == ["stale_source"]


def test_what_is_expected_is_a_freshness_policy_of_its_landing(home: Home, shop: Shop) -> None:
    expecting(shop, "orders", "{latency_days: 2}")
    graph = build_definitions(home).resolve_asset_graph()
    policies = {
        key.path[-1]: graph.get(key).freshness_policy
        for key in graph.executable_asset_keys
        if key.path[0] == "landing"
    }
    window = dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=2), warn_window=timedelta(days=1.5)
    )
    assert policies == {"orders": window, "order_lines": None}
    checks = {(key.asset_key.path[-1], key.name) for key in graph.asset_check_keys}
    assert ("orders", "freshness") in checks
    assert ("order_lines", "freshness") not in checks
