"""Dagster's pages and daemon, and MLflow's pages, on one home, for this machine only.

Four parts: the code server holds the graph and starts the runs, the webserver shows them, the daemon
keeps schedules and sensors, and `models` is MLflow's server. `unicus ui` runs the first three until
Ctrl-C. A service manager runs each with `--only`, as docs/deployment.md shows. The code server listens
at a socket that only its own account can open, for whoever reaches it can start runs.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

from ml.tracking import ARTIFACTS, address, follow_a_move
from orchestration.console import result, say
from orchestration.settings import PROJECT, Home, SettingFault, read_config, write_config

HOST = "127.0.0.1"
PORTS = {"code": 0, "webserver": 3000, "daemon": 0, "models": 5000}
"""The parts, and the port of those that people open."""

SOCKET = "code.sock"
SOCKET_VARIABLE = "UNICUS_CODE_SOCKET"
SOCKET_LETTERS = 107
START_SECONDS = 180
END_SECONDS = 20
LOOK_SECONDS = 0.1
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def become(home: Home, part: str, port: int) -> None:
    """Be one part of the home until a signal ends it.

    Args:
        home: The home; its folders are made if missing.
        part: One of `PORTS`.
        port: Where a part with pages answers.

    Raises:
        SettingFault: the home lies too deep for a socket.
    """
    home.create()
    listens = _socket(home)
    os.environ.update(home.environment() | {SOCKET_VARIABLE: listens})
    os.chdir(PROJECT)
    tool, *options = _command(home, part, port, listens)
    entry, *_ = entry_points(group="console_scripts", name=tool)  # MLflow names it twice
    run = entry.load()
    if part in {"webserver", "daemon"}:
        # Without the graph they would show a fault, and look again only ten seconds later.
        _wait(lambda: _is_open(listens))
    if part == "models":
        follow_a_move(home.mlflow)
    sys.argv = [tool, *options]
    run()


def serve_ui(home: Home, port: int) -> int:
    """Serve until Ctrl-C; print the address once it answers."""
    home.create()
    if not home.config_path.exists():
        # The parts start in another folder, from where they would look for the sample elsewhere.
        write_config(home, read_config(home))
    log = home.logs / "ui.log"
    say(f"Unicus · home {home.root} · log {log}")
    # A service manager stops us with SIGTERM, a closed terminal with SIGHUP, and the parts would go on
    # without us. A shell starts what runs in the background with SIGINT ignored; a child that inherits
    # that ignores both.
    for stop in STOPS:
        signal.signal(stop, signal.default_int_handler)
    parts: list[subprocess.Popen[bytes]] = []
    # A socket apart from that of services on the same home.
    with TemporaryDirectory(prefix="unicus-") as folder, log.open("w") as output:
        environment = os.environ | {SOCKET_VARIABLE: str(Path(folder) / SOCKET)}
        try:
            for part in ("code", "webserver", "daemon"):
                command = [sys.executable, "-m", "orchestration.cli", "ui", "--only", part,
                           "--home", str(home.root), "--port", str(port)]  # fmt: skip
                parts.append(
                    subprocess.Popen(
                        command, cwd=PROJECT, env=environment, stdout=output, stderr=output,
                        start_new_session=True,
                    )
                )  # fmt: skip
            if not _wait(lambda: _answers(port), parts):
                say(f"The UI did not start; read {log}. Is port {port} taken? Choose one: --port N")
                return 1
            result(f"http://{HOST}:{port}")
            while _live(parts):
                time.sleep(LOOK_SECONDS)
            say(f"A part of the UI has ended; read {log}")
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            _end(parts)


def _socket(home: Home) -> str:
    """Where the code server listens: in the home, or where `unicus ui` tells its parts."""
    path = os.environ.get(SOCKET_VARIABLE) or str(home.root / SOCKET)
    if len(os.fsencode(path)) > SOCKET_LETTERS:
        raise SettingFault(
            "home-path-too-long", str(home.root), "the code server cannot listen in this home",
            where=path, why=f"the path of a socket has at most {SOCKET_LETTERS} letters",
            fix="move the home to a shorter path, or give one to the socket:"
            f"  {SOCKET_VARIABLE}=PATH  for every part",
        )  # fmt: skip
    return path


def _command(home: Home, part: str, port: int, listens: str) -> list[str]:
    """The command line of a part's tool."""
    where = ["--host", HOST, "--port", str(port)]
    workspace = ["--workspace", str(PROJECT / "deploy" / "workspace.yaml")]
    return {
        "code": ["dagster", "code-server", "start", "--socket", listens, "--location-name", "unicus",
                 "--module-name", "orchestration.definitions", "--attribute", "defs"],
        "webserver": ["dagster-webserver", *where, *workspace],
        "daemon": ["dagster-daemon", "run", *workspace],
        "models": ["mlflow", "server", *where, "--workers", "1", "--no-serve-artifacts",
                   "--backend-store-uri", address(home.mlflow),
                   "--default-artifact-root", str(home.mlflow / ARTIFACTS)],
    }[part]  # fmt: skip


def _is_open(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(address) == 0


def _live(parts: Sequence[subprocess.Popen[bytes]]) -> bool:
    return all(part.poll() is None for part in parts)


def _wait(is_so: Callable[[], bool], parts: Sequence[subprocess.Popen[bytes]] = ()) -> bool:
    """Wait for something; False when a part ends before, or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and _live(parts):
        if is_so():
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _answers(port: int) -> bool:
    address = f"http://{HOST}:{port}/server_info"
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except (URLError, OSError):
        return False


def _end(parts: list[subprocess.Popen[bytes]]) -> None:
    """End the parts and what they started, which is their groups: a code server ends later than asked."""
    for impatient in STOPS:
        signal.signal(impatient, signal.SIG_IGN)
    for stop, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, 1)):
        deadline = time.monotonic() + seconds
        groups = [part.pid for part in parts if _signal(part.pid, stop)]
        while groups and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            _live(parts)  # a child that nobody asks about stays in its group
            groups = [group for group in groups if _signal(group, 0)]


def _signal(group: int, number: int) -> bool:
    """Send a signal to a group of processes, 0 to look; say whether there is anybody in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
