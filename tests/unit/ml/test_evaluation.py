"""Metrics against known truths."""

from __future__ import annotations

import itertools
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest
from sklearn.metrics import log_loss, roc_auc_score

from ml import evaluation
from ml.evaluation import (
    BY_DECILE,
    Gain,
    auc,
    bias_interval,
    bias_rate,
    calibration_error,
    coverage_by_decile,
    decile_error_rate,
    decile_totals,
    figures,
    gain_curve,
    gains,
    logloss,
    ngini,
    paired_gain,
    paired_gains,
    weighted_calibration_error,
    weighted_decile_error,
    weighted_logloss,
    weighted_ngini,
    wilson,
)
from ml.tables import MODEL_CALIBRATION, MODEL_PERFORMANCE
from tests.conftest import cases

# Small whole amounts make ties likely and sums exact.
AMOUNTS = arrays(float, st.integers(2, 30), elements=st.integers(0, 6).map(float))
METRICS = {ngini: weighted_ngini, decile_error_rate: weighted_decile_error}
OF_PROBABILITY = {
    **METRICS,
    logloss: weighted_logloss,
    calibration_error: weighted_calibration_error,
}


@st.composite
def forecasts(draw):
    actual = draw(AMOUNTS.filter(lambda money: money.std() > 0))
    return actual, draw(arrays(float, len(actual), elements=st.integers(0, 6).map(float)))


@st.composite
def chances(draw):
    """Outcomes of 0 and 1, some of both, and a probability of each."""
    came = arrays(float, st.integers(2, 40), elements=st.sampled_from([0.0, 1.0]))
    actual = draw(came.filter(lambda outcomes: outcomes.std() > 0))
    tenths = arrays(float, len(actual), elements=st.integers(0, 10).map(lambda n: n / 10))
    return actual, draw(tenths)


@given(forecasts())
def test_a_perfect_forecast_ranks_one_without_bias_or_decile_error(pair):
    actual, _ = pair
    assert ngini(actual, actual) == pytest.approx(1)
    assert bias_rate(actual, actual) == pytest.approx(1)
    assert decile_error_rate(actual, actual) == pytest.approx(0, abs=1e-12)


@given(forecasts())
def test_a_reversed_ranking_is_minus_one_and_a_constant_forecast_is_zero(pair):
    actual, _ = pair
    assert ngini(actual, -actual) == pytest.approx(-1)
    assert ngini(actual, np.full(len(actual), 3.0)) == pytest.approx(0, abs=1e-12)


@given(forecasts())
def test_ranking_lies_between_reversed_and_perfect(pair):
    assert -1 - 1e-9 <= ngini(*pair) <= 1 + 1e-9


@given(forecasts())
def test_ranking_ignores_the_scale_of_the_forecast(pair):
    actual, predicted = pair
    assert ngini(actual, np.exp(predicted)) == pytest.approx(ngini(actual, predicted))


def test_a_ranking_worked_by_hand():
    # Cumulative spend from the bottom: forecast order 1, 0, 3 against the perfect 0, 1, 3.
    assert ngini(np.array([0.0, 1.0, 3.0]), np.array([2.0, 1.0, 3.0])) == pytest.approx(2 / 3)


def test_equal_forecasts_count_as_the_mean_over_every_order_among_them():
    actual = np.array([5.0, 0.0, 2.0, 7.0, 1.0])
    tied = np.array([1.0, 1.0, 1.0, 2.0, 2.0])
    orders = [
        np.array([*low, *high])
        for low in itertools.permutations([0, 1, 2])
        for high in itertools.permutations([3, 4])
    ]
    assert ngini(actual, tied) == pytest.approx(np.mean([ngini(actual, o) for o in orders]))


@given(forecasts(), st.randoms(use_true_random=False))
def test_no_metric_depends_on_the_order_of_the_rows(pair, random):
    actual, predicted = pair
    order = random.sample(range(len(actual)), len(actual))
    for metric in METRICS:
        assert metric(actual[order], predicted[order]) == pytest.approx(metric(actual, predicted))


@given(forecasts(), st.data())
def test_a_weight_counts_a_customer_that_many_times(pair, data):
    actual, predicted = pair
    weights = data.draw(arrays(int, len(actual), elements=st.integers(0, 3)))
    repeated = np.repeat(actual, weights)
    if len(repeated) == 0 or repeated.std() == 0:
        return
    for metric, weighted in METRICS.items():
        one_draw = weighted(actual, predicted)(weights[None, :].astype(float))
        expected = metric(repeated, np.repeat(predicted, weights))
        assert one_draw[0] == pytest.approx(expected, abs=1e-12)


def test_nothing_to_rank_or_to_compare_with_is_not_a_number():
    nothing, some = np.zeros(4), np.arange(4.0)
    assert np.isnan(ngini(nothing, some))
    assert np.isnan(ngini(np.full(4, 2.0), some))
    assert np.isnan(bias_rate(nothing, some))
    assert np.isnan(decile_error_rate(nothing, some))


def test_bias_is_forecast_over_actual():
    assert bias_rate(np.array([10.0, 30.0]), np.array([10.0, 10.0])) == 0.5


def test_decile_error_adds_up_what_each_decile_misses():
    actual = np.arange(1.0, 21.0)
    shifted = actual + np.where(actual > 18, 5.0, 0.0)  # the top decile is 10 too high
    assert decile_error_rate(actual, shifted) == pytest.approx(10 / actual.sum())
    assert decile_error_rate(actual, 2 * actual) == pytest.approx(1)


def test_errors_in_two_deciles_do_not_cancel_out():
    actual = np.arange(1.0, 21.0)
    tilted = actual.copy()
    tilted[-1] += 6
    tilted[0] -= 6
    assert bias_rate(actual, tilted) == 1
    assert decile_error_rate(actual, tilted) == pytest.approx(12 / actual.sum())


def test_a_constant_forecast_of_the_right_total_has_no_decile_error_as_it_claims_no_order():
    actual = np.arange(1.0, 24.0)
    assert decile_error_rate(actual, np.full(23, actual.mean())) == pytest.approx(0, abs=1e-12)


@given(forecasts())
def test_deciles_start_at_the_highest_forecast_and_add_up_to_the_totals(pair):
    actual, predicted = pair
    forecast_totals, actual_totals = decile_totals(actual, predicted)
    assert forecast_totals.sum() == pytest.approx(predicted.sum())
    assert actual_totals.sum() == pytest.approx(actual.sum())
    assert (np.diff(forecast_totals) <= 1e-9).all()


def test_the_gain_curve_takes_the_best_customers_first_and_tied_ones_together():
    people, money = gain_curve(np.array([1.0, 6.0, 2.0, 1.0]), np.array([1.0, 9.0, 1.0, 1.0]))
    assert people.tolist() == [0, 0.25, 1]
    assert money.tolist() == [0, 0.6, 1]


@pytest.fixture(scope="module")
def spenders():
    rng = np.random.default_rng(3)
    actual = np.where(rng.random(2500) < 0.4, 0.0, rng.lognormal(3, 1, 2500))
    noise = rng.lognormal(0, 1, (2, 2500))
    return actual, actual * noise[0] + 1, actual * noise[0] * noise[1] + 1


@pytest.mark.parametrize("metric", METRICS.values())
def test_a_forecast_gains_nothing_over_itself(metric, spenders):
    actual, good, _ = spenders
    assert paired_gain(metric, actual, good, good) == Gain(0, 0, 0)


def test_a_better_ranking_gains_beyond_chance_and_the_worse_one_loses_as_much(spenders):
    actual, good, poor = spenders
    gain = paired_gain(weighted_ngini, actual, good, poor)
    loss = paired_gain(weighted_ngini, actual, poor, good)
    assert gain.value == pytest.approx(ngini(actual, good) - ngini(actual, poor))
    assert 0 < gain.low < gain.value < gain.high
    assert (loss.low, loss.high) == pytest.approx((-gain.high, -gain.low))


def test_two_forecasts_equal_but_for_noise_have_an_interval_around_zero(spenders):
    actual, good, _ = spenders
    rng = np.random.default_rng(5)
    one, two = good * rng.lognormal(0, 0.2, (2, len(good)))
    gain = paired_gain(weighted_ngini, actual, one, two)
    assert gain.low < 0 < gain.high


def test_the_interval_of_a_mean_is_the_one_of_the_textbook():
    money = np.random.default_rng(11).lognormal(0, 0.5, 400)
    error = money.std() / 20

    def mean(_, predicted):
        return lambda weights: weights @ predicted / 400

    gain = paired_gain(mean, money, money, np.zeros(400), draws=4000)
    assert gain.value == pytest.approx(money.mean())
    assert (gain.low - gain.value) / error == pytest.approx(-1.96, abs=0.15)
    assert (gain.high - gain.value) / error == pytest.approx(1.96, abs=0.15)


def test_an_interval_is_repeatable_and_the_seed_moves_it(spenders):
    first, second, other = (paired_gain(weighted_ngini, *spenders, seed=s) for s in (1, 1, 2))
    assert first == second
    assert first != other


def test_the_size_of_a_block_changes_no_interval(spenders, monkeypatch):
    whole = paired_gain(weighted_ngini, *spenders, draws=60)
    monkeypatch.setattr(evaluation, "BLOCK_CELLS", 7 * 2500 + 1)
    assert paired_gain(weighted_ngini, *spenders, draws=60) == whole


@pytest.mark.parametrize("metric", OF_PROBABILITY.values())
def test_rows_of_one_customer_are_drawn_together_and_tell_no_more_than_one_of_them(metric):
    rng = np.random.default_rng(7)
    actual = (rng.random(400) < 0.4).astype(float)
    good, poor = np.clip((actual + rng.random((2, 400)) * [[2], [4]]) / 5, 0.01, 0.99)
    once = [actual, good, poor]
    thrice = [np.tile(values, 3) for values in once]
    together = paired_gain(metric, *thrice, customers=np.tile(rng.permutation(400), 3))
    assert astuple(together) == pytest.approx(astuple(paired_gain(metric, *once)))
    apart = paired_gain(metric, *thrice)
    assert apart.high - apart.low < 0.7 * (together.high - together.low)


@settings(max_examples=cases(200), deadline=None)
@given(chances())
def test_the_area_under_the_curve_and_the_logloss_are_those_of_scikit_learn(pair):
    actual, predicted = pair
    assert auc(actual, predicted) == pytest.approx(roc_auc_score(actual, predicted))
    clipped = np.clip(predicted, 1e-6, 1 - 1e-6)
    assert logloss(actual, predicted) == pytest.approx(log_loss(actual, clipped))


@settings(max_examples=cases(200), deadline=None)
@given(chances())
def test_the_calibration_error_is_the_decile_error_times_the_mean_outcome(pair):
    actual, predicted = pair
    expected = decile_error_rate(actual, predicted) * actual.mean()
    assert calibration_error(actual, predicted) == pytest.approx(expected)


def test_the_calibration_error_of_full_bins_is_the_mean_miss_of_each():
    predicted = np.repeat(np.arange(10) / 10, 20)
    actual = np.tile(np.repeat([1.0, 0.0], 10), 10)
    assert calibration_error(actual, predicted) == pytest.approx(np.abs(predicted - 0.5).mean())
    assert np.isnan(auc(np.ones(5), np.arange(5.0)))
    assert calibration_error(np.zeros(5), np.full(5, 0.2)) == pytest.approx(0.2)


@settings(max_examples=cases(100), deadline=None)
@given(chances(), st.data())
def test_a_weight_counts_an_outcome_that_many_times(pair, data):
    actual, predicted = pair
    weights = data.draw(arrays(int, len(actual), elements=st.integers(0, 3)))
    repeated = np.repeat(actual, weights)
    if len(repeated) == 0 or repeated.std() == 0:
        return
    for metric, weighted in OF_PROBABILITY.items():
        draws = np.vstack([weights, np.ones(len(actual))]).astype(float)
        expected = [metric(repeated, np.repeat(predicted, weights)), metric(actual, predicted)]
        assert weighted(actual, predicted)(draws) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=cases(100), deadline=None)
@given(chances(), st.randoms(use_true_random=False))
def test_no_metric_of_a_probability_depends_on_the_order_of_the_rows(pair, random):
    actual, predicted = pair
    order = random.sample(range(len(actual)), len(actual))
    for metric in (*OF_PROBABILITY, auc):
        assert metric(actual[order], predicted[order]) == pytest.approx(metric(actual, predicted))


def test_the_bias_interval_is_the_one_of_the_textbook_and_holds_the_bias(spenders):
    actual, good, _ = spenders
    low, high = bias_interval(actual, good, draws=4000)
    bias = bias_rate(actual, good)
    error = (good - bias * actual).std() / actual.mean() / np.sqrt(len(actual))
    assert (low, high) == pytest.approx((bias - 1.96 * error, bias + 1.96 * error), abs=error / 5)
    assert bias_interval(actual, good, draws=50) == bias_interval(actual, good, draws=50)
    assert np.isnan(bias_interval(np.zeros(4), np.ones(4), draws=5)).all()


def test_the_bias_interval_holds_the_truth_in_about_nineteen_of_twenty_samples():
    rng, held = np.random.default_rng(0), 0
    for seed in range(100):
        expected = rng.gamma(1, 10, 500)
        low, high = bias_interval(rng.poisson(expected), 1.1 * expected, draws=200, seed=seed)
        held += low <= 1.1 <= high
    assert 88 <= held <= 99


@settings(max_examples=cases(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=10))
def test_the_interval_of_a_share_is_wilsons(pairs):
    successes, others = np.array(pairs).T
    low, high = wilson(successes, successes + others)
    for k, n, one_low, one_high in zip(successes, successes + others, low, high, strict=True):
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert (one_low, one_high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_interval_of_a_share_holds_at_none_at_all_and_is_unknown_of_nobody():
    low, high = wilson(np.array([0, 5, 0]), np.array([5, 5, 0]))
    assert low[0] == 0
    assert high[1] == 1
    assert 0.4 < high[0] < 0.5
    assert np.isnan([low[2], high[2]]).all()


def test_several_gains_at_once_are_those_of_each(spenders):
    both = {"ranking": weighted_ngini, "level": weighted_decile_error}
    together = paired_gains(both, *spenders, draws=40)
    for name, metric in both.items():
        assert together[name] == paired_gain(metric, *spenders, draws=40)


@pytest.mark.parametrize("is_probability", [True, False])
def test_figures_and_gains_are_the_columns_of_the_performance(is_probability):
    rng = np.random.default_rng(2)
    chance = rng.beta(1, 3, 300)
    actual = rng.binomial(1, chance).astype(float)
    ours, constant = figures(is_probability, actual, chance), np.full(300, actual.mean())
    gained = gains(is_probability, actual, chance, constant)
    first = MODEL_PERFORMANCE.get_field_index("ngini")
    last = MODEL_PERFORMANCE.get_field_index("logloss_gain_high")
    assert {*ours, *gained} == set(MODEL_PERFORMANCE.names[first : last + 1])
    theirs = figures(is_probability, actual, constant)
    for name in ("ngini", "decile_error", "logloss"):
        difference = ours[name] - theirs[name]
        assert gained[f"{name}_gain"] == pytest.approx(difference, nan_ok=True)
    for name in ("auc", "logloss", "calibration_error"):
        assert np.isnan(ours[name]) != is_probability
    assert np.isnan(gained["logloss_gain_low"]) != is_probability
    if is_probability:
        assert gained["logloss_gain_high"] < 0, "less is better"


def known_world(count=25_000):
    """Customers whose chance and whose spend if any are known, with true intervals."""
    rng = np.random.default_rng(4)
    chance = rng.beta(1, 4, count)
    spend = np.where(rng.random(count) < chance, rng.exponential(10, count), 0)
    of_exponential = -10 * np.log1p(-np.array([0.1, 0.9]))
    return chance, spend, *(np.full(count, bound) for bound in of_exponential)


def test_coverage_is_told_per_tenth_from_the_highest_probability_with_the_columns_of_the_table():
    chance, spend, low, high = known_world()
    told = coverage_by_decile(chance, spend, np.zeros(len(spend)), high, low, high)
    first = MODEL_CALIBRATION.get_field_index("decile")
    last = MODEL_CALIBRATION.get_field_index("mean_width")
    assert list(told) == list(BY_DECILE) == MODEL_CALIBRATION.names[first : last + 1]
    assert told["decile"].tolist() == list(range(1, 11))
    assert (told["customers_count"] == 2500).all()
    assert told["buyers_count"].sum() == (spend > 0).sum()
    assert told["predicted_rate"].is_monotonic_decreasing
    assert told["predicted_rate"].to_numpy() == pytest.approx(told["actual_rate"], abs=0.03)
    held = told["actual_low_rate"] <= told["predicted_rate"]
    held &= told["predicted_rate"] <= told["actual_high_rate"]
    assert held.sum() >= 9
    assert told["if_any_coverage_rate"].to_numpy() == pytest.approx(np.full(10, 0.8), abs=0.08)
    assert told["coverage_rate"].iloc[-1] > 0.99, "nearly nobody there orders"
    assert (told["at_zero_rate"] == 0).all()
    assert told["mean_width"].to_numpy() == pytest.approx(np.full(10, high[0]))


def test_an_interval_at_zero_and_who_buys_out_of_it_are_told():
    chance, spend = np.arange(20)[::-1] / 20, np.array([5.0] * 4 + [0.0] * 15 + [5.0])
    high = np.where(np.arange(20) < 10, 6.0, 0.0)
    told = coverage_by_decile(chance, spend, np.zeros(20), high, None, None)
    assert told["at_zero_rate"].tolist() == [0.0] * 5 + [1.0] * 5
    assert told["coverage_rate"].tolist() == [1.0] * 9 + [0.5]
    assert told["mean_width"].tolist() == [6.0] * 5 + [0.0] * 5
    assert told["if_any_coverage_rate"].isna().all()


def test_a_probability_has_no_intervals_and_few_customers_have_few_tenths():
    told = coverage_by_decile(np.array([0.9, 0.1, 0.5]), np.array([1, 0, 0]), *[None] * 4)
    assert told["decile"].tolist() == [1, 2, 3]
    assert told["predicted_rate"].tolist() == [0.9, 0.5, 0.1]
    assert told["actual_rate"].tolist() == [1, 0, 0]
    assert told.iloc[:, -4:].isna().all(axis=None)
    assert coverage_by_decile(*[np.empty(0)] * 2, *[None] * 4).empty


def test_tenths_of_equal_probabilities_are_not_parted_by_what_came():
    came = np.repeat([0.0, 1.0], [300, 100])  # as rows of equal features are read: by what came
    nothing = np.full(400, np.nan)
    told = coverage_by_decile(np.full(400, 0.25), came, nothing, nothing, nothing, nothing)
    assert told["actual_rate"].between(0.1, 0.45).all()
