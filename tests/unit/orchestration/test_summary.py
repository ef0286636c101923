"""The summary of a run says each thing once, however many files it came in."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from identity.ids import EVENTS
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
        """)
    began = datetime(2024, 1, 2, tzinfo=UTC)
    assert _customers(shop_home, began) == {"total": 3, "new": 0}
    first, now = datetime(2024, 1, 1), datetime(2024, 1, 2)
    for told in (
        [("old", first), ("moved", first)],
        [("old", now), ("joined", now), ("joined", now), ("gone", now)],
    ):
        rows = [{"to_customer_id": customer, "event_at": at} for customer, at in told]
        events = pa.Table.from_pylist(rows, schema=EVENTS)
        with shop_home.lake.transaction() as transaction:
            number = f"{transaction.seq:010d}"
            path = f"identity/identity_events/{number}.parquet"
            staged = shop_home.lake.stage(events, "identity", "identity_events", path)
            transaction.commit("identity_events", number, [staged])
    assert _customers(shop_home, began) == {"total": 3, "new": 1}
