"""What a home does by itself: the run of every day, the trainings of every week and month, new files.

Belongs here: when a run starts and what it is asked. Does not belong here: what a run does. Each is off
until it is switched on in Dagster's page, or given a time under `automation` in `home.yaml`.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dagster as dg

from intake.fault import InputFault
from orchestration import lock
from orchestration.run import Request, newness, nothing_to_do
from orchestration.settings import Automation, SettingFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from intake.source import System
    from orchestration.settings import Home, HomeConfig

USUAL = Automation(
    daily="0 6 * * *", retraining="0 3 * * 0", identity_training="0 2 1 * *", landing_seconds=60
)


def schedules(
    home: Home, config: HomeConfig, job: str, training: str
) -> list[dg.ScheduleDefinition]:
    """The run of every day, which skips a day without anything new, and what trains now and then.

    Args:
        home: The home.
        config: Its settings.
        job: Name of the job of every day.
        training: Name of the job that trains identity.
    """

    def daily(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            done = nothing_to_do(Request(home), config)
        except InputFault:  # the run says it better than a look
            done = None
        return dg.SkipReason(done.text) if done else dg.RunRequest()

    def retraining(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        config = {"home": str(home.root), "retrain": True}
        return dg.RunRequest(run_config={"resources": {"unicus": {"config": config}}})

    def identity_training(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest()

    return [
        _schedule(home, config, job, daily, "Loads what has arrived and builds everything."),
        _schedule(home, config, job, retraining, "The same, and trains every question anew."),
        _schedule(home, config, training, identity_training, "Learns anew how records agree."),
    ]


def _schedule(
    home: Home, config: HomeConfig, job: str, asks: Callable[..., Any], description: str
) -> dg.ScheduleDefinition:
    name = asks.__name__
    chosen = getattr(config.automation, name)
    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    try:
        return dg.ScheduleDefinition(
            name=name,
            job_name=job,
            cron_schedule=chosen or getattr(USUAL, name),
            execution_timezone=config.business_timezone,
            execution_fn=asks,
            default_status=on if chosen else off,
            description=description,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingFault(
            "bad-setting", "home.yaml", f"automation has a {name} that cannot be used",
            where=f"{home.config_path}, automation, {name}",
            why=f'"{chosen}" is no time that ever comes',
            fix=f'write {name}: "{getattr(USUAL, name)}", then start again',
        ) from error  # fmt: skip


def landing_sensor(
    home: Home,
    config: HomeConfig,
    systems: Sequence[System],
    job: str,
    assets: Iterable[dg.AssetKey],
) -> dg.SensorDefinition:
    """Start a run for files that have come and lain still for a look, of their entities alone.

    Which files there are is told by name, size and time; they are read only when that has changed. A
    file that fails is not tried again until it changes: the run of the day tries it. Tables of a
    server are read by the run of the day.
    """
    seconds = config.automation.landing_seconds
    keys = sorted(assets)

    @dg.sensor(
        name="landing",
        job_name=job,
        minimum_interval_seconds=seconds or USUAL.landing_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING
        if seconds
        else dg.DefaultSensorStatus.STOPPED,
        description="Starts a run when new files have arrived.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        seen, before = _fingerprint(systems), json.loads(context.cursor or "{}")
        if seen == before.get("done"):
            return dg.SkipReason("No file has come or changed.")
        if seen != before.get("seen"):
            context.update_cursor(json.dumps(before | {"seen": seen}))
            return dg.SkipReason("Files have come or changed; waiting until they lie still.")
        if lock.holder(home.root):
            return dg.SkipReason("A run is at work on this home.")
        context.update_cursor(json.dumps({"seen": seen, "done": seen}))
        fed = _fed(home, systems)
        if not fed:
            return dg.SkipReason("Every file is in the lake already, or cannot be read.")
        return dg.RunRequest(run_key=seen, asset_selection=_reached(keys, fed))

    return landing


def _fed(home: Home, systems: Iterable[System]) -> set[tuple[str, str]]:
    """System and entity of every file that lies there and is not in the lake yet."""
    is_new, fed = newness(home.lake), set()
    for system in systems:
        for entity in system.spec.entities:
            with suppress(InputFault):  # the run of the day says what is wrong with it
                if system.arrived(entity) and any(
                    is_new(system, entity, path) for path in system.files(entity)
                ):
                    fed.add((system.name, entity))
    return fed


def _reached(keys: Iterable[dg.AssetKey], fed: set[tuple[str, str]]) -> list[dg.AssetKey]:
    """Every asset but the landing of what has no new file.

    A new row may move the date of the run, and with it every table.
    """
    return [key for key in keys if key.path[0] != "landing" or tuple(key.path[1:]) in fed]


def _fingerprint(systems: Iterable[System]) -> str:
    """Hash of the name, size and time of every file that lies there."""
    files = sorted(
        {
            path
            for system in systems
            for name in system.spec.entities
            for path in system.arrived(name)
        }
    )
    told = []
    for path in files:
        with suppress(FileNotFoundError):  # taken away since
            found = path.stat()
            told.append(f"{path} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
