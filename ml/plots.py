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

    import pandas as pd

PANELS = 4
COVERAGE = 80
# Building the font cache on a fresh machine is announced as a warning, which means nothing here.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def gain_figure(
    title: str,
    actual: np.ndarray,
    forecasts: Mapping[str, np.ndarray],
    unit: str = "net revenue",
) -> Figure:
    """Draw which share of what came was due to the customers at the top of each forecast.

    Args:
        title: What was predicted, and when.
        actual: What came per customer, shape (n,).
        forecasts: Forecast per customer by predictor, the model first.
        unit: What was predicted, in words.
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for number, (name, predicted) in enumerate(forecasts.items()):
        people, found = gain_curve(actual, predicted)
        label = f"{name}, ngini {ngini(actual, predicted):.3f}"
        axes.plot(100 * people, 100 * found, label=label, linewidth=1 if number else 2.5)
    people, found = gain_curve(actual, actual)
    axes.plot(100 * people, 100 * found, color="grey", linestyle="--", label="perfect ranking")
    axes.plot([0, 100], [0, 100], color="grey", linestyle=":", label="no ranking")
    axes.set_title(f"{title}, n = {len(actual):,}")
    axes.set_xlabel("customers, from the highest forecast (%)")
    axes.set_ylabel(f"share of actual {unit} (%)")
    axes.legend(loc="lower right", fontsize="small")
    return figure


def decile_figure(
    title: str,
    actual: np.ndarray,
    forecasts: Mapping[str, np.ndarray],
    unit: str = "net revenue",
) -> Figure:
    """Draw forecast against actual in each decile, for the model and the three best baselines.

    Args:
        title: What was predicted, and when.
        actual: What came per customer, shape (n,).
        forecasts: Forecast per customer by predictor, the model first.
        unit: What was predicted, in words.
    """
    shown = _best(actual, forecasts)
    rows, columns = -(-len(shown) // 2), min(len(shown), 2)
    figure = Figure(figsize=(4.5 * columns, 0.5 + 3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    deciles = np.arange(1, DECILES + 1)
    for axes, name in zip(panels.flat, shown, strict=False):
        forecast_total, actual_total = decile_totals(actual, forecasts[name])
        axes.bar(deciles - 0.2, forecast_total, width=0.4, label="forecast")
        axes.bar(deciles + 0.2, actual_total, width=0.4, label="actual", color="grey")
        axes.set_title(name, fontsize="medium")
        axes.set_xticks(deciles)
        axes.yaxis.set_major_formatter("{x:,.0f}")
    for axes in panels.flat[len(shown) :]:
        axes.set_axis_off()
    panels[0, 0].legend()
    figure.supxlabel("decile (1 = highest forecast)", fontsize="medium")
    figure.supylabel(unit, fontsize="medium")
    figure.suptitle(f"{title}, n = {len(actual):,}")
    return figure


def calibration_figure(title: str, by_decile: pd.DataFrame) -> Figure:
    """Draw the share of customers who ordered against the probability said, with its interval.

    Args:
        title: What was predicted, and when.
        by_decile: As `ml.evaluation.coverage_by_decile` returns it.
    """
    figure = Figure(figsize=(6, 5.5), layout="constrained")
    axes = figure.subplots()
    said, came, low, high = (
        100 * by_decile[column].to_numpy(dtype=float)
        for column in ("predicted_rate", "actual_rate", "actual_low_rate", "actual_high_rate")
    )
    axes.errorbar(
        said,
        came,
        yerr=np.maximum([came - low, high - came], 0),
        fmt="o-",
        capsize=3,
        label="a tenth of the customers, with the 95 % interval of its share",
    )
    end = max(said.max(), high.max()) if len(said) else 100
    axes.plot([0, end], [0, end], color="grey", linestyle="--", label="right")
    axes.set_title(f"{title}, n = {by_decile['customers_count'].sum():,}")
    axes.set_xlabel("mean probability of an order (%)")
    axes.set_ylabel("customers who ordered (%)")
    axes.legend(loc="upper left", fontsize="small")
    return figure


def coverage_figure(title: str, by_decile: pd.DataFrame) -> Figure:
    """Draw how often the 80 % intervals held, for all customers and for those who ordered.

    Args:
        title: What was predicted, and when.
        by_decile: As `ml.evaluation.coverage_by_decile` returns it.
    """
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    deciles = by_decile["decile"].to_numpy()
    rates = {
        "interval of the forecast, all customers": "coverage_rate",
        "interval if there is an order, customers who ordered": "if_any_coverage_rate",
    }
    for label, column in rates.items():
        axes.plot(deciles, 100 * by_decile[column], "o-", label=label)
    at_zero = 100 * by_decile["at_zero_rate"]
    axes.bar(deciles, at_zero, color="lightgrey", label="interval is 0 to 0")
    axes.axhline(COVERAGE, color="grey", linestyle="--", label=f"{COVERAGE} %")
    axes.set_title(f"{title}, n = {by_decile['customers_count'].sum():,}")
    axes.set_xlabel("tenth of the customers (1 = highest probability of an order)")
    axes.set_ylabel("customers (%)")
    axes.set_xticks(deciles)
    axes.set_ylim(0, 105)
    figure.legend(loc="outside lower center", fontsize="small", ncols=2)
    return figure


def _best(actual: np.ndarray, forecasts: Mapping[str, np.ndarray]) -> list[str]:
    """Name the model and the three baselines that rank best."""
    model, *baselines = forecasts
    ranking = {name: np.nan_to_num(ngini(actual, forecasts[name])) for name in baselines}
    return [model, *sorted(baselines, key=lambda name: -ranking[name])[: PANELS - 1]]
