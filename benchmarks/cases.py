"""The cases predictions are measured on: a data set, a date to predict from, a horizon.

    python -m benchmarks.cases FOLDER --cj-home HOME --or-home HOME

Makes the warehouses of features in a scratch folder and prints the rows of each case. Belongs here:
where order histories come from, dates and horizons, who trains on what. Does not belong here: how
features are made (`benchmarks.warehouse`) and any forecast.

Complete Journey and Online Retail come from a home in which a run has been made, CDNOW from the folder
UNICUS_TEST_DATA names. A case is learnt from the newest dates, 30 days apart, whose window was closed
by its own date, and everybody who is measured learns from the same rows.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.warehouse import (
    ORDER_HISTORY,
    Rows,
    compile_models,
    create,
    grid,
    make,
    read_rows,
)
from ml.splits import learnt

RAW = argparse.RawDescriptionHelpFormatter
FOLDS = 5
FINAL_DAY = date(2017, 12, 2)


@dataclass(frozen=True)
class Case:
    """One thing to forecast.

    Attributes:
        name: Data set, day of the forecast, days ahead.
        history: Key of `HISTORIES`.
        day: As-of date of the forecast.
        horizon_days: Length of the window ahead.
        needed_days: History that a date to learn from has behind it, the horizon unless given.
        is_crossed: Whether customers are learnt from other customers of the same day and window.
        level: How the level is judged: `within`, `peer` or nothing.
        is_final: Whether the window is kept apart for one last test.
    """

    name: str
    history: str
    day: date
    horizon_days: int
    needed_days: int | None = None
    is_crossed: bool = False
    level: str = ""
    is_final: bool = False

    @property
    def training_dates(self) -> tuple[date, ...]:
        """Days it is learnt from, oldest first."""
        if self.is_crossed:
            return (self.day,)
        needed = self.horizon_days if self.needed_days is None else self.needed_days
        first = HISTORIES[self.history].first_day + timedelta(days=needed)
        return learnt(grid(self.day - timedelta(days=self.horizon_days), first))


@dataclass(frozen=True)
class History:
    """A history of orders: its first day, and a day by which every window of its cases is closed."""

    first_day: date
    end: date


@dataclass(frozen=True)
class Fold:
    """What is learnt from, what is predicted, and what is known at the day of the forecast.

    Attributes:
        training: Rows with what came.
        tested: Rows to predict.
        today: All rows of the day of the forecast; only their features may be used.
        place: Where the tested rows stand among the rows of the case.
    """

    training: Rows
    tested: Rows
    today: Rows
    place: np.ndarray


HISTORIES = {
    "cj": History(date(2017, 1, 1), date(2018, 1, 2)),
    "cdnow": History(date(1997, 1, 1), date(1998, 7, 2)),
    "or": History(date(2009, 12, 1), date(2010, 12, 10)),
}
HOW_TO = {
    "cj": "Make it:  unicus run --home HOME  and name it:  --cj-home HOME",
    "or": (
        "Say in HOME/home.yaml that the location of the system online_retail is the folder with "
        "online_retail_2009_2010.parquet, then  unicus run --home HOME --system online_retail  "
        "and name it:  --or-home HOME"
    ),
}
CJ_DAYS = (date(2017, 8, 4), date(2017, 9, 3), date(2017, 10, 3))
CASES = (
    *(Case(f"cj {day} 90", "cj", day, 90, level="within") for day in CJ_DAYS),
    *(Case(f"cj {day} 30", "cj", day, 30, level="within") for day in CJ_DAYS),
    Case("cdnow 1998-04-02 90", "cdnow", date(1998, 4, 2), 90, level="peer"),
    Case("cdnow 39/39 weeks", "cdnow", date(1997, 10, 1), 273, is_crossed=True, level="within"),
    Case("online retail 2010-09-01 90", "or", date(2010, 9, 1), 90, needed_days=30),
    Case(f"cj {FINAL_DAY} 30", "cj", FINAL_DAY, 30, level="within", is_final=True),
)


def chosen(names: Sequence[str], *, is_final: bool) -> list[Case]:
    """Give the cases whose name holds one of the words, all without any.

    Args:
        names: Words of names of cases.
        is_final: Whether the last test is what is asked for, and nothing else.
    """
    cases = [case for case in CASES if case.is_final == is_final]
    return [case for case in cases if not names or any(name in case.name for name in names)]


def warehouses(cases: Iterable[Case], folder: Path, homes: dict[str, Path | None]) -> None:
    """Make the warehouses of these cases, one per history."""
    cases = list(cases)
    models = compile_models(folder, sorted({case.horizon_days for case in cases}))
    for name in {case.history for case in cases}:
        dates = {
            day
            for case in cases
            if case.history == name
            for day in (*case.training_dates, case.day)
        }
        end = HISTORIES[name].end
        make(_create(name, folder / name, homes), models, end, dates)


def folds(case: Case, folder: Path) -> Iterator[Fold]:
    """Give what is learnt and predicted: once, or by turns for each fifth of the customers."""
    days = {*case.training_dates, case.day}
    rows = read_rows(folder / case.history / "warehouse.duckdb", days, case.horizon_days)
    today = rows.at([case.day])
    if not case.is_crossed:
        yield Fold(rows.at(case.training_dates), today, today, np.arange(len(today)))
        return
    fold = np.random.default_rng(0).permutation(len(today)) % FOLDS
    for number in range(FOLDS):
        tested = fold == number
        yield Fold(today.where(~tested), today.where(tested), today, np.flatnonzero(tested))


def homes(arguments: argparse.Namespace) -> dict[str, Path | None]:
    """Give the homes of the data sets that come from one."""
    return {"cj": arguments.cj_home, "or": arguments.or_home}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where data come from and which cases are asked for."""
    home = os.environ.get("UNICUS_HOME")
    parser.add_argument("--cj-home", type=Path, default=Path(home) if home else None)
    parser.add_argument("--or-home", type=Path)
    parser.add_argument("--case", action="append", default=[], help="a word of the cases' names")
    parser.add_argument("--final", action="store_true", help="the last test, to be made once")


def _create(name: str, folder: Path, homes: dict[str, Path | None]) -> Path:
    """Make the warehouse of a history, of which a home must hold the finished run."""
    if name == "cdnow":
        return create(folder, _cdnow())
    home = homes.get(name)
    path = home / "warehouse" / "warehouse.duckdb" if home else None
    if path is None or not path.exists():
        raise SystemExit(f"{name}: {path or 'its home'} is not there. {HOW_TO[name]}")
    return create(folder, "select * from home.core.order_history order by all", path)


def _cdnow() -> str:
    data = os.environ.get("UNICUS_TEST_DATA")
    if not data:
        raise SystemExit("cdnow: UNICUS_TEST_DATA does not name the folder with the test data")
    path = Path(data) / "cdnow" / "cdnow_master.parquet"
    days = (
        "select customer_id, date::date as ordered_at, sum(dollar_value) as amount "
        f"from '{path}' group by all order by all"
    )
    return ORDER_HISTORY.format(orders=days)


def main() -> None:
    """Make the warehouses and print what each case has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("folder", type=Path)
    add_arguments(parser)
    arguments = parser.parse_args()
    cases = chosen(arguments.case, is_final=arguments.final)
    warehouses(cases, arguments.folder, homes(arguments))
    for case in cases:
        print(case.name)
        for fold in folds(case, arguments.folder):
            ordering = fold.tested.is_ordering.mean()
            print(f"    {len(case.training_dates)} dates, {len(fold.training):,} rows to learn from, "
                  f"{len(fold.tested):,} to predict, {ordering:.3f} of them order")  # fmt: skip


if __name__ == "__main__":
    main()
