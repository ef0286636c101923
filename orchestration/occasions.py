"""Occasions: what is worth telling of a home, as notifications.

Belongs here: the words. Does not belong here: who is told (`notify`), and how Dagster remembers a run
(`ending`). Light: `unicus run` tells of a day without anything new before it loads Dagster.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration.notify import Notification
from orchestration.settings import Home, read_config, read_systems

if TYPE_CHECKING:
    from collections.abc import Collection

    from intake.recency import Recency


def killed(home: Home, run_id: str) -> Notification:
    """That a run ended without a word."""
    return _of_run(home, run_id, "its process was killed, or could not start",
                   "look whether it was begun anew:  unicus status")  # fmt: skip


def broken_off(home: Home, run_id: str, steps: Collection[str]) -> Notification:
    """That a run failed over something that does not explain itself."""
    return _of_run(home, run_id, f"it stopped at {', '.join(sorted(steps))}",
                   "read the log, then  unicus run")  # fmt: skip


def _of_run(home: Home, run_id: str, what: str, fix: str) -> Notification:
    subject, log = f"run {run_id[:8]}", log_of(home, run_id)
    return Notification("run_failure", f"run_failure:{run_id}", subject, what, fix, log, run_id)


def log_of(home: Home, run_id: str) -> str:
    """The log of a run; those of the browser and the daemon have theirs in Dagster's page."""
    log = home.logs / f"{run_id}.log"
    return str(log) if log.exists() else "the run in  unicus ui"


def of_fault(fault: Any, run_id: str = "") -> Notification:
    """That a run failed over a fault; one that did not even begin is told once an hour at most."""
    occasion = run_id or f"{datetime.now(UTC):%Y-%m-%dT%H}"
    key = f"run_failure:{occasion}:{fault.code}:{fault.subject}"
    return Notification("run_failure", key, str(fault.subject), str(fault.what), str(fault.fix),
                        str(fault.where), run_id)  # fmt: skip


def stale_notifications(
    home: Home, run_id: str = "", as_of: date | None = None
) -> list[Notification]:
    """One per source that is stale; its key holds the newest day, so that each is told once."""
    return [
        Notification(
            "stale_source", f"stale_source:{one.system}/{one.entity}:{one.newest}",
            f"{one.system}/{one.entity}", one.text,
            "ask for the files, or correct  latency_days  in source.yaml", run_id=run_id,
        )
        for one in stale(home, as_of)
    ]  # fmt: skip


def stale(home: Home, as_of: date | None = None) -> list[Recency]:
    """Sources that are older than expected today, or at the date a run was asked to stand at."""
    from intake.contract import contracts
    from intake.recency import stale_sources

    config = read_config(home)
    today = as_of or datetime.now(ZoneInfo(config.business_timezone)).date()
    systems = read_systems(config)
    return stale_sources(home.lake, systems, contracts(), config.business_timezone, today)
