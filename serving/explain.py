"""Why a row of customer_360 says what it says: back to facts, scores, loads, files and rows.

Reads the published copy and the lake as the published run saw it: loads of its snapshot, identities and
scores committed before it was published. Never the warehouse, and never what came later. How the
answer looks to a person is not decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from intake.lake import Lake
from intake.sql import literal
from serving import figures, rows
from serving.fault import ExplainFault
from serving.figures import LifecycleDays, Purchase
from serving.originals import find_lines, reading_cost
from serving.past import Past, ask_mart
from serving.predictions import scores_of_customer
from serving.publish import DamagedCopy, Publication, publication_of
from serving.rows import Row, fetch, parquet, set_values
from serving.search import find_customer

TEXT_BYTES = 64 * 1024 * 1024
"""How much text is gone through to tell lines: it takes 0.15 seconds."""
SCORED = {
    "clv_90d": "predicted_net_revenue_90d_amount",
    "propensity_30d": "order_probability_30d",
    "propensity_90d": "order_probability_90d",
    "orders_90d": "expected_orders_90d_count",
}
"""Columns of customer_360 that are a score as it stands, by question."""


@dataclass(frozen=True)
class Ground:
    """What an explanation stands on.

    Attributes:
        published: the copy that BI reads.
        mlflow: folder of the tracking store; need not exist.
        timezone: in which days begin and end.
        currency: of every amount.
        days: what decides the stage of a customer's life.
    """

    lake: Lake
    published: Path
    mlflow: Path
    timezone: str
    currency: str
    days: LifecycleDays


def explain_customer(ground: Ground, asked: str) -> dict[str, Any]:
    """Trace the row of a customer back to the files.

    Args:
        ground: where to look.
        asked: a customer id or how it begins, or a record key `<source_system>:<key>`.

    Returns:
        The object that `docs/schemas/unicus.explain_customer.1.json` describes, from `asked` on.

    Raises:
        ExplainFault: nothing is published, or no customer, or several, are meant.
        DamagedCopy: the published copy cannot be opened.
        InputFault: a record of the register cannot be read.
    """
    with _opened(ground) as (con, publication):
        past = Past(ground.lake, publication)
        try:
            customer, how = find_customer(con, past, ground.published, asked)
            set_values(con, customer=customer)
            return _Explanation(con, ground, past, publication).told(asked, customer, how)
        except (duckdb.OutOfMemoryException, duckdb.BinderException, duckdb.CatalogException,
                duckdb.ParserException):  # fmt: skip
            raise  # no fault of the files
        except duckdb.Error:
            # Its text may hold data.
            raise ExplainFault(
                "damaged-lake", "lake", "a file that this customer comes from cannot be read",
                where=str(ground.lake.root), why="it is cut short or damaged; nothing was changed",
                fix="unicus doctor    (names the file and what to do)",
            ) from None  # fmt: skip


@contextmanager
def _opened(ground: Ground) -> Iterator[tuple[duckdb.DuckDBPyConnection, Publication]]:
    publication = None
    if ground.published.exists():
        try:
            con = duckdb.connect(str(ground.published), read_only=True)
            publication = publication_of(con)
        except duckdb.Error as error:
            raise DamagedCopy(ground.published) from error
    if publication is None:
        raise ExplainFault(
            "nothing-published", str(ground.published.name), "there is no customer to explain yet",
            where=str(ground.published), why="nothing was published in this home yet",
            fix="build everything once:  unicus run",
        )  # fmt: skip
    with con:
        yield con, publication


class _Explanation:
    """One customer, followed from the mart to the files."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, ground: Ground, past: Past, publication: Publication
    ) -> None:
        self.con = con
        self.ground = ground
        self.past = past
        self.publication = publication
        self.sight = rows.Sight(publication.as_of, ZoneInfo(ground.timezone))
        self.has_rows = False
        self.lines: dict[tuple[str, int], int] = {}

    def told(self, asked: str, customer: str, how: str) -> dict[str, Any]:
        """Everything, as one JSON object."""
        (mart,) = ask_mart(
            self.con, self.past, "select * from marts.customer_360 where customer_id = {}"
        )
        records = self._records()
        self.has_rows = bool(self.past.loads and records)
        counted = self._rows(records)
        orders, lines = counted["orders"], counted["order_lines"]
        self._find_lines(counted)
        told_orders = self._orders(orders, lines)
        scores = scores_of_customer(self.con, self.past, self.publication.as_of, self.ground.mlflow)
        purchases = _purchases(orders, lines)
        return {
            "asked": {"text": asked, "means": how},
            "customer_id": customer,
            "currency": self.ground.currency,
            "business_timezone": self.ground.timezone,
            "run": self._run(),
            "customer_360": mart,
            "records": _with_rows(records, counted),
            "checks": self._checks(mart, counted, purchases, told_orders, scores),
            "lifecycle": self._lifecycle(mart, purchases),
            "value_tier": self._tier(mart),
            "scores": scores,
            "orders": told_orders,
            "other_facts": self._other_facts(counted),
            "loads": self._loads(counted),
            "missing": self.past.missing,
        }

    def _run(self) -> dict[str, Any]:
        publication = self.publication
        return {
            "run_id": publication.run_id,
            "as_of": publication.as_of,
            "snapshot_id": publication.snapshot_id,
            "loads": len(self.past.loads),
            "published_at": publication.published_at.replace(tzinfo=UTC).isoformat(),
            "published": str(self.ground.published),
        }

    def _records(self) -> list[Row]:
        """The records behind the customer, each with the decisions that brought it there."""
        files = self.past.made_files("identity", "customer_map")
        empty = "select null::varchar as source_system, null::varchar as source_key"
        where = "where customer_id = getvariable('customer') and valid_to is null"
        query = (
            f"select source_system, source_key from {parquet(files)} {where}" if files else empty
        )
        self.con.execute(f"create temp table records as {query}")
        if not files:
            self.past.missing.append("the identity map, so no record can be told")
            return []
        found = fetch(self.con, f"""
            select source_system, source_key, strict_customer_id, valid_from
            from {parquet(files)} {where} order by 1, 2
        """)  # fmt: skip
        events = defaultdict(list)
        for event in self._events():
            events[event.pop("source_system"), event.pop("source_key")].append(event)
        return [
            {**one, "valid_from": _utc(one["valid_from"]),
             "decisions": events[one["source_system"], one["source_key"]]}
            for one in found
        ]  # fmt: skip

    def _events(self) -> list[Row]:
        files = self.past.made_files("identity", "identity_events")
        if not files:
            self.past.missing.append("the log of identity decisions, so no rule can be told")
            return []
        found = fetch(self.con, f"""
            select source_system, source_key, event_seq, event_at, event_type, rule,
                from_customer_id, to_customer_id
            from {parquet(files)} where (source_system, source_key) in (select * from records)
            order by event_seq
        """)  # fmt: skip
        return [one | {"event_at": _utc(one["event_at"])} for one in found]

    def _rows(self, records: list[Row]) -> dict[str, list[Row]]:
        """The rows of each entity about the customer, as each system of theirs delivered them."""
        found: dict[str, list[Row]] = defaultdict(list)
        for system in sorted({record["source_system"] for record in records}):
            for entity in (rows.ORDERS, *rows.OTHERS):
                source = self.past.delivered(entity.name, system)
                if source.loads:
                    bought = {
                        row["order_key"]
                        for row in filter(_counts, found["orders"])
                        if row["source_system"] == system
                    }
                    found[entity.name] += rows.rows_of_customer(
                        self.con, entity, source, self.sight, bought
                    )
                if entity is rows.ORDERS and source.loads:
                    found["order_lines"] += self._order_lines(system, found["orders"])
        return found

    def _order_lines(self, system: str, orders: list[Row]) -> list[Row]:
        source = self.past.delivered("order_lines", system)
        if not source.loads or not orders:
            return []
        lines = rows.rows_of_orders(self.con, source, self.sight)
        named = {_order_id(order) for order in orders if order["is_own"]}
        counting = {_order_id(order) for order in filter(_counts, orders)}
        for line in lines:  # a line goes with its order
            line["is_own"] = _order_id(line) in named
            line["is_in_force"] = line["is_in_force"] and _order_id(line) in counting
        return lines

    def _find_lines(self, counted: dict[str, list[Row]]) -> None:
        """Look the lines up of every row that counts, newest load first, as far as time allows."""
        wanted: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for entity, found in counted.items():
            key = "order_key" if entity in ("orders", "order_lines") else "customer_key"
            for row in filter(_counts, found):
                wanted[row["_load_id"]][row["_row"]].add(row[key] or row["order_key"])
        left, skipped = TEXT_BYTES, 0
        for name in sorted(wanted, key=lambda one: -self.past.loads[one].seq):
            load = self.past.loads[name]
            original = self.past.original(load)
            if not original.exists():
                self.past.missing.append(
                    f"kept original of {load.details['file_name']}, {original}"
                )
                continue
            left -= reading_cost(original)
            if left < 0:
                skipped += 1
                continue
            found_lines = find_lines(original, wanted[name], load.details["read_rows"])
            self.lines.update({(name, row): line for row, line in found_lines.items()})
        if skipped:
            self.past.missing.append(
                f"lines of {skipped} files, more text than can be gone through at once; rows are told"
            )

    def _source(self, row: Row) -> dict[str, Any]:
        """Where a row comes from."""
        name, number = row["_load_id"], row["_row"]
        return {
            "load_id": name,
            "file": self.past.loads[name].details["file_name"],
            "row": number,
            "row_count": row["_row_count"],
            "line": self.lines.get((name, number)),
        }

    def _orders(self, orders: list[Row], lines: list[Row]) -> list[dict[str, Any]]:
        """Every order that counts, newest first, from the mart and from the raw rows."""
        facts = {
            one["order_id"]: one
            for one in ask_mart(
                self.con, self.past, "select * from core.fct_orders where customer_id = {}"
            )
        }
        is_compared = (
            self.has_rows and "core.fct_orders in the published copy" not in self.past.missing
        )
        headers = {_order_id(row): row for row in filter(_counts, orders)}
        of_order = _by_order(lines)
        refused = self._refused_lines(
            [name for name, fact in facts.items() if fact.get("has_quarantined_lines")]
        )
        told = []
        for name in headers.keys() | facts.keys():
            header, fact = headers.get(name), facts.get(name)
            amount = sum((one["net_amount"] for one in of_order[name]), Decimal(0))
            one = header or fact
            assert one is not None
            told.append({
                "order_id": name,
                "ordered_at": _utc(one["ordered_at"]),
                "ordered_date": one["event_date"] if header else one["ordered_date"],
                "net_revenue_amount": amount if header else None,
                "fct_orders_amount": fact["net_revenue_amount"] if fact else None,
                "is_equal": bool(header and fact and amount == fact["net_revenue_amount"])
                if is_compared else None,
                "header": self._source(header) if header else None,
                "lines": [self._line(line) for line in of_order[name] if header],
                "refused_lines": refused.get(name, []),
            })  # fmt: skip
        return sorted(told, key=lambda one: (one["ordered_at"], one["order_id"]), reverse=True)

    def _line(self, row: Row) -> dict[str, Any]:
        return {
            "product_key": row["product_key"],
            "net_amount": row["net_amount"],
            "discount_amount": row["discount_amount"],
            **self._source(row),
        }

    def _refused_lines(self, orders: list[str]) -> dict[str, list[dict[str, Any]]]:
        """Lines of the orders in quarantine, without their values."""
        files = self.past.refused_files() if orders else []
        told = defaultdict(list)
        if files:
            for row in fetch(self.con, f"""
                select source_system || ':' || trim(parent_key) as order_id, load_id as _load_id,
                    row_number as _row, row_count as _row_count, field, reason
                from {parquet(files)}
                where entity = 'order_lines' and order_id in ({", ".join(map(literal, orders))})
                order by 1, 2, 3
            """):  # fmt: skip
                source = {**self._source(row), "field": row["field"], "reason": row["reason"]}
                told[row["order_id"]].append(source)
        return told

    def _checks(
        self, mart: Row, counted: dict[str, list[Row]],
        purchases: list[Purchase], orders: list[dict[str, Any]], scores: list[dict[str, Any]],
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The mart held against what its sources come to."""
        checks = []
        if self.has_rows:
            named = {
                (row["source_system"], row["customer_key"])
                for found in counted.values() for row in found
                if row.get("customer_key") and row["is_own"]
            }  # fmt: skip
            found = {
                "records_count": len(named),
                **figures.purchase_figures(purchases, self.publication.as_of),
                **self._other_figures(counted),
            }
            checks += figures.compare(mart, found, "raw rows")
        scored = {
            SCORED[one["question"]]: one["predicted"] for one in scores if one["question"] in SCORED
        }
        checks += figures.compare(mart, scored, "score files")
        if any(one["is_equal"] is not None for one in orders):
            equal = sum(1 for one in orders if one["is_equal"])
            checks += figures.compare(
                {"orders of core.fct_orders": sum(1 for o in orders if o["fct_orders_amount"] is not None)},
                {"orders of core.fct_orders": equal}, "raw rows, one by one",
            )  # fmt: skip
        return checks

    def _other_figures(self, counted: dict[str, list[Row]]) -> dict[str, Any]:
        returned = [row["net_amount"] for row in filter(_counts, counted["returns"])]
        return {
            **figures.returned_figure(returned),
            "campaigns_count": self._campaigns(counted["campaign_assignments"]),
            "coupon_redemptions_count": sum(map(_counts, counted["coupon_redemptions"])),
        }

    def _campaigns(self, assignments: list[Row]) -> int:
        """How many campaigns the customer was in; one without a date of its own begins with them."""
        systems = {row["source_system"] for row in assignments}
        sources = [self.past.delivered("campaigns", system) for system in systems]
        starts = {
            (row["source_system"], row["campaign_key"]): row["start_date"]
            for source in sources if source.loads
            for row in rows.rows_of_campaigns(self.con, source, self.sight)
            if row["is_in_force"]
        }  # fmt: skip
        as_of, known = self.publication.as_of, set()
        for row in filter(_counts, assignments):
            campaign = row["source_system"], row["campaign_key"]
            begun = row["event_date"] or starts.get(campaign)
            if begun is None or begun < as_of:
                known.add(campaign if campaign in starts else "unknown")
        return len(known)

    def _lifecycle(self, mart: Row, purchases: list[Purchase]) -> dict[str, Any]:
        days, as_of = self.ground.days, self.publication.as_of
        found = figures.purchase_figures(purchases, as_of)
        gap = figures.last_gap(purchases)
        stage = figures.lifecycle(found, gap, days) if self.has_rows else None
        return {
            "value": mart.get("lifecycle"),
            "rule": figures.lifecycle_rule(days),
            "recency_days": found["recency_days"],
            "tenure_days": found["tenure_days"],
            "gap_last_days": gap,
            "by_rule": stage,
            "is_equal": None if stage is None else stage == mart.get("lifecycle"),
        }

    def _tier(self, mart: Row) -> dict[str, Any]:
        """The rank that decides the tier: all of them lie in the published copy."""
        ranks = ask_mart(self.con, self.past, """
            with ranked as (
                select customer_id, smallest_record_key, net_revenue_365d_amount as amount
                from marts.customer_360 where orders_365d_count > 0
            ),
            own as (select amount from ranked where customer_id = {}),
            tied as (
                select ranked.customer_id, smallest_record_key,
                    (select min(ordered_at) from core.fct_orders as o
                        where o.customer_id = ranked.customer_id) as first_ordered_at
                from ranked join own using (amount)
            ),
            places as (
                select customer_id, row_number() over (
                    order by first_ordered_at, smallest_record_key
                ) as place from tied
            )
            select (select count(*) from ranked join own on ranked.amount > own.amount)
                    + (select place from places where customer_id = getvariable('customer')) as rank,
                (select count(*) from ranked) as ranked
        """) if "net_revenue_365d_amount" in mart else []  # fmt: skip
        told = ranks[0] if ranks else {"rank": None, "ranked": None}
        tier = figures.value_tier(told["rank"], told["ranked"]) if ranks else None
        return {
            "value": mart.get("value_tier"),
            "rule": figures.TIER_RULE,
            **told,
            "net_revenue_365d_amount": mart.get("net_revenue_365d_amount"),
            "by_rule": tier,
            "is_equal": None if tier is None else tier == mart.get("value_tier"),
        }

    def _other_facts(self, counted: dict[str, list[Row]]) -> list[dict[str, Any]]:
        return [
            {"entity": entity, "event_date": row["event_date"], **self._source(row)}
            for entity in (one.name for one in rows.OTHERS)
            for row in filter(_counts, counted[entity])
        ]

    def _loads(self, counted: dict[str, list[Row]]) -> list[dict[str, Any]]:
        """The loads with rows of the customer, oldest first."""
        of_load: dict[str, list[Row]] = defaultdict(list)
        for found in counted.values():
            for row in found:
                of_load[row["_load_id"]].append(row)
        told = []
        for name in sorted(of_load, key=lambda one: self.past.loads[one].seq):
            load, of_it = self.past.loads[name], of_load[name]
            counting = [row["_row"] for row in of_it if _counts(row)]
            original = self.past.original(load)
            told.append({
                "load_id": name,
                "state": self.past.state(load),
                "system": load.details["source_system"],
                "entity": load.details["entity"],
                "file": load.details["file_name"],
                "loaded_at": load.committed_at,
                "contract_version": load.details["contract_version"],
                "counted_rows": len(counting),
                "other_rows": len(of_it) - len(counting),
                "first_row": min(counting, default=None),
                "last_row": max(counting, default=None),
                "original": str(original),
                "has_original": original.exists(),
                "raw_files": [str(self.past.lake.path(f)) for f in load.files if f.source == "raw"],
            })  # fmt: skip
        return told


def _counts(row: Row) -> bool:
    return bool(row["is_own"] and row["is_in_force"])


def _order_id(row: Row) -> str:
    return f"{row['source_system']}:{row['order_key']}"


def _by_order(lines: list[Row]) -> dict[str, list[Row]]:
    of_order: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        if line["is_in_force"]:
            of_order[_order_id(line)].append(line)
    return of_order


def _purchases(orders: list[Row], lines: list[Row]) -> list[Purchase]:
    of_order = _by_order(lines)
    return [
        Purchase(
            order["event_date"],
            sum((line["net_amount"] for line in of_order[_order_id(order)]), Decimal(0)),
            sum((line["net_amount"] + line["discount_amount"]
                 for line in of_order[_order_id(order)]), Decimal(0)),
            sum((line["discount_amount"] for line in of_order[_order_id(order)]), Decimal(0)),
        )
        for order in filter(_counts, orders)
    ]  # fmt: skip


def _with_rows(records: list[Row], counted: dict[str, list[Row]]) -> list[dict[str, Any]]:
    """The records, each with the rows of each entity that name it."""
    told = []
    for record in records:
        key = record["source_system"], record["source_key"]
        named = {
            entity: sum(1 for row in found if (row["source_system"], row.get("customer_key")) == key)
            for entity, found in counted.items() if entity != "order_lines"
        }  # fmt: skip
        told.append(record | {"named_in": {name: count for name, count in named.items() if count}})
    return told


def _utc(at: datetime | None) -> str | None:
    return at.replace(tzinfo=UTC).isoformat() if at else None
