"""The real daemon on a home, for tests and measurements: its runs, and killing what is at work."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import dagster as dg

from orchestration import lock
from orchestration.settings import Automation, Home, read_config, write_config
from tests.homes import make_home

PATIENCE = 240.0
Found = TypeVar("Found")


class Daemon:
    """`unicus ui` on a home, as a service keeps it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        unicus = str(Path(sys.executable).parent / "unicus")
        process = subprocess.Popen(
            [unicus, "ui", "--home", str(self._home.root), "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdout
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        return process

    def kill_and_start(self) -> None:
        """Kill everything at once, as a power cut does, and start again."""
        for process in below(self._process.pid):
            kill(process)
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def below(pid: int) -> list[int]:
    """A process and all it started, which have groups of their own."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(one for child in children for one in below(child))]


def kill(pid: int) -> None:
    """Kill a process, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def until(look: Callable[[], Found]) -> Found:
    """Look until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.5)
    raise TimeoutError(f"not seen within {PATIENCE:.0f} s")


def runs(home: Home) -> list[dg.DagsterRun]:
    """The runs of the home, oldest first."""
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        return list(reversed(instance.get_runs()))


def done(home: Home, tag: str, count: int = 1) -> list[dg.DagsterRun]:
    """Runs with a tag that succeeded, once there are so many."""
    found = [r for r in runs(home) if tag in r.tags and r.status == dg.DagsterRunStatus.SUCCESS]
    return found if len(found) >= count else []


def worker(home: Home) -> int:
    """The process of the run at work."""
    for run_id in lock.signs(home.root):
        if lock.is_alive(home.root, run_id):
            return int(json.loads((home.root / "running" / run_id).read_text())["pid"])
    return 0


def with_automation(root: Path, files: Path, automation: Automation) -> Home:
    """A home without predictions that does something by itself, known to Dagster in this process."""
    home = make_home(root, files, predictions=())
    write_config(home, replace(read_config(home), automation=automation))
    os.environ.update(home.environment())
    return home
