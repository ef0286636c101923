"""What nobody needs any more of a home, and `unicus vacuum`, which removes it.

Belongs here: the kinds of waste, the rule of each, the plan and its carrying out, in an order that a
kill may cut anywhere. Does not belong here: which files of the lake are needed (`intake/retention.py`),
and how Dagster and MLflow forget (`history.py`, `ml/tracking.py`). Light until it removes something.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intake.lake import EXPIRY, deaths
from intake.retention import Found, dead_files, old_originals, old_snapshots
from orchestration import lock
from orchestration.console import aligned, size_text
from orchestration.dagster_runs import forget_runs, old_runs
from orchestration.score_days import first_good_days, scores_by_day
from orchestration.settings import Home, Retention, read_config, require_home
from orchestration.status import RUN_LOG

if TYPE_CHECKING:
    from intake.lake import Record
    from ml.forgetting import OldTraining, OldTrainings
    from serving.publish import Publication

SCHEMA = "unicus.vacuum/1"


@dataclass(frozen=True)
class Waste:
    """What can go of one kind.

    Attributes:
        kind: its name in JSON.
        rule: what decides.
        count: how many things.
        bytes: what removing them gives back to the disk.
        remove: removes them and says how many bytes that gave back.
        oldest_kept: the day of the oldest thing that stays.
        is_estimate: whether the bytes are only known when it is done.
    """

    kind: str
    rule: str
    count: int
    bytes: int
    remove: Callable[[], int]
    oldest_kept: date | None = None
    is_estimate: bool = False


@dataclass(frozen=True)
class Change:
    """What a vacuum would remove, or has removed.

    Attributes:
        freed: bytes given back by kind, once it is done.
    """

    home: Home
    waste: tuple[Waste, ...]
    freed: tuple[int, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to remove."""
        return not any(one.count for one in self.waste)

    @property
    def subject(self) -> str:
        """What an error about it names."""
        return str(self.home.root)

    @property
    def verb(self) -> str:
        """The command line that does it."""
        return f"unicus vacuum --home {self.home.root}"


@dataclass(frozen=True)
class _Stock:
    """What every kind looks at: the home, its settings, its register, what BI reads, the time."""

    home: Home
    days: Retention
    records: list[Record]
    live: list[Record]
    published: Publication | None
    now: datetime

    def before(self, days: int) -> datetime:
        """What is older than so many days goes."""
        return self.now - timedelta(days=days)


def plan_vacuum(home: Home, now: datetime | None = None) -> Change:
    """Say what a vacuum would remove; changes nothing.

    Args:
        home: the home.
        now: the time that ages are counted to.

    Raises:
        SettingFault: no home, or a `home.yaml` that cannot be used.
        InputFault: a record of the register that cannot be read.
        DamagedCopy: the published copy cannot tell what it was built from.
    """
    stock = _take_stock(home, now)
    return Change(home, _every_kind(stock, _old_models(stock)))


def waste_bytes(home: Home, now: datetime | None = None) -> int:
    """What a vacuum would free at least, without opening the store of models."""
    return sum(one.bytes for one in _every_kind(_take_stock(home, now), None))


def plan_again(change: Change) -> Change:
    """The same with what is there now."""
    return plan_vacuum(change.home)


def carry_out(change: Change) -> Change:
    """Remove what was planned, kind by kind; only the holder of the home calls this."""
    freed = tuple(one.remove() if one.count else 0 for one in change.waste)
    return Change(change.home, change.waste, freed)


def _take_stock(home: Home, now: datetime | None) -> _Stock:
    require_home(home)
    from serving.publish import read_publication

    days, published = read_config(home).retention, read_publication(home.published)
    records = home.lake.records()
    died = deaths(records)
    live = [record for record in records if record.seq not in died]
    return _Stock(home, days, records, live, published, now or datetime.now(UTC))


def _every_kind(stock: _Stock, models: OldTrainings | None) -> tuple[Waste, ...]:
    """The kinds in the order that they go; without a look at the models all of them stay."""
    return (*_lake(stock, models), _history(stock), _logs(stock), _leftovers(stock))


def _lake(stock: _Stock, models: OldTrainings | None) -> list[Waste]:
    """The kinds that name files of the lake, and the files nothing names when they are gone."""
    lake, days = stock.home.lake, stock.days
    published = stock.published.snapshot_id if stock.published else None
    learnt = {str(r.details["snapshot_id"]) for r in stock.records if r.kind == "training"}
    snapshots, stays = old_snapshots(lake, stock.before(days.snapshots_days), published, learnt)
    dead = dead_files(
        lake, stock.records, stock.before(days.dead_files_days), stays, _spared(stock, models)
    )
    originals = old_originals(lake, stock.records, stock.before(days.dead_files_days))
    return [
        _files("snapshots", snapshots, f"no run stood on them for {days.snapshots_days} days; the newest"
               " and the published one stay"),
        _scores(stock),
        *([_models(stock, models)] if models else []),
        _files("dead_files", dead, "rows undone, replaced or left by a kill"
               f" {days.dead_files_days} days ago, that no snapshot reads"),
        _files("originals", originals, f"files whose loads are all out of force for"
               f" {days.dead_files_days} days"),
    ]  # fmt: skip


def _files(kind: str, found: Found, rule: str) -> Waste:
    kept = found.oldest_kept.date() if found.oldest_kept else None
    count, freed = len(found.files), sum(map(_size, found.files))
    return Waste(kind, rule, count, freed, partial(_remove, found.files), kept)


def _scores(stock: _Stock) -> Waste:
    """Scores of old days, counted from the newest day: a home may stand at a date long past."""
    days, lake = stock.days.scores_days, stock.home.lake
    made = scores_by_day(stock.live)
    first = max(made) - timedelta(days=days) if made else date.min
    stays = {*first_good_days(made), *([stock.published.as_of] if stock.published else [])}
    old = {day: record for day, record in made.items() if day < first and day not in stays}
    files = [lake.path(file) for record in old.values() for file in record.files]

    def remove() -> int:
        # The record first: after a kill the files are those of dead records.
        seqs = [record.seq for record in old.values()]
        with lake.transaction() as transaction:
            transaction.commit(EXPIRY, f"{transaction.seq:010d}", [], supersedes=seqs)
        return _remove(files)

    rule = f"more than {days} days before the newest; the first good day of each month stays"
    kept = min((day for day in made if day not in old), default=None)
    return Waste("scores", rule, len(files), sum(map(_size, files)), remove, kept)


def _old_models(stock: _Stock) -> OldTrainings:
    from ml.forgetting import old_trainings

    needed = {str(r.details.get("mlflow_run_id")) for r in stock.live if r.kind == "training"}
    before = stock.before(stock.days.models_days)
    return old_trainings(stock.home.mlflow, before, needed)


def _spared(stock: _Stock, models: OldTrainings | None) -> set[int]:
    """Trainings that `unicus models` still tells of: what they measured goes with their model."""
    return {
        record.seq
        for record in stock.records
        if record.kind == "training"
        and (models is None or record.details.get("mlflow_run_id") in models.kept)
    }


def _models(stock: _Stock, models: OldTrainings) -> Waste:
    def remove() -> int:
        return sum(_forget(stock.home, run) for run in models.gone)

    rule = (
        f"trained {stock.days.models_days} days ago and never champion; the newest of each"
        " prediction stays"
    )
    freed = sum(_size_below(place) for run in models.gone for place in run.folders)
    kept = models.oldest_kept.date() if models.oldest_kept else None
    return Waste("models", rule, len(models.gone), freed, remove, kept)


def _forget(home: Home, run: OldTraining) -> int:
    from ml.forgetting import forget_training

    freed = sum(map(_size_below, run.folders))
    forget_training(home.mlflow, run)
    return freed


def _history(stock: _Stock) -> Waste:
    home, days = stock.home, stock.days.runs_days
    old = old_runs(home, stock.before(days))
    kept = old.oldest_kept.date() if old.oldest_kept else None

    def remove() -> int:
        before = _size_below(home.dagster)
        forget_runs(home, old.run_ids)
        return max(before - _size_below(home.dagster), 0)

    rule = f"began {days} days ago, and no asset was made last by them"
    freed = int(_size_below(home.dagster) * old.share) if old.share else 0
    return Waste("runs", rule, len(old.run_ids), freed, remove, kept, is_estimate=bool(old.run_ids))


def _logs(stock: _Stock) -> Waste:
    """Logs, moments and signs of life of runs that ended long ago."""
    home, days = stock.home, stock.days.logs_days
    summaries = [path for path in home.logs.glob("*.json") if RUN_LOG.fullmatch(path.stem)]
    logs = [*home.logs.glob("*.log"), *summaries]
    moments = [path for path in home.moments.glob("*.json") if RUN_LOG.fullmatch(path.stem)]
    signs = [home.root / "running" / one for one in lock.signs(home.root)
             if not lock.is_alive(home.root, one)]  # fmt: skip
    written = {path: path.stat().st_mtime for path in (*logs, *moments, *signs)}
    runs = [path for path in logs if RUN_LOG.fullmatch(path.stem)]
    last = max(runs, key=lambda path: written[path], default=Path())
    stays = {last.stem, stock.published.run_id if stock.published else ""}
    before = stock.before(days).timestamp()
    old = [path for path, at in written.items() if at < before and path.stem not in stays]
    kept = [datetime.fromtimestamp(at, UTC) for path, at in written.items() if path not in old]
    rule = f"not written for {days} days; those of the last run stay"
    return _files("logs", Found(tuple(sorted(old)), min(kept, default=None)), rule)


def _leftovers(stock: _Stock) -> Waste:
    """What writers had in hand when they were killed: whoever holds the home is alone."""
    home = stock.home
    found = [
        *home.published.parent.glob(f".{home.published.name}.*"),
        *home.warehouse.parent.glob("*.tmp"),
        *(home.lake.root / "incoming").glob("*"),
    ]
    return _files("leftovers", Found(tuple(sorted(found))), "what killed runs were writing")


def _size(path: Path) -> int:
    """Bytes that removing it gives back; one of several hard links gives back none."""
    if path.is_dir():
        return _size_below(path)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    return found.st_size if found.st_nlink == 1 else 0


def _size_below(folder: Path) -> int:
    return sum(_size(Path(root) / name) for root, _, names in os.walk(folder) for name in names)


def _remove(paths: Iterable[Path]) -> int:
    """Remove files, and the folders that they leave empty; a second time removes what is left."""
    freed = 0
    for path in paths:
        size = _size(path)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        freed += size
        _remove_if_empty(path.parent)
    return freed


def _remove_if_empty(folder: Path) -> None:
    """Remove the folder of a day or a system; those of an empty home stay."""
    while "=" in folder.name and folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def change_value(change: Change, status: str) -> dict[str, Any]:
    """The vacuum as one JSON object; status is planned, done or nothing_new."""
    freed = change.freed or tuple(one.bytes for one in change.waste)
    return {
        "schema": SCHEMA,
        "status": status,
        "home": str(change.home.root),
        "bytes": sum(freed),
        "kinds": [
            {
                "kind": one.kind,
                "count": one.count,
                "bytes": size,
                "is_estimate": one.is_estimate and not change.freed,
                "oldest_kept": one.oldest_kept.isoformat() if one.oldest_kept else None,
                "rule": one.rule,
            }
            for one, size in zip(change.waste, freed, strict=True)
        ],
    }


def change_text(change: Change, status: str) -> str:
    """The vacuum as a person reads it."""
    value = change_value(change, status)
    total = size_text(value["bytes"])
    head = {
        "nothing_new": f"Nothing to remove in {change.home.root}.",
        "planned": f"Would remove what nobody needs any more, about {total}.",
        "done": f"Removed what nobody needs any more, {total}.",
    }[status]
    rows = [
        (one["kind"].replace("_", " "), f"{one['count']:,}",
         ("about " if one["is_estimate"] and one["count"] else "") + size_text(one["bytes"]),
         one["oldest_kept"] or "", one["rule"])
        for one in value["kinds"]
    ]  # fmt: skip
    table = aligned([("what", "how many", "bytes", "oldest kept", "goes when"), *rows])
    return f"{head}\n{table}"
