"""What the tracking store keeps of a model of identity: all that it decides by, and what shows it.

Everything is text, Parquet or a picture: `identity.compare` can read the model back, and nothing of it
is ever run. Belongs here: the record. Does not belong here: which model resolves, which the lake says.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from orchestration.settings import PROJECT, Home, code_hash

if TYPE_CHECKING:
    from identity.compare import Model
    from identity.resolve import Resolution
    from identity.train import Learned
    from ml.tracking import Metric

PROFILES = PROJECT / "dbt_project/models/staging/identity_profiles.sql"
KINDS = ("created", "merged", "split", "moved", "regrouped")
CHANGED = ("merged", "split", "moved")


def counts_of(resolution: Resolution, records: int) -> dict[str, int]:
    """Records by what became of them, and how many customers they are."""
    (run,) = resolution.runs.to_pylist() or [{}]
    return {
        "records": records, "customers": resolution.customers,
        "largest": max(resolution.sizes, default=0),
        **{kind: run.get(f"{kind}_count", 0) for kind in KINDS},
    }  # fmt: skip


def changed_share(counts: dict[str, int]) -> float:
    """Share of the records whose customer is another one."""
    return sum(counts[kind] for kind in CHANGED) / max(counts["records"], 1)


def keep_model(
    home: Home, learned: Learned, before: str, counts: dict[str, int], pictures: dict[str, str]
) -> str:
    """Keep a promoted model where the other models are kept; return the id of its run.

    Args:
        home: whose model it is.
        learned: the model.
        before: version of the model that it follows.
        counts: what became of the records.
        pictures: SVG by title.
    """
    from ml import tracking
    from orchestration.identity_charts import weights_chart

    model = learned.model
    run = tracking.RunRecord(
        experiment="identity", note="How records agree that are one person.", name=model.version,
        description=f"promoted after {before}; {changed_share(counts):.2%} of the records move",
        params={"kind": model.kind, "link": str(model.link), "strict": str(model.strict),
                "review": str(model.review), "contradiction": str(model.contradiction)},
        metrics=_metrics(model, counts),
        tags={"predictor": model.version, "code": code_hash(), tracking.PROMOTED_TAG: "true"},
        figures={"plots/weights.png": weights_chart(model)},
        tables={"name_frequencies": model.frequencies.to_pandas()},
        texts={
            **{f"plots/{title.replace(' ', '_')}.svg": drawn for title, drawn in pictures.items()},
            **{f"splink/{name}": text for name, text in learned.files.items()},
            **_model_texts(model),
        },
    )  # fmt: skip
    return tracking.keep_run(home.mlflow, run)


def _metrics(model: Model, counts: dict[str, int]) -> list[Metric]:
    from ml.tracking import Metric

    weights = [
        Metric(f"{comparison}.{level}".replace(",", ""), bits, 0)
        for comparison, levels in model.weights.items()
        for level, bits in levels.items()
    ]
    told = [Metric(name, float(count), 0) for name, count in counts.items()]
    return [Metric("prior", model.prior, 0), *weights, *told]


def _model_texts(model: Model) -> dict[str, str]:
    """The model, and the SQL of all that leads to a weight: profile, candidates, levels."""
    from identity.candidates import KEYS
    from identity.compare import model_tables

    (row,) = model_tables(model)["identity_model"].to_pylist()
    weighed = f"{model.weight_sql} as weight,\n{model.contradicts_sql} as is_vetoed\n"
    return {
        "model/model.json": row["model"],
        "model/levels.json": row["levels"],
        "model/candidates.json": json.dumps([asdict(key) for key in KEYS], indent=1),
        "model/weight.sql": weighed,
        "model/profiles.sql": PROFILES.read_text("utf-8"),
    }
