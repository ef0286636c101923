"""The summary of a run: what happened to the data, and what to open next.

Read from the home after the run (register, warehouse, published copy), so that it tells what is
there and not what was meant. Shown on screen, kept as JSON beside the log.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from intake.accounting import Load
from intake.lake import Record
from intake.snapshot import read_snapshot
from intake.source import System
from orchestration import moment as moments
from orchestration.console import aligned
from orchestration.models import WHOLE
from orchestration.moment import Moment
from orchestration.retraining import undone_files
from orchestration.settings import FOUND_HOME, Home
from orchestration.status import undone_text
from serving.publish import read_publication

ROOMS = ("raw", "staging", "core", "features", "marts")


@dataclass(frozen=True)
class Checks:
    """How the data checks ended."""

    passed: int = 0
    warned: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def summarise(
    home: Home, systems: list[System], run_id: str, seconds: float, began: datetime, checks: Checks
) -> dict[str, Any]:
    """Collect the summary of a run that ended well, as one JSON object."""
    moment = moments.kept(home, run_id)
    assert moment is not None, "a run that ended well stands somewhere"
    loads = read_snapshot(home.lake, moment.snapshot_id).loads
    return {
        "run_id": run_id,
        "log": str(home.logs / f"{run_id}.log"),
        "seconds": round(seconds, 1),
        "as_of": str(moment.as_of),
        "snapshot_id": moment.snapshot_id,
        "loads": len(loads),
        "new_loads": _new_loads(home.lake.live("load"), began),
        "rows": _accounting(loads),
        "layers": _layers(home, loads),
        "customers": _customers(home, began),
        "published": _published(home),
        "checks": {"passed": checks.passed, "warned": list(checks.warned), "failed": list(checks.failed)},
        "models": _models(home, moment, began),
        "left_out": _left_out(loads),
        "not_read": [
            {"system": s.name, "path": one.path, "why": one.why}
            for s in systems
            for one in s.spec.not_read
        ],
        "next": _next(home),
    }  # fmt: skip


def _next(home: Home) -> list[str]:
    """What to look at now; a home that the next command would not find is named."""
    named = "" if home == FOUND_HOME else f" --home {shlex.quote(str(home.root))}"
    return [f"unicus ui{named}" if named else "make ui", f"unicus status{named}",
            "docs/read-the-marts.md"]  # fmt: skip


def _new_loads(records: list[Record], began: datetime) -> int:
    return sum(datetime.fromisoformat(record.committed_at) >= began for record in records)


def _accounting(loads: tuple[Load, ...]) -> dict[str, int]:
    names = ("accepted", "quarantined", "excluded", "not_applicable", "redelivered")
    return {
        "read": sum(load.read_rows for load in loads),
        **{name: sum(load.rows(name) for load in loads) for name in names},
    }


def _layers(home: Home, loads: tuple[Load, ...]) -> dict[str, dict[str, int]]:
    """Tables and rows of each room; views hold no rows of their own."""
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        found = con.execute("""
            select schema_name, count(*), sum(estimated_size) from duckdb_tables()
            where schema_name <> 'ops' group by schema_name
        """).fetchall()
    layers = {"raw": {"tables": len({load.entity for load in loads}),
                      "rows": sum(load.stored_rows for load in loads)}}  # fmt: skip
    layers |= {schema: {"tables": tables, "rows": int(rows)} for schema, tables, rows in found}
    return {room: layers[room] for room in ROOMS if room in layers}


def _customers(home: Home, began: datetime) -> dict[str, int]:
    """How many customers there are, and how many of them no run before ever met."""
    events = [
        str(home.lake.path(file))
        for record in home.lake.live("identity_events")
        for file in record.files
        if file.table == "identity_events"
    ]
    with duckdb.connect(str(home.published), read_only=True) as con:
        ((total,),) = con.execute("select count(*) from marts.customer_360").fetchall()
        if not events:
            return {"total": total, "new": 0}
        ((new,),) = con.execute(
            """
            select count(*) from marts.customer_360 where customer_id in (
                select to_customer_id from read_parquet(?)
                group by to_customer_id having min(event_at) >= ?
            )
            """,
            [events, began.astimezone(UTC).replace(tzinfo=None)],
        ).fetchall()
    return {"total": total, "new": new}


def _published(home: Home) -> dict[str, Any]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        tables = con.execute(
            "select count(*) from duckdb_tables() where table_name <> 'publication'"
        ).fetchone()
    publication = read_publication(home.published)
    return {
        "tables": int(tables[0]) if tables else 0,
        "path": str(home.published),
        "as_of": str(publication.as_of) if publication else None,
    }


def _models(home: Home, moment: Moment, began: datetime) -> list[dict[str, Any]]:
    """What the last training of each question says, and who scored."""
    live = home.lake.live()
    trained = {r.details["question"]: r for r in live
               if r.kind == "training" and "question" in r.details}  # fmt: skip
    scored = [r for r in live if r.kind == "scores" and r.details["as_of"] == str(moment.as_of)][-1]
    backtests, undone = _backtests(home), undone_files(home)
    return [
        {
            "name": name,
            "version": trained[name].details["model_version"],
            "is_promoted": trained[name].details["promoted"],
            "is_reused": datetime.fromisoformat(trained[name].committed_at) < began,
            "trained_as_of": trained[name].details["as_of"],
            "reason": trained[name].details["reason"],
            "scores": reason,
            "backtest": backtests.get(name, []),
            "undone_files": undone.get(name, []),
        }
        for name, reason in scored.details["reasons"].items()
    ]


def _backtests(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Figures of all customers at each cut-off, by question."""
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = con.execute(f"""
            select model_name, cutoff_date, predictor, is_model, customers_count, ngini, bias_ratio,
                decile_error, logloss, ngini_gain, ngini_gain_low, ngini_gain_high
            from marts.model_performance
            where segment = '{WHOLE}'
            order by model_name, cutoff_date, is_model desc, predictor
        """)
        names = [column[0] for column in found.description or []]
        rows = [dict(zip(names, map(_rounded, row), strict=True)) for row in found.fetchall()]
    return {
        name: [{k: v for k, v in row.items() if k != "model_name"} for row in of_name]
        for name, of_name in groupby(rows, key=itemgetter("model_name"))
    }


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _left_out(loads: tuple[Load, ...]) -> list[dict[str, Any]]:
    """Rows that were not let in, of all files of an entity together."""
    rows: Counter[tuple[str, str, str, str]] = Counter()
    for load in loads:
        for one in load.outcomes:
            if one.outcome != "accepted" and one.rows:
                rows[load.source_system, load.entity, one.outcome, one.reason] += one.rows
    names = ("system", "entity", "outcome", "reason")
    return [dict(zip(names, place, strict=True)) | {"rows": count} for place, count in rows.items()]


def summary_text(summary: dict[str, Any]) -> str:
    """The summary as a person reads it; the last lines are what to do next."""
    rows, checks = summary["rows"], summary["checks"]
    parts = " + ".join(f"{rows[name]:,} {name.replace('_', ' ')}" for name in list(rows)[1:])
    lines = [
        ("rows", f"{rows['read']:,} read = {parts}"),
        *((room, f"{has['rows']:,} rows in {has['tables']} tables")
          for room, has in summary["layers"].items()),
        ("customers", f"{summary['customers']['total']:,}   ({summary['customers']['new']:,} new)"),
        ("published", f"{summary['published']['tables']} tables, as of {summary['as_of']},"
                      f" {summary['published']['path']}"),
        ("checks", f"{checks['passed']} passed, {len(checks['warned'])} warned,"
                   f" {len(checks['failed'])} failed"),
        *((one["name"], _model_line(one)) for one in summary["models"]),
        *(("warned", text) for text in checks["warned"]),
        *(("warned", undone_text(one)) for one in summary["models"] if one["undone_files"]),
        *_left_out_lines(summary["left_out"]),
        *(("not read", f"{one['path']} of {one['system']}") for one in summary["not_read"]),
        ("next", " · ".join(summary["next"])),
    ]  # fmt: skip
    head = (
        f"Done in {summary['seconds']:.1f} s · run {summary['run_id'][:8]} · log {summary['log']}"
    )
    return head + "\n" + aligned(lines)


def _left_out_lines(left_out: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """One line per reason: one rule often leaves the same rows out of several entities."""
    entities: dict[tuple[str, int, str, str], list[str]] = {}
    for one in left_out:
        place = (one["outcome"], one["rows"], one["system"], one["reason"])
        entities.setdefault(place, []).append(one["entity"])
    return [
        (
            outcome,
            f"{rows:,} rows of {', '.join(names)} of {system}{f': {reason}' if reason else ''}",
        )
        for (outcome, rows, system, reason), names in entities.items()
    ]


def _model_line(model: dict[str, Any]) -> str:
    """Who scored, and what the training of this run decided; one line per question."""
    if model["is_reused"]:
        return f"{model['scores']}; last trained as of {model['trained_as_of']}"
    return f"{model['scores']}; {model['reason']}"
