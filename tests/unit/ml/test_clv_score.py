"""Who speaks for a customer's value, and when nobody new may."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import duckdb
import numpy as np
import pytest

from ml import tracking
from ml.baselines import same_spend_as_last_window
from ml.clv.model import predict
from ml.clv.score import guard, score, score_with_baseline
from ml.frames import read_features
from ml.tables import VALUE_SCORES
from tests.unit.ml.conftest import AS_OF, DATES, HORIZON_DAYS, build_warehouse


def score_home(warehouse, mlflow_folder, by=score, as_of=AS_OF):
    return by(
        warehouse=warehouse,
        mlflow_folder=mlflow_folder,
        as_of=as_of,
        horizon_days=HORIZON_DAYS,
        snapshot_id="snapshot-2",
    )


def test_the_champion_scores_every_customer_known_at_the_date(home):
    result = score_home(home.warehouse, home.mlflow_folder)
    frame = read_features(home.warehouse, AS_OF)
    assert result.reason == "scored by clv_30d version 1"
    assert result.scores.schema.equals(VALUE_SCORES)
    assert result.scores["customer_id"].to_pylist() == sorted(frame.customer_ids)
    row = result.scores.to_pylist()[0]
    assert row.pop("predicted_net_revenue_amount") >= 0
    assert row == {
        "customer_id": "c0000",
        "as_of_date": AS_OF,
        "horizon_days": HORIZON_DAYS,
        "model_name": "clv_30d",
        "predictor": "hist_gradient_boosting",
        "model_version": "1",
        "mlflow_run_id": home.result.mlflow_run_id,
        "is_baseline": False,
        "is_stale": False,
        "scored_at_snapshot": "snapshot-2",
    }


def test_each_customer_gets_the_own_prediction_to_the_cent(home):
    frame = read_features(home.warehouse, AS_OF)
    champion = tracking.load_champion(home.mlflow_folder, "clv_30d")
    expected = dict(
        zip(frame.customer_ids, predict(champion.estimator, frame.features), strict=True)
    )
    for row in score_home(home.warehouse, home.mlflow_folder).scores.to_pylist():
        amount = Decimal(str(round(expected[row["customer_id"]], 2)))
        assert row["predicted_net_revenue_amount"] == amount


def test_without_a_champion_the_default_baseline_speaks_and_says_so(warehouse, tmp_path):
    result = score_home(warehouse, tmp_path / "none")
    row = result.scores.to_pylist()[0]
    assert (row["predictor"], row["model_version"]) == ("rate_times_basket", "baseline")
    assert row["mlflow_run_id"] is None
    assert row["is_baseline"]
    assert "no champion" in result.reason
    assert not (tmp_path / "none").exists()


def test_a_champion_trained_after_the_date_has_seen_too_much_and_the_best_baseline_speaks(home):
    result = score_home(home.warehouse, home.mlflow_folder, as_of=DATES[-1])
    assert set(result.scores["predictor"].to_pylist()) == {"same_spend_as_last_window"}
    assert f"no champion at {DATES[-1]}" in result.reason


def test_the_baseline_can_be_asked_for(home):
    result = score_home(home.warehouse, home.mlflow_folder, by=score_with_baseline)
    frame = read_features(home.warehouse, AS_OF)
    total = same_spend_as_last_window(frame.features, HORIZON_DAYS).sum()
    assert set(result.scores["is_baseline"].to_pylist()) == {True}
    amounts = result.scores["predicted_net_revenue_amount"].to_pylist()
    assert float(sum(amounts)) == pytest.approx(total, abs=0.01 * len(amounts))


def test_a_baseline_that_is_no_longer_in_the_code_is_replaced_by_the_default(home, monkeypatch):
    monkeypatch.setattr(tracking, "best_baseline", lambda folder, name: "retired_rule")
    result = score_home(home.warehouse, home.mlflow_folder, by=score_with_baseline)
    assert set(result.scores["predictor"].to_pylist()) == {"rate_times_basket"}


def test_a_date_without_customers_gives_an_empty_table_with_its_types(home):
    for by in (score, score_with_baseline):
        result = score_home(home.warehouse, home.mlflow_folder, by, AS_OF + timedelta(1))
        assert result.scores.schema.equals(VALUE_SCORES)
        assert result.scores.num_rows == 0


def test_features_other_than_the_champions_are_refused_by_name(home, tmp_path, orders):
    path = build_warehouse(tmp_path / "changed.duckdb", orders)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "alter table features.customer_as_of_features rename column recency_days to age_days"
        )
    result = score_home(path, home.mlflow_folder)
    assert result.scores is None
    assert "missing: recency_days; new: age_days" in result.reason


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
