"""The as-of grid and the rolling cut-offs."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ml.splits import CutOff, cut_offs, refusal, training_dates

FIRST_DAY = date(2017, 1, 1)
AS_OF = date(2018, 1, 2)
GRID = (
    date(2017, 4, 6),
    date(2017, 5, 6),
    date(2017, 6, 5),
    date(2017, 7, 5),
    date(2017, 8, 4),
    date(2017, 9, 3),
    date(2017, 10, 3),
)
HISTORIES = {
    "first_day": st.dates(date(2015, 1, 1), date(2020, 1, 1)),
    "history_days": st.integers(0, 900),
    "horizon_days": st.integers(1, 400),
}


def test_a_year_of_orders_gives_seven_dates_thirty_days_apart():
    assert training_dates(FIRST_DAY, AS_OF, 90) == GRID


def test_the_newest_three_dates_with_a_label_closed_before_them_are_tested():
    assert cut_offs(GRID, 90) == (
        CutOff(GRID[4], GRID[:2]),
        CutOff(GRID[5], GRID[:3]),
        CutOff(GRID[6], GRID[:4]),
    )


def test_cut_offs_do_not_depend_on_the_order_of_the_dates():
    assert cut_offs(GRID[::-1], 90) == cut_offs(GRID, 90)


@given(**HISTORIES)
def test_every_label_closes_before_the_last_day_seen_and_has_a_horizon_behind_it(
    first_day, history_days, horizon_days
):
    as_of, horizon = first_day + timedelta(history_days), timedelta(horizon_days)
    for day in training_dates(first_day, as_of, horizon_days):
        assert day + horizon <= as_of - timedelta(days=1)
        assert day - horizon >= first_day


@given(**HISTORIES)
def test_no_training_label_reaches_past_its_test_date(first_day, history_days, horizon_days):
    as_of = first_day + timedelta(history_days)
    for cut_off in cut_offs(training_dates(first_day, as_of, horizon_days), horizon_days):
        assert cut_off.train_dates
        assert max(cut_off.train_dates) + timedelta(horizon_days) <= cut_off.test_date


@given(**HISTORIES)
def test_a_horizon_is_refused_exactly_when_it_has_no_training_date(
    first_day, history_days, horizon_days
):
    as_of = first_day + timedelta(history_days)
    is_refused = refusal(first_day, as_of, horizon_days) is not None
    assert is_refused == (not training_dates(first_day, as_of, horizon_days))


def test_a_refusal_says_how_many_days_are_missing():
    reason = refusal(FIRST_DAY, date(2017, 5, 1), 90)
    assert reason == "120 days of history before 2017-05-01, a horizon of 90 days needs 180"


def test_two_horizons_without_a_day_to_close_the_label_are_refused():
    assert "is closed" in refusal(FIRST_DAY, FIRST_DAY + timedelta(180), 90)
    assert refusal(FIRST_DAY, FIRST_DAY + timedelta(181), 90) is None


def test_a_home_without_orders_is_refused_and_has_no_dates():
    assert refusal(None, AS_OF, 90) == "no order is known before 2018-01-02"
    assert training_dates(None, AS_OF, 90) == ()


def test_importing_the_splits_loads_nothing_heavy():
    heavy = "{'numpy', 'pandas', 'pyarrow', 'duckdb', 'sklearn', 'mlflow', 'matplotlib'}"
    code = f"import sys, ml.splits; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
