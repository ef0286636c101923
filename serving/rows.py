"""The raw rows behind a customer, and which of them count at a date.

Belongs here: how rows of the lake are found by record key, and the rule of validity, which is that of
the version tables and facts of the warehouse, said a second time and on purpose: what both come to is
compared in `figures.py`. Does not belong here: what the rows add up to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from intake.sql import literal, literals, quoted

Row = dict[str, Any]

KEPT = ("_row", "_row_count", "_version_at", "_load_id", "_load_seq")


@dataclass(frozen=True)
class Entity:
    """How rows of an entity replace each other.

    Attributes:
        key: a version replaces the one before with the same key, within its system.
        event_time: has to lie before the date.
        values: further columns to read.
        is_set: the newest delivery replaces every row of its key.
    """

    name: str
    key: tuple[str, ...]
    event_time: str | None = None
    values: tuple[str, ...] = ()
    is_set: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns to read; a file of an earlier contract may lack some."""
        own = (*self.key, self.event_time, *self.values)
        kept = KEPT if self.is_set else (*KEPT, "_is_deleted")
        return tuple(dict.fromkeys((*filter(None, own), *kept)))


ORDERS = Entity("orders", ("order_key",), "ordered_at", ("customer_key",))
ORDER_LINES = Entity(
    "order_lines",
    ("order_key",),
    values=("product_key", "net_amount", "discount_amount"),
    is_set=True,
)
CAMPAIGNS = Entity("campaigns", ("campaign_key",), values=("start_date",))
OTHERS = (
    Entity("customers", ("customer_key",), "created_at"),
    Entity("enrichment", ("customer_key",)),
    Entity("campaign_assignments", ("campaign_key", "customer_key"), "assigned_at"),
    Entity(
        "coupon_redemptions", ("coupon_key", "campaign_key", "customer_key", "redeemed_at"),
        "redeemed_at",
    ),
    Entity(
        "returns", ("return_key",), "returned_at", ("customer_key", "order_key", "net_amount"),
        is_set=True,
    ),
)  # fmt: skip
"""What names a customer besides orders; together with them all that makes a record."""


@dataclass(frozen=True)
class Source:
    """The files of an entity that one system delivered, the empty one that has its columns first."""

    system: str
    files: tuple[str, ...]
    loads: int


ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
"""From when a version without a time is known."""


@dataclass(frozen=True)
class Sight:
    """What can be seen of the lake: days before `as_of`, as they begin and end in `zone`."""

    as_of: date
    zone: ZoneInfo

    def day(self, at: datetime | None) -> date | None:
        """The business day of a time in UTC."""
        return at.replace(tzinfo=UTC).astimezone(self.zone).date() if at else None

    def shows(self, day: date | None) -> bool:
        """Whether what happened on a day can be seen; what has no day always can."""
        return day is None or day < self.as_of


def set_values(con: duckdb.DuckDBPyConnection, **values: str) -> None:
    """Give values names that statements read with `getvariable`.

    A parameter would make DuckDB import pandas, which takes longer than everything else here.
    """
    for name, value in values.items():
        con.execute(f"set variable {name} = {literal(value)}")


def parquet(files: Sequence[str]) -> str:
    """SQL that reads files of the lake together, whatever contract each was written by."""
    return f"read_parquet({literals(list(files))}, union_by_name = true, hive_partitioning = false)"


def fetch(con: duckdb.DuckDBPyConnection, statement: str) -> list[Row]:
    """The rows of a query by name of the column."""
    found = con.execute(statement)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def rows_of_customer(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    source: Source,
    sight: Sight,
    orders: Collection[str] = (),
) -> list[Row]:
    """Every row of the entity that names a record of the customer, and those that replace one.

    Args:
        con: a connection with the table `records` (`source_system`, `source_key`).
        entity: which rows; they stay in a temporary table of its name.
        source: where to look.
        sight: what the run could see.
        orders: keys of the customer's orders that count in this system. A row that names no record and
            one of them is the customer's, where the entity tells of orders.

    Returns:
        The columns of the entity, keys trimmed, and `is_own` (it names the customer), `is_in_force`
        (the run counted it) and `event_date` (business day of the event).
    """
    records = _ids_of(con, source.system)
    condition = f"nullif(trim(customer_key), '') in ({', '.join(map(literal, records))})"
    of_order = "order_key" in entity.values and bool(orders)
    if of_order:
        bought = f"trim(order_key) in ({', '.join(map(literal, sorted(orders)))})"
        condition = f"({condition} or (nullif(trim(customer_key), '') is null and {bought}))"
    # Within one load a key stands once, so there nothing replaces a row but the row itself.
    if "customer_key" not in entity.key and (entity.is_set or source.loads > 1):
        (name,) = entity.key
        key = f"trim({quoted(name)})"
        condition = f"{key} in (select {key} from {parquet(source.files)} where {condition})"
    found = _gather(con, entity, source, condition)
    for row in found:
        row["is_own"] = row["customer_key"] in records or (
            of_order and row["customer_key"] is None and row["order_key"] in orders
        )
    return _judged(found, entity, sight)


def rows_of_orders(con: duckdb.DuckDBPyConnection, source: Source, sight: Sight) -> list[Row]:
    """Every line of the orders that `rows_of_customer` left in their table."""
    found = _gather(con, ORDER_LINES, source, "trim(order_key) in (select order_key from orders)")
    return _judged(found, ORDER_LINES, sight)


def rows_of_campaigns(con: duckdb.DuckDBPyConnection, source: Source, sight: Sight) -> list[Row]:
    """Every row of every campaign."""
    return _judged(_gather(con, CAMPAIGNS, source, "true"), CAMPAIGNS, sight)


def _ids_of(con: duckdb.DuckDBPyConnection, system: str) -> list[str]:
    found = con.execute(f"select source_key from records where source_system = {literal(system)}")
    return [str(row[0]) for row in found.fetchall()]


def _gather(
    con: duckdb.DuckDBPyConnection, entity: Entity, source: Source, condition: str
) -> list[Row]:
    """Keep the rows as a temporary table, whatever columns the files have, and return them."""
    wanted = "|".join(entity.columns)
    keys = [column for column in entity.columns if column.endswith("_key")]
    trimmed = ", ".join(f"nullif(trim({quoted(k)}), '') as {quoted(k)}" for k in keys)
    con.execute(f"""
        create or replace temp table {quoted(entity.name)} as
        select * replace ({trimmed}) from (
            select null::boolean as _is_deleted where false
            union all by name
            select columns('^({wanted})$') from {parquet(source.files)} where {condition}
        )
    """)
    found = fetch(con, f"from {quoted(entity.name)} order by _load_seq, _row")
    return [{"source_system": source.system, **row} for row in found]


def _judged(found: list[Row], entity: Entity, sight: Sight) -> list[Row]:
    """Mark the rows that count, by the rule of the macro `with_validity`.

    Of each key one version counts, from its own day to that of the next; none when it is a deletion.
    """
    of_key: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in found:
        row["event_date"] = sight.day(row[entity.event_time]) if entity.event_time else None
        row["is_in_force"] = False
        of_key[tuple(row[column] for column in entity.key)].append(row)
    for rows in of_key.values():
        versions = sorted(_versions(rows, is_set=entity.is_set), key=_place)
        starts = [sight.day(_known_at(version)) or date.min for version in versions]
        for version, start, end in zip(versions, starts, [*starts[1:], date.max], strict=True):
            if start < sight.as_of <= end:
                for row in version:
                    is_there = entity.is_set or not row["_is_deleted"]
                    row["is_in_force"] = is_there and sight.shows(row["event_date"])
    return found


def _versions(rows: list[Row], *, is_set: bool) -> list[list[Row]]:
    """The rows of one key as versions: each row by itself, or all of one load together."""
    if not is_set:
        return [[row] for row in rows]
    of_load: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_load[row["_load_id"]].append(row)
    return list(of_load.values())


def _known_at(version: list[Row]) -> datetime | None:
    times = (row["_version_at"].replace(tzinfo=UTC) for row in version if row["_version_at"])
    return max(times, default=None)


def _place(version: list[Row]) -> tuple[Any, ...]:
    """Orders the versions of a key; one without a time comes first."""
    first = min(version, key=lambda row: row["_row"])
    known_at = _known_at(version) or ALWAYS
    return known_at, first["_load_seq"], first["_load_id"], first["_row"]
