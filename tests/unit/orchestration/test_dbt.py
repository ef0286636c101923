"""Which of the tables that are built in part a build makes anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from orchestration import dbt
from orchestration.settings import Home

CHILDREN = {"model.unicus.a": ["model.unicus.between"], "model.unicus.between": ["model.unicus.d"]}


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Build some of four tables that keep rows, under rules of a name; say whether they were made anew."""
    home, refreshed = Home(tmp_path), []

    def build(rules: str, *tables: str, fails: bool = False) -> bool:
        def built(_context: object, _home: Home, _path: Path, options: list[str]) -> Iterator[Any]:
            refreshed.append("--full-refresh" in options)
            if fails:
                raise dbt.CheckFailed("a model", "", "", "")
            yield from ()

        nodes = {name: {"name": name, "config": {"materialized": "incremental"}} for name in "abcd"}
        monkeypatch.setattr(dbt, "manifest", lambda _path: {"nodes": nodes, "child_map": CHILDREN})
        monkeypatch.setattr(dbt, "_rules", lambda _home: rules)
        monkeypatch.setattr(dbt, "_checks_selected", lambda *_: [])
        monkeypatch.setattr(dbt, "_build", built)
        context: Any = SimpleNamespace(selected_asset_keys={dg.AssetKey([t]) for t in tables})
        try:
            list(dbt.build(context, home, tmp_path, tmp_path))
        except dbt.CheckFailed:
            assert fails
        return refreshed[-1]

    return build


def test_a_version_table_is_made_anew_once_when_its_rules_change(builds: Any) -> None:
    assert builds("old", "a", "b")
    assert not builds("old", "a", "b")
    assert builds("old", "c"), "it was never made"
    assert not builds("old", "a", "c")
    assert builds("new", "a")
    assert builds("new", "a", "b"), "b is of the old rules"
    assert not builds("new", "b")


def test_what_a_build_that_failed_left_is_made_anew_under_any_rules(builds: Any) -> None:
    assert builds("old", "a")
    assert builds("new", "a", fails=True)
    assert builds("old", "a"), "it may hold rows of the new rules"


def test_what_was_built_on_a_table_of_old_rules_is_made_anew_after_it(builds: Any) -> None:
    assert builds("old", "a", "d")
    assert builds("new", "d"), "a person asks for the lower table alone"
    assert builds("new", "a")
    assert builds("new", "d"), "it was made of rows of the old rules"
    assert not builds("new", "a", "d")
