"""The past replayed, the model that is fitted on it, and what neither may depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.backtest import EVERYBODY, by_decile, calibrate, measure, replay
from ml.baselines import BASELINES
from ml.evaluation import decile_error_rate, logloss, ngini
from ml.families import fit, predictor, recipe
from ml.frames import read_features, read_labelled
from ml.questions import Question
from ml.splits import cut_offs
from ml.train import train
from tests.unit.ml.conftest import (
    AS_OF,
    DATES,
    FIRST_DAY,
    HORIZON_DAYS,
    PROPENSITY,
    VALUE,
    build_warehouse,
)

BASELINE = "rate_times_basket"
MODEL = predictor(VALUE)


@pytest.fixture(scope="module")
def tests(labelled):
    return cut_offs(labelled.dates, HORIZON_DAYS)


@pytest.fixture(scope="module")
def trained(labelled, today):
    return train(labelled, today, DATES, VALUE, FIRST_DAY)


@pytest.fixture(scope="module")
def predictions(trained):
    return trained.predictions


@pytest.fixture(scope="module")
def performance(trained):
    return trained.performance


@pytest.fixture(scope="module")
def everybody(performance):
    return performance[performance["segment"] == EVERYBODY]


@pytest.fixture(scope="module")
def likely(labelled, tests):
    return replay(labelled, tests, PROPENSITY, FIRST_DAY)


def test_every_customer_of_a_cut_off_is_predicted_once(predictions, labelled, tests):
    keys = predictions[["cutoff_date", "customer_id"]]
    assert not keys.duplicated().any()
    assert len(keys) == len(labelled.at([test.test_date for test in tests]))


def test_a_cut_off_learns_nothing_from_outcomes_that_were_open_then(labelled, tests, predictions):
    newest_known = np.datetime64(max(tests[0].train_dates))
    later = labelled.as_of_dates > newest_known
    other = replace(labelled, net_revenue=np.where(later, 1e6, labelled.net_revenue))
    again = replay(other, tests[:1], VALUE, FIRST_DAY)
    expected = predictions[predictions["cutoff_date"] == predictions["cutoff_date"].min()]
    assert again["predicted"].tolist() == expected["predicted"].tolist()
    assert (again["actual"] == 1e6).all()


def test_a_cut_off_does_learn_from_the_outcomes_it_knew(labelled, tests, predictions):
    other = replace(labelled, net_revenue=2 * labelled.net_revenue)
    again = replay(other, tests[:1], VALUE, FIRST_DAY)
    first = predictions.iloc[: len(again)]
    assert again["predicted"].sum() == pytest.approx(2 * first["predicted"].sum(), rel=1e-3)


def test_the_table_has_the_model_and_each_baseline_at_each_cut_off(everybody, tests):
    days = everybody["cutoff_date"].dt.date
    assert sorted(set(days)) == [test.test_date for test in tests]
    # Nothing is known of last year in a shop of eight months.
    expected = {one.name for one in BASELINES["net_revenue"]} - {"same_window_last_year"}
    assert set(everybody["predictor"]) == {MODEL} | expected
    assert len(everybody) == 3 * (1 + len(expected))
    assert (everybody["predictor"] == MODEL).equals(everybody["is_model"])


def test_customers_of_one_order_and_each_tier_are_told_apart(performance, predictions):
    rows = performance[performance["is_model"]].groupby("segment")["customers_count"].sum()
    assert rows["first_order"] == (predictions["orders_count"] == 1).sum()
    tiers = [rows[name] for name in ("top_tenth", "next_four_tenths", "other_half")]
    assert sum(tiers) == rows[EVERYBODY] == len(predictions)
    assert tiers[0] == pytest.approx(len(predictions) / 10, abs=3)


def test_figures_are_those_of_the_stored_predictions(everybody, predictions):
    newest = predictions[predictions["cutoff_date"] == predictions["cutoff_date"].max()]
    actual, model, baseline = (
        newest[name].to_numpy() for name in ("actual", "predicted", BASELINE)
    )
    rows = everybody[everybody["cutoff_date"] == everybody["cutoff_date"].max()]
    row = rows.set_index("predictor").loc[BASELINE]
    assert row["ngini"] == ngini(actual, baseline)
    assert row["bias_ratio"] == pytest.approx(baseline.sum() / actual.sum())
    assert row["bias_low_ratio"] < row["bias_ratio"] < row["bias_high_ratio"]
    assert row["decile_error"] == decile_error_rate(actual, baseline)
    assert row["predicted_total"] == pytest.approx(baseline.sum())
    assert row["customers_count"] == len(actual)
    assert row["ngini_gain"] == pytest.approx(ngini(actual, model) - ngini(actual, baseline))
    assert row["decile_error_gain"] == pytest.approx(
        decile_error_rate(actual, model) - decile_error_rate(actual, baseline)
    )
    assert np.isnan([row["auc"], row["logloss"], row["logloss_gain"]]).all()


def test_a_probability_has_its_own_figures(likely):
    rows = measure(likely, PROPENSITY)
    rows = rows[rows["segment"] == EVERYBODY]
    newest = likely[likely["cutoff_date"] == likely["cutoff_date"].max()]
    model = rows[rows["is_model"]].iloc[-1]
    actual, predicted = newest["actual"].to_numpy(), newest["predicted"].to_numpy()
    assert set(np.unique(actual)) == {0.0, 1.0}
    assert model["logloss"] == pytest.approx(logloss(actual, predicted))
    assert model["auc"] == pytest.approx((model["ngini"] + 1) / 2)
    assert rows.loc[~rows["is_model"], "logloss_gain"].notna().all()


def test_calibration_has_every_customer_in_a_tenth_and_intervals_for_money_alone(
    likely, predictions
):
    for question, rows, has_interval in (
        (VALUE, predictions, True),
        (PROPENSITY, likely, False),
    ):
        told = calibrate(rows, question)
        assert len(told) == 30
        assert told["customers_count"].sum() == len(rows)
        assert told["buyers_count"].sum() == (rows["actual"] > 0).sum()
        assert told["coverage_rate"].notna().all() == has_interval
        assert told["coverage_rate"].isna().all() != has_interval
        tops = told[told["decile"] == 1]
        assert (tops["predicted_rate"] > rows["any_order_probability"].mean()).all()


def test_the_intervals_of_a_cut_off_hold_about_what_they_say(predictions):
    bought = predictions[predictions["actual"] > 0]
    inside = (bought["if_any_low"] <= bought["actual"]) & (
        bought["actual"] <= bought["if_any_high"]
    )
    assert 0.72 < inside.mean() < 0.88
    covered = (predictions["low"] <= predictions["actual"]) & (
        predictions["actual"] <= predictions["high"]
    )
    assert covered.mean() > 0.76


AMOUNTS = st.tuples(st.floats(-500, 500), st.sampled_from([0.0, 0.01, 7.5]) | st.floats(0, 1e6))


@given(st.lists(AMOUNTS, min_size=1, max_size=30))
def test_ten_deciles_hold_every_customer_and_every_cent(amounts):
    actual, predicted = np.array(amounts).T
    rows = pd.DataFrame({"cutoff_date": pd.Timestamp(AS_OF), "actual": actual})
    rows = rows.assign(**{"predicted": predicted, BASELINE: predicted[::-1]})
    for name, part in by_decile(rows, VALUE).groupby("predictor"):
        told = predicted if name == MODEL else predicted[::-1]
        assert part["decile"].tolist() == list(range(1, 11))
        assert part["customers_count"].sum() == pytest.approx(len(actual))
        for total, whole in {"predicted_total": told, "actual_total": actual}.items():
            cents = (100 * part[total]).round()
            assert cents.tolist() == pytest.approx((100 * part[total]).tolist(), abs=1e-6)
            assert cents.sum() == round(100 * whole.sum().round(2))


def test_the_model_has_no_gain_over_itself_and_a_baseline_has_an_interval(everybody):
    names = [f"{name}_gain" for name in ("ngini", "decile_error")]
    assert everybody.loc[everybody["is_model"], names].isna().all(axis=None)
    baselines = everybody[~everybody["is_model"]]
    for name in names:
        low, value, high = (baselines[f"{name}{bound}"] for bound in ("_low", "", "_high"))
        assert ((low < value) & (value < high)).all()


def test_the_model_learns_that_silent_customers_have_left(everybody):
    newest = everybody[everybody["cutoff_date"] == everybody["cutoff_date"].max()]
    ranking = newest.set_index("predictor")["ngini"]
    assert ranking[MODEL] > ranking.drop(MODEL).max() + 0.02


def test_new_ids_and_another_arrival_change_no_metric_and_no_score(
    tmp_path, orders, trained, today
):
    renamed = orders.assign(customer_id=orders["customer_id"].str[::-1])
    path = tmp_path / "other.duckdb"
    other = build_warehouse(path, renamed.sample(frac=1, random_state=4), salt=12)
    frame = read_features(other, AS_OF)
    theirs = train(read_labelled(other, DATES, HORIZON_DAYS), frame, DATES, VALUE, FIRST_DAY)
    assert theirs.performance.equals(trained.performance)
    assert theirs.deciles.equals(trained.deciles)
    assert theirs.calibration.equals(trained.calibration)
    told = trained.estimator.forecast(today.features)
    again = theirs.estimator.forecast(frame.features)
    for name in ("predicted", "low", "high", "if_any"):
        assert np.array_equal(getattr(told, name), getattr(again, name))


def test_a_window_of_returns_counts_as_no_spend(labelled, today):
    returned = replace(labelled, net_revenue=np.where(labelled.net_revenue > 0, 10.0, -50.0))
    nothing = replace(labelled, net_revenue=np.where(labelled.net_revenue > 0, 10.0, 0.0))
    one, other = (
        fit(VALUE, frame, today.features).forecast(today.features).predicted
        for frame in (returned, nothing)
    )
    assert np.array_equal(one, other)


def test_a_recipe_is_how_a_model_is_made_not_its_data(labelled):
    names, longer = tuple(labelled.features), Question("clv", 90)
    assert recipe(VALUE, names) == recipe(VALUE, names)
    others = {recipe(PROPENSITY, names), recipe(longer, names), recipe(VALUE, names[1:])}
    assert len(others | {recipe(VALUE, names)}) == 4
