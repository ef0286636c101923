"""The published copy: the public tables of one moment, in one file, put in place by one rename.

Readers that have the old file open keep it whole; the next to open it see the new one. The warehouse
is read, never written. Which tables are public is decided by the models, not here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from intake.lake import put_in_place
from intake.sql import literal, quoted


@dataclass(frozen=True)
class PublicTable:
    """A table to publish, with what its comments say."""

    schema: str
    name: str
    description: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def relation(self) -> str:
        """Quoted `schema.name`."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"


@dataclass(frozen=True)
class Publication:
    """What a published copy says about itself: table `publication`, one row.

    Attributes:
        run_id: the run that built it.
        snapshot_id: the loads it was built from.
        as_of: everything dated on or after it is not in it.
        published_at: system time, UTC.
        key: hash of snapshot, date, code and champions; an equal key means an equal copy.
    """

    run_id: str
    snapshot_id: str
    as_of: date
    published_at: datetime
    key: str


class MixedMoments(Exception):
    """Public tables that were not all built for one moment; nothing is published."""

    code = "mixed-moments"
    exit_code = 1

    def __init__(self, target: Path, tables: list[str], moment: str) -> None:
        self.subject = "serving/published"
        self.what = f"{len(tables)} public tables are not of this run: {', '.join(tables)}"
        super().__init__(self.what)
        self.where = str(target)
        self.why = f"a copy holds one snapshot and one as_of, here {moment}"
        self.fix = "build everything:  unicus run"


class DamagedCopy(Exception):
    """A published copy that cannot be opened; it can be made again from the warehouse."""

    code = "damaged-copy"
    exit_code = 1

    def __init__(self, target: Path) -> None:
        self.subject = "serving/published"
        self.what = "the published copy cannot be opened"
        super().__init__(self.what)
        self.where = str(target)
        self.why = "it is cut short, damaged, or not a copy that a run has put there"
        self.fix = f"rm {target}    (nothing is lost), then  unicus run"


def publish(
    warehouse: Path, target: Path, tables: list[PublicTable], publication: Publication
) -> dict[str, int]:
    """Copy the tables beside the target and put the copy in place.

    Keys, NOT NULL and comments come along. A copy is only put in place when every table has the rows
    of its original.

    Returns:
        Rows per table, by `schema.name`.
    """
    for stale in target.parent.glob(f".{target.name}.*"):
        stale.unlink()
    staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    with duckdb.connect() as con:
        con.execute(f"attach {literal(str(warehouse))} as warehouse (read_only)")
        con.execute(f"attach {literal(str(staged))} as copy")
        con.execute("use copy")
        rows = {f"{t.schema}.{t.name}": _copy(con, t) for t in tables}
        _describe(con, publication)
        con.execute("checkpoint copy")
        con.execute("use memory")
        con.execute("detach copy")
    put_in_place(staged, target)
    return rows


def read_publication(target: Path) -> Publication | None:
    """What the published copy says about itself, or None without a copy.

    Raises:
        DamagedCopy: there is a file, and it cannot be opened.
    """
    if not target.exists():
        return None
    try:
        with duckdb.connect(str(target), read_only=True) as con:
            return publication_of(con)
    except duckdb.Error as error:
        raise DamagedCopy(target) from error


def publication_of(con: duckdb.DuckDBPyConnection) -> Publication | None:
    """What the published copy that `con` has open says about itself."""
    row = con.execute(
        "select run_id, snapshot_id, as_of, published_at, key from publication"
    ).fetchone()
    return Publication(*row) if row else None


def _copy(con: duckdb.DuckDBPyConnection, table: PublicTable) -> int:
    con.execute(f"create schema if not exists {quoted(table.schema)}")
    found = con.execute(
        "select sql from duckdb_tables() where database_name = 'warehouse'"
        " and schema_name = ? and table_name = ?",
        [table.schema, table.name],
    ).fetchone()
    assert found is not None, f"{table.schema}.{table.name} is not in the warehouse"
    con.execute(found[0])
    con.execute(f"insert into {table.relation} select * from warehouse.{table.relation}")
    con.execute(f"comment on table {table.relation} is {literal(table.description)}")
    for column, text in table.columns.items():
        con.execute(f"comment on column {table.relation}.{quoted(column)} is {literal(text)}")
    counts = con.execute(
        f"select (select count(*) from {table.relation}),"
        f" (select count(*) from warehouse.{table.relation})"
    ).fetchone()
    assert counts is not None
    assert counts[0] == counts[1], f"{table.relation} was not copied whole"
    return int(counts[0])


def _describe(con: duckdb.DuckDBPyConnection, publication: Publication) -> None:
    con.execute("""
        create table publication (
            run_id varchar not null, snapshot_id varchar not null, as_of date not null,
            published_at timestamp not null, key varchar not null
        )
    """)
    con.execute(
        "insert into publication values (?, ?, ?, ?, ?)",
        [
            publication.run_id,
            publication.snapshot_id,
            publication.as_of,
            publication.published_at,
            publication.key,
        ],
    )
    con.execute("comment on table publication is 'One row: which run this copy is of.'")
