"""Drawings of a backtest, for the tracked run.

Belongs here: figures built without a screen and without matplotlib's global state. Does not belong
here: what is drawn (`ml.evaluation`) and where it is kept (`ml.tracking`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ml.evaluation import DECILES, decile_totals, gain_curve, ngini

if TYPE_CHECKING:
    from collections.abc import Mapping

# Building the font cache on a fresh machine is announced as a warning, which means nothing here.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def gain_figure(title: str, actual: np.ndarray, forecasts: Mapping[str, np.ndarray]) -> Figure:
    """Draw which share of spend the customers at the top of each forecast made.

    Args:
        title: What was predicted, and when.
        actual: Money per customer, shape (n,).
        forecasts: Forecast per customer by predictor, the model first.
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for name, predicted in forecasts.items():
        people, money = gain_curve(actual, predicted)
        axes.plot(100 * people, 100 * money, label=f"{name}, ngini {ngini(actual, predicted):.3f}")
    people, money = gain_curve(actual, actual)
    axes.plot(100 * people, 100 * money, color="grey", linestyle="--", label="perfect ranking")
    axes.plot([0, 100], [0, 100], color="grey", linestyle=":", label="no ranking")
    axes.set_title(f"{title}, n = {len(actual):,}")
    axes.set_xlabel("customers, from the highest forecast (%)")
    axes.set_ylabel("share of actual net revenue (%)")
    axes.legend(loc="lower right")
    return figure


def decile_figure(title: str, actual: np.ndarray, forecasts: Mapping[str, np.ndarray]) -> Figure:
    """Draw forecast against actual in each decile, one panel per predictor.

    Args:
        title: What was predicted, and when.
        actual: Money per customer, shape (n,).
        forecasts: Forecast per customer by predictor, the model first.
    """
    figure = Figure(figsize=(4 * len(forecasts), 4), layout="constrained")
    panels = figure.subplots(1, len(forecasts), sharey=True, squeeze=False)[0]
    deciles = np.arange(1, DECILES + 1)
    for axes, (name, predicted) in zip(panels, forecasts.items(), strict=True):
        forecast_total, actual_total = decile_totals(actual, predicted)
        axes.bar(deciles - 0.2, forecast_total, width=0.4, label="forecast")
        axes.bar(deciles + 0.2, actual_total, width=0.4, label="actual", color="grey")
        axes.set_title(name)
        axes.set_xlabel("decile (1 = highest forecast)")
        axes.set_xticks(deciles)
    panels[0].set_ylabel("net revenue (reporting currency)")
    panels[0].yaxis.set_major_formatter("{x:,.0f}")
    panels[0].legend()
    figure.suptitle(f"{title}, n = {len(actual):,}")
    return figure
