"""The past replayed: what the model and the baselines would have said, and how right they were.

Belongs here: predictions at each cut-off and the two tables made of them. Does not belong here: the
final fit and its registration (`ml.clv.train`), the metrics themselves.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml.baselines import BASELINES
from ml.clv.model import PREDICTOR, fit, model_name, predict
from ml.evaluation import (
    DECILES,
    bias_rate,
    decile_error_rate,
    decile_totals,
    ngini,
    paired_gain,
    weighted_decile_error,
    weighted_ngini,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml.frames import LabelledFrame
    from ml.splits import CutOff

MODEL_COLUMN = "predicted_amount"

log = logging.getLogger("unicus.ml")


def replay(frame: LabelledFrame, cut_offs: Sequence[CutOff], horizon_days: int) -> pd.DataFrame:
    """Predict each cut-off from what could be learnt before it.

    Returns:
        One row per cut-off and customer: `cutoff_date`, `customer_id`, `actual_amount`,
        `predicted_amount` by the model, and one column per baseline.
    """
    parts = []
    for cut_off in cut_offs:
        tested = frame.at([cut_off.test_date])
        estimator = fit(frame.at(cut_off.train_dates))
        parts.append(
            pd.DataFrame(
                {
                    "cutoff_date": tested.as_of_dates.astype("datetime64[s]"),
                    "customer_id": tested.customer_ids,
                    "actual_amount": tested.net_revenue,
                    MODEL_COLUMN: predict(estimator, tested.features),
                    **{
                        name: rule(tested.features, horizon_days)
                        for name, rule in BASELINES.items()
                    },
                }
            )
        )
        log.info("backtest at %s: %d customers", cut_off.test_date, len(tested))
    return pd.concat(parts, ignore_index=True)


def measure(predictions: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Compare the model with each baseline at each cut-off.

    Args:
        predictions: As `replay` returns them.
        horizon_days: Length of the window predicted.

    Returns:
        Columns of `ml.tables.MODEL_PERFORMANCE` up to the gains; a gain is the model's figure
        minus the baseline's, so a good one is positive for ngini and negative for decile error.
    """
    rows = [
        keys | _figures(rows_at, predictor)
        for keys, predictor, rows_at in _tests(predictions, horizon_days)
    ]
    return pd.DataFrame(rows)


def by_decile(predictions: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Split each row of `measure` into tenths of its customers, the highest forecasts first.

    Args:
        predictions: As `replay` returns them.
        horizon_days: Length of the window predicted.

    Returns:
        Columns of `ml.tables.MODEL_DECILES` up to the amounts, which are whole cents and add up to
        those of `measure`, rounded to the cent.
    """
    parts = [
        pd.DataFrame(keys | _tenths(rows_at, predictor))
        for keys, predictor, rows_at in _tests(predictions, horizon_days)
    ]
    return pd.concat(parts, ignore_index=True)


def forecasts(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Give the forecasts of one cut-off by predictor, the model first."""
    return {
        predictor: predictions[_column(predictor)].to_numpy()
        for predictor in (PREDICTOR, *BASELINES)
    }


def _tests(
    predictions: pd.DataFrame, horizon_days: int
) -> Iterator[tuple[dict[str, object], str, pd.DataFrame]]:
    """Each cut-off with each predictor: what its rows begin with, and what was predicted."""
    for cutoff_date, rows_at in predictions.groupby("cutoff_date", sort=True):
        for predictor in (PREDICTOR, *BASELINES):
            keys = {
                "model_name": model_name(horizon_days),
                "horizon_days": horizon_days,
                "cutoff_date": cutoff_date,
                "predictor": predictor,
                "is_model": predictor == PREDICTOR,
            }
            yield keys, predictor, rows_at


def _tenths(predictions: pd.DataFrame, predictor: str) -> dict[str, object]:
    actual = predictions["actual_amount"].to_numpy()
    predicted = predictions[_column(predictor)].to_numpy()
    forecast_totals, actual_totals = decile_totals(actual, predicted)
    return {
        "decile": np.arange(1, DECILES + 1),
        "customers_count": len(actual) / DECILES,
        "predicted_amount": _cents(forecast_totals, predicted.sum()),
        "actual_amount": _cents(actual_totals, actual.sum()),
    }


def _cents(parts: np.ndarray, total: float) -> np.ndarray:
    """Round the running sum, not each part, so that the parts add up to the rounded total."""
    ends = np.append(parts[:-1].cumsum(), total).round(2)
    return np.diff(ends, prepend=0.0).round(2)


def _figures(predictions: pd.DataFrame, predictor: str) -> dict[str, object]:
    actual = predictions["actual_amount"].to_numpy()
    predicted = predictions[_column(predictor)].to_numpy()
    model = predictions[MODEL_COLUMN].to_numpy()
    return {
        "customers_count": len(actual),
        "predicted_amount": predicted.sum(),
        "actual_amount": actual.sum(),
        "ngini_rate": ngini(actual, predicted),
        "bias_rate": bias_rate(actual, predicted),
        "decile_error_rate": decile_error_rate(actual, predicted),
        **({} if predictor == PREDICTOR else _gains(actual, model, predicted)),
    }


def _gains(actual: np.ndarray, model: np.ndarray, baseline: np.ndarray) -> dict[str, float]:
    ranking = paired_gain(weighted_ngini, actual, model, baseline)
    level = paired_gain(weighted_decile_error, actual, model, baseline)
    return {
        f"{name}_gain{bound}_rate": value
        for name, gain in {"ngini": ranking, "decile_error": level}.items()
        for bound, value in {"": gain.value, "_low": gain.low, "_high": gain.high}.items()
    }


def _column(predictor: str) -> str:
    return MODEL_COLUMN if predictor == PREDICTOR else predictor
