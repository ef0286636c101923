"""Statistics of each load: rows by day and how the values of a column lie, counted once and kept.

Belongs here: what is counted, and where it is kept beside the lake. Does not belong here: what differs
too much (`deviation.py`). A histogram holds counts only, and values only of columns that tell nothing
of people and have few: of every other column it counts what is there and what is missing. What is kept
follows from the Parquet files, and may be deleted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from intake.contract import Contract, Field
from intake.lake import Lake, LakeFile, write_text_durably
from intake.sql import literal, literals, quoted

FORM = "1"
"""Raised when something else is counted; what was kept before is then counted anew."""
DAYS = 200
CATEGORIES = 20
SAMPLE = 50_000
"""Rows of a file, or somewhat more, whose values are counted; of a larger one every n-th row."""
MISSING = "missing"
PRESENT = "present"
NUMBERS = ("decimal", "double", "bigint", "integer")

Histogram = dict[str, int]


@dataclass(frozen=True)
class Statistics:
    """What one file of `raw` holds.

    Attributes:
        file_rows: rows of the file, deletions included.
        source_rows: rows of the landing file that they stand for.
        days: rows by business date of the event, the newest days; empty for an entity without one.
        columns: rows by bin of each column: `missing`, `present`, `=value`, or `#n` for numbers, with
            two bins for each doubling, so that the bins of all loads are the same.
    """

    file_rows: int
    source_rows: int
    days: dict[str, int]
    columns: dict[str, Histogram]


def statistics_of(
    lake: Lake, system: str, contract: Contract, files: Iterable[LakeFile], timezone: str
) -> dict[str, Statistics]:
    """Statistics of raw files of one system and entity, by path; only new files are read.

    A file that cannot be read has none.
    """
    wanted = {file.path: file for file in files}
    path = lake.root / "statistics" / contract.entity / f"system={system}.json"
    form = _form(contract, timezone)
    known = {name: one for name, one in _kept(path, form).items() if name in wanted}
    new = [file for name, file in wanted.items() if name not in known]
    if new:
        known |= _counted(lake, contract, new, timezone)
        kept = {"form": form, "files": {name: asdict(one) for name, one in known.items()}}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_durably(path, json.dumps(kept))
    return known


def _form(contract: Contract, timezone: str) -> str:
    """Hash of what decides how is counted."""
    fields = [(f.name, f.type, f.classification) for f in contract.fields]
    parts = (FORM, timezone, contract.event_time, fields)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _kept(path: Path, form: str) -> dict[str, Statistics]:
    try:
        kept = json.loads(path.read_text("utf-8"))
        if kept["form"] != form:
            return {}
        return {name: Statistics(**one) for name, one in kept["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _counted(
    lake: Lake, contract: Contract, files: list[LakeFile], timezone: str
) -> dict[str, Statistics]:
    """Count large files one by one and the others together, or one by one if one is damaged."""
    large = [[file] for file in files if file.rows > SAMPLE]
    small = [file for file in files if file.rows <= SAMPLE]
    found: dict[str, Statistics] = {}
    for some in [*large, *([small] if small else [])]:
        try:
            found |= _count(lake, contract, some, timezone)
        except duckdb.Error:
            for one in some if len(some) > 1 else []:
                found |= _counted(lake, contract, [one], timezone)
    return found


def _count(
    lake: Lake, contract: Contract, files: list[LakeFile], timezone: str
) -> dict[str, Statistics]:
    paths = {str(lake.path(file)): file.path for file in files}
    step = max(1, max(file.rows for file in files) // SAMPLE) if len(files) == 1 else 1
    with duckdb.connect() as con:
        con.execute(f"set timezone = {literal(timezone)}")
        _open(con, contract, list(paths), step)
        rows = con.execute(f"""
            select filename, count(*), coalesce(sum(_row_count), 0), {_days(contract)}
            from raw group by filename
        """).fetchall()
        values = _values(con, contract)
    # A file without rows is in no group.
    return dict.fromkeys(paths.values(), Statistics(0, 0, {}, {})) | {
        paths[name]: Statistics(count, int(source_rows), _newest(days or {}), values.get(name, {}))
        for name, count, source_rows, days in rows
    }


def _values(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, dict[str, Histogram]]:
    """Histograms by file and column."""
    bins = _bins(con, contract)
    names = [field.name for field in contract.fields]
    counts = ", ".join(
        f"histogram({bins[name]})" if name in bins else f"count({quoted(name)})" for name in names
    )
    found = con.execute(f"select filename, count(*), {counts} from sampled group by filename")
    return {
        path: {name: _histogram(one, rows) for name, one in zip(names, numbers, strict=True)}
        for path, rows, *numbers in found.fetchall()
    }


def _open(con: duckdb.DuckDBPyConnection, contract: Contract, paths: list[str], step: int) -> None:
    """Make the files the view `raw`, and what is counted of their values the view `sampled`.

    Files of before a column came to the contract have it empty.
    """
    empty = ", ".join(f"null::{k} as {quoted(c)}" for c, k in contract.raw_columns.items())
    con.execute(f"""
        create view raw as
        select null::varchar as filename, {empty} where false
        union all by name
        select * from read_parquet(
            {literals(paths)}, union_by_name = true, hive_partitioning = false, filename = true
        );
        create view sampled as
        select * from raw where not coalesce(_is_deleted, false) and _row % {step} = 0
    """)


def _days(contract: Contract) -> str:
    if not contract.event_time:
        return "null"
    day = f"cast({quoted(contract.event_time)} as date)"
    if contract.raw_columns[contract.event_time] != "date":
        # Cast through the zone of the session, since `raw` is in UTC.
        day = f"cast({quoted(contract.event_time)} at time zone 'UTC' as date)"
    return f"histogram({day}) filter (not coalesce(_is_deleted, false))"


def _bins(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, str]:
    """The bin of a row as SQL, by column whose values are told apart; NULL where one is missing."""
    words = [field.name for field in contract.fields if _has_words(field)]
    few: Mapping[str, Any] = {}
    if words:
        counts = ", ".join(f"approx_count_distinct({quoted(name)})" for name in words)
        few = dict(
            zip(words, con.execute(f"select {counts} from sampled").fetchone() or (), strict=True)
        )
    return {name: f"'=' || cast({quoted(name)} as varchar)" for name in words
            if few[name] <= CATEGORIES} | {
        field.name: _size(quoted(field.name)) for field in contract.fields
        if field.type.startswith(NUMBERS) and not field.classification
    }  # fmt: skip


def _has_words(field: Field) -> bool:
    """Whether the column may hold few words, none of them of a person, and is no key."""
    is_word = field.type in {"varchar", "boolean"}
    return is_word and not field.classification and not field.name.endswith("_key")


def _size(number: str) -> str:
    """Two bins for each doubling; sizes from -100 on, so that the sign stays free for the sign."""
    size = f"floor(2 * log2(abs(cast({number} as double)))) + 100"
    return f"cast(if({number} = 0, 0, sign({number}) * ({size})) as smallint)"


def _histogram(counts: Mapping[Any, int] | int | None, rows: int) -> Histogram:
    if isinstance(counts, int):
        named = {PRESENT: counts} if counts else {}
    else:
        named = {k if isinstance(k, str) else f"#{k}": n for k, n in (counts or {}).items()}
    missing = rows - sum(named.values())
    return named | ({MISSING: missing} if missing else {})


def _newest(days: Mapping[Any, int]) -> dict[str, int]:
    return {str(day): days[day] for day in sorted(days)[-DAYS:]}
