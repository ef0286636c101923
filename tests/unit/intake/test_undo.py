"""What a lake holds after a load is undone or restored: as if the file had never, or always, been there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.accounting import Load
from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import Lake
from intake.load import load_entity
from intake.snapshot import freeze
from intake.undo import find_load, later_loads, restore, undo
from tests.conftest import Shop, cases, load

LOAD_COLUMNS = "_load_id, _load_seq, _loaded_at"


def rows(lake: Lake, entity: str = "orders") -> list[tuple[object, ...]]:
    """Live rows in the order the warehouse believes them, without what names a load."""
    files = [
        str(lake.path(f)) for r in lake.live("load") for f in r.files if f.table == entity
    ]  # fmt: skip
    if not files:
        return []
    with duckdb.connect() as con:
        return con.execute(
            f"select * exclude ({LOAD_COLUMNS}) from read_parquet(?)"
            " order by _load_seq, _row, order_key",
            [files],
        ).fetchall()


def take_out(lake: Lake, shop: Shop, file: str, entity: str = "orders") -> str:
    record = next(r for r in lake.live("load") if r.details["file_name"] == file)
    undo(lake, record, shop.system, contracts()[entity])
    return record.record_id


def bring_back(lake: Lake, shop: Shop, name: str, entity: str = "orders") -> None:
    restore(lake, find_load(lake, name), shop.system, contracts()[entity])


def test_an_undone_load_stays_undone_until_it_is_restored(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.orders("2,bob,2024-01-02,", name="orders_2.csv")
    load(lake, shop)
    before, snapshot = rows(lake), freeze(lake, contracts()).snapshot_id
    name = take_out(lake, shop, "orders_1.csv")
    for _ in range(2):
        (other,) = load(lake, shop)
        assert other.file_name == "orders_2.csv"
        assert [row[1] for row in rows(lake)] == ["2"]
    bring_back(lake, shop, name)
    load(lake, shop)
    assert rows(lake) == before
    assert freeze(lake, contracts()).snapshot_id == snapshot
    assert find_load(lake, name).kind == "load"


def test_undoing_is_one_record_and_deletes_no_file(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    (done,) = load(lake, shop)
    files = set((lake.root / "raw").rglob("*.parquet"))
    take_out(lake, shop, "orders.csv")
    *_, load_record, undo_record = lake.records()
    assert (undo_record.kind, undo_record.supersedes) == ("undo", (load_record.seq,))
    assert Load.from_record(undo_record).load_id == done.load_id
    assert set((lake.root / "raw").rglob("*.parquet")) == files


@pytest.mark.parametrize("changed", ["file", "mapping", "rules and back"])
def test_an_undone_file_comes_in_again_when_it_or_its_rules_change(
    lake: Lake, shop: Shop, changed: str
) -> None:
    shop.orders("1,ann,2024-01-02,")
    load(lake, shop)
    take_out(lake, shop, "orders.csv")
    if changed == "file":
        shop.orders("1,eve,2024-01-02,")
    else:
        shop.rewrite("orders.sql", "customer as", "upper(customer) as")
    (again,) = load(lake, shop)
    assert again.is_new
    if changed == "rules and back":
        assert not lake.live("undo"), "the undo ended with the rules it was made under"
        shop.rewrite("orders.sql", "upper(customer) as", "customer as")
        load(lake, shop)
    assert [row[2] for row in rows(lake)] == [
        {"file": "eve", "mapping": "ANN", "rules and back": "ann"}[changed]
    ]


def test_what_a_later_file_said_again_outlives_the_load_that_said_it_first(
    lake: Lake, shop: Shop
) -> None:
    first = shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    second = shop.orders("1,ann,2024-01-02,", name="orders_2.csv")
    load(lake, shop)
    # The landing files may be gone: a load is read again from the bytes that were kept.
    first.unlink()
    second.unlink()
    name = take_out(lake, shop, "orders_1.csv")
    assert [row[1] for row in rows(lake)] == ["1"]
    bring_back(lake, shop, name)
    assert [row[1] for row in rows(lake)] == ["1", "2"]


def test_a_later_file_that_cannot_be_read_again_leaves_the_load_in(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.orders("2,ann,2024-01-02,", name="orders_2.csv")
    load(lake, shop)
    shop.rewrite("orders.sql", "customer as", "client as")
    before = rows(lake)
    with pytest.raises(InputFault) as raised:
        take_out(lake, shop, "orders_1.csv")
    assert raised.value.code == "missing-column"
    assert rows(lake) == before


def test_an_undo_killed_before_its_record_is_mended_by_the_next_load(
    lake: Lake, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        shop.orders("1,ann,2024-01-02,", f"9,{number},2024-01-02,", name=f"orders_{number}.csv")
    load(lake, shop)
    before = rows(lake)

    def killed(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    real = lake.transaction
    count = iter(range(10))
    monkeypatch.setattr(Lake, "transaction", lambda _self: killed() if next(count) == 1 else real())
    with pytest.raises(KeyboardInterrupt):
        take_out(lake, shop, "orders_1.csv")
    monkeypatch.undo()
    load(lake, shop)
    assert rows(lake) == before


def test_a_load_is_found_by_the_beginning_of_its_id_alone(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    (done,) = load(lake, shop)
    assert find_load(lake, done.load_id[:6]).record_id == done.load_id
    assert later_loads(lake, find_load(lake, done.load_id)) == []
    for prefix in ("x", ""):
        with pytest.raises(InputFault) as raised:
            find_load(lake, prefix)
        assert (raised.value.code, raised.value.exit_code) == ("no-such-load", 2)


LIST = st.lists(
    st.tuples(
        st.sampled_from("123"), st.sampled_from(["ann", "bob"]),
        st.sampled_from(["", "2024-01-05", "2024-01-06"]),
    ),
    min_size=1, max_size=3, unique_by=lambda row: row[0],
)  # fmt: skip


@settings(
    max_examples=cases(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(
    lists=st.lists(LIST, min_size=2, max_size=4, unique_by=str), data=st.data(),
    delivery=st.sampled_from(["append", "upsert", "snapshot"]),
)  # fmt: skip
def test_undone_is_as_never_delivered_and_restored_as_before(
    tmp_path_factory: pytest.TempPathFactory, shop: Shop, lists: list[list[tuple[str, ...]]],
    data: st.DataObject, delivery: str,
) -> None:  # fmt: skip
    source = shop.folder / "shop" / "source.yaml"
    text = source.read_text("utf-8")
    for old in ("append", "upsert", "snapshot"):
        text = text.replace(f"file: orders, delivery: {old}", f"file: orders, delivery: {delivery}")
    source.write_text(text, "utf-8")
    for path in shop.files.iterdir():
        path.unlink()
    for number, rows_ in enumerate(lists):
        lines = [f"{key},{customer},2024-01-02,{changed}" for key, customer, changed in rows_]
        shop.orders(*lines, name=f"orders_{number}.csv")

    def made(name: str) -> Lake:
        lake = Lake(tmp_path_factory.mktemp(name))
        lake.create()
        load_entity(lake, shop.system, contracts()["orders"])
        return lake

    lake = made("all")
    before = rows(lake)
    number = data.draw(st.integers(0, len(lists) - 1))
    name = take_out(lake, shop, f"orders_{number}.csv")
    without = rows(lake)
    bring_back(lake, shop, name)
    assert rows(lake) == before
    Path(shop.files / f"orders_{number}.csv").unlink()
    assert without == rows(made("never"))
