"""A past date that is filled in says what a run as of that date would say, and nothing else moves."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ml.tracking import champions, crown
from orchestration.backfill import carry_out, plan_backfill
from orchestration.console import Manner
from orchestration.moment import PAST
from orchestration.run import Request, nothing_to_do
from orchestration.settings import Home, SettingFault, read_config
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, query, run
from tests.unit.orchestration.conftest import describes

NOW, TRAINED, PAST_DAY, BEFORE = (
    date(2018, 1, 2), date(2017, 11, 20), date(2017, 12, 1), date(2017, 11, 1),
)  # fmt: skip
ASKED = ("clv_90d", "propensity_30d")
QUIET = Manner.of(no_color=True, verbose=False, quiet=True, as_json=False)


def history(home: Home, day: date) -> list[tuple[Any, ...]]:
    """What the published history says of a date, by record, whoever filled it in."""
    return query(
        home,
        "select d.smallest_record_key, h.* exclude (customer_id, is_backfilled)"
        " from marts.customer_value_history as h join core.dim_customers as d using (customer_id)"
        f" where as_of_date = date '{day}' order by 1",
    )


def fill(home: Home, first: date, last: date) -> dict[str, Any]:
    os.environ.update(home.environment())
    ending = carry_out(plan_backfill(home, first, last), QUIET)
    assert ending.exit_code == 0, ending.text
    return ending.value


def crown_all(home: Home, number: str) -> None:
    """Make these versions champions, whatever the gate says of so few customers."""
    for name in ASKED:
        if champions(home.mlflow).get(name) != number:
            crown(home.mlflow, name, number)


def test_a_filled_date_is_what_a_run_as_of_it_says_and_equal_when_its_future_is_deleted(
    tmp_path: Path,
) -> None:
    files = deliver(tmp_path / "files")
    home = make_home(tmp_path / "home", files, predictions=ASKED)
    run(home, TRAINED)
    crown_all(home, "1")
    run(home, PAST_DAY)
    as_of_it = history(home, PAST_DAY)
    run(home, NOW)
    crown_all(home, "2")
    run(home, NOW)
    kept = tmp_path / "kept" / home.published.name
    kept.parent.mkdir()
    kept.write_bytes(home.published.read_bytes())
    served = len(home.lake.live("scores"))
    assert len(history(home, PAST_DAY)) == len(as_of_it), "the first run of a month is kept"

    told = fill(home, BEFORE, PAST_DAY)
    describes("backfill", told)
    assert [(one["as_of_date"], one["was"]) for one in told["dates"]] == [
        (str(BEFORE), "missing"), (str(PAST_DAY), "missing"),
    ]  # fmt: skip
    reasons = [one["scores"]["clv_90d"] for one in told["dates"]]
    assert "no champion at 2017-11-01" in reasons[0], "the first champion had seen that day"
    assert "clv_90d version 1" in reasons[1], "not the second, which has seen the day"
    assert history(home, PAST_DAY) == as_of_it != []
    assert {row[0] for row in history(home, BEFORE)} <= {row[0] for row in as_of_it}
    assert query(
        home,
        "select as_of_date, bool_and(is_backfilled), bool_or(is_backfilled)"
        " from marts.customer_value_history group by 1 order by 1",
    ) == [
        (BEFORE, True, True), (date(2017, 11, 20), False, False), (PAST_DAY, True, True),
        (NOW, False, False),
    ]  # fmt: skip

    # Nothing else moves, nor is there anything to do for a run, nor for the same backfill.
    assert_equal_tables(kept, home.published)
    assert len(home.lake.live("scores")) == served
    for table in ("model_realised", "model_drift"):
        with duckdb.connect(str(kept), read_only=True) as con:
            before = con.execute(f"select * from marts.{table} order by all").fetchall()
        assert query(home, f"select * from marts.{table} order by all") == before
    assert nothing_to_do(Request(home, as_of=NOW), read_config(home)) is not None
    records = [record.seq for record in home.lake.live(PAST)]
    assert fill(home, BEFORE, PAST_DAY)["status"] == "nothing_new"
    assert [record.seq for record in home.lake.live(PAST)] == records
    home.published.write_bytes(kept.read_bytes())  # As a kill before the publication leaves it.
    assert fill(home, BEFORE, PAST_DAY)["status"] == "done"
    assert history(home, PAST_DAY) == as_of_it
    run(home, NOW)
    assert history(home, PAST_DAY) == as_of_it, "the run of the next day keeps it"

    past = make_home(
        tmp_path / "past", deliver(tmp_path / "past_files", before=PAST_DAY), predictions=()
    )
    run(past, PAST_DAY)
    facts = slice(0, 7)
    assert [row[facts] for row in history(past, PAST_DAY)] == [row[facts] for row in as_of_it]


def test_only_month_starts_between_the_first_order_and_the_run_can_be_filled_in(
    tmp_path: Path,
) -> None:
    home = make_home(tmp_path / "home", deliver(tmp_path / "files", share=60), predictions=())
    with pytest.raises(SettingFault) as nothing_there:
        plan_backfill(home, None, None)
    assert nothing_there.value.code == "no-complete-run"
    run(home, date(2017, 3, 1))
    assert plan_backfill(home, None, None).asked == (date(2017, 2, 1),)
    for first, last in ((1, 2), (2, 3), (3, 4)):
        with pytest.raises(SettingFault) as beyond:
            plan_backfill(home, date(2017, first, 1), date(2017, last, 1))
        assert beyond.value.code == "no-such-month"
