"""Serving: the asset that publishes the public tables for BI."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration import dbt
from orchestration.defs.ingest import OWNER
from orchestration.defs.predict import champions_that_scored
from orchestration.moment import Moment
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.runkey import model_that_resolved, published_key, run_key
from orchestration.settings import Home, read_config
from serving.publish import MixedMoments, Publication, PublicTable, publish


def published_asset(manifest: Path) -> dg.AssetsDefinition:
    """The published copy, after every public model."""
    tables = public_tables(manifest)

    @dg.asset(
        key=["serving", "published"],
        deps=[dg.AssetKey([table.schema, table.name]) for table in tables],
        group_name="serving",
        description="The copy that BI reads: every public table, of one snapshot and one date, put"
        " in place by one rename.",
        kinds={"duckdb"},
        owners=[OWNER],
    )
    def published(unicus: UnicusRun) -> dg.MaterializeResult:  # type: ignore[type-arg]
        progress.stage("publish")
        with unicus.faults_shown():
            rows = publish_tables(unicus.place, unicus.moment(), tables, unicus.run_id)
        return dg.MaterializeResult(metadata=publication_metadata(unicus, rows))

    return published


def public_tables(manifest: Path) -> list[PublicTable]:
    """What is published of the project at `manifest`."""
    return [_public_table(node) for node in dbt.public_tables(manifest)]


def publish_tables(
    home: Home, moment: Moment, tables: list[PublicTable], run_id: str
) -> dict[str, int]:
    """Put the copy in place; return the rows of each table.

    Raises:
        MixedMoments: a public table is not of this moment and this code.
    """
    key = run_key(moment.snapshot_id, moment.as_of, read_config(home))
    stale = sorted({t.name for t in tables} - dbt.built_with(home, key))
    if stale:
        raise MixedMoments(home.published, stale, f"{moment.as_of}, {moment.snapshot_id}")
    models = champions_that_scored(home.lake, moment.as_of) | model_that_resolved(home.lake)
    publication = Publication(
        run_id=run_id,
        snapshot_id=moment.snapshot_id,
        as_of=moment.as_of,
        published_at=datetime.now(UTC).replace(tzinfo=None),
        key=published_key(key, models),
    )
    rows = publish(home.warehouse, home.published, tables, publication)
    progress.note(f"{len(rows)} tables, {sum(rows.values()):,} rows")
    return rows


def publication_metadata(unicus: UnicusRun, rows: dict[str, int]) -> dict[str, Any]:
    """What Dagster shows of a published copy."""
    moment = unicus.moment()
    return {
        "as_of": str(moment.as_of),
        "snapshot_id": moment.snapshot_id,
        "path": dg.MetadataValue.path(str(unicus.place.published)),
        **{f"{name}_rows": count for name, count in rows.items()},
    }


def _public_table(node: dict[str, Any]) -> PublicTable:
    columns = {name: column["description"] for name, column in node["columns"].items()}
    return PublicTable(node["schema"], node["name"], node["description"], columns)
