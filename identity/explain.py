"""Why two records are one customer, or are not: everything that the store knows of the pair.

Belongs here: what is read for it, by point queries that are quick however many records there are. Does not
belong here: how it reads on a page.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from identity.candidates import KEYS, levels_of
from identity.compare import COMPARISONS, Model, number
from identity.store import basis_of, record_number

Key = tuple[str, str]


class UnknownRecord(LookupError):
    """A record that no run has resolved; `key` is its system and key."""

    def __init__(self, key: Key) -> None:
        super().__init__(":".join(key))
        self.key = key


class NoStore(LookupError):
    """There is no store that can be read: none, one of another model, torn, or in use by a run."""


def explain_pair(store: Path, model: Model, left: Key, right: Key) -> dict[str, Any]:
    """Collect what decided on a pair of records.

    Args:
        store: file of the store.
        model: by which records are resolved.
        left: system and key of the one record.
        right: of the other.

    Raises:
        NoStore: there is none that was made by this model and can be read now.
        UnknownRecord: one of the two was never resolved.
    """
    if not store.exists():
        raise NoStore("it is not there")
    try:
        return _explained(store, model, left, right)
    except duckdb.Error as error:
        raise NoStore("a run is at it, or it is torn") from error


def _explained(store: Path, model: Model, left: Key, right: Key) -> dict[str, Any]:
    with duckdb.connect(str(store), read_only=True) as con:
        if con.execute("select basis from meta").fetchall() != [(basis_of(model),)]:
            raise NoStore("it is of another model")
        a, b = (_record(con, key) for key in (left, right))
        _narrow(con, a, b)
        levels_of(con, "asked", "asked_levels", "asked_records")
        ids = {record: _customers(con, record) for record in (a, b)}
        is_one = ids[a]["customer_id"] == ids[b]["customer_id"]
        return {
            "left": {"record": ":".join(left), **ids[a]},
            "right": {"record": ":".join(right), **ids[b]},
            "is_one_customer": is_one,
            "is_one_strict_customer": ids[a]["strict_customer_id"] == ids[b]["strict_customer_id"],
            "model": model.version,
            **_weight(con, model),
            "thresholds": {"link": model.link, "strict": model.strict, "review": model.review},
            "shared_keys": _shared_keys(con),
            "decision": _decision(con),
            "refused": _refused(con),
            "path": _path(con, model, a, b, ids[a]["customer_id"]) if is_one else [],
        }


def _record(con: duckdb.DuckDBPyConnection, key: Key) -> int:
    record = record_number(*key)
    if not con.execute(f"select 1 from ({_with('records', 'record', [record])})").fetchall():
        raise UnknownRecord(key)
    return record


def _narrow(con: duckdb.DuckDBPyConnection, a: int, b: int) -> None:
    """Put what the store knows of two records before it."""
    low, high = sorted((a, b))
    con.execute(f"create temp table asked as select {low}::ubigint as a, {high}::ubigint as b")
    con.execute(f"create temp table asked_pairs as {_with('pairs', 'a', [low])}")
    for table in ("records", "map", "keys"):
        con.execute(f"create temp table asked_{table} as {_with(table, 'record', {a, b})}")


def _customers(con: duckdb.DuckDBPyConnection, record: int) -> dict[str, Any]:
    """The customer of a record, now and before."""
    now = con.execute(f"""
        select customer_id, strict_customer_id, valid_from from asked_map where record = {record}::ubigint
    """).fetchall()
    past = con.execute(f"""
        select customer_id, valid_from, valid_to from past
        semi join (from asked_map where record = {record}::ubigint) using (source_system, source_key)
        order by valid_from
    """).fetchall()
    customer, strict, since = now[0]
    return {
        "customer_id": customer, "strict_customer_id": strict, "since": since.isoformat(),
        "before": [{"customer_id": one, "from": begun.isoformat(), "to": ended.isoformat()}
                   for one, begun, ended in past],
    }  # fmt: skip


def _weight(con: duckdb.DuckDBPyConnection, model: Model) -> dict[str, Any]:
    names = [one.name for one in COMPARISONS]
    row = con.execute(f"""
        select {", ".join(names)}, {model.weight_sql}, {model.contradicts_sql},
            {model.weight_sql} - {number(model.prior)} from asked_levels
    """).fetchall()[0]
    *levels, weight, contradicts, told = row
    agreement: list[dict[str, Any]] = [
        {"value": one.name, "level": one.names[level] if level >= 0 else "not told",
         "bits": round(model.worth(one.name, one.names[level]), 2) if level >= 0 else 0.0}
        for one, level in zip(COMPARISONS, levels, strict=True)
    ]  # fmt: skip
    rareness = told - sum(one["bits"] for one in agreement)
    stored = con.execute("select weight from asked_pairs join asked using (a, b)").fetchall()
    return {
        "prior_bits": round(model.prior, 2),
        "agreement": agreement,
        "rareness_of_name_bits": round(rareness, 2) if abs(rareness) >= 0.05 else 0.0,
        "weight_bits": round(stored[0][0] if stored else weight, 2),
        "shared_by_others_bits": round(stored[0][0] - weight, 2) if stored else 0.0,
        "contradicts": bool(contradicts),
    }


def _shared_keys(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What both records have, and by how many records and people it is shared."""
    shared = con.execute("""
        select key from asked_keys group by key
        having count(*) = (select count(*) from asked_records)
    """).fetchall()
    rows = _with("keys", "key", [key for (key,) in shared])
    found = con.execute(f"""
        select kind, count(*), count(distinct name) from ({rows}) group by kind, key order by kind
    """).fetchall()
    return [
        {"key": KEYS[kind].name, "records": records, "people": people,
         "is_used": people <= KEYS[kind].people and records <= KEYS[kind].records}
        for kind, records, people in found
    ]  # fmt: skip


def _with(table: str, column: str, numbers: Iterable[int]) -> str:
    """SQL of the rows that have one of these numbers.

    One by one, as DuckDB then reads of the other columns only where it is found, and of its own type, as
    it would else convert all that are stored.
    """
    rows = (f"select * from {table} where {column} = {number}::ubigint" for number in numbers)
    return " union all ".join(rows) or f"select * from {table} limit 0"


def _decision(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute("select is_link from decided join asked using (a, b)").fetchall()
    return ("link" if found[0][0] else "ban") if found else ""


def _refused(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute("select reason from refused join asked using (a, b)").fetchall()
    return str(found[0][0]) if found else ""


def _path(
    con: duckdb.DuckDBPyConnection, model: Model, a: int, b: int, customer: str
) -> list[dict[str, Any]]:
    """The fewest links that lead from one record to the other inside their customer."""
    names = dict(con.execute(
        f"select record, source_system || ':' || source_key from map where customer_id = '{customer}'"
    ).fetchall())  # fmt: skip
    links = con.execute(f"""
        with links as (
            select a, b, weight from ({_with("pairs", "a", names)})
            where weight >= {number(model.link)} and not is_vetoed
            union all select a, b, null from decided where is_link
        )
        from links order by weight desc nulls first
    """).fetchall()
    nearby: dict[int, list[tuple[int, float | None]]] = {}
    for one, other, weight in links:
        if not {one, other} <= names.keys():
            continue
        nearby.setdefault(one, []).append((other, weight))
        nearby.setdefault(other, []).append((one, weight))
    came: dict[int, tuple[int, float | None]] = {a: (a, None)}
    waiting = deque([a])
    while waiting and b not in came:
        here = waiting.popleft()
        for there, weight in nearby.get(here, []):
            if there not in came:
                came[there] = (here, weight)
                waiting.append(there)
    steps: list[dict[str, Any]] = []
    here = b
    while here != a and here in came:
        before, weight = came[here]
        steps.insert(0, {"from": names[before], "to": names[here],
                         "bits": None if weight is None else round(weight, 2)})  # fmt: skip
        here = before
    return steps
