"""Reading: what lies in a landing file becomes `file_rows`, whatever the format.

Every format a company has is read here, and tables of databases are written to files. Which files
there are, `source.py` knows; what the rows mean, the mapping; what becomes of them, `judge.py`.

Rows are shown rather than copied: `file_rows` is a view on the file wherever DuckDB reads it itself,
because a mapping takes a few columns of many, and parsing those twice costs less than storing all of
them once. Nothing is guessed: but for Parquet every column is text, an empty one null, and the
contract casts.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import importlib.resources
import re
import sqlite3
import uuid
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb

from intake.source import FileSpec, snake_case
from intake.sql import literal, quoted

if TYPE_CHECKING:
    import _csv as _csv_module

    import pyarrow as pa

LONGEST_VALUE = 64 * 1024 * 1024
"""Bytes that one line of a CSV or one record of a JSON file may have."""
BATCH_ROWS = 20_000
CHUNK_BYTES = 1024 * 1024
GZIP_MARK = b"\x1f\x8b"
RESERVED = ("_row", "_sheet", "_file_date")
DELIMITERS = ",;\t|"
LINE_ENDS = {"\n": "\\n", "\r\n": "\\r\\n", "\r": "\\r", "": "\\n"}
"""How a line may end, and how DuckDB is told."""


class Unreadable(Exception):
    """A file or table that cannot be read as its system says.

    Attributes:
        code: stable name of the kind of fault.
        what: one sentence.
        why: the rule met against what was found; never a value of the data.
        line: line of the file, where one is to blame.
    """

    def __init__(self, code: str, what: str, why: str, line: int | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.line = line


@dataclass(frozen=True)
class _Reading:
    con: duckdb.DuckDBPyConnection
    file: Path
    spec: FileSpec
    file_date: date | None


def read_into(
    con: duckdb.DuckDBPyConnection, file: Path, spec: FileSpec, file_date: date | None = None
) -> int:
    """Show the rows of a file as `file_rows`: `_row`, from 1 in file order, then its columns.

    Args:
        con: where `file_rows` is made. A file that has to be decoded first is decoded into its
            `temp_directory`; the file and that folder stay as long as `file_rows` is used.
        file: the file, whatever its name.
        spec: how to read it.
        file_date: business date of the file, to be the column `_file_date`.

    Returns:
        How many rows the reader counted.

    Raises:
        Unreadable: the file is empty, damaged, or not what `spec` says.
    """
    if file.stat().st_size == 0:
        raise Unreadable("empty-file", "the file is empty", "it has 0 bytes, not even a header")
    try:
        return _READERS[spec.format](_Reading(con, file, spec, file_date))
    except (duckdb.Error, csv.Error, zlib.error, EOFError, gzip.BadGzipFile) as error:
        line = re.search(r"[Ll]ine:? (\d+)", str(error))
        raise damaged(spec.format, int(line[1]) if line else None) from error


def keep_first(con: duckdb.DuckDBPyConnection, rows: int, form: str) -> int:
    """Keep the first rows of `file_rows` as a table, and return how many they are.

    Raises:
        Unreadable: the file of format `form` is damaged among them.
    """
    try:
        con.execute(f"create table first_rows as select * from file_rows limit {rows}")
    except duckdb.Error as error:
        raise damaged(form) from error
    views = con.execute("select 1 from duckdb_views() where view_name = 'file_rows'").fetchall()
    con.execute(f"drop {'view' if views else 'table'} file_rows")
    con.execute("alter table first_rows rename to file_rows")
    return int(con.execute("select count(*) from file_rows").fetchall()[0][0])


def export_table(spec: FileSpec, database: str, target: Path) -> None:
    """Write one consistent read of a database table to a Parquet file, every value as text.

    Rows are sorted, so that the same content is the same file and is loaded once.

    Args:
        spec: which table, in which kind of database.
        database: path of a SQLite file, or connection string of a PostgreSQL server.
        target: the Parquet file to write.

    Raises:
        Unreadable: no such database or table, or a damaged one.
    """
    if spec.format == "sqlite":
        _export_sqlite(spec.table, database, target)
    else:
        _export_postgres(spec.table, database, target)


def _show(
    reading: _Reading, source: str, columns: dict[str, str],
    *, row: str = "row_number() over ()", kind: str = "view", typed: Collection[str] = (),
) -> None:  # fmt: skip
    """Make `file_rows` of what a reader gives: name and SQL of each column.

    Columns that are `typed` come as what they are, however the same numbers are spelt in a text.
    """
    spec = reading.spec
    missing = [name for name in spec.decimal_columns if name not in columns]
    if missing:
        why = f"`decimal_columns` in source.yaml names {', '.join(missing)}"
        raise Unreadable("wrong-header", "the file lacks a column of numbers", why)
    shown = [f"{row} as _row"]
    for name, value in columns.items():
        if name in spec.decimal_columns and name not in typed:
            value = _plain_number(value, spec)
        shown.append(f"{value} as {quoted(name)}")
    if reading.file_date:
        shown.append(f"date {literal(reading.file_date.isoformat())} as _file_date")
    if spec.sheets and "_sheet" not in columns:
        shown.append("cast(null as varchar) as _sheet")
    reading.con.execute(f"create {kind} file_rows as select {', '.join(shown)} from {source}")


def _plain_number(value: str, spec: FileSpec) -> str:
    """SQL that spells a number as SQL does: grouping dropped where it is well formed.

    What is not well formed keeps its marks, comma and point exchanged, so that it never passes for
    another number: where the comma is the decimal mark, `1.50` becomes `1,50`, and no cast takes it.
    """
    value = f"trim({value})"
    group, mark = spec.thousands, spec.decimal
    if group:
        form = rf"[+-]?\d{{1,3}}({re.escape(group)}\d{{3}})+({re.escape(mark)}\d*)?"
        dropped = f"replace({value}, {literal(group)}, '')"
        value = (
            f"case when regexp_full_match({value}, {literal(form)}) then {dropped} else {value} end"
        )
    return f"translate({value}, ',.', '.,')" if mark == "," else value


def _named(found: Sequence[str], spec: FileSpec) -> list[str]:
    """The columns' names: aliases replaced, a blank header numbered, every name once."""
    canonical = {
        snake_case(one): name for name, also in spec.columns.items() for one in (name, *also)
    }
    names = [
        canonical.get(snake_case(header), header) if header.strip() else f"column_{number}"
        for number, header in enumerate(found, 1)
    ]
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        # A file without a header row has values where names should be: told by position only.
        if name.casefold() in RESERVED or "\0" in name:
            raise _wrong_header(f"column {number} has a name that is not free for a column")
        if name.casefold() in first:
            raise _wrong_header(f"columns {first[name.casefold()]} and {number} have one name")
        first[name.casefold()] = number
    return names


def _csv(reading: _Reading) -> int:
    spec, file = reading.spec, _as_utf8(reading)
    header, line_end = _first_record(file, spec)
    if spec.header is True and len(header) == 1:
        _look_for_delimiter(file, spec)
    names = _named(header if spec.header is True else spec.header, spec)
    # Without DuckDB's guessing, which passes over lines that do not fit its guess, and over a whole
    # file when the first line break stands inside quotes and is of another kind.
    source = (
        f"read_csv({literal(str(file))}, auto_detect = false, header = {spec.header is True},"
        f" delim = {literal(spec.delimiter)}, quote = {literal(spec.quote)},"
        f" escape = {literal(spec.quote)}, new_line = {literal(LINE_ENDS[line_end])},"
        f" nullstr = '', max_line_size = {LONGEST_VALUE}, columns = {_all_text(names)})"
    )
    _show(reading, source, {name: quoted(name) for name in names})
    return _count(reading, source)


def _first_record(file: Path, spec: FileSpec) -> tuple[list[str], str]:
    """The values of the first record, and what ends its line."""
    with file.open(newline="", encoding="utf-8") as text:
        rows = _csv_rows(text, spec.delimiter, spec.quote)
        header = next(rows, [])
        if not header:
            raise Unreadable("empty-file", "the file is empty", "its first line names no column")
        text.seek(0)
        *_, last = islice(text, rows.line_num)
    return header, last.removeprefix(last.rstrip("\r\n"))


def _csv_rows(text: IO[str], delimiter: str, quote: str) -> _csv_module._reader:
    if not quote:
        return csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(text, delimiter=delimiter, quotechar=quote)


def _look_for_delimiter(file: Path, spec: FileSpec) -> None:
    """Refuse a file of one column that is one of several with another delimiter."""
    for other in set(DELIMITERS) - {spec.delimiter}:
        try:
            with file.open(newline="", encoding="utf-8") as text:
                widths = [len(row) for row in islice(_csv_rows(text, other, spec.quote), 2)]
        except csv.Error:
            continue
        if len(widths) == 2 and widths[0] == widths[1] > 1:
            raise Unreadable(
                "wrong-delimiter", "the columns are not separated as source.yaml says",
                f"the first lines have 1 column by {spec.delimiter!r} and {widths[0]} by {other!r}",
                line=1,
            )  # fmt: skip


def _json(reading: _Reading) -> int:
    file = _as_utf8(reading)
    lines = reading.spec.format == "jsonl"
    if not lines and not _ends_with(file, b"]"):
        # DuckDB takes an array without its end for a whole one.
        raise damaged("json")
    how = (
        f"{literal(str(file))}, format = {literal('newline_delimited' if lines else 'array')},"
        f" maximum_object_size = {LONGEST_VALUE}"
    )
    keys = _json_keys(reading.con, f"read_json_objects({how})")
    names = _named(keys, reading.spec)
    source = f"read_json({how}, columns = {_all_text(keys)})"
    columns = {n: f"nullif({quoted(k)}, '')" for n, k in zip(names, keys, strict=True)}
    _show(reading, source, columns)
    return _count(reading, source)


def _json_keys(con: duckdb.DuckDBPyConnection, objects: str) -> list[str]:
    """Every key of every object, in the order in which they come up."""
    found = con.execute(f"""
        select json_type(json) = 'OBJECT', json_keys(json)
        from (select row_number() over () as n, json from {objects})
        group by all order by min(n)
    """).fetchall()
    if not all(is_object for is_object, _ in found):
        why = "every record is to be an object with names and values"
        raise Unreadable("unreadable-file", "the file has records without names", why)
    keys = list(dict.fromkeys(key for _, keys in found for key in keys))
    if not keys:
        raise Unreadable("empty-file", "the file is empty", "no record in it names a column")
    return keys


def _ends_with(file: Path, end: bytes) -> bool:
    with file.open("rb") as data:
        data.seek(max(0, file.stat().st_size - 1024))
        return data.read().rstrip().endswith(end)


def _parquet(reading: _Reading) -> int:
    file = literal(str(reading.file))
    described = reading.con.execute(f"describe select * from read_parquet({file})").fetchall()
    found = [row[0] for row in described]
    names = _named(found, reading.spec)
    columns = {n: quoted(f) for n, f in zip(names, found, strict=True)}
    typed = [n for n, row in zip(names, described, strict=True) if row[1] != "VARCHAR"]
    source = f"read_parquet({file}, file_row_number = true)"
    _show(reading, source, columns, row="file_row_number + 1", typed=typed)
    counted = f"select sum(num_rows) from parquet_file_metadata({file})"
    return int(reading.con.execute(counted).fetchall()[0][0])


def _xlsx(reading: _Reading) -> int:
    """Read sheets with python-calamine.

    DuckDB's own reader gives dates as the numbers Excel stores once all columns are text, and fails
    on columns of mixed types before.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with reading.file.open("rb") as data, CalamineWorkbook.from_filelike(data) as book:
            rows = _sheet_rows(book, reading.spec)
            names = [*next(rows), "_sheet"]
            # Rows come once, from Python: these are kept.
            reading.con.register("sheet_rows", _text_batches(names, rows))
            _show(reading, "sheet_rows", {name: quoted(name) for name in names}, kind="table")
            reading.con.unregister("sheet_rows")
    except CalamineError as error:
        raise damaged("xlsx") from error
    return _count(reading, "file_rows")


def _sheet_rows(book: Any, spec: FileSpec) -> Iterator[list[Any]]:
    """The header, then each row that is not blank with the name of its sheet behind it."""
    sheets = spec.sheets or book.sheet_names[:1]
    missing = [name for name in sheets if name not in book.sheet_names]
    if missing:
        why = f"`sheets` in source.yaml names {', '.join(missing)}, which is not in the workbook"
        raise Unreadable("unreadable-file", "the workbook lacks a sheet", why)
    rows = {sheet: _filled_rows(book.get_sheet_by_name(sheet)) for sheet in sheets}
    headers = [_named([n or "" for n in next(found, [])], spec) for found in rows.values()]
    for sheet, header in zip(sheets, headers, strict=True):
        if not header:
            raise Unreadable("empty-file", "a sheet is empty", f"sheet {sheet} has no header")
        if header != headers[0]:
            raise _wrong_header(f"sheet {sheet} has other columns than {sheets[0]}")
    yield headers[0]
    for sheet, found in rows.items():
        yield from ([*row, sheet] for row in found)


def _filled_rows(sheet: Any) -> Iterator[list[str | None]]:
    rows = ([_text(value) for value in row] for row in sheet.iter_rows())
    return (row for row in rows if any(value is not None for value in row))


def _text(value: Any) -> str | None:
    """A value of a typed cell as a CSV would have it: whole numbers whole, dates as ISO 8601."""
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            plain = value.date() if value.time() == time() else value
            return str(plain)
        case bytes():
            return value.hex()
    return str(value)


def _text_batches(names: list[str], rows: Iterable[list[Any]]) -> pa.RecordBatchReader:
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()) for name in names])

    def batches() -> Iterator[pa.RecordBatch]:
        left = iter(rows)
        while some := list(islice(left, BATCH_ROWS)):
            columns = [pa.array(column, pa.string()) for column in zip(*some, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _as_utf8(reading: _Reading) -> Path:
    """The file as UTF-8: itself if it is that, else a copy where the connection spills."""
    with reading.file.open("rb") as data:
        start = data.read(3)
    packed = start.startswith(GZIP_MARK)
    codec = codecs.lookup(reading.spec.encoding).name
    codec = "utf-8-sig" if codec == "utf-8" else codec
    with gzip.open(reading.file) if packed else reading.file.open("rb") as data:
        chunks = _decoded(data, codec, reading.spec.encoding)
        if codec == "utf-8-sig" and not packed and start != codecs.BOM_UTF8:
            for _ in chunks:  # only checked: DuckDB looks at no column it need not give
                pass
            return reading.file
        folder = reading.con.execute("select current_setting('temp_directory')").fetchall()[0][0]
        copy = Path(folder) / f"{uuid.uuid4().hex}.txt"
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("wb") as target:
            target.writelines(text.encode() for text in chunks)
    return copy


def _decoded(data: IO[bytes] | gzip.GzipFile, codec: str, told: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    try:
        while chunk := data.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            line += text.count("\n")
            yield text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Unreadable(
            "wrong-encoding", "the text is not encoded as source.yaml says",
            f"a byte of it is no part of a character in {told}",
            line=line + error.object[: error.start].count(b"\n"),
        ) from error  # fmt: skip


def _export_sqlite(table: str, database: str, target: Path) -> None:
    from pyarrow import parquet

    try:
        with closing(
            sqlite3.connect(f"{Path(database).resolve().as_uri()}?mode=ro", uri=True)
        ) as db:
            described = db.execute("select name from pragma_table_info(?)", [table]).fetchall()
            names = [row[0] for row in described]
            if not names:
                raise _no_table(table)
            order = ", ".join(map(str, range(1, len(names) + 1)))
            found = db.execute(f"select * from {quoted(table)} order by {order}")
            batches = _text_batches(names, ([_text(value) for value in row] for row in found))
            with parquet.ParquetWriter(target, batches.schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
    except sqlite3.Error as error:
        raise damaged("sqlite") from error


def _export_postgres(table: str, database: str, target: Path) -> None:
    name = ".".join(quoted(part) for part in table.split("."))
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute("set enable_progress_bar = false")
        con.execute(f"load {literal(str(_extension('postgres_scanner')))}")
        try:
            con.execute(f"attach {literal(database)} as source (type postgres, read_only)")
        except duckdb.Error:
            # Without its cause, which may hold the connection string.
            why = "the server does not answer, or refuses the user"
            raise Unreadable(
                "unreachable-database", "the database cannot be reached", why
            ) from None
        try:
            described = con.execute(f"describe source.{name}").fetchall()
        except duckdb.Error:
            raise _no_table(table) from None
        columns = ", ".join(_postgres_text(row[0], row[1]) for row in described)
        query = literal(f"select {columns} from {name}")
        con.execute(
            f"copy (select * from postgres_query('source', {query}) order by all)"
            f" to {literal(str(target))} (format parquet, compression zstd)"
        )


def _postgres_text(name: str, kind: str) -> str:
    """SQL for the server: a column as text, exactly as stored, whatever the session's settings."""
    column = quoted(name)
    value = f"{column}::text"
    if kind == "DATE":
        value = f"to_char({column}, 'YYYY-MM-DD')"
    elif kind.startswith("TIMESTAMP"):
        moment = f"{column} at time zone 'UTC'" if kind.endswith("TIME ZONE") else column
        value = f"to_char({moment}, 'YYYY-MM-DD HH24:MI:SS.US')"
    return f"nullif({value}, '') as {column}"


def _extension(name: str) -> Path:
    """The DuckDB extension as its package brought it; nothing is downloaded."""
    folder = importlib.resources.files(f"duckdb_extension_{name}")
    file = folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    return Path(str(file))


def _all_text(names: Iterable[str]) -> str:
    return "{" + ", ".join(f"{literal(name)}: 'varchar'" for name in names) + "}"


def _count(reading: _Reading, source: str) -> int:
    return int(reading.con.execute(f"select count(*) from {source}").fetchall()[0][0])


def damaged(form: str, line: int | None = None) -> Unreadable:
    """The fault of a file that breaks off or is of another format."""
    why = "it is cut short or damaged, or not in this format"
    return Unreadable("unreadable-file", f"the file cannot be read as {form}", why, line)


def _wrong_header(why: str) -> Unreadable:
    return Unreadable("wrong-header", "the header does not name the columns", why, line=1)


def _no_table(table: str) -> Unreadable:
    why = "`table` in source.yaml names it, and the user may not see it or it is not there"
    return Unreadable("missing-table", f'the database has no table "{table}"', why)


_READERS: dict[str, Callable[[_Reading], int]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _json,
    "parquet": _parquet,
    "xlsx": _xlsx,
    # Tables come as the Parquet file they were exported to.
    "sqlite": _parquet,
    "postgres": _parquet,
}
