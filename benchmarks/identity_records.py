"""Records with known truth that resolution is measured on: the retailer's profiles, and public sets.

Belongs here: where records come from and who they are. Does not belong here: any measure (`identity`).
The retailer's people and records are drawn without what they do beside buying, so that a million take a
minute; values are spoilt at the rates of `retailer.records`. All pass through the project's own
normalisation, the query of the model `identity_profiles`.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa

from identity.compare import PROFILES

COLUMNS = (
    "first_name", "last_name", "birth_date", "email", "phone", "mobile_phone", "address_line_1",
    "postal_code", "city", "country_code", "loyalty_card_key", "visitor_key", "device_key",
    "social_handle",
)  # fmt: skip
FEEDS = {
    "crm": ("crm",), "shop": ("shop", "guest"), "stores": ("stores",), "messaging": ("messaging",),
    "service": ("service",), "social": ("social",),
}  # fmt: skip
SAID_AS = {"loyalty_card_key": "loyalty_card", "visitor_key": "visitor", "device_key": "device"}
FEBRL = """
    select source, rec_id, given_name as first_name, surname as last_name,
        cast(try_strptime(date_of_birth, '%Y%m%d') as date) as birth_date,
        concat_ws(' ', street_number, address_1) as address_line_1, postcode as postal_code,
        suburb as city, soc_sec_id as device_key, entity_id as person
    from ({files})
"""
FAKE = """
    select 'fake' as source, unique_id as rec_id, first_name, surname as last_name,
        try_cast(dob as date) as birth_date, city, email, cluster as person
    from '{folder}/identity_splink_fake/{name}.parquet'
"""


@dataclass(frozen=True)
class Records:
    """Records and who they are.

    Attributes:
        raw: as delivered: source_system, customer_key and COLUMNS.
        profiles: shape PROFILES.
        truth: source_system, source_key, person, country.
    """

    raw: pa.Table
    profiles: pa.Table
    truth: pa.Table


def retailer(people: int, seed: int) -> Records:
    """Records of the retailer with so many people."""
    jobs = [(people, seed, number) for number in range(-(-people // 10_000))]
    with ProcessPoolExecutor(2) as pool:
        parts = list(pool.map(_part, jobs))
    raw, truth = (
        pa.concat_tables(tables, promote_options="permissive")
        for tables in zip(*parts, strict=True)
    )
    return Records(raw, _profiles(raw), truth)


def public(name: str, folder: Path) -> Records:
    """Records of a public set: febrl3, febrl4, fake_1000, fake_20000."""
    if name.startswith("febrl"):
        ends = ("a", "b") if name == "febrl4" else ("",)
        files = " union all ".join(
            f"select '{name}{end}' as source, * from '{folder}/identity_febrl/{name}{end}.parquet'"
            for end in ends
        )
        query = FEBRL.format(files=files)
    else:
        query = FAKE.format(folder=folder, name=name)
    with duckdb.connect() as con:
        con.execute(f"create table told as {query}")
        known = {row[0] for row in con.execute("describe told").fetchall()}
        values = ", ".join(
            f"cast({one} as varchar) as {one}" if one in known else f"null::varchar as {one}"
            for one in COLUMNS
        )
        raw = con.execute(
            f"select source as source_system, cast(rec_id as varchar) as customer_key, {values} from told"
        ).to_arrow_table()
        truth = con.execute("""
            select source as source_system, cast(rec_id as varchar) as source_key,
                cast(person as bigint) as person, '' as country from told
        """).to_arrow_table()
    return Records(raw, _profiles(raw), truth)


def _part(job: tuple[int, int, int]) -> tuple[pa.Table, pa.Table]:
    """Profiles of a part of the people as delivered, and who they are."""
    from retailer.days import Days
    from retailer.deliveries import _profiles as profiles_of
    from retailer.media import make_spend
    from retailer.part import Plan
    from retailer.people import make_people
    from retailer.purchases import make_purchases
    from retailer.records import make_records, settle
    from retailer.vocabulary import COUNTRIES
    from retailer.worlds import WORLDS

    people_count, seed, number = job
    plan = Plan(people_count, Days(date(2026, 6, 30), 30), seed, WORLDS["base"])
    first = number * plan.part_size
    count = min(plan.part_size, people_count - first)
    spend = make_spend(seed, plan.days)
    people = make_people(seed, number, first, count, plan.days, plan.world, spend)
    records = make_records(seed, number, people, plan.world)
    settle(records, make_purchases(seed, number, people, records, plan.days, plan.world), plan.days)
    part = SimpleNamespace(plan=plan, people=people, records=records)
    raw, truth = [], []
    table = records.table
    for feed, systems in FEEDS.items():
        made = profiles_of(*systems)(part)  # type: ignore[arg-type]
        size = len(made["id"])
        texts = {
            name: pa.array(made[said]).cast(pa.string())
            if said in made
            else pa.nulls(size, pa.string())
            for name in COLUMNS
            for said in [SAID_AS.get(name, name) if SAID_AS.get(name, name) in made else name]
        }
        system = pa.array([f"retailer_{feed}"] * size, pa.string())
        raw.append(pa.table({"source_system": system, "customer_key": made["id"], **texts}))
        rows = _rows_of(systems, table, plan.days.horizon)
        person = table["person"][rows]
        truth.append(pa.table({
            "source_system": system, "source_key": made["id"],
            "person": pa.array(people.first + person, pa.int64()),
            "country": pa.array([COUNTRIES[c].code for c in people.country[person]], pa.string()),
        }))  # fmt: skip
    return pa.concat_tables(raw, promote_options="permissive"), pa.concat_tables(truth)


def _rows_of(systems: tuple[str, ...], table: dict[str, object], horizon: float) -> object:
    """Rows of the records of some systems that a feed delivers."""
    import numpy as np

    from retailer.records import SYSTEMS

    wanted = [SYSTEMS.index(one) for one in systems]
    return np.flatnonzero(np.isin(table["system"], wanted) & (table["created"] < horizon))  # type: ignore[operator, arg-type]


def _profiles(raw: pa.Table) -> pa.Table:
    """What the model `identity_profiles` makes of delivered records."""
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("create schema staging")
        con.register("raw", raw)
        con.execute("""
            create table staging.stg_customers as
            select * replace (try_cast(birth_date as date) as birth_date),
                null::varchar as full_name, false as _is_deleted, null::timestamp as _version_at,
                1 as _load_seq, '' as _load_id, row_number() over () as _row
            from raw
        """)
        con.execute("""
            create table staging.identity_records as
            select source_system, customer_key as source_key from staging.stg_customers
        """)
        made = con.execute(f"select * from ({_query()}) order by source_system, source_key")
        return made.to_arrow_table().select(PROFILES.names).cast(PROFILES)


@cache
def _query() -> str:
    from orchestration import dbt
    from orchestration.settings import Home

    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch) / "home")
        home.create()
        found = dbt.compiled(dbt.manifest_path(home))["model.unicus.identity_profiles"]
    return found.replace('"warehouse".', "")
