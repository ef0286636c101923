"""Predictions: training with its gate, and the scores of the day.

A training is reused while snapshot, dates and code are the same. How a model is made, judged and
served is the business of `ml`; here its tables are committed to the lake.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from intake.lake import Lake, Record
from orchestration import dbt
from orchestration.defs.ingest import OWNER
from orchestration.moment import CLV_HORIZON_DAYS, Moment, is_trained, keep_made
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.runkey import training_key
from orchestration.settings import Home, SettingFault, code_hash, read_config

QUESTION = f"clv_{CLV_HORIZON_DAYS}d"
FEATURES = dg.AssetKey(["features", "customer_as_of_features"])
OUTCOMES = dg.AssetKey(["features", "customer_outcomes"])
MODEL, PERFORMANCE, DECILES, SCORES = (
    dg.AssetKey(["ml", QUESTION, name]) for name in ("model", "performance", "deciles", "scores")
)


@dataclass(frozen=True)
class Training:
    """What is remembered of a training; `is_reused` when this run found it done."""

    promoted: bool
    reason: str
    model_version: str | None
    mlflow_run_id: str | None
    is_reused: bool = False


def predict_assets() -> list[dg.AssetsDefinition]:
    """Training and scoring of customer lifetime value."""
    return [_training_assets(), _scores_asset()]


def _training_assets() -> dg.AssetsDefinition:
    specs = [
        dg.AssetSpec(
            MODEL, deps=[FEATURES, OUTCOMES], group_name="ml", owners=[OWNER],
            kinds={"scikitlearn", "mlflow"},
            description=f"The model of net revenue in the next {CLV_HORIZON_DAYS} days, backtested"
            " and judged; promoted to champion only when the gate says so.",
        ),
        dg.AssetSpec(
            PERFORMANCE, deps=[FEATURES, OUTCOMES], group_name="ml", owners=[OWNER],
            kinds={"python", "parquet"},
            description="One row per cut-off and predictor: how right the model and the baselines"
            " were, with paired intervals.",
        ),
        dg.AssetSpec(
            DECILES, deps=[FEATURES, OUTCOMES], group_name="ml", owners=[OWNER],
            kinds={"python", "parquet"},
            description="One row per cut-off, predictor and tenth of the customers by its forecast:"
            " what was predicted and what came.",
        ),
    ]  # fmt: skip

    @dg.multi_asset(name=f"{QUESTION}_training", specs=specs)
    def train(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("predict")
        with unicus.faults_shown():
            training = run_training(unicus.place, unicus.moment(), unicus.run_id)
            keep_made(unicus.place, ["model_performance", "model_deciles"], unicus.moment())
            plots = _plots(unicus.place, training)
        metadata: dict[str, Any] = {k: str(v) for k, v in asdict(training).items()}
        yield dg.MaterializeResult(asset_key=MODEL, metadata=metadata | plots)
        yield dg.MaterializeResult(asset_key=PERFORMANCE, metadata=metadata)
        yield dg.MaterializeResult(asset_key=DECILES, metadata=metadata)

    return train


def _plots(home: Home, training: Training) -> dict[str, Any]:
    """The drawings of a training of this run, for whoever opens the model in the UI."""
    if training.is_reused or training.mlflow_run_id is None:
        return {}
    from ml.tracking import read_plots

    return {
        name: dg.MetadataValue.md(f"![{name}](data:image/png;base64,{b64encode(png).decode()})")
        for name, png in read_plots(home.mlflow, training.mlflow_run_id).items()
    }


def _scores_asset() -> dg.AssetsDefinition:
    @dg.asset(
        key=SCORES,
        deps=[FEATURES, MODEL],
        group_name="ml",
        description=f"One row per customer: net revenue expected in the next {CLV_HORIZON_DAYS} days,"
        " by the champion, or by a baseline that says it is one.",
        kinds={"scikitlearn", "parquet"},
        owners=[OWNER],
    )
    def score(unicus: UnicusRun) -> dg.MaterializeResult:  # type: ignore[type-arg]
        progress.stage("predict")
        with unicus.faults_shown():
            record = run_scoring(unicus.place, unicus.moment())
            keep_made(unicus.place, ["value_scores"], unicus.moment())
        progress.note(record.details["reason"])
        return dg.MaterializeResult(
            metadata={"dagster/row_count": record.files[0].rows, **record.details}
        )

    return score


def run_training(home: Home, moment: Moment, run_id: str) -> Training:
    """Train, judge and register, or reuse the training of the same snapshot, dates and code."""
    lake = home.lake
    key = training_key(moment.snapshot_id, moment.training_dates, read_config(home))
    earlier = lake.live("training")
    if is_trained(home, moment):
        done = next(record for record in earlier if record.record_id == key)
        return Training(**done.details | {"is_reused": True})
    dbt.refuse_unbuilt(home, {FEATURES.path[-1], OUTCOMES.path[-1]}, moment)
    _refuse_without_features(home, moment)
    from ml.clv.train import train_and_register

    result = train_and_register(
        warehouse=home.warehouse,
        mlflow_folder=home.mlflow,
        first_day=moment.first_day,
        as_of=moment.as_of,
        horizon_days=CLV_HORIZON_DAYS,
        as_of_dates=moment.training_dates,
        snapshot_id=moment.snapshot_id,
        code_hash=code_hash(),
        dagster_run_id=run_id,
    )
    training = Training(result.promoted, result.reason, result.model_version, result.mlflow_run_id)
    with lake.transaction() as transaction:
        file = f"{QUESTION}/{transaction.seq:010d}.parquet"
        staged = [
            lake.stage(result.performance, "ml", "model_performance", f"performance/{file}"),
            lake.stage(result.deciles, "ml", "model_deciles", f"deciles/{file}"),
        ]
        old = [record.seq for record in earlier]
        transaction.commit("training", key, staged, supersedes=old, details=asdict(training))
    return training


def _refuse_without_features(home: Home, moment: Moment) -> None:
    """A run of everything computes the features of the training dates when it will train."""
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        row = con.execute(
            "select count(distinct as_of_date) from features.customer_as_of_features"
        ).fetchone()
    if moment.training_dates and row and row[0] < 2:
        raise SettingFault(
            "training-without-features", QUESTION, "the features of its training dates are not there",
            where=str(home.warehouse),
            why="the last run reused a training, so it computed the features of its own date only",
            fix="build everything:  unicus run",
        )  # fmt: skip


def run_scoring(home: Home, moment: Moment) -> Record:
    """Score the customers at the run's date; when the guard refuses, keep the last scores as stale."""
    from ml.clv.score import score, score_with_baseline
    from ml.tracking import champions

    lake = home.lake
    dbt.refuse_unbuilt(home, {FEATURES.path[-1]}, moment)
    place = {
        "warehouse": home.warehouse,
        "mlflow_folder": home.mlflow,
        "as_of": moment.as_of,
        "horizon_days": CLV_HORIZON_DAYS,
        "snapshot_id": moment.snapshot_id,
    }
    asked = champions(home.mlflow)
    result = score(**place)  # type: ignore[arg-type]
    table, reason = result.scores, result.reason
    spoke = {} if table is None else asked
    if table is None:
        table = _last_scores(lake, moment)
    if table is None:
        fallback = score_with_baseline(**place)  # type: ignore[arg-type]
        table, reason = fallback.scores, f"{reason}; {fallback.reason}"
    with lake.transaction() as transaction:
        number = f"{transaction.seq:010d}"
        path = f"scores/{QUESTION}/as_of={moment.as_of}/{number}.parquet"
        staged = lake.stage(table, "ml", "value_scores", path)
        old = [r.seq for r in lake.live("scores") if r.details["as_of"] == str(moment.as_of)]
        details = {"as_of": str(moment.as_of), "reason": reason, "champions": spoke}
        return transaction.commit("scores", number, [staged], supersedes=old, details=details)


def champions_that_scored(lake: Lake, as_of: date) -> dict[str, str]:
    """The champion's version by model when the live scores of a date were made; none if refused."""
    scored = [r for r in lake.live("scores") if r.details["as_of"] == str(as_of)]
    return dict(scored[-1].details.get("champions", {})) if scored else {}


def _last_scores(lake: Lake, moment: Moment) -> Any:
    """The newest scores not later than the moment, marked stale; None without any."""
    import pyarrow as pa
    from pyarrow import parquet

    before = [
        r for r in lake.live("scores") if date.fromisoformat(r.details["as_of"]) <= moment.as_of
    ]
    if not before:
        return None
    newest = max(before, key=lambda record: (record.details["as_of"], record.seq))
    table = parquet.read_table(lake.path(newest.files[0]))
    for name, value in (("is_stale", True), ("as_of_date", moment.as_of)):
        index = table.schema.get_field_index(name)
        column = pa.repeat(pa.scalar(value, table.schema.field(name).type), table.num_rows)
        table = table.set_column(index, table.schema.field(name), column)
    return table
