"""Which dates a model learns from and is tested at: the as-of grid and the rolling cut-offs.

Belongs here: pure dates. Does not belong here: rows, frames, or anything that imports them, since
orchestration asks for these dates before any room is started.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP_DAYS = 30
CUT_OFFS_COUNT = 3


@dataclass(frozen=True)
class CutOff:
    """One test of the past: what is predicted at `test_date`, learnt from `train_dates` only."""

    test_date: date
    train_dates: tuple[date, ...]


def training_dates(
    first_day: date | None, as_of: date, horizon_days: int, step_days: int = STEP_DAYS
) -> tuple[date, ...]:
    """List the as-of dates whose outcome is fully known at `as_of`, oldest first.

    The newest label closes one day before `as_of`, because the last day seen may be partial. The
    oldest date has at least one horizon of history behind it.

    Args:
        first_day: Day of the first order known, None without any.
        as_of: Date of the run; nothing on or after it is visible.
        horizon_days: Length of the label window `[d, d + horizon_days)`.
        step_days: Days between two dates.
    """
    if first_day is None:
        return ()
    newest = as_of - timedelta(days=1 + horizon_days)
    oldest = first_day + timedelta(days=horizon_days)
    count = (newest - oldest).days // step_days + 1
    return tuple(newest - timedelta(days=step_days * back) for back in reversed(range(count)))


def cut_offs(dates: Sequence[date], horizon_days: int) -> tuple[CutOff, ...]:
    """Give the newest three dates that can be tested, oldest first.

    A date can be tested when at least one earlier date had its label closed by then: a model
    trained at that moment could not have known more.

    Args:
        dates: As-of dates with a closed label.
        horizon_days: Length of the label window.
    """
    horizon = timedelta(days=horizon_days)
    candidates = [
        CutOff(test, tuple(train for train in sorted(dates) if train + horizon <= test))
        for test in sorted(dates)
    ]
    return tuple(cut_off for cut_off in candidates if cut_off.train_dates)[-CUT_OFFS_COUNT:]


def refusal(first_day: date | None, as_of: date, horizon_days: int) -> str | None:
    """Say why a horizon cannot be learnt from this history, or None when it can.

    Two horizons are needed: one to look back on and one whose outcome is known.
    """
    if first_day is None:
        return f"no order is known before {as_of}"
    history_days = (as_of - first_day).days
    if history_days < 2 * horizon_days:
        return (
            f"{history_days} days of history before {as_of}, "
            f"a horizon of {horizon_days} days needs {2 * horizon_days}"
        )
    if not training_dates(first_day, as_of, horizon_days):
        return f"no outcome of {horizon_days} days is closed one day before {as_of}"
    return None
