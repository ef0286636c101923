"""What `unicus status` tells of a home, and that it only looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration import lock
from orchestration.settings import (
    Automation,
    Home,
    Retention,
    memory_limit,
    read_config,
    write_config,
)
from orchestration.status import age_text, read_status, settings_text, status_text
from tests.conftest import Shop, load
from tests.unit.orchestration.conftest import RUN_ID, Command, command_environment

HEAVY = ("dagster", "dagster_dbt", "dbt", "pandas", "pyarrow", "mlflow", "sklearn")


def tree(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*")}


def test_it_tells_rows_loads_and_quarantine_of_each_entity(full_home: Home) -> None:
    (shop,) = read_status(full_home)["systems"]
    assert shop["name"] == "shop"
    assert [
        (one["entity"], one["loads"], one["stored_rows"], one["quarantined_rows"])
        for one in shop["entities"]
    ] == [("order_lines", 1, 2, 0), ("orders", 1, 2, 1)]


def test_a_superseded_load_does_not_count(full_home: Home, shop: Shop) -> None:
    shop.rewrite("orders.sql", "customer as customer_key", "upper(customer) as customer_key")
    load(full_home.lake, shop)
    (told,) = read_status(full_home)["systems"]
    assert told["entities"][1]["loads"] == 1


def test_it_tells_what_bi_reads_and_how_old_it_is(full_home: Home) -> None:
    published = read_status(full_home)["published"]
    assert (published["state"], published["as_of"], published["run_id"], published["tables"]) == (
        "readable", "2024-01-10", RUN_ID, 2,
    )  # fmt: skip
    assert published["age_seconds"] >= 0


def test_it_names_the_entities_without_data(full_home: Home) -> None:
    missing = read_status(full_home)["entities_without_data"]
    assert "customers" in missing
    assert "orders" not in missing


def test_it_tells_the_model_and_who_scored(full_home: Home) -> None:
    (model,) = read_status(full_home)["models"]
    assert (model["name"], model["version"], model["scored_by"]) == (
        "clv_90d", "1", "champion version 1",
    )  # fmt: skip


def test_a_failed_run_is_told_with_its_error(full_home: Home) -> None:
    error = {"code": "empty-file", "subject": "shop/orders", "what": "the file is empty"}
    (full_home.logs / f"{RUN_ID}.json").write_text(
        json.dumps({"status": "failed", "stage": "ingest", "error": error}), "utf-8"
    )
    status = read_status(full_home)
    assert status["last_run"]["error"]["code"] == "empty-file"
    assert "failed at ingest: error[empty-file] shop/orders" in status_text(status)


def test_a_run_without_an_ending_is_at_work_or_was_stopped(full_home: Home) -> None:
    assert read_status(full_home)["last_run"]["status"] == "interrupted"
    with lock.hold(full_home.root):
        status = read_status(full_home)
    assert status["last_run"]["status"] == "running"
    assert status["held_by"]["pid"] == str(os.getpid())


def test_a_damaged_copy_is_told_and_does_not_stop_the_rest(full_home: Home) -> None:
    full_home.published.write_bytes(full_home.published.read_bytes()[:5000])
    status = read_status(full_home)
    assert status["published"]["state"] == "damaged"
    assert "unicus doctor" in status_text(status)
    assert status["systems"][0]["entities"]


def test_a_home_before_its_first_run_says_so(shop_home: Home) -> None:
    text = status_text(read_status(shop_home))
    assert "nothing is published in this home yet" in text
    assert "nothing is loaded yet" in text


def test_a_system_that_left_the_home_is_still_listed_with_its_loads(full_home: Home) -> None:
    text = full_home.config_path.read_text("utf-8").partition("  shop:")[0]
    full_home.config_path.write_text(text.replace("systems:", "systems: {}"), "utf-8")
    (shop,) = read_status(full_home)["systems"]
    assert shop["location"] is None
    assert shop["entities"]


def test_each_setting_comes_with_its_origin(
    full_home: Home, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNICUS_DBT", "cli")
    monkeypatch.setenv("UNICUS_MEMORY_LIMIT", "2GB")
    write_config(
        full_home, replace(read_config(full_home), automation=Automation(daily="0 4 * * *"))
    )
    status = read_status(full_home, "environment")
    found = {one["name"]: (one["value"], one["origin"]) for one in status["settings"]}
    assert found == {
        "home": (str(full_home.root), "environment"),
        "business_timezone": ("UTC", "home.yaml"),
        "reporting_currency": ("EUR", "home.yaml"),
        "predictions": ("clv_90d", "home.yaml"),
        "notifications.events": ("run_failure check_failed stale_source", "default"),
        "notifications.file": ("true", "default"),
        "notifications.webhook": ("none", "default"),
        "postgres": ("none: files in the home", "default"),
        "automation.daily": ("0 4 * * *", "home.yaml"),
        "automation.retraining": ("none", "default"),
        "automation.identity_training": ("none", "default"),
        "automation.landing_seconds": ("none", "default"),
        "UNICUS_DBT": ("cli", "environment"),
        "UNICUS_MEMORY_LIMIT": ("2GB", "environment"),
        "systems.shop.folder": (str(shop.folder), "home.yaml"),
        "systems.shop.location": (str(shop.files), "default"),
    } | {f"retention.{name}": (str(days), "default") for name, days in vars(Retention()).items()}
    assert "systems.shop.location" in settings_text(status)


def test_a_build_holds_a_part_of_the_least_of_machine_and_container(tmp_path: Path) -> None:
    newer, older = tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"
    of_machine = memory_limit((newer, older))
    newer.write_text("max\n", "utf-8")
    older.write_text("9223372036854771712\n", "utf-8")
    assert memory_limit((newer, older)) == of_machine
    older.write_text("2000000000\n", "utf-8")
    assert memory_limit((newer, older)) == "1200000000B"
    newer.write_text("1000000000\n", "utf-8")
    assert memory_limit((newer, older)) == "600000000B"


def test_the_text_holds_no_value_of_the_data(full_home: Home) -> None:
    text = status_text(read_status(full_home))
    assert not [name for name in ("ann", "bob", "cid") if f" {name} " in text]


def test_it_changes_nothing(full_home: Home, unicus: Command) -> None:
    before = tree(full_home.root)
    done = unicus("status", "--home", full_home.root)
    assert done.returncode == 0
    assert tree(full_home.root) == before


def test_without_a_home_it_says_so_and_makes_none(tmp_path: Path, unicus: Command) -> None:
    done = unicus("status", "--home", tmp_path / "none")
    assert done.returncode == 2
    assert "error[no-home]" in done.stderr
    assert "unicus run" in done.stderr
    assert not (tmp_path / "none").exists()
    assert not (tmp_path / ".unicus").exists()


def test_it_needs_none_of_the_heavy_packages(full_home: Home) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from orchestration.settings import Home\n"
        "from orchestration.status import read_status, status_text\n"
        f"status_text(read_status(Home(Path({str(full_home.root)!r}))))\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=command_environment(), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (61, "1 min"), (7300, "2 h"), (200000, "2 d")]
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, text: str) -> None:
    assert age_text(seconds) == text
