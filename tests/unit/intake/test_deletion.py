"""What a full list deletes by leaving a record out, and what it does not."""

from __future__ import annotations

import pytest

from intake.accounting import Outcome
from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import Lake
from intake.undo import find_load, undo
from tests.conftest import Shop, load
from tests.unit.intake.conftest import stored


@pytest.fixture
def listing(shop: Shop) -> Shop:
    """The shop, as one whose orders come as full lists."""
    shop.rewrite("source.yaml", "orders, delivery: upsert", "orders, delivery: snapshot")
    return shop


def told(lake: Lake) -> list[tuple[object, ...]]:
    """Rows of all lists: key, customer, version time, whether deleted."""
    return [
        (r["order_key"], r["customer_key"], str(r["_version_at"])[:10], r["_is_deleted"])
        for r in stored(lake, "orders")
    ]


def test_a_record_missing_from_a_newer_list_is_deleted_from_the_time_of_the_list(
    lake: Lake, listing: Shop
) -> None:
    listing.orders(
        "1,ann,2024-01-02,2024-01-03", "2,bob,2024-01-02,2024-01-03", name="orders_1.csv"
    )
    listing.orders(
        "1,ann,2024-01-02,2024-01-03", "3,eve,2024-01-08,2024-01-09", name="orders_2.csv"
    )
    _, second = load(lake, listing)
    assert set(second.outcomes) == {Outcome("redelivered", "", 1), Outcome("accepted", "", 1)}
    assert (second.read_rows, second.stored_rows, second.deleted_records) == (2, 2, 1)
    assert sorted(told(lake)) == [
        ("1", "ann", "2024-01-03", False),
        ("2", "bob", "2024-01-03", False),
        ("2", "bob", "2024-01-09", True),
        ("3", "eve", "2024-01-09", False),
    ]


def test_a_dated_list_deletes_from_its_day_though_its_rows_are_older(
    lake: Lake, listing: Shop
) -> None:
    listing.rewrite("source.yaml", "orders*.csv", "orders_{date:%Y-%m-%d}.csv")
    ann, bob = "1,ann,2023-05-01,2023-05-01", "2,bob,2023-05-01,2023-05-01"
    listing.orders(ann, bob, name="orders_2024-01-01.csv")
    listing.orders(ann, name="orders_2024-06-01.csv")
    load(lake, listing)
    assert ("2", "bob", "2024-06-01", True) in told(lake)
    listing.orders(ann, bob, name="orders_2024-09-01.csv")
    load(lake, listing)
    assert told(lake)[-1] == ("2", "bob", "2024-09-01", False)


def test_a_record_that_comes_back_is_news_from_the_time_of_its_list(
    lake: Lake, listing: Shop
) -> None:
    one, two = "1,ann,2024-01-02,2024-01-03", "2,bob,2024-01-02,2024-01-03"
    for number, rows in enumerate([(one, two), (one, "3,eve,2024-01-08,2024-01-09"), (one, two)]):
        listing.orders(*rows, name=f"orders_{number}.csv")
    *_, third = load(lake, listing)
    assert set(third.outcomes) == {Outcome("redelivered", "", 1), Outcome("accepted", "", 1)}
    assert [row[2:] for row in told(lake) if row[0] == "2"] == [
        ("2024-01-03", False), ("2024-01-09", True), ("2024-01-09", False),
    ]  # fmt: skip


def test_a_list_without_any_time_deletes_for_every_date(lake: Lake, listing: Shop) -> None:
    listing.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    listing.orders("1,ann,2024-01-02,", name="orders_2.csv")
    load(lake, listing)
    assert ("2", "bob", "None", True) in told(lake)


def test_a_deleted_record_is_deleted_once(lake: Lake, listing: Shop) -> None:
    listing.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    for number in (2, 3):
        listing.orders(
            "1,ann,2024-01-02,", f"{number}9,eve,2024-01-02,", name=f"orders_{number}.csv"
        )
    load(lake, listing)
    assert [row[0] for row in told(lake) if row[3]] == ["2", "29"]


def test_a_refused_row_still_says_that_its_record_is_there(lake: Lake, listing: Shop) -> None:
    listing.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    listing.orders("1,ann,2024-01-02,", "2,bob,yesterday,", name="orders_2.csv")
    _, second = load(lake, listing)
    assert second.deleted_records == 0
    assert second.rows("quarantined") == 1


@pytest.mark.parametrize("kept", [0, 49])
def test_a_list_that_broke_off_is_refused_until_its_source_says_it_is_right(
    lake: Lake, listing: Shop, kept: int
) -> None:
    orders = [f"{number},ann,2024-01-02," for number in range(100)]
    listing.orders(*orders, name="orders_1.csv")
    load(lake, listing)
    listing.orders(*orders[:kept], name="orders_2.csv")
    with pytest.raises(InputFault) as raised:
        load(lake, listing)
    assert raised.value.code == "short-list"
    assert f"would delete {100 - kept} of 100 records" in raised.value.why
    assert not [row for row in told(lake) if row[3]]
    listing.rewrite("source.yaml", "delivery: snapshot", "delivery: snapshot, least_kept_share: 0")
    *_, done = load(lake, listing)
    assert done.deleted_records == 100 - kept


def test_a_list_that_was_let_in_stays_when_the_one_before_it_is_undone(
    lake: Lake, listing: Shop
) -> None:
    orders = [f"{number},ann,2024-01-02," for number in range(100)]
    for number, kept in enumerate((100, 60, 45)):
        listing.orders(*orders[:kept], name=f"orders_{number}.csv")
    _, middle, _ = load(lake, listing)
    undo(lake, find_load(lake, middle.load_id), listing.system, contracts()["orders"])
    assert [done.deleted_records for done in load(lake, listing)] == [0, 55]


def test_a_list_may_leave_out_half_of_its_records(lake: Lake, listing: Shop) -> None:
    orders = [f"{number},ann,2024-01-02," for number in range(100)]
    listing.orders(*orders, name="orders_1.csv")
    listing.orders(*orders[:50], name="orders_2.csv")
    assert [done.deleted_records for done in load(lake, listing)] == [0, 50]


def test_lines_cannot_come_as_full_lists(lake: Lake, shop: Shop) -> None:
    shop.rewrite("source.yaml", "lines, delivery: upsert", "lines, delivery: snapshot")
    shop.lines("1,a,1,5.00,")
    with pytest.raises(InputFault) as raised:
        load(lake, shop, "order_lines")
    assert (raised.value.code, raised.value.exit_code) == ("bad-source-file", 2)
    assert "they go with their orders" in raised.value.why


def test_two_systems_with_equal_keys_delete_nothing_of_each_other(
    lake: Lake, listing: Shop
) -> None:
    listing.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    load(lake, listing)
    other = listing.twin("market")
    other.orders("1,ann,2024-01-02,", name="orders_1.csv")
    (only,) = load(lake, other)
    assert (only.stored_rows, only.deleted_records) == (1, 0)
    assert [r["source_system"] for r in stored(lake, "orders")] == ["shop", "shop", "market"]
