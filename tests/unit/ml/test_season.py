"""The level of a season: taken from earlier years, drawn to nothing where they disagree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.forecast import amounts_alone, probabilities
from ml.frames import LabelledFrame
from ml.questions import Question
from ml.season import UNKNOWN, WHOLE_YEAR, season, with_season
from tests.unit.ml.btyd_worlds import simulate_orders

VALUE, PROPENSITY, ORDERS = (Question(name, 90) for name in ("clv", "propensity", "orders"))
VALUE_OF_ORDER = 10.0


def customers(seed, dropout=None):
    """Features of customers whose rhythm is that of the model, and what they order next."""
    world = simulate_orders(4000, seed, dropout=dropout)
    frequency, recency, age = (world.histories[name] for name in ("frequency", "recency", "age"))
    rng = np.random.default_rng(seed)
    value = VALUE_OF_ORDER * rng.gamma(4.0, 0.25, len(age))
    features = pd.DataFrame(
        {
            "order_days_count": frequency + 1,
            "tenure_days": age,
            "recency_days": age - recency,
            "net_revenue_amount": (frequency + 1) * value,
        }
    )
    return features, world.next_orders.astype(float), value


def year(seed, times, question=VALUE):
    """A past window in which everybody bought so many times more than the rhythm says."""
    features, orders, value = customers(seed)
    if question.is_probability:
        orders = np.where(np.random.default_rng(seed).uniform(size=len(orders)) < times, orders, 0)
        times = 1.0
    ids = np.arange(len(orders)).astype(str).astype(object)
    dates = np.full(len(orders), np.datetime64("2024-09-01"))
    return LabelledFrame(ids, dates, features, orders * value * times, orders * times)


@pytest.mark.parametrize("question", [VALUE, ORDERS])
def test_one_year_that_doubled_is_taken_as_it_is(question):
    known = season([year(1, 2.0)], question)
    assert known.ratio == pytest.approx(2.0, rel=0.08)
    assert "1 year" in known.told


def test_the_total_is_the_rhythm_of_today_times_the_season_and_shares_stay():
    today, next_orders, value = customers(2)
    forecast = amounts_alone(np.linspace(1, 2, len(today)))
    moved, factor = with_season(forecast, season([year(1, 2.0)], VALUE), today, VALUE)
    assert moved.predicted.sum() == pytest.approx(2 * (next_orders * value).sum(), rel=0.1)
    assert np.allclose(moved.predicted / forecast.predicted, factor)


def test_years_that_agree_are_believed_and_years_that_do_not_are_drawn_to_no_season():
    agreeing = season([year(1, 2.0), year(2, 2.1), year(3, 1.9)], VALUE)
    assert agreeing.ratio == pytest.approx(2.0, rel=0.1)
    quarrelling = season([year(1, 2.5), year(2, 0.4), year(3, 1.4)], VALUE)
    assert 0.85 < quarrelling.ratio < 1.2


def test_for_probabilities_the_share_of_buyers_moves_and_the_order_stays():
    today, next_orders, _ = customers(2)
    share = (next_orders > 0).mean()
    forecast = probabilities(np.linspace(0.01, 0.99, len(today)))
    known = season([year(1, 0.5, PROPENSITY)], PROPENSITY)
    moved, _ = with_season(forecast, known, today, PROPENSITY)
    assert moved.predicted.mean() == pytest.approx(share / 2, rel=0.1)
    assert (np.diff(moved.predicted) > 0).all()


def test_without_an_earlier_year_nothing_moves_and_it_is_said():
    today, *_ = customers(2)
    forecast = amounts_alone(np.ones(len(today)))
    assert season([], VALUE) == UNKNOWN
    assert "season unknown" in UNKNOWN.told
    assert with_season(forecast, UNKNOWN, today, VALUE) == (forecast, None)


def test_a_gap_in_the_data_and_a_handful_of_buyers_are_no_season():
    assert season([year(1, 5.0)], VALUE) == UNKNOWN, "no season is five times a rhythm"
    assert season([year(1, 0.01)], VALUE) == UNKNOWN
    whole = year(1, 2.0)
    few = LabelledFrame(
        whole.customer_ids[:50],
        whole.as_of_dates[:50],
        whole.features[:50],
        whole.net_revenue[:50],
        whole.orders[:50],
    )
    assert season([few], VALUE) == UNKNOWN


def test_a_year_holds_every_season():
    assert season([year(1, 2.0)], Question("clv", 365)) == WHOLE_YEAR


def test_customers_without_any_rhythm_show_no_season():
    features, orders, value = customers(3)
    once = features.assign(order_days_count=1, recency_days=features["tenure_days"])
    ids = np.arange(len(orders)).astype(str).astype(object)
    dates = np.full(len(orders), np.datetime64("2024-09-01"))
    assert season([LabelledFrame(ids, dates, once, orders * value, orders)], VALUE) == UNKNOWN
