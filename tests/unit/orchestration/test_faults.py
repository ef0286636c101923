"""The faults of orchestration: raised where they should be, with what a person needs to mend them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration import dbt
from orchestration.dbt import CheckFailed, MixedWarehouse, refuse_mixed
from orchestration.defs.predict import _refuse_without_features, run_scoring, run_trainings
from orchestration.defs.serve import published_asset
from orchestration.moment import Moment, last_moment, new_moment
from orchestration.progress import progress
from orchestration.resources import UnicusRun
from orchestration.settings import Home, SettingFault, read_config, read_systems
from tests.conftest import Shop, load
from tests.unit.orchestration.conftest import AS_OF

MOMENT = Moment("s1", AS_OF, date(2024, 1, 2))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two models, one above the other; the upper one is public."""
    nodes = {
        f"model.unicus.{name}": {
            "resource_type": "model", "name": name, "schema": "marts", "access": access,
            "description": "", "columns": {}, "depends_on": {"nodes": below},
        }
        for name, access, below in (
            ("lower", "protected", []), ("upper", "public", ["model.unicus.lower"]),
        )
    }  # fmt: skip
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes}), "utf-8")
    return path


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingFault) as raised:
        Home(tmp_path / "file" / "home").create()
    assert raised.value.code == "home-not-writable"
    assert str(tmp_path / "file") in raised.value.where
    assert "--home DIR" in raised.value.fix


def test_amounts_in_a_currency_without_a_rate_are_refused(shop_home: Home, shop: Shop) -> None:
    shop.rewrite("source.yaml", "currency: EUR", "currency: CHF")
    with pytest.raises(SettingFault) as raised:
        read_systems(read_config(shop_home))
    assert raised.value.code == "currency-without-rate"
    assert "CHF" in raised.value.what
    assert "nothing converts" in raised.value.why


def test_settings_that_are_no_yaml_are_not_to_be_deleted(shop_home: Home) -> None:
    shop_home.config_path.write_text("systems: [", "utf-8")
    with pytest.raises(SettingFault) as raised:
        read_config(shop_home)
    assert raised.value.code == "bad-setting"
    assert "put it back from a copy" in raised.value.fix


def test_a_part_of_the_graph_needs_a_complete_run_before_it(shop_home: Home) -> None:
    with pytest.raises(SettingFault) as raised:
        last_moment(shop_home)
    assert raised.value.code == "no-complete-run"


def test_without_data_there_is_no_day_to_stand_at(shop_home: Home, shop: Shop) -> None:
    with pytest.raises(SettingFault) as raised:
        new_moment(shop_home, None)
    assert raised.value.code == "no-day-to-stand-at"
    shop.orders("1,ann,2024-01-02,")
    load(shop_home.lake, shop)
    with pytest.raises(SettingFault) as raised:
        new_moment(shop_home, date(2024, 1, 2))
    assert "the data begins on 2024-01-02" in raised.value.why


def test_models_are_not_built_on_those_of_another_moment(shop_home: Home, manifest: Path) -> None:
    with pytest.raises(MixedWarehouse) as raised:
        refuse_mixed(shop_home, manifest, {"upper"}, MOMENT)
    assert raised.value.code == "mixed-warehouse"
    assert "lower" in raised.value.what
    refuse_mixed(shop_home, manifest, {"upper", "lower"}, MOMENT)


def test_tables_of_another_moment_are_not_published(full_home: Home, manifest: Path) -> None:
    before = full_home.published.read_bytes()
    progress.faults.clear()
    outcome = dg.materialize(
        [published_asset(manifest)],
        resources={"unicus": UnicusRun(home=str(full_home.root))},
        raise_on_error=False,
    )
    assert not outcome.success
    (fault,) = progress.faults
    progress.faults.clear()
    assert (fault.code, fault.fix) == ("mixed-moments", "build everything:  unicus run")
    assert "upper" in fault.what
    assert full_home.published.read_bytes() == before


def test_a_run_of_the_browser_is_refused_before_the_sample_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    @dg.asset(required_resource_keys={"unicus"})
    def anything() -> None: ...

    home = Home(tmp_path / "home")
    outcome = dg.materialize(
        [anything], resources={"unicus": UnicusRun(home=str(home.root))}, raise_on_error=False
    )
    assert not outcome.success
    (fault,) = progress.faults
    progress.faults.clear()
    assert fault.code == "no-sample"
    assert not home.root.exists()


def test_a_project_that_does_not_parse_is_told_without_dbts_words(
    shop_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt, "DBT_PROJECT", tmp_path)
    monkeypatch.setattr(dbt, "manifest_file", lambda: tmp_path / "target" / "manifest-0.json")
    (tmp_path / "dbt_project.yml").write_text("name: [", "utf-8")
    with pytest.raises(CheckFailed) as raised:
        dbt.manifest_path(shop_home)
    assert (raised.value.code, raised.value.exit_code) == ("check-failed", 1)
    assert str(shop_home.logs / "dbt.log") in raised.value.fix


def test_an_exception_with_a_code_and_nothing_else_is_no_fault() -> None:
    class Coded(Exception):
        code = "e3q8"

    unicus = UnicusRun(home="unused")
    with pytest.raises(Coded), unicus.faults_shown():
        raise Coded


def test_a_training_alone_is_refused_when_its_features_are_not_there(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema features")
        con.execute("create schema ops")
        con.execute(
            "create table ops.model_builds as select unnest(['customer_as_of_features',"
            " 'customer_outcomes']) as model, 's1' as snapshot_id, ? as as_of, 'k' as run_key",
            [AS_OF],
        )
        con.execute(
            "create table features.customer_as_of_features as select date '2024-01-09' as as_of_date"
        )
    here = Moment("s1", AS_OF, date(2024, 1, 2), ("clv_90d",), (date(2023, 1, 2),))
    with pytest.raises(SettingFault) as raised:
        run_trainings(home, here, "run")
    assert raised.value.code == "training-without-features"
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("delete from features.customer_as_of_features")
    _refuse_without_features(home, here)  # Nobody ordered anything, so there are none of any date.
    elsewhere = replace(here, snapshot_id="s2")
    with pytest.raises(MixedWarehouse):
        run_trainings(home, elsewhere, "run")
    with pytest.raises(MixedWarehouse):
        run_scoring(home, elsewhere)
    assert not home.lake.live("training")


def test_the_runs_of_one_backfill_stand_where_the_first_of_them_froze(
    shop_home: Home, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-09,")
    load(shop_home.lake, shop)
    frozen = new_moment(shop_home, None)
    first, second, other = (UnicusRun(home=str(shop_home.root)) for _ in range(3))
    for number, one in enumerate((first, second, other)):
        one._run_id = f"run{number}"
    first._backfill_id = second._backfill_id = "all"
    assert first.freeze() == frozen
    assert second.moment() == frozen
    with pytest.raises(SettingFault, match="complete run"):
        other.moment()
