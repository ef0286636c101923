"""Undo: taking a load out by one record of the register, and bringing it back.

No file is deleted here: an undone load stays in the lake and may be restored, until a vacuum removes
its rows. What the warehouse then holds is the business of the next run, and whether the person means
it that of the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intake.accounting import Load, place_of
from intake.delivery import delivered
from intake.fault import InputFault
from intake.lake import RESTORE, Lake, Record
from intake.load import read_again

if TYPE_CHECKING:
    from intake.contract import Contract
    from intake.source import System

RELEASE = "release"
"""Kind of a record that ends an undo without bringing the load back."""


def find_load(lake: Lake, prefix: str) -> Record:
    """Find the live load, or the undone one, whose id begins so; an undone one has the kind `undo`.

    Raises:
        InputFault: there is none, or more than one.
    """
    found = [
        r for r in lake.live() if r.kind in ("load", "undo") and r.record_id.startswith(prefix)
    ]
    if len(found) == 1 and prefix:
        return found[0]
    raise InputFault(
        "no-such-load", prefix or "load", "there is no such load" if not found
        else f"{len(found)} loads have an id that begins so",
        where=str(lake.root / "register"),
        why="no load in force or undone has an id that begins so" if not found
        else "an undo takes one load",
        fix="unicus loads --all    (lists them with their ids)",
        exit_code=2,
    )  # fmt: skip


def has_rows(lake: Lake, undone: Record) -> bool:
    """Whether what an undo took out is still in the lake: a vacuum removes it after a time."""
    loads = [record for record in lake.records() if record.seq in undone.supersedes]
    originals = {record.details["file_hash"] for record in loads}
    rows = [lake.path(file) for record in loads for file in record.files]
    return all(path.exists() for path in [*rows, *(lake.root / "landing" / o for o in originals)])


def later_loads(lake: Lake, record: Record) -> list[Record]:
    """Live loads of the same system and entity that were delivered after this one."""
    load = Load.from_record(record)
    found = delivered(lake, load.source_system, load.entity)
    return [later for later in found if place_of(later) > place_of(record)]


def undo(
    lake: Lake, record: Record, system: System | None = None, contract: Contract | None = None
) -> None:
    """Take a load out, and its file with it, until it is restored or would be read otherwise.

    Later loads are read again first, as if it had never been, so that nothing it said first is lost
    with it; the one record that takes it out comes last.

    Args:
        lake: where the load is.
        record: the load, live.
        system: the system it came from; None when there is nothing later to read, or when the home
            has it no more and nothing of it is frozen.
        contract: the entity, with the system.

    Raises:
        InputFault: a later file cannot be read again; the load is then still in.
    """
    if system and contract:
        read_again(lake, system, contract, gone={record.seq})
    details = {"position": record.seq} | record.details
    with lake.transaction() as transaction:
        transaction.commit("undo", record.record_id, [], supersedes=[record.seq], details=details)


def restore(
    lake: Lake, undone: Record, system: System | None = None, contract: Contract | None = None
) -> None:
    """Bring an undone load back as it was, and read later ones again as following on it.

    A load whose rows a vacuum has removed is let go of: its file counts as new, where it lies.

    Args:
        lake: where the load is.
        undone: the record that undid it.
        system: the system it came from, or None, as for `undo`.
        contract: the entity, with the system.
    """
    has_its_rows = has_rows(lake, undone)
    with lake.transaction() as transaction:
        kind = RESTORE if has_its_rows else RELEASE
        transaction.commit(kind, undone.record_id, [], supersedes=[undone.seq])
    if has_its_rows and system and contract:
        read_again(lake, system, contract)
