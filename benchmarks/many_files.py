"""What each file of many costs: loaded for the first time, and met again by a later run.

    python -m benchmarks.many_files [--files 100 200 400] [--delivery append]

Makes small CSV files of ten rows and loads them into a lake of their own, then loads the folder once more
with nothing new. Prints CPU milliseconds per file and, from one size to the next, the exponent with which
a first load grows: 1 is a cost per file that stays as it is. A delivery that compares (`upsert`,
`snapshot`) reads the files before each, and grows faster. Limit: to meet a known file again costs at most
a twentieth of loading it, at the largest number.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.intake import MAPPING, SOURCE
from benchmarks.tables import show, verdict
from intake.contract import contracts
from intake.lake import Lake
from intake.load import load_entity
from intake.source import System, read_system

ROWS = 10
LIMIT_AGAIN = 0.05


def deliver(folder: Path, files: int, delivery: str) -> System:
    """Write the files, and the source that reads them."""
    landing, system = folder / "files", folder / "systems" / "wide"
    landing.mkdir()
    system.mkdir(parents=True)
    source = SOURCE.format(files=landing).replace("delivery: upsert", f"delivery: {delivery}")
    (system / "source.yaml").write_text(source, "utf-8")
    (system / "orders.sql").write_text(MAPPING, "utf-8")
    for number in range(files):
        lines = [f"{number * ROWS + row},c{row},s,2024-01-01" for row in range(ROWS)]
        text = "\n".join(["id,customer,shop,bought", *lines, ""])
        (landing / f"orders_{number:06d}.csv").write_text(text, "utf-8")
    return read_system("wide", [folder / "systems"])


def measure(files: int, delivery: str) -> tuple[float, float]:
    """CPU seconds of the first load, and of one with nothing new, each by a lake that knows nothing yet."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        system, taken = deliver(folder, files, delivery), []
        for _ in range(2):
            lake = Lake(folder / "lake")
            lake.create()
            before = time.process_time()
            load_entity(lake, system, contracts()["orders"])
            taken.append(time.process_time() - before)
        return taken[0], taken[1]


def main() -> None:
    """Measure each number of files and print the table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--files", type=int, nargs="+", default=[100, 200, 400])
    asked.add_argument("--delivery", default="append")
    given = asked.parse_args()
    found = {files: measure(files, given.delivery) for files in sorted(given.files)}
    show(
        f"CPU milliseconds per file, delivery {given.delivery}",
        "files  first  again",
        [[f"{n:,}", *(f"{one / n * 1e3:.1f}" for one in taken)] for n, taken in found.items()],
    )
    for small, large in pairwise(found):
        power = math.log(found[large][0] / found[small][0]) / math.log(large / small)
        print(f"{small:,} to {large:,}: a first load grows with exponent {power:.2f}")
    first, again = found[max(found)]
    print(f"met again: {again / first:.3f} of a first load, {verdict(again <= LIMIT_AGAIN * first)}"
          f" {LIMIT_AGAIN}")  # fmt: skip


if __name__ == "__main__":
    main()
