"""Landing and raw: what comes into the lake, and what of it the run reads.

`landing/<system>/<entity>` loads the files of one system; `raw/<entity>` freezes what is live. How a
file is read and checked is the business of `intake`.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from intake.accounting import Load
from intake.contract import contracts
from intake.fault import InputFault
from intake.load import load_entity
from intake.snapshot import LOADS_SCHEMA, read_snapshot
from intake.source import System
from intake.stage import QUARANTINE_COLUMNS
from orchestration.column_graph import ColumnGraph, Origin, Origins
from orchestration.defs.checks import Look, check_results, check_specs, look, refuse_failed
from orchestration.moment import DATES_SCHEMA, RUN_SCHEMA
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.samples import day_plot

OWNER = "data@unicus.example"
FROZEN = {
    ("ledger", "loads"): "One row per live load, outcome and reason: the accounting of every file.",
    ("ledger", "quarantined_rows"): "One row per refused row, with its reason; values stay here.",
    ("moment", "run"): "One row: the date the run stands at and the snapshot it reads.",
    ("moment", "as_of_dates"): "One row per date that features are computed for.",
}


def landing_assets(system: System) -> dg.AssetsDefinition:
    """Assets that load the entities of one system; one refused file does not stop the others."""
    specs = [
        dg.AssetSpec(
            dg.AssetKey(["landing", system.name, entity]),
            group_name="landing",
            description=f"The files of {system.name} that feed {entity}, loaded into the lake once"
            " each. " + system.spec.title + ".",
            kinds={"duckdb", "parquet"},
            owners=[OWNER],
            skippable=False,
            freshness_policy=_looked_at(spec.expected.latency_days),
        )
        for entity, spec in system.spec.entities.items()
    ]

    @dg.multi_asset(name=f"landing_{system.name}", specs=specs, can_subset=True)
    def load_system(
        context: dg.AssetExecutionContext, unicus: UnicusRun
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("ingest")
        wanted = [e for e in system.spec.entities
                  if dg.AssetKey(["landing", system.name, e]) in context.selected_asset_keys]  # fmt: skip
        refused = []
        for done, entity in enumerate(wanted, 1):
            progress.step(done, len(wanted), f"{system.name}/{entity}")
            try:
                loads = load_entity(unicus.place.lake, system, contracts()[entity])
            except InputFault as fault:
                refused.append(fault)
                continue
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(["landing", system.name, entity]),
                metadata=accounting(loads),
            )
        _refuse(refused)

    return load_system


def _looked_at(latency_days: int | None) -> dg.FreshnessPolicy | None:
    """That somebody looked for files as often as data is expected; how new they are is a check's."""
    if latency_days is None:
        return None
    fail = timedelta(days=latency_days)
    return dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=0.75 * fail)


def _plotted(found: Look, entity: str) -> dict[str, dg.MetadataValue]:
    plot = day_plot(found.days.get(entity, {}), f"{entity.replace('_', ' ')} by day")
    return {"rows by day": plot} if plot else {}


def _refuse(faults: list[InputFault]) -> None:
    """Fail with every fault found, not only the first."""
    if not faults:
        return
    progress.faults.extend(faults)
    raise dg.Failure(
        description="; ".join(f"{fault.code}: {fault}" for fault in faults),
        metadata={f"{fault.subject} fix": fault.fix for fault in faults},
        allow_retries=False,
    )


LOAD_COLUMNS = {
    "load_seq": "_load_seq",
    "loaded_at": "_loaded_at",
    "source_system": "source_system",
}
ROW_COLUMNS = {"read_rows", "stored_rows", "rows_count", "row_number", "row_count"}
SETTINGS = {"business_timezone", "reporting_currency"}


def origins() -> Origins:
    """What the columns are made of that the freezing writes beside raw.

    Of a load, raw holds the id in each row it let in, and the row's number in the file; so what the
    register says of a load and its rows is told to be of those.
    """
    return {
        "ledger/loads": {name: _of_load(name) for name in LOADS_SCHEMA.names},
        "ledger/quarantined_rows": {name: _of_refused_row(name) for name in QUARANTINE_COLUMNS},
        "moment/run": {name: _of_run(name) for name in RUN_SCHEMA.names},
        "moment/as_of_dates": {
            name: Origin(_clock(), "counted back from the run's date")
            for name in DATES_SCHEMA.names
        },
    }


def _of_load(name: str) -> Origin:
    told = LOAD_COLUMNS.get(name) or ("_row" if name in ROW_COLUMNS else "_load_id")
    return Origin(
        tuple((f"raw/{entity}", told) for entity in contracts()),
        "told by the register of the load that the rows came with",
    )


def _of_refused_row(name: str) -> Origin:
    """A refused row never came to raw: the columns are those it would have filled."""
    if name == "parent_key":
        columns = tuple(
            (f"raw/{c.entity}", c.parent_key) for c in contracts().values() if c.parent_key
        )
    elif name == "record_key":
        columns = tuple(
            (f"raw/{c.entity}", key) for c in contracts().values() for key in c.record_columns
        )
    else:
        columns = _of_load(name).columns
    return Origin(columns, "of rows that were refused: the columns they would have filled")


def _of_run(name: str) -> Origin:
    if name in SETTINGS:
        return Origin((), "a setting of the home")
    if name == "as_of":
        return Origin(_clock(), "the day after the last complete day, unless one is asked for")
    loads = tuple((f"raw/{entity}", "_load_id") for entity in contracts())
    return Origin(loads, "the name of the set of loads that the run reads")


def _clock() -> tuple[tuple[str, str], ...]:
    """The columns that tell up to which day the data is complete."""
    clocks = (c for c in contracts().values() if c.is_clock and c.event_time)
    return tuple((f"raw/{contract.entity}", str(contract.event_time)) for contract in clocks)


def accounting(loads: list[Load]) -> dict[str, int]:
    """Row accounting of some loads, as numbers that Dagster plots over time."""
    names = ("accepted", "quarantined", "excluded", "not_applicable", "redelivered")
    return {
        "files": len(loads),
        "new_files": sum(load.is_new for load in loads),
        "read_rows": sum(load.read_rows for load in loads),
        **{f"{name}_rows": sum(load.rows(name) for load in loads) for name in names},
    }


def raw_assets(systems: list[System], graph: ColumnGraph) -> dg.AssetsDefinition:
    """Assets that freeze the live loads of every entity, those without a file included."""
    specs = [
        dg.AssetSpec(
            dg.AssetKey(["raw", entity]),
            deps=[
                dg.AssetKey(["landing", system.name, entity])
                for system in systems
                if entity in system.spec.entities
            ],
            group_name="raw",
            description=f"The live rows of {entity}, all systems, all versions, as their contract"
            " let them in.",
            kinds={"parquet"},
            owners=[OWNER],
        )
        for entity in contracts()
    ]
    every = [dg.AssetKey(["raw", entity]) for entity in contracts()]
    specs += [
        dg.AssetSpec(
            dg.AssetKey(list(key)), deps=every, group_name="raw", description=text,
            kinds={"parquet"}, owners=[OWNER],
        )
        for key, text in FROZEN.items()
    ]  # fmt: skip

    checks = {entity: check_specs(systems, entity) for entity in contracts()}

    @dg.multi_asset(
        name="raw", specs=specs, check_specs=[one for some in checks.values() for one in some]
    )
    def freeze(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("ingest")
        with unicus.faults_shown():
            moment = unicus.freeze()
            found = look(unicus.place, moment, unicus.asked)
        snapshot = read_snapshot(unicus.place.lake, moment.snapshot_id)
        stands = {"snapshot_id": moment.snapshot_id, "as_of": str(moment.as_of)}
        for entity in contracts():
            rows = sum(f.rows for f in snapshot.files if (f.source, f.table) == ("raw", entity))
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(["raw", entity]),
                metadata={**stands, "dagster/row_count": rows, **_plotted(found, entity)},
                check_results=check_results(checks[entity], found.verdicts, entity),
            )
        for key in map(dg.AssetKey, FROZEN):
            yield dg.MaterializeResult(asset_key=key, metadata={**stands, **graph.metadata(key)})
        with unicus.faults_shown():
            refuse_failed(unicus.place, found.verdicts)
        progress.note(f"{len(snapshot.loads)} loads, as of {moment.as_of}")

    return freeze
