"""The PostgreSQL database of a home, where Dagster and MLflow keep their history if `home.yaml` names one.

Belongs here: how each of the two reaches its schema, and that the database is there and belongs to this
home and no other. Does not belong here: what they keep in it. The address holds no password; libpq finds
that in `PGPASSFILE`, `PGPASSWORD` or `~/.pgpass`, also when the tools below connect.
"""

from __future__ import annotations

import socket
import subprocess
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from orchestration.settings import SettingFault

if TYPE_CHECKING:
    from orchestration.settings import Home

SCHEMAS = ("dagster", "mlflow")
"""Both tools have tables called `runs`, so each gets a schema of its own."""

CONNECT_SECONDS = 10
DUMP = "database.dump"


def address(url: str, schema: str) -> str:
    """The address under which a tool finds its schema and nothing else.

    Args:
        url: `postgres` of `home.yaml`.
        schema: One of `SCHEMAS`.
    """
    options = {"options": f"-csearch_path={schema}", "connect_timeout": CONNECT_SECONDS}
    # By name, for SQLAlchemy takes another driver from 2.1 on.
    return f"postgresql+psycopg2://{url.partition('://')[2]}?{urlencode(options)}"


def claim(home: Home, url: str) -> None:
    """Make sure that the database is there, and write down in it that it is this home's.

    Two homes in one database would take each other's runs for dead and move each other's champions. A
    home that was moved on the same machine keeps its database.

    Args:
        home: The home.
        url: `postgres` of its `home.yaml`.

    Raises:
        SettingFault: it cannot be reached, lacks a schema, or belongs to another home.
    """
    if not find_spec("psycopg2"):
        raise _unusable(url, "the package psycopg2 is not installed",
                        "pip install -c constraints.txt -e '.[postgres]'")  # fmt: skip
    import psycopg2

    try:
        with closing(psycopg2.connect(url, connect_timeout=CONNECT_SECONDS)) as con, con:
            _claim(con.cursor(), home, url)
    except psycopg2.Error as error:
        raise _unusable(
            url, f"the server refuses or does not answer ({type(error).__name__})",
            "start it, mend the address, or give the password by PGPASSFILE; then  unicus doctor",
        ) from None  # fmt: skip


def dump(url: str, target: Path) -> None:
    """Write both schemas as they are at one moment to a file for `pg_restore`, without whose they are.

    Args:
        url: `postgres` of `home.yaml`.
        target: The file.

    Raises:
        SettingFault: pg_dump is not installed, or cannot read the database.
    """
    schemas = [f"--schema={schema}" for schema in SCHEMAS]
    command = ["pg_dump", "--format=custom", "--no-comments", *schemas, "--file", str(target), url]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise _unusable(
            url, f"pg_dump cannot copy it ({type(error).__name__})",
            "install the client of the server's version, and give the password by PGPASSFILE",
        ) from None  # fmt: skip


def _claim(cursor: Any, home: Home, url: str) -> None:
    for schema in SCHEMAS:
        cursor.execute("select to_regnamespace(%s) is not null", [schema])
        if not cursor.fetchone()[0]:
            raise _unusable(url, f"it has no schema {schema}",
                            "let its owner make it as  deploy/postgresql.sql  shows")  # fmt: skip
    cursor.execute("select obj_description(to_regnamespace(%s), 'pg_namespace')", [SCHEMAS[0]])
    owner, here = cursor.fetchone()[0], f"{socket.gethostname()}:{home.root.resolve()}"
    if owner == here:
        return
    host, _, root = (owner or "").partition(":")
    if owner and (host != socket.gethostname() or Path(root).exists()):
        raise _unusable(url, f"it belongs to the home {owner}",
                        "give this home a database of its own; if that one is gone for good, "
                        " comment on schema dagster is null")  # fmt: skip
    cursor.execute("comment on schema dagster is %s", [here])


def _unusable(url: str, why: str, fix: str) -> SettingFault:
    return SettingFault(
        "unusable-database", "postgres", "the database of the home cannot be used",
        where=url, why=why, fix=fix,
    )  # fmt: skip
