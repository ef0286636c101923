"""Value history: what was known and expected of every customer at one date, to be kept as it was told.

Belongs here: putting the scores of a date beside the standing of its customers. Does not belong here:
the standing (dbt computes it), the scores, and which dates are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from intake.sql import quoted
from ml.tables import VALUE_HISTORY

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

VALUES_TABLE = "features.customer_as_of_values"
PREDICTED = {
    "predicted_net_revenue_30d_amount": "clv_30d",
    "predicted_net_revenue_90d_amount": "clv_90d",
    "predicted_net_revenue_365d_amount": "clv_365d",
    "order_probability_30d": "propensity_30d",
    "order_probability_90d": "propensity_90d",
    "expected_orders_90d_count": "orders_90d",
}
"""Columns of the history by the question that answers them."""

SAID_WITH_VALUE = {
    "value_predictor": "predictor",
    "is_baseline_prediction": "is_baseline",
    "is_stale_prediction": "is_stale",
}
"""Columns that tell who made the value of 90 days, as customer_360 does."""


def value_history(
    warehouse: Path, as_of: date, scores: pa.Table, *, is_backfilled: bool
) -> pa.Table:
    """Put the scores of a date beside the standing of its customers.

    Args:
        warehouse: DuckDB file with the standing at the date, read-only.
        as_of: The date.
        scores: Of all questions at the date, schema `ml.tables.SCORES`.
        is_backfilled: Whether the date lies before the run that fills it in.

    Returns:
        Schema `ml.tables.VALUE_HISTORY`, one row per customer, sorted by customer.
    """
    said = [_said("predicted", name, column) for column, name in PREDICTED.items()]
    said += [_said(told, "clv_90d", column) for column, told in SAID_WITH_VALUE.items()]
    columns = ", ".join(quoted(name) for name in VALUE_HISTORY.names)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        standing = con.execute(
            f"select * from {VALUES_TABLE} where as_of_date = ?", [as_of]
        ).to_arrow_table()
    # Apart from the warehouse, which is to be let go of as soon as may be: dbt writes it next.
    with duckdb.connect() as con:
        con.register("standing", standing)
        con.register("scores", scores)
        found = con.execute(
            f"""
            with said as (select customer_id, {", ".join(said)} from scores group by customer_id)
            select {columns}
            from (select *, $is_backfilled as is_backfilled from standing) as told
            left join said using (customer_id) order by customer_id
            """,
            {"is_backfilled": is_backfilled},
        ).to_arrow_table()
    return found.cast(VALUE_HISTORY)


def _said(told: str, name: str, column: str) -> str:
    """One question's word on a customer, in the type that the marts give it."""
    word = f"max({told}) filter (where model_name = '{name}')"
    return (
        f"{f'cast({word} as decimal(18, 2))' if column.endswith('_amount') else word} as {column}"
    )
