"""The data dictionary says what the models say, and its questions can be asked."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from orchestration import dictionary
from orchestration.column_graph import ColumnGraph

Project = tuple[dict[str, Any], ColumnGraph]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return dictionary.read_project(tmp_path_factory.mktemp("dictionary"))


def test_the_pages_are_those_the_models_give(project: Project) -> None:
    found = {path.name: path.read_text("utf-8") for path in dictionary.FOLDER.glob("*.md")}
    assert found == dictionary.pages(*project), (
        "write them anew:  python -m orchestration.dictionary"
    )


def test_every_question_can_be_asked_of_the_tables_as_declared(project: Project) -> None:
    manifest, _ = project
    public = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["access"] == "public"
    }
    assert dictionary.QUERIES.keys() == public.keys()
    with duckdb.connect() as con:
        for node in public.values():
            columns = ", ".join(f"{c['name']} {c['data_type']}" for c in node["columns"].values())
            con.execute(f"create schema if not exists {node['schema']}")
            con.execute(f"create table {node['schema']}.{node['name']} ({columns})")
        for query in dictionary.QUERIES.values():
            con.execute(query)
