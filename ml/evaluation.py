"""How good a forecast of money per customer is: ranking, level, and how sure we are of both.

Belongs here: metrics as pure functions of arrays, and their paired bootstrap. Does not belong
here: models, dates, thresholds (`ml.gate` has them) and drawings (`ml.plots`).

A metric is first a function of weights: how often each customer is counted in each draw, shape
(draws, n), giving one figure per draw. The plain metric is the draw in which everyone counts once,
so a figure and its interval come from one definition, and customers are sorted once for all draws.
Equal predictions are treated as what they are, no order: nothing depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

Weighted = Callable[[np.ndarray], np.ndarray]
Metric = Callable[[np.ndarray, np.ndarray], Weighted]

DECILES = 10
DRAWS = 500
# A block of draws fits in the processor's cache, and memory does not grow with the draws.
BLOCK_CELLS = 100_000


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


def bias_rate(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Total forecast over total actual: 1 is right, 0.8 is a fifth too low; NaN without spend."""
    total = actual.sum()
    return float(predicted.sum() / total) if total else float("nan")


def decile_error_rate(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Sum over deciles of |forecast - actual|, over total actual: 0 is a right level everywhere.

    Deciles hold equal numbers of customers in the order of the forecast; a customer, or a group of
    equal forecasts, that lies on a boundary is shared between both sides.

    Args:
        actual: Money per customer, shape (n,).
        predicted: Forecast per customer, shape (n,).
    """
    return float(weighted_decile_error(actual, predicted)(_everyone_once(actual))[0])


def decile_totals(actual: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Total forecast and total actual per decile of the forecast, highest decile first."""
    order, starts = _tie_groups(predicted)
    totals = _decile_totals(actual[order], predicted[order], starts, np.ones(len(actual)))
    return totals[0][::-1], totals[1][::-1]


def gain_curve(actual: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of customers taken from the top of the forecast, and the share of spend they made."""
    order, starts = _tie_groups(-predicted)
    money = np.add.reduceat(actual[order], starts).cumsum() / (actual.sum() or np.nan)
    people = np.append(starts[1:], len(actual)) / len(actual)
    return np.append(0.0, people), np.append(0.0, money)


def paired_gain(
    metric: Metric,
    actual: np.ndarray,
    predicted: np.ndarray,
    reference: np.ndarray,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Gain:
    """Difference of a metric between two forecasts, with a bootstrap over customers.

    Both forecasts meet the same resampled customers in each draw, so what is common to them
    cancels out (Efron and Tibshirani, 1993, percentile interval).

    Args:
        metric: `weighted_ngini` or `weighted_decile_error`.
        actual: Money per customer, shape (n,).
        predicted: The forecast in question, shape (n,).
        reference: The forecast it is compared with, shape (n,).
        draws: Number of resamples.
        seed: Makes the interval repeatable.
    """
    ours, theirs = metric(actual, predicted), metric(actual, reference)
    everyone = _everyone_once(actual)
    value = ours(everyone) - theirs(everyone)
    differences = np.concatenate(
        [ours(weights) - theirs(weights) for weights in _resamples(len(actual), draws, seed)]
    )
    finite = differences[np.isfinite(differences)]
    low, high = np.quantile(finite, [0.025, 0.975]) if len(finite) else (np.nan, np.nan)
    return Gain(float(value[0]), float(low), float(high))


def weighted_ngini(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """`ngini` as a function of weights."""
    reached, perfect = _weighted_gini(actual, predicted), _weighted_gini(actual, actual)

    def figure(weights: np.ndarray) -> np.ndarray:
        return _ratio(reached(weights), perfect(weights))

    return figure


def weighted_decile_error(actual: np.ndarray, predicted: np.ndarray) -> Weighted:
    """`decile_error_rate` as a function of weights."""
    order, starts = _tie_groups(predicted)
    spent, forecast = actual[order], predicted[order]

    def figure(weights: np.ndarray) -> np.ndarray:
        error = np.array(
            [
                np.abs(np.subtract(*_decile_totals(spent, forecast, starts, draw[order]))).sum()
                for draw in weights
            ]
        )
        return _ratio(error, weights @ actual)

    return figure


def _weighted_gini(actual: np.ndarray, by: np.ndarray) -> Weighted:
    """Unscaled Gini of `actual` ranked by `by`: covariance of money and mid-rank.

    A tie group stands at its middle, which is its mean position over all orders.
    """
    order, starts = _tie_groups(by)
    money = actual[order]

    def figure(weights: np.ndarray) -> np.ndarray:
        counted = weights[:, order]
        people = np.add.reduceat(counted, starts, axis=1)
        spent = np.add.reduceat(counted * money, starts, axis=1)
        middle = people.cumsum(axis=1) - people / 2
        gini: np.ndarray = (spent * (middle - people.sum(axis=1, keepdims=True) / 2)).sum(axis=1)
        return gini

    return figure


def _decile_totals(
    actual: np.ndarray, predicted: np.ndarray, starts: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Forecast and actual per decile, lowest first, shape (2, 10); rows sorted by forecast."""
    people = np.append(0.0, np.add.reduceat(weights, starts).cumsum())
    bounds = np.linspace(0.0, people[-1], DECILES + 1)
    return np.array(
        [
            np.diff(np.interp(bounds, people, np.append(0.0, total.cumsum())))
            for total in (
                np.add.reduceat(weights * predicted, starts),
                np.add.reduceat(weights * actual, starts),
            )
        ]
    )


def _tie_groups(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending order of the values, and where each run of equal values starts in it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    return order, np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide draw by draw; a draw without anything to divide by has no figure."""
    ratio = np.full_like(part, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


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
