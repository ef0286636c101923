"""A month of daily files, in any order, with files sent again and orders corrected, comes to the same
tables as one file that has it all right.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

from intake.contract import contracts
from intake.load import load_entity
from intake.source import read_system
from orchestration.settings import Home
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, run

DAYS = 30
SHARE = 0.05
SOURCE = """
system: till
title: A till that sends a file a day
location: {files}
business_timezone: UTC
currency: USD
files:
  sales: {{path: "sales_*.csv", format: csv}}
entities:
  customers: {{file: sales, delivery: upsert}}
  orders: {{file: sales, delivery: upsert}}
  order_lines: {{file: sales, delivery: upsert}}
"""
MAPPINGS = {
    "customers": """
        select household_id as customer_key, min(_row) as _row, count(*) as _row_count
        from sales group by household_id
    """,
    "orders": """
        select basket_id as order_key, household_id as customer_key, store_id as store_key,
            transaction_timestamp as ordered_at, updated_at, min(_row) as _row,
            count(*) as _row_count
        from sales group by all
    """,
    "order_lines": """
        select _row, basket_id as order_key, product_id as product_key, quantity,
            sales_value as net_amount, retail_disc as discount_amount, coupon_disc as coupon_amount,
            updated_at
        from sales
    """,
}
Order = list[dict[str, str]]


def orders(folder: Path) -> dict[int, list[Order]]:
    """The orders of the sample's first days, each as its lines, by day."""
    files = deliver(folder, share=30)
    found = duckdb.sql(f"""
        select dayofyear(transaction_timestamp) as day, basket_id, household_id, store_id, product_id,
            quantity, sales_value, retail_disc, coupon_disc, transaction_timestamp,
            transaction_timestamp as updated_at
        from '{files / "transactions.parquet"}' where dayofyear(transaction_timestamp) <= {DAYS}
        order by all
    """)
    names = found.columns[1:]
    baskets: dict[tuple[int, str], Order] = {}
    for day, *values in found.fetchall():
        row = dict(zip(names, map(str, values), strict=True))
        baskets.setdefault((day, row["basket_id"]), []).append(row)
    days: dict[int, list[Order]] = {day: [] for day in range(1, DAYS + 1)}
    for (day, _), lines in baskets.items():
        days[day].append(lines)
    return days


def corrected(order: Order, day: int) -> Order:
    """The order as the till sends it again on a later day: its first line gone dearer, its last dropped."""
    lines = [dict(line, updated_at=f"2017-01-{day:02d} 23:00:00") for line in order]
    lines[0]["sales_value"] = str(float(lines[0]["sales_value"]) + 1)
    return lines[: max(1, len(lines) - 1)]


def write(path: Path, found: Iterable[Order]) -> None:
    lines = [line for order in found for line in order]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def till(root: Path, name: str) -> tuple[Home, Path]:
    files = root / f"{name}_files"
    files.mkdir()
    folder = root / name / "till"
    folder.mkdir(parents=True)
    (folder / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    for entity, sql in MAPPINGS.items():
        (folder / f"{entity}.sql").write_text(sql, "utf-8")
    return make_home(root / f"{name}_home", files, "till", str(folder.parent), ()), files


@pytest.mark.battery
def test_daily_files_in_any_order_with_resends_and_corrections_equal_one_load(
    tmp_path: Path,
) -> None:
    chance = random.Random(5)
    days = orders(tmp_path / "sample")
    right = {order[0]["basket_id"]: order for found in days.values() for order in found}
    sent = {day: list(found) for day, found in days.items()}
    for day in range(1, DAYS):
        for order in chance.sample(days[day], max(1, round(SHARE * len(days[day])))):
            sent[chance.randint(day + 1, DAYS)].append(order)
        for order in chance.sample(days[day], max(1, round(SHARE * len(days[day])))):
            later = chance.randint(day + 1, DAYS)
            if any(order[0]["basket_id"] == other[0]["basket_id"] for other in sent[later]):
                continue
            changed = corrected(order, later)
            sent[later].append(changed)
            if right[order[0]["basket_id"]][0]["updated_at"] < changed[0]["updated_at"]:
                right[order[0]["basket_id"]] = changed

    once, once_files = till(tmp_path, "once")
    write(once_files / "sales_all.csv", right.values())
    run(once)

    daily, daily_files = till(tmp_path, "daily")
    system = read_system("till", [tmp_path / "daily"])
    arrivals = list(sent)
    chance.shuffle(arrivals)
    arrivals += chance.sample(arrivals, round(SHARE * DAYS) + 1)
    for number, day in enumerate(arrivals):
        # Sent again, the same bytes come under another name.
        write(daily_files / f"sales_{day:02d}_{number:02d}.csv", sent[day])
        for entity in MAPPINGS:
            load_entity(daily.lake, system, contracts()[entity])
    run(daily)
    loads = daily.lake.live("load")
    assert len(loads) == DAYS * len(MAPPINGS), "the same bytes are loaded once"
    assert not any(one["outcome"] == "quarantined" for r in loads for one in r.details["outcomes"])
    assert_equal_tables(once.published, daily.published, models_held=False)
