"""The summary of a run says each thing once, however many files it came in."""

from __future__ import annotations

from intake.accounting import Load
from orchestration.settings import Home
from orchestration.summary import _left_out, _left_out_lines
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
