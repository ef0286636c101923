"""What an order is worth: published figures, known worlds, and properties that always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from ml.btyd.gamma_gamma import GammaGamma
from ml.errors import MlError
from tests.conftest import cases
from tests.unit.ml.btyd_worlds import (
    CALIBRATION_END,
    cdnow_days,
    needs_cdnow,
    numeric_errors,
    simulate_spends,
)

TRUTH = {"p": 6.0, "q": 3.7, "gamma": 15.0}


@pytest.fixture(scope="module")
def simulated() -> GammaGamma:
    return GammaGamma().fit(simulate_spends(4000, 0))


@needs_cdnow
def test_repeat_orders_of_cdnow_give_the_figures_of_the_note():
    days = cdnow_days()
    days = days[days["date"] <= CALIBRATION_END]
    repeats = days[days["date"] > days.groupby("customer_id")["date"].transform("min")]
    spends = repeats.groupby("customer_id")["dollar_value"].agg(["count", "mean"])
    model = GammaGamma().fit(spends.to_numpy())
    assert model.customers_ == 946
    assert [round(value, 2) for value in (model.p_, model.q_, model.gamma_)] == [6.25, 3.74, 15.44]
    assert model.converged_


def test_known_parameters_are_found_again_within_their_standard_errors():
    misses = []
    for seed in range(12):
        model = GammaGamma().fit(simulate_spends(4000, seed))
        found, errors = [model.p_, model.q_, model.gamma_], model.standard_errors_
        misses.append(
            [(one - TRUTH[name]) / errors[name] for one, name in zip(found, TRUTH, strict=True)]
        )
    assert np.abs(misses).max() < 4
    assert 0.4 < np.square(misses).mean() < 2


def test_standard_errors_are_those_of_the_likelihood_written_as_in_the_note(simulated):
    n, m = simulate_spends(4000, 0).to_numpy().T

    def log_likelihood(point):
        p, q, gamma = point
        shape = gammaln(p * n + q) - gammaln(p * n) - gammaln(q) + q * np.log(gamma)
        value = (p * n - 1) * np.log(m) + p * n * np.log(n) - (p * n + q) * np.log(gamma + n * m)
        return (shape + value).sum()

    point = [simulated.p_, simulated.q_, simulated.gamma_]
    assert log_likelihood(point) == pytest.approx(simulated.log_likelihood_, abs=1e-6)
    found = list(simulated.standard_errors_.values())
    assert found == pytest.approx(numeric_errors(log_likelihood, point), rel=1e-3)


@settings(max_examples=cases(100), deadline=None)
@given(st.integers(1, 10**6), st.floats(0.01, 1e6))
def test_an_expected_value_lies_between_the_own_mean_and_that_of_all(simulated, orders, value):
    own, all_of_them = value, simulated.population_mean_
    expected = simulated.predict(np.array([[orders, value]]))[0]
    assert min(own, all_of_them) * 0.999 <= expected <= max(own, all_of_them) * 1.001
    surer = simulated.predict(np.array([[orders * 2, value]]))[0]
    assert abs(surer - own) <= abs(expected - own) * 1.001


@settings(max_examples=cases(15), deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 10**6))
def test_the_currency_changes_gamma_and_nothing_else(factor, seed):
    spends = simulate_spends(1500, seed)
    other = spends * [1, factor]
    one, two = GammaGamma().fit(spends), GammaGamma().fit(other)
    assert [two.p_, two.q_, two.gamma_] == pytest.approx(
        [one.p_, one.q_, one.gamma_ * factor], rel=1e-3
    )
    assert two.predict(other) == pytest.approx(one.predict(spends) * factor, rel=1e-3)


def test_who_has_paid_nothing_is_left_out_of_the_fit_and_gets_the_mean_of_all(simulated):
    silent = np.array([[0, np.nan], [0, 0.0], [3, 0.0], [2, -5.0]])
    spends = simulate_spends(4000, 0).to_numpy()
    again = GammaGamma().fit(np.vstack([silent, spends]))
    assert vars(again) == vars(simulated)
    assert simulated.predict(silent).tolist() == [simulated.newcomer_value_] * 4
    assert simulated.newcomer_value_ == pytest.approx(spends[:, 1].mean())
    assert simulated.newcomer_value_ == pytest.approx(simulated.population_mean_, rel=0.05)


def test_a_mean_that_is_infinite_gives_way_to_medians_that_are_not():
    spends = simulate_spends(4000, 2, p=2.0, q=0.7, gamma=10.0)
    model = GammaGamma().fit(spends)
    assert not model.has_mean_
    assert model.population_mean_ == float("inf")
    newcomer, once, often = model.predict(np.array([[0, np.nan], [1, 8.0], [10_000, 8.0]]))
    assert often == pytest.approx(8, rel=0.01)
    assert newcomer == pytest.approx(spends["mean_order_value"].median(), rel=0.01)
    assert 8 < once < newcomer
    assert np.isfinite(model.predict(spends)).all()


def test_grouped_and_shuffled_customers_give_the_very_same_fit():
    spends = simulate_spends(4000, 3).round(0)
    spends = spends[spends["mean_order_value"] > 0]
    grouped = spends.value_counts().reset_index()
    assert len(grouped) < len(spends) / 4
    plain = GammaGamma().fit(spends)
    shuffled = GammaGamma().fit(spends.sample(frac=1, random_state=1))
    counted = GammaGamma().fit(grouped, sample_weight=grouped["count"])
    for other in (shuffled, counted):
        assert vars(other) == vars(plain)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[-1, 5.0]], "orders is a whole number"),
        ([[1.5, 5.0]], "orders is a whole number"),
        ([[1, np.nan]], "some are missing"),
        ([[2, 5.0], [1, 5.0]], "no two customers differ"),
        ([[0, np.nan], [3, 0.0]], "no two customers differ"),
    ],
)
def test_what_is_no_spend_is_refused_with_its_rule(rows, reason):
    with pytest.raises(MlError, match=reason) as caught:
        GammaGamma().fit(np.array(rows))
    assert caught.value.code == "unusable-purchases"
