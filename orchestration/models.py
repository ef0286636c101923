"""The models of a home as `unicus models` lists them, and how `unicus models rollback` moves a champion.

Versions and champions come from the tracking store, their figures from what each training left in the
lake. Whether a new version is promoted is decided in `ml/gate.py`.
"""

from __future__ import annotations

import difflib
import math
import shlex
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ml import tracking
from ml.errors import MlError
from ml.questions import BY_NAME
from orchestration.console import aligned
from orchestration.retraining import undone_files
from orchestration.settings import Home, SettingFault, require_home
from orchestration.status import undone_text
from serving.publish import read_publication

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ml.tracking import Version

MODELS_SCHEMA = "unicus.models/1"
ROLLBACK_SCHEMA = "unicus.rollback/1"
WHOLE = "all"
"""The segment of every customer."""

MEASURES = {"ngini_rate": "ngini", "bias_rate": "bias_ratio", "decile_error_rate": "decile_error"}
GAIN = {
    "ngini_gain_rate": "ngini_gain",
    "ngini_gain_low_rate": "ngini_gain_low",
    "ngini_gain_high_rate": "ngini_gain_high",
}
"""Columns of the figures by their name in `unicus.models/1`, which keeps its words."""

FIGURES = (
    "as_of", "snapshot_id", "predictor", "cutoff_date", *MEASURES, "best_baseline", *GAIN,
)  # fmt: skip
HOLDS = "until a training on new data passes the gate: its version is promoted as usual"


def read_models(home: Home) -> dict[str, Any]:
    """Collect the models as one JSON object, versions newest first.

    Raises:
        SettingFault: no home.
    """
    require_home(home)
    found = tracking.read_versions(home.mlflow)
    figures = _figures(home) if found else {}
    by_name = groupby(sorted(found, key=lambda one: one.name), key=lambda one: one.name)
    undone = undone_files(home)
    models = [
        {
            "name": name,
            "undone_files": undone.get(name, []),
            "versions": [_told(one, figures.get(one.run_id, {})) for one in versions],
        }
        for name, versions in by_name
    ]
    return {"schema": MODELS_SCHEMA, "home": str(home.root), "models": models}


def _told(version: Version, figures: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": version.number,
        "is_champion": version.is_champion,
        "champion_terms": [term._asdict() for term in version.terms],
        "trained_at": version.created_at.isoformat(timespec="seconds"),
        **{name: figures.get(name) for name in FIGURES},
        "reason": version.reason,
        "mlflow_run_id": version.run_id,
    }


def _figures(home: Home) -> dict[str, dict[str, Any]]:
    """What each training found at its newest cut-off, by the run that made the version."""
    import duckdb

    from intake.sql import literals

    lake = home.lake
    files = [
        str(lake.path(file))
        for record in lake.records()
        if record.kind == "training" and "question" in record.details
        for file in record.files
        if file.table == "model_performance" and lake.path(file).exists()
    ]
    if not files:
        return {}
    with duckdb.connect() as con:
        rows = con.execute(
            f"select * from read_parquet({literals(files)}, union_by_name = true)"
            f" where segment = '{WHOLE}'"
        ).df()
    return {str(run): _newest(of_run) for run, of_run in rows.groupby("mlflow_run_id")}


def _newest(rows: pd.DataFrame) -> dict[str, Any]:
    from ml.gate import best_baseline

    question = BY_NAME[str(rows["model_name"].iloc[0])]
    newest = rows[rows["cutoff_date"] == rows["cutoff_date"].max()].set_index("predictor")
    model, baseline = newest[newest["is_model"]].iloc[0], best_baseline(rows, question)
    return {
        "as_of": f"{model['trained_as_of']:%Y-%m-%d}",
        "snapshot_id": model["trained_at_snapshot"],
        "predictor": model.name,
        "cutoff_date": f"{model['cutoff_date']:%Y-%m-%d}",
        **{name: _known(model[column]) for name, column in MEASURES.items()},
        "best_baseline": baseline,
        **{name: _known(newest.loc[baseline, column]) for name, column in GAIN.items()},
    }


def _known(figure: float) -> float | None:
    return float(figure) if math.isfinite(figure) else None


def models_text(value: dict[str, Any]) -> str:
    """The models as a person reads them."""
    if not value["models"]:
        return f"No model in {value['home']}"
    more = f"more  unicus models rollback {value['models'][0]['name']} --dry-run"
    return "\n\n".join([*map(_model_text, value["models"]), more])


def _model_text(model: dict[str, Any]) -> str:
    head = ("version", "trained", "as of", "snapshot", "predictor", "cut-off", "ngini", "total",
            "decile error", "gain over the best baseline", "champion")  # fmt: skip
    rows = [
        (one["version"], _minute(one["trained_at"]), one["as_of"] or "", one["snapshot_id"] or "",
         one["predictor"] or "", one["cutoff_date"] or "", _shown(one["ngini_rate"], ".3f"),
         _shown(one["bias_rate"], "+.1%", less=1), _shown(one["decile_error_rate"], ".1%"),
         _gain_text(one), _champion_text(one))
        for one in model["versions"]
    ]  # fmt: skip
    whys = [(one["version"], one["mlflow_run_id"], one["reason"]) for one in model["versions"]]
    tables = aligned([head, *rows]), aligned([("version", "MLflow run", "why"), *whys])
    warned = [f"  warned  {undone_text(model)}"] if model["undone_files"] else []
    return "\n\n".join([f"{model['name']}\n{tables[0]}", tables[1], *warned])


def _shown(figure: float | None, form: str, less: float = 0) -> str:
    return "" if figure is None else format(figure - less, form)


def _gain_text(version: dict[str, Any]) -> str:
    gain, low, high = (_shown(version[name], "+.3f") for name in GAIN)
    return f"{gain} ({low} to {high}) {version['best_baseline']}" if gain else ""


def _champion_text(version: dict[str, Any]) -> str:
    if not version["is_champion"]:
        return ""
    start = version["champion_terms"][-1]["start"] if version["champion_terms"] else None
    return f"since {_minute(start)}" if start else "yes"


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


@dataclass(frozen=True)
class Rollback:
    """What a rollback would do.

    Attributes:
        champion: who makes the scores now, None for a baseline.
        target: who would make them.
    """

    home: Home
    champion: Version | None
    target: Version

    @property
    def is_done(self) -> bool:
        """Whether it is already so."""
        return self.champion == self.target

    @property
    def subject(self) -> str:
        """What an error about it names."""
        return self.target.name

    @property
    def verb(self) -> str:
        """The command line that does it."""
        return self._verb(self.target)

    @property
    def back(self) -> str:
        """The command line that takes it back, if it can be."""
        return self._verb(self.champion) if self.champion else ""

    @property
    def next(self) -> str:
        """The command line that scores with the new champion."""
        return f"unicus run --home {shlex.quote(str(self.home.root))}"

    def _verb(self, version: Version) -> str:
        named = f"{version.name} --to {version.number}"
        return f"unicus models rollback {named} --home {shlex.quote(str(self.home.root))}"


def plan_rollback(home: Home, name: str, number: str) -> Rollback:
    """Find the version, the one before the champion without a number, and make sure it can score.

    Raises:
        SettingFault: no home, model or version of this name, none before the champion, or one that
            was trained later than the home stands.
        MlError: the version cannot be loaded, or needs other features than there are.
    """
    require_home(home)
    # Before MLflow: skops looks through every loaded module, which takes two seconds more after it.
    import skops.io  # noqa: F401

    found = tracking.read_versions(home.mlflow)
    versions = [one for one in found if one.name == name]
    if not versions:
        raise _no_such_model(home, name, sorted({one.name for one in found}))
    champion = next((one for one in versions if one.is_champion), None)
    target = _version(home, versions, number) if number else _before(home, versions)
    if target != champion:
        _refuse_unable(home, target)
    return Rollback(home, champion, target)


def _no_such_model(home: Home, name: str, known: list[str]) -> SettingFault:
    near = difflib.get_close_matches(name, known, n=1)
    return SettingFault(
        "no-such-model", name, f'there is no model "{name}"', where=str(home.mlflow),
        why=f"the models there are: {', '.join(known) or 'none yet'}",
        fix=f"unicus models rollback {near[0]}" if near else "unicus models",
    )  # fmt: skip


def _version(home: Home, versions: Sequence[Version], number: str) -> Version:
    for one in versions:
        if one.number == number:
            return one
    raise SettingFault(
        "no-such-version", f"{versions[0].name} version {number}", "there is no such version",
        where=str(home.mlflow),
        why=f"the versions there are: {', '.join(one.number for one in versions)}",
        fix="unicus models    (lists them with their evidence)",
    )  # fmt: skip


def _before(home: Home, versions: Sequence[Version]) -> Version:
    before = tracking.champion_before(versions)
    if before:
        return before
    champion = next((one.number for one in versions if one.is_champion), None)
    raise SettingFault(
        "no-earlier-champion", versions[0].name, "there is no earlier champion to go back to",
        where=str(home.mlflow),
        why=f"version {champion} followed nobody that is written down" if champion
        else "no version is champion, so a baseline makes the scores",
        fix="name the version:  --to VERSION    (unicus models lists them)",
    )  # fmt: skip


def _refuse_unable(home: Home, target: Version) -> None:
    loaded = tracking.load_version(home.mlflow, target.name, target.number)
    _refuse_other_features(home, target, loaded.feature_names)
    publication = read_publication(home.published)
    if publication and loaded.as_of > publication.as_of:
        raise SettingFault(
            "version-trained-later", f"{target.name} version {target.number}",
            "the version has seen what is invisible where the home stands", where=str(home.mlflow),
            why=f"it was trained as of {loaded.as_of}, the home stands at {publication.as_of}, so a"
            " baseline would make the scores",
            fix=f"run at a later date first:  unicus run --as-of {loaded.as_of}",
        )  # fmt: skip


def _refuse_other_features(home: Home, target: Version, trained: tuple[str, ...]) -> None:
    """Else the next run would refuse its scores and keep the last ones as stale."""
    import duckdb

    from ml.frames import feature_names

    try:
        differ = sorted(set(trained) ^ set(feature_names(home.warehouse)))
    except (MlError, duckdb.Error):  # nothing built yet, or a run at work: see `plan_again`
        return
    if differ:
        raise MlError(
            "version-unusable", f"{target.name} version {target.number}", where=str(home.warehouse),
            why=f"it was trained on other features than there are now: {', '.join(differ)}",
            fix="choose another one:  unicus models",
        )  # fmt: skip


def plan_again(change: Rollback) -> Rollback:
    """The same with what is there now; the version that was agreed to stays."""
    return plan_rollback(change.home, change.target.name, change.target.number)


def carry_out(change: Rollback) -> Rollback:
    """Do what was planned; only the holder of the home calls this."""
    tracking.crown(change.home.mlflow, change.target.name, change.target.number)
    return change


def change_value(change: Rollback, status: str) -> dict[str, Any]:
    """The rollback as one JSON object; status is planned, done or nothing_new."""
    return {
        "schema": ROLLBACK_SCHEMA,
        "status": status,
        "home": str(change.home.root),
        "name": change.target.name,
        "from_version": change.champion.number if change.champion else None,
        "to_version": change.target.number,
        "holds": HOLDS,
        "next": change.next,
    }


def change_text(change: Rollback, status: str) -> str:
    """The rollback as a person reads it."""
    name = change.target.name
    if status == "nothing_new":
        return f"Nothing to do: version {change.target.number} is the champion of {name} already"
    rows = [
        ("from", _version_text(change.champion) if change.champion else "a baseline"),
        ("to", _version_text(change.target)),
        ("holds", HOLDS),
    ]
    lines = [
        f"{'Moved' if status == 'done' else 'Would move'} the champion of {name}.",
        aligned(rows),
    ]
    if status == "done":
        back = f" · back:  {change.back}" if change.back else ""
        lines.append(
            f"  next   {change.next}    (scores with version {change.target.number}){back}"
        )
    return "\n".join(lines)


def _version_text(version: Version) -> str:
    at = _minute(version.created_at.isoformat())
    return f"version {version.number} of {at} UTC, {version.reason}"
