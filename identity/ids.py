"""Ids: which customer keeps its id when records come together or part, and what is written down of it.

Belongs here: the assignment of ids to clusters against the map before, and the events that follow. The
same assignment serves a delta, a rebuild, a new model and a store made anew from the log. Does not
belong here: which records are one customer (`clusters`).
"""

from __future__ import annotations

import os
from datetime import datetime

import duckdb
import pyarrow as pa

from identity.clusters import Clusters
from identity.store import RECORD

ID_BYTES = 8

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
        ("model_version", pa.string()),
    ]
)
"""One decision about one record.

`created`: it gets its first customer. `merged`: its customer's id is given up for an older one.
`split`: it leaves its customer for a new one. `moved`: it leaves it for one there was. `regrouped`:
only its strict group is another.
"""


def load_log(con: duckdb.DuckDBPyConnection, events: pa.Table) -> None:
    """Make the map of the store anew from the log of events."""
    con.register("log", events)
    for table in ("map", "past", "ids", "aliases"):
        con.execute(f"delete from {table}")
    con.execute(f"""
        create or replace temp table periods as
        select {RECORD} as record, source_system,
            source_key, to_customer_id as customer_id,
            to_strict_customer_id as strict_customer_id, event_at as valid_from,
            lead(event_at) over by_record as valid_to,
            first(event_seq) over by_record as created_seq
        from log
        window by_record as (partition by source_system, source_key order by event_seq)
    """)
    con.execute("insert into map select * exclude (valid_to) from periods where valid_to is null")
    con.execute("""
        insert into past
        select * exclude (record, created_seq) from periods where valid_to is not null
    """)
    con.execute("""
        insert into ids
        select id, min(event_seq) from (
            select to_customer_id as id, event_seq from log
            union all select to_strict_customer_id, event_seq from log
        ) group by id
    """)
    con.execute("""
        insert into aliases
        select from_customer_id, max_by(to_customer_id, event_seq) from log
        where event_type = 'merged' group by from_customer_id
    """)
    con.execute("update meta set event_seq = (select coalesce(max(event_seq), 0) from log)")
    con.unregister("log")


def assign(
    con: duckdb.DuckDBPyConnection, found: Clusters, now: datetime, model_version: str
) -> pa.Table:
    """Give the clusters their ids, and bring the store's map up to date.

    Of the ids of a cluster's records the oldest stays; an id whose records part stays with most of them,
    and of as many with the record that was known first. Who has none gets one never given before.

    Returns:
        What is new, shape EVENTS.
    """
    con.register("found", pa.table({
        "record": pa.array(found.record), "cluster": pa.array(found.cluster),
        "strict_group": pa.array(found.strict),
    }))  # fmt: skip
    con.execute("""
        create or replace temp table placed as
        select found.record, found.cluster, found.strict_group, map.customer_id as old_id,
            map.strict_customer_id as old_strict_id, map.* exclude (record, customer_id, strict_customer_id)
        from found left join map using (record)
    """)
    con.unregister("found")
    con.execute("""
        create or replace temp table known_ids as
        from ids semi join (select unnest([old_id, old_strict_id]) as id from placed) using (id)
    """)
    _choose(con, "cluster", "old_id", "customers")
    _choose(con, "strict_group", "old_strict_id", "stricts")
    return _write_down(con, now, model_version)


def _choose(con: duckdb.DuckDBPyConnection, group: str, old_id: str, what: str) -> None:
    """The id of each group, `{what}_given` (number, id), and where each old id went, `{what}_kept`."""
    into = f"{what}_given"
    con.execute(f"""
        create or replace temp table {what}_kept as
        with parts as (
            select {old_id} as id, {group} as number, count(*) as records, min(created_seq) as oldest
            from placed where {old_id} is not null group by all
        )
        select id, max_by(number, (records, -oldest)) as number
        from parts anti join aliases on parts.id = aliases.retired_id group by id
    """)
    con.execute(f"""
        create or replace temp table {into} as
        with oldest as (
            select number, min_by(id, first_seq) as id from {what}_kept join known_ids using (id)
            group by number
        )
        select groups.number, oldest.id
        from (select distinct {group} as number from placed) as groups
        left join oldest using (number)
    """)
    nameless = con.execute(f"select number from {into} where id is null order by 1")
    (numbers,) = nameless.fetchnumpy().values()
    drawn = pa.table({"number": pa.array(numbers, pa.uint64()), "id": _new_ids(con, len(numbers))})
    con.register("drawn", drawn)
    con.execute(f"delete from {into} where id is null")
    con.execute(f"insert into {into} select number, id from drawn")
    con.unregister("drawn")


def _new_ids(con: duckdb.DuckDBPyConnection, count: int) -> pa.Array:
    """Draw ids that nothing was ever called by."""
    while True:
        drawn = os.urandom(ID_BYTES * count).hex()
        width = 2 * ID_BYTES
        ids = pa.array(
            [drawn[at : at + width] for at in range(0, count * width, width)], pa.string()
        )
        con.register("tried", pa.table({"id": ids}))
        taken = con.execute("select count(*) from tried semi join ids using (id)").fetchall()[0][0]
        repeated = con.execute("select count(*) - count(distinct id) from tried").fetchall()[0][0]
        con.unregister("tried")
        if not taken and not repeated:
            return ids


def _write_down(con: duckdb.DuckDBPyConnection, now: datetime, model_version: str) -> pa.Table:
    (start,) = con.execute("select event_seq from meta").fetchall()[0]
    events = con.execute(
        """
        with given as (
            select placed.* exclude (source_system, source_key), customers_given.id as new_id,
                stricts_given.id as new_strict_id
            from placed join customers_given on placed.cluster = customers_given.number
            join stricts_given on placed.strict_group = stricts_given.number
            where old_id is distinct from new_id or old_strict_id is distinct from new_strict_id
        ),
        changed as (
            select given.*, records.source_system, records.source_key,
                case
                    when old_id is null then 'created'
                    when old_id = new_id then 'regrouped'
                    when kept.number = given.cluster then 'merged'
                    when known.id is null then 'split'
                    else 'moved'
                end as event_type
            from given join records using (record)
            left join customers_kept as kept on given.old_id = kept.id
            left join known_ids as known on given.new_id = known.id
        )
        select $start + row_number() over (order by source_system, source_key) as event_seq,
            $now as event_at, event_type, source_system, source_key, old_id as from_customer_id,
            new_id as to_customer_id, new_strict_id as to_strict_customer_id,
            coalesce(causes.rule, 'nothing links it') as rule, $model as model_version
        from changed left join causes using (record)
        order by event_seq
        """,
        {"start": start, "now": now, "model": model_version},
    ).to_arrow_table().cast(EVENTS)  # fmt: skip
    con.register("written", events)
    con.execute(
        f"create or replace temp table renewed as select {RECORD} as record, * from written"
    )
    con.execute("""
        create or replace temp table ended as
        select record, source_system, source_key, old_id as customer_id,
            old_strict_id as strict_customer_id, valid_from, created_seq
        from placed semi join renewed using (record) where old_id is not null
    """)
    con.execute("""
        insert into past
        select ended.source_system, ended.source_key, customer_id, strict_customer_id, valid_from, event_at
        from ended join renewed using (record)
    """)
    con.execute("delete from map where record in (select record from ended)")
    con.execute("""
        insert into map
        select record, renewed.source_system, renewed.source_key, to_customer_id,
            to_strict_customer_id, event_at, coalesce(ended.created_seq, event_seq)
        from renewed left join ended using (record)
    """)
    con.execute("""
        insert into ids
        select id, min(event_seq) from (
            select to_customer_id as id, event_seq from written
            union all select to_strict_customer_id, event_seq from written
        ) anti join known_ids using (id) group by id
    """)
    con.execute("""
        insert into aliases
        select from_customer_id, max_by(to_customer_id, event_seq) from written
        where event_type = 'merged' group by from_customer_id
    """)
    con.execute("update meta set event_seq = event_seq + ?", [events.num_rows])
    con.unregister("written")
    return events
