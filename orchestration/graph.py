"""The one graph, from landing to the published copy, put together from what `defs/` makes."""

from __future__ import annotations

import logging
import os

import dagster as dg

from orchestration import dbt
from orchestration.defs.automate import landing_sensor, schedules
from orchestration.defs.history import MONTHS, history_asset
from orchestration.defs.identity import identity_assets
from orchestration.defs.identity_model import MODEL, identity_model_asset
from orchestration.defs.ingest import landing_assets, raw_assets
from orchestration.defs.predict import predict_assets
from orchestration.defs.serve import published_asset
from orchestration.defs.transform import warehouse_assets
from orchestration.defs.watch import watch_sensor
from orchestration.lineage import column_graph
from orchestration.resources import UnicusRun
from orchestration.settings import Home, read_config, read_systems

JOB = "everything"
BACKFILL = "backfill"
IDENTITY_TRAINING = "identity_training"
APART = (MONTHS, MODEL)
"""No part of the run of every day: that has no date to choose, and resolves by the model that is."""


def build_definitions(home: Home) -> dg.Definitions:
    """The graph of one home: its systems decide what lies at landing."""
    os.environ.update(home.environment())
    config = read_config(home)
    systems = read_systems(config)
    manifest = dbt.manifest_path(home)
    columns = column_graph(home)
    assets: list[dg.AssetsDefinition] = [
        *(landing_assets(system) for system in systems),
        raw_assets(systems, columns),
        *warehouse_assets(manifest, columns),
        identity_assets(columns),
        *predict_assets(config.questions, columns),
        published_asset(manifest),
    ]
    keys = [key for made in assets for key in made.keys]
    return dg.Definitions(
        assets=[*assets, history_asset(home, manifest), identity_model_asset()],
        jobs=[
            dg.define_asset_job(
                JOB, selection=dg.AssetSelection.all() - dg.AssetSelection.assets(*APART)
            ),
            dg.define_asset_job(
                IDENTITY_TRAINING,
                selection=[MODEL],
                description="Learns anew how records agree; promoted if few records change their customer.",
            ),
            dg.define_asset_job(
                BACKFILL,
                selection=[MONTHS],
                description="Fills in past month starts of marts/customer_value_history.",
            ),
        ],
        schedules=schedules(home, config, JOB, IDENTITY_TRAINING),
        sensors=[landing_sensor(home, config, systems, JOB, keys), watch_sensor(home, config)],
        resources={"unicus": UnicusRun(home=str(home.root))},
        executor=dg.in_process_executor,
        loggers={"log": _log_file},
    )


@dg.logger
def _log_file(_context: dg.InitLoggerContext) -> logging.Logger:
    """What Dagster says, into the log of the run instead of onto the screen."""
    return logging.getLogger("unicus.dagster")
