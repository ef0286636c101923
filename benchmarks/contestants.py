"""Whose forecasts are compared: ours, and those of the peers in their own Python.

Belongs here: handing both the same rows, and putting their forecasts in the order of a case. Does not
belong here: cases, metrics, and what a peer is (`benchmarks/peers/forecast.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cases import Fold
from ml.clv.model import CustomerValue
from ml.propensity.model import OrderProbability

PEERS = Path(__file__).parent / "peers" / "forecast.py"


@dataclass(frozen=True)
class Said:
    """Forecasts by name, each of shape (n,), and the CPU seconds they took.

    Ours are those of `Forecast` and `any_order`, the probability of the other model; the peers'
    `tweedie`, `lifetimes`, `any_order`, and their intervals. A name is missing where a peer failed.
    """

    forecasts: dict[str, np.ndarray]
    cpu_seconds: dict[str, float]
    versions: dict[str, str]
    failed: dict[str, str]


def ours(folds: Sequence[Fold], horizon_days: int) -> Said:
    """Fit on each fold and forecast its tested rows."""
    made: dict[str, list[np.ndarray]] = {}
    seconds = dict.fromkeys(("value", "probability"), 0.0)
    for fold in folds:
        began = time.process_time()
        value = value_of(fold, horizon_days)
        between = time.process_time()
        value["any_order"] = probability_of(fold, horizon_days)
        seconds["value"] += between - began
        seconds["probability"] += time.process_time() - between
        for name, forecast in value.items():
            made.setdefault(name, []).append(forecast)
    return Said(_in_place(made, folds), seconds, {}, {})


def value_of(fold: Fold, horizon_days: int) -> dict[str, np.ndarray]:
    """Give each part of our forecast of value for the tested rows."""
    rows = fold.training
    model = CustomerValue(horizon_days).fit(
        rows.features, rows.amounts, today=fold.today.features, customers=rows.customers
    )
    forecast = model.forecast(fold.tested.features)
    return {field.name: getattr(forecast, field.name) for field in fields(forecast)}


def probability_of(fold: Fold, horizon_days: int) -> np.ndarray:
    """Give our probability of any order for the tested rows."""
    rows = fold.training
    model = OrderProbability(horizon_days).fit(rows.features, rows.is_ordering)
    predicted: np.ndarray = model.forecast(fold.tested.features).predicted
    return predicted


def theirs(folds: Sequence[Fold], horizon_days: int, python: Path, scratch: Path) -> Said:
    """Have the peers' Python forecast the same rows."""
    places = [scratch / f"fold{number}" for number in range(len(folds))]
    for place, fold in zip(places, folds, strict=True):
        _write(place, fold, horizon_days)
    subprocess.run(
        [str(python), str(PEERS), *map(str, places)],
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    tables = [pd.read_parquet(place / "forecast.parquet") for place in places]
    told = [json.loads((place / "peers.json").read_text("utf-8")) for place in places]
    names = set.intersection(*(set(table.columns) for table in tables))
    made = {name: [table[name].to_numpy(dtype=float) for table in tables] for name in names}
    failed = {name: why for each in told for name, why in each["failed"].items()}
    return Said(_in_place(made, folds), _added(told), told[0]["versions"], failed)


def _write(place: Path, fold: Fold, horizon_days: int) -> None:
    place.mkdir(parents=True, exist_ok=True)
    labels = {"_amount": fold.training.amounts, "_is_ordering": fold.training.is_ordering}
    tested, today = (rows.histories.add_prefix("_") for rows in (fold.tested, fold.today))
    fold.training.features.assign(**labels).to_parquet(place / "training.parquet")
    pd.concat([fold.tested.features, tested], axis=1).to_parquet(place / "tested.parquet")
    today.to_parquet(place / "today.parquet")
    (place / "case.json").write_text(json.dumps({"horizon_days": horizon_days}), "utf-8")


def _in_place(made: dict[str, list[np.ndarray]], folds: Sequence[Fold]) -> dict[str, np.ndarray]:
    """Put what was said of each fold in the order of the rows of the case."""
    order = np.argsort(np.concatenate([fold.place for fold in folds]))
    return {name: np.concatenate(parts)[order] for name, parts in made.items()}


def _added(told: Sequence[dict[str, Any]]) -> dict[str, float]:
    names = told[0]["cpu_seconds"]
    return {name: sum(each["cpu_seconds"][name] for each in told) for name in names}
