"""Forgetting: which training runs nobody needs any more, and how they leave the tracking store.

Belongs here: runs with their versions, models and files. Does not belong here: how long they are kept
(a setting) and which of them the lake still names (whoever asks).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ml.tracking import ARTIFACTS, PROMOTED_TAG, address, connect, has_models, read_versions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import Run

    from ml.tracking import Version


@dataclass(frozen=True)
class OldTraining:
    """A run that nobody needs any more.

    Attributes:
        run_id: The run.
        versions: Model and number of the versions it made, none of which ever was champion.
        models: Ids of the models it logged.
        folders: Where its files lie, as far as that is in this store.
    """

    run_id: str
    versions: tuple[tuple[str, str], ...]
    models: tuple[str, ...]
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class OldTrainings:
    """The runs to forget, and what is left without them.

    Attributes:
        gone: The runs to forget, oldest first.
        kept: Ids of the runs that stay.
        oldest_kept: When the oldest of them began.
    """

    gone: tuple[OldTraining, ...] = ()
    kept: frozenset[str] = frozenset()
    oldest_kept: datetime | None = None


def old_trainings(folder: Path, before: datetime, needed: Collection[str]) -> OldTrainings:
    """Find the runs that began before a time and made no version that somebody may go back to.

    Every version that is or was champion stays, and the newest of each model; so does a run that says
    that what it made was promoted.

    Args:
        folder: Folder of the tracking store; need not exist.
        before: Older ones go.
        needed: Ids of runs that stay for another reason.
    """
    if not has_models(folder):
        return OldTrainings()
    client, versions = connect(folder), read_versions(folder)
    newest = {version.name: version.number for version in reversed(versions)}
    stays = {
        one.run_id for one in versions
        if one.is_champion or one.terms or newest[one.name] == one.number
    }.union(needed)  # fmt: skip
    runs = sorted(_every_run(client), key=lambda run: run.info.start_time)
    gone = [
        run for run in runs
        if _began(run) < before and run.info.run_id not in stays
        and PROMOTED_TAG not in run.data.tags
    ]  # fmt: skip
    kept = [run for run in runs if run not in gone]
    return OldTrainings(
        tuple(_old_training(client, folder, run, versions) for run in gone),
        frozenset(run.info.run_id for run in kept),
        min(map(_began, kept), default=None),
    )


def forget_training(folder: Path, run: OldTraining) -> None:
    """Delete a run with its versions, models and files for good.

    The run itself goes last, so that after a kill the rest of it is found again. By hand, since
    MLflow's command for it would empty the whole of its trash, and with it what was put there
    yesterday.

    Args:
        folder: Folder of the tracking store.
        run: The run.
    """
    from mlflow.tracking._tracking_service.utils import _get_store

    client = connect(folder)
    store = _get_store(address(folder))  # type: ignore[no-untyped-call]
    for name, number in run.versions:
        client.delete_model_version(name, number)
    for place in run.folders:
        if place.exists():
            shutil.rmtree(place)
        if place.parent.exists() and not any(place.parent.iterdir()):
            place.parent.rmdir()
    for model in run.models:
        store._hard_delete_logged_model(model)
    store._hard_delete_run(run.run_id)


def _every_run(client: MlflowClient) -> list[Run]:
    """Every run of every experiment, those in the trash too."""
    from mlflow.entities import ViewType

    experiments = client.search_experiments(view_type=ViewType.ALL)
    runs: list[Run] = []
    for experiment in experiments:
        token = None
        while True:
            page = client.search_runs(
                [experiment.experiment_id], run_view_type=ViewType.ALL, max_results=1000,
                page_token=token,
            )  # fmt: skip
            runs += page
            token = page.token
            if not token:
                break
    return runs


def _began(run: Run) -> datetime:
    return datetime.fromtimestamp(run.info.start_time / 1000, UTC)


def _old_training(
    client: MlflowClient, folder: Path, run: Run, versions: Sequence[Version]
) -> OldTraining:  # fmt: skip
    """Tell what a run left; a copied home names the files of the first one, which are not its own."""
    info, own = run.info, (folder / ARTIFACTS).resolve()
    models = client.search_logged_models(
        [info.experiment_id], filter_string=f"source_run_id = '{info.run_id}'"
    )
    uris = [info.artifact_uri, *(model.artifact_location for model in models)]
    places = [Path(url2pathname(urlsplit(uri).path)).resolve() for uri in uris]
    return OldTraining(
        run_id=info.run_id,
        versions=tuple((v.name, v.number) for v in versions if v.run_id == info.run_id),
        models=tuple(model.model_id for model in models),
        folders=tuple(place for place in places if own in place.parents),
    )
