"""Deviation: what about new loads is not as it was, or as it must be.

Four looks at the loads that no published copy holds yet: their rows add up (`reconciliation`), few of
them were refused (`quarantine`), their days have the usual number of rows (`volume`), and the values of
their columns lie as before (`distribution`). All but the first are held against what `source.yaml`
expects and what the system delivered before. Limits and the reasons for them are here; what is counted
is in `statistics.py`, how new the data is in `recency.py`.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import duckdb

from intake.accounting import Load, place_of
from intake.contract import Contract
from intake.lake import Lake, LakeFile, Record
from intake.source import Expected, System
from intake.sql import literal
from intake.statistics import MISSING, PRESENT, Histogram, Statistics, statistics_of

State = Literal["ok", "warn", "fail"]

SPREADS = 3.5
"""Robust standard deviations a day may lie off; a home has some ten series, and looks at each every day."""
RESIDUALS = 28
FEWEST_RESIDUALS = 14
WEEKS = (7, 14, 21, 28)
DAYS_BEFORE = tuple(range(1, 8))
JUDGED_DAYS = 7
LOADS_BEFORE = 28
FEWEST_LOADS = 3
FEWEST_ROWS = 100
"""Below it the shares of a column say nothing."""
SHOWN = 3


@dataclass(frozen=True)
class Verdict:
    """What one look at one entity of one system came to.

    Attributes:
        text: in one line: what was found, and the limit; no value of a person.
        found: the figures, by name.
    """

    check: str
    system: str
    entity: str
    state: State
    text: str
    found: dict[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivered:
    """A load with its files and statistics, which are None when its file cannot be read.

    Attributes:
        is_new: no published copy holds it.
    """

    load: Load
    raw: LakeFile
    refused: LakeFile | None
    statistics: Statistics | None
    is_new: bool


@dataclass(frozen=True)
class Series:
    """The deliveries of one entity by one system, in their order.

    Attributes:
        is_first: nothing was published before, so that nothing can be compared.
        end: days from it on are not over yet.
    """

    system: str
    contract: Contract
    expected: Expected
    deliveries: tuple[Delivered, ...]
    is_first: bool
    end: date

    @property
    def new(self) -> list[Delivered]:
        """Loads that no published copy holds."""
        return [one for one in self.deliveries if one.is_new]

    @property
    def days(self) -> Counter[date]:
        """Rows by business date of the event, of all deliveries."""
        days: Counter[date] = Counter()
        for one in self.deliveries:
            for day, rows in (one.statistics.days if one.statistics else {}).items():
                days[date.fromisoformat(day)] += rows
        return days

    def verdict(self, check: str, state: State, told: str, **found: float | int | str) -> Verdict:
        """A verdict on this series."""
        text = f"{self.contract.entity} of {self.system}: {told}"
        return Verdict(check, self.system, self.contract.entity, state, text, found)


def series_of(
    lake: Lake,
    systems: Iterable[System],
    contracts: dict[str, Contract],
    loads: list[Record],
    published: set[int] | None,
    timezone: str,
    end: date,
) -> list[Series]:
    """What every system delivered of every entity it has.

    Args:
        lake: The lake.
        systems: Systems of the home.
        contracts: The contracts by entity.
        loads: Records of the loads that a run reads.
        published: Numbers of the loads that the published copy holds; None before the first.
        timezone: Time zone in which days begin and end.
        end: The first day that is not over.
    """
    of: dict[tuple[str, str], list[Record]] = {}
    for record in loads:
        of.setdefault((record.details["source_system"], record.details["entity"]), []).append(
            record
        )
    found = []
    for system in systems:
        for entity, spec in system.spec.entities.items():
            records = of.get((system.name, entity), [])
            made = _delivered(lake, system.name, contracts[entity], records, published, timezone)
            is_first = published is None
            found.append(Series(system.name, contracts[entity], spec.expected, made, is_first, end))
    return found


def examine(lake: Lake, series: Iterable[Series]) -> list[Verdict]:
    """Look at every series."""
    verdicts = []
    for one in series:
        verdicts += [reconciliation(lake, one), quarantine(one), distribution(one)]
        verdicts += [volume(one)] if one.contract.event_time else []
    return verdicts


def _delivered(
    lake: Lake, system: str, contract: Contract, records: list[Record], published: set[int] | None,
    timezone: str,
) -> tuple[Delivered, ...]:  # fmt: skip
    raw = {r.seq: next(f for f in r.files if f.source == "raw") for r in records}
    kept = statistics_of(lake, system, contract, raw.values(), timezone)
    made = [
        Delivered(
            Load.from_record(record), raw[record.seq],
            next((f for f in record.files if f.source == "ledger"), None),
            kept.get(raw[record.seq].path), published is None or record.seq not in published,
        )
        for record in sorted(records, key=place_of)
    ]  # fmt: skip
    return tuple(made)


def reconciliation(lake: Lake, series: Series) -> Verdict:
    """Every row read met one fate, and the files hold the rows that the register remembers."""
    faults = [fault for one in series.new if (fault := _difference(lake, one))]
    rows = sum(one.load.read_rows for one in series.new)
    told = "; ".join(faults[:SHOWN]) or f"all of {rows:,} new rows are accounted for"
    return series.verdict(
        "reconciliation", "fail" if faults else "ok", told,
        new_loads=len(series.new), read_rows=rows, loads_that_differ=len(faults),
    )  # fmt: skip


def _difference(lake: Lake, one: Delivered) -> str:
    load, name = one.load, f"load {one.load.load_id[:12]}"
    fates = sum(outcome.rows for outcome in load.outcomes)
    if load.read_rows != fates:
        return f"{name} read {load.read_rows:,} rows and accounts for {fates:,}"
    if one.statistics is None:
        return f"{name}: its file in the lake cannot be read"
    if not one.statistics.file_rows == one.raw.rows == load.stored_rows:
        return f"{name} stored {load.stored_rows:,} rows, its file has {one.statistics.file_rows:,}"
    if one.statistics.source_rows != load.rows("accepted"):
        stands = f"{one.statistics.source_rows:,}"
        return f"{name} accepted {load.rows('accepted'):,} rows, its file stands for {stands}"
    refused = _refused_rows(lake, one.refused) if one.refused else 0
    if refused != load.rows("quarantined"):
        return f"{name} refused {load.rows('quarantined'):,} rows, its quarantine has {refused}"
    return ""


def _refused_rows(lake: Lake, file: LakeFile) -> int | None:
    """Rows of the landing file that a quarantine file stands for; None when it cannot be read."""
    try:
        with duckdb.connect() as con:
            path = literal(str(lake.path(file)))
            row = con.execute(f"select sum(row_count) from read_parquet({path})").fetchone()
    except duckdb.Error:
        return None
    return int(row[0] or 0) if row else None


def quarantine(series: Series) -> Verdict:
    """Few of the new rows were refused."""
    reasons: Counter[str] = Counter()
    for one in series.new:
        for outcome in one.load.outcomes:
            if outcome.outcome == "quarantined":
                reasons[outcome.reason] += outcome.rows
    fates = ("accepted", "quarantined", "redelivered")
    judged = sum(one.load.rows(fate) for one in series.new for fate in fates)
    expected, refused = series.expected, reasons.total()
    limit, stop = expected.quarantined_share, expected.quarantined_share_stop
    share = refused / judged if judged else 0.0
    state: State = "ok" if share <= limit else "warn"
    if stop is not None and share > stop:
        state, limit = "fail", stop
    why = "; ".join(f"{reason} {rows:,}" for reason, rows in reasons.most_common(SHOWN))
    told = f"{refused:,} of {judged:,} new rows refused ({share:.1%}, limit {limit:.1%})"
    return series.verdict(
        "quarantine", state, told + (f": {why}" if why else ""),
        refused_rows=refused, judged_rows=judged, refused_share=round(share, 4), limit_share=limit,
    )  # fmt: skip


def volume(series: Series) -> Verdict:
    """The days that are new have about as many rows as such days had.

    A day is held against the same weekday of the four weeks before, in a young series against the seven
    days before, and its ratio against the ratios of the four weeks before, so that growth, weekdays
    and the noise of the series itself are allowed for.
    """
    days = series.days
    odd = [
        told for day in _new_days(series, days) if (told := _odd_day(days, day, series.expected))
    ]
    judged = len(_new_days(series, days))
    told = "; ".join(odd[:SHOWN]) or (
        f"{judged} new days have the usual rows" if judged else "no new day to compare"
    )
    return series.verdict(
        "volume", "warn" if odd else "ok", told, judged_days=judged, odd_days=len(odd)
    )


def _new_days(series: Series, days: Counter[date]) -> list[date]:
    """Days that came with the new loads and are over, the last published one if it has grown."""
    held = _days_of(one for one in series.deliveries if not one.is_new)
    new = _days_of(series.new)
    if series.is_first or not held or not new:
        return []
    last, newest = max(held), min(max(days), series.end - timedelta(days=1))
    first = last if last in new else last + timedelta(days=1)
    count = (newest - first).days + 1
    return [first + timedelta(days=n) for n in range(count)][-JUDGED_DAYS:]


def _days_of(deliveries: Iterable[Delivered]) -> set[date]:
    kept = (one.statistics for one in deliveries)
    return {date.fromisoformat(day) for one in kept if one for day in one.days}


def _odd_day(days: Counter[date], day: date, expected: Expected) -> str:
    """What is odd about the number of rows of a day; empty when nothing is."""
    known = (day - min(days)).days
    lags = WEEKS if known >= WEEKS[-1] + FEWEST_RESIDUALS else DAYS_BEFORE
    before = [day - timedelta(days=n) for n in range(1, min(RESIDUALS, known - lags[-1]) + 1)]
    if len(before) < FEWEST_RESIDUALS:
        return ""
    residuals = [_ratio(days, one, lags) for one in before]
    centre = statistics.median(residuals)
    spread = 1.4826 * statistics.median(abs(one - centre) for one in residuals)
    limit = max(math.log(expected.volume_factor), SPREADS * spread)
    usual = days[day] + 1, (days[day] + 1) / math.exp(_ratio(days, day, lags) - centre)
    off = abs(math.log(usual[0] / usual[1]))
    is_odd = off > limit and abs(usual[0] - usual[1]) > SPREADS * math.sqrt(usual[1])
    low, high = usual[1] / math.exp(limit), usual[1] * math.exp(limit)
    return f"{days[day]:,} rows on {day}, usual {low:,.0f} to {high:,.0f}" if is_odd else ""


def _ratio(days: Counter[date], day: date, lags: tuple[int, ...]) -> float:
    """Logarithm of the rows of a day over the median of the days it is compared with."""
    usual = statistics.median(days[day - timedelta(days=lag)] for lag in lags)
    return math.log((days[day] + 1) / (usual + 1))


def distribution(series: Series) -> Verdict:
    """The values of no column lie elsewhere than in the loads before.

    The measure is the share of rows that would have to move to another bin for both to be alike (the
    total variation distance); empty is a bin too. The limit allows for chance, and for what single loads
    before were off.
    """
    before = [one.statistics for one in series.deliveries if not one.is_new and one.statistics]
    before = [one for one in before if _rows(one) >= FEWEST_ROWS][-LOADS_BEFORE:]
    new = [one.statistics for one in series.new if one.statistics]
    now = {
        f.name: _pooled(one.columns.get(f.name, {}) for one in new) for f in series.contract.fields
    }
    rows = max((sum(one.values()) for one in now.values()), default=0)
    if len(before) < FEWEST_LOADS or rows < FEWEST_ROWS:
        told = "no new rows to compare" if not rows else "too few rows or loads to compare"
        return series.verdict("distribution", "ok", told, compared_rows=0, moved_columns=0)
    moved = [
        told
        for name, found in now.items()
        if (
            told := _moved(
                name, [one.columns.get(name, {}) for one in before], found, series.expected
            )
        )
    ]
    told = "; ".join(moved[:SHOWN]) or f"{len(now)} columns of {rows:,} new rows lie as before"
    return series.verdict(
        "distribution", "warn" if moved else "ok", told,
        compared_rows=rows, compared_columns=len(now), moved_columns=len(moved),
    )  # fmt: skip


def _rows(one: Statistics) -> int:
    return max((sum(counts.values()) for counts in one.columns.values()), default=0)


def _pooled(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one; told apart by value only where all are."""
    every = [one for one in histograms if one]
    are_plain = any(PRESENT in one for one in every)
    total: Counter[str] = Counter()
    for one in every:
        total.update(_plain(one) if are_plain else one)
    return dict(total)


def _plain(one: Histogram) -> Histogram:
    missing = one.get(MISSING, 0)
    return {MISSING: missing, PRESENT: sum(one.values()) - missing}


def _moved(name: str, before: list[Histogram], now: Histogram, expected: Expected) -> str:
    """How far the values of a column moved; empty when they did not."""
    then = _pooled(before)
    if not then or not now:
        return ""
    share = _distance(then, now)
    own = sorted(_distance(then, one) for one in before if one)
    usual = own[math.ceil(0.9 * len(own)) - 1]
    limit = max(expected.moved_share, 1.5 * usual, _chance(then, now))
    if share <= limit:
        return ""
    gone = [one.get(MISSING, 0) / sum(one.values()) for one in (then, now)]
    empty = f", {gone[1]:.0%} empty and {gone[0]:.0%} before" if gone[0] != gone[1] else ""
    return f"{name} moved in {share:.0%} of the rows, limit {limit:.0%}{empty}"


def _distance(one: Histogram, other: Histogram) -> float:
    """Half the sum of the differences of their shares."""
    if (PRESENT in one) != (PRESENT in other):
        one, other = _plain(one), _plain(other)
    n, m = sum(one.values()), sum(other.values())
    return sum(abs(one.get(k, 0) / n - other.get(k, 0) / m) for k in one.keys() | other.keys()) / 2


def _chance(one: Histogram, other: Histogram) -> float:
    """Distance that two samples of one population hardly ever exceed: its mean and four deviations."""
    n, m = sum(one.values()), sum(other.values())
    both = Counter(one) + Counter(other)
    shares = [count / (n + m) for count in both.values()]
    inverse = 1 / n + 1 / m
    mean = sum(math.sqrt(p * (1 - p) * inverse / (2 * math.pi)) for p in shares)
    return mean + 4 * math.sqrt(inverse) / 2
