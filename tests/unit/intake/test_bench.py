"""What of a file is read, what is refused before any mapping, and what the bench reaches."""

from __future__ import annotations

import duckdb

from intake.lake import Lake
from tests.conftest import Shop, load
from tests.unit.intake.conftest import refusal, stored


def test_a_name_with_glob_characters_is_one_file(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders1.csv")
    shop.orders("2,bob,2024-01-02,", name="orders[1].csv")
    load(lake, shop)
    assert {r["order_key"] for r in stored(lake, "orders")} == {"1", "2"}


def test_a_mapping_reads_nothing_but_its_file(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders, read_text('/etc/hostname')")
    shop.orders("1,ann,2024-01-02,")
    assert refusal(lake, shop).code == "bad-mapping"


def test_an_empty_file_is_refused_and_a_header_alone_is_not(lake: Lake, shop: Shop) -> None:
    for nothing in (b"", b"\xef\xbb\xbf"):
        (shop.files / "orders.csv").write_bytes(nothing)
        assert refusal(lake, shop).code == "empty-file"
    shop.orders()
    (done,) = load(lake, shop)
    assert (done.read_rows, done.stored_rows) == (0, 0)


def test_a_damaged_csv_is_refused_with_its_line_and_without_its_values(
    lake: Lake, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", "2,secret,2024-01-02,,,,,extra")
    fault = refusal(lake, shop)
    assert fault.code == "unreadable-file"
    assert "line 3" in fault.where
    assert "secret" not in f"{fault.where}{fault.why}{fault.what}{fault.fix}"


def test_a_truncated_parquet_is_refused(lake: Lake, shop: Shop) -> None:
    shop.rewrite(
        "source.yaml", 'path: "orders*.csv", format: csv', 'path: "o.parquet", format: parquet'
    )
    path = shop.files / "o.parquet"
    with duckdb.connect() as con:
        con.execute("create table t as select range as id from range(1000)")
        con.execute(f"copy t to '{path}'")
    path.write_bytes(path.read_bytes()[:-100])
    assert refusal(lake, shop).code == "unreadable-file"
