"""A level that is known from elsewhere, brought into a forecast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.forecast import Forecast, probabilities

SHARES = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=30)


@given(SHARES, st.floats(0.02, 0.98))
def test_probabilities_get_the_mean_asked_for_and_keep_their_order(shares, rate):
    before = np.array(shares)
    after = probabilities(before).with_mean(rate).predicted
    assert after.mean() == pytest.approx(rate, abs=1e-6)
    assert ((after >= 0) & (after <= 1)).all()
    assert (np.diff(after[np.argsort(before)]) >= -1e-12).all()


def test_a_factor_moves_amounts_and_their_intervals_but_not_whether_there_is_any():
    one = np.array([2.0])
    moved = Forecast(one, np.array([0.5]), one, one, one, one, one).times(3)
    assert moved.any_order_probability.tolist() == [0.5]
    for name in ("predicted", "low", "high", "if_any", "if_any_low", "if_any_high"):
        assert getattr(moved, name).tolist() == [6.0]
