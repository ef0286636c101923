"""Mapping: the user's own SQL on one file, from `file_rows` to the columns of the contract.

Rows that a named rule leaves out go first, then the system's SELECT runs; `_row` travels through it, so
that no row is lost unseen. Whether the values are good is the business of `check.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import duckdb

from intake.accounting import Outcome
from intake.bench import Bench, unreadable
from intake.fault import InputFault
from intake.read import damaged
from intake.sql import literal, quoted


def leave_out(bench: Bench) -> list[Outcome]:
    """Make the view the mapping reads: the file's rows less those a named rule leaves out.

    Returns:
        How many rows each rule leaves out, those that leave out none included.
    """
    rules = [
        (outcome, reason, rule.where)
        for outcome, named in (
            ("excluded", bench.feed.exclude),
            ("not_applicable", bench.feed.not_applicable),
        )
        for reason, rule in named.items()
    ]
    bench.con.execute("create table left_out (_row bigint, rule bigint)")
    view = f"create view {quoted(bench.feed.file)} as select * from file_rows"
    if rules:
        _apply_rules(bench, [where for _, _, where in rules])
        view += " where _row not in (select _row from left_out)"
    bench.con.execute(view)
    counts = dict(bench.con.execute("select rule, count(*) from left_out group by rule").fetchall())
    return [Outcome(o, reason, counts.get(i, 0)) for i, (o, reason, _) in enumerate(rules)]


def _apply_rules(bench: Bench, rules: list[str]) -> None:
    """Put into `left_out` each row that a rule names, with the number of the first that does."""
    cases = " ".join(f"when {where} then {i}" for i, where in enumerate(rules))
    _run_users(
        bench,
        "insert into left_out select * from"
        f" (select _row, case {cases} end as rule from file_rows) where rule is not null",
        bench.system.folder / "source.yaml",
    )


def map_rows(bench: Bench) -> None:
    """Run the system's SELECT into `mapped`, with every column of the contract.

    Raises:
        InputFault: it does not run, or gives other columns or rows than it may.
    """
    path = bench.system.mapping_path(bench.contract.entity)
    sql = bench.system.mapping(bench.contract.entity)
    _run_users(bench, f"create table mapped as select * from (\n{sql}\n)", path)
    found = bench.columns("mapped").keys()
    _refuse_unknown(bench, found)
    _refuse_sensitive(bench, found)
    _add_missing(bench, found)
    wrong = bench.count(
        "select count(*) - count(distinct _row) + count(*) filter (coalesce(_row_count, 0) < 1)"
        f" + count(*) filter (_row is null or _row not between 1 and {bench.read_rows}) from mapped"
    )
    if wrong:
        raise unaccounted(bench, "it gives a row of the file twice, or one that is not in it")


def _refuse_unknown(bench: Bench, found: Collection[str]) -> None:
    """Refuse a mapping that gives columns the contract does not have, or rows without number."""
    known = {field.name for field in bench.contract.fields} | {"_row", "_row_count"}
    unknown = sorted(set(found) - known)
    if not unknown and "_row" in found:
        return
    path = bench.system.mapping_path(bench.contract.entity)
    raise InputFault(
        "bad-mapping", bench.subject, f"{path.name} does not give the columns of the contract",
        where=str(path),
        why=f"the contract does not know {', '.join(unknown)}" if unknown
        else "every row needs _row, the number the reader gave it",
        fix=f"name the columns of {path.name} as intake/contracts/{bench.contract.entity}.yaml"
        " does, then  unicus run",
        exit_code=2,
    )  # fmt: skip


def _refuse_sensitive(bench: Bench, found: Collection[str]) -> None:
    """Refuse a mapping that fills sensitive columns for which the system gives no reason."""
    entity, system = bench.contract.entity, bench.system
    allowed = bench.feed.allow_sensitive
    filled = bench.contract.sensitive_columns.intersection(found) - allowed.keys()
    if not filled:
        return
    names = ", ".join(sorted(filled))
    raise InputFault(
        "sensitive-column", bench.subject, f"the mapping fills what is sensitive: {names}",
        where=str(system.mapping_path(entity)),
        why=f"intake/contracts/{entity}.yaml calls it sensitive, and source.yaml allows"
        f" {', '.join(sorted(allowed)) or 'none'}",
        fix=f"leave it out of {entity}.sql, or name it with the reason under allow_sensitive of"
        f" {entity} in {system.folder / 'source.yaml'}, then  unicus run",
        exit_code=2,
    )  # fmt: skip


def _add_missing(bench: Bench, found: Collection[str]) -> None:
    """Give `mapped` the columns that the mapping does not."""
    for name in (field.name for field in bench.contract.fields if field.name not in found):
        # A system sells in one currency and says so once, in source.yaml.
        value = literal(bench.system.spec.currency) if name == "currency" else "null"
        bench.con.execute(f"alter table mapped add column {quoted(name)} varchar default {value}")
    if "_row_count" not in found:
        bench.con.execute("alter table mapped add column _row_count bigint default 1")


def unaccounted(bench: Bench, what: str) -> InputFault:
    """The fault of a mapping that loses rows, or gives more than there are."""
    path = bench.system.mapping_path(bench.contract.entity)
    return InputFault(
        "unaccounted-rows", bench.subject, what,
        where=f"{bench.path}, mapped by {path}",
        why="a mapping may group rows (with _row_count) but not drop or repeat them",
        fix=f"move the filter of {path.name} to a named rule under `exclude` in source.yaml, then"
        "  unicus run",
    )  # fmt: skip


def _run_users(bench: Bench, sql: str, path: Path) -> None:
    """Run SQL that a person wrote; say which column is missing rather than what DuckDB says."""
    try:
        # What closes its bracket and goes on would be more than a SELECT.
        if len(bench.con.extract_statements(sql)) != 1:
            raise _bad_sql(bench, path)
        bench.con.execute(sql)
    except duckdb.BinderException as error:
        missing = re.search(r'Referenced column "(.+?)" (?:was )?not found', str(error))
        if not missing:
            raise _bad_sql(bench, path) from error
        raise _missing_column(bench, path, missing[1]) from error
    except duckdb.Error as error:
        raise _bad_sql(bench, path) from error


def _missing_column(bench: Bench, path: Path, name: str) -> InputFault:
    named = re.compile(rf"\b{re.escape(name)}\b")
    text = path.read_text("utf-8")
    line = next((i for i, one in enumerate(text.splitlines(), 1) if named.search(one)), 1)
    return InputFault(
        "missing-column", bench.subject, f'the file has no column "{name}"',
        where=f"{bench.path} line 1, asked for by {path} line {line}",
        why=_told_header(bench, text),
        fix=f"correct line {line} of {path.name}, or deliver the file with that column, then"
        "  unicus run",
    )  # fmt: skip


def _told_header(bench: Bench, mapping: str) -> str:
    """The file's columns; without a header row they are data, and then only their number."""
    found = [name for name in bench.columns("file_rows") if name != "_row"]
    if any(re.search(rf"\b{re.escape(name)}\b", mapping) for name in found):
        return f"the file has {', '.join(found)}"
    return f"the file has {len(found)} columns, none that the mapping names; has it a header row?"


def _bad_sql(bench: Bench, path: Path) -> InputFault:
    try:
        # A damaged page of a Parquet file shows only when a column is read.
        bench.con.execute("select max(columns(*)) from file_rows")
    except duckdb.Error:
        return unreadable(bench, damaged(bench.spec.format))
    return InputFault(
        "bad-mapping", bench.subject, f"the SQL of {path.name} does not run on this file",
        where=f"{path}, on {bench.path}",
        why="DuckDB refuses it; leave types to the contract, casts that can fail hide the bad row",
        fix=f"correct {path.name}, then  unicus run",
    )  # fmt: skip
