"""The past replayed, the model that is fitted on it, and what neither may depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.baselines import BASELINES
from ml.clv.backtest import by_decile, measure, replay
from ml.clv.model import PREDICTOR, fit, predict, recipe_hash
from ml.clv.train import train
from ml.evaluation import decile_error_rate, ngini
from ml.frames import read_features, read_labelled
from ml.splits import cut_offs
from tests.unit.ml.conftest import AS_OF, DATES, HORIZON_DAYS, build_warehouse

BASELINE = "rate_times_basket"


@pytest.fixture(scope="module")
def tests(labelled):
    return cut_offs(labelled.dates, HORIZON_DAYS)


@pytest.fixture(scope="module")
def predictions(labelled, tests):
    return replay(labelled, tests, HORIZON_DAYS)


@pytest.fixture(scope="module")
def performance(predictions):
    return measure(predictions, HORIZON_DAYS)


def test_every_customer_of_a_cut_off_is_predicted_once(predictions, labelled, tests):
    keys = predictions[["cutoff_date", "customer_id"]]
    assert not keys.duplicated().any()
    assert len(keys) == len(labelled.at([test.test_date for test in tests]))


def test_a_cut_off_learns_nothing_from_outcomes_that_were_open_then(labelled, tests, predictions):
    newest_known = np.datetime64(max(tests[0].train_dates))
    later = labelled.as_of_dates > newest_known
    other = replace(labelled, net_revenue=np.where(later, 1e6, labelled.net_revenue))
    again = replay(other, tests[:1], HORIZON_DAYS)
    expected = predictions[predictions["cutoff_date"] == predictions["cutoff_date"].min()]
    assert again["predicted_amount"].tolist() == expected["predicted_amount"].tolist()
    assert (again["actual_amount"] == 1e6).all()


def test_a_cut_off_does_learn_from_the_outcomes_it_knew(labelled, tests, predictions):
    other = replace(labelled, net_revenue=2 * labelled.net_revenue)
    again = replay(other, tests[:1], HORIZON_DAYS)
    first = predictions.iloc[: len(again)]
    assert again["predicted_amount"].sum() == pytest.approx(2 * first["predicted_amount"].sum())


def test_the_table_has_the_model_and_each_baseline_at_each_cut_off(performance, tests):
    days = performance["cutoff_date"].dt.date
    assert sorted(set(days)) == [test.test_date for test in tests]
    assert set(performance["predictor"]) == {PREDICTOR, BASELINE, "same_spend_as_last_window"}
    assert len(performance) == 9
    assert (performance["predictor"] == PREDICTOR).equals(performance["is_model"])


def test_figures_are_those_of_the_stored_predictions(performance, predictions):
    newest = predictions[predictions["cutoff_date"] == predictions["cutoff_date"].max()]
    actual, model, baseline = (
        newest[name].to_numpy() for name in ("actual_amount", "predicted_amount", BASELINE)
    )
    rows = performance[performance["cutoff_date"] == performance["cutoff_date"].max()]
    row = rows.set_index("predictor").loc[BASELINE]
    assert row["ngini_rate"] == ngini(actual, baseline)
    assert row["bias_rate"] == pytest.approx(baseline.sum() / actual.sum())
    assert row["decile_error_rate"] == decile_error_rate(actual, baseline)
    assert row["predicted_amount"] == pytest.approx(baseline.sum())
    assert row["customers_count"] == len(actual)
    assert row["ngini_gain_rate"] == pytest.approx(ngini(actual, model) - ngini(actual, baseline))
    assert row["decile_error_gain_rate"] == pytest.approx(
        decile_error_rate(actual, model) - decile_error_rate(actual, baseline)
    )


AMOUNTS = st.tuples(st.floats(-500, 500), st.sampled_from([0.0, 0.01, 7.5]) | st.floats(0, 1e6))


@given(st.lists(AMOUNTS, min_size=1, max_size=30))
def test_ten_deciles_hold_every_customer_and_every_cent(amounts):
    actual, predicted = np.array(amounts).T
    rows = pd.DataFrame({"cutoff_date": pd.Timestamp(AS_OF), "actual_amount": actual})
    rows = rows.assign(predicted_amount=predicted, **dict.fromkeys(BASELINES, predicted[::-1]))
    for predictor, part in by_decile(rows, HORIZON_DAYS).groupby("predictor"):
        told = predicted if predictor == PREDICTOR else predicted[::-1]
        assert part["decile"].tolist() == list(range(1, 11))
        assert part["customers_count"].sum() == pytest.approx(len(actual))
        for name, whole in {"predicted_amount": told, "actual_amount": actual}.items():
            cents = (100 * part[name]).round()
            assert cents.tolist() == pytest.approx((100 * part[name]).tolist(), abs=1e-6)
            assert cents.sum() == round(100 * whole.sum().round(2))


def test_the_model_has_no_gain_over_itself_and_a_baseline_has_an_interval(performance):
    gains = [name for name in performance.columns if "_gain_" in name]
    assert len(gains) == 6
    assert performance.loc[performance["is_model"], gains].isna().all(axis=None)
    baselines = performance[~performance["is_model"]]
    for name in ("ngini", "decile_error"):
        low, value, high = (
            baselines[f"{name}_gain{bound}_rate"] for bound in ("_low", "", "_high")
        )
        assert ((low < value) & (value < high)).all()


def test_the_model_learns_that_silent_customers_have_left(performance):
    newest = performance[performance["cutoff_date"] == performance["cutoff_date"].max()]
    ranking = newest.set_index("predictor")["ngini_rate"]
    assert ranking[PREDICTOR] > ranking.drop(PREDICTOR).max() + 0.02


def test_new_ids_and_another_arrival_change_no_metric_and_no_score(tmp_path, orders, labelled):
    renamed = orders.assign(customer_id=orders["customer_id"].str[::-1])
    path = tmp_path / "other.duckdb"
    other = build_warehouse(path, renamed.sample(frac=1, random_state=4), salt=12)
    ours = train(labelled, HORIZON_DAYS)
    theirs = train(read_labelled(other, DATES, HORIZON_DAYS), HORIZON_DAYS)
    assert theirs.performance.equals(ours.performance)
    assert theirs.deciles.equals(ours.deciles)
    frame = read_features(other, AS_OF)
    assert (
        predict(theirs.estimator, frame.features).tolist()
        == predict(ours.estimator, frame.features).tolist()
    )


def test_a_window_of_returns_counts_as_no_spend(labelled):
    returned = replace(labelled, net_revenue=np.where(labelled.net_revenue > 0, 10.0, -50.0))
    nothing = replace(labelled, net_revenue=np.where(labelled.net_revenue > 0, 10.0, 0.0))
    assert np.array_equal(
        predict(fit(returned), labelled.features), predict(fit(nothing), labelled.features)
    )


def test_a_recipe_is_how_a_model_is_made_not_its_data(labelled):
    names = tuple(labelled.features)
    part = labelled.at(DATES[1:])
    assert train(part, 30).recipe == recipe_hash(names, 30)
    assert recipe_hash(names, 30) != recipe_hash(names, 90)
    assert recipe_hash(names, 30) != recipe_hash(names[1:], 30)
