"""The level of a window that has a season: the same window one year earlier says it.

Belongs here: how far actual totals of earlier years lay from what buyers' rhythms alone would have
given, and what follows for the total ahead. Does not belong here: who gets which share of it.

A model whose labels end before the season forecasts too little of it by a third or more, whichever
the library, as no feature says that Christmas is coming. Recalibrating on the newest closed window
makes it worse: that window ended before the season too. With less than a year and a half of history
the season is not known, and the run says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.btyd.bg_nbd import BetaGeoNBD
from ml.btyd.gamma_gamma import GammaGamma
from ml.errors import MlError
from ml.inputs import histories, spends
from ml.splits import YEAR_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ml.forecast import Forecast
    from ml.frames import LabelledFrame
    from ml.questions import Question


@dataclass(frozen=True)
class Season:
    """What earlier years say of a window.

    Attributes:
        ratio: Actual over rhythm, None when the season is not known.
        told: A few words for the run.
    """

    ratio: float | None
    told: str


UNKNOWN = Season(None, "season unknown, which takes a year and a half of history")
WHOLE_YEAR = Season(None, "a year holds every season")
# Fewer buyers say nothing of a season, and a larger step is no season but a gap or a mistake.
MIN_BUYERS = 50
LARGEST_STEP = 3.0


def season(years: Sequence[LabelledFrame], question: Question) -> Season:
    """Compare earlier years with the rhythm of their own customers at that day.

    Args:
        years: Customers at the same day of earlier years with what they did in the window.
        question: What is asked.
    """
    if question.horizon_days >= YEAR_DAYS:
        return WHOLE_YEAR
    logs = [np.log(ratio) for frame in years if (ratio := _ratio(frame, question)) is not None]
    if not logs:
        return UNKNOWN
    ratio = float(np.exp(_shrunk(np.array(logs))))
    count = f"{len(logs)} year{'s' if len(logs) > 1 else ''}"
    return Season(ratio, f"season {ratio:.2f} times the rhythm, from {count}")


def with_season(
    forecast: Forecast, known: Season, today: pd.DataFrame, question: Question
) -> tuple[Forecast, float | None]:
    """Bring the level of a known season into a forecast, and say by which factor.

    Args:
        forecast: Of the customers of `today`.
        known: As `season` gives it.
        today: Features of all customers at the as-of date.
        question: What is asked.
    """
    rhythm = None if known.ratio is None else _rhythm(today, question)
    total = float(forecast.predicted.sum())
    if rhythm is None or known.ratio is None or total <= 0:
        return forecast, None
    if question.is_probability:
        rate = float(np.clip(rhythm * known.ratio / len(today), 0.001, 0.999))
        return forecast.with_mean(rate), rate * len(today) / total
    factor = rhythm * known.ratio / total
    return forecast.times(factor), factor


def _ratio(frame: LabelledFrame, question: Question) -> float | None:
    """How many times the rhythm came; None where it cannot be a season."""
    answers = frame.answer(question)
    rhythm, actual = _rhythm(frame.features, question), float(answers.sum())
    if not rhythm or (answers > 0).sum() < MIN_BUYERS:
        return None
    ratio = actual / rhythm
    return ratio if 1 / LARGEST_STEP <= ratio <= LARGEST_STEP else None


def _rhythm(features: pd.DataFrame, question: Question) -> float | None:
    """Total to expect if everybody goes on as before; None when there is no rhythm to learn."""
    days = question.horizon_days
    seen = histories(features)
    try:
        orders = BetaGeoNBD().fit(seen)
        if question.is_probability:
            return float(orders.predict_any_order(seen, days).sum())
        expected = orders.predict_orders(seen, days)
        if question.target == "orders":
            return float(expected.sum())
        paid = spends(features)
        return float((expected * GammaGamma().fit(paid).predict(paid)).sum())
    except MlError:
        return None


def _shrunk(logs: np.ndarray) -> float:
    """The median over years, drawn to no season the more the less the years agree.

    One year is taken as it is. The weight is the classical one of an empirical Bayes estimate of a
    mean: its square over its square plus its variance.
    """
    middle = float(np.median(logs))
    if len(logs) < 2 or middle == 0:
        return middle
    variance = float(logs.var(ddof=1)) / len(logs)
    return middle * middle**2 / (middle**2 + variance)
