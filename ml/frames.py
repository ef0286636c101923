"""Customers at as-of dates as arrays: the one door from the warehouse to the models.

Belongs here: reading features and outcomes, the definition of a feature column that training and
scoring share, and a row order that does not depend on how the data arrived. Does not belong here:
computing a feature (dbt does) and any metric. Money is exact until here and a float from here on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from intake.sql import quoted
from ml.errors import MlError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from ml.questions import Question

FEATURES_TABLE = "features.customer_as_of_features"
OUTCOMES_TABLE = "features.customer_outcomes"
KEY_COLUMNS = ("customer_id", "as_of_date")
LABELS = ("_net_revenue", "_orders")
NUMERIC_TYPES = ("DECIMAL", "DOUBLE", "FLOAT", "BOOLEAN", "INT", "BIGINT", "HUGEINT", "SMALLINT")
# Sums of doubles depend on the order of their terms: the last bits are noise, not information.
FEATURE_DIGITS = 6


@dataclass(frozen=True)
class FeatureFrame:
    """What was known of each customer before each as-of date, one row per pair.

    Attributes:
        customer_ids: Opaque ids, shape (n,).
        as_of_dates: `datetime64[D]`, shape (n,).
        features: Floats, shape (n, features), columns sorted by name; NaN where not defined.
    """

    customer_ids: np.ndarray
    as_of_dates: np.ndarray
    features: pd.DataFrame

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.customer_ids)


@dataclass(frozen=True)
class LabelledFrame(FeatureFrame):
    """The same with what happened next.

    Attributes:
        net_revenue: Money in the window, shape (n,), may be negative by returns.
        orders: Orders in the window, shape (n,).
    """

    net_revenue: np.ndarray
    orders: np.ndarray

    @property
    def dates(self) -> tuple[date, ...]:
        """The as-of dates that have rows, oldest first."""
        return tuple(np.unique(self.as_of_dates).tolist())

    def at(self, dates: Sequence[date]) -> LabelledFrame:
        """Keep the rows of these as-of dates, in the same order."""
        kept = np.isin(self.as_of_dates, np.array(dates, dtype="datetime64[D]"))
        return LabelledFrame(
            customer_ids=self.customer_ids[kept],
            as_of_dates=self.as_of_dates[kept],
            features=self.features.loc[kept].reset_index(drop=True),
            net_revenue=self.net_revenue[kept],
            orders=self.orders[kept],
        )

    def answer(self, question: Question) -> np.ndarray:
        """Give what is to be predicted, shape (n,): money, orders, or 1 for any order and 0 for none."""
        if question.target == "net_revenue":
            return self.net_revenue
        return self.orders if question.target == "orders" else (self.orders > 0).astype(float)


def feature_names(warehouse: Path) -> tuple[str, ...]:
    """Name the features there are, sorted.

    Raises:
        MlError: The table is not there, or has a feature that is not a number.
    """
    with _open(warehouse) as con:
        return tuple(_feature_names(con, warehouse))


def read_features(warehouse: Path, as_of: date) -> FeatureFrame:
    """Read the customers known before `as_of`, to be scored.

    Args:
        warehouse: DuckDB file; opened read-only and closed before returning.
        as_of: The as-of date.

    Raises:
        MlError: The table is not there, or has a feature that is not a number.
    """
    with _open(warehouse) as con:
        names = _feature_names(con, warehouse)
        rows = con.execute(
            f"select {_select_list(names)} from {FEATURES_TABLE} as f "
            f"where f.as_of_date = ? order by {_row_order(names)}",
            [as_of],
        ).df()
    return FeatureFrame(*_keys(rows), features=rows[list(names)])


def read_labelled(warehouse: Path, dates: Sequence[date], horizon_days: int) -> LabelledFrame:
    """Read features and closed outcomes at the training dates.

    Args:
        warehouse: DuckDB file; opened read-only and closed before returning.
        dates: As-of dates; those whose outcome is still open give no row.
        horizon_days: Length of the outcome window.

    Raises:
        MlError: A table is not there, or has a feature that is not a number.
    """
    with _open(warehouse) as con:
        names = _feature_names(con, warehouse)
        rows = con.execute(
            f"select {_select_list(names)}, o.net_revenue_amount::double as {LABELS[0]}, "
            f"o.orders_count::double as {LABELS[1]} "
            f"from {FEATURES_TABLE} as f inner join {OUTCOMES_TABLE} as o "
            "on f.customer_id = o.customer_id and f.as_of_date = o.as_of_date "
            "where o.is_closed and o.horizon_days = ? and list_contains(?::date[], f.as_of_date) "
            f"order by {_row_order((*names, *LABELS))}",
            [horizon_days, list(dates)],
        ).df()
    return LabelledFrame(
        *_keys(rows),
        features=rows[list(names)],
        net_revenue=rows[LABELS[0]].to_numpy(dtype=float),
        orders=rows[LABELS[1]].to_numpy(dtype=float),
    )


def _open(warehouse: Path) -> duckdb.DuckDBPyConnection:
    if not warehouse.exists():
        raise MlError(
            "warehouse-missing",
            "warehouse",
            where=str(warehouse),
            why="the warehouse file does not exist",
            fix="build the features first",
        )
    return duckdb.connect(str(warehouse), read_only=True)


def _feature_names(con: duckdb.DuckDBPyConnection, warehouse: Path) -> tuple[str, ...]:
    """Every column but the keys is a feature, sorted by name."""
    try:
        columns = con.execute(f"describe {FEATURES_TABLE}").fetchall()
    except duckdb.CatalogException as error:
        raise MlError(
            "features-missing",
            FEATURES_TABLE,
            where=str(warehouse),
            why="the table does not exist",
            fix="build the features first",
        ) from error
    types = {name: kind for name, kind, *_ in columns if name not in KEY_COLUMNS}
    wrong = sorted(name for name, kind in types.items() if not kind.startswith(NUMERIC_TYPES))
    if wrong:
        raise MlError(
            "feature-not-a-number",
            FEATURES_TABLE,
            where=str(warehouse),
            why=f"a feature is a number or a boolean, these are not: {', '.join(wrong)}",
            fix="encode them as numbers in the features model, or leave them out",
        )
    return tuple(sorted(types))


def _select_list(names: Sequence[str]) -> str:
    features = ", ".join(
        f"round(f.{quoted(name)}::double, {FEATURE_DIGITS}) as {quoted(name)}" for name in names
    )
    return f"f.customer_id as customer_id, f.as_of_date as as_of_date, {features}"


def _row_order(names: Sequence[str]) -> str:
    """Order by what is known, since a customer id is drawn at random in each home.

    The id comes last: it only orders rows that no model and no metric can tell apart.
    """
    return ", ".join(
        ["as_of_date", *(f"{quoted(name)} nulls first" for name in names), "customer_id"]
    )


def _keys(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return (
        rows["customer_id"].to_numpy(dtype=object),
        rows["as_of_date"].to_numpy(dtype="datetime64[D]"),
    )
