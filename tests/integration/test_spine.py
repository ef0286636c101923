"""From landing file to published mart on real data: what comes out is what went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ml.questions import QUESTIONS
from ml.tracking import champions, crown
from orchestration.explain_customer import read_explanation
from orchestration.graph import JOB, build_definitions
from orchestration.lineage import column_graph
from orchestration.models import carry_out, plan_rollback
from orchestration.progress import progress
from orchestration.run import Request, nothing_to_do
from orchestration.settings import Home, SettingFault, read_config
from serving.publish import read_publication
from tests import equal_tables
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, query, run
from tests.integration.conftest import Built
from tests.unit.orchestration.conftest import describes

PLOTS = {"gain", "deciles", "calibration", "coverage"}


def plots(run_id: str) -> set[str]:
    """Drawings that Dagster shows with what a run made."""
    entries = dg.DagsterInstance.get().all_logs(run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
    made = [entry.asset_materialization for entry in entries if entry.asset_materialization]
    return {
        name
        for one in made
        for name, value in one.metadata.items()
        if "data:image/png;base64," in str(value.value)
    }


def test_each_table_tells_dagster_what_its_columns_are_made_of(built: Built) -> None:
    entries = dg.DagsterInstance.get().all_logs(
        built.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    made = [entry.asset_materialization for entry in entries if entry.asset_materialization]
    told: dict[str, dict[str, set[str]]] = {}
    for one in made:
        found = one.metadata.get("dagster/column_lineage")
        assert found is None or isinstance(found.value, dg.TableColumnLineage)
        told["/".join(one.asset_key.path)] = {
            column: {f"{'/'.join(dep.asset_key.path)}.{dep.column_name}" for dep in deps}
            for column, deps in (found.value.deps_by_column if found else {}).items()
        }
    graph, asked = column_graph(built.home), read_config(built.home).questions
    absent = {f"ml/{one.name}/model" for one in QUESTIONS if one not in asked}
    assert absent, "the home asks for less than there is"
    present = graph.origins.keys() - absent
    assert {asset for asset, columns in told.items() if columns} == present
    for asset in present:
        assert told[asset] == {
            name: {f"{table}.{above}" for table, above in origin.columns if table not in absent}
            for name, origin in graph.origins[asset].items()
        }
    assert told["core/order_line_sets"]["net_revenue_amount"] == {
        "core/order_lines_versions.net_amount"
    }
    assert told["core/orders_versions"]["ordered_at"] == {"staging/stg_orders.ordered_at"}


def test_what_is_published_is_what_the_files_say(built: Built) -> None:
    truth = duckdb.sql(f"""
        select count(*), sum(cast(sales_value as decimal(18, 4))), count(distinct household_id),
            count(distinct basket_id)
        from '{built.files}/transactions.parquet'
    """).fetchone()
    assert truth is not None
    lines = query(built.home, "select count(*), sum(net_revenue_amount) from core.fct_order_lines")
    assert lines == [(truth[0], truth[1])]
    orders = query(
        built.home,
        "select count(distinct customer_id), count(*), sum(net_revenue_amount) from core.fct_orders",
    )
    assert orders == [(truth[2], truth[3], truth[1])]


def test_lines_without_product_or_quantity_are_there_and_marked(built: Built) -> None:
    truth = duckdb.sql(f"""
        select count(*) filter (product_id not in (select product_id from
            '{built.files}/products.parquet')), count(*) filter (quantity = 0)
        from '{built.files}/transactions.parquet'
    """).fetchone()
    found = query(
        built.home,
        "select count(*) filter (not is_known_product), count(*) filter (not has_quantity)"
        " from core.fct_order_lines",
    )
    assert found == [truth]


def test_every_row_of_every_file_is_accounted_for(built: Built) -> None:
    rows = query(
        built.home,
        "select entity, read_rows_count, accepted_rows_count + quarantined_rows_count"
        " + excluded_rows_count + not_applicable_rows_count + redelivered_rows_count,"
        " excluded_rows_count from marts.ingest_reconciliation",
    )
    assert len(rows) == 10
    assert all(read == known for _, read, known, _ in rows)
    assert {entity: excluded for entity, *_, excluded in rows if excluded} == {"coupons": 4872}


def test_a_customer_is_explained_from_the_row_of_the_mart_to_the_row_of_the_file(
    built: Built,
) -> None:
    customers = query(
        built.home,
        "select smallest_record_key, orders_count from marts.customer_360"
        " order by orders_count desc, smallest_record_key",
    )
    for key, orders_count in (customers[0], customers[len(customers) // 2], customers[-1]):
        value = read_explanation(built.home, key)
        describes("explain_customer", value)
        assert len(value["orders"]) == orders_count
        assert len(value["checks"]) >= 15
        assert not [check for check in value["checks"] if not check["is_equal"]]
        assert value["lifecycle"]["is_equal"]
        assert value["value_tier"]["is_equal"]
        assert value["missing"] == []
        (clv,) = (score for score in value["scores"] if score["question"] == "clv_90d")
        assert clv["is_baseline"] or clv["mlflow_run_id"]
        places = [
            (order["order_id"].partition(":")[2], source["row"] - 1, source["file"])
            for order in value["orders"]
            for source in (order["header"], *order["lines"])
        ]
        assert {file for _, _, file in places} == {"transactions.parquet"}
        held = duckdb.sql(f"""
            select file_row_number, cast(basket_id as varchar), cast(household_id as varchar)
            from read_parquet('{built.files}/transactions.parquet', file_row_number = true)
        """).fetchall()
        baskets = {row: (basket, household) for row, basket, household in held}
        household = key.partition(":")[2]
        assert all(baskets[row] == (order, household) for order, row, _ in places)


def test_active_customers_are_new_retained_or_reactivated(built: Built) -> None:
    rows = query(
        built.home,
        "select active_customers_count, new_customers_count + retained_customers_count"
        " + reactivated_customers_count from marts.kpi_customers_monthly",
    )
    assert rows
    assert all(active == parts for active, parts in rows)


def test_a_second_run_gives_equal_tables_and_makes_no_version_or_model_anew(
    built: Built, tmp_path: Path
) -> None:
    kept = tmp_path / "published.duckdb"
    kept.write_bytes(built.home.published.read_bytes())
    trained = len(built.home.lake.live("training"))
    events = len(built.home.lake.live("identity_events"))
    versions = (
        "select table_name, table_oid from duckdb_tables() where table_name like '%_versions'"
    )
    before = query(built.home, versions)
    again = run(built.home)
    assert_equal_tables(kept, built.home.published)
    assert (plots(built.run_id), plots(again)) == (PLOTS, set())
    assert sorted(query(built.home, versions)) == sorted(before), "a version table was built anew"
    assert len(built.home.lake.live("training")) == trained
    assert len(built.home.lake.live("identity_events")) == events


def test_a_rebuilt_warehouse_gives_equal_tables_and_the_same_ids(
    built: Built, tmp_path: Path
) -> None:
    kept = tmp_path / "published.duckdb"
    kept.write_bytes(built.home.published.read_bytes())
    ids = query(built.home, "select smallest_record_key, customer_id from core.dim_customers")
    built.home.warehouse.unlink()
    for record in built.home.lake.live("customer_map"):
        # The map only caches what the log of events says.
        (built.home.lake.root / "register" / f"{record.seq:010d}.json").rename(
            built.home.lake.root / f"lost-{record.seq}"
        )
    run(built.home)
    assert_equal_tables(kept, built.home.published)
    again = query(built.home, "select smallest_record_key, customer_id from core.dim_customers")
    assert sorted(again) == sorted(ids)


@pytest.mark.battery
def test_as_of_forward_and_back_gives_the_tables_of_a_clean_build(tmp_path: Path) -> None:
    files = deliver(tmp_path / "files", share=60)
    early, late = date(2017, 9, 1), date(2017, 12, 1)
    clean = {day: make_home(tmp_path / str(day), files) for day in (early, late)}
    for day, home in clean.items():
        run(home, day)
    moved = make_home(tmp_path / "moved", files)
    for day in (early, late, early):
        run(moved, day)
        assert_equal_tables(clean[day].published, moved.published, models_held=False)


@pytest.mark.battery
def test_after_a_rollback_the_next_run_scores_with_the_older_version(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", deliver(tmp_path / "files"))
    early, late = date(2017, 12, 1), date(2018, 1, 2)
    for number, day in (("1", early), ("2", late)):
        run(home, day)
        # Whatever the gate says of so few customers.
        if champions(home.mlflow).get("clv_90d") != number:
            crown(home.mlflow, "clv_90d", number)
    run(home, late)
    config, request = read_config(home), Request(home, as_of=late)
    assert scored_by(home) == ["2"]
    assert nothing_to_do(request, config) is not None
    carry_out(plan_rollback(home, "clv_90d", ""))
    assert nothing_to_do(request, config) is None
    publish_alone(home)
    assert nothing_to_do(request, config) is None, "the copy holds the scores of version 2"
    run(home, late)
    assert scored_by(home) == ["1"]
    assert nothing_to_do(request, config) is not None
    with pytest.raises(SettingFault):
        plan_rollback(home, "clv_90d", "")


def publish_alone(home: Home) -> None:
    """As from the browser: the last asset, at the moment of the last complete run."""
    result = (
        build_definitions(home)
        .resolve_job_def(JOB)
        .execute_in_process(
            instance=dg.DagsterInstance.get(),
            run_config={"resources": {"unicus": {"config": {"home": str(home.root), "as_of": ""}}}},
            asset_selection=[dg.AssetKey(["serving", "published"])],
        )
    )
    assert result.success


def scored_by(home: Home) -> list[str]:
    rows = query(
        home, "select distinct model_version from marts.customer_scores where not is_stale"
    )
    return [version for (version,) in rows]


@pytest.mark.battery
def test_both_ways_to_run_dbt_tell_dagster_the_same(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> set[tuple[str, ...]]:
        run_id = run(built.home)
        return set(events(dg.DagsterInstance.get(), run_id))

    def events(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[str, ...]]:
        for entry in instance.all_logs(run_id):
            event = entry.dagster_event
            if event and event.is_step_materialization and event.asset_key:
                yield "asset", event.asset_key.to_user_string()
            if event and event.event_type_value == "ASSET_CHECK_EVALUATION":
                found = event.asset_check_evaluation_data
                yield "check", str(found.asset_check_key), str(found.passed)

    in_process = told()
    monkeypatch.setenv("UNICUS_DBT", "cli")
    assert told() == in_process


def test_all_of_the_sample_is_predicted_by_models_at_the_level_of_what_came(tmp_path: Path) -> None:
    asked = ("clv_90d", "propensity_30d")
    home = make_home(tmp_path / "home", deliver(tmp_path / "files", share=1), predictions=asked)
    run(home)
    assert champions(home.mlflow) == dict.fromkeys(asked, "1")
    measured = query(
        home,
        """
        select model_name, actual_total, bias_ratio between 0.9 and 1.1, ngini > 0.7
        from marts.model_performance where is_model and segment = 'all'
        qualify cutoff_date = max(cutoff_date) over (partition by model_name)
        order by model_name
        """,
    )
    assert [(name, *good) for name, _, *good in measured] == [(name, True, True) for name in asked]
    spent, buyers = (float(actual) for _, actual, *_ in measured)
    published = query(
        home,
        """
        select count(*) = (select count(*) from core.dim_customers where customer_id <> 'unknown'),
            bool_and(not v.is_baseline and not v.is_stale and not p.is_baseline and not p.is_stale),
            bool_and(v.predicted_net_revenue_low_amount <= v.predicted_net_revenue_high_amount),
            bool_and(p.order_probability + p.churn_probability = 1),
            sum(v.predicted_net_revenue_amount), sum(p.order_probability)
        from marts.customer_scores as v inner join marts.customer_propensities as p
            using (customer_id, as_of_date)
        """,
    )[0]
    assert published[:4] == (True, True, True, True)
    assert float(published[4]) == pytest.approx(spent, rel=0.1)
    assert float(published[5]) == pytest.approx(buyers, rel=0.1)


def test_a_home_with_one_customer_serves_a_labelled_baseline(tmp_path: Path) -> None:
    files = deliver(tmp_path / "files", share=2500)
    home = make_home(tmp_path / "home", files)
    run(home)
    assert len(query(home, "select 1 from marts.customer_360")) == 1
    scores = query(home, "select predictor, is_baseline, model_version from marts.customer_scores")
    assert scores == [("rate_times_basket", True, "baseline")]
    for table in ("model_performance", "model_deciles", "model_calibration", "model_drift"):
        assert query(home, f"select * from marts.{table}") == []


@pytest.mark.battery
@pytest.mark.parametrize("room", ["identity", "ml"])
def test_a_part_that_leaves_out_what_python_makes_is_not_published_for_another_date(
    room: str, tmp_path: Path
) -> None:
    home = make_home(tmp_path / "home", deliver(tmp_path / "files", share=2500))
    run(home)
    before = read_publication(home.published)
    definitions = build_definitions(home)
    job = definitions.resolve_job_def(JOB)
    progress.faults.clear()
    result = job.execute_in_process(
        instance=dg.DagsterInstance.get(),
        run_config={
            "resources": {"unicus": {"config": {"home": str(home.root), "as_of": "2017-12-01"}}}
        },
        asset_selection=[
            key for key in job.asset_layer.executable_asset_keys if key.path[0] != room
        ],
        raise_on_error=False,
    )
    assert not result.success
    assert {fault.code for fault in progress.faults} == {"mixed-warehouse"}
    assert read_publication(home.published) == before


def test_the_exceptions_of_equal_tables_are_these_and_exist(built: Built) -> None:
    names = set(query(built.home, "select schema_name || '.' || table_name from duckdb_tables()"))
    assert set(equal_tables.LEDGERS) == {
        "marts.ingest_reconciliation", "marts.model_performance", "marts.model_deciles",
        "marts.model_calibration", "marts.model_drift", "marts.model_realised", "main.publication",
        "marts.customer_value_history", "marts.identity_events", "marts.identity_runs",
    }  # fmt: skip
    for exception in (*equal_tables.LEDGERS, *equal_tables.MODEL_TABLES):
        assert (exception,) in names
    columns = {row[0] for row in query(built.home, "select column_name from duckdb_columns()")}
    assert columns >= equal_tables.RUN_COLUMNS
