"""Which estimator answers a question, how it is fitted to a frame, and what makes its recipe.

Belongs here: the one place that knows every family. Does not belong here: dates, backtests, tracking.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ml.forecast import Forecast
    from ml.frames import LabelledFrame
    from ml.questions import Question

PREDICTORS = {"clv": "value_blend", "orders": "order_blend", "propensity": "probability_blend"}
# Changed by hand when the way a blend is put together changes.
BLEND_VERSION = 1


class Estimator(Protocol):
    """What all families share once they are fitted."""

    def forecast(self, features: pd.DataFrame) -> Forecast:
        """Answer for customers."""

    def findings(self) -> list[str]:
        """Say what was found beside the forecast, in a few words each."""


def predictor(question: Question) -> str:
    """Name the kind of model, as tables show it beside the baselines."""
    return PREDICTORS[question.family]


def fit(question: Question, frame: LabelledFrame, today: pd.DataFrame) -> Estimator:
    """Fit the family's estimator.

    Args:
        question: What is asked.
        frame: Rows of the training dates, for which `unlearnable` has nothing to say.
        today: Features of the customers of the date the forecast is made for.
    """
    answers, days = frame.answer(question), question.horizon_days
    if question.is_probability:
        from ml.propensity.model import OrderProbability

        return OrderProbability(days).fit(frame.features, answers)
    from ml.clv.model import CustomerValue

    value = CustomerValue(days, is_count=question.target == "orders")
    return value.fit(frame.features, answers, today=today, customers=_numbered(frame))


def unlearnable(question: Question, frame: LabelledFrame) -> str | None:
    """Say why these rows teach nothing, or None when they do."""
    answers, days = frame.answer(question), question.horizon_days
    if not (answers > 0).any():
        return f"nobody bought anything in the {days} days after some training dates"
    if question.is_probability and (answers > 0).all():
        return f"everybody ordered in the {days} days after some training dates"
    return None


def recipe(question: Question, feature_names: Sequence[str]) -> str:
    """Identify how a model is made, whatever the data: parts, parameters, features, horizon."""
    from ml.members import BOOSTING, MAX_ROWS, TREES

    parts = [question.name, BLEND_VERSION, BOOSTING, TREES, MAX_ROWS, list(feature_names)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def parameters(question: Question) -> dict[str, str]:
    """List the hyper-parameters of a family's parts, for whoever compares runs."""
    from ml.members import BOOSTING, TREES

    parts = {"boosting": BOOSTING, "trees": TREES}
    named = {
        f"{part}.{name}": str(value) for part, of in parts.items() for name, value in of.items()
    }
    return {"predictor": predictor(question), "blend_version": str(BLEND_VERSION), **named}


def _numbered(frame: LabelledFrame) -> np.ndarray:
    """Name customers by what was known of them first, as ids are drawn at random in each home."""
    from pandas.util import hash_pandas_object

    _, first, again = np.unique(
        frame.customer_ids.astype(str), return_index=True, return_inverse=True
    )
    known = hash_pandas_object(frame.features.iloc[first], index=False)
    return known.to_numpy()[again]
