"""What a file that nobody has described yet looks like: how it is read, and what its columns hold.

A profile has names, counts and forms, so that values need not be told. What a column means is
guessed in `meaning.py`; how a described file is loaded is the business of `load.py`.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from intake.fault import InputFault
from intake.read import Unreadable, keep_first, read_into
from intake.source import FileSpec
from intake.sql import literal, quoted

SAMPLE_ROWS = 10_000
MOST = 0.8
"""Share of a column's values that must have a form for the column to have it: some may be wrong."""
FEW = 20
DELIMITERS = ",;\t|"
GZIP_MARK = b"\x1f\x8b"
MARKS: dict[bytes, Literal["parquet", "xlsx"]] = {b"PAR1": "parquet", b"PK\x03\x04": "xlsx"}
SYMBOLS = ("€", "$", "£", "EUR", "USD", "GBP", "CHF", "%")
SPACES = (" ", "\u00a0", "\u202f", "'")

PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
THOUSANDS = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")

# Two-digit years first: %Y takes them too, for years of the first century.
DAYS = (
    "%d/%m/%y", "%m/%d/%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%y", "%m-%d-%y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%m.%d.%y", "%d.%m.%Y", "%m.%d.%Y", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y",
    "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y-%m-%d", "%Y/%m/%d",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
TIMES_WITH_ZONE = (" %H:%M:%S %z", "T%H:%M:%S%z")
EPOCH = {"seconds": (10**9, 1_000_000), "milliseconds": (10**12, 1_000)}
MAY_BE_DATE = r"^\s*\S.{4,30}$"


@dataclass(frozen=True)
class NumberForm:
    """How a column writes numbers.

    Attributes:
        decimal: what stands before the decimals.
        noise: texts to take away, such as currency signs and separators of thousands.
        is_ambiguous: the commas may stand for thousands or for decimals.
        is_whole: no number has decimals.
        highest: the largest number seen.
        negatives: how many values lie below 0.
    """

    decimal: str = "."
    noise: tuple[str, ...] = ()
    is_ambiguous: bool = False
    is_whole: bool = False
    highest: float = 0
    negatives: int = 0

    def plain(self, sql: str) -> str:
        """SQL that writes the numbers of `sql` as a database does; other texts stay what they are."""
        for text in self.noise:
            sql = f"replace({sql}, {literal(text)}, '')"
        return sql if self.decimal == "." else f"replace({sql}, {literal(self.decimal)}, '.')"


@dataclass(frozen=True)
class DateForm:
    """How a column writes dates: a `strptime` format, empty where it is ISO 8601 already.

    Attributes:
        unit: `seconds` or `milliseconds` since 1970 instead of a format.
        is_ambiguous: day and month may be the other way round.
        has_time: some value has a time of day, without saying its distance to UTC.
    """

    format: str = ""
    unit: str = ""
    is_ambiguous: bool = False
    has_time: bool = False

    def iso(self, sql: str) -> str:
        """SQL that writes the dates of `sql` as ISO 8601; other texts stay, for the contract to refuse."""
        if self.unit:
            factor = EPOCH[self.unit][1]
            parsed = f"make_timestamp(try_cast({sql} as bigint) * {factor})"
            return f"coalesce(cast({parsed} as varchar), cast({sql} as varchar))"
        if not self.format:
            return sql
        return f"coalesce(cast(try_strptime({sql}, {literal(self.format)}) as varchar), {sql})"


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes:
        filled: rows with a value.
        distinct: different values.
        few: the values, when they are a handful; to compare with, never to show.
    """

    name: str
    type: str
    filled: int
    distinct: int
    is_padded: bool
    few: frozenset[str]
    numbers: NumberForm | None
    dates: DateForm | None

    @property
    def is_text(self) -> bool:
        """Whether values are text, as in every CSV."""
        return self.type == "varchar"

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return 0 < self.filled == self.distinct


@dataclass(frozen=True)
class FileProfile:
    """One file: how to read it, and the columns of its first rows."""

    path: Path
    spec: FileSpec
    rows: int
    columns: tuple[Column, ...]
    has_header: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the file."""
        return tuple(column.name for column in self.columns)


def profile_file(path: Path, rows: int = SAMPLE_ROWS) -> FileProfile:
    """Look at the first rows of a file.

    Raises:
        InputFault: the file is empty, or cannot be read.
    """
    spec = _guess_spec(path)
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        _read_sample(con, path, spec, rows)
        count = _number(con, "select count(*) from file_rows")
        described = con.execute("describe file_rows").fetchall()
        columns = tuple(_column(con, row[0], row[1].lower()) for row in described[1:])
    return FileProfile(path, spec, count, columns, not _looks_like_data(columns))


def _guess_spec(path: Path) -> FileSpec:
    if path.stat().st_size == 0:
        raise _refused(path, "empty-file", "the file is empty", "it has 0 bytes, not even a header")
    head = _head(path)
    for mark, form in MARKS.items():
        if head.startswith(mark):
            return FileSpec(path=path.name, format=form)
    encoding = _encoding(head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head).lstrip("\ufeff")
    told = {} if encoding == "utf-8" else {"encoding": encoding}
    start = text.lstrip()[:2].replace("\n", "")
    if start.startswith(("{", "[{", "[")) and path.suffix != ".csv":
        return FileSpec(path=path.name, format="json" if start[0] == "[" else "jsonl", **told)
    return FileSpec(path=path.name, format="csv", delimiter=_delimiter(text), **told)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP_MARK
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            return file.read(1 << 20)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _refused(
            path, "unreadable-file", "the file cannot be unpacked", "it is cut short or damaged"
        ) from error


def _encoding(head: bytes) -> str:
    """UTF-16 by its mark, UTF-8 if the bytes are that, else the Windows-1252 of older programs."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        # A character may be cut in two where the head ends.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first records into the most columns, equally many in each."""

    def columns(delimiter: str) -> int:
        records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            widths = [len(record) for record in itertools.islice(records, 50) if record]
        except csv.Error:
            return 0
        # The last record may be cut where the text ends.
        return widths[0] if widths and len(set(widths[:-1])) <= 1 else 0

    return max(DELIMITERS, key=columns)


def _read_sample(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, rows: int) -> None:
    """Put the first rows into `file_rows`, as a load reads them."""
    with tempfile.TemporaryDirectory() as scratch:
        con.execute(f"set temp_directory = {literal(scratch)}")
        try:
            read_into(con, path, spec)
            keep_first(con, rows, spec.format)
        except Unreadable as fault:
            line = f" line {fault.line}" if fault.line else ""
            raise _refused(path, fault.code, fault.what, fault.why, line=line) from fault


def _refused(
    path: Path, code: str, what: str, why: str, fix: str = "deliver the file again", line: str = ""
) -> InputFault:
    return InputFault(
        code, path.name, what, where=f"{path}{line}", why=why, exit_code=2,
        fix=f"{fix}, then  unicus new-system NAME --from FILE",
    )  # fmt: skip


def _column(con: duckdb.DuckDBPyConnection, name: str, kind: str) -> Column:
    column = quoted(name)
    con.execute(
        # Read in a query of its own, as the column of the file may be called v.
        "create or replace temp table seen as select v, count(*) as n"
        f" from (select cast({column} as varchar) as v from file_rows)"
        " where nullif(trim(v), '') is not null group by v"
    )
    padded = _number(con, "select count(*) from seen where v <> trim(v)")
    counted = con.execute("select trim(v), n from seen").fetchall()
    values = {value for value, _ in counted}
    return Column(
        name=name,
        type=kind,
        filled=sum(n for _, n in counted),
        distinct=len(values),
        is_padded=kind == "varchar" and padded > 0,
        few=frozenset(values) if len(values) <= FEW else frozenset(),
        numbers=number_form(dict(counted)),
        dates=_date_form(con, kind),
    )


def number_form(counted: dict[str, int]) -> NumberForm | None:
    """How values, given with their counts, write numbers; None where most of them are none."""
    noise = tuple(n for n in (*SYMBOLS, *SPACES) if any(n in value for value in counted))
    bare = {value: value for value in counted}
    for text in noise:
        bare = {value: shown.replace(text, "") for value, shown in bare.items()}
    form = _separators({bare[value]: n for value, n in counted.items()})
    if not form:
        return None
    for text in form.noise:
        bare = {value: one.replace(text, "") for value, one in bare.items()}
    plain = {value: one.replace(form.decimal, ".") for value, one in bare.items()}
    numbers = {v: float(one) for v, one in plain.items() if PLAIN.fullmatch(one) and one.isascii()}
    if not numbers:
        return None
    return NumberForm(
        decimal=form.decimal,
        noise=(*noise, *form.noise),
        is_ambiguous=form.is_ambiguous,
        is_whole=all(number.is_integer() for number in numbers.values()),
        highest=max(numbers.values()),
        negatives=sum(counted[value] for value, number in numbers.items() if number < 0),
    )


def _separators(shown: dict[str, int]) -> NumberForm | None:
    def most(pattern: re.Pattern[str]) -> bool:
        matching = sum(n for value, n in shown.items() if pattern.fullmatch(value))
        return 0 < matching >= MOST * sum(shown.values())

    if most(PLAIN):
        return NumberForm()
    if most(THOUSANDS):
        # 1,234 alone may be a thousand and more, or one and a bit.
        return NumberForm(noise=(",",), is_ambiguous=not any("." in one for one in shown))
    if most(COMMA):
        return NumberForm(decimal=",", noise=(".",) if any("." in one for one in shown) else ())
    return None


def _date_form(con: duckdb.DuckDBPyConnection, kind: str) -> DateForm | None:
    if kind.startswith(("timestamp", "date")):
        return DateForm(has_time=kind.startswith("timestamp") and _has_time(con))
    given = _number(con, "select sum(n) from seen")
    if not given:
        return None
    iso = "select sum(n) from seen where try_cast(v as timestamp) is not null"
    if _number(con, iso) >= MOST * given:
        return DateForm(has_time=_has_time(con))
    for unit, (low, _) in EPOCH.items():
        inside = f"try_cast(v as bigint) between {low // 2} and {low * 2}"
        if _number(con, f"select sum(n) from seen where {inside}") >= MOST * given:
            return DateForm(unit=unit)
    rule = literal(MAY_BE_DATE)
    likely = f"select sum(n) from seen where regexp_matches(v, {rule}) and v ~ '.*[0-9].*'"
    if _number(con, likely) < MOST * given:
        return None
    return _best_format(con, given)


def _best_format(con: duckdb.DuckDBPyConnection, given: int) -> DateForm | None:
    formats = [day + time for day in DAYS for time in (*TIMES, *TIMES_WITH_ZONE)]
    tried = ", ".join(
        f"sum(if(try_strptime(trim(v), {literal(f)}) is null, 0, n))" for f in formats
    )
    row = con.execute(f"select {tried} from seen").fetchone()
    assert row is not None
    parsed = dict(zip(formats, row, strict=True))
    # A clock of twelve hours is American; elsewhere the day comes first when nothing else tells.
    best = max(formats, key=lambda one: (parsed[one], "%p" in one and one.startswith("%m")))
    if parsed[best] < MOST * given:
        return None
    return DateForm(
        format=best,
        is_ambiguous=parsed.get(_turned(best), 0) == parsed[best],
        has_time="%M" in best and "%z" not in best,
    )


def _turned(form: str) -> str:
    """The format with day and month the other way round; itself, where that means nothing else."""
    turned = re.sub(r"^%d(.)%m|^%m(.)%d", lambda m: m[0][3:] + m[0][2] + m[0][:2], form)
    return turned if turned != form else ""


def _has_time(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(_number(con, """
        select count(*) from seen
        where date_trunc('day', try_cast(v as timestamp)) <> try_cast(v as timestamp)
            and not regexp_matches(v, '(Z|UTC|[+-]\\d\\d(:?\\d\\d)?)$')
    """))  # fmt: skip


def _looks_like_data(columns: Sequence[Column]) -> bool:
    """Whether the first line holds values: then its texts must not be taken, or shown, as names."""
    return any("@" in c.name or PLAIN.fullmatch(c.name.strip()) for c in columns)


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0
