"""What the drawings of a run say without the code."""

from __future__ import annotations

import numpy as np
import pytest

from ml.evaluation import coverage_by_decile
from ml.plots import calibration_figure, coverage_figure, decile_figure, gain_figure

ACTUAL = np.arange(1000.0)
FORECASTS = {"model": ACTUAL, "baseline": ACTUAL[::-1]}
CHANCE = (np.arange(1000) + 0.5) / 1000
ORDERED = (np.arange(1000) * 7919 % 1000 < np.arange(1000)).astype(float)


def words(figure) -> set[str]:
    texts = {text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))}
    return texts | {axes.get_title() for axes in figure.axes}


def tells(figure, *parts: str) -> None:
    for part in parts:
        assert any(part in word for word in words(figure)), part


@pytest.mark.parametrize("draw", [gain_figure, decile_figure])
def test_a_figure_names_title_count_axes_unit_and_every_predictor(draw, tmp_path):
    figure = draw("90 days from 2024-07-01", ACTUAL, FORECASTS)
    tells(figure, "90 days from 2024-07-01", "n = 1,000", "model", "baseline", "revenue")
    figure.savefig(tmp_path / "figure.png")
    tells(draw("90 days", ACTUAL, FORECASTS, unit="orders"), "orders")


def test_the_gain_figure_ends_at_everyone_and_all_the_spend():
    for line in gain_figure("spend", ACTUAL, FORECASTS).axes[0].get_lines():
        assert line.get_xydata()[-1].tolist() == pytest.approx([100, 100])


@pytest.mark.parametrize("baselines", [0, 1, 2, 3, 7])
def test_the_decile_figure_has_the_model_and_the_best_three_baselines_and_fits_a_page(baselines):
    rng = np.random.default_rng(0)
    worse = {f"noise_{n}": ACTUAL + rng.normal(0, 300 * n, 1000) for n in range(baselines, 0, -1)}
    figure = decile_figure("spend", ACTUAL, {"model": -ACTUAL, **worse})
    drawn = [axes.get_title() for axes in figure.axes if axes.axison]
    assert drawn == ["model", *(f"noise_{n}" for n in range(1, min(baselines, 3) + 1))]
    assert figure.get_size_inches()[0] <= 9


def test_a_window_without_spend_is_drawn_all_the_same(tmp_path):
    nothing, forecasts = np.zeros(20), {"model": np.arange(20.0), "baseline": np.ones(20)}
    gain_figure("spend", nothing, forecasts).savefig(tmp_path / "gain.png")
    decile_figure("spend", nothing, forecasts).savefig(tmp_path / "deciles.png")


def test_the_calibration_figure_has_a_point_with_its_interval_per_tenth(tmp_path):
    told = coverage_by_decile(CHANCE, ORDERED, None, None, None, None)
    figure = calibration_figure("30 days from 2024-07-01", told)
    tells(figure, "30 days from 2024-07-01", "n = 1,000", "probability", "ordered", "95 %")
    points = figure.axes[0].get_lines()[0].get_xydata()
    assert points == pytest.approx(100 * told[["predicted_rate", "actual_rate"]].to_numpy())
    figure.savefig(tmp_path / "calibration.png")


def test_the_coverage_figure_tells_all_customers_and_buyers_apart_with_the_line_to_reach(tmp_path):
    spend = 10 * ORDERED
    told = coverage_by_decile(CHANCE, spend, spend - 1, spend + 1, spend - 1, spend + CHANCE - 0.5)
    figure = coverage_figure("30 days from 2024-07-01", told)
    tells(figure, "30 days from 2024-07-01", "n = 1,000", "80 %", "all customers", "who ordered")
    everyone, buyers, line = figure.axes[0].get_lines()
    assert everyone.get_ydata() == pytest.approx(np.full(10, 100))
    assert buyers.get_ydata() == pytest.approx(100 * told["if_any_coverage_rate"], nan_ok=True)
    assert set(line.get_ydata()) == {80}
    figure.savefig(tmp_path / "coverage.png")


def test_figures_without_intervals_or_buyers_are_drawn_all_the_same(tmp_path):
    told = coverage_by_decile(CHANCE, np.zeros(1000), None, None, None, None)
    coverage_figure("30 days", told).savefig(tmp_path / "coverage.png")
    calibration_figure("30 days", told).savefig(tmp_path / "calibration.png")
