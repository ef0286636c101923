"""Staging: the Parquet files of one load, written in full and not yet visible.

Which columns accepted and refused rows have in the lake, and where their files lie. What became of a
row is decided in `judge.py`; the record that makes the files exist is written by `load.py`.
"""

from __future__ import annotations

from intake.bench import Bench
from intake.lake import LakeFile, StagedFile, Transaction
from intake.sql import literal, quoted

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


def stage_accepted(bench: Bench, transaction: Transaction, name: str) -> StagedFile:
    """Write the rows that `raw` gets from the load `name`, deletions included."""
    contract = bench.contract
    own = ", ".join(quoted(field.name) for field in contract.fields)
    rows = f"""
        select {literal(bench.system.name)} as source_system, {own}, _row, _row_count, _content_hash,
            _version_at, {literal(name)} as _load_id, cast({transaction.seq} as bigint) as _load_seq,
            cast({literal(transaction.committed_at.replace(tzinfo=None).isoformat())} as timestamp)
                as _loaded_at, _is_deleted
        from checked where _reason is null and not _is_redelivered order by _row
    """
    path = _path("raw", bench, transaction, name)
    return _copy(bench, rows, "raw", contract.entity, path)


def stage_quarantined(bench: Bench, transaction: Transaction, name: str) -> list[StagedFile]:
    """Write the rows that the load `name` refuses, if there are any."""
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
    path = _path("quarantine", bench, transaction, name)
    return [_copy(bench, rows, "ledger", "quarantined_rows", path)]


def _path(folder: str, bench: Bench, transaction: Transaction, name: str) -> str:
    # A load read again has the same name and other rows: no file ever changes its content.
    below = f"{bench.contract.entity}/system={bench.system.name}"
    return f"{folder}/{below}/{name}.{transaction.seq}.parquet"


def _copy(bench: Bench, rows: str, source: str, table: str, path: str) -> StagedFile:
    staged = bench.lake.staging_path().resolve()
    bench.con.execute(f"copy ({rows}) to {literal(str(staged))} (format parquet, compression zstd)")
    count = bench.count(f"select sum(num_rows) from parquet_file_metadata({literal(str(staged))})")
    return StagedFile(staged, LakeFile(source, table, path, count))
