"""What `unicus loads` lists, and how `unicus undo` asks, acts and repeats."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from intake.lake import Lake
from orchestration import dictionary
from orchestration.feeds import feeds, read_feeds
from orchestration.loads import (
    Wanted,
    carry_out,
    loads_text,
    look_command,
    plan_change,
    read_loads,
)
from orchestration.run import Request, files_to_load, nothing_to_do
from orchestration.settings import Home, SettingFault, read_config, write_config
from orchestration.status import read_status, status_text
from tests.conftest import Shop, load
from tests.unit.orchestration.conftest import Command, command_environment, describes


def ids(lake: Lake) -> dict[str, str]:
    return {record.details["entity"]: record.record_id for record in lake.live("load")}


def test_each_load_is_a_line_with_what_became_of_its_rows(full_home: Home) -> None:
    value = read_loads(full_home, Wanted())
    describes("loads", value)
    orders, lines = value["loads"]
    assert (orders["file"], orders["read_rows"], orders["accepted_rows"],
            orders["quarantined_rows"], orders["state"]) == ("orders.csv", 3, 2, 1, "live")  # fmt: skip
    assert (lines["entity"], lines["contract_version"]) == ("order_lines", "1.1.0")
    text = loads_text(value)
    assert text.splitlines()[1].startswith(orders["load_id"][:8])
    assert "excluded" not in text, "a column of noughts says nothing"


def test_refused_rows_are_told_by_place_and_shown_by_a_command_of_their_own(
    full_home: Home,
) -> None:
    value = read_loads(full_home, Wanted(is_quarantine=True))
    describes("loads", value)
    (orders,) = value["loads"]
    assert orders["quarantine"]["reasons"] == [
        {"field": "order_key", "reason": "required and empty", "rows": 1, "first_rows": [3]}
    ]
    text = loads_text(value)
    assert "cid" not in text
    command = text.splitlines()[-1].partition("values  ")[2].replace("python", sys.executable, 1)
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert "cid" in shown.stdout


def test_the_command_that_shows_values_bears_any_path(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s "quoted" $HOME' / "x.parquet"
    path.parent.mkdir()
    with duckdb.connect() as con:
        con.sql(
            "select 1 as row_number, 'f' as field, 'r' as reason, 'v' as row_json"
        ).write_parquet(str(path))
    command = look_command(str(path)).replace("python", sys.executable, 1)
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert "row_json" in shown.stdout


def test_loads_no_longer_in_force_are_listed_when_asked(full_home: Home, shop: Shop) -> None:
    shop.rewrite("orders.sql", "customer as customer_key", "upper(customer) as customer_key")
    load(full_home.lake, shop)
    change = plan_change(full_home, ids(full_home.lake)["order_lines"], is_restore=False)
    carry_out(change)
    assert [one["state"] for one in read_loads(full_home, Wanted())["loads"]] == ["live"]
    value = read_loads(full_home, Wanted(is_all=True))
    describes("loads", value)
    assert [one["state"] for one in value["loads"]] == ["replaced", "undone", "live"]
    assert "undone" in loads_text(value)


@pytest.mark.parametrize("wanted", [Wanted(system="shpo"), Wanted(entity="ordres")])
def test_an_unknown_system_or_entity_gets_the_nearest_name(full_home: Home, wanted: Wanted) -> None:
    with pytest.raises(SettingFault) as raised:
        read_loads(full_home, wanted)
    assert (raised.value.code, raised.value.exit_code) == ("no-such-load", 2)
    assert {"shop", "orders"} & set(raised.value.fix.split())


def test_an_undo_shows_its_plan_acts_and_can_be_repeated_and_taken_back(
    full_home: Home, unicus: Command
) -> None:
    name = ids(full_home.lake)["orders"]
    before = len(full_home.lake.records())

    def told(*options: str) -> str:
        done = unicus("undo", name[:6], "--home", full_home.root, "--json", *options)
        assert done.returncode == 0, done.stderr
        value = json.loads(done.stdout)
        describes("undo", value)
        return str(value["status"])

    assert told("--dry-run") == "planned"
    assert len(full_home.lake.records()) == before
    assert [told("--yes"), told("--yes")] == ["done", "nothing_new"]
    assert [told("--yes", "--restore"), told("--yes", "--restore")] == ["done", "nothing_new"]
    assert [record.kind for record in full_home.lake.records()][before:] == ["undo", "restore"]


def test_an_undo_nobody_confirmed_changes_nothing_and_exits_two(
    full_home: Home, unicus: Command
) -> None:
    done = unicus("undo", ids(full_home.lake)["orders"], "--home", full_home.root)
    assert done.returncode == 2
    assert "error[not-confirmed]" in done.stderr
    assert "--yes" in done.stderr
    assert not full_home.lake.live("undo")


@pytest.mark.parametrize(("answer", "code", "undone"), [(b"n\n", 2, 0), (b"y\n", 0, 1)])
def test_a_person_is_shown_the_plan_and_asked(
    full_home: Home, answer: bytes, code: int, undone: int
) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    command = [str(Path(sys.executable).parent / "unicus"), "undo", ids(full_home.lake)["orders"],
               "--home", str(full_home.root)]  # fmt: skip
    done = subprocess.run(
        command, env=command_environment(), stdin=theirs, stderr=theirs, stdout=subprocess.PIPE,
        timeout=120, check=False,
    )  # fmt: skip
    shown = os.read(ours, 65536).decode()
    assert "Would take out one load" in shown
    assert done.returncode == code
    assert len(full_home.lake.live("undo")) == undone


def test_an_undo_in_a_busy_home_waits_for_nobody(full_home: Home, unicus: Command) -> None:
    from orchestration import lock

    with lock.hold(full_home.root):
        done = unicus("undo", ids(full_home.lake)["orders"], "--yes", "--home", full_home.root)
    assert done.returncode == 3
    assert not full_home.lake.live("undo")


def test_after_an_undo_there_is_something_to_build_and_nothing_to_load(full_home: Home) -> None:
    config, request = read_config(full_home), Request(full_home)
    assert nothing_to_do(request, config) is not None
    carry_out(plan_change(full_home, ids(full_home.lake)["orders"], is_restore=False))
    assert files_to_load(request, config) == ([], 2)
    assert nothing_to_do(request, config) is None


def test_a_load_whose_later_files_cannot_be_read_is_not_undone(full_home: Home, shop: Shop) -> None:
    first = ids(full_home.lake)["orders"]
    shop.orders("5,ann,2024-01-02,", name="orders_2.csv")
    load(full_home.lake, shop)
    shop.rewrite("source.yaml", "  orders: {file: orders, delivery: upsert}\n", "")
    change = plan_change(full_home, first, is_restore=False)
    with pytest.raises(SettingFault) as raised:
        carry_out(change)
    assert raised.value.code == "cannot-read-again"
    assert not full_home.lake.live("undo")


def test_a_system_that_left_the_home_counts_for_nothing_until_it_returns(full_home: Home) -> None:
    config, request = read_config(full_home), Request(full_home)
    from dataclasses import replace

    write_config(full_home, replace(config, systems={}))
    status = read_status(full_home)
    assert {"orders", "order_lines"} <= set(status["entities_without_data"])
    assert "its loads are kept, runs pass over them" in status_text(status)
    assert nothing_to_do(request, read_config(full_home)) is None
    write_config(full_home, config)
    assert nothing_to_do(request, config) is not None


def test_status_tells_what_each_entity_holds_and_what_a_missing_one_would_add(
    full_home: Home,
) -> None:
    status = read_status(full_home)
    found = {one["entity"]: one for one in status["entities"]}
    assert (found["orders"]["stored_rows"], found["orders"]["newest_event_date"]) == (
        2, "2024-01-09",
    )  # fmt: skip
    assert found["coupon_redemptions"]["stored_rows"] == 0
    assert "campaign_results" in found["coupon_redemptions"]["feeds"]
    assert "would add to  campaign_results" in status_text(status)


def test_what_entities_feed_is_what_the_graph_of_the_models_says(tmp_path: Path) -> None:
    assert read_feeds() == feeds(dictionary.read_manifest(tmp_path)), (
        "write it anew:  python -m orchestration.feeds"
    )
