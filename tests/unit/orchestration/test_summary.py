"""The summary of a run says each thing once, however many files it came in."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from intake.accounting import Load
from orchestration.settings import Home
from orchestration.summary import _customers, _left_out, _left_out_lines
from tests.conftest import ORDERS_HEADER, Shop, load


def test_a_reason_that_many_files_give_is_told_in_one_line(shop_home: Home, shop: Shop) -> None:
    for number in range(3):
        shop.deliver(f"orders_{number}.csv", ORDERS_HEADER, f",cid{number},2024-01-09,")
        shop.lines(f"{number},a,1,5.00,")
        load(shop_home.lake, shop)
    left = _left_out(tuple(Load.from_record(one) for one in shop_home.lake.live("load")))
    assert [(one["entity"], one["outcome"], one["rows"]) for one in left] == [
        ("orders", "quarantined", 3)
    ]
    assert len(_left_out_lines(left)) == 1


def test_a_customer_is_new_once_however_many_records_and_moves_it_has(shop_home: Home) -> None:
    shop_home.published.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(shop_home.published)) as con:
        con.execute("""
            create schema marts;
            create table marts.customer_360 as select unnest(['old', 'joined', 'moved']) as customer_id;
            create table marts.identity_events as
            from (values ('old', timestamp '2024-01-01'), ('old', timestamp '2024-01-02'),
                ('joined', timestamp '2024-01-02'), ('joined', timestamp '2024-01-02'),
                ('gone', timestamp '2024-01-02'), ('moved', timestamp '2024-01-01'))
                as events (to_customer_id, event_at);
        """)
    began = datetime(2024, 1, 2, tzinfo=UTC)
    assert _customers(shop_home, began) == {"total": 3, "new": 1}
