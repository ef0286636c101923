"""What the assets are given: the run they are part of, with its home, its lock and its moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from orchestration import lock, moment, notify
from orchestration.ending import tell_end
from orchestration.launcher import is_gone
from orchestration.moment import Moment
from orchestration.occasions import killed
from orchestration.progress import explains_itself, progress
from orchestration.settings import Home, read_config, refuse_unmade_sample

STARTED_BY = "unicus/started_by"
COMMAND_LINE = {STARTED_BY: "command line", "dagster/max_retries": "0"}
"""Tags of the runs that `unicus run` executes in its own process; who typed it may type it again."""

BEGIN_ANEW = {"dagster/retry_strategy": "ALL_STEPS"}
"""Tag of every run: one that is tried again freezes a moment of its own; nothing is loaded twice."""

BACKFILL_TAG = "dagster/backfill"
"""Tag of the runs that the daemon starts for one backfill."""

WAIT_SECONDS = 900.0
"""How long a run started from the browser or by the daemon waits for the one that holds the home."""


class UnicusRun(dg.ConfigurableResource):  # type: ignore[type-arg]
    """One run on one home. Holds the home's lock from its first step to its last.

    Attributes:
        home: folder of the home.
        as_of: the date to stand at, ISO; empty for the day after the last complete day.
        retrain: train every question, also those whose last training still holds.
    """

    home: str
    as_of: str = ""
    retrain: bool = False
    _run_id: str = PrivateAttr(default="")
    _backfill_id: str = PrivateAttr(default="")

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[UnicusRun]:
        """Take the lock of the home for the whole run."""
        self._run_id = context.run.run_id if context.run else ""
        self._backfill_id = context.run.tags.get(BACKFILL_TAG, "") if context.run else ""
        place = self.place
        with self.faults_shown():
            refuse_unmade_sample(place, read_config(place))
            place.create()
        lock.show_alive(place.root, self._run_id)
        if context.instance:
            context.instance.add_run_tags(self._run_id, BEGIN_ANEW)
        with lock.hold(place.root, WAIT_SECONDS):
            place.lake.clear_incoming()
            if context.instance:
                self._report_killed(context.instance)
            yield self
            if context.instance:
                tell_end(place, context.instance, self._run_id, self.asked)

    def _report_killed(self, instance: dg.DagsterInstance) -> None:
        """Report runs that Dagster still shows as started though their process is gone.

        Those of the command line hold the home from before they start, so the one that holds it now
        knows them to be dead. The daemon reports the dead too, where there is one.
        """
        root, started = self.place.root, dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        for run in instance.get_runs(filters=started):
            of_command_line = STARTED_BY in run.tags and not lock.is_alive(root, run.run_id)
            if run.run_id != self.run_id and (of_command_line or is_gone(instance, root, run)):
                instance.report_run_failed(run, "The process was killed.")
                notify.tell(self.place, [killed(self.place, run.run_id)])
        lock.bury(root, [run_id for run_id in lock.signs(root) if not lock.is_alive(root, run_id)])

    @property
    def place(self) -> Home:
        """The home."""
        return Home(Path(self.home))

    @property
    def asked(self) -> date | None:
        """The date the run was asked to stand at."""
        return date.fromisoformat(self.as_of) if self.as_of else None

    @property
    def run_id(self) -> str:
        """Dagster's id of the run."""
        return self._run_id

    def freeze(self) -> Moment:
        """Freeze what is live now and stand on it; the later steps of the run stand there too."""
        frozen = moment.new_moment(self.place, self.asked, retrain=self.retrain)
        moment.keep(self.place, self.run_id, frozen)
        if self._backfill_id:
            moment.keep(self.place, self._backfill_id, frozen)
        return frozen

    def moment(self) -> Moment:
        """Where the run stands; a run that froze nothing stands at the last complete moment.

        The daemon cuts a backfill of everything into several runs: those after the one that froze a
        moment stand at that.
        """
        found = moment.kept(self.place, self.run_id)
        if found is None and self._backfill_id:
            found = moment.kept(self.place, self._backfill_id)
        if found is None:
            found = moment.last_moment(self.place)
        moment.keep(self.place, self.run_id, found)
        return found

    @contextmanager
    def faults_shown(self) -> Iterator[None]:
        """Turn an exception that explains itself into a failure without a traceback."""
        try:
            yield
        except Exception as error:
            if not explains_itself(error):
                raise
            progress.faults.append(error)  # type: ignore[arg-type]
            raise dg.Failure(
                description=f"{error.code}: {error}",  # type: ignore[attr-defined]
                metadata={key: str(getattr(error, key)) for key in ("where", "why", "fix")},
                allow_retries=False,
            ) from error
