"""How long after a kill the day is complete, under the real daemon: worker, daemon, both.

    python -m benchmarks.recovery [--rounds 3]

Each time a new home of a part of the sample, and the services of the deployment page: a landing sensor
starts a run, at a random moment of it SIGKILL falls on the process of the run, on the daemon, or on
both; a daemon is started again at once, as a service manager does. Prints wall seconds from the start
of the first run to the publication, without the daemon's own start, and the limit, 60 s plus an
unkilled run; and holds the published tables to those of an unkilled run. Linux only.
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
from pathlib import Path
from statistics import median

import dagster as dg

from benchmarks.tables import show, verdict
from orchestration.settings import Automation, Home
from tests.daemon import below, kill, runs, until, with_automation, worker
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver

EXTRA_SECONDS = 60.0
KILLED = ("nothing", "worker", "daemon", "both")


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


def recover(home: Home, killed: str, after: float) -> tuple[float, list[str]]:
    """Kill a run so many seconds after its start; give what it took in all, and how its runs ended."""
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
        return time.time() - began - starting, statuses


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
    ended: dict[str, set[str]] = {killed: set() for killed in KILLED}
    with tempfile.TemporaryDirectory() as scratch:
        files = deliver(Path(scratch) / "files", share=60, before=date(2017, 11, 1))
        unkilled = None
        for number in range(asked.rounds):
            for killed in KILLED:
                home = with_automation(
                    Path(scratch) / f"{killed}_{number}", files, Automation(landing_seconds=2)
                )
                # Early enough to fall into a run that is faster than those before.
                latest = 0.7 * min(took["nothing"], default=0.0)
                seconds, statuses = recover(home, killed, chance.uniform(0, latest))
                took[killed].append(seconds)
                print(f"{killed}: {seconds:.0f} s, {' '.join(statuses)}", file=sys.stderr)
                ended[killed].add(" ".join(statuses))
                unkilled = unkilled or home
                assert_equal_tables(unkilled.published, home.published)
    limit = EXTRA_SECONDS + median(took["nothing"])
    rows = [
        [killed, f"{median(took[killed]):.0f}", f"{max(took[killed]):.0f}",
         verdict(max(took[killed]) <= limit), ", ".join(sorted(ended[killed]))]
        for killed in KILLED
    ]  # fmt: skip
    show(f"wall seconds, limit {limit:.0f}", "killed  median  longest  within  runs ended", rows)
    print("published tables equal to those of the first unkilled run in every case")


if __name__ == "__main__":
    main()
