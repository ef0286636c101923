"""The store: what resolution remembers between runs, so that a delta costs by the delta.

Belongs here: its tables, and whether it can be gone on with. It is a cache: all of it follows from the
profiles, the decisions, the model and the log of events, and a store that is lost is made anew from them.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

import duckdb
import pyarrow as pa

from identity.compare import COMPARISONS, VALUES, Model, model_json

FORMAT = 4
"""Raised when the tables change, or how they follow from the records, so that stores of older code are
made anew."""

MEMORY = "900MB"
"""What a resolution works with; a rebuild of a million records puts the rest on disk at no cost."""

WAIT_SECONDS = 30.0
"""How long a resolution waits for who reads the store."""
_LOCKED = "Could not set lock on file"

RECORD = "md5_number_lower(source_system || chr(31) || source_key)"
"""Number of a record: the same in every store, so that ties end the same way in all of them."""


def record_number(source_system: str, source_key: str) -> int:
    """What `RECORD` makes of a record."""
    digest = hashlib.md5(
        f"{source_system}\x1f{source_key}".encode(), usedforsecurity=False
    ).digest()
    return int.from_bytes(digest[8:], "little")


_TEXT = "varchar using compression uncompressed"
"""Pressed, they would cost the rebuild of a million records 4 CPU seconds and each look-up half as much
again, for a store of two thirds the size."""

_LEVELS = ", ".join(f"{one.name} tinyint" for one in COMPARISONS)
_VALUES = ", ".join(f"{name} {'date' if name == 'birth_date' else _TEXT}" for name in VALUES)

TABLES = f"""
create table if not exists records (
    record ubigint, source_system {_TEXT}, source_key {_TEXT}, {_VALUES}, profile ubigint,
    name_frequency double);
create table if not exists keys (kind utinyint, key ubigint, record ubigint, name ubigint);
create table if not exists hubs (key ubigint);
create table if not exists contested (key ubigint);
create table if not exists pairs (
    a ubigint, b ubigint, weight double, is_vetoed boolean, {_LEVELS});
create table if not exists components (record ubigint, component ubigint, cluster ubigint);
create table if not exists decided (a ubigint, b ubigint, is_link boolean);
create table if not exists refused (a ubigint, b ubigint, reason varchar);
create table if not exists review (
    a ubigint, b ubigint, left_source_system varchar, left_source_key varchar,
    right_source_system varchar, right_source_key varchar, weight_bits double, state varchar,
    reason varchar);
create table if not exists map (
    record ubigint, source_system {_TEXT}, source_key {_TEXT}, customer_id {_TEXT},
    strict_customer_id {_TEXT}, valid_from timestamp, created_seq bigint);
create table if not exists past (
    source_system varchar, source_key varchar, customer_id varchar, strict_customer_id varchar,
    valid_from timestamp, valid_to timestamp);
create table if not exists aliases (retired_id varchar, customer_id varchar);
create table if not exists ids (id varchar, first_seq bigint);
create table if not exists meta (basis varchar, event_seq bigint);
"""
"""
records: profiles as they were last seen, and records that only facts mention, without values.
keys: what records may share; hubs: what too many share; contested: mailboxes and numbers of people
whose first names differ.
pairs: candidates that weigh enough to link, to look at, or to tell apart.
decided: what a steward says of two records.
components: records that links hold together, the refused ones included, and which of them are one
customer; who is alone is left out.
review: what of this a steward may look at.
map: the customer of each record; past: whose it was before; ids: when each was first given.
"""


def open_store(path: Path | None, model: Model, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Open the store, made anew when it was made by other code or another model.

    Args:
        path: its file; without one it lives in memory.
        model: by which pairs are weighed.
        threads: how many it may work with.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _open_unread(str(path), model, threads)
        except duckdb.Error as error:  # of another version, or torn: it is a cache
            if not is_torn(error):
                raise
            forget_store(path)
    return _open(":memory:" if path is None else str(path), model, threads)


def is_torn(error: duckdb.Error) -> bool:
    """Whether an error may come of the file itself, and not of the machine or of who else uses it."""
    of_machine = isinstance(error, duckdb.OutOfMemoryException | duckdb.InterruptException)
    return not (of_machine or _LOCKED in str(error) or "No space left" in str(error))


def _open_unread(target: str, model: Model, threads: int) -> duckdb.DuckDBPyConnection:
    """Open the store once nobody reads it: a look at a pair takes less than a second."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return _open(target, model, threads)
        except duckdb.IOException as error:
            if _LOCKED not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.1)


def forget_store(path: Path) -> None:
    """Take the store's files away, so that it is made anew."""
    for file in (path, path.with_name(f"{path.name}.wal")):
        file.unlink(missing_ok=True)


def _open(target: str, model: Model, threads: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(target, config={
        "threads": threads, "preserve_insertion_order": False, "memory_limit": MEMORY,
        "temp_directory": tempfile.gettempdir() if target == ":memory:" else f"{target}.tmp",
    })  # fmt: skip
    try:
        _prepare(con, model)
    except BaseException:
        con.close()
        raise
    return con


def _prepare(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    basis = basis_of(model)
    tables = [name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()]
    if "meta" in tables and con.execute("select basis from meta").fetchall() == [(basis,)]:
        return
    con.execute("begin")
    for table in tables:
        con.execute(f'drop table "{table}"')
    con.execute(TABLES)
    con.execute("insert into meta values (?, 0)", [basis])
    con.execute("commit")


def basis_of(model: Model) -> str:
    """All but the data that the tables follow from."""
    from identity import candidates, clusters

    limits = {
        name: repr(value)
        for module in (candidates, clusters)
        for name, value in sorted(vars(module).items())
        if name.isupper() and isinstance(value, int | float | str | dict | tuple)
    }
    # Numbers that DuckDB makes of texts are those of its version.
    parts = [
        FORMAT,
        duckdb.__version__,
        model_json(model),
        digest(model.frequencies),
        *(one.sql for one in COMPARISONS),
        limits,
    ]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def digest(table: pa.Table) -> str:
    """Of the rows of a table, in whatever pieces it is held."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()
