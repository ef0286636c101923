"""What a model sees must mean the same however long a shop has kept records."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.inputs import histories, inputs, spends

CUSTOMER = {
    "tenure_days": 100,
    "recency_days": 10,
    "orders_count": 20,
    "order_days_count": 10,
    "net_revenue_amount": 500.0,
    "net_revenue_30d_amount": 60.0,
    "orders_365d_count": 20,
    "orders_last_year_30d_count": 4,
    "basket_mean_amount": 25.0,
}


def test_totals_and_windows_are_per_day_that_was_observed_and_the_rest_is_as_it_was():
    seen = inputs(pd.DataFrame([CUSTOMER])).iloc[0]
    assert seen["orders_count"] == pytest.approx(0.2)
    assert seen["net_revenue_amount"] == pytest.approx(5)
    assert seen["net_revenue_30d_amount"] == pytest.approx(2)
    assert seen["orders_365d_count"] == pytest.approx(0.2)  # 100 of the 365 days were there to see
    for name in ("tenure_days", "recency_days", "orders_last_year_30d_count", "basket_mean_amount"):
        assert seen[name] == CUSTOMER[name]


def test_a_customer_of_steady_habits_looks_the_same_a_year_later_but_for_the_age():
    later = CUSTOMER | {"tenure_days": 300, "orders_count": 60, "net_revenue_amount": 1500.0}
    later |= {"order_days_count": 30, "orders_365d_count": 60}
    now, then = inputs(pd.DataFrame([CUSTOMER])), inputs(pd.DataFrame([later]))
    same = [name for name in now if name != "tenure_days"]
    assert np.allclose(now[same], then[same])


def test_a_customer_of_today_is_not_divided_by_zero():
    assert inputs(pd.DataFrame([CUSTOMER | {"tenure_days": 0}])).notna().all(axis=None)


def test_rhythm_counts_days_with_an_order_and_what_one_was_worth():
    table = pd.DataFrame([CUSTOMER])
    assert histories(table).tolist() == [[9, 90, 100]]
    assert spends(table).tolist() == [[10, 50]]
