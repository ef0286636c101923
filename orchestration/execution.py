"""The graph executed inside this process, on Dagster's own instance of the home."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import Any

# Before Dagster and dbt: skops looks through every module there is for each of numpy's functions,
# which takes 0.4 s now and 2.7 s after them.
import skops.io  # noqa: F401  # isort: skip
import dagster as dg

from orchestration.ending import check_text
from orchestration.graph import APART, BACKFILL, JOB, build_definitions
from orchestration.progress import progress
from orchestration.resources import COMMAND_LINE
from orchestration.settings import Home, read_config
from orchestration.summary import Checks


@dataclass
class Outcome:
    """How the graph ended; `error` holds Dagster's own words for the log."""

    success: bool
    error: str = ""
    checks: Checks = field(default_factory=Checks)


class Execution:
    """One execution of all assets, or of those below the systems named; or of a backfill.

    Args:
        months: first and last month start to fill in, and nothing else.
    """

    def __init__(
        self, home: Home, systems: tuple[str, ...] = (), as_of: date | None = None, *,
        retrain: bool = False, months: tuple[date, date] | None = None,
    ) -> None:  # fmt: skip
        self._months = months
        self.run_id = str(uuid.uuid4())
        self._home = home
        self._systems = systems
        self._as_of = as_of
        self._retrain = retrain
        self._instance = dg.DagsterInstance.get()

    def run(self) -> Outcome:
        """Execute; never raises for what an asset did."""
        progress.faults.clear()
        definitions = build_definitions(self._home)
        job = definitions.resolve_job_def(BACKFILL if self._months else JOB)
        config = {
            "home": str(self._home.root),
            "as_of": str(self._as_of or ""),
            "retrain": self._retrain,
        }
        result = job.execute_in_process(
            instance=self._instance,
            run_id=self.run_id,
            run_config={"resources": {"unicus": {"config": config}}, "loggers": {"log": {}}},
            asset_selection=self._selection(definitions),
            tags=COMMAND_LINE | self._range(),
            raise_on_error=False,
        )
        return Outcome(result.success, self._error(result), self._checks(result))

    def cancel(self) -> None:
        """Tell Dagster that the run is over, so that the browser does not show it as running."""
        run = self._instance.get_run_by_id(self.run_id)
        if run:
            self._instance.report_run_canceled(run)

    def _range(self) -> dict[str, str]:
        """The months as Dagster names the partitions of one run."""
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return dict(zip(ends, map(str, self._months), strict=True)) if self._months else {}

    def _selection(self, definitions: dg.Definitions) -> list[dg.AssetKey] | None:
        """Everything, less the landing of the systems not named."""
        if not self._systems:
            return None
        others = set(read_config(self._home).systems) - set(self._systems)
        keys = definitions.resolve_asset_graph().executable_asset_keys
        left = {*APART, *(k for k in keys if k.path[0] == "landing" and k.path[1] in others)}
        return [key for key in keys if key not in left]

    @staticmethod
    def _error(result: Any) -> str:
        failures = [e for e in result.all_events if e.is_step_failure]
        texts = [
            str(e.step_failure_data.error.to_string())
            for e in failures
            if e.step_failure_data.error
        ]
        if texts:
            logging.getLogger("unicus").error("\n".join(texts))
        cause = failures[0].step_failure_data.error if failures else None
        while cause and cause.cause:
            cause = cause.cause
        return f"{cause.cls_name}: {cause.message}" if cause else ""

    @staticmethod
    def _checks(result: Any) -> Checks:
        evaluations = result.get_asset_check_evaluations()
        bad = [e for e in evaluations if not e.passed]
        warned = [e for e in bad if e.severity == dg.AssetCheckSeverity.WARN]
        failed = [e for e in bad if e.severity != dg.AssetCheckSeverity.WARN]
        return Checks(
            passed=len(evaluations) - len(bad),
            warned=tuple(map(check_text, warned)),
            failed=tuple(map(check_text, failed)),
        )
