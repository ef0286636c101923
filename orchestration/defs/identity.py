"""Identity: the asset that gives every source record its customer."""

from collections.abc import Iterator

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from identity.resolve import EVENTS, RECORDS, TABLES, Resolution, resolve
from intake.lake import Lake, Record
from orchestration import dbt
from orchestration.column_graph import ColumnGraph, Origin, Origins
from orchestration.defs.ingest import OWNER
from orchestration.moment import keep_made
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import Home

DESCRIPTIONS = {
    "customer_map": "One row per source record and period: the customer it belongs to.",
    "identity_events": "One row per decision about a record; the truth the map follows from.",
    "customer_aliases": "One row per retired customer id: the customer it leads to.",
    "identity_runs": "One row per resolution that changed something.",
}


RECORD = tuple(("staging/identity_records", name) for name in ("source_system", "source_key"))
WHEN = Origin((), "when it was decided, by the clock of the machine")
MADE_OF = {
    "source_system": Origin(RECORD[:1]),
    "source_key": Origin(RECORD[1:]),
    "rule": Origin((), "the name of the rule that decided"),
} | dict.fromkeys(("event_at", "valid_from", "valid_to", "run_at"), WHEN)
GIVEN = Origin(RECORD, "drawn at random for the record when it is first met, and kept")
COUNTED = Origin(RECORD, "counted")


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
            dg.AssetKey(["identity", table]), deps=[dg.AssetKey(["staging", "identity_records"])],
            group_name="identity", description=DESCRIPTIONS[table], kinds={"python", "parquet"},
            owners=[OWNER],
        )
        for table in TABLES
    ]  # fmt: skip

    @dg.multi_asset(name="identity", specs=specs)
    def identity(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("identity")
        with unicus.faults_shown():
            dbt.refuse_unbuilt(unicus.place, {"identity_records"}, unicus.moment())
            resolution = run_identity(unicus.place)
            keep_made(unicus.place, TABLES, unicus.moment())
        told = {"customers": resolution.customers, "created": resolution.events.num_rows}
        for table in TABLES:
            key = dg.AssetKey(["identity", table])
            yield dg.MaterializeResult(asset_key=key, metadata={**told, **graph.metadata(key)})
        progress.note(f"{resolution.customers:,} customers, {resolution.events.num_rows:,} new")

    return identity


def run_identity(home: Home) -> Resolution:
    """Resolve the records of the warehouse and commit what is new: events first, then the map."""
    lake = home.lake
    logged = lake.live("identity_events")
    with lake.transaction() as transaction:
        now = transaction.committed_at.replace(tzinfo=None)
        resolution = resolve(_records(home), _events(lake, logged), now)
        if resolution.events.num_rows:
            number = f"{transaction.seq:010d}"
            staged = [
                lake.stage(table, "identity", name, f"identity/{name}/{number}.parquet")
                for name, table in (
                    ("identity_events", resolution.events),
                    ("identity_runs", resolution.runs),
                )
            ]
            logged.append(transaction.commit("identity_events", number, staged))
    _commit_map(lake, resolution.customer_map, logged)
    return resolution


def _commit_map(lake: Lake, customer_map: pa.Table, logged: list[Record]) -> None:
    """Replace the map when it is not the one that follows from these events."""
    name = "-".join(str(record.seq) for record in logged[-1:]) or "empty"
    maps = lake.live("customer_map")
    if any(record.record_id == name for record in maps):
        return
    with lake.transaction() as transaction:
        path = f"identity/customer_map/{transaction.seq:010d}.parquet"
        staged = lake.stage(customer_map, "identity", "customer_map", path)
        old = [record.seq for record in maps]
        transaction.commit("customer_map", name, [staged], supersedes=old)


def _records(home: Home) -> pa.Table:
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        found = con.execute("select source_system, source_key from staging.identity_records")
        return found.to_arrow_table().cast(RECORDS)


def _events(lake: Lake, records: list[Record]) -> pa.Table:
    tables = [
        pq.read_table(lake.path(file), schema=EVENTS)
        for record in records
        for file in record.files
        if file.table == "identity_events"
    ]
    return pa.concat_tables([EVENTS.empty_table(), *tables])
