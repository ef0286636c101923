"""The tracking store: runs, registered models, the champion. MLflow is imported here and in `forgetting`.

Belongs here: writing a run with its model, loading the champion back and saying who is champion,
in one SQLite file and one artifact folder of the home. Does not belong here: what a run says (each
question has its record), whether a model is promoted (`ml.gate`) and how old runs are deleted
(`ml.forgetting`).

Models are kept in the skops format and loaded with our own list of trusted types. MLflow's own
loader takes that list from the model's folder, where whoever plants a model also writes the list,
and it would unpickle; so it stays switched off.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version as installed_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from intake.lake import write_text_durably
from ml.errors import MlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from ml.gate import Champion

Found = TypeVar("Found")

CHAMPION = "champion"
TERMS_TAG = "champion_terms"
PROMOTED_TAG = "promoted"
"""Tag of a run that made no registered model and stays, for what it made was in use."""

STORE = "mlflow.db"
DATABASE = "database"
"""Names the PostgreSQL database that holds the store instead, where there is one."""

ARTIFACTS = "artifacts"
PATH_COLUMNS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""Where MLflow keeps full paths, by table."""
TRUSTED_TYPES = [
    "ml.btyd.bg_nbd.BetaGeoNBD",
    "ml.btyd.gamma_gamma.GammaGamma",
    "ml.clv.model.CustomerValue",
    "ml.propensity.model.OrderProbability",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
]
REQUIREMENTS = ("scikit-learn", "skops", "numpy", "pandas")
NOTE_TAG = "mlflow.note.content"
ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_CONFIGURE_LOGGING": "0",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class Metric(NamedTuple):
    """A figure of a run; the step says which cut-off it belongs to."""

    name: str
    value: float
    step: int


@dataclass(frozen=True)
class RunRecord:
    """What a run says.

    Attributes:
        experiment: The question, `clv_90d`.
        note: The experiment's sentence.
        name: Name of the run.
        description: What came out of it.
        params: How the model was made.
        metrics: How good it is.
        tags: Where it comes from; `predictor` and `as_of` are read back with the model.
        figures: Drawings by artifact path.
        tables: Frames by name, kept as Parquet; ids are opaque, no customer attributes.
        texts: What else it keeps, by artifact path.
    """

    experiment: str
    note: str
    name: str
    description: str
    params: Mapping[str, str]
    metrics: Sequence[Metric]
    tags: Mapping[str, str]
    figures: Mapping[str, Figure]
    tables: Mapping[str, pd.DataFrame]
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRecord:
    """A fitted model to register.

    Attributes:
        name: Name in the registry.
        estimator: A scikit-learn estimator.
        features: A few rows of its input; the columns become its signature.
        description: Why this version was promoted or not.
        promoted: Whether it becomes the champion.
        best_baseline: What is served while there is no champion.
    """

    name: str
    estimator: Any
    features: pd.DataFrame
    description: str
    promoted: bool
    best_baseline: str


@dataclass(frozen=True)
class Registered:
    """Where a model ended up."""

    version: str
    run_id: str


@dataclass(frozen=True)
class LoadedModel:
    """The champion, ready to predict.

    Attributes:
        estimator: Fitted scikit-learn estimator.
        version: Version in the registry.
        run_id: Run that made it.
        feature_names: Columns of its signature, in order.
        predictor: What kind of model it is.
        as_of: It has seen nothing dated on or after this date.
    """

    estimator: Any
    version: str
    run_id: str
    feature_names: tuple[str, ...]
    predictor: str
    as_of: date


class Term(NamedTuple):
    """From when to when a version was champion, ISO 8601 in UTC.

    The start is None when nobody wrote it down, the end while nobody followed.
    """

    start: str | None
    end: str | None


@dataclass(frozen=True)
class Version:
    """A registered version as the store lists it.

    Attributes:
        name: The model it is a version of.
        number: Its number, `3`.
        created_at: When it was registered.
        run_id: Run that made it.
        reason: Why it was promoted or not.
        is_champion: Whether it makes the scores now.
        terms: When it was champion, oldest first.
    """

    name: str
    number: str
    created_at: datetime
    run_id: str
    reason: str
    is_champion: bool
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class _Place:
    """Where the champion lies below the store's folder and what is said of it, in the types of JSON."""

    path: str
    version: str
    run_id: str
    feature_names: list[str]
    predictor: str
    as_of: str


def register(folder: Path, run: RunRecord, model: ModelRecord) -> Registered:
    """Write a run and its model, and move the champion when it was promoted.

    The alias moves last: a training killed half-way leaves the old champion in place.

    Args:
        folder: Folder of the tracking store, made if missing.
        run: What the run says.
        model: The model it made.
    """
    client = connect(folder)
    run_id = client.create_run(
        _experiment_id(client, folder, run), run_name=run.name, tags=dict(run.tags)
    ).info.run_id
    try:
        _write_run(client, run_id, run)
        version = _write_model(client, run_id, run, model)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")
    client.set_registered_model_tag(model.name, "best_baseline", model.best_baseline)
    if model.promoted:
        _crown(client, model.name, version)
    return Registered(version, run_id)


def keep_run(folder: Path, run: RunRecord) -> str:
    """Write a run that made no scikit-learn model; return its id."""
    client = connect(folder)
    run_id: str = client.create_run(
        _experiment_id(client, folder, run), run_name=run.name, tags=dict(run.tags)
    ).info.run_id
    try:
        _write_run(client, run_id, run)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")
    return run_id


def crown(folder: Path, name: str, number: str) -> None:
    """Make a registered version the champion and write down since when.

    Args:
        folder: Folder of the tracking store.
        name: Name in the registry.
        number: The version.
    """
    _crown(connect(folder), name, number)


def champions(folder: Path) -> dict[str, str]:
    """Give the champion's version by model, from the store's own file.

    MLflow would take three CPU seconds to say so, also on a day when nothing is new.

    Args:
        folder: Folder of the tracking store; need not exist.
    """
    asked = (
        "select name, cast(version as varchar) from registered_model_aliases"
        " where alias = ? order by name"
    )
    return dict(_select(folder, asked, CHAMPION))


def has_models(folder: Path) -> bool:
    """Whether the store was ever made.

    Args:
        folder: Folder of the tracking store; need not exist.
    """
    if _database(folder):
        return bool(_select(folder, "select 1 from registered_models limit 1"))
    return (folder / STORE).exists()


def read_versions(folder: Path) -> list[Version]:
    """List every version of every model, newest first.

    Args:
        folder: Folder of the tracking store; need not exist.
    """
    if not has_models(folder):
        return []
    champion = champions(folder)
    found = connect(folder).search_model_versions(max_results=10_000)
    versions = [
        Version(
            name=one.name,
            number=str(one.version),
            created_at=datetime.fromtimestamp(one.creation_timestamp / 1000, UTC),
            run_id=str(one.run_id),
            reason=one.description or "",
            is_champion=champion.get(one.name) == str(one.version),
            terms=tuple(_terms(one)),
        )
        for one in found
    ]
    return sorted(versions, key=lambda one: int(one.number), reverse=True)


def champion_before(versions: Sequence[Version]) -> Version | None:
    """Find who was champion when the one of today first became it; None when nobody is known.

    The first time and not the last: a version that came back by a rollback followed one that was
    given up, and going back once more must not return to that.

    Args:
        versions: All versions of one model.
    """
    return next(champions_before(versions), None)


def champions_before(versions: Sequence[Version]) -> Iterator[Version]:
    """List whom the champion followed, whom that one followed, and so on, none that was given up.

    Args:
        versions: All versions of one model.
    """
    after = next((one for one in versions if one.is_champion), None)
    while after and after.terms and after.terms[0].start:
        start = after.terms[0].start
        after = next((one for one in versions for term in one.terms if term.end == start), None)
        if after:
            yield after


def load_version(folder: Path, name: str, number: str) -> LoadedModel:
    """Load a version without unpickling anything, as scoring would if it were the champion.

    Args:
        folder: Folder of the tracking store.
        name: Name in the registry.
        number: The version.

    Raises:
        MlError: Its files are missing, of another format, or hold a type that is not trusted.
    """
    try:
        return _load(folder, _find_place(folder, name, number))
    except Exception as error:  # as for the champion
        raise MlError(
            "version-unusable",
            f"{name} version {number}",
            where=str(folder),
            why=f"the version cannot be loaded ({type(error).__name__})",
            fix="choose another one:  unicus models",
        ) from error


def load_champion(folder: Path, name: str) -> LoadedModel | None:
    """Load the champion without unpickling anything.

    Where it lies is kept beside the store for as long as the store stays as it is, so that a day
    that only scores need not import MLflow, which costs three CPU seconds.

    Args:
        folder: Folder of the tracking store; need not exist.
        name: Name in the registry.

    Raises:
        MlError: There is a champion, and its files are missing, of another format, or hold a type
            that is not trusted.
    """
    if not has_models(folder):
        return None
    stamp = _stamp(folder, name)
    place = _kept_place(folder, name, stamp)
    champion = place or _champion_version(folder, name)
    if champion is None:
        return None
    try:
        if place is None:
            place = _find_place(folder, name, str(champion.version))
            _keep_place(folder, name, stamp, place)
        return _load(folder, place)
    except Exception as error:  # whatever a damaged or planted model raises, it is not served
        raise MlError(
            "champion-unusable",
            f"{name} version {champion.version}",
            where=str(folder),
            # Its kind alone: what it says may hold a path or a value.
            why=f"the champion cannot be loaded ({type(error).__name__})",
            fix="go back to a version that loads:  unicus models rollback NAME --to VERSION",
        ) from error


def load_champion_of(folder: Path, name: str, as_of: date) -> LoadedModel | None:
    """Load the champion, or the one before it, and so on, that has seen nothing on or after a date.

    Args:
        folder: Folder of the tracking store; need not exist.
        name: Name in the registry.
        as_of: The date.

    Raises:
        MlError: As for `load_champion`.
    """
    champion = load_champion(folder, name)
    if champion is None or champion.as_of <= as_of:
        return champion
    versions = [one for one in read_versions(folder) if one.name == name]
    for version in champions_before(versions):
        earlier = load_version(folder, name, version.number)
        if earlier.as_of <= as_of:
            return earlier
    return None


def read_champion(folder: Path, name: str) -> Champion | None:
    """Read what the gate compares a challenger with, without loading the model.

    A backtest that cannot be read counts as empty: there is nothing to compare with.

    Args:
        folder: Folder of the tracking store; need not exist.
        name: Name in the registry.
    """
    version = _champion_version(folder, name)
    if version is None:
        return None
    import pandas as pd
    from mlflow.exceptions import MlflowException

    from ml.gate import BACKTEST_KEYS, Champion

    client, run_id = connect(folder), str(version.run_id)
    columns = [*BACKTEST_KEYS, "predicted"]
    # Without a folder of our own MLflow leaves its copy, with customers in it, in the temp folder.
    with TemporaryDirectory() as scratch:
        try:
            path = client.download_artifacts(run_id, "tables/backtest.parquet", scratch)
            backtest = pd.read_parquet(path, columns=columns)
        except (OSError, ValueError, MlflowException):  # gone, or of an older release
            backtest = pd.DataFrame(columns=columns)
    recipe = client.get_run(run_id).data.tags.get("recipe", "")
    return Champion(str(version.version), recipe, backtest)


def read_plots(folder: Path, run_id: str) -> dict[str, bytes]:
    """Read the drawings of a run, as PNG by name.

    Args:
        folder: Folder of the tracking store.
        run_id: A run with drawings.
    """
    with TemporaryDirectory() as scratch:
        plots = Path(connect(folder).download_artifacts(run_id, "plots", scratch))
        return {file.stem: file.read_bytes() for file in sorted(plots.glob("*.png"))}


def best_baseline(folder: Path, name: str, as_of: date) -> str | None:
    """Name the baseline that did best in the last training, None before any.

    None too when that training saw something dated on or after `as_of`.
    """
    if not has_models(folder):
        return None
    client = connect(folder)
    model = _or_none(lambda: client.get_registered_model(name))
    if model is None:
        return None
    found = client.search_model_versions(f"name = '{name}'", max_results=10_000)
    newest = max(found, key=lambda one: int(one.version), default=None)
    if newest is None:  # killed before its first version
        return None
    trained_as_of = client.get_run(str(newest.run_id)).data.tags["as_of"]
    return model.tags.get("best_baseline") if date.fromisoformat(trained_as_of) <= as_of else None


def address(folder: Path) -> str:
    """Where the store is, as MLflow's own commands take it.

    Args:
        folder: Folder of the tracking store; need not exist.
    """
    return _database(folder) or f"sqlite:///{(folder / STORE).resolve()}"


def follow_a_move(folder: Path) -> None:
    """Tell a store that was moved, or copied, with its folder where its files lie now.

    Every use of the store by this module does so; this is for MLflow's own server.
    """
    connect(folder)


def _database(folder: Path) -> str | None:
    named = folder / DATABASE
    return named.read_text("utf-8") if named.exists() else None


def _select(folder: Path, sql: str, *values: str) -> list[Any]:
    """Ask the store without MLflow, which takes three CPU seconds to be imported.

    Nothing comes of a store that was not made to its end: MLflow mends it, or says what is wrong.
    """
    database = _database(folder)
    if database:
        import psycopg2

        with (
            closing(psycopg2.connect(database.replace("+psycopg2", "", 1))) as con,
            con.cursor() as cursor,
        ):
            try:
                cursor.execute(sql.replace("?", "%s"), values)
            except psycopg2.errors.UndefinedTable:
                return []
            return list(cursor.fetchall())
    if not (folder / STORE).exists():
        return []
    uri = f"{(folder / STORE).absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as con:
            return con.execute(sql, values).fetchall()
    except sqlite3.Error:
        return []


def connect(folder: Path) -> MlflowClient:
    """Open the store of this folder; MLflow reads its settings when it is first imported."""
    os.environ.update(ENVIRONMENT)
    import mlflow

    folder.mkdir(parents=True, exist_ok=True)
    uri = address(folder)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    _tell_place(client, uri, folder)
    return client


def _tell_place(client: MlflowClient, uri: str, folder: Path) -> None:
    """Tell a store that was moved or copied with its folder where its files lie now.

    MLflow knows them by their full path: a copy would read, and write, the files of the first.
    """
    here = _artifacts(folder).as_uri()
    places = {one.name: one.artifact_location for one in client.search_experiments()}
    of_ours = {
        place.removesuffix(f"/{name}")
        for name, place in places.items()
        if place.endswith(f"/{ARTIFACTS}/{name}")
    }
    if of_ours <= {here}:
        return
    from sqlalchemy import create_engine, text

    with create_engine(uri).begin() as con:
        for old in of_ours - {here}:
            for table, column in PATH_COLUMNS.items():
                con.execute(
                    text(
                        f"update {table} set {column} = :here || substr({column}, :rest + 1)"
                        f" where substr({column}, 1, :rest) = :old"
                    ),
                    {"here": f"{here}/", "old": f"{old}/", "rest": len(old) + 1},
                )


def _artifacts(folder: Path) -> Path:
    return (folder / ARTIFACTS).resolve()


def _experiment_id(client: MlflowClient, folder: Path, run: RunRecord) -> str:
    """Find the experiment or make it; by default its files would go to the current folder."""
    experiment = client.get_experiment_by_name(run.experiment)
    if experiment:
        return str(experiment.experiment_id)
    location = f"{_artifacts(folder).as_uri()}/{run.experiment}"
    tags = {NOTE_TAG: run.note}
    return str(client.create_experiment(run.experiment, artifact_location=location, tags=tags))


def _write_run(client: MlflowClient, run_id: str, run: RunRecord) -> None:
    from mlflow.entities import Metric as LoggedMetric
    from mlflow.entities import Param, RunTag

    now = client.get_run(run_id).info.start_time
    client.log_batch(
        run_id,
        metrics=[LoggedMetric(name, value, now, step) for name, value, step in run.metrics],
        params=[Param(name, value) for name, value in run.params.items()],
        tags=[RunTag(NOTE_TAG, run.description)],
    )
    for path, figure in run.figures.items():
        client.log_figure(run_id, figure, path)
    for path, text in run.texts.items():
        client.log_text(run_id, text, path)
    with TemporaryDirectory() as scratch:
        for name, table in run.tables.items():
            file = Path(scratch) / f"{name}.parquet"
            table.to_parquet(file, index=False)
            client.log_artifact(run_id, str(file), "tables")


def _write_model(client: MlflowClient, run_id: str, run: RunRecord, model: ModelRecord) -> str:
    """Log the model to its run and create a version; the fluent twin of the client prints."""
    import mlflow

    newest_step = max((metric.step for metric in run.metrics), default=0)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.sklearn.log_model(
            model.estimator,
            name="model",
            step=newest_step,
            signature=_signature(model.features),
            pip_requirements=[f"{name}=={installed_version(name)}" for name in REQUIREMENTS],
            serialization_format="skops",
            skops_trusted_types=TRUSTED_TYPES,
        )
    if not _or_none(lambda: client.get_registered_model(model.name)):
        client.create_registered_model(model.name, description=run.note)
    return str(
        client.create_model_version(
            model.name,
            source=logged.model_uri,
            run_id=run_id,
            model_id=logged.model_id,
            description=model.description,
        ).version
    )


def _signature(features: pd.DataFrame) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    return ModelSignature(
        inputs=Schema([ColSpec(DataType.double, name) for name in features.columns]),
        outputs=Schema([ColSpec(DataType.double)]),
    )


def _crown(client: MlflowClient, name: str, number: str) -> None:
    """End the term of one version, begin that of another, and then move the alias.

    Who follows whom is told by equal times, so a kill in between leaves nothing that misleads.
    """
    now = datetime.now(UTC).isoformat()
    before = _or_none(lambda: client.get_model_version_by_alias(name, CHAMPION))
    if before and str(before.version) != number:
        *earlier, last = _terms(before) or [Term(None, None)]
        # A closed one is of another time: since then the alias was moved by hand.
        ended = [Term(last.start, now)] if last.end is None else [last, Term(None, now)]
        _write_terms(client, name, str(before.version), [*earlier, *ended])
    mine = _terms(client.get_model_version(name, number))
    _write_terms(client, name, number, [*mine, Term(now, None)])
    client.set_registered_model_alias(name, CHAMPION, number)


def _terms(version: ModelVersion) -> list[Term]:
    return [Term(*pair) for pair in json.loads(version.tags.get(TERMS_TAG, "[]"))]


def _write_terms(client: MlflowClient, name: str, number: str, terms: Sequence[Term]) -> None:
    client.set_model_version_tag(name, number, TERMS_TAG, json.dumps(terms))


def _champion_version(folder: Path, name: str) -> ModelVersion | None:
    if not has_models(folder):
        return None
    client = connect(folder)
    return _or_none(lambda: client.get_model_version_by_alias(name, CHAMPION))


def _or_none(look_up: Callable[[], Found]) -> Found | None:
    """Look something up that may not exist yet; any other fault of the store is raised."""
    from mlflow.exceptions import MlflowException

    try:
        return look_up()
    except MlflowException as error:
        # An alias that is not set is reported as an invalid parameter.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _find_place(folder: Path, name: str, number: str) -> _Place:
    """Ask the store where a version lies and what is said of it."""
    from mlflow.models import Model

    client = connect(folder)
    run_id = str(client.get_model_version(name, number).run_id)
    uri = client.get_model_version_download_uri(name, number)
    path = Path(url2pathname(urlsplit(uri).path))
    description = Model.load(str(path))
    flavor = description.flavors["sklearn"]
    if flavor["serialization_format"] != "skops":
        raise ValueError(f"its format is {flavor['serialization_format']}, only skops is loaded")
    tags = client.get_run(run_id).data.tags
    return _Place(
        path=str((path / flavor["pickled_model"]).relative_to(folder.resolve())),
        version=number,
        run_id=run_id,
        feature_names=list(description.signature.inputs.input_names()),
        predictor=tags["predictor"],
        as_of=tags["as_of"],
    )


def _load(folder: Path, place: _Place) -> LoadedModel:
    import skops.io

    return LoadedModel(
        estimator=skops.io.load(folder / place.path, trusted=TRUSTED_TYPES),
        version=place.version,
        run_id=place.run_id,
        feature_names=tuple(place.feature_names),
        predictor=place.predictor,
        as_of=date.fromisoformat(place.as_of),
    )


def _stamp(folder: Path, name: str) -> list[Any]:
    """What changes with the champion: an alias moved by hand, a version changed or deleted."""
    asked = (
        "select version, run_id, storage_location, last_updated_time"
        " from registered_model_aliases join model_versions using (name, version)"
        " where name = ? and alias = ?"
    )
    return [list(row) for row in _select(folder, asked, name, CHAMPION)]


def _kept_place(folder: Path, name: str, stamp: list[Any]) -> _Place | None:
    try:
        kept = json.loads(_place_path(folder, name).read_text("utf-8"))
        return _Place(**kept["place"]) if kept["stamp"] == stamp else None
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _keep_place(folder: Path, name: str, stamp: list[Any], place: _Place) -> None:
    write_text_durably(
        _place_path(folder, name), json.dumps({"stamp": stamp, "place": asdict(place)})
    )


def _place_path(folder: Path, name: str) -> Path:
    return folder / f"champion-{name}.json"
