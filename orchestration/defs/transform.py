"""Transformation: every dbt model and test as assets and checks of the one graph.

The project is cut where Python takes over, before identity and before the models of `ml`; each part
is one dbt build.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtProject, dbt_assets

from orchestration import dbt
from orchestration.column_graph import ColumnGraph
from orchestration.lineage import with_lineage
from orchestration.moment import write_inputs
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import DBT_PROJECT


@dataclass(frozen=True)
class Part:
    """What dbt selects for one build and leaves out, and the sources whose checks it runs."""

    name: str
    select: str
    exclude: str | None
    checked: frozenset[str]


def _folders(*names: str) -> str:
    return " ".join(f"path:models/{name}" for name in names)


PARTS = (
    Part("staging", _folders("staging", "core/versions"), None, frozenset({"raw"})),
    Part(
        "core",
        _folders(
            "core/customer",
            "core/marketing",
            "core/sales",
            "core/web",
            "core/service",
            "features",
            "marts",
        ),
        "source:ml+",
        frozenset({"ledger", "moment", "identity"}),
    ),
    Part("marts", "source:ml+", None, frozenset({"ml"})),
)
"""Left to itself Dagster cuts finer, and each more build costs a second."""


def warehouse_assets(manifest: Path, graph: ColumnGraph) -> list[dg.AssetsDefinition]:
    """The models of the project at `manifest`, part by part."""
    return [_part_assets(manifest, part, graph) for part in PARTS]


def _part_assets(manifest: Path, part: Part, graph: ColumnGraph) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=dbt.manifest(manifest),
        project=DbtProject(DBT_PROJECT),
        dagster_dbt_translator=dbt.Translator(part.checked),
        name=f"warehouse_{part.name}",
        select=part.select,
        exclude=part.exclude,
    )
    def warehouse(context: dg.AssetExecutionContext, unicus: UnicusRun) -> Iterator[Any]:
        selected = {key.path[-1] for key in context.selected_asset_keys}
        progress.stage(part.name)
        with unicus.faults_shown():
            moment = unicus.moment()
            dbt.refuse_mixed(unicus.place, manifest, selected, moment)
            inputs = write_inputs(unicus.place, moment)
            for event in dbt.build(context, unicus.place, manifest, inputs):
                yield with_lineage(event, context, graph)
        progress.note(f"{len(selected)} tables")

    return warehouse
