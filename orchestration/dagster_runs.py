"""Dagster's history of runs: which runs are old, and how they are forgotten.

Found by a look at its SQLite files, which costs nothing and changes nothing; forgotten by Dagster. A
history in PostgreSQL is left alone.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import Home, read_config

if TYPE_CHECKING:
    from collections.abc import Iterable

RUNS = Path("history") / "runs.db"
EVENTS = Path("event_log.db")
WAIT_SECONDS = 10.0
NEWEST = """
    select distinct run_id from event_logs where id in (
        select max(id) from event_logs
        where dagster_event_type = 'ASSET_MATERIALIZATION' group by asset_key
    )
"""
"""Runs that made what Dagster's page shows of an asset."""


@dataclass(frozen=True)
class OldRuns:
    """Runs to forget.

    Attributes:
        run_ids: the runs, oldest first.
        share: their share of all runs there are.
        oldest_kept: start of the oldest run that stays.
    """

    run_ids: tuple[str, ...] = ()
    share: float = 0.0
    oldest_kept: datetime | None = None


def old_runs(home: Home, before: datetime) -> OldRuns:
    """Find the ended runs that began before a time and made nothing that is still the newest."""
    if read_config(home).postgres or not all(
        (home.dagster / name).exists() for name in (RUNS, EVENTS)
    ):
        return OldRuns()
    try:
        newest = {run_id for (run_id,) in _ask(home.dagster / EVENTS, NEWEST)}
        listed = _ask(
            home.dagster / RUNS, "select run_id, status, create_timestamp from runs order by id"
        )
    except sqlite3.Error:  # not made to its end, or damaged: nothing is deleted from it
        return OldRuns()
    runs = [
        (run_id, status, datetime.fromisoformat(began).replace(tzinfo=UTC))
        for run_id, status, began in listed
    ]
    old = tuple(
        run_id for run_id, status, began in runs
        if began < before and status in ("SUCCESS", "FAILURE", "CANCELED") and run_id not in newest
    )  # fmt: skip
    kept = [began for run_id, _, began in runs if run_id not in old]
    return OldRuns(old, len(old) / max(len(runs), 1), min(kept, default=None))


def forget_runs(home: Home, run_ids: Iterable[str]) -> None:
    """Let Dagster delete runs with their events and output, and give the room back to the disk.

    The run itself goes last, so that after a kill the rest of it is found again.
    """
    os.environ.update(home.environment())
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        for run_id in run_ids:
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            instance.event_log_storage.delete_events(run_id)
            instance.delete_run(run_id)
    for name in (EVENTS, RUNS):
        _shrink(home.dagster / name)


def _ask(path: Path, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        return con.execute(query).fetchall()


def _shrink(path: Path) -> None:
    """Give free pages back; while the page of Dagster is at work on the file, it stays as it is."""
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as con:
        try:
            con.execute("vacuum")
            con.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError:  # busy: the pages are used again, or given back next time
            return
