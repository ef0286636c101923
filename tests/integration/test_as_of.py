"""What is seen at a date: nothing that happened, was corrected or was learnt on or after it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ml.questions import QUESTIONS, Question
from ml.score import score
from ml.splits import dates_to_score
from ml.tracking import champions, crown
from orchestration.moment import last_moment
from orchestration.retraining import trainings
from orchestration.settings import Home
from tests.homes import deliver, make_home, query, run

JOURNEY = Path(__file__).parents[2] / "intake" / "systems" / "complete_journey"
CORRECTED_AT = date(2017, 12, 20)
SHARE = 24
YEARS_BEFORE = 2
VISITS = """
select _row, event as event_key, "at" as occurred_at, name as event_name, 'web' as channel,
    household as visitor_key, household as customer_key, updated_at
from visits
"""
Rows = dict[str, tuple[Any, ...]]


@pytest.fixture
def corrected_system(tmp_path: Path) -> Path:
    """The sample's system, as one that sends corrections in further files, with their time."""
    folder = tmp_path / "systems" / "complete_journey"
    folder.mkdir(parents=True)
    for path in JOURNEY.iterdir():
        text = path.read_text("utf-8")
        text = text.replace("path: transactions.parquet", "path: transactions*.parquet")
        if path.name == "orders.sql":
            text = text.replace("min(_row) as _row", "updated_at,\n    min(_row) as _row")
            text = text.replace(
                "store_id, transaction_timestamp", "store_id, transaction_timestamp, updated_at"
            )
        if path.name == "order_lines.sql":
            text = text.replace("    _row,", "    _row,\n    updated_at,")
        if path.name == "source.yaml":
            text = text.replace(
                "files:\n", 'files:\n  visits: {path: "visits*.parquet", format: parquet}\n'
            )
            text = text.replace(
                "entities:\n", "entities:\n  web_events: {file: visits, delivery: upsert}\n"
            )
        (folder / path.name).write_text(text, "utf-8")
    (folder / "web_events.sql").write_text(VISITS, "utf-8")
    return folder.parent


def with_corrections(files: Path, before: date | None = None) -> Path:
    """Give the tickets a time of change, and correct one in ten of them on a day.

    An hour after each ticket its household looks at a product on the site, or does more; of these,
    too, one in ten is corrected that day.
    """
    path = files / "transactions.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table t as select *, null::timestamp as updated_at from '{path}'")
        con.execute(f"copy t to '{path}'")
        if before is None or before > CORRECTED_AT:
            con.execute(f"""
                copy (
                    select * exclude (updated_at, sales_value), sales_value * 3 + 1 as sales_value,
                        timestamp '{CORRECTED_AT} 10:00:00' as updated_at
                    from t where basket_id % 10 = 0 and transaction_timestamp < '{CORRECTED_AT}'
                ) to '{files}/transactions_corrected.parquet'
            """)
        con.execute("""
            create table visits as
            select 'v' || basket_id as event, min(transaction_timestamp) + interval 1 hour as "at",
                ['Product Viewed', 'Product Added', 'Checkout Started'][1 + basket_id % 3] as name,
                household_id as household, null::timestamp as updated_at, basket_id % 10 = 0 as is_wrong
            from t group by basket_id, household_id
        """)
        seen = f"where \"at\" < '{before or date.max}'"
        con.execute(f"copy (from visits {seen}) to '{files}/visits.parquet'")
        if before is None or before > CORRECTED_AT:
            con.execute(f"""
                copy (
                    select * replace ("at" - interval 3 day as "at", 'Checkout Started' as name,
                        timestamp '{CORRECTED_AT} 10:00:00' as updated_at)
                    from visits where is_wrong and "at" < '{CORRECTED_AT}'
                ) to '{files}/visits_corrected.parquet'
            """)
    return files


def deliver_years(target: Path, before: date | None = None) -> Path:
    """Three years of tickets with corrections, or what was there before a day.

    The sample has one year. The two before it are made of other parts of its tickets, so that no
    year is like the next.
    """
    deliver(target, SHARE, before)
    year = deliver(target / "year", SHARE) / "transactions.parquet"
    earlier = (
        f"select * replace (basket_id + {back}00000000000 as basket_id,"
        f" transaction_timestamp - interval {365 * back} day as transaction_timestamp)"
        f" from '{year}' where basket_id % 5 >= {back}"
        for back in range(1, YEARS_BEFORE + 1)
    )
    union = " union all ".join((f"select * from '{year}'", *earlier))
    duckdb.sql(f"""
        copy (select * from ({union}) where transaction_timestamp < '{before or date.max}')
        to '{target}/transactions.parquet'
    """)
    return with_corrections(target, before)


def features(home: Home, day: date) -> dict[str, dict[str, Any]]:
    """Feature values of a date by record, each under its name."""
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        found = con.execute(
            "select d.smallest_record_key, f.* exclude (customer_id)"
            " from features.customer_as_of_features as f join core.dim_customers as d"
            " using (customer_id) where f.as_of_date = ?",
            [day],
        )
        names = [column[0] for column in found.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def scores(home: Home, models: Path, question: Question, as_of: date) -> tuple[Rows, str]:
    """What these models say of the customers in a home's warehouse at a date, by record; and who."""
    moment = last_moment(home)
    result = score(
        question=question, warehouse=home.warehouse, mlflow_folder=models,
        first_day=moment.first_day, as_of=as_of, snapshot_id="any",
    )  # fmt: skip
    assert result.scores is not None, result.reason
    said = result.scores.drop_columns(["customer_id"])
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        keys = dict(
            con.execute(
                "select customer_id, smallest_record_key from core.dim_customers"
            ).fetchall()
        )
    records = [keys[customer] for customer in result.scores["customer_id"].to_pylist()]
    rows = zip(*(column.to_pylist() for column in said.columns), strict=True)
    return dict(zip(records, rows, strict=True)), result.reason


def test_no_feature_and_no_score_of_a_date_changes_when_its_future_is_deleted(
    tmp_path: Path, corrected_system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home_of(name: str, before: date, predictions: tuple[str, ...] | None) -> Home:
        files = deliver_years(tmp_path / f"{name}_files", before)
        home = make_home(
            tmp_path / name, files, folder=str(corrected_system), predictions=predictions
        )
        run(home, before)
        return home

    day = date(2017, 10, 3)
    # Features of every date that a training would read, without the time it takes.
    with monkeypatch.context() as patch:
        patch.setattr("ml.train.MIN_CUSTOMERS", 10**6)
        whole = home_of("whole", date(2018, 1, 2), None)
    past = home_of("past", day, None)
    horizons = {question.horizon_days for question in QUESTIONS}
    oldest, newest = dates_to_score(last_moment(past).first_day, day, horizons)
    before_season = home_of("season", newest, ())

    for season in (oldest, newest):
        assert features(whole, season) == features(past, season) != {}
    assert features(past, newest) == features(before_season, newest)
    told = features(past, day)
    assert features(whole, day) == told
    for name in next(iter(told.values())):
        assert any(row[name] is not None for row in told.values()), f"{name} is known of nobody"

    models = past.mlflow
    trained = trainings(past.lake)
    for question in QUESTIONS:
        if trained[question.name].is_trained and question.name not in champions(models):
            crown(models, question.name, "1")  # Whatever the gate says of so few customers.
        said, by = scores(past, models, question, day)
        assert len(said) == len(told)
        # Three years hold no test of a year, so that one is told by a baseline.
        assert ("from 2 years" in by) == (question.horizon_days < 365), by
        assert (said, by) == scores(whole, models, question, day)


def test_a_correction_is_seen_from_its_day_on_and_replaces_all_lines(
    tmp_path: Path, corrected_system: Path
) -> None:
    files = with_corrections(deliver(tmp_path / "all", share=60))
    home = make_home(tmp_path / "home", files, folder=str(corrected_system), predictions=())
    before = duckdb.sql(f"""
        select sum(cast(sales_value as decimal(18, 4))), count(*)
        from '{files}/transactions.parquet' where transaction_timestamp < '2017-12-20'
    """).fetchone()
    run(home, date(2017, 12, 20))
    sql = "select sum(net_revenue_amount), count(*) from core.fct_order_lines"
    assert query(home, sql) == [before]
    run(home, date(2017, 12, 21))
    after = duckdb.sql(f"""
        with rows as (
            select *, basket_id in (
                select basket_id from '{files}/transactions_corrected.parquet'
            ) as is_corrected
            from '{files}/transactions.parquet' where transaction_timestamp < '2017-12-21'
        )
        select sum(cast(case when is_corrected then sales_value * 3 + 1 else sales_value end
            as decimal(18, 4))), count(*) from rows
    """).fetchone()
    assert query(home, sql) == [after]
