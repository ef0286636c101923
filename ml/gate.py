"""Whether a freshly trained model may replace what is served today.

Belongs here: the rule and its thresholds, as pure functions of backtest figures. Does not belong
here: the registry that carries the verdict out (`ml.tracking`) and the figures' own definition
(`ml.evaluation`).

The rule: a model must be better than the best baseline beyond chance, at the newest cut-off by
itself and in the mean of all, without a worse level. Better is a higher ngini for an amount and a
lower logloss for a probability. A model of another recipe than the champion's must also beat that
champion on the same customers and dates, where their cut-offs meet, and says so where they do not;
one of the same recipe is the champion refreshed with newer data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml.baselines import SERVED
from ml.evaluation import (
    Metric,
    calibration_error,
    decile_error_rate,
    paired_gain,
    weighted_logloss,
    weighted_ngini,
)

if TYPE_CHECKING:
    from ml.questions import Question

BACKTEST_KEYS = ["cutoff_date", "customer_id"]


@dataclass(frozen=True)
class Verdict:
    """The decision and, in one sentence with its figures, why."""

    promoted: bool
    reason: str


@dataclass(frozen=True)
class Champion:
    """The model served today: its version, recipe hash, and stored backtest predictions.

    Attributes:
        version: Version in the registry.
        recipe: Hash of how it was made, without the data.
        backtest: Columns `cutoff_date`, `customer_id`, `predicted`; may be empty.
    """

    version: str
    recipe: str
    backtest: pd.DataFrame


@dataclass(frozen=True)
class _Measure:
    """What better means, and what must not get worse meanwhile.

    Attributes:
        name: Of the figure that must be better, in the columns of performance and in words.
        sign: 1 if more of it is better, -1 if less.
        metric: The same as a function of weights.
        level_name: Of the figure that must not be worse.
        level: The same as a function of what came and what was predicted.
        tolerance: By how much the level may be worse than the best baseline's.
    """

    name: str
    sign: int
    metric: Metric
    level_name: str
    level: Callable[[np.ndarray, np.ndarray], float]
    tolerance: float


OF_AMOUNT = _Measure("ngini", 1, weighted_ngini, "decile_error", decile_error_rate, 0.02)
# In a shop of a few hundred customers chance alone moves an error of calibration by this much.
OF_PROBABILITY = _Measure(
    "logloss", -1, weighted_logloss, "calibration_error", calibration_error, 0.02
)


def best_baseline(performance: pd.DataFrame, question: Question) -> str:
    """Name the baseline the model gains least over in the mean of the cut-offs.

    That is the highest mean ngini or the lowest mean logloss, and stays fair to a baseline that is
    not there at an older cut-off. One that is not there at the newest is no measure of today.

    Args:
        performance: One row per cut-off, segment and predictor, columns as in `ml.tables`.
        question: What was predicted.
    """
    return _closest(_baselines(performance), _measure(question))


def best_served_baseline(performance: pd.DataFrame, question: Question) -> str:
    """Name the best of the baselines that can be served without a model.

    Arguments are those of `best_baseline`.
    """
    baselines = _baselines(performance)
    return _closest(baselines[baselines["predictor"].isin(SERVED)], _measure(question))


def judge(
    performance: pd.DataFrame,
    backtest: pd.DataFrame,
    question: Question,
    recipe: str,
    champion: Champion | None,
) -> Verdict:
    """Decide whether a challenger is promoted.

    Args:
        performance: One row per cut-off, segment and predictor, columns as in `ml.tables`.
        backtest: The challenger's predictions: `cutoff_date`, `customer_id`, `actual`, `predicted`.
        question: What was predicted.
        recipe: The challenger's recipe hash.
        champion: The model served today, if any.
    """
    verdict = _against_baseline(performance, question)
    if champion is None or not verdict.promoted:
        return verdict
    if champion.recipe == recipe:
        reason = f"{verdict.reason}; refreshes version {champion.version}, same recipe"
        return Verdict(promoted=True, reason=reason)
    against = _against_champion(backtest, champion, _measure(question))
    if against is None:
        alone = f"no cut-off is shared with version {champion.version}, of another recipe"
        return Verdict(promoted=True, reason=f"{verdict.reason}; {alone}")
    return against


def _against_baseline(performance: pd.DataFrame, question: Question) -> Verdict:
    measure, name = _measure(question), best_baseline(performance, question)
    everybody = performance[performance["segment"] == "all"]
    model = everybody[everybody["is_model"]].set_index("cutoff_date")
    baseline = everybody[everybody["predictor"] == name].set_index("cutoff_date")
    tests = pd.DataFrame(
        {
            "gain": baseline[f"{measure.name}_gain"],
            "low": baseline[f"{measure.name}_gain_low"],
            "high": baseline[f"{measure.name}_gain_high"],
            "level": model[measure.level_name].reindex(baseline.index),
            "rival_level": baseline[measure.level_name],
        }
    )
    verdict = _verdict(tests.sort_index(), measure, name, measure.tolerance)
    return verdict if _ranks(everybody) else _without_order(verdict)


def _ranks(everybody: pd.DataFrame) -> bool:
    """Whether the model puts customers in an order that is more than chance."""
    constant = everybody[everybody["predictor"] == "constant"].sort_values("cutoff_date")
    return constant.empty or bool(constant["ngini_gain_low"].iloc[-1] > 0)


def _without_order(verdict: Verdict) -> Verdict:
    """Say that all customers look alike, which no promoted model may say."""
    told = verdict.reason.removeprefix("not promoted, ").removeprefix("promoted: ")
    alike = "customers are in no order that is more than chance"
    return Verdict(promoted=False, reason=f"not promoted, {alike}; {told}")


def _against_champion(
    backtest: pd.DataFrame, champion: Champion, measure: _Measure
) -> Verdict | None:
    """Hold two models against each other; None when they have no cut-off in common."""
    shared = backtest.merge(champion.backtest, on=BACKTEST_KEYS, suffixes=("", "_champion"))
    if shared.empty:
        return None
    by_date = shared.groupby("cutoff_date")
    tests = pd.DataFrame({day: _test(rows, measure) for day, rows in by_date}).T
    rival = f"version {champion.version} on {by_date.size().iloc[-1]} customers"
    # Without a tolerance, since what one challenger after the other is allowed adds up.
    return _verdict(tests, measure, rival, tolerance=0.0)


def _test(rows: pd.DataFrame, measure: _Measure) -> dict[str, float]:
    """Hold two models against each other at one cut-off, where each customer stands once."""
    actual, ours, theirs = (
        rows[column].to_numpy(dtype=float)
        for column in ("actual", "predicted", "predicted_champion")
    )
    gain = paired_gain(measure.metric, actual, ours, theirs)
    return {
        "gain": gain.value,
        "low": gain.low,
        "high": gain.high,
        "level": measure.level(actual, ours),
        "rival_level": measure.level(actual, theirs),
    }


def _verdict(tests: pd.DataFrame, measure: _Measure, rival: str, tolerance: float) -> Verdict:
    """Judge by the tests, one row per cut-off, oldest first."""
    newest, mean = tests.iloc[-1], tests.mean()
    side, level = ("above" if measure.sign > 0 else "below"), measure.level_name.replace("_", " ")
    worst = newest["low"] if measure.sign > 0 else newest["high"]
    faults = [
        fault
        for fault, is_fine in {
            f"the interval is not {side} 0": measure.sign * worst > 0,
            f"the mean gain is not {side} 0": measure.sign * mean["gain"] > 0,
            f"its {level} is worse": mean["level"] <= mean["rival_level"] + tolerance,
        }.items()
        if not is_fine
    ]
    told = f"not promoted, {' and '.join(faults)}" if faults else "promoted"
    reason = (
        f"{told}: {measure.name} gain over {rival} {newest['gain']:+.4f} "
        f"(95 % interval {newest['low']:+.4f} to {newest['high']:+.4f}) "
        f"at {tests.index[-1]:%Y-%m-%d}, {mean['gain']:+.4f} in the mean of {len(tests)} cut-offs, "
        f"{level} {mean['level']:.3f} against {mean['rival_level']:.3f} "
        f"with a tolerance of {tolerance:.3f}"
    )
    return Verdict(promoted=not faults, reason=reason)


def _baselines(performance: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of all customers by the baselines that the newest cut-off has."""
    rows = performance[(performance["segment"] == "all") & ~performance["is_model"].astype(bool)]
    newest = rows.loc[rows["cutoff_date"] == rows["cutoff_date"].max(), "predictor"]
    return rows[rows["predictor"].isin(newest)]


def _closest(baselines: pd.DataFrame, measure: _Measure) -> str:
    gains = (measure.sign * baselines[f"{measure.name}_gain"]).groupby(baselines["predictor"])
    return str(gains.mean().fillna(np.inf).idxmin())


def _measure(question: Question) -> _Measure:
    return OF_PROBABILITY if question.is_probability else OF_AMOUNT
