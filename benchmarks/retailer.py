"""What a retailer costs to make: time, memory and size at three numbers of customers.

    python -m benchmarks.retailer FOLDER [--customers 10000 100000 1000000]

Each is the verb as a person starts it, in a folder of its own below FOLDER that is removed after. Memory
is the most that the process and its workers held together, looked at five times a second. Prints the
exponents of time and size over the last step; limits at a million: 900 CPU seconds, 4 GB, 40 million
lines, 150 million events.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.tables import show, verdict

SIZES = (10_000, 100_000, 1_000_000)
PAGE = resource.getpagesize()
LIMIT_CPU_SECONDS, LIMIT_GB = 900, 4.0
LEAST_LINES, LEAST_EVENTS = 40_000_000, 150_000_000


@dataclass(frozen=True)
class Cost:
    """What one retailer took."""

    customers: int
    cpu: float
    wall: float
    peak_bytes: int
    size: int
    lines: int
    events: int


def measure(folder: Path, customers: int) -> Cost:
    """Make a retailer of so many customers and look at what it takes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    verb = [str(Path(sys.executable).with_name("unicus")), "retailer", "--json", "--quiet",
            "--customers", str(customers), "--folder", str(folder)]  # fmt: skip
    peak = 0
    with subprocess.Popen(verb, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, held(process.pid))
            time.sleep(0.2)
        assert process.stdout
        value = json.load(process.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = value["rows"]
    lines = rows["shop/order_lines"] + rows["stores/lignes"]
    shutil.rmtree(folder)
    return Cost(
        customers, cpu, time.monotonic() - began, peak, value["landing_bytes"], lines,
        rows["web/events"],
    )  # fmt: skip


def held(root: int) -> int:
    """Bytes that a process and its children hold together."""
    total, wanted = 0, [root]
    while wanted:
        pid = wanted.pop()
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        wanted += [int(child) for child in children]
    return total


def exponent(first: Cost, last: Cost, what: str) -> float:
    """By which power of the customers a cost grows."""
    grown = getattr(last, what) / getattr(first, what)
    return math.log(grown) / math.log(last.customers / first.customers)


def main() -> None:
    """Measure each size and print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    asked.add_argument("--customers", type=int, nargs="+", default=SIZES)
    given = asked.parse_args()
    costs = [measure(given.folder / str(n), n) for n in sorted(given.customers)]
    show(
        f"a retailer, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "customers  CPU s  wall s  peak MB  landing MB  lines  events",
        [[f"{c.customers:,}", f"{c.cpu:.1f}", f"{c.wall:.1f}", f"{c.peak_bytes / 1e6:,.0f}",
          f"{c.size / 1e6:,.0f}", f"{c.lines:,}", f"{c.events:,}"] for c in costs],
    )  # fmt: skip
    for first, last in pairwise(costs):
        print(
            f"from {first.customers:,} to {last.customers:,}: CPU grows with exponent"
            f" {exponent(first, last, 'cpu'):.2f}, size with {exponent(first, last, 'size'):.2f}"
        )
    largest = costs[-1]
    if largest.customers >= SIZES[-1]:
        print(f"CPU seconds {verdict(largest.cpu <= LIMIT_CPU_SECONDS)} {LIMIT_CPU_SECONDS}")
        print(f"memory {verdict(largest.peak_bytes <= LIMIT_GB * 1e9)} {LIMIT_GB} GB")
        enough = largest.lines >= LEAST_LINES and largest.events >= LEAST_EVENTS
        print(f"rows: {'enough' if enough else 'too few'}")


if __name__ == "__main__":
    main()
