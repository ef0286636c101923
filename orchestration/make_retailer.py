"""A retailer to try the warehouse with: `unicus retailer`.

Belongs here: where it is put, what must not be overwritten, what is said of it. Does not belong here:
how it is made, which is the business of `retailer`; nothing else here knows that room.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.console import StageTalk, aligned, size_text
from orchestration.settings import SettingFault

SCHEMA = "unicus.retailer/1"
MOST_PROCESSES = 8


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Attributes:
        folder: gets `landing` and `truth`.
        customers: persons, those who never buy among them.
        months: of history.
        end: its last day.
        seed: of all that is drawn.
        world: name of the variant.
    """

    folder: Path
    customers: int
    months: int
    end: date
    seed: int
    world: str


def make(wanted: Wanted, talk: StageTalk) -> dict[str, Any]:
    """Make it.

    Args:
        wanted: what was asked for.
        talk: shows how far it is.

    Returns:
        The object that `docs/schemas/unicus.retailer.1.json` describes.

    Raises:
        SettingFault: the folder holds files that no retailer of ours made.
    """
    from retailer.days import Days
    from retailer.generate import generate
    from retailer.part import Plan
    from retailer.worlds import WORLDS

    _refuse_other_files(wanted.folder)
    world = WORLDS[wanted.world]
    days = Days(wanted.end, wanted.months, world.has_season)
    plan = Plan(wanted.customers, days, wanted.seed, world)
    talk.stage("retailer")
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    made = generate(
        plan, wanted.folder, processes,
        lambda done: talk.step(done, plan.parts, "parts of ten thousand persons"),
    )  # fmt: skip
    talk.note(f"{sum(made.rows.values()):,} rows, {size_text(made.bytes)}")
    talk.close()
    return {
        "schema": SCHEMA,
        "status": "done",
        "exit_code": 0,
        **asdict(wanted),
        "start": days.start,
        "landing": str(made.landing),
        "truth": str(made.truth),
        "rows": made.rows,
        "landing_bytes": made.bytes,
        "faults": made.faults,
    }


def _refuse_other_files(folder: Path) -> None:
    """Making a retailer replaces both folders, so they have to be a retailer's, or empty."""
    from retailer.generate import LANDING, is_ours
    from retailer.truth import FOLDER

    for place in (folder / LANDING, folder / FOLDER):
        if place.exists() and any(place.iterdir()) and not is_ours(folder):
            raise SettingFault(
                "folder-in-use", str(place), "it holds files that no retailer was made with",
                where=str(place), why="making a retailer replaces this folder",
                fix="name another one:  unicus retailer --folder DIR",
            )  # fmt: skip


def text(value: dict[str, Any]) -> str:
    """What a person reads when it is done."""
    largest = sorted(value["rows"].items(), key=lambda item: -item[1])
    rows = [("world", f"{value['world']}, seed {value['seed']}"),
            ("history", f"{value['start']} to {value['end']}"),
            ("customers", f"{value['customers']:,}"),
            ("landing", f"{value['landing']}  {size_text(value['landing_bytes'])}"),
            ("truth", f"{value['truth']}  (for tests and benchmarks; no system reads it)")]  # fmt: skip
    feeds = [(name, f"{count:>12,}") for name, count in largest]
    faults = [(kind, f"{count:>12,}") for kind, count in value["faults"].items()]
    return "\n".join(
        ["Done", aligned(rows), "rows", aligned(feeds), "faults planted", aligned(faults)]
    )
