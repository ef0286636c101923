"""The Dagster UI and daemon on one home, as a child process, on this machine only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

from orchestration.console import result, say
from orchestration.settings import PROJECT, Home

START_SECONDS = 180
END_SECONDS = 20
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve_ui(home: Home, port: int) -> int:
    """Serve until Ctrl-C; print the address once it answers."""
    home.create()
    log = home.logs / "ui.log"
    command = [
        str(Path(sys.executable).parent / "dagster"), "dev", "--workspace",
        str(PROJECT / "workspace.yaml"), "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    say(f"Unicus · home {home.root} · log {log}")
    # A service manager stops us with SIGTERM, a closed terminal with SIGHUP, and the child would go on
    # without us. A shell starts what runs in the background with SIGINT ignored; a child that inherits
    # that ignores both.
    for stop in STOPS:
        signal.signal(stop, signal.default_int_handler)
    with log.open("w") as output:
        child = subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | home.environment(), stdout=output,
            stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            if not _answers(child, f"http://127.0.0.1:{port}/server_info"):
                say(f"The UI did not start; read {log}. Is port {port} taken? Choose one: --port N")
                return 1
            result(f"http://127.0.0.1:{port}")
            return child.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, which is its group: code servers end later than it does."""
    for impatient in STOPS:
        signal.signal(impatient, signal.SIG_IGN)
    for stop, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, 1)):
        deadline = time.monotonic() + seconds
        with suppress(ProcessLookupError):
            os.killpg(child.pid, stop)
            while time.monotonic() < deadline:
                child.poll()  # a child that nobody asks about stays in its group
                os.killpg(child.pid, 0)
                time.sleep(0.1)


def _answers(child: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return True
        except (URLError, OSError):
            time.sleep(0.5)
    return False
