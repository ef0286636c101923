"""Every public column is made of raw columns, or stands in the short list of those that are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlglot import exp
from sqlglot.lineage import lineage

from ml.frames import KEY_COLUMNS
from ml.questions import QUESTIONS
from orchestration import dbt
from orchestration.column_graph import GENERATED, Column, ColumnGraph, Origin
from orchestration.defs import predict
from orchestration.graph import build_definitions
from orchestration.lineage import column_graph, find_graph
from orchestration.settings import Home

LONGEST_LIST = 0.05


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("lineage") / "home")
    home.create()
    return home


@pytest.fixture(scope="module")
def graph(home: Home) -> ColumnGraph:
    return column_graph(home)


@pytest.fixture(scope="module")
def project(home: Home) -> tuple[dict[str, Any], dict[str, str]]:
    """The manifest, and the query of each model."""
    path = dbt.manifest_path(home)
    return dbt.manifest(path), dbt.compiled(path)


def public_columns(graph: ColumnGraph) -> list[Column]:
    return [(table, name) for table, columns in graph.public.items() for name in columns]


def without_raw(graph: ColumnGraph) -> set[str]:
    """Public columns whose way does not end in raw."""
    return {
        f"{table.replace('/', '.')}.{name}"
        for table, name in public_columns(graph)
        if not graph.raw((table, name)) or graph.loose_ends((table, name))
    }


def raw(graph: ColumnGraph, column: str) -> set[str]:
    table, _, name = column.rpartition(".")
    return {f"{asset.removeprefix('raw/')}.{one}" for asset, one in graph.raw((table, name))}


def test_every_public_column_reaches_raw_or_is_generated_for_a_reason(graph: ColumnGraph) -> None:
    listed = [column for columns in GENERATED.values() for column in columns]
    assert without_raw(graph) == set(listed)
    assert len(listed) == len(set(listed)) <= LONGEST_LIST * len(public_columns(graph))


def test_every_link_leads_to_a_column_that_is_there(graph: ColumnGraph) -> None:
    named = {
        above for columns in graph.origins.values() for o in columns.values() for above in o.columns
    }
    lost = {one for one in named if not one[0].startswith("raw/") and graph.origin(one) is None}
    assert lost == set()


def test_columns_are_only_made_of_tables_that_the_asset_reads(
    home: Home, graph: ColumnGraph
) -> None:
    assets = build_definitions(home).resolve_asset_graph()
    for asset, columns in graph.origins.items():
        key = next(key for key in assets.get_all_asset_keys() if "/".join(key.path) == asset)
        parents = {"/".join(parent.path) for parent in assets.get(key).parent_keys}
        named = {table for origin in columns.values() for table, _ in origin.columns}
        assert named <= parents, asset


@pytest.mark.parametrize(
    ("column", "columns"),
    [
        ("marts/customer_360.net_revenue_amount", {"order_lines.net_amount"}),
        ("core/fct_orders.gross_amount", {"order_lines.net_amount", "order_lines.discount_amount"}),
        ("marts/customer_360.recency_days", {"orders.ordered_at"}),
        ("core/dim_customers.age_band", {"enrichment.age_band"}),
        ("core/dim_products.product_id", {"products.source_system", "products.product_key"}),
        ("core/fct_orders.lines_count",
         {"order_lines.source_system", "order_lines.order_key", "order_lines._row"}),
        ("marts/campaign_results.redemptions_count",
         {f"coupon_redemptions.{key}" for key in
          ("source_system", "coupon_key", "campaign_key", "customer_key", "redeemed_at")}),
    ],
)  # fmt: skip
def test_a_column_is_made_of_exactly(graph: ColumnGraph, column: str, columns: set[str]) -> None:
    assert raw(graph, column) == columns


@pytest.mark.parametrize(
    ("column", "columns", "way"),
    [
        ("marts/customer_360.lifecycle", {"orders.ordered_at"}, "features/customer_as_of_values"),
        ("marts/customer_360.orders_count", {"orders.order_key"}, "core/order_history"),
        ("marts/customer_360.value_tier",
         {"order_lines.net_amount", "orders.ordered_at"}, "features/customer_as_of_values"),
        ("marts/customer_360.customer_id",
         {"orders.customer_key", "customers.customer_key"}, "identity/customer_map"),
        ("marts/customer_scores.predicted_net_revenue_amount",
         {"order_lines.net_amount", "orders.ordered_at", "orders.order_key"}, "ml/scores"),
        ("marts/customer_360.churn_probability",
         {"order_lines.net_amount", "orders.ordered_at"}, "ml/scores"),
        ("marts/model_performance.actual_total",
         {"order_lines.net_amount", "orders.order_key"}, "features/customer_outcomes"),
        ("marts/model_performance.ngini", {"order_lines.net_amount"}, "ml/performance"),
        ("marts/kpi_customers_monthly.active_customers_count",
         {"orders.customer_key", "orders.ordered_at"}, "marts/customer_months"),
        ("marts/ingest_reconciliation.raw_rows_count",
         {"orders.order_key", "returns._row"}, "raw/orders"),
        ("core/fct_orders.has_quarantined_lines", {"order_lines.order_key"}, "ledger/quarantined_rows"),
        ("features/customer_features.as_of_date", {"orders.ordered_at"}, "moment/as_of_dates"),
    ],
)  # fmt: skip
def test_a_column_is_made_of_at_least(
    graph: ColumnGraph, column: str, columns: set[str], way: str
) -> None:
    table, _, name = column.rpartition(".")
    assert columns <= raw(graph, column)
    assert way in {asset for asset, _ in graph.above([(table, name)])}


def test_a_score_is_made_of_every_feature_and_of_nothing_else_of_their_table(
    graph: ColumnGraph,
) -> None:
    features = predict.FEATURES.to_user_string()
    above = graph.above(graph.origins["ml/scores"]["predicted"].columns)
    models = [column for column in above if column[0].startswith("ml/")]
    assert {table for table, _ in models} == {f"ml/{one.name}/model" for one in QUESTIONS}
    read = {name for one in models for table, name in graph.origins[one[0]][one[1]].columns
            if table == features}  # fmt: skip
    assert read == graph.origins[features].keys() - set(KEY_COLUMNS)


@pytest.mark.parametrize(
    ("link", "missed"),
    [
        (("ml/scores", "predicted"), "marts.customer_scores.predicted_net_revenue_amount"),
        (("identity/customer_map", "customer_id"), "core.dim_customers.customer_id"),
        (("core/order_line_sets", "net_revenue_amount"), "marts.customer_360.net_revenue_amount"),
        (("moment/run", "as_of"), "marts.campaign_results.window_days"),
    ],
)
def test_a_link_that_is_taken_out_is_missed(graph: ColumnGraph, link: Column, missed: str) -> None:
    table, name = link
    broken = replace(
        graph, origins=graph.origins | {table: graph.origins[table] | {name: Origin()}}
    )
    assert missed in without_raw(broken) - without_raw(graph)


def test_a_model_that_loses_a_column_on_its_way_is_missed(
    project: tuple[dict[str, Any], dict[str, str]],
) -> None:
    manifest, compiled = project
    id_ = "model.unicus.stg_order_lines"
    broken = compiled | {id_: compiled[id_].replace("net_amount", "1 as net_amount", 1)}
    assert broken != compiled
    kept = find_graph(manifest, broken)
    assert "marts.customer_360.net_revenue_amount" in without_raw(kept)


def test_a_model_that_sqlglot_cannot_read_stops_no_run_and_is_missed(
    project: tuple[dict[str, Any], dict[str, str]],
) -> None:
    manifest, compiled = project
    broken = find_graph(manifest, compiled | {"model.unicus.dim_stores": "select from where"})
    assert "core.dim_stores.channel" in without_raw(broken)
    assert "marts.customer_360.net_revenue_amount" not in without_raw(broken)


def leaves(sql: str, column: str, tables: dict[str, Any]) -> set[Column]:
    """What sqlglot's own lineage ends at."""
    ends = lineage(column, sql, schema=tables, dialect="duckdb").walk()
    return {
        (f"{end.expression.db}/{end.expression.name}", end.name.rpartition(".")[2])
        for end in ends
        if isinstance(end.expression, exp.Table) and end.expression.db
    }


@pytest.mark.parametrize(
    "model",
    ["core/dim_customers", "core/fct_orders", "marts/customer_360", "marts/campaign_results"],
)
def test_nothing_that_sqlglot_finds_by_itself_is_left_out(
    project: tuple[dict[str, Any], dict[str, str]], graph: ColumnGraph, model: str
) -> None:
    """Its own lineage stops at counts and at the question whether a row was found."""
    _, compiled = project
    sql = compiled[f"model.unicus.{model.split('/')[1]}"].replace('"warehouse".', "")
    tables: dict[str, Any] = {}
    for asset, columns in graph.origins.items():
        schema, _, name = asset.rpartition("/")
        tables.setdefault(schema, {})[name] = dict.fromkeys(columns, "varchar")
    found = {name: leaves(sql, name, tables) for name in graph.origins[model]}
    assert sum(map(len, found.values())) > len(found) / 2
    for name, origin in graph.origins[model].items():
        assert found[name] <= set(origin.columns), name
