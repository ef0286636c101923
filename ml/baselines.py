"""What a model has to beat: forecasts that need no training.

Belongs here: one function per baseline, from features to money. A baseline is also what is served,
labelled as such, while no model has earned its place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Baseline = Callable[[pd.DataFrame, int], np.ndarray]


def same_spend_as_last_window(features: pd.DataFrame, horizon_days: int) -> np.ndarray:
    """Expect each customer to spend at the daily rate of the last 90 days.

    Args:
        features: Needs `net_revenue_90d_amount`.
        horizon_days: Days to forecast; at 90 it is last window's spend itself.
    """
    return _money(features["net_revenue_90d_amount"] * (horizon_days / 90))


def rate_times_basket(features: pd.DataFrame, horizon_days: int) -> np.ndarray:
    """Expect the customer's own order rate times the own mean basket.

    The rate is measured over the days since the first order, and over one horizon at least:
    a single order of yesterday is not one order a day.

    Args:
        features: Needs `orders_count`, `tenure_days` and `basket_mean_amount`.
        horizon_days: Days to forecast.
    """
    observed_days = features["tenure_days"].clip(lower=horizon_days)
    orders_per_day = features["orders_count"] / observed_days
    return _money(orders_per_day * horizon_days * features["basket_mean_amount"])


BASELINES: dict[str, Baseline] = {
    "same_spend_as_last_window": same_spend_as_last_window,
    "rate_times_basket": rate_times_basket,
}
DEFAULT_BASELINE = "rate_times_basket"


def _money(amounts: pd.Series) -> np.ndarray:
    """A forecast is never negative (more returns than sales) and never missing."""
    return amounts.fillna(0.0).clip(lower=0.0).to_numpy(dtype=float)
