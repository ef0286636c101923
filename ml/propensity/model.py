"""The estimator of whether customers will order.

Belongs here: the blend. Does not belong here: dates, backtests, tracking, season.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.forecast import Forecast, probabilities
from ml.inputs import inputs
from ml.members import BOOSTING, TREES, chosen, filled, known_columns

if TYPE_CHECKING:
    import pandas as pd


class OrderProbability(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The mean of three probabilities: logistic regression, boosting, extremely randomised trees.

    They err in different ways, and their mean is calibrated without a window held back for it.

    Attributes:
        inputs_: Names of the features used.
        classes_: False and True.
        line_, boosting_, trees_: The members; the line sees signed logarithms.
    """

    def __init__(self, horizon_days: int = 90) -> None:
        self.horizon_days = horizon_days

    def fit(self, features: pd.DataFrame, ordered: np.ndarray) -> Self:
        """Learn from closed windows.

        Args:
            features: Rows of the training dates, shape (n, features).
            ordered: Whether there was an order, shape (n,), with some of both.
        """
        rows = chosen(len(features))
        table = inputs(features.iloc[rows])
        self.inputs_ = known_columns(table)
        table, ordered = table[self.inputs_], np.asarray(ordered)[rows] > 0
        self.classes_ = np.array([False, True])
        self.line_ = make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000)
        ).fit(_signed_log(table), ordered)
        self.boosting_ = HistGradientBoostingClassifier(**BOOSTING).fit(table, ordered)
        self.trees_ = ExtraTreesClassifier(**TREES).fit(filled(table), ordered)
        return self

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        """Give the probability of no order and of one, shape (n, 2)."""
        table = inputs(features)[self.inputs_]
        parts = (
            self.line_.predict_proba(_signed_log(table)),
            self.boosting_.predict_proba(table),
            self.trees_.predict_proba(filled(table)),
        )
        mean: np.ndarray = np.mean(parts, axis=0)
        return mean

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Say who orders rather than not, shape (n,)."""
        likely: np.ndarray = self.predict_proba(features)[:, 1] > 0.5
        return likely

    def forecast(self, features: pd.DataFrame) -> Forecast:
        """Give the probability of an order of each customer.

        Args:
            features: As for `fit`.
        """
        return probabilities(self.predict_proba(features)[:, 1])

    def findings(self) -> list[str]:
        """Say what was found beside the forecast: nothing."""
        return []


def _signed_log(table: pd.DataFrame) -> np.ndarray:
    """Shrink long tails on both sides of zero, for a model that is a straight line in its inputs."""
    values = table.to_numpy(dtype=float)
    shrunk: np.ndarray = np.sign(values) * np.log1p(np.abs(values))
    return shrunk
