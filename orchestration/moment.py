"""The moment a run stands at: one snapshot of the lake, one `as_of`, the dates it needs features for.

A run that starts at landing freezes a new one; a partial run stands at the last complete one, which
the published copy remembers. dbt learns of it, and of every file to read, from one list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from identity.resolve import TABLES as IDENTITY_TABLES
from intake.contract import contracts
from intake.lake import LakeFile, Record, put_in_place, write_text_durably
from intake.snapshot import day_range, freeze, read_snapshot
from ml.splits import dates_to_score, dates_to_train
from ml.tables import (
    MODEL_CALIBRATION,
    MODEL_DECILES,
    MODEL_DRIFT,
    MODEL_PERFORMANCE,
    SCORES,
    VALUE_HISTORY,
)
from orchestration.retraining import due_questions, stand_of
from orchestration.runkey import run_key
from orchestration.score_days import first_good_days, scores_by_day
from orchestration.settings import Home, SettingFault, read_config
from serving.publish import read_publication

PRODUCTS = {
    "identity": IDENTITY_TABLES,
    "ml": {
        "scores": SCORES,
        "value_history": VALUE_HISTORY,
        "model_performance": MODEL_PERFORMANCE,
        "model_deciles": MODEL_DECILES,
        "model_calibration": MODEL_CALIBRATION,
        "model_drift": MODEL_DRIFT,
    },
}
"""Tables that Python gives back to dbt, by source."""

PAST = "past"
"""Kind of a record that holds the value history of a date that a backfill filled in."""

REALISED_MONTHS = 24
"""Months of which scores are held against what came; the horizon of a year needs more than one."""

RUN_SCHEMA = pa.schema(
    [
        ("as_of", pa.date32()),
        ("business_timezone", pa.string()),
        ("reporting_currency", pa.string()),
        ("snapshot_id", pa.string()),
        ("run_key", pa.string()),
    ]
)
DATES_SCHEMA = pa.schema(
    [("as_of_date", pa.date32()), ("is_whole", pa.bool_()), ("is_training", pa.bool_())]
)


@dataclass(frozen=True)
class Moment:
    """Where a run stands.

    Attributes:
        snapshot_id: the frozen set of live loads.
        as_of: everything dated on or after it is invisible.
        first_day: first day with data.
        due: names of the questions to train in this run.
        training_dates: as-of dates that their training and backtests read.
        season_dates: as-of dates of earlier years that scoring reads.
        past_dates: as-of dates that a backfill fills in.
    """

    snapshot_id: str
    as_of: date
    first_day: date
    due: tuple[str, ...] = ()
    training_dates: tuple[date, ...] = ()
    season_dates: tuple[date, ...] = ()
    past_dates: tuple[date, ...] = ()


def new_moment(home: Home, as_of: date | None, *, retrain: bool = False) -> Moment:
    """Freeze what is live now, and stand at `as_of` or else after the last complete day.

    Args:
        home: The home.
        as_of: The date to stand at.
        retrain: Train every question, also those whose last training still holds.

    Raises:
        SettingFault: there is no data to stand on, or none before `as_of`.
    """
    lake, config = home.lake, read_config(home)
    snapshot = freeze(lake, contracts(), config.systems)
    days = day_range(lake, snapshot, contracts(), config.business_timezone)
    if days is None:
        raise _no_day(home, "nothing is loaded, so there is no day to stand at")
    first_day, default = days
    if as_of and as_of <= first_day:
        raise _no_day(
            home, f"as of {as_of} nothing has happened yet, the data begins on {first_day}"
        )
    return _moment(home, snapshot.snapshot_id, as_of or default, first_day, retrain=retrain)


def last_moment(home: Home) -> Moment:
    """The moment of the last complete run.

    Raises:
        SettingFault: there was none.
    """
    publication = read_publication(home.published)
    if publication is None:
        raise SettingFault(
            "no-complete-run", str(home.root), "a part of the graph needs a complete run before it",
            where=str(home.published), why="nothing was published in this home yet",
            fix="materialize everything once:  unicus run",
        )  # fmt: skip
    lake = home.lake
    snapshot = read_snapshot(lake, publication.snapshot_id)
    days = day_range(lake, snapshot, contracts(), read_config(home).business_timezone)
    first_day = days[0] if days else publication.as_of
    return _moment(home, publication.snapshot_id, publication.as_of, first_day)


def with_past(home: Home, moment: Moment, dates: Iterable[date]) -> Moment:
    """The same moment, with dates that a backfill fills in and those that their scores read."""
    horizons = {question.horizon_days for question in read_config(home).questions}
    past = tuple(sorted(dates))
    season = {day for one in past for day in dates_to_score(moment.first_day, one, horizons)}
    return replace(
        moment, season_dates=tuple(sorted(season.union(moment.season_dates))), past_dates=past
    )


def _moment(
    home: Home, snapshot: str, as_of: date, first_day: date, *, retrain: bool = False
) -> Moment:
    """The moment with what is due there, decided once for all steps of the run."""
    config = read_config(home)
    asked = {question.name: question.horizon_days for question in config.questions}
    due = due_questions(home, config, stand_of(snapshot, as_of, first_day, config))
    due = tuple(asked) if retrain else due
    return Moment(
        snapshot,
        as_of,
        first_day,
        due,
        dates_to_train(first_day, as_of, {asked[name] for name in due}),
        dates_to_score(first_day, as_of, set(asked.values())),
    )


def _no_day(home: Home, why: str) -> SettingFault:
    return SettingFault(
        "no-day-to-stand-at", str(home.root), "there is no day to compute anything for",
        where=str(home.config_path), why=why,
        fix="load a system, or choose a later date with  --as-of DATE",
    )  # fmt: skip


def keep(home: Home, run_id: str, moment: Moment) -> None:
    """Write down where the run stands, for its later steps."""
    write_text_durably(_kept(home, run_id), json.dumps(asdict(moment), default=str))


def kept(home: Home, run_id: str) -> Moment | None:
    """Where the run stands, if it said so already."""
    path = _kept(home, run_id)
    if not path.exists():
        return None
    raw = json.loads(path.read_text("utf-8"))
    return Moment(
        raw["snapshot_id"],
        date.fromisoformat(raw["as_of"]),
        date.fromisoformat(raw["first_day"]),
        tuple(raw["due"]),
        tuple(map(date.fromisoformat, raw["training_dates"])),
        tuple(map(date.fromisoformat, raw["season_dates"])),
        tuple(map(date.fromisoformat, raw.get("past_dates", ()))),
    )


def _kept(home: Home, run_id: str) -> Path:
    return home.moments / f"{run_id}.json"


def keep_made(home: Home, tables: Iterable[str], moment: Moment) -> None:
    """Write down that these tables, made by Python, are now of this moment."""
    stands = [moment.snapshot_id, str(moment.as_of)]
    made = _made(home) | dict.fromkeys(tables, stands)
    write_text_durably(home.moments / "made.json", json.dumps(made, indent=1))


def made_for(home: Home, moment: Moment) -> set[str]:
    """Tables made by Python that are of exactly this moment."""
    stands = [moment.snapshot_id, str(moment.as_of)]
    return {table for table, of in _made(home).items() if of == stands}


def _made(home: Home) -> dict[str, list[str]]:
    path = home.moments / "made.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def write_inputs(home: Home, moment: Moment) -> Path:
    """Write the list of every file that dbt's sources are made of, and return its path.

    The raw part is the frozen snapshot; what identity and models wrote is what is live now, which
    only the run that holds the home can change.
    """
    lake = home.lake
    files = [
        *read_snapshot(lake, moment.snapshot_id).files,
        *_moment_files(home, moment),
        *_product_files(home, moment),
    ]
    lines = [
        json.dumps({"source": f.source, "table": f.table, "path": str(lake.path(f))}) for f in files
    ]
    path = home.moments / "inputs.json"
    write_text_durably(path, "\n".join(lines) + "\n")
    return path


def _moment_files(home: Home, moment: Moment) -> list[LakeFile]:
    config = read_config(home)
    run = {
        "as_of": moment.as_of,
        "business_timezone": config.business_timezone,
        "reporting_currency": config.reporting_currency,
        "snapshot_id": moment.snapshot_id,
        "run_key": run_key(moment.snapshot_id, moment.as_of, config),
    }
    whole = {moment.as_of, *moment.past_dates}
    dates = [
        {
            "as_of_date": day,
            "is_whole": day in whole,
            "is_training": day in moment.training_dates,
        }
        for day in sorted({*moment.training_dates, *moment.season_dates, *whole})
    ]
    files = []
    for table, rows, schema in (("run", [run], RUN_SCHEMA), ("as_of_dates", dates, DATES_SCHEMA)):
        path = home.moments / f"{table}.parquet"
        staged = home.lake.stage(
            pa.Table.from_pylist(rows, schema=schema), "moment", table, str(path)
        )
        put_in_place(staged.staged, path)
        files.append(staged.target)
    return files


def _product_files(home: Home, moment: Moment) -> list[LakeFile]:
    """What identity and models wrote, as far as this run reads it.

    Tables of an earlier version of the project have other names, and are passed over.
    """
    lake = home.lake
    schemas = [
        lake.put_schema(source, table, schema)
        for source, tables in PRODUCTS.items()
        for table, schema in tables.items()
    ]
    live = lake.live()
    read = [
        *(record for record in live if record.kind not in {"training", "scores", PAST}),
        *_asked(live, {question.name for question in read_config(home).questions}),
    ]
    written = [file for record in read for file in record.files if file.source in PRODUCTS]
    return [*schemas, *written, *_score_files(live, moment.as_of)]


def _asked(live: list[Record], names: set[str]) -> list[Record]:
    """Trainings of the questions that are asked of the home now."""
    return [r for r in live if r.kind == "training" and r.details.get("question") in names]


def _score_files(live: list[Record], as_of: date) -> list[LakeFile]:
    """The scores and drift of the run's date and of the first good date in each month before.

    The value history has the same dates and those that were filled in; of a date that is both, the
    newer is read.
    """
    made = {day: record for day, record in scores_by_day(live).items() if day <= as_of}
    past = {_date_of(r): r for r in live if r.kind == PAST and _date_of(r) < as_of}
    read = {*first_good_days(made)[-REALISED_MONTHS:], *(day for day in made if day == as_of)}
    filled = {day: r for day, r in past.items() if day not in read or r.seq > made[day].seq}
    files = [(day, file) for day in sorted(read) for file in made[day].files]
    return [
        *(file for day, file in files if file.table != "value_history" or day not in filled),
        *(file for day in sorted(filled) for file in filled[day].files),
    ]


def _date_of(record: Record) -> date:
    return date.fromisoformat(record.details["as_of"])
