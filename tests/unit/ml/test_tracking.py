"""What is left in the tracking store, and what is never loaded from it."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import fields
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import ml
from ml import tracking
from ml.backtest import EVERYBODY
from ml.baselines import BASELINES, SERVED
from ml.errors import MlError
from ml.families import fit
from ml.forecast import Forecast
from ml.members import BOOSTING
from ml.splits import learnt
from ml.tracking import ModelRecord, RunRecord
from tests.unit.ml.conftest import AS_OF, DATES, VALUE

ROOM = Path(ml.__file__).parent


@pytest.fixture
def client(home):
    return tracking.connect(home.mlflow_folder)


@pytest.fixture
def run(home, client):
    return client.get_run(home.result.mlflow_run_id)


def test_the_run_and_its_experiment_are_named_and_explained(home, client, run):
    assert run.info.run_name == f"clv_30d {DATES[-1]} value_blend"
    assert run.info.status == "FINISHED"
    experiment = client.get_experiment(run.info.experiment_id)
    assert experiment.name == "clv_30d"
    assert "in the next 30 days?" in experiment.tags["mlflow.note.content"]
    assert run.data.tags["mlflow.note.content"] == home.result.reason


def test_the_run_says_where_it_comes_from(run):
    expected = {
        "snapshot": "snapshot-1",
        "as_of": str(AS_OF),
        "code": "code-1",
        "dagster_run_id": "run-1",
        "predictor": "value_blend",
    }
    assert expected.items() <= run.data.tags.items()
    assert run.data.params["boosting.max_iter"] == str(BOOSTING["max_iter"])
    assert run.data.params["train_dates"] == " ".join(map(str, learnt(DATES)))
    assert run.data.params["cut_offs"] == " ".join(map(str, DATES[-3:]))


def test_metrics_have_a_step_per_cut_off_and_are_those_of_the_table(home, client, run):
    rows = {
        (row["predictor"], row["cutoff_date"]): row
        for row in home.result.performance.to_pylist()
        if row["segment"] == EVERYBODY
    }
    for name, predictor in {
        "backtest": "value_blend",
        "baseline/rate_times_basket": "rate_times_basket",
    }.items():
        history = client.get_metric_history(run.info.run_id, f"{name}/ngini")
        assert {(m.step, m.value) for m in history} == {
            (int(f"{day:%Y%m%d}"), rows[predictor, day]["ngini"]) for day in DATES[-3:]
        }
    newest = rows["rate_times_basket", DATES[-1]]
    metrics = run.data.metrics
    assert metrics["gain/rate_times_basket/ngini_gain_low"] == newest["ngini_gain_low"]
    assert {"backtest/bias_ratio", "backtest/decile_error"} <= set(metrics)


def test_plots_and_the_backtest_are_kept_without_customer_attributes(home, client, run):
    paths = {
        file.path
        for folder in ("plots", "tables")
        for file in client.list_artifacts(run.info.run_id, folder)
    }
    names = ("calibration", "coverage", "deciles", "gain")
    assert paths == {*(f"plots/{name}.png" for name in names), "tables/backtest.parquet"}
    plots = tracking.read_plots(home.mlflow_folder, run.info.run_id)
    assert {name: png[1:4] for name, png in plots.items()} == dict.fromkeys(plots, b"PNG")
    assert tuple(plots) == names
    assert sum(map(len, plots.values())) < 250_000, "they are kept in Dagster's event log too"
    backtest = tracking.read_champion(home.mlflow_folder, "clv_30d").backtest
    assert list(backtest) == ["cutoff_date", "customer_id", "predicted"]
    stored = pd.read_parquet(next(home.mlflow_folder.rglob("backtest.parquet")))
    told = {field.name for field in fields(Forecast)}
    baselines = {one.name for one in BASELINES["net_revenue"]} - {"same_window_last_year"}
    keys = {"cutoff_date", "customer_id", "actual", "season_factor"}
    assert set(stored) == keys | told | baselines


def test_the_version_says_why_it_was_promoted_and_the_alias_points_at_it(home, client):
    version = client.get_model_version_by_alias("clv_30d", "champion")
    assert str(version.version) == home.result.model_version
    assert version.description == home.result.reason


def test_the_champion_comes_back_with_its_signature_and_predicts_alike(home, labelled, today):
    champion = tracking.load_champion(home.mlflow_folder, "clv_30d")
    assert champion.feature_names == tuple(labelled.features)
    assert (champion.predictor, champion.as_of) == ("value_blend", AS_OF)
    expected = fit(VALUE, labelled.at(learnt(DATES)), today.features).forecast(today.features)
    told = champion.estimator.forecast(today.features)
    assert told.predicted.tolist() == expected.predicted.tolist()


def test_loading_leaves_the_store_as_it_was(home):
    before = {path: path.stat().st_mtime_ns for path in home.mlflow_folder.rglob("*")}
    tracking.load_champion(home.mlflow_folder, "clv_30d")
    tracking.read_champion(home.mlflow_folder, "clv_30d")
    assert {path: path.stat().st_mtime_ns for path in home.mlflow_folder.rglob("*")} == before


def test_a_name_nobody_registered_and_a_store_nobody_made_have_no_champion(home, tmp_path):
    for folder in (home.mlflow_folder, tmp_path / "none"):
        assert tracking.load_champion(folder, "clv_7d") is None
        assert tracking.read_champion(folder, "clv_7d") is None
        assert tracking.best_baseline(folder, "clv_7d", date.max) is None
    assert not (tmp_path / "none").exists()


def test_the_best_baseline_is_remembered(home):
    assert tracking.best_baseline(home.mlflow_folder, "clv_30d", date.max) in SERVED


def touch_a_file() -> None:
    """What a planted model would do to whoever loads it."""
    Path(os.environ["PLANTED"]).touch()


class Planted:
    """Runs code as it is unpickled."""

    def __reduce__(self):
        return touch_a_file, ()


def plant(client, run, name, **log_arguments):
    """Register a model as the champion of `name`, outside our own code."""
    import mlflow

    with mlflow.start_run(run_id=run.info.run_id):
        logged = mlflow.sklearn.log_model(name="planted", pip_requirements=[], **log_arguments)
    client.create_registered_model(name)
    client.create_model_version(name, logged.model_uri, run.info.run_id, model_id=logged.model_id)
    client.set_registered_model_alias(name, "champion", "1")
    return Path(client.get_logged_model(logged.model_id).artifact_location.removeprefix("file://"))


def test_a_planted_pickle_is_refused_and_not_run(home, client, run, tmp_path, monkeypatch):
    from urllib.parse import unquote

    from sklearn.dummy import DummyRegressor

    monkeypatch.setenv("PLANTED", str(tmp_path / "ran"))
    model = DummyRegressor().fit([[0.0]], [1.0])
    folder = plant(client, run, "planted_1", sk_model=model, serialization_format="pickle")
    file = Path(unquote(str(folder))) / "model.pkl"
    assert file.exists()
    file.write_bytes(pickle.dumps(Planted()))
    with pytest.raises(MlError, match="ValueError") as caught:
        tracking.load_champion(home.mlflow_folder, "planted_1")
    assert caught.value.code == "champion-unusable"
    assert not (tmp_path / "ran").exists()


def test_a_planted_model_that_brings_its_own_list_of_trusted_types_is_refused(home, client, run):
    from mlflow.models import infer_signature
    from sklearn.preprocessing import FunctionTransformer

    model = FunctionTransformer(func=subprocess.getoutput)
    types = ["subprocess.getoutput"]
    signature = infer_signature([[0.0]])
    plant(client, run, "planted_2", sk_model=model, skops_trusted_types=types, signature=signature)
    with pytest.raises(MlError, match="UntrustedTypes"):
        tracking.load_champion(home.mlflow_folder, "planted_2")


def test_an_alias_moved_by_hand_is_followed_though_the_place_of_the_champion_was_kept(
    home, client, labelled, tmp_path, monkeypatch
):
    folder = tmp_path / "mlflow"
    record = RunRecord(
        "clv_7d", "", "r", "", {}, [], {"predictor": "hgb", "as_of": "2020-01-01"}, {}, {}
    )
    model = ModelRecord(
        "clv_7d",
        fit(VALUE, labelled, labelled.features),
        labelled.features.head(),
        "",
        promoted=True,
        best_baseline="",
    )
    for version in ("1", "2"):
        assert tracking.register(folder, record, model).version == version
    assert tracking.load_champion(folder, "clv_7d").version == "2"
    with monkeypatch.context() as patch:
        patch.setattr(tracking, "connect", None)
        assert tracking.load_champion(folder, "clv_7d").version == "2"
    tracking.connect(folder).set_registered_model_alias("clv_7d", "champion", "1")
    assert tracking.load_champion(folder, "clv_7d").version == "1"


def test_an_alias_moved_by_hand_ends_the_term_of_who_is_found_there(tmp_path):
    client = tracking.connect(tmp_path)
    client.create_registered_model("clv_7d")
    for _ in range(4):
        client.create_model_version("clv_7d", "nowhere", "")
    assert tracking.champions(tmp_path) == {}
    client.set_registered_model_alias("clv_7d", "champion", "1")
    tracking.crown(tmp_path, "clv_7d", "2")
    client.set_registered_model_alias("clv_7d", "champion", "3")
    tracking.crown(tmp_path, "clv_7d", "4")
    fourth, third, second, first = tracking.read_versions(tmp_path)
    assert fourth.is_champion
    assert [[term.start for term in one.terms] for one in (first, third)] == [[None], [None]]
    assert first.terms[0].end == second.terms[0].start
    assert tracking.champion_before([fourth, third, second, first]) == third


def test_who_is_champion_is_read_without_mlflow_and_as_mlflow_says(home, client, tmp_path):
    found = tracking.champions(home.mlflow_folder)
    assert found["clv_30d"] == str(client.get_model_version_by_alias("clv_30d", "champion").version)
    code = "import sys; from pathlib import Path; from ml.tracking import champions; "
    code += "print(champions(Path(sys.argv[1]))['clv_30d'], {'mlflow', 'numpy'} & set(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", code, home.mlflow_folder], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == f"{found['clv_30d']} set()"
    (tmp_path / tracking.STORE).touch()
    assert tracking.champions(tmp_path) == {}, "a store that was killed while it was made"


def test_a_store_that_was_copied_reads_and_writes_its_own_files(home, client, run, tmp_path):
    """Also when the copy keeps the times of the files, as a backup does."""
    copy = shutil.copytree(home.mlflow_folder, tmp_path / "elsewhere" / "models of 2024")
    first = home.mlflow_folder.rename(tmp_path / "gone")
    try:
        kept = tracking.load_champion(copy, "clv_30d")
        asked_anew = tracking.load_version(copy, "clv_30d", kept.version)
        assert kept.version == asked_anew.version == home.result.model_version
        assert len(tracking.read_champion(copy, "clv_30d").backtest)
        assert tracking.read_plots(copy, run.info.run_id).keys()
        there = tracking.connect(copy)
        experiment = there.get_experiment_by_name("clv_30d")
        begun = there.create_run(experiment.experiment_id).info
        assert begun.artifact_uri.startswith(copy.as_uri())
        assert str(home.mlflow_folder) not in there.get_run(run.info.run_id).info.artifact_uri
    finally:
        first.rename(home.mlflow_folder)
    assert tracking.connect(home.mlflow_folder).get_run(run.info.run_id).info.artifact_uri == (
        run.info.artifact_uri
    )


def test_a_champion_whose_files_are_gone_is_refused_and_has_nothing_to_compare(
    home, client, run, tmp_path
):
    client.create_registered_model("gone")
    lost = client.create_run(run.info.experiment_id).info.run_id
    client.create_model_version("gone", (tmp_path / "gone").as_uri(), lost)
    client.set_registered_model_alias("gone", "champion", "1")
    with pytest.raises(MlError) as caught:
        tracking.load_champion(home.mlflow_folder, "gone")
    assert caught.value.fix
    assert tracking.read_champion(home.mlflow_folder, "gone").backtest.empty


def test_a_training_that_breaks_is_marked_failed_and_leaves_the_champion(home, client, labelled):
    record = RunRecord("clv_30d", "", "broken", "", {}, [], {}, {"plots/gain.png": None}, {})
    features = labelled.features.head()
    fitted = fit(VALUE, labelled, labelled.features)
    model = ModelRecord("clv_30d", fitted, features, "", promoted=True, best_baseline="")
    before = client.get_model_version_by_alias("clv_30d", "champion").version
    with pytest.raises(TypeError, match="figure"):
        tracking.register(home.mlflow_folder, record, model)
    experiment = client.get_experiment_by_name("clv_30d").experiment_id
    broken = client.search_runs(experiment, "attributes.run_name = 'broken'")
    assert [found.info.status for found in broken] == ["FAILED"]
    assert client.get_model_version_by_alias("clv_30d", "champion").version == before
    assert tracking.best_baseline(home.mlflow_folder, "clv_30d", date.max)


FRESH_HOME = """
import sys, tempfile
from pathlib import Path
from tests.unit.ml.conftest import train_home, AS_OF, FIRST_DAY, VALUE
from ml.score import score
for _ in range(2):
    result = train_home(Path(sys.argv[1]), Path("home/mlflow"))
score(question=VALUE, warehouse=Path(sys.argv[1]), mlflow_folder=Path("home/mlflow"),
      first_day=FIRST_DAY, as_of=AS_OF, snapshot_id="s")
sys.exit(0 if result.promoted and "refreshes version 1" in result.reason else 3)
"""


def test_a_fresh_home_is_trained_twice_and_scored_in_silence_and_inside_its_folder(
    warehouse, tmp_path
):
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    known = {"PATH", "HOME", "OMP_NUM_THREADS", "LANG", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name in known}
    root = str(ROOM.parent)
    done = subprocess.run(
        [sys.executable, "-c", FRESH_HOME, str(warehouse)],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": root, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "tmp"]
    assert not list(scratch.rglob("*.parquet"))
    assert not list(scratch.rglob("*.skops"))


def test_training_is_imported_without_mlflow():
    code = "import sys, ml.train, ml.score; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
