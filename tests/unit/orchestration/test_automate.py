"""What a home does by itself: when a schedule asks for a run, and what the sensor sees."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from unittest import mock

import dagster as dg
import duckdb
import pytest
from dagster import DagsterEventType

from intake.contract import contracts
from intake.load import load_entity
from orchestration import lock
from orchestration.defs.automate import USUAL, landing_sensor, schedules
from orchestration.graph import IDENTITY_TRAINING, JOB, build_definitions
from orchestration.launcher import is_gone
from orchestration.settings import (
    Automation,
    Home,
    HomeConfig,
    SettingFault,
    SystemPlace,
    read_config,
    read_systems,
    write_config,
)
from serving.publish import Publication, publish
from tests.conftest import Shop

KEYS = [
    dg.AssetKey(path)
    for path in (
        ["landing", "shop", "orders"], ["landing", "shop", "order_lines"],
        ["raw", "orders"], ["marts", "customer_360"],
    )
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, shop: Shop) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    systems = {"shop": SystemPlace(folder=str(shop.folder))}
    write_config(home, HomeConfig("Europe/Paris", "EUR", systems, ()))
    shop.orders("1,c1,2024-01-01,2024-01-01", name="orders-1.csv")
    shop.lines("1,p1,1,9.50,2024-01-01", name="lines-1.csv")
    return home


class Eye:
    """The sensor as the daemon asks it, look after look."""

    def __init__(self, home: Home) -> None:
        self._home, self._cursor = home, None

    def look(self) -> dg.RunRequest | str:
        config = read_config(self._home)
        sensor = landing_sensor(self._home, config, read_systems(config), JOB, KEYS)
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, cursor=self._cursor)
            told = sensor.evaluate_tick(context)
        self._cursor = told.cursor
        return told.run_requests[0] if told.run_requests else str(told.skip_message)


def fed(request: dg.RunRequest | str) -> set[str]:
    assert isinstance(request, dg.RunRequest), request
    assert request.asset_selection
    return {key.to_user_string() for key in request.asset_selection}


def test_new_files_start_a_run_of_their_entities_once_they_lie_still(
    home: Home, shop: Shop
) -> None:
    eye = Eye(home)
    assert "lie still" in str(eye.look())
    assert fed(eye.look()) == {key.to_user_string() for key in KEYS}
    assert eye.look() == "No file has come or changed."

    config = read_config(home)
    for system in read_systems(config):
        for entity in system.spec.entities:
            load_entity(home.lake, system, contracts()[entity])
    shop.orders("2,c1,2024-01-02,2024-01-02", name="orders-2.csv")
    assert "lie still" in str(eye.look())
    shop.orders("2,c1,2024-01-02,2024-01-02", "3,c1,2024-01-02,2024-01-02", name="orders-2.csv")
    assert "lie still" in str(eye.look()), "a file that still grows is not read"
    assert fed(eye.look()) == {"landing/shop/orders", "raw/orders", "marts/customer_360"}


def test_a_file_that_is_in_the_lake_already_starts_no_run(home: Home, shop: Shop) -> None:
    eye = Eye(home)
    eye.look()
    eye.look()
    for system in read_systems(read_config(home)):
        for entity in system.spec.entities:
            load_entity(home.lake, system, contracts()[entity])
    os.utime(shop.files / "orders-1.csv")
    assert "lie still" in str(eye.look())
    assert str(eye.look()).startswith("Every file is in the lake already")
    assert eye.look() == "No file has come or changed."


def test_while_a_run_is_at_work_the_sensor_waits_and_then_asks(home: Home) -> None:
    eye = Eye(home)
    eye.look()
    with lock.hold(home.root):
        assert eye.look() == "A run is at work on this home."
    assert isinstance(eye.look(), dg.RunRequest)


def test_a_file_that_is_missing_does_not_hold_up_the_others(home: Home, shop: Shop) -> None:
    eye = Eye(home)
    (shop.files / "lines-1.csv").unlink()
    eye.look()
    assert fed(eye.look()) == {"landing/shop/orders", "raw/orders", "marts/customer_360"}
    assert eye.look() == "No file has come or changed."


def test_what_home_yaml_gives_a_time_runs_and_the_rest_waits_to_be_switched_on(home: Home) -> None:
    config = replace(read_config(home), automation=Automation(daily="15 4 * * 1-5"))
    write_config(home, config)
    config = read_config(home)
    daily, retraining, identity_training = schedules(home, config, JOB, IDENTITY_TRAINING)
    assert (daily.cron_schedule, daily.execution_timezone) == ("15 4 * * 1-5", "Europe/Paris")
    assert daily.default_status == dg.DefaultScheduleStatus.RUNNING
    assert retraining.cron_schedule == USUAL.retraining
    assert retraining.default_status == dg.DefaultScheduleStatus.STOPPED
    assert identity_training.cron_schedule == "0 2 1 * *"
    assert identity_training.default_status == dg.DefaultScheduleStatus.STOPPED
    sensor = landing_sensor(home, config, read_systems(config), JOB, KEYS)
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    assert sensor.minimum_interval_seconds == USUAL.landing_seconds


def test_a_day_with_a_missing_file_is_run_so_that_the_run_can_say_so(
    home: Home, shop: Shop
) -> None:
    daily, *_ = schedules(home, read_config(home), JOB, IDENTITY_TRAINING)
    (shop.files / "lines-1.csv").unlink()
    publication = Publication("run", "s", date(2024, 1, 2), datetime(2024, 1, 2), "key")
    duckdb.connect(home.warehouse).close()
    publish(home.warehouse, home.published, [], publication)
    with dg.DagsterInstance.ephemeral() as instance:
        told = daily.evaluate_tick(dg.build_schedule_context(instance=instance))
    assert told.run_requests


def test_the_day_asks_for_a_run_and_the_week_for_one_that_trains(home: Home) -> None:
    daily, retraining, _ = schedules(home, read_config(home), JOB, IDENTITY_TRAINING)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance)
        (of_day,) = daily.evaluate_tick(context).run_requests or ()
        (of_week,) = retraining.evaluate_tick(context).run_requests or ()
    job = build_definitions(home).resolve_job_def(JOB)
    for request in (of_day, of_week):
        dg.validate_run_config(job, request.run_config)
    assert "resources" not in of_day.run_config
    assert of_week.run_config["resources"]["unicus"]["config"]["retrain"] is True


def test_a_time_zone_that_is_none_is_a_setting_fault(home: Home) -> None:
    written = home.config_path.read_text("utf-8")
    home.config_path.write_text(written.replace("Europe/Paris", "Europe/Nowhere"), "utf-8")
    with pytest.raises(SettingFault, match="Europe/Nowhere"):
        read_config(home)


@pytest.mark.parametrize(
    "written",
    [
        "{daily: at noon}", "{daily: 6}", '{retraining: "99 3 * * 0"}', "{landing_seconds: 0}",
        "{identity_training: monthly}",
        "{landing_seconds: soon}", '{daily: "R R * * *"}', '{daily: " 0 6 * * *"}',
        "{dayly: '0 6 * * *'}", "[daily]",
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_a_setting_fault(home: Home, written: str) -> None:
    with home.config_path.open("a") as file:
        file.write(f"automation: {written}\n")
    with pytest.raises(SettingFault) as caught:
        schedules(home, read_config(home), JOB, IDENTITY_TRAINING)
    assert caught.value.code == "bad-setting"


def test_a_run_lives_as_long_as_its_process(tmp_path: Path) -> None:
    assert lock.is_alive(tmp_path, "never began") is None
    lock.show_alive(tmp_path, "here")
    assert lock.is_alive(tmp_path, "here")
    child = os.fork()
    if not child:
        lock.show_alive(tmp_path, "killed")
        os._exit(0)
    os.waitpid(child, 0)
    assert lock.is_alive(tmp_path, "killed") is False
    assert lock.signs(tmp_path) == ["here", "killed"]
    lock.bury(tmp_path, ["killed"])
    assert lock.is_alive(tmp_path, "killed") is None


def test_a_run_without_a_sign_is_gone_after_a_minute_and_not_before(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.DagsterRun(job_name=JOB)
        instance.add_run(run)
        instance.report_dagster_event(
            dg.DagsterEvent(DagsterEventType.RUN_START.value, job_name=JOB), run_id=run.run_id
        )
        assert not is_gone(instance, tmp_path, run)
        record = instance.get_run_record_by_id(run.run_id)
        assert record
        assert record.start_time
        with mock.patch("time.time", return_value=record.start_time + 61):
            assert is_gone(instance, tmp_path, run)
