"""When customers order again: published figures, known worlds, and properties that always hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import beta as beta_distribution
from sklearn.base import clone

from ml.btyd.bg_nbd import BetaGeoNBD
from ml.errors import MlError
from tests.conftest import cases
from tests.unit.ml.btyd_worlds import (
    cdnow_days,
    cdnow_histories,
    needs_cdnow,
    numeric_errors,
    simulate_orders,
)

TRUTH = {"r": 0.8, "alpha": 20.0, "a": 0.8, "b": 2.5, "dropout": 0.8 / 3.3}
PARAMETERS = {
    "r": st.floats(0.01, 50),
    "alpha": st.floats(0.1, 1000),
    "a": st.floats(1e-6, 500),
    "b": st.floats(1e-3, 5000),
}


def known(r: float, alpha: float, a: float, b: float) -> BetaGeoNBD:
    """A model whose parameters are given instead of learnt."""
    model = BetaGeoNBD()
    model.r_, model.alpha_, model.a_, model.b_ = r, alpha, a, b
    return model


def estimates(model: BetaGeoNBD) -> dict[str, float]:
    return {name: getattr(model, f"{name}_") for name in TRUTH}


@st.composite
def one_history(draw):
    age = draw(st.floats(0.1, 5000))
    frequency = draw(st.integers(0, 600))
    recency = age * draw(st.floats(0, 1)) if frequency else 0.0
    return np.array([[frequency, recency, age]])


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return cdnow_histories(cdnow_days())


@needs_cdnow
def test_cdnow_gives_the_figures_of_the_paper(cdnow):
    model = BetaGeoNBD("weeks").fit(cdnow)
    found = [round(value, 3) for value in (model.r_, model.alpha_, model.a_, model.b_)]
    assert found == [0.243, 4.414, 0.793, 2.426]
    assert round(model.log_likelihood_, 1) == -9582.4
    assert model.customers_ == 2357
    assert model.converged_
    assert model.dropout_p_value_ < 1e-50
    # The first customer of the file, for whom the authors give 1.226 orders in the next 39 weeks.
    assert round(model.predict_orders(np.array([[2, 30.43, 38.86]]), 39)[0], 3) == 1.226


@needs_cdnow
def test_standard_errors_are_those_of_the_likelihood_written_as_in_the_paper(cdnow):
    x, recency, age = cdnow[cdnow["frequency"] > 0].to_numpy().T
    once = cdnow.loc[cdnow["frequency"] == 0, "age"].to_numpy()

    def log_likelihood(point):
        r, alpha, a, b = point
        rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stay = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        alive = (alpha + age) ** -(r + x)
        left = a / (b + x - 1) * (alpha + recency) ** -(r + x)
        return (rate + stay + np.log(alive + left)).sum() + r * np.log(alpha / (alpha + once)).sum()

    model = BetaGeoNBD("weeks").fit(cdnow)
    point = [model.r_, model.alpha_, model.a_, model.b_]
    assert log_likelihood(point) == pytest.approx(model.log_likelihood_, abs=1e-6)
    found = [model.standard_errors_[name] for name in ("r", "alpha", "a", "b")]
    assert found == pytest.approx(numeric_errors(log_likelihood, point), rel=1e-3)


def test_known_parameters_are_found_again_within_their_standard_errors():
    misses = []
    for seed in range(12):
        model = BetaGeoNBD().fit(simulate_orders(20_000, seed).histories)
        found, errors = estimates(model), model.standard_errors_
        misses.append([(found[name] - TRUTH[name]) / errors[name] for name in TRUTH])
        assert model.dropout_p_value_ < 1e-6
    assert np.abs(misses).max() < 4
    # Neither too wide nor too narrow: squares of standard normals have the mean 1.
    assert 0.5 < np.square(misses).mean() < 1.8


def test_forecasts_add_up_to_what_happens_next_for_every_number_of_orders():
    world = simulate_orders(100_000, 3)
    model = BetaGeoNBD().fit(world.histories)
    groups = world.histories["frequency"].clip(upper=6)
    orders = world.next_orders
    for predicted, actual in (
        (model.predict_orders(world.histories, 90), orders),
        (model.predict_any_order(world.histories, 90), orders > 0),
    ):
        both = pd.DataFrame({"predicted": predicted, "actual": actual}).groupby(groups)
        noise = 4 * both["actual"].std() / np.sqrt(both["actual"].count())
        assert ((both["predicted"].mean() - both["actual"].mean()).abs() < noise).all()


@pytest.mark.parametrize("seed", range(8))
def test_dropout_cannot_be_told_from_none_where_nobody_ever_leaves(seed):
    world = simulate_orders(2000, seed, dropout=None)
    model = BetaGeoNBD().fit(world.histories)
    assert model.converged_
    assert model.dropout_p_value_ > 0.05
    assert abs(model.r_ - 0.8) < 4 * model.standard_errors_["r"]
    assert abs(model.alpha_ - 20) < 4 * model.standard_errors_["alpha"]
    assert model.predict_alive(world.histories).mean() > 0.95
    total = model.predict_orders(world.histories, 90).sum()
    assert total == pytest.approx(world.next_orders.sum(), rel=0.05)


@pytest.mark.parametrize(
    ("rates", "dropout"), [((0.8, 20.0), (2e5, 8e5)), ((1e6, 2e7), (0.8, 2.5))]
)
def test_customers_who_do_not_differ_still_have_a_fit_and_a_known_mean(rates, dropout):
    world = simulate_orders(5000, 1, rates=rates, dropout=dropout)
    model = BetaGeoNBD().fit(world.histories)
    assert model.converged_
    mean = dropout[0] / sum(dropout)
    assert abs(model.dropout_ - mean) < 4 * model.standard_errors_["dropout"] < 0.2 * mean
    assert model.r_ / model.alpha_ == pytest.approx(rates[0] / rates[1], rel=0.1)


@pytest.mark.parametrize(
    ("a", "b"), [(0.8, 2.4), (1.0, 1e-4), (1.5, 2.0), (0.3, 0.7), (1e-6, 1e4), (3e3, 7e3), (40, 5)]
)
def test_expected_orders_are_the_integral_even_for_hundreds_of_orders(a, b):
    r, alpha, age, ahead = 0.5, 10.0, 30.0, 365.0
    model = known(r, alpha, a, b)
    for x in (0, 1, 7, 500):
        # Seen to order today, a customer with a history is nearly sure to be alive.
        history = np.array([[x, age if x else 0.0, age]])
        shape, wait = r + x, ahead / (alpha + age)
        spread = beta_distribution(a, b + x)

        def slower(p, shape=shape, wait=wait):
            """How much less than if nobody left; smooth, and 0 where p is."""
            if p * wait * shape < 1e-9:
                return 0.0
            return shape * wait + np.expm1(-shape * np.log1p(p * wait)) / p

        # Over quantiles the integrand is bounded whatever the shapes.
        less = quad(lambda share: slower(spread.ppf(share)), 0, 1, limit=500, epsrel=1e-9)[0]  # noqa: B023
        expected = model.predict_alive(history)[0] * (shape * wait - less)
        assert model.predict_orders(history, ahead)[0] == pytest.approx(expected, rel=1e-4)


@settings(max_examples=cases(200), deadline=None)
@given(one_history(), st.floats(1e-3, 1e4), st.floats(1, 100), st.fixed_dictionaries(PARAMETERS))
def test_forecasts_are_finite_ordered_and_grow_with_time(history, ahead, more, parameters):
    model = known(**parameters)
    alive, sooner, later = (
        model.predict_alive(history),
        model.predict_any_order(history, ahead),
        model.predict_any_order(history, ahead * more),
    )
    assert 0 <= sooner <= later * (1 + 1e-12) <= alive * (1 + 1e-11) <= 1 + 1e-10
    few, many = model.predict_orders(history, ahead), model.predict_orders(history, ahead * more)
    assert np.isfinite(many)
    # An expected count is at least the chance of one, but for rounding.
    assert 0 <= sooner <= few * (1 + 1e-3) + 1e-12
    assert few <= many * (1 + 1e-3) + 1e-12
    assert few <= (model.r_ + history[0, 0]) * ahead / (model.alpha_ + history[0, 2]) * (1 + 1e-3)
    assert model.predict_orders(history, 0) == model.predict_any_order(history, 0) == 0
    median = model.predict_time_to_order(history)
    if np.isfinite(median):
        assert model.predict_any_order(history, median) == pytest.approx(0.5, rel=1e-6)
    else:
        assert alive <= 0.5 + 1e-9 or median > 1e300


@settings(max_examples=cases(15), deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 10**6))
def test_the_unit_of_time_changes_alpha_and_nothing_else(factor, seed):
    histories = simulate_orders(800, seed).histories
    other = histories * [1, factor, factor]
    one, two = BetaGeoNBD().fit(histories), BetaGeoNBD().fit(other)
    expected = estimates(one) | {"alpha": one.alpha_ * factor}
    assert estimates(two) == pytest.approx(expected, rel=1e-3)
    assert two.dropout_p_value_ == pytest.approx(one.dropout_p_value_, rel=1e-3, abs=1e-12)
    orders = two.predict_orders(other, 90 * factor)
    assert orders == pytest.approx(one.predict_orders(histories, 90), rel=1e-3)


def test_grouped_and_shuffled_customers_give_the_very_same_fit():
    histories = simulate_orders(5000, 4, rates=(0.4, 60.0)).histories
    histories = histories.round({"recency": -1, "age": -1})
    grouped = histories.value_counts().reset_index()
    assert len(grouped) < len(histories) / 3
    plain = BetaGeoNBD().fit(histories)
    shuffled = BetaGeoNBD().fit(histories.sample(frac=1, random_state=1).to_numpy())
    counted = BetaGeoNBD().fit(grouped, sample_weight=grouped["count"])
    for other in (shuffled, counted):
        assert vars(other) == vars(plain)
    assert clone(BetaGeoNBD("weeks")).time_unit == "weeks"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[1, 5, 4]], "recency lies between"),
        ([[1, -1, 4]], "recency lies between"),
        ([[0, 1, 4]], "recency is 0"),
        ([[1.5, 1, 4]], "no whole number"),
        ([[np.nan, 1, 4]], "missing"),
        ([[1, 4]], "a row has the columns"),
        ([[0, 0, 4], [0, 0, 9]], "ordered twice"),
        (np.empty((0, 3)), "no customer"),
        (pd.DataFrame({"frequency": [1], "age": [2]}), "columns are missing: recency"),
    ],
)
def test_what_cannot_have_happened_is_refused_with_its_rule(rows, reason):
    with pytest.raises(MlError, match=reason) as caught:
        BetaGeoNBD().fit(rows if isinstance(rows, pd.DataFrame) else np.array(rows))
    assert caught.value.code == "unusable-purchases"


def test_weights_and_durations_that_mean_nothing_are_refused():
    rows = np.array([[1, 2, 4], [0, 0, 3]])
    for weights in ([1.0], [1.0, 0.0], [1.0, np.nan]):
        with pytest.raises(MlError, match="weight"):
            BetaGeoNBD().fit(rows, sample_weight=weights)
    for ahead in (-1.0, np.nan):
        with pytest.raises(MlError, match="duration"):
            known(1, 1, 1, 1).predict_orders(rows, ahead)
