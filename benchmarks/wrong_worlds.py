"""Worlds in which a model must not find what is not there.

    python -m benchmarks.wrong_worlds [--worlds N]

- Nobody leaves: the dropout of the BG/NBD model is not to be told from 0.
- All order at one rate and pay around one level: nobody ranks above anybody, so the interval of ngini
  contains 0.
- Noise: what came is dealt out to customers at random; nothing beats the same forecast for everybody,
  and the gate stays shut.

Each is made of many seeds, and as many may fail by chance as one world in a hundred would have.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from scipy.stats import binom

from benchmarks.cases import RAW
from benchmarks.tables import verdict
from benchmarks.warehouse import Model, Rows, compile_models, grid, read_rows
from benchmarks.worlds import World, orders, warehouse
from ml.btyd.bg_nbd import BetaGeoNBD
from ml.clv.model import CustomerValue
from ml.evaluation import Gain, paired_gain, weighted_ngini
from ml.frames import FeatureFrame, LabelledFrame
from ml.gate import Verdict, judge
from ml.questions import Question
from ml.splits import learnt
from ml.train import train

HORIZON_DAYS, SPAN = 90, 420
QUESTION = Question("clv", HORIZON_DAYS)
FIRST_DAY = date(2022, 1, 1)
RUN_DAY = FIRST_DAY + timedelta(days=SPAN)
DAY = RUN_DAY - timedelta(days=HORIZON_DAYS + 1)
WORLD = World(FIRST_DAY, SPAN, customers=2000)
NOBODY_LEAVES = replace(WORLD, stay_days=np.inf)
# An order worth the same in the mean for everybody, at the same rate.
EQUAL = replace(NOBODY_LEAVES, rate_shape=np.inf, value_spread=0.0)
CHANCE, GATE_CHANCE = 0.05, 0.025
SHARE_OF_SEEDS = 0.95


def dates() -> tuple[date, ...]:
    """List the days learnt from, whose windows are closed at `DAY`."""
    horizon = timedelta(days=HORIZON_DAYS)
    return learnt(grid(DAY - horizon, FIRST_DAY + horizon))


def dropout_p_value(seed: int) -> float:
    """Say how surely a dropout was found where nobody leaves."""
    made = orders(NOBODY_LEAVES, seed)
    days = made.groupby(["customer_id", made["day"].astype(int)]).size().reset_index()
    each = days.groupby("customer_id")["day"].agg(["size", "min", "max"])
    histories = np.column_stack(
        [each["size"] - 1, each["max"] - each["min"], NOBODY_LEAVES.days - each["min"]]
    )
    return BetaGeoNBD().fit(histories).dropout_p_value_


def world_rows(world: World, folder: Path, models: Sequence[Model], seed: int) -> Rows:
    """Make a world and read its customers at the days learnt from and at `DAY`."""
    path = warehouse(world, folder, models, {*dates(), DAY}, RUN_DAY, seed)
    return read_rows(path, {*dates(), DAY}, HORIZON_DAYS)


def gain_over_constant(rows: Rows) -> Gain:
    """Fit, forecast `DAY`, and compare the ranking with the same forecast for everybody."""
    training, today = rows.at(dates()), rows.at([DAY])
    model = CustomerValue(HORIZON_DAYS).fit(
        training.features, training.amounts, today=today.features, customers=training.customers
    )
    predicted = model.forecast(today.features).predicted
    constant = np.full(len(today), today.amounts.mean())
    return paired_gain(weighted_ngini, today.amounts, predicted, constant)


def noise(rows: Rows, seed: int) -> Rows:
    """Deal out what came at each date to its customers at random."""
    rng = np.random.default_rng(seed)
    dealt = np.arange(len(rows))
    for day in np.unique(rows.dates):
        at = np.flatnonzero(rows.dates == day)
        dealt[at] = rng.permutation(at)
    return replace(rows, amounts=rows.amounts[dealt], is_ordering=rows.is_ordering[dealt])


def verdict_of(rows: Rows) -> Verdict:
    """Train and test on the days learnt from, as a run does, and ask the gate."""
    today = rows.at([DAY])
    frame = LabelledFrame(
        rows.customers, rows.dates, rows.features, rows.amounts, orders=rows.is_ordering
    )
    now = FeatureFrame(today.customers, today.dates, today.features)
    trained = train(frame.at(dates()), now, dates(), QUESTION, FIRST_DAY)
    return judge(trained.performance, trained.predictions, QUESTION, trained.recipe, None)


def allowed(worlds: int, chance: float) -> int:
    """How many of so many worlds may fail by chance, in all but one of a hundred tries."""
    return int(binom.ppf(0.99, worlds, chance))


def show_nobody_leaves(worlds: int) -> None:
    """Print in how many worlds a dropout was found."""
    values = np.array([dropout_p_value(seed) for seed in range(worlds)])
    found, most = int((values < CHANCE).sum()), allowed(worlds, CHANCE)
    print(f"nobody leaves: dropout found in {found} of {worlds}, smallest p-value "
          f"{values.min():.3f}, at most {most}: {verdict(found <= most)}")  # fmt: skip


def show_equal(worlds: int, folder: Path, models: Sequence[Model]) -> None:
    """Print in how many worlds of equal customers somebody ranked above somebody."""
    gains = [
        gain_over_constant(world_rows(EQUAL, folder / f"equal{seed}", models, seed))
        for seed in range(worlds)
    ]
    found = sum(not gain.low <= 0 <= gain.high for gain in gains)
    most = allowed(worlds, CHANCE)
    print(f"equal customers: ngini {_range(gains)}, interval without 0 in {found} of {worlds}, "
          f"at most {most}: {verdict(found <= most)}")  # fmt: skip
    told = verdict_of(world_rows(EQUAL, folder / "told", models, seed=0))
    print(f"equal customers, the verdict: {told.reason}")


def show_noise(worlds: int, folder: Path, models: Sequence[Model]) -> None:
    """Print how often noise was taken for a ranking, and how often the gate stayed shut."""
    rows = world_rows(WORLD, folder / "noise", models, seed=0)
    dealt = [noise(rows, seed) for seed in range(worlds)]
    gains = [gain_over_constant(each) for each in dealt]
    found, most = sum(gain.low > 0 for gain in gains), allowed(worlds, GATE_CHANCE)
    print(f"noise: ngini {_range(gains)}, above the constant in {found} of {worlds}, "
          f"at most {most}: {verdict(found <= most)}")  # fmt: skip
    verdicts = [verdict_of(each) for each in dealt]
    count, least = sum(not one.promoted for one in verdicts), int(np.ceil(SHARE_OF_SEEDS * worlds))
    print(f"noise: gate shut in {count} of {worlds}, at least {least}: {verdict(count >= least)}")
    print(f"noise, the first verdict: {verdicts[0].reason}")


def _range(gains: Sequence[Gain]) -> str:
    values = [gain.value for gain in gains]
    return f"{min(values):+.3f} to {max(values):+.3f}"


def main() -> None:
    """Make every world and print what was found in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("--worlds", type=int, default=20)
    worlds = parser.parse_args().worlds
    show_nobody_leaves(worlds)
    with tempfile.TemporaryDirectory() as scratch:
        models = compile_models(Path(scratch), [HORIZON_DAYS])
        show_equal(worlds, Path(scratch), models)
        show_noise(worlds, Path(scratch), models)


if __name__ == "__main__":
    main()
