"""What an order of a customer is worth: the gamma-gamma model of Fader and Hardie (2013).

Belongs here: the likelihood of mean order values, its fit, and the value to expect of a customer's
next orders. Does not belong here: how many orders there will be (`ml.btyd.bg_nbd`).

Each order's value is gamma(p, nu) with a nu of the customer's own, gamma(q, gamma) over customers.
All orders of a customer count, the first one included: it is as much a sign of what they pay as the
others, and most customers have no other. Orders without a positive value say nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import betaln, gammaincinv, psi
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ml.btyd.likelihood import Maximum, maximise
from ml.btyd.tables import merge_equal, read_spends, read_weights, unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

# With a mean of about 1, which is what values are divided by.
STARTS = tuple((p, q, max(q - 1, 0.5) / p) for p in (0.5, 3.0, 20.0) for q in (0.7, 3.0, 20.0))


class GammaGamma(BaseEstimator):  # type: ignore[misc]
    """Gamma-gamma by maximum likelihood.

    Values are in one currency throughout, which only `gamma_` depends on.

    Attributes:
        p_: Shape of a customer's order values around their own mean.
        q_, gamma_: Shape and rate of the gamma of nu over customers (`v` in some texts for gamma).
        standard_errors_: Of `p`, `q` and `gamma`, by the delta method from the observed information
            in the logarithms; NaN where the data do not say.
        log_likelihood_: Of the mean order values.
        has_mean_: Whether q > 1. Otherwise so many customers pay so much that the mean over
            customers is infinite, and `predict` gives medians.
        population_mean_: Mean over customers p gamma / (q - 1), infinite when q <= 1.
        newcomer_value_: What is expected of customers who have paid nothing yet: the mean over
            customers of their mean order value, which the model puts at `population_mean_`; their
            median when q <= 1.
        converged_: Whether the fit stands at the top of its likelihood.
        customers_: How many it was fitted on: those who paid something.
    """

    def fit(
        self,
        spends: pd.DataFrame | np.ndarray,
        sample_weight: Sequence[float] | np.ndarray | None = None,
    ) -> Self:
        """Learn the three parameters from the customers who paid something; the others are left out.

        Args:
            spends: Columns `orders` (those of positive value) and `mean_order_value`, shape (n, 2).
            sample_weight: How many customers share each row, shape (n,); one if not given.

        Raises:
            MlError: A row is not a spend, or fewer than two customers differ in what they paid.
        """
        table = read_spends(spends)
        weights = read_weights(sample_weight, len(table))
        paid = _has_paid(table)
        if len(np.unique(table[paid, 1])) < 2:
            raise unusable("spends", "no two customers differ in what they paid, so nothing varies")
        table, weights = merge_equal(table[paid], weights[paid])
        scale = float(np.average(table[:, 1], weights=weights))
        likelihood = _Likelihood(table / [1.0, scale], weights)
        self.customers_ = likelihood.customers
        self._keep(maximise(likelihood, STARTS, likelihood.customers), scale)
        self.newcomer_value_ = scale if self.has_mean_ else _median(table[:, 1], weights)
        return self

    def predict(self, spends: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Expect this mean value of a customer's next orders, shape (n,), in the currency given.

        It is the posterior mean p (gamma + n m) / (p n + q - 1): the own mean drawn to that of all,
        the less the more orders there are. When q <= 1 it is the posterior median for every
        customer, which exists whatever q is, as the posterior mean of a customer of one order may
        be infinite or absurd. Who has paid nothing yet has `newcomer_value_`.

        Args:
            spends: Columns `orders` and `mean_order_value`, shape (n, 2).
        """
        check_is_fitted(self)
        table = read_spends(spends)
        paid = _has_paid(table)
        values = np.full(len(table), self.newcomer_value_)
        orders, value = table[paid].T
        shape = self.p_ * orders + self.q_
        middle = shape - 1 if self.has_mean_ else gammaincinv(shape, 0.5)
        values[paid] = self.p_ * (self.gamma_ + orders * value) / middle
        return values

    def _keep(self, top: Maximum, scale: float) -> None:
        p, q, gamma = top.parameters.tolist()
        self.p_, self.q_, self.gamma_ = p, q, gamma * scale
        self.has_mean_ = q > 1
        self.population_mean_ = p * self.gamma_ / (q - 1) if self.has_mean_ else float("inf")
        errors = top.log_errors(np.eye(3)) * [p, q, self.gamma_]
        self.standard_errors_ = dict(zip(("p", "q", "gamma"), errors.tolist(), strict=True))
        # A mean has a density per unit of money.
        self.log_likelihood_ = float(top.log_likelihood - self.customers_ * np.log(scale))
        self.converged_ = top.converged


class _Likelihood:
    """All that the likelihood asks of the customers who paid something."""

    def __init__(self, table: np.ndarray, weights: np.ndarray) -> None:
        self.orders, value = table.T
        self.paid = self.orders * value
        self.weights = weights
        # Special functions are slow and need the number of orders alone, of which few differ.
        self.counts, at = np.unique(self.orders, return_inverse=True)
        self.customers_by_count = np.bincount(at, weights)
        self.customers = float(weights.sum())
        self.log_values = float(weights @ np.log(value))

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean log-likelihood of the mean order values, and its slope.

        Args:
            point: Logarithms of p, q and gamma.
        """
        p, q, gamma = np.exp(point)
        below = self.weights @ (self.orders * np.log1p(gamma / self.paid))
        above = self.weights @ np.log1p(self.paid / gamma)
        own = self.weights * self.paid / (self.paid + gamma)
        shapes, whole = p * self.counts, psi(p * self.counts + q)
        value = -self.customers_by_count @ betaln(shapes, q) - p * below - q * above
        slope = [
            p * (self.customers_by_count @ (self.counts * (whole - psi(shapes))) - below),
            q * (self.customers_by_count @ (whole - psi(q)) - above),
            q * own.sum() - p * (self.orders @ (self.weights - own)),
        ]
        return (value - self.log_values) / self.customers, np.array(slope) / self.customers


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    counted = weights[order].cumsum()
    return float(values[order][np.searchsorted(counted, counted[-1] / 2)])


def _has_paid(table: np.ndarray) -> np.ndarray:
    """Say who has an order of positive value, shape (n,); a mean that is missing is not positive."""
    has_paid: np.ndarray = (table[:, 0] > 0) & (table[:, 1] > 0)
    return has_paid
