"""What the systems of the retailer deliver is let in, left out or refused as its ledger of faults says."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from intake.accounting import Load
from intake.contract import contracts
from intake.lake import Lake
from intake.load import load_entity
from intake.source import SYSTEMS, System, read_system
from orchestration.explain_pair import read_pair
from orchestration.settings import Home, HomeConfig, SystemPlace, write_config
from retailer import faults
from retailer.deliveries import FEEDS
from retailer.generate import Made, generate
from retailer.landing import FEW
from tests.homes import run
from tests.unit.retailer.conftest import plan

CUSTOMERS = 1_500
ENTITIES = {
    "crm/contacts": "customers", "crm/consentements": "consents",
    "crm/evenements_de_vie": "life_events", "crm/parrainages": "referrals",
    "crm/demandes_effacement": "erasure_requests", "shop/accounts": "customers",
    "shop/orders": "orders", "shop/order_lines": "order_lines", "shop/returns": "returns",
    "stores/porteurs": "customers", "stores/tickets": "orders", "stores/lignes": "order_lines",
    "stores/retours": "returns", "web/events": "web_events", "messaging/contacts": "customers",
    "messaging/assignments": "campaign_assignments", "messaging/consents": "consents",
    "messaging/messages": "messages",
    "messaging/events": "message_events", "service/contacts": "customers",
    "service/interactions": "interactions", "reviews/reviews": "reviews",
    "social/profiles": "customers", "social/activity": "social_activity",
}  # fmt: skip
"""The entity that each feed becomes."""
REFUSED = {
    (faults.MISSING, "shop/orders"): "ordered_at: required and empty",
    (faults.MISSING, "shop/order_lines"): "quantity: required and empty",
    (faults.MISSING, "stores/tickets"): "ordered_at: required and empty",
    (faults.MISSING, "stores/lignes"): "quantity: required and empty",
    (faults.MISSING, "web/events"): "event_name: required and empty",
    (faults.MISSING, "messaging/messages"): "sent_at: required and empty",
    (faults.MISSING, "service/interactions"): "started_at: required and empty",
    (faults.MISSING, "reviews/reviews"): "rating: required and empty",
    (faults.NEGATIVE, "shop/order_lines"): "quantity: below 0",
    (faults.NEGATIVE, "stores/lignes"): "quantity: below 0",
    (faults.CLOCK, "web/events"): "occurred_at: dated after the day of its load",
}
"""The reason for which a row with a fault has to be refused; other faults refuse none."""

OF_LOAD = "'_load_id', '_load_seq', '_loaded_at', '_row', 'load_id', 'row_number', 'row_json'"
"""Columns of the lake that tell of the load and the place in it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return generate(plan(customers=CUSTOMERS), tmp_path_factory.mktemp("retailer"))


def systems(made: Made) -> list[System]:
    names = sorted(path.name for path in SYSTEMS.glob("retailer_*"))
    return [
        read_system(name, [SYSTEMS], str(made.landing / name.removeprefix("retailer_")))
        for name in names
    ]


def test_every_row_is_taken_as_the_ledger_says(made: Made, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    found: Counter[tuple[str, str, str, str]] = Counter()
    for system in systems(made):
        for entity in system.spec.entities:
            load_entity(home.lake, system, contracts()[entity])
    for record in home.lake.live("load"):
        load = Load.from_record(record)
        for one in load.outcomes:
            found[load.source_system, load.entity, one.outcome, one.reason] += one.rows
    ledger = Counter(
        (row["kind"], row["feed"])
        for row in pq.read_table(made.truth / "faults.parquet").to_pylist()
    )
    for feed, entity in ENTITIES.items():
        system = f"retailer_{feed.partition('/')[0]}"
        refused = {
            reason: rows for (name, kind, outcome, reason), rows in found.items()
            if (name, kind, outcome) == (system, entity, "quarantined") and rows
        }  # fmt: skip
        expected = {
            reason: ledger[fault, name] for (fault, name), reason in REFUSED.items()
            if name == feed and ledger[fault, name]
        }  # fmt: skip
        assert refused == expected, feed
        again = ledger[faults.DOUBLED, feed], ledger[faults.RESENT, feed]
        assert found[system, entity, "excluded", "repeated_row"] == again[0], feed
        assert found[system, entity, "redelivered", ""] == again[1], feed
        taken = found[system, entity, "accepted", ""]
        assert taken == made.rows[feed] - sum(again) - sum(expected.values()), feed
    assert sum(ledger.values()) > 500


def rows_of(lake: Lake) -> dict[str, Counter[tuple[object, ...]]]:
    """How often each row is accepted, or refused and why, by system and entity, whatever its load."""
    files: dict[str, list[str]] = defaultdict(list)
    for record in lake.live("load"):
        for file in record.files:
            of = f"{file.source} {record.details['source_system']} {record.details['entity']}"
            files[of].append(str(lake.path(file)))
    with duckdb.connect() as con:
        return {
            of: Counter(con.execute(
                f"select columns(c -> c not in ({OF_LOAD})) from read_parquet(?, union_by_name = true)",
                [paths],
            ).fetchall())
            for of, paths in files.items()
        }  # fmt: skip


def test_the_parquet_of_many_people_holds_the_rows_that_formats_of_their_own_hold_of_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for few in (FEW, 0):
        monkeypatch.setattr("retailer.generate.FEW", few)
        made = generate(plan(customers=300), tmp_path / f"{few}")
        lake = Lake(tmp_path / f"lake_{few}")
        lake.create()
        for system in systems(made):
            for entity in system.spec.entities:
                load_entity(lake, system, contracts()[entity])
        found.append(rows_of(lake))
    own, parquet = found
    assert own.keys() == parquet.keys()
    assert len(own) > 30
    for of, rows in own.items():
        assert rows == parquet[of], of


def test_every_file_of_the_retailer_is_read_or_said_not_to_be(made: Made) -> None:
    assert set(ENTITIES) == {f"{feed.system}/{feed.name}" for feed in FEEDS}
    for system in systems(made):
        known = {path for entity in system.spec.entities for path in system.arrived(entity)}
        left = {path for one in system.spec.not_read for path in system.location.glob(one.path)}
        assert known | left == {path for path in system.location.rglob("*") if path.is_file()}
    read_folders = {system.location.name for system in systems(made)}
    folders = {path.name for path in made.landing.iterdir()}
    assert folders - read_folders == {"places"}, "a place is no entity yet"


def test_a_home_of_the_retailer_runs_and_joins_its_catalogue(tmp_path: Path) -> None:
    """Everything builds and is published: keys of the catalogue are known, and customers are people."""
    small = generate(plan(customers=300), tmp_path / "retailer")
    home = Home(tmp_path / "home")
    home.create()
    places = {one.name: SystemPlace(location=str(one.location)) for one in systems(small)}
    write_config(home, HomeConfig("Europe/Paris", "EUR", places, ("clv_90d",)))
    run(home)
    with duckdb.connect(str(home.published), read_only=True) as con:

        def ask(query: str) -> tuple[object, ...]:
            return con.execute(query).fetchall()[0]

        lines, unknown = ask(
            "select count(*), count(*) filter (where product_id = 'unknown') from core.fct_order_lines"
        )
        assert (lines > 10_000, unknown) == (True, 0)
        assert ask("select count(*) from core.fct_returns where product_id = 'unknown'") == (0,)
        assert ask(
            "select count(*) filter (where store_id = 'unknown') from core.fct_orders"
            " where source_system = 'retailer_stores'"
        ) == (0,)
        assert ask("select bool_and(is_reconciled) from marts.ingest_reconciliation") == (True,)
        truth = pq.read_table(small.truth / "purchases").num_rows
        ledger = pq.read_table(small.truth / "faults.parquet").to_pylist()
        headers = ("shop/orders", "stores/tickets")
        refused = [
            one for one in ledger if one["kind"] == faults.MISSING and one["feed"] in headers
        ]
        (orders,) = ask("select count(*) from core.fct_orders")
        assert truth - len(refused) <= orders <= truth
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        both, of_customer, of_person = con.execute(
            """
            with placed as (
                select customer_id, person from identity.customer_map
                join read_parquet($records) on source_key = key where valid_to is null
            ),
            cells as (select customer_id, person, count(*) as n from placed group by all),
            pairs as (
                select 'both' as which, n from cells
                union all select 'customer', count(*) from placed group by customer_id
                union all select 'person', count(*) from placed group by person
            )
            select * from (select which, n * (n - 1) / 2 as n from pairs)
            pivot (sum(n) for which in ('both', 'customer', 'person'))
            """,
            {"records": str(small.truth / "records" / "*.parquet")},
        ).fetchall()[0]
        customer, left, right = con.execute("""
            select customer_id, min(key), max(key) from (
                select customer_id, source_system || ':' || source_key as key
                from identity.customer_map where valid_to is null
            )
            group by customer_id having count(*) > 1 order by 1 limit 1
        """).fetchall()[0]
    told = read_pair(home, left, right)
    assert told["is_one_customer"]
    assert told["left"]["customer_id"] == customer
    assert both / of_customer > 0.96
    assert both / of_person > 0.85


@pytest.mark.parametrize("world", ["anonymous", "plain"])
def test_systems_read_worlds_in_which_some_feeds_have_nothing(tmp_path: Path, world: str) -> None:
    empty = generate(plan(world, customers=60), tmp_path / "retailer")
    home = Home(tmp_path / "home")
    home.create()
    for system in systems(empty):
        for entity in system.spec.entities:
            load_entity(home.lake, system, contracts()[entity])
    loads = [Load.from_record(record) for record in home.lake.live("load")]
    assert any(load.entity == "orders" and load.rows("accepted") for load in loads)
