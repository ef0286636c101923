"""The bench: a database on which one file is laid out as `file_rows`, shut off from all else.

What is fixed for one file stands here: where its bytes are, which system and entity it feeds, the time
of its load. How its format is read is the business of `read.py`; what is done with the rows, that of
`mapping.py`, `check.py`, `redelivery.py` and `deletion.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from intake.contract import Contract
from intake.fault import InputFault
from intake.lake import Lake
from intake.read import Unreadable, keep_first, read_into
from intake.source import EntitySpec, FileSpec, System
from intake.sql import literal, literals, quoted

MEMORY_LIMIT = "3GB"
"""What a load may hold in memory; beyond it DuckDB spills beside the lake's incoming files."""


@dataclass
class Bench:
    """A database that shows the file's rows; what runs on it reaches the lake only.

    Attributes:
        path: the landing file, as faults name it.
        original: the kept bytes; what is read is what was hashed, whatever happens to `path`.
        committed_at: the time of the load.
        file_date: the business date of the file.
        was_accepted: whether a load of the same bytes was let in before.
        sample: how many rows to read; all without it.
        read_rows: rows that the reader counted, before any SQL.
    """

    lake: Lake
    system: System
    contract: Contract
    path: Path
    original: Path
    committed_at: datetime
    file_date: date | None
    was_accepted: bool = False
    sample: int | None = None
    read_rows: int = 0
    con: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    @property
    def feed(self) -> EntitySpec:
        """How the system feeds the entity."""
        return self.system.spec.entities[self.contract.entity]

    @property
    def spec(self) -> FileSpec:
        """How the file is read."""
        return self.system.file_spec(self.contract.entity).of_file(self.path)

    @property
    def business_day(self) -> date:
        """The day of the load where the system does business."""
        zone = ZoneInfo(self.system.spec.business_timezone)
        return self.committed_at.astimezone(zone).date()

    @property
    def start_of_date(self) -> str:
        """SQL for the start of the file's business date where the system does business, in UTC."""
        if not self.file_date:
            return "null"
        zone = literal(self.system.spec.business_timezone)
        return f"timezone('UTC', timezone({zone}, timestamp '{self.file_date}'))"

    @property
    def own_version(self) -> str:
        """SQL for the time that a row itself tells of its version."""
        return f"cast({quoted(self.contract.version_by)} as timestamp)"

    @property
    def subject(self) -> str:
        """What a fault is about."""
        return f"{self.system.name}/{self.contract.entity}"

    def columns(self, table: str) -> dict[str, str]:
        """Columns of a table with their types, in order."""
        rows = self.con.execute(f"describe {quoted(table)}").fetchall()
        return {row[0]: row[1].lower() for row in rows}

    def count(self, sql: str) -> int:
        """The number that a query gives; 0 if it gives none."""
        row = self.con.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0


@contextmanager
def laid_out(bench: Bench) -> Iterator[None]:
    """Show the file's rows as `file_rows`, then let the bench reach nothing but them and the lake.

    Raises:
        InputFault: the file cannot be read.
    """
    with tempfile.TemporaryDirectory(dir=bench.lake.root / "incoming") as scratch, bench.con as con:
        con.execute("set timezone = 'UTC'")
        con.execute("set autoinstall_known_extensions = false")
        con.execute("set enable_progress_bar = false")
        con.execute(f"set memory_limit = {literal(MEMORY_LIMIT)}")
        con.execute(f"set temp_directory = {literal(str(Path(scratch).resolve()))}")
        bench.read_rows = _read(bench)
        _shut(bench)
        yield


def _read(bench: Bench) -> int:
    """Show the file's rows as `file_rows`, numbered from 1; return their count by the reader."""
    try:
        rows = read_into(bench.con, bench.original, bench.spec, bench.file_date)
        if bench.sample is not None:
            rows = keep_first(bench.con, bench.sample, bench.spec.format)
        return rows
    except Unreadable as fault:
        raise unreadable(bench, fault) from fault


def _shut(bench: Bench) -> None:
    """Shut the bench off, for the mapping is the user's own SQL.

    Of this machine it reaches this file and what its system said before of the entity.
    """
    own = f"raw/{bench.contract.entity}/system={bench.system.name}"
    folders = [str((bench.lake.root / name).resolve()) for name in ("incoming", own)]
    bench.con.execute(f"set allowed_paths = {literals([str(bench.original.resolve())])}")
    bench.con.execute(f"set allowed_directories = {literals(folders)}")
    bench.con.execute("set enable_external_access = false")
    bench.con.execute("set lock_configuration = true")


def unreadable(bench: Bench, fault: Unreadable) -> InputFault:
    """The fault of a file that the reader cannot take, with its place."""
    line = f" line {fault.line}" if fault.line else ""
    return InputFault(
        fault.code, bench.subject, fault.what,
        where=f"{bench.path}{line}", why=fault.why,
        fix="deliver the file again, or correct how source.yaml says to read it, then  unicus run",
    )  # fmt: skip
