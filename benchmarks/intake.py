"""What the intake of a wide CSV costs, against DuckDB's own reading of it into Parquet.

    python -m benchmarks.intake [ROWS]

Makes a CSV of 60 columns, 1,000,000 rows unless told otherwise (10,000,000 are about 4 GB), and prints
CPU seconds (user and system), wall seconds and peak memory of `copy (from read_csv(...)) to ...` and of
the whole load of the same file as orders: hash, copy, read, map, check, write. Each is a process of its
own. The ratio is of CPU seconds; the limit is 3, and 4 GB of memory.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from intake.contract import contracts
from intake.lake import Lake
from intake.load import load_entity
from intake.source import read_system

LIMIT_RATIO, LIMIT_MIB = 3.0, 4096
COLUMNS = 60
SOURCE = """
system: wide
title: A CSV of many columns
location: {files}
business_timezone: UTC
currency: EUR
files:
  wide: {{path: "*.csv", format: csv}}
entities:
  orders: {{file: wide, delivery: upsert}}
"""
MAPPING = """
select _row, id as order_key, customer as customer_key, shop as store_key, bought as ordered_at
from wide
"""


def write_csv(path: Path, rows: int) -> None:
    """Write keys and a date, then numbers, amounts and labels by turns."""
    kinds = (
        "hash(range * {n}) % 1000 as n{n}",
        "round((hash(range + {n}) % 100000) / 100.0, 2) as a{n}",
        "'label ' || (hash(range * {n}) % 500) as s{n}",
    )
    columns = [
        "range as id",
        "'customer-' || (hash(range) % 50000) as customer",
        "hash(range) % 300 as shop",
        "timestamp '2024-01-01' + to_seconds(range % 2000000) as bought",
        *(kinds[n % 3].format(n=n) for n in range(4, COLUMNS)),
    ]
    with duckdb.connect() as con:
        con.execute(f"copy (select {', '.join(columns)} from range({rows})) to '{path}'")


def by_duckdb(folder: Path) -> None:
    """Read the CSV with DuckDB alone."""
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        source = f"read_csv('{folder / 'files' / 'wide.csv'}')"
        con.execute(f"copy (from {source}) to '{folder / 'wide.parquet'}'")


def by_intake(folder: Path) -> None:
    """Load the CSV as orders."""
    lake = Lake(folder / "lake")
    lake.create()
    (done,) = load_entity(lake, read_system("wide", [folder / "systems"]), contracts()["orders"])
    assert done.stored_rows == done.read_rows


def measured(work: Callable[[Path], None], folder: Path) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MiB of some work in a process of its own."""
    here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(work, folder, there))
    process.start()
    found: tuple[float, float, float] = here.recv()
    process.join()
    return found


def _work(work: Callable[[Path], None], folder: Path, there: object) -> None:
    before, began = time.process_time(), time.monotonic()
    work(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    there.send((time.process_time() - before, time.monotonic() - began, peak))  # type: ignore[attr-defined]


def main() -> None:
    """Measure both and print the ratio."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "files").mkdir()
        (folder / "systems" / "wide").mkdir(parents=True)
        source = SOURCE.format(files=folder / "files")
        (folder / "systems" / "wide" / "source.yaml").write_text(source, "utf-8")
        (folder / "systems" / "wide" / "orders.sql").write_text(MAPPING, "utf-8")
        path = folder / "files" / "wide.csv"
        write_csv(path, rows)
        size = path.stat().st_size / 1e6
        print(f"{rows:,} rows, {COLUMNS} columns, {size:,.0f} MB, load {os.getloadavg()[0]:.1f}")
        print(f"{'':<18}{'CPU s':>8}{'wall s':>8}{'MiB':>8}")
        found = {}
        for name, work in (("DuckDB to Parquet", by_duckdb), ("intake", by_intake)):
            found[name] = measured(work, folder)
            print(f"{name:<18}" + "".join(f"{figure:>8.1f}" for figure in found[name]))
    ratio = found["intake"][0] / found["DuckDB to Parquet"][0]
    print(f"ratio {ratio:.2f} (limit {LIMIT_RATIO}), memory limit {LIMIT_MIB} MiB")


if __name__ == "__main__":
    main()
