"""A home written by an earlier version keeps working: its loads, its customer ids, its numbers."""

from __future__ import annotations

import tarfile
from decimal import Decimal
from pathlib import Path

import duckdb
import yaml

from orchestration.settings import PROJECT, Home
from tests.homes import run

HOME_0_1 = PROJECT / "tests" / "fixtures" / "home_0_1.tar.xz"
"""A corner shop of 235 lines in three files, the third with a correction and a fault; its lake, its
moments and its published copy. The warehouse is built from them."""


def unpacked(folder: Path) -> Home:
    with tarfile.open(HOME_0_1) as archive:
        archive.extractall(folder, filter="data")
    home = Home(folder / "home")
    config = yaml.safe_load(home.config_path.read_text("utf-8"))
    config["systems"]["corner"] = {
        "folder": str(folder / "systems"),
        "location": str(folder / "files"),
    }
    home.config_path.write_text(yaml.safe_dump(config), "utf-8")
    home.create()
    return home


def customers(home: Home) -> dict[str, str]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        rows = con.execute("select smallest_record_key, customer_id from core.dim_customers")
        return dict(rows.fetchall())


def test_a_home_of_version_0_1_is_read_with_its_ids_and_its_numbers(tmp_path: Path) -> None:
    home = unpacked(tmp_path)
    before = customers(home)
    assert len(before) == 26, "twenty-five and the unknown one"
    run(home)
    assert customers(home) == before
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = con.execute("""
            select count(*), sum(net_revenue_amount), count(distinct customer_id)
            from core.fct_order_lines
        """).fetchone()
        assert found == (233, Decimal("3664.9000"), 25)
        assert con.execute(
            "select sum(quarantined_rows_count), bool_and(is_reconciled)"
            " from marts.ingest_reconciliation"
        ).fetchone() == (1, True)
