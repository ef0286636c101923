"""Undo, restore, removal and deletion, seen from the published copy: equal to never having happened."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from intake.contract import contracts
from intake.undo import find_load, restore, undo
from orchestration.replay import Asked, carry_out, plan_replay
from orchestration.settings import Home, HomeConfig, SystemPlace, write_config
from tests.conftest import Shop
from tests.equal_tables import assert_equal_tables
from tests.homes import query, run

AS_OF = date(2024, 3, 1)
PRODUCTS_SQL = """
select _row, sku as product_key, title as product_name, changed as updated_at from products
"""


def make_home(root: Path, *shops: Shop) -> Home:
    home = Home(root)
    home.create()
    places = {shop.name: SystemPlace(folder=str(shop.folder)) for shop in shops}
    write_config(home, HomeConfig("UTC", "EUR", places, ()))
    return home


def deliver(shop: Shop, number: int, customers: str, month: int) -> None:
    """A file of orders and one of lines, each order once more in the file of the next month."""
    orders, lines = [], []
    for place, customer in enumerate(customers * 4):
        day = date(2024, month, 1) + timedelta(days=place * 2)
        key = f"{month}-{place}"
        orders.append(f"{key},{customer},{day} 10:00:00,")
        lines += [f"{key},a,1,{place + 1}.00,", f"{key},b,2,3.50,"]
        if month > 1 and place == 0:
            orders.append("1-0,ann,2024-01-01 10:00:00,")
            lines += ["1-0,a,1,1.00,", "1-0,b,2,3.50,"]
    shop.orders(*orders, name=f"orders_{number}.csv")
    shop.lines(*lines, name=f"lines_{number}.csv")


def keep(home: Home, folder: Path) -> Path:
    folder.mkdir()
    target = folder / home.published.name
    target.write_bytes(home.published.read_bytes())
    return target


@pytest.mark.battery
def test_an_undone_file_a_removed_system_and_their_return_leave_no_trace(
    tmp_path: Path, shop: Shop
) -> None:
    market = shop.twin("market")
    deliver(shop, 2, ("ann", "bob"), 2)
    deliver(market, 1, ("ann", "bob"), 2)
    never = make_home(tmp_path / "never", shop)
    run(never, AS_OF)

    deliver(shop, 1, ("ann", "eve"), 1)
    home = make_home(tmp_path / "home", shop, market)
    run(home, AS_OF)
    before = keep(home, tmp_path / "before")
    with duckdb.connect(str(before), read_only=True) as con:
        # Equal keys of two systems are two orders and two customers.
        assert con.execute(
            "select count(*), count(distinct order_id), count(distinct customer_id),"
            " count(distinct order_key) from core.fct_orders"
        ).fetchone() == (25, 25, 5, 16)

    names = {}
    for entity, file in (("orders", "orders_1.csv"), ("order_lines", "lines_1.csv")):
        record = next(
            r for r in home.lake.live("load")
            if (r.details["source_system"], r.details["file_name"]) == ("shop", file)
        )  # fmt: skip
        undo(home.lake, record, shop.system, contracts()[entity])
        names[entity] = record.record_id
    places = {"shop": SystemPlace(folder=str(shop.folder))}
    write_config(home, HomeConfig("UTC", "EUR", places, ()))
    run(home, AS_OF)
    assert_equal_tables(never.published, home.published, models_held=False)

    for entity, name in names.items():
        restore(home.lake, find_load(home.lake, name), shop.system, contracts()[entity])
    make_home(home.root, shop, market)
    run(home, AS_OF)
    assert_equal_tables(before, home.published, models_held=False)


@pytest.mark.battery
def test_a_replay_gives_the_tables_of_a_home_that_loads_every_file_by_the_rules_of_now(
    tmp_path: Path, shop: Shop
) -> None:
    right = "bought as ordered_at"
    wrong = "case when customer = 'bob' then 'soon' else bought end as ordered_at"
    shop.rewrite("orders.sql", right, wrong)
    home = make_home(tmp_path / "home", shop)
    for number, customers in ((1, ("ann", "bob")), (2, ("ann", "eve"))):
        deliver(shop, number, customers, number)
        run(home, AS_OF)
    gone = {path: path.read_bytes() for path in shop.files.iterdir()}
    for path in gone:
        path.unlink()
    shop.rewrite("orders.sql", wrong, right)
    carry_out(plan_replay(home, Asked()))
    for path, content in gone.items():
        path.write_bytes(content)
    run(home, AS_OF)

    fresh = make_home(tmp_path / "fresh", shop)
    run(fresh, AS_OF)
    assert_equal_tables(fresh.published, home.published, models_held=False)
    ids = "select load_id from marts.ingest_reconciliation order by 1"
    assert query(home, ids) == query(fresh, ids)
    assert query(home, "select 1 from core.fct_orders where customer_key = 'bob'")

    for name in ("raw", "quarantine", "schema", "snapshots"):
        shutil.rmtree(home.root / "lake" / name)
    shutil.rmtree(home.warehouse.parent)
    home.create()
    carry_out(plan_replay(home, Asked(is_all=True)))
    run(home, AS_OF)
    assert_equal_tables(fresh.published, home.published, models_held=False)


def test_what_a_full_list_leaves_out_is_gone_from_the_day_of_the_list(
    tmp_path: Path, shop: Shop
) -> None:
    shop.rewrite(
        "source.yaml",
        "  orders: {path",
        '  products: {path: "products*.csv", format: csv}\n  orders: {path',
    )
    shop.rewrite(
        "source.yaml",
        "entities:\n",
        "entities:\n  products: {file: products, delivery: snapshot}\n",
    )
    shop.rewrite("source.yaml", "orders, delivery: upsert", "orders, delivery: snapshot")
    (shop.folder / "shop" / "products.sql").write_text(PRODUCTS_SQL, "utf-8")
    header = "sku,title,changed"
    shop.deliver("products_1.csv", header, "a,Apple,2024-01-01", "b,Bread,2024-01-01")
    shop.deliver("products_2.csv", header, "a,Apple,2024-01-01", "c,Cake,2024-02-01")
    one, two = "1,ann,2024-01-05,2024-01-05", "2,bob,2024-01-06,2024-01-06"
    shop.orders(one, two, name="orders_1.csv")
    shop.orders(one, "3,eve,2024-01-31,2024-01-31", name="orders_2.csv")
    shop.lines(*(f"{key},{sku},1,5.00," for key in (1, 2, 3) for sku in "ab"))
    home = make_home(tmp_path / "home", shop)
    for as_of, orders, products in (
        (date(2024, 3, 1), ["1", "3"], ["a", "c"]),
        (date(2024, 1, 20), ["1", "2"], ["a", "b"]),
    ):
        run(home, as_of)
        with duckdb.connect(str(home.published), read_only=True) as con:
            for table, key, expected in (
                ("core.fct_orders", "order_key", orders),
                ("core.dim_products", "product_key", [*products, "unknown"]),
                ("core.fct_order_lines", "split_part(order_id, ':', 2)", orders),
            ):
                found = con.execute(f"select distinct {key} from {table} order by 1").fetchall()
                assert [key for (key,) in found] == expected, (as_of, table)
            assert con.execute(
                "select count(*) from marts.ingest_reconciliation where not is_reconciled"
            ).fetchone() == (0,)
