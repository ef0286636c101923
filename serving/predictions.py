"""The scores of one customer with who made them: champion or baseline, training, MLflow run."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from intake.lake import Record
from serving.past import Past, ask_mart
from serving.rows import Row, fetch, parquet


def scores_of_customer(
    con: duckdb.DuckDBPyConnection, past: Past, as_of: date, mlflow: Path
) -> list[dict[str, Any]]:
    """Every score of the customer with its maker."""
    scoring = past.scoring(as_of)
    found = _of_lake(con, past, as_of) or _of_mart(con, past)
    if found and not any((mlflow / name).exists() for name in ("mlflow.db", "database")):
        past.missing.append(f"MLflow store {mlflow}, so no run can be opened")
    return [_told(one, past, scoring) for one in found]


def _of_lake(con: duckdb.DuckDBPyConnection, past: Past, as_of: date) -> list[Row]:
    """What the scoring wrote; nothing where it wrote another table than today's."""
    files = past.made_files("ml", "scores", as_of)
    try:
        return fetch(con, f"""
            select *, {_in_cents("predicted")}, {_in_cents("low")}, {_in_cents("high")}
            from {parquet(files)} where customer_id = getvariable('customer')
            order by target, horizon_days
        """) if files else []  # fmt: skip
    except duckdb.BinderException:
        return []


def _of_mart(con: duckdb.DuckDBPyConnection, past: Past) -> list[Row]:
    """The scores that an older home has in its published copy alone."""
    found = ask_mart(con, past, "select * from marts.customer_scores where customer_id = {}")
    if found:
        past.missing.append(
            "score files of this version; scores are those of marts.customer_scores"
        )
    amount = "predicted_net_revenue{}_amount"
    return [
        {
            "target": "net_revenue",
            **one,
            "predicted_amount": one[amount.format("")],
            "low_amount": one.get(amount.format("_low")),
            "high_amount": one.get(amount.format("_high")),
        }
        for one in found
    ]


def _told(one: Row, past: Past, scoring: Record | None) -> dict[str, Any]:
    name = one["model_name"]
    training = past.training(one["mlflow_run_id"])
    reasons = scoring.details.get("reasons", {}) if scoring else {}
    told = "{}_amount" if one["target"] == "net_revenue" else "{}"
    return {
        "question": name,
        "target": one["target"],
        "horizon_days": one["horizon_days"],
        "predicted": one[told.format("predicted")],
        "low": one[told.format("low")],
        "high": one[told.format("high")],
        "predictor": one["predictor"],
        "made_by": "baseline" if one["is_baseline"] else f"champion version {one['model_version']}",
        "is_baseline": one["is_baseline"],
        "is_stale": one["is_stale"],
        "model_version": one["model_version"],
        "mlflow_run_id": one["mlflow_run_id"],
        "trained_as_of": training.details.get("as_of") if training else None,
        "trained_at": training.committed_at if training else None,
        "trained_at_snapshot": training.details.get("snapshot_id") if training else None,
        "training_reason": training.details.get("reason") if training else None,
        "scored_at_snapshot": one.get("scored_at_snapshot"),
        "scoring_reason": reasons.get(name),
    }


def _in_cents(column: str) -> str:
    """A score as the mart rounds it, if it is an amount."""
    amount = f"cast({column} as decimal(18, 2))"
    return f"case when target = 'net_revenue' then {amount} end as {column}_amount"
