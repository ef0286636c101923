"""The days that scores were made for, and which of them are read again.

Light, for runs and for those who clean up after them: both have to mean the same days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intake.lake import Record


def scores_by_day(live: Sequence[Record]) -> dict[date, Record]:
    """The scores in force of each day, oldest day first."""
    made = {
        date.fromisoformat(record.details["as_of"]): record
        for record in live
        if record.kind == "scores" and any(file.table == "scores" for file in record.files)
    }
    return dict(sorted(made.items()))


def first_good_days(made: Mapping[date, Record]) -> list[date]:
    """The first good day of each month, which is held against what came.

    Those of every day of every year would make each run dearer than the one before. A day is good
    when every question was answered anew.
    """
    firsts: dict[tuple[int, int], date] = {}
    for day, record in made.items():
        if not record.details.get("stale"):
            firsts.setdefault((day.year, day.month), day)
    return list(firsts.values())
