"""Train a customer value model, hold it against the baselines, and register it.

Belongs here: the order of these steps and what happens when there is too little data. Does not
belong here: when to train, and where the tables of the backtest are written (orchestration).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ml import gate, tracking
from ml.clv.backtest import by_decile, measure, replay
from ml.clv.model import fit, model_name, recipe_hash
from ml.clv.record import run_record
from ml.frames import LabelledFrame, read_labelled
from ml.splits import CutOff, cut_offs, refusal
from ml.tables import MODEL_DECILES, MODEL_PERFORMANCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingRegressor

MIN_CUSTOMERS = 100

log = logging.getLogger("unicus.ml")


@dataclass(frozen=True)
class Trained:
    """A model fitted on every closed date, with the backtest of how it is made.

    Attributes:
        model_name: The question, `clv_90d`.
        horizon_days: Days predicted.
        estimator: Fitted on `train_dates`.
        features: The first rows it was fitted on, for its signature.
        train_dates: As-of dates of the final fit.
        rows_count: Rows of the final fit.
        cut_offs: The tests of the past.
        predictions: As `ml.clv.backtest.replay` returns them.
        performance: As `ml.clv.backtest.measure` returns it.
        deciles: As `ml.clv.backtest.by_decile` returns them.
    """

    model_name: str
    horizon_days: int
    estimator: HistGradientBoostingRegressor
    features: pd.DataFrame
    train_dates: tuple[date, ...]
    rows_count: int
    cut_offs: tuple[CutOff, ...]
    predictions: pd.DataFrame
    performance: pd.DataFrame
    deciles: pd.DataFrame

    @property
    def recipe(self) -> str:
        """How it was made, whatever the data."""
        return recipe_hash(tuple(self.features.columns), self.horizon_days)


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves behind; without one, only the reason.

    Attributes:
        promoted: Whether the new version is the champion now.
        reason: A sentence with its figures, or why nothing was trained.
        performance: Schema `ml.tables.MODEL_PERFORMANCE`, no row without a training.
        deciles: Schema `ml.tables.MODEL_DECILES`, no row without a training.
        model_version: Version in the registry, None without a training.
        mlflow_run_id: Run that made it, None without a training.
    """

    promoted: bool
    reason: str
    performance: pa.Table
    deciles: pa.Table
    model_version: str | None = None
    mlflow_run_id: str | None = None


def train_and_register(
    *,
    warehouse: Path,
    mlflow_folder: Path,
    first_day: date | None,
    as_of: date,
    horizon_days: int,
    as_of_dates: Sequence[date],
    snapshot_id: str,
    code_hash: str,
    dagster_run_id: str,
) -> TrainingResult:
    """Train on the closed dates, let the gate judge, register the version either way.

    Args:
        warehouse: DuckDB file with features and outcomes, read-only.
        mlflow_folder: Folder of the tracking store, made if missing.
        first_day: Day of the first order known, None without any.
        as_of: Date of the run.
        horizon_days: Days to predict.
        as_of_dates: The training dates, from `ml.splits.training_dates`.
        snapshot_id: Snapshot of the lake the warehouse was built from.
        code_hash: Version of the code.
        dagster_run_id: Run that asked for it.

    Raises:
        MlError: The warehouse has no features or features that are not numbers.
    """
    reason = refusal(first_day, as_of, horizon_days)
    if reason:
        return _not_trained(reason)
    frame = read_labelled(warehouse, as_of_dates, horizon_days)
    reason = too_little(frame, horizon_days)
    if reason:
        return _not_trained(reason)
    trained = train(frame, horizon_days)
    champion = tracking.read_champion(mlflow_folder, trained.model_name)
    verdict = gate.judge(trained.performance, trained.predictions, trained.recipe, champion)
    tags = {
        "snapshot": snapshot_id,
        "as_of": str(as_of),
        "code": code_hash,
        "dagster_run_id": dagster_run_id,
    }
    registered = tracking.register(
        mlflow_folder,
        run_record(trained, tags, verdict.reason),
        tracking.ModelRecord(
            name=trained.model_name,
            estimator=trained.estimator,
            features=trained.features,
            description=verdict.reason,
            promoted=verdict.promoted,
            best_baseline=gate.best_baseline(trained.performance),
        ),
    )
    log.info("%s version %s %s", trained.model_name, registered.version, verdict.reason)
    origin: dict[str, str | date] = {
        "model_version": registered.version,
        "mlflow_run_id": registered.run_id,
        "trained_at_snapshot": snapshot_id,
        "trained_as_of": as_of,
    }
    return TrainingResult(
        promoted=verdict.promoted,
        reason=verdict.reason,
        performance=_table(trained.performance.assign(**origin), MODEL_PERFORMANCE),
        deciles=_table(trained.deciles.assign(**origin), MODEL_DECILES),
        model_version=registered.version,
        mlflow_run_id=registered.run_id,
    )


def train(frame: LabelledFrame, horizon_days: int) -> Trained:
    """Backtest at the cut-offs, then fit on every closed date.

    Args:
        frame: Labelled rows; `too_little` has nothing to say about it.
        horizon_days: Days to predict.
    """
    tests = cut_offs(frame.dates, horizon_days)
    predictions = replay(frame, tests, horizon_days)
    estimator = fit(frame)
    log.info("trained on %d rows of %d dates", len(frame), len(frame.dates))
    return Trained(
        model_name=model_name(horizon_days),
        horizon_days=horizon_days,
        estimator=estimator,
        features=frame.features.head(5),
        train_dates=frame.dates,
        rows_count=len(frame),
        cut_offs=tests,
        predictions=predictions,
        performance=measure(predictions, horizon_days),
        deciles=by_decile(predictions, horizon_days),
    )


def too_little(frame: LabelledFrame, horizon_days: int) -> str | None:
    """Say why these rows cannot carry a model, or None when they can."""
    customers = len(np.unique(frame.customer_ids.astype(str)))
    if customers < MIN_CUSTOMERS:
        return f"{customers} customers with a closed outcome, a model needs {MIN_CUSTOMERS}"
    tests = cut_offs(frame.dates, horizon_days)
    if not tests:
        return (
            f"no training date has another one whose outcome closed {horizon_days} days before "
            "it, so that no model can be tested"
        )
    if not (frame.at(tests[0].train_dates).net_revenue > 0).any():
        return f"nobody spent anything in the {horizon_days} days after the first training dates"
    return None


def _not_trained(reason: str) -> TrainingResult:
    log.info("not trained: %s", reason)
    return TrainingResult(
        promoted=False,
        reason=f"not trained: {reason}",
        performance=MODEL_PERFORMANCE.empty_table(),
        deciles=MODEL_DECILES.empty_table(),
    )


def _table(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    rows = rows.assign(cutoff_date=rows["cutoff_date"].dt.date)
    arrays = [_array(rows[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: pd.Series, kind: pa.DataType) -> pa.Array:
    """A decimal is rounded on the way from a float; a missing figure becomes NULL."""
    if pa.types.is_decimal(kind):
        return pa.array(values.round(kind.scale)).cast(kind)
    return pa.array(values, type=kind, from_pandas=True)
