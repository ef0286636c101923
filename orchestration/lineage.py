"""The lineage of columns: found in the compiled models, closed by what Python assets declare.

It is found once per version of the code and kept beside the parsed project; a run only reads it. What
counts as made of is said in `sql_lineage`; what a Python asset makes its columns of, beside the asset.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg

from intake.contract import Contract, contracts
from intake.lake import write_text_durably
from intake.snapshot import LOADS_SCHEMA
from intake.stage import QUARANTINE_COLUMNS
from orchestration import dbt
from orchestration.column_graph import (
    CONSTANT,
    ColumnGraph,
    Origin,
    Origins,
    PublicColumn,
    read_graph,
)
from orchestration.defs import identity, ingest, predict
from orchestration.moment import DATES_SCHEMA, PRODUCTS, RUN_SCHEMA
from orchestration.settings import Home, lineage_file
from orchestration.sql_lineage import Relation, Trace, trace

Node = dict[str, Any]

log = logging.getLogger("unicus.lineage")


def column_graph(home: Home) -> ColumnGraph:
    """The graph of the code that is there now, found anew when the code has changed."""
    path = lineage_file()
    if not path.exists():
        manifest_path = dbt.manifest_path(home)
        graph = find_graph(dbt.manifest(manifest_path), dbt.compiled(manifest_path))
        for old in path.parent.glob("lineage-*"):
            old.unlink(missing_ok=True)
        write_text_durably(path, graph.to_json())
    return _kept(path)


@functools.cache
def _kept(path: Path) -> ColumnGraph:
    return read_graph(path)


def find_graph(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> ColumnGraph:
    """Find what every column is made of.

    Args:
        manifest: The parsed project.
        compiled: The query of each model, by unique id.
    """
    relations, assets = _sources(manifest)
    origins: Origins = {}
    for node in _models_in_order(manifest):
        name = _relation(node)
        assets[name] = f"{node['schema']}/{node['name']}"
        found = _trace(compiled[node["unique_id"]], relations, node)
        columns = tuple(found.columns or node["columns"])
        if columns:
            relations[name] = Relation(columns, _key(manifest, node) or found.key())
        origins[assets[name]] = {
            column: Origin(
                tuple(sorted((assets[table], above) for table, above in made_of)),
                "" if made_of else CONSTANT,
            )
            for column, made_of in found.columns.items()
        }
    features = origins[predict.FEATURES.to_user_string()]
    declared = ingest.origins() | identity.origins() | predict.origins(features)
    return ColumnGraph(origins | declared, _public(manifest))


def _trace(sql: str, relations: Mapping[str, Relation], node: Node) -> Trace:
    """What a model is made of; nothing known of one that cannot be read, which stops no run."""
    from sqlglot.errors import SqlglotError

    try:
        return trace(sql, relations, "duckdb")
    except SqlglotError as error:
        log.warning("no column lineage of %s: %s", node["name"], error)
        return Trace({}, frozenset())


def _models_in_order(manifest: Mapping[str, Any]) -> Iterator[Node]:
    """Every model after those it reads."""
    models = {
        id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }
    above = {id_: sorted(models.keys() & set(node["depends_on"]["nodes"]))
             for id_, node in sorted(models.items())}  # fmt: skip
    return (models[id_] for id_ in TopologicalSorter(above).static_order())


def _sources(manifest: Mapping[str, Any]) -> tuple[dict[str, Relation], dict[str, str]]:
    """What models read that no model makes: by relation its columns, and its asset."""
    columns = {("raw", entity): tuple(c.raw_columns) for entity, c in contracts().items()}
    columns |= {
        (source, table): tuple(schema.names)
        for source, tables in PRODUCTS.items()
        for table, schema in tables.items()
    }
    columns |= {
        ("ledger", "loads"): tuple(LOADS_SCHEMA.names),
        ("ledger", "quarantined_rows"): tuple(QUARANTINE_COLUMNS),
        ("moment", "run"): tuple(RUN_SCHEMA.names),
        ("moment", "as_of_dates"): tuple(DATES_SCHEMA.names),
    }
    keys = {("raw", entity): _raw_key(contract) for entity, contract in contracts().items()}
    relations, assets = {}, {}
    for node in manifest["sources"].values():
        place, name = (node["source_name"], node["name"]), _relation(node)
        relations[name] = Relation(columns[place], keys.get(place) or _key(manifest, node))
        assets[name] = "/".join(node["meta"]["dagster"]["asset_key"])
    return relations, assets


def _raw_key(contract: Contract) -> tuple[str, ...]:
    """What names a row within a load; lines have no key but their place in the file."""
    return ("source_system", *contract.record_columns, *(() if contract.key else ("_row",)))


def _relation(node: Node) -> str:
    return f"{node['schema']}.{node.get('identifier') or node['name']}"


def _key(manifest: Mapping[str, Any], node: Node) -> tuple[str, ...]:
    return tuple(dbt.key_columns(manifest, node))


def _public(manifest: Mapping[str, Any]) -> dict[str, dict[str, PublicColumn]]:
    return {
        f"{node['schema']}/{node['name']}": {
            name: PublicColumn(column["data_type"], " ".join(column["description"].split()))
            for name, column in node["columns"].items()
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["access"] == "public"
    }


def with_lineage(event: Any, context: dg.AssetExecutionContext, graph: ColumnGraph) -> Any:
    """An event of a dbt build; where it tells of a model, with what the columns are made of."""
    if not isinstance(event, dg.Output):
        return event
    key = context.asset_key_for_output(event.output_name)
    return event.with_metadata({**event.metadata, **graph.metadata(key)})
