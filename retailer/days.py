"""Days of the retailer: where its history begins and ends, and how much each day sells.

Belongs here: calendar and season. Does not belong here: what a person does on a day.

A day is a number: 0 is the first day of history, `horizon` the day after its last. What happens from
`horizon` to `future` is truth only, and what happened before 0 was never delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from retailer.randomness import Array

ZONE = ZoneInfo("Europe/Paris")
BEFORE = 4 * 365
"""Days before history in which people may have become customers."""
AFTER = 365
"""Days after history that the truth tells."""
SALES_LIFT = (0.15, 0.40, 0.80)
"""What the sales add to a day by how people mind prices: little, some, much."""
WEEK = (0.82, 0.86, 1.02, 0.94, 1.06, 1.52, 0.78)
CHRISTMAS = 1.15
SPRING = 0.28
AUGUST = -0.26
BLACK_FRIDAY = 0.85
CLOSED = {(1, 1), (5, 1), (12, 25)}
"""Days (month, day) on which stores are closed, and CLOSED_SELLS of a usual day is sold elsewhere."""
CLOSED_SELLS = 0.35
SECONDS = 86_400


@dataclass(frozen=True)
class Days:
    """The calendar of a retailer.

    Attributes:
        end: last day of history.
        months: how many months it has.
        has_season: whether days differ.
    """

    end: date
    months: int
    has_season: bool = True

    @cached_property
    def start(self) -> date:
        """First day of history."""
        after = self.end + timedelta(days=1)
        month = after.year * 12 + after.month - 1 - self.months
        day = min(after.day, 28)
        return date(month // 12, month % 12 + 1, day)

    @property
    def horizon(self) -> int:
        """The day after the last of history."""
        return (self.end - self.start).days + 1

    @property
    def future(self) -> int:
        """The day after the last that the truth tells."""
        return self.horizon + AFTER

    def number(self, day: date) -> int:
        """The number of a day."""
        return (day - self.start).days

    def date(self, number: int) -> date:
        """The day of a number."""
        return self.start + timedelta(days=int(number))

    @cached_property
    def _hours(self) -> tuple[int, Array, Array]:
        """The first hour, and seconds that Paris is ahead of UTC by hour, of its own clock and of UTC's."""
        first = datetime.combine(self.date(-BEFORE), time(), UTC)
        hours = range((BEFORE + self.future + 60) * 24)
        moments = [first + timedelta(hours=hour) for hour in hours]
        own = [moment.replace(tzinfo=ZONE).utcoffset() for moment in moments]
        universal = [moment.astimezone(ZONE).utcoffset() for moment in moments]
        told = (np.array([int(ahead.total_seconds()) for ahead in one if ahead is not None])
                for one in (own, universal))  # fmt: skip
        return int(first.timestamp()), *told  # type: ignore[return-value]

    def seconds(self, days: Array, seconds: Array) -> Array:
        """Seconds since 1970, UTC, when clocks in Paris show so many seconds of these days."""
        first, own, _ = self._hours
        shown = (days.astype(np.int64) + BEFORE) * SECONDS + seconds.astype(np.int64)
        return first + shown - own[np.clip(shown // 3_600, 0, len(own) - 1)]

    def local(self, seconds: Array) -> Array:
        """What clocks in Paris show, as seconds, at these seconds since 1970 in UTC."""
        first, _, universal = self._hours
        return seconds + universal[np.clip((seconds - first) // 3_600, 0, len(universal) - 1)]

    @cached_property
    def season(self) -> Array:
        """How much each day sells of an average day: three rows by how people mind prices.

        Returns:
            Shape (3, BEFORE + future), from day -BEFORE on; the mean over whole years is 1.
        """
        days = [self.date(number) for number in range(-BEFORE, self.future)]
        if not self.has_season:
            return np.ones((3, len(days)))
        year = np.array([_yearly(day) for day in days])
        week = np.array([WEEK[day.weekday()] for day in days])
        sales = np.array([sales_strength(day) for day in days])
        rows = np.array([(year + lift * sales) * week for lift in SALES_LIFT])
        whole = slice(0, 4 * 365)
        return rows / rows[:, whole].mean(axis=1, keepdims=True)

    @cached_property
    def clock(self) -> Array:
        """Days of average trade that have passed when each day begins, by row of `season`."""
        zero = np.zeros((3, 1))
        return np.hstack([zero, np.cumsum(self.season, axis=1)])

    def passed(self, days: Array, minding: Array) -> Array:
        """Days of average trade up to these moments (days with fractions)."""
        grid = np.arange(-BEFORE, self.future + 1)
        return _by_row(minding, days, lambda row, at: np.interp(at, grid, self.clock[row]))

    def moment(self, passed: Array, minding: Array) -> Array:
        """The moments at which so many days of average trade have passed; `future` at the latest."""
        grid = np.arange(-BEFORE, self.future + 1)
        return _by_row(minding, passed, lambda row, at: np.interp(at, self.clock[row], grid))


def _by_row(rows: Array, values: Array, answer) -> Array:  # type: ignore[no-untyped-def]
    out = np.empty(len(values))
    for row in range(3):
        chosen = rows == row
        out[chosen] = answer(row, values[chosen])
    return out


def _yearly(day: date) -> float:
    """A year of the trade without the sales: a bump before Christmas, one in spring, less in August."""
    of_year = day.timetuple().tm_yday
    christmas = CHRISTMAS * np.exp(-0.5 * ((of_year - 346) / 13) ** 2)
    after_christmas = -0.35 * (of_year > 359)
    spring = SPRING * np.exp(-0.5 * ((of_year - 120) / 24) ** 2)
    august = AUGUST * np.exp(-0.5 * ((of_year - 227) / 13) ** 2)
    friday = BLACK_FRIDAY * (0 <= (day - black_friday(day.year)).days < 4)
    sold = 0.9 + christmas + after_christmas + spring + august + friday
    return float(sold * (CLOSED_SELLS if (day.month, day.day) in CLOSED else 1.0))


def black_friday(year: int) -> date:
    """The day after the fourth Thursday of November."""
    first = date(year, 11, 1)
    thursday = (3 - first.weekday()) % 7
    return first + timedelta(days=thursday + 22)


def sales_start(year: int, half: int) -> date:
    """First day of the *soldes* of a half year.

    The second Wednesday of January, or the first where that falls after the 12th; the last Wednesday
    of June, or the one before where that falls after the 28th (Code de commerce, D310-15-2).
    """
    if half == 1:
        first = date(year, 1, 1)
        second = first + timedelta(days=(2 - first.weekday()) % 7 + 7)
        return second - timedelta(days=7 * (second.day > 12))
    last = date(year, 6, 30)
    wednesday = last - timedelta(days=(last.weekday() - 2) % 7)
    return wednesday - timedelta(days=7 * (wednesday.day > 28))


def sales_strength(day: date) -> float:
    """1 on the first day of the sales, falling to 0 over four weeks; 0 outside them."""
    passed = ((day - sales_start(day.year, half)).days for half in (1, 2))
    return max((1 - days / 28 for days in passed if 0 <= days < 28), default=0.0)
