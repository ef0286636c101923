"""`unicus replay`: the raw layer anew from the kept originals, as a plan and as what came of it.

Which loads are read again and how is decided in `intake/replay.py`. Told without Dagster or dbt.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration.console import aligned
from orchestration.settings import Home, SettingFault, read_config, read_systems, require_home

if TYPE_CHECKING:
    from datetime import date

    from intake.accounting import Outcome
    from intake.contract import Contract
    from intake.replay import Reading
    from intake.source import System

REPLAY_SCHEMA = "unicus.replay/1"
SHORT_ID = 8
COUNTED = ("accepted", "quarantined", "excluded", "not_applicable")


@dataclass(frozen=True)
class Asked:
    """Which loads to look at: of one system, of one entity, since a day, unchanged ones too."""

    system: str = ""
    entity: str = ""
    since: date | None = None
    is_all: bool = False


@dataclass(frozen=True)
class Feed:
    """The loads of one entity of one system that are read again, with what would come of each."""

    system: System
    contract: Contract
    readings: tuple[Reading, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]


@dataclass(frozen=True)
class Replay:
    """What a replay would do."""

    home: Home
    asked: Asked
    feeds: tuple[Feed, ...]

    @property
    def is_done(self) -> bool:
        """Whether everything was read by the rules of now."""
        return not self.feeds

    @property
    def subject(self) -> str:
        """What an error about it names."""
        return self.asked.system or str(self.home.root)

    @property
    def verb(self) -> str:
        """The command line that does it."""
        told = [f"--{name} {value}" for name in ("system", "entity", "since")
                if (value := getattr(self.asked, name))]  # fmt: skip
        every = ["--all"] if self.asked.is_all else []
        home = f"--home {shlex.quote(str(self.home.root))}"
        return " ".join(["unicus replay", *told, *every, home])


def plan_replay(home: Home, asked: Asked) -> Replay:
    """Find the loads to read again, make sure of their originals, and try them out.

    Raises:
        SettingFault: no home, or no system or entity of this name.
        InputFault: an original is damaged, or would be refused whole.
    """
    require_home(home)
    from intake.contract import contracts
    from intake.replay import refuse_damaged, to_read_again, try_out

    lake, feeds = home.lake, []
    for system, entity in _places(home, asked):
        contract = contracts()[entity]
        readings = to_read_again(
            lake, system, contract, asked.since, even_if_unchanged=asked.is_all
        )
        if readings:
            refuse_damaged(lake, readings)
            tried = tuple(try_out(lake, system, contract, reading) for reading in readings)
            feeds.append(Feed(system, contract, tuple(readings), tried))
    return Replay(home, asked, tuple(feeds))


def _places(home: Home, asked: Asked) -> list[tuple[System, str]]:
    """Every system of the home with each entity it feeds, of those asked for."""
    places = [
        (system, entity)
        for system in read_systems(read_config(home))
        for entity in system.spec.entities
    ]
    found = [
        (system, entity)
        for system, entity in places
        if asked.system in ("", system.name) and asked.entity in ("", entity)
    ]
    if not found:
        told = ", ".join(f"{system.name}/{entity}" for system, entity in places)
        raise SettingFault(
            "nothing-feeds-it", f"{asked.system or 'any system'}/{asked.entity or 'any entity'}",
            "no system of the home feeds this", where=str(home.config_path),
            why=f"the home has {told or 'no system'}", fix="unicus status    (lists what feeds what)",
        )  # fmt: skip
    return found


def plan_again(change: Replay) -> Replay:
    """The same with what is there now."""
    return plan_replay(change.home, change.asked)


def carry_out(change: Replay) -> Replay:
    """Read the loads again; only the holder of the home calls this."""
    from intake.load import load_again

    for feed in change.feeds:
        records = [reading.record for reading in feed.readings]
        load_again(change.home.lake, feed.system, feed.contract, records)
    return change


def change_value(change: Replay, status: str) -> dict[str, Any]:
    """The replay as one JSON object; status is planned, done or nothing_new."""
    loads = [
        _told(feed, reading, outcomes)
        for feed in change.feeds
        for reading, outcomes in zip(feed.readings, feed.outcomes, strict=True)
    ]
    return {
        "schema": REPLAY_SCHEMA,
        "status": status,
        "home": str(change.home.root),
        "loads": loads,
        "next": f"unicus run{' --no-skip' if change.asked.is_all else ''}"
        f" --home {shlex.quote(str(change.home.root))}",
    }


def _told(feed: Feed, reading: Reading, outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    was = reading.record.details
    return {
        "system": feed.system.name,
        "entity": feed.contract.entity,
        "file": was["file_name"],
        "load_id": reading.record.record_id,
        "new_load_id": reading.load_id,
        "read_rows": was["read_rows"],
        "before": {name: sum(o["rows"] for o in was["outcomes"] if o["outcome"] == name)
                   for name in (*COUNTED, "redelivered")},
        "now": {name: sum(o.rows for o in outcomes if o.outcome == name) for name in COUNTED},
    }  # fmt: skip


def change_text(change: Replay, status: str) -> str:
    """The replay as a person reads it."""
    value = change_value(change, status)
    loads = value["loads"]
    if not loads:
        return "Nothing to replay: every load was read by the mapping, source and contract of now"
    head = "Would read" if status == "planned" else "Read"
    rows = [("load", "file", "read", "refused before", "refused now", "why")]
    rows += [
        (f"{one['system']}/{one['entity']} {one['load_id'][:SHORT_ID]}", one["file"],
         f"{one['read_rows']:,}", f"{one['before']['quarantined']:,}",
         f"{one['now']['quarantined']:,}",
         "rules changed" if one["load_id"] != one["new_load_id"] else "rules unchanged")
        for one in loads
    ]  # fmt: skip
    lines = [f"{head} {len(loads)} loads again from their kept originals.", aligned(rows)]
    if status == "done":
        lines.append(f"  next  {value['next']}    (builds what depends on it)")
    return "\n".join(lines)
