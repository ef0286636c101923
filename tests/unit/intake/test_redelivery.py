"""Which rows say again what was said, and which are news."""

from __future__ import annotations

from intake.accounting import Outcome
from intake.lake import Lake
from tests.conftest import Shop, load
from tests.unit.intake.conftest import stored


def test_an_unchanged_order_is_redelivered_and_a_changed_one_is_a_version(
    lake: Lake, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    shop.orders("1,ann,2024-01-02,", "2,cid,2024-01-02,", name="orders_2.csv")
    _, second = load(lake, shop)
    assert set(second.outcomes) == {Outcome("redelivered", "", 1), Outcome("accepted", "", 1)}
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["ann", "bob", "cid"]


def test_a_value_that_comes_back_is_a_version_and_no_redelivery(lake: Lake, shop: Shop) -> None:
    for number, customer in enumerate(("ann", "bob", "ann")):
        shop.orders(f"1,{customer},2024-01-02,", name=f"orders_{number}.csv")
    assert [done.stored_rows for done in load(lake, shop)] == [1, 1, 1]


def test_lines_are_redelivered_as_a_whole_order_or_not_at_all(lake: Lake, shop: Shop) -> None:
    shop.lines("1,a,1,5,", "1,b,1,7,", "2,a,1,5,", name="lines_1.csv")
    shop.lines("1,a,1,5,", "2,a,1,5,", name="lines_2.csv")
    _, second = load(lake, shop, "order_lines")
    assert set(second.outcomes) == {Outcome("redelivered", "", 1), Outcome("accepted", "", 1)}
    assert [r["order_key"] for r in stored(lake, "order_lines")] == ["1", "1", "2", "1"]


def test_one_changed_line_brings_all_lines_of_its_order_again(lake: Lake, shop: Shop) -> None:
    shop.lines("1,a,1,10,2024-01-01", "1,b,1,20,2024-01-02", name="lines_1.csv")
    shop.lines("1,a,1,10,2024-01-01", "1,b,1,25,2024-01-05", name="lines_2.csv")
    _, second = load(lake, shop, "order_lines")
    assert second.outcomes == (Outcome("accepted", "", 2),)


def test_append_takes_every_row_again(lake: Lake, shop: Shop) -> None:
    shop.rewrite("source.yaml", "orders, delivery: upsert", "orders, delivery: append")
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.orders("1,ann,2024-01-02,", "3,ann,2024-01-02,", name="orders_2.csv")
    assert [done.stored_rows for done in load(lake, shop)] == [1, 2]
