"""The three tables this room hands out, as Arrow schemas.

Belongs here: names and types only, so that an empty table can be written before any model exists.
Does not belong here: where the files go.
"""

from __future__ import annotations

import pyarrow as pa

AMOUNT = pa.decimal128(18, 2)
TENTHS = pa.decimal128(18, 1)

VALUE_SCORES = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("predicted_net_revenue_amount", AMOUNT),
        ("model_name", pa.string()),
        ("predictor", pa.string()),
        ("model_version", pa.string()),
        ("mlflow_run_id", pa.string()),
        ("is_baseline", pa.bool_()),
        ("is_stale", pa.bool_()),
        ("scored_at_snapshot", pa.string()),
    ]
)

MODEL_PERFORMANCE = pa.schema(
    [
        ("model_name", pa.string()),
        ("horizon_days", pa.int32()),
        ("cutoff_date", pa.date32()),
        ("predictor", pa.string()),
        ("is_model", pa.bool_()),
        ("customers_count", pa.int64()),
        ("predicted_amount", AMOUNT),
        ("actual_amount", AMOUNT),
        ("ngini_rate", pa.float64()),
        ("bias_rate", pa.float64()),
        ("decile_error_rate", pa.float64()),
        ("ngini_gain_rate", pa.float64()),
        ("ngini_gain_low_rate", pa.float64()),
        ("ngini_gain_high_rate", pa.float64()),
        ("decile_error_gain_rate", pa.float64()),
        ("decile_error_gain_low_rate", pa.float64()),
        ("decile_error_gain_high_rate", pa.float64()),
        ("model_version", pa.string()),
        ("mlflow_run_id", pa.string()),
        ("trained_at_snapshot", pa.string()),
        ("trained_as_of", pa.date32()),
    ]
)

MODEL_DECILES = pa.schema(
    [
        ("model_name", pa.string()),
        ("horizon_days", pa.int32()),
        ("cutoff_date", pa.date32()),
        ("predictor", pa.string()),
        ("is_model", pa.bool_()),
        ("decile", pa.int32()),
        ("customers_count", TENTHS),
        ("predicted_amount", AMOUNT),
        ("actual_amount", AMOUNT),
        ("model_version", pa.string()),
        ("mlflow_run_id", pa.string()),
        ("trained_at_snapshot", pa.string()),
        ("trained_as_of", pa.date32()),
    ]
)
