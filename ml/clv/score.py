"""Score customers with the champion, or with a baseline that says it is one.

Belongs here: which predictor speaks, the guard that keeps absurd scores from being served, the
scores' table. Does not belong here: keeping the last scores when the guard refuses (the caller has
them, and marks them stale).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ml import tracking
from ml.baselines import BASELINES, DEFAULT_BASELINE
from ml.clv.model import model_name, predict
from ml.errors import MlError
from ml.frames import FeatureFrame, read_features
from ml.tables import AMOUNT, VALUE_SCORES

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

# A champion whose total is five times the baseline's, or a fifth of it, has met other data than
# it was trained on: a unit that changed, a source that stopped.
TOTAL_FACTOR = 5.0
BASELINE_VERSION = "baseline"

log = logging.getLogger("unicus.ml")


@dataclass(frozen=True)
class ScoreResult:
    """Scores to serve, or the reason why the last ones should be kept.

    Attributes:
        scores: Schema `ml.tables.VALUE_SCORES`, one row per customer; None when refused.
        reason: Which predictor speaks and why, or why the champion's scores are refused.
    """

    scores: pa.Table | None
    reason: str


@dataclass(frozen=True)
class _Question:
    """What every row of one scoring has in common."""

    as_of: date
    horizon_days: int
    snapshot_id: str

    @property
    def model_name(self) -> str:
        return model_name(self.horizon_days)


@dataclass(frozen=True)
class _Speaker:
    """Who a score comes from."""

    predictor: str
    version: str
    run_id: str | None


def score(
    *, warehouse: Path, mlflow_folder: Path, as_of: date, horizon_days: int, snapshot_id: str
) -> ScoreResult:
    """Score every customer known before `as_of` with the champion, or without one a baseline.

    A champion trained after `as_of` has seen what is invisible there, and counts as none.

    Args:
        warehouse: DuckDB file with the features, read-only.
        mlflow_folder: Folder of the tracking store; need not exist.
        as_of: Date of the run.
        horizon_days: Days to predict.
        snapshot_id: Snapshot of the lake the warehouse was built from.

    Raises:
        MlError: The warehouse has no features or features that are not numbers.
    """
    frame = read_features(warehouse, as_of)
    question = _Question(as_of, horizon_days, snapshot_id)
    try:
        champion = tracking.load_champion(mlflow_folder, question.model_name)
    except MlError as error:
        return _refused(error.why)
    if champion is None or champion.as_of > as_of:
        return _baseline_scores(frame, mlflow_folder, question)
    return _champion_scores(frame, champion, question)


def score_with_baseline(
    *, warehouse: Path, mlflow_folder: Path, as_of: date, horizon_days: int, snapshot_id: str
) -> ScoreResult:
    """Score with the best baseline, for when a champion is refused and no scores were kept.

    Arguments and errors are those of `score`.
    """
    frame = read_features(warehouse, as_of)
    question = _Question(as_of, horizon_days, snapshot_id)
    return _baseline_scores(frame, mlflow_folder, question)


def guard(predicted: np.ndarray, baseline: np.ndarray) -> str | None:
    """Say why scores must not be served, or None when they may.

    Args:
        predicted: The champion's scores, shape (n,).
        baseline: A baseline's scores of the same customers, shape (n,).
    """
    if not len(predicted):
        return None
    if not np.isfinite(predicted).all():
        return f"{np.count_nonzero(~np.isfinite(predicted))} scores are not numbers"
    if (predicted < 0).any():
        return f"{np.count_nonzero(predicted < 0)} scores are negative"
    if np.ptp(predicted) == 0 < np.ptp(baseline):
        return f"all {len(predicted)} scores are equal, while the customers are not"
    total, expected = predicted.sum(), baseline.sum()
    if not expected / TOTAL_FACTOR <= total <= expected * TOTAL_FACTOR:
        return (
            f"the total of {total:.2f} is outside a fifth to five times the {expected:.2f} "
            f"of {DEFAULT_BASELINE}"
        )
    return None


def _champion_scores(
    frame: FeatureFrame, champion: tracking.LoadedModel, question: _Question
) -> ScoreResult:
    reason = _unlike_training(champion.feature_names, frame)
    if reason:
        return _refused(reason)
    predicted = predict(champion.estimator, frame.features) if len(frame) else np.empty(0)
    reason = guard(predicted, BASELINES[DEFAULT_BASELINE](frame.features, question.horizon_days))
    if reason:
        return _refused(reason)
    speaker = _Speaker(champion.predictor, champion.version, champion.run_id)
    told = f"{question.model_name} version {champion.version}"
    return _served(_table(frame, predicted, speaker, question), told)


def _baseline_scores(frame: FeatureFrame, folder: Path, question: _Question) -> ScoreResult:
    remembered = tracking.best_baseline(folder, question.model_name)
    name = remembered if remembered in BASELINES else DEFAULT_BASELINE
    predicted = BASELINES[name](frame.features, question.horizon_days)
    speaker = _Speaker(name, BASELINE_VERSION, None)
    told = f"the baseline {name}, as {question.model_name} has no champion at {question.as_of}"
    return _served(_table(frame, predicted, speaker, question), told)


def _unlike_training(feature_names: tuple[str, ...], frame: FeatureFrame) -> str | None:
    """Compare the features with those the champion was trained on."""
    trained, present = set(feature_names), set(frame.features.columns)
    if trained == present:
        return None
    missing, new = sorted(trained - present), sorted(present - trained)
    told = [
        f"{word}: {', '.join(names)}"
        for word, names in {"missing": missing, "new": new}.items()
        if names
    ]
    return f"the features are not those of the champion, {'; '.join(told)}"


def _table(
    frame: FeatureFrame, predicted: np.ndarray, speaker: _Speaker, question: _Question
) -> pa.Table:
    count = len(frame)
    columns = {
        "customer_id": pa.array(frame.customer_ids, pa.string()),
        "as_of_date": pa.array(frame.as_of_dates),
        "horizon_days": pa.repeat(question.horizon_days, count),
        "predicted_net_revenue_amount": pa.array(np.round(predicted, 2)).cast(AMOUNT),
        "model_name": pa.repeat(question.model_name, count),
        "predictor": pa.repeat(speaker.predictor, count),
        "model_version": pa.repeat(speaker.version, count),
        "mlflow_run_id": pa.repeat(pa.scalar(speaker.run_id, pa.string()), count),
        "is_baseline": pa.repeat(speaker.version == BASELINE_VERSION, count),
        "is_stale": pa.repeat(pa.scalar(value=False), count),
        "scored_at_snapshot": pa.repeat(question.snapshot_id, count),
    }
    return pa.table(columns).cast(VALUE_SCORES).sort_by("customer_id")


def _served(table: pa.Table, speaker: str) -> ScoreResult:
    log.info("scored %d customers by %s", table.num_rows, speaker)
    return ScoreResult(table, f"scored by {speaker}")


def _refused(reason: str) -> ScoreResult:
    log.warning("scores refused: %s", reason)
    return ScoreResult(None, f"scores refused: {reason}")
