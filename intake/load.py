"""The load of one landing file as one entity: map, check, account, commit.

Rows are counted by the reader before any SQL, and `_row` travels through every mapping, so that each
row of each file ends up accepted, quarantined with a reason, left out by a named rule, or
re-delivered. What a load looks like in the lake is decided here; how a file is read, in `read.py`;
which loads are live, in `lake.py`.
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from intake.contract import Contract, Field
from intake.deletion import compare_with_last_list, delete_missing, refuse_list
from intake.fault import InputFault
from intake.lake import Lake, LakeFile, Record, StagedFile, Transaction, file_hash
from intake.read import Unreadable, damaged, keep_first, read_into
from intake.source import FileSpec, System
from intake.sql import literal, literals, quoted

LOAD_FORMAT = 1
"""Raised when this module would turn the same file into other rows: every file is then loaded anew."""

MEMORY_LIMIT = "3GB"
"""What a load may hold in memory; beyond it DuckDB spills beside the lake's incoming files."""

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
    """What loading one file as one entity did; also the accounting kept in the register.

    Attributes:
        deleted_records: records that a full list deleted by leaving them out; no rows of the file.
        position: number of the load with which these bytes first came; orders the deliveries.
        follows: number of the load delivered just before, whose rows and those before it these were
            compared with; 0 without one, empty when an older Unicus did not write it down.
    """

    load_id: str
    source_system: str
    entity: str
    file_name: str
    file_hash: str
    contract_version: str
    read_rows: int
    stored_rows: int
    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)
    deleted_records: int = 0
    position: int = 0
    follows: int | None = None
    is_new: bool = True
    file_date: str | None = None

    def rows(self, outcome: str) -> int:
        """Rows of the file with this outcome."""
        return sum(one.rows for one in self.outcomes if one.outcome == outcome)

    @property
    def day(self) -> date | None:
        """The business date of the file."""
        return date.fromisoformat(self.file_date) if self.file_date else None

    @property
    def place(self) -> tuple[str, int]:
        """Orders the deliveries: by business date, whenever they came, then as they came."""
        return self.file_date or "", self.position

    @classmethod
    def from_record(cls, record: Record) -> Load:
        """The load as its record in the register remembers it."""
        details = dict(record.details)
        details["outcomes"] = tuple(Outcome(**one) for one in details["outcomes"])
        return cls(**{"position": record.seq} | details | {"is_new": False})


def load_entity(lake: Lake, system: System, contract: Contract) -> list[Load]:
    """Load every file of the system that feeds the contract's entity.

    Returns:
        One load per file, those that were already there included, those that were undone not.

    Raises:
        InputFault: a file is refused whole; the files before it are loaded.
    """
    if system.spec.entities[contract.entity].delivery == "snapshot":
        refuse_list(system, contract)
    undone = undone_loads(lake)
    loads = [
        load_file(lake, system, contract, path)
        for path in _in_order_of_delivery(lake, system, contract)
        if not undone or load_id(system, contract, path, file_hash(path)) not in undone
    ]
    read_again(lake, system, contract)
    return loads


def undone_loads(lake: Lake) -> set[str]:
    """Ids of the loads that were undone and not restored: their files are passed over."""
    return {record.record_id for record in lake.live("undo")}


def read_again(lake: Lake, system: System, contract: Contract, gone: Collection[int] = ()) -> None:
    """Read loads again, from the kept bytes, that were compared with others than come before now.

    What a row adds depends on the deliveries before its own: without the one that first said it, a
    re-delivery is news. Only loads that a removal or a return touches are read.

    Args:
        lake: where the loads are.
        system: the system they came from.
        contract: the entity.
        gone: numbers of loads to do without, though they are still live.
    """
    loads = [r for r in delivered(lake, system.name, contract.entity) if r.seq not in gone]
    if system.spec.entities[contract.entity].delivery == "append":
        return
    before = 0
    for number, record in enumerate(loads):
        follows = Load.from_record(record).follows
        if follows != before and (follows is not None or gone):
            for later in loads[number:]:
                load = Load.from_record(later)
                kept = _File(Path(load.file_name), load.file_hash, load.day)
                _load_kept(lake, system, contract, kept, gone, even_if_known=True)
            return
        before = record.seq


def delivered(lake: Lake, system: str, entity: str) -> list[Record]:
    """Live loads of an entity of a system, in the order of their deliveries."""
    loads = [r for r in lake.live("load") if _is_of(r, system, entity)]
    return sorted(loads, key=lambda record: Load.from_record(record).place)


def _in_order_of_delivery(lake: Lake, system: System, contract: Contract) -> list[Path]:
    """Files already known in the order they first came, then new ones by business date and name.

    Among versions without a time the last load wins, so reading all files again must not turn the
    order in which they came into that of their names.
    """
    loads = map(Load.from_record, delivered(lake, system.name, contract.entity))
    came = {_delivery_of(system, contract, load): load.position for load in loads}
    last = max(came.values(), default=0) + 1

    def turn(path: Path) -> tuple[int, date, str]:
        day = system.file_date(contract.entity, path)
        delivery = _delivery(system, contract, path.name, file_hash(path), _iso(day))
        return came.get(delivery, last), day or date.min, path.name

    return sorted(system.files(contract.entity), key=turn)


def _delivery(
    system: System, contract: Contract, file_name: str, digest: str, file_date: str | None
) -> str:
    """What makes a file the one that came before: its bytes, its business date, a list's name.

    The same bytes on a later day say that things are again as they were; so does a full list that
    comes under another name, and undoes what lay between.
    """
    is_list = system.spec.entities[contract.entity].delivery == "snapshot"
    return " ".join(
        [digest, *([file_date] if file_date else []), *([file_name] if is_list else [])]
    )


def _delivery_of(system: System, contract: Contract, load: Load) -> str:
    return _delivery(system, contract, load.file_name, load.file_hash, load.file_date)


@dataclass(frozen=True)
class _File:
    """A file that was delivered: its path or what is left of it, its bytes, its business date."""

    path: Path
    digest: str
    day: date | None


def load_id(system: System, contract: Contract, path: Path, digest: str) -> str:
    """Name of a load: the delivery and all that decides what rows it becomes."""
    return _load_id(system, contract, _File(path, digest, system.file_date(contract.entity, path)))


def _load_id(system: System, contract: Contract, file: _File) -> str:
    parts = [
        str(LOAD_FORMAT), system.name, contract.entity,
        _delivery(system, contract, file.path.name, file.digest, _iso(file.day)),
        system.fingerprint(contract.entity), contract.fingerprint(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def load_file(lake: Lake, system: System, contract: Contract, path: Path) -> Load:
    """Load one file as one entity; the same file under the same rules changes nothing."""
    day = system.file_date(contract.entity, path)
    return _load_kept(lake, system, contract, _File(path, lake.keep_original(path), day))


def _load_kept(
    lake: Lake, system: System, contract: Contract, file: _File,
    gone: Collection[int] = (), *, even_if_known: bool = False,
) -> Load:  # fmt: skip
    """Load the kept bytes of a file; the same bytes in the same turn change nothing."""
    name = _load_id(system, contract, file)
    with lake.transaction() as transaction:
        loads = [r for r in delivered(lake, system.name, contract.entity) if r.seq not in gone]
        turn = _turn(lake, system, contract, loads, file, transaction.seq)
        for record in turn.replaced:
            known = Load.from_record(record)
            is_same = known.load_id == name and known.follows in (None, turn.follows)
            if is_same and not even_if_known:
                return known
        bench = _Bench(
            duckdb.connect(), lake, system, contract, file.path,
            lake.root / "landing" / file.digest, transaction.committed_at, file.day,
        )  # fmt: skip
        with _workbench(bench):
            return _commit(bench, transaction, turn, name, file.digest)


@dataclass(frozen=True)
class Trial:
    """A load that was judged and not committed.

    Attributes:
        con: a database with the tables `file_rows` (as read), `mapped` (as the mapping gives them)
            and `checked` (as the contract types them, with `_field` and `_reason` of a refusal).
    """

    con: duckdb.DuckDBPyConnection
    read_rows: int
    outcomes: tuple[Outcome, ...]


@contextmanager
def trial(
    lake: Lake, system: System, contract: Contract, path: Path, sample: int | None = None
) -> Iterator[Trial]:
    """Judge the first `sample` rows of a file, or all, as a load would, and commit nothing.

    Raises:
        InputFault: the file would be refused whole.
    """
    file_date = system.file_date(contract.entity, path)
    bench = _Bench(
        duckdb.connect(), lake, system, contract, path, path, datetime.now(UTC), file_date, sample
    )
    with _workbench(bench):
        outcomes, _ = _judge(bench, [])
        yield Trial(bench.con, bench.read_rows, tuple(outcomes))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@dataclass(frozen=True)
class _Turn:
    """Where some bytes stand among the deliveries of their entity.

    Attributes:
        before: live loads of the deliveries before, in order.
        replaced: earlier readings of the same bytes, under other rules or in another turn; among
            them one that was undone, which ends with the rules it was read by.
        position: orders the deliveries, as in `Load`.
        follows: number of the load just before, as in `Load`.
    """

    before: list[Record]
    replaced: list[Record]
    position: int
    follows: int


def _turn(
    lake: Lake, system: System, contract: Contract, loads: list[Record], file: _File, seq: int
) -> _Turn:
    own = _delivery(system, contract, file.path.name, file.digest, _iso(file.day))

    def is_same(load: Load) -> bool:
        # Read before the names of files were given a date.
        was_undated = not load.file_date and load.file_name == file.path.name
        same_bytes = load.file_hash == file.digest
        return _delivery_of(system, contract, load) == own or (was_undated and same_bytes)

    undone = [r for r in lake.live("undo") if _is_of(r, system.name, contract.entity)]
    replaced = [r for r in [*loads, *undone] if is_same(Load.from_record(r))]
    position = min((Load.from_record(r).position for r in replaced), default=seq)
    place = (_iso(file.day) or "", position)
    before = [r for r in loads if r not in replaced and Load.from_record(r).place < place]
    is_compared = system.spec.entities[contract.entity].delivery != "append"
    return _Turn(before, replaced, position, before[-1].seq if before and is_compared else 0)


def _is_of(record: Record, system: str, entity: str) -> bool:
    return (record.details["source_system"], record.details["entity"]) == (system, entity)


@dataclass
class _Bench:
    """A database that shows the file's rows; what runs on it reaches the lake only."""

    con: duckdb.DuckDBPyConnection
    lake: Lake
    system: System
    contract: Contract
    path: Path
    # The kept bytes: what is read is what was hashed, whatever happens to the landing file.
    original: Path
    committed_at: datetime
    file_date: date | None
    sample: int | None = None
    read_rows: int = 0

    @property
    def spec(self) -> FileSpec:
        return self.system.file_spec(self.contract.entity).of_file(self.path)

    @property
    def business_day(self) -> date:
        """The day of the load where the system does business."""
        zone = ZoneInfo(self.system.spec.business_timezone)
        return self.committed_at.astimezone(zone).date()

    @property
    def subject(self) -> str:
        return f"{self.system.name}/{self.contract.entity}"

    def count(self, sql: str) -> int:
        row = self.con.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0


@contextmanager
def _workbench(bench: _Bench) -> Iterator[None]:
    with tempfile.TemporaryDirectory(dir=bench.lake.root / "incoming") as scratch, bench.con as con:
        con.execute("set timezone = 'UTC'")
        con.execute("set autoinstall_known_extensions = false")
        con.execute("set enable_progress_bar = false")
        con.execute(f"set memory_limit = {literal(MEMORY_LIMIT)}")
        con.execute(f"set temp_directory = {literal(str(Path(scratch).resolve()))}")
        bench.read_rows = _read(bench)
        # The mapping is the user's own SQL: of this machine it reaches this file and what its
        # system said before of the entity.
        con.execute(f"set allowed_paths = {literals([str(bench.original.resolve())])}")
        own = f"raw/{bench.contract.entity}/system={bench.system.name}"
        folders = [str((bench.lake.root / name).resolve()) for name in ("incoming", own)]
        con.execute(f"set allowed_directories = {literals(folders)}")
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield


def _read(bench: _Bench) -> int:
    """Show the file's rows as `file_rows`, numbered from 1; return their count by the reader."""
    try:
        rows = read_into(bench.con, bench.original, bench.spec, bench.file_date)
        if bench.sample is not None:
            rows = keep_first(bench.con, bench.sample, bench.spec.format)
        return rows
    except Unreadable as fault:
        raise _unreadable(bench, fault) from fault


def _unreadable(bench: _Bench, fault: Unreadable) -> InputFault:
    line = f" line {fault.line}" if fault.line else ""
    return InputFault(
        fault.code, bench.subject, fault.what,
        where=f"{bench.path}{line}", why=fault.why,
        fix="deliver the file again, or correct how source.yaml says to read it, then  unicus run",
    )  # fmt: skip


def _commit(bench: _Bench, transaction: Transaction, turn: _Turn, name: str, digest: str) -> Load:
    log.info("reading %s from %s", bench.subject, bench.path.name)
    outcomes, deleted = _judge(bench, turn.before)
    raw = _stage_accepted(bench, transaction, name)
    staged = [raw, *_stage_quarantined(bench, transaction, name)]
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
        file_date=_iso(bench.file_date),
        deleted_records=deleted,
        position=turn.position,
        follows=turn.follows,
    )
    transaction.commit(
        "load", name, staged, supersedes=[r.seq for r in turn.replaced], details=asdict(load)
    )
    return load


def _judge(bench: _Bench, before: list[Record]) -> tuple[list[Outcome], int]:
    """Decide the fate of every row that was read: the table `checked` says it, and the outcomes.

    Returns:
        The outcomes, and how many records of the deliveries before a full list deletes.
    """
    left_out = _leave_out(bench)
    _map(bench)
    _check(bench)
    deleted = _compare(bench, before)
    outcomes = [*left_out, *_count_outcomes(bench)]
    _account(bench, outcomes)
    return outcomes, deleted


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
        f" + count(*) filter (_row is null or _row not between 1 and {bench.read_rows}) from mapped"
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
        # What closes its bracket and goes on would be more than a SELECT.
        if len(bench.con.extract_statements(sql)) != 1:
            raise _bad_sql(bench, path)
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
    try:
        # A damaged page of a Parquet file shows only when a column is read.
        bench.con.execute("select max(columns(*)) from file_rows")
    except duckdb.Error:
        return _unreadable(bench, damaged(bench.spec.format))
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
        late = f"cast(c.{quoted(name)} as date) > date {literal(bench.committed_at.date().isoformat())}"
        faults.append((name, "dated after the day of its load", late))
    if any(f.name == "currency" for f in contract.fields):
        # Amounts of two currencies are never added, and there are no rates to convert them by.
        own = bench.system.spec.currency
        faults.append(
            ("currency", f"not {own}, as source.yaml says", f"c.currency <> {literal(own)}")
        )
    if bench.file_date and bench.file_date > bench.business_day:
        undated = f"c.{quoted(contract.version_by)} is null"
        faults.append(("_file_date", "dated after the day of its load", undated))
    whens = " ".join(
        f"when {test} then {literal(f'{name}|{reason}')}" for name, reason, test in faults
    )
    content = ", ".join(
        f"coalesce(cast({quoted(f.name)} as varchar), chr(30))" for f in contract.fields
    )
    given = "".join(f", {quoted(f.name)} as {_given(f)}" for f in contract.fields)
    own = ", ".join(quoted(f.name) for f in contract.fields)
    bench.con.execute(f"""
        create table checked as
        with cast_rows as (select _row, _row_count, {cast}{given} from mapped),
        faulty as (
            select *, case {whens or "when false then ''"} end as fault from cast_rows as c
        )
        select _row, _row_count, {own}, split_part(fault, '|', 1) as _field,
            split_part(fault, '|', 2) as _reason,
            md5(concat_ws(chr(31), {content})) as _content_hash,
            {_version_at(bench)} as _version_at, false as _is_redelivered, false as _is_deleted
        from faulty
    """)
    if contract.key:
        _mark_repeated_keys(bench)


def _version_at(bench: _Bench) -> str:
    """SQL for the time of a row's version: its own, else the start of the file's business date."""
    own = _own_version(bench.contract)
    return f"coalesce({own}, {_start(bench)})" if bench.file_date else own


def _start(bench: _Bench) -> str:
    """SQL for the start of the file's business date where the system does business, in UTC."""
    zone = literal(bench.system.spec.business_timezone)
    return f"timezone('UTC', timezone({zone}, timestamp '{bench.file_date}'))"


def _own_version(contract: Contract) -> str:
    return f"cast({quoted(contract.version_by)} as timestamp)"


def _given(declared: Field) -> str:
    """The column of a value before its cast."""
    return quoted(f"given {declared.name}")


def _cast(declared: Field, found: str) -> str:
    column = quoted(declared.name)
    if found == "varchar":
        column = f"nullif(trim({column}), '')"
    return column if found == declared.type else f"try_cast({column} as {declared.type})"


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


def _compare(bench: _Bench, before: list[Record]) -> int:
    """Compare the rows with the deliveries before; return how many records they delete."""
    files = [
        str(bench.lake.path(f).resolve()) for r in before for f in r.files if f.source == "raw"
    ]
    delivery = bench.system.spec.entities[bench.contract.entity].delivery
    if files and delivery == "upsert":
        _mark_redelivered(bench, files)
    if files and delivery == "snapshot":
        since = _start(bench) if bench.file_date else "null"
        compare_with_last_list(bench.con, bench.contract, files, since)
        where = str(bench.path)
        return delete_missing(bench.con, bench.contract, bench.subject, where, since)
    return 0


def _mark_redelivered(bench: _Bench, files: list[str]) -> None:
    """Mark rows that say again what the newest live delivery of the same version already says.

    Lines have no key: the whole set of an order's lines is compared. A row that tells no time of its
    own is compared with what was said last before the business date of its file.
    """
    columns = [quoted(column) for column in bench.contract.record_columns]
    record = ", ".join(columns)
    whole_set = not bench.contract.key
    own = _own_version(bench.contract)
    version = f"max({own})" if whole_set else own
    group = record if whole_set else f"{record}, {own}"
    before = (
        f"where {own} is not null or _version_at is null or _version_at <= {_start(bench)}"
        if bench.file_date
        else ""
    )
    said = f"""
        select {record}, {version} as version_at, {{load}} as load_seq,
            md5(string_agg(_content_hash, ',' order by _content_hash)) as said,
            max(_version_at) as stands_at
    """
    bench.con.execute(f"""
        create table again as
        with fresh as (
            {said.format(load="0")} from checked where _reason is null group by {group}
        ),
        stored as (
            {said.format(load="_load_seq")}
            from read_parquet({literals(files)}, union_by_name = true, hive_partitioning = false)
            {before}
            group by {group}, _load_seq
            qualify row_number() over (
                partition by {record}, version_at order by stands_at desc nulls last, load_seq desc
            ) = 1
        )
        select {", ".join(f"n.{c}" for c in columns)}, n.version_at
        from fresh as n join stored as o
            on {" and ".join(f"n.{c} = o.{c}" for c in columns)}
            and n.version_at is not distinct from o.version_at and n.said = o.said
    """)
    same = [f"checked.{c} = again.{c}" for c in columns]
    if not whole_set:
        same.append(
            f"cast(checked.{quoted(bench.contract.version_by)} as timestamp)"
            " is not distinct from again.version_at"
        )
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
        from checked where not _is_deleted group by all order by all
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
                as _loaded_at, _is_deleted
        from checked where _reason is null and not _is_redelivered order by _row
    """
    # A load read again has the same name and other rows: no file ever changes its content.
    path = f"raw/{contract.entity}/system={bench.system.name}/{name}.{transaction.seq}.parquet"
    return _copy(bench, rows, "raw", contract.entity, path)


def _stage_quarantined(bench: _Bench, transaction: Transaction, name: str) -> list[StagedFile]:
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
    path = (
        f"quarantine/{contract.entity}/system={bench.system.name}/{name}.{transaction.seq}.parquet"
    )
    return [_copy(bench, rows, "ledger", "quarantined_rows", path)]


def _copy(bench: _Bench, rows: str, source: str, table: str, path: str) -> StagedFile:
    staged = bench.lake.staging_path().resolve()
    bench.con.execute(f"copy ({rows}) to {literal(str(staged))} (format parquet, compression zstd)")
    count = bench.count(f"select sum(num_rows) from parquet_file_metadata({literal(str(staged))})")
    return StagedFile(staged, LakeFile(source, table, path, count))
