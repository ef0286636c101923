"""Accounting: what loading one file as one entity did, as the register remembers it.

Each row of a file met one fate, and the fates add up to the rows that were read. How a fate is decided
is in `judge.py`; which loads count, and in which order, in `delivery.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from intake.lake import Record


@dataclass(frozen=True)
class Outcome:
    """How many rows of a file met one fate, and why."""

    outcome: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Load:
    """What loading one file as one entity did; also the accounting kept in the register.

    Attributes:
        deleted_records: records that a full list deleted by leaving them out; no rows of the file.
        position: number of the load with which these bytes first came; orders the deliveries.
        follows: number of the load delivered just before, whose rows and those before it these were
            compared with; 0 without one, empty when an older Unicus did not write it down.
    """

    load_id: str
    source_system: str
    entity: str
    file_name: str
    file_hash: str
    contract_version: str
    read_rows: int
    stored_rows: int
    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)
    deleted_records: int = 0
    position: int = 0
    follows: int | None = None
    is_new: bool = True
    file_date: str | None = None

    def rows(self, outcome: str) -> int:
        """Rows of the file with this outcome."""
        return sum(one.rows for one in self.outcomes if one.outcome == outcome)

    @property
    def day(self) -> date | None:
        """The business date of the file."""
        return date.fromisoformat(self.file_date) if self.file_date else None

    @classmethod
    def from_record(cls, record: Record) -> Load:
        """The load as its record in the register remembers it."""
        details = dict(record.details)
        details["outcomes"] = tuple(Outcome(**one) for one in details["outcomes"])
        return cls(**{"position": record.seq} | details | {"is_new": False})


def place_of(record: Record) -> tuple[str, int]:
    """Orders the deliveries of loads: by business date, whenever they came, then as they came."""
    details = record.details
    return details.get("file_date") or "", details.get("position", record.seq)
