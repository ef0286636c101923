"""Checks of what has come, on `raw/<entity>`: every run that freezes anything passes them.

Belongs here: which checks an entity has, and their results as Dagster shows them. Does not belong
here: what is found (`intake.deviation`, `intake.recency`) and the tests of the warehouse, which are
dbt's. They look at loads that the published copy does not hold, so that what stops one run also stops
the next, until it is mended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from intake import erasure
from intake.contract import contracts
from intake.deviation import Verdict, examine, series_of
from intake.recency import recencies
from intake.snapshot import snapshot_records
from orchestration.dbt import CheckFailed
from orchestration.ending import FRESHNESS
from orchestration.settings import Home, read_config, read_systems
from serving.publish import read_publication

if TYPE_CHECKING:
    from intake.source import System
    from orchestration.moment import Moment

DESCRIPTIONS = {
    "reconciliation": "Every row of the new files met one fate, and the lake holds what the register"
    " says. If it fails, look at  unicus doctor  and restore the home, or undo the load.",
    "quarantine": "Few of the new rows were refused. See which with  unicus loads --quarantine,"
    " correct the file, or undo the load.",
    "volume": "The new days have about as many rows as such days had. Ask whether the file is whole.",
    "distribution": "The values of every column lie as in the loads before. Look at the file for a"
    " column that turned empty or has another unit.",
    FRESHNESS: "The newest data is as new as  source.yaml  expects. Ask for the files.",
    erasure.CHECK: "Nobody waits to be forgotten. Erase who asked; unicus cannot do it yet.",
}
BLOCKING = {"reconciliation", "quarantine"}


def check_specs(systems: Sequence[System], entity: str) -> list[dg.AssetCheckSpec]:
    """The checks of an entity: none where no system delivers it."""
    spec = [s.spec.entities[entity] for s in systems if entity in s.spec.entities]
    if not spec:
        return []
    left_out = set() if contracts()[entity].event_time else {"volume"}
    left_out |= set() if any(one.expected.latency_days for one in spec) else {FRESHNESS}
    left_out |= set() if entity == erasure.ENTITY else {erasure.CHECK}
    return [
        dg.AssetCheckSpec(
            name, asset=dg.AssetKey(["raw", entity]), description=text, blocking=name in BLOCKING
        )
        for name, text in DESCRIPTIONS.items()
        if name not in left_out
    ]


@dataclass(frozen=True)
class Look:
    """What a look at the loads came to: what the checks say, and rows by entity and day."""

    verdicts: list[Verdict]
    days: dict[str, Counter[date]]


def look(home: Home, moment: Moment, asked: date | None) -> Look:
    """Look at the loads that the run stands on.

    Args:
        home: The home.
        moment: Where the run stands.
        asked: The date the run was asked to stand at; data may then be of before.
    """
    config, lake = read_config(home), home.lake
    systems, zone = read_systems(config), config.business_timezone
    today = asked or datetime.now(ZoneInfo(zone)).date()
    loads = snapshot_records(lake, moment.snapshot_id)
    series = series_of(lake, systems, contracts(), loads, _published(home), zone, today)
    days: dict[str, Counter[date]] = {}
    for one in series:
        days.setdefault(one.contract.entity, Counter()).update(one.days)
    recent = [
        Verdict(FRESHNESS, one.system, one.entity, "warn" if one.is_stale(today) else "ok", one.text,
                {"newest_date": str(one.newest), "limit_days": one.latency_days})
        for one in recencies(lake, systems, contracts(), zone)
    ]  # fmt: skip
    waiting = erasure.waiting_requests(lake, loads, zone, moment.as_of)
    return Look([*examine(lake, series), *recent, *waiting], days)


def _published(home: Home) -> set[int] | None:
    """Numbers of the loads that the published copy holds; None without one."""
    publication = read_publication(home.published)
    if publication is None:
        return None
    # A load that was read again since has another number, in a snapshot of the same name.
    return {
        record.seq
        for record in snapshot_records(home.lake, publication.snapshot_id)
        if datetime.fromisoformat(record.committed_at).replace(tzinfo=None)
        <= publication.published_at
    }


def check_results(
    specs: Iterable[dg.AssetCheckSpec], found: list[Verdict], entity: str
) -> list[dg.AssetCheckResult]:
    """The results of the checks of an entity, all systems together."""
    return [
        _result(spec.key, [v for v in found if (v.check, v.entity) == (spec.name, entity)])
        for spec in specs
    ]


def _result(check: dg.AssetCheckKey, found: list[Verdict]) -> dg.AssetCheckResult:
    bad = [one for one in found if one.state != "ok"]
    is_failed = any(one.state == "fail" for one in bad)
    figures = {
        f"{one.system} {name}".replace("_", " "): figure
        for one in found
        for name, figure in one.found.items()
    }
    return dg.AssetCheckResult(
        passed=not bad,
        asset_key=check.asset_key,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.ERROR if is_failed else dg.AssetCheckSeverity.WARN,
        description="; ".join(one.text for one in bad or found),
        metadata=figures,
    )


def refuse_failed(home: Home, found: list[Verdict]) -> None:
    """Stop the run when a check says no.

    Raises:
        CheckFailed: loads that do not add up, or more refused rows than  source.yaml  allows.
    """
    failed = [one for one in found if one.state == "fail"]
    if not failed:
        return
    entities = " ".join(sorted({f"--entity {one.entity}" for one in failed})[:1])
    raise CheckFailed(
        failed[0].check, "; ".join(one.text for one in failed), str(home.lake.root),
        f"unicus loads --quarantine {entities}; take the load out with  unicus undo, or raise the"
        " limit in source.yaml, then  unicus run",
    )  # fmt: skip
