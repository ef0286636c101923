"""Replay: the raw layer anew from the kept originals, by the mapping, source and contract of now.

Which loads have to be read again, whether their originals are whole, and what would become of their
rows is found out here before the first of them is touched. How a file is read again is the business of
`load.py`; what the warehouse then holds, that of the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from intake.accounting import Load, Outcome
from intake.bench import Bench, laid_out
from intake.delivery import Delivery, load_id, to_read_in_order
from intake.fault import InputFault
from intake.judge import judge
from intake.lake import Lake, Record, file_hash

if TYPE_CHECKING:
    from intake.contract import Contract
    from intake.source import System


@dataclass(frozen=True)
class Reading:
    """A load that is read again.

    Attributes:
        record: the load as it is.
        load_id: its id by the rules of now.
    """

    record: Record
    load_id: str

    @property
    def is_changed(self) -> bool:
        """Whether the rules have changed since it was read, or it only follows on one that has."""
        return self.load_id != self.record.record_id


def to_read_again(
    lake: Lake,
    system: System,
    contract: Contract,
    since: date | None = None,
    *,
    even_if_unchanged: bool = False,
) -> list[Reading]:
    """List the loads of an entity to read again, in the order they have to be read.

    From the first whose rules have changed on all that follow, since what a row adds, and which version
    without a time is believed, depends on what came before it.

    Args:
        lake: where the loads are.
        system: the system they came from.
        contract: the entity.
        since: leave those be that came before this day, by the date of the file, else of its load.
        even_if_unchanged: also those whose rules are the same.
    """
    readings = [
        Reading(record, load_id(system, contract, Delivery.as_named(system, load)))
        for record in to_read_in_order(lake, system, contract)
        for load in [Load.from_record(record)]
    ]
    came = {record.seq: record for record in lake.records() if record.kind == "load"}
    for number, reading in enumerate(readings):
        is_late = since is None or _came(came, reading.record) >= since
        if is_late and (reading.is_changed or even_if_unchanged):
            return readings[number:]
    return []


def _came(records: dict[int, Record], record: Record) -> date:
    """The business date of a file, else the day on which it was first loaded."""
    load = Load.from_record(record)
    first = records.get(load.position, record)
    return load.day or datetime.fromisoformat(first.committed_at).date()


def refuse_damaged(lake: Lake, readings: Sequence[Reading]) -> None:
    """Make sure that every original is there and as it was delivered.

    Raises:
        InputFault: one is not.
    """
    for load in (Load.from_record(reading.record) for reading in readings):
        original = lake.root / "landing" / load.file_hash
        is_there = original.exists()
        if not is_there or file_hash(original) != load.file_hash:
            raise InputFault(
                "damaged-original", f"{load.source_system}/{load.entity}",
                f"the kept original of {load.file_name} is {'damaged' if is_there else 'not there'}",
                where=str(original),
                why="its bytes are not those that were loaded" if is_there
                else "it was deleted, or the home was copied without lake/landing",
                fix="put it back from a copy of the home, or the file itself under this name",
            )  # fmt: skip


def try_out(
    lake: Lake, system: System, contract: Contract, reading: Reading
) -> tuple[Outcome, ...]:
    """Say what would become of the rows of an original, before they are compared with others.

    Raises:
        InputFault: the file would be refused whole.
    """
    load = Load.from_record(reading.record)
    delivery = Delivery.as_named(system, load)
    original = lake.root / "landing" / load.file_hash
    bench = Bench(
        lake, system, contract, delivery.path, original, datetime.now(UTC), delivery.day,
        was_accepted=True,
    )  # fmt: skip
    with laid_out(bench):
        return tuple(judge(bench, [])[0])
