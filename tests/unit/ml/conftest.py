"""A small shop with customers of regular habits who leave, as a warehouse the models can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.frames import FeatureFrame, LabelledFrame, read_features, read_labelled
from ml.questions import Question
from ml.splits import training_dates
from ml.train import TrainingResult, train_and_register

if TYPE_CHECKING:
    from pathlib import Path

FIRST_DAY = date(2024, 1, 1)
AS_OF = date(2024, 9, 1)
HORIZON_DAYS = 30
DATES = training_dates(FIRST_DAY, AS_OF, HORIZON_DAYS)
VALUE = Question("clv", HORIZON_DAYS)
ORDERS = Question("orders", HORIZON_DAYS)
PROPENSITY = Question("propensity", HORIZON_DAYS)

FEATURES = """
create or replace table features.customer_as_of_features as
with days as (
    select
        o.customer_id, d.as_of_date, o.day, sum(o.amount) as amount, count(*) as orders,
        o.day - lag(o.day) over (partition by o.customer_id, d.as_of_date order by o.day) as gap
    from orders as o
    inner join dates as d on o.day < d.as_of_date
    group by o.customer_id, d.as_of_date, o.day
)
select
    customer_id,
    as_of_date,
    sum(orders)::bigint as orders_count,
    coalesce(sum(orders) filter (where day >= as_of_date - 30), 0)::bigint as orders_30d_count,
    coalesce(sum(orders) filter (where day >= as_of_date - 90), 0)::bigint as orders_90d_count,
    coalesce(sum(amount) filter (where day >= as_of_date - 90), 0)::decimal(18, 2)
        as net_revenue_90d_amount,
    sum(amount)::decimal(18, 2) as net_revenue_amount,
    count(*) as order_days_count,
    as_of_date - max(day) as recency_days,
    as_of_date - min(day) as tenure_days,
    avg(gap) as gap_mean_days,
    (as_of_date - max(day)) / avg(gap) as recency_gap_ratio,
    sum(amount) / sum(orders) as basket_mean_amount,
    stddev_samp(amount) as basket_sd_amount
from days
group by customer_id, as_of_date
order by hash(customer_id, $salt)
"""
OUTCOMES = """
create or replace table features.customer_outcomes as
select
    f.customer_id,
    f.as_of_date,
    $horizon::integer as horizon_days,
    coalesce(sum(o.amount), 0)::decimal(18, 2) as net_revenue_amount,
    count(o.amount) as orders_count,
    f.as_of_date + $horizon::integer <= $as_of::date - 1 as is_closed
from features.customer_as_of_features as f
left join orders as o
    on f.customer_id = o.customer_id
    and o.day >= f.as_of_date
    and o.day < f.as_of_date + $horizon::integer
group by f.customer_id, f.as_of_date
"""


@dataclass(frozen=True)
class Home:
    """A warehouse, a tracking store, and what the first training left in it."""

    warehouse: Path
    mlflow_folder: Path
    result: TrainingResult


def simulate_orders(customers: int, seed: int = 7) -> pd.DataFrame:
    """Orders of customers who join, come back at their own regular gap, and leave silently."""
    rng = np.random.default_rng(seed)
    joined = rng.integers(0, 150, customers)
    left = joined + rng.exponential(120, customers)
    gap, basket = rng.gamma(4, 6, customers) + 3, rng.lognormal(3, 0.6, customers)
    rows = []
    for number in range(customers):
        gaps = gap[number] * rng.uniform(0.8, 1.2, 80)
        days = joined[number] + np.append(0, gaps.cumsum())
        for day in days[(days <= left[number]) & (days < (AS_OF - FIRST_DAY).days)]:
            amount = round(basket[number] * rng.lognormal(0, 0.3), 2)
            rows.append((f"c{number:04d}", FIRST_DAY + pd.Timedelta(days=int(day)), amount))
    return pd.DataFrame(rows, columns=["customer_id", "day", "amount"])


def build_warehouse(path: Path, orders: pd.DataFrame, salt: int = 0) -> Path:
    """Write the two feature tables; the salt only changes the order rows are stored in."""
    with duckdb.connect(str(path)) as con:
        con.execute("create schema if not exists features")
        con.execute(
            "create or replace temp table orders as "
            "select customer_id, day::date as day, amount::decimal(18, 2) as amount from orders"
        )
        con.execute("create or replace temp table dates (as_of_date date)")
        con.executemany("insert into dates values (?)", [[day] for day in (*DATES, AS_OF)])
        con.execute(FEATURES, {"salt": salt})
        con.execute(OUTCOMES, {"horizon": HORIZON_DAYS, "as_of": AS_OF})
    return path


def train_home(warehouse: Path, mlflow_folder: Path, **changes: object) -> TrainingResult:
    """Train as orchestration would."""
    arguments: dict[str, object] = {
        "question": VALUE,
        "warehouse": warehouse,
        "mlflow_folder": mlflow_folder,
        "first_day": FIRST_DAY,
        "as_of": AS_OF,
        "snapshot_id": "snapshot-1",
        "code_hash": "code-1",
        "dagster_run_id": "run-1",
    }
    return train_and_register(**{**arguments, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def orders() -> pd.DataFrame:
    return simulate_orders(customers=600)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory, orders: pd.DataFrame) -> Path:
    return build_warehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb", orders)


@pytest.fixture(scope="session")
def labelled(warehouse: Path) -> LabelledFrame:
    return read_labelled(warehouse, DATES, HORIZON_DAYS)


@pytest.fixture(scope="session")
def today(warehouse: Path) -> FeatureFrame:
    return read_features(warehouse, AS_OF)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, warehouse: Path) -> Home:
    """Trained once, in a folder whose name needs care in an address."""
    folder = tmp_path_factory.mktemp("a home with é #1") / "mlflow"
    return Home(warehouse, folder, train_home(warehouse, folder))
