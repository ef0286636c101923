"""When a question is trained anew, and what is remembered of a training."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from intake.lake import Lake
from orchestration.retraining import (
    RETRAIN_DAYS,
    Stand,
    Training,
    details_of,
    due_questions,
    is_due,
    superseded_by,
    trainings,
)
from orchestration.settings import Home, HomeConfig

NOW = Stand("s1", date(2024, 3, 1), date(2022, 1, 1), "rules")
MODEL = Training(NOW, promoted=True, reason="promoted", model_version="1", mlflow_run_id="r")
NO_MODEL = Training(
    NOW, promoted=False, reason="too little data", model_version=None, mlflow_run_id=None
)
LATER = timedelta(days=1)
MONTH = timedelta(days=RETRAIN_DAYS)


@pytest.mark.parametrize(
    ("changed", "due", "due_without_a_model"),
    [
        ({}, False, False),
        ({"snapshot_id": "s2"}, False, True),
        ({"as_of": NOW.as_of + MONTH}, False, False),
        ({"as_of": NOW.as_of + MONTH + LATER}, True, True),
        ({"as_of": NOW.as_of - LATER}, True, True),
        ({"first_day": NOW.first_day - LATER}, True, True),
        ({"rules": "other code"}, True, True),
    ],
)
def test_a_training_holds_for_a_month_of_the_same_code_and_history(
    changed: dict[str, Any], due: bool, due_without_a_model: bool
) -> None:
    now = replace(NOW, **changed)
    assert is_due(None, now)
    assert is_due(MODEL, now) == due
    assert is_due(NO_MODEL, now) == due_without_a_model


def commit(lake: Lake, details: dict[str, Any]) -> None:
    with lake.transaction() as transaction:
        old = superseded_by(details.get("question", ""), lake.live("training"))
        transaction.commit("training", "t", [], supersedes=old, details=details)


def test_each_question_has_one_training_in_force(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    commit(home.lake, {"promoted": True, "reason": "of the time of one question"})
    assert trainings(home.lake) == {}
    commit(home.lake, details_of("clv_90d", MODEL))
    commit(home.lake, details_of("clv_30d", NO_MODEL))
    commit(home.lake, details_of("clv_90d", replace(MODEL, model_version="2")))
    assert trainings(home.lake) == {
        "clv_90d": replace(MODEL, model_version="2", is_reused=True),
        "clv_30d": replace(NO_MODEL, is_reused=True),
    }
    assert len(home.lake.live("training")) == 2
    config = HomeConfig("UTC", "EUR", {}, ("clv_30d", "clv_90d", "orders_90d"))
    assert due_questions(home, config, NOW) == ("clv_90d", "orders_90d"), "the store is gone"
    (home.mlflow / "mlflow.db").touch()
    assert due_questions(home, config, NOW) == ("orders_90d",)
