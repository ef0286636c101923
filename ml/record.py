"""A training as the person who opens MLflow reads it.

Belongs here: names, params, metrics, tags and figures of a run, and the words of a version. Does
not belong here: MLflow itself (`ml.tracking`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ml.backtest import ATTRIBUTES, EVERYBODY, forecasts
from ml.families import parameters, predictor
from ml.plots import calibration_figure, coverage_figure, decile_figure, gain_figure
from ml.tracking import Metric, RunRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from ml.train import Trained

ASKED = {
    "net_revenue": "What will each known customer spend, net of returns, in the next {days} days?",
    "orders": "How many orders will each known customer place in the next {days} days?",
    "any_order": "How likely is each known customer to order in the next {days} days?",
}
NOTE = (
    "{asked} One run per training. `backtest/…` is the model at rolling cut-offs (the step is the "
    "cut-off as YYYYMMDD), `baseline/…` the forecasts it has to beat, `gain/…` the model minus a "
    "baseline with its 95 % interval. Amounts are in the reporting currency."
)
FIGURES = ("ngini", "bias_ratio", "decile_error", "auc", "logloss", "calibration_error")
GAINS = ("ngini_gain", "decile_error_gain", "logloss_gain")
UNITS = {
    "net_revenue": "net revenue (reporting currency)",
    "orders": "orders",
    "any_order": "customers with an order",
}


def run_record(trained: Trained, tags: Mapping[str, str], reason: str) -> RunRecord:
    """Describe a training and its backtest.

    Args:
        trained: The model with its backtest.
        tags: Where the run comes from: snapshot, as-of, code, Dagster run.
        reason: Why it was promoted or not.
    """
    question, newest = trained.question, trained.cut_offs[-1].test_date
    name = predictor(question)
    asked = ASKED[question.target].format(days=question.horizon_days)
    return RunRecord(
        experiment=question.name,
        note=NOTE.format(asked=asked),
        name=f"{question.name} {newest} {name}",
        description=reason,
        params=_params(trained),
        metrics=_metrics(trained.performance),
        tags={"recipe": trained.recipe, "predictor": name, **tags},
        figures=_figures(trained),
        tables={"backtest": trained.predictions.drop(columns=list(ATTRIBUTES))},
    )


def _params(trained: Trained) -> dict[str, str]:
    return {
        **parameters(trained.question),
        "horizon_days": str(trained.question.horizon_days),
        "train_dates": " ".join(map(str, trained.train_dates)),
        "cut_offs": " ".join(str(cut_off.test_date) for cut_off in trained.cut_offs),
        "train_rows": str(trained.rows_count),
        "features_count": str(len(trained.features.columns)),
    }


def _metrics(performance: pd.DataFrame) -> list[Metric]:
    metrics = []
    for row in performance[performance["segment"] == EVERYBODY].to_dict("records"):
        step = int(f"{row['cutoff_date']:%Y%m%d}")
        folder = "backtest" if row["is_model"] else f"baseline/{row['predictor']}"
        named = {f"{folder}/{figure}": row[figure] for figure in FIGURES}
        if not row["is_model"]:
            named |= {
                f"gain/{row['predictor']}/{gain}{bound}": row.get(f"{gain}{bound}", math.nan)
                for gain in GAINS
                for bound in ("", "_low", "_high")
            }
        metrics += [Metric(k, v, step) for k, v in named.items() if math.isfinite(v)]
    return metrics


def _figures(trained: Trained) -> dict[str, Figure]:
    question, newest = trained.question, trained.predictions["cutoff_date"].max()
    rows = trained.predictions[trained.predictions["cutoff_date"] == newest]
    actual, told = rows["actual"].to_numpy(), forecasts(rows, question)
    window, unit = f"{question.horizon_days} days from {newest:%Y-%m-%d}", UNITS[question.target]
    drawn = {
        "plots/gain.png": gain_figure(f"What is found, {window}", actual, told, unit),
        "plots/deciles.png": decile_figure(f"Forecast and actual, {window}", actual, told, unit),
    }
    by_decile = trained.calibration
    if by_decile.empty:
        return drawn
    by_decile = by_decile[by_decile["cutoff_date"] == newest]
    drawn["plots/calibration.png"] = calibration_figure(
        f"Probability and share, {window}", by_decile
    )
    if not question.is_probability:
        drawn["plots/coverage.png"] = coverage_figure(f"80 % intervals, {window}", by_decile)
    return drawn
