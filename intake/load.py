"""The load of one landing file as one entity: read, map, check, account, commit.

Rows are counted by the reader before any SQL, and `_row` travels through every mapping, so that each
row of each file ends up accepted, quarantined with a reason, left out by a named rule, or
re-delivered. What a load looks like in the lake is decided here; which loads are live, in `lake.py`.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from intake.contract import Contract, Field
from intake.fault import InputFault
from intake.lake import Lake, LakeFile, Record, StagedFile, Transaction, file_hash
from intake.source import FileSpec, System
from intake.sql import literal, literals, quoted

LOAD_FORMAT = 1
"""Raised when this module would turn the same file into other rows: every file is then loaded anew."""

QUARANTINE_COLUMNS = {
    "load_id": "varchar",
    "source_system": "varchar",
    "entity": "varchar",
    "row_number": "bigint",
    "row_count": "bigint",
    "field": "varchar",
    "reason": "varchar",
    "record_key": "varchar",
    "parent_key": "varchar",
    "row_json": "varchar",
}
"""One refused row: where it stood, what is wrong with it, which record it would have been, and its
mapped values, which never leave the quarantine."""

log = logging.getLogger("unicus.intake")


@dataclass(frozen=True)
class Outcome:
    """How many rows of a file met one fate, and why."""

    outcome: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Load:
    """What loading one file as one entity did; also the accounting kept in the register."""

    load_id: str
    source_system: str
    entity: str
    file_name: str
    file_hash: str
    contract_version: str
    read_rows: int
    stored_rows: int
    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)
    is_new: bool = True

    def rows(self, outcome: str) -> int:
        """Rows of the file with this outcome."""
        return sum(one.rows for one in self.outcomes if one.outcome == outcome)

    @classmethod
    def from_record(cls, record: Record) -> Load:
        """The load as its record in the register remembers it."""
        details = dict(record.details)
        details["outcomes"] = tuple(Outcome(**one) for one in details["outcomes"])
        return cls(**details | {"is_new": False})


def load_entity(lake: Lake, system: System, contract: Contract) -> list[Load]:
    """Load every file of the system that feeds the contract's entity.

    Returns:
        One load per file, those that were already there included.

    Raises:
        InputFault: a file is refused whole; the files before it are loaded.
    """
    paths = _in_order_of_delivery(lake, system, contract)
    return [load_file(lake, system, contract, path) for path in paths]


def _in_order_of_delivery(lake: Lake, system: System, contract: Contract) -> list[Path]:
    """Files already known in the order they first came, then new ones by name.

    Among versions without a time the last load wins, so reading all files again must not turn the
    order in which they came into that of their names.
    """
    loads = [r for r in lake.live("load") if _is_of(r, system, contract)]
    came = {record.details["file_hash"]: record.seq for record in loads}
    last = max(came.values(), default=0) + 1
    return sorted(
        system.files(contract.entity),
        key=lambda path: (came.get(file_hash(path), last), path.name),
    )


def load_id(system: System, contract: Contract, digest: str) -> str:
    """Name of a load: the file's bytes and all that decides what rows they become."""
    parts = [
        str(LOAD_FORMAT), system.name, contract.entity, digest,
        system.fingerprint(contract.entity), contract.fingerprint(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def load_file(lake: Lake, system: System, contract: Contract, path: Path) -> Load:
    """Load one file as one entity; the same file under the same rules changes nothing."""
    digest = lake.keep_original(path)
    name = load_id(system, contract, digest)
    with lake.transaction() as transaction:
        loads = [r for r in lake.live("load") if _is_of(r, system, contract)]
        for record in loads:
            if record.record_id == name:
                return Load.from_record(record)
        # The same bytes under other rules: the new reading replaces the old one.
        replaced = [r for r in loads if r.details["file_hash"] == digest]
        kept = [r for r in loads if r not in replaced]
        spec = system.spec.files[system.spec.entities[contract.entity].file]
        day = transaction.committed_at.date()
        bench = _Bench(duckdb.connect(), lake, system, contract, path, digest, day)
        with _workbench(bench, spec):
            return _commit(bench, transaction, kept, replaced, name, digest)


def _is_of(record: Record, system: System, contract: Contract) -> bool:
    of = (record.details["source_system"], record.details["entity"])
    return of == (system.name, contract.entity)


@dataclass
class _Bench:
    """A database in memory with the file's rows in it; what runs on it reaches the lake only."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    system: System
    contract: Contract
    path: Path
    digest: str
    load_day: date
    read_rows: int = 0

    @property
    def original(self) -> Path:
        """The kept bytes: what is read is what was hashed, whatever happens to the landing file."""
        return self.lake.root / "landing" / self.digest

    @property
    def subject(self) -> str:
        return f"{self.system.name}/{self.contract.entity}"

    def count(self, sql: str) -> int:
        row = self.con.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0


@contextmanager
def _workbench(bench: _Bench, spec: FileSpec) -> Iterator[None]:
    with bench.con as con:
        con.execute("set timezone = 'UTC'")
        bench.read_rows = _read(bench, spec)
        # The mapping is the user's own SQL: of this machine it reaches the lake at most.
        con.execute(f"set allowed_directories = {literals([str(bench.lake.root.resolve())])}")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield


def _read(bench: _Bench, spec: FileSpec) -> int:
    """Put the file's rows into `file_rows`, numbered from 1; return their count by the reader."""
    if bench.original.stat().st_size == 0:
        raise _refused(
            bench, "empty-file", "the file is empty", why="it has 0 bytes, not even a header"
        )
    file = literal(str(bench.original))
    try:
        if spec.format == "parquet":
            bench.con.execute(
                "create table file_rows as select file_row_number + 1 as _row,"
                f" * exclude (file_row_number) from read_parquet({file}, file_row_number = true)"
            )
            return bench.count(f"select sum(num_rows) from parquet_file_metadata({file})")
        # Without DuckDB's guessing, which passes over lines that do not fit its guess.
        columns = ", ".join(f"{literal(c)}: 'varchar'" for c in _header(bench, spec))
        bench.con.execute(
            "create table file_rows as select row_number() over () as _row, * from read_csv("
            f"{file}, auto_detect = false, header = true, delim = {literal(spec.delimiter)},"
            f""" quote = '"', escape = '"', nullstr = '', columns = {{{columns}}})"""
        )
        return bench.count("select count(*) from file_rows")
    except (duckdb.Error, UnicodeDecodeError, csv.Error) as error:
        line = re.search(r"Line: (\d+)", str(error))
        raise _refused(
            bench, "unreadable-file", f"the file cannot be read as {spec.format}",
            why="it is cut short or damaged, or not in this format",
            line=f" line {line[1]}" if line else "",
        ) from error  # fmt: skip


def _header(bench: _Bench, spec: FileSpec) -> list[str]:
    with bench.original.open(newline="", encoding="utf-8-sig") as file:
        names = next(csv.reader(file, delimiter=spec.delimiter), [])
    if not names:
        raise _refused(
            bench, "empty-file", "the file is empty", why="its first line names no column"
        )
    return names


def _refused(bench: _Bench, code: str, what: str, *, why: str, line: str = "") -> InputFault:
    return InputFault(
        code, bench.subject, what,
        where=f"{bench.path}{line}", why=why,
        fix="deliver the file again, then  unicus run",
    )  # fmt: skip


def _commit(
    bench: _Bench, transaction: Transaction, kept: list[Record], replaced: list[Record],
    name: str, digest: str,
) -> Load:  # fmt: skip
    log.info("reading %s from %s", bench.subject, bench.path.name)
    left_out = _leave_out(bench)
    _map(bench)
    _check(bench)
    _mark_redelivered(bench, kept)
    outcomes = [*left_out, *_count_outcomes(bench)]
    _account(bench, outcomes)
    raw = _stage_accepted(bench, transaction, name)
    staged = [raw, *_stage_quarantined(bench, name)]
    load = Load(
        load_id=name,
        source_system=bench.system.name,
        entity=bench.contract.entity,
        file_name=bench.path.name,
        file_hash=digest,
        contract_version=bench.contract.version,
        read_rows=bench.read_rows,
        stored_rows=raw.target.rows,
        outcomes=tuple(outcomes),
    )
    transaction.commit(
        "load", name, staged, supersedes=[r.seq for r in replaced], details=asdict(load)
    )
    return load


def _leave_out(bench: _Bench) -> list[Outcome]:
    """Make the view the mapping reads: the file's rows less those a named rule leaves out."""
    entity = bench.system.spec.entities[bench.contract.entity]
    rules = [
        (outcome, reason, rule)
        for outcome, named in (
            ("excluded", entity.exclude),
            ("not_applicable", entity.not_applicable),
        )
        for reason, rule in named.items()
    ]
    bench.con.execute("create table left_out (_row bigint, rule bigint)")
    if rules:
        cases = " ".join(f"when {rule.where} then {i}" for i, (_, _, rule) in enumerate(rules))
        _run_users(
            bench,
            "insert into left_out select * from"
            f" (select _row, case {cases} end as rule from file_rows) where rule is not null",
            bench.system.folder / "source.yaml",
        )
    bench.con.execute(
        f"create view {quoted(entity.file)} as"
        " select * from file_rows where _row not in (select _row from left_out)"
        if rules
        else f"create view {quoted(entity.file)} as select * from file_rows"
    )
    counts = dict(bench.con.execute("select rule, count(*) from left_out group by rule").fetchall())
    return [Outcome(o, reason, counts.get(i, 0)) for i, (o, reason, _) in enumerate(rules)]


def _map(bench: _Bench) -> None:
    """Run the system's SELECT into `mapped`, with every column of the contract."""
    path = bench.system.mapping_path(bench.contract.entity)
    sql = bench.system.mapping(bench.contract.entity)
    _run_users(bench, f"create table mapped as select * from (\n{sql}\n)", path)
    found = {row[0] for row in bench.con.execute("describe mapped").fetchall()}
    expected = {field.name for field in bench.contract.fields}
    unknown = found - expected - {"_row", "_row_count"}
    if unknown or "_row" not in found:
        raise InputFault(
            "bad-mapping", bench.subject, f"{path.name} does not give the columns of the contract",
            where=str(path),
            why=f"the contract does not know {', '.join(sorted(unknown))}" if unknown
            else "every row needs _row, the number the reader gave it",
            fix=f"name the columns of {path.name} as intake/contracts/{bench.contract.entity}.yaml"
            " does, then  unicus run",
            exit_code=2,
        )  # fmt: skip
    _refuse_sensitive(bench, found)
    for field_ in bench.contract.fields:
        if field_.name not in found:
            # A system sells in one currency and says so once, in source.yaml.
            value = literal(bench.system.spec.currency) if field_.name == "currency" else "null"
            bench.con.execute(
                f"alter table mapped add column {quoted(field_.name)} varchar default {value}"
            )
    if "_row_count" not in found:
        bench.con.execute("alter table mapped add column _row_count bigint default 1")
    wrong = bench.count(
        "select count(*) - count(distinct _row) + count(*) filter (coalesce(_row_count, 0) < 1)"
        " + count(*) filter (_row not in (select _row from file_rows)) from mapped"
    )
    if wrong:
        raise _unaccounted(bench, "it gives a row of the file twice, or one that is not in it")


def _refuse_sensitive(bench: _Bench, found: set[str]) -> None:
    """Refuse a mapping that fills sensitive columns for which the system gives no reason."""
    entity, system = bench.contract.entity, bench.system
    allowed = system.spec.entities[entity].allow_sensitive
    filled = (found & bench.contract.sensitive_columns) - allowed.keys()
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


def _run_users(bench: _Bench, sql: str, path: Path) -> None:
    """Run SQL that a person wrote; say which column is missing rather than what DuckDB says."""
    try:
        bench.con.execute(sql)
    except duckdb.BinderException as error:
        missing = re.search(r'Referenced column "(.+?)" (?:was )?not found', str(error))
        if not missing:
            raise _bad_sql(bench, path) from error
        named = re.compile(rf"\b{re.escape(missing[1])}\b")
        lines = path.read_text("utf-8").splitlines()
        line = next((i for i, text in enumerate(lines, 1) if named.search(text)), 1)
        raise InputFault(
            "missing-column", bench.subject, f'the file has no column "{missing[1]}"',
            where=f"{bench.path} line 1, asked for by {path} line {line}",
            why=_told_header(bench, path.read_text("utf-8")),
            fix=f"correct line {line} of {path.name}, or deliver the file with that column, then"
            "  unicus run",
        ) from error  # fmt: skip
    except duckdb.Error as error:
        raise _bad_sql(bench, path) from error


def _told_header(bench: _Bench, mapping: str) -> str:
    """The file's columns; without a header row they are data, and then only their number."""
    found = [r[0] for r in bench.con.execute("describe file_rows").fetchall() if r[0] != "_row"]
    if any(re.search(rf"\b{re.escape(name)}\b", mapping) for name in found):
        return f"the file has {', '.join(found)}"
    return f"the file has {len(found)} columns, none that the mapping names; has it a header row?"


def _bad_sql(bench: _Bench, path: Path) -> InputFault:
    return InputFault(
        "bad-mapping", bench.subject, f"the SQL of {path.name} does not run on this file",
        where=f"{path}, on {bench.path}",
        why="DuckDB refuses it; leave types to the contract, casts that can fail hide the bad row",
        fix=f"correct {path.name}, then  unicus run",
    )  # fmt: skip


def _check(bench: _Bench) -> None:
    """Cast `mapped` to the contract in `checked`; a faulty row gets its first fault."""
    contract = bench.contract
    types = {row[0]: row[1].lower() for row in bench.con.execute("describe mapped").fetchall()}
    cast = ",\n".join(f"{_cast(f, types[f.name])} as {quoted(f.name)}" for f in contract.fields)
    faults = [fault for f in contract.fields for fault in _faults(f, types[f.name])]
    for name in filter(None, (contract.event_time, contract.version_by)):
        # One clock gone wrong must not move the day the whole warehouse stands at.
        late = f"cast(c.{quoted(name)} as date) > date {literal(bench.load_day.isoformat())}"
        faults.append((name, "dated after the day of its load", late))
    whens = " ".join(
        f"when {test} then {literal(f'{name}|{reason}')}" for name, reason, test in faults
    )
    content = ", ".join(
        f"coalesce(cast({quoted(f.name)} as varchar), chr(30))" for f in contract.fields
    )
    bench.con.execute(f"""
        create table checked as
        with cast_rows as (select _row, _row_count, {cast} from mapped),
        faulty as (
            select c.*, case {whens or "when false then ''"} end as fault
            from cast_rows as c join mapped as m on m._row = c._row
        )
        select * exclude (fault), split_part(fault, '|', 1) as _field, split_part(fault, '|', 2)
            as _reason, md5(concat_ws(chr(31), {content})) as _content_hash,
            cast({quoted(contract.version_by)} as timestamp) as _version_at,
            false as _is_redelivered
        from faulty
    """)
    if contract.key:
        _mark_repeated_keys(bench)


def _cast(declared: Field, found: str) -> str:
    column = quoted(declared.name)
    if found == "varchar":
        column = f"nullif(trim({column}), '')"
    return column if found == declared.type else f"try_cast({column} as {declared.type})"


def _faults(declared: Field, found: str) -> Iterator[tuple[str, str, str]]:
    """Faults a value can have, each as field, reason, and SQL condition."""
    name = declared.name
    value, given = f"c.{quoted(name)}", f"m.{quoted(name)}"
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


def _mark_repeated_keys(bench: _Bench) -> None:
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


def _mark_redelivered(bench: _Bench, kept: list[Record]) -> None:
    """Mark rows that say again what the newest live delivery of the same version already says.

    Lines have no key: the whole set of an order's lines is compared.
    """
    spec = bench.system.spec.entities[bench.contract.entity]
    files = [str(bench.lake.path(f).resolve()) for r in kept for f in r.files if f.source == "raw"]
    if spec.delivery != "upsert" or not files:
        return
    columns = [quoted(column) for column in bench.contract.record_columns]
    record = ", ".join(columns)
    whole_set = not bench.contract.key
    version = "max(_version_at)" if whole_set else "_version_at"
    group = record if whole_set else f"{record}, _version_at"
    said = f"""
        select {record}, {version} as version_at, {{load}} as load_seq,
            md5(string_agg(_content_hash, ',' order by _content_hash)) as said
    """
    bench.con.execute(f"""
        create table again as
        with fresh as (
            {said.format(load="0")} from checked where _reason is null group by {group}
        ),
        stored as (
            {said.format(load="_load_seq")}
            from read_parquet({literals(files)}, union_by_name = true, hive_partitioning = false)
            group by {group}, _load_seq
            qualify row_number() over (partition by {record}, version_at order by load_seq desc) = 1
        )
        select {", ".join(f"n.{c}" for c in columns)}, n.version_at
        from fresh as n join stored as o
            on {" and ".join(f"n.{c} = o.{c}" for c in columns)}
            and n.version_at is not distinct from o.version_at and n.said = o.said
    """)
    same = [f"checked.{c} = again.{c}" for c in columns]
    if not whole_set:
        same.append("checked._version_at is not distinct from again.version_at")
    bench.con.execute(f"""
        update checked set _is_redelivered = true from again
        where checked._reason is null and {" and ".join(same)}
    """)


def _count_outcomes(bench: _Bench) -> list[Outcome]:
    rows = bench.con.execute("""
        select
            case when _reason is not null then 'quarantined'
                when _is_redelivered then 'redelivered' else 'accepted' end as outcome,
            coalesce(_field || ': ' || _reason, '') as reason,
            sum(_row_count)
        from checked group by all order by all
    """).fetchall()
    return [Outcome(outcome, reason, int(count)) for outcome, reason, count in rows]


def _account(bench: _Bench, outcomes: list[Outcome]) -> None:
    known = sum(one.rows for one in outcomes)
    if known == bench.read_rows:
        return
    raise _unaccounted(bench, f"{bench.read_rows:,} rows were read, {known:,} are accounted for")


def _unaccounted(bench: _Bench, what: str) -> InputFault:
    path = bench.system.mapping_path(bench.contract.entity)
    return InputFault(
        "unaccounted-rows", bench.subject, what,
        where=f"{bench.path}, mapped by {path}",
        why="a mapping may group rows (with _row_count) but not drop or repeat them",
        fix=f"move the filter of {path.name} to a named rule under `exclude` in source.yaml, then"
        "  unicus run",
    )  # fmt: skip


def _stage_accepted(bench: _Bench, transaction: Transaction, name: str) -> StagedFile:
    contract = bench.contract
    own = ", ".join(quoted(field.name) for field in contract.fields)
    rows = f"""
        select {literal(bench.system.name)} as source_system, {own}, _row, _row_count, _content_hash,
            _version_at, {literal(name)} as _load_id, cast({transaction.seq} as bigint) as _load_seq,
            cast({literal(transaction.committed_at.replace(tzinfo=None).isoformat())} as timestamp)
                as _loaded_at
        from checked where _reason is null and not _is_redelivered order by _row
    """
    path = f"raw/{contract.entity}/system={bench.system.name}/{name}.parquet"
    return _copy(bench, rows, "raw", contract.entity, path)


def _stage_quarantined(bench: _Bench, name: str) -> list[StagedFile]:
    contract = bench.contract
    if not bench.count("select count(*) from checked where _reason is not null"):
        return []
    key = ", ".join(f"cast(m.{quoted(column)} as varchar)" for column in contract.record_columns)
    parent = f"cast(m.{quoted(contract.parent_key)} as varchar)" if contract.parent_key else "''"
    rows = f"""
        select {literal(name)} as load_id, {literal(bench.system.name)} as source_system,
            {literal(contract.entity)} as entity, c._row as row_number, c._row_count as row_count,
            c._field as field, c._reason as reason, concat_ws(':', {key}) as record_key,
            {parent} as parent_key, cast(to_json(m) as varchar) as row_json
        from checked as c join mapped as m on m._row = c._row
        where c._reason is not null order by c._row
    """
    path = f"quarantine/{contract.entity}/system={bench.system.name}/{name}.parquet"
    return [_copy(bench, rows, "ledger", "quarantined_rows", path)]


def _copy(bench: _Bench, rows: str, source: str, table: str, path: str) -> StagedFile:
    staged = bench.lake.staging_path().resolve()
    bench.con.execute(f"copy ({rows}) to {literal(str(staged))} (format parquet, compression zstd)")
    count = bench.count(f"select sum(num_rows) from parquet_file_metadata({literal(str(staged))})")
    return StagedFile(staged, LakeFile(source, table, path, count))
