"""Training of identity as an asset: how records agree, learned anew when it is asked for.

No part of the run of every day, which resolves by the model that was promoted: a new one may change who is
who, so it has its own job, its own schedule and a limit. How it is done is said in
`orchestration.train_identity`.
"""

from io import BytesIO
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.defs.identity import INPUTS, shown
from orchestration.defs.ingest import OWNER
from orchestration.drawing import image
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import SettingFault
from orchestration.train_identity import MOST_CHANGED, Training, carry_out, plan_training

MODEL = dg.AssetKey(["identity", "identity_model"])
DEPS = [
    *(dg.AssetKey(["staging", name]) for name in INPUTS),
    dg.AssetKey(["identity", "identity_events"]),
]
"""What it learns from, and the customers that it compares with."""


class Limit(dg.Config):
    """What is asked of a training."""

    most_changed: float = Field(
        MOST_CHANGED, ge=0, le=1, description="Share of the records whose customer may change."
    )


def identity_model_asset() -> dg.AssetsDefinition:
    """The asset that learns a model of identity and promotes it within a limit."""

    @dg.asset(
        key=MODEL,
        deps=DEPS,
        group_name="identity",
        description="One model: what each agreement of two records is worth, learned anew from all records"
        " and from what stewards decided. Promoted, and used from the next run on, when no more records"
        " than may would change their customer; refused otherwise. No part of the run of every day.",
        kinds={"python", "mlflow", "parquet"},
        owners=[OWNER],
    )
    def identity_model(
        context: dg.AssetExecutionContext, config: Limit, unicus: UnicusRun
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        progress.stage("identity")
        with unicus.faults_shown():
            change = plan_training(unicus.place, config.most_changed)
            told = _metadata(change)
            try:
                carry_out(change)
            except SettingFault:
                context.log_event(dg.AssetObservation(MODEL, metadata=told))
                raise
        progress.note(f"{change.model.version} after {change.before}")
        return dg.MaterializeResult(metadata=told)

    return identity_model


def _metadata(change: Training) -> dict[str, Any]:
    """What was learned and who would merge, part or move, promoted or not."""
    from orchestration.identity_charts import weights_chart

    model, png = change.model, BytesIO()
    weights_chart(model).savefig(png, format="png")
    return {
        "model": model.version,
        "kind": model.kind,
        "before": change.before,
        "records that change their customer": f"{change.changed_share:.2%}",
        **change.counts,
        **shown(change.pictures),
        "weights": dg.MetadataValue.md(image("weights", png.getvalue(), "png")),
    }
