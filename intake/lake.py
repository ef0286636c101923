"""The lake: immutable Parquet files, and the register that says which of them are live.

A file is staged beside its place, fsynced, renamed, and never edited. One record in the register
makes a set of files visible and what it replaces invisible, in one step; a file without a record does
not exist. What the rows mean is the business of `load.py`, of identity and of the models.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intake.fault import InputFault

if TYPE_CHECKING:
    import pyarrow as pa


RESTORE = "restore"
"""Kind of a record that takes others back: what it supersedes counts as if it had never been."""

EXPIRY = "expiry"
"""Kind of a record that puts others out of force for their age: their files may go at once."""


@dataclass(frozen=True)
class LakeFile:
    """One Parquet file: the source table it is part of, its path below the lake, its rows."""

    source: str
    table: str
    path: str
    rows: int


@dataclass(frozen=True)
class Record:
    """One commit: files it adds, records it supersedes, and what the writer wants remembered.

    Attributes:
        seq: rises with every record, without a gap.
        committed_at: rises with every record, ISO 8601, UTC.
        kind: what wrote it: `load`, `undo`, `restore`, `release`, `identity_events`, `customer_map`,
            `training`, `scores`, `expiry`.
        record_id: name of the content; the same content has the same name.
        details: facts of the writer's own, for example the row accounting of a load.
    """

    seq: int
    committed_at: str
    kind: str
    record_id: str
    files: tuple[LakeFile, ...]
    supersedes: tuple[int, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StagedFile:
    """A file written in full but not yet visible."""

    staged: Path
    target: LakeFile


class Transaction:
    """A commit in the making, under the register's lock."""

    def __init__(self, lake: Lake, seq: int, committed_at: datetime) -> None:
        self.seq = seq
        self.committed_at = committed_at
        self._lake = lake

    def commit(
        self,
        kind: str,
        record_id: str,
        staged: Sequence[StagedFile],
        *,
        supersedes: Sequence[int] = (),
        details: dict[str, Any] | None = None,
    ) -> Record:
        """Put the staged files in place, then write the record that makes them exist."""
        for one in staged:
            put_in_place(one.staged, self._lake.root / one.target.path)
        record = Record(
            seq=self.seq,
            committed_at=self.committed_at.isoformat(),
            kind=kind,
            record_id=record_id,
            files=tuple(one.target for one in staged),
            supersedes=tuple(supersedes),
            details=details or {},
        )
        self._lake.write_record(record)
        return record


class Lake:
    """The lake of one home. Cheap to make; looks for new records at each question.

    A record never changes, so each is read once: a load asks several times per file, and a home soon
    has thousands of them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: list[Record] = []
        self._register = root / "register"
        self._incoming = root / "incoming"

    def create(self) -> None:
        """Make the folders of an empty lake; harmless on one that exists."""
        for name in ("register", "incoming", "landing", "raw", "quarantine", "schema", "snapshots"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def record_paths(self) -> list[Path]:
        """The file of every record ever committed, oldest first."""
        return sorted(self._register.glob("*.json"))

    def records(self) -> list[Record]:
        """Every record ever committed, oldest first."""
        if not self._known:
            self._known = [read_record(path) for path in self.record_paths()]
        while self._known and (next_one := self._record_path(self._known[-1].seq + 1)).exists():
            self._known.append(read_record(next_one))
        return list(self._known)

    def _record_path(self, seq: int) -> Path:
        return self._register / f"{seq:010d}.json"

    def live(self, kind: str | None = None) -> list[Record]:
        """Records that no record in force supersedes, oldest first, of one kind if asked."""
        return [record for record in in_force(self.records()) if kind in (None, record.kind)]

    def path(self, file: LakeFile) -> Path:
        """Where the file lies."""
        return self.root / file.path

    def snapshot_path(self, snapshot_id: str) -> Path:
        """Where a snapshot is written down."""
        return self.root / "snapshots" / f"{snapshot_id}.json"

    def frozen(self, snapshot_id: str) -> tuple[list[int], tuple[LakeFile, ...]]:
        """Loads, by number, and files that a snapshot froze."""
        raw = json.loads(self.snapshot_path(snapshot_id).read_text("utf-8"))
        return list(raw["loads"]), tuple(LakeFile(**file) for file in raw["files"])

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the register's lock; sequence and time of the commit are fixed from the start.

        They rise strictly, so rows written before the commit may already carry them.
        """
        with (self.root / "register.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            records = self.records()
            now = datetime.now(UTC)
            if records:
                last = datetime.fromisoformat(records[-1].committed_at)
                now = max(now, last + timedelta(microseconds=1))
            yield Transaction(self, (records[-1].seq if records else 0) + 1, now)

    def write_record(self, record: Record) -> None:
        """Make a commit visible: one file, written beside, fsynced, renamed."""
        staged = self._incoming / f"{uuid.uuid4().hex}.json"
        staged.write_text(json.dumps(asdict(record), indent=1), "utf-8")
        put_in_place(staged, self._record_path(record.seq))

    def staging_path(self) -> Path:
        """A new place for a Parquet file that is not yet visible."""
        return self._incoming / f"{uuid.uuid4().hex}.parquet"

    def stage(self, table: pa.Table, source: str, name: str, path: str) -> StagedFile:
        """Write an Arrow table as a staged file of `source.name`, to lie at `path`."""
        from pyarrow import parquet

        staged = self.staging_path()
        parquet.write_table(table, staged, compression="zstd")
        return StagedFile(staged, LakeFile(source, name, path, table.num_rows))

    def put_schema(self, source: str, table: str, schema: pa.Schema) -> LakeFile:
        """Keep the empty file that gives `source.table` its columns; rewritten when they change."""
        from pyarrow import parquet

        digest = hashlib.sha256(str(schema).encode()).hexdigest()[:12]
        target = LakeFile(source, table, f"schema/{source}/{table}.{digest}.parquet", 0)
        if not self.path(target).exists():
            staged = self.staging_path()
            parquet.write_table(schema.empty_table(), staged)
            put_in_place(staged, self.path(target))
        return target

    def keep_original(self, path: Path) -> str:
        """Keep the bytes of a landing file under their hash; return the hash.

        A copy, not a hard link: a landing file that is appended to in place would change the kept
        original with it, unseen.
        """
        digest = file_hash(path)
        kept = self.root / "landing" / digest
        if not kept.exists():
            staged = self._incoming / uuid.uuid4().hex
            shutil.copyfile(path, staged)
            if file_hash(staged) != digest:
                staged.unlink()
                raise InputFault(
                    "changed-file", path.name, "the file changed while it was read",
                    where=str(path), why="something still writes to it",
                    fix="deliver files under another name and rename them when they are whole, then"
                    "  unicus run",
                )  # fmt: skip
            put_in_place(staged, kept)
        return digest

    def clear_incoming(self) -> None:
        """Drop what a killed writer left behind; only the holder of the home calls this."""
        for path in self._incoming.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def deaths(records: Sequence[Record]) -> dict[int, datetime]:
    """Since when each record is out of force that another one in force supersedes, by its number.

    Args:
        records: every record of the register, oldest first.
    """
    void = {seq for record in records if record.kind == RESTORE for seq in record.supersedes}
    return {
        seq: datetime.fromisoformat(record.committed_at)
        for record in records
        if record.seq not in void
        for seq in record.supersedes
    }


def file_hash(path: Path) -> str:
    """SHA-256 of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text_durably(path: Path, text: str) -> None:
    """Replace the text of a small file in one step."""
    staged = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    staged.write_text(text, "utf-8")
    put_in_place(staged, path)


def put_in_place(staged: Path, target: Path) -> None:
    """Give a finished file its name in one step that a power cut cannot halve."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sync(staged)
    staged.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def in_force(records: Sequence[Record]) -> list[Record]:
    """Those of the records that no other of them in force supersedes."""
    dead = deaths(records)
    return [record for record in records if record.seq not in dead]


def read_record(path: Path) -> Record:
    """Read one record.

    Raises:
        InputFault: the file is not a record.
    """
    try:
        raw = json.loads(path.read_text("utf-8"))
        files = tuple(LakeFile(**one) for one in raw.pop("files"))
        return Record(files=files, supersedes=tuple(raw.pop("supersedes")), **raw)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputFault(
            "bad-record", f"register/{path.stem}", "a record of the register cannot be read",
            where=str(path), why="it is cut short, edited, or of another version of Unicus",
            fix="put the home back from a copy, or build a new one:  unicus run --home DIR",
        ) from error  # fmt: skip
