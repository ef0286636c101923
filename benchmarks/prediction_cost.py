"""What features, training and scoring cost for a million customers with fifty million orders.

    python -m benchmarks.prediction_cost [--customers N] [--orders N] [--folder FOLDER]

Makes the orders (not counted; a folder that has them already is used again), then prints CPU seconds
(user and system), wall seconds and peak memory of each part, every one a process of its own: features at
the run's date, features and outcomes at the dates learnt from, training of clv_90d and propensity_90d on
at most 30,000 customers per date, scores of everybody by both. Ratios are to the limits: 120 CPU
seconds and 8 GB in all, 30 CPU seconds for the scores.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.cases import RAW
from benchmarks.intake import measured
from benchmarks.tables import verdict
from benchmarks.warehouse import (
    FEATURES,
    ORDER_HISTORY,
    OUTCOMES,
    WAREHOUSE,
    Model,
    compile_models,
    create,
    feature_names,
    run_models,
    select_list,
    stand_at,
)
from ml.clv.model import CustomerValue
from ml.propensity.model import OrderProbability

LIMIT_CPU_SECONDS, LIMIT_GIB, LIMIT_SCORING_SECONDS = 120.0, 8.0, 30.0
HORIZON_DAYS, DATES_COUNT = 90, 5
FIRST_DAY, RUN_DAY = date(2022, 1, 1), date(2024, 1, 1)
TODAY = "features.today"
# A customer has as many orders as a gamma of shape 1/2 says (the square of a normal number), on any of
# the days between joining and leaving, and a level of spending of their own. All numbers are hashes.
ORDERS = """
with customers as (
    select
        range as customer_id,
        greatest(1, round(
            -2 * ln({u1}) * power(cos(2 * pi() * {u2}), 2) * {orders} / {customers}
        ))::bigint as orders_count,
        {u3} * {days} as joins,
        -ln({u4}) * 300 + 1 as stays,
        exp(3 + 0.5 * sqrt(-2 * ln({u5})) * cos(2 * pi() * {u6})) as spends
    from range({customers})
),
orders as (
    select *, unnest(range(orders_count)) as number from customers
)
select
    customer_id,
    timestamp '{first}' + to_seconds((
        joins + least(stays, {days} - joins) * {when}
    )::double * 86399) as ordered_at,
    round(spends * (0.5 + {amount}), 2) as amount
from orders
"""


def generate(folder: Path, customers: int, orders: int) -> Path:
    """Make the orders, unless the folder has so many of them already."""
    asked, told = {"customers": customers, "orders": orders}, folder / "made.json"
    path = folder / WAREHOUSE
    if told.exists() and json.loads(told.read_text("utf-8")) == asked:
        return path
    days = (RUN_DAY - FIRST_DAY).days
    own = {f"u{seed}": _uniform("range", seed) for seed in range(1, 7)}
    each = {name: _uniform("customer_id * 100003 + number", name) for name in ("when", "amount")}
    select = ORDERS.format(days=days, first=FIRST_DAY, **asked, **own, **each)
    create(folder, ORDER_HISTORY.format(orders=select))
    told.write_text(json.dumps(asked), "utf-8")
    return path


def _uniform(key: str, seed: int | str) -> str:
    """Give SQL for a number above 0 and at most 1 that follows from a key."""
    return f"((hash({key}, '{seed}') % 1000000007 + 1) / 1000000007.0)::double"


def dates() -> list[date]:
    """List the dates learnt from, whose windows are closed at the run's date."""
    newest = RUN_DAY - timedelta(days=HORIZON_DAYS + 1)
    return [newest - timedelta(days=30 * back) for back in range(DATES_COUNT)]


def features(folder: Path) -> None:
    """Make the features of everybody at the run's date."""
    stand_at(folder / WAREHOUSE, RUN_DAY, [RUN_DAY])
    run_models(folder / WAREHOUSE, [model for model in _models(folder) if model.table != OUTCOMES])


def frames(folder: Path) -> None:
    """Make the features and outcomes of the dates learnt from.

    The features at the run's date are put aside before, as a run makes all of them at once.
    """
    path = folder / WAREHOUSE
    with duckdb.connect(str(path)) as con:
        con.execute(f"alter table {FEATURES} rename to {TODAY.split('.')[1]}")
    stand_at(path, RUN_DAY, dates())
    run_models(path, _models(folder))


def reading(folder: Path) -> None:
    """Read at most so many customers per date with what came, and everybody of today."""
    training, today = _frame(folder), _today(folder)
    training.to_pickle(folder / "training.pickle")
    today.to_pickle(folder / "today.pickle")
    print(f"{len(training):,} rows to learn from, {len(today):,} customers today", file=sys.stderr)


def training(folder: Path) -> None:
    """Fit both models."""
    frame = pd.read_pickle(folder / "training.pickle")
    today = pd.read_pickle(folder / "today.pickle")
    customers = frame.pop("customer_id").to_numpy(dtype=object)
    amounts, ordering = frame.pop("_amount").to_numpy(), frame.pop("_is_ordering").to_numpy()
    value = CustomerValue(HORIZON_DAYS).fit(frame, amounts, today=today, customers=customers)
    any_order = OrderProbability(HORIZON_DAYS).fit(frame, ordering)
    (folder / "models.pickle").write_bytes(pickle.dumps((value, any_order)))


def scores(folder: Path) -> None:
    """Forecast for everybody of today by both models."""
    today = pd.read_pickle(folder / "today.pickle")
    value, any_order = pickle.loads((folder / "models.pickle").read_bytes())
    spend, probability = value.forecast(today).predicted, any_order.forecast(today).predicted
    assert np.isfinite(spend).all()
    assert np.isfinite(probability).all()


def _models(folder: Path) -> list[Model]:
    rows = json.loads((folder / "models.json").read_text("utf-8"))
    return [Model(**row) for row in rows]


def _frame(folder: Path) -> pd.DataFrame:
    """Read the features and labels; where the models keep everybody, a sample is drawn here."""
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as con:
        names = feature_names(con)
        return con.execute(
            f"""
            select f.customer_id, {select_list(names)}, o.net_revenue_amount::double as "_amount",
                (o.orders_count > 0)::double as "_is_ordering"
            from {FEATURES} as f
            inner join {OUTCOMES} as o using (customer_id, as_of_date)
            where o.is_closed
            """
        ).df()


def _today(folder: Path) -> pd.DataFrame:
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as con:
        return con.execute(f"select {select_list(feature_names(con))} from {TODAY} as f").df()


def measure(folder: Path, customers: int, orders: int) -> None:
    """Make the orders, measure every part, print."""
    path = generate(folder, customers, orders)
    with duckdb.connect(str(path)) as con:
        con.execute(f"drop table if exists {TODAY}")
        made = con.execute(
            "select count(distinct customer_id), count(*) from core.order_history"
        ).fetchall()
    models = compile_models(folder, [HORIZON_DAYS])
    (folder / "models.json").write_text(json.dumps([vars(model) for model in models]), "utf-8")
    print("{:,} customers, {:,} orders, load {:.1f}".format(*made[0], os.getloadavg()[0]))
    print(f"{'':<34}{'CPU s':>8}{'wall s':>8}{'GiB':>8}")
    found = {}
    for part, label in PARTS:
        cpu, wall, peak = measured(part, folder)
        found[part.__name__] = cpu, peak / 1024
        print(f"{label:<34}{cpu:>8.1f}{wall:>8.1f}{peak / 1024:>8.1f}", flush=True)
    _against_limits(found)


def _against_limits(found: dict[str, tuple[float, float]]) -> None:
    total, peak = sum(cpu for cpu, _ in found.values()), max(peak for _, peak in found.values())
    for name, figure, limit in (
        ("CPU seconds in all", total, LIMIT_CPU_SECONDS),
        ("peak GiB", peak, LIMIT_GIB),
        ("CPU seconds of scores", found["scores"][0], LIMIT_SCORING_SECONDS),
    ):
        print(f"{name:<34}{figure:>8.1f} of {limit:.0f}, {figure / limit:.2f}: "
              f"{verdict(figure <= limit)}")  # fmt: skip


PARTS = (
    (features, "features at the run's date"),
    (frames, "features and outcomes of 5 dates"),
    (reading, "reading what is learnt from"),
    (training, "training of both"),
    (scores, "scores of both"),
)


def main() -> None:
    """Measure every part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=50_000_000)
    parser.add_argument("--folder", type=Path, help="where orders are made and kept")
    arguments = parser.parse_args()
    # Read by each part's process when it starts.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as scratch:
        measure(arguments.folder or Path(scratch), arguments.customers, arguments.orders)


if __name__ == "__main__":
    main()
