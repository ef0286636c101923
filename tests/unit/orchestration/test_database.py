"""A home whose Dagster and MLflow keep their history in a PostgreSQL server, and whose alone it is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ml import tracking
from orchestration import doctor
from orchestration.backup import back_up
from orchestration.database import DUMP
from orchestration.settings import PROJECT, Home, SettingFault, read_config, write_config
from tests.postgres import Server, serving

PASSWORD = "a password of the test"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg2", reason="not installed: pip install -e '.[postgres]'")
    with serving() as server:
        server.execute((PROJECT / "deploy" / "postgresql.sql").read_text("utf-8"))
        server.execute(f"alter role unicus password '{PASSWORD}'")
        yield server


@pytest.fixture
def home(server: Server, shop_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{server.port}:*:unicus:{PASSWORD}\n", "utf-8")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    server.execute("comment on schema dagster is null", "unicus_shop")
    url = f"postgresql://unicus@127.0.0.1:{server.port}/unicus_shop"
    write_config(shop_home, replace(read_config(shop_home), postgres=url))
    shop_home.create()
    return shop_home


def test_both_tools_keep_their_history_there_and_no_file_has_the_password(home: Home) -> None:
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        kept = instance.create_run_for_job(dg.job(name="nothing")(lambda: None))
        assert [run.run_id for run in instance.get_runs()] == [kept.run_id]
        instance.report_engine_event("told", kept)
        assert instance.all_logs(kept.run_id)[-1].message == "told"
    assert tracking.champions(home.mlflow) == {}
    assert not tracking.has_models(home.mlflow)
    client = tracking.connect(home.mlflow)
    client.create_registered_model("clv_90d")
    client.create_model_version("clv_90d", "nowhere", "")
    tracking.crown(home.mlflow, "clv_90d", "1")
    assert tracking.champions(home.mlflow) == {"clv_90d": "1"}
    (version,) = tracking.read_versions(home.mlflow)
    assert version.is_champion
    assert version.created_at.date() == datetime.now(UTC).date()
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix == ".db"]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    assert doctor.check_database(home).state == doctor.check_telemetry(home).state == "ok"


def test_a_database_serves_one_home_and_follows_it_when_it_moves(
    home: Home, tmp_path: Path
) -> None:
    other = Home(tmp_path / "other")
    other.root.mkdir()
    other.config_path.write_bytes(home.config_path.read_bytes())
    with pytest.raises(SettingFault) as raised:
        other.create()
    assert (raised.value.code, raised.value.exit_code) == ("unusable-database", 2)
    assert str(home.root) in raised.value.why
    moved = Home(home.root.rename(tmp_path / "moved"))
    moved.create()
    assert doctor.check_database(moved).state == "ok"
    with pytest.raises(SettingFault, match="cannot be used"):
        other.create()


def test_a_database_that_cannot_be_used_is_told_before_anything_runs(
    home: Home, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_config(home)
    assert config.postgres
    for url, why in (
        (config.postgres.replace("/unicus_shop", "/postgres"), "no schema dagster"),
        (config.postgres.replace("unicus@", "nobody@"), "refuses"),
        ("postgresql://unicus@127.0.0.1:1/unicus_shop", "does not answer"),
    ):
        write_config(home, replace(config, postgres=url))
        with pytest.raises(SettingFault) as raised:
            home.create()
        assert why in raised.value.why
    write_config(home, replace(config, postgres=None))
    home.create()
    assert not (home.mlflow / tracking.DATABASE).exists()
    assert (home.dagster / "dagster.yaml").read_text() == (PROJECT / "dagster.yaml").read_text()


def test_a_backup_has_the_database_and_it_comes_back_in_another_one(
    home: Home, server: Server, tmp_path: Path
) -> None:
    client = tracking.connect(home.mlflow)
    client.create_registered_model("clv_30d")
    client.create_model_version("clv_30d", "nowhere", "")
    tracking.crown(home.mlflow, "clv_30d", "1")
    before = tracking.champions(home.mlflow)
    back_up(home, tmp_path / "copy")
    server.execute("create database restored owner unicus")
    config = read_config(home)
    assert config.postgres
    url = config.postgres.replace("unicus_shop", "restored")
    dump = tmp_path / "copy" / "mlflow" / DUMP
    subprocess.run(["pg_restore", "--no-owner", "--dbname", url, dump], check=True)
    restored = Home(tmp_path / "copy")
    write_config(restored, replace(config, postgres=url))
    restored.create()
    assert tracking.champions(restored.mlflow) == before
    assert "clv_30d" in before


@pytest.mark.parametrize("url", ["sqlite:///x", "postgresql://ann:secret@db/shop", 5])
def test_a_password_or_another_server_in_home_yaml_is_refused(shop_home: Home, url: object) -> None:
    with shop_home.config_path.open("a") as file:
        file.write(f"postgres: {url}\n")
    with pytest.raises(SettingFault) as raised:
        read_config(shop_home)
    assert raised.value.code == "bad-setting"
    assert "secret" not in f"{raised.value.what}{raised.value.why}{raised.value.fix}"
