"""What identity reads and keeps: records and decisions of the warehouse, its log and model in the lake.

Belongs here: where these lie. Does not belong here: what follows from them (`identity/`), nor when that is
worked out (`defs/identity.py`). Light: verbs read it without Dagster.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from identity.compare import PROFILES, Model, model_of, model_tables
from identity.ids import EVENTS
from identity.phones import KINDS, NOBODYS, kinds_of
from identity.resolve import DECISIONS
from intake.lake import Lake, Record
from orchestration.progress import progress
from orchestration.settings import Home

PHONES = ("mobile_phone", "phone")
NUMBERS = pa.schema([("number", pa.string())])


def promoted_model(lake: Lake) -> Model | None:
    """The model that resolves records, None when none was made yet."""
    from pyarrow import parquet

    for record in lake.live("identity_model"):
        files = {file.table: parquet.ParquetFile(lake.path(file)).read() for file in record.files}
        return model_of(files["identity_model"], files["identity_name_frequencies"])
    return None


def next_version(lake: Lake) -> int:
    """A number that no model of the home had."""
    return 1 + sum(record.kind == "identity_model" for record in lake.records())


def promote(lake: Lake, model: Model) -> None:
    """Have a model resolve records from the next run on."""
    old = [record.seq for record in lake.live("identity_model")]
    with lake.transaction() as transaction:
        staged = [
            lake.stage(table, "identity", name, f"identity/{name}/{transaction.seq:010d}.parquet")
            for name, table in model_tables(model).items()
        ]
        transaction.commit("identity_model", model.version, staged, supersedes=old)


def read_records(home: Home) -> pa.Table:
    """Every record that is mentioned anywhere, with its profile where it has one.

    Numbers that by their kind are nobody's are left out.
    """
    of_people = ", ".join(
        f"case when md5({name}) not in (select phone_hash from nobodys) then {name} end as {name}"
        for name in PHONES
    )
    kinds = read_phone_kinds(home.lake)
    return _read(home, f"""
        with nobodys as (select phone_hash from kinds where phone_kind in {NOBODYS})
        select * replace ({of_people}) from staging.identity_profiles
        union all by name
        select source_system, source_key from staging.identity_records
        anti join staging.identity_profiles using (source_system, source_key)
    """, PROFILES, kinds=kinds)  # fmt: skip


def keep_phone_kinds(home: Home) -> None:
    """Ask of what kind the numbers are that no run met before, and keep it."""
    told = " union ".join(
        f"select {name} as number from staging.identity_profiles where {name} is not null"
        for name in PHONES
    )
    found = _read(home, f"""
        select number from ({told}) where md5(number) not in (select phone_hash from kinds)
    """, NUMBERS, kinds=read_phone_kinds(home.lake))  # fmt: skip
    if not found.num_rows:
        return
    progress.note(f"asking the kind of {found.num_rows:,} telephone numbers")
    kinds = kinds_of(found["number"].to_pylist())
    with home.lake.transaction() as transaction:
        number = f"{transaction.seq:010d}"
        path = f"identity/phone_kinds/{number}.parquet"
        staged = home.lake.stage(kinds, "identity", "phone_kinds", path)
        transaction.commit("phone_kinds", number, [staged])


def read_phone_kinds(lake: Lake) -> pa.Table:
    """The kinds of all numbers that were ever asked."""
    from pyarrow import parquet

    files = [file for record in lake.live("phone_kinds") for file in record.files]
    tables = [parquet.read_table(lake.path(file), schema=KINDS) for file in files]
    return pa.concat_tables([KINDS.empty_table(), *tables])


def read_decisions(home: Home) -> pa.Table:
    """What stewards say, as it stands."""
    return _read(home, "select * from staging.identity_decisions", DECISIONS)


def _read(home: Home, query: str, schema: pa.Schema, **given: pa.Table) -> pa.Table:
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        for name, table in given.items():
            con.register(name, table)
        return con.execute(query).to_arrow_table().select(schema.names).cast(schema)


def last_seq(logged: list[Record]) -> int:
    """Number of the last event; told by its record, counted for those of older code."""
    told = [int(record.details.get("last_event_seq", 0)) for record in logged]
    counted = sum(f.rows for r in logged for f in r.files if f.table == "identity_events")
    return max([counted, *told])


def read_events(lake: Lake, records: list[Record]) -> pa.Table:
    """All that was ever decided, by the records of the register."""
    from pyarrow import parquet

    tables = [
        parquet.read_table(lake.path(file), schema=EVENTS)
        for record in records
        for file in record.files
        if file.table == "identity_events"
    ]
    return pa.concat_tables([EVENTS.empty_table(), *tables])
