"""When a model is trained anew: apart from the scoring of every day.

A training costs a hundred times a scoring, and a month of customers changes a model little. So a
question is trained when its last training no longer speaks for this code, these settings or this
stretch of time, and otherwise its champion goes on scoring.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ml.tracking import has_models
from orchestration.runkey import training_rules

if TYPE_CHECKING:
    from intake.lake import Lake, Record
    from orchestration.settings import Home, HomeConfig

RETRAIN_DAYS = 30


@dataclass(frozen=True)
class Stand:
    """What decides whether a training still holds.

    Attributes:
        snapshot_id: the loads that are seen.
        as_of: everything dated on or after it is invisible.
        first_day: first day with data.
        rules: hash of settings, code and pinned versions.
    """

    snapshot_id: str
    as_of: date
    first_day: date
    rules: str


@dataclass(frozen=True)
class Training:
    """What is remembered of the last training of a question; `is_reused` when this run found it."""

    stand: Stand
    promoted: bool
    reason: str
    model_version: str | None
    mlflow_run_id: str | None
    is_reused: bool = False

    @property
    def is_trained(self) -> bool:
        """Whether a model came of it; too little data makes none."""
        return self.model_version is not None


def is_due(last: Training | None, now: Stand) -> bool:
    """Whether a question has to be trained at this moment.

    Args:
        last: The last training of the question, None when there was none.
        now: Where the run stands.
    """
    if last is None or last.stand.rules != now.rules or last.stand.first_day != now.first_day:
        return True
    # A model may not have seen what is invisible now, nor be older than a month.
    if not now.as_of - timedelta(days=RETRAIN_DAYS) <= last.stand.as_of <= now.as_of:
        return True
    return not last.is_trained and last.stand.snapshot_id != now.snapshot_id


def due_questions(home: Home, config: HomeConfig, now: Stand) -> tuple[str, ...]:
    """Names of the questions to train; a model whose store is gone counts as none."""
    done = trainings(home.lake)
    if not has_models(home.mlflow):
        done = {name: one for name, one in done.items() if not one.is_trained}
    return tuple(q.name for q in config.questions if is_due(done.get(q.name), now))


def stand_of(snapshot_id: str, as_of: date, first_day: date, config: HomeConfig) -> Stand:
    """Where a run of this home stands."""
    return Stand(snapshot_id, as_of, first_day, training_rules(config))


def trainings(lake: Lake) -> dict[str, Training]:
    """The last training by question."""
    return {
        str(record.details["question"]): _training(record.details)
        for record in lake.live("training")
        if "question" in record.details
    }


def undone_files(home: Home) -> dict[str, list[str]]:
    """Files that a champion learnt from and that were undone since, by question; without them, none.

    A file is known by its bytes, for its load may have been read again before it was undone.
    """
    from ml.tracking import champions

    lake, records = home.lake, home.lake.records()
    undone = {_file_of(r): str(r.details["file_name"]) for r in lake.live("undo")}
    if not undone:
        return {}
    crowned = champions(home.mlflow)
    snapshots = {
        str(r.details["question"]): str(r.details["snapshot_id"])
        for r in records
        if r.kind == "training"
        and r.details.get("model_version")
        and crowned.get(r.details.get("question", "")) == r.details["model_version"]
    }
    files = {r.seq: _file_of(r) for r in records if r.kind == "load"}
    found = {
        question: sorted({undone[files[seq]] for seq in _seen(lake, snapshot)
                          if files.get(seq) in undone})
        for question, snapshot in snapshots.items()
    }  # fmt: skip
    return {question: names for question, names in found.items() if names}


def _file_of(record: Record) -> tuple[str, str, str]:
    told = record.details
    return told["source_system"], told["entity"], told["file_hash"]


def _seen(lake: Lake, snapshot: str) -> list[int]:
    path = lake.root / "snapshots" / f"{snapshot}.json"
    return list(json.loads(path.read_text("utf-8"))["loads"]) if path.exists() else []


def superseded_by(question: str, live: list[Record]) -> list[int]:
    """Records that a new training puts out of force: the question's last one, and nameless ones.

    Those are of the time when there was but one question.
    """
    return [r.seq for r in live if r.details.get("question", question) == question]


def details_of(question: str, training: Training) -> dict[str, Any]:
    """A training as the register keeps it."""
    told = asdict(training)
    stand = {name: str(value) for name, value in told.pop("stand").items()}
    del told["is_reused"]
    return {"question": question, **stand, **told}


def _training(details: dict[str, Any]) -> Training:
    stand = Stand(
        details["snapshot_id"],
        date.fromisoformat(details["as_of"]),
        date.fromisoformat(details["first_day"]),
        details["rules"],
    )
    return Training(
        stand,
        details["promoted"],
        details["reason"],
        details["model_version"],
        details["mlflow_run_id"],
        is_reused=True,
    )
