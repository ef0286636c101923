"""What a lake holds after a replay: as if every file had come under the rules of now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from intake.accounting import Load
from intake.contract import contracts
from intake.delivery import delivered
from intake.fault import InputFault
from intake.lake import Lake
from intake.load import load_again, load_entity
from intake.replay import refuse_damaged, to_read_again, try_out
from tests.conftest import ORDERS_SQL, Shop, cases, load
from tests.unit.intake.test_undo import LIST, LOAD_COLUMNS, take_out

WRONG_SQL = ORDERS_SQL.replace(
    "bought as ordered_at", "case when customer = 'bob' then 'soon' else bought end as ordered_at"
)
"""A mapping with a fault: it spoils the date of one customer, whose orders are refused."""

SOURCES = {
    "append": ('path: "orders*.csv"', "append"),
    "upsert": ('path: "orders*.csv"', "upsert"),
    "snapshot": ('path: "orders*.csv"', "snapshot"),
    "dated upsert": ('path: "orders_{date:%Y-%m-%d}_*.csv"', "upsert"),
    "dated append": ('path: "orders_{date:%Y-%m-%d}_*.csv"', "append"),
}


def write_rules(shop: Shop, mapping: str, path: str, delivery: str) -> None:
    """Write the rules that read orders."""
    source = shop.folder / "shop" / "source.yaml"
    lines = source.read_text("utf-8").splitlines()
    lines = [
        f"  orders: {{{path}, format: csv}}" if line.startswith("  orders: {path")
        else f"  orders: {{file: orders, delivery: {delivery}}}"
        if line.startswith("  orders: {file")
        else line
        for line in lines
    ]  # fmt: skip
    source.write_text("\n".join(lines), "utf-8")
    (shop.folder / "shop" / "orders.sql").write_text(mapping, "utf-8")


def again(lake: Lake, shop: Shop, since: date | None = None, *, every: bool = False) -> list[Load]:
    system, contract = shop.system, contracts()["orders"]
    readings = to_read_again(lake, system, contract, since, even_if_unchanged=every)
    refuse_damaged(lake, readings)
    for reading in readings:
        try_out(lake, system, contract, reading)
    return load_again(lake, system, contract, [reading.record for reading in readings])


def rows(lake: Lake) -> list[tuple[object, ...]]:
    """Live rows by record, its versions in the order the warehouse believes them."""
    files = [str(lake.path(f)) for r in lake.live("load") for f in r.files if f.source == "raw"]
    if not files:
        return []
    with duckdb.connect() as con:
        return con.execute(
            f"select * exclude ({LOAD_COLUMNS}) from read_parquet(?)"
            " order by order_key, _version_at nulls first, _load_seq, _row",
            [files],
        ).fetchall()


def told(lake: Lake) -> list[tuple[object, ...]]:
    """What the register says of each load in force, in the order of their deliveries."""
    found = [Load.from_record(r) for r in delivered(lake, "shop", "orders")]
    return [
        (one.load_id, one.file_name, one.read_rows, one.stored_rows, one.outcomes, one.file_date,
         one.deleted_records)
        for one in found
    ]  # fmt: skip


@dataclass(frozen=True)
class Story:
    """Files that came under some rules, and are read again under others.

    Attributes:
        lists: lines of each file.
        days: day of January in each file's name.
        before: of `SOURCES`, the rules under which the files came.
        now: of `SOURCES`, the rules under which they are read again.
        undone: number of a file that was undone.
        left: numbers of the files that still lie in the landing place.
        is_run_between: whether a run reads those that are left before the replay.
    """

    lists: list[list[tuple[str, ...]]]
    days: list[int]
    before: str
    now: str
    undone: int | None
    left: set[int]
    is_run_between: bool

    @property
    def files(self) -> list[str]:
        return [f"orders_2024-01-{day:02d}_{number}.csv" for number, day in enumerate(self.days)]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    lists = draw(st.lists(LIST, min_size=1, max_size=4, unique_by=str))
    numbers, sources = range(len(lists)), sorted(SOURCES)
    return Story(
        lists,
        days=[draw(st.integers(6, 8)) for _ in lists],
        before=draw(st.sampled_from(sources)),
        now=draw(st.sampled_from(sources)),
        undone=draw(st.sampled_from([None, *numbers])),
        left=draw(st.sets(st.sampled_from(numbers))),
        is_run_between=draw(st.booleans()),
    )


ONE_READ_BETWEEN = Story(
    lists=[[("1", "ann", "")], [("1", "ann", "2024-01-05")], [("1", "bob", "")]],
    days=[6, 6, 6],
    before="dated append",
    now="append",
    undone=None,
    left={0},
    is_run_between=True,
)
"""The first of three files is read by a run under names that have no date any more."""

LIST_READ_BETWEEN = Story(
    lists=[[("1", "ann", "")], [("1", "bob", "")]],
    days=[6, 6],
    before="dated append",
    now="snapshot",
    undone=None,
    left={1},
    is_run_between=True,
)
"""The second of two lists is read by a run before the first is one."""


@settings(
    max_examples=cases(8),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(story=stories())
@example(story=ONE_READ_BETWEEN)
@example(story=LIST_READ_BETWEEN)
def test_replayed_is_as_delivered_anew_under_the_rules_of_now(
    tmp_path_factory: pytest.TempPathFactory, shop: Shop, story: Story
) -> None:
    undone = None if story.undone is None else story.files[story.undone]

    def deliver(name: str, leave_out: str | None) -> Lake:
        """A lake that got the files one by one."""
        for path in shop.files.iterdir():
            path.unlink()
        lake = Lake(tmp_path_factory.mktemp(name))
        lake.create()
        for file, of_file in zip(story.files, story.lists, strict=True):
            if file == leave_out:
                continue
            lines = [f"{key},{customer},2024-01-02,{changed}" for key, customer, changed in of_file]
            shop.orders(*lines, name=file)
            load_entity(lake, shop.system, contracts()["orders"])
        return lake

    write_rules(shop, WRONG_SQL, *SOURCES[story.before])
    lake = deliver("before", None)
    if undone:
        take_out(lake, shop, undone)
    write_rules(shop, ORDERS_SQL, *SOURCES[story.now])
    left = {story.files[number] for number in story.left}
    for path in shop.files.iterdir():
        if path.name not in left or path.name == undone:
            path.unlink()
    if story.is_run_between and list(shop.files.iterdir()):
        load_entity(lake, shop.system, contracts()["orders"])  # some are read anew by a run before
    again(lake, shop)
    fresh = deliver("fresh", undone)
    assert told(lake) == told(fresh)
    assert rows(lake) == rows(fresh)
    assert again(lake, shop) == [], "everything is read by the rules of now"
    again(lake, shop, every=True)
    assert (told(lake), rows(lake)) == (told(fresh), rows(fresh))


def test_a_file_read_anew_by_a_run_does_not_become_newer_than_what_came_after_it(
    lake: Lake, shop: Shop
) -> None:
    write_rules(shop, WRONG_SQL, *SOURCES["append"])
    first = shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    load(lake, shop)
    second = shop.orders("1,eve,2024-01-02,", name="orders_2.csv")
    load(lake, shop)
    second.unlink()
    write_rules(shop, ORDERS_SQL, *SOURCES["append"])
    assert first.exists()
    load(lake, shop)
    assert [row[2] for row in rows(lake)] == ["ann", "eve"]


def test_a_file_whose_date_stands_in_its_folder_is_known_when_the_source_becomes_dated(
    lake: Lake, shop: Shop
) -> None:
    write_rules(shop, ORDERS_SQL, 'path: "*/orders.csv"', "append")
    for day, customer in (("06", "ann"), ("07", "eve")):
        (shop.files / f"2024-01-{day}").mkdir()
        shop.orders(f"1,{customer},2024-01-02,", name=f"2024-01-{day}/orders.csv")
    load(lake, shop)
    write_rules(shop, ORDERS_SQL, 'path: "{date:%Y-%m-%d}/orders.csv"', "append")
    load(lake, shop)
    assert [row[2] for row in rows(lake)] == ["ann", "eve"]
    assert [one[5] for one in told(lake)] == ["2024-01-06", "2024-01-07"]


def test_a_replay_since_a_day_leaves_what_came_before_as_it_is(lake: Lake, shop: Shop) -> None:
    write_rules(shop, WRONG_SQL, *SOURCES["dated upsert"])
    for day in (1, 2, 3):
        shop.orders(f"{day},bob,2024-01-01,", name=f"orders_2024-01-0{day}_0.csv")
        load(lake, shop)
    write_rules(shop, ORDERS_SQL, *SOURCES["dated upsert"])
    system, contract = shop.system, contracts()["orders"]
    (first, *_) = to_read_again(lake, system, contract)
    assert [one.outcome for one in try_out(lake, system, contract, first)] == ["accepted"]
    assert len(again(lake, shop, date(2024, 1, 2))) == 2
    assert [one.rows("accepted") for one in map(Load.from_record, lake.live("load"))] == [0, 1, 1]


def test_an_original_that_is_gone_or_changed_is_named_and_nothing_is_read(
    lake: Lake, shop: Shop
) -> None:
    write_rules(shop, WRONG_SQL, *SOURCES["upsert"])
    for number in (1, 2):
        shop.orders(f"{number},ann,2024-01-01,", name=f"orders_{number}.csv")
        load(lake, shop)
    before = lake.records()
    write_rules(shop, ORDERS_SQL, *SOURCES["upsert"])
    second: Path = lake.root / "landing" / before[-1].details["file_hash"]
    kept = second.read_bytes()
    for spoil, word in ((second.unlink, "not there"), (lambda: second.write_text("x"), "damaged")):
        spoil()
        with pytest.raises(InputFault) as raised:
            again(lake, shop)
        assert (raised.value.code, raised.value.where) == ("damaged-original", str(second))
        assert f"orders_2.csv is {word}" in raised.value.what
        assert lake.records() == before
    second.write_bytes(kept)
    write_rules(shop, ORDERS_SQL.replace("bought", "paid_on"), *SOURCES["upsert"])
    with pytest.raises(InputFault) as refused:
        again(lake, shop)
    assert refused.value.code == "missing-column"
    assert lake.records() == before, "a mapping that cannot read one file replaces none"
    write_rules(shop, ORDERS_SQL, *SOURCES["upsert"])
    assert len(again(lake, shop)) == 2
