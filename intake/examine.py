"""What a load of a system would find, told before anything is loaded.

The verdict on each row is that of `judge.py`, on the first rows of each file or on all of them. What is
added here are suspicions: values that the contract lets in and that are probably wrong. Counts, fields
and row numbers are told, never values.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from intake.contract import Contract, Field, contracts
from intake.fault import InputFault
from intake.judge import Trial, trial
from intake.lake import Lake
from intake.profile import COMMA, DAYS, MOST, PLAIN, TIMES
from intake.source import System
from intake.sql import literal, quoted

FIRST = 3
OLDEST = "1990-01-01"
MOJIBAKE = "Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]|â€|ï¿½|\ufffd"
"""What UTF-8 looks like after it was read as Latin-1 or Windows-1252."""
MAY_TURN = r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}( |T|$)"
ONE_PER_KEY = {"orders": ("ordered_at", "customer_key"), "products": ("product_name",)}
"""Columns of which one record has one value: two tell of two records under one key."""


@dataclass(frozen=True)
class Refusal:
    """Rows refused for one reason, and the places of the first of them."""

    field: str
    reason: str
    rows: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Suspicion:
    """Something the contract lets in and a person should look at."""

    kind: str
    column: str
    what: str
    rows: int


@dataclass
class EntityReport:
    """What a load of one entity would come to, over all its files."""

    entity: str
    files: list[str] = field(default_factory=list)
    read_rows: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    empty_columns: list[str] = field(default_factory=list)
    suspicions: list[Suspicion] = field(default_factory=list)
    faults: list[InputFault] = field(default_factory=list)

    def rows(self, outcome: str) -> int:
        """Rows with this outcome."""
        return sum(n for (one, _), n in self.outcomes.items() if one == outcome)


@dataclass
class FileReport:
    """One file: columns that no mapping uses, and what is suspicious in it whoever maps it."""

    file: str
    unused_columns: list[str] = field(default_factory=list)
    suspicions: list[Suspicion] = field(default_factory=list)


@dataclass
class Examination:
    """What a load of a system would come to."""

    system: System
    sample: int | None
    entities: list[EntityReport]
    files: list[FileReport]

    @property
    def has_faults(self) -> bool:
        """Whether a row or a whole file would be refused."""
        return any(one.faults or one.refusals for one in self.entities)


@dataclass
class _Seen:
    """A file's columns, those that mappings have asked for so far, and what is suspicious."""

    columns: list[str]
    used: set[str]
    suspicions: list[Suspicion]


def examine(system: System, sample: int | None) -> Examination:
    """Judge the first `sample` rows of every file of the system, or all; commit nothing.

    Raises:
        InputFault: an entity without a contract, or not one file of the system can be found.
    """
    seen: dict[str, _Seen] = {}
    with tempfile.TemporaryDirectory(prefix="unicus-") as scratch:
        lake = Lake(Path(scratch))
        lake.create()
        reports = [
            _entity(lake, system, _contract(system, entity), sample, seen)
            for entity in system.spec.entities
        ]
    faults = [fault for report in reports for fault in report.faults]
    if faults and not any(report.files for report in reports):
        raise faults[0]
    files = [
        FileReport(name, [c for c in one.columns if c not in one.used], one.suspicions)
        for name, one in sorted(seen.items())
    ]
    return Examination(system, sample, reports, files)


def _contract(system: System, entity: str) -> Contract:
    known = contracts()
    if entity not in known:
        raise InputFault(
            "bad-source-file", system.name, f'there is no entity "{entity}"',
            where=str(system.folder / "source.yaml"), exit_code=2,
            why=f"the entities are {', '.join(known)}",
            fix=f"correct source.yaml, then  unicus check-system {system.name}",
        )  # fmt: skip
    return known[entity]


def _entity(
    lake: Lake, system: System, contract: Contract, sample: int | None, seen: dict[str, _Seen]
) -> EntityReport:  # fmt: skip
    report = EntityReport(contract.entity)
    filled: set[str] = set()
    try:
        paths = system.files(contract.entity)
    except InputFault as fault:
        report.faults.append(fault)
        return report
    for path in paths:
        report.files.append(path.name)
        try:
            with trial(lake, system, contract, path, sample) as one:
                filled |= _add(report, system, contract, path, one)
                _see(seen, system, contract.entity, path, one.con)
        except InputFault as fault:
            report.faults.append(fault)
    if report.read_rows:
        report.empty_columns = [f.name for f in contract.fields if f.name not in filled]
    report.refusals = _merged(report.refusals)
    return report


def _add(
    report: EntityReport, system: System, contract: Contract, path: Path, one: Trial
) -> set[str]:
    """Add what one file came to; return the columns of the contract that have a value in it."""
    report.read_rows += one.read_rows
    for outcome in one.outcomes:
        report.outcomes[outcome.outcome, outcome.reason] += outcome.rows
    report.refusals += _refusals(one.con, path)
    report.suspicions += _suspicions(one.con, system, contract, path)
    return {
        f.name for f in contract.fields
        if _count(one.con, f"select count({quoted(f.name)}) from checked")
    }  # fmt: skip


def _refusals(con: duckdb.DuckDBPyConnection, path: Path) -> list[Refusal]:
    rows = con.execute(f"""
        select _field, _reason, sum(_row_count), list(_row order by _row)[:{FIRST}]
        from checked where _reason is not null group by all order by 3 desc, 1, 2
    """).fetchall()
    return [
        Refusal(name, reason, int(n), tuple(f"{path.name} row {row}" for row in first))
        for name, reason, n, first in rows
    ]


def _merged(refusals: list[Refusal]) -> list[Refusal]:
    """Equal refusals of several files as one."""
    merged: dict[tuple[str, str], Refusal] = {}
    for one in refusals:
        old = merged.get((one.field, one.reason), Refusal(one.field, one.reason, 0, ()))
        first = (*old.first, *one.first)[:FIRST]
        merged[one.field, one.reason] = Refusal(one.field, one.reason, old.rows + one.rows, first)
    return sorted(merged.values(), key=lambda one: -one.rows)


def _suspicions(
    con: duckdb.DuckDBPyConnection, system: System, contract: Contract, path: Path
) -> Iterator[Suspicion]:
    types = {row[0]: row[1].lower() for row in con.execute("describe mapped").fetchall()}
    for declared in contract.fields:
        if declared.type in ("date", "timestamp"):
            yield from _old_or_late(con, declared, path)
        elif declared.type.startswith("decimal") and types[declared.name] == "varchar":
            yield from _comma_decimals(con, declared, path)
    yield from _two_under_one_key(con, system, contract, path)


def _old_or_late(
    con: duckdb.DuckDBPyConnection, declared: Field, path: Path
) -> Iterator[Suspicion]:
    column = quoted(declared.name)
    taken = f"from checked where _reason is null and {column}"
    old = _count(con, f"select count(*) {taken} < date '{OLDEST}'")
    # People are born before shops have computers.
    if old and "birth" not in declared.name:
        yield Suspicion("old-date", declared.name, f"{path.name}: before {OLDEST[:4]}", old)
    late = _count(con, f"select count(*) {taken} > current_date + 1")
    if late and not declared.name.startswith("end"):
        yield Suspicion("future-date", declared.name, f"{path.name}: in the future", late)


def _comma_decimals(
    con: duckdb.DuckDBPyConnection, declared: Field, path: Path
) -> Iterator[Suspicion]:
    column = f"trim({quoted(declared.name)})"
    n = _count(
        con,
        f"select count(*) from mapped where regexp_full_match({column}, {literal(COMMA.pattern)})"
        f" and not regexp_full_match({column}, {literal(PLAIN.pattern)})",
    )
    if n:
        what = f"{path.name}: decimals with a comma; write replace(column, ',', '.')"
        yield Suspicion("decimal-comma", declared.name, what, n)


def _two_under_one_key(
    con: duckdb.DuckDBPyConnection, system: System, contract: Contract, path: Path
) -> Iterator[Suspicion]:
    """Look in the file itself, for a mapping that groups may have made one of two already."""
    sources = columns_by_alias(con, system.mapping(contract.entity))
    names = _file_columns(con)
    key = sources.get(contract.key[0], set()) & names if len(contract.key) == 1 else set()
    for name in ONE_PER_KEY.get(contract.entity, ()):
        other = sources.get(name, set()) & names
        if len(key) != 1 or len(other) != 1 or key == other:
            continue
        (k,), (o,) = key, other
        n = _count(
            con,
            f"select count(*) from (select 1 from file_rows where {quoted(k)} is not null"
            f" group by {quoted(k)} having count(distinct {quoted(o)}) > 1)",
        )
        if n:
            what = f"{path.name}: one {contract.key[0]} has several"
            yield Suspicion("several-under-one-key", name, what, n)


def _see(
    seen: dict[str, _Seen], system: System, entity: str, path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    """Remember which columns of the file the entity uses; look at the file itself once."""
    chosen = system.spec.entities[entity]
    rules = [*chosen.exclude.values(), *chosen.not_applicable.values()]
    texts = [system.mapping(entity), *(f"select {rule.where}" for rule in rules)]
    used = {
        name for sql in texts for names in columns_by_alias(con, sql).values() for name in names
    }
    columns = [row[0] for row in con.execute("describe file_rows").fetchall() if row[0] != "_row"]
    file = str(path.relative_to(system.location))
    if file not in seen:
        seen[file] = _Seen(columns, set(), list(_file_suspicions(con, columns)))
    known = {name.lower(): name for name in columns}
    seen[file].used |= {known[name.lower()] for name in used if name.lower() in known}
    if "*" in used:
        seen[file].used |= set(columns)


def _file_suspicions(con: duckdb.DuckDBPyConnection, columns: list[str]) -> Iterator[Suspicion]:
    rows = _count(con, "select count(*) from file_rows")
    types = {row[0]: row[1].lower() for row in con.execute("describe file_rows").fetchall()}
    for name in columns:
        given = _count(con, f"select count({quoted(name)}) from file_rows")
        if rows and not given:
            yield Suspicion("empty-column", name, "no row has a value", rows)
        elif types[name] == "varchar" and given:
            yield from _text_suspicions(con, name, given)


def _text_suspicions(
    con: duckdb.DuckDBPyConnection, name: str, given: int
) -> Iterator[Suspicion]:  # fmt: skip
    column = quoted(name)
    broken = _count(
        con, f"select count(*) from file_rows where regexp_matches({column}, {literal(MOJIBAKE)})"
    )
    if broken:
        what = "letters broken by a wrong encoding, such as those of é or ü"
        yield Suspicion("mojibake", name, what, broken)
    rule = literal(MAY_TURN)
    likely = _count(
        con, f"select count(*) from file_rows where regexp_matches(trim({column}), {rule})"
    )
    turned = _turnable(con, column) if likely >= MOST * given else 0
    if turned:
        what = "all dates can be day/month or month/day; the file cannot tell which"
        yield Suspicion("day-or-month", name, what, turned)


def _turnable(con: duckdb.DuckDBPyConnection, column: str) -> int:
    """How many values are dates with the day first and with the month first, when all dates are."""

    def parsed(start: str) -> str:
        formats = [day + time for day in DAYS if re.match(start, day) for time in TIMES]
        return f"try_strptime(trim({column}), [{', '.join(map(literal, formats))}])"

    row = con.execute(f"""
        select count(d), count(m), count(*) filter (d is not null and m is not null),
            count(*) filter (d <> m)
        from (select {parsed("%d.%m")} as d, {parsed("%m.%d")} as m from file_rows)
    """).fetchone()
    assert row is not None
    days, months, both, differ = row
    return int(both) if days == months == both and differ else 0


def columns_by_alias(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, set[str]]:
    """Columns that a SELECT reads, by the name of the column it gives; under "" all others."""
    row = con.execute("select json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {}
    found: dict[str, set[str]] = {"": set()}
    for statement in tree.get("statements", []):
        node = dict(statement["node"])
        for item in node.pop("select_list", []):
            names = set(_column_names(item))
            alias = item.get("alias") or next(iter(names), "")
            found.setdefault(alias, set()).update(names)
        found[""].update(_column_names(node))
    return found


def _column_names(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for one in tree:
            yield from _column_names(one)
    elif isinstance(tree, dict):
        if tree.get("class") == "COLUMN_REF":
            yield tree["column_names"][-1]
        elif tree.get("class") == "STAR":
            yield "*"
        for one in tree.values():
            yield from _column_names(one)


def _file_columns(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in con.execute("describe file_rows").fetchall()} - {"_row"}


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0
