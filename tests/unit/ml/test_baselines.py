"""Forecasts that need no training."""

from __future__ import annotations

import pandas as pd
import pytest

from ml.baselines import BASELINES, DEFAULT_BASELINE, rate_times_basket, same_spend_as_last_window


def customer(**features: float | None) -> pd.DataFrame:
    usual = {
        "net_revenue_90d_amount": 0.0,
        "orders_count": 1.0,
        "tenure_days": 200.0,
        "basket_mean_amount": 10.0,
    }
    return pd.DataFrame([{**usual, **features}], dtype=float)


def test_last_windows_spend_is_repeated_at_its_daily_rate():
    regular = customer(net_revenue_90d_amount=180)
    assert same_spend_as_last_window(regular, 90)[0] == 180
    assert same_spend_as_last_window(regular, 30)[0] == pytest.approx(60)


def test_rate_times_basket_extends_the_customers_own_rhythm():
    # 20 orders of 15 in 200 days are 9 orders in 90.
    regular = customer(orders_count=20, tenure_days=200, basket_mean_amount=15)
    assert rate_times_basket(regular, 90)[0] == pytest.approx(9 * 15)


def test_an_order_of_yesterday_is_not_one_order_a_day():
    assert rate_times_basket(customer(tenure_days=1), 90)[0] == pytest.approx(10)


@pytest.mark.parametrize("name", BASELINES)
def test_a_forecast_is_never_negative_or_missing(name):
    returning = customer(net_revenue_90d_amount=-50, basket_mean_amount=-50)
    unknown = customer(net_revenue_90d_amount=None, basket_mean_amount=None)
    assert BASELINES[name](returning, 90).tolist() == [0.0]
    assert BASELINES[name](unknown, 90).tolist() == [0.0]


def test_the_default_baseline_is_one_of_them():
    assert DEFAULT_BASELINE in BASELINES
