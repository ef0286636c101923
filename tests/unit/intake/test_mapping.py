"""What a mapping may do with the rows and columns of its file, and what it is told otherwise."""

from __future__ import annotations

import pytest

from intake.accounting import Outcome
from intake.fault import InputFault
from intake.lake import Lake
from tests.conftest import Shop, load
from tests.unit.intake.conftest import refusal, stored


def test_a_column_more_in_a_newer_file_is_harmless_and_one_renamed_is_named(
    lake: Lake, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.deliver("orders_2.csv", "id,loyalty,customer,bought,changed", "2,gold,bob,2024-01-02,")
    assert [done.stored_rows for done in load(lake, shop)] == [1, 1]
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["ann", "bob"]
    shop.deliver("orders_3.csv", "id,client,bought,changed", "3,eve,2024-01-02,")
    with pytest.raises(InputFault) as raised:
        load(lake, shop)
    assert raised.value.code == "missing-column"
    assert '"customer"' in raised.value.what
    assert "orders_3.csv" in raised.value.where


def test_excluded_rows_are_counted_under_the_name_of_their_rule(lake: Lake, shop: Shop) -> None:
    shop.rewrite(
        "source.yaml", "{file: orders, delivery: upsert}",
        "{file: orders, delivery: upsert, exclude:"
        " {staff: {where: \"customer = 'staff'\", why: Own people}}}",
    )  # fmt: skip
    shop.orders("1,ann,2024-01-02,", "2,staff,2024-01-02,")
    (done,) = load(lake, shop)
    assert set(done.outcomes) == {Outcome("excluded", "staff", 1), Outcome("accepted", "", 1)}


def test_a_mapping_that_drops_rows_in_silence_is_refused(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders where customer <> 'bob'")
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,")
    fault = refusal(lake, shop)
    assert fault.code == "unaccounted-rows"
    assert "2 rows were read, 1 are accounted for" in fault.what


def test_a_mapping_that_repeats_rows_is_refused(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders, (values (1), (2))")
    shop.orders("1,ann,2024-01-02,")
    assert refusal(lake, shop).code == "unaccounted-rows"


def test_a_row_given_twice_does_not_make_up_for_one_dropped(lake: Lake, shop: Shop) -> None:
    rows = (
        "from orders where _row = 1 union all select 1, id, customer, bought, changed from orders"
    )
    shop.rewrite("orders.sql", "from orders", f"{rows} where _row = 1")
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,")
    assert refusal(lake, shop).code == "unaccounted-rows"


def test_a_mapping_is_one_select(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders; create table other as select 1")
    shop.orders("1,ann,2024-01-02,")
    assert refusal(lake, shop).code == "bad-mapping"


def test_a_file_without_a_header_row_shows_none_of_its_values(lake: Lake, shop: Shop) -> None:
    shop.deliver("orders.csv", "1,jane@example.org,2024-01-01,x", "2,bob,2024-01-02,y")
    fault = refusal(lake, shop)
    assert fault.code == "missing-column"
    assert "jane" not in f"{fault.where}{fault.why}{fault.what}{fault.fix}"


def test_a_missing_column_names_file_mapping_and_line(lake: Lake, shop: Shop) -> None:
    shop.deliver("orders.csv", "id,customer,date_bought,changed", "1,ann,2024-01-02,")
    fault = refusal(lake, shop)
    assert (fault.code, fault.what) == ("missing-column", 'the file has no column "bought"')
    assert "orders.csv line 1" in fault.where
    assert "orders.sql line 2" in fault.where
    assert "date_bought" in fault.why


def test_a_mapping_with_a_column_the_contract_does_not_know_is_refused(
    lake: Lake, shop: Shop
) -> None:
    shop.rewrite("orders.sql", "id as order_key", "id as order_number")
    shop.orders("1,ann,2024-01-02,")
    fault = refusal(lake, shop)
    assert fault.code == "bad-mapping"
    assert "order_number" in fault.why
