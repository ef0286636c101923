"""How far customers have moved, against known truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.drift import reference, stability_index
from tests.conftest import cases

VALUES = arrays(
    float, st.integers(1, 60), elements=st.one_of(st.integers(0, 5).map(float), st.just(np.nan))
)


def index(then: np.ndarray, now: np.ndarray) -> float:
    kept = reference(pd.DataFrame({"x": then}))
    return stability_index(kept, pd.DataFrame({"x": now}))["x"]


@settings(max_examples=cases(100), deadline=None)
@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_the_same_rows_have_not_moved_in_any_order_and_no_distance_is_negative(then, now, random):
    shuffled = then[random.sample(range(len(then)), len(then))]
    assert index(then, shuffled) == pytest.approx(0, abs=1e-12)
    assert np.isfinite(index(then, now))
    assert index(then, now) >= 0


@settings(max_examples=cases(100), deadline=None)
@given(VALUES)
def test_the_shares_of_all_bins_add_up_to_one(values):
    kept = reference(pd.DataFrame({"x": values}))["x"]
    assert kept["shares"].sum() == pytest.approx(1)
    assert len(kept["shares"]) == 2 * len(kept["edges"]) + 2


def test_an_index_worked_by_hand():
    then, now = np.repeat([0.0, 1.0], [60, 40]), np.repeat([0.0, 1.0], [30, 70])
    expected = 0.3 * np.log(60 / 30) + 0.3 * np.log(70 / 40)
    assert index(then, now) == pytest.approx(expected)


def test_a_shift_grows_with_its_size_and_a_new_sample_of_the_same_is_stable():
    rng = np.random.default_rng(1)
    then, now = rng.normal(size=(2, 5000))
    by_shift = [index(then, now + shift) for shift in (0, 0.2, 0.5, 1.0)]
    assert by_shift == sorted(by_shift)
    assert by_shift[0] < 0.02
    assert by_shift[2] > 0.2


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (np.repeat([0.0, 1.0], [95, 5]), np.repeat([0.0, 1.0], [40, 60])),
        (np.repeat([0.0, 1.0], [5, 95]), np.repeat([0.0, 1.0], [60, 40])),
        (np.full(100, 1.0), np.full(100, 0.0)),
        (np.repeat([1.0, np.nan], [90, 10]), np.repeat([1.0, np.nan], [10, 90])),
        (np.full(100, np.nan), np.full(100, 3.0)),
    ],
    ids=["mostly 0", "mostly 1", "constant", "missing now", "missing then"],
)
def test_a_change_in_a_value_that_nearly_all_share_is_seen(then, now):
    assert index(then, now) > 0.25


def test_each_feature_has_its_own_index_and_scores_are_one_more_column():
    rng = np.random.default_rng(2)
    then = pd.DataFrame({"kept": rng.random(500), "moved": rng.random(500), "flag": True})
    kept = reference(then.assign(score=rng.random(500)))
    now = then.assign(moved=then["moved"] + 1, score=2.0)
    told = stability_index(kept, now)
    assert list(told) == ["kept", "moved", "flag", "score"]
    assert told["kept"] == told["flag"] == 0
    assert min(told["moved"], told["score"]) > 1


def test_without_rows_nothing_is_known_and_a_reference_is_plain_arrays():
    assert np.isnan(index(np.arange(5.0), np.empty(0)))
    for kept in reference(pd.DataFrame({"x": np.arange(30.0)})).values():
        assert {name: type(values) for name, values in kept.items()} == {
            "edges": np.ndarray,
            "shares": np.ndarray,
        }
