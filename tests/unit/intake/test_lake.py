"""What the register promises: one record is the commit, and nothing else exists."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import Lake, Record, read_record
from intake.snapshot import arrow_schema, day_range, freeze, read_snapshot
from intake.sql import quoted
from tests.conftest import Shop, load

ROWS = pa.table({"n": [1, 2, 3]})


def commit(lake: Lake, name: str, supersedes: tuple[int, ...] = ()) -> Record:
    with lake.transaction() as transaction:
        staged = lake.stage(ROWS, "raw", "numbers", f"raw/numbers/{name}.parquet")
        return transaction.commit("load", name, [staged], supersedes=supersedes)


def test_a_commit_makes_its_files_live_and_what_it_supersedes_dead(lake: Lake) -> None:
    first = commit(lake, "a")
    second = commit(lake, "b", supersedes=(first.seq,))
    assert [record.record_id for record in lake.live()] == ["b"]
    assert [record.record_id for record in lake.records()] == ["a", "b"]
    assert lake.path(first.files[0]).exists(), "dead files stay until they are swept"
    assert second.seq == first.seq + 1


def test_sequence_and_time_rise_strictly_even_when_the_clock_does_not(lake: Lake) -> None:
    first = commit(lake, "a")
    path = lake.root / "register" / f"{first.seq:010d}.json"
    record = json.loads(path.read_text())
    record["committed_at"] = "2999-01-01T00:00:00+00:00"
    path.write_text(json.dumps(record))
    assert commit(lake, "b").committed_at > "2999-01-01T00:00:00+00:00"


def test_each_record_is_read_once_and_those_of_others_are_seen(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        "intake.lake.read_record", lambda path: (read.append(path.stem), read_record(path))[1]
    )
    commit(lake, "a")
    other = Lake(lake.root)
    assert [record.record_id for record in other.records()] == ["a"]
    first = commit(lake, "b")
    commit(lake, "c", supersedes=(first.seq,))
    read.clear()
    for _ in range(3):
        assert [record.record_id for record in other.live()] == ["a", "c"]
    assert read == ["0000000002", "0000000003"]


def test_a_file_in_place_without_a_record_does_not_exist(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_self: Lake, _record: Record) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lake, "write_record", killed)
    with pytest.raises(KeyboardInterrupt):
        commit(lake, "a")
    monkeypatch.undo()
    assert (lake.root / "raw/numbers/a.parquet").exists()
    assert lake.live() == []
    assert commit(lake, "a").seq == 1, "the same load takes the same place again"


def test_what_a_killed_writer_staged_is_swept(lake: Lake) -> None:
    lake.stage(ROWS, "raw", "numbers", "raw/numbers/a.parquet")
    lake.clear_incoming()
    assert not list((lake.root / "incoming").iterdir())


def test_a_snapshot_does_not_see_what_is_loaded_after_it(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    load(lake, shop)
    before = freeze(lake, contracts())
    shop.orders("2,bob,2024-01-03,", name="orders_2.csv")
    load(lake, shop)
    assert len(read_snapshot(lake, before.snapshot_id).loads) == 1
    assert len(freeze(lake, contracts()).loads) == 2


def test_a_file_loaded_again_after_its_load_was_replaced_is_one_load(
    lake: Lake, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    load(lake, shop)
    orders = next(r for r in lake.live("load") if r.files[0].table == "orders")
    with lake.transaction() as transaction:
        transaction.commit("load_undone", orders.record_id, [], supersedes=[orders.seq])
    load(lake, shop)
    again = read_snapshot(lake, freeze(lake, contracts()).snapshot_id)
    assert [one.load_id for one in again.loads].count(orders.record_id) == 1


def test_the_same_loads_make_the_same_snapshot_in_any_order(tmp_path: Path, shop: Shop) -> None:
    names = []
    for order in (("a", "b"), ("b", "a")):
        lake = Lake(tmp_path / "".join(order))
        lake.create()
        for name in order:
            for path in shop.files.glob("*"):
                path.unlink()
            shop.orders(f"{name},ann,2024-01-02,", name=f"orders_{name}.csv")
            load(lake, shop)
        names.append(freeze(lake, contracts()).snapshot_id)
    assert names[0] == names[1]


def test_an_entity_without_a_file_is_an_empty_typed_table(lake: Lake) -> None:
    snapshot = freeze(lake, contracts())
    files = {f.table: f for f in snapshot.files if f.source == "raw"}
    assert files.keys() == contracts().keys()
    with duckdb.connect() as con:
        for entity, contract in contracts().items():
            found = con.execute(f"describe from '{lake.path(files[entity])}'").fetchall()
            assert [(n, t.lower()) for n, t, *_ in found] == list(contract.raw_columns.items())


def days(counts: dict[str, int], lake: Lake, shop: Shop) -> tuple[date, date] | None:
    rows = [
        f"{day}-{number},ann,{day} 12:00:00,"
        for day, count in counts.items()
        for number in range(count)
    ]
    shop.orders(*rows)
    load(lake, shop)
    return day_range(lake, freeze(lake, contracts()), contracts(), "UTC")


def test_a_run_stands_the_day_after_the_last_complete_day(lake: Lake, shop: Shop) -> None:
    counts = {"2024-03-01": 20, "2024-03-02": 20, "2024-03-03": 20, "2024-03-04": 1}
    assert days(counts, lake, shop) == (date(2024, 3, 1), date(2024, 3, 4))


def test_one_wrong_date_does_not_move_the_day(lake: Lake, shop: Shop) -> None:
    counts = {"2024-03-01": 20, "2024-03-02": 20, "2025-11-09": 1}
    assert days(counts, lake, shop) == (date(2024, 3, 1), date(2024, 3, 3))


def test_the_first_day_alone_is_complete(lake: Lake, shop: Shop) -> None:
    assert days({"2024-03-01": 1}, lake, shop) == (date(2024, 3, 1), date(2024, 3, 2))


def test_without_a_clock_the_days_of_other_events_count_and_then_those_of_the_loads(
    lake: Lake, shop: Shop
) -> None:
    from dataclasses import replace

    asleep = {name: replace(one, is_clock=False) for name, one in contracts().items()}
    shop.orders("1,ann,2024-03-01 12:00:00,", "2,ann,2024-03-02 12:00:00,")
    load(lake, shop)
    snapshot = freeze(lake, contracts())
    assert day_range(lake, snapshot, asleep, "UTC") == (date(2024, 3, 1), date(2024, 3, 3))
    timeless = {name: replace(one, event_time=None) for name, one in asleep.items()}
    found = day_range(lake, snapshot, timeless, "UTC")
    assert found is not None
    assert found[1] == found[0] + timedelta(days=1) > date(2026, 1, 1)


def test_without_data_there_is_no_day(lake: Lake) -> None:
    assert day_range(lake, freeze(lake, contracts()), contracts(), "UTC") is None


def test_the_day_is_the_business_day(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-03-02 03:00:00,")
    load(lake, shop)
    snapshot = freeze(lake, contracts())
    found = day_range(lake, snapshot, contracts(), "America/New_York")
    assert found == (date(2024, 3, 1), date(2024, 3, 2))


def test_a_hostile_name_survives_as_a_plain_name() -> None:
    name = 'a"; drop table x; --'
    with duckdb.connect() as con:
        con.execute(f"create table t as select 1 as {quoted(name)}")
        assert [row[0] for row in con.execute("describe t").fetchall()] == [name]


def test_arrow_schema_keeps_the_types_of_a_contract() -> None:
    schema = arrow_schema({"a": "decimal(18,4)", "b": "timestamp", "c": "varchar"})
    assert [str(field.type) for field in schema] == ["decimal128(18, 4)", "timestamp[us]", "string"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"seq": 1, "files": [{}]}'])
def test_a_record_that_cannot_be_read_is_named(lake: Lake, text: str) -> None:
    commit(lake, "a")
    (path,) = lake.record_paths()
    path.write_text(text, "utf-8")
    with pytest.raises(InputFault) as raised:
        lake.live()
    assert (raised.value.code, raised.value.where) == ("bad-record", str(path))
