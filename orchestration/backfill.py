"""The past of the value history: which month starts can be filled in, which are, and `unicus backfill`.

Belongs here: dates, what a filled date was made of, the plan and the result. Does not belong here: the
asset that fills them in (`defs/history.py`) and what a customer was worth at a date (dbt and `ml`).
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from orchestration.console import aligned
from orchestration.moment import PAST, Moment, last_moment
from orchestration.run import Ending, executed
from orchestration.runkey import champions_asked, training_rules
from orchestration.settings import Home, SettingFault, read_config, require_home
from serving.publish import read_publication

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intake.lake import Lake, Record
    from orchestration.console import Manner

SCHEMA = "unicus.backfill/1"
VALUE = "clv_90d"
"""The question whose speaker a line of the plan names."""


@dataclass(frozen=True)
class Backfill:
    """What a backfill would do.

    Attributes:
        moment: where it stands: the last complete run.
        asked: the month starts asked for.
        states: of each, `missing`, `outdated` or `filled`.
    """

    home: Home
    moment: Moment
    asked: tuple[date, ...]
    states: dict[date, str]

    @property
    def todo(self) -> tuple[date, ...]:
        """The month starts that would be computed."""
        return tuple(day for day in self.asked if self.states[day] != "filled")


def month_starts(first: date, last: date) -> tuple[date, ...]:
    """The first days of months from `first` to `last`, both included."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    days = (date(month // 12, month % 12 + 1, 1) for month in months)
    return tuple(day for day in days if first <= day <= last)


def known_range(lake: Lake) -> tuple[date, date] | None:
    """First day with data and date of the newest scores, from the register alone; None before any."""
    scored = [r.details for r in lake.live("scores") if "first_day" in r.details]
    if not scored:
        return None
    return date.fromisoformat(scored[-1]["first_day"]), date.fromisoformat(scored[-1]["as_of"])


def months_to_fill(moment: Moment) -> tuple[date, ...]:
    """Month starts that have an order before them and lie before the run's own date."""
    days = month_starts(moment.first_day, moment.as_of)
    return tuple(day for day in days if moment.first_day < day < moment.as_of)


def refuse_beyond(home: Home, moment: Moment, days: Iterable[date]) -> None:
    """Refuse dates that have nothing to look back on, or that the run itself has not passed.

    Raises:
        SettingFault: one of the dates cannot be filled in.
    """
    can = months_to_fill(moment)
    wrong = sorted(set(days) - set(can))
    if wrong:
        there = f"those from {can[0]} to {can[-1]}" if can else "none"
        raise SettingFault(
            "no-such-month", str(wrong[0]), "this date cannot be filled in", where=str(home.root),
            why=f"the history has a month start for each month with orders before it, before the"
            f" run's own date {moment.as_of}: {there}",
            fix="unicus backfill --dry-run    (shows all there are)",
        )  # fmt: skip


def stand_of_past(home: Home, moment: Moment) -> dict[str, Any]:
    """What the history of a past date is made of; made of the same, it is the same."""
    config = read_config(home)
    return {
        "snapshot_id": moment.snapshot_id,
        "rules": training_rules(config),
        "champions": champions_asked(home, config),
    }


def filled(lake: Lake) -> dict[date, Record]:
    """The dates that were filled in, each with its record."""
    return {date.fromisoformat(r.details["as_of"]): r for r in lake.live(PAST)}


def state_of_date(record: Record | None, stand: dict[str, Any]) -> str:
    """Whether a date has to be computed: `missing`, `outdated` or `filled`."""
    if record is None:
        return "missing"
    return "filled" if stand.items() <= record.details.items() else "outdated"


def plan_backfill(home: Home, first: date | None, last: date | None) -> Backfill:
    """Say which of the month starts from `first` to `last` have to be computed, all without dates.

    Raises:
        SettingFault: no home, no complete run yet, or a month that the history does not have.
    """
    require_home(home)
    moment = last_moment(home)
    can = months_to_fill(moment)
    if first is None and last is None:
        asked = can
    else:
        asked = month_starts(first or can[0], last or can[-1]) if can else ()
        refuse_beyond(home, moment, asked)
    if not asked:
        refuse_beyond(home, moment, [first or last or moment.as_of])
    done, stand = filled(home.lake), stand_of_past(home, moment)
    return Backfill(
        home, moment, asked, {day: state_of_date(done.get(day), stand) for day in asked}
    )


def carry_out(backfill: Backfill, manner: Manner) -> Ending:
    """Fill in what is missing or outdated; only the holder of the home calls this."""
    if not backfill.todo and _is_published(backfill.home):
        value = backfill_value(backfill, "nothing_new")
        return Ending(0, backfill_text(value), value)
    days = backfill.todo or backfill.asked
    months = (days[0], days[-1])
    run_id, seconds, _, failed = executed(backfill.home, manner, {"months": months})
    if failed:
        return failed
    value = backfill_value(backfill, "done") | {"run_id": run_id, "seconds": round(seconds, 1)}
    log = backfill.home.logs / f"{run_id}.json"
    log.write_text(json.dumps(value, indent=1), "utf-8")
    return Ending(0, backfill_text(value), value)


def _is_published(home: Home) -> bool:
    """Whether the copy was made after the last date was filled in: a kill may fall between the two."""
    publication = read_publication(home.published)
    return publication is not None and all(
        datetime.fromisoformat(record.committed_at).replace(tzinfo=None) <= publication.published_at
        for record in home.lake.live(PAST)
    )


def backfill_value(backfill: Backfill, status: str) -> dict[str, Any]:
    """The plan or what came of it, as one JSON object."""
    done = filled(backfill.home.lake)
    return {
        "schema": SCHEMA,
        "status": status,
        "home": str(backfill.home.root),
        "exit_code": 0,
        "as_of": str(backfill.moment.as_of),
        "dates": [_told(day, backfill.states[day], done.get(day)) for day in backfill.asked],
    }


def _told(day: date, state: str, record: Record | None) -> dict[str, Any]:
    return {
        "as_of_date": str(day),
        "was": state,
        "customers": record.files[0].rows if record else None,
        "scores": record.details["reasons"] if record else {},
        "filled_at": record.committed_at if record else None,
    }


def backfill_text(value: dict[str, Any]) -> str:
    """The same as a person reads it."""
    dates = value["dates"]
    todo = [one for one in dates if one["was"] != "filled"]
    heads = {
        "planned": f"Would fill in {len(todo)} of {len(dates)} month starts",
        "nothing_new": f"Nothing new: all {len(dates)} month starts are filled in from what is there",
        "done": f"Filled in {len(todo)} of {len(dates)} month starts in {value.get('seconds')} s",
    }
    named = f" --home {shlex.quote(value['home'])}"
    more = f"more  unicus status{named} · docs/operations.md#fill-in-the-past"
    return "\n".join([heads[value["status"]], aligned([_line(one) for one in dates]), "", more])


def _line(one: dict[str, Any]) -> tuple[str, ...]:
    customers = "" if one["customers"] is None else f"{one['customers']:,} customers"
    return one["as_of_date"], one["was"], customers, one["scores"].get(VALUE, "")
