"""Warehouses of features from any order history, made with the feature models as they are now.

Belongs here: compiling the models, running them over an order history, reading rows back. Does not
belong here: which histories and which dates (`benchmarks.cases`, `benchmarks.worlds`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
# The compiled SQL names the database, and a file's database is called as the file.
WAREHOUSE = "warehouse.duckdb"
FEATURES, OUTCOMES = "features.customer_as_of_features", "features.customer_outcomes"
KEYS = ("customer_id", "as_of_date")
# As the models read them: the last bits of a sum of doubles are noise.
DIGITS = 6
AT = "known_from_date < {day} and {day} <= known_to_date and ordered_date < {day}"
# All that core.order_history has, from customer_id, ordered_at and amount; one row is one order.
ORDER_HISTORY = """
select
    'o' || row_number() over () as order_id, 'made' as source_system, order_id as order_key,
    customer_id::varchar as customer_key, customer_id::varchar as customer_id,
    null::varchar as store_id, null::varchar as lines_load_id, ordered_at::timestamp as ordered_at,
    ordered_at::date as ordered_date, 'USD' as currency, 1::bigint as lines_count,
    1::decimal(18, 3) as quantity, amount::decimal(18, 4) as gross_amount,
    0::decimal(18, 4) as discount_amount, amount::decimal(18, 4) as net_revenue_amount,
    0::decimal(18, 4) as coupon_amount, ordered_at::date as known_from_date,
    date '9999-12-31' as known_to_date
from ({orders})
"""


@dataclass(frozen=True)
class Model:
    """A model of dbt as plain SQL."""

    table: str
    sql: str


@dataclass(frozen=True)
class Rows:
    """Customers at as-of dates: what was known, and what came.

    Attributes:
        customers: Id of each row's customer.
        dates: As-of date of each row, `datetime64[D]`.
        features: Columns sorted by name, floats, NaN where not defined.
        histories: What a model of repeat orders reads: `frequency`, `recency`, `age`, `repeat_value`.
        amounts: Net revenue of the window; may be negative by returns.
        is_ordering: Whether there is an order in the window, 0 or 1.
    """

    customers: np.ndarray
    dates: np.ndarray
    features: pd.DataFrame
    histories: pd.DataFrame
    amounts: np.ndarray
    is_ordering: np.ndarray

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.amounts)

    def where(self, kept: np.ndarray) -> Rows:
        """Keep some rows, in the same order."""
        return Rows(
            self.customers[kept],
            self.dates[kept],
            self.features[kept].reset_index(drop=True),
            self.histories[kept].reset_index(drop=True),
            self.amounts[kept],
            self.is_ordering[kept],
        )

    def at(self, days: Iterable[date]) -> Rows:
        """Keep the rows of these as-of dates."""
        return self.where(np.isin(self.dates, np.array(list(days), dtype="datetime64[D]")))


def compile_models(scratch: Path, horizons: Iterable[int]) -> list[Model]:
    """Give the models that features and outcomes are made of, in the order they are made."""
    target = scratch / "dbt"
    done = subprocess.run(
        [
            sys.executable, "-c", "from dbt.cli.main import cli; cli()", "compile", "--quiet",
            "--select", "path:models/features", "--vars", json.dumps({"horizons": [*horizons]}),
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
            "--target-path", str(target), "--log-path", str(target),
        ],
        env=os.environ | {"UNICUS_WAREHOUSE": str(target / WAREHOUSE)},
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the feature models do not compile:\n{done.stdout}{done.stderr}")
    nodes = json.loads((target / "manifest.json").read_text("utf-8"))["nodes"]
    made: dict[str, Model] = {}
    for table in (FEATURES, OUTCOMES):
        _add(made, nodes, f"model.unicus.{table.split('.')[1]}")
    return list(made.values())


def _add(made: dict[str, Model], nodes: dict[str, Any], name: str) -> None:
    """Add a model of features after those it reads."""
    node = nodes.get(name, {})
    if name in made or not node.get("path", "").startswith("features"):
        return
    for parent in node["depends_on"]["nodes"]:
        _add(made, nodes, parent)
    made[name] = Model(f"{node['schema']}.{node['alias']}", node["compiled_code"])


def create(folder: Path, orders: str, home: Path | None = None) -> Path:
    """Make a warehouse with nothing but core.order_history.

    Args:
        folder: Where it is made.
        orders: SQL that gives the rows.
        home: A warehouse that this SQL may read as `home`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WAREHOUSE
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path), config={"storage_compatibility_version": "latest"}) as con:
        con.execute("create schema core; create schema moment; create schema features")
        con.execute("set enable_progress_bar = false; set preserve_insertion_order = false")
        if home:
            con.execute(f"attach '{home}' as home (read_only)")
        con.execute(f"create table core.order_history as {orders}")
    return path


def stand_at(path: Path, run: date, dates: Iterable[date]) -> None:
    """Set the moment: what is known at `run`, and the dates features are asked for."""
    with _open(path) as con:
        con.execute(
            f"create or replace table moment.run as select date '{run}' as as_of, "
            "'UTC' as business_timezone, 'USD' as reporting_currency, 's' as snapshot_id"
        )
        con.execute(
            "create or replace table moment.as_of_dates "
            "(as_of_date date, is_whole boolean, is_training boolean)"
        )
        rows = [[day, day == run, day != run] for day in sorted(set(dates))]
        con.executemany("insert into moment.as_of_dates values (?, ?, ?)", rows)
        con.execute(
            "create or replace view core.fct_orders as select * from core.order_history "
            f"where {AT.format(day=f'date {str(run)!r}')}"
        )


def run_models(path: Path, models: Sequence[Model]) -> None:
    """Make the tables of these models."""
    with _open(path) as con:
        for model in models:
            con.execute(f"create or replace table {model.table} as {model.sql}")


def make(path: Path, models: Sequence[Model], run: date, dates: Iterable[date]) -> Path:
    """Make features and outcomes of the dates, as known at `run`."""
    stand_at(path, run, dates)
    run_models(path, models)
    return path


def read_rows(path: Path, dates: Iterable[date], horizon_days: int) -> Rows:
    """Read what was known and what came at these dates, in an order that follows from the values.

    An outcome that is still open comes with the rest: the cases say by their dates what is closed.
    """
    with duckdb.connect(str(path), read_only=True) as con:
        names = feature_names(con)
        table = con.execute(
            f"""
            with days as (
                select customer_id, ordered_date, sum(net_revenue_amount)::double as amount
                from core.fct_orders group by all
            ),
            first_days as (
                select customer_id, arg_min(amount, ordered_date) as first_amount
                from days group by all
            )
            select f.customer_id, f.as_of_date, {select_list(names)},
                o.net_revenue_amount::double as "_amount",
                (o.orders_count > 0)::double as "_is_ordering", d.first_amount as "_first_amount"
            from {FEATURES} as f
            inner join {OUTCOMES} as o using (customer_id, as_of_date)
            left join first_days as d using (customer_id)
            where o.horizon_days = ? and list_contains(?::date[], f.as_of_date)
            order by f.as_of_date, {row_order(names)}, "_amount", "_is_ordering", f.customer_id
            """,
            [horizon_days, list(dates)],
        ).df()
    return Rows(
        customers=table["customer_id"].to_numpy(dtype=object),
        dates=table["as_of_date"].to_numpy(dtype="datetime64[D]"),
        features=table[names],
        histories=_histories(table),
        amounts=table["_amount"].to_numpy(dtype=float),
        is_ordering=table["_is_ordering"].to_numpy(dtype=float),
    )


def feature_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Name the features, sorted: every column but the keys."""
    return sorted(
        name for name, *_ in con.execute(f"describe {FEATURES}").fetchall() if name not in KEYS
    )


def select_list(names: Sequence[str]) -> str:
    """Select features as rounded floats from `f`."""
    return ", ".join(f'round(f."{name}"::double, {DIGITS}) as "{name}"' for name in names)


def row_order(names: Sequence[str]) -> str:
    """Order rows by what is known, as customer ids are drawn at random in each home."""
    return ", ".join(f'f."{name}" nulls first' for name in names)


def grid(last: date, first: date, step_days: int = 30) -> tuple[date, ...]:
    """List every so many days back from `last`, none before `first`, oldest first."""
    count = (last - first).days // step_days + 1
    return tuple(last - timedelta(days=step_days * back) for back in reversed(range(count)))


def _histories(table: pd.DataFrame) -> pd.DataFrame:
    """Give repeat days and their mean value; the value is 0 without any or below 0."""
    repeats = (table["order_days_count"] - 1).astype(float)
    value = (table["net_revenue_amount"] - table["_first_amount"]) / repeats.where(repeats > 0)
    made = {
        "frequency": repeats,
        "recency": table["tenure_days"] - table["recency_days"],
        "age": table["tenure_days"],
        "repeat_value": value.fillna(0.0).clip(lower=0.0),
    }
    return table[[]].assign(**made)


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(str(path))
    con.execute("set enable_progress_bar = false")
    return con
