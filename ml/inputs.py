"""What a model sees of a customer: the features, made to mean the same at every as-of date.

Belongs here: turning totals into rates, and the columns the buy-till-you-die models read. Does not
belong here: computing a feature (dbt does).

A total grows for as long as a shop keeps records, and so does a window that is longer than them. A
model that learnt on totals of half a year meets larger ones on the day it scores than it has ever
seen, and forecasts too much: by a tenth on a shop with seven months of records. A rate over the days
that were observed has no such trend.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

TOTALS = (
    "orders_count",
    "net_revenue_amount",
    "order_days_count",
    "active_months_count",
    "coupon_orders_count",
)
# The same days of last year were all observed, or the feature is not there.
WINDOW = re.compile(r"(?<!last_year)_(\d+)d_(?:count|amount)$")


def inputs(features: pd.DataFrame) -> pd.DataFrame:
    """Turn totals and windows into amounts per day that was observed, other features unchanged.

    Args:
        features: Columns of `features.customer_as_of_features`, with `tenure_days`.
    """
    tenure = features["tenure_days"].clip(lower=1)
    rates: dict[str, pd.Series] = {}
    for name in features.columns:
        window = WINDOW.search(name)
        if window:
            rates[name] = features[name] / np.minimum(int(window[1]), tenure)
        elif name in TOTALS:
            rates[name] = features[name] / tenure
    return features.assign(**rates)


def histories(features: pd.DataFrame) -> np.ndarray:
    """When customers ordered, in days: repeat orders, recency and age, shape (n, 3).

    Orders of one day are one order here, as they are one visit.
    """
    return np.column_stack(
        [
            features["order_days_count"] - 1,
            features["tenure_days"] - features["recency_days"],
            features["tenure_days"],
        ]
    )


def spends(features: pd.DataFrame) -> np.ndarray:
    """How many order days customers had and what one was worth, shape (n, 2)."""
    days = features["order_days_count"]
    return np.column_stack([days, features["net_revenue_amount"] / days])
