"""What all tests share: a shop that delivers files, and a lake to load them into."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from intake.accounting import Load
from intake.contract import contracts
from intake.lake import Lake
from intake.load import load_entity
from intake.source import System, read_system

SOURCE = """
system: shop
title: A shop that delivers orders as CSV
location: {files}
business_timezone: UTC
currency: EUR
files:
  orders: {{path: "orders*.csv", format: csv}}
  lines: {{path: "lines*.csv", format: csv}}
entities:
  orders: {{file: orders, delivery: upsert}}
  order_lines: {{file: lines, delivery: upsert}}
"""
ORDERS_SQL = """
select _row, id as order_key, customer as customer_key, bought as ordered_at, changed as updated_at
from orders
"""
LINES_SQL = """
select _row, id as order_key, sku as product_key, units as quantity, paid as net_amount,
    '0' as discount_amount, '0' as coupon_amount, changed as updated_at
from lines
"""
ORDERS_HEADER = "id,customer,bought,changed"
LINES_HEADER = "id,sku,units,paid,changed"


def cases(usual: int) -> int:
    """How many cases a property is tried with; `UNICUS_TEST_CASES` times as many where it is set."""
    return usual * int(os.environ.get("UNICUS_TEST_CASES", "1"))


@dataclass
class Shop:
    """A system in a folder, and the folder its files are delivered to."""

    folder: Path
    files: Path
    name: str = "shop"

    def twin(self, name: str) -> Shop:
        """Another system of the same shape, with files of its own."""
        twin = Shop(self.folder, self.files.with_name(f"{name}_files"), name)
        twin.files.mkdir()
        shutil.copytree(self.folder / self.name, self.folder / name)
        twin.rewrite("source.yaml", f"system: {self.name}", f"system: {name}")
        twin.rewrite("source.yaml", str(self.files), str(twin.files))
        return twin

    def deliver(self, name: str, header: str, *rows: str) -> Path:
        path = self.files / name
        path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return path

    def orders(self, *rows: str, name: str = "orders.csv") -> Path:
        return self.deliver(name, ORDERS_HEADER, *rows)

    def lines(self, *rows: str, name: str = "lines.csv") -> Path:
        return self.deliver(name, LINES_HEADER, *rows)

    def rewrite(self, file: str, old: str, new: str) -> None:
        path = self.folder / self.name / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    @property
    def system(self) -> System:
        return read_system(self.name, [self.folder])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    folder, files = tmp_path / "systems", tmp_path / "files"
    (folder / "shop").mkdir(parents=True)
    files.mkdir()
    (folder / "shop" / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    (folder / "shop" / "orders.sql").write_text(ORDERS_SQL, "utf-8")
    (folder / "shop" / "order_lines.sql").write_text(LINES_SQL, "utf-8")
    return Shop(folder, files)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    lake.create()
    return lake


def load(lake: Lake, shop: Shop, entity: str = "orders") -> list[Load]:
    """Load an entity of the shop."""
    return load_entity(lake, shop.system, contracts()[entity])
