"""Deliveries: which files of an entity came, in which order, and which of them are in the lake.

What makes a file the one that came before, what names its load, and which loads stand before its own
is decided here. That a file is loaded, and what of it, is the business of `load.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from intake.accounting import Load, place_of
from intake.contract import Contract
from intake.lake import Lake, Record, file_hash
from intake.source import System

LOAD_FORMAT = 1
"""Raised when a load would turn the same file into other rows: every file is then loaded anew."""


@dataclass(frozen=True)
class Delivery:
    """A file that was delivered: its path or what is left of it, its bytes, its business date."""

    path: Path
    digest: str
    day: date | None

    @classmethod
    def of_file(cls, system: System, entity: str, path: Path, digest: str) -> Delivery:
        """The delivery of a file that feeds `entity` and has this hash."""
        return cls(path, digest, system.file_date(entity, path))

    @classmethod
    def of_load(cls, load: Load) -> Delivery:
        """The delivery that was loaded; of its path only the name is left."""
        return cls(Path(load.file_name), load.file_hash, load.day)

    @classmethod
    def as_named(cls, system: System, load: Load) -> Delivery:
        """The delivery that was loaded, dated by what `source.yaml` makes of its name now."""
        path = Path(load.file_name)
        spec = system.file_spec(load.entity)
        day = (spec.date_in(path.name) or load.day) if spec.is_dated else None
        return cls(path, load.file_hash, day)

    @property
    def file_date(self) -> str | None:
        """The business date as the register writes it."""
        return self.day.isoformat() if self.day else None


@dataclass(frozen=True)
class Turn:
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


def load_id(system: System, contract: Contract, delivery: Delivery) -> str:
    """Name of a load: the delivery and all that decides what rows it becomes."""
    parts = [
        str(LOAD_FORMAT), system.name, contract.entity, _identity(system, contract, delivery),
        system.fingerprint(contract.entity), contract.fingerprint,
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _identity(system: System, contract: Contract, delivery: Delivery) -> str:
    """What makes a file the one that came before: its bytes, its business date, a list's name.

    The same bytes on a later day say that things are again as they were; so does a full list that
    comes under another name, and undoes what lay between.
    """
    is_list = system.spec.entities[contract.entity].delivery == "snapshot"
    parts = [delivery.digest, delivery.file_date, delivery.path.name if is_list else None]
    return " ".join(filter(None, parts))


def _identities(system: System, contract: Contract, load: Load) -> set[str]:
    """What a load is known by: as it was dated when it was read, and as its name is dated now."""
    readings = Delivery.of_load(load), Delivery.as_named(system, load)
    return {_identity(system, contract, reading) for reading in readings}


def undone_loads(lake: Lake) -> set[str]:
    """Ids of the loads that were undone and not restored: their files are passed over."""
    return {record.record_id for record in lake.live("undo")}


def delivered(
    lake: Lake, system: str, entity: str, without: Collection[int] = ()
) -> list[Record]:  # fmt: skip
    """Live loads of an entity of a system, in the order of their deliveries, less some by number."""
    loads = [
        record for record in lake.live("load")
        if _is_of(record, system, entity) and record.seq not in without
    ]  # fmt: skip
    return sorted(loads, key=place_of)


def to_read_in_order(
    lake: Lake, system: System, contract: Contract, without: Collection[int] = ()
) -> list[Record]:
    """Live loads of an entity in the order they have to be read: as delivered, or as they came.

    What is compared with the deliveries before it needs those first. What is only added is read as it
    came, since of versions of one time the one read last is believed.
    """
    loads = delivered(lake, system.name, contract.entity, without)
    if is_compared(system, contract):
        return loads
    return sorted(loads, key=lambda record: Load.from_record(record).position)


def is_compared(system: System, contract: Contract) -> bool:
    """Whether the files of an entity are compared with those delivered before them."""
    return system.spec.entities[contract.entity].delivery != "append"


def _is_of(record: Record, system: str, entity: str) -> bool:
    return (record.details["source_system"], record.details["entity"]) == (system, entity)


def in_order(lake: Lake, system: System, contract: Contract) -> list[Delivery]:
    """Files that were loaded in the order they first came, then new ones by business date and name.

    Among versions without a time the last load wins, so reading all files again must not turn the
    order in which they came into that of their names.
    """
    loads = [Load.from_record(record) for record in delivered(lake, system.name, contract.entity)]
    came: dict[str, int] = {}
    for load in sorted(loads, key=lambda load: load.position):
        for identity in _identities(system, contract, load):
            came.setdefault(identity, load.position)
    last = max(came.values(), default=0) + 1

    def place(found: Delivery) -> tuple[int, date, str]:
        position = came.get(_identity(system, contract, found), last)
        return position, found.day or date.min, found.path.name

    files = system.files(contract.entity)
    found = [Delivery.of_file(system, contract.entity, path, file_hash(path)) for path in files]
    return sorted(found, key=place)


def turn_of(
    lake: Lake, system: System, contract: Contract, delivery: Delivery, seq: int,
    without: Collection[int] = (), again: Record | None = None,
) -> Turn:  # fmt: skip
    """Find where a delivery stands among those that are in the lake.

    Args:
        lake: where the loads are.
        system: the system that delivers.
        contract: the entity.
        delivery: the file.
        seq: number that a load of it would get now.
        without: numbers of loads to do without, though they are still live.
        again: the load that is read again, when its file was dated otherwise then.
    """
    own = _identity(system, contract, delivery)

    def is_same(load: Load) -> bool:
        # A date that stands in the folder is not in the name that a load keeps.
        was_undated = not load.file_date and load.file_name == delivery.path.name
        return was_undated or own in _identities(system, contract, load)

    loads = delivered(lake, system.name, contract.entity, without)
    undone = [r for r in lake.live("undo") if _is_of(r, system.name, contract.entity)]
    replaced = [
        r for r in [*loads, *undone]
        if r == again
        # Most loads are of other bytes, and there may be thousands.
        or (r.details["file_hash"] == delivery.digest and is_same(Load.from_record(r)))
    ]  # fmt: skip
    position = min((Load.from_record(r).position for r in replaced), default=seq)
    place = (delivery.file_date or "", position)
    before = [r for r in loads if r not in replaced and place_of(r) < place]
    follows = before[-1].seq if before and is_compared(system, contract) else 0
    return Turn(before, replaced, position, follows)
