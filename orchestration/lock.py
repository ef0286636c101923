"""The lock of a home, one run at a time whoever starts it, and the lock that shows a run to be alive.

File locks, so that a killed run leaves nothing behind. Within one process the home may be taken again:
the command line takes it before Dagster is imported, the run's own resource after.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_held: dict[Path, int] = {}
_shown: list[int] = []
PROBE_SECONDS = 0.3
"""Who asks for the holder takes the lock for a moment; that is no run."""


class HomeBusy(Exception):
    """Another run holds the home; says who."""

    code = "home-busy"
    exit_code = 3

    def __init__(self, root: Path, holder: dict[str, str]) -> None:
        who = ", ".join(f"{key} {value}" for key, value in holder.items())
        super().__init__(f"{root} is held by {who or 'another run'}")
        self.subject = str(root)
        self.what = "another run holds this home"
        self.where = str(root / ".lock")
        self.why = f"held by {who or 'a run that has just started'}"
        self.fix = "wait until it is done, then  unicus run"


@contextmanager
def hold(root: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock of the home at `root`.

    Args:
        root: the home's folder; must exist.
        wait_seconds: how long to wait for another run to end.

    Raises:
        HomeBusy: another process still holds it.
    """
    root = root.resolve()
    if root in _held:
        yield
        return
    handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(handle, root, wait_seconds)
        _held[root] = handle
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(_self_description()).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        _held.pop(root, None)
        os.close(handle)


def holder(root: Path) -> dict[str, str] | None:
    """Who holds the home at `root`, or None when nobody does."""
    try:
        handle = os.open(root / ".lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _description(handle)
    finally:
        os.close(handle)
    return None


def show_alive(root: Path, run_id: str) -> None:
    """Show the run to be alive for as long as this process lives, be it ended or killed."""
    path = _sign_of_life(root, run_id)
    path.parent.mkdir(exist_ok=True)
    unseen = path.with_name(f".{path.name}")
    handle = os.open(unseen, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.pwrite(handle, json.dumps(_self_description()).encode(), 0)
    unseen.rename(path)
    _shown.append(handle)


def is_alive(root: Path, run_id: str) -> bool | None:
    """Whether the process of a run lives; None for a run that never showed a sign."""
    try:
        handle = os.open(_sign_of_life(root, run_id), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def bury(root: Path, run_ids: Iterable[str]) -> None:
    """Forget the signs of runs that have ended."""
    for run_id in run_ids:
        _sign_of_life(root, run_id).unlink(missing_ok=True)


def signs(root: Path) -> list[str]:
    """Runs that showed a sign and are not forgotten, alive or not."""
    return sorted(path.name for path in (root / "running").glob("[!.]*"))


def _sign_of_life(root: Path, run_id: str) -> Path:
    return root / "running" / run_id


def _acquire(handle: int, root: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + max(wait_seconds, PROBE_SECONDS)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise HomeBusy(root, _description(handle)) from None
            time.sleep(0.1)
        else:
            return


def _self_description() -> dict[str, str]:
    return {
        "pid": str(os.getpid()),
        "host": socket.gethostname(),
        "command": _command(),
        "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    }


def _command() -> str:
    """What was typed; the daemon's own processes have settings of a page's length there."""
    typed = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return "a run of the daemon or the browser" if "--instance-ref" in typed else typed


def _description(handle: int) -> dict[str, str]:
    try:
        return dict(json.loads(os.pread(handle, 4096, 0)))
    except ValueError:
        return {}
