"""Intervals hold what they say, also where most customers buy nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom

from ml.intervals import COVERAGE, GROUPS, Expected, spread

CUSTOMERS = 20_000


def world(seed, count=CUSTOMERS):
    """Probabilities and means that are right, and amounts that scatter more where few buy."""
    rng = np.random.default_rng(seed)
    probability, expected = rng.beta(0.6, 1.2, count), rng.lognormal(3, 1, count)
    amount = expected * rng.lognormal(0, 1.2 - probability)
    actual = np.where(rng.uniform(size=count) < probability, amount, 0.0)
    return Expected(probability, expected, rng.uniform(0.5, 1.5, count)), actual


def learn(seed):
    return spread(*world(seed), np.arange(CUSTOMERS))


def fifths(probability):
    return np.array_split(np.argsort(probability, kind="stable"), GROUPS)


def within(share, count):
    """Bounds of a share of .80 that chance would leave once in two hundred times."""
    return binom.ppf([0.0025, 0.9975], count, COVERAGE) / max(count, 1)


def test_among_buyers_four_of_five_lie_inside_whatever_their_probability():
    learnt = learn(1)
    expected, actual = world(2)
    low, high = learnt.if_any(expected)
    for fifth in fifths(expected.probability):
        buyers = fifth[actual[fifth] > 0]
        share = ((low <= actual) & (actual <= high))[buyers].mean()
        least, most = within(share, len(buyers))
        assert least - 0.02 <= share <= most + 0.02


def test_of_everybody_at_least_four_of_five_lie_inside_and_no_more_than_zero_asks_for():
    learnt = learn(3)
    expected, actual = world(4)
    low, high = learnt.overall(expected)
    probability = expected.probability
    inside = (low <= actual) & (actual <= high)
    for fifth in fifths(probability):
        assert inside[fifth].mean() >= within(0, len(fifth))[0] - 0.01
    unsure = (probability > 0.25) & (probability < 0.85)
    assert inside[unsure].mean() == pytest.approx(COVERAGE, abs=0.03)


def test_who_hardly_buys_has_zero_alone_and_who_surely_buys_has_two_sides():
    learnt = learn(5)
    shares = np.array([0.1, 0.5, 0.999])
    low, high = learnt.overall(Expected(shares, np.full(3, 20.0), np.ones(3)))
    assert (low[0], high[0]) == (0, 0)
    assert low[1] == 0 < high[1]
    assert 0 < low[2] < high[2]


@given(
    st.floats(0, 1),
    st.floats(0.01, 1e4),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 1.0, 50.0])), min_size=1),
)
@example(0.9282466546982928, 1.0, [(0.0, 1.0)])
def test_bounds_are_finite_and_in_order_whatever_was_learnt_from(probability, expected, rows):
    shares, actual = np.array(rows).T
    ones = np.ones(len(rows))
    learnt = spread(Expected(shares, 10 * ones, ones), actual, np.arange(len(rows)))
    asked = Expected(np.array([probability]), np.array([expected]), np.array([0.7]))
    for low, high in (learnt.overall(asked), learnt.if_any(asked)):
        assert np.isfinite([low, high]).all()
        assert 0 <= low[0] <= high[0]
