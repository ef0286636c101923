"""Faults planted in what is delivered, each noted in a ledger.

Belongs here: which rows are spoilt, doubled, late or corrected, and what the ledger says of it. Does
not belong here: faults of people and records (`records`).

Each row meets at most one fault of its own. Lines of one purchase are late or come again together: a
till sends a whole ticket.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retailer.days import Days
from retailer.randomness import Array, stream

DAILY = 28
"""Days at the end of history that arrive as a file each; all before them came at once."""
MISSING, NEGATIVE, DOUBLED, RESENT, LATE, CORRECTED = (
    "missing_value", "negative_quantity", "duplicate_row", "resent_row", "late_row", "corrected_row",
)  # fmt: skip
RENAMED, DAY_MISSING, CLOCK = "renamed_column", "missing_day", "clock_gone_wrong"
RATES = {MISSING: 2e-4, NEGATIVE: 2e-4, DOUBLED: 1e-3}
DAILY_RATES = {RESENT: 2e-3, LATE: 1e-2, CORRECTED: 2e-2}
REQUIRED = {
    "shop/orders": "ordered_at", "shop/order_lines": "quantity", "stores/tickets": "date_heure",
    "stores/lignes": "quantite", "web/events": "event", "messaging/messages": "sent_at",
    "service/interactions": "started_at", "reviews/reviews": "stars",
}  # fmt: skip
"""A value that a row cannot do without, by feed."""
QUANTITIES = {"shop/order_lines": "quantity", "stores/lignes": "quantite"}
KEYS = {
    "shop/order_lines": ("order_id", "line"), "stores/lignes": ("ticket", "ligne"),
    "crm/parrainages": ("parrainage", "maj"), "shop/orders": ("order_id", "updated_at"),
    "crm/consentements": ("consent", "decided_at"), "messaging/consents": ("consent", "decided_at"),
}  # fmt: skip
"""The key of a row where it is not the first column alone."""
TOGETHER = {"shop/order_lines": "order_id", "stores/lignes": "ticket"}
"""Feeds whose rows of one key are late, or come again, together."""
CORRECTABLE = {"shop/orders": "updated_at"}
"""Feeds whose rows say when they were last changed."""
RENAMED_FEED, OLD_NAME, NEW_NAME, RENAMED_BEFORE_END = "shop/orders", "client_id", "customer_id", 10
MISSING_FEEDS, MISSING_BEFORE_END, ARRIVES_AFTER = ("stores/tickets", "stores/lignes"), 7, 3
CLOCK_FEED, CLOCK_BEFORE_END, CLOCK_ROWS, CLOCK_DAYS = "web/events", 12, 0.05, 25_000
"""On one day, that share of events carries a time so many days ahead: the clock is in the next century,
later than any day on which the files may be read."""
DAY = 86_400_000


@dataclass(frozen=True)
class Ledger:
    """The faults of a table: one row per row that was spoilt."""

    rows: list[dict[str, object]]

    def table(self) -> pa.Table:
        """The ledger with its columns, also when nothing was spoilt."""
        return pa.Table.from_pylist(self.rows, schema=LEDGER)


LEDGER = pa.schema([
    ("kind", pa.string()), ("feed", pa.string()), ("field", pa.string()), ("key", pa.string()),
    ("file_day", pa.int32()), ("arrives_day", pa.int32()), ("rows", pa.int64()),
])  # fmt: skip


def plant(
    seed: int, part: int, feed: str, table: dict[str, pa.Array], days: Days
) -> tuple[pa.Table, Ledger]:
    """Spoil some rows of what a feed delivers of a part.

    Args:
        seed: of everything.
        part: number of the part.
        feed: `<system>/<name>`.
        table: columns, with `_day`; changed nowhere.
        days: the calendar.

    Returns:
        The rows as they are delivered, in the order of the table, and what was done to them.
    """
    rng = stream(seed, f"faults {feed}", part)
    delivered = pa.table(table)
    day = np.asarray(table["_day"])
    draw, again, shift = rng.random(len(day)), rng.random(len(day)), rng.integers(1, 10, len(day))
    if feed in TOGETHER:
        first = _first_of_its_key(np.asarray(table[TOGETHER[feed]]))
        again, shift = again[first], shift[first]
    chosen = _chosen(feed, draw, again, day, days)
    ledger = Ledger([])
    if rows := _rows(chosen, MISSING):
        delivered = _emptied(delivered, REQUIRED[feed], rows)
    if rows := _rows(chosen, NEGATIVE):
        delivered = _negated(delivered, QUANTITIES[feed], rows)
    if rows := _rows(chosen, CLOCK):
        delivered = _ahead(delivered, "timestamp", rows)
    last = days.horizon - 1
    late = np.array(_rows(chosen, LATE), np.int64)
    arrives = np.maximum(day, 0).astype(np.int32)
    arrives[late] = np.minimum(day[late] + shift[late], last)
    delivered = delivered.set_column(
        delivered.schema.get_field_index("_day"), "_day", pa.array(arrives)
    )
    repeats = _again(delivered, feed, chosen, last)
    if rows := _rows(chosen, CORRECTED):
        delivered = _mistaken(delivered, rows)
    for kind, where in chosen.items():
        _note(ledger, kind, feed, table, where.tolist(), arrives, repeats)
    return pa.concat_tables([delivered, *repeats.values()]), ledger


def _first_of_its_key(keys: Array) -> Array:
    """For each row the first row of its key."""
    _, first, back = np.unique(keys, return_index=True, return_inverse=True)
    return first[back]


def _chosen(feed: str, draw: Array, again: Array, day: Array, days: Days) -> dict[str, Array]:
    """The rows of each kind of fault: disjoint, since a row that comes again has no other."""
    has = {MISSING: feed in REQUIRED, NEGATIVE: feed in QUANTITIES, CORRECTED: feed in CORRECTABLE}
    in_days = (day >= days.horizon - DAILY) & (day < days.horizon - 2)
    free = np.ones(len(day), bool)
    found = {}
    for rates, lots, where in ((DAILY_RATES, again, in_days), (RATES, draw, free)):
        bound = 0.0
        for kind, rate in rates.items():
            if has.get(kind, True):
                hit = where & free & (lots >= bound) & (lots < bound + rate)
                found[kind] = np.flatnonzero(hit)
                bound += rate
        free = free & ~np.isin(np.arange(len(day)), np.concatenate(list(found.values())))
    if feed == CLOCK_FEED:
        wrong = free & (day == days.horizon - CLOCK_BEFORE_END) & (draw > 1 - CLOCK_ROWS)
        found[CLOCK] = np.flatnonzero(wrong)
    return found


def _rows(chosen: dict[str, Array], kind: str) -> list[int]:
    return list(chosen.get(kind, ()))


def _mask(count: int, rows: list[int]) -> pa.Array:
    mask = np.zeros(count, bool)
    mask[rows] = True
    return pa.array(mask)


def _changed(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _emptied(table: pa.Table, name: str, rows: list[int]) -> pa.Table:
    column = table[name].combine_chunks()
    if pa.types.is_dictionary(column.type):
        keys = pc.if_else(_mask(len(table), rows), None, column.indices)
        return _changed(table, name, pa.DictionaryArray.from_arrays(keys, column.dictionary))
    return _changed(table, name, pc.if_else(_mask(len(table), rows), None, column))


def _negated(table: pa.Table, name: str, rows: list[int]) -> pa.Table:
    column = table[name]
    return _changed(table, name, pc.if_else(_mask(len(table), rows), pc.negate(column), column))


def _ahead(table: pa.Table, name: str, rows: list[int]) -> pa.Table:
    column = table[name].combine_chunks()
    shifted = pc.add(column, pa.scalar(CLOCK_DAYS * DAY, pa.duration("ms")))
    return _changed(table, name, pc.if_else(_mask(len(table), rows), shifted, column))


def _again(table: pa.Table, feed: str, chosen: dict[str, Array], last: int) -> dict[str, pa.Table]:
    """Rows that come a second time: in the same file, the day after, or corrected two days after."""
    again = {}
    for kind, after in ((DOUBLED, 0), (RESENT, 1), (CORRECTED, 2)):
        rows = table.take(pa.array(chosen.get(kind, np.zeros(0, np.int64))))
        day = np.minimum(np.asarray(rows["_day"]) + after, last).astype(np.int32)
        rows = _changed(rows, "_day", pa.array(day, pa.int32()))
        if kind == CORRECTED and feed in CORRECTABLE:
            rows = _corrected(rows, CORRECTABLE[feed])
        again[kind] = rows
    return again


def _corrected(rows: pa.Table, name: str) -> pa.Table:
    """The orders as they were, told two days later."""
    later = pc.add(rows[name].combine_chunks(), pa.scalar(2 * DAY, pa.duration("ms")))
    return _changed(rows, name, later)


def _mistaken(table: pa.Table, rows: list[int]) -> pa.Table:
    """Orders whose channel is noted wrong at first."""
    channel = table["channel"].combine_chunks()
    wrong = channel.dictionary.to_pylist().index("store")
    mask = _mask(len(table), rows)
    keys = pc.if_else(mask, pa.scalar(wrong, pa.int16()), channel.indices)
    return _changed(table, "channel", pa.DictionaryArray.from_arrays(keys, channel.dictionary))


def _note(
    ledger: Ledger, kind: str, feed: str, table: dict[str, pa.Array], rows: list[int], arrives: Array,
    again: dict[str, pa.Table],
) -> None:  # fmt: skip
    """Write what happened to these rows into the ledger."""
    field = {MISSING: REQUIRED.get(feed), NEGATIVE: QUANTITIES.get(feed), CLOCK: "timestamp",
             CORRECTED: "channel"}.get(kind)  # fmt: skip
    names = KEYS.get(feed, (next(one for one in table if one != "_day"),))
    chosen = pa.array(rows, pa.int64())
    parts = [table[name].take(chosen).cast(pa.string()).to_pylist() for name in names]
    keys = ["|".join(map(str, key)) for key in zip(*parts, strict=True)]
    days = np.asarray(table["_day"])[rows]
    came = np.asarray(again[kind]["_day"]) if kind in again else arrives[rows]
    ledger.rows.extend(
        {"kind": kind, "feed": feed, "field": field, "key": key, "file_day": int(day),
         "arrives_day": int(arrived), "rows": 1}
        for key, day, arrived in zip(keys, days, came, strict=True)
    )  # fmt: skip


def of_files(days: Days) -> list[dict[str, object]]:
    """The faults of whole files: a column renamed, a day that arrives later."""
    renamed = days.horizon - RENAMED_BEFORE_END
    missing = days.horizon - MISSING_BEFORE_END
    found: list[dict[str, object]] = [
        {"kind": RENAMED, "feed": RENAMED_FEED, "field": f"{OLD_NAME} to {NEW_NAME}", "key": None,
         "file_day": renamed, "arrives_day": renamed, "rows": 0}
    ]  # fmt: skip
    found.extend(
        {"kind": DAY_MISSING, "feed": feed, "field": None, "key": None, "file_day": missing,
         "arrives_day": missing + ARRIVES_AFTER, "rows": 0}
        for feed in MISSING_FEEDS
    )  # fmt: skip
    return found


def arrival(feed: str, day: int, days: Days) -> int:
    """The day on which the file of a day arrives: the same, but for a day that comes later."""
    is_missing = feed in MISSING_FEEDS and day == days.horizon - MISSING_BEFORE_END
    return day + ARRIVES_AFTER if is_missing else day
