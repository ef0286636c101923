"""A run killed anywhere leaves nothing half-written: the next one ends where an unkilled one does."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.settings import Home
from serving.publish import read_publication
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home

pytestmark = pytest.mark.battery

UNICUS = [str(Path(sys.executable).parent / "unicus")]
# Stage, and how long after its beginning the kill may fall: all of its length on a slow machine.
POINTS = [
    ("ingest", 2.0), ("staging", 4.0), ("identity", 0.2), ("core", 3.0), ("predict", 8.0), ("marts", 0.5),
    ("publish", 1.0),
]  # fmt: skip
KILLS = int(os.environ.get("UNICUS_TEST_KILLS", "20"))
"""Kills in all, as many in each stage; a hundred take half an hour."""


def start(home: Home) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*UNICUS, "run", "--home", str(home.root), "--no-skip"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | {"CI": "1"},
    )  # fmt: skip


def kill_in(home: Home, stage: str, after: float) -> bool:
    """Kill a run a while after the stage begins; say whether it was still running."""
    process = start(home)
    assert process.stderr
    for line in process.stderr:
        if line.split()[1:3] == [stage, "..."]:
            time.sleep(after)
            break
    was_running = process.poll() is None
    process.kill()
    process.wait()
    return was_running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deliver(tmp_path_factory.mktemp("files"), share=60)


@pytest.fixture(scope="module")
def unkilled(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("unkilled") / "home", files)
    assert start(home).wait() == 0
    return home


@pytest.mark.parametrize(("stage", "within"), POINTS)
def test_after_a_kill_the_next_run_gives_the_tables_of_an_unkilled_one(
    stage: str, within: float, files: Path, unkilled: Home, tmp_path: Path
) -> None:
    chance = random.Random(stage)
    home = make_home(tmp_path / "home", files)
    killed = [
        kill_in(home, stage, chance.uniform(0, within))
        for _ in range(math.ceil(KILLS / len(POINTS)))
    ]
    assert any(killed), "no kill fell inside a run"
    assert start(home).wait() == 0
    assert_equal_tables(unkilled.published, home.published)
    assert not list((home.lake.root / "incoming").iterdir())


def test_bi_reads_the_last_copy_whatever_is_killed(unkilled: Home) -> None:
    before = read_publication(unkilled.published)
    assert before is not None
    for stage, _ in POINTS[:-1]:
        # Soon after it begins: a later kill may fall after a quick machine has published.
        assert kill_in(unkilled, stage, 0.1), "the run ended before the kill"
        found = read_publication(unkilled.published)
        assert found is not None
        assert found.run_id == before.run_id


@pytest.mark.parametrize(("stage", "after"), [("staging", 0.0), ("core", 1.0)])
def test_an_interrupted_run_says_what_stands_and_exits_130(
    stage: str, after: float, files: Path, tmp_path: Path
) -> None:
    home = make_home(tmp_path / "home", files)
    process = start(home)
    assert process.stderr
    for line in process.stderr:
        if stage in line:
            break
    time.sleep(after)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait() == 130
    assert time.monotonic() - began < 30
    assert "nothing is published in this home yet" in said
    assert "unicus run" in said
    assert "Traceback" not in said


def test_a_second_run_at_once_says_who_holds_the_home(files: Path, tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", files)
    first = start(home)
    assert first.stderr
    first.stderr.readline()
    while not (home.root / ".lock").exists() or not (home.root / ".lock").read_text():
        time.sleep(0.05)
    second = subprocess.run(
        [*UNICUS, "run", "--home", str(home.root), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    first.kill()
    first.wait()
    assert second.returncode == 3
    told = json.loads(second.stdout)["error"]
    assert told["code"] == "home-busy"
    assert str(first.pid) in told["why"]
