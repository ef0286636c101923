"""A warehouse that is built in part, day after day, equals one that is built anew each time."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from identity.compare import RULES
from identity.ids import EVENTS, load_log
from identity.resolve import replayed_map
from identity.store import open_store
from intake.accounting import Load
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
  customers: {path: "customers*.csv", format: csv}
  web_events: {path: "web_events*.csv", format: csv}
  campaigns: {path: "campaigns*.csv", format: csv}
  messages: {path: "messages*.csv", format: csv}
  message_events: {path: "message_events*.csv", format: csv}
entities:
  customers: {file: customers, delivery: upsert}
  web_events: {file: web_events, delivery: upsert}
  campaigns: {file: campaigns, delivery: upsert}
  messages: {file: messages, delivery: upsert}
  message_events: {file: message_events, delivery: upsert}
  products: {file: products, delivery: upsert}
  stores: {file: stores, delivery: upsert}
"""
MAPPINGS = {
    "products": "id as product_key, changed as updated_at",
    "stores": "'store' as channel, id as store_key, changed as updated_at",
    "web_events": """
        id as event_key, "at" as occurred_at, name as event_name, 'web' as channel, visitor as visitor_key,
        customer as customer_key, message as message_key, changed as updated_at
    """,
    "customers": "id as customer_key, visitor as visitor_key, changed as updated_at",
    "campaigns": """
        id as campaign_key, '2024-01-01' as start_date, '2024-12-31' as end_date, changed as updated_at
    """,
    "messages": """
        id as message_key, customer as customer_key, campaign as campaign_key, 'email' as channel,
        'marketing' as purpose, sent as sent_at, changed as updated_at
    """,
    "message_events": """
        id as message_event_key, message as message_key, type as event_type, "at" as occurred_at,
        changed as updated_at
    """,
}
HEADERS = {
    "web_events": "id,at,name,visitor,customer,message,changed",
    "customers": "id,visitor,changed",
    "campaigns": "id,changed",
    "messages": "id,customer,campaign,sent,changed",
    "message_events": "id,message,type,at,changed",
}
TABLES = {
    "core.order_line_sets": "order_id",
    "core.order_history": "order_id",
    "core.fct_orders": "order_id",
    "core.fct_order_lines": "order_id",
    "core.customer_days": "customer_id",
    "core.fct_sessions": "visitor_id",
    "core.browsing_days": "customer_id",
    "core.fct_messages": "message_id",
}
"""Tables that are built in part, each with the key it is built by."""
FIRST_DAY = date(2024, 1, 1)
DAY_1 = f"{FIRST_DAY} 10:00:00"
STORE_HEADER = f"{ORDERS_HEADER},store"
LISTED = ("dora", "eve")
"""Who buys in the orders that come as full lists."""
STEPS = 10


def map_of(events: pa.Table) -> pa.Table:
    """The map that follows from a log of events."""
    with open_store(None, RULES) as con:
        load_log(con, events)
        return replayed_map(con)


@dataclass
class World:
    """A shop, its home, and what has happened so far."""

    home: Home
    shop: Shop
    lister: Shop
    """Delivers the full list of its orders each time: one that is missing was deleted."""
    chance: random.Random
    day: date = FIRST_DAY + timedelta(days=5)
    files: int = 0
    listed: dict[int, date] = field(default_factory=dict)
    undone: list[Record] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)

    def open(self) -> None:
        """Orders of the first day that nothing touches any more, so that there is something to keep."""
        numbers = range(100, 110)
        orders = (f"{n},dan,{FIRST_DAY} 10:00:00,{FIRST_DAY} 11:00:00,z" for n in numbers)
        self.shop.deliver("orders_000.csv", STORE_HEADER, *orders)
        self.shop.deliver("lines_000.csv", LINES_HEADER, *(f"{n},z,1,5," for n in numbers))
        self.load("orders", "order_lines")
        at = f"{FIRST_DAY} 12:00:00"
        self.signal("web_events", f"100,{at},Page Viewed,phone,dan,,")
        self.signal("messages", f"100,dan,late,{at},")
        self.signal("message_events", f"100,100,opened,{at},")
        self.know({"dan": "v", "dora": "w"})

    def deliver(self) -> None:
        """A file of orders, some of them known already, and one of lines, of other orders."""
        self.files += 1
        for kind, write in (("orders", self._order), ("lines", self._line)):
            rows = [write() for _ in range(self.chance.randint(1, 8))]
            header = {"orders": STORE_HEADER, "lines": LINES_HEADER}[kind]
            self.shop.deliver(f"{kind}_{self.files:03d}.csv", header, *dict.fromkeys(rows))
        self.load("orders", "order_lines")

    def signal(self, entity: str, *rows: str) -> None:
        """A file of what customers did elsewhere, loaded."""
        self.files += 1
        self.shop.deliver(f"{entity}_{self.files:03d}.csv", HEADERS[entity], *dict.fromkeys(rows))
        self.load(entity)

    def deliver_signals(self) -> None:
        """Files of visits, messages and what became of them, some of them known already."""
        for entity, write in (
            ("web_events", self._event), ("customers", self._profile), ("messages", self._message),
            ("message_events", self._message_event), ("campaigns", self._campaign),
        ):  # fmt: skip
            self.signal(entity, *(write() for _ in range(self.chance.randint(1, 6))))

    def _event(self) -> str:
        minute = self.chance.randint(0, 1439)
        at = f"{self._day()} {minute // 60:02}:{minute % 60:02}:00"
        name = self.chance.choice(["Page Viewed", "Product Viewed", "Product Added"])
        who = f"{self.chance.choice('abcde')},{self.chance.choice(['ann', 'bob', '', '', '', ''])}"
        message = self.chance.choice(["", "", self.chance.randint(1, 8)])
        return f"{self.chance.randint(1, 30)},{at},{name},{who},{message},{self._change()}"

    def _profile(self) -> str:
        return f"{self.chance.choice(['ann', 'bob', 'cid'])},{self.chance.choice('abc')},{self._change()}"

    def _message(self) -> str:
        who, what = self.chance.choice(["ann", "bob", "cid", ""]), self.chance.choice("kl")
        return f"{self.chance.randint(1, 8)},{who},{what},{self._day()} 10:00:00,{self._change()}"

    def _message_event(self) -> str:
        what, at = self.chance.choice(["delivered", "opened", "clicked"]), self._day()
        number, message = self.chance.randint(1, 20), self.chance.randint(1, 8)
        return f"{number},{message},{what},{at} 10:0{self.chance.randint(0, 9)}:00,{self._change()}"

    def _campaign(self) -> str:
        return f"{self.chance.choice('kl')},{self._change()}"

    def _change(self) -> str:
        return self.chance.choice(["", f"{self._day()} 23:30:00"])

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

    def after(self, days: int) -> str:
        """A day so many days after the date."""
        return str(self.day + timedelta(days=days))

    def go_on(self, days: int) -> None:
        """Put the date so many days after the scripted first."""
        self.day = FIRST_DAY + timedelta(days=20 + days)

    def deliver_as(self, entity: str, header: str, *rows: str) -> None:
        """A file of these rows, loaded."""
        self.files += 1
        file = "lines" if entity == "order_lines" else entity
        self.shop.deliver(f"{file}_{self.files:03d}.csv", header, *rows)
        self.load(entity)

    def list_exactly(self, *rows: str) -> None:
        """A full list of these orders, loaded."""
        self.files += 1
        self.lister.deliver(f"orders_{self.files:03d}.csv", STORE_HEADER, *rows)
        load_entity(self.home.lake, self.lister.system, contracts()["orders"])

    def undo_last(self, entity: str) -> None:
        """The newest load of an entity is taken out."""
        self._undo([r for r in self.home.lake.live("load") if r.details["entity"] == entity][-1])

    def forget_last_event(self) -> None:
        """The map is made again from fewer events, as after a restore of an older one."""
        del self.events[-1]
        self.know({})

    def list_orders(self) -> None:
        """A full list of orders, of which some are new, some corrected and some left out."""
        for number in range(1, 9):
            happened = self.chance.choice(["kept", "kept", "left out", "listed"])
            if happened == "left out":
                self.listed.pop(number, None)
            elif happened == "listed":
                self.listed[number] = self._day()
        made = self._day()
        rows = [
            f"{number},{LISTED[number % 2]},{bought} 10:00:00,{max(bought, made)} 12:00:00,s"
            for number, bought in self.listed.items()
        ]
        if rows:
            self.list_exactly(*rows)

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
        """The date goes on, or back, and not before what was there first."""
        moved = self.day + timedelta(days=self.chance.choice([1, 1, 1, 2, 7, -1, -6]))
        self.day = max(moved, FIRST_DAY + timedelta(days=2))

    def undo(self) -> None:
        """A load is taken out, or brought back."""
        live = self.home.lake.live("undo")
        if live and self.chance.random() < 0.5:
            restore(self.home.lake, self.chance.choice(live))
            return
        later = [
            load for load in self.home.lake.live("load") if "_000." not in load.details["file_name"]
        ]
        if later:
            self._undo(self.chance.choice(later))

    def _undo(self, record: Record) -> None:
        load = Load.from_record(record)
        shop = self.lister if load.source_system == self.lister.name else self.shop
        undo(self.home.lake, record, shop.system, contracts()[load.entity])

    def merge(self) -> None:
        """A record moves to another customer, or gets its first."""
        self.know({self.chance.choice(["ann", "bob", "cid", *LISTED]): self.chance.choice("xyz")})

    def know(self, customers: dict[str, str]) -> None:
        """Each of these records belongs to this customer from now on."""
        with self.home.lake.transaction() as transaction:
            self.events += [
                {
                    "event_seq": len(self.events) + number,
                    "event_at": transaction.committed_at.replace(tzinfo=None),
                    "event_type": "created",
                    "source_system": self.lister.name if record in LISTED else self.shop.name,
                    "source_key": record, "to_customer_id": customer,
                    "to_strict_customer_id": customer, "rule": "test", "model_version": "test",
                }
                for number, (record, customer) in enumerate(customers.items(), 1)
            ]  # fmt: skip
            staged = self.home.lake.stage(
                map_of(pa.Table.from_pylist(self.events, schema=EVENTS)),
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
        selected = ["--select", *(f"+{table.split('.')[1]}" for table in TABLES), "--quiet"]
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
    for entity, columns in MAPPINGS.items():
        sql = f"select _row, {columns} from {entity}"
        (shop.folder / shop.name / f"{entity}.sql").write_text(sql, "utf-8")
    lister = shop.twin("lister")
    full = "orders: {file: orders, delivery: snapshot, least_kept_share: 0}"
    lister.rewrite("source.yaml", "orders: {file: orders, delivery: upsert}", full)
    home = Home(tmp_path / "home")
    home.create()
    places = {
        one.name: SystemPlace(folder=str(one.folder), location=str(one.files))
        for one in (shop, lister)
    }
    write_config(home, HomeConfig("Europe/Paris", "EUR", places, ()))
    return World(home, shop, lister, random.Random(0))


REASONS: dict[str, tuple[str, Callable[[World], None]]] = {
    "the date passes the day of an order": ("fct_orders", lambda world: world.go_on(2)),
    "the date passes a correction": ("fct_orders", lambda world: world.go_on(4)),
    "the date passes a deletion by a full list": ("fct_orders", lambda world: world.go_on(6)),
    "the date passes the day a store is known": ("fct_orders", lambda world: world.go_on(8)),
    "the date passes the day a product is known": ("fct_order_lines", lambda world: world.go_on(10)),
    "a store becomes known": (
        "fct_orders", lambda world: world.deliver_as("stores", "id,changed", "late,2024-01-01"),
    ),
    "a product becomes known": (
        "fct_order_lines", lambda world: world.deliver_as("products", "id,changed", "late,2024-01-01"),
    ),
    "a line is refused": (
        "fct_orders",
        lambda world: world.deliver_as("order_lines", LINES_HEADER, "999,p,1,5,", "5,p,1,no price,"),
    ),
    "a line is delivered": (
        "order_line_sets", lambda world: world.deliver_as("order_lines", LINES_HEADER, "2,p,3,7,"),
    ),
    "an order is delivered": (
        "order_history",
        lambda world: world.deliver_as("orders", STORE_HEADER, f"3,bob,{DAY_1},2024-01-02,s"),
    ),
    "the date passes the day of an event": ("fct_sessions", lambda world: world.go_on(12)),
    "the date passes the day of a message": ("fct_messages", lambda world: world.go_on(14)),
    "the date passes the day a campaign is known": ("fct_messages", lambda world: world.go_on(16)),
    "an event joins two visits": (
        "fct_sessions",
        lambda world: world.signal("web_events", f"7,{FIRST_DAY} 10:20:00,Page Viewed,a,,,"),
    ),
    "an event is given to another visitor": (
        "fct_sessions",
        lambda world: world.signal(
            "web_events", f"2,{DAY_1},Page Viewed,c,bob,,{world.after(-9)} 11:00:00"
        ),
    ),
    "a profile names a browser": (
        "fct_sessions", lambda world: world.signal("customers", f"cid,e,{world.after(-9)} 11:00:00"),
    ),
    "a profile names another browser": (
        "fct_sessions", lambda world: world.signal("customers", f"cid,d,{world.after(-8)} 11:00:00"),
    ),
    "a click tells a browser": (
        "fct_sessions",
        lambda world: world.signal("web_events", f"50,{FIRST_DAY} 10:20:00,Page Viewed,e,,1,"),
    ),
    "an event is given to another customer": (
        "browsing_days",
        lambda world: world.signal(
            "web_events", f"1,{DAY_1},Page Viewed,a,bob,,{world.after(-9)} 11:00:00"
        ),
    ),
    "a message is opened": (
        "fct_messages",
        lambda world: world.signal("message_events", f"1,1,opened,{FIRST_DAY} 12:00:00,"),
    ),
    "what became of a message is that of another": (
        "fct_messages",
        lambda world: world.signal(
            "message_events", f"1,2,opened,{FIRST_DAY} 12:00:00,{world.after(-9)} 11:00:00"
        ),
    ),
    "a campaign becomes known": (
        "fct_messages", lambda world: world.signal("campaigns", "late,2024-01-01")
    ),
    "a load of events is undone": ("fct_sessions", lambda world: world.undo_last("web_events")),
    "a record moves to another customer": ("customer_days", lambda world: world.know({"dan": "y"})),
    "a load is undone": ("order_history", lambda world: world.undo_last("orders")),
    "the map is another one": ("customer_days", World.forget_last_event),
    "the date goes back": ("customer_days", lambda world: world.go_on(-15)),
}  # fmt: skip
"""What touches keys: each alone, with a table that it changes."""
BUILT_ANEW = ("a load is undone", "a load of events is undone", "the map is another one")
"""What is answered by building every key."""


@pytest.mark.battery
def test_each_reason_to_build_a_key_anew_gives_the_tables_of_a_new_build(
    world: World, tmp_path: Path
) -> None:
    kept, rebuilt = two_warehouses(tmp_path)
    world.day = FIRST_DAY + timedelta(days=20)
    world.deliver_as("products", "id,changed", "p,", f"soon,{world.after(9)}")
    world.deliver_as("stores", "id,changed", "s,", f"soon,{world.after(7)}")
    world.deliver_as(
        "orders", STORE_HEADER,
        f"1,ann,{DAY_1},{DAY_1},s", f"2,bob,{DAY_1},{DAY_1},soon", f"4,bob,{DAY_1},{DAY_1},late",
        f"5,dan,{world.after(1)},{DAY_1},s",
        f"6,dan,{DAY_1},{DAY_1},s", f"6,ann,{DAY_1},{world.after(3)},s", f"90,cid,{DAY_1},{DAY_1},s",
    )  # fmt: skip
    world.deliver_as(
        "order_lines", LINES_HEADER, "1,soon,1,5,", "2,late,1,5,", "4,p,1,5,", "6,p,1,5,"
    )
    world.deliver_as("campaigns", HEADERS["campaigns"], "k,", f"soon,{world.after(15)}")
    world.signal(
        "web_events", f"1,{DAY_1},Page Viewed,a,ann,,", f"2,{DAY_1},Product Viewed,b,cid,,",
        f"3,{FIRST_DAY} 10:45:00,Page Viewed,a,,,", f"4,{DAY_1},Page Viewed,phone,dan,,",
        f"5,{world.after(11)} 10:00:00,Page Viewed,b,,,", f"6,{DAY_1},Page Viewed,d,,,",
        f"8,{DAY_1},Page Viewed,e,,,",
    )  # fmt: skip
    world.signal(
        "messages", f"1,ann,late,{DAY_1},", f"2,bob,soon,{DAY_1},", f"3,bob,k,{world.after(13)} 10:00:00,",
        f"4,cid,k,{DAY_1},",
    )  # fmt: skip
    for made, numbers in ((DAY_1, (1, 2)), (world.after(5), (1,))):
        world.list_exactly(*(f"{number},dora,{DAY_1},{made},s" for number in numbers))
    world.know({"ann": "x", "bob": "x", "cid": "z", "dan": "v", "dora": "w"})
    before = world.build(kept)
    for reason, (table, happen) in REASONS.items():
        happen(world)
        forget_touched(kept)
        in_part = world.build(kept)
        rebuilt.unlink(missing_ok=True)
        assert in_part == world.build(rebuilt), reason
        assert in_part[f"core.{table}"] != before[f"core.{table}"], reason
        partial = tables_built_in_part(kept)
        assert (f"core.{table}" in partial) == (reason not in BUILT_ANEW), reason
        before = in_part


@pytest.mark.battery
@pytest.mark.parametrize("seed", range(3))
def test_days_files_merges_and_undone_loads_in_any_order_give_the_tables_of_a_new_build(
    world: World, tmp_path: Path, seed: int
) -> None:
    world.chance = random.Random(seed)
    kept, rebuilt = two_warehouses(tmp_path)
    world.open()
    moves = [
        world.deliver, world.list_orders, world.move, world.move, world.merge, world.list_product,
        world.undo, world.deliver_signals,
    ]  # fmt: skip
    in_part: set[str] = set()
    for step in range(STEPS):
        done = [move.__name__ for move in world.chance.sample(moves, world.chance.randint(1, 2))]
        for name in done:
            getattr(world, name)()
        if step:
            forget_touched(kept)
        rebuilt.unlink(missing_ok=True)
        tables = world.build(kept)
        assert tables == world.build(rebuilt), done
        in_part |= {table for table in tables_built_in_part(kept) if tables[table]}
    assert in_part == set(TABLES), "the others were always built anew, or empty"


@pytest.mark.parametrize("changed", ["", "2024-01-02 15:00:00"])
def test_a_buyer_who_is_corrected_on_the_same_day_or_without_a_time_keeps_no_order(
    world: World, tmp_path: Path, changed: str
) -> None:
    kept, rebuilt = two_warehouses(tmp_path)
    world.day = FIRST_DAY + timedelta(days=30)
    for number, buyer in enumerate(("ann", "bob")):
        first = changed and "2024-01-02 11:00:00"
        row = f"1,{buyer},2024-01-02 10:00:00,{(first, changed)[number]},s"
        world.shop.deliver(f"orders_{number}.csv", STORE_HEADER, row)
        world.load("orders")
        world.know({"ann": "x", "bob": "y"})
        in_part = world.build(kept)
    assert in_part == world.build(rebuilt)
    assert [row[0] for row in in_part["core.customer_days"]] == ["y"]


def test_what_a_login_a_profile_a_click_and_a_card_reveal_goes_with_the_map_and_is_taken_back(
    world: World, tmp_path: Path
) -> None:
    kept, rebuilt = two_warehouses(tmp_path)
    world.day = FIRST_DAY + timedelta(days=20)
    world.signal("messages", f"1,cid,k,{DAY_1},")
    world.signal("customers", "bob,named,")
    world.signal("campaigns", "k,")
    world.signal("message_events", f"1,1,clicked,{FIRST_DAY} 12:00:00,")
    world.signal(
        "web_events",
        *(
            f"{browser} 1,{DAY_1},Page Viewed,{browser},,,"
            for browser in ("login", "named", "click")
        ),
        f"login 2,{world.after(-9)} 10:00:00,Page Viewed,login,ann,,",
        f"click 2,{world.after(-9)} 10:00:00,Page Viewed,click,,1,",
    )
    world.deliver_as("products", "id,changed", "p,")
    world.deliver_as("stores", "id,changed", "s,")
    world.deliver_as("orders", STORE_HEADER, f"1,card,{DAY_1},{DAY_1},s")
    world.deliver_as("order_lines", LINES_HEADER, "1,p,1,5,")
    world.list_exactly(f"1,dora,{DAY_1},{DAY_1},s")
    merged = dict.fromkeys(("ann", "bob", "cid", "card"), "x")
    parted = {"ann": "x", "bob": "y", "cid": "z", "card": "v"}
    for customers in (merged, parted, merged):
        world.know(customers)
        in_part = world.build(kept)
        rebuilt.unlink(missing_ok=True)
        assert in_part == world.build(rebuilt)
        with duckdb.connect(str(kept), read_only=True) as con:
            known = con.execute("""
                select visitor_key, count(*), min(customer_id), max(customer_id)
                from core.fct_sessions group by all
                union all
                select 'card', 2, customer_id, customer_id from core.fct_orders
                where customer_key = 'card'
            """).fetchall()
        whose = {"login": "ann", "named": "bob", "click": "cid", "card": "card"}
        assert {key: (first, last) for key, _, first, last in known} == {
            key: (customers[record], customers[record]) for key, record in whose.items()
        }


def two_warehouses(tmp_path: Path) -> tuple[Path, Path]:
    """Files for a warehouse that is kept from build to build, and for one that is built anew."""
    kept, rebuilt = (tmp_path / name / "warehouse.duckdb" for name in ("kept", "rebuilt"))
    kept.parent.mkdir()
    rebuilt.parent.mkdir()
    return kept, rebuilt


def forget_touched(warehouse: Path) -> None:
    """Drop the lists of what builds in part touched, so that those of the next one are its own."""
    with duckdb.connect(str(warehouse)) as con:
        for table in TABLES:
            con.execute(f"drop table if exists ops.touched_{table.split('.')[1]}")


def tables_built_in_part(warehouse: Path) -> set[str]:
    """Tables that hold a row of a key that their last build in part did not touch."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        listed = {
            name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()
        }

        def keeps(table: str, key: str) -> bool:
            touched = f"touched_{table.split('.')[1]}"
            rest = f"from {table} where {key} not in (select {key} from ops.{touched})"
            return touched in listed and bool(con.execute(f"{rest} limit 1").fetchall())

        return {table for table, key in TABLES.items() if keeps(table, key)}
