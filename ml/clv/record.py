"""A training as the person who opens MLflow reads it.

Belongs here: names, params, metrics, tags and figures of a run, and the words of a version. Does
not belong here: MLflow itself (`ml.tracking`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ml.clv.backtest import forecasts
from ml.clv.model import PARAMETERS, PREDICTOR
from ml.plots import decile_figure, gain_figure
from ml.tracking import Metric, RunRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from ml.clv.train import Trained

NOTE = (
    "What will each known customer spend, net of returns, in the next {horizon_days} days? "
    "One run per training. `backtest/…` is the model at rolling cut-offs (the step is the cut-off "
    "as YYYYMMDD), `baseline/…` the forecasts it has to beat, `gain/…` the model minus a baseline "
    "with its 95 % interval. Amounts are in the reporting currency."
)


def run_record(trained: Trained, tags: Mapping[str, str], reason: str) -> RunRecord:
    """Describe a training and its backtest.

    Args:
        trained: The model with its backtest.
        tags: Where the run comes from: snapshot, as-of, code, Dagster run.
        reason: Why it was promoted or not.
    """
    newest = trained.cut_offs[-1].test_date
    return RunRecord(
        experiment=trained.model_name,
        note=NOTE.format(horizon_days=trained.horizon_days),
        name=f"{trained.model_name} {newest} {PREDICTOR}",
        description=reason,
        params=_params(trained),
        metrics=_metrics(trained.performance),
        tags={"recipe": trained.recipe, "predictor": PREDICTOR, **tags},
        figures=_figures(trained),
        tables={"backtest": trained.predictions},
    )


def _params(trained: Trained) -> dict[str, str]:
    return {
        **{name: str(value) for name, value in PARAMETERS.items()},
        "horizon_days": str(trained.horizon_days),
        "train_dates": " ".join(map(str, trained.train_dates)),
        "cut_offs": " ".join(str(cut_off.test_date) for cut_off in trained.cut_offs),
        "train_rows": str(trained.rows_count),
        "features_count": str(len(trained.features.columns)),
    }


def _metrics(performance: pd.DataFrame) -> list[Metric]:
    metrics = []
    for row in performance.to_dict("records"):
        step = int(f"{row['cutoff_date']:%Y%m%d}")
        folder = "backtest" if row["is_model"] else f"baseline/{row['predictor']}"
        named = {
            f"{folder}/ngini": row["ngini_rate"],
            f"{folder}/bias_rate": row["bias_rate"],
            f"{folder}/decile_error_rate": row["decile_error_rate"],
            f"gain/{row['predictor']}/ngini": row["ngini_gain_rate"],
            f"gain/{row['predictor']}/ngini_low": row["ngini_gain_low_rate"],
            f"gain/{row['predictor']}/ngini_high": row["ngini_gain_high_rate"],
        }
        metrics += [Metric(k, v, step) for k, v in named.items() if math.isfinite(v)]
    return metrics


def _figures(trained: Trained) -> dict[str, Figure]:
    newest = trained.predictions["cutoff_date"].max()
    rows = trained.predictions[trained.predictions["cutoff_date"] == newest]
    actual = rows["actual_amount"].to_numpy()
    window = f"{trained.horizon_days} days from {newest:%Y-%m-%d}"
    return {
        "plots/gain.png": gain_figure(f"Spend found, {window}", actual, forecasts(rows)),
        "plots/deciles.png": decile_figure(
            f"Forecast and actual, {window}", actual, forecasts(rows)
        ),
    }
