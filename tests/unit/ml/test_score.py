"""Who speaks for a customer, and when nobody new may."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import duckdb
import numpy as np
import pytest

from ml import tracking
from ml.baselines import forecast, served_baseline
from ml.frames import read_features
from ml.score import guard, score, score_with_baseline
from ml.tables import MODEL_DRIFT, SCORES
from tests.unit.ml.conftest import (
    AS_OF,
    DATES,
    FIRST_DAY,
    HORIZON_DAYS,
    PROPENSITY,
    VALUE,
    build_warehouse,
)


def score_home(
    warehouse, mlflow_folder, by=score, as_of=AS_OF, question=VALUE, first_day=FIRST_DAY
):
    return by(
        question=question,
        warehouse=warehouse,
        mlflow_folder=mlflow_folder,
        first_day=first_day,
        as_of=as_of,
        snapshot_id="snapshot-2",
    )


def test_the_champion_scores_every_customer_known_at_the_date(home):
    result = score_home(home.warehouse, home.mlflow_folder)
    frame = read_features(home.warehouse, AS_OF)
    assert result.reason.startswith("scored by clv_30d version 1, season unknown")
    assert result.scores.schema.equals(SCORES)
    assert result.scores["customer_id"].to_pylist() == sorted(frame.customer_ids)
    row = result.scores.to_pylist()[0]
    for name in ("predicted", "low", "high", "any_order_probability"):
        assert row.pop(name) >= 0
    assert row.pop("if_any_low") < row.pop("if_any") < row.pop("if_any_high")
    assert row == {
        "customer_id": "c0000",
        "as_of_date": AS_OF,
        "model_name": "clv_30d",
        "target": "net_revenue",
        "horizon_days": HORIZON_DAYS,
        "season_factor": None,
        "predictor": "value_blend",
        "model_version": "1",
        "mlflow_run_id": home.result.mlflow_run_id,
        "is_baseline": False,
        "is_stale": False,
        "scored_at_snapshot": "snapshot-2",
    }


def test_each_customer_gets_the_own_forecast(home):
    frame = read_features(home.warehouse, AS_OF)
    champion = tracking.load_champion(home.mlflow_folder, "clv_30d")
    told = asdict(champion.estimator.forecast(frame.features))
    place = {customer: row for row, customer in enumerate(frame.customer_ids)}
    for row in score_home(home.warehouse, home.mlflow_folder).scores.to_pylist():
        for name, values in told.items():
            assert row[name] == pytest.approx(values[place[row["customer_id"]]], abs=1e-6)


def test_drift_is_told_of_every_feature_and_of_the_scores(home):
    drift = score_home(home.warehouse, home.mlflow_folder).drift
    assert drift.schema.equals(MODEL_DRIFT)
    rows = drift.to_pylist()
    features = set(read_features(home.warehouse, AS_OF).features)
    assert {row["subject"] for row in rows if not row["is_score"]} == features
    assert [row["subject"] for row in rows if row["is_score"]] == ["score"]
    # The customers of the day it was trained on have not moved from themselves.
    assert all(row["stability_index"] == pytest.approx(0, abs=1e-9) for row in rows)


def test_customers_who_changed_are_seen_to_have_drifted(home, tmp_path, orders):
    dearer = build_warehouse(
        tmp_path / "dearer.duckdb", orders.assign(amount=(orders["amount"] * 2).round(2))
    )
    rows = score_home(dearer, home.mlflow_folder).drift.to_pylist()
    moved = {row["subject"]: row["stability_index"] for row in rows}
    assert moved["basket_mean_amount"] > 0.25
    assert moved["recency_days"] == pytest.approx(0, abs=1e-9)


def test_a_horizon_the_history_is_too_short_for_has_no_row_and_says_why(home):
    result = score_home(home.warehouse, home.mlflow_folder, first_day=AS_OF - timedelta(59))
    assert result.scores.num_rows == 0
    assert "59 days of history" in result.reason


def test_a_probability_is_scored_without_a_champion_by_the_rhythm_of_its_customers(
    warehouse, tmp_path
):
    result = score_home(warehouse, tmp_path / "none", question=PROPENSITY)
    rows = result.scores.to_pylist()
    assert {row["predictor"] for row in rows} == {"buy_till_you_die"}
    assert all(0 <= row["predicted"] <= 1 for row in rows)
    assert all(row["predicted"] == row["any_order_probability"] for row in rows)
    assert all(row["low"] is None for row in rows)


def test_without_a_champion_the_default_baseline_speaks_and_says_so(warehouse, tmp_path):
    result = score_home(warehouse, tmp_path / "none")
    row = result.scores.to_pylist()[0]
    assert (row["predictor"], row["model_version"]) == ("rate_times_basket", "baseline")
    assert row["mlflow_run_id"] is None
    assert row["is_baseline"]
    assert "no champion" in result.reason
    assert not (tmp_path / "none").exists()


def test_a_champion_trained_after_the_date_has_seen_too_much_and_so_has_its_choice_of_baseline(
    home,
):
    result = score_home(home.warehouse, home.mlflow_folder, as_of=DATES[-1])
    assert set(result.scores["is_baseline"].to_pylist()) == {True}
    assert tracking.best_baseline(home.mlflow_folder, "clv_30d", AS_OF) is not None
    assert tracking.best_baseline(home.mlflow_folder, "clv_30d", DATES[-1]) is None
    assert set(result.scores["predictor"].to_pylist()) == {"rate_times_basket"}
    assert f"no champion at {DATES[-1]}" in result.reason


def test_the_baseline_can_be_asked_for(home):
    result = score_home(home.warehouse, home.mlflow_folder, by=score_with_baseline)
    frame = read_features(home.warehouse, AS_OF)
    best = tracking.best_baseline(home.mlflow_folder, "clv_30d", AS_OF)
    baseline = served_baseline(best, VALUE, frame.features)
    expected = forecast(baseline, None, None, frame.features, VALUE)
    assert set(result.scores["is_baseline"].to_pylist()) == {True}
    assert sum(result.scores["predicted"].to_pylist()) == pytest.approx(expected.sum())


def test_a_baseline_that_is_no_longer_in_the_code_is_replaced_by_the_default(home, monkeypatch):
    monkeypatch.setattr(tracking, "best_baseline", lambda folder, name, as_of: "retired_rule")
    result = score_home(home.warehouse, home.mlflow_folder, by=score_with_baseline)
    assert set(result.scores["predictor"].to_pylist()) == {"rate_times_basket"}


def test_a_date_without_customers_gives_an_empty_table_with_its_types(home):
    for by in (score, score_with_baseline):
        result = score_home(home.warehouse, home.mlflow_folder, by, AS_OF + timedelta(1))
        assert result.scores.schema.equals(SCORES)
        assert result.scores.num_rows == 0


def test_features_other_than_the_champions_are_refused_by_name(home, tmp_path, orders):
    path = build_warehouse(tmp_path / "changed.duckdb", orders)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "alter table features.customer_as_of_features rename column gap_mean_days to age_days"
        )
    result = score_home(path, home.mlflow_folder)
    assert result.scores is None
    assert "missing: gap_mean_days; new: age_days" in result.reason


def test_a_unit_that_changed_under_the_champion_is_refused(home, tmp_path, orders):
    path = build_warehouse(tmp_path / "cents.duckdb", orders.assign(amount=orders["amount"] * 100))
    result = score_home(path, home.mlflow_folder)
    assert result.scores is None
    assert "outside a fifth to five times" in result.reason


@pytest.mark.parametrize(
    ("predicted", "reason"),
    [
        ([1.0, np.nan], "1 scores are not numbers"),
        ([1.0, np.inf], "1 scores are not numbers"),
        ([3.0, -0.01], "1 scores are negative"),
        ([1.5, 1.5], "all 2 scores are equal"),
        ([0.2, 0.39], "outside a fifth to five times"),
        ([10.0, 5.01], "outside a fifth to five times"),
    ],
)
def test_absurd_scores_are_refused(predicted, reason):
    assert reason in guard(np.array(predicted), np.array([1.0, 2.0]))


@pytest.mark.parametrize("predicted", [[0.2, 0.41], [10.0, 4.99], [2.0, 1.0]])
def test_plausible_scores_pass(predicted):
    assert guard(np.array(predicted), np.array([1.0, 2.0])) is None


def test_one_customer_or_none_is_not_absurd():
    assert guard(np.array([2.0]), np.array([1.0])) is None
    assert guard(np.array([]), np.array([])) is None
