"""What a model has to beat: simple forecasts of the same answer.

Belongs here: the baselines, and which of them a question has. Does not belong here: the choice of
the best one (`ml.gate`) and its figures (`ml.evaluation`).

A baseline repeats an earlier window of the customer's own, or follows a rule of the own features,
or expects what came of the customers in the same cell. The last kind is learnt from labelled rows.
The others need none, and are what is served, labelled as such, while no model has earned its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml.btyd.bg_nbd import BetaGeoNBD
from ml.btyd.gamma_gamma import GammaGamma
from ml.btyd.value import predict_spend
from ml.errors import MlError
from ml.inputs import histories, spends

if TYPE_CHECKING:
    from ml.questions import Question

# From features, one row per customer, and days to forecast, to one number per customer.
Rule = Callable[[pd.DataFrame, int], np.ndarray | pd.Series]
# From training features and features to the cell each customer of the latter is in, below CELLS.
Cells = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]

RFM_BINS = 5
RECENCY_BINS = 10
CELLS = RFM_BINS**3
# A cell of two customers who both ordered does not make an order certain.
PRIOR_ROWS = 10


@dataclass(frozen=True)
class Baseline:
    """A simple forecast, of exactly one of three kinds.

    Attributes:
        name: The predictor's name in every table.
        windows: Features that count in an earlier window, by its days; the longest that is no
            longer than the horizon is repeated at its daily rate.
        rule: What is expected by the customer's features.
        cells: How customers are grouped; each is expected to do as its cell did.
    """

    name: str
    windows: Mapping[int, str] | None = None
    rule: Rule | None = None
    cells: Cells | None = None

    @property
    def needs_labels(self) -> bool:
        """Whether it is learnt from outcomes, and so is not served by itself."""
        return self.cells is not None

    def is_offered(self, features: pd.DataFrame, horizon_days: int) -> bool:
        """Say whether these features know of the window it repeats, if it repeats one."""
        if self.windows is None:
            return True
        column = self.windows[_window_days(self.windows, horizon_days)]
        return column in features and bool(features[column].notna().any())


def baselines_for(question: Question, features: pd.DataFrame) -> tuple[Baseline, ...]:
    """List the baselines of a question that these features allow.

    Args:
        question: What is predicted.
        features: Of the customers to predict, one row each.
    """
    return tuple(
        baseline
        for baseline in BASELINES[question.target]
        if baseline.is_offered(features, question.horizon_days)
    )


def served_baseline(name: str | None, question: Question, features: pd.DataFrame) -> Baseline:
    """Give the baseline of this name where it can be served, else the question's usual one.

    Args:
        name: The best in a backtest, None without any.
        question: What is predicted.
        features: Of the customers to predict, one row each.
    """
    offered = {
        baseline.name: baseline
        for baseline in baselines_for(question, features)
        if not baseline.needs_labels
    }
    return offered[name if name in offered else USUAL[question.target]]


def forecast(
    baseline: Baseline,
    train_features: pd.DataFrame | None,
    train_actual: np.ndarray | None,
    today_features: pd.DataFrame,
    question: Question,
) -> np.ndarray:
    """Forecast each customer, shape (n,): never negative and never missing.

    Args:
        baseline: One of the question's.
        train_features: Labelled rows, m of them; None will do unless it needs labels.
        train_actual: What came of them, 0 or 1 for a probability, shape (m,).
        today_features: Of the customers to predict, n rows.
        question: What is predicted.
    """
    expected: np.ndarray | pd.Series
    if baseline.windows is not None:
        expected = _repeat(baseline.windows, today_features, question.horizon_days)
    elif baseline.rule is not None:
        expected = baseline.rule(today_features, question.horizon_days)
    else:
        expected = _mean_of_cell(baseline, train_features, train_actual, today_features)
    known: np.ndarray = np.nan_to_num(np.asarray(expected, dtype=float))
    return known.clip(min=0.0)


def own_rate(features: pd.DataFrame, horizon_days: int) -> pd.Series:
    """Expect orders at the customer's own rate.

    The rate is measured over the days since the first order, and over one horizon at least:
    a single order of yesterday is not one order a day.
    """
    observed_days = features["tenure_days"].clip(lower=horizon_days)
    return features["orders_count"] / observed_days * horizon_days


def any_order_at_own_rate(features: pd.DataFrame, horizon_days: int) -> pd.Series:
    """Expect an order as a Poisson process of the own rate has one."""
    chance: pd.Series = -np.expm1(-own_rate(features, horizon_days))
    return chance


def rate_times_basket(features: pd.DataFrame, horizon_days: int) -> pd.Series:
    """Expect the own order rate times the own mean basket."""
    return own_rate(features, horizon_days) * features["basket_mean_amount"]


def _btyd(predict: Rule, otherwise: Rule) -> Rule:
    """Make the rule of a model fitted on the very customers it predicts, as they stand.

    Who has never ordered has no rhythm, and nothing is expected of them. Where the model cannot be
    fitted, as nobody has ordered on two days, another rule stands in for all.
    """

    def rule(features: pd.DataFrame, horizon_days: int) -> np.ndarray | pd.Series:
        has_ordered = (features["order_days_count"] > 0).to_numpy()
        expected = np.zeros(len(features))
        try:
            expected[has_ordered] = predict(features[has_ordered], horizon_days)
        except MlError:
            return otherwise(features, horizon_days)
        return expected

    return rule


def _btyd_spend(features: pd.DataFrame, horizon_days: int) -> np.ndarray:
    """BG/NBD of days with an order times gamma-gamma of the spend on one."""
    seen, paid = histories(features), spends(features)
    orders, values = BetaGeoNBD().fit(seen), GammaGamma().fit(paid)
    return predict_spend(orders, values, seen, paid, horizon_days)


def _btyd_orders(features: pd.DataFrame, horizon_days: int) -> np.ndarray:
    """BG/NBD of days with an order, times how many orders all customers make on one."""
    seen = histories(features)
    days: np.ndarray = BetaGeoNBD().fit(seen).predict_orders(seen, horizon_days)
    return days * (features["orders_count"].sum() / features["order_days_count"].sum())


def _btyd_any_order(features: pd.DataFrame, horizon_days: int) -> np.ndarray:
    """BG/NBD probability of at least one day with an order."""
    seen = histories(features)
    return BetaGeoNBD().fit(seen).predict_any_order(seen, horizon_days)


def _everyone(_train: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    return np.zeros(len(features), dtype=int)


def _recency(train: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Tenths of the training rows by days since the last order."""
    return _bins(train["recency_days"], features["recency_days"], RECENCY_BINS, np.inf)


def _rfm(train: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Fifths by recency, by orders and by spend, all combined (Hughes, 1994).

    Orders and spend are ranked among the customers of the same time, since both grow with the
    history: by the edges of earlier customers nearly everybody would be a heavy buyer.
    """
    recency = _bins(train["recency_days"], features["recency_days"], RFM_BINS, np.inf)
    orders, amounts = features["orders_count"], features["net_revenue_amount"]
    frequency = _bins(orders, orders, RFM_BINS, 0.0)
    spend = _bins(amounts, amounts, RFM_BINS, 0.0)
    cells: np.ndarray = (recency * RFM_BINS + frequency) * RFM_BINS + spend
    return cells


def _bins(known: pd.Series, values: pd.Series, count: int, missing: float) -> np.ndarray:
    """Which quantile bin of the known values each value is in, from 0, shape (n,).

    What is beyond all known values belongs to the last bin that has any.
    """
    known = known.fillna(missing)
    inner = np.arange(1, count) / count
    edges = np.unique(np.quantile(known, inner, method="lower")) if len(known) else np.empty(0)
    edges = edges[edges < known.max()]
    bins: np.ndarray = np.searchsorted(edges, values.fillna(missing), side="left")
    return bins


def _mean_of_cell(
    baseline: Baseline,
    train_features: pd.DataFrame | None,
    train_actual: np.ndarray | None,
    features: pd.DataFrame,
) -> np.ndarray:
    """Mean outcome of the training rows in the same cell, the fewer the nearer to that of all."""
    if baseline.cells is None or train_features is None or train_actual is None:
        raise ValueError(f"{baseline.name} is learnt from labelled rows")
    learnt = baseline.cells(train_features, train_features)
    totals = np.bincount(learnt, train_actual, CELLS) + PRIOR_ROWS * train_actual.mean()
    means: np.ndarray = totals / (np.bincount(learnt, minlength=CELLS) + PRIOR_ROWS)
    return means[baseline.cells(train_features, features)]


def _repeat(windows: Mapping[int, str], features: pd.DataFrame, horizon_days: int) -> pd.Series:
    days = _window_days(windows, horizon_days)
    return features[windows[days]] * (horizon_days / days)


def _window_days(windows: Mapping[int, str], horizon_days: int) -> int:
    return max((days for days in windows if days <= horizon_days), default=min(windows))


_LEARNT = (
    Baseline("rfm_cell", cells=_rfm),
    Baseline("recency", cells=_recency),
    Baseline("constant", cells=_everyone),
)
# One year ago, the window of a year was the one that ends today.
BASELINES = {
    "net_revenue": (
        Baseline("same_spend_as_last_window", windows={90: "net_revenue_90d_amount"}),
        Baseline("rate_times_basket", rule=rate_times_basket),
        Baseline(
            "same_window_last_year",
            windows={
                30: "net_revenue_last_year_30d_amount",
                90: "net_revenue_last_year_90d_amount",
                365: "net_revenue_365d_amount",
            },
        ),
        Baseline("buy_till_you_die", rule=_btyd(_btyd_spend, otherwise=rate_times_basket)),
        *_LEARNT,
    ),
    "orders": (
        Baseline("same_orders_as_last_window", windows={90: "orders_90d_count"}),
        Baseline("own_rate", rule=own_rate),
        Baseline(
            "same_window_last_year",
            windows={
                30: "orders_last_year_30d_count",
                90: "orders_last_year_90d_count",
                365: "orders_365d_count",
            },
        ),
        Baseline("buy_till_you_die", rule=_btyd(_btyd_orders, otherwise=own_rate)),
        *_LEARNT,
    ),
    "any_order": (
        Baseline("own_rate", rule=any_order_at_own_rate),
        Baseline("buy_till_you_die", rule=_btyd(_btyd_any_order, otherwise=any_order_at_own_rate)),
        *_LEARNT,
    ),
}
USUAL = {
    "net_revenue": "rate_times_basket",
    "orders": "own_rate",
    "any_order": "buy_till_you_die",
}
SERVED = frozenset(
    baseline.name
    for baselines in BASELINES.values()
    for baseline in baselines
    if not baseline.needs_labels
)
