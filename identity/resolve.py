"""Resolution: brings the customers up to date with the records, the decisions and the model.

The truth is the append-only log of events in the lake; the store is a cache. Reads records and
decisions, returns what is new to be written down. Belongs here: the order of the steps. Does not belong
here: any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from identity.candidates import compare_changed, take_changes
from identity.clusters import BANNED, DECIDED, recluster
from identity.compare import COMPARISONS, PROFILES, Model, number
from identity.ids import EVENTS, assign, load_log
from identity.phones import KINDS as PHONE_KINDS
from identity.quality import DECIDED_PAIRS, decided_pairs, sampled_links
from identity.store import RECORD, forget_store, is_torn, open_store

DECISIONS = pa.schema(
    [
        ("decision_key", pa.string()),
        ("decision", pa.string()),
        ("left_source_system", pa.string()),
        ("left_source_key", pa.string()),
        ("right_source_system", pa.string()),
        ("right_source_key", pa.string()),
        ("decided_at", pa.timestamp("us")),
    ]
)
"""What stewards say of two records, as it stands: `link` or `ban`."""

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

REVIEW = pa.schema(
    [
        ("left_source_system", pa.string()),
        ("left_source_key", pa.string()),
        ("right_source_system", pa.string()),
        ("right_source_key", pa.string()),
        ("weight_bits", pa.float64()),
        ("state", pa.string()),
        ("reason", pa.string()),
    ]
)
"""What a steward may look at: pairs that nearly link (`weak`), links that were not followed
(`refused`), decisions that could not be (`decision`), and some links, to be confirmed (`sample`)."""

RUNS = pa.schema(
    [
        ("run_at", pa.timestamp("us")),
        ("model_version", pa.string()),
        ("model_kind", pa.string()),
        ("records_count", pa.int64()),
        ("changed_count", pa.int64()),
        ("pairs_count", pa.int64()),
        ("customers_count", pa.int64()),
        ("created_count", pa.int64()),
        ("merged_count", pa.int64()),
        ("split_count", pa.int64()),
        ("moved_count", pa.int64()),
        ("regrouped_count", pa.int64()),
        ("refused_count", pa.int64()),
        ("largest_count", pa.int64()),
    ]
)
"""What one resolution that changed something did."""

TABLES = {
    "customer_map": CUSTOMER_MAP,
    "identity_events": EVENTS,
    "customer_aliases": ALIASES,
    "identity_runs": RUNS,
    "identity_review": REVIEW,
    "identity_decided_pairs": DECIDED_PAIRS,
    "phone_kinds": PHONE_KINDS,
}


@dataclass(frozen=True)
class Resolution:
    """What came out; tables in the shapes above, but for the sizes and weights.

    Attributes:
        events, runs: what is new.
        customer_map, aliases, review, decided_pairs: as they are now.
        sizes: how many customers have so many records.
        weights: how many pairs of the store weigh so many whole bits, and contradict each other or not.
    """

    events: pa.Table
    runs: pa.Table
    customer_map: pa.Table
    aliases: pa.Table
    review: pa.Table
    decided_pairs: pa.Table
    sizes: dict[int, int]
    weights: dict[tuple[int, bool], int]

    @property
    def customers(self) -> int:
        """How many customers the records are now."""
        return sum(self.sizes.values())


def resolve(
    records: pa.Table, decisions: pa.Table, model: Model, now: datetime,
    log: Callable[[], pa.Table], last_seq: int, store: Path | None = None,
) -> Resolution:  # fmt: skip
    """Bring the customers up to date.

    Args:
        records: shape PROFILES, without repeats; who has no profile has nothing but its key.
        decisions: shape DECISIONS, without repeats.
        model: what pairs are weighed by.
        now: system time of what is decided, UTC.
        log: reads all that was ever decided, shape EVENTS; called where the store does not know it.
        last_seq: number of the last event of the log.
        store: file of the store; without one everything is worked out anew.

    Returns:
        What came out. A record that no source mentions any more keeps its customer, so that an undone
        load loses no id.
    """
    try:
        return _resolved(records, decisions, model, now, log, last_seq, store)
    except duckdb.Error as error:
        if store is None or not is_torn(error):
            raise
        # A torn file may be told by what is read of it late: what was not committed is lost, no more.
        forget_store(store)
        return _resolved(records, decisions, model, now, log, last_seq, store)


def _resolved(
    records: pa.Table, decisions: pa.Table, model: Model, now: datetime,
    log: Callable[[], pa.Table], last_seq: int, store: Path | None,
) -> Resolution:  # fmt: skip
    con = open_store(store, model)
    with con:
        con.execute("begin")
        is_known = con.execute("select event_seq from meta").fetchall()[0][0] == last_seq
        if not is_known:
            load_log(con, log())
        changed = take_changes(con, records.cast(PROFILES), model)
        weighed = compare_changed(con, model) if changed else _nothing_weighed(con)
        refused = _take_decisions(con, decisions)
        _touch_who_shares_ids(con, is_known)
        found = recluster(con, model)
        _find_causes(con, model)
        events = assign(con, found, now, model.version)
        _review_again(con, model)
        resolution = _told(con, events, model, now, changed, weighed, refused)
        con.execute("commit")
    return resolution


def _nothing_weighed(con: duckdb.DuckDBPyConnection) -> int:
    for table in ("before", "fresh_pairs"):
        con.execute(f"create or replace temp table {table} as from pairs limit 0")
    con.execute("create or replace temp table touched (record ubigint)")
    return 0


def _touch_who_shares_ids(con: duckdb.DuckDBPyConnection, is_known: bool) -> None:
    """Have ids assigned anew to all whose ids may be asked for by others.

    Those are all where the log is not the one the store knows: it may miss what the store took for
    written down. A record that comes back asks for the ids that it had, which others may have now.
    """
    if not is_known:
        con.execute("insert into touched select record from records")
        return
    con.execute("""
        create or replace temp table returned as
        from map semi join (select record from changed where is_new) using (record)
    """)
    for name in ("customer_id", "strict_customer_id"):
        con.execute(f"insert into touched select record from map semi join returned using ({name})")


def _take_decisions(con: duckdb.DuckDBPyConnection, decisions: pa.Table) -> pa.Table:
    """Take what stewards say into the store; what cannot be followed is returned, shape REVIEW.

    Of several decisions on the same two records the newest stands, of as new ones a ban.
    """
    con.register("given", decisions.cast(DECISIONS))
    left, right = (
        RECORD.replace("source_", f"{side}_source_") for side in ("left", "right")
    )  # fmt: skip
    con.execute(f"""
        create or replace temp table told as select *, {left} as l, {right} as r from given
    """)
    con.unregister("given")
    con.execute("""
        create or replace temp table known as
        select record from records semi join (select l as record from told union select r from told)
            using (record)
    """)
    con.execute("""
        create or replace temp table ordered as
        select *, least(l, r) as a, greatest(l, r) as b,
            row_number() over (
                partition by least(l, r), greatest(l, r)
                order by decided_at desc nulls last, decision, decision_key
            ) as place,
            case
                when l = r then 'both are one record'
                when l is null or l not in (from known) then 'the left record is unknown'
                when r is null or r not in (from known) then 'the right record is unknown'
            end as fault
        from told
    """)
    con.execute("""
        create or replace temp table standing as
        select a, b, decision = 'link' as is_link from ordered where place = 1 and l <> r
    """)
    con.execute("""
        insert into touched
        select unnest([a, b]) from (
            (from standing except from decided) union all (from decided except from standing)
        )
    """)
    con.execute("delete from decided")
    con.execute("insert into decided from standing")
    # What was said of a record before it came holds from now on.
    con.execute("""
        insert into touched
        select unnest([a, b]) from decided
        where a in (select record from changed) or b in (select record from changed)
    """)
    return con.execute("""
        select left_source_system, left_source_key, right_source_system, right_source_key,
            null::double as weight_bits, 'decision' as state,
            decision || ': ' || coalesce(fault, 'a newer decision says otherwise') as reason
        from ordered
        where fault is not null
            or (place > 1 and decision <> (
                select decision from ordered as newest
                where newest.a = ordered.a and newest.b = ordered.b and newest.place = 1
            ))
    """).to_arrow_table().cast(REVIEW)  # fmt: skip


def _find_causes(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """The heaviest link of each reopened record, in words: `causes`."""
    words = ", ".join(
        f"case {one.name} "
        + " ".join(f"when {n} then '{name}'" for n, name in enumerate(one.names) if n)
        + " end"
        for one in COMPARISONS
    )
    rule = f"concat_ws(', ', {words})"
    con.execute(f"""
        create or replace temp table causes as
        with told as (
            select a, b, weight, {rule} as rule from near_pairs
            where weight >= {number(model.link)} and not is_vetoed
            union all
            select a, b, {number(DECIDED)}, 'a steward' from decided where is_link
        ),
        links as (
            select unnest([a, b]) as record, unnest([b, a]) as other, weight, rule from told
        )
        select record, max_by(rule, (weight, other)) as rule from links group by record
    """)


def _review_again(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Bring `review` up to date: pairs whose weight, or of which a customer, may be another."""
    con.execute("""
        create or replace temp table looked_at as
        select record from placed union select record from touched
        union select unnest([a, b]) from before union select unnest([a, b]) from fresh_pairs
    """)
    if not con.execute("select 1 from looked_at limit 1").fetchall():
        return
    con.execute("delete from review where a in (from looked_at) or b in (from looked_at)")
    con.execute(f"""
        create or replace temp table reviewed as
        select a, b, weight, 'weak' as state, 'nearly linked' as reason from pairs
        where weight >= {number(model.review)} and weight < {number(model.link)} and not is_vetoed
            and (a in (from looked_at) or b in (from looked_at))
        union all
        select a, b, pairs.weight, 'refused', refused.reason
        from refused left join pairs using (a, b)
        where (a in (from looked_at) or b in (from looked_at))
            and (reason <> '{BANNED}' or (a, b) in (select (a, b) from decided where is_link))
    """)
    con.execute("""
        create or replace temp table reviewed_records as
        select record, source_system, source_key, customer_id
        from map semi join (select a as record from reviewed union select b from reviewed)
            using (record)
    """)
    # Outer joins, as inner ones may begin with all pairs of records that are not one customer.
    con.execute("""
        insert into review
        select a, b, l.source_system, l.source_key, r.source_system, r.source_key, weight, state, reason
        from reviewed left join reviewed_records as l on a = l.record
        left join reviewed_records as r on b = r.record
        where l.customer_id is distinct from r.customer_id
    """)


def _told(
    con: duckdb.DuckDBPyConnection, events: pa.Table, model: Model, now: datetime,
    changed: int, weighed: int, refused: pa.Table,
) -> Resolution:  # fmt: skip
    sizes = dict(con.execute("""
        with sizes as (select count(*) as records from components group by cluster),
        alone as (
            select (select count(*) from records) - (select count(*) from components) as customers
        )
        select records, sum(customers)::bigint from (
            select records, count(*) as customers from sizes group by 1
            union all select 1, customers from alone where customers > 0
        ) group by 1 order by 1
    """).fetchall())  # fmt: skip
    weights = {
        (bit, contradicts): count
        for bit, contradicts, count in con.execute("""
            select floor(weight)::int, is_vetoed, count(*) from pairs group by all
        """).fetchall()
    }  # fmt: skip
    con.register("not_followed", refused)
    review = con.execute(f"""
        select * exclude (a, b) from review
        union all select * from not_followed
        union all ({sampled_links(model)})
        order by 6, 1, 2, 3, 4, 7
    """).to_arrow_table().cast(REVIEW)  # fmt: skip
    con.unregister("not_followed")
    kinds, states = (_counts(column) for column in (events["event_type"], review["state"]))
    run = {
        "run_at": now, "model_version": model.version, "model_kind": model.kind,
        "records_count": sum(size * count for size, count in sizes.items()),
        "changed_count": changed, "pairs_count": weighed, "customers_count": sum(sizes.values()),
        "refused_count": states.get("refused", 0),
        "largest_count": max(sizes, default=0),
        **{f"{kind}_count": kinds.get(kind, 0)
           for kind in ("created", "merged", "split", "moved", "regrouped")},
    }  # fmt: skip
    customer_map = replayed_map(con)
    aliases = con.execute("""
        with recursive led as (
            select retired_id, customer_id from aliases
            union all
            select led.retired_id, aliases.customer_id
            from led join aliases on led.customer_id = aliases.retired_id
        )
        select retired_id as retired_customer_id, customer_id from led
        where customer_id not in (select retired_id from aliases) order by 1
    """).to_arrow_table().cast(ALIASES)  # fmt: skip
    runs = pa.Table.from_pylist([run] if events.num_rows else [], schema=RUNS)
    decided = decided_pairs(con, model)
    return Resolution(events, runs, customer_map, aliases, review, decided, sizes, weights)


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs."""
    return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}


def replayed_map(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The map of the store, with every earlier answer; shape CUSTOMER_MAP."""
    return con.execute("""
        select source_system, source_key, customer_id, strict_customer_id, valid_from,
            null::timestamp as valid_to from map
        union all select * from past
    """).to_arrow_table().cast(CUSTOMER_MAP)  # fmt: skip
