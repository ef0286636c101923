"""The web shop's invoice lines: every row is of one class, and every penny is found again."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import Home, HomeConfig, SystemPlace, write_config
from tests.homes import run

DATA = os.environ.get("UNICUS_TEST_DATA")
pytestmark = pytest.mark.skipif(
    not DATA, reason="UNICUS_TEST_DATA does not name the folder with the test data"
)
YEAR_ONE = Path(str(DATA)) / "online_retail_2009_2010" / "online_retail_2009_2010.parquet"
# What source.yaml says, said again over the file alone.
CLASSES = f"""
    select
        case
            when stock_code in ('POST', 'DOT', 'C2', 'C3', 'AMAZONFEE', 'BANK CHARGES', 'S',
                'ADJUST', 'ADJUST2', 'TEST001', 'TEST002') then 'excluded'
            when invoice[1] not in ('A', 'C') and price = 0
                and (customer_id is null or quantity < 0) then 'excluded'
            when invoice[1] = 'A' then 'adjustment'
            when customer_id is null then 'anonymous'
            else 'customers'
        end as class,
        count(*) as rows_count,
        sum(quantity * cast(price as decimal(18, 4))) as amount
    from '{YEAR_ONE}'
    group by class
"""
PUBLISHED = """
    with lines as (
        select customer_id, net_revenue_amount as amount from core.fct_order_lines
        union all
        select customer_id, -returned_amount from core.fct_returns
    )
    select if(customer_id = 'unknown', 'anonymous', 'customers') as class, count(*), sum(amount)
    from lines
    group by class
"""


def test_every_row_of_the_web_shop_is_of_one_class_and_the_amounts_add_up(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    place = SystemPlace(location=str(YEAR_ONE.parent))
    write_config(home, HomeConfig("Europe/London", "GBP", {"online_retail": place}))
    run(home)
    classes = {name: (rows, amount) for name, rows, amount in duckdb.sql(CLASSES).fetchall()}
    assert classes["adjustment"] == (3, Decimal("-136552.0200"))
    assert sum(rows for rows, _ in classes.values()) == 525_461
    assert sum(amount for _, amount in classes.values()) == Decimal("9539484.6340")
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = {name: (rows, amount) for name, rows, amount in con.execute(PUBLISHED).fetchall()}
        assert found == {name: classes[name] for name in ("anonymous", "customers")}
        left_out = con.execute("""
            select entity, excluded_rows_count from marts.ingest_reconciliation
            where entity in ('orders', 'order_lines', 'returns', 'products')
        """).fetchall()
        rows = classes["excluded"][0] + classes["adjustment"][0]
        assert left_out == [(entity, rows) for entity, _ in left_out]
        assert con.execute(
            "select bool_and(is_reconciled), sum(quarantined_rows_count)"
            " from marts.ingest_reconciliation"
        ).fetchone() == (True, 0)
        # Credit notes are no orders, and an invoice typed over two minutes is one order.
        assert (
            con.execute("select count(*) from core.fct_orders").fetchone()
            == duckdb.sql(f"""
            select count(distinct invoice) from '{YEAR_ONE}'
            where invoice[1] not in ('A', 'C')
                and stock_code not in ('POST', 'DOT', 'C2', 'C3', 'AMAZONFEE', 'BANK CHARGES', 'S',
                    'ADJUST', 'ADJUST2', 'TEST001', 'TEST002')
                and not (price = 0 and (customer_id is null or quantity < 0))
        """).fetchone()
        )
