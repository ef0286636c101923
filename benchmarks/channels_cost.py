"""What the warehouse of every channel costs: a full run and one day, on retailers of several sizes.

    python -m benchmarks.channels_cost FOLDER [--customers 10000 100000] [--no-predictions]

The retailer is made first, and is not counted. Then come, each as a person starts it:

- full: a new home reads everything but the files of the last day;
- idle: nothing new, yet executed;
- day: the files of the last day arrive.

Prints CPU seconds (user and system), wall seconds and the most memory that the process and its children
held together, looked at five times a second; the exponents with which they grow from one size to the
next; and of each size the ten models that took longest in the full run, with the rows they made. A
retailer that lies in FOLDER already is used again, its home is made anew. Limits: growth by the power of
1.1, 10 GB.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.retailer import held
from benchmarks.tables import show, verdict

LIMIT_EXPONENT, LIMIT_GB, SLOWEST = 1.1, 10.0, 10
LAST_DAY = "2026-06-30"
SYSTEMS = Path(__file__).resolve().parents[1] / "intake" / "systems"
UNICUS = str(Path(sys.executable).with_name("unicus"))
MATERIALIZED = """
    select asset_key, event from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION'
"""


@dataclass(frozen=True)
class Cost:
    """What one run took: CPU seconds, wall seconds, bytes."""

    cpu: float
    wall: float
    peak: int


def run(*verb: str) -> Cost:
    """Run a verb of the command line and look at what it takes."""
    before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0
    with subprocess.Popen(
        [UNICUS, *verb, "--quiet"], stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"}
    ) as process:  # fmt: skip
        while process.poll() is None:
            peak = max(peak, held(process.pid))
            time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"unicus {' '.join(verb)} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - began, peak)


def measure(folder: Path, customers: int, has_predictions: bool) -> dict[str, Cost]:
    """Make a retailer of so many customers, unless it is there, and run on it."""
    landing, later, home = folder / "landing", folder / "later", folder / "home"
    if not landing.exists():
        run("retailer", "--customers", str(customers), "--folder", str(folder))
    shutil.rmtree(home, ignore_errors=True)
    write_home(home, landing, has_predictions)
    move(landing, later)
    costs = {}
    for name, options in (("full", ()), ("idle", ("--no-skip",)), ("day", ())):
        if name == "day":
            move(later, landing)
        cost = costs[name] = run("run", "--home", str(home), *options)
        print(
            f"{customers:,} customers, {name}: {cost.cpu:.0f} CPU s, {cost.wall:.0f} wall s,"
            f" {cost.peak / 1e9:.2f} GB, disk {size(home) / 1e9:.1f} GB",
            flush=True,
        )
        if name == "full":
            show(
                f"{customers:,} customers: the slowest models of the full run, wall seconds",
                "model  seconds  rows",
                [[name, f"{seconds:.1f}", f"{rows or 0:,.0f}"] for name, seconds, rows in slowest(home)],
            )  # fmt: skip
    return costs


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_home(home: Path, landing: Path, has_predictions: bool) -> None:
    """Write the home.yaml that reads every system of the retailer below `landing`."""
    names = sorted(path.name for path in SYSTEMS.glob("retailer_*"))
    lines = ["business_timezone: Europe/Paris", "reporting_currency: EUR", "systems:"]
    lines += [
        f"  {name}: {{location: {landing / name.removeprefix('retailer_')}}}" for name in names
    ]
    lines += [] if has_predictions else ["predictions: []"]
    home.mkdir(parents=True)
    (home / "home.yaml").write_text("\n".join(lines) + "\n", "utf-8")


def move(source: Path, target: Path) -> None:
    """Move the files of the last day; those already moved stay."""
    for path in sorted(source.glob(f"*/*_{LAST_DAY}.*")):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)


def slowest(home: Path) -> list[tuple[str, float, float | None]]:
    """The models that took longest so far: name, wall seconds, rows."""
    with sqlite3.connect(home / "dagster" / "event_log.db") as con:
        written = con.execute(MATERIALIZED).fetchall()
    found = []
    for key, event in written:
        made = json.loads(event)["dagster_event"]["event_specific_data"]["materialization"]
        told = {one["label"]: one["entry_data"].get("value") for one in made["metadata_entries"]}
        if "Execution Duration" in told:
            name = ".".join(json.loads(key))
            found.append((name, told["Execution Duration"], told.get("dagster/row_count")))
    return sorted(found, key=lambda one: (-one[1], one[0]))[:SLOWEST]


def main() -> None:
    """Measure each size and print the tables."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    asked.add_argument("--customers", type=int, nargs="+", default=[10_000, 100_000])
    asked.add_argument("--no-predictions", action="store_true")
    given = asked.parse_args()
    folder, sizes = given.folder.resolve(), sorted(given.customers)
    found = {n: measure(folder / str(n), n, not given.no_predictions) for n in sizes}
    show(
        f"every channel, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "customers  run  CPU s  wall s  peak GB",
        [[f"{n:,}", name, f"{c.cpu:.0f}", f"{c.wall:.0f}", f"{c.peak / 1e9:.2f}"]
         for n, costs in found.items() for name, c in costs.items()],
    )  # fmt: skip
    for small, large in pairwise(sizes):
        for name in ("full", "day"):
            grown = found[large][name].cpu / found[small][name].cpu
            power = math.log(grown) / math.log(large / small)
            print(f"{name}, {small:,} to {large:,}: CPU grows with exponent {power:.2f},"
                  f" {verdict(power <= LIMIT_EXPONENT)} {LIMIT_EXPONENT}")  # fmt: skip
    peak = max(cost.peak for costs in found.values() for cost in costs.values())
    print(f"memory {verdict(peak <= LIMIT_GB * 1e9)} {LIMIT_GB} GB")


if __name__ == "__main__":
    main()
