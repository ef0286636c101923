"""Recency: how new the data of a system is, against what its `source.yaml` expects.

That something was loaded today says little: the file may be last week's. What counts is the newest
business date of the rows, or, for an entity whose rows tell no time, when its newest file came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from intake.accounting import Load
from intake.sql import literal, literals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intake.contract import Contract
    from intake.lake import Lake, Record
    from intake.source import System


@dataclass(frozen=True)
class Recency:
    """How new one entity of one system is; `newest` is None before its first load."""

    system: str
    entity: str
    newest: date | None
    latency_days: int

    def is_stale(self, today: date) -> bool:
        """Whether newer data should be here by now."""
        return self.newest is None or (today - self.newest).days > self.latency_days

    @property
    def text(self) -> str:
        """What there is and what is expected, in one line."""
        found = f"newest {self.newest}" if self.newest else "nothing loaded yet"
        unit = "day" if self.latency_days == 1 else "days"
        return (
            f"{self.entity} of {self.system}: {found}, expected within {self.latency_days} {unit}"
        )


def recencies(
    lake: Lake, systems: Iterable[System], contracts: dict[str, Contract], timezone: str
) -> list[Recency]:
    """How new every entity is of which `source.yaml` says how new it should be.

    Args:
        lake: The lake.
        systems: Systems to look at.
        contracts: The contracts by entity.
        timezone: Time zone in which days begin and end.
    """
    awaited = [
        (system.name, entity, spec.expected.latency_days)
        for system in systems
        for entity, spec in system.spec.entities.items()
        if spec.expected.latency_days
    ]
    if not awaited:
        return []
    live: dict[tuple[str, str], list[Record]] = {}
    for record in lake.live("load"):
        place = (record.details["source_system"], record.details["entity"])
        live.setdefault(place, []).append(record)
    return [
        Recency(system, entity,
                _newest(lake, live.get((system, entity), []), contracts[entity], ZoneInfo(timezone)),
                days)
        for system, entity, days in awaited
    ]  # fmt: skip


def stale_sources(
    lake: Lake,
    systems: Iterable[System],
    contracts: dict[str, Contract],
    timezone: str,
    today: date,
) -> list[Recency]:
    """What is older than expected."""
    return [one for one in recencies(lake, systems, contracts, timezone) if one.is_stale(today)]


def _newest(lake: Lake, loads: list[Record], contract: Contract, zone: ZoneInfo) -> date | None:
    if contract.event_time:
        files = [
            str(lake.path(file))
            for record in loads
            for file in record.files
            if (file.source, file.table) == ("raw", contract.entity) and file.rows
        ]
        return newest_event(files, contract.event_time, zone)
    days = [Load.from_record(record).day or _day(record.committed_at, zone) for record in loads]
    return max(days, default=None)


def newest_event(files: list[str], event_time: str, zone: ZoneInfo) -> date | None:
    """Day of the newest event, from what Parquet files say of themselves.

    Args:
        files: Raw files of one entity.
        event_time: The column with the time of its event.
        zone: Where days begin and end.
    """
    if not files:
        return None
    import duckdb

    # As text: a parameter that is a list makes DuckDB look for pandas.
    with duckdb.connect() as con:
        row = con.execute(
            f"select max(stats_max_value) from parquet_metadata({literals(files)})"
            f" where path_in_schema = {literal(event_time)}"
        ).fetchone()
    return _day(str(row[0]), zone) if row and row[0] else None


def _day(at: str, zone: ZoneInfo) -> date:
    """Business date of a time in UTC; a date alone stays what it is."""
    if len(at) == len("2024-01-01"):
        return date.fromisoformat(at)
    return datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(zone).date()
