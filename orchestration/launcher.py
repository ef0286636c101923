"""How the daemon starts runs and knows whether they still live.

Dagster's own launcher sees a run end only while the server that started it lives; after a power cut
its runs would stay "started" for ever. Here a run of this home holds a lock of its own for as long as
its process lives, whoever started it, and the daemon's run monitoring asks for that.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

from orchestration import lock
from orchestration.settings import HOME_VARIABLE

SIGN_SECONDS = 60.0
"""A run that has begun shows its sign within a second or two."""


class LocalLauncher(DefaultRunLauncher):
    """The launcher of `dagster.yaml`."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes, by the lock of the run."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Say whether the process of a run that has begun is there."""
        if is_gone(self._instance, Path(os.environ[HOME_VARIABLE]), run):
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process of the run is gone.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def is_gone(instance: dg.DagsterInstance, root: Path, run: dg.DagsterRun) -> bool:
    """Whether the process of a run that Dagster shows as started is there no more."""
    alive = lock.is_alive(root, run.run_id)
    if alive is not None:
        return not alive
    record = instance.get_run_record_by_id(run.run_id)
    return time.time() - ((record and record.start_time) or 0.0) > SIGN_SECONDS
