"""History: the asset whose partitions are month starts of the past, filled in by a backfill.

A past date is computed where the last complete run stands: same loads, same settings, with its features
as of that date, and by whoever was trained before it. One step builds, scores and publishes: what lies
below belongs to the run of every day, which has no partitions and asks for none.
"""

import warnings
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from intake.lake import Record
from ml import tables
from ml.questions import Question
from orchestration import dbt
from orchestration.backfill import (
    filled,
    known_range,
    month_starts,
    refuse_beyond,
    stand_of_past,
    state_of_date,
)
from orchestration.defs.ingest import OWNER
from orchestration.defs.predict import FEATURES, HISTORY, OUTCOMES, SCORES, VALUES
from orchestration.defs.serve import public_tables, publication_metadata, publish_tables
from orchestration.moment import PAST, Moment, with_past, write_inputs
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import Home, read_config
from serving.publish import PublicTable

MONTHS = dg.AssetKey(["history", "month_starts"])
MART = dg.AssetKey(["marts", "customer_value_history"])
BUILT = [key.path[-1] for key in (FEATURES, OUTCOMES, VALUES)]
AT_ONCE = 12
"""Dates whose features are in the warehouse together: a year of a million customers is some gigabytes."""

QUIET_DAYS = 62
"""A home whose newest day is older than this is a sample: later months will not come."""


def months(home: Home) -> dg.MonthlyPartitionsDefinition:
    """The month starts that can be filled in, as partitions; one month before anything was loaded.

    They end with the data of a home whose data has ended, and grow by themselves in any other.
    """
    today = date.today()  # noqa: DTZ011 - which months there are is no data
    first_day, as_of = known_range(home.lake) or (today - timedelta(days=today.day), today)
    starts = month_starts(first_day + timedelta(days=1), as_of) or (as_of.replace(day=1),)
    if today - as_of <= timedelta(days=QUIET_DAYS):
        return dg.MonthlyPartitionsDefinition(str(starts[0]), end_offset=1)
    end = (as_of - timedelta(days=1)).replace(day=1) + timedelta(days=31)
    return dg.MonthlyPartitionsDefinition(str(starts[0]), end_date=str(end.replace(day=1)))


def history_asset(home: Home, manifest: Path) -> dg.AssetsDefinition:
    """The asset that fills in past month starts, in one run for all that are asked for."""
    published = public_tables(manifest)
    # Dagster calls the policy a beta each time the graph is read; its pin holds what it does.
    warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy")

    @dg.asset(
        key=MONTHS,
        deps=[FEATURES, OUTCOMES, VALUES, SCORES],
        partitions_def=months(home),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="history",
        description="One partition per month start of the past: value tier, lifecycle, revenue and"
        " what was expected of each customer as of that date, by a model trained before it or else a"
        " baseline. Fill in the months you want here; they come out in"
        " `marts/customer_value_history`, which is published anew. Everything else stays as it is.",
        kinds={"python", "parquet"},
        owners=[OWNER],
    )
    def month_starts_filled(
        context: dg.AssetExecutionContext, unicus: UnicusRun
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        dates = [date.fromisoformat(key) for key in context.partition_keys]
        progress.stage("backfill")
        with unicus.faults_shown():
            records = fill_in(unicus.place, unicus.moment(), dates, manifest, published)
            progress.stage("publish")
            rows = publish_tables(unicus.place, unicus.moment(), published, unicus.run_id)
        for day, record in records.items():
            context.add_asset_metadata(_metadata(record), partition_key=str(day))
        told = publication_metadata(unicus, rows)
        history = {"dagster/row_count": rows[".".join(MART.path)]}
        context.log_event(dg.AssetMaterialization(MART, metadata=history))
        context.log_event(dg.AssetMaterialization(["serving", "published"], metadata=told))
        yield dg.MaterializeResult(asset_key=MONTHS)

    return month_starts_filled


def _metadata(record: Record) -> dict[str, Any]:
    return {"dagster/partition_row_count": record.files[0].rows, **record.details["reasons"]}


def fill_in(
    home: Home, moment: Moment, dates: Sequence[date], manifest: Path, published: list[PublicTable]
) -> dict[date, Record]:
    """Compute the history of past dates, some at a time, and build the mart of it.

    A date that was made of the same loads, rules and champions is left as it is, so a backfill that was
    killed goes on where it stopped.

    Raises:
        SettingFault: a date that cannot be filled in.
        MixedWarehouse: the warehouse is not of the last complete run, or of other code.
    """
    refuse_beyond(home, moment, dates)
    dbt.refuse_other_code(home, {table.name for table in published} - {MART.path[-1]}, moment)
    done, stand = filled(home.lake), stand_of_past(home, moment)
    todo = sorted(day for day in dates if state_of_date(done.get(day), stand) != "filled")
    for start in range(0, len(todo), AT_ONCE):
        some = todo[start : start + AT_ONCE]
        progress.step(start + 1, len(todo), f"features of {len(some)} dates")
        past = with_past(home, moment, some)
        dbt.build_tables(home, manifest, write_inputs(home, past), BUILT)
        for number, day in enumerate(some, start + 1):
            progress.step(number, len(todo), f"scores of {day}")
            done[day] = _fill_date(home, moment, day, stand)
    inputs = write_inputs(home, moment)
    checked = f"source:{HISTORY.path[0]}.{HISTORY.path[1]}"
    dbt.build_tables(home, manifest, inputs, [checked, MART.path[-1]])
    progress.note(f"{len(todo)} dates filled in, {len(dates) - len(todo)} were there")
    return {day: done[day] for day in dates}


def _fill_date(home: Home, moment: Moment, day: date, stand: dict[str, Any]) -> Record:
    """Score one date and commit its history, in place of an earlier one."""
    from ml.value_history import value_history

    answers = {q.name: _answer(home, moment, q, day) for q in read_config(home).questions}
    scores = pa.concat_tables(
        [tables.SCORES.empty_table(), *(scores for scores, _ in answers.values())]
    )
    history = value_history(home.warehouse, day, scores, is_backfilled=True)
    reasons = {name: reason for name, (_, reason) in answers.items()}
    details = {"as_of": str(day), **stand, "reasons": reasons}
    lake = home.lake
    with lake.transaction() as transaction:
        number = f"{transaction.seq:010d}"
        path = f"history/as_of={day}/{number}.parquet"
        staged = [lake.stage(history, "ml", "value_history", path)]
        old = [r.seq for r in lake.live(PAST) if r.details["as_of"] == str(day)]
        return transaction.commit(PAST, number, staged, supersedes=old, details=details)


def _answer(home: Home, moment: Moment, question: Question, day: date) -> tuple[pa.Table, str]:
    """Score one question at a past date; a baseline speaks when the guard refuses the champion."""
    from ml.score import score, score_with_baseline

    place: dict[str, Any] = {
        "question": question,
        "warehouse": home.warehouse,
        "mlflow_folder": home.mlflow,
        "first_day": moment.first_day,
        "as_of": day,
        "snapshot_id": moment.snapshot_id,
    }
    result = score(**place)
    if result.scores is not None:
        return result.scores, result.reason
    fallback = score_with_baseline(**place)
    assert fallback.scores is not None, "a baseline is not guarded"
    return fallback.scores, f"{result.reason}; {fallback.reason}"
