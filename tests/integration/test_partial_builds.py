"""A warehouse that is built in part, day after day, equals one that is built anew each time."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from identity.resolve import EVENTS, replay
from intake.contract import contracts
from intake.lake import Record
from intake.load import load_entity
from intake.snapshot import freeze
from intake.undo import restore, undo
from orchestration import dbt
from orchestration.moment import Moment, write_inputs
from orchestration.settings import Home, HomeConfig, SystemPlace, write_config
from tests.conftest import LINES_HEADER, ORDERS_HEADER, Shop

FEEDS = """  products: {path: "products*.csv", format: csv}
  stores: {path: "stores*.csv", format: csv}
entities:
  products: {file: products, delivery: upsert}
  stores: {file: stores, delivery: upsert}
"""
TABLES = (
    "core.order_line_sets",
    "core.order_history",
    "core.fct_orders",
    "core.fct_order_lines",
    "core.customer_days",
)
FIRST_DAY = date(2024, 1, 1)
STEPS = 10


@dataclass
class World:
    """A shop, its home, and what has happened so far."""

    home: Home
    shop: Shop
    chance: random.Random
    day: date = FIRST_DAY + timedelta(days=5)
    files: int = 0
    undone: list[Record] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)

    def open(self) -> None:
        """Orders of the first day that nothing touches any more, so that there is something to keep."""
        numbers = range(100, 110)
        orders = (f"{n},dan,{FIRST_DAY} 10:00:00,{FIRST_DAY} 11:00:00,z" for n in numbers)
        self.shop.deliver("orders_000.csv", f"{ORDERS_HEADER},store", *orders)
        self.shop.deliver("lines_000.csv", LINES_HEADER, *(f"{n},z,1,5," for n in numbers))
        self.load("orders", "order_lines")
        self.know({"dan": "v"})

    def deliver(self) -> None:
        """A file of orders, some of them known already, and one of lines, of other orders."""
        self.files += 1
        for kind, write in (("orders", self._order), ("lines", self._line)):
            rows = [write() for _ in range(self.chance.randint(1, 8))]
            header = {"orders": f"{ORDERS_HEADER},store", "lines": LINES_HEADER}[kind]
            self.shop.deliver(f"{kind}_{self.files:03d}.csv", header, *dict.fromkeys(rows))
        self.load("orders", "order_lines")

    def _order(self) -> str:
        bought = self._day()
        changed = bought + timedelta(days=self.chance.choice([0, 0, 0, 1, 3, 9]))
        store, customer = self.chance.choice("st?"), self.chance.choice(["ann", "bob", "cid", ""])
        return (
            f"{self.chance.randint(1, 12)},{customer},{bought} 10:00:00,{changed} 11:00:00,{store}"
        )

    def _line(self) -> str:
        paid = self.chance.choice(["5", "7.5", "12", "no price"])
        changed = self.chance.choice(["", f"{self._day()} 11:00:00"])
        product = self.chance.choice("pqr")
        return f"{self.chance.randint(1, 12)},{product},1,{paid},{changed}"

    def _day(self) -> date:
        return FIRST_DAY + timedelta(days=self.chance.randint(0, 20))

    def list_product(self) -> None:
        """A product or a store becomes known, from a day on or always."""
        self.files += 1
        known = self.chance.choice(["", f"{self._day()} 09:00:00"])
        for entity, keys in (("products", "pqr"), ("stores", "st")):
            name, row = f"{entity}_{self.files:03d}.csv", f"{self.chance.choice(keys)},{known}"
            self.shop.deliver(name, "id,changed", row)
        self.load("products", "stores")

    def load(self, *entities: str) -> None:
        for entity in entities:
            load_entity(self.home.lake, self.shop.system, contracts()[entity])

    def move(self) -> None:
        """The date goes on, or back."""
        self.day += timedelta(days=self.chance.choice([1, 1, 1, 2, 7, -1, -6]))

    def undo(self) -> None:
        """A load is taken out, or brought back."""
        live = self.home.lake.live("undo")
        if live and self.chance.random() < 0.5:
            restore(self.home.lake, self.chance.choice(live))
            return
        loads = self.home.lake.live("load")
        if loads:
            record = self.chance.choice(loads)
            contract = contracts()[str(record.details["entity"])]
            undo(self.home.lake, record, self.shop.system, contract)

    def merge(self) -> None:
        """A record moves to another customer, or gets its first."""
        self.know({self.chance.choice(["ann", "bob", "cid"]): self.chance.choice("xyz")})

    def know(self, customers: dict[str, str]) -> None:
        """Each of these records belongs to this customer from now on."""
        with self.home.lake.transaction() as transaction:
            self.events += [
                {
                    "event_seq": len(self.events) + number,
                    "event_at": transaction.committed_at.replace(tzinfo=None),
                    "event_type": "created", "source_system": "shop",
                    "source_key": record, "to_customer_id": customer,
                    "to_strict_customer_id": customer, "rule": "test",
                }
                for number, (record, customer) in enumerate(customers.items(), 1)
            ]  # fmt: skip
            staged = self.home.lake.stage(
                replay(pa.Table.from_pylist(self.events, schema=EVENTS)),
                "identity", "customer_map", f"identity/customer_map/{transaction.seq:010d}.parquet",
            )  # fmt: skip
            old = [record.seq for record in self.home.lake.live("customer_map")]
            transaction.commit("customer_map", str(transaction.seq), [staged], supersedes=old)

    def build(self, warehouse: Path) -> dict[str, list[tuple[object, ...]]]:
        """Build the tables as a run would, in this warehouse, and return their rows."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        runner = dbtRunner(manifest=dbt.parsed(dbt.manifest_path(self.home)))
        snapshot = freeze(self.home.lake, contracts())
        moment = Moment(snapshot.snapshot_id, self.day, FIRST_DAY)
        inputs = write_inputs(self.home, moment)
        os.environ.update(
            self.home.environment()
            | {"UNICUS_LAKE_FILES": str(inputs), "UNICUS_WAREHOUSE": str(warehouse)}
        )
        selected = ["--select", "+fct_order_lines", "customer_days", "--quiet"]
        try:
            done = runner.invoke(["run", *selected, *dbt.arguments(self.home)])
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        assert done.success, (self.home.logs / "dbt.log").read_text()[-2000:]
        with duckdb.connect(str(warehouse), read_only=True) as con:
            return {t: con.execute(f"from {t} order by all").fetchall() for t in TABLES}


@pytest.fixture
def world(tmp_path: Path, shop: Shop) -> World:
    shop.rewrite("source.yaml", "entities:\n", FEEDS)
    shop.rewrite("orders.sql", "select _row,", "select _row, store as store_key,")
    for entity in ("products", "stores"):
        what = "product" if entity == "products" else "'store' as channel, id as store"
        what = f"{what}_key" if entity == "stores" else "id as product_key"
        sql = f"select _row, {what}, changed as updated_at from {entity}"
        (shop.folder / shop.name / f"{entity}.sql").write_text(sql, "utf-8")
    home = Home(tmp_path / "home")
    home.create()
    place = SystemPlace(folder=str(shop.folder), location=str(shop.files))
    write_config(home, HomeConfig("Europe/Paris", "EUR", {"shop": place}, ()))
    return World(home, shop, random.Random(0))


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.battery) for seed in range(1, 3))]
)
def test_days_files_merges_and_undone_loads_in_any_order_give_the_tables_of_a_new_build(
    world: World, tmp_path: Path, seed: int
) -> None:
    world.chance = random.Random(seed)
    kept, rebuilt = (tmp_path / name / "warehouse.duckdb" for name in ("kept", "rebuilt"))
    kept.parent.mkdir()
    rebuilt.parent.mkdir()
    world.open()
    moves = [world.deliver, world.move, world.move, world.merge, world.list_product, world.undo]
    filled, kept_keys = set(), set()
    for _ in range(STEPS):
        done = [move.__name__ for move in world.chance.sample(moves, world.chance.randint(1, 2))]
        for name in done:
            getattr(world, name)()
        in_part = world.build(kept)
        rebuilt.unlink(missing_ok=True)
        assert in_part == world.build(rebuilt), done
        filled |= {table for table in TABLES if in_part[table]}
        kept_keys |= tables_built_in_part(kept)
    assert filled == kept_keys == set(TABLES)


@pytest.mark.parametrize("changed", ["", "2024-01-02 15:00:00"])
def test_a_buyer_who_is_corrected_on_the_same_day_or_without_a_time_keeps_no_order(
    world: World, tmp_path: Path, changed: str
) -> None:
    kept, rebuilt = (tmp_path / name / "warehouse.duckdb" for name in ("kept", "rebuilt"))
    kept.parent.mkdir()
    rebuilt.parent.mkdir()
    world.day = FIRST_DAY + timedelta(days=30)
    for number, buyer in enumerate(("ann", "bob")):
        first = changed and "2024-01-02 11:00:00"
        row = f"1,{buyer},2024-01-02 10:00:00,{(first, changed)[number]},s"
        world.shop.deliver(f"orders_{number}.csv", f"{ORDERS_HEADER},store", row)
        world.load("orders")
        world.know({"ann": "x", "bob": "y"})
        in_part = world.build(kept)
    assert in_part == world.build(rebuilt)
    assert [row[0] for row in in_part["core.customer_days"]] == ["y"]


def tables_built_in_part(warehouse: Path) -> set[str]:
    """Tables that hold a row of a key that their last build in part did not touch."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        listed = {
            name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()
        }

        def keeps(table: str) -> bool:
            touched = f"touched_{table.split('.')[1]}"
            key = "customer_id" if table == "core.customer_days" else "order_id"
            rest = f"from {table} where {key} not in (select {key} from ops.{touched})"
            return touched in listed and bool(con.execute(f"{rest} limit 1").fetchall())

        return {table for table in TABLES if keeps(table)}
