"""Equal tables: the one comparison of two homes, and its exceptions.

Two published copies hold equal tables when every public table but the ledgers has the same rows,
without the columns that name a run or a load, with each customer named by the smallest record key of
the customer, whatever the order of the rows.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

LEDGERS = {
    "marts.ingest_reconciliation": "loads have their own names and times",
    "marts.identity_events": "ids are drawn, and each home came to its customers in its own steps",
    "marts.identity_runs": "each home came to its customers in its own steps",
    "marts.model_performance": "a training names its run",
    "marts.model_deciles": "a training names its run",
    "marts.model_calibration": "a training names its run",
    "marts.model_drift": "tells of every date that was scored",
    "marts.model_realised": "tells of every date that was scored",
    "marts.customer_value_history": "tells of every date that was scored or filled in",
    "main.publication": "names the run that built it",
}
RUN_COLUMNS = {"mlflow_run_id", "model_version", "lines_load_id"}
MODEL_TABLES = {"marts.customer_scores", "marts.customer_propensities"}
"""Held out when the models of two homes are not the same one."""
PREDICTED = ("predicted", "expected", "churn", "order_probability")
"""How columns of other tables begin that a model makes."""


def public_rows(
    published: Path, *, models_held: bool = True
) -> dict[str, list[tuple[object, ...]]]:
    """Sorted rows of every table to compare, by name."""
    with duckdb.connect(str(published), read_only=True) as con:
        con.execute("""
            create temp table smallest as
            select customer_id, smallest_record_key as record_key from core.dim_customers
            union all
            select strict_customer_id, smallest_record_key from core.dim_customers
            where strict_customer_id <> customer_id
            union all
            select dim_households.household_id, smallest_record_key
            from core.dim_households join core.dim_customers on first_customer_id = customer_id
            where first_customer_id <> 'unknown'
        """)
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'published' order by all"
        ).fetchall()
        return {
            f"{schema}.{table}": _rows(con, schema, table, models_held)
            for schema, table in tables
            if f"{schema}.{table}" not in LEDGERS
            and (models_held or f"{schema}.{table}" not in MODEL_TABLES)
        }


def _rows(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, models_held: bool
) -> list[tuple[object, ...]]:
    columns = [row[0] for row in con.execute(f'describe "{schema}"."{table}"').fetchall()]
    shown = [
        f'coalesce({c}_named.record_key, t."{c}") as "{c}"' if _is_customer(c) else f't."{c}"'
        for c in columns
        if c not in RUN_COLUMNS and (models_held or not c.startswith(PREDICTED))
    ]
    joins = " ".join(
        f'left join smallest as {c}_named on {c}_named.customer_id = t."{c}"'
        for c in columns
        if _is_customer(c)
    )
    return con.execute(
        f'select {", ".join(shown)} from "{schema}"."{table}" as t {joins} order by all'
    ).fetchall()


def _is_customer(column: str) -> bool:
    """A household is named after its first customer."""
    return column.endswith(("customer_id", "household_id")) and not column.startswith("smallest")


def assert_equal_tables(left: Path, right: Path, *, models_held: bool = True) -> None:
    """Assert that two published copies hold equal tables."""
    a = public_rows(left, models_held=models_held)
    b = public_rows(right, models_held=models_held)
    assert a.keys() == b.keys()
    for table in a:
        assert len(a[table]) == len(b[table]), f"{table}: {len(a[table])} and {len(b[table])} rows"
        differing = [pair for pair in zip(a[table], b[table], strict=True) if pair[0] != pair[1]]
        assert not differing, f"{table}: {len(differing)} rows differ, first {differing[0]}"
