"""Which runs of the tracking store are forgotten, and that what scores or may score again stays."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from ml import tracking
from ml.forgetting import forget_training, old_trainings
from ml.tracking import ModelRecord, RunRecord

FEATURES = pd.DataFrame({"orders_count": [0.0, 1.0]})
NAMES = ("clv_90d", "propensity_30d")
LATER = datetime.now(UTC) + timedelta(days=1)


def register(folder: Path, name: str, *, promoted: bool) -> str:
    """A version as a training leaves it, of the smallest model there is."""
    tags = {"predictor": "hist_gradient_boosting", "as_of": "2024-01-03"}
    estimator = HistGradientBoostingRegressor(max_iter=1).fit(FEATURES, [1.0, 2.0])
    run = RunRecord(name, "", name, "", {}, [], tags, {}, {"backtest": FEATURES})
    model = ModelRecord(name, estimator, FEATURES, "", promoted=promoted, best_baseline="")
    return tracking.register(folder, run, model).run_id


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, list[str]]:
    """Champion before, never champion, champion, never champion and newest; and another question."""
    folder = tmp_path / "mlflow"
    runs = [
        register(folder, NAMES[0], promoted=promoted) for promoted in (True, False, True, False)
    ]
    return folder, [*runs, register(folder, NAMES[1], promoted=False)]


def files(folder: Path) -> set[Path]:
    return {path for path in (folder / "artifacts").rglob("*") if path.is_file()}


def test_only_what_never_was_champion_and_is_not_the_newest_goes_with_its_files(
    store: tuple[Path, list[str]],
) -> None:
    folder, runs = store
    assert not old_trainings(folder, datetime.now(UTC) - timedelta(days=1), ()).gone
    assert not old_trainings(folder, LATER, {runs[1]}).gone, "the lake still names its run"
    found = old_trainings(folder, LATER, ())
    (gone,) = found.gone
    assert (gone.run_id, gone.versions, found.kept) == (
        runs[1],
        ((NAMES[0], "2"),),
        {*runs} - {runs[1]},
    )
    own = {path for place in gone.folders for path in place.rglob("*") if path.is_file()}
    assert {"model.skops", "backtest.parquet"} <= {path.name for path in own}
    before = files(folder)
    forget_training(folder, gone)
    assert files(folder) == before - own
    assert [(v.name, v.number) for v in tracking.read_versions(folder)] == [
        (NAMES[0], "4"), (NAMES[0], "3"), (NAMES[1], "1"), (NAMES[0], "1"),
    ]  # fmt: skip
    champion = tracking.load_champion(folder, NAMES[0])
    assert champion is not None
    assert champion.version == "3"
    assert tracking.load_version(folder, NAMES[0], "1").version == "1"
    assert not old_trainings(folder, LATER, ()).gone
    assert register(folder, NAMES[0], promoted=False)
    assert tracking.read_versions(folder)[0].number == "5", "no number is given twice"


@pytest.mark.parametrize("killed_at", ["delete_model_version", "rmtree", "hard delete"])
def test_a_kill_while_a_run_is_forgotten_leaves_it_to_be_found_again(
    store: tuple[Path, list[str]], killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder, runs = store

    def killed(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if killed_at == "rmtree":
            patch.setattr(shutil, "rmtree", killed)
        elif killed_at == "hard delete":
            patch.setattr(SqlAlchemyStore, "_hard_delete_run", killed)
        else:
            patch.setattr("mlflow.MlflowClient.delete_model_version", killed)
        with pytest.raises(KeyboardInterrupt):
            forget_training(folder, old_trainings(folder, LATER, ()).gone[0])
    assert tracking.load_champion(folder, NAMES[0]) is not None
    (again,) = old_trainings(folder, LATER, ()).gone
    assert again.run_id == runs[1]
    forget_training(folder, again)
    assert not old_trainings(folder, LATER, ()).gone


def test_a_copied_home_never_removes_the_files_of_the_first(
    store: tuple[Path, list[str]], tmp_path: Path
) -> None:
    folder, _ = store
    shutil.copytree(folder, tmp_path / "copy")
    before = files(folder)
    (gone,) = old_trainings(tmp_path / "copy", LATER, ()).gone
    forget_training(tmp_path / "copy", gone)
    assert gone.folders
    assert all(place.is_relative_to(tmp_path / "copy") for place in gone.folders)
    assert files(folder) == before
