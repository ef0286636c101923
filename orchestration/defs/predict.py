"""Predictions: the trainings that are due with their gates, and the scores of the day.

When a question is trained is said in `orchestration.retraining`; how a model is made, judged and
served is the business of `ml`. Here its tables are committed to the lake.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa

from intake.lake import Lake, Record
from ml import tables
from ml.questions import QUESTIONS, Question
from orchestration import dbt
from orchestration.column_graph import Column, ColumnGraph, Origin, Origins
from orchestration.defs.ingest import OWNER
from orchestration.drawing import image
from orchestration.moment import Moment, keep_made
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.retraining import (
    Training,
    details_of,
    stand_of,
    superseded_by,
    trainings,
)
from orchestration.runkey import champions_asked
from orchestration.settings import Home, SettingFault, code_hash, read_config

FEATURES = dg.AssetKey(["features", "customer_as_of_features"])
OUTCOMES = dg.AssetKey(["features", "customer_outcomes"])
VALUES = dg.AssetKey(["features", "customer_as_of_values"])
PERFORMANCE, DECILES, CALIBRATION, SCORES, DRIFT, HISTORY = (
    dg.AssetKey(["ml", name])
    for name in ("performance", "deciles", "calibration", "scores", "drift", "value_history")
)
SCORED_FROM = {FEATURES.path[-1], OUTCOMES.path[-1], VALUES.path[-1]}
MEASURES = ("performance", "deciles", "calibration")
"""What a training says of a model, by the name of its folder; the table is `model_<name>`."""

TOLD = {
    "clv": "net revenue",
    "orders": "number of orders",
    "propensity": "probability of an order",
}


def _model_key(question: Question) -> dg.AssetKey:
    return dg.AssetKey(["ml", question.name, "model"])


OUTCOME = tuple(
    (OUTCOMES.to_user_string(), name) for name in ("net_revenue_amount", "orders_count")
)
OF_QUESTION = {
    "model_name": Origin((), "the name of the question, given in ml/questions.py"),
    "horizon_days": Origin((), "how many days ahead is asked, given in ml/questions.py"),
    "target": Origin(OUTCOME, "the name of the outcome that is forecast"),
}
DATES = {"cutoff_date", "trained_as_of"}
CAME = {"actual_total", "actual_rate", "actual_low_rate", "actual_high_rate", "buyers_count"}
NAMES = {"model_version", "mlflow_run_id"}
KEY_COLUMNS = ("customer_id", "as_of_date")
STATES = {
    "lifecycle", "value_tier", "recency_days", "orders_365d_count", "net_revenue_365d_amount",
}  # fmt: skip
"""What the value history keeps of a date as the features say it."""
NAMED = "given to the model, which was learnt from these"
LEARNT = "learnt from what came after such features, and computed from those of today"
COMPUTED = "what the models forecast, or how right they were"
DRIFTED = "of each feature, and of the forecasts themselves"
FORECAST = "forecast"
FORECASTS: tuple[Column, ...] = tuple(
    (_model_key(question).to_user_string(), FORECAST) for question in QUESTIONS
)
"""Every question learns from every feature; named once per model, not once per column."""

TABLES_OF = {
    SCORES: tables.SCORES,
    DRIFT: tables.MODEL_DRIFT,
    PERFORMANCE: tables.MODEL_PERFORMANCE,
    DECILES: tables.MODEL_DECILES,
    CALIBRATION: tables.MODEL_CALIBRATION,
    HISTORY: tables.VALUE_HISTORY,
}


def origins(features: Collection[str]) -> Origins:
    """What the columns of what is predicted are made of.

    Args:
        features: Columns of `features.customer_as_of_features`.
    """
    source = FEATURES.to_user_string()
    seen = tuple((source, feature) for feature in features if feature not in KEY_COLUMNS)
    made = {model: {FORECAST: Origin((*seen, *OUTCOME), LEARNT)} for model, _ in FORECASTS}
    made |= {
        key.to_user_string(): {name: _origin(name) for name in schema.names}
        for key, schema in TABLES_OF.items()
    }
    made[DRIFT.to_user_string()] |= dict.fromkeys(
        ("subject", "stability_index"), Origin((*seen, *FORECASTS), DRIFTED)
    )
    return made


def _origin(name: str) -> Origin:
    source = FEATURES.to_user_string()
    if name in OF_QUESTION:
        return OF_QUESTION[name]
    if name in KEY_COLUMNS:
        return Origin(((source, name),))
    if name in DATES:
        return Origin(((source, "as_of_date"),))
    if name in {"scored_at_snapshot", "trained_at_snapshot"}:
        return Origin((), "the snapshot that the run reads")
    if name in CAME:
        return Origin(OUTCOME, "what came, of the customers whose forecast it is held against")
    if name in STATES:
        return Origin(((VALUES.to_user_string(), name),))
    if name == "is_backfilled":
        return Origin((), "whether the date was filled in later")
    if name == "customers_count":
        return Origin(((source, "customer_id"),))
    return Origin(FORECASTS, NAMED if name in NAMES else COMPUTED)


def predict_assets(questions: Sequence[Question], graph: ColumnGraph) -> list[dg.AssetsDefinition]:
    """Training and scoring of what is asked of the future."""
    return [_training_assets(questions, graph), _scoring_assets(questions, graph)]


def _absent(questions: Sequence[Question]) -> set[str]:
    """Models of the questions that are not asked of the home."""
    asked = {_model_key(question).to_user_string() for question in questions}
    return {model for model, _ in FORECASTS} - asked


def _spec(key: dg.AssetKey, deps: Sequence[dg.AssetKey], description: str) -> dg.AssetSpec:
    kinds = {"scikitlearn", "mlflow"} if key.path[-1] == "model" else {"python", "parquet"}
    return dg.AssetSpec(
        key, deps=deps, group_name="ml", owners=[OWNER], kinds=kinds, description=description
    )


def _training_assets(questions: Sequence[Question], graph: ColumnGraph) -> dg.AssetsDefinition:
    inputs, absent = [FEATURES, OUTCOMES], _absent(questions)
    models = [
        _spec(
            _model_key(question), inputs,
            f"The model of the {TOLD[question.family]} of the next {question.horizon_days} days,"
            " backtested and judged; promoted to champion only when the gate says so.",
        )
        for question in questions
    ]  # fmt: skip
    judged = [*inputs, *map(_model_key, questions)]
    measures = [
        _spec(PERFORMANCE, judged, "One row per question, cut-off, segment and predictor: how right"
              " the models and the baselines were, with paired intervals."),
        _spec(DECILES, judged, "One row per question, cut-off, predictor and tenth of the customers"
              " by its forecast: what was predicted and what came."),
        _spec(CALIBRATION, judged, "One row per question, cut-off and tenth of the customers by"
              " probability: how often what was said came true, intervals included."),
    ]  # fmt: skip

    @dg.multi_asset(name="training", specs=[*models, *measures])
    def train(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("predict")
        home, moment = unicus.place, unicus.moment()
        with unicus.faults_shown():
            done = run_trainings(home, moment, unicus.run_id)
            keep_made(home, [f"model_{name}" for name in MEASURES], moment)
            shown = {name: _metadata(one) | _plots(home, one) for name, one in done.items()}
        for question in questions:
            key = _model_key(question)
            yield dg.MaterializeResult(
                asset_key=key,
                metadata=shown[question.name] | graph.metadata(key, absent),
            )
        rows = _rows(home.lake)
        for key in (PERFORMANCE, DECILES, CALIBRATION):
            count = {"dagster/row_count": rows.get(f"model_{key.path[-1]}", 0)}
            yield dg.MaterializeResult(asset_key=key, metadata=count | graph.metadata(key, absent))

    return train


def _metadata(training: Training) -> dict[str, Any]:
    told = asdict(training)
    return {name: str(value) for name, value in (told.pop("stand") | told).items()}


def _plots(home: Home, training: Training) -> dict[str, Any]:
    """The drawings of a training of this run, for whoever opens the model in the UI."""
    if training.is_reused or training.mlflow_run_id is None:
        return {}
    from ml.tracking import read_plots

    return {
        name: dg.MetadataValue.md(image(name, png, "png"))
        for name, png in read_plots(home.mlflow, training.mlflow_run_id).items()
    }


def _rows(lake: Lake) -> dict[str, int]:
    """Rows that the live trainings left, by table."""
    rows: dict[str, int] = {}
    for file in (file for record in lake.live("training") for file in record.files):
        rows[file.table] = rows.get(file.table, 0) + file.rows
    return rows


def _scoring_assets(questions: Sequence[Question], graph: ColumnGraph) -> dg.AssetsDefinition:
    inputs, absent = [FEATURES, OUTCOMES, *map(_model_key, questions)], _absent(questions)
    specs = [
        _spec(SCORES, inputs, "One row per customer and question: what is expected from the run's"
              " date on, by the champion, or by a baseline that says it is one."),
        _spec(DRIFT, inputs, "One row per question and feature, and one for the scores themselves:"
              " how far the customers of today are from those of the day the champion was trained."),
        _spec(HISTORY, [*inputs, VALUES], "One row per customer with an order: what the run knows and"
              " expects at its date, kept as it is told. Past month starts are filled in by"
              " `history/month_starts`."),
    ]  # fmt: skip

    @dg.multi_asset(name="scoring", specs=specs)
    def score(unicus: UnicusRun) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        progress.stage("predict")
        with unicus.faults_shown():
            record = run_scoring(unicus.place, unicus.moment())
            keep_made(unicus.place, ["scores", "model_drift", "value_history"], unicus.moment())
        progress.note(_note(record))
        reasons = record.details["reasons"]
        for key, file in zip((SCORES, DRIFT, HISTORY), record.files, strict=True):
            metadata = {
                "dagster/row_count": file.rows,
                **reasons,
                **graph.metadata(key, absent),
            }
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return score


def _note(record: Record) -> str:
    """What the stage came to; who scored each question is in the summary."""
    asked, kept = record.details["reasons"], record.details["stale"]
    return f"{len(asked)} questions scored" + (f", {', '.join(kept)} kept" if kept else "")


def run_trainings(home: Home, moment: Moment, run_id: str) -> dict[str, Training]:
    """Train, judge and register what is due, and take over the other trainings; by question."""
    questions = read_config(home).questions
    due = [question for question in questions if question.name in moment.due]
    if due:
        dbt.refuse_unbuilt(home, {FEATURES.path[-1], OUTCOMES.path[-1]}, moment)
        _refuse_without_features(home, moment)
    done = trainings(home.lake)
    for number, question in enumerate(due, 1):
        progress.step(number, len(due), f"training {question.name}")
        done[question.name] = _train(home, moment, question, run_id)
    return {question.name: done[question.name] for question in questions}


def _train(home: Home, moment: Moment, question: Question, run_id: str) -> Training:
    """Train one question and put its last training out of force."""
    from ml.train import train_and_register

    result = train_and_register(
        question=question,
        warehouse=home.warehouse,
        mlflow_folder=home.mlflow,
        first_day=moment.first_day,
        as_of=moment.as_of,
        snapshot_id=moment.snapshot_id,
        code_hash=code_hash(),
        dagster_run_id=run_id,
    )
    stand = stand_of(moment.snapshot_id, moment.as_of, moment.first_day, read_config(home))
    told = (result.promoted, result.reason, result.model_version, result.mlflow_run_id)
    training = Training(stand, *told)
    lake = home.lake
    with lake.transaction() as transaction:
        file = f"{question.name}/{transaction.seq:010d}.parquet"
        staged = [
            lake.stage(getattr(result, name), "ml", f"model_{name}", f"{name}/{file}")
            for name in MEASURES
        ]
        old = superseded_by(question.name, lake.live("training"))
        details = details_of(question.name, training)
        transaction.commit("training", question.name, staged, supersedes=old, details=details)
    return training


def _refuse_without_features(home: Home, moment: Moment) -> None:
    """A run of everything computes the features of the training dates when it will train.

    Where nobody ordered anything there are none of any date, and training says that itself.
    """
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        rows = con.execute(
            "select distinct as_of_date from features.customer_as_of_features"
        ).fetchall()
    built = {day for (day,) in rows}
    if built and moment.training_dates and not built.intersection(moment.training_dates):
        raise SettingFault(
            "training-without-features", ", ".join(moment.due),
            "the features of its training dates are not there", where=str(home.warehouse),
            why="the last run reused its trainings, so it computed no features to learn from",
            fix="build everything:  unicus run",
        )  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What is served for one question.

    Attributes:
        scores: Schema `ml.tables.SCORES`.
        drift: Schema `ml.tables.MODEL_DRIFT`.
        reason: Who speaks and why, or why the last scores are kept.
        is_refused: Whether the guard refused the champion's scores.
    """

    scores: pa.Table
    drift: pa.Table
    reason: str
    is_refused: bool


def run_scoring(home: Home, moment: Moment) -> Record:
    """Score the customers at the run's date, all questions in one file, and keep their history."""
    from ml.value_history import value_history

    lake, config = home.lake, read_config(home)
    dbt.refuse_unbuilt(home, SCORED_FROM, moment)
    asked = champions_asked(home, config)
    answers: dict[str, Answer] = {}
    for count, question in enumerate(config.questions, 1):
        progress.step(count, len(config.questions), f"scoring {question.name}")
        answers[question.name] = _answer(home, moment, question)
    refused = [name for name, answer in answers.items() if answer.is_refused]
    details = {
        "as_of": str(moment.as_of),
        "first_day": str(moment.first_day),
        "reasons": {name: answer.reason for name, answer in answers.items()},
        "stale": refused,
        "champions": {name: asked[name] for name in asked if name not in refused},
    }
    scores = pa.concat_tables([tables.SCORES.empty_table(), *(a.scores for a in answers.values())])
    drift = pa.concat_tables(
        [tables.MODEL_DRIFT.empty_table(), *(a.drift for a in answers.values())]
    )
    history = value_history(home.warehouse, moment.as_of, scores, is_backfilled=False)
    with lake.transaction() as transaction:
        number = f"{transaction.seq:010d}"
        file = f"as_of={moment.as_of}/{number}.parquet"
        staged = [
            lake.stage(scores, "ml", "scores", f"scores/{file}"),
            lake.stage(drift, "ml", "model_drift", f"drift/{file}"),
            lake.stage(history, "ml", "value_history", f"history/{file}"),
        ]
        old = [r.seq for r in lake.live("scores") if r.details["as_of"] == str(moment.as_of)]
        return transaction.commit("scores", number, staged, supersedes=old, details=details)


def _answer(home: Home, moment: Moment, question: Question) -> Answer:
    """Score one question; when the guard refuses, keep the last scores as stale."""
    from ml.score import score, score_with_baseline

    place: dict[str, Any] = {
        "question": question,
        "warehouse": home.warehouse,
        "mlflow_folder": home.mlflow,
        "first_day": moment.first_day,
        "as_of": moment.as_of,
        "snapshot_id": moment.snapshot_id,
    }
    result = score(**place)
    if result.scores is not None:
        return Answer(result.scores, result.drift, result.reason, is_refused=False)
    kept = _last_scores(home.lake, moment, question)
    if kept is not None:
        reason = f"{result.reason}; the last ones are kept"
        return Answer(kept, result.drift, reason, is_refused=True)
    fallback = score_with_baseline(**place)
    reason = f"{result.reason}; {fallback.reason}"
    return Answer(fallback.scores, result.drift, reason, is_refused=True)


def champions_that_scored(lake: Lake, as_of: date) -> dict[str, str]:
    """The champion's version by question when the live scores of a date were made; none if refused."""
    scored = [r for r in lake.live("scores") if r.details["as_of"] == str(as_of)]
    return dict(scored[-1].details.get("champions", {})) if scored else {}


def _last_scores(lake: Lake, moment: Moment, question: Question) -> pa.Table | None:
    """The newest scores by a model, not later than the moment, marked stale; None without any.

    A rule's are not kept: it needs no guard, and speaks anew each day.
    """
    from pyarrow import parquet

    before = [
        (record.details["as_of"], record.seq, file)
        for record in lake.live("scores")
        for file in record.files
        if file.table == "scores" and date.fromisoformat(record.details["as_of"]) <= moment.as_of
    ]
    for *_, file in sorted(before, key=lambda one: one[:2], reverse=True):
        asked = [("model_name", "=", question.name), ("is_baseline", "=", False)]
        table = parquet.read_table(lake.path(file), filters=asked)
        if table.num_rows:
            return _stale(table, moment.as_of)
    return None


def _stale(table: pa.Table, as_of: date) -> pa.Table:
    for name, value in (("is_stale", True), ("as_of_date", as_of)):
        index = table.schema.get_field_index(name)
        column = pa.repeat(pa.scalar(value, table.schema.field(name).type), table.num_rows)
        table = table.set_column(index, table.schema.field(name), column)
    return table
