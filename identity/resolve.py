"""Resolution: gives each source record its customer, from the log of events alone.

The truth is the append-only event log in the lake; the map is replayed from it each time and kept only
so that others can read it. Ids are drawn at random and stored, never derived from data, never used
twice. For now each record is its own customer; real matching adds events of other types to the same
log, and nothing that reads the map changes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

ID_BYTES = 8

RECORDS = pa.schema([("source_system", pa.string()), ("source_key", pa.string())])
"""Every record key that any entity mentions."""

EVENTS = pa.schema(
    [
        ("event_seq", pa.int64()),
        ("event_at", pa.timestamp("us")),
        ("event_type", pa.string()),
        ("source_system", pa.string()),
        ("source_key", pa.string()),
        ("from_customer_id", pa.string()),
        ("to_customer_id", pa.string()),
        ("to_strict_customer_id", pa.string()),
        ("rule", pa.string()),
    ]
)
"""One decision about one record: created, and later merged, split, moved, erased."""

CUSTOMER_MAP = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_key", pa.string()),
        ("customer_id", pa.string()),
        ("strict_customer_id", pa.string()),
        ("valid_from", pa.timestamp("us")),
        ("valid_to", pa.timestamp("us")),
    ]
)
"""Record to customer, with every earlier answer; `valid_to` is empty for the current one (UTC)."""

ALIASES = pa.schema([("retired_customer_id", pa.string()), ("customer_id", pa.string())])
"""Ids that are no longer given, and the customer they lead to."""

RUNS = pa.schema(
    [
        ("run_at", pa.timestamp("us")),
        ("records_count", pa.int64()),
        ("customers_count", pa.int64()),
        ("created_count", pa.int64()),
        ("merged_count", pa.int64()),
        ("split_count", pa.int64()),
        ("rule", pa.string()),
    ]
)
"""What one resolution that changed something did."""

RULE = "one record, one customer"

TABLES = {
    "customer_map": CUSTOMER_MAP,
    "identity_events": EVENTS,
    "customer_aliases": ALIASES,
    "identity_runs": RUNS,
}


@dataclass(frozen=True)
class Resolution:
    """New events, the map after them, and the run's own line; tables in the shapes above."""

    events: pa.Table
    customer_map: pa.Table
    runs: pa.Table
    customers: int


def resolve(records: pa.Table, events: pa.Table, now: datetime) -> Resolution:
    """Give a customer to each record that has none.

    Args:
        records: shape RECORDS, without repeats.
        events: shape EVENTS, all that was ever decided.
        now: system time of the decisions, UTC.

    Returns:
        Only the new events; the whole map. A record that no source mentions any more keeps its
        customer, so that an undone load loses no id.
    """
    fresh = _create(_unknown(records, events), events, now)
    log = pa.concat_tables([events, fresh])
    customer_map = replay(log)
    customers = len(set(_current(customer_map)))
    run = {
        "run_at": now,
        "records_count": records.num_rows,
        "customers_count": customers,
        "created_count": fresh.num_rows,
        "merged_count": 0,
        "split_count": 0,
        "rule": RULE,
    }
    runs = pa.Table.from_pylist([run] if fresh.num_rows else [], schema=RUNS)
    return Resolution(fresh, customer_map, runs, customers)


def replay(events: pa.Table) -> pa.Table:
    """The map that follows from the log: each event holds until the record's next one."""
    with duckdb.connect() as con:
        con.register("events", events)
        return (
            con.execute("""
                select source_system, source_key, to_customer_id as customer_id,
                    to_strict_customer_id as strict_customer_id, event_at as valid_from,
                    lead(event_at) over (
                        partition by source_system, source_key order by event_seq
                    ) as valid_to
                from events
                order by source_system, source_key, event_seq
            """)
            .to_arrow_table()
            .cast(CUSTOMER_MAP)
        )


def _unknown(records: pa.Table, events: pa.Table) -> pa.Table:
    with duckdb.connect() as con:
        con.register("records", records)
        con.register("events", events)
        return con.execute("""
            select source_system, source_key from records
            anti join events using (source_system, source_key)
            order by source_system, source_key
        """).to_arrow_table()


def _create(unknown: pa.Table, events: pa.Table, now: datetime) -> pa.Table:
    count = unknown.num_rows
    taken = set(events["to_customer_id"].to_pylist())
    ids = pa.array(_new_ids(count, taken), pa.string())
    start = 1 + max(events["event_seq"].to_pylist(), default=0)
    return pa.table(
        {
            "event_seq": pa.array(range(start, start + count), pa.int64()),
            "event_at": pa.array([now] * count, pa.timestamp("us")),
            "event_type": pa.array(["created"] * count, pa.string()),
            "source_system": unknown["source_system"],
            "source_key": unknown["source_key"],
            "from_customer_id": pa.nulls(count, pa.string()),
            "to_customer_id": ids,
            "to_strict_customer_id": ids,
            "rule": pa.array([RULE] * count, pa.string()),
        },
        schema=EVENTS,
    )


def _new_ids(count: int, taken: set[str]) -> list[str]:
    """Draw ids that nothing was ever called by."""
    ids: list[str] = []
    while len(ids) < count:
        drawn = os.urandom(ID_BYTES).hex()
        if drawn not in taken:
            taken.add(drawn)
            ids.append(drawn)
    return ids


def _current(customer_map: pa.Table) -> list[str]:
    return [
        customer
        for customer, until in zip(
            customer_map["customer_id"].to_pylist(),
            customer_map["valid_to"].to_pylist(),
            strict=True,
        )
        if until is None
    ]
