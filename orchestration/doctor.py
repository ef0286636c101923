"""Whether the machine and the home are sound: one finding per check, each fault with its remedy.

Each check looks at one thing and changes nothing but a probe file that it removes. What the home
holds is told by `status.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import sysconfig
import tomllib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import lock
from orchestration.console import Manner
from orchestration.progress import explains_itself
from orchestration.settings import (
    PROJECT,
    QUIET,
    Home,
    dagster_settings,
    manifest_file,
    read_config,
)

if TYPE_CHECKING:
    import duckdb

    from intake.lake import LakeFile

SCHEMA = "unicus.doctor/1"
OLDEST_PYTHON = (3, 11)
LOW_BYTES, ENOUGH_BYTES = 1 << 30, 5 << 30
PORT = 3000
SHOWN = 3
COLOUR = {"ok": "ok", "warn": "warned", "fail": "error"}
MAKE_IT = "make run,  or  unicus retailer,  then  unicus run"
RESTORE = "put the home back from a copy, or build a new one:  unicus run --home DIR"


@dataclass(frozen=True)
class Finding:
    """What one check came to; `state` is ok, warn or fail."""

    state: str
    found: str
    remedy: str = ""


def examine_home(home: Home, *, deep: bool = False) -> dict[str, Any]:
    """Do every check; the exit code is 1 when one of them fails.

    Args:
        home: the home; need not exist, then only the machine is checked.
        deep: read every system and load the whole graph too, which takes some seconds.
    """
    checks = dict(MACHINE)
    if home.exists:
        checks |= HOME | (DEEP if deep else {})
    findings = [{"name": name} | asdict(_done(check, home)) for name, check in checks.items()]
    if not home.exists:
        missing = Finding(
            "warn", f"there is no home at {home.root} yet", f"{MAKE_IT}    (makes it)"
        )
        findings.append({"name": "home"} | asdict(missing))
    code = int(any(one["state"] == "fail" for one in findings))
    return {"schema": SCHEMA, "home": str(home.root), "exit_code": code, "checks": findings}


def _done(check: Callable[[Home], Finding], home: Home) -> Finding:
    """Do the check; one that breaks off is a fault of what it looked at."""
    try:
        return check(home)
    except Exception as error:
        if explains_itself(error):
            fault: Any = error
            return Finding("fail", f"{fault.code}: {fault}; {fault.where}", fault.fix)
        return Finding("fail", f"it cannot be checked ({type(error).__name__})", RESTORE)


def findings_text(examined: dict[str, Any], manner: Manner) -> str:
    """One line per check: state, name, what was found, what to do."""
    wide = max(len(one["name"]) for one in examined["checks"])
    lines = [f"home {examined['home']}"]
    for one in examined["checks"]:
        state = manner.painted(f"{one['state']:<4}", COLOUR[one["state"]])
        remedy = f"; fix: {one['remedy']}" if one["remedy"] else ""
        lines.append(f"{state}  {one['name']:<{wide}}  {one['found']}{remedy}")
    return "\n".join(lines)


def _some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def check_python(_home: Home) -> Finding:
    """The interpreter is new enough."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Finding(
            "fail", f"Python {found}, needs {oldest}", "make clean setup PYTHON=python3.11"
        )
    return Finding("ok", f"Python {found}")


def check_packages(_home: Home) -> Finding:
    """What is installed is what `constraints.txt` pins, and nothing that is needed is missing."""
    pins = _pins()
    installed = _installed()
    missing = sorted(_needed() - set(installed))
    if missing:
        return Finding("fail", f"not installed: {_some(missing)}", "make setup")
    other = [
        f"{name} {installed[name]} (pinned {pin})"
        for name, pin in pins.items()
        if installed.get(name, pin) != pin
    ]
    if other:
        return Finding("warn", f"other versions than pinned: {_some(other)}", "make clean setup")
    return Finding("ok", f"{len(set(pins) & set(installed))} packages as pinned")


def _pins() -> dict[str, str]:
    lines = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    return {_plain(name): version.strip() for name, version in pairs}


def _needed() -> set[str]:
    """Packages that nothing works without; the extras are a matter of choice."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    return {_plain(re.split(r"[<>=~! ]", line)[0]) for line in project["dependencies"]}


def _installed() -> dict[str, str]:
    """Name and version of every package, by the folder it is recorded in.

    `importlib.metadata` parses each package's whole description for them, ten times as slow.
    """
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders = [path.stem.split("-") for place in places for path in Path(place).glob("*.dist-info")]
    return {_plain(name): version for name, version in folders}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def check_disk(home: Home) -> Finding:
    """There is room for a run, which keeps the old published copy until the new one stands."""
    place = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / (1 << 30):.1f} GB free at {place}"
    if free < LOW_BYTES:
        room = "unicus vacuum, or choose another disk with  --home DIR"
        return Finding("fail", found, room)
    if free < ENOUGH_BYTES:
        return Finding("warn", found, "unicus vacuum --dry-run    (says what it would free)")
    return Finding("ok", found)


def check_port(_home: Home) -> Finding:
    """The port of the UI is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return Finding("warn", f"port {PORT} is taken", f"unicus ui --port {PORT + 1}")
    return Finding("ok", f"port {PORT} is free")


def check_telemetry(home: Home) -> Finding:
    """No tool below reports to its maker, neither under Unicus nor started by hand in this home."""
    kept = home.dagster / "dagster.yaml"
    ours = dagster_settings(read_config(home).postgres if home.config_path.exists() else None)
    if kept.exists() and kept.read_text("utf-8") != ours:
        return Finding("warn", f"{kept} is not the project's", "unicus run    (writes it anew)")
    loud = [name for name, off in QUIET.items() if os.environ.get(name, off) != off]
    if loud:
        return Finding("warn", f"{_some(loud)} set to report; Unicus ignores it, other tools will not",
                       f"unset {' '.join(loud)}")  # fmt: skip
    return Finding("ok", "off in Dagster, dbt and MLflow")


def check_manifest(_home: Home) -> Finding:
    """The parsed dbt project is the one of the files that are there now."""
    path = manifest_file()
    if not path.exists():
        return Finding("warn", "the dbt project has changed since it was parsed",
                       "unicus run    (parses it, some seconds)")  # fmt: skip
    return Finding("ok", path.name)


def check_settings(home: Home) -> Finding:
    """`home.yaml` can be read."""
    if not home.config_path.exists():
        return Finding(
            "warn",
            "there is no home.yaml; the sample's settings hold",
            f"put it back from a copy; for the sample  {MAKE_IT}    (writes it)",
        )
    systems = read_config(home).systems
    return Finding("ok", f"home.yaml with {len(systems)} systems: {_some(systems)}")


def check_notifications(home: Home) -> Finding:
    """Whoever should be told can be; nothing of the address is shown."""
    from orchestration.notify import address_fault, waiting

    told = read_config(home).notifications
    if told is None:
        return Finding("ok", "in logs/notifications.jsonl")
    places = ["logs/notifications.jsonl"] * told.file
    if told.webhook:
        fault = address_fault(os.environ.get(told.webhook, ""))
        if fault:
            return Finding("warn", f"webhook ${told.webhook}: {fault}",
                           f"export {told.webhook}=https://... where runs and unicus ui start")  # fmt: skip
        places.append(f"the webhook of ${told.webhook}")
    if not places:
        return Finding("warn", "nobody is told: no file and no webhook", "write file: true")
    late = waiting(home)
    found = f"{' and '.join(places)}, of {_some(told.events) or 'nothing'}"
    if late:
        return Finding("warn", f"{found}; {late} not taken yet", "look whether the webhook answers")
    return Finding("ok", found)


def check_database(home: Home) -> Finding:
    """The database of the home, if it has one, can be reached and is its own."""
    url = read_config(home).postgres if home.config_path.exists() else None
    if url is None:
        return Finding("ok", "Dagster and MLflow keep their history in files of the home")
    from orchestration.database import claim

    claim(home, url)
    return Finding("ok", url)


def check_folders(home: Home) -> Finding:
    """Every folder of the home is one, can be written, and lies where a rename is one step."""
    lake = home.root / "lake"
    folders = [lake, *(lake / name for name in ("register", "incoming", "raw", "snapshots")),
               home.warehouse.parent, home.published.parent, home.mlflow, home.dagster, home.logs,
               home.moments]  # fmt: skip
    wrong = [str(path) for path in folders if path.exists() and not path.is_dir()]
    if wrong:
        return Finding(
            "fail", f"not a folder: {_some(wrong)}", "move the file away, then  unicus run"
        )
    there = [path for path in folders if path.is_dir()]
    sealed = [str(path) for path in there if not _can_rename(path)]
    if sealed:
        return Finding("fail", f"cannot be written: {_some(sealed)}",
                       "give yourself the right to write there, or choose a  --home DIR")  # fmt: skip
    if len({path.stat().st_dev for path in there if path.is_relative_to(lake)}) > 1:
        return Finding("fail", f"{lake} lies on several disks, so a rename is not one step",
                       "keep the lake on one disk")  # fmt: skip
    return Finding("ok", "can be written, renames are one step")


def _can_rename(folder: Path) -> bool:
    """Whether a file written here takes the place of another by a rename."""
    old, new = (folder / f".doctor-{uuid.uuid4().hex}" for _ in range(2))
    try:
        old.write_text("old", "utf-8")
        new.write_text("new", "utf-8")
        new.replace(old)
        return old.read_text("utf-8") == "new"
    except OSError:
        return False
    finally:
        for path in (old, new):
            path.unlink(missing_ok=True)


def check_lock(home: Home) -> Finding:
    """Who holds the home; a run at work is no fault."""
    holder = lock.holder(home.root)
    if holder is None:
        return Finding("ok", "nobody holds the home")
    who = ", ".join(f"{key} {value}" for key, value in holder.items())
    return Finding("ok", f"held by {who or 'a run that has just started'}")


def check_register(home: Home) -> Finding:
    """Every record can be read, and their numbers rise without a gap."""
    from intake.fault import InputFault
    from intake.lake import in_force, read_record

    paths, broken, records = home.lake.record_paths(), [], []
    for path in paths:
        try:
            records.append(read_record(path))
        except InputFault as fault:
            broken.append(fault.where)
    if broken:
        return Finding("fail", f"records that cannot be read: {_some(broken)}", RESTORE)
    missing = [number for number, path in enumerate(paths, 1) if path.stem != f"{number:010d}"]
    if missing:
        return Finding("fail", f"the record {missing[0]:010d} is missing", RESTORE)
    misnamed = [path.name for path, record in zip(paths, records, strict=True)
                if record.seq != int(path.stem)]  # fmt: skip
    if misnamed:
        return Finding("fail", f"records under another's number: {_some(misnamed)}", RESTORE)
    return Finding("ok", f"{len(records)} records, {len(in_force(records))} live")


def check_live_files(home: Home) -> Finding:
    """The files of every live record are there, with the rows the register remembers."""
    live = home.lake.live()
    files = [file for record in live for file in record.files]
    lost = [
        f"lake/landing/{name}"
        for name in {r.details["file_hash"] for r in live if r.kind == "load"}
        if not (home.lake.root / "landing" / name).is_file()
    ]
    if lost:
        return Finding("fail", f"originals are missing: {_some(lost)}", RESTORE)
    return _files_finding(home, files)


def check_snapshot(home: Home) -> Finding:
    """The files that the last run read are there, with their rows."""
    snapshots = list((home.lake.root / "snapshots").glob("*.json"))
    if not snapshots:
        return Finding("ok", "no run has frozen one yet")
    newest = max(snapshots, key=lambda path: path.stat().st_mtime)
    return _files_finding(home, list(home.lake.frozen(newest.stem)[1]), newest.stem)


def _files_finding(home: Home, files: list[LakeFile], name: str = "") -> Finding:
    import duckdb

    with duckdb.connect() as con:
        faults = [fault for file in files if (fault := _file_fault(con, home, file))]
    of = f" of {name}" if name else ""
    if faults:
        return Finding("fail", f"{len(faults)} of {len(files)} files{of}: {_some(faults)}", RESTORE)
    return Finding("ok", f"{len(files)} files{of}, {sum(file.rows for file in files):,} rows")


def _file_fault(con: duckdb.DuckDBPyConnection, home: Home, file: LakeFile) -> str:
    """What is wrong with the file, by its footer alone; empty when nothing is."""
    import duckdb

    from intake.sql import literal

    path = home.lake.path(file)
    if not path.is_file():
        return f"lake/{file.path} is missing"
    try:
        # As a literal: DuckDB imports pandas, most of a second, for the first parameter.
        row = con.execute(
            f"select sum(num_rows) from parquet_file_metadata({literal(str(path))})"
        ).fetchone()
    except duckdb.Error:
        return f"lake/{file.path} is damaged"
    rows = int(row[0] or 0) if row else 0
    return "" if rows == file.rows else f"lake/{file.path} has {rows:,} rows, not {file.rows:,}"


def check_published(home: Home) -> Finding:
    """The published copy opens, and tells its age and whether the code is still that of its key."""
    from orchestration.runkey import models_asked, published_key, run_key
    from orchestration.status import age_text
    from serving.publish import read_publication

    publication = read_publication(home.published)
    if publication is None:
        return Finding("ok", "nothing is published yet")
    age = datetime.now(UTC) - publication.published_at.replace(tzinfo=UTC)
    found = f"as of {publication.as_of}, {age_text(int(age.total_seconds()))} old, key {publication.key}"
    config = read_config(home)
    run = run_key(publication.snapshot_id, publication.as_of, config)
    if publication.key != published_key(run, models_asked(home, config)):
        told = f"{found}, of other code, settings or models than now"
        return Finding("warn", told, "unicus run")
    return Finding("ok", found)


def check_systems(home: Home) -> Finding:
    """Every `source.yaml` can be used, and the folders it reads from are there."""
    from orchestration.settings import read_systems

    systems = read_systems(read_config(home))
    lost = [f"{one.name}: {one.location}" for one in systems if not one.location.is_dir()]
    if lost:
        return Finding(
            "fail",
            f"files of a system are not there: {_some(lost)}",
            f"correct  location  in {home.config_path}",
        )
    return Finding("ok", ", ".join(f"{one.name}: {one.location}" for one in systems))


def check_graph(home: Home) -> Finding:
    """The whole graph loads."""
    from orchestration.graph import build_definitions

    graph = build_definitions(home).resolve_asset_graph()
    assets, checks = len(graph.executable_asset_keys), len(graph.asset_check_keys)
    return Finding("ok", f"{assets} assets, {checks} checks")


Checks = dict[str, Callable[[Home], Finding]]
MACHINE: Checks = {
    "python": check_python,
    "packages": check_packages,
    "disk": check_disk,
    "port": check_port,
    "telemetry": check_telemetry,
    "manifest": check_manifest,
}
HOME: Checks = {
    "settings": check_settings,
    "notifications": check_notifications,
    "database": check_database,
    "folders": check_folders,
    "lock": check_lock,
    "register": check_register,
    "live files": check_live_files,
    "snapshot": check_snapshot,
    "published": check_published,
}
DEEP: Checks = {"systems": check_systems, "graph": check_graph}
