"""Transformation: every dbt model and test as assets and checks of the one graph.

Dagster splits the project around identity and the models of `ml`; each part is one dbt build.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtProject, dbt_assets

from orchestration import dbt
from orchestration.moment import write_inputs
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import DBT_PROJECT


def warehouse_assets(manifest: Path) -> dg.AssetsDefinition:
    """The models of the project at `manifest`."""

    @dbt_assets(
        manifest=dbt.manifest(manifest),
        project=DbtProject(DBT_PROJECT),
        dagster_dbt_translator=dbt.Translator(),
        name="warehouse",
    )
    def warehouse(context: dg.AssetExecutionContext, unicus: UnicusRun) -> Iterator[Any]:
        selected = {key.path[-1] for key in context.selected_asset_keys}
        progress.stage(_stage(context))
        with unicus.faults_shown():
            moment = unicus.moment()
            dbt.refuse_mixed(unicus.place, manifest, selected, moment)
            inputs = write_inputs(unicus.place, moment)
            yield from dbt.build(context, unicus.place, manifest, inputs)
        progress.note(f"{len(selected)} tables")

    return warehouse


def _stage(context: dg.AssetExecutionContext) -> str:
    """Which part this is, for people: the first room among staging, core, marts that it builds."""
    rooms = {key.path[0] for key in context.selected_asset_keys}
    return next(room for room in ("staging", "core", "marts") if room in rooms or room == "marts")
