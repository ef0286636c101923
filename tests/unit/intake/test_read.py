"""What is in a file comes out of it, whatever the format, and what is not right is told."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from pydantic import ValidationError

from intake.accounting import Outcome
from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import Lake
from intake.read import Unreadable, export_table, read_into
from intake.source import FileSpec
from intake.sql import quoted
from intake.undo import undo
from tests.conftest import ORDERS_HEADER, Shop, cases, load
from tests.postgres import serving
from tests.unit.intake.conftest import refusal, stored

Rows = list[tuple[str | None, ...]]
ATTACK = 'a"; drop table x; --'


def read(file: Path, **spec: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of `file_rows`; the reader's count is theirs, and `_row` runs from 1."""
    spec = {"path": "x", "format": "csv"} | spec
    with duckdb.connect() as con:
        con.execute(f"set temp_directory = '{file.parent / 'scratch'}'")
        counted = read_into(con, file, FileSpec(**spec))
        found = con.execute("select * from file_rows order by _row")
        names = [column[0] for column in found.description or []]
        rows = found.fetchall()
    assert names[0] == "_row"
    assert [row[0] for row in rows] == list(range(1, counted + 1))
    return names[1:], [row[1:] for row in rows]


def unreadable(file: Path, **spec: Any) -> Unreadable:
    with pytest.raises(Unreadable) as raised:
        read(file, **spec)
    return raised.value


def written(folder: Path, text: str | bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# One writer per format, none of them ours.


def as_csv(path: Path, header: list[str], rows: Rows, delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(header)
        writer.writerows(rows)


def as_utf16(path: Path, header: list[str], rows: Rows) -> None:
    as_csv(path, header, rows, ";")
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))


def as_packed_csv(path: Path, header: list[str], rows: Rows) -> None:
    as_csv(path, header, rows)
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + path.read_bytes()))


def as_json(path: Path, header: list[str], rows: Rows) -> None:
    path.write_text(json.dumps([dict(zip(header, row, strict=True)) for row in rows]))


def as_jsonl(path: Path, header: list[str], rows: Rows) -> None:
    lines = (json.dumps(dict(zip(header, row, strict=True))) for row in rows)
    path.write_text("\n".join(lines), "utf-8")


def as_parquet(path: Path, header: list[str], rows: Rows) -> None:
    columns = [[value or None for value in column] for column in zip(*rows, strict=True)]
    schema = pa.schema([(name, pa.string()) for name in header])
    parquet.write_table(pa.table(columns, schema=schema), path)


def as_sqlite(path: Path, header: list[str], rows: Rows) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"create table {quoted(ATTACK)} ({', '.join(map(quoted, header))})")
        marks = ", ".join("?" for _ in header)
        db.executemany(f"insert into {quoted(ATTACK)} values ({marks})", rows)
    export = path.with_suffix(".export")
    export_table(FileSpec(path="x", format="sqlite", table=ATTACK), str(path), export)
    export.replace(path)


def as_xlsx(path: Path, header: list[str], rows: Rows) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *rows]):
            for column, value in enumerate(row):
                sheet.write_string(number, column, value or "")


FORMATS: dict[str, tuple[Callable[[Path, list[str], Rows], None], dict[str, Any]]] = {
    "csv": (as_csv, {}),
    "csv in UTF-16": (as_utf16, {"delimiter": ";", "encoding": "utf-16"}),
    "csv packed": (as_packed_csv, {}),
    "json": (as_json, {"format": "json"}),
    "jsonl": (as_jsonl, {"format": "jsonl"}),
    "parquet": (as_parquet, {"format": "parquet"}),
    "sqlite": (as_sqlite, {"format": "sqlite", "table": ATTACK}),
    "xlsx": (as_xlsx, {"format": "xlsx"}),
}
NASTY = [
    "", " ", "null", "NULL", "00123", "1e5", "2024-01-02", "=1+1", "@SUM(A1)", "'", '"', '""', ATTACK,
    "a\nb", "a\r\nb", "a,b;c\td|e", "\\", "\\n", "é", "😀", "﻿x", "_x000A_", "{}", "[1]", "x\0y",
]  # fmt: skip
CELLS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = (
    (st.sampled_from(NASTY) | st.text(st.characters(categories=["L", "N", "P"]), max_size=12))
    .filter(lambda name: name.strip() and "\0" not in name and "﻿" not in name)
    .filter(lambda name: name.casefold() not in ("_row", "_sheet", "_file_date"))
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], Rows]:
    header = draw(st.lists(NAMES, min_size=2, max_size=4, unique_by=str.casefold))
    rows = draw(st.lists(st.tuples(*[CELLS] * len(header)), min_size=1, max_size=5))
    return header, rows  # type: ignore[return-value]


def holds(kind: str, header: list[str], rows: Rows) -> bool:
    """Whether the format can hold the cells at all: XML has no control characters."""
    text = "".join(value or "" for row in [tuple(header), *rows] for value in row)
    controls = any(ord(char) < 32 and char not in "\t\n" for char in text) or "￾" in text
    return not (kind == "xlsx" and (controls or "￿" in text or len(text) > 32_000))


@pytest.mark.parametrize("kind", FORMATS)
@settings(
    max_examples=cases(40), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.large_base_example,
                           HealthCheck.data_too_large],
)  # fmt: skip
@given(table=tables())
@example((["id", "note"], [("1", "long " * 200_000), ("2", "x")]))
@example(([ATTACK, "=1+1"], [(ATTACK, "=1+1"), ("x\0y", "😀\n,")]))
def test_the_same_rows_come_out_of_every_format(
    tmp_path_factory: pytest.TempPathFactory, kind: str, table: tuple[list[str], Rows]
) -> None:
    header, rows = table
    if not holds(kind, header, rows):
        return
    writer, spec = FORMATS[kind]
    path = tmp_path_factory.mktemp("in") / "kept"
    writer(path, header, rows)
    names, found = read(path, **spec)
    expected = [tuple(value or None for value in row) for row in rows]
    if kind == "xlsx":
        names, found = names[:-1], [row[:-1] for row in found]
        expected = [row for row in expected if any(row)]
    if kind == "sqlite":  # a table has no order
        expected, found = sorted(expected, key=repr), sorted(found, key=repr)
    assert (names, found) == (header, expected)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_breaks_in_quotes_do_not_hide_how_lines_end(tmp_path: Path, ending: str) -> None:
    for inside in ("\n", "\r\n", "\r"):
        text = ending.join(["a,note", f'"b{inside}",x', "1,2", ""])
        assert read(written(tmp_path, text))[1] == [(f"b{inside}", "x"), ("1", "2")]
        text = ending.join([f'a,"no{inside}te"', "1,2", ""])
        assert read(written(tmp_path, text)) == (["a", f"no{inside}te"], [("1", "2")])


def test_a_csv_is_read_as_its_system_writes_it(tmp_path: Path) -> None:
    text = "Müller\t'a\tb'\t\nØrsted\tc\t'd''e'\n"
    path = written(tmp_path, text.encode("windows-1252"))
    spec = {"delimiter": "\t", "quote": "'", "encoding": "windows-1252"}
    assert read(path, **spec, header=["name", "what", "why"]) == (
        ["name", "what", "why"], [("Müller", "a\tb", None), ("Ørsted", "c", "d'e")],
    )  # fmt: skip
    assert read(written(tmp_path, 'a|b\n5" pipe|"x\n'), delimiter="|", quote="")[1] == [
        ('5" pipe', '"x')
    ]


@pytest.mark.parametrize(
    ("thousands", "value", "plain"),
    [
        (".", "1.234.567,89", "1234567.89"), (".", "-1.234", "-1234"), (".", "12,5", "12.5"),
        (".", "1.50", "1,50"), (".", "1234.567", "1234,567"), (" ", "1 234,50", "1234.50"),
        ("", "1.234", "1,234"), ("", " 7,25 ", "7.25"), ("", "", None), ("", "free", "free"),
    ],
)  # fmt: skip
def test_decimal_commas_become_points_and_nothing_else_passes_for_a_number(
    tmp_path: Path, thousands: str, value: str, plain: str | None
) -> None:
    path = written(tmp_path, f"id;paid;note\n1,5;{value};{value}\n")
    spec = {"delimiter": ";", "decimal": ",", "thousands": thousands, "decimal_columns": ["paid"]}
    assert read(path, **spec)[1] == [("1,5", plain, value or None)]


def test_a_point_as_decimal_mark_may_have_commas_between_thousands(tmp_path: Path) -> None:
    path = written(tmp_path, 'paid,x\n"1,234.50",\n"1,23",\n')
    spec = {"thousands": ",", "decimal_columns": ["paid"]}
    assert [row[0] for row in read(path, **spec)[1]] == ["1234.50", "1,23"]
    assert unreadable(path, decimal_columns=["price"]).code == "wrong-header"


def test_headers_that_differ_between_deliveries_get_one_name(tmp_path: Path) -> None:
    columns = {"order_key": ["Order No.", "Bestell-Nr"], "paid": []}
    for header in ("Order No.,Paid", "order_no,paid", "BESTELL_NR,PAID", "orderKey,paid"):
        found = read(written(tmp_path, f"{header}\n1,2\n"), columns=columns)
        assert found == (["order_key", "paid"], [("1", "2")])
    fault = unreadable(written(tmp_path, "Order No.,Bestell-Nr\n1,2\n"), columns=columns)
    assert (fault.code, fault.why) == ("wrong-header", "columns 1 and 2 have one name")
    with pytest.raises(ValidationError, match="stands for"):
        FileSpec(path="x", format="csv", columns={"a": ["Nr"], "b": ["nr"]})


def test_cells_of_a_workbook_come_as_a_csv_would_spell_them(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        moment = book.add_format({"num_format": "d.m.yy hh:mm"})
        for name in ("May", "June", "Notes"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["id", "bought", "changed", "mixed", ""])
            sheet.write_row(3, 0, [12345.0])  # the rows before are blank
            sheet.write_datetime(3, 1, date(2024, 2, 29), day)  # type: ignore[arg-type]
            sheet.write_datetime(3, 2, datetime.fromisoformat("2024-02-29 23:05"), moment)
            sheet.write_formula(3, 3, "=1/3", None, 1 / 3)
            sheet.write_row(4, 0, ["00123", "2024-03-01", "", True, 1e15])
        book.get_worksheet_by_name("Notes").write(0, 0, "Notes")
    names, rows = read(path, format="xlsx", sheets=["May", "June"])
    assert names == ["id", "bought", "changed", "mixed", "column_5", "_sheet"]
    may = [
        ("12345", "2024-02-29", "2024-02-29 23:05:00", "0.3333333333333333", None),
        ("00123", "2024-03-01", None, "true", "1000000000000000"),
    ]
    assert rows == [(*row, sheet) for sheet in ("May", "June") for row in may]
    assert unreadable(path, format="xlsx", sheets=["May", "Notes"]).code == "wrong-header"
    assert "July" in unreadable(path, format="xlsx", sheets=["July"]).why
    assert len(read(path, format="xlsx")[1]) == 2


def test_records_of_json_may_lack_names_and_nest(tmp_path: Path) -> None:
    records = ['{"id": 12345678901234567890123, "n": null}', '{"o": {"a": [1]}, "id": "x"}']
    expected = (
        ["id", "n", "o"], [("12345678901234567890123", None, None), ("x", None, '{"a":[1]}')]
    )  # fmt: skip
    assert read(written(tmp_path, "\n\n".join(records)), format="jsonl") == expected
    assert read(written(tmp_path, f"﻿[{','.join(records)}]\n"), format="json") == expected


BROKEN: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "nothing in it": (b"", {}, "empty-file"),
    "no first line": (b"\n1,2\n", {}, "empty-file"),
    "an array of nothing": (b"[]", {"format": "json"}, "empty-file"),
    "a row cut short": (b"a,b\n1,2\n1\n", {}, "unreadable-file"),
    "an open quote": (b'a,b\n1,"2\n', {}, "unreadable-file"),
    "a packed file cut short": (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], {}, "unreadable-file"),
    "an array cut short": (b'[{"a": 1},\n', {"format": "json"}, "unreadable-file"),
    "a line cut short": (b'{"a": 1}\n{"a":', {"format": "jsonl"}, "unreadable-file"),
    "a record without names": (b'{"a": 1}\n[1]\n', {"format": "jsonl"}, "unreadable-file"),
    "no workbook": (b"PK\x03\x04 it ends", {"format": "xlsx"}, "unreadable-file"),
    "no parquet": (b"PAR1 it ends", {"format": "parquet"}, "unreadable-file"),
    "other bytes": ("a,b\n1,é\n".encode("latin-1"), {}, "wrong-encoding"),
    "half a character": ("a,b\n1,é".encode()[:-1], {}, "wrong-encoding"),
    "no UTF-16": (b"a,b\n1,2\n\n", {"encoding": "utf-16-le"}, "wrong-encoding"),
    "semicolons": (b"a;b\n1;2\n", {}, "wrong-delimiter"),
    "a name twice": (b"a,b,A\n1,2,3\n", {}, "wrong-header"),
    "a name of ours": (b"a,_row\n1,2\n", {}, "wrong-header"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_not_what_its_system_says_is_refused(tmp_path: Path, case: str) -> None:
    content, spec, code = BROKEN[case]
    assert unreadable(written(tmp_path, content), **spec).code == code


def test_a_wrong_byte_is_told_by_its_line_and_not_shown(lake: Lake, shop: Shop) -> None:
    rows = [f"{i},ann,2024-01-02," for i in range(100_000)]
    path = shop.orders(*rows, "x,José,2024-01-02,")
    path.write_bytes(path.read_text("utf-8").encode("latin-1"))
    fault = refusal(lake, shop)
    assert (fault.code, "line 100002" in fault.where) == ("wrong-encoding", True)
    assert "Jos" not in f"{fault.what}{fault.where}{fault.why}{fault.fix}"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"format": "csv"}, "needs path"),
        ({"format": "sqlite", "path": "x"}, "needs table"),
        ({"format": "postgres", "table": "x"}, "needs connection_env"),
        ({"format": "parquet", "path": "x", "delimiter": ";"}, "delimiter is nothing"),
        ({"format": "csv", "path": "x", "encoding": "klingon"}, "no encoding"),
        ({"format": "csv", "path": "x", "encoding": "base64"}, "no encoding"),
        ({"format": "csv", "path": "{date:%Y}{date:%m}.csv"}, "one date"),
        ({"format": "csv", "path": "{date:%m-%d}.csv"}, "one date"),
    ],
)
def test_a_file_declared_wrongly_is_told_before_it_is_read(spec: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        FileSpec(**spec)


def dated(shop: Shop) -> None:
    """Let names of order files tell the day, and rows tell no time of their own."""
    shop.rewrite("source.yaml", "orders*.csv", "orders_{date:%d.%m.%Y}*.csv")
    shop.rewrite("orders.sql", ", changed as updated_at", "")


def versions(lake: Lake) -> list[tuple[object, str]]:
    return [(r["customer_key"], str(r["_version_at"])[:10]) for r in stored(lake, "orders")]


def test_rows_without_a_time_take_the_date_of_their_file_and_its_place(
    lake: Lake, shop: Shop
) -> None:
    dated(shop)
    shop.rewrite("orders.sql", "bought as ordered_at", "_file_date as ordered_at")
    shop.orders("1,ann,,", name="orders_10.01.2024.csv")
    shop.orders("1,bob,,", name="orders_01.02.2024_b.csv")
    shop.orders("1,cid,,", name="orders_09.12.2023.csv")
    assert [one.file_date for one in load(lake, shop)] == ["2023-12-09", "2024-01-10", "2024-02-01"]
    assert versions(lake) == [
        ("cid", "2023-12-09"), ("ann", "2024-01-10"), ("bob", "2024-02-01"),
    ]  # fmt: skip
    assert not any(one.is_new for one in load(lake, shop))


def test_a_late_file_stands_at_its_date_and_those_after_it_are_compared_anew(
    lake: Lake, shop: Shop
) -> None:
    dated(shop)
    for day, customer in (("01", "ann"), ("03", "ann"), ("02", "bob")):
        shop.orders(f"1,{customer},2024-01-01,", name=f"orders_{day}.01.2024.csv")
        load(lake, shop)
    assert versions(lake) == [("ann", "2024-01-01"), ("bob", "2024-01-02"), ("ann", "2024-01-03")]


def test_a_dated_load_is_undone_though_its_file_and_its_folder_are_gone(
    lake: Lake, shop: Shop
) -> None:
    dated(shop)
    for day, customer in (("01", "ann"), ("02", "ann")):
        path = shop.orders(f"1,{customer},2024-01-01,", name=f"orders_{day}.01.2024.csv")
        load(lake, shop)
        path.unlink()
    first = next(r for r in lake.live("load") if r.details["file_date"] == "2024-01-01")
    undo(lake, first, shop.system, contracts()["orders"])
    assert versions(lake) == [("ann", "2024-01-02")]


def test_files_that_get_a_date_later_are_read_once(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-01,", name="orders_01.01.2024.csv")
    load(lake, shop)
    dated(shop)
    load(lake, shop)
    assert versions(lake) == [("ann", "2024-01-01")]
    assert len(lake.live("load")) == 1


def test_a_mapping_is_one_select_and_nothing_behind_it(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-01,")
    written = lake.root / "incoming" / "planted.json"
    behind = f"select 1 as x) ; copy (select 1) to '{written}'; select * from (select 1"
    (shop.folder / "shop" / "orders.sql").write_text(behind, "utf-8")
    with pytest.raises(InputFault) as raised:
        load(lake, shop)
    assert raised.value.code == "bad-mapping"
    assert not written.exists()


def test_a_day_of_a_file_begins_where_the_system_does_business(lake: Lake, shop: Shop) -> None:
    dated(shop)
    shop.rewrite("source.yaml", "business_timezone: UTC", "business_timezone: America/New_York")
    shop.orders("1,ann,2024-01-01,", name="orders_02.01.2024.csv")
    load(lake, shop)
    assert [str(r["_version_at"]) for r in stored(lake, "orders")] == ["2024-01-02 05:00:00"]


def test_a_row_with_a_time_of_its_own_is_known_again_in_a_file_of_the_same_day(
    lake: Lake, shop: Shop
) -> None:
    shop.rewrite("source.yaml", "orders*.csv", "orders_{date:%d.%m.%Y}*.csv")
    said = "1,ann,2024-01-02,2024-01-02 09:00:00"
    shop.orders(said, name="orders_02.01.2024.csv")
    load(lake, shop)
    shop.orders(said, "2,bob,2024-01-02,2024-01-02 10:00:00", name="orders_02.01.2024_b.csv")
    again = load(lake, shop)[-1]
    assert set(again.outcomes) == {Outcome("accepted", "", 1), Outcome("redelivered", "", 1)}


def test_the_same_bytes_on_a_later_day_say_that_things_are_as_they_were(
    lake: Lake, shop: Shop
) -> None:
    dated(shop)
    for day, customer in (("01", "ann"), ("02", "ann"), ("03", "bob"), ("05", "ann")):
        shop.orders(f"1,{customer},2024-01-01,", name=f"orders_{day}.01.2024.csv")
    _, again, *_ = load(lake, shop)
    assert again.outcomes == (Outcome("redelivered", "", 1),)
    expected = [("ann", "2024-01-01"), ("bob", "2024-01-03"), ("ann", "2024-01-05")]
    assert versions(lake) == expected
    # One that comes late is compared with its own past, not with what came since.
    shop.orders("1,bob,2024-01-01,", name="orders_31.12.2023.csv")
    load(lake, shop)
    assert versions(lake) == [("bob", "2023-12-31"), *expected]


def test_a_file_of_a_day_to_come_is_quarantined(lake: Lake, shop: Shop) -> None:
    dated(shop)
    shop.orders("1,ann,2024-01-01,", name="orders_01.01.2999.csv")
    (done,) = load(lake, shop)
    reason = "_file_date: dated after the day of its load"
    assert done.outcomes == (Outcome("quarantined", reason, 1),)


def test_a_name_without_a_date_where_one_should_be_is_refused(lake: Lake, shop: Shop) -> None:
    dated(shop)
    shop.orders("1,ann,2024-01-01,", name="orders_30.02.2024.csv")
    fault = refusal(lake, shop)
    assert (fault.code, fault.exit_code) == ("undated-file", 2)


def test_a_date_may_be_spread_over_folders() -> None:
    spec = FileSpec(path="in/*/{date:%Y/%m/%d}/orders[12].csv", format="csv")
    assert spec.glob == "in/*/[0-9]*/[0-9]*/[0-9]*/orders[12].csv"
    assert spec.date_in("in/shop/2024/02/29/orders1.csv") == date(2024, 2, 29)
    assert spec.date_in("in/shop/2024/02/30/orders1.csv") is None


def test_a_load_leaves_nothing_beside_the_lake_and_a_killed_one_is_cleared(
    lake: Lake, shop: Shop
) -> None:
    shop.rewrite("source.yaml", "format: csv}", 'format: csv, encoding: "utf-16"}')
    path = shop.orders("1,ann,2024-01-02,")
    path.write_bytes(path.read_text("utf-8").encode("utf-16"))
    load(lake, shop)
    incoming = lake.root / "incoming"
    assert not list(incoming.iterdir())
    (incoming / "left").mkdir()
    (incoming / "left" / "spilled").touch()
    lake.clear_incoming()
    assert not list(incoming.iterdir())


def test_a_page_that_is_damaged_is_the_fault_of_the_file_and_not_of_the_mapping(
    lake: Lake, shop: Shop
) -> None:
    shop.rewrite("source.yaml", '"orders*.csv", format: csv', "orders.parquet, format: parquet")
    path = shop.files / "orders.parquet"
    columns = {name: [f"{name} {i}" for i in range(5000)] for name in ORDERS_HEADER.split(",")}
    parquet.write_table(pa.table(columns), path, compression="zstd")
    path.write_bytes(path.read_bytes()[:100] + bytes(20_000) + path.read_bytes()[20_100:])
    assert refusal(lake, shop).code == "unreadable-file"


def test_a_sqlite_table_is_loaded_once_as_long_as_its_rows_are_the_same(
    lake: Lake, shop: Shop
) -> None:
    shop.rewrite(
        "source.yaml", '"orders*.csv", format: csv', "shop.db, format: sqlite, table: orders"
    )
    with closing(sqlite3.connect(shop.files / "shop.db")) as db, db:
        db.execute("create table orders (id, customer text, bought, changed)")
        rows = [(1.0, "ann", "2024-01-02", None), (2, "", "2024-01-03", None)]
        db.executemany("insert into orders values (?, ?, ?, ?)", rows)
    (done,) = load(lake, shop)
    assert [(r["order_key"], r["customer_key"]) for r in stored(lake, "orders")] == [
        ("1", "ann"), ("2", None),
    ]  # fmt: skip
    assert (lake.root / "landing" / done.file_hash).read_bytes()[:4] == b"PAR1"
    with closing(sqlite3.connect(shop.files / "shop.db")) as db, db:
        db.execute("update orders set rowid = 9 where id = 1")
    (again,) = load(lake, shop)
    assert not again.is_new
    shop.rewrite("source.yaml", "table: orders", "table: sales")
    with pytest.raises(InputFault) as raised:
        load(lake, shop)
    assert raised.value.code == "missing-table"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of our own behind a socket; its connection string."""
    sql = """
        create table orders (id numeric, customer text, bought timestamptz, changed date);
        insert into orders values
            (12345678901234567890.10, 'a"; drop table x; --', '2024-01-02 10:00+02', '2024-02-29'),
            (2, '', '2024-07-02 10:00:00.5Z', null);
    """
    with serving() as server:
        server.execute(sql)
        yield (
            f"host={server.folder} port={server.port} user=postgres"
            " options='-c datestyle=German -c timezone=Asia/Tokyo'"
        )


def test_a_postgres_table_is_read_exactly_and_without_a_secret_in_a_file(
    lake: Lake, shop: Shop, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rewrite(
        "source.yaml", 'path: "orders*.csv", format: csv',
        "format: postgres, table: public.orders, connection_env: SHOP_DATABASE",
    )  # fmt: skip
    monkeypatch.setenv("SHOP_DATABASE", postgres)
    (done,) = load(lake, shop)
    assert done.rows("accepted") == 2
    names = ("order_key", "customer_key", "ordered_at", "updated_at")
    assert [tuple(map(str, map(row.get, names))) for row in stored(lake, "orders")] == [
        ("12345678901234567890.10", ATTACK, "2024-01-02 08:00:00", "2024-02-29 00:00:00"),
        ("2", "None", "2024-07-02 10:00:00.500000", "None"),
    ]
    assert [one.is_new for one in load(lake, shop)] == [False]
    shop.rewrite("source.yaml", "table: public.orders", "table: public.sales")
    with pytest.raises(InputFault) as raised:
        load(lake, shop)
    assert raised.value.code == "missing-table"


@pytest.mark.parametrize("connection", ["", "host=/nowhere password=secret"])
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    lake: Lake, shop: Shop, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rewrite(
        "source.yaml", 'path: "orders*.csv", format: csv',
        "format: postgres, table: orders, connection_env: SHOP_DATABASE",
    )  # fmt: skip
    monkeypatch.setenv("SHOP_DATABASE", connection)
    fault = refusal(lake, shop)
    assert (fault.code, fault.exit_code) == ("unreachable-database", 2)
    assert "secret" not in f"{fault.what}{fault.where}{fault.why}{fault.fix}"
    assert fault.__cause__ is None or "secret" not in str(fault.__cause__)
