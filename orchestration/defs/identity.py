"""Identity: the asset that gives every source record its customer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
import pyarrow as pa

from identity.compare import PROFILES, RULES
from identity.resolve import TABLES, Resolution, resolve
from identity.store import digest
from intake.lake import Lake, Record
from orchestration import dbt
from orchestration.column_graph import ColumnGraph, Origin, Origins
from orchestration.defs.ingest import OWNER
from orchestration.drawing import image
from orchestration.identity_charts import pictures
from orchestration.identity_lake import (
    keep_phone_kinds,
    last_seq,
    next_version,
    promote,
    promoted_model,
    read_decisions,
    read_events,
    read_records,
)
from orchestration.identity_record import counts_of, keep_model
from orchestration.markdown import table
from orchestration.moment import keep_made
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import Home
from orchestration.train_identity import carry_out, learn, plan_training

if TYPE_CHECKING:
    from identity.train import Learned

DESCRIPTIONS = {
    "customer_map": "One row per source record and period: the customer it belongs to. A record that no"
    " source mentions any more keeps its last customer, whose id may lead to another (customer_aliases).",
    "identity_events": "One row per decision about a record; the truth the map follows from.",
    "customer_aliases": "One row per retired customer id: the customer it leads to.",
    "identity_runs": "One row per resolution that changed something.",
    "identity_review": "One row per pair of records or decision that a steward may look at.",
    "identity_decided_pairs": "One row per pair that a steward decided: what the model says of it alone.",
    "phone_kinds": "One row per telephone number that a record ever told: what kind of line it is.",
}
INPUTS = ("identity_records", "identity_profiles", "identity_decisions")


RECORD = tuple(("staging/identity_records", name) for name in ("source_system", "source_key"))
COMPARED = tuple(
    ("staging/identity_profiles", name) for name in PROFILES.names if not name.startswith("source_")
)
WHEN = Origin((), "when it was decided, by the clock of the machine")
NUMBERS = (("staging/identity_profiles", "mobile_phone"), ("staging/identity_profiles", "phone"))
LEARNED = Origin(COMPARED, "the model that weighed what is compared")
MADE_OF = {
    "source_system": Origin(RECORD[:1]),
    "source_key": Origin(RECORD[1:]),
    "left_source_system": Origin(RECORD[:1]),
    "left_source_key": Origin(RECORD[1:]),
    "right_source_system": Origin(RECORD[:1]),
    "right_source_key": Origin(RECORD[1:]),
    "rule": Origin(COMPARED, "what agrees in the heaviest link of the record"),
    "weight_bits": Origin(COMPARED, "what the levels of agreement are worth, added up"),
    "state": Origin(COMPARED, "what became of the pair"),
    "stratum": Origin(COMPARED, "what such a pair can be mistaken by"),
    "is_linked": Origin(COMPARED, "whether the model links the pair by itself"),
    "is_one_person": Origin((("staging/identity_decisions", "decision"),)),
    "reason": Origin(COMPARED, "why the pair is not one customer"),
    "phone_hash": Origin(NUMBERS, "the MD5 of its digits"),
    "phone_kind": Origin(NUMBERS, "what the numbering plans say of it"),
    "model_version": LEARNED,
    "model_kind": LEARNED,
} | dict.fromkeys(("event_at", "valid_from", "valid_to", "run_at"), WHEN)
GIVEN = Origin(
    (*RECORD, *COMPARED), "drawn at random when a customer is first met, kept by what is one person"
)
COUNTED = Origin((*RECORD, *COMPARED), "counted")


def origins() -> Origins:
    """What the columns of identity's tables are made of."""
    return {
        f"identity/{table}": {
            name: MADE_OF.get(name) or (COUNTED if name.endswith("_count") else GIVEN)
            for name in schema.names
        }
        for table, schema in TABLES.items()
    }


def identity_assets(graph: ColumnGraph) -> dg.AssetsDefinition:
    """The tables of identity, resolved together."""
    specs = [
        dg.AssetSpec(
            dg.AssetKey(["identity", table]), deps=[dg.AssetKey(["staging", name]) for name in INPUTS],
            group_name="identity", description=DESCRIPTIONS[table], kinds={"python", "parquet"},
            owners=[OWNER],
        )
        for table in TABLES
    ]  # fmt: skip

    @dg.multi_asset(name="identity", specs=specs)
    def identity(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("identity")
        with unicus.faults_shown():
            dbt.refuse_unbuilt(unicus.place, set(INPUTS), unicus.moment())
            resolution = run_identity(unicus.place)
            model = promoted_model(unicus.place.lake) or RULES
            keep_made(unicus.place, TABLES, unicus.moment())
        told = {
            "customers": resolution.customers,
            "events": resolution.events.num_rows,
            "to review": resolution.review.num_rows,
            "records of the largest": max(resolution.sizes, default=0),
            "records of customers": dg.MetadataValue.md(_sizes(resolution)),
            **shown(pictures(resolution, model)),
        }
        for name in TABLES:
            key = dg.AssetKey(["identity", name])
            yield dg.MaterializeResult(asset_key=key, metadata={**told, **graph.metadata(key)})
        progress.note(f"{resolution.customers:,} customers, {resolution.events.num_rows:,} events")

    return identity


def shown(drawn: dict[str, str]) -> dict[str, dg.MetadataValue]:  # type: ignore[type-arg]
    """Drawings as Dagster's page shows them."""
    return {title: dg.MetadataValue.md(image(title, picture)) for title, picture in drawn.items()}


def _sizes(resolution: Resolution) -> str:
    """How many customers have so many records, as a table."""
    rows = ((str(records), f"{count:,}") for records, count in sorted(resolution.sizes.items()))
    return table(("records", "customers"), rows)


def run_identity(home: Home) -> Resolution:
    """Resolve the records of the warehouse and commit what is new: events first, then the map."""
    lake = home.lake
    logged = lake.live("identity_events")
    keep_phone_kinds(home)
    records, decisions = read_records(home), read_decisions(home)
    model = promoted_model(lake)
    learned = None
    if model is None and lake.live("identity_model"):
        progress.note("learning how records agree anew, as they are compared in other ways now")
        model = carry_out(plan_training(home)).model
    elif model is None:
        learned = _first_model(lake, records, decisions)
        model = learned.model if learned else RULES
    with lake.transaction() as transaction:
        now = transaction.committed_at.replace(tzinfo=None)
        resolution = resolve(
            records, decisions, model, now, lambda: read_events(lake, logged), last_seq(logged),
            home.identity_store,
        )  # fmt: skip
        if resolution.events.num_rows:
            number = f"{transaction.seq:010d}"
            staged = [
                lake.stage(table, "identity", name, f"identity/{name}/{number}.parquet")
                for name, table in (
                    ("identity_events", resolution.events),
                    ("identity_runs", resolution.runs),
                )
            ]
            told = {"last_event_seq": resolution.events["event_seq"][-1].as_py()}
            logged.append(transaction.commit("identity_events", number, staged, details=told))
    _commit_map(lake, resolution, logged)
    if learned:
        counts = counts_of(resolution, records.num_rows)
        keep_model(home, learned, RULES.version, counts, pictures(resolution, model))
    return resolution


def _first_model(lake: Lake, records: pa.Table, decisions: pa.Table) -> "Learned | None":
    """Promote a model of the records at hand; None while there are too few to learn from.

    Before it customers came by rules, or were no more than records: however many change, they may.
    """
    from identity.train import NotEnough

    try:
        progress.note("learning how records agree, as no model was made yet")
        learned = learn(records, decisions, next_version(lake))
    except NotEnough as error:
        progress.note(f"records are matched by rules: {error}")
        return None
    promote(lake, learned.model)
    return learned


def _commit_map(lake: Lake, resolution: Resolution, logged: list[Record]) -> None:
    """Replace the map and what goes with it when they are of other events or of another model."""
    last = "-".join(str(record.seq) for record in logged[-1:]) or "empty"
    model = "".join(one.record_id for one in lake.live("identity_model"))
    asked = digest(resolution.review)[:12] + digest(resolution.decided_pairs)[:12]
    name = f"{last} {asked} {model}".rstrip()
    maps = lake.live("customer_map")
    if any(record.record_id == name for record in maps):
        return
    tables = {
        "customer_map": resolution.customer_map,
        "customer_aliases": resolution.aliases,
        "identity_review": resolution.review,
        "identity_decided_pairs": resolution.decided_pairs,
    }
    with lake.transaction() as transaction:
        staged = [
            lake.stage(table, "identity", one, f"identity/{one}/{transaction.seq:010d}.parquet")
            for one, table in tables.items()
        ]
        old = [record.seq for record in maps]
        transaction.commit("customer_map", name, staged, supersedes=old, details={"model": model})
