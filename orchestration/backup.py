"""A copy of what a home cannot be rebuilt without, taken beside a run at work: `unicus backup`.

The copy is a home itself: `unicus doctor --home` looks at it, and it is put back by copying it to its
place. It is whole at every moment. Files of the lake never change, and a record, like the store of the
models, only names files that are there: so what names is read first, and becomes visible in the copy
last. The store is read after the register, for a training is in it before it is in the register.
"""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intake.lake import EXPIRY, put_in_place, read_record
from ml.tracking import ARTIFACTS, STORE
from orchestration import lock
from orchestration.console import aligned
from orchestration.settings import Home, SettingFault, read_config, require_home

SCHEMA = "unicus.backup/1"
TRIES = 5
NOT_LISTED = {"incoming", "register", "register.lock"}
"""Of the lake: what is not visible yet, and the records, which are copied apart."""


@dataclass(frozen=True)
class Backup:
    """What a copy lacks, or what it was given.

    Attributes:
        home: the home.
        copy: the copy, a home too.
        records: files of the register by name, as they were read.
        files: files, relative to the home.
        size: bytes of the files.
    """

    home: Home
    copy: Home
    records: dict[str, bytes]
    files: tuple[Path, ...]
    size: int

    @property
    def next(self) -> str:
        """The command line that looks whether the copy is sound."""
        return f"unicus doctor --home {shlex.quote(str(self.copy.root))}"


def plan_backup(home: Home, target: Path) -> Backup:
    """Find out what the copy lacks.

    Args:
        home: The home.
        target: Folder of the copy; need not exist.

    Raises:
        SettingFault: no home, or a folder that holds something else than an earlier copy of it.
    """
    copy = _checked(home, target)
    return _lacking(home, copy, _new_records(home, copy))


def back_up(home: Home, target: Path) -> Backup:
    """Copy what is lacking. A copy that was killed is as it was before, and is finished by the next.

    Args:
        home: The home; a run may be at work.
        target: Folder of the copy, made if missing.

    Raises:
        SettingFault: as for the plan.
        HomeBusy: another backup writes there.
    """
    copy = _checked(home, target)
    copy.lake.create()
    copy.mlflow.mkdir(exist_ok=True)
    with lock.hold(copy.root):
        copy.lake.clear_incoming()
        store = _staged(copy)
        name = _read_store(home, store)
        lacking = _copied(home, copy)
        records = lacking.records
        if name:
            put_in_place(store, copy.mlflow / name)
        if home.config_path.exists():
            _put(copy, home.config_path, copy.config_path)
        for name, raw in sorted(records.items()):
            staged = _staged(copy)
            staged.write_bytes(raw)
            put_in_place(staged, copy.root / "lake" / "register" / name)
    return lacking


def _copied(home: Home, copy: Home) -> Backup:
    """Copy the files; begin again when a vacuum removes some meanwhile, as it may do a few times."""
    for _ in range(TRIES):
        lacking = _lacking(home, copy, _new_records(home, copy))
        try:
            for path in lacking.files:
                _put(copy, home.root / path, copy.root / path)
        except FileNotFoundError:
            continue
        known = {*lacking.records, *(path.name for path in copy.lake.record_paths())}
        since = [path for path in home.lake.record_paths() if path.name not in known]
        if not any(read_record(path).kind == EXPIRY for path in since):
            return lacking
    raise SettingFault(
        "home-changes", str(home.root), "files go away faster than they can be copied",
        where=str(home.lake.root), why="unicus vacuum is at work on the home again and again",
        fix=f"start it again:  unicus backup {shlex.quote(str(copy.root))}",
    )  # fmt: skip


def backup_value(backup: Backup, status: str) -> dict[str, Any]:
    """The backup as one JSON object; status is planned or done."""
    return {
        "schema": SCHEMA,
        "status": status,
        "home": str(backup.home.root),
        "target": str(backup.copy.root),
        "new_records": len(backup.records),
        "new_files": len(backup.files),
        "new_bytes": backup.size,
        "not_in_it": _outside(backup.home),
        "next": backup.next,
    }


def backup_text(backup: Backup, status: str) -> str:
    """The backup as a person reads it."""
    did = "Copied" if status == "done" else "Would copy"
    rows = [
        ("to", str(backup.copy.root)),
        ("records", f"{len(backup.records):,} new"),
        ("files", f"{len(backup.files):,} new, {backup.size / (1 << 20):,.1f} MB"),
        *(("not in it", path) for path in _outside(backup.home)),
        ("next", backup.next),
    ]
    return f"{did} home.yaml, lake and models.\n{aligned(rows)}"


def _checked(home: Home, target: Path) -> Home:
    require_home(home)
    root, copy = home.root.resolve(), Home(target.resolve())
    if copy.root.is_relative_to(root) or root.is_relative_to(copy.root):
        raise _unfit(copy, "the home lies in it, or it in the home")
    if copy.root.is_dir() and any(copy.root.iterdir()) and not (copy.root / "lake").is_dir():
        raise _unfit(copy, "it is not empty, and holds no lake")
    return copy


def _unfit(copy: Home, why: str) -> SettingFault:
    return SettingFault(
        "unfit-target", str(copy.root), "the folder is no place for a copy of this home",
        where=str(copy.root), why=why,
        fix="name a new folder, or one that holds an earlier copy of the same home",
    )  # fmt: skip


def _new_records(home: Home, copy: Home) -> dict[str, bytes]:
    """Records that the copy lacks; one with others is of another home, or was run on."""
    there = {path.name: path.read_bytes() for path in home.lake.record_paths()}
    kept = {path.name: path.read_bytes() for path in copy.lake.record_paths()}
    if not kept.items() <= there.items():
        raise _unfit(copy, "its register has records that the home does not have")
    return {name: raw for name, raw in there.items() if name not in kept}


def _read_store(home: Home, staged: Path) -> str:
    """Copy the store of the models in one piece, although somebody may write to it; return its name."""
    url = read_config(home).postgres if home.config_path.exists() else None
    if url:
        from orchestration.database import DUMP, dump

        dump(url, staged)
        return DUMP
    if not (home.mlflow / STORE).exists():
        return ""
    address = f"{(home.mlflow / STORE).absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as there,
        closing(sqlite3.connect(staged)) as here,
    ):
        there.backup(here)
    return STORE


def _lacking(home: Home, copy: Home, records: dict[str, bytes]) -> Backup:
    sizes = {path: _size(path) or 0 for path in _files(home)}
    lacking = {
        path.relative_to(home.root): size
        for path, size in sizes.items()
        if _size(copy.root / path.relative_to(home.root)) != size
    }
    return Backup(home, copy, records, tuple(sorted(lacking)), sum(lacking.values()))


def _files(home: Home) -> Iterator[Path]:
    """Files that do not change once a record, or the store, names them."""
    lake = (path for path in home.lake.root.iterdir() if path.name not in NOT_LISTED)
    for folder in (*lake, home.mlflow / ARTIFACTS):
        # A name with a dot before it is being written.
        yield from (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _put(copy: Home, path: Path, target: Path) -> None:
    staged = _staged(copy)
    shutil.copyfile(path, staged)
    put_in_place(staged, target)


def _staged(copy: Home) -> Path:
    return copy.lake.root / "incoming" / uuid.uuid4().hex


def _outside(home: Home) -> list[str]:
    """Folders the home reads that are not its own: definitions of systems, and their files."""
    places = read_config(home).systems.values()
    return sorted({path for place in places for path in (place.folder, place.location) if path})
