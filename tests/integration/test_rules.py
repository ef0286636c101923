"""The rules of the models, each on a few made-up rows."""

from __future__ import annotations

import os

from orchestration import dbt
from orchestration.moment import last_moment, write_inputs
from tests.integration.conftest import Built


def test_every_rule_holds_on_made_up_rows(built: Built) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    path = dbt.manifest_path(built.home)
    inputs = write_inputs(built.home, last_moment(built.home))
    os.environ.update(built.home.environment() | {"UNICUS_LAKE_FILES": str(inputs)})
    runner = dbtRunner(manifest=dbt.parsed(path))
    arguments = ["test", "--select", "test_type:unit", *dbt.arguments(built.home)]
    try:
        done = runner.invoke(arguments)
    finally:
        DuckDBConnectionManager.close_all_connections()
    ended = {
        result.node.name: str(result.status)
        for result in done.result.results
        if result.node.resource_type == "unit_test"
    }
    assert ended.keys() == {node["name"] for node in dbt.manifest(path)["unit_tests"].values()}
    assert {name: status for name, status in ended.items() if status != "pass"} == {}
