"""A PostgreSQL server of a test's own, where one is installed (Debian: postgresql)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

SERVER = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)


@dataclass(frozen=True)
class Server:
    """A server that answers at a socket in its folder, and at a port of this machine with a password."""

    folder: Path
    port: int

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Have psql run it as the administrator."""
        assert SERVER
        client = [str(SERVER.with_name("psql")), "-q", "-v", "ON_ERROR_STOP=1"]
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database]
        _do(self.folder, *client, *where, sql=sql)


def _as_user() -> list[str]:
    """The server refuses to run as root."""
    if os.geteuid():
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@contextmanager
def serving() -> Iterator[Server]:
    """Serve until the end; skip the test where there is no server."""
    if not SERVER:
        pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    login = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    # Not below pytest's own folder, which it closes to the account of the server.
    with TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if _as_user():
            shutil.chown(folder, "postgres")
        control = [str(SERVER.with_name("pg_ctl")), "-D", str(folder / "data"), "-w", "-s"]
        make = [str(SERVER), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust"]
        options = f"-k {folder} -h 127.0.0.1 -p {port}"
        _do(folder, *make)
        (folder / "data" / "pg_hba.conf").write_text(login, "utf-8")
        _do(folder, *control, "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield Server(folder, port)
        finally:
            _do(folder, *control, "-m", "immediate", "stop")


def _do(folder: Path, *command: str, sql: str = "") -> None:
    subprocess.run(
        [*_as_user(), *command], input=sql.encode(), check=True, cwd=folder,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
