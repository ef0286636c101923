"""What a run has to tell at its end, read from Dagster's record of it and from the lake.

The same for runs of the terminal, of the browser and of the daemon: it is done inside the run, by the
resource that holds the home. What no run can tell of itself, its own death, tells the sensor of
`defs/watch.py`, or the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date

import dagster as dg

from orchestration import notify
from orchestration.notify import Notification
from orchestration.occasions import broken_off, log_of, of_fault, stale_notifications
from orchestration.progress import progress
from orchestration.settings import Home, Notifications, read_config

log = logging.getLogger("unicus.notify")

SHOWN = 3
FRESHNESS = "freshness"
"""Name of the checks that look at recency; they are told of source by source."""
CHECK_FAILED = "check-failed"
"""Code of the fault with which a check stops a run."""


def tell_end(home: Home, instance: dg.DagsterInstance, run_id: str, as_of: date | None) -> None:
    """Tell what came of a run: its failure, its checks, and the sources that are stale.

    Never raises: a run does not fail over what is told of it.

    Args:
        home: The home.
        instance: Where Dagster keeps its record.
        run_id: The run, at its end.
        as_of: The date the run was asked to stand at; data may then be of before.
    """
    try:
        run = instance.get_run_by_id(run_id)
        if run and run.status not in {dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED}:
            told = [*_of_run(home, instance, run_id), *stale_notifications(home, run_id, as_of)]
            notify.tell(home, told)
    except Exception as error:
        log.warning("the end of the run could not be told (%s)", type(error).__name__)


def _of_run(home: Home, instance: dg.DagsterInstance, run_id: str) -> list[Notification]:
    wanted = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    events = [e.dagster_event for e in instance.all_logs(run_id, of_type=wanted) if e.dagster_event]
    steps = {str(event.step_key) for event in events if event.is_step_failure}
    checks = _checks(
        home, run_id, [e.asset_check_evaluation_data for e in events if not e.is_step_failure]
    )
    failures = _failures(home, run_id, steps) if steps else []
    # What a check stopped is told as a check, to whoever is told of those.
    is_told = "check_failed" in (read_config(home).notifications or Notifications()).events
    if is_told and any(one.kind == "check_failed" for one in checks):
        failures = [one for one in failures if f":{CHECK_FAILED}:" not in one.key]
    return [*failures, *checks]


def check_text(evaluation: dg.AssetCheckEvaluation) -> str:
    """What a check came to, in one line: our own words, or name and rows of a test of dbt."""
    if evaluation.description:
        return evaluation.description
    found = evaluation.metadata.get("dagster_dbt/failed_row_count")
    count = f": {found.value:,} rows" if found else ""
    return f"{evaluation.check_name}{count}"


def _failures(home: Home, run_id: str, steps: set[str]) -> list[Notification]:
    """One for each fault that explains itself, or one for the steps that broke off."""
    return [of_fault(fault, run_id) for fault in progress.faults] or [
        broken_off(home, run_id, steps)
    ]


def _checks(
    home: Home, run_id: str, evaluations: list[dg.AssetCheckEvaluation]
) -> list[Notification]:
    bad = [one for one in evaluations if not one.passed and one.check_name != FRESHNESS]
    kinds = {
        "check_failed": [e for e in bad if e.severity != dg.AssetCheckSeverity.WARN],
        "check_warned": [e for e in bad if e.severity == dg.AssetCheckSeverity.WARN],
    }
    return [
        Notification(kind, f"{kind}:{run_id}", _counted(found), _some(map(check_text, found)),
                     "see the checks of the run in  unicus ui", log_of(home, run_id), run_id)
        for kind, found in kinds.items()
        if found
    ]  # fmt: skip


def _counted(found: list[dg.AssetCheckEvaluation]) -> str:
    return "1 check" if len(found) == 1 else f"{len(found)} checks"


def _some(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return "; ".join(every[:SHOWN]) + more
