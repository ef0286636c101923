"""Where a run stands: what is due there, the dates it needs, and the scores it reads."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ml.questions import QUESTIONS
from ml.splits import dates_to_score, dates_to_train
from orchestration.moment import DATES_SCHEMA, PAST, kept, new_moment, with_past, write_inputs
from orchestration.moment import keep as keep_moment
from orchestration.retraining import Training, details_of, stand_of
from orchestration.settings import (
    Home,
    HomeConfig,
    SettingFault,
    SystemPlace,
    read_config,
    write_config,
)
from tests.conftest import Shop, load

AS_OF = date(2024, 1, 10)
FIRST_DAY = date(2021, 1, 4)


@pytest.fixture
def home(shop_home: Home, shop: Shop) -> Home:
    shop.orders("1,ann,2021-01-04,", "2,bob,2024-01-09,")
    shop.lines("1,a,1,5.00,")
    load(shop_home.lake, shop)
    write_config(
        shop_home, HomeConfig("UTC", "EUR", {"shop": SystemPlace(folder=str(shop.folder))})
    )
    return shop_home


def train(home: Home, *names: str) -> None:
    """As if these questions had just been trained."""
    (home.mlflow / "mlflow.db").touch()
    moment = new_moment(home, AS_OF)
    stand = stand_of(moment.snapshot_id, AS_OF, FIRST_DAY, read_config(home))
    done = Training(stand, promoted=True, reason="promoted", model_version="1", mlflow_run_id="r")
    for name in names:
        with home.lake.transaction() as transaction:
            transaction.commit("training", name, [], details=details_of(name, done))


def test_a_run_needs_the_dates_of_what_it_trains_and_always_those_of_the_season(home: Home) -> None:
    season = dates_to_score(FIRST_DAY, AS_OF, (30, 90, 365))
    assert season
    first = new_moment(home, AS_OF)
    assert first.due == tuple(question.name for question in QUESTIONS)
    assert first.training_dates == dates_to_train(FIRST_DAY, AS_OF, (30, 90, 365))
    train(home, *(q.name for q in QUESTIONS if q.horizon_days != 30))
    some = new_moment(home, AS_OF)
    assert some.due == ("clv_30d", "propensity_30d")
    assert some.training_dates == dates_to_train(FIRST_DAY, AS_OF, (30,))
    train(home, *some.due)
    none = new_moment(home, AS_OF)
    assert (none.due, none.training_dates, none.season_dates) == ((), (), season)
    assert new_moment(home, AS_OF, retrain=True).due == first.due
    keep_moment(home, "run", some)
    assert kept(home, "run") == some


def test_dates_say_what_they_are_for(home: Home) -> None:
    moment = new_moment(home, AS_OF)
    write_inputs(home, moment)
    rows = pa.parquet.read_table(home.moments / "as_of_dates.parquet").to_pylist()
    assert [row["as_of_date"] for row in rows] == sorted(row["as_of_date"] for row in rows)
    assert {tuple(row) for row in rows} == {tuple(DATES_SCHEMA.names)}
    assert [row["as_of_date"] for row in rows if row["is_whole"]] == [AS_OF]
    learnt = tuple(row["as_of_date"] for row in rows if row["is_training"])
    assert learnt == moment.training_dates
    others = {row["as_of_date"] for row in rows} - {AS_OF, *learnt}
    assert others == set(moment.season_dates) - set(learnt)

    past = with_past(home, moment, [date(2023, 12, 1), date(2023, 11, 1)])
    write_inputs(home, past)
    rows = pa.parquet.read_table(home.moments / "as_of_dates.parquet").to_pylist()
    whole = [row["as_of_date"] for row in rows if row["is_whole"]]
    assert whole == [date(2023, 11, 1), date(2023, 12, 1), AS_OF]
    asked = dates_to_score(FIRST_DAY, date(2023, 11, 1), (30, 90, 365))
    assert set(asked) <= {row["as_of_date"] for row in rows}
    assert (past.as_of, past.snapshot_id) == (moment.as_of, moment.snapshot_id)


def test_of_the_scores_of_the_past_a_run_reads_the_first_good_ones_of_each_month(
    home: Home,
) -> None:
    def fill(day: str) -> None:
        with home.lake.transaction() as transaction:
            staged = home.lake.stage(
                pa.table({"n": [1]}), "ml", "value_history", f"past/{day}.parquet"
            )
            transaction.commit(PAST, day, [staged], details={"as_of": day})

    days = ("2023-11-02", "2023-11-03", "2024-01-01", "2024-01-09", "2024-01-10", "2024-01-11")
    for day in ("2023-11-02", "2023-11-03"):
        fill(day)
    for day in days:
        with home.lake.transaction() as transaction:
            staged = [
                home.lake.stage(pa.table({"n": [1]}), "ml", table, f"{table}/{day}.parquet")
                for table in ("scores", "model_drift", "value_history")
            ]
            stale = ["clv_30d"] if day == "2023-11-02" else []
            transaction.commit("scores", day, staged, details={"as_of": day, "stale": stale})
    for day in ("2023-10-01", "2024-01-01", "2024-02-01"):
        fill(day)
    listed = write_inputs(home, new_moment(home, AS_OF)).read_text("utf-8")

    def read(table: str) -> list[str]:
        return [day for day in days if f"/{table}/{day}.parquet" in listed]

    for table in ("scores", "model_drift"):
        assert read(table) == ["2023-11-03", "2024-01-01", "2024-01-10"]
    # Of a date that is both, the newer alone; what comes after the run's date is not seen. Newer scores
    # that nobody reads, as those of a bad day, leave what was filled in.
    assert read("value_history") == ["2023-11-03", "2024-01-10"]
    filled = re.findall(r"/past/(.+?)\.parquet", listed)
    assert filled == ["2023-10-01", "2023-11-02", "2024-01-01"]


def test_a_home_may_ask_fewer_questions(home: Home, tmp_path: Path) -> None:
    config = read_config(home)
    assert config.questions == QUESTIONS
    assert "predictions" not in home.config_path.read_text("utf-8")
    for names in ((), ("orders_90d", "clv_30d")):
        write_config(home, HomeConfig("UTC", "EUR", config.systems, names))
        assert read_config(home).predictions == names
        assert {question.name for question in read_config(home).questions} == set(names)
        assert set(new_moment(home, AS_OF).due) == set(names)
    text = home.config_path.read_text("utf-8")
    home.config_path.write_text(text.replace("clv_30d", "clv_3d"), "utf-8")
    with pytest.raises(SettingFault) as raised:
        read_config(home)
    assert (raised.value.code, raised.value.exit_code) == ("bad-setting", 2)
    assert "clv_30d" in raised.value.fix
    assert "propensity_90d" in raised.value.why
    assert tmp_path in home.root.parents
