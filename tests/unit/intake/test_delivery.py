"""Which files are loaded again, in which order, and which are known."""

from __future__ import annotations

from dataclasses import replace

from intake.contract import contracts
from intake.lake import Lake
from intake.load import load_entity
from tests.conftest import Shop, load
from tests.unit.intake.conftest import stored


def test_the_same_file_twice_changes_nothing(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    load(lake, shop)
    before = [record.seq for record in lake.records()]
    (again,) = load(lake, shop)
    assert not again.is_new
    assert [record.seq for record in lake.records()] == before


def test_new_rules_for_the_same_bytes_replace_the_old_reading(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    load(lake, shop)
    shop.rewrite("orders.sql", "customer as customer_key", "upper(customer) as customer_key")
    (again,) = load(lake, shop)
    assert again.is_new
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["ANN"]
    assert len(lake.live("load")) == 1
    assert len(lake.records()) == 2


def test_under_a_raised_contract_every_file_is_checked_again(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", "2,,2024-01-02,")
    load(lake, shop)
    contract = contracts()["orders"]
    strict = tuple(
        replace(field, required=field.required or field.name == "customer_key")
        for field in contract.fields
    )
    (again,) = load_entity(lake, shop.system, replace(contract, version="2.0.0", fields=strict))
    assert (again.contract_version, again.rows("quarantined")) == ("2.0.0", 1)
    assert [r["order_key"] for r in stored(lake, "orders")] == ["1"]


def test_reading_all_files_again_keeps_the_order_in_which_they_came(lake: Lake, shop: Shop) -> None:
    shop.orders("1,old,2024-01-02,", name="orders_z.csv")
    load(lake, shop)
    shop.orders("1,new,2024-01-02,", name="orders_a.csv")
    load(lake, shop)
    shop.rewrite("orders.sql", "customer as", "upper(customer) as")
    load(lake, shop)
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["OLD", "NEW"]
