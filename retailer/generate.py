"""The whole retailer: all parts, the house, the truth, the ledger of faults.

Belongs here: how parts are worked on and put together. Does not belong here: what is in them.

Parts are independent of each other and of the number of processes; what needs all of them (files of
single days, the house, sums of the truth) comes after them, in their order.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retailer import faults, house, truth
from retailer.campaigns import CHANNELS, Wave, effects
from retailer.catalogue import make_catalogue
from retailer.deliveries import FEEDS, MAKERS, by_time
from retailer.landing import FEW, Landing, write_parquet
from retailer.media import make_spend
from retailer.part import Part, Plan, make_part
from retailer.people import SOURCES, response
from retailer.randomness import Array
from retailer.visits import paid_visits

LANDING, SCRATCH, PLAN = "landing", ".retailer", "plan.json"
UNFINISHED = ".landing"
"""What the files are written to, so that `landing` is there when all of it is."""


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes:
        rows: delivered rows by feed, repeats included.
        bytes: size of the landing files.
        faults: planted faults by kind.
    """

    landing: Path
    truth: Path
    rows: dict[str, int]
    bytes: int
    faults: dict[str, int]


@dataclass(frozen=True)
class _Share:
    """What a part leaves for the sums over all of them."""

    number: int
    rows: dict[str, int]
    bytes: int
    visits: Array
    arrivals: Array
    effects: dict[str, Array]


def generate(
    plan: Plan, folder: Path, processes: int = 1, told: Callable[[int], None] = lambda _: None
) -> Made:
    """Make the retailer.

    Args:
        plan: what is asked for.
        folder: gets `landing` and `truth`; what an earlier one left in them goes first.
        processes: how many work at once; the files are the same for any number.
        told: called with the number of parts that are done.

    Returns:
        What was made and where.
    """
    landing = folder / LANDING
    for old in (landing, folder / UNFINISHED, folder / SCRATCH, folder / truth.FOLDER):
        shutil.rmtree(old, ignore_errors=True)
    _write_plan(plan, folder)
    shares = []
    for share in _worked(plan, folder, processes):
        shares.append(share)
        told(len(shares))
    target = _landing(plan, folder)
    size = sum(share.bytes for share in shares) + _deliver_rest(plan, target, shares, folder)
    _write_sums(plan, shares, folder)
    found = _gather_ledger(plan, folder)
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    (folder / UNFINISHED).rename(landing)
    rows = {name: sum(share.rows[name] for share in shares) for name in shares[0].rows}
    return Made(landing, folder / truth.FOLDER, rows, size, found)


def is_ours(folder: Path) -> bool:
    """Whether a retailer was made in this folder, to the end or not."""
    return (folder / truth.FOLDER / PLAN).exists()


def _write_plan(plan: Plan, folder: Path) -> None:
    """Say what is made here, before anything else is written."""
    place = folder / truth.FOLDER / PLAN
    place.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "customers": plan.customers, "start": str(plan.days.start), "end": str(plan.days.end),
        "months": plan.days.months, "seed": plan.seed, "world": plan.world.name,
    }  # fmt: skip
    place.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def _landing(plan: Plan, folder: Path) -> Landing:
    return Landing(folder / UNFINISHED, folder / SCRATCH, plan.days, plan.customers <= FEW)


def _worked(plan: Plan, folder: Path, processes: int) -> Iterator[_Share]:
    """Work on every part; shares come in the order of the parts."""
    jobs = [(plan, number, folder) for number in range(plan.parts)]
    if processes == 1 or plan.parts == 1:
        yield from map(_work, jobs)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_work, jobs)


def _work(job: tuple[Plan, int, Path]) -> _Share:
    """Make a part and write what belongs to it alone."""
    pa.set_cpu_count(1)
    plan, number, folder = job
    part = make_part(plan, number)
    landing = _landing(plan, folder)
    rows, size, ledger = {}, 0, []
    for feed in FEEDS:
        name = f"{feed.system}/{feed.name}"
        made = by_time(MAKERS[feed](part))
        table, noted = faults.plant(plan.seed, number, name, made, plan.days)
        size += landing.deliver(feed, number, table)
        rows[name] = len(table)
        ledger.append(noted.table())
    for name, table in truth.tables(part).items():
        write_parquet(table, folder / truth.FOLDER / name / f"{number + 1:04d}.parquet")
    write_parquet(pa.concat_tables(ledger), folder / SCRATCH / f"ledger_{number:04d}.parquet")
    return _Share(
        number, rows, size, paid_visits(part.sessions, plan.days), _arrivals(part),
        effects(part.people, part.contacts.assigned),
    )  # fmt: skip


def _arrivals(part: Part) -> Array:
    """People who came and bought, by source and day of history."""
    counts = np.zeros((len(SOURCES), part.plan.days.horizon))
    came = (part.people.start >= 0) & ~part.people.is_prospect
    np.add.at(counts, (part.people.source[came], part.people.start[came].astype(np.int64)), 1)
    return counts


def _deliver_rest(plan: Plan, landing: Landing, shares: list[_Share], folder: Path) -> int:
    """Write the files of single days and those of the house, and when each arrives."""
    days, size = plan.days, 0
    arrivals: list[dict[str, object]] = []
    visits, came = (
        sum(getattr(share, name) for share in shares) for name in ("visits", "arrivals")
    )
    made = house.tables(plan.seed, make_catalogue(plan.seed), days, plan.world, visits, came)
    for feed, table in made.items():
        daily = "_day" in table.column_names
        size += landing.deliver(feed, 0, table) if daily else landing.write(feed, feed.name, table)
    feeds = [(feed, plan.parts) for feed in FEEDS] + [(house.SPEND, 1)]
    for feed, parts in feeds:
        for file, arrives, written in landing.deliver_days(feed, parts):
            arrivals.append({"file": file, "arrives_on": days.date(arrives)})
            size += written
    known = {row["file"] for row in arrivals}
    first = days.date(days.horizon - faults.DAILY)
    for path in sorted(landing.folder.rglob("*.*")):
        file = path.relative_to(landing.folder).as_posix()
        if file not in known:
            arrivals.append({"file": file, "arrives_on": first})
    schema = pa.schema([("file", pa.string()), ("arrives_on", pa.date32())])
    write_parquet(
        pa.Table.from_pylist(arrivals, schema), folder / truth.FOLDER / "arrivals.parquet"
    )
    return size


def _write_sums(plan: Plan, shares: list[_Share], folder: Path) -> None:
    """Write the truths that are sums over all people: of campaigns and of paid media."""
    cells: dict[tuple[int, int, int], Array] = {}
    for share in shares:
        columns = [
            share.effects[name] for name in ("wave", "tier", "arm", "people", "expected", "added")
        ]
        for wave, tier, arm, *sums in zip(*columns, strict=True):
            cell = int(wave), int(tier), int(arm)
            cells[cell] = cells.get(cell, np.zeros(3)) + sums
    campaign = [
        {
            "campaign": f"CMP{wave:08d}", "channel": CHANNELS[Wave(wave).channel],
            "tier": truth.TIERS[tier], "messages": arm, "is_held_out": arm == 0,
            "people": int(cells[wave, tier, arm][0]),
            "expected_purchases": float(cells[wave, tier, arm][1]),
            "added_purchases": float(cells[wave, tier, arm][2]),
        }
        for wave, tier, arm in sorted(cells) if Wave(wave).start < plan.days.horizon
    ]  # fmt: skip
    schema = pa.schema([
        ("campaign", pa.string()), ("channel", pa.string()), ("tier", pa.string()),
        ("messages", pa.int64()), ("is_held_out", pa.bool_()), ("people", pa.int64()),
        ("expected_purchases", pa.float64()), ("added_purchases", pa.float64()),
    ])  # fmt: skip
    place = folder / truth.FOLDER
    write_parquet(pa.Table.from_pylist(campaign, schema), place / "campaign_effects.parquet")
    write_parquet(_paid(plan), place / "paid_media.parquet")


def _paid(plan: Plan) -> pa.Table:
    """What paid media really bring: one row per day and source."""
    rows = []
    for source, spend in make_spend(plan.seed, plan.days).items():
        paid = SOURCES[source].paid if plan.world.has_effects else 0.0
        bought = paid * response(spend)
        rows.append(pa.table({
            "source": [SOURCES[source].name] * len(spend),
            "day": np.arange(len(spend)),
            "relative_spend": spend,
            "share_brought_by_spend": bought / (1 - paid + bought),
        }))  # fmt: skip
    return pa.concat_tables(rows)


def _gather_ledger(plan: Plan, folder: Path) -> dict[str, int]:
    """Write the ledger of all parts and count it by kind."""
    parts = [pq.read_table(folder / SCRATCH / f"ledger_{n:04d}.parquet") for n in range(plan.parts)]
    of_files = pa.Table.from_pylist(faults.of_files(plan.days), schema=faults.LEDGER)
    ledger = pa.concat_tables([*parts, of_files])
    write_parquet(ledger, folder / truth.FOLDER / "faults.parquet")
    kinds = ledger["kind"].to_pylist()
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}
