"""Clusters: which records are one customer, where links that hold alone contradict each other together.

Belongs here: components of links, and the guard that takes those apart that hold two people. What comes
out follows from the records, links and decisions of a component alone. Does not belong here: what links
weigh (`compare`), nor the ids of customers (`ids`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.candidates import levels_of
from identity.compare import FIRST_NAMES_DIFFER, Model, number

Array = npt.NDArray[np.uint64]

MOST_RECORDS = 25
"""Records of one customer; a link that would bring more together is refused."""
MOST = {"email": 6, "mobile_phone": 6, "phone": 6, "card_key": 2, "device_key": 15}
"""Values of a kind that one customer may have."""
MOST_TOGETHER = 150
"""Records of a component whose pairs are all looked at; a larger one is first parted at weak links."""
DECIDED = 1000.0
"""Weight of a link that a steward decided."""
BANNED = "kept apart by a steward"
STEP = 2.0
"""Bits by which the weakest links are left out until a component is small enough."""


@dataclass
class Links:
    """Links between records, the heaviest first; ties by the records' numbers."""

    a: Array
    b: Array
    weight: npt.NDArray[np.float64]
    is_strict: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.a)

    def __getitem__(self, kept: npt.NDArray[np.generic]) -> Links:
        return Links(self.a[kept], self.b[kept], self.weight[kept], self.is_strict[kept])


@dataclass
class Clusters:
    """What became of the records of some components.

    Attributes:
        record, component, cluster, strict: one place per record; a cluster and a strict group have
            the smallest number of their records, a component likewise.
        refused: links that were not followed: the two records and why.
    """

    record: Array
    component: Array
    cluster: Array
    strict: Array
    refused: list[tuple[int, int, str]] = field(default_factory=list)


def components(records: Array, a: Array, b: Array) -> Array:
    """Smallest record of the component of each of the sorted records, joined by the pairs (a, b)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(records)
    rows, columns = np.searchsorted(records, a), np.searchsorted(records, b)
    graph = coo_array((np.ones(len(a), np.int8), (rows, columns)), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    smallest = np.full(number, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, label, records)
    return np.asarray(smallest[label], np.uint64)


def recluster(con: duckdb.DuckDBPyConnection, model: Model) -> Clusters:
    """Cluster anew the components that `touched` records are in, or come to be in.

    Returns:
        The clusters of all records of those components; the store's components and refused links are
        brought up to date.
    """
    con.execute("""
        create or replace temp table reopened as
        with opened as (select distinct component from components semi join touched using (record))
        select record from touched semi join records using (record)
        union
        select record from components semi join opened using (component)
        semi join records using (record)
    """)
    con.execute("""
        create or replace temp table near_pairs as
        from pairs where a in (from reopened) and b in (from reopened)
    """)
    records = np.sort(_column(con, "from reopened"))
    links = _links(con, model)
    component = components(records, links.a, links.b)
    # Who has left a component takes its place in the store along.
    con.execute("""
        create or replace temp table gone_over as from reopened union select record from touched
    """)
    con.execute("delete from components where record in (from gone_over)")
    con.execute("delete from refused where a in (from gone_over) or b in (from gone_over)")
    found = _guarded(con, records, component, links, model)
    many = _counts(component) > 1
    _append(con, "components", record=records[many], component=component[many],
            cluster=found.cluster[many])  # fmt: skip
    a, b, reason = zip(*found.refused, strict=True) if found.refused else ((), (), ())
    _append(con, "refused", a=pa.array(a, pa.uint64()), b=pa.array(b, pa.uint64()),
            reason=pa.array(reason, pa.string()))  # fmt: skip
    return found


def _links(con: duckdb.DuckDBPyConnection, model: Model) -> Links:
    """What links the reopened records: pairs that weigh enough, and what a steward says."""
    # Namesakes of one house and mailbox are father and son where their birthdays differ, or one of these
    # is wrong: not certain, however much the link weighs.
    found = con.execute(f"""
        select a, b, max(weight) as weight, bool_or(is_strict) as is_strict from (
            select a, b, weight, weight >= {number(model.strict)} and birth_date <> 0 as is_strict
            from near_pairs where weight >= {number(model.link)} and not is_vetoed
            union all
            select a, b, {number(DECIDED)}, true from decided
            where is_link and a in (from reopened) and b in (from reopened)
        )
        group by a, b order by weight desc, a, b
    """).fetchnumpy()
    return Links(*(np.asarray(found[name]) for name in ("a", "b", "weight", "is_strict")))


def _guarded(
    con: duckdb.DuckDBPyConnection, records: Array, component: Array, links: Links, model: Model
) -> Clusters:
    """Take apart the components that hold a contradiction, or too much for one customer."""
    part, kept, dropped = _parted(records, component, links, model.link)
    refused = [(a, b, "too many records hang together") for a, b in _ends(dropped)]
    apart = _contradictions(con, records, part, model)
    suspicious = _suspicious(con, apart)
    is_suspicious = np.isin(part, suspicious)
    guard = _Guard(apart, _values(con, suspicious), records[is_suspicious])
    chosen = kept[np.isin(part[np.searchsorted(records, kept.a)], suspicious)]
    for a, b, weight in zip(
        *map(np.ndarray.tolist, (chosen.a, chosen.b, chosen.weight)), strict=True
    ):
        reason = guard.join(a, b, is_decided=weight == DECIDED)
        if reason:
            refused.append((a, b, reason))
    cluster = part.copy()
    cluster[is_suspicious] = [guard.smallest(one) for one in records[is_suspicious].tolist()]
    strong = kept[kept.is_strict]
    inside = (
        cluster[np.searchsorted(records, strong.a)] == cluster[np.searchsorted(records, strong.b)]
    )
    strict = components(records, strong.a[inside], strong.b[inside])
    return Clusters(records, component, cluster, strict, refused)


def _parted(
    records: Array, component: Array, links: Links, floor: float
) -> tuple[Array, Links, Links]:
    """Leave out the weakest links of components too large to be looked at as a whole.

    Returns:
        The parts that are left, the links that hold them together, and those left out.
    """
    part, is_kept = component.copy(), np.ones(len(links), bool)
    place = np.searchsorted(records, links.a)
    is_large = _counts(part) > MOST_TOGETHER
    while is_large.any():
        floor += STEP
        is_kept &= ~(is_large[place] & (links.weight < floor))
        inside = is_kept & is_large[place]
        part[is_large] = components(records[is_large], links.a[inside], links.b[inside])
        is_large[is_large] = _counts(part[is_large]) > MOST_TOGETHER
    return part, links[is_kept], links[~is_kept]


def _contradictions(
    con: duckdb.DuckDBPyConnection, records: Array, part: Array, model: Model
) -> dict[int, dict[int, str]]:
    """By record, the others of its part that it is never one customer with, and why."""
    many = _counts(part) > 1
    con.execute("create or replace temp table parts (record ubigint, part ubigint)")
    _append(con, "parts", record=records[many], part=part[many])
    con.execute("""
        create or replace temp table together as
        select l.record as a, r.record as b
        from parts as l join parts as r on l.part = r.part and l.record < r.record
    """)
    con.execute(
        "create or replace temp table not_weighed as from together anti join near_pairs using (a, b)"
    )
    levels_of(con, "not_weighed", "together_compared")
    why = f"""case when {FIRST_NAMES_DIFFER} then 'first names differ'
        when birth_date = 0 then 'birthdays differ' else 'values differ' end"""
    found = con.execute(f"""
        select a, b, {why} as reason from together_compared where {model.contradicts_sql}
        union all
        select a, b, {why} from near_pairs semi join together using (a, b) where is_vetoed
        union all
        select a, b, '{BANNED}' from decided semi join together using (a, b) where not is_link
    """).fetchall()
    apart: dict[int, dict[int, str]] = defaultdict(dict)
    for a, b, reason in sorted(found, key=lambda one: one[2] == BANNED):
        apart[a][b] = apart[b][a] = reason
    return apart


def _suspicious(con: duckdb.DuckDBPyConnection, apart: dict[int, dict[int, str]]) -> Array:
    """Parts that may not be one customer as they are."""
    con.execute("create or replace temp table contradicting (record ubigint)")
    _append(con, "contradicting", record=np.fromiter(apart, np.uint64, len(apart)))
    too_many = " or ".join(f"count(distinct {name}) > {most}" for name, most in MOST.items())
    con.execute(f"""
        create or replace temp table part_values as
        select record, part, {", ".join(MOST)} from parts join records using (record)
    """)
    return _column(con, f"""
        select part from part_values group by part having count(*) > {MOST_RECORDS} or {too_many}
        union
        select part from parts semi join contradicting using (record)
    """)  # fmt: skip


def _values(con: duckdb.DuckDBPyConnection, parts: Array) -> dict[int, tuple[str | None, ...]]:
    """By record of these parts, its values of the kinds that a customer has few of."""
    con.register("chosen", pa.table({"part": pa.array(parts)}))
    found = con.execute(f"""
        select record, {", ".join(MOST)} from part_values semi join chosen using (part)
    """).fetchall()
    con.unregister("chosen")
    return {row[0]: row[1:] for row in found}


class _Guard:
    """Joins records link by link, unless the two groups hold two people, or too much for one."""

    def __init__(
        self, apart: dict[int, dict[int, str]], values: dict[int, tuple[str | None, ...]],
        records: Array,
    ) -> None:  # fmt: skip
        self._apart = apart
        self._values = values
        self._group = {record: [record] for record in records.tolist()}

    def smallest(self, record: int) -> int:
        """The smallest record of the group."""
        return int(min(self._group[record]))

    def join(self, a: int, b: int, *, is_decided: bool) -> str:
        """Join the groups of two records; say why not, where they stay apart."""
        left, right = self._group[a], self._group[b]
        if left is right:
            return ""
        reason = self._reason(left, right, is_decided)
        if not reason:
            left += right
            for record in right:
                self._group[record] = left
        return reason

    def _reason(self, left: list[int], right: list[int], is_decided: bool) -> str:
        others = set(right)
        found = {
            reason for one in left for other, reason in self._apart.get(one, {}).items()
            if other in others
            and (reason == BANNED or not (
                self._is_excused(one, other, left) or self._is_excused(other, one, right)
            ))
        }  # fmt: skip
        if BANNED in found:
            return BANNED
        if is_decided:
            return ""
        if found:
            return min(found)
        if len(left) + len(right) > MOST_RECORDS:
            return f"more than {MOST_RECORDS} records"
        for place, (name, most) in enumerate(MOST.items()):
            told = {self._values[one][place] for one in (*left, *right)} - {None}
            if len(told) > most:
                return f"more than {most} values of {name}"
        return ""

    def _is_excused(self, one: int, other: int, group: list[int]) -> bool:
        """A steward joined `one` with somebody in its group whom `other` does not contradict."""
        known = self._apart[one]
        return any(
            member in known and member not in self._apart[other]
            for member in group if member not in (one, other)
        )  # fmt: skip


def _ends(links: Links) -> list[tuple[int, int]]:
    return list(zip(links.a.tolist(), links.b.tolist(), strict=True))


def _counts(label: Array) -> npt.NDArray[np.int64]:
    """How often the label of each place occurs."""
    _, back, counts = np.unique(label, return_inverse=True, return_counts=True)
    return counts[back]


def _column(con: duckdb.DuckDBPyConnection, query: str) -> Array:
    (values,) = con.execute(query).fetchnumpy().values()
    return np.asarray(values, np.uint64)


def _append(con: duckdb.DuckDBPyConnection, table: str, **columns: Array | pa.Array) -> None:
    con.register("appended", pa.table(columns))
    con.execute(f"insert into {table} select * from appended")
    con.unregister("appended")
