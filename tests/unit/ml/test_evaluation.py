"""Metrics against known truths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml import evaluation
from ml.evaluation import (
    Gain,
    bias_rate,
    decile_error_rate,
    decile_totals,
    gain_curve,
    ngini,
    paired_gain,
    weighted_decile_error,
    weighted_ngini,
)

# Small whole amounts make ties likely and sums exact.
AMOUNTS = arrays(float, st.integers(2, 30), elements=st.integers(0, 6).map(float))
METRICS = {ngini: weighted_ngini, decile_error_rate: weighted_decile_error}


@st.composite
def forecasts(draw):
    actual = draw(AMOUNTS.filter(lambda money: money.std() > 0))
    return actual, draw(arrays(float, len(actual), elements=st.integers(0, 6).map(float)))


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
