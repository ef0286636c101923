"""The estimator of customer value and what makes its recipe.

Belongs here: hyper-parameters, how the target is prepared, the recipe hash. Does not belong here:
dates, backtests, tracking.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ml.frames import LabelledFrame

PREDICTOR = "hist_gradient_boosting"
# Poisson on raw spend keeps the level right; squared or absolute error on a zero-heavy target
# does not. Early stopping would hold back a random tenth of the rows, which may be whole customers
# of one date, so it stays off.
PARAMETERS: dict[str, object] = {
    "loss": "poisson",
    "max_iter": 150,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "early_stopping": False,
    "random_state": 0,
}


def model_name(horizon_days: int) -> str:
    """Name the question in the registry, `clv_90d` for a horizon of 90 days."""
    return f"clv_{horizon_days}d"


def fit(frame: LabelledFrame) -> HistGradientBoostingRegressor:
    """Learn the net revenue of the next window.

    A window with more returns than sales counts as no spend, since the loss needs a target of at
    least zero.

    Args:
        frame: Rows of every training date; at least one customer spent something.
    """
    spend = np.clip(frame.net_revenue, 0.0, None)
    return HistGradientBoostingRegressor(**PARAMETERS).fit(frame.features, spend)


def predict(estimator: HistGradientBoostingRegressor, features: pd.DataFrame) -> np.ndarray:
    """Forecast net revenue per customer, shape (n,), in the currency of the features."""
    return np.asarray(estimator.predict(features), dtype=float)


def recipe_hash(feature_names: Sequence[str], horizon_days: int) -> str:
    """Identify how a model is made, whatever the data: estimator, parameters, inputs, horizon."""
    recipe = [PREDICTOR, PARAMETERS, list(feature_names), horizon_days]
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
