"""What the peers forecast, untuned, from the rows it is given: run by the peers' own Python.

    PEERS/bin/python benchmarks/peers/forecast.py FOLDER...

Each folder has `case.json` (`horizon_days`), `training.parquet` (features, `_amount`, `_is_ordering`),
`tested.parquet` (features and a history) and `today.parquet` (histories). A history is `_frequency`,
`_recency`, `_age` and `_repeat_value`. Written back are `forecast.parquet`, with the rows of
`tested.parquet` in the same order, and `peers.json`: versions, CPU seconds, and why lifetimes says
nothing where its fit fails. Belongs here: what a peer needs. Does not belong here: anything of this
project.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import lightgbm  # type: ignore[import-not-found]
import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter  # type: ignore[import-not-found]

SIZE = {
    "n_estimators": 150,
    "learning_rate": 0.05,
    "num_leaves": 8,
    "n_jobs": 1,
    "random_state": 0,
    "verbose": -1,
}
PACKAGES = ("lightgbm", "lifetimes", "scikit-learn", "numpy", "pandas")
Forecast = dict[str, np.ndarray]


def tweedie(training: pd.DataFrame, tested: pd.DataFrame) -> Forecast:
    """Value by LightGBM with a Tweedie loss."""
    model = lightgbm.LGBMRegressor(objective="tweedie", **SIZE)
    model.fit(features(training), training["_amount"].clip(lower=0))
    return {"tweedie": model.predict(features(tested))}


def binary(training: pd.DataFrame, tested: pd.DataFrame) -> Forecast:
    """Probability of any order by LightGBM."""
    model = lightgbm.LGBMClassifier(objective="binary", **SIZE)
    model.fit(features(training), training["_is_ordering"])
    return {"any_order": model.predict_proba(features(tested))[:, 1]}


def quantiles(training: pd.DataFrame, tested: pd.DataFrame) -> Forecast:
    """80 % intervals by LightGBM: of everybody, and of those who spend from those who did."""
    made: Forecast = {}
    spending = training[training["_amount"] > 0]
    for name, rows in (("", training), ("if_any_", spending)):
        ends = [_quantile(rows, tested, alpha) for alpha in (0.1, 0.9)]
        low, high = np.sort(np.clip(ends, 0, None), axis=0)
        made |= {f"{name}low": low, f"{name}high": high}
    return made


def buy_till_you_die(today: pd.DataFrame, tested: pd.DataFrame, horizon_days: int) -> Forecast:
    """Value by lifetimes: BG/NBD times gamma-gamma on repeat orders."""
    orders = BetaGeoFitter().fit(today["_frequency"], today["_recency"], today["_age"])
    paid = today[today["_repeat_value"] > 0]
    values = GammaGammaFitter().fit(paid["_frequency"], paid["_repeat_value"])
    expected = orders.conditional_expected_number_of_purchases_up_to_time(
        horizon_days, tested["_frequency"], tested["_recency"], tested["_age"]
    )
    value = values.conditional_expected_average_profit(
        tested["_frequency"].where(tested["_repeat_value"] > 0, 0), tested["_repeat_value"]
    )
    return {"lifetimes": np.asarray(expected * value, dtype=float)}


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """Every column that is no label and no history."""
    return rows[[name for name in rows.columns if not name.startswith("_")]]


def _quantile(rows: pd.DataFrame, tested: pd.DataFrame, alpha: float) -> np.ndarray:
    model = lightgbm.LGBMRegressor(objective="quantile", alpha=alpha, **SIZE)
    predicted: np.ndarray = model.fit(features(rows), rows["_amount"]).predict(features(tested))
    return predicted


def forecast(folder: Path) -> None:
    """Ask each peer, and write what it says or why it says nothing."""
    horizon_days = json.loads((folder / "case.json").read_text("utf-8"))["horizon_days"]
    training, tested, today = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("training", "tested", "today")
    )
    peers: dict[str, Callable[[], Forecast]] = {
        "tweedie": lambda: tweedie(training, tested),
        "binary": lambda: binary(training, tested),
        "quantile": lambda: quantiles(training, tested),
        "lifetimes": lambda: buy_till_you_die(today, tested, horizon_days),
    }
    made: Forecast = {}
    seconds, failed = {}, {}
    for name, peer in peers.items():
        began = time.process_time()
        try:
            made |= peer()
        except Exception as error:
            if name != "lifetimes":
                raise
            failed[name] = f"{type(error).__name__}: {error}"[:200]
        seconds[name] = time.process_time() - began
    pd.DataFrame(made).to_parquet(folder / "forecast.parquet")
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    said = {"versions": versions, "cpu_seconds": seconds, "failed": failed}
    (folder / "peers.json").write_text(json.dumps(said, indent=1), "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for argument in sys.argv[1:]:
        forecast(Path(argument))
