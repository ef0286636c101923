"""Another company's orders file alone: every mart builds from it."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from tests.homes import make_home, run

DATA = os.environ.get("UNICUS_TEST_DATA")
SOURCE = """
system: music
title: Orders of a music shop, 1997 and 1998
location: {files}
business_timezone: UTC
currency: USD
files:
  sales: {{path: cdnow_sample_tenth.parquet, format: parquet}}
entities:
  orders: {{file: sales, delivery: upsert}}
  order_lines: {{file: sales, delivery: upsert}}
"""
ORDERS = """
select _row, _row as order_key, {customer} as customer_key, {day} as ordered_at from sales
"""
LINES = """
select _row, _row as order_key, {units} as quantity, {amount} as net_amount,
    0 as discount_amount, 0 as coupon_amount
from sales
"""


@pytest.mark.skipif(not DATA, reason="UNICUS_TEST_DATA does not name the folder with the test data")
def test_an_orders_file_alone_lights_up_every_mart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A baseline lights up the scores as well as a model, which takes its time.
    monkeypatch.setattr("ml.train.MIN_CUSTOMERS", 10**6)
    files = Path(str(DATA)) / "cdnow"
    folder = tmp_path / "systems" / "music"
    folder.mkdir(parents=True)
    names = {
        "customer": "customer_id", "day": "date", "units": "number_of_cds",
        "amount": "dollar_value",
    }  # fmt: skip
    (folder / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    (folder / "orders.sql").write_text(ORDERS.format(**names), "utf-8")
    (folder / "order_lines.sql").write_text(LINES.format(**names), "utf-8")
    home = make_home(tmp_path / "home", files, system="music", folder=str(folder.parent))
    run(home)
    truth = duckdb.sql(f"""
        select count(distinct {names["customer"]}), count(*), sum(cast({names["amount"]} as decimal(18, 4)))
        from '{files}/cdnow_sample_tenth.parquet'
    """).fetchone()
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = con.execute(
            "select count(distinct customer_id), count(*), sum(net_revenue_amount) from core.fct_orders"
        ).fetchone()
        assert found == truth
        for table in (
            "customer_360",
            "kpi_customers_monthly",
            "kpi_cohorts_monthly",
            "customer_scores",
        ):
            assert con.execute(f"select count(*) from marts.{table}").fetchone() != (0,), table
        assert con.execute("select count(*) from marts.campaign_results").fetchone() == (0,)
