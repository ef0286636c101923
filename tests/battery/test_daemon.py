"""The real daemon: schedules and sensor tick, and what is killed is done all the same, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from orchestration.settings import Automation, Home
from serving.publish import read_publication
from tests.daemon import Daemon, done, kill, runs, until, with_automation, worker
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, run

pytestmark = pytest.mark.battery


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return deliver(tmp_path / "files", share=60, before=date(2017, 11, 1))


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
    kill(pid) if killed == "worker" else daemon.kill_and_start()
    until(lambda: done(home, "dagster/parent_run_id"))
    statuses = [r.status.value for r in runs(home)]
    assert statuses == ["FAILURE", "SUCCESS"]

    unkilled = make_home(tmp_path / "unkilled", files, predictions=())
    run(unkilled)
    assert_equal_tables(home.published, unkilled.published)
