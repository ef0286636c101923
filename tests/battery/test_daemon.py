"""The real daemon: schedules and sensor tick, and what is killed is done all the same, once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest

from orchestration import lock
from orchestration.settings import Automation, Home, read_config, write_config
from serving.publish import read_publication
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, run

pytestmark = pytest.mark.battery

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
        for process in _below(self._process.pid):
            _kill(process)
        self._process.wait()
        self._process = self._start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _below(pid: int) -> list[int]:
    """A process and all it started, which have groups of their own."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(below for child in children for below in _below(child))]


def _kill(pid: int) -> None:
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
    pytest.fail(f"not seen within {PATIENCE:.0f} s")


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


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return deliver(tmp_path / "files", share=60, before=date(2017, 11, 1))


def with_automation(root: Path, files: Path, automation: Automation) -> Home:
    home = make_home(root, files, predictions=())
    write_config(home, replace(read_config(home), automation=automation))
    os.environ.update(home.environment())
    return home


@pytest.fixture
def sensing(tmp_path: Path, files: Path) -> Iterator[tuple[Home, Daemon]]:
    home = with_automation(tmp_path / "home", files, Automation(landing_seconds=2))
    daemon = Daemon(home)
    yield home, daemon
    daemon.stop()


def test_the_schedules_of_day_and_week_tick(tmp_path: Path, files: Path) -> None:
    every_minute = Automation(daily="* * * * *", retraining="* * * * *")
    home = with_automation(tmp_path / "home", files, every_minute)
    daemon = Daemon(home)
    try:
        of_day = until(
            lambda: [r for r in runs(home) if r.tags.get("dagster/schedule_name") == "daily"]
        )
        of_week = until(
            lambda: [r for r in runs(home) if r.tags.get("dagster/schedule_name") == "retraining"]
        )
        until(lambda: done(home, "dagster/schedule_name"))
    finally:
        daemon.stop()
    assert "resources" not in of_day[0].run_config
    assert of_week[0].run_config["resources"]["unicus"]["config"]["retrain"] is True
    assert read_publication(home.published)


def test_a_new_file_is_in_the_published_copy_without_anybody_asking(
    sensing: tuple[Home, Daemon], files: Path
) -> None:
    home, _ = sensing
    until(lambda: done(home, "dagster/sensor_name"))
    before = read_publication(home.published)
    deliver(files, share=60, before=date(2017, 11, 15))
    until(lambda: done(home, "dagster/sensor_name", 2))
    after = read_publication(home.published)
    assert before
    assert after
    assert (before.as_of, after.as_of) == (date(2017, 11, 1), date(2017, 11, 15))
    fed = runs(home)[-1].asset_selection or set()
    landed = {key.path[-1] for key in fed if key.path[0] == "landing"}
    assert "orders" in landed
    assert "products" not in landed


@pytest.mark.parametrize("killed", ["worker", "everything"])
def test_what_was_killed_is_done_all_the_same_and_once(
    killed: str, sensing: tuple[Home, Daemon], files: Path, tmp_path: Path
) -> None:
    home, daemon = sensing
    pid = until(lambda: worker(home))
    time.sleep(2)
    _kill(pid) if killed == "worker" else daemon.kill_and_start()
    until(lambda: done(home, "dagster/parent_run_id"))
    statuses = [r.status.value for r in runs(home)]
    assert statuses == ["FAILURE", "SUCCESS"]

    unkilled = make_home(tmp_path / "unkilled", files, predictions=())
    run(unkilled)
    assert_equal_tables(home.published, unkilled.published)
