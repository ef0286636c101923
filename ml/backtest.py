"""The past replayed: what the model and the baselines would have said, and how right they were.

Belongs here: predictions at each cut-off and the tables made of them. Does not belong here: the
final fit and its registration (`ml.train`), the metrics themselves (`ml.evaluation`).
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ml.baselines import BASELINES, baselines_for, forecast
from ml.evaluation import DECILES, coverage_by_decile, decile_totals, figures, gains
from ml.families import fit, predictor
from ml.season import season, with_season
from ml.splits import season_dates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from ml.frames import LabelledFrame
    from ml.questions import Question
    from ml.splits import CutOff

EVERYBODY = "all"
FIRST_ORDER = "first_order"
# By what customers had spent: the top tenth, the next four, the other half.
TIERS = {"top_tenth": (0.9, 1.0), "next_four_tenths": (0.5, 0.9), "other_half": (0.0, 0.5)}
SEGMENT_CUSTOMERS = 30
# What the segments are made of; not kept with the predictions.
ATTRIBUTES = ("orders_count", "net_revenue_amount")

log = logging.getLogger("unicus.ml")


def replay(
    frame: LabelledFrame, cut_offs: Sequence[CutOff], question: Question, first_day: date
) -> pd.DataFrame:
    """Predict each cut-off from what could be learnt before it, the season included.

    Args:
        frame: Rows of the training dates and of the season dates of each cut-off.
        cut_offs: Tests of the past.
        question: What is asked.
        first_day: Day of the first order known.

    Returns:
        One row per cut-off and customer: `cutoff_date`, `customer_id`, `actual`, the fields of the
        model's `Forecast`, `season_factor`, one column per baseline, and what the customer was like.
    """
    parts = []
    for cut_off in cut_offs:
        tested, learnt = frame.at([cut_off.test_date]), frame.at(cut_off.train_dates)
        earlier = season_dates(first_day, cut_off.test_date, question.horizon_days)
        years = [year for day in earlier if len(year := frame.at([day]))]
        told, factor = with_season(
            fit(question, learnt, tested.features).forecast(tested.features),
            season(years, question),
            tested.features,
            question,
        )
        parts.append(
            pd.DataFrame(
                {
                    "cutoff_date": tested.as_of_dates.astype("datetime64[s]"),
                    "customer_id": tested.customer_ids,
                    "actual": tested.answer(question),
                    **asdict(told),
                    "season_factor": np.nan if factor is None else factor,
                    **{name: tested.features[name] for name in ATTRIBUTES},
                    **_baselines(tested, learnt, question),
                }
            )
        )
        log.info("backtest of %s at %s", question.name, cut_off.test_date)
    return pd.concat(parts, ignore_index=True)


def measure(predictions: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Compare the model with each baseline at each cut-off, for everybody and apart.

    Args:
        predictions: As `replay` returns them.
        question: What is asked.

    Returns:
        Columns of `ml.tables.MODEL_PERFORMANCE` up to the gains; a gain is the model's figure minus
        the baseline's, so a good one is positive for ngini and negative for an error. Gains are
        those of everybody: a part of the customers is too few for a paired interval.
    """
    rows = []
    for keys, column, rows_at in _tests(predictions, question):
        for segment, kept in _segments(rows_at).items():
            row = keys | {"segment": segment} | _figures(rows_at[kept], column, question)
            if segment == EVERYBODY and not keys["is_model"]:
                compared = (rows_at[name].to_numpy() for name in ("actual", "predicted", column))
                row |= gains(question.is_probability, *compared)
            rows.append(row)
    return pd.DataFrame(rows)


def by_decile(predictions: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Split the customers of each test into tenths, the highest forecasts first.

    Args:
        predictions: As `replay` returns them.
        question: What is asked.

    Returns:
        Columns of `ml.tables.MODEL_DECILES` up to the totals, which have two decimals and add up to
        those of `measure`.
    """
    parts = [
        pd.DataFrame(keys | _tenths(rows_at, column))
        for keys, column, rows_at in _tests(predictions, question)
    ]
    return pd.concat(parts, ignore_index=True)


def calibrate(predictions: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Hold the model's probabilities and intervals against what came, by tenth of probability.

    Args:
        predictions: As `replay` returns them.
        question: What is asked; one without a probability has no row.

    Returns:
        Columns of `ml.tables.MODEL_CALIBRATION` up to the mean width.
    """
    parts = []
    for cutoff_date, rows_at in predictions.groupby("cutoff_date", sort=True):
        if rows_at["any_order_probability"].isna().all():
            continue
        bounds = ("low", "high", "if_any_low", "if_any_high")
        table = coverage_by_decile(
            rows_at["any_order_probability"].to_numpy(),
            rows_at["actual"].clip(lower=0).to_numpy(),
            *(None if question.is_probability else rows_at[name].to_numpy() for name in bounds),
        )
        for place, (name, value) in enumerate(_keys(question, cutoff_date).items()):
            table.insert(place, name, value)
        parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def forecasts(predictions: pd.DataFrame, question: Question) -> dict[str, np.ndarray]:
    """Give the forecasts of one cut-off by predictor, the model first."""
    return {
        name: predictions[column].to_numpy() for name, column in _columns(predictions, question)
    }


def _baselines(
    tested: LabelledFrame, learnt: LabelledFrame, question: Question
) -> dict[str, np.ndarray]:
    return {
        baseline.name: forecast(
            baseline, learnt.features, learnt.answer(question), tested.features, question
        )
        for baseline in baselines_for(question, tested.features)
    }


def _columns(predictions: pd.DataFrame, question: Question) -> list[tuple[str, str]]:
    """Each predictor with its column; a baseline that a cut-off could not have is left out there."""
    known = set(predictions.columns[predictions.notna().any()])
    names = [one.name for one in BASELINES[question.target] if one.name in known]
    return [(predictor(question), "predicted"), *((name, name) for name in names)]


def _keys(question: Question, cutoff_date: Any) -> dict[str, Any]:
    return {
        "model_name": question.name,
        "target": question.target,
        "horizon_days": question.horizon_days,
        "cutoff_date": cutoff_date,
    }


def _tests(
    predictions: pd.DataFrame, question: Question
) -> Iterator[tuple[dict[str, Any], str, pd.DataFrame]]:
    """Each cut-off with each predictor: what its rows begin with, and what was predicted."""
    for cutoff_date, rows_at in predictions.groupby("cutoff_date", sort=True):
        for name, column in _columns(rows_at, question):
            keys = {"predictor": name, "is_model": column == "predicted"}
            yield _keys(question, cutoff_date) | keys, column, rows_at


def _segments(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Everybody first, then the parts that have enough customers to say something of."""
    rank = rows["net_revenue_amount"].rank(method="first", pct=True).to_numpy()
    parts = {FIRST_ORDER: (rows["orders_count"] == 1).to_numpy()}
    parts |= {name: (low < rank) & (rank <= high) for name, (low, high) in TIERS.items()}
    large = {name: kept for name, kept in parts.items() if kept.sum() >= SEGMENT_CUSTOMERS}
    return {EVERYBODY: np.ones(len(rows), dtype=bool), **large}


def _figures(rows: pd.DataFrame, column: str, question: Question) -> dict[str, object]:
    actual, predicted = rows["actual"].to_numpy(), rows[column].to_numpy()
    return {
        "customers_count": len(rows),
        "predicted_total": predicted.sum(),
        "actual_total": actual.sum(),
        "season_factor": rows["season_factor"].iloc[0] if column == "predicted" else np.nan,
        **figures(question.is_probability, actual, predicted),
    }


def _tenths(predictions: pd.DataFrame, column: str) -> dict[str, object]:
    actual, predicted = predictions["actual"].to_numpy(), predictions[column].to_numpy()
    forecast_totals, actual_totals = decile_totals(actual, predicted)
    return {
        "decile": np.arange(1, DECILES + 1),
        "customers_count": len(actual) / DECILES,
        "predicted_total": _rounded(forecast_totals, predicted.sum()),
        "actual_total": _rounded(actual_totals, actual.sum()),
    }


def _rounded(parts: np.ndarray, total: float) -> np.ndarray:
    """Round the running sum, not each part, so that the parts add up to the rounded total."""
    ends = np.append(parts[:-1].cumsum(), total).round(2)
    return np.diff(ends, prepend=0.0).round(2)
