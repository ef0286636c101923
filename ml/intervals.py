"""How far what customers do lies from what was expected of them.

Belongs here: intervals by split conformal prediction, and what a mass of customers at zero does to
them. Does not belong here: the forecast they stand around.

Most customers of a shop buy nothing in a window, and a forecast of a small amount is wrong for each
of them. So two intervals are given: one of the customers who buy, and one of everybody, which takes
the share at zero from the probability of buying. The overall interval is the smallest one from the
bottom when a tenth or more are expected at zero: it then begins at zero and ends where 80 % lie
below; a customer of less than 20 % of buying has nothing in it but zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COVERAGE = 0.8
TAIL = (1 - COVERAGE) / 2
# A cent: less is nothing.
SMALLEST = 0.01
GROUPS = 5
# So many different buyers, as windows of one customer a month apart tell nearly the same.
MIN_BUYERS = 100
LEVELS = np.linspace(0.0, 1.0, 201)


@dataclass(frozen=True)
class Expected:
    """What is expected of customers, each of shape (n,).

    Attributes:
        probability: Of buying.
        amount: If they buy.
        scale: How far the logarithm of an actual amount lies from that of the expected one.
    """

    probability: np.ndarray
    amount: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class Spread:
    """How actual amounts of buyers are spread around their expected ones.

    Attributes:
        edges: Inner bounds of the probability of buying between the groups, shape (groups - 1,).
        steps: Logarithm of actual over expected, in units of the scale, at each of `LEVELS`, shape
            (groups, levels).
    """

    edges: np.ndarray
    steps: np.ndarray

    def quantile(self, expected: Expected, level: np.ndarray | float) -> np.ndarray:
        """Give the amount below which a share of the buyers lie, shape (n,).

        Args:
            expected: Of the customers; the probability says which group each is like.
            level: Share between 0 and 1, one for all or shape (n,).
        """
        group = np.searchsorted(self.edges, expected.probability, side="right")
        place = np.clip(np.broadcast_to(level, group.shape), 0.0, 1.0) * (len(LEVELS) - 1)
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, len(LEVELS) - 1)
        share = place - below
        step = self.steps[group, below] * (1 - share) + self.steps[group, above] * share
        amount: np.ndarray = expected.amount * np.exp(step * expected.scale)
        return amount

    def if_any(self, expected: Expected) -> tuple[np.ndarray, np.ndarray]:
        """Bounds between which the amounts of 80 % of the buyers lie."""
        low = self.quantile(expected, TAIL)
        return low, np.maximum(low, self.quantile(expected, 1 - TAIL))

    def overall(self, expected: Expected) -> tuple[np.ndarray, np.ndarray]:
        """Bounds between which the amounts of 80 % of all customers lie, zeros among them."""
        buying = np.clip(expected.probability, 1e-9, 1.0)
        at_zero = 1 - buying
        low_level = (TAIL - at_zero) / buying
        high_level = np.where(low_level > 0, 1 - TAIL / buying, (COVERAGE - at_zero) / buying)
        low = np.where(low_level > 0, self.quantile(expected, low_level), 0.0)
        high = np.where(high_level > 0, self.quantile(expected, high_level), 0.0)
        # Between equal quantiles the last bit of a double may put one before the other.
        return low, np.maximum(low, high)


def distance(expected: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Logarithm of what buyers spent over what was expected of them, shape (n,)."""
    far: np.ndarray = np.log(np.maximum(actual, SMALLEST) / np.maximum(expected, SMALLEST))
    return far


def spread(expected: Expected, actual: np.ndarray, owners: np.ndarray) -> Spread:
    """Learn the spread from customers that the forecast and the scale have not seen.

    Groups are fifths of all customers by their probability of buying, as those who hardly buy are
    less regular when they do; a group with few buyers is widened to its neighbours. Within a group
    the scale says who is harder to foresee (Lei et al., 2018, locally weighted conformal inference).
    Quantiles take the step for a finite sample of split conformal prediction (Vovk, Gammerman and
    Shafer, 2005).

    Args:
        expected: Of the customers, shape (n,) each.
        actual: What came, shape (n,); a buyer has more than 0.
        owners: Whose row it is, shape (n,).
    """
    edges = np.unique(np.quantile(expected.probability, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    bought = actual > 0
    group = np.searchsorted(edges, expected.probability[bought], side="right")
    step = distance(expected.amount[bought], actual[bought]) / expected.scale[bought]
    rows = [
        _quantiles(step[_near(group, number, owners[bought])]) for number in range(len(edges) + 1)
    ]
    return Spread(edges, np.array(rows))


def _near(group: np.ndarray, number: int, owners: np.ndarray) -> np.ndarray:
    """Choose the rows of a group, and of as many around it as it takes to have enough buyers."""
    for reach in range(GROUPS):
        near: np.ndarray = np.abs(group - number) <= reach
        if len(np.unique(owners[near])) >= MIN_BUYERS:
            break
    return near


def _quantiles(step: np.ndarray) -> np.ndarray:
    """Quantiles at `LEVELS`, moved outwards from the middle by what a finite sample asks for."""
    if not len(step):
        return np.zeros(len(LEVELS))
    outward = (LEVELS - 0.5) * (len(step) + 1) / len(step) + 0.5
    quantiles: np.ndarray = np.quantile(step, np.clip(outward, 0.0, 1.0))
    return quantiles
