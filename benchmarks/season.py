"""What a yearly season does to the level of a forecast, with and without `ml.season`.

    python -m benchmarks.season [--peers-python PEERS/bin/python] [--seeds N]

Simulates two years of a shop that sells twice as much before the year's end, stands before the second
peak, where every closed window lies in the quiet months, and prints bias and decile error of the 90 days
ahead. Belongs here: that world. Does not belong here: real seasons (`benchmarks.predictions` has Online
Retail, of which one year is known).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.cases import RAW, Fold
from benchmarks.contestants import theirs
from benchmarks.tables import show
from benchmarks.warehouse import Model, compile_models, grid, read_rows
from benchmarks.worlds import World, warehouse
from ml.clv.model import CustomerValue
from ml.evaluation import bias_interval, bias_rate, decile_error_rate
from ml.frames import read_labelled
from ml.questions import Question
from ml.season import season, with_season
from ml.splits import learnt, season_dates

YEAR_DAYS, HORIZON_DAYS = 365, 90
FIRST_DAY, RUN_DAY = date(2022, 1, 1), date(2024, 1, 15)
DAY = date(2023, 10, 3)
PEAK_DAYS, TOP = (320, 360), 2.0


def yearly(days: np.ndarray) -> np.ndarray:
    """Order twice as often from the middle of November to Christmas."""
    of_year = days % YEAR_DAYS
    return np.where((of_year >= PEAK_DAYS[0]) & (of_year < PEAK_DAYS[1]), TOP, 1.0)


# New customers come all the time, so that only the season tells one year from the other.
SPAN = (RUN_DAY - FIRST_DAY).days
WORLD = World(FIRST_DAY, SPAN, joining_days=SPAN, season=yearly, season_top=TOP)


def training_dates() -> tuple[date, ...]:
    """List the days learnt from, whose windows are closed at `DAY`."""
    horizon = timedelta(days=HORIZON_DAYS)
    return learnt(grid(DAY - horizon, FIRST_DAY + horizon))


def forecasts(path: Path, fold: Fold) -> dict[str, np.ndarray]:
    """Forecast value without the season, and with it."""
    rows, today = fold.training, fold.today.features
    model = CustomerValue(HORIZON_DAYS).fit(
        rows.features, rows.amounts, today=today, customers=rows.customers
    )
    plain = model.forecast(today)
    question = Question("clv", HORIZON_DAYS)
    years = season_dates(FIRST_DAY, DAY, HORIZON_DAYS)
    known = season([read_labelled(path, [day], HORIZON_DAYS) for day in years], question)
    seasonal, _ = with_season(plain, known, today, question)
    print(known.told)
    return {"without season": plain.predicted, "with season": seasonal.predicted}


def compared(
    folder: Path, models: Sequence[Model], seed: int, python: Path | None
) -> list[list[str]]:
    """Make one world, and give a row per forecast of it."""
    dates = {*training_dates(), *season_dates(FIRST_DAY, DAY, HORIZON_DAYS), DAY}
    path = warehouse(WORLD, folder, models, dates, RUN_DAY, seed)
    rows = read_rows(path, dates, HORIZON_DAYS)
    today = rows.at([DAY])
    fold = Fold(rows.at(training_dates()), today, today, np.arange(len(today)))
    said = forecasts(path, fold)
    if python:
        peers = theirs([fold], HORIZON_DAYS, python, folder / "peers")
        said["LightGBM"] = peers.forecasts["tweedie"]
    return [_row(seed, name, today.amounts, forecast) for name, forecast in said.items()]


def _row(seed: int, name: str, actual: np.ndarray, forecast: np.ndarray) -> list[str]:
    low, high = bias_interval(actual, forecast)
    bias, error = bias_rate(actual, forecast), decile_error_rate(actual, forecast)
    return [str(seed), name, f"{bias:.3f}", f"[{low:.3f}, {high:.3f}]", f"{error:.3f}"]


def main() -> None:
    """Make the worlds and print what each forecast is worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("--peers-python", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    python = arguments.peers_python.absolute() if arguments.peers_python else None
    with tempfile.TemporaryDirectory() as scratch:
        models = compile_models(Path(scratch), [HORIZON_DAYS])
        rows = [
            row
            for seed in range(arguments.seeds)
            for row in compared(Path(scratch) / f"world{seed}", models, seed, python)
        ]
    title = f"{HORIZON_DAYS} days from {DAY}, of which 40 sell twice as much"
    show(title, "seed  forecast  bias  interval  decile error", rows)


if __name__ == "__main__":
    main()
