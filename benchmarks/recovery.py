"""How long after a kill the day is complete, under the real daemon: worker, daemon, both.

    python -m benchmarks.recovery [--rounds 3]

Each time a new home of a part of the sample, and the services of the deployment page: a landing sensor
starts a run, at a random moment of it SIGKILL falls on the process of the run, on the daemon, or on both;
a daemon is started again at once, as a service manager does. A kill that came too late is tried again.
Prints wall seconds from the start of the first run to the end of the last, the daemon's own start
included, that start apart, and the limit, 60 s plus an unkilled run; and holds the published tables to
those of an unkilled run. Linux only.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from statistics import median

import dagster as dg

from benchmarks.tables import show, verdict
from orchestration.settings import Automation, Home
from tests.daemon import below, kill, runs, until, with_automation, worker
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver

EXTRA_SECONDS = 60.0
ENDED = {
    "nothing": ["SUCCESS"], "worker": ["FAILURE", "SUCCESS"], "daemon": ["SUCCESS"],
    "both": ["FAILURE", "SUCCESS"],
}  # fmt: skip
"""How the runs of a day end, by what is killed: no run is missing, and none is too many."""
KILLED = tuple(ENDED)


class Services:
    """The parts that start runs, each a process of its own."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.code = self._start("code")
        self.daemon = self._start("daemon")

    def _start(self, part: str) -> subprocess.Popen[bytes]:
        unicus = str(Path(sys.executable).parent / "unicus")
        return subprocess.Popen(
            [unicus, "ui", "--only", part, "--home", str(self.home.root)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill_daemon(self) -> None:
        """Kill it and what it started."""
        for process in below(self.daemon.pid):
            kill(process)
        self.daemon.wait()

    def start_daemon(self) -> float:
        """Start it, and give the seconds until it says that it is there."""
        began = time.time()
        self.daemon = self._start("daemon")
        until(lambda: _heartbeat(self.home) > began)
        return time.time() - began


@contextmanager
def services(home: Home) -> Iterator[Services]:
    """The parts at work on a home, ended afterwards with all they started."""
    parts = Services(home)
    try:
        yield parts
    finally:
        for part in (parts.daemon, parts.code):
            for process in below(part.pid):
                kill(process)
            part.wait()


def _heartbeat(home: Home) -> float:
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        beats = instance.get_daemon_statuses().values()
        return max(
            (beat.last_heartbeat.timestamp for beat in beats if beat.last_heartbeat), default=0
        )


def recover(home: Home, killed: str, after: float) -> tuple[float, float, list[str]]:
    """Kill a run so many seconds after its start.

    Returns:
        Seconds until the day was complete, of these the daemon's start, and how the runs ended.
    """
    starting = 0.0
    with services(home) as parts:
        pid = until(lambda: worker(home))
        began = time.time()
        if killed != "nothing":
            time.sleep(after)
        if killed in {"worker", "both"}:
            kill(pid)
        if killed in {"daemon", "both"}:
            parts.kill_daemon()
            starting = parts.start_daemon()
        statuses = until(lambda: _ended(home))
        return time.time() - began, starting, statuses


def _ended(home: Home) -> list[str]:
    """How the runs ended, once the newest succeeded and none is at work."""
    found = runs(home)
    is_complete = found[-1].is_success and all(run.is_finished for run in found)
    return [run.status.value for run in found] if is_complete else []


def main() -> None:
    """Measure every kill and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    chance = random.Random(5)
    took: dict[str, list[float]] = {killed: [] for killed in KILLED}
    starts: dict[str, list[float]] = {killed: [] for killed in KILLED}
    with tempfile.TemporaryDirectory() as scratch:
        files = deliver(Path(scratch) / "files", share=60, before=date(2017, 11, 1))
        unkilled = None
        for killed in KILLED * asked.rounds:
            for again in count():
                root = Path(scratch) / f"{killed}_{len(took[killed])}_{again}"
                home = with_automation(root, files, Automation(landing_seconds=2))
                latest = median(took["nothing"]) if took["nothing"] else 0.0
                seconds, start, statuses = recover(home, killed, chance.uniform(0, latest))
                print(f"{killed}: {seconds:.0f} s, {' '.join(statuses)}", file=sys.stderr)
                if statuses == ENDED[killed]:
                    break
                if statuses != ["SUCCESS"]:
                    raise SystemExit(f"{killed}: the runs ended {statuses}")
            took[killed].append(seconds)
            starts[killed].append(start)
            unkilled = unkilled or home
            assert_equal_tables(unkilled.published, home.published)
    limit = EXTRA_SECONDS + median(took["nothing"])
    rows = [
        [killed, f"{median(took[killed]):.0f}", f"{max(took[killed]):.0f}",
         f"{median(starts[killed]):.0f}", verdict(max(took[killed]) <= limit),
         " ".join(ENDED[killed])]
        for killed in KILLED
    ]  # fmt: skip
    show(
        f"wall seconds, limit {limit:.0f}",
        "killed  median  longest  daemon start  within  runs ended",
        rows,
    )
    print("published tables equal to those of the first unkilled run in every case")


if __name__ == "__main__":
    main()
