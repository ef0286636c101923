"""From a warehouse to a registered version, and the ways there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ml import tracking
from ml.backtest import EVERYBODY
from ml.evaluation import DECILES
from ml.families import fit
from ml.splits import learnt
from ml.tables import MODEL_CALIBRATION, MODEL_DECILES, MODEL_PERFORMANCE
from ml.train import too_little
from tests.unit.ml.conftest import (
    AS_OF,
    DATES,
    FIRST_DAY,
    ORDERS,
    PROPENSITY,
    VALUE,
    build_warehouse,
    train_home,
)


def everybody(result):
    return [row for row in result.performance.to_pylist() if row["segment"] == EVERYBODY]


def test_a_good_model_becomes_the_champion(home):
    assert home.result.promoted
    assert home.result.model_version == "1"
    assert home.result.reason.startswith("promoted: ngini gain over ")
    champion = tracking.load_champion(home.mlflow_folder, "clv_30d")
    assert champion.version == "1"
    assert champion.run_id == home.result.mlflow_run_id


def test_the_tables_of_the_backtest_have_their_declared_types_and_their_origin(home):
    tests = len(everybody(home.result))
    for table, schema, rows in (
        (home.result.performance, MODEL_PERFORMANCE, 5 * tests),
        (home.result.deciles, MODEL_DECILES, tests * DECILES),
        (home.result.calibration, MODEL_CALIBRATION, 3 * DECILES),
    ):
        assert table.schema.equals(schema)
        assert table.num_rows == rows
        row = table.to_pylist()[-1]
        assert row["model_name"] == "clv_30d"
        assert row["cutoff_date"] == DATES[-1]
        assert row["model_version"] == "1"
        assert row["mlflow_run_id"] == home.result.mlflow_run_id
        assert row["trained_at_snapshot"] == "snapshot-1"
        assert row["trained_as_of"] == AS_OF


def test_deciles_add_up_to_the_row_of_their_predictor(home):
    deciles = home.result.deciles.to_pylist()
    for number, whole in enumerate(everybody(home.result)):
        part = deciles[DECILES * number : DECILES * (number + 1)]
        for key in ("cutoff_date", "predictor", "is_model"):
            assert {row[key] for row in part} == {whole[key]}
        for name in ("customers_count", "predicted_total", "actual_total"):
            assert sum(row[name] for row in part) == whole[name]
        if whole["is_model"]:
            assert part[0]["actual_total"] > part[-1]["actual_total"]


def test_totals_of_the_table_are_those_predicted_to_the_cent(home):
    stored = pd.read_parquet(next(home.mlflow_folder.rglob("backtest.parquet")))
    newest = stored[stored["cutoff_date"] == stored["cutoff_date"].max()]
    rows = {row["predictor"]: row for row in everybody(home.result)}
    row = rows["rate_times_basket"]  # the newest cut-off comes last
    assert row["predicted_total"] == round(Decimal(newest["rate_times_basket"].sum()), 2)
    assert row["actual_total"] == round(Decimal(newest["actual"].sum()), 2)


def test_a_missing_gain_is_null_and_not_a_number_that_is_none(home):
    rows = everybody(home.result)
    assert [row["ngini_gain"] is None for row in rows] == [row["is_model"] for row in rows]


@pytest.mark.parametrize("question", [PROPENSITY, ORDERS])
def test_the_other_questions_earn_their_place_too_and_come_back_bit_for_bit(
    question, warehouse, tmp_path, labelled, today
):
    result = train_home(warehouse, tmp_path / "mlflow", question=question)
    assert result.promoted, result.reason
    champion = tracking.load_champion(tmp_path / "mlflow", question.name)
    again = fit(question, labelled.at(learnt(DATES)), today.features)
    told = champion.estimator.forecast(today.features).predicted
    assert np.array_equal(told, again.forecast(today.features).predicted)


def test_too_short_a_history_trains_nothing_and_says_why(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", first_day=AS_OF - timedelta(40))
    assert not result.promoted
    assert "40 days of history" in result.reason
    assert (result.model_version, result.mlflow_run_id) == (None, None)
    assert result.performance.schema.equals(MODEL_PERFORMANCE)
    assert result.deciles.schema.equals(MODEL_DECILES)
    assert result.calibration.schema.equals(MODEL_CALIBRATION)
    tables = (result.performance, result.deciles, result.calibration)
    assert sum(table.num_rows for table in tables) == 0
    assert not (tmp_path / "mlflow").exists()


def test_no_order_at_all_trains_nothing(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", first_day=None)
    assert result.reason == f"not trained: no order is known before {AS_OF}"


def test_fewer_than_a_hundred_customers_train_nothing(tmp_path, orders):
    few = orders[orders["customer_id"] < "c0099"]
    path = build_warehouse(tmp_path / "few.duckdb", few)
    result = train_home(path, tmp_path / "mlflow")
    assert result.reason == ("not trained: 99 customers with a closed outcome, a model needs 100")


def test_two_horizons_of_history_hold_no_test_and_train_nothing(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", first_day=AS_OF - timedelta(61))
    assert "no model can be tested" in result.reason


def test_dates_that_are_not_in_the_warehouse_train_nothing(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", as_of=AS_OF - timedelta(7))
    assert "0 customers" in result.reason


def test_customers_who_never_spend_again_or_always_do_train_nothing(labelled):
    silent = replace(labelled, net_revenue=np.zeros(len(labelled)))
    assert "nobody bought anything" in too_little(silent, VALUE)
    once = labelled.as_of_dates == np.datetime64(DATES[0])
    closed = replace(labelled, net_revenue=np.where(once, labelled.net_revenue, 0.0))
    assert "nobody bought anything" in too_little(closed, VALUE), "the final fit sees no buyer"
    faithful = replace(labelled, orders=np.ones(len(labelled)))
    assert "everybody ordered" in too_little(faithful, PROPENSITY)
    assert too_little(labelled, VALUE) is None


def test_a_shuffled_target_is_registered_but_not_promoted(warehouse, home, monkeypatch):
    """A model without skill leaves the champion where it is, and says so in its version."""
    from ml import train as module

    read = module.read_labelled

    def shuffled(*arguments):
        frame = read(*arguments)
        return replace(frame, net_revenue=np.random.default_rng(0).permutation(frame.net_revenue))

    monkeypatch.setattr(module, "read_labelled", shuffled)
    result = train_home(warehouse, home.mlflow_folder, first_day=FIRST_DAY)
    assert not result.promoted
    assert result.model_version != "1"
    assert tracking.load_champion(home.mlflow_folder, "clv_30d").version == "1"
    client = tracking.connect(home.mlflow_folder)
    version = client.get_model_version("clv_30d", result.model_version)
    assert version.description == result.reason
    assert version.description.startswith("not promoted")


def test_a_champion_that_cannot_score_todays_features_holds_nobody_up(
    warehouse, tmp_path, monkeypatch
):
    """So it is after a release that brought new features."""
    folder = tmp_path / "mlflow"
    train_home(warehouse, folder)
    served = tracking.load_champion(folder, "clv_30d")
    older = replace(served, feature_names=served.feature_names[1:])
    monkeypatch.setattr(tracking, "load_champion", lambda *_: older)
    monkeypatch.setattr(tracking, "read_champion", None)
    result = train_home(warehouse, folder)
    assert result.promoted
    assert "refreshes" not in result.reason


def test_a_backtest_of_an_older_release_counts_as_none(home):
    kept = {file: file.read_bytes() for file in home.mlflow_folder.rglob("backtest.parquet")}
    try:
        for file in kept:
            older = pd.read_parquet(file).rename(columns={"predicted": "predicted_amount"})
            older.to_parquet(file)
        assert tracking.read_champion(home.mlflow_folder, "clv_30d").backtest.empty
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
