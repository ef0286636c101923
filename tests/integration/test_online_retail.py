"""The web shop's invoice lines: every row is of one class, and every penny is found again."""

from __future__ import annotations

import csv
import os
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from intake.contract import contracts
from intake.lake import Lake
from intake.load import load_entity
from intake.source import SYSTEMS, read_system
from orchestration.settings import Home, HomeConfig, SystemPlace, write_config
from tests.homes import run

DATA = os.environ.get("UNICUS_TEST_DATA")
pytestmark = pytest.mark.skipif(
    not DATA, reason="UNICUS_TEST_DATA does not name the folder with the test data"
)
YEAR_ONE = Path(str(DATA)) / "online_retail_2009_2010" / "online_retail_2009_2010.parquet"
# What source.yaml says, said again over the file alone.
CLASSES = f"""
    select
        case
            when stock_code in ('POST', 'DOT', 'C2', 'C3', 'AMAZONFEE', 'BANK CHARGES', 'S',
                'ADJUST', 'ADJUST2', 'TEST001', 'TEST002') then 'excluded'
            when invoice[1] not in ('A', 'C') and price = 0
                and (customer_id is null or quantity < 0) then 'excluded'
            when invoice[1] = 'A' then 'adjustment'
            when customer_id is null then 'anonymous'
            else 'customers'
        end as class,
        count(*) as rows_count,
        sum(quantity * cast(price as decimal(18, 4))) as amount
    from '{YEAR_ONE}'
    group by class
"""
PUBLISHED = """
    with lines as (
        select customer_id, net_revenue_amount as amount from core.fct_order_lines
        union all
        select customer_id, -returned_amount from core.fct_returns
    )
    select if(customer_id = 'unknown', 'anonymous', 'customers') as class, count(*), sum(amount)
    from lines
    group by class
"""


def test_every_row_of_the_web_shop_is_of_one_class_and_the_amounts_add_up(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    place = SystemPlace(location=str(YEAR_ONE.parent))
    write_config(home, HomeConfig("Europe/London", "GBP", {"online_retail": place}, ()))
    run(home)
    classes = {name: (rows, amount) for name, rows, amount in duckdb.sql(CLASSES).fetchall()}
    assert classes["adjustment"] == (3, Decimal("-136552.0200"))
    assert sum(rows for rows, _ in classes.values()) == 525_461
    assert sum(amount for _, amount in classes.values()) == Decimal("9539484.6340")
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = {name: (rows, amount) for name, rows, amount in con.execute(PUBLISHED).fetchall()}
        assert found == {name: classes[name] for name in ("anonymous", "customers")}
        left_out = con.execute("""
            select entity, excluded_rows_count from marts.ingest_reconciliation
            where entity in ('orders', 'order_lines', 'returns', 'products')
        """).fetchall()
        rows = classes["excluded"][0] + classes["adjustment"][0]
        assert left_out == [(entity, rows) for entity, _ in left_out]
        assert con.execute(
            "select bool_and(is_reconciled), sum(quarantined_rows_count)"
            " from marts.ingest_reconciliation"
        ).fetchone() == (True, 0)
        # Credit notes are no orders, and an invoice typed over two minutes is one order.
        assert (
            con.execute("select count(*) from core.fct_orders").fetchone()
            == duckdb.sql(f"""
            select count(distinct invoice) from '{YEAR_ONE}'
            where invoice[1] not in ('A', 'C')
                and stock_code not in ('POST', 'DOT', 'C2', 'C3', 'AMAZONFEE', 'BANK CHARGES', 'S',
                    'ADJUST', 'ADJUST2', 'TEST001', 'TEST002')
                and not (price = 0 and (customer_id is null or quantity < 0))
        """).fetchone()
        )


HEADERS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID",
           "Country")  # fmt: skip
PLANTED = (
    # An invoice with two customers, which year one has not.
    ("600001", "22423", "CAKESTAND", 2, datetime(2010, 11, 30, 10, 0), 12.75, 13085, "France"),
    ("600001", "22423", "CAKESTAND", 1, datetime(2010, 11, 30, 10, 0), 12.75, 13086, "France"),
    # An invoice typed over two minutes.
    ("600002", "22423", "CAKESTAND", 2, datetime(2010, 11, 30, 10, 59), 12.75, 13085, "France"),
    ("600002", "85123a", "HEART", 1, datetime(2010, 11, 30, 11, 0), 2.55, 13085, "France"),
)
# Both sheets of the workbook have the first nine days of December.
IN_BOTH = (
    ("600003", "22423", "CAKESTAND", 4, datetime(2010, 12, 9, 20, 1), 12.75, 13085, "France"),
    ("C600004", "22423", "CAKESTAND", -1, datetime(2010, 12, 1, 8, 26), 12.75, 13087, "France"),
)
YEAR_TWO = (
    ("600005", "85123A", "HEART", 6, datetime(2010, 12, 10, 9, 0), 2.55, 13085, "France"),
    ("600006", "22423", "CAKESTAND", 1, datetime(2011, 12, 9, 12, 50), 12.75, 13088, "France"),
)


def real_lines() -> list[tuple[Any, ...]]:
    """Lines of some hours, with every credit note and adjustment of the week, and those planted."""
    return [
        *duckdb.sql(f"""
            select * from '{YEAR_ONE}'
            where invoice_date between '2010-04-29' and '2010-04-29 13:00'
                or (invoice[1] in ('A', 'C') and invoice_date between '2010-04-26' and '2010-05-02')
                or (price < 0.01 and invoice_date between '2010-02-01' and '2010-03-01')
            order by all
        """).fetchall(),
        *PLANTED,
        *IN_BOTH,
        *YEAR_TWO,
    ]


def write_parquet(path: Path, lines: list[tuple[Any, ...]]) -> None:
    names = [column for column, *_ in duckdb.sql(f"describe from '{YEAR_ONE}'").fetchall()]
    columns = dict(zip(names, map(list, zip(*lines, strict=True)), strict=True))
    parquet.write_table(pa.table(columns), path)


def write_csv(path: Path, lines: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(lines)


def write_workbook(path: Path, lines: list[tuple[Any, ...]]) -> None:
    book = xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"})
    first = lines[: -len(YEAR_TWO)]
    for name, part in (("Year 2009-2010", first), ("Year 2010-2011", [*IN_BOTH, *YEAR_TWO])):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, HEADERS)
        for number, line in enumerate(part, 1):
            sheet.write_row(number, 0, line)
    book.close()


def loaded(lake: Lake, files: Path) -> dict[str, tuple[Counter[str], list[tuple[Any, ...]]]]:
    """What became of the rows of each entity, and those that were let in."""
    lake.create()
    system = read_system("online_retail", [SYSTEMS], str(files))
    found = {}
    for entity in system.spec.entities:
        (load,) = load_entity(lake, system, contracts()[entity])
        outcomes = Counter({f"{o.outcome} {o.reason}": o.rows for o in load.outcomes if o.rows})
        stored = [str(lake.path(f)) for r in lake.live("load") for f in r.files
                  if (f.source, f.table) == ("raw", entity)]  # fmt: skip
        own = ", ".join(f'"{field.name}"' for field in contracts()[entity].fields)
        rows = duckdb.sql(f"select _row_count, {own} from read_parquet({stored}) order by all")
        found[entity] = (outcomes, rows.fetchall())
    return found


def test_workbook_csv_and_parquet_of_the_web_shop_say_the_same(tmp_path: Path) -> None:
    forms = {"online_retail.parquet": write_parquet, "online_retail_II.csv": write_csv,
             "online_retail_II.xlsx": write_workbook}  # fmt: skip
    found = []
    for name, write in forms.items():
        files = tmp_path / name.replace(".", "_")
        files.mkdir()
        write(files / name, real_lines())
        found.append(loaded(Lake(files / "lake"), files))
    repeated = [outcomes.pop("excluded repeated_days") for outcomes, _ in found[2].values()]
    assert set(repeated) == {len(IN_BOTH)}
    assert found[0] == found[1] == found[2]
    outcomes, orders = found[0]["orders"]
    assert outcomes["quarantined order_key: key given twice in one file"] == 1
    # Eleven o'clock less a minute in London, in winter.
    (typed,) = [order for order in orders if "600002" in order]
    assert datetime(2010, 11, 30, 10, 59) in typed
    assert found[0]["returns"][1]
    assert {"85123A", "22423"} <= {product[1] for product in found[0]["products"][1]}
