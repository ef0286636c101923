"""What a home holds, told from its own files: register, published copy, logs, settings.

Light: no Dagster, dbt, pandas, pyarrow or pydantic, so that it answers at once. It looks and never
changes; whether what it finds is sound is the business of `doctor.py`.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration import disk, lock
from orchestration.console import aligned
from orchestration.feeds import read_feeds
from orchestration.settings import (
    DBT_VARIABLE,
    MEMORY_VARIABLE,
    PROJECT,
    Home,
    HomeConfig,
    Notifications,
    Retention,
    SystemPlace,
    memory_limit,
    read_config,
    require_home,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intake.lake import Record

SCHEMA = "unicus.status/1"
RUN_LOG = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_status(home: Home, home_origin: str = "default") -> dict[str, Any]:
    """Collect the status as one JSON object.

    Args:
        home: the home to look at.
        home_origin: who named the home: option, environment or default.

    Raises:
        SettingFault: no home, or a `home.yaml` that cannot be used.
        InputFault: a record of the register that cannot be read.
    """
    require_home(home)
    config, live = read_config(home), home.lake.live()
    loads = [record for record in live if record.kind == "load"]
    read = [record for record in loads if _of(record) in config.systems]
    used = disk.used_by_part(home.root)
    return {
        "schema": SCHEMA,
        "home": str(home.root),
        "held_by": lock.holder(home.root),
        "published": _published(home),
        "last_run": _last_run(home),
        "models": _models(home, live),
        "systems": _systems(config, loads),
        "entities": _entity_rows(home, read, ZoneInfo(config.business_timezone)),
        "entities_without_data": sorted(
            read_feeds().keys() - {record.details["entity"] for record in read}
        ),
        "disk": disk.folders(used),
        "space": disk.space(home.root, used) | {"vacuum_bytes": _vacuum_bytes(home)},
        "settings": _settings(home, home_origin, config),
    }


def _published(home: Home) -> dict[str, Any]:
    """What BI reads; `state` says whether there is a copy and whether it opens."""
    if not home.published.exists():
        return {"state": "none", "path": str(home.published)}
    import duckdb

    from serving.publish import DamagedCopy, read_publication

    try:
        publication = read_publication(home.published)
    except DamagedCopy:
        publication = None
    if publication is None:
        return {"state": "damaged", "path": str(home.published)}
    with duckdb.connect(str(home.published), read_only=True) as con:
        tables = con.execute(
            "select count(*) from duckdb_tables() where table_name <> 'publication'"
        ).fetchone()
    published_at = publication.published_at.replace(tzinfo=UTC)
    return {
        "state": "readable",
        "path": str(home.published),
        "as_of": publication.as_of.isoformat(),
        "run_id": publication.run_id,
        "published_at": published_at.isoformat(),
        "age_seconds": int((datetime.now(UTC) - published_at).total_seconds()),
        "tables": tables[0] if tables else 0,
    }


def _last_run(home: Home) -> dict[str, Any] | None:
    """The newest run of the command line; without a summary it is at work, or was cut short."""
    logs = [path for path in home.logs.glob("*.log") if RUN_LOG.fullmatch(path.stem)]
    if not logs:
        return None
    log = max(logs, key=lambda path: path.stat().st_mtime)
    kept = log.with_suffix(".json")
    told = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    ended = kept if kept.exists() else log
    return {
        "run_id": log.stem,
        "status": told.get("status") or ("running" if _is_held(home) else "interrupted"),
        "at": datetime.fromtimestamp(ended.stat().st_mtime, UTC).isoformat(timespec="seconds"),
        "seconds": told.get("seconds"),
        "as_of": told.get("as_of"),
        "stage": told.get("stage"),
        "error": told.get("error"),
        "log": str(log),
    }


def _is_held(home: Home) -> bool:
    return lock.holder(home.root) is not None


def _models(home: Home, live: list[Record]) -> list[dict[str, Any]]:
    """Per question: what the last training decided, and who made the newest scores."""
    from orchestration.retraining import undone_files

    undone, models = undone_files(home), []
    for training in (r for r in live if r.kind == "training" and "question" in r.details):
        name = training.details["question"]
        scores = [r for r in live if r.kind == "scores" and name in r.details.get("reasons", {})]
        newest = max(scores, key=lambda r: (r.details["as_of"], r.seq), default=None)
        models.append(
            {
                "name": name,
                "version": training.details["model_version"],
                "is_promoted": training.details["promoted"],
                "reason": training.details["reason"],
                "trained_at": training.committed_at,
                "scored_as_of": newest.details["as_of"] if newest else None,
                "scored_by": newest.details["reasons"][name] if newest else None,
                "undone_files": undone.get(name, []),
            }
        )
    return models


def _systems(config: HomeConfig, loads: list[Record]) -> list[dict[str, Any]]:
    """The systems of the home and those it still has loads of, each with its entities."""
    loaded = {record.details["source_system"] for record in loads}
    return [
        {
            "name": name,
            "location": _location(name, config.systems[name]) if name in config.systems else None,
            "entities": _entities(record for record in loads if _of(record) == name),
        }
        for name in sorted(loaded | set(config.systems))
    ]


def _of(record: Record) -> str:
    return str(record.details["source_system"])


def _entities(loads: Iterable[Record]) -> list[dict[str, Any]]:
    entities: dict[str, dict[str, Any]] = {}
    for record in loads:
        told = record.details
        one = entities.setdefault(
            told["entity"],
            {"entity": told["entity"], "loads": 0, "stored_rows": 0, "quarantined_rows": 0},
        )
        one["loads"] += 1
        one["stored_rows"] += told["stored_rows"]
        one["quarantined_rows"] += sum(
            outcome["rows"] for outcome in told["outcomes"] if outcome["outcome"] == "quarantined"
        )
        one["newest_load_at"] = record.committed_at
    return [entities[name] for name in sorted(entities)]


def _location(name: str, place: SystemPlace) -> str | None:
    """Where the system's files lie, as `home.yaml` or else `source.yaml` writes it.

    Read without `intake.source`, whose full check of the file takes longer than all the rest here.
    """
    if place.location:
        return place.location
    import yaml

    for folder in (place.folder, PROJECT / "intake" / "systems"):
        source = Path(folder) / name / "source.yaml"
        if folder and source.is_file():
            return str(yaml.safe_load(source.read_text("utf-8"))["location"])
    return None


def _entity_rows(home: Home, loads: list[Record], zone: ZoneInfo) -> list[dict[str, Any]]:
    """Every entity there could be: its rows that runs read, how new they are, what they light up."""
    from intake.recency import newest_event

    rows = []
    for entity, known in sorted(read_feeds().items()):
        files = [
            str(home.lake.path(file))
            for record in loads
            for file in record.files
            if (file.source, file.table) == ("raw", entity) and file.rows
        ]
        newest = known["event_time"] and newest_event(files, known["event_time"], zone)
        rows.append(
            {
                "entity": entity,
                "stored_rows": sum(
                    r.details["stored_rows"] for r in loads if r.details["entity"] == entity
                ),
                "newest_event_date": str(newest) if newest else None,
                "feeds": known["feeds"],
            }
        )
    return rows


def _vacuum_bytes(home: Home) -> int | None:
    """What a vacuum would free at least; None when the published copy cannot tell what it needs."""
    from orchestration.vacuum import waste_bytes
    from serving.publish import DamagedCopy

    try:
        return waste_bytes(home)
    except DamagedCopy:
        return None


def _settings(home: Home, home_origin: str, config: HomeConfig) -> list[dict[str, str]]:
    """Each setting with its value and where it came from."""
    written = "home.yaml" if home.config_path.exists() else "default"
    switch, memory = os.environ.get(DBT_VARIABLE), os.environ.get(MEMORY_VARIABLE)
    rows = [
        ("home", str(home.root), home_origin),
        ("business_timezone", config.business_timezone, written),
        ("reporting_currency", config.reporting_currency, written),
        ("predictions", " ".join(question.name for question in config.questions),
         "default" if config.predictions is None else "home.yaml"),
        ("postgres", config.postgres or "none: files in the home",
         "home.yaml" if config.postgres else "default"),
        (DBT_VARIABLE, switch or "in process", "environment" if switch else "default"),
        (MEMORY_VARIABLE, memory or memory_limit(), "environment" if memory else "default"),
    ]  # fmt: skip
    told, origin = (
        config.notifications or Notifications(),
        "home.yaml" if config.notifications else "default",
    )
    rows += [
        ("notifications.events", " ".join(told.events), origin),
        ("notifications.file", str(told.file).lower(), origin),
        ("notifications.webhook", f"${{{told.webhook}}}" if told.webhook else "none", origin),
    ]
    for name, value in vars(config.automation).items():
        shown = "none" if value is None else str(value)
        rows.append((f"automation.{name}", shown, "home.yaml" if value else "default"))
    for name, place in config.systems.items():
        origins = {key: "home.yaml" if value else "default" for key, value in vars(place).items()}
        folder = place.folder or str(PROJECT / "intake" / "systems")
        rows.append((f"systems.{name}.folder", folder, origins["folder"]))
        location = _location(name, place) or "unknown"
        rows.append((f"systems.{name}.location", location, origins["location"]))
    usual = Retention()
    for name, days in vars(config.retention).items():
        origin = "default" if days == getattr(usual, name) else "home.yaml"
        rows.append((f"retention.{name}", str(days), origin))
    return [{"name": name, "value": value, "origin": origin} for name, value, origin in rows]


def settings_text(status: dict[str, Any]) -> str:
    """The settings as a person reads them."""
    return aligned([("setting", "value", "from"), *_cells(status["settings"])], indent="")


def _cells(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(str(value) for value in row.values()) for row in rows]


def status_text(status: dict[str, Any]) -> str:
    """The status as a person reads it."""
    head = [
        ("home", status["home"]),
        ("held by", _holder_text(status["held_by"])),
        ("BI reads", _published_text(status["published"])),
        ("last run", _run_text(status["last_run"])),
        *(line for model in status["models"] for line in _model_lines(model)),
    ]
    parts = [aligned(head, indent="")]
    parts += [_system_text(system) for system in status["systems"]]
    parts.append(_entities_text(status["entities"]))
    tail = [
        ("disk", disk.space_text(status["space"])),
        ("", disk.parts_text(status["space"])),
        ("more", "unicus status --settings · unicus doctor"),
    ]
    return "\n\n".join([*parts, aligned(tail, indent="")])


def _holder_text(holder: dict[str, str] | None) -> str:
    if holder is None:
        return "nobody"
    return ", ".join(f"{key} {value}" for key, value in holder.items()) or "a run just started"


def _published_text(published: dict[str, Any]) -> str:
    if published["state"] == "none":
        return "nothing is published in this home yet"
    if published["state"] == "damaged":
        return f"{published['path']} cannot be opened; unicus doctor tells more"
    return (
        f"as of {published['as_of']}, {published['tables']} tables,"
        f" run {published['run_id'][:8]} of {_minute(published['published_at'])}"
        f" ({age_text(published['age_seconds'])} ago), {published['path']}"
    )


def _run_text(run: dict[str, Any] | None) -> str:
    if run is None:
        return "none"
    error = run["error"]
    what = {
        "done": f"done in {run['seconds']} s, as of {run['as_of']}",
        "failed": f"failed at {run['stage'] or 'start'}: "
        + (f"error[{error['code']}] {error['subject']}: {error['what']}" if error else ""),
        "running": "at work",
        "interrupted": "stopped before its end, nothing half-done is visible",
    }[run["status"]]
    return f"{what}, {_minute(run['at'])}, log {run['log']}"


def _model_lines(model: dict[str, Any]) -> list[tuple[str, str]]:
    scored = f"scores as of {model['scored_as_of']}: {model['scored_by']}"
    return [
        (model["name"], model["reason"]),
        ("", scored if model["scored_as_of"] else "no scores"),
        *([("", f"warned: {undone_text(model)}")] if model["undone_files"] else []),
    ]


def undone_text(model: dict[str, Any]) -> str:
    """That a champion learnt from files that were undone since, and what to do."""
    names = ", ".join(model["undone_files"])
    return f"the champion of {model['name']} learnt from files undone since, {names}: unicus run --retrain"


def _entities_text(entities: list[dict[str, Any]]) -> str:
    rows = [
        (one["entity"], f"{one['stored_rows']:,}" if one["stored_rows"] else "missing",
         one["newest_event_date"] or "",
         ("" if one["stored_rows"] else "would add to  " if one["feeds"] else "")
         + (", ".join(one["feeds"]) or "no public table yet"))
        for one in entities
    ]  # fmt: skip
    return "entities\n" + aligned([("entity", "rows", "newest event", "feeds"), *rows])


def _system_text(system: dict[str, Any]) -> str:
    left = "no longer a system of this home; its loads are kept, runs pass over them"
    head = f"{system['name']}   {system['location'] or left}"
    rows = [
        (one["entity"], f"{one['loads']:,}", f"{one['stored_rows']:,}",
         f"{one['quarantined_rows']:,}", _minute(one["newest_load_at"]))
        for one in system["entities"]
    ]  # fmt: skip
    if not rows:
        return f"{head}\n  nothing is loaded yet"
    return head + "\n" + aligned([("entity", "loads", "rows", "quarantined", "newest load"), *rows])


def _minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"


def age_text(seconds: int) -> str:
    """An age in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
