"""What `unicus models` lists, and how `unicus models rollback` asks, acts, goes on and refuses."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from ml import tracking
from ml.errors import MlError
from ml.tables import MODEL_PERFORMANCE
from ml.tracking import ModelRecord, RunRecord
from orchestration import lock
from orchestration.doctor import check_published
from orchestration.models import (
    carry_out,
    change_text,
    change_value,
    models_text,
    plan_again,
    plan_rollback,
    read_models,
)
from orchestration.run import Request, nothing_to_do
from orchestration.settings import Home, SettingFault, read_config
from tests.unit.orchestration.conftest import AS_OF, Command, describes

NAME = "clv_90d"
FEATURES = pd.DataFrame({"orders_count": [0.0, 1.0]})


def register(folder: Path, reason: str, as_of: date = date(2024, 1, 3)) -> None:
    """A version as a training leaves it, of the smallest model there is."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    tags = {"predictor": "hist_gradient_boosting", "as_of": str(as_of)}
    estimator = HistGradientBoostingRegressor(max_iter=1).fit(FEATURES, [1.0, 2.0])
    tracking.register(
        folder,
        RunRecord(NAME, "", NAME, reason, {}, [], tags, {}, {}),
        ModelRecord(NAME, estimator, FEATURES, reason,
                    promoted=reason.startswith("promoted"), best_baseline=""),
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three champions one after the other, and a fourth version that was not promoted."""
    folder = tmp_path_factory.mktemp("store")
    for reason in ("promoted: 1", "promoted: 2", "promoted: 3", "not promoted: 4"):
        register(folder, reason)
    return folder


@pytest.fixture
def home(full_home: Home, store: Path) -> Home:
    """A home that was run with the third champion."""
    shutil.copytree(store, full_home.mlflow, dirs_exist_ok=True)
    return full_home


def champion(home: Home) -> str | None:
    return tracking.champions(home.mlflow).get(NAME)


def commit_figures(home: Home, run_id: str) -> None:
    """What a training writes beside its model: two cut-offs, two baselines."""
    rows = [
        {"model_name": NAME, "cutoff_date": day, "segment": segment, "predictor": predictor,
         "mlflow_run_id": run_id, "is_model": predictor == "hgb", "ngini": ngini,
         "bias_ratio": 0.9, "decile_error": 0.1, "ngini_gain": gain, "ngini_gain_low": gain,
         "ngini_gain_high": None, "trained_at_snapshot": "s1", "trained_as_of": AS_OF}
        for day in (date(2023, 8, 1), date(2023, 9, 1))
        for segment in ("all", "new")
        for predictor, ngini, gain in (("hgb", 0.5, None), ("good", 0.4, 0.1), ("bad", 0.2, 0.3))
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=MODEL_PERFORMANCE)
    with home.lake.transaction() as transaction:
        staged = home.lake.stage(table, "ml", "model_performance", f"performance/{run_id}.parquet")
        transaction.commit("training", run_id, [staged], details={"question": NAME})


def test_versions_are_listed_newest_first_with_their_evidence(home: Home) -> None:
    commit_figures(home, tracking.read_versions(home.mlflow)[1].run_id)
    value = read_models(home)
    describes("models", value)
    (model,) = value["models"]
    assert [one["version"] for one in model["versions"]] == ["4", "3", "2", "1"]
    assert [one["is_champion"] for one in model["versions"]] == [False, True, False, False]
    fourth, third, second, _ = model["versions"]
    assert (third["as_of"], third["snapshot_id"], third["cutoff_date"]) == (
        str(AS_OF), "s1", "2023-09-01",
    )  # fmt: skip
    assert (third["predictor"], third["ngini_rate"], third["best_baseline"]) == ("hgb", 0.5, "good")
    assert (third["ngini_gain_rate"], third["ngini_gain_high_rate"]) == (0.1, None)
    assert second["champion_terms"][0]["end"] == third["champion_terms"][0]["start"]
    assert (fourth["champion_terms"], fourth["reason"]) == ([], "not promoted: 4")
    assert fourth["ngini_rate"] is None, "its training is not in the lake"
    text = models_text(value)
    for word in ("since 20", "+0.100", "-10.0%", "good", "not promoted: 4", third["mlflow_run_id"]):
        assert word in text


def test_a_home_without_models_lists_none(full_home: Home, unicus: Command) -> None:
    value = json.loads(unicus("models", "--home", full_home.root, "--json").stdout)
    describes("models", value)
    assert value["models"] == []
    assert models_text(value) == f"No model in {full_home.root}"


def test_each_rollback_goes_one_champion_further_back(home: Home) -> None:
    for expected in ("2", "1"):
        carry_out(plan_rollback(home, NAME, ""))
        assert champion(home) == expected
    with pytest.raises(SettingFault) as raised:
        plan_rollback(home, NAME, "")
    assert (raised.value.code, raised.value.exit_code) == ("no-earlier-champion", 2)
    describes("models", read_models(home))


def test_a_champion_that_was_given_up_is_not_returned_to(home: Home) -> None:
    carry_out(plan_rollback(home, NAME, ""))
    register(home.mlflow, "promoted: 5")
    assert champion(home) == "5"
    for expected in ("2", "1"):
        carry_out(plan_rollback(home, NAME, ""))
        assert champion(home) == expected


def test_a_version_that_was_named_becomes_champion_and_the_next_step_back_starts_there(
    home: Home,
) -> None:
    change = plan_rollback(home, NAME, "4")
    assert "not promoted: 4" in change_text(change, "planned")
    carry_out(change)
    assert champion(home) == "4"
    assert plan_rollback(home, NAME, "").target.number == "3"
    assert plan_rollback(home, NAME, "4").is_done


def test_a_run_after_a_rollback_has_something_to_do(home: Home) -> None:
    from orchestration.runkey import published_key, run_key
    from serving.publish import PublicTable, publish, read_publication

    config, request = read_config(home), Request(home)
    assert nothing_to_do(request, config) is None, "the copy was made without these models"
    assert check_published(home).state == "warn"
    told = read_publication(home.published)
    assert told is not None
    run = run_key(told.snapshot_id, told.as_of, config)
    key = published_key(run, tracking.champions(home.mlflow))
    publish(home.warehouse, home.published, [PublicTable("marts", "customer_360")],
            type(told)(**vars(told) | {"key": key}))  # fmt: skip
    assert nothing_to_do(request, config) is not None
    assert check_published(home).state == "ok"
    carry_out(plan_rollback(home, NAME, ""))
    assert nothing_to_do(request, config) is None


def test_a_rollback_shows_its_plan_acts_and_says_what_comes_next(
    home: Home, unicus: Command
) -> None:
    def told(*options: str) -> dict[str, Any]:
        done = unicus("models", "rollback", NAME, "--home", home.root, "--json", *options)
        assert done.returncode == 0, done.stderr
        value = json.loads(done.stdout)
        describes("rollback", value)
        return dict(value)

    planned = told("--dry-run")
    assert (planned["status"], planned["from_version"], planned["to_version"]) == (
        "planned", "3", "2",
    )  # fmt: skip
    assert champion(home) == "3"
    assert told("--yes") == planned | {"status": "done"}
    assert champion(home) == "2"
    assert "promoted as usual" in planned["holds"]
    change = plan_rollback(home, NAME, "2")
    assert change.is_done
    describes("rollback", change_value(change, "nothing_new"))
    assert "already" in change_text(change, "nothing_new")


def test_a_rollback_nobody_confirmed_changes_nothing_and_exits_two(
    home: Home, unicus: Command
) -> None:
    done = unicus("models", "rollback", NAME, "--home", home.root)
    assert done.returncode == 2
    assert "error[not-confirmed]" in done.stderr
    assert "--to 2" in done.stderr
    assert champion(home) == "3"


def test_a_rollback_in_a_busy_home_waits_for_nobody(home: Home, unicus: Command) -> None:
    with lock.hold(home.root):
        done = unicus("models", "rollback", NAME, "--yes", "--home", home.root)
    assert done.returncode == 3
    assert champion(home) == "3"


def test_what_was_agreed_to_is_done_though_another_champion_came_in_between(home: Home) -> None:
    change = plan_rollback(home, NAME, "")
    tracking.crown(home.mlflow, NAME, "4")
    again = plan_again(change)
    assert (again.champion and again.champion.number, again.target.number) == ("4", "2")


def test_an_option_before_the_action_is_refused_and_not_ignored(unicus: Command) -> None:
    done = unicus("models", "--home", "elsewhere", "rollback", NAME)
    assert done.returncode == 2
    assert 'Options come after "rollback"' in done.stderr
    assert '"rollback"' in unicus("models", "rolback").stderr


@pytest.mark.parametrize(
    ("name", "number", "code", "told"),
    [
        ("clv_9d", "", "no-such-model", NAME),
        (NAME, "9", "no-such-version", "4, 3, 2, 1"),
    ],
)
def test_a_misspelt_model_or_version_gets_those_there_are(
    home: Home, name: str, number: str, code: str, told: str
) -> None:
    with pytest.raises(SettingFault) as raised:
        plan_rollback(home, name, number)
    assert (raised.value.code, raised.value.exit_code) == (code, 2)
    assert told in raised.value.why + raised.value.fix


def test_a_version_trained_later_than_the_home_stands_is_refused(home: Home) -> None:
    register(home.mlflow, "not promoted", as_of=date(2024, 2, 1))
    with pytest.raises(SettingFault) as raised:
        plan_rollback(home, NAME, "5")
    assert raised.value.code == "version-trained-later"
    assert "unicus run --as-of 2024-02-01" in raised.value.fix
    assert champion(home) == "3"


def test_a_version_whose_files_are_gone_is_refused(home: Home, tmp_path: Path) -> None:
    client = tracking.connect(home.mlflow)
    run_id = tracking.read_versions(home.mlflow)[0].run_id
    client.create_model_version(NAME, (tmp_path / "gone").as_uri(), run_id)
    with pytest.raises(MlError) as raised:
        plan_rollback(home, NAME, "5")
    assert raised.value.code == "version-unusable"
    assert champion(home) == "3"


def test_a_version_of_other_features_than_there_are_is_refused(home: Home) -> None:
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema features")
        con.execute(
            "create table features.customer_as_of_features as select 'c' as customer_id,"
            " date '2024-01-10' as as_of_date, 1 as orders_count, 2 as recency_days"
        )
    with pytest.raises(MlError) as raised:
        plan_rollback(home, NAME, "")
    assert raised.value.code == "version-unusable"
    assert "recency_days" in raised.value.why
