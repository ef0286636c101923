"""Dagster's log of events, in one SQLite file, through connections that stay open.

Dagster's own class makes an engine and a connection for every event, so that each statement is
compiled anew. What is stored, and how it is read, stays Dagster's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import (
    ConsolidatedSqliteEventLogStorage,
)
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_SECONDS = 60


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The log of `dagster.yaml`."""

    @cached_property
    def _engine(self) -> Engine:
        path = self.get_db_path()  # type: ignore[no-untyped-call]
        wait = {"timeout": BUSY_TIMEOUT_SECONDS}
        # As many connections as there are threads, as with Dagster's own.
        engine = create_engine(f"sqlite:///{path}", connect_args=wait, max_overflow=-1)
        event.listen(engine, "connect", _trust_the_write_ahead_log)
        return engine

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


def _trust_the_write_ahead_log(connection: Any, _record: Any) -> None:
    # Whole after a kill; a power cut may lose the last events, never the file.
    connection.execute("pragma synchronous = normal")
