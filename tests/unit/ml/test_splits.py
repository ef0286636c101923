"""The as-of grid and the rolling cut-offs."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ml.splits import (
    LEARNT_DATES_COUNT,
    CutOff,
    cut_offs,
    dates_to_score,
    dates_to_train,
    learnt,
    refusal,
    season_dates,
    training_dates,
)
from tests.conftest import cases

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


@settings(max_examples=cases(100))
@given(**HISTORIES)
def test_a_horizon_is_refused_exactly_when_two_of_them_have_not_passed(
    first_day, history_days, horizon_days
):
    as_of = first_day + timedelta(history_days)
    is_refused = refusal(first_day, as_of, horizon_days) is not None
    assert is_refused == (history_days < 2 * horizon_days)
    if is_refused:
        assert not training_dates(first_day, as_of, horizon_days)


@settings(max_examples=cases(100))
@given(**HISTORIES)
def test_the_newest_six_closed_dates_are_learnt_and_no_date_is_asked_in_vain(
    first_day, history_days, horizon_days
):
    as_of, horizon = first_day + timedelta(history_days), timedelta(horizon_days)
    dates = training_dates(first_day, as_of, horizon_days)
    tests = cut_offs(dates, horizon_days)
    assert learnt(dates) == dates[-LEARNT_DATES_COUNT:]
    used = {*learnt(dates), *(cut_off.test_date for cut_off in tests)}
    for cut_off in tests:
        closed = [day for day in dates if day + horizon <= cut_off.test_date]
        assert cut_off.train_dates == tuple(closed[-LEARNT_DATES_COUNT:])
        used.update(cut_off.train_dates)
    assert used == set(dates)
    assert all((later - day).days % 30 == 0 for day, later in itertools.pairwise(dates))


@settings(max_examples=cases(100))
@given(**HISTORIES)
def test_dropping_old_dates_changes_no_cut_off(first_day, history_days, horizon_days):
    as_of = first_day + timedelta(history_days)
    newest, oldest = as_of - timedelta(1 + horizon_days), first_day + timedelta(horizon_days)
    count = (newest - oldest).days // 30 + 1
    every = [newest - timedelta(30 * back) for back in range(count)]
    kept = training_dates(first_day, as_of, horizon_days)
    assert cut_offs(kept, horizon_days) == cut_offs(every, horizon_days)


def test_a_refusal_says_how_many_days_are_missing():
    reason = refusal(FIRST_DAY, date(2017, 5, 1), 90)
    assert reason == "120 days of history before 2017-05-01, a horizon of 90 days needs 180"


def test_two_horizons_are_served_and_learnt_from_once_a_day_has_closed_the_label():
    assert refusal(FIRST_DAY, FIRST_DAY + timedelta(180), 90) is None
    assert training_dates(FIRST_DAY, FIRST_DAY + timedelta(180), 90) == ()
    assert len(training_dates(FIRST_DAY, FIRST_DAY + timedelta(181), 90)) == 1


def test_the_season_is_seen_on_the_same_day_of_up_to_three_years_with_half_a_year_before():
    as_of = date(2021, 1, 1)
    years = [as_of - timedelta(365 * back) for back in (1, 2, 3)]
    assert season_dates(date(2010, 1, 1), as_of, 90) == tuple(years)
    assert season_dates(years[1] - timedelta(180), as_of, 90) == tuple(years[:2])
    assert season_dates(years[1] - timedelta(179), as_of, 90) == tuple(years[:1])
    assert season_dates(date(2020, 6, 1), as_of, 90) == ()


def test_a_year_has_every_season_and_a_home_without_orders_none():
    assert season_dates(date(2010, 1, 1), AS_OF, 365) == ()
    assert season_dates(None, AS_OF, 30) == ()


@settings(max_examples=cases(100))
@given(**HISTORIES)
def test_a_season_is_closed_long_before_the_day_it_is_asked_for(
    first_day, history_days, horizon_days
):
    as_of = first_day + timedelta(history_days)
    for day in season_dates(first_day, as_of, horizon_days):
        assert day + timedelta(horizon_days) <= as_of
        assert first_day < day


@settings(max_examples=cases(50))
@given(st.dates(date(2015, 1, 1), date(2020, 1, 1)), st.integers(0, 2000))
def test_training_and_scoring_read_the_dates_of_every_horizon_and_of_their_seasons(
    first_day, history_days
):
    as_of, horizons = first_day + timedelta(history_days), (30, 90, 365)
    read = dates_to_train(first_day, as_of, horizons)
    asked = set()
    for horizon in horizons:
        dates = training_dates(first_day, as_of, horizon)
        asked.update(dates)
        for cut_off in cut_offs(dates, horizon):
            asked.update(season_dates(first_day, cut_off.test_date, horizon))
    assert read == tuple(sorted(asked))
    assert all(day < as_of for day in read)
    scored = dates_to_score(first_day, as_of, horizons)
    assert set(scored) == set(season_dates(first_day, as_of, 30))
    assert list(scored) == sorted(scored)


def test_a_home_without_orders_is_refused_and_has_no_dates():
    assert refusal(None, AS_OF, 90) == "no order is known before 2018-01-02"
    assert training_dates(None, AS_OF, 90) == ()
    assert dates_to_train(None, AS_OF, (30, 90)) == ()
    assert dates_to_score(None, AS_OF, (30, 90)) == ()


def test_importing_the_splits_loads_nothing_heavy():
    heavy = "{'numpy', 'pandas', 'pyarrow', 'duckdb', 'sklearn', 'mlflow', 'matplotlib'}"
    code = f"import sys, ml.splits; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
