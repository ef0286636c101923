"""A home that is watched: odd files are told, refused ones stop a run, and nobody's data leaks out."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from dagster._serdes import serialize_value

from orchestration.settings import (
    EVENTS,
    Home,
    HomeConfig,
    Notifications,
    SystemPlace,
    write_config,
)
from serving.publish import read_publication

MARK = "zqx"
"""In every key, name and address, and in every refused value; it must stay where it is."""
DAYS, ORDERS = 50, 120
FIRST = date(2024, 1, 1)
SOURCE = """
system: shop
title: A shop
location: {files}
business_timezone: UTC
currency: EUR
files:
  clients: {{path: "clients*.csv", format: csv}}
  sales: {{path: "sales*.csv", format: csv}}
entities:
  customers: {{file: clients, delivery: upsert}}
  orders:
    file: sales
    delivery: upsert
    expected: {{latency_days: 2, quarantined_share_stop: 0.2}}
  order_lines: {{file: sales, delivery: upsert}}
"""
MAPPINGS = {
    "customers": """
        select _row, id as customer_key, name as full_name, mail as email, town as city from clients
    """,
    "orders": """
        select _row, id as order_key, client as customer_key, place as store_key, day as ordered_at
        from sales
    """,
    "order_lines": """
        select _row, id as order_key, article as product_key, '1' as quantity, paid as net_amount,
            '0' as discount_amount, '0' as coupon_amount
        from sales
    """,
}


class Shop:
    """Files of a shop, a day each but the first."""

    def __init__(self, root: Path) -> None:
        self.files, self.folder = root / "files", root / "systems"
        self._random, self._next = np.random.default_rng(1), 0
        (self.folder / "shop").mkdir(parents=True)
        self.files.mkdir()
        (self.folder / "shop" / "source.yaml").write_text(SOURCE.format(files=self.files))
        for entity, sql in MAPPINGS.items():
            (self.folder / "shop" / f"{entity}.sql").write_text(sql)
        clients = [
            f"{MARK}c{n},{MARK} Name{n},{MARK}{n}@example.com,{MARK}ville" for n in range(200)
        ]
        self._write("clients.csv", "id,name,mail,town", clients)

    def sell(self, first: int, days: int = 1, *, orders: int = ORDERS, factor: float = 1.0,
             refused: int = 0) -> None:  # fmt: skip
        """Deliver a file of some days, the last rows of it refused for what stands for a day."""
        rows = [
            f"{FIRST + timedelta(days=first + n // orders)},{self._paid() * factor:.2f}"
            for n in range(orders * days)
        ] + [f"{MARK}bad,1.00"] * refused
        lines = []
        for row in rows:
            self._next += 1
            client, article = self._random.integers(200), self._random.integers(30)
            lines.append(f"{MARK}o{self._next},{MARK}c{client},s1,p{article},{row}")
        name = f"sales-{FIRST + timedelta(days=first)}.csv"
        self._write(name, "id,client,place,article,day,paid", lines)

    def _paid(self) -> float:
        return float(np.exp(self._random.normal(3, 0.6)))

    def _write(self, name: str, header: str, rows: list[str]) -> None:
        (self.files / name).write_text("\n".join([header, *rows]) + "\n")


def run(home: Home) -> tuple[bool, str, dict[str, dg.AssetCheckEvaluation]]:
    """Run everything; give whether it ended well, its id, and the checks of raw that do not pass."""
    os.environ.update(home.environment())
    from orchestration.execution import Execution

    execution = Execution(home, (), None)
    outcome = execution.run()
    wanted = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    entries = dg.DagsterInstance.get().all_logs(execution.run_id, of_type=wanted)
    found = [e.dagster_event.asset_check_evaluation_data for e in entries if e.dagster_event]
    bad = {
        f"{one.asset_key.path[-1]}:{one.check_name}": one
        for one in found
        if not one.passed and one.asset_key.path[0] == "raw"
    }
    return outcome.success, execution.run_id, bad


def lines(home: Home) -> list[dict[str, str]]:
    told = (home.logs / "notifications.jsonl").read_text().splitlines()
    return [json.loads(line) for line in told]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Shop, str]:
    """A home with fifty days of one shop, the last five of them a file each, published."""
    root = tmp_path_factory.mktemp("watched")
    shop, home = Shop(root), Home(root / "home")
    shop.sell(0, DAYS - 5)
    for day in range(DAYS - 5, DAYS):
        shop.sell(day)
    home.create()
    place = SystemPlace(folder=str(shop.folder))
    write_config(
        home,
        HomeConfig("UTC", "EUR", {"shop": place}, (), notifications=Notifications(tuple(EVENTS))),
    )
    is_well, run_id, bad = run(home)
    assert is_well
    assert set(bad) == {"orders:freshness"}
    return home, shop, run_id


def test_a_stale_source_is_named_and_told_once(watched: tuple[Home, Shop, str]) -> None:
    home, _, _ = watched
    stale = [line for line in lines(home) if line["kind"] == "stale_source"]
    assert [line["what"] for line in stale] == [
        "orders of shop: newest 2024-02-19, expected within 2 days"
    ]


def test_odd_files_are_told_and_a_refused_one_stops_every_run_until_it_is_mended(
    watched: tuple[Home, Shop, str],
) -> None:
    home, shop, _ = watched
    shop.sell(DAYS)
    is_well, _, bad = run(home)
    assert is_well
    assert set(bad) == {"orders:freshness"}

    shop.sell(DAYS + 1, orders=ORDERS // 3, factor=100)
    shop.sell(DAYS + 2, orders=ORDERS, factor=100)
    is_well, _, bad = run(home)
    assert is_well
    assert set(bad) == {"orders:freshness", "orders:volume", "order_lines:distribution"}
    assert "40 rows on 2024-02-21" in str(bad["orders:volume"].description)
    assert "net_amount moved in " in str(bad["order_lines:distribution"].description)
    assert lines(home)[-2]["kind"] == "check_warned"
    before = read_publication(home.published)

    shop.sell(DAYS + 3, refused=60)
    for _ in range(2):
        is_well, run_id, bad = run(home)
        assert not is_well
        assert bad["orders:quarantine"].severity == dg.AssetCheckSeverity.ERROR
        assert "60 of 180 new rows refused" in str(bad["orders:quarantine"].description)
        told = [line for line in lines(home) if line.get("run_id") == run_id]
        assert [line["kind"] for line in told if line["kind"] == "check_failed"] == ["check_failed"]
        assert "run_failure" not in {line["kind"] for line in told}
    assert read_publication(home.published) == before
    source = shop.folder / "shop" / "source.yaml"
    source.write_text(source.read_text().replace("stop: 0.2", "stop: 0.5"))
    is_well, _, bad = run(home)
    assert is_well
    assert bad["orders:quarantine"].severity == dg.AssetCheckSeverity.WARN


def test_no_event_line_or_log_holds_a_value_of_a_person(watched: tuple[Home, Shop, str]) -> None:
    home, _, _ = watched
    instance = dg.DagsterInstance.get()
    runs = instance.get_run_ids()
    events = [serialize_value(entry) for run_id in runs for entry in instance.all_logs(run_id)]
    assert len(events) > 100 * len(runs)
    assert any("rows by day" in event for event in events)
    assert any("| cohort_month" in event or "sample" in event for event in events)
    logs = [path.read_text() for path in home.logs.iterdir() if path.is_file()]
    assert not [event for event in events if MARK in event]
    assert not [log for log in logs if MARK in log]


def test_rows_are_shown_of_marts_without_customers(watched: tuple[Home, Shop, str]) -> None:
    _, _, run_id = watched
    wanted = dg.DagsterEventType.ASSET_MATERIALIZATION
    entries = dg.DagsterInstance.get().all_logs(run_id, of_type=wanted)
    made = {
        one.asset_key.to_user_string(): one.metadata
        for one in (entry.asset_materialization for entry in entries)
        if one
    }
    drawn = {name for name, metadata in made.items() if "rows by day" in metadata}
    assert drawn == {"raw/orders", "core/fct_orders"}
    shown = {name for name, metadata in made.items() if "sample" in metadata}
    assert {"marts/kpi_customers_monthly", "marts/kpi_cohorts_monthly"} <= shown
    assert all(name.startswith(("marts/kpi_", "marts/model_")) for name in shown)
    sample = str(made["marts/kpi_customers_monthly"]["sample"].value)
    assert sample.splitlines()[2].startswith("| 2024-02-01 |")
