"""The parts that the blends of all families are made of.

Belongs here: hyper-parameters, and how rows and columns are prepared for trees. Does not belong here:
how parts are blended (a folder per family). Nothing here was tuned on a test window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 50_000
# Early stopping would hold back a random tenth of the rows, which may be whole customers of one
# date, so it stays off.
BOOSTING: dict[str, Any] = {
    "max_iter": 50,
    "learning_rate": 0.15,
    "max_leaf_nodes": 8,
    "early_stopping": False,
    "random_state": 0,
}
TREES: dict[str, Any] = {
    "n_estimators": 30,
    "max_depth": 12,
    "min_samples_leaf": 20,
    "max_features": 0.3,
    "random_state": 0,
    "n_jobs": 1,
}
# Below every feature: a tree tells a missing value from all others in one cut.
MISSING = -1e6


def chosen(count: int) -> np.ndarray:
    """Choose at most `MAX_ROWS` rows, the same ones each time, in their order."""
    if count <= MAX_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, MAX_ROWS, replace=False))


def known_columns(table: pd.DataFrame) -> list[str]:
    """Name the columns that have a value at all."""
    return [str(name) for name in table.columns[table.notna().any()]]


def splittable(table: pd.DataFrame) -> pd.DataFrame:
    """Put zero in columns that are missing for everybody, which boosting refuses to bin."""
    return table.fillna(dict.fromkeys(table.columns[table.isna().all()], 0.0))


def filled(table: pd.DataFrame) -> np.ndarray:
    """Put `MISSING` where nothing is known, for trees that take no missing value."""
    return table.fillna(MISSING).to_numpy(dtype=np.float32)
