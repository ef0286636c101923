"""The graph hangs together: nothing dangles, and its shape is known."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration import dbt
from orchestration.defs.checks import DESCRIPTIONS
from orchestration.graph import build_definitions
from orchestration.settings import Home, manifest_file


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dg.AssetGraph:
    home = Home(tmp_path_factory.mktemp("graph") / "home")
    home.create()
    return build_definitions(home).resolve_asset_graph()


def test_no_asset_depends_on_one_that_nothing_makes(graph: dg.AssetGraph) -> None:
    assert graph.unexecutable_asset_keys == set()


def test_the_graph_is_the_one_in_the_snapshot(graph: dg.AssetGraph, snapshot: object) -> None:
    def line(key: dg.AssetKey) -> str:
        parents = sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        return f"{key.to_user_string()} <- {', '.join(parents)}"

    assert "\n".join(map(line, sorted(graph.executable_asset_keys))) == snapshot


def test_every_model_and_test_of_dbt_is_in_the_graph(graph: dg.AssetGraph) -> None:
    nodes = dbt.manifest(manifest_file())["nodes"].values()

    def names(kind: str) -> list[str]:
        return sorted(node["name"] for node in nodes if node["resource_type"] == kind)

    assets = {key.path[-1] for key in graph.executable_asset_keys}
    assert [name for name in names("model") if name not in assets] == []
    checks = sorted(key.name for key in graph.asset_check_keys if key.name not in DESCRIPTIONS)
    assert checks == names("test")


def test_what_a_system_delivers_is_checked_as_raw(graph: dg.AssetGraph) -> None:
    found = {
        (key.asset_key.path[-1], key.name)
        for key in graph.asset_check_keys
        if key.name in DESCRIPTIONS
    }
    assert {name for entity, name in found if entity == "orders"} == {
        "reconciliation", "quarantine", "volume", "distribution",
    }  # fmt: skip
    assert "volume" not in {name for entity, name in found if entity == "products"}
    assert "exchange_rates" not in {entity for entity, _ in found}
    blocking = {key.name for key in graph.asset_check_keys if graph.get(key).blocking}
    assert {"reconciliation", "quarantine"} <= blocking
    assert not {"volume", "distribution"} & blocking


def test_every_asset_has_a_description_an_owner_a_group_and_a_kind(graph: dg.AssetGraph) -> None:
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.group_name == key.path[0] or key.path[0] in {"ledger", "moment"}, key
        assert node.kinds, key


def test_everything_published_goes_back_to_landing(graph: dg.AssetGraph) -> None:
    published = dg.AssetKey(["serving", "published"])
    above = {key.path[0] for key in graph.get_ancestor_asset_keys(published)}
    assert {"landing", "raw", "staging", "identity", "core", "features", "ml", "marts"} <= above


def test_a_home_elsewhere_gives_the_same_graph(tmp_path: Path, graph: dg.AssetGraph) -> None:
    home = Home(tmp_path / "other")
    home.create()
    assert build_definitions(home).resolve_asset_graph().executable_asset_keys == (
        graph.executable_asset_keys
    )
