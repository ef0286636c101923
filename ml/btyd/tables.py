"""What the models are given: one row per customer, checked at the door.

Belongs here: the columns, the rules a row must hold, and the merging of equal rows, which makes a
fit fast and independent of the order of its rows. Does not belong here: any parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.errors import MlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

HISTORY_COLUMNS = ("frequency", "recency", "age")
SPEND_COLUMNS = ("orders", "mean_order_value")


def read_histories(histories: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Take when customers ordered, shape (n, 3), and refuse what cannot have happened.

    Args:
        histories: Columns `frequency` (orders after the first one), `recency` (time from the first
            to the last order, 0 with one order) and `age` (time from the first order until now);
            as an array in that order.

    Raises:
        MlError: A row is not a history.
    """
    table = _columns(histories, HISTORY_COLUMNS)
    frequency, recency, age = table.T
    if not np.isfinite(table).all():
        raise unusable("histories", "a history has three numbers, and some are missing")
    if (frequency < 0).any() or (frequency != np.floor(frequency)).any():
        raise unusable("histories", "frequency counts orders, and some are no whole number")
    if (recency < 0).any() or (recency > age).any():
        raise unusable("histories", "recency lies between 0 and age, and some do not")
    if (recency[frequency == 0] > 0).any():
        raise unusable("histories", "recency is 0 for a customer of one order, and some are not")
    return table


def read_spends(spends: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Take what customers paid, shape (n, 2), and refuse counts that are none.

    Args:
        spends: Columns `orders` (the first included) and `mean_order_value` (money; may be missing
            where there is no order); as an array in that order.

    Raises:
        MlError: A row is not a spend.
    """
    table = _columns(spends, SPEND_COLUMNS)
    orders, value = table.T
    if not np.isfinite(orders).all() or (orders < 0).any() or (orders != np.floor(orders)).any():
        raise unusable("spends", "orders is a whole number of at least 0, and some are not")
    if not np.isfinite(value[orders > 0]).all():
        raise unusable("spends", "an order has a value, and some are missing")
    return table


def read_weights(sample_weight: Sequence[float] | np.ndarray | None, rows: int) -> np.ndarray:
    """Take how many customers each row stands for, one where nothing is said, shape (n,).

    Raises:
        MlError: There is no row, or the weights do not fit the rows or are not above 0.
    """
    if not rows:
        raise unusable("customers", "there is no customer to learn from")
    weights = np.ones(rows) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    if weights.shape != (rows,) or not (np.isfinite(weights) & (weights > 0)).all():
        raise unusable("customers", "a weight above 0 belongs to each row, and some are missing")
    return weights


def merge_equal(table: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge equal rows and add up their weights, so that the order of the rows no longer matters."""
    order = np.lexsort(table.T)
    table = table[order]
    starts = np.flatnonzero(np.append(True, (table[1:] != table[:-1]).any(axis=1)))
    return table[starts], np.add.reduceat(weights[order], starts)


def unusable(what: str, why: str) -> MlError:
    """Say why a model cannot use what it was given."""
    return MlError(
        "unusable-purchases",
        what,
        where="ml.btyd",
        why=why,
        fix="count orders per customer before the as-of date, with one row per customer",
    )


def _columns(table: pd.DataFrame | np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    if hasattr(table, "columns"):
        missing = [name for name in names if name not in table.columns]
        if missing:
            raise unusable("customers", f"these columns are missing: {', '.join(missing)}")
        table = table[list(names)]
    values = np.asarray(table, dtype=float)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise unusable("customers", f"a row has the columns {', '.join(names)}")
    return values
