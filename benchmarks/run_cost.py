"""What a run of the grocery chain costs: first, second with nothing new, and one that may be skipped.

    python benchmarks/run_cost.py [HOME]

Prints wall seconds, CPU seconds (user and system, children included) and peak memory per run, and the
split by stage; the ratio is the second run against the limit of 25 CPU seconds. Run it on an idle
machine: on shared cores CPU seconds grow by half.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_CPU_SECONDS = 25.0
UNICUS = str(Path(sys.executable).parent / "unicus")
STAGE = re.compile(r"^\S+ (\w+) +ok ([\d.]+) s")


def run(home: Path, *options: str) -> dict[str, float]:
    """Run once; return wall, CPU, peak memory in MiB, and wall seconds per stage."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(
        [UNICUS, "run", "--home", str(home), *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
        env=os.environ | {"CI": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stages = {m[1]: float(m[2]) for line in done.stderr.splitlines() if (m := STAGE.match(line))}
    wall = time.monotonic() - began
    return {"wall": wall, "cpu": cpu, "peak": after.ru_maxrss / 1024} | stages


def main() -> None:
    """Measure on a home of its own, or on the one named."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "complete_journey"
        found = {
            "first": run(home),
            "second": run(home, "--no-skip"),
            "third": run(home, "--no-skip"),
            "skipped": run(home),
        }
    names = list(found["second"])
    print(f"load average {os.getloadavg()[0]:.1f}")
    print("run      " + "".join(f"{name:>10}" for name in names))
    for label, figures in found.items():
        print(f"{label:<9}" + "".join(f"{figures.get(name, 0):>10.1f}" for name in names))
    best = min(found["second"]["cpu"], found["third"]["cpu"])
    print(f"second run: {best:.1f} CPU s, {best / LIMIT_CPU_SECONDS:.2f} of the limit")


if __name__ == "__main__":
    main()
