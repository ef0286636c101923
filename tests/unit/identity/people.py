"""What the tests of identity share: records told in a line, and a world that resolves them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from identity.compare import PROFILES, RULES, Model
from identity.ids import EVENTS
from identity.resolve import CUSTOMER_MAP, DECISIONS, Resolution, resolve

NOW = datetime(2024, 1, 2, 3, 4, 5)
Profile = Mapping[str, Any]
Parts = set[frozenset[str]]


def person(name: str = "", **values: Any) -> dict[str, Any]:
    """A profile; `name` is first and last name, from which the key of the name follows."""
    told = dict(values)
    if name:
        first, last = name.split(" ")
        told |= {"first_name": first, "last_name": last}
        told["name_key"] = " ".join(sorted((first, last)))
    if isinstance(told.get("birth_date"), str):
        told["birth_date"] = date.fromisoformat(told["birth_date"])
    return told


def records(profiles: Mapping[str, Profile]) -> pa.Table:
    """Records of one system by their keys, in any order."""
    rows = [{"source_system": "shop", "source_key": key, **told} for key, told in profiles.items()]
    return pa.Table.from_pylist(rows, schema=PROFILES)


def decision(
    said: str, left: str, right: str, days: int = 0, system: str = "shop"
) -> dict[str, Any]:
    """What a steward said of two records, so many days after another."""
    return {
        "decision_key": f"{left}-{right}-{days}-{said}", "decision": said,
        "left_source_system": system, "left_source_key": left,
        "right_source_system": system, "right_source_key": right,
        "decided_at": NOW + timedelta(days=days),
    }  # fmt: skip


def link(left: str, right: str, days: int = 0) -> dict[str, Any]:
    return decision("link", left, right, days)


def ban(left: str, right: str, days: int = 0) -> dict[str, Any]:
    return decision("ban", left, right, days)


def current(resolution: Resolution, column: str = "customer_id") -> dict[str, str]:
    """The customer of each record."""
    return {
        row["source_key"]: row[column]
        for row in resolution.customer_map.to_pylist()
        if row["valid_to"] is None
    }


def parts(customers: Mapping[str, str]) -> Parts:
    """Which records are one customer, whatever it is called."""
    found = defaultdict(set)
    for key, customer in customers.items():
        found[customer].add(key)
    return set(map(frozenset, found.values()))


class World:
    """Sources, stewards and the lake's log, resolved again and again over one store."""

    def __init__(self, store: Path | None = None, model: Model = RULES) -> None:
        self.store, self.model = store, model
        self.profiles: dict[str, Profile] = {}
        self.decisions: list[dict[str, Any]] = []
        self.log = EVENTS.empty_table()
        self.runs = 0
        self.last: Resolution | None = None

    def run(self, **profiles: Profile | None) -> Resolution:
        """Resolve after some records came, were corrected, or (None) are gone."""
        for key, told in profiles.items():
            self.profiles.pop(key, None)
            if told is not None:
                self.profiles[key] = told
        return self.resolve()

    def say(self, *decisions: dict[str, Any]) -> Resolution:
        """Resolve after stewards decided something more."""
        self.decisions.extend(decisions)
        return self.resolve()

    def resolve(self) -> Resolution:
        decisions = pa.Table.from_pylist(self.decisions, schema=DECISIONS)
        self.runs += 1
        now = NOW + timedelta(days=self.runs)
        done = resolve(
            records(self.profiles), decisions, self.model, now, lambda: self.log,
            self.log.num_rows, self.store,
        )  # fmt: skip
        self.log = pa.concat_tables([self.log, done.events])
        self.last = done
        return done

    def live(self, done: Resolution, column: str = "customer_id") -> dict[str, str]:
        """The customer of each record that a source still mentions."""
        return {key: one for key, one in current(done, column).items() if key in self.profiles}

    def anew(self, store: Path | None = None, log: pa.Table | None = None) -> Resolution:
        """What comes out of the same records and decisions without the store, or with a given log."""
        log = EVENTS.empty_table() if log is None else log
        decisions = pa.Table.from_pylist(self.decisions, schema=DECISIONS)
        return resolve(
            records(self.profiles), decisions, self.model, NOW, lambda: log, log.num_rows, store
        )


FOLLOWING = {
    "records": "record, profile, name_frequency", "hubs": "*", "review": "*",
    "keys": "*", "contested": "*", "pairs": "*", "components": "*", "decided": "*", "refused": "*",
}  # fmt: skip
"""What of the store follows from records, decisions and the model."""


def following(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of a store that follow from records, decisions and the model."""
    with duckdb.connect(str(store), read_only=True) as con:
        return {
            table: con.execute(f"select {columns} from {table} order by all").fetchall()
            for table, columns in FOLLOWING.items()
        }


def reasons(review: pa.Table, state: str) -> list[str]:
    return [row["reason"] for row in review.to_pylist() if row["state"] == state]


def replayed(log: pa.Table) -> pa.Table:
    """The map that follows from the log by its definition, worked out without the store."""
    rows: list[dict[str, Any]] = []
    open_rows: dict[tuple[str, str], dict[str, Any]] = {}
    for event in sorted(log.to_pylist(), key=lambda one: one["event_seq"]):
        key = (event["source_system"], event["source_key"])
        if key in open_rows:
            open_rows[key]["valid_to"] = event["event_at"]
        open_rows[key] = {
            "source_system": key[0], "source_key": key[1],
            "customer_id": event["to_customer_id"],
            "strict_customer_id": event["to_strict_customer_id"],
            "valid_from": event["event_at"], "valid_to": None,
        }  # fmt: skip
        rows.append(open_rows[key])
    return pa.Table.from_pylist(rows, schema=CUSTOMER_MAP)


def rows(table: pa.Table, columns: Iterable[str] | None = None) -> set[tuple[Any, ...]]:
    """The rows of a table without their order."""
    table = table.select(list(columns)) if columns else table
    return {tuple(row.values()) for row in table.to_pylist()}
