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
from ml.baselines import forecast, served_baseline
from ml.drift import stability_index
from ml.errors import MlError
from ml.forecast import Forecast, amounts_alone, probabilities
from ml.frames import FeatureFrame, read_features, read_labelled
from ml.season import Season, season, with_season
from ml.splits import refusal, season_dates
from ml.tables import MODEL_DRIFT, SCORES

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from ml.questions import Question

# A champion whose total is five times the baseline's, or a fifth of it, has met other data than
# it was trained on: a unit that changed, a source that stopped.
TOTAL_FACTOR = 5.0
BASELINE_VERSION = "baseline"
# Figures are sums of many terms: what lies behind this is noise.
DIGITS = 6

log = logging.getLogger("unicus.ml")


@dataclass(frozen=True)
class ScoreResult:
    """Scores to serve, or the reason why the last ones should be kept.

    Attributes:
        scores: Schema `ml.tables.SCORES`, one row per customer, none for a horizon that the history
            is too short for; None when refused by the guard.
        drift: Schema `ml.tables.MODEL_DRIFT`, no row without a champion.
        reason: Which predictor speaks and why, or why there are no scores.
    """

    scores: pa.Table | None
    drift: pa.Table
    reason: str


@dataclass(frozen=True)
class _Asked:
    """What every row of one scoring has in common."""

    question: Question
    frame: FeatureFrame
    as_of: date
    snapshot_id: str
    season: Season


@dataclass(frozen=True)
class _Speaker:
    """Who a score comes from."""

    predictor: str
    version: str
    run_id: str | None


def score(
    *,
    question: Question,
    warehouse: Path,
    mlflow_folder: Path,
    first_day: date | None,
    as_of: date,
    snapshot_id: str,
) -> ScoreResult:
    """Score every customer known before `as_of` with the champion, or without one a baseline.

    A champion trained after `as_of` has seen what is invisible there: the one before it speaks that
    has not, or nobody.

    Args:
        question: What is asked.
        warehouse: DuckDB file with the features, read-only.
        mlflow_folder: Folder of the tracking store; need not exist.
        first_day: Day of the first order known, None without any.
        as_of: Date of the run.
        snapshot_id: Snapshot of the lake the warehouse was built from.

    Raises:
        MlError: The warehouse has no features or features that are not numbers.
    """
    short = refusal(first_day, as_of, question.horizon_days)
    if short:
        return ScoreResult(SCORES.empty_table(), MODEL_DRIFT.empty_table(), f"not served: {short}")
    asked = _asked(question, warehouse, first_day, as_of, snapshot_id)
    try:
        champion = tracking.load_champion_of(mlflow_folder, question.name, as_of)
    except MlError as error:
        return _refused(error.why)
    if champion is None:
        return _by_baseline(asked, mlflow_folder)
    return _by_champion(asked, champion)


def score_with_baseline(
    *,
    question: Question,
    warehouse: Path,
    mlflow_folder: Path,
    first_day: date | None,
    as_of: date,
    snapshot_id: str,
) -> ScoreResult:
    """Score with the best baseline, for when a champion is refused and no scores were kept.

    Arguments and errors are those of `score`.
    """
    return _by_baseline(_asked(question, warehouse, first_day, as_of, snapshot_id), mlflow_folder)


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
            f"of the baseline"
        )
    return None


def _asked(
    question: Question, warehouse: Path, first_day: date | None, as_of: date, snapshot_id: str
) -> _Asked:
    """Read the customers, and what earlier years say of the window ahead."""
    earlier = season_dates(first_day, as_of, question.horizon_days)
    years = []
    if earlier:
        frame = read_labelled(warehouse, earlier, question.horizon_days)
        years = [frame.at([day]) for day in frame.dates]
    today = read_features(warehouse, as_of)
    return _Asked(question, today, as_of, snapshot_id, season(years, question))


def _by_champion(asked: _Asked, champion: tracking.LoadedModel) -> ScoreResult:
    frame, question = asked.frame, asked.question
    reason = _unlike_training(champion.feature_names, frame)
    if reason:
        return _refused(reason)
    speaker = _Speaker(champion.predictor, champion.version, champion.run_id)
    if not len(frame):
        return ScoreResult(SCORES.empty_table(), MODEL_DRIFT.empty_table(), "nobody to score")
    plain = champion.estimator.forecast(frame.features)
    told, factor = with_season(plain, asked.season, frame.features, question)
    usual = served_baseline(None, question, frame.features)
    reason = guard(told.predicted, forecast(usual, None, None, frame.features, question))
    if reason:
        return _refused(reason)
    drift = _drift(asked, champion, plain)
    name = f"{question.name} version {champion.version}"
    table = _table(asked, told, factor, speaker)
    return _served(table, drift, f"{name}, {asked.season.told}")


def _by_baseline(asked: _Asked, folder: Path) -> ScoreResult:
    """Score without a model; what it says is labelled so, and knows no interval."""
    question, features = asked.question, asked.frame.features
    best = tracking.best_baseline(folder, question.name, asked.as_of)
    baseline = served_baseline(best, question, features)
    predicted = forecast(baseline, None, None, features, question)
    told = probabilities(predicted) if question.is_probability else amounts_alone(predicted)
    table = _table(asked, told, None, _Speaker(baseline.name, BASELINE_VERSION, None))
    reason = f"the baseline {baseline.name}, as {question.name} has no champion at {asked.as_of}"
    return _served(table, MODEL_DRIFT.empty_table(), reason)


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


def _drift(asked: _Asked, champion: tracking.LoadedModel, told: Forecast) -> pa.Table:
    """How far customers and scores lie from those the champion was made for."""
    now = asked.frame.features.assign(score=told.predicted)
    moved = stability_index(champion.estimator.reference_, now)
    columns = {
        **_question_columns(asked.question, len(moved)),
        "as_of_date": pa.repeat(pa.scalar(asked.as_of), len(moved)),
        "subject": pa.array(moved),
        "is_score": pa.array([name == "score" for name in moved]),
        "stability_index": pa.array(np.round(list(moved.values()), DIGITS)),
        "model_version": pa.repeat(champion.version, len(moved)),
    }
    return pa.table(columns).cast(MODEL_DRIFT)


def _table(asked: _Asked, told: Forecast, factor: float | None, speaker: _Speaker) -> pa.Table:
    frame, count = asked.frame, len(asked.frame)
    columns = {
        "customer_id": pa.array(frame.customer_ids, pa.string()),
        "as_of_date": pa.array(frame.as_of_dates),
        **_question_columns(asked.question, count),
        "predicted": _figure(told.predicted),
        "low": _figure(told.low),
        "high": _figure(told.high),
        "any_order_probability": _figure(told.any_order_probability),
        "if_any": _figure(told.if_any),
        "if_any_low": _figure(told.if_any_low),
        "if_any_high": _figure(told.if_any_high),
        "season_factor": pa.repeat(pa.scalar(factor, pa.float64()), count),
        "predictor": pa.repeat(speaker.predictor, count),
        "model_version": pa.repeat(speaker.version, count),
        "mlflow_run_id": pa.repeat(pa.scalar(speaker.run_id, pa.string()), count),
        "is_baseline": pa.repeat(pa.scalar(speaker.version == BASELINE_VERSION), count),
        "is_stale": pa.repeat(pa.scalar(value=False), count),
        "scored_at_snapshot": pa.repeat(asked.snapshot_id, count),
    }
    return pa.table(columns).cast(SCORES).sort_by("customer_id")


def _question_columns(question: Question, count: int) -> dict[str, pa.Array]:
    return {
        "model_name": pa.repeat(question.name, count),
        "target": pa.repeat(question.target, count),
        "horizon_days": pa.repeat(question.horizon_days, count),
    }


def _figure(values: np.ndarray) -> pa.Array:
    """Round away noise; what a forecast does not know is NULL."""
    return pa.array(np.round(values, DIGITS), type=pa.float64(), from_pandas=True)


def _served(table: pa.Table, drift: pa.Table, speaker: str) -> ScoreResult:
    log.info("scored %d customers by %s", table.num_rows, speaker)
    return ScoreResult(table, drift, f"scored by {speaker}")


def _refused(reason: str) -> ScoreResult:
    log.warning("scores refused: %s", reason)
    return ScoreResult(None, MODEL_DRIFT.empty_table(), f"scores refused: {reason}")
