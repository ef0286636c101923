"""The raw rows behind a customer, and which of them count at a date.

Belongs here: how rows of the lake are found by record key, and the rule of validity, which is that of
the version tables and facts of the warehouse, said a second time and on purpose: what both come to is
compared in `figures.py`. Does not belong here: what the rows add up to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from intake.sql import literal, literals, quoted

Row = dict[str, Any]

KEPT = ("_row", "_row_count", "_version_at", "_load_id", "_load_seq", "_is_deleted")


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
        return tuple(dict.fromkeys(("source_system", *filter(None, own), *KEPT)))


ORDERS = Entity("orders", ("order_key",), "ordered_at", ("customer_key",))
ORDER_LINES = Entity(
    "order_lines", ("order_key",), values=("product_key", "quantity", "net_amount", "discount_amount"),
    is_set=True,
)  # fmt: skip
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

BUSINESS_DATE = "cast(timezone(getvariable('zone'), timezone('UTC', {})) as date)"


def set_values(con: duckdb.DuckDBPyConnection, **values: str) -> None:
    """Give values names that statements read with `getvariable`.

    A parameter would make DuckDB import pandas, which takes longer than everything else here.
    """
    for name, value in values.items():
        con.execute(f"set variable {name} = {literal(value)}")


def fetch(con: duckdb.DuckDBPyConnection, statement: str) -> list[Row]:
    """The rows of a query by name of the column."""
    found = con.execute(statement)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def rows_of_customer(
    con: duckdb.DuckDBPyConnection, entity: Entity, files: Sequence[str]
) -> list[Row]:
    """Every row of the entity that names a record of the customer, and those that replace one.

    Args:
        con: a connection with the table `records` (`source_system`, `source_key`) and the variables
            `zone` and `as_of`.
        entity: which rows.
        files: Parquet files of the entity, in the order of the snapshot.

    Returns:
        The columns of the entity, keys trimmed, and `is_own` (it names the customer), `is_in_force`
        (it counts at `as_of`) and `event_date` (business day of the event).
    """
    own = "(source_system, nullif(trim(customer_key), '')) in (select * from records)"
    if "customer_key" in entity.key:
        return _in_force(con, entity, _read(files), own)
    (name,) = entity.key
    key = quoted(name)
    named = f"select distinct source_system, trim({key}) from {_read(files)} where {own}"
    return _in_force(con, entity, _read(files), f"(source_system, trim({key})) in ({named})")


def rows_of_orders(con: duckdb.DuckDBPyConnection, files: Sequence[str]) -> list[Row]:
    """Every line of the orders that `rows_of_customer` found; the table it left is read."""
    of_them = "(source_system, trim(order_key)) in (select source_system, order_key from orders)"
    return _in_force(con, ORDER_LINES, _read(files), of_them)


def rows_of_campaigns(con: duckdb.DuckDBPyConnection, files: Sequence[str]) -> list[Row]:
    """Every row of every campaign."""
    return _in_force(con, CAMPAIGNS, _read(files), "true")


def _read(files: Sequence[str]) -> str:
    return f"read_parquet({literals(list(files))}, union_by_name = true, hive_partitioning = false)"


def _in_force(
    con: duckdb.DuckDBPyConnection, entity: Entity, source: str, condition: str
) -> list[Row]:
    _gather(con, entity, source, condition)
    key = ", ".join(map(quoted, ("source_system", *entity.key)))
    number, same_row = ("min(_row)", "") if entity.is_set else ("_row", ", _row")
    deleted = "false" if entity.is_set else "bool_or(coalesce(_is_deleted, false))"
    event = BUSINESS_DATE.format(quoted(entity.event_time)) if entity.event_time else "null::date"
    names = "customer_key" in entity.columns
    own = "(source_system, customer_key) in (select * from records)" if names else "true"
    return fetch(
        con,
        f"""
        with deliveries as (
            select {key}, _load_id, _load_seq, {number} as _row, max(_version_at) as _version_at,
                {deleted} as _is_deleted
            from {entity.name} group by all
        ),
        dated as (
            select *, coalesce({BUSINESS_DATE.format("_version_at")}, date '0001-01-01') as known_from
            from deliveries
        ),
        ended as (
            select * exclude (_version_at {"" if same_row else ", _row"}),
                lead(known_from, 1, date '9999-12-31') over (
                    partition by {key} order by _version_at nulls first, _load_seq, _load_id, _row
                ) as known_to
            from dated
        )
        select r.* exclude (_is_deleted), {event} as event_date, {own} as is_own,
            not e._is_deleted and e.known_from < cast(getvariable('as_of') as date)
                and cast(getvariable('as_of') as date) <= e.known_to
                and coalesce(event_date < cast(getvariable('as_of') as date), true) as is_in_force
        from {entity.name} as r join ended as e using ({key}, _load_id, _load_seq{same_row})
        order by r._load_seq, r._row
        """,
    )


def _gather(con: duckdb.DuckDBPyConnection, entity: Entity, source: str, condition: str) -> None:
    """Keep the rows as a temporary table of the entity's name, whatever columns the files have."""
    wanted = "|".join(entity.columns)
    keys = [column for column in entity.columns if column.endswith("_key")]
    trimmed = ", ".join(f"nullif(trim({quoted(k)}), '') as {quoted(k)}" for k in keys)
    con.execute(f"""
        create or replace temp table {entity.name} as
        select * replace ({trimmed}) from (
            select null::boolean as _is_deleted where false
            union all by name
            select columns('^({wanted})$') from {source} where {condition}
        )
    """)
