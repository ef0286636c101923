"""What is trained and scored is committed per question, and one question's trouble is its own."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from ml.tables import MODEL_CALIBRATION, MODEL_DECILES, MODEL_DRIFT, MODEL_PERFORMANCE, SCORES
from orchestration.defs.predict import champions_that_scored, run_scoring, run_trainings
from orchestration.moment import Moment
from orchestration.retraining import trainings
from orchestration.settings import Home, HomeConfig, write_config

QUESTIONS = ("clv_30d", "propensity_30d")
MOMENT = Moment("s1", date(2024, 1, 10), date(2022, 1, 2), QUESTIONS)


class Room:
    """The room of models as the assets call it; `refused` are questions whose scores are refused."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self.refused: set[str] = set()
        self.value = 1.0

    def train_and_register(self, **asked: Any) -> SimpleNamespace:
        self.trained.append(asked["question"].name)
        return SimpleNamespace(
            promoted=True, reason="promoted", model_version="1", mlflow_run_id="r",
            performance=MODEL_PERFORMANCE.empty_table(), deciles=MODEL_DECILES.empty_table(),
            calibration=MODEL_CALIBRATION.empty_table(),
        )  # fmt: skip

    def score(self, **asked: Any) -> SimpleNamespace:
        name = asked["question"].name
        drift = MODEL_DRIFT.empty_table()
        if name in self.refused:
            return SimpleNamespace(scores=None, drift=drift, reason="refused")
        scores = self._scores(name, asked, is_baseline=False)
        return SimpleNamespace(scores=scores, drift=drift, reason="champion")

    def score_with_baseline(self, **asked: Any) -> SimpleNamespace:
        scores = self._scores(asked["question"].name, asked, is_baseline=True)
        return SimpleNamespace(scores=scores, drift=MODEL_DRIFT.empty_table(), reason="a baseline")

    def _scores(self, name: str, asked: dict[str, Any], *, is_baseline: bool) -> pa.Table:
        row = {"customer_id": "c1", "as_of_date": asked["as_of"], "model_name": name,
               "predicted": self.value, "is_stale": False,
               "is_baseline": is_baseline}  # fmt: skip
        return pa.Table.from_pylist([row], schema=SCORES)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    room = Room()
    for module, names in (
        ("ml.train", ["train_and_register"]),
        ("ml.score", ["score", "score_with_baseline"]),
    ):
        made = ModuleType(module)
        for name in names:
            setattr(made, name, getattr(room, name))
        monkeypatch.setitem(sys.modules, module, made)
    champions = dict.fromkeys((*QUESTIONS, "clv_90d"), "1")
    monkeypatch.setattr("ml.tracking.champions", lambda _folder: champions)
    monkeypatch.setattr("orchestration.dbt.refuse_unbuilt", lambda *_: None)
    return room


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.create()
    write_config(home, HomeConfig("UTC", "EUR", {}, QUESTIONS))
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema features")
        con.execute("create table features.customer_as_of_features (as_of_date date)")
        con.execute("""
            create table features.customer_as_of_values as
            select 'c1' as customer_id, day as as_of_date, 'active' as lifecycle, 'top' as value_tier,
                5 as recency_days, 2 as orders_365d_count, 9.50 as net_revenue_365d_amount
            from (values (date '2024-01-10'), (date '2024-01-11')) as days (day)
        """)
    return home


def scored(home: Home, day: date) -> dict[str, tuple[float, bool, date]]:
    """Forecast, staleness and date by question, of the live scores of a day."""
    (record,) = [r for r in home.lake.live("scores") if r.details["as_of"] == str(day)]
    rows = parquet.read_table(home.lake.path(record.files[0])).to_pylist()
    return {r["model_name"]: (r["predicted"], r["is_stale"], r["as_of_date"]) for r in rows}


def test_what_is_due_is_trained_and_the_rest_taken_over(room: Room, home: Home) -> None:
    done = run_trainings(home, MOMENT, "run")
    assert room.trained == list(QUESTIONS)
    assert not any(training.is_reused for training in done.values())
    later = Moment("s2", date(2024, 1, 20), MOMENT.first_day, ("propensity_30d",))
    again = run_trainings(home, later, "run")
    assert room.trained == [*QUESTIONS, "propensity_30d"]
    assert [again[name].is_reused for name in QUESTIONS] == [True, False]
    assert {name: one.stand.as_of.day for name, one in trainings(home.lake).items()} == {
        "clv_30d": 10,
        "propensity_30d": 20,
    }


def test_a_question_that_is_refused_keeps_its_last_scores_and_the_others_are_new(
    room: Room, home: Home
) -> None:
    run_scoring(home, MOMENT)
    assert champions_that_scored(home.lake, MOMENT.as_of) == dict.fromkeys(QUESTIONS, "1")
    room.refused, room.value = {"clv_30d"}, 2.0
    later = Moment("s1", date(2024, 1, 11), MOMENT.first_day)
    record = run_scoring(home, later)
    assert scored(home, later.as_of) == {
        "clv_30d": (1.0, True, later.as_of),
        "propensity_30d": (2.0, False, later.as_of),
    }
    assert champions_that_scored(home.lake, later.as_of) == {"propensity_30d": "1"}
    assert record.details["reasons"]["clv_30d"] == "refused; the last ones are kept"
    assert scored(home, MOMENT.as_of)["clv_30d"] == (1.0, False, MOMENT.as_of)


def test_without_earlier_scores_a_baseline_speaks_for_a_refused_champion(
    room: Room, home: Home
) -> None:
    later = Moment("s1", date(2024, 1, 11), MOMENT.first_day)
    run_scoring(home, later)
    room.refused = {"clv_30d"}
    record = run_scoring(home, MOMENT)
    assert scored(home, MOMENT.as_of)["clv_30d"] == (1.0, False, MOMENT.as_of), "none of the future"
    assert record.details["reasons"]["clv_30d"] == "refused; a baseline"


def test_a_home_that_asks_nothing_has_tables_without_rows(room: Room, home: Home) -> None:
    write_config(home, HomeConfig("UTC", "EUR", {}, ()))
    assert run_trainings(home, Moment("s1", MOMENT.as_of, MOMENT.first_day), "run") == {}
    record = run_scoring(home, MOMENT)
    assert (room.trained, record.details["reasons"]) == ([], {})
    assert [file.rows for file in record.files] == [0, 0, 1]
    (kept,) = parquet.read_table(home.lake.path(record.files[2])).to_pylist()
    assert (kept["customer_id"], kept["value_tier"], kept["as_of_date"]) == (
        "c1",
        "top",
        MOMENT.as_of,
    )
    assert (kept["value_predictor"], kept["is_backfilled"]) == (None, False)


def test_scores_of_a_baseline_are_not_kept_as_stale_it_speaks_anew(room: Room, home: Home) -> None:
    room.refused = {"clv_30d"}
    run_scoring(home, MOMENT)
    room.value = 2.0
    later = Moment("s1", date(2024, 1, 11), MOMENT.first_day)
    record = run_scoring(home, later)
    assert scored(home, later.as_of)["clv_30d"] == (2.0, False, later.as_of)
    assert record.details["reasons"]["clv_30d"] == "refused; a baseline"
