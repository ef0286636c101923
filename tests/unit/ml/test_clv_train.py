"""From a warehouse to a registered version, and the ways there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd

from ml import tracking
from ml.clv.train import too_little
from ml.evaluation import DECILES
from ml.tables import MODEL_DECILES, MODEL_PERFORMANCE
from tests.unit.ml.conftest import (
    AS_OF,
    DATES,
    FIRST_DAY,
    HORIZON_DAYS,
    build_warehouse,
    train_home,
)


def test_a_good_model_becomes_the_champion(home):
    assert home.result.promoted
    assert home.result.model_version == "1"
    assert home.result.reason.startswith("promoted: ngini gain over same_spend_as_last_window")
    champion = tracking.load_champion(home.mlflow_folder, "clv_30d")
    assert champion.version == "1"
    assert champion.run_id == home.result.mlflow_run_id


def test_the_tables_of_the_backtest_have_their_declared_types_and_their_origin(home):
    for table, schema, rows in (
        (home.result.performance, MODEL_PERFORMANCE, 9),
        (home.result.deciles, MODEL_DECILES, 9 * DECILES),
    ):
        assert table.schema.equals(schema)
        assert table.num_rows == rows
        row = table.to_pylist()[-1]
        assert row["model_name"] == "clv_30d"
        assert row["cutoff_date"] == DATES[-1]
        assert row["model_version"] == "1"
        assert row["mlflow_run_id"] == home.result.mlflow_run_id
        assert row["trained_at_snapshot"] == "snapshot-1"
        assert row["trained_as_of"] == AS_OF


def test_deciles_add_up_to_the_row_of_their_predictor_and_the_top_ones_bring_the_most(home):
    deciles = home.result.deciles.to_pylist()
    for number, whole in enumerate(home.result.performance.to_pylist()):
        part = deciles[DECILES * number : DECILES * (number + 1)]
        for key in ("cutoff_date", "predictor", "is_model"):
            assert {row[key] for row in part} == {whole[key]}
        for name in ("customers_count", "predicted_amount", "actual_amount"):
            assert sum(row[name] for row in part) == whole[name]
        assert part[0]["actual_amount"] > part[-1]["actual_amount"]


def test_amounts_of_the_table_are_those_predicted_to_the_cent(home):
    stored = pd.read_parquet(next(home.mlflow_folder.rglob("backtest.parquet")))
    newest = stored[stored["cutoff_date"] == stored["cutoff_date"].max()]
    row = home.result.performance.to_pylist()[-1]
    assert row["predictor"] == "rate_times_basket"
    assert row["predicted_amount"] == round(Decimal(newest["rate_times_basket"].sum()), 2)
    assert row["actual_amount"] == round(Decimal(newest["actual_amount"].sum()), 2)


def test_a_missing_gain_is_null_and_not_a_number_that_is_none(home):
    rows = home.result.performance.to_pylist()
    assert [row["ngini_gain_rate"] is None for row in rows] == [row["is_model"] for row in rows]


def test_too_short_a_history_trains_nothing_and_says_why(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", first_day=AS_OF - timedelta(40))
    assert not result.promoted
    assert "40 days of history" in result.reason
    assert (result.model_version, result.mlflow_run_id) == (None, None)
    assert result.performance.schema.equals(MODEL_PERFORMANCE)
    assert result.deciles.schema.equals(MODEL_DECILES)
    assert result.performance.num_rows == result.deciles.num_rows == 0
    assert not (tmp_path / "mlflow").exists()


def test_no_order_at_all_trains_nothing(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", first_day=None, as_of_dates=())
    assert result.reason == f"not trained: no order is known before {AS_OF}"


def test_fewer_than_a_hundred_customers_train_nothing(tmp_path, orders):
    few = orders[orders["customer_id"] < "c0099"]
    path = build_warehouse(tmp_path / "few.duckdb", few)
    result = train_home(path, tmp_path / "mlflow")
    assert result.reason == ("not trained: 99 customers with a closed outcome, a model needs 100")


def test_dates_that_cannot_be_tested_train_nothing(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", as_of_dates=DATES[-1:])
    assert "no model can be tested" in result.reason


def test_dates_that_are_not_in_the_warehouse_train_nothing(warehouse, tmp_path):
    result = train_home(warehouse, tmp_path / "mlflow", as_of_dates=(date(2024, 5, 9),))
    assert "0 customers" in result.reason


def test_customers_who_never_spend_again_train_nothing(labelled):
    silent = replace(labelled, net_revenue=np.zeros(len(labelled)))
    assert "nobody spent anything" in too_little(silent, HORIZON_DAYS)
    assert too_little(labelled, HORIZON_DAYS) is None


def test_a_shuffled_target_is_registered_but_not_promoted(warehouse, home, monkeypatch):
    """A model without skill leaves the champion where it is, and says so in its version."""
    from ml.clv import train as module

    read = module.read_labelled

    def shuffled(*arguments):
        frame = read(*arguments)
        return replace(frame, net_revenue=np.random.default_rng(0).permutation(frame.net_revenue))

    monkeypatch.setattr(module, "read_labelled", shuffled)
    result = train_home(warehouse, home.mlflow_folder, first_day=FIRST_DAY)
    assert not result.promoted
    assert result.model_version != "1"
    assert tracking.load_champion(home.mlflow_folder, "clv_30d").version == "1"
    client = tracking._connect(home.mlflow_folder)
    version = client.get_model_version("clv_30d", result.model_version)
    assert version.description == result.reason
    assert version.description.startswith("not promoted")
