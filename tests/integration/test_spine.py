"""From landing file to published mart on real data: what comes out is what went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from ml.tracking import champions, crown
from orchestration.graph import JOB, build_definitions
from orchestration.models import carry_out, plan_rollback
from orchestration.progress import progress
from orchestration.run import Request, nothing_to_do
from orchestration.settings import Home, SettingFault, read_config
from serving.publish import read_publication
from tests import equal_tables
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, run
from tests.integration.conftest import Built


def query(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        return con.execute(sql).fetchall()


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
    assert (plots(built.run_id), plots(again)) == ({"gain", "deciles"}, set())
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


JOURNEY = Path(__file__).parents[2] / "intake" / "systems" / "complete_journey"


@pytest.fixture
def corrected_system(tmp_path: Path) -> Path:
    """The sample's system, as one that sends corrections in further files, with their time."""
    folder = tmp_path / "systems" / "complete_journey"
    folder.mkdir(parents=True)
    for path in JOURNEY.iterdir():
        text = path.read_text("utf-8")
        text = text.replace("path: transactions.parquet", "path: transactions*.parquet")
        if path.name == "orders.sql":
            text = text.replace("min(_row) as _row", "updated_at,\n    min(_row) as _row")
            text = text.replace(
                "store_id, transaction_timestamp", "store_id, transaction_timestamp, updated_at"
            )
        if path.name == "order_lines.sql":
            text = text.replace("    _row,", "    _row,\n    updated_at,")
        (folder / path.name).write_text(text, "utf-8")
    return folder.parent


def with_corrections(files: Path, corrected_at: date | None) -> Path:
    """Give the tickets a time of change, and correct one in ten of them on a day."""
    path = files / "transactions.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table t as select *, null::timestamp as updated_at from '{path}'")
        con.execute(f"copy t to '{path}'")
        if corrected_at:
            con.execute(f"""
                copy (
                    select * exclude (updated_at, sales_value), sales_value * 3 + 1 as sales_value,
                        timestamp '{corrected_at} 10:00:00' as updated_at
                    from t where basket_id % 10 = 0 and transaction_timestamp < '{corrected_at}'
                ) to '{files}/transactions_corrected.parquet'
            """)
    return files


def features(home: Home, day: date) -> dict[str, tuple[Any, ...]]:
    """Feature values of a date, by record."""
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        found = con.execute(
            "select d.smallest_record_key, f.* exclude (customer_id)"
            " from features.customer_as_of_features as f join core.dim_customers as d"
            " using (customer_id) where f.as_of_date = ?",
            [day],
        ).fetchall()
    return {row[0]: row[1:] for row in found}


def test_no_feature_of_a_date_changes_when_its_future_is_deleted(
    tmp_path: Path, corrected_system: Path
) -> None:
    folder = str(corrected_system)
    corrected_at = date(2017, 12, 20)
    files = with_corrections(deliver(tmp_path / "all", share=60), corrected_at)
    whole = make_home(tmp_path / "whole", files, folder=folder)
    run(whole)
    as_of = date(2018, 1, 2)
    for day in (date(2017, 10, 3), date(2017, 7, 5), as_of):
        past = with_corrections(
            deliver(tmp_path / f"files-{day}", share=60, before=day),
            corrected_at if corrected_at < day else None,
        )
        alone = make_home(tmp_path / f"home-{day}", past, folder=folder)
        run(alone, day)
        expected = features(alone, day)
        assert expected
        assert features(whole, day) == expected


def test_a_correction_is_seen_from_its_day_on_and_replaces_all_lines(
    tmp_path: Path, corrected_system: Path
) -> None:
    files = with_corrections(deliver(tmp_path / "all", share=60), date(2017, 12, 20))
    home = make_home(tmp_path / "home", files, folder=str(corrected_system))
    before = duckdb.sql(f"""
        select sum(cast(sales_value as decimal(18, 4))), count(*)
        from '{files}/transactions.parquet' where transaction_timestamp < '2017-12-20'
    """).fetchone()
    run(home, date(2017, 12, 20))
    sql = "select sum(net_revenue_amount), count(*) from core.fct_order_lines"
    assert query(home, sql) == [before]
    run(home, date(2017, 12, 21))
    after = duckdb.sql(f"""
        with rows as (
            select *, basket_id in (
                select basket_id from '{files}/transactions_corrected.parquet'
            ) as is_corrected
            from '{files}/transactions.parquet' where transaction_timestamp < '2017-12-21'
        )
        select sum(cast(case when is_corrected then sales_value * 3 + 1 else sales_value end
            as decimal(18, 4))), count(*) from rows
    """).fetchone()
    assert query(home, sql) == [after]


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


def test_a_home_with_one_customer_serves_a_labelled_baseline(tmp_path: Path) -> None:
    files = deliver(tmp_path / "files", share=2500)
    home = make_home(tmp_path / "home", files)
    run(home)
    assert len(query(home, "select 1 from marts.customer_360")) == 1
    scores = query(home, "select predictor, is_baseline, model_version from marts.customer_scores")
    assert scores == [("rate_times_basket", True, "baseline")]
    for table in ("model_performance", "model_deciles"):
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
    graph = definitions.resolve_asset_graph()
    progress.faults.clear()
    result = definitions.resolve_job_def(JOB).execute_in_process(
        instance=dg.DagsterInstance.get(),
        run_config={
            "resources": {"unicus": {"config": {"home": str(home.root), "as_of": "2017-12-01"}}}
        },
        asset_selection=[key for key in graph.executable_asset_keys if key.path[0] != room],
        raise_on_error=False,
    )
    assert not result.success
    assert {fault.code for fault in progress.faults} == {"mixed-warehouse"}
    assert read_publication(home.published) == before


def test_the_exceptions_of_equal_tables_are_these_and_exist(built: Built) -> None:
    names = set(query(built.home, "select schema_name || '.' || table_name from duckdb_tables()"))
    assert set(equal_tables.LEDGERS) == {
        "marts.ingest_reconciliation", "marts.model_performance", "marts.model_deciles",
        "main.publication",
    }  # fmt: skip
    for exception in (*equal_tables.LEDGERS, *equal_tables.MODEL_TABLES):
        assert (exception,) in names
    columns = {row[0] for row in query(built.home, "select column_name from duckdb_columns()")}
    assert columns >= equal_tables.RUN_COLUMNS
