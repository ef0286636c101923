"""What the buy-till-you-die models cost for a million customers, against the time to score them.

    python -m benchmarks.btyd [CUSTOMERS]

Makes customers who join within a year, order at rates of their own and leave without saying so, then
prints CPU seconds of each step and their sum as a share of the 30 seconds that scoring a million
customers may take.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from ml.btyd.bg_nbd import BetaGeoNBD
from ml.btyd.gamma_gamma import GammaGamma
from ml.btyd.value import predict_spend

LIMIT_CPU_SECONDS = 30.0
DAYS, HORIZON_DAYS = 365, 90
Made = TypeVar("Made")


def simulate(customers: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Histories (frequency, recency, age) in days and spends (orders, mean value), one row each."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, DAYS + 1, customers).astype(float)
    active = np.minimum(age, rng.exponential(200, customers))
    frequency = rng.poisson(rng.gamma(0.8, 0.02, customers) * active)
    last = active * rng.beta(np.maximum(frequency, 1), 1)
    recency = np.where(frequency > 0, np.ceil(last), 0).clip(max=age)
    value = rng.lognormal(3, 0.5, customers)
    return np.column_stack([frequency, recency, age]), np.column_stack([frequency + 1, value])


def timed(step: Callable[[], Made]) -> tuple[Made, float]:
    """What a step makes, and the CPU seconds it took."""
    began = time.process_time()
    made = step()
    return made, time.process_time() - began


def main() -> None:
    """Fit and score, and print what each took."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    histories, spends = simulate(customers)
    orders, fit_orders = timed(lambda: BetaGeoNBD().fit(histories))
    values, fit_values = timed(lambda: GammaGamma().fit(spends))
    spend, scoring = timed(lambda: predict_spend(orders, values, histories, spends, HORIZON_DAYS))
    print(f"{customers:,} customers, {spend.sum():,.0f} expected in {HORIZON_DAYS} days")
    for name, seconds in (("BG/NBD", fit_orders), ("gamma-gamma", fit_values), ("scores", scoring)):
        print(f"{name:<12}{seconds:>8.1f} CPU s")
    total = fit_orders + fit_values + scoring
    print(f"{total:.1f} CPU s, {total / LIMIT_CPU_SECONDS:.2f} of the limit")


if __name__ == "__main__":
    main()
