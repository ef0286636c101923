"""One run in this process: plan it, execute the graph, tell what came of it."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from intake.fault import InputFault
from orchestration import notify, occasions
from orchestration.console import (
    INTERRUPTED,
    Manner,
    StageTalk,
    error_json,
    error_text,
    say,
    say_at_once,
)
from orchestration.defect import Defect
from orchestration.progress import progress
from orchestration.settings import (
    Home,
    HomeConfig,
    default_config,
    new_place,
    read_config,
    read_systems,
    refuse_unmade_sample,
    write_config,
)

if TYPE_CHECKING:
    from intake.lake import Lake
    from intake.source import System
    from orchestration.summary import Checks

SCHEMA = "unicus.run/2"
CANCEL_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """What the person asked for."""

    home: Home
    systems: tuple[str, ...] = ()
    systems_dir: str = ""
    as_of: date | None = None
    even_if_unchanged: bool = False
    retrain: bool = False


@dataclass
class Ending:
    """How a run ended: what to show, and the exit code."""

    exit_code: int
    text: str
    value: dict[str, Any] = field(default_factory=dict)


def settle_config(request: Request) -> HomeConfig:
    """The home's settings, with the systems the person names added to them.

    Raises:
        InputFault: a system that does not exist or cannot be read.
        SettingFault: a `home.yaml` that cannot be used, or systems that do not go together.
    """
    config = _with_named_systems(request)
    refuse_unmade_sample(request.home, config)
    read_systems(config)
    return config


def _with_named_systems(request: Request) -> HomeConfig:
    from intake.source import SYSTEMS, find_systems, read_system

    own = find_systems([Path(request.systems_dir)]) if request.systems_dir else {}
    folders = {name: str(path.parent.absolute()) for name, path in own.items()}
    exists = request.home.config_path.exists()
    if not exists and (request.systems or own):
        return default_config(request.home, list(request.systems or own), folders)
    config = read_config(request.home)
    added = {
        name: new_place(request.home, name, folders.get(name, ""))
        for name in (request.systems or own)
        if name not in config.systems
    }
    for name, place in added.items():
        read_system(name, [SYSTEMS, *([Path(place.folder)] if place.folder else [])])
    return replace(config, systems=config.systems | added)


def prepare(request: Request) -> HomeConfig:
    """Write the settings of a home if they are new; only the holder of the home does this."""
    config = settle_config(request)
    if not request.home.config_path.exists() or config != read_config(request.home):
        write_config(request.home, config)
    return config


def files_to_load(request: Request, config: HomeConfig) -> tuple[list[str], int]:
    """Files that are not in the lake yet, as `system/entity file`, and how many are.

    Only those of the systems asked for: another's may be out of reach today.
    """
    new, old = [], 0
    is_new = newness(request.home.lake)
    for system in read_systems(config):
        if request.systems and system.name not in request.systems:
            continue
        for entity in system.spec.entities:
            for path in system.files(entity):
                if is_new(system, entity, path):
                    new.append(f"{system.name}/{entity} {path.name}")
                else:
                    old += 1
    return new, old


def newness(lake: Lake) -> Callable[[System, str, Path], bool]:
    """Give a function that says whether a file is not in the lake yet; each file is read once."""
    from intake.contract import contracts
    from intake.delivery import Delivery, load_id, undone_loads
    from intake.lake import file_hash

    known = {record.record_id for record in lake.live("load")} | undone_loads(lake)
    digests: dict[Path, str] = {}

    def is_new(system: System, entity: str, path: Path) -> bool:
        digest = digests.setdefault(path, "") or file_hash(path)
        digests[path] = digest
        found = Delivery.of_file(system, entity, path, digest)
        return load_id(system, contracts()[entity], found) not in known

    return is_new


def plan(request: Request) -> Ending:
    """Say what a run would load, and change nothing."""
    config = settle_config(request)
    new, known = files_to_load(request, config)
    done = nothing_to_do(request, config)
    head = (
        done.text
        if done
        else f"Would load {len(new)} files ({known} are there already) and build every table."
    )
    value = result_head(request.home, "planned") | {"new_files": new, "known_files": known}
    return Ending(0, "\n  ".join([head, *new]), value)


def nothing_to_do(request: Request, config: HomeConfig) -> Ending | None:
    """Say so when the published copy is already what this run would make."""
    from intake.snapshot import loads_of, snapshot_id
    from orchestration.runkey import models_asked, published_key, run_key
    from serving.publish import read_publication

    publication = read_publication(request.home.published)
    if publication is None or request.even_if_unchanged or request.retrain:
        return None
    if request.as_of not in (None, publication.as_of) or files_to_load(request, config)[0]:
        return None
    snapshot = snapshot_id(loads_of(request.home.lake, config.systems))
    run = run_key(snapshot, publication.as_of, config)
    if publication.key != published_key(run, models_asked(request.home, config)):
        return None
    if request.as_of is None and publication.as_of != _default_as_of(
        request.home, config, snapshot
    ):
        return None
    stale = [one.text for one in occasions.stale(request.home, request.as_of)]
    text = (
        f"Nothing new: no new file, same date ({publication.as_of}), same code and models;"
        f" BI reads the run of {publication.published_at:%Y-%m-%d %H:%M} UTC"
    )
    value = {
        "run_id": publication.run_id, "as_of": str(publication.as_of), "text": text, "warned": stale
    }  # fmt: skip
    text = "\n".join([text, *(f"  warned  {one}" for one in stale)])
    return Ending(0, text, result_head(request.home, "nothing_new") | value)


def _default_as_of(home: Home, config: HomeConfig, snapshot: str) -> date | None:
    """Where a run without a date would stand: the published one may have been given a date."""
    from intake.contract import contracts
    from intake.snapshot import day_range, read_snapshot

    frozen = read_snapshot(home.lake, snapshot)
    days = day_range(home.lake, frozen, contracts(), config.business_timezone)
    return days[1] if days else None


def result_head(home: Home, status: str, exit_code: int = 0) -> dict[str, Any]:
    """What every result of a run begins with."""
    return {"schema": SCHEMA, "status": status, "home": str(home.root), "exit_code": exit_code}


def start(request: Request, manner: Manner) -> Ending:
    """Do what there is to do on a home that this process holds.

    That a run could not begin, and that nothing came, is told from here: no run of Dagster notices.

    Raises:
        InputFault: the files that should be read cannot be.
        SettingFault: a `home.yaml` that cannot be used.
    """
    config, home = prepare(request), request.home
    try:
        done = nothing_to_do(request, config)
    except InputFault as fault:
        notify.tell(home, [occasions.of_fault(fault)])
        raise
    if done:
        notify.tell(home, occasions.stale_notifications(home, as_of=request.as_of))
    return done or execute(request, manner)


def execute(request: Request, manner: Manner) -> Ending:
    """Execute the graph on a prepared home, under its lock."""
    home, began = request.home, datetime.now(UTC)
    asked = {"systems": request.systems, "as_of": request.as_of, "retrain": request.retrain}
    run_id, seconds, checks, failed = executed(home, manner, asked)
    if failed:
        return failed
    from orchestration.summary import summarise, summary_text

    systems = read_systems(read_config(home))
    value = result_head(home, "done") | summarise(home, systems, run_id, seconds, began, checks)
    (home.logs / f"{run_id}.json").write_text(json.dumps(value, indent=1, default=str))
    return Ending(0, summary_text(value), value)


def executed(
    home: Home, manner: Manner, asked: dict[str, Any]
) -> tuple[str, float, Checks, Ending | None]:
    """Execute what is asked, told on the screen and in a log.

    Args:
        home: the home, prepared and held.
        manner: how to speak.
        asked: arguments of `Execution`.

    Returns:
        The run's id, its seconds, its checks, and how it ended when it failed.
    """
    clock = time.monotonic()
    os.environ.update(home.environment())
    from orchestration.execution import Execution

    talk = StageTalk(manner)
    progress.listener = talk
    execution = Execution(home, **asked)
    _log_to(home.logs / f"{execution.run_id}.log")
    _stop_on_interrupt(execution, talk, home)
    # In a thread of its own, for Dagster takes the signals of the main thread for itself.
    with ThreadPoolExecutor(1) as apart:
        outcome = apart.submit(execution.run).result()
    talk.close(failed=not outcome.success)
    seconds = time.monotonic() - clock
    failed = (
        None if outcome.success
        else _failed(home, execution.run_id, outcome.error, seconds, manner)
    )  # fmt: skip
    return execution.run_id, seconds, outcome.checks, failed


def state_of(home: Home) -> str:
    """What still stands, for errors: what BI reads now."""
    from serving.publish import read_publication

    try:
        publication = read_publication(home.published)
    except Exception:  # a broken copy must not hide the error that is shown
        return "the published copy cannot be opened; unicus doctor tells more"
    if publication is None:
        return "nothing is published in this home yet"
    return f"BI still reads the run of {publication.published_at:%Y-%m-%d %H:%M} UTC"


def _failed(home: Home, run_id: str, error: str, seconds: float, manner: Manner) -> Ending:
    log = home.logs / f"{run_id}.log"
    state = state_of(home)
    faults = progress.faults or [
        Defect(f"the stage {progress.current or 'start'}", error.partition(":")[0], str(log))
    ]
    if manner.is_verbose and error:
        say(error)
    text = "\n\n".join(error_text(fault, state, manner) for fault in faults)
    code = max(getattr(fault, "exit_code", 1) for fault in faults)
    say(text)
    head = f"Stopped at {progress.current or 'start'} after {seconds:.1f} s · log {log}"
    value = result_head(home, "failed", code) | {
        "run_id": run_id, "log": str(log), "seconds": round(seconds, 1), "stage": progress.current,
        "error": error_json(faults[0], state),
        "errors": [error_json(fault, state) for fault in faults],
    }  # fmt: skip
    (home.logs / f"{run_id}.json").write_text(json.dumps(value, indent=1))
    return Ending(code, f"{head}\n  resume  unicus run", value)


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("unicus")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.captureWarnings(capture=True)
    warnings = logging.getLogger("py.warnings")
    warnings.addHandler(handler)
    warnings.propagate = False


def _stop_on_interrupt(execution: Any, talk: StageTalk, home: Home) -> None:
    """Ctrl-C ends the process at once: what is not committed does not exist, so nothing is half-done."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        with suppress(Exception):  # the signal may come in the middle of a line
            talk.close(failed=True)
        told = (
            f"Interrupted at {progress.current or 'start'}; {state_of(home)}\n  resume  unicus run"
        )
        say_at_once(told)
        _cancel_within(CANCEL_SECONDS, execution)
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _cancel_within(seconds: float, execution: Any) -> None:
    """Tell Dagster, unless the step that was interrupted holds what that needs.

    The next run then reports this one as killed.
    """

    def cancel() -> None:
        with suppress(Exception):
            execution.cancel()

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    thread.join(seconds)
