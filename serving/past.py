"""The lake as a published run saw it, and what of it is no longer there.

Loads are those of the run's snapshot; identities, trainings and scores are those committed before the
copy was published. What a row of them means is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from intake.lake import Lake, Record, in_force
from serving.publish import Publication
from serving.rows import Row, Source, fetch


class Past:
    """The lake as the published run saw it, and what of it is no longer there."""

    def __init__(self, lake: Lake, publication: Publication) -> None:
        self.lake = lake
        self.missing: list[str] = []
        self.records = lake.records()
        until = publication.published_at.replace(tzinfo=UTC)
        self._seen = in_force(
            [r for r in self.records if datetime.fromisoformat(r.committed_at) <= until]
        )
        self._live = {record.seq for record in in_force(self.records)}
        self._undone = {
            seq for r in in_force(self.records) if r.kind == "undo" for seq in r.supersedes
        }
        numbers, self._frozen = self._read_frozen(publication.snapshot_id)
        self.loads = {r.record_id: r for r in self.records if r.seq in numbers}

    def _read_frozen(self, name: str) -> tuple[set[int], list[Any]]:
        try:
            numbers, files = self.lake.frozen(name)
        except (OSError, ValueError, KeyError, TypeError):
            self.missing.append(f"snapshot {name} of the run, so no raw row can be told")
            return set(), []
        return set(numbers), list(files)

    def delivered(self, entity: str, system: str) -> Source:
        """Files of an entity and system that the run read."""
        systems = {f.path: r.details["source_system"] for r in self.loads.values() for f in r.files}
        files = [
            file
            for file in self._frozen
            if (file.source, file.table) == ("raw", entity)
            and systems.get(file.path, system) == system
        ]
        found = tuple(self._present(file.path for file in files))
        return Source(system, found, sum(1 for file in files if file.rows))

    def refused_files(self) -> list[str]:
        """Files of quarantined rows that the run read; none when no row was refused."""
        files = [f for f in self._frozen if (f.source, f.table) == ("ledger", "quarantined_rows")]
        return self._present(file.path for file in files if file.rows)

    def made_files(self, kind: str, table: str, as_of: date | None = None) -> list[str]:
        """Files that identity or models had written when the run was published."""
        records = [r for r in self._seen if any(file.table == table for file in r.files)]
        if as_of:
            records = [r for r in records if r.details.get("as_of") == str(as_of)][-1:]
        paths = (f.path for r in records for f in r.files if (f.source, f.table) == (kind, table))
        return self._present(paths)

    def scoring(self, as_of: date) -> Record | None:
        """The scoring that the run served."""
        scorings = [
            r for r in self._seen if r.kind == "scores" and r.details.get("as_of") == str(as_of)
        ]
        return scorings[-1] if scorings else None

    def training(self, mlflow_run_id: str | None) -> Record | None:
        """The training that a run of MLflow was made by."""
        for record in self.records:
            is_it = record.kind == "training" and mlflow_run_id is not None
            if is_it and record.details.get("mlflow_run_id") == mlflow_run_id:
                return record
        return None

    def state(self, load: Record) -> str:
        """What became of a load since."""
        if load.seq in self._live:
            return "live"
        return "undone" if load.seq in self._undone else "replaced"

    def _present(self, paths: Iterable[str]) -> list[str]:
        present = []
        for path in paths:
            if (self.lake.root / path).exists():
                present.append(str(self.lake.root / path))
            else:
                self.missing.append(f"lake/{path}, so what is told is incomplete")
        return present

    def original(self, load: Record) -> Path:
        """Where the bytes of a load are kept as they were delivered."""
        return self.lake.root / "landing" / str(load.details["file_hash"])


def ask_mart(con: duckdb.DuckDBPyConnection, past: Past, query: str) -> list[Row]:
    """Ask the published copy for a customer, `{}` in the query; an older copy may lack the table."""
    try:
        return fetch(con, query.format("getvariable('customer')"))
    except duckdb.CatalogException:
        table = query.partition(" from ")[2].split()[0]
        past.missing.append(f"{table} in the published copy")
        return []
