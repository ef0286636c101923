"""What a model says of customers: a figure, how sure it is, and what it would be of those who buy.

Belongs here: the shape of an answer and how a level that is known from elsewhere is brought into it.
Does not belong here: how it is made (a folder per family).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

CERTAIN = 1e-6


@dataclass(frozen=True)
class Forecast:
    """One entry per customer, shape (n,); NaN where a question has no such answer.

    Attributes:
        predicted: The target: money, orders, or the probability of an order.
        any_order_probability: That the target is above 0.
        low, high: The target lies between them for 80 % of the customers.
        if_any: The target to expect of those for whom it is above 0.
        if_any_low, if_any_high: It lies between them for 80 % of these.
    """

    predicted: np.ndarray
    any_order_probability: np.ndarray
    low: np.ndarray
    high: np.ndarray
    if_any: np.ndarray
    if_any_low: np.ndarray
    if_any_high: np.ndarray

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.predicted)

    def times(self, factor: float) -> Forecast:
        """Move every amount by a factor; whether there is any stays as it is."""
        names = [field.name for field in fields(self) if field.name != "any_order_probability"]
        return replace(self, **{name: getattr(self, name) * factor for name in names})

    def with_mean(self, rate: float) -> Forecast:
        """Move every probability by one step of the log-odds so that their mean is this rate."""
        odds = logit(np.clip(self.predicted, CERTAIN, 1 - CERTAIN))
        step = brentq(lambda step: expit(odds + step).mean() - rate, -30, 30)
        return replace(self, predicted=expit(odds + step), any_order_probability=expit(odds + step))


def probabilities(predicted: np.ndarray) -> Forecast:
    """Give the answer to a question of probability, which has no interval."""
    none = np.full(len(predicted), np.nan)
    return Forecast(predicted, predicted, none, none, none, none, none)


def amounts_alone(predicted: np.ndarray) -> Forecast:
    """Give an amount of which nothing else is known, such as a baseline's."""
    none = np.full(len(predicted), np.nan)
    return Forecast(predicted, none, none, none, none, none, none)
