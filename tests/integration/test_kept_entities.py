"""Entities that nothing else reads: kept, counted, told as they are, and in nobody's way."""

from __future__ import annotations

import duckdb
import pytest

from orchestration.settings import Home
from tests.homes import make_home, run

SOURCE = """
system: shop
title: A shop that also tells of its customers' lives
location: {files}
business_timezone: UTC
currency: USD
files:
  sales: {{path: sales.csv, format: csv}}
  turns: {{path: turns.csv, format: csv}}
  rates: {{path: rates.csv, format: csv}}
entities:
  orders: {{file: sales, delivery: upsert}}
  order_lines: {{file: sales, delivery: upsert}}
  life_events: {{file: turns, delivery: upsert}}
  exchange_rates: {{file: rates, delivery: upsert}}
"""
MAPPINGS = {
    "orders": "select _row, number as order_key, customer as customer_key, day as ordered_at from sales",
    "order_lines": """
        select _row, number as order_key, 1 as quantity, total as net_amount, 0 as discount_amount,
            0 as coupon_amount
        from sales
    """,
    "life_events": """
        select _row, number as life_event_key, customer as customer_key, turn as life_event_type,
            told as reported_at
        from turns
    """,
    "exchange_rates": """
        select _row, day as rate_date, base as base_currency, 'USD' as quote_currency, rate as exchange_rate
        from rates
    """,
}
SALES = [f"{n},c{n % 7},2024-{1 + n % 6:02}-{1 + n % 28:02},{10 + n}" for n in range(200)]
TURNS = ["1,c1,moved,2024-01-02", "2,c1,retired,2024-03-04", "3,c2,ill,2024-01-02"]
RATES = ["2024-01-02,EUR,1.1", "2024-01-05,EUR,1.2", "2024-01-05,GBP,1.3", "2024-07-01,EUR,1.4"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    tmp_path = tmp_path_factory.mktemp("shop")
    folder, files = tmp_path / "systems" / "shop", tmp_path / "files"
    folder.mkdir(parents=True)
    files.mkdir()
    (folder / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    for entity, sql in MAPPINGS.items():
        (folder / f"{entity}.sql").write_text(sql, "utf-8")
    (files / "sales.csv").write_text("\n".join(["number,customer,day,total", *SALES]), "utf-8")
    told = "\n".join(["number,customer,turn,told", *TURNS])
    (files / "turns.csv").write_text(told, "utf-8")
    (files / "rates.csv").write_text("\n".join(["day,base,rate", *RATES]), "utf-8")
    home = make_home(
        tmp_path / "home", files, system="shop", folder=str(folder.parent), predictions=()
    )
    run(home)
    return home


def test_rows_of_an_entity_without_models_are_accounted_for(home: Home) -> None:
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = con.execute(
            "select read_rows_count, accepted_rows_count, quarantined_rows_count, raw_rows_count,"
            " version_rows_count, is_reconciled from marts.ingest_reconciliation"
            " where entity = 'life_events'"
        ).fetchall()
    assert found == [(3, 2, 1, 2, None, True)]


def test_a_rate_holds_until_the_next_one_of_its_pair(home: Home) -> None:
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = con.execute(
            "select base_currency, start_date::varchar, end_date::varchar, exchange_rate::varchar"
            " from core.dim_exchange_rates order by 1, 2"
        ).fetchall()
    assert found == [
        ("EUR", "2024-01-02", "2024-01-04", "1.1000000000"),
        ("EUR", "2024-01-05", None, "1.2000000000"),
        ("GBP", "2024-01-05", None, "1.3000000000"),
    ]
