"""Which dates a model learns from, is tested at and takes its level from.

Belongs here: pure dates. Does not belong here: rows, frames, or anything that imports them, since
orchestration asks for these dates before any room is started.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STEP_DAYS = 30
CUT_OFFS_COUNT = 3
# Older dates speak of customers and of a shop that have changed since.
LEARNT_DATES_COUNT = 6
YEAR_DAYS = 365
SEASON_HISTORY_DAYS = 180
SEASON_YEARS = 3


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
    oldest date has at least one horizon of history behind it. There are no more of them than the
    final fit and the three cut-offs ask for.

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
    dates = tuple(newest - timedelta(days=step_days * back) for back in reversed(range(count)))
    asked = {day for cut_off in cut_offs(dates, horizon_days) for day in cut_off.train_dates}
    asked.update(dates[-max(CUT_OFFS_COUNT, LEARNT_DATES_COUNT) :])
    return tuple(sorted(asked))


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
        CutOff(test, learnt([train for train in sorted(dates) if train + horizon <= test]))
        for test in sorted(dates)
    ]
    return tuple(cut_off for cut_off in candidates if cut_off.train_dates)[-CUT_OFFS_COUNT:]


def learnt(dates: Sequence[date]) -> tuple[date, ...]:
    """Give the dates a model is fitted on: the newest of those that are closed."""
    return tuple(dates)[-LEARNT_DATES_COUNT:]


def season_dates(first_day: date | None, as_of: date, horizon_days: int) -> tuple[date, ...]:
    """List the same day of earlier years, newest first, where the season of a window can be seen.

    Only years with half a year of history before the day: a shop that has just opened shows its
    growth, not its season. A horizon of a year has every season in it.

    Args:
        first_day: Day of the first order known, None without any.
        as_of: Date that is predicted from.
        horizon_days: Length of the window.
    """
    if first_day is None or horizon_days >= YEAR_DAYS:
        return ()
    years = [as_of - timedelta(days=YEAR_DAYS * back) for back in range(1, SEASON_YEARS + 1)]
    return tuple(day for day in years if (day - first_day).days >= SEASON_HISTORY_DAYS)


def dates_to_train(
    first_day: date | None, as_of: date, horizons: Iterable[int]
) -> tuple[date, ...]:
    """List every date whose features a training of these horizons reads, oldest first."""
    asked: set[date] = set()
    for horizon in horizons:
        dates = training_dates(first_day, as_of, horizon)
        asked.update(dates)
        for cut_off in cut_offs(dates, horizon):
            asked.update(season_dates(first_day, cut_off.test_date, horizon))
    return tuple(sorted(asked))


def dates_to_score(
    first_day: date | None, as_of: date, horizons: Iterable[int]
) -> tuple[date, ...]:
    """List the dates beside `as_of` whose features a scoring reads, oldest first."""
    asked = {day for horizon in horizons for day in season_dates(first_day, as_of, horizon)}
    return tuple(sorted(asked))


def refusal(first_day: date | None, as_of: date, horizon_days: int) -> str | None:
    """Say why a horizon cannot be served from this history, or None when it can.

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
    return None
