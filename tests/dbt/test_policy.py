"""What every model must keep to, read from the parsed project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from intake.contract import contracts
from intake.snapshot import LOADS_SCHEMA
from ml.questions import HORIZONS
from orchestration import dbt
from orchestration.moment import PRODUCTS
from orchestration.settings import DBT_PROJECT, Home

LAYERS = ("staging", "core", "features", "marts")
NAMES = {
    "staging": r"stg_\w+|identity_(records|profiles|decisions)",
    "core": r"(dim|fct|bridge)_\w+|\w+_versions|order_history|order_line_sets|customer_days|browsing_days"
    r"|customer_(records|attributes|identifiers|households|consents)",
    "features": r"customer_\w+",
    "marts": r"kpi_\w+_(daily|monthly)|customer_\w+|model_\w+|campaign_\w+|ingest_\w+|paths_\w+"
    r"|identity_\w+",
}
TIME_WORDS = re.compile(
    r"\b(now|today|current_date|current_timestamp|getdate|localtimestamp)\b", re.I
)
PUBLIC = {
    "dim_customers", "dim_households", "customer_attributes", "customer_identifiers", "customer_consents",
    "dim_products", "dim_product_prices", "dim_exchange_rates", "dim_stores",
    "fct_orders", "fct_order_lines", "fct_returns",
    "customer_features", "customer_360", "customer_scores", "customer_propensities",
    "customer_value_history",
    "model_performance", "model_deciles", "model_calibration", "model_drift", "model_realised",
    "kpi_customers_monthly", "kpi_cohorts_monthly", "campaign_results", "ingest_reconciliation",
    "fct_messages", "fct_sessions", "fct_interactions", "fct_reviews", "fct_referrals", "fct_ad_spend",
    "fct_social", "fct_consents", "kpi_messages_daily", "kpi_ads_daily", "kpi_social_daily",
    "paths_to_purchase", "identity_events", "identity_quality", "identity_review", "identity_runs",
    "kpi_web_daily", "kpi_funnel_daily", "kpi_service_daily", "kpi_stores_daily",
}  # fmt: skip


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = Home(tmp_path_factory.mktemp("policy") / "home")
    home.create()
    return dbt.manifest(dbt.manifest_path(home))


def models(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (n for n in manifest["nodes"].values() if n["resource_type"] == "model")


def test_exactly_the_promised_models_are_public(manifest: dict[str, Any]) -> None:
    assert {m["name"] for m in models(manifest) if m["access"] == "public"} == PUBLIC


def test_a_public_model_says_its_grain_and_describes_every_column(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert model["description"], model["name"]
        if model["access"] == "public":
            assert model["description"].startswith("One row per "), model["name"]
            assert model["config"]["contract"]["enforced"], model["name"]
            assert model["config"]["materialized"] in {"table", "incremental"}, model["name"]
            for name, column in model["columns"].items():
                assert column["description"], f"{model['name']}.{name}"
                assert column["data_type"], f"{model['name']}.{name}"


def test_every_model_has_an_owner_who_can_be_written_to(manifest: dict[str, Any]) -> None:
    owners = {g["name"]: g["owner"]["email"] for g in manifest["groups"].values()}
    for model in models(manifest):
        assert "@" in owners[model["config"]["group"]], model["name"]


def test_names_tell_the_layer(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert re.fullmatch(NAMES[model["schema"]], model["name"]), model["name"]


def test_a_layer_reads_itself_and_those_before_it_and_only_staging_and_core_pass_over(
    manifest: dict[str, Any],
) -> None:
    for model in models(manifest):
        layer = LAYERS.index(model["schema"])
        for parent in model["depends_on"]["nodes"]:
            if parent.startswith("model."):
                below = manifest["nodes"][parent]["schema"]
                assert LAYERS.index(below) <= layer, f"{model['name']} reads {below}"
                assert not (model["schema"] == "marts" and below == "staging"), model["name"]


def test_only_staging_reads_raw(manifest: dict[str, Any]) -> None:
    exceptions = {"ingest_reconciliation"}  # it counts what staging was given
    for model in models(manifest):
        raw = [p for p in model["depends_on"]["nodes"] if p.startswith("source.unicus.raw.")]
        assert not raw or model["schema"] == "staging" or model["name"] in exceptions, model["name"]


def test_every_entity_is_a_source_whose_rows_are_counted(manifest: dict[str, Any]) -> None:
    raw = {id_ for id_ in manifest["sources"] if id_.startswith("source.unicus.raw.")}
    assert {id_.split(".")[-1] for id_ in raw} == contracts().keys()
    counted = manifest["nodes"]["model.unicus.ingest_reconciliation"]["depends_on"]["nodes"]
    assert raw <= set(counted)


def test_no_model_or_macro_asks_the_clock(manifest: dict[str, Any]) -> None:
    texts = {m["name"]: m["raw_code"] for m in models(manifest)}
    texts |= {
        m["name"]: m["macro_sql"]
        for m in manifest["macros"].values()
        if m["package_name"] == "unicus"
    }
    for name, text in texts.items():
        code = re.sub(r"\{#.*?#\}|--[^\n]*", "", text, flags=re.S)
        assert not TIME_WORDS.search(code), name


def test_no_model_forks_by_target(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        assert "target." not in model["raw_code"], model["name"]


def test_tests_are_written_under_their_present_name() -> None:
    for path in DBT_PROJECT.rglob("*.yml"):
        assert not re.search(r"^\s*tests:", path.read_text("utf-8"), re.M), path.name


def test_sources_have_the_columns_that_python_writes(manifest: dict[str, Any]) -> None:
    written = {("raw", entity): set(c.raw_columns) for entity, c in contracts().items()}
    written |= {
        (source, table): set(schema.names)
        for source, tables in PRODUCTS.items()
        for table, schema in tables.items()
    }
    written[("ledger", "loads")] = set(LOADS_SCHEMA.names)
    declared = {(s["source_name"], s["name"]): s for s in manifest["sources"].values()}
    for key in declared.keys() & written.keys():
        named = set(declared[key]["columns"])
        assert named <= written[key], f"{key}: {named - written[key]}"
    assert {source for source, _ in declared} == {"raw", "identity", "ml", "ledger", "moment"}


def test_what_customers_did_is_added_up_over_the_horizons_that_are_asked_about() -> None:
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))
    assert tuple(project["vars"]["horizons"]) == HORIZONS


def test_yaml_files_are_beside_the_models_they_describe(manifest: dict[str, Any]) -> None:
    for model in models(manifest):
        described = Path(model["patch_path"].split("://")[1])
        assert described.parent in Path(model["original_file_path"]).parents, model["name"]
    for path in (DBT_PROJECT / "models").rglob("*.yml"):
        assert yaml.safe_load(path.read_text("utf-8")), path.name
