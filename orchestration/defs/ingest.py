"""Landing and raw: what comes into the lake, and what of it the run reads.

`landing/<system>/<entity>` loads the files of one system; `raw/<entity>` freezes what is live. How a
file is read and checked is the business of `intake`.
"""

from collections.abc import Iterator

import dagster as dg

from intake.accounting import Load
from intake.contract import contracts
from intake.fault import InputFault
from intake.load import load_entity
from intake.snapshot import read_snapshot
from intake.source import System
from orchestration.progress import progress
from orchestration.resources import UnicusRun

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
        )
        for entity in system.spec.entities
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


def accounting(loads: list[Load]) -> dict[str, int]:
    """Row accounting of some loads, as numbers that Dagster plots over time."""
    names = ("accepted", "quarantined", "excluded", "not_applicable", "redelivered")
    return {
        "files": len(loads),
        "new_files": sum(load.is_new for load in loads),
        "read_rows": sum(load.read_rows for load in loads),
        **{f"{name}_rows": sum(load.rows(name) for load in loads) for name in names},
    }


def raw_assets(systems: list[System]) -> dg.AssetsDefinition:
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

    @dg.multi_asset(name="raw", specs=specs)
    def freeze(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("ingest")
        with unicus.faults_shown():
            moment = unicus.freeze()
        snapshot = read_snapshot(unicus.place.lake, moment.snapshot_id)
        stands = {"snapshot_id": moment.snapshot_id, "as_of": str(moment.as_of)}
        for entity in contracts():
            rows = sum(f.rows for f in snapshot.files if (f.source, f.table) == ("raw", entity))
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(["raw", entity]),
                metadata={**stands, "dagster/row_count": rows},
            )
        for key in FROZEN:
            yield dg.MaterializeResult(asset_key=dg.AssetKey(list(key)), metadata=dict(stands))
        progress.note(f"{len(snapshot.loads)} loads, as of {moment.as_of}")

    return freeze
