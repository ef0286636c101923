"""Retention: which files of the lake nobody needs any more.

A file is needed while a record in force names it, while what it holds may still come back, or while a
snapshot that is kept reads it. How long that is, whoever asks decides; that files are removed, and in
which order, is the business of `unicus vacuum`. Records stay: they tell what was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from intake.lake import EXPIRY, Lake, Record, deaths

NOT_DATA = {"register", "incoming", "landing", "schema", "snapshots"}
"""Folders of the lake without rows that a record names. The empty files in `schema` stay."""


@dataclass(frozen=True)
class Found:
    """Files of one kind: those to remove, in the order to do it, and the age of the rest.

    Attributes:
        files: what nobody needs.
        oldest_kept: the time that decides over the oldest one that is still kept.
    """

    files: tuple[Path, ...]
    oldest_kept: datetime | None = None


def old_snapshots(
    lake: Lake, before: datetime, published: str | None, learnt: Collection[str] = ()
) -> tuple[Found, list[Path]]:
    """Find the snapshots that no run stood on since a time, and those that stay.

    The newest stays, and the one of the published copy: partial runs stand there.

    Args:
        lake: where the snapshots are.
        before: older ones go.
        published: id of the snapshot of the published copy.
        learnt: ids of snapshots that a model learnt from. Their lists stay, for somebody may ask which
            loads it saw; what they list may go.
    """
    folder = lake.root / "snapshots"
    by_age = sorted(folder.glob("*.json"), key=_written_at)
    stays = [
        path for path in by_age
        if path in by_age[-1:] or path.stem == published or _written_at(path) >= before
    ]  # fmt: skip
    ledgers = {folder / f"{path.stem}.loads.parquet" for path in stays}
    # The list last: without one its ledger is what a kill left.
    orphans = sorted(path for path in folder.glob("*.loads.parquet") if path not in ledgers)
    gone = [path for path in by_age if path not in stays and path.stem not in learnt]
    return Found((*gone, *orphans), _oldest(map(_written_at, stays))), stays


def dead_files(
    lake: Lake, records: Sequence[Record], before: datetime, snapshots: Iterable[Path],
    spared: Collection[int] = (),
) -> Found:  # fmt: skip
    """Find the files of rows that are out of force for long, and of writers that were killed.

    Args:
        lake: where the files are.
        records: every record of the register.
        before: what died earlier goes.
        snapshots: those that stay; their files do too.
        spared: numbers of records whose files stay, though they are dead.
    """
    died = deaths(records)
    expired = {seq for record in records if record.kind == EXPIRY for seq in record.supersedes}
    frozen = {file.path for path in snapshots for file in lake.frozen(path.stem)[1]}
    kept, named = set(frozen), {file.path for record in records for file in record.files}
    for record in records:
        is_old = record.seq in died and died[record.seq] < before and record.seq not in spared
        if not is_old and record.seq not in expired:
            kept |= {file.path for file in record.files}

    def is_dead(path: Path) -> bool:
        name = str(path.relative_to(lake.root))
        return name not in kept and (name in named or _written_at(path) < before)

    gone = tuple(path for path in _data_files(lake) if is_dead(path))
    young = [at for seq, at in died.items() if at >= before and seq not in expired]
    return Found(gone, _oldest(young))


def old_originals(lake: Lake, records: Sequence[Record], before: datetime) -> Found:
    """Find the kept bytes of files whose loads are all out of force for long, or never came to be.

    Those of loads in force stay for ever: a change of the rules reads them again.

    Args:
        lake: where the originals are.
        records: every record of the register.
        before: originals go whose last load died earlier, or that were kept earlier for no load.
    """
    died = deaths(records)
    loads = [record for record in records if record.kind == "load"]
    known = {record.details["file_hash"] for record in loads}
    needed = {
        record.details["file_hash"]
        for record in loads
        if record.seq not in died or died[record.seq] >= before
    }
    originals = sorted((lake.root / "landing").glob("*"))
    gone = tuple(
        path for path in originals
        if path.name not in needed and (path.name in known or _written_at(path) < before)
    )  # fmt: skip
    return Found(gone, _oldest(_written_at(path) for path in originals if path not in gone))


def _data_files(lake: Lake) -> Iterator[Path]:
    for folder in sorted(path for path in lake.root.iterdir() if path.is_dir()):
        if folder.name not in NOT_DATA:
            yield from sorted(folder.rglob("*.parquet"))


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _oldest(times: Iterable[datetime]) -> datetime | None:
    return min(times, default=None)
