"""The tables this room hands out, as Arrow schemas.

Belongs here: names and types only, so that an empty table can be written before any model exists.
Does not belong here: where the files go.
"""

from __future__ import annotations

import pyarrow as pa

AMOUNT = pa.decimal128(18, 2)
TENTHS = pa.decimal128(18, 1)

_QUESTION = [("model_name", pa.string()), ("target", pa.string()), ("horizon_days", pa.int32())]
_ORIGIN = [
    ("model_version", pa.string()),
    ("mlflow_run_id", pa.string()),
    ("trained_at_snapshot", pa.string()),
    ("trained_as_of", pa.date32()),
]
_GAINS = [
    (f"{metric}_gain{bound}", pa.float64())
    for metric in ("ngini", "decile_error", "logloss")
    for bound in ("", "_low", "_high")
]

# One row per customer and question. `predicted` and its interval are of the target: money, a number
# of orders, or a probability. What is said of those who buy is NULL for a probability.
SCORES = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        *_QUESTION,
        ("predicted", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("any_order_probability", pa.float64()),
        ("if_any", pa.float64()),
        ("if_any_low", pa.float64()),
        ("if_any_high", pa.float64()),
        ("season_factor", pa.float64()),
        ("predictor", pa.string()),
        ("model_version", pa.string()),
        ("mlflow_run_id", pa.string()),
        ("is_baseline", pa.bool_()),
        ("is_stale", pa.bool_()),
        ("scored_at_snapshot", pa.string()),
    ]
)

# One row per customer with an order and date that was looked back from. What was known before the
# date, and what was expected from it on; the predictor is that of the value of 90 days.
VALUE_HISTORY = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("lifecycle", pa.string()),
        ("value_tier", pa.string()),
        ("recency_days", pa.int64()),
        ("orders_365d_count", pa.int64()),
        ("net_revenue_365d_amount", AMOUNT),
        ("predicted_net_revenue_30d_amount", AMOUNT),
        ("predicted_net_revenue_90d_amount", AMOUNT),
        ("predicted_net_revenue_365d_amount", AMOUNT),
        ("value_predictor", pa.string()),
        ("is_baseline_prediction", pa.bool_()),
        ("is_stale_prediction", pa.bool_()),
        ("order_probability_30d", pa.float64()),
        ("order_probability_90d", pa.float64()),
        ("expected_orders_90d_count", pa.float64()),
        ("is_backfilled", pa.bool_()),
    ]
)

# One row per question, as-of date and what may have drifted: a feature, or the scores themselves.
MODEL_DRIFT = pa.schema(
    [
        *_QUESTION,
        ("as_of_date", pa.date32()),
        ("subject", pa.string()),
        ("is_score", pa.bool_()),
        ("stability_index", pa.float64()),
        ("model_version", pa.string()),
    ]
)

# One row per question, cut-off, segment of customers and predictor. Totals are of the target.
MODEL_PERFORMANCE = pa.schema(
    [
        *_QUESTION,
        ("cutoff_date", pa.date32()),
        ("segment", pa.string()),
        ("predictor", pa.string()),
        ("is_model", pa.bool_()),
        ("customers_count", pa.int64()),
        ("predicted_total", AMOUNT),
        ("actual_total", AMOUNT),
        ("season_factor", pa.float64()),
        ("ngini", pa.float64()),
        ("auc", pa.float64()),
        ("bias_ratio", pa.float64()),
        ("bias_low_ratio", pa.float64()),
        ("bias_high_ratio", pa.float64()),
        ("decile_error", pa.float64()),
        ("logloss", pa.float64()),
        ("calibration_error", pa.float64()),
        *_GAINS,
        *_ORIGIN,
    ]
)

# One row per question, cut-off, predictor and tenth of the customers by its forecast.
MODEL_DECILES = pa.schema(
    [
        *_QUESTION,
        ("cutoff_date", pa.date32()),
        ("predictor", pa.string()),
        ("is_model", pa.bool_()),
        ("decile", pa.int32()),
        ("customers_count", TENTHS),
        ("predicted_total", AMOUNT),
        ("actual_total", AMOUNT),
        *_ORIGIN,
    ]
)

# One row per question, cut-off and tenth of the customers by the model's probability of an order.
MODEL_CALIBRATION = pa.schema(
    [
        *_QUESTION,
        ("cutoff_date", pa.date32()),
        ("decile", pa.int32()),
        ("customers_count", pa.int64()),
        ("buyers_count", pa.int64()),
        ("predicted_rate", pa.float64()),
        ("actual_rate", pa.float64()),
        ("actual_low_rate", pa.float64()),
        ("actual_high_rate", pa.float64()),
        ("coverage_rate", pa.float64()),
        ("if_any_coverage_rate", pa.float64()),
        ("at_zero_rate", pa.float64()),
        ("mean_width", pa.float64()),
        *_ORIGIN,
    ]
)
