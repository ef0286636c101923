"""Whether a freshly trained model may replace what is served today.

Belongs here: the rule and its thresholds, as pure functions of backtest figures. Does not belong
here: the registry that carries the verdict out (`ml.tracking`) and the figures' own definition
(`ml.evaluation`).

The rule: a model must rank customers better than the best baseline beyond chance, without a worse
level. A model of another recipe than the champion's must also beat that champion on the same
customers and dates; one of the same recipe is the champion refreshed with newer data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.evaluation import Gain, decile_error_rate, paired_gain, weighted_ngini

if TYPE_CHECKING:
    import pandas as pd

DECILE_ERROR_TOLERANCE = 0.02
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
        backtest: Columns `cutoff_date`, `customer_id`, `predicted_amount`; may be empty.
    """

    version: str
    recipe: str
    backtest: pd.DataFrame


def best_baseline(performance: pd.DataFrame) -> str:
    """Name the baseline with the highest mean ngini over the cut-offs."""
    baselines = performance[~performance["is_model"]]
    ranking = baselines.groupby("predictor")["ngini_rate"].mean().fillna(float("-inf"))
    return str(ranking.idxmax())


def judge(
    performance: pd.DataFrame, backtest: pd.DataFrame, recipe: str, champion: Champion | None
) -> Verdict:
    """Decide whether a challenger is promoted.

    Args:
        performance: One row per cut-off and predictor, columns as in `ml.tables`.
        backtest: The challenger's predictions: `cutoff_date`, `customer_id`, `actual_amount`,
            `predicted_amount`.
        recipe: The challenger's recipe hash.
        champion: The model served today, if any.
    """
    verdict = _against_baseline(performance)
    if champion is None or not verdict.promoted:
        return verdict
    if champion.recipe == recipe:
        reason = f"{verdict.reason}; refreshes version {champion.version}, same recipe"
        return Verdict(promoted=True, reason=reason)
    return _against_champion(backtest, champion)


def _against_baseline(performance: pd.DataFrame) -> Verdict:
    name = best_baseline(performance)
    model = performance[performance["is_model"]].set_index("cutoff_date")
    baseline = performance[performance["predictor"] == name].set_index("cutoff_date")
    newest = baseline.loc[baseline.index.max()]
    gain = Gain(
        newest["ngini_gain_rate"], newest["ngini_gain_low_rate"], newest["ngini_gain_high_rate"]
    )
    mean_gain = baseline["ngini_gain_rate"].mean()
    error, allowed = model["decile_error_rate"].mean(), baseline["decile_error_rate"].mean()
    faults = [
        fault
        for fault, is_fine in {
            "the interval is not above 0": gain.low > 0,
            "the mean gain is not above 0": mean_gain > 0,
            "its decile error is worse": error <= allowed + DECILE_ERROR_TOLERANCE,
        }.items()
        if not is_fine
    ]
    figures = (
        f"ngini gain over {name} {_told(gain)} at {baseline.index.max():%Y-%m-%d}, "
        f"{mean_gain:+.3f} in the mean of {len(baseline)} cut-offs, decile error {error:.3f} "
        f"against {allowed:.3f} with a tolerance of {DECILE_ERROR_TOLERANCE:.2f}"
    )
    return _verdict(faults, figures)


def _against_champion(backtest: pd.DataFrame, champion: Champion) -> Verdict:
    shared = backtest.merge(champion.backtest, on=BACKTEST_KEYS, suffixes=("", "_champion"))
    if shared.empty:
        return Verdict(
            promoted=False,
            reason=f"not promoted: another recipe than version {champion.version}, "
            "and no cut-off with the same date and customers to compare them at",
        )
    newest = shared["cutoff_date"].max()
    rows = shared[shared["cutoff_date"] == newest]
    actual, ours, theirs = (
        rows[column].to_numpy()
        for column in ("actual_amount", "predicted_amount", "predicted_amount_champion")
    )
    gain = paired_gain(weighted_ngini, actual, ours, theirs)
    error, allowed = decile_error_rate(actual, ours), decile_error_rate(actual, theirs)
    faults = [] if gain.low > 0 else ["the interval is not above 0"]
    faults += [] if error <= allowed else ["its decile error is worse"]
    figures = (
        f"ngini gain over version {champion.version} {_told(gain)} on {len(rows)} customers at "
        f"{newest:%Y-%m-%d}, decile error {error:.3f} against {allowed:.3f}"
    )
    return _verdict(faults, figures)


def _verdict(faults: list[str], figures: str) -> Verdict:
    told = f"not promoted, {' and '.join(faults)}" if faults else "promoted"
    return Verdict(promoted=not faults, reason=f"{told}: {figures}")


def _told(gain: Gain) -> str:
    return f"{gain.value:+.3f} (95 % interval {gain.low:+.3f} to {gain.high:+.3f})"
