"""Snapshots: the live loads frozen for one run, and the day up to which they are complete.

A run reads the loads of its snapshot and no later ones. Which entities exist comes from the
contracts, so an entity without a file is an empty typed table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from intake.accounting import Load
from intake.contract import Contract
from intake.lake import (
    Lake,
    LakeFile,
    Record,
    put_in_place,
    write_text_durably,
)
from intake.sql import literals, quoted
from intake.stage import QUARANTINE_COLUMNS

COMPLETE_SHARE = 0.1
MEDIAN_DAYS = 28

LOADS_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("load_seq", pa.int64()),
        ("loaded_at", pa.timestamp("us")),
        ("source_system", pa.string()),
        ("entity", pa.string()),
        ("file_name", pa.string()),
        ("file_hash", pa.string()),
        ("contract_version", pa.string()),
        ("read_rows", pa.int64()),
        ("stored_rows", pa.int64()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("rows_count", pa.int64()),
    ]
)
"""The accounting of the live loads, one row per load, outcome and reason."""


@dataclass(frozen=True)
class Snapshot:
    """The live loads at one moment: an id made of theirs, and the files to read."""

    snapshot_id: str
    files: tuple[LakeFile, ...]
    loads: tuple[Load, ...]


def snapshot_id(loads: list[Record]) -> str:
    """Name of a set of loads; the same loads have the same name in every home."""
    names = "\n".join(sorted(record.record_id for record in loads))
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def loads_of(lake: Lake, systems: Collection[str] | None = None) -> list[Record]:
    """Live loads that a run reads: those of the systems named, or of all.

    The loads of a system that left the home stay in the register, and count again when it returns.
    """
    loads = lake.live("load")
    return [r for r in loads if systems is None or r.details["source_system"] in systems]


def freeze(
    lake: Lake, contracts: dict[str, Contract], systems: Collection[str] | None = None
) -> Snapshot:
    """Write down which loads of these systems, or of all, are live now, and return them."""
    live = loads_of(lake, systems)
    name = snapshot_id(live)
    files = [
        *_schema_files(lake, contracts),
        *(file for record in live for file in record.files),
        _write_loads(lake, name, live),
    ]
    frozen = {"loads": [record.seq for record in live], "files": [asdict(file) for file in files]}
    write_text_durably(lake.snapshot_path(name), json.dumps(frozen, indent=1))
    return Snapshot(name, tuple(files), tuple(map(Load.from_record, live)))


def read_snapshot(lake: Lake, name: str) -> Snapshot:
    """Read a snapshot frozen before."""
    return Snapshot(
        name, lake.frozen(name)[1], tuple(map(Load.from_record, snapshot_records(lake, name)))
    )


def snapshot_records(lake: Lake, name: str) -> list[Record]:
    """Records of the loads of a snapshot, oldest first."""
    seqs = set(lake.frozen(name)[0])
    return [record for record in lake.records() if record.seq in seqs]


def _schema_files(lake: Lake, contracts: dict[str, Contract]) -> list[LakeFile]:
    raw = [
        lake.put_schema("raw", entity, arrow_schema(contract.raw_columns))
        for entity, contract in contracts.items()
    ]
    return [*raw, lake.put_schema("ledger", "quarantined_rows", arrow_schema(QUARANTINE_COLUMNS))]


def arrow_schema(columns: dict[str, str]) -> pa.Schema:
    """The Arrow schema of columns given with their SQL types."""
    casts = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in columns.items())
    # DuckDB's shared connection: opening one for each of two dozen contracts takes half a second.
    return duckdb.execute(f"select {casts}").to_arrow_table().schema


def _write_loads(lake: Lake, name: str, live: list[Record]) -> LakeFile:
    rows = [
        {
            "load_id": load.load_id,
            "load_seq": record.seq,
            "loaded_at": datetime.fromisoformat(record.committed_at).replace(tzinfo=None),
            "source_system": load.source_system,
            "entity": load.entity,
            "file_name": load.file_name,
            "file_hash": load.file_hash,
            "contract_version": load.contract_version,
            "read_rows": load.read_rows,
            "stored_rows": load.stored_rows,
            "outcome": one.outcome,
            "reason": one.reason,
            "rows_count": one.rows,
        }
        for record in live
        for load in [Load.from_record(record)]
        for one in load.outcomes
    ]
    table = pa.Table.from_pylist(rows, schema=LOADS_SCHEMA)
    path = f"snapshots/{name}.loads.parquet"
    staged = lake.stage(table, "ledger", "loads", path)
    put_in_place(staged.staged, lake.root / path)
    return staged.target


def day_range(
    lake: Lake, snapshot: Snapshot, contracts: dict[str, Contract], timezone: str
) -> tuple[date, date] | None:
    """First day and the day after the last complete day of the entities that are clocks.

    A day is complete when it has at least a tenth of the median count of the 28 days with data
    before it, so that a day just begun, or one wrong date, does not move the whole warehouse. Where
    no clock has a row, every entity with an event counts, and where none has, the days of the loads.

    Returns:
        The first day with data and the default `as_of`, or None without any data.
    """
    files: dict[str, list[str]] = {}
    for file in snapshot.files:
        if file.source == "raw" and file.rows and file.table in contracts:
            files.setdefault(file.table, []).append(str(lake.path(file)))
    dated = {entity: contracts[entity].event_time for entity in files}
    times = (
        {entity: time for entity, time in dated.items() if contracts[entity].is_clock},
        dated,
        dict.fromkeys(files, "_loaded_at"),
    )
    for candidates in times:
        days = [
            _complete_days(files[entity], time, timezone)
            for entity, time in candidates.items() if time
        ]  # fmt: skip
        if days:
            return min(first for first, _ in days), max(last for _, last in days) + timedelta(1)
    return None


def _complete_days(files: list[str], event_time: str, timezone: str) -> tuple[date, date]:
    with duckdb.connect() as con:
        row = con.execute(
            f"""
            with days as (
                select
                    case typeof({quoted(event_time)})
                        when 'DATE' then cast({quoted(event_time)} as date)
                        else cast(
                            cast({quoted(event_time)} as timestamp) at time zone 'UTC'
                            at time zone $zone as date
                        )
                    end as day, count(*) as n
                from read_parquet({literals(files)}, union_by_name = true)
                group by day
            ),
            compared as (
                select day, n, median(n) over (
                    order by day rows between {MEDIAN_DAYS} preceding and 1 preceding
                ) as usual
                from days
            )
            select min(day), max(day) filter (n >= $share * coalesce(usual, 0)) from compared
            """,
            {"zone": timezone, "share": COMPLETE_SHARE},
        ).fetchone()
    assert row is not None
    return row[0], row[1]
