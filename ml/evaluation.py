"""How good a forecast per customer is: ranking, level, and how sure we are of both.

Belongs here: metrics as pure functions of arrays, and their paired bootstrap. Does not belong
here: models, dates, thresholds (`ml.gate` has them) and drawings (`ml.plots`).

What came is an amount (money, or a number of orders), or 1 and 0 for whether there was an order,
forecast by its probability. All metrics of amounts hold for a probability as well.

A metric is first a function of weights: how often each customer is counted in each draw, shape
(draws, n), giving one figure per draw. The plain metric is the draw in which everyone counts once,
so a figure and its interval come from one definition, and customers are sorted once for all draws.
Equal predictions are treated as what they are, no order: nothing depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

Weighted = Callable[[np.ndarray], np.ndarray]
Metric = Callable[[np.ndarray, np.ndarray], Weighted]

DECILES = 10
DRAWS = 500
# More customers need fewer draws, as an interval is narrow then and each draw costs more.
FULL_DRAWS_CUSTOMERS = 25_000
MIN_DRAWS = 100
# A block of draws fits in the processor's cache, and memory does not grow with the draws.
BLOCK_CELLS = 100_000
# A probability of exactly 0 or 1 that turns out wrong would cost infinitely much.
SURE = 1e-6
INTERVAL = (0.025, 0.975)
BY_DECILE = (
    "decile",
    "customers_count",
    "buyers_count",
    "predicted_rate",
    "actual_rate",
    "actual_low_rate",
    "actual_high_rate",
    "coverage_rate",
    "if_any_coverage_rate",
    "at_zero_rate",
    "mean_width",
)


@dataclass(frozen=True)
class Gain:
    """A difference of two forecasts on the same customers, with its 95 % interval."""

    value: float
    low: float
    high: float


def ngini(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Gini of the forecast's ranking over that of the perfect ranking: 1 perfect, 0 random.

    Equal predictions count with the expected value over a random order among them. NaN when
    everybody spent the same, since there is nothing to rank.

    Args:
        actual: Money per customer, shape (n,).
        predicted: Forecast per customer, shape (n,).
    """
    return float(weighted_ngini(actual, predicted)(_everyone_once(actual))[0])


def auc(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Chance that somebody with an order has a higher forecast than somebody without; ties half.

    For outcomes of 0 and 1 it is (1 + ngini) / 2; NaN unless there are both.

    Args:
        actual: 1 with an order and 0 without, shape (n,).
        predicted: Probability per customer, shape (n,).
    """
    return (1 + ngini(actual, predicted)) / 2


def bias_rate(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Total forecast over total actual: 1 is right, 0.8 is a fifth too low; NaN without spend."""
    total = actual.sum()
    return float(predicted.sum() / total) if total else float("nan")


def bias_interval(
    actual: np.ndarray, predicted: np.ndarray, *, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of `bias_rate` by a bootstrap over customers.

    Args:
        actual: What came per customer, shape (n,).
        predicted: Forecast per customer, shape (n,).
        draws: Number of resamples.
        seed: Makes the interval repeatable.
    """
    both = np.column_stack([predicted, actual])
    totals = np.vstack([weights @ both for weights in _resamples(len(actual), draws, seed)])
    return _interval(_ratio(totals[:, 0], totals[:, 1]))


def decile_error_rate(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Sum over deciles of |forecast - actual|, over total actual: 0 is a right level everywhere.

    Deciles hold equal numbers of customers in the order of the forecast; a customer, or a group of
    equal forecasts, that lies on a boundary is shared between both sides.

    Args:
        actual: Money per customer, shape (n,).
        predicted: Forecast per customer, shape (n,).
    """
    return float(weighted_decile_error(actual, predicted)(_everyone_once(actual))[0])


def calibration_error(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Mean distance between the probability said and the share that came, over ten equal bins.

    This is the expected calibration error (Naeini, Cooper and Hauskrecht, 2015) with as many
    customers in each bin, the decile error times the mean outcome.

    Args:
        actual: 1 with an order and 0 without, shape (n,).
        predicted: Probability per customer, shape (n,).
    """
    return float(weighted_calibration_error(actual, predicted)(_everyone_once(actual))[0])


def logloss(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Mean of minus the logarithm of the probability given to what came: 0 is right and sure.

    Args:
        actual: 1 with an order and 0 without, shape (n,).
        predicted: Probability per customer, shape (n,).
    """
    return float(weighted_logloss(actual, predicted)(_everyone_once(actual))[0])


def decile_totals(actual: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Total forecast and total actual per decile of the forecast, highest decile first."""
    order, ends = _tie_groups(predicted)
    totals = _decile_totals(actual[order], predicted[order], ends, np.ones(len(actual)))
    return totals[0][::-1], totals[1][::-1]


def gain_curve(actual: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of customers taken from the top of the forecast, and the share of spend they made."""
    order, ends = _tie_groups(-predicted)
    money = actual[order].cumsum()[ends] / (actual.sum() or np.nan)
    people = (ends + 1) / len(actual)
    return np.append(0.0, people), np.append(0.0, money)


def figures(is_probability: bool, actual: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Give the figures of one forecast as the columns of `ml.tables.MODEL_PERFORMANCE`.

    Args:
        is_probability: Otherwise the figures that only a probability has are NaN.
        actual: What came per customer, shape (n,).
        predicted: Forecast per customer, shape (n,).
    """
    low, high = bias_interval(actual, predicted, draws=_draws(len(actual)))
    told = {
        "ngini": ngini(actual, predicted),
        "bias_ratio": bias_rate(actual, predicted),
        "bias_low_ratio": low,
        "bias_high_ratio": high,
        "decile_error": decile_error_rate(actual, predicted),
    }
    of_probability = {"auc": auc, "logloss": logloss, "calibration_error": calibration_error}
    for name, metric in of_probability.items():
        told[name] = metric(actual, predicted) if is_probability else float("nan")
    return told


def gains(
    is_probability: bool, actual: np.ndarray, model: np.ndarray, baseline: np.ndarray
) -> dict[str, float]:
    """Give the model's figures minus a baseline's as the columns of `MODEL_PERFORMANCE`.

    A good one is positive for ngini, negative for decile error and logloss.

    Args:
        is_probability: Otherwise those of the logloss are NaN.
        actual: What came per customer, shape (n,).
        model: The model's forecast, shape (n,).
        baseline: The baseline's forecast, shape (n,).
    """
    metrics = {"ngini": weighted_ngini, "decile_error": weighted_decile_error}
    if is_probability:
        metrics["logloss"] = weighted_logloss
    nothing = {"logloss": Gain(float("nan"), float("nan"), float("nan"))}
    found = paired_gains(metrics, actual, model, baseline, draws=_draws(len(actual)))
    return {
        f"{name}_gain{bound}": value
        for name, gain in (nothing | found).items()
        for bound, value in {"": gain.value, "_low": gain.low, "_high": gain.high}.items()
    }


def paired_gain(
    metric: Metric,
    actual: np.ndarray,
    predicted: np.ndarray,
    reference: np.ndarray,
    *,
    customers: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Gain:
    """Difference of a metric between two forecasts, with a bootstrap over customers.

    Args:
        metric: `weighted_ngini` or another of these.
        actual: What came per customer, shape (n,).
        predicted: The forecast in question, shape (n,).
        reference: The forecast it is compared with, shape (n,).
        customers: Whose each row is, where a customer may have several, shape (n,).
        draws: Number of resamples.
        seed: Makes the interval repeatable.
    """
    found = paired_gains(
        {"": metric}, actual, predicted, reference, customers=customers, draws=draws, seed=seed
    )
    return found[""]


def paired_gains(
    metrics: Mapping[str, Metric],
    actual: np.ndarray,
    predicted: np.ndarray,
    reference: np.ndarray,
    *,
    customers: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Gain]:
    """`paired_gain` of several metrics by name, all on the same resamples.

    Both forecasts meet the same resampled customers in each draw, so what is common to them
    cancels out (Efron and Tibshirani, 1993, percentile interval). A customer is drawn with all
    their rows, which are alike and tell less than as many customers would (Field and Welsh, 2007,
    cluster bootstrap).
    """
    pairs = [(metric(actual, predicted), metric(actual, reference)) for metric in metrics.values()]

    def differences(weights: np.ndarray) -> np.ndarray:
        return np.array([ours(weights) - theirs(weights) for ours, theirs in pairs])

    values = differences(_everyone_once(actual))[:, 0]
    resamples = _resamples(len(actual), draws, seed)
    if customers is not None:
        resamples = _with_all_rows(customers, draws, seed)
    drawn = np.hstack([differences(weights) for weights in resamples])
    return {
        name: Gain(float(value), *_interval(of_draws))
        for name, value, of_draws in zip(metrics, values, drawn, strict=True)
    }


def wilson(successes: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share by Wilson's score (1927), which holds near 0 and 1 as well.

    Args:
        successes: How many of them, shape (k,).
        counts: Of how many, shape (k,); NaN bounds where 0.
    """
    z = ndtri(INTERVAL[1])
    with np.errstate(invalid="ignore"):
        share = successes / counts
        middle = (successes + z**2 / 2) / (counts + z**2)
        half = z / (counts + z**2) * np.sqrt(counts * share * (1 - share) + z**2 / 4)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def coverage_by_decile(
    probability: np.ndarray,
    actual: np.ndarray,
    low: np.ndarray | None,
    high: np.ndarray | None,
    if_any_low: np.ndarray | None,
    if_any_high: np.ndarray | None,
) -> pd.DataFrame:
    """Tell per tenth of the customers how true the probability of an order and the intervals are.

    Most customers order nothing, so that an interval of [0, 0] covers nearly everybody: those who
    do order are counted apart.

    Args:
        probability: Of any order, shape (n,); the highest are the first tenth, ties dealt out.
        actual: What came, shape (n,); above 0 is a buyer.
        low: Lower end of the interval of what comes, shape (n,); None for a question without one.
        high: Upper end of it.
        if_any_low: Lower end of the interval of what comes if anything does, shape (n,), or None.
        if_any_high: Upper end of it.

    Returns:
        Columns of `ml.tables.MODEL_CALIBRATION` from `decile` on, one row per tenth that has
        customers.
    """
    buys, no_bound = actual > 0, np.full(len(actual), np.nan)
    low, high, if_any_low, if_any_high = (
        no_bound if bound is None else bound for bound in (low, high, if_any_low, if_any_high)
    )
    covers_if_any = _where(if_any_high, (if_any_low <= actual) & (actual <= if_any_high))
    customers = pd.DataFrame(
        {
            "decile": _tenths(-probability),
            "is_buyer": buys,
            "predicted_rate": probability,
            "coverage_rate": _where(high, (low <= actual) & (actual <= high)),
            "if_any_coverage_rate": np.where(buys, covers_if_any, np.nan),
            "at_zero_rate": _where(high, (low == 0) & (high == 0)),
            "mean_width": high - low,
        }
    )
    by_decile = customers.groupby("decile")
    rows = by_decile.mean().rename(columns={"is_buyer": "actual_rate"})
    rows["customers_count"], rows["buyers_count"] = by_decile.size(), by_decile["is_buyer"].sum()
    rows["actual_low_rate"], rows["actual_high_rate"] = wilson(
        rows["buyers_count"].to_numpy(), rows["customers_count"].to_numpy()
    )
    return rows.reset_index()[list(BY_DECILE)]


def weighted_ngini(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """`ngini` as a function of weights."""
    reached, perfect = _weighted_gini(actual, predicted), _weighted_gini(actual, actual)

    def figure(weights: np.ndarray) -> np.ndarray:
        return _ratio(reached(weights), perfect(weights))

    return figure


def weighted_decile_error(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """`decile_error_rate` as a function of weights."""
    missed = _weighted_misses(actual, predicted)
    return lambda weights: _ratio(missed(weights), weights @ actual)


def weighted_calibration_error(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """`calibration_error` as a function of weights."""
    missed = _weighted_misses(actual, predicted)
    return lambda weights: _ratio(missed(weights), weights.sum(axis=1))


def weighted_logloss(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """`logloss` as a function of weights."""
    said = np.clip(predicted, SURE, 1 - SURE)
    losses = -(actual * np.log(said) + (1 - actual) * np.log1p(-said))
    return lambda weights: _ratio((weights * losses).sum(axis=1), weights.sum(axis=1))


def _weighted_gini(actual: np.ndarray, by: np.ndarray) -> Weighted:
    """Unscaled Gini of `actual` ranked by `by`: covariance of money and mid-rank.

    Customers with equal ranks stand at their middle, which is their mean position over all orders.
    Only those with money count in the sum; the others only fill the ranks.
    """
    order = np.argsort(by, kind="stable")
    paid = np.flatnonzero(actual)
    below = np.searchsorted(by[order], by[paid], "left")
    up_to = np.searchsorted(by[order], by[paid], "right")
    money = actual[paid]

    def figure(weights: np.ndarray) -> np.ndarray:
        people = np.zeros((len(weights), len(actual) + 1))
        np.cumsum(weights.take(order, axis=1), axis=1, out=people[:, 1:])
        middle = people.take(below, axis=1) + people.take(up_to, axis=1) - people[:, -1:]
        gini: np.ndarray = (weights.take(paid, axis=1) * money * middle).sum(axis=1) / 2
        return gini

    return figure


def _weighted_misses(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """Sum over deciles of |forecast - actual|."""
    order, ends = _tie_groups(predicted)
    came, forecast = actual[order], predicted[order]

    def figure(weights: np.ndarray) -> np.ndarray:
        totals = [
            _decile_totals(came, forecast, ends, draw) for draw in weights.take(order, axis=1)
        ]
        return np.array([np.abs(said - was).sum() for said, was in totals])

    return figure


def _decile_totals(
    actual: np.ndarray, predicted: np.ndarray, ends: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Forecast and actual per decile, lowest first, shape (2, 10); rows sorted by forecast."""
    people = _running(weights, ends)
    bounds = np.linspace(0.0, people[-1], DECILES + 1)
    return np.array(
        [
            np.diff(np.interp(bounds, people, _running(weights * amounts, ends)))
            for amounts in (predicted, actual)
        ]
    )


def _running(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Sum of the values before the first group and up to the end of each."""
    return np.append(0.0, values.cumsum().take(ends))


def _tie_groups(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending order of the values, and where each run of equal values ends in it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return order, np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))


def _tenths(values: np.ndarray) -> np.ndarray:
    """Which tenth each row is in, from 1 for the lowest, as equal in size as can be; shape (n,).

    Equal values are dealt out at random, the same way each time: rows of equal features come in the
    order of what became of them, and must not be parted by it.
    """
    tenths = np.empty(len(values), dtype=int)
    order = np.lexsort((np.random.default_rng(0).permutation(len(values)), values))
    for tenth, rows in enumerate(np.array_split(order, DECILES), 1):
        tenths[rows] = tenth
    return tenths


def _where(bound: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """1 where it holds and 0 where not; NaN, which no mean counts, where there is no bound."""
    return np.where(np.isnan(bound), np.nan, holds)


def _interval(draws: np.ndarray) -> tuple[float, float]:
    """95 % interval of the draws that have a figure."""
    finite = draws[np.isfinite(draws)]
    low, high = np.quantile(finite, INTERVAL) if len(finite) else (np.nan, np.nan)
    return float(low), float(high)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide draw by draw; a draw without anything to divide by has no figure."""
    ratio = np.full_like(part, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _draws(count: int) -> int:
    return int(np.clip(DRAWS * FULL_DRAWS_CUSTOMERS // max(count, 1), MIN_DRAWS, DRAWS))


def _everyone_once(actual: np.ndarray) -> np.ndarray:
    return np.ones((1, len(actual)))


def _resamples(count: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of `count` customers is drawn, in blocks of shape (draws, count)."""
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK_CELLS // count)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = generator.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(float)


def _with_all_rows(customers: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each row is drawn, where a customer is drawn with all their rows."""
    # Numbered as they come, since a customer id is drawn at random in each home.
    whose, names = pd.factorize(customers)
    for weights in _resamples(len(names), draws, seed):
        yield weights.take(whose, axis=1)
