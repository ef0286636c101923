"""Simulated shops of which the truth is known.

Belongs here: how customers order in a world, and its warehouse of features. Does not belong here: what
is asked of a world (`benchmarks.season`, `benchmarks.wrong_worlds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.warehouse import ORDER_HISTORY, Model, create, make

Season = Callable[[np.ndarray], np.ndarray]


def no_season(days: np.ndarray) -> np.ndarray:
    """Order as often on every day."""
    return np.ones(len(days))


@dataclass(frozen=True)
class World:
    """How customers come, order and leave.

    Each joins with an order on any day of the first `joining_days`, then orders at a rate of their own
    until they leave; an order is worth something around a level of their own.

    Attributes:
        first_day: Day 0.
        days: How long it is looked at.
        customers: How many join.
        joining_days: Days over which they do.
        gap_days: Days between orders of the mean customer.
        rate_shape: Of the gamma of rates; infinite when all are equal.
        stay_days: Mean days until they leave; infinite when nobody does.
        value_spread: Deviation of the logarithm of customers' levels.
        season: How often they order on each day of the world, as a multiple.
        season_top: The largest it gets.
    """

    first_day: date
    days: int
    customers: int = 4000
    joining_days: int = 300
    gap_days: float = 30.0
    rate_shape: float = 1.0
    stay_days: float = 400.0
    value_spread: float = 0.5
    season: Season = no_season
    season_top: float = 1.0


def orders(world: World, seed: int = 0) -> pd.DataFrame:
    """Simulate every order: `customer_id`, `day` (with its fraction) and `amount`."""
    rng = np.random.default_rng(seed)
    joins = rng.uniform(0, world.joining_days, world.customers)
    ends = np.minimum(joins + _stays(world, rng), world.days)
    counts = rng.poisson(_rates(world, rng) * world.season_top * (ends - joins))
    customer = np.repeat(np.arange(world.customers), counts)
    day = rng.uniform(joins[customer], ends[customer])
    kept = rng.uniform(0, world.season_top, len(day)) < world.season(day)
    customer = np.concatenate([np.arange(world.customers), customer[kept]])
    level = rng.lognormal(3, world.value_spread, world.customers)
    amount = level[customer] * rng.lognormal(0, 0.4, len(customer))
    day = np.concatenate([joins, day[kept]])
    return pd.DataFrame({"customer_id": customer, "day": day, "amount": amount.round(2)})


def warehouse(
    world: World,
    folder: Path,
    models: Sequence[Model],
    dates: Iterable[date],
    run: date,
    seed: int = 0,
) -> Path:
    """Make features and outcomes of a world at these dates, as known at `run`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = orders(world, seed)
    moment = pd.Timestamp(world.first_day) + pd.to_timedelta(made.pop("day"), unit="D")
    made.assign(ordered_at=moment.dt.floor("s")).to_parquet(folder / "orders.parquet")
    history = ORDER_HISTORY.format(orders=f"select * from '{folder / 'orders.parquet'}'")
    return make(create(folder, history), models, run, dates)


def _rates(world: World, rng: np.random.Generator) -> np.ndarray:
    """Orders per day of each customer."""
    mean = 1 / world.gap_days
    if np.isinf(world.rate_shape):
        return np.full(world.customers, mean)
    return rng.gamma(world.rate_shape, mean / world.rate_shape, world.customers)


def _stays(world: World, rng: np.random.Generator) -> np.ndarray:
    """Days each customer stays."""
    if np.isinf(world.stay_days):
        return np.full(world.customers, np.inf)
    return rng.exponential(world.stay_days, world.customers)
