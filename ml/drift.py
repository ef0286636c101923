"""How far the customers of today are from those a model was made for.

Belongs here: the distribution of each feature over the customers of one day, and its
distance to that of another.
Does not belong here: what distance is too far, and the table it is told in. The scores of a model
are one more column.

A reference holds arrays only, so that it can be kept inside a saved estimator.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

DECILES = 10
# A bin that is empty on one side would be infinitely far away.
FLOOR = 1e-4

Reference = dict[str, dict[str, np.ndarray]]


def reference(features: pd.DataFrame) -> Reference:
    """Keep the decile edges of each feature and the share of rows in each bin.

    Args:
        features: Numbers, one row per customer; NaN is a bin of its own.

    Returns:
        By feature, `edges` of shape (k,) with k up to 9 and `shares` of shape (2 k + 2,).
    """
    return {str(name): _distribution(_numbers(features[name])) for name in features}


def stability_index(reference: Reference, features: pd.DataFrame) -> dict[str, float]:
    """Measure how far each feature has moved: the population stability index.

    It is the sum over bins of (p - q) ln(p / q), 0 where nothing moved (Siddiqi, 2006, "Credit Risk
    Scorecards"; below 0.1 is usually called stable, above 0.25 a shift). Between two small samples
    of one population it is about the number of bins times (1/n + 1/m). NaN without rows.

    Args:
        reference: Of the day the model was made for.
        features: The same features now, one row per customer.
    """
    return {
        name: _distance(kept["shares"], _shares(kept["edges"], _numbers(features[name])))
        for name, kept in reference.items()
    }


def _distribution(values: np.ndarray) -> dict[str, np.ndarray]:
    known = values[~np.isnan(values)]
    inner = np.arange(1, DECILES) / DECILES
    edges = np.unique(np.quantile(known, inner)) if len(known) else np.empty(0)
    return {"edges": edges, "shares": _shares(edges, values)}


def _shares(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of the values below, at and between the edges, and missing, shape (2 k + 2,).

    A value equal to an edge is in the edge's own bin: most features have a few values that many
    customers share, such as 0, and what lies on either side of them is another matter.
    """
    missing = 2 * len(edges) + 1
    bins = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
    counts = np.bincount(np.where(np.isnan(values), missing, bins), minlength=missing + 1)
    return counts / len(values) if len(values) else np.full(missing + 1, np.nan)


def _distance(then: np.ndarray, now: np.ndarray) -> float:
    then, now = np.maximum(then, FLOOR), np.maximum(now, FLOOR)
    return float(((now - then) * np.log(now / then)).sum())


def _numbers(values: pd.Series) -> np.ndarray:
    return values.to_numpy(dtype=float, na_value=np.nan)
