"""Simple forecasts against what they promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.baselines import BASELINES, SERVED, USUAL, baselines_for, forecast, served_baseline
from ml.questions import QUESTIONS, Question
from tests.conftest import cases

CLV, ORDERS, PROPENSITY = Question("clv", 90), Question("orders", 90), Question("propensity", 90)
BY_NAME = {
    target: {baseline.name: baseline for baseline in baselines}
    for target, baselines in BASELINES.items()
}
EVERY = [
    pytest.param(question, baseline, id=f"{question.name}-{baseline.name}")
    for question in QUESTIONS
    for baseline in BASELINES[question.target]
]
LAST_YEAR = ("net_revenue_last_year_{}d_amount", "orders_last_year_{}d_count")


def customer(**features: float | None) -> pd.DataFrame:
    usual = {
        "net_revenue_90d_amount": 0.0,
        "net_revenue_365d_amount": 10.0,
        "net_revenue_amount": 10.0,
        "orders_90d_count": 0.0,
        "orders_365d_count": 1.0,
        "orders_count": 1.0,
        "order_days_count": 1.0,
        "recency_days": 200.0,
        "tenure_days": 200.0,
        "basket_mean_amount": 10.0,
        **{name.format(days): 0.0 for name in LAST_YEAR for days in (30, 90)},
    }
    return pd.DataFrame([{**usual, **features}], dtype=float)


def crowd(count: int = 400, seed: int = 0) -> pd.DataFrame:
    """Customers who buy at their own rate, some silent for long."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(30, 400, count).astype(float)
    days = 1 + rng.poisson(rng.gamma(1, 0.02, count) * tenure)
    recency = np.where(days > 1, (tenure * rng.random(count)).round(), tenure)
    basket = rng.lognormal(3, 0.5, count).round(2)
    orders = days + rng.binomial(days, 0.1)
    row = customer().drop(columns=["order_days_count"])
    return pd.concat([row] * count, ignore_index=True).assign(
        orders_count=orders.astype(float),
        order_days_count=days.astype(float),
        tenure_days=tenure,
        recency_days=recency,
        basket_mean_amount=basket,
        net_revenue_amount=orders * basket,
        net_revenue_90d_amount=rng.integers(0, 50, count) * (recency < 90),
        orders_90d_count=rng.integers(0, 5, count) * (recency < 90.0),
        net_revenue_last_year_90d_amount=rng.integers(0, 5, count) * 1.0,
        orders_last_year_90d_count=rng.integers(0, 5, count) * 1.0,
    )


def expect(name: str, features: pd.DataFrame, question: Question) -> np.ndarray:
    return forecast(BY_NAME[question.target][name], None, None, features, question)


@pytest.mark.parametrize(
    ("question", "name", "column"),
    [
        (CLV, "same_spend_as_last_window", "net_revenue_90d_amount"),
        (ORDERS, "same_orders_as_last_window", "orders_90d_count"),
        (CLV, "same_window_last_year", "net_revenue_last_year_90d_amount"),
        (ORDERS, "same_window_last_year", "orders_last_year_90d_count"),
    ],
)
def test_an_earlier_window_is_repeated_at_its_daily_rate(question, name, column):
    regular = customer(**{column: 180})
    assert expect(name, regular, question)[0] == 180
    longer = Question(question.family, 120)
    assert expect(name, regular, longer)[0] == pytest.approx(240)


def test_the_window_last_year_is_the_longest_that_is_no_longer_than_the_horizon():
    of_30 = customer(net_revenue_last_year_30d_amount=7, net_revenue_last_year_90d_amount=30)
    assert expect("same_window_last_year", of_30, Question("clv", 30))[0] == 7
    assert expect("same_window_last_year", of_30, Question("clv", 60))[0] == 14
    assert expect("same_window_last_year", of_30, Question("clv", 7))[0] == pytest.approx(49 / 30)
    year = customer(net_revenue_365d_amount=99)
    assert expect("same_window_last_year", year, Question("clv", 365))[0] == 99


def test_last_year_is_offered_only_where_somebody_was_there_and_the_feature_is():
    def names(features):
        return {baseline.name for baseline in baselines_for(CLV, features)}

    assert "same_window_last_year" in names(customer(net_revenue_last_year_90d_amount=0))
    young = customer(net_revenue_last_year_90d_amount=None)
    assert names(young) == names(customer()) - {"same_window_last_year"}
    assert names(young.drop(columns="net_revenue_last_year_90d_amount")) == names(young)


def test_own_rate_and_rate_times_basket_extend_the_customers_own_rhythm():
    # 20 orders of 15 in 200 days are 9 orders in 90.
    regular = customer(orders_count=20, tenure_days=200, basket_mean_amount=15)
    assert expect("own_rate", regular, ORDERS)[0] == pytest.approx(9)
    assert expect("rate_times_basket", regular, CLV)[0] == pytest.approx(9 * 15)
    assert expect("own_rate", regular, PROPENSITY)[0] == pytest.approx(1 - np.exp(-9))


def test_an_order_of_yesterday_is_not_one_order_a_day():
    assert expect("own_rate", customer(tenure_days=1), ORDERS)[0] == pytest.approx(1)
    assert expect("rate_times_basket", customer(tenure_days=1), CLV)[0] == pytest.approx(10)


@pytest.mark.parametrize("question", [CLV, ORDERS, PROPENSITY], ids=lambda one: one.name)
def test_buy_till_you_die_tells_customers_apart_by_rhythm_and_silence(question):
    usual = {"orders_count": 10, "order_days_count": 10, "net_revenue_amount": 100}
    rows = [
        crowd(),
        customer(**usual, recency_days=20),
        customer(**usual, recency_days=190),
        customer(recency_days=200),
    ]
    *_, active, silent, once = expect("buy_till_you_die", pd.concat(rows), question)
    assert silent < active
    assert once < active


def test_buy_till_you_die_knows_what_an_order_is_worth_and_how_many_come_on_a_day():
    poor, rich = (
        customer(orders_count=5, order_days_count=5, recency_days=20, net_revenue_amount=amount)
        for amount in (50, 500)
    )
    *_, less, more = expect("buy_till_you_die", pd.concat([crowd(), poor, rich]), CLV)
    assert less < more
    customers = crowd()
    twice = customers.assign(orders_count=2 * customers["orders_count"])
    once, double = (expect("buy_till_you_die", rows, ORDERS) for rows in (customers, twice))
    assert double == pytest.approx(2 * once)


def test_buy_till_you_die_expects_nothing_of_who_has_never_ordered():
    nobody = customer(
        orders_count=0,
        order_days_count=0,
        tenure_days=None,
        recency_days=None,
        net_revenue_amount=0,
        basket_mean_amount=None,
    )
    for question in (CLV, ORDERS, PROPENSITY):
        *others, nothing = expect("buy_till_you_die", pd.concat([crowd(), nobody]), question)
        assert nothing == 0
        assert np.array(others) == pytest.approx(expect("buy_till_you_die", crowd(), question))


@pytest.mark.parametrize(
    ("question", "name"),
    [(CLV, "rate_times_basket"), (ORDERS, "own_rate"), (PROPENSITY, "own_rate")],
)
def test_without_a_second_order_the_own_rate_stands_in_for_buy_till_you_die(question, name):
    once = pd.concat([customer(basket_mean_amount=b) for b in (10, 20)], ignore_index=True)
    expected = expect(name, once, question)
    assert expect("buy_till_you_die", once, question).tolist() == expected.tolist()


def test_the_constant_is_the_mean_outcome():
    train, actual = crowd(50), np.arange(50.0)
    expected = forecast(BY_NAME["net_revenue"]["constant"], train, actual, crowd(3), CLV)
    assert expected == pytest.approx(np.full(3, actual.mean()))


def test_the_mean_of_a_cell_is_what_came_of_it_and_a_small_one_is_drawn_to_that_of_all():
    silence = np.repeat([1.0, 100.0], [1000, 1000])
    train = pd.concat([customer()] * 2000, ignore_index=True).assign(recency_days=silence)
    actual = (silence < 50).astype(float)
    today = pd.concat([customer(recency_days=days) for days in (1, 100, 500)])
    for name in ("recency", "rfm_cell"):
        often, never, silent = forecast(
            BY_NAME["any_order"][name], train, actual, today, PROPENSITY
        )
        assert often == pytest.approx(1, abs=0.01)
        assert often < 1
        assert never == silent == pytest.approx(0, abs=0.01)
    new = customer(orders_count=50, net_revenue_amount=1e4, recency_days=1)
    many = pd.concat([*[customer(recency_days=100)] * 9, new])
    *_, unseen = forecast(BY_NAME["any_order"]["rfm_cell"], train, actual, many, PROPENSITY)
    assert unseen == pytest.approx(actual.mean()), "nobody was in that cell"


def test_a_cell_ranks_orders_and_spend_among_the_customers_of_the_time():
    train = crowd(2000)
    actual = train["orders_count"].to_numpy() / train["tenure_days"].to_numpy()
    cell = BY_NAME["orders"]["rfm_cell"]
    grown = train.assign(
        orders_count=3 * train["orders_count"], net_revenue_amount=3 * train["net_revenue_amount"]
    )
    same, later = (forecast(cell, train, actual, rows, ORDERS) for rows in (train, grown))
    assert later == pytest.approx(same)
    assert np.corrcoef(same, actual)[0, 1] > 0.3


def test_what_is_learnt_needs_labels_and_is_not_served():
    for baselines in BASELINES.values():
        learnt = {baseline.name for baseline in baselines if baseline.needs_labels}
        assert learnt == {"rfm_cell", "recency", "constant"}
        assert not learnt & SERVED
    with pytest.raises(ValueError, match="recency is learnt from labelled rows"):
        expect("recency", crowd(3), CLV)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)
def test_what_proved_best_is_served_and_the_usual_one_where_it_cannot_be(question):
    features, usual = crowd(5), USUAL[question.target]
    assert usual in SERVED
    for baseline in baselines_for(question, features):
        served = served_baseline(baseline.name, question, features).name
        assert served == (usual if baseline.needs_labels else baseline.name)
    for name in (None, "gone", ""):
        assert served_baseline(name, question, features).name == usual
    if question is not PROPENSITY:
        young = features.filter(regex="^(?!.*(last_year|365d))")
        assert served_baseline("same_window_last_year", question, young).name == usual


@pytest.mark.parametrize(("question", "baseline"), EVERY)
def test_a_forecast_is_never_negative_or_missing_and_a_probability_at_most_one(question, baseline):
    returning = crowd(60).assign(net_revenue_90d_amount=-50.0, basket_mean_amount=-50.0)
    unknown = crowd(60, seed=1).assign(net_revenue_90d_amount=np.nan, basket_mean_amount=np.nan)
    unknown = unknown.assign(net_revenue_amount=np.nan, orders_90d_count=np.nan)
    rng = np.random.default_rng(0)
    actual = rng.integers(0, 2, 60) * 1.0 if question.is_probability else rng.normal(size=60)
    for today in (returning, unknown, returning.head(1), returning.head(0)):
        expected = forecast(baseline, crowd(60, seed=2), actual, today, question)
        assert expected.shape == (len(today),)
        assert np.isfinite(expected).all()
        assert (expected >= 0).all()
        assert (expected <= 1).all() or not question.is_probability


@settings(max_examples=cases(3), deadline=None)
@given(st.randoms(use_true_random=False))
@pytest.mark.parametrize(
    ("question", "baseline"),
    [case for case in EVERY if case.values[0] in (CLV, ORDERS, PROPENSITY)],
)
def test_no_forecast_depends_on_the_order_of_the_rows(question, baseline, random):
    train, today = crowd(80, seed=1), crowd(80, seed=2)
    actual = np.random.default_rng(0).integers(0, 2, 80) * 1.0
    order = random.sample(range(80), 80)
    expected = forecast(baseline, train, actual, today, question)
    shuffled = forecast(baseline, train.iloc[order], actual[order], today.iloc[order], question)
    assert shuffled == pytest.approx(expected[order])
