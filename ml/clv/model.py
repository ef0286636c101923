"""The estimator of what customers will spend, or how often they will order.

Belongs here: the blend, its level and its intervals. Does not belong here: dates, backtests,
tracking, season.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from ml.btyd.bg_nbd import BetaGeoNBD
from ml.btyd.gamma_gamma import GammaGamma
from ml.errors import MlError
from ml.forecast import Forecast, amounts_alone
from ml.inputs import histories, inputs, spends
from ml.intervals import Expected, Spread, distance, spread
from ml.members import BOOSTING, TREES, chosen, filled, known_columns, splittable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

# Each third of the customers shows how far a forecast learnt from the others is off.
PARTS = 3
SMALLEST_SCALE = 0.05
# A dropout that would be found so often where nobody leaves is none.
CHANCE = 0.05


class CustomerValue(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A blend of four forecasts of an amount of at least zero.

    What each customer does relative to the others is the mean of four shares: buy till you die
    (rhythm and value alone), boosting with Poisson loss, a hurdle (whether they buy, times what they
    spend if so), and extremely randomised trees. The total is that of the Poisson boosting, the
    loss whose total is right on the rows it was fitted on, at the date it is made for.

    Attributes:
        inputs_: Names of the features used.
        orders_, values_: Buy till you die, None where there is no rhythm to learn.
        boosting_, buying_, if_buying_, trees_: The other members.
        levels_: What each member is multiplied with to have the level of `boosting_`.
        scale_, spread_edges_, spread_steps_: How buyers are spread around `if_buying_`, as in
            `Spread`; only for money.
    """

    def __init__(self, horizon_days: int = 90, *, is_count: bool = False) -> None:
        self.horizon_days = horizon_days
        self.is_count = is_count

    def fit(
        self,
        features: pd.DataFrame,
        amounts: np.ndarray,
        *,
        today: pd.DataFrame,
        customers: np.ndarray | None = None,
    ) -> Self:
        """Learn from closed windows.

        Args:
            features: Rows of the training dates, shape (n, features); somebody bought.
            amounts: What came, shape (n,); below zero, by returns, counts as nothing.
            today: Features of the customers of the date the forecast is made for, without a label.
            customers: Whose row it is, shape (n,), so that nobody is on both sides when the spread
                is learnt; each row is a customer of its own if not given.
        """
        amounts = np.clip(amounts, 0.0, None)
        rows = chosen(len(features))
        table = inputs(features.iloc[rows])
        self.inputs_ = known_columns(table)
        table, amounts = table[self.inputs_], amounts[rows]
        owners = np.arange(len(rows)) if customers is None else customers[rows]
        today = today.iloc[chosen(len(today))]
        self._fit_rhythm(today)
        self.boosting_ = _boosting("poisson").fit(table, amounts)
        self.buying_, self.if_buying_ = _hurdle(table, amounts)
        self.trees_ = ExtraTreesRegressor(**TREES).fit(filled(table), amounts)
        self._level(today)
        if not self.is_count:
            self._fit_spread(table, amounts, owners)
        return self

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        """Expect this amount of each customer, shape (n,)."""
        return self.forecast(features).predicted

    def forecast(self, features: pd.DataFrame) -> Forecast:
        """Give the amount to expect of each customer; money with its intervals.

        Args:
            features: As for `fit`.
        """
        table = inputs(features)[self.inputs_]
        probability, amount = _probability(self.buying_, table), self.if_buying_.predict(table)
        members = self._members(features, table, probability * amount)
        predicted = np.mean([members[name] * self.levels_[name] for name in self.levels_], axis=0)
        if self.is_count:
            return amounts_alone(predicted)
        expected = Expected(probability, amount, _in_scale(self.scale_, table))
        around = Spread(self.spread_edges_, self.spread_steps_)
        return Forecast(
            predicted,
            expected.probability,
            *around.overall(expected),
            expected.amount,
            *around.if_any(expected),
        )

    def findings(self) -> list[str]:
        """Say what the rhythm of the customers tells about them, in a few words each."""
        if self.orders_ is None:
            return ["nobody has a rhythm yet"]
        if self.orders_.dropout_p_value_ > CHANCE:
            return ["nobody is seen to leave for good"]
        share = self.orders_.dropout_
        return [f"{share:.1%} are seen to leave for good after an order"]

    def _fit_rhythm(self, today: pd.DataFrame) -> None:
        try:
            self.orders_: BetaGeoNBD | None = BetaGeoNBD().fit(histories(today))
            self.values_ = None if self.is_count else GammaGamma().fit(spends(today))
        except MlError:  # nobody has ordered twice, or all paid the same
            self.orders_, self.values_ = None, None

    def _members(
        self, features: pd.DataFrame, table: pd.DataFrame, hurdle: np.ndarray
    ) -> dict[str, np.ndarray]:
        members = {
            "boosting": self.boosting_.predict(table),
            "hurdle": hurdle,
            "trees": self.trees_.predict(filled(table)),
        }
        if self.orders_ is not None:
            rhythm = self.orders_.predict_orders(histories(features), self.horizon_days)
            value = 1.0 if self.values_ is None else self.values_.predict(spends(features))
            members["rhythm"] = rhythm * value
        return members

    def _level(self, today: pd.DataFrame) -> None:
        """Bring the members to one total on the customers of today; one that sees none is left out."""
        table = inputs(today)[self.inputs_]
        hurdle = _probability(self.buying_, table) * self.if_buying_.predict(table)
        members = self._members(today, table, hurdle)
        totals = {name: float(member.sum()) for name, member in members.items()}
        self.levels_ = {
            name: totals["boosting"] / total for name, total in totals.items() if total > 0
        }

    def _fit_spread(self, table: pd.DataFrame, amounts: np.ndarray, owners: np.ndarray) -> None:
        """Look at each part of the customers with a hurdle, then a scale, fitted without them."""
        part, bought = _parts(owners), amounts > 0
        probability, amount, scale = np.empty((3, len(table)))
        for held, seen in _turns(part, bought):
            buying, if_buying = _hurdle(table[seen], amounts[seen])
            probability[held] = _probability(buying, table[held])
            amount[held] = if_buying.predict(table[held])
        far = np.abs(distance(amount, amounts))
        for held, seen in _turns(part, bought):
            scale[held] = _in_scale(_scale(table[seen & bought], far[seen & bought]), table[held])
        self.scale_ = _scale(table[bought], far[bought])
        found = spread(Expected(probability, amount, scale), amounts, owners)
        self.spread_edges_, self.spread_steps_ = found.edges, found.steps


def _boosting(loss: str, **other: float) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(loss=loss, **BOOSTING | other)


def _hurdle(table: pd.DataFrame, amounts: np.ndarray) -> tuple[Any, HistGradientBoostingRegressor]:
    """Whether customers buy, and what they spend if they do."""
    bought = amounts > 0
    boosted = HistGradientBoostingClassifier(**BOOSTING)
    buying = (DummyClassifier() if bought.all() else boosted).fit(splittable(table), bought)
    if_buying = _boosting("poisson")
    return buying, if_buying.fit(splittable(table[bought]), amounts[bought])


def _scale(table: pd.DataFrame, far: np.ndarray) -> HistGradientBoostingRegressor:
    """How far off the forecast of a buyer usually is."""
    return _boosting("squared_error", learning_rate=0.1, max_leaf_nodes=6).fit(
        splittable(table), far
    )


def _in_scale(scale: HistGradientBoostingRegressor, table: pd.DataFrame) -> np.ndarray:
    """Never so small that nobody could be that regular."""
    usual: np.ndarray = np.maximum(scale.predict(table), SMALLEST_SCALE)
    return usual


def _parts(owners: np.ndarray) -> np.ndarray:
    """Put each customer, with all rows, in one of `PARTS` parts, the same one each time."""
    _, owner = np.unique(owners, return_inverse=True)
    part: np.ndarray = (np.random.default_rng(0).permutation(owner.max() + 1) % PARTS)[owner]
    return part


def _turns(part: np.ndarray, bought: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each part, and the rows to learn from: all others, or all where no other has a buyer."""
    for number in range(PARTS):
        held = part == number
        if held.any():
            yield held, ~held if bought[~held].any() else np.ones(len(part), dtype=bool)


def _probability(buying: Any, table: pd.DataFrame) -> np.ndarray:
    probability: np.ndarray = buying.predict_proba(table)[:, -1]
    return probability
