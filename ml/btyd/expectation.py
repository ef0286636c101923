"""How many orders to expect of a customer who has not left, without overflow.

Belongs here: the one integral of the BG/NBD that needs care. Does not belong here: whether the
customer has left, and the fit.
"""

from __future__ import annotations

import numpy as np
from scipy.special import hyp2f1

# The hypergeometric function overflows where shapes are large and loses digits where waits are short;
# quadrature is good at both. Held against fifty digits over a wide grid, they agree to nine digits
# nearly always and to four at least.
HYPERGEOMETRIC_LIMIT = 50.0
SHORT_WAIT = 1e-4
REMOVABLE = 1e-4
NODES = 32
TINY = 1e-300


def orders_if_alive(
    frequency: np.ndarray, waits: np.ndarray, r: float, a: float, b: float
) -> np.ndarray:
    """Expect so many orders of a customer who is alive, shape (n,).

    It is the mean of [1 - (1 + p t / (alpha + T))^-(r + x)] / p over the dropout p, which is
    beta(a, b + x) after x orders that did not end it.

    Args:
        frequency: x, shape (n,).
        waits: t / (alpha + T), shape (n,).
        r: Shape of the order rates.
        a: First shape of the dropout.
        b: Second shape of the dropout.
    """
    by_quadrature = (waits < SHORT_WAIT) | (a + b > HYPERGEOMETRIC_LIMIT)
    orders = np.empty(len(frequency))
    for chosen, formula in ((by_quadrature, _by_quadrature), (~by_quadrature, _by_hypergeometric)):
        orders[chosen] = formula(frequency[chosen], waits[chosen], r, a, b)
    return np.maximum(orders, 0.0)


def _by_hypergeometric(
    frequency: np.ndarray, waits: np.ndarray, r: float, a: float, b: float
) -> np.ndarray:
    """Equation (10), or the mean of both sides where it has a limit and no value.

    It is 0 / 0 where a or a + b is 1; where r - a is whole, SciPy's 2F1 overflows for many orders.
    """
    if min(abs(a - 1), abs(a + b - 1), abs(r - a - round(r - a))) > REMOVABLE:
        return _euler(frequency, waits, r, a, b)
    below = _euler(frequency, waits, r, a - 2 * REMOVABLE, b)
    above = _euler(frequency, waits, r, a + 2 * REMOVABLE, b)
    middle: np.ndarray = (below + above) / 2
    return middle


def _euler(frequency: np.ndarray, waits: np.ndarray, r: float, a: float, b: float) -> np.ndarray:
    """Equation (10) by the Euler transform of its 2F1, in which x stands in the last place only.

    The paper's own form multiplies an overflow by an underflow from about 300 orders on.
    """
    last = a + b + frequency - 1
    series = hyp2f1(a - 1, a + b - 1 - r, last, waits / (1 + waits))
    orders: np.ndarray = last / (a - 1) * (1 - (1 + waits) ** (1 - a) * series)
    return orders


def _by_quadrature(
    frequency: np.ndarray, waits: np.ndarray, r: float, a: float, b: float
) -> np.ndarray:
    """The mean itself, by Gauss-Jacobi quadrature."""
    distinct, at = np.unique(frequency, return_inverse=True)
    dropouts, shares = _jacobi(a, b + distinct)
    orders = np.zeros(len(frequency))
    for point, share in zip(dropouts, shares, strict=True):
        dropout = point[at]
        orders -= share[at] * np.expm1(-(r + frequency) * np.log1p(dropout * waits)) / dropout
    return orders


def _jacobi(a: float, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points in (0, 1) and their shares in a mean over beta(a, b), shape (NODES, m) for b of (m,).

    Eigenvalues of the three-term recurrence (Golub and Welsch, 1969).
    """
    k, total = np.arange(1, NODES), (a + b)[:, None]
    twice = 2 * k + total - 2
    diagonal = np.hstack(
        [(2 * a - total) / total, (2 * a - total) * (total - 2) / (twice * (twice + 2))]
    )
    beside = 4 * k * (k + b[:, None] - 1) * (k + a - 1) / (twice**2 * (twice + 1))
    # The first of these factors is 1 whatever the shapes, and 0 / 0 where they add up to 1.
    beside[:, 1:] *= (k[1:] + total - 2) / (twice[:, 1:] - 1)
    matrices = np.zeros((len(b), NODES, NODES))
    matrices[:, range(NODES), range(NODES)] = (1 + diagonal) / 2
    matrices[:, range(1, NODES), range(NODES - 1)] = np.sqrt(beside) / 2
    points, vectors = np.linalg.eigh(matrices)
    return np.maximum(points, TINY).T, (vectors[:, 0, :] ** 2).T
