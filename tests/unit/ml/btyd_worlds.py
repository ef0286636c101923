"""Customers whose rates, dropout and taste are known, and those of CDNOW, whose are published."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

DATA = os.environ.get("UNICUS_TEST_DATA")
needs_cdnow = pytest.mark.skipif(
    not DATA, reason="UNICUS_TEST_DATA does not name the folder with the test data"
)
CALIBRATION_END = pd.Timestamp("1997-09-30")
NEVER = 10**9


class World(NamedTuple):
    """What a customer base did, and would do next."""

    histories: pd.DataFrame
    next_orders: np.ndarray


def simulate_orders(
    count: int,
    seed: int,
    *,
    rates: tuple[float, float] = (0.8, 20.0),
    dropout: tuple[float, float] | None = (0.8, 2.5),
    ahead: float = 90.0,
) -> World:
    """Play the story of the BG/NBD: gamma rates, and a beta chance to leave after each repeat order.

    Args:
        count: Customers.
        seed: Makes it repeatable.
        rates: r, and alpha in days.
        dropout: a and b, or None where nobody ever leaves.
        ahead: Days after the histories in which `next_orders` come.
    """
    rng = np.random.default_rng(seed)
    age = rng.integers(30, 366, count).astype(float)
    rate = rng.gamma(rates[0], 1 / rates[1], count)
    last = rng.geometric(rng.beta(*dropout, count)) if dropout else np.full(count, NEVER)
    would = rng.poisson(rate * age)
    frequency = np.minimum(would, last)
    recency = age * rng.beta(np.maximum(frequency, 1), would - frequency + 1) * (frequency > 0)
    next_orders = np.minimum(rng.poisson(rate * ahead), last - frequency)
    columns = {"frequency": frequency, "recency": recency, "age": age}
    return World(pd.DataFrame(columns), next_orders)


def simulate_spends(
    count: int, seed: int, *, p: float = 6.0, q: float = 3.7, gamma: float = 15.0
) -> pd.DataFrame:
    """Play the story of the gamma-gamma, for customers of one order and a few more."""
    rng = np.random.default_rng(seed)
    orders = 1 + rng.poisson(2.0, count)
    value = rng.gamma(p * orders, 1 / rng.gamma(q, 1 / gamma, count)) / orders
    return pd.DataFrame({"orders": orders, "mean_order_value": value})


def cdnow_days() -> pd.DataFrame:
    """One row per customer and day of order, with what was paid."""
    orders = pd.read_parquet(Path(str(DATA)) / "cdnow" / "cdnow_sample_tenth.parquet")
    orders["date"] = pd.to_datetime(orders["date"])
    return orders.groupby(["customer_id", "date"], as_index=False)["dollar_value"].sum()


def cdnow_histories(days: pd.DataFrame) -> pd.DataFrame:
    """Histories in weeks over the 39 weeks of calibration."""
    seen = days[days["date"] <= CALIBRATION_END].groupby("customer_id")["date"]
    first, last, count = seen.min(), seen.max(), seen.count()
    return pd.DataFrame(
        {
            "frequency": count - 1,
            "recency": (last - first).dt.days / 7,
            "age": (CALIBRATION_END - first).dt.days / 7,
        }
    )


def cdnow_spends(days: pd.DataFrame) -> pd.DataFrame:
    """Orders of positive value in the same weeks, for every customer of them."""
    seen = days[days["date"] <= CALIBRATION_END]
    paid = seen[seen["dollar_value"] > 0].groupby("customer_id")["dollar_value"]
    spends = pd.DataFrame({"orders": paid.count(), "mean_order_value": paid.mean()})
    spends = spends.reindex(seen["customer_id"].unique())
    return spends.fillna({"orders": 0}).sort_index()


def numeric_errors(log_likelihood, at: list[float]) -> np.ndarray:
    """Standard errors by second differences of a log-likelihood in the parameters themselves."""
    point, size = np.array(at), len(at)
    steps = np.diag(1e-3 * point)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            corners = [
                sign_i * sign_j * log_likelihood(point + sign_i * steps[i] + sign_j * steps[j])
                for sign_i in (1, -1)
                for sign_j in (1, -1)
            ]
            hessian[i, j] = sum(corners) / (4 * steps[i, i] * steps[j, j])
    return np.sqrt(np.linalg.inv(-hessian).diagonal())
