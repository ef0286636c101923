"""The top of a likelihood, and how sharply it stands there.

Belongs here: the search over positive parameters and their standard errors, the same for every
model of this folder. Does not belong here: any model's own formula.

Parameters are searched as logarithms, between bounds so wide that a parameter at one of them means
"as good as nought" or "as good as infinite": a customer base of one rate has no spread to estimate,
one that never leaves has no dropout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

# Mean log-likelihood per customer, and its slope in the logarithms of the parameters.
MeanLogLikelihood = Callable[[np.ndarray], tuple[float, np.ndarray]]

OPTIONS = {"maxiter": 1000, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-9}
# Now and then a line search finds no way on half-way up; from there a fresh climb does.
CLIMBS = 5
LOW, HIGH = 1e-6, 1e4
EDGE = 1e-6
STEP = 1e-4
# A logarithm known to plus or minus ten is a parameter not known at all. A direction with less
# information than the least is taken to have that, since there the differences are mostly noise.
LARGEST_VARIANCE = 100.0
LEAST_INFORMATION = 1e-4
# A step that gains this is a twentieth of a standard error.
NEGLIGIBLE_GAIN = 1e-3


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is highest.

    Attributes:
        parameters: Shape (k,).
        log_likelihood: Of all customers.
        slope: Its first derivatives in the logarithms of the parameters, shape (k,).
        information: Minus its second derivatives, shape (k, k).
        is_free: Which parameters lie between their bounds, shape (k,).
    """

    parameters: np.ndarray
    log_likelihood: float
    slope: np.ndarray
    information: np.ndarray
    is_free: np.ndarray

    @property
    def converged(self) -> bool:
        """Whether a Newton step would gain next to nothing."""
        values, vectors = self._axes()
        along = self.slope[self.is_free] @ vectors
        return bool((along**2 / values).sum() / 2 < NEGLIGIBLE_GAIN)

    def log_errors(self, directions: np.ndarray) -> np.ndarray:
        """Standard errors along directions in the logarithms, by the inverse observed information.

        A parameter at a bound counts as known. NaN where a direction has no other, or where the
        data say next to nothing along it.

        Args:
            directions: One a row, shape (m, k); the rows of an identity are the parameters.
        """
        values, vectors = self._axes()
        free = directions[:, self.is_free]
        variance = (free @ vectors) ** 2 @ (1 / values)
        known = free.any(axis=1) & (variance < LARGEST_VARIANCE)
        return np.where(known, np.sqrt(variance), np.nan)

    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Information along the axes of its ellipse, and these axes as columns."""
        values, vectors = np.linalg.eigh(self.information[np.ix_(self.is_free, self.is_free)])
        return np.maximum(values, LEAST_INFORMATION), vectors


def maximise(
    likelihood: MeanLogLikelihood, starts: Sequence[Sequence[float]], customers: float
) -> Maximum:
    """Climb from the highest of the starting points (L-BFGS-B, Byrd et al. 1995).

    Args:
        likelihood: Log-likelihood per customer and its slope in the logarithms.
        starts: Parameters to begin with, each above 0.
        customers: How many there are.
    """
    points = [np.log(np.clip(start, 2 * LOW, HIGH / 2)) for start in starts]
    point = max(points, key=lambda one: likelihood(one)[0])

    def loss(one: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = likelihood(one)
        return -value, -slope

    bounds = [(np.log(LOW), np.log(HIGH))] * len(point)
    for _ in range(CLIMBS):
        point = minimize(loss, point, jac=True, method="L-BFGS-B", bounds=bounds, options=OPTIONS).x
        top = _examine(likelihood, point, customers)
        if top.converged:
            break
    return top


def _examine(likelihood: MeanLogLikelihood, point: np.ndarray, customers: float) -> Maximum:
    value, slope = likelihood(point)
    return Maximum(
        parameters=np.exp(point),
        log_likelihood=customers * value,
        slope=customers * slope,
        information=customers * _curvature(likelihood, point),
        is_free=(point > np.log(LOW) + EDGE) & (point < np.log(HIGH) - EDGE),
    )


def _curvature(likelihood: MeanLogLikelihood, point: np.ndarray) -> np.ndarray:
    """Minus the second derivatives: central differences of the exact slope, shape (k, k)."""
    steps = STEP * np.eye(len(point))
    rows = [likelihood(point - step)[1] - likelihood(point + step)[1] for step in steps]
    matrix = np.array(rows) / (2 * STEP)
    return (matrix + matrix.T) / 2
