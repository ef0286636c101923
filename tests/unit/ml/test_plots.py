"""What the drawings of a run say without the code."""

from __future__ import annotations

import numpy as np
import pytest

from ml.plots import decile_figure, gain_figure

ACTUAL = np.arange(1000.0)
FORECASTS = {"model": ACTUAL, "baseline": ACTUAL[::-1]}


@pytest.mark.parametrize("draw", [gain_figure, decile_figure])
def test_a_figure_names_title_count_axes_and_every_predictor(draw, tmp_path):
    figure = draw("90 days from 2024-07-01", ACTUAL, FORECASTS)
    words = {text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))}
    words |= {axes.get_title() for axes in figure.axes}
    for part in ("90 days from 2024-07-01", "n = 1,000", "model", "baseline", "revenue"):
        assert any(part in word for word in words), part
    figure.savefig(tmp_path / "figure.png")


def test_the_gain_figure_ends_at_everyone_and_all_the_spend():
    for line in gain_figure("spend", ACTUAL, FORECASTS).axes[0].get_lines():
        assert line.get_xydata()[-1].tolist() == pytest.approx([100, 100])


def test_a_window_without_spend_is_drawn_all_the_same(tmp_path):
    gain_figure("spend", np.zeros(20), {"model": np.arange(20.0)}).savefig(tmp_path / "empty.png")
