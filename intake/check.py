"""The check: each mapped row cast to its contract, and what is wrong with it by itself or in its file.

From `mapped` to `checked`: types, required values, ranges, dates to come, the currency, repeated keys.
What a row says against rows of other files is the business of `redelivery.py` and `deletion.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from intake.bench import Bench
from intake.contract import Field
from intake.sql import literal, quoted


def check(bench: Bench) -> None:
    """Cast `mapped` to the contract in `checked`; a faulty row gets its first fault."""
    fields, types = bench.contract.fields, bench.columns("mapped")
    cast = ",\n".join(f"{_cast(f, types[f.name])} as {quoted(f.name)}" for f in fields)
    given = "".join(f", {quoted(f.name)} as {_given(f)}" for f in fields)
    own = ", ".join(quoted(f.name) for f in fields)
    content = ", ".join(f"coalesce(cast({quoted(f.name)} as varchar), chr(30))" for f in fields)
    bench.con.execute(f"""
        create table checked as
        with cast_rows as (select _row, _row_count, {cast}{given} from mapped),
        faulty as (select *, {_first_fault(bench, types)} as fault from cast_rows as c)
        select _row, _row_count, {own}, split_part(fault, '|', 1) as _field,
            split_part(fault, '|', 2) as _reason,
            md5(concat_ws(chr(31), {content})) as _content_hash,
            {_version_at(bench)} as _version_at, false as _is_redelivered, false as _is_deleted
        from faulty
    """)
    if bench.contract.key:
        _mark_repeated_keys(bench)


def _version_at(bench: Bench) -> str:
    """SQL for the time of a row's version: its own, else the start of the file's business date."""
    own = bench.own_version
    return f"coalesce({own}, {bench.start_of_date})" if bench.file_date else own


def _given(declared: Field) -> str:
    """The column of a value before its cast."""
    return quoted(f"given {declared.name}")


def _cast(declared: Field, found: str) -> str:
    column = quoted(declared.name)
    if found == "varchar":
        column = f"nullif(trim({column}), '')"
    return column if found == declared.type else f"try_cast({column} as {declared.type})"


def _first_fault(bench: Bench, types: dict[str, str]) -> str:
    """SQL for the first fault of a row, as field and reason."""
    faults = [fault for f in bench.contract.fields for fault in _faults(f, types[f.name])]
    whens = " ".join(
        f"when {test} then {literal(f'{name}|{reason}')}"
        for name, reason, test in [*faults, *_faults_at_load(bench)]
    )
    return f"case {whens} end" if whens else "''"


def _faults(declared: Field, found: str) -> Iterator[tuple[str, str, str]]:
    """Faults a value can have, each as field, reason, and SQL condition."""
    name = declared.name
    value, given = f"c.{quoted(name)}", f"c.{_given(declared)}"
    text = f"nullif(trim({given}), '')" if found == "varchar" else given
    if found != declared.type:
        yield name, f"not a {declared.type}", f"{value} is null and {text} is not null"
    if declared.required:
        yield name, "required and empty", f"{value} is null"
    if declared.minimum is not None:
        yield name, f"below {declared.minimum:g}", f"{value} < {declared.minimum}"
    if declared.maximum is not None:
        yield name, f"above {declared.maximum:g}", f"{value} > {declared.maximum}"
    if declared.pattern:
        rule = literal(declared.pattern)
        yield name, f"not of the form {declared.pattern}", f"not regexp_matches({value}, {rule})"
    if declared.allowed:
        allowed = ", ".join(map(literal, declared.allowed))
        yield name, f"not one of {', '.join(declared.allowed)}", f"{value} not in ({allowed})"


def _faults_at_load(bench: Bench) -> Iterator[tuple[str, str, str]]:
    """Faults against the day of the load and the currency of the system, in the same form."""
    contract, late = bench.contract, "dated after the day of its load"
    today = literal(bench.committed_at.date().isoformat())
    for name in filter(None, (contract.event_time, contract.version_by)):
        # One clock gone wrong must not move the day the whole warehouse stands at.
        yield name, late, f"cast(c.{quoted(name)} as date) > date {today}"
    if any(f.name == "currency" for f in contract.fields):
        # Amounts of two currencies are never added, and nothing converts them: rates are only kept.
        own = bench.system.spec.currency
        yield "currency", f"not {own}, as source.yaml says", f"c.currency <> {literal(own)}"
    if bench.file_date and bench.file_date > bench.business_day:
        yield "_file_date", late, f"c.{quoted(contract.version_by)} is null"


def _mark_repeated_keys(bench: Bench) -> None:
    """Refuse every row but the first of those with one key and one version time."""
    key = ", ".join(quoted(column) for column in bench.contract.key)
    bench.con.execute(f"""
        update checked set _field = {literal(", ".join(bench.contract.key))},
            _reason = 'key given twice in one file'
        where _row in (
            select _row from (
                select _row, row_number() over (partition by {key}, _version_at order by _row) as n
                from checked where _reason is null
            ) where n > 1
        )
    """)
