"""How the daemon starts runs and knows whether they still live.

Dagster's own launcher sees a run end only while the server that started it lives; after a power cut
its runs would stay "started" for ever. Here a run of this home holds a lock of its own for as long as
its process lives, whoever started it, and the daemon's run monitoring asks for that.
"""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

from orchestration import lock
from orchestration.settings import HOME_VARIABLE


class LocalLauncher(DefaultRunLauncher):
    """The launcher of `dagster.yaml`."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes, by the lock of the run."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Say whether the process of a run is there.

        A run that has not begun to live is not reported as dead: its start is watched apart.
        """
        root = Path(os.environ[HOME_VARIABLE])
        if lock.is_dead(root, run.run_id):
            return CheckRunHealthResult(WorkerStatus.FAILED, "The process of the run is gone.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)
