"""Train a model of a question, hold it against the baselines, and register it.

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
from ml.backtest import by_decile, calibrate, measure, replay
from ml.drift import reference
from ml.errors import MlError
from ml.families import Estimator, fit, recipe, unlearnable
from ml.frames import FeatureFrame, LabelledFrame, read_features, read_labelled
from ml.record import run_record
from ml.splits import CutOff, cut_offs, dates_to_train, learnt, refusal, training_dates
from ml.tables import MODEL_CALIBRATION, MODEL_DECILES, MODEL_PERFORMANCE

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from ml.gate import Champion
    from ml.questions import Question

MIN_CUSTOMERS = 100

log = logging.getLogger("unicus.ml")


@dataclass(frozen=True)
class Trained:
    """A model fitted on the newest closed dates, with the backtest of how it is made.

    Attributes:
        question: What it answers.
        estimator: Fitted on `train_dates`.
        features: The first rows it was fitted on, for its signature.
        train_dates: As-of dates of the final fit.
        rows_count: Rows of the final fit.
        cut_offs: The tests of the past.
        predictions: As `ml.backtest.replay` returns them.
        performance: As `ml.backtest.measure` returns it.
        deciles: As `ml.backtest.by_decile` returns them.
        calibration: As `ml.backtest.calibrate` returns it.
    """

    question: Question
    estimator: Estimator
    features: pd.DataFrame
    train_dates: tuple[date, ...]
    rows_count: int
    cut_offs: tuple[CutOff, ...]
    predictions: pd.DataFrame
    performance: pd.DataFrame
    deciles: pd.DataFrame
    calibration: pd.DataFrame

    @property
    def recipe(self) -> str:
        """How it was made, whatever the data."""
        return recipe(self.question, tuple(self.features.columns))


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves behind; without one, only the reason.

    Attributes:
        promoted: Whether the new version is the champion now.
        reason: A sentence with its figures, or why nothing was trained.
        performance: Schema `ml.tables.MODEL_PERFORMANCE`, no row without a training.
        deciles: Schema `ml.tables.MODEL_DECILES`, no row without a training.
        calibration: Schema `ml.tables.MODEL_CALIBRATION`, no row without a training.
        model_version: Version in the registry, None without a training.
        mlflow_run_id: Run that made it, None without a training.
    """

    promoted: bool
    reason: str
    performance: pa.Table
    deciles: pa.Table
    calibration: pa.Table
    model_version: str | None = None
    mlflow_run_id: str | None = None


def train_and_register(
    *,
    question: Question,
    warehouse: Path,
    mlflow_folder: Path,
    first_day: date | None,
    as_of: date,
    snapshot_id: str,
    code_hash: str,
    dagster_run_id: str,
) -> TrainingResult:
    """Train on the closed dates, let the gate judge, register the version either way.

    Args:
        question: What is asked.
        warehouse: DuckDB file with features and outcomes, read-only.
        mlflow_folder: Folder of the tracking store, made if missing.
        first_day: Day of the first order known, None without any.
        as_of: Date of the run.
        snapshot_id: Snapshot of the lake the warehouse was built from.
        code_hash: Version of the code.
        dagster_run_id: Run that asked for it.

    Raises:
        MlError: The warehouse has no features or features that are not numbers.
    """
    reason = refusal(first_day, as_of, question.horizon_days)
    if reason or first_day is None:
        return _not_trained(reason or "no order is known")
    asked = dates_to_train(first_day, as_of, [question.horizon_days])
    frame = read_labelled(warehouse, asked, question.horizon_days)
    closed = training_dates(first_day, as_of, question.horizon_days)
    reason = too_little(frame.at(closed), question)
    if reason:
        return _not_trained(reason)
    trained = train(frame, read_features(warehouse, as_of), closed, question, first_day)
    champion = _rival(mlflow_folder, question, trained)
    verdict = gate.judge(
        trained.performance, trained.predictions, question, trained.recipe, champion
    )
    reason = "; ".join([verdict.reason, *trained.estimator.findings()])
    tags = {
        "snapshot": snapshot_id,
        "as_of": str(as_of),
        "code": code_hash,
        "dagster_run_id": dagster_run_id,
    }
    registered = tracking.register(
        mlflow_folder,
        run_record(trained, tags, reason),
        tracking.ModelRecord(
            name=question.name,
            estimator=trained.estimator,
            features=trained.features,
            description=reason,
            promoted=verdict.promoted,
            best_baseline=gate.best_served_baseline(trained.performance, question),
        ),
    )
    log.info("%s version %s %s", question.name, registered.version, reason)
    origin: dict[str, str | date] = {
        "model_version": registered.version,
        "mlflow_run_id": registered.run_id,
        "trained_at_snapshot": snapshot_id,
        "trained_as_of": as_of,
    }
    return TrainingResult(
        promoted=verdict.promoted,
        reason=reason,
        performance=_table(trained.performance.assign(**origin), MODEL_PERFORMANCE),
        deciles=_table(trained.deciles.assign(**origin), MODEL_DECILES),
        calibration=_table(trained.calibration.assign(**origin), MODEL_CALIBRATION),
        model_version=registered.version,
        mlflow_run_id=registered.run_id,
    )


def train(
    frame: LabelledFrame,
    today: FeatureFrame,
    closed: tuple[date, ...],
    question: Question,
    first_day: date,
) -> Trained:
    """Backtest at the cut-offs, then fit on the newest closed dates.

    Args:
        frame: Labelled rows, also of the dates that show the season of a cut-off.
        today: Customers at the date of the run.
        closed: The training dates; `too_little` has nothing to say about their rows.
        question: What is asked.
        first_day: Day of the first order known.
    """
    dates = tuple(day for day in closed if len(frame.at([day])))
    tests = cut_offs(dates, question.horizon_days)
    predictions = replay(frame, tests, question, first_day)
    last = frame.at(learnt(dates))
    estimator = fit(question, last, today.features)
    # The model remembers the customers it was made for, so that a later day can be held against them.
    estimator.reference_ = reference(  # type: ignore[attr-defined]
        today.features.assign(score=estimator.forecast(today.features).predicted)
    )
    log.info("trained %s on %d rows of %d dates", question.name, len(last), len(last.dates))
    return Trained(
        question=question,
        estimator=estimator,
        features=last.features.head(5),
        train_dates=last.dates,
        rows_count=len(last),
        cut_offs=tests,
        predictions=predictions,
        performance=measure(predictions, question),
        deciles=by_decile(predictions, question),
        calibration=calibrate(predictions, question),
    )


def _rival(folder: Path, question: Question, trained: Trained) -> Champion | None:
    """Read the champion if it can still score; one that cannot holds nobody up."""
    try:
        served = tracking.load_champion(folder, question.name)
    except MlError:
        return None
    if served is None or set(served.feature_names) != set(trained.features.columns):
        return None
    return tracking.read_champion(folder, question.name)


def too_little(frame: LabelledFrame, question: Question) -> str | None:
    """Say why these rows cannot carry a model, or None when they can."""
    customers = len(np.unique(frame.customer_ids.astype(str)))
    if customers < MIN_CUSTOMERS:
        return f"{customers} customers with a closed outcome, a model needs {MIN_CUSTOMERS}"
    tests = cut_offs(frame.dates, question.horizon_days)
    if not tests:
        return (
            "no training date has another one whose outcome closed "
            f"{question.horizon_days} days before it, so that no model can be tested"
        )
    fits = [*(test.train_dates for test in tests), learnt(frame.dates)]
    reasons = (unlearnable(question, frame.at(dates)) for dates in fits)
    return next((reason for reason in reasons if reason), None)


def _not_trained(reason: str) -> TrainingResult:
    log.info("not trained: %s", reason)
    return TrainingResult(
        promoted=False,
        reason=f"not trained: {reason}",
        performance=MODEL_PERFORMANCE.empty_table(),
        deciles=MODEL_DECILES.empty_table(),
        calibration=MODEL_CALIBRATION.empty_table(),
    )


def _table(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    if rows.empty:
        return schema.empty_table()
    rows = rows.assign(cutoff_date=rows["cutoff_date"].dt.date)
    arrays = [_array(rows[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: pd.Series, kind: pa.DataType) -> pa.Array:
    """A decimal is rounded on the way from a float; a missing figure becomes NULL."""
    if pa.types.is_decimal(kind):
        return pa.array(values.round(kind.scale)).cast(kind)
    return pa.array(values, type=kind, from_pandas=True)
