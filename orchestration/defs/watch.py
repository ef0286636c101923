"""The watch of a home: what no run tells, because it died or because none was due.

Belongs here: the sensor that looks. Does not belong here: who is told (`notify`), what a run tells of
itself (`ending`), and the checks of new loads (`checks`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from intake.fault import InputFault
from orchestration import lock, notify
from orchestration.occasions import killed, stale_notifications

if TYPE_CHECKING:
    from orchestration.settings import Home, HomeConfig

LOOK_SECONDS = 60
LOOK_BACK = timedelta(days=1)
RUNS = 20


def watch_sensor(home: Home, config: HomeConfig) -> dg.SensorDefinition:
    """Tell of runs that died, of sources that are stale, and again what the webhook did not take.

    It starts no run. On by itself where `home.yaml` says who is told.
    """

    @dg.sensor(
        name="watch",
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING
        if config.notifications
        else dg.DefaultSensorStatus.STOPPED,
        description="Tells of runs that were killed and of sources that are stale.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        found = [killed(home, run_id) for run_id in _dead(home, context.instance)]
        try:
            stale = stale_notifications(home)
        except InputFault:  # the run says what is wrong with a source
            stale = []
        notify.tell(home, [*found, *stale])
        return dg.SkipReason(f"{len(found)} runs ended without a word, {len(stale)} sources stale.")

    return watch


def _dead(home: Home, instance: dg.DagsterInstance) -> list[str]:
    """Failed runs of the last day that told nothing of it themselves and are at work no more."""
    since = datetime.now(UTC) - LOOK_BACK
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    ids = [run.run_id for run in instance.get_runs(filters=failed, limit=RUNS)]
    return [i for i in ids if not lock.is_alive(home.root, i) and not notify.told_of(home, i)]
