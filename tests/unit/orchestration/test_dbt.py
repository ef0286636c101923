"""Which version tables a build makes anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from orchestration import dbt
from orchestration.settings import Home


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Build two of three version tables, under rules of a name; say whether they were made anew."""
    home, refreshed = Home(tmp_path), []

    def build(rules: str, *tables: str, fails: bool = False) -> bool:
        def built(_context: object, _home: Home, _path: Path, options: list[str]) -> Iterator[Any]:
            refreshed.append("--full-refresh" in options)
            if fails:
                raise dbt.CheckFailed("a model", "", "", "")
            yield from ()

        nodes = {name: {"name": name, "config": {"materialized": "incremental"}} for name in "abc"}
        monkeypatch.setattr(dbt, "manifest", lambda _path: {"nodes": nodes})
        monkeypatch.setattr(dbt, "_rules", lambda: rules)
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
