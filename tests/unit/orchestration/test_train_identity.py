"""Training of identity shows what would change, and promotes only what may."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from identity.compare import PROFILES, Model, model_of
from identity.resolve import DECISIONS
from ml import tracking
from ml.forgetting import old_trainings
from orchestration.defs.identity import run_identity
from orchestration.defs.identity_model import MODEL, identity_model_asset
from orchestration.graph import IDENTITY_TRAINING, JOB, build_definitions
from orchestration.identity_lake import keep_phone_kinds, promoted_model, read_records
from orchestration.resources import UnicusRun
from orchestration.runkey import model_that_resolved, models_asked
from orchestration.settings import Home, SettingFault, read_config
from orchestration.train_identity import (
    carry_out,
    change_text,
    change_value,
    plan_again,
    plan_training,
)

PEOPLE = 400


def profiles() -> list[dict[str, object]]:
    """Two or three records of each person, who live two to a house and have one surname there."""
    rng = np.random.default_rng(1)
    rows = []
    for person in range(PEOPLE):
        first = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 7))
        last = f"berg{person // 2}x"
        for system in ("crm", "shop", "service")[: rng.integers(2, 4)]:
            typo = rng.random() < 0.1
            row = dict.fromkeys(PROFILES.names)
            row |= {
                "source_system": system, "source_key": str(person), "country_code": "FR",
                "first_name": first + "e" * typo, "last_name": last, "place": f"{person % 50:05d}",
                "name_key": f"{first}{'e' * typo} {last}", "house_key": f"{person // 2} lac",
                "email": f"mail{person}@post.example" if rng.random() < 0.9 else None,
                "mobile_phone": f"336{person:08d}" if rng.random() < 0.8 else None,
            }  # fmt: skip
            rows.append(row)
    return rows


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose warehouse holds the records."""
    home = Home(tmp_path / "home")
    home.create()
    home.lake.create()
    home.config_path.write_text("business_timezone: UTC\nreporting_currency: EUR\nsystems: {}\n")
    home.warehouse.parent.mkdir(parents=True, exist_ok=True)
    return home


def fill(home: Home, rows: list[dict[str, object]]) -> None:
    told = pa.Table.from_pylist(rows, schema=PROFILES)
    with duckdb.connect(str(home.warehouse)) as con:
        con.register("told", told)
        con.register("decided", DECISIONS.empty_table())
        con.execute("create schema if not exists staging")
        con.execute("create or replace table staging.identity_profiles as select * from told")
        con.execute("create or replace table staging.identity_records as"
                    " select source_system, source_key from told")  # fmt: skip
        con.execute("create or replace table staging.identity_decisions as select * from decided")


def test_a_home_without_records_teaches_nothing(home: Home) -> None:
    with pytest.raises(SettingFault) as nothing:
        plan_training(home)
    fill(home, profiles()[:5])
    with pytest.raises(SettingFault) as few:
        plan_training(home)
    assert {nothing.value.code, few.value.code} == {"nothing-to-learn-from"}


def test_the_first_run_learns_a_model_and_training_tells_what_another_would_change(
    home: Home,
) -> None:
    fill(home, profiles())
    done = run_identity(home)
    first = promoted_model(home.lake)
    assert first is not None
    assert first.version == "splink-1"
    assert abs(done.customers - PEOPLE) < PEOPLE * 0.05
    change = plan_training(home)
    assert (change.model.version, change.before) == ("splink-2", "splink-1")
    assert change.changed_share == 0
    assert plan_again(change) is change
    assert promoted_model(home.lake) == first, "a plan promotes nothing"
    assert model_that_resolved(home.lake) == models_asked(home, read_config(home))
    carry_out(change)
    assert promoted_model(home.lake) == change.model
    asked_of_now = models_asked(home, read_config(home))
    assert model_that_resolved(home.lake) != asked_of_now, "a run has something to do"
    assert "is promoted" in change_text(change, "done")
    assert change_value(change, "done")["would_be"]["customers"] == done.customers
    assert run_identity(home).events.num_rows == 0
    assert model_that_resolved(home.lake) == asked_of_now == {"identity": "splink-2"}


def test_what_a_model_decides_by_is_kept_and_read_back(home: Home, tmp_path: Path) -> None:
    fill(home, profiles())
    resolved = run_identity(home)
    model = promoted_model(home.lake)
    assert model is not None
    client = tracking.connect(home.mlflow)
    (experiment,) = [one for one in client.search_experiments() if one.name == "identity"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == model.version
    assert run.data.metrics["customers"] == resolved.customers
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    told = {name: (kept / f"model/{name}.json").read_text("utf-8") for name in ("model", "levels")}
    row = pa.table({name: [text] for name, text in told.items()})
    frequencies = parquet.read_table(kept / "tables/name_frequencies.parquet")
    assert model_of(row, frequencies) == model
    assert frequencies.num_rows == model.frequencies.num_rows > 0
    assert "select" in (kept / "model/profiles.sql").read_text("utf-8")
    assert list(tracking.read_plots(home.mlflow, run.info.run_id)) == ["weights"]
    assert "pairs kept" in (kept / "plots/pairs_by_weight.svg").read_text("utf-8")
    compared = json.loads((kept / "splink/settings.json").read_text("utf-8"))["comparisons"]
    assert {one["output_column_name"] for one in compared} >= {"name", "email", "phone"}
    for name in ("match_weights", "m_u_parameters"):
        page = (kept / f"splink/{name}.html").read_text("utf-8")
        assert "same mobile" in page
        assert not re.search(r"<(script|link)[^>]+(src|href)=", page), "opens offline"
        assert "cdn." not in page
    later = datetime.now(UTC) + timedelta(days=4000)
    assert old_trainings(home.mlflow, later, ()).gone == (), "what was in use is never forgotten"


def asked(home: Home, **config: float) -> tuple[dg.ExecuteInProcessResult, dg.DagsterInstance]:
    """The asset as the browser or the daemon asks for it."""
    instance = dg.DagsterInstance.ephemeral()
    done = dg.materialize(
        [identity_model_asset()], instance=instance, raise_on_error=False,
        resources={"unicus": UnicusRun(home=str(home.root))},
        run_config={"ops": {"identity__identity_model": {"config": config}}},
    )  # fmt: skip
    return done, instance


def test_the_asset_promotes_within_its_limit_and_shows_who_would_move_beyond(home: Home) -> None:
    rows = profiles()
    fill(home, rows)
    run_identity(home)
    done, _ = asked(home)
    (made,) = done.asset_materializations_for_node("identity__identity_model")
    assert done.success
    assert (made.metadata["before"].value, made.metadata["model"].value) == ("splink-1", "splink-2")
    assert made.metadata["customers"].value == pytest.approx(PEOPLE, rel=0.05)
    assert "image/svg+xml" in str(made.metadata["pairs by weight"].value)
    assert "image/png" in str(made.metadata["weights"].value)
    fill(home, [row | {"email": None, "mobile_phone": None, "house_key": None} for row in rows])
    refused, instance = asked(home, most_changed=0.0)
    (failure,) = [event for event in refused.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told
    assert str(told.description).split(":")[0] == "too-much-would-change"
    assert "--most-changed" in str(told.metadata["fix"].value)
    (seen,) = instance.fetch_observations(MODEL, limit=1).records
    assert seen.asset_observation
    assert seen.asset_observation.metadata["split"].value
    kept = promoted_model(home.lake)
    assert kept
    assert kept.version == "splink-2", "a refused model is not promoted"


def test_while_a_run_holds_the_home_the_asset_waits(home: Home) -> None:
    fill(home, profiles())
    with holds(home), pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.resources.WAIT_SECONDS", 0.1)
        done, _ = asked(home)
    told = [event.message or "" for event in done.all_events if event.is_failure]
    assert any("is held by another run" in str(event) for event in done.all_events), told
    assert promoted_model(home.lake) is None


def test_a_run_replaces_a_model_that_compares_in_older_ways_within_the_limit_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = profiles()
    fill(home, rows)
    run_identity(home)
    older = {"splink-1"}

    def read(row: pa.Table, frequencies: pa.Table) -> Model | None:
        return None if row["version"][0].as_py() in older else model_of(row, frequencies)

    monkeypatch.setattr("orchestration.identity_lake.model_of", read)
    assert run_identity(home).events.num_rows == 0
    assert model_that_resolved(home.lake) == {"identity": "splink-2"}
    older.add("splink-2")
    fill(home, [row | {"email": None, "mobile_phone": None, "house_key": None} for row in rows])
    with pytest.raises(SettingFault, match="would change their customer"):
        run_identity(home)
    assert model_that_resolved(home.lake) == {"identity": "splink-2"}


@contextmanager
def holds(home: Home) -> Iterator[None]:
    """Another process holds the home."""
    handle = os.open(home.root / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def test_no_run_of_every_day_trains_identity(home: Home) -> None:
    definitions = build_definitions(home)
    every, training = (definitions.resolve_job_def(name) for name in (JOB, IDENTITY_TRAINING))
    assert MODEL not in every.asset_layer.executable_asset_keys
    assert training.asset_layer.executable_asset_keys == {MODEL}
    graph = definitions.resolve_asset_graph()
    assert graph.get(MODEL).child_keys == set(), "nothing waits for a training"


def test_a_hotline_joins_nobody_and_its_kind_is_asked_once(home: Home) -> None:
    one = dict.fromkeys(PROFILES.names) | {"source_system": "crm", "mobile_phone": "33800123456"}
    rows = [one | {"source_key": key} for key in ("a", "b")]
    fill(home, [*rows, one | {"source_key": "c", "mobile_phone": "33612345678"}])
    keep_phone_kinds(home)
    keep_phone_kinds(home)
    (kept,) = home.lake.live("phone_kinds")
    assert sum(file.rows for file in kept.files) == 2
    numbers = {row["source_key"]: row["mobile_phone"] for row in read_records(home).to_pylist()}
    assert numbers == {"a": None, "b": None, "c": "33612345678"}
