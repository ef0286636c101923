"""What a load does with good rows, bad rows, and rows it has seen before."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import Lake
from intake.load import Load, Outcome, load_entity
from intake.source import SYSTEMS, find_systems, read_system
from tests.conftest import ORDERS_HEADER, Shop, load


def stored(lake: Lake, table: str, source: str = "raw") -> list[dict[str, object]]:
    """Live rows of a table, oldest load first."""
    files = [
        str(lake.path(f))
        for r in lake.live()
        for f in r.files
        if (f.source, f.table) == (source, table)
    ]
    if not files:
        return []
    with duckdb.connect() as con:
        found = con.execute("select * from read_parquet(?)", [files])
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def refusal(lake: Lake, shop: Shop, entity: str = "orders") -> InputFault:
    with pytest.raises(InputFault) as raised:
        load(lake, shop, entity)
    assert not lake.live("load"), "a refused file leaves nothing in the lake"
    assert not list((lake.root / "raw").rglob("*.parquet"))
    return raised.value


def test_good_rows_come_in_typed_with_their_row_in_the_file(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02 10:00:00,", "2,,2024-01-03 11:00:00,2024-01-04 00:00:00")
    (done,) = load(lake, shop)
    assert (done.read_rows, done.stored_rows, done.outcomes) == (
        2,
        2,
        (Outcome("accepted", "", 2),),
    )
    rows = stored(lake, "orders")
    assert [(r["order_key"], r["customer_key"], r["_row"], r["currency"]) for r in rows] == [
        ("1", "ann", 1, "EUR"), ("2", None, 2, "EUR"),
    ]  # fmt: skip
    assert str(rows[0]["ordered_at"]) == "2024-01-02 10:00:00"
    assert rows[0]["_version_at"] is None
    assert str(rows[1]["_version_at"]) == "2024-01-04 00:00:00"


def test_the_same_file_twice_changes_nothing(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    load(lake, shop)
    before = [record.seq for record in lake.records()]
    (again,) = load(lake, shop)
    assert not again.is_new
    assert [record.seq for record in lake.records()] == before


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",ann,2024-01-02,", "order_key: required and empty"),
        ("2,ann,,", "ordered_at: required and empty"),
        ("2,ann,yesterday,", "ordered_at: not a timestamp"),
        ("2,ann,2024-01-02,never", "updated_at: not a timestamp"),
        ("1,bob,2024-01-05,", "order_key: key given twice in one file"),
        ("2,ann,2999-01-01,", "ordered_at: dated after the day of its load"),
        ("2,ann,2024-01-02,2999-01-01", "updated_at: dated after the day of its load"),
    ],
)
def test_a_bad_order_is_quarantined_with_its_reason(
    lake: Lake, shop: Shop, row: str, reason: str
) -> None:
    shop.orders("1,ann,2024-01-02,", row)
    (done,) = load(lake, shop)
    assert set(done.outcomes) == {Outcome("accepted", "", 1), Outcome("quarantined", reason, 1)}
    (kept,) = stored(lake, "quarantined_rows", "ledger")
    assert (kept["row_number"], f"{kept['field']}: {kept['reason']}") == (2, reason)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,a,one,5,", "quantity: not a decimal(18,3)"),
        ("1,a,-1,5,", "quantity: below 0"),
        ("1,a,1,,", "net_amount: required and empty"),
    ],
)
def test_text_in_a_number_is_quarantined(lake: Lake, shop: Shop, row: str, reason: str) -> None:
    shop.lines("1,a,1,5.00,", row)
    (done,) = load(lake, shop, "order_lines")
    assert Outcome("quarantined", reason, 1) in done.outcomes
    assert done.rows("accepted") == 1
    (kept,) = stored(lake, "quarantined_rows", "ledger")
    assert kept["parent_key"] == "1"


def test_two_versions_of_one_order_in_one_file_are_both_kept(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,2024-01-02", "1,ann,2024-01-02,2024-01-09")
    (done,) = load(lake, shop)
    assert done.stored_rows == 2


def test_an_unchanged_order_is_redelivered_and_a_changed_one_is_a_version(
    lake: Lake, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,", name="orders_1.csv")
    shop.orders("1,ann,2024-01-02,", "2,cid,2024-01-02,", name="orders_2.csv")
    _, second = load(lake, shop)
    assert set(second.outcomes) == {Outcome("redelivered", "", 1), Outcome("accepted", "", 1)}
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["ann", "bob", "cid"]


def test_a_value_that_comes_back_is_a_version_and_no_redelivery(lake: Lake, shop: Shop) -> None:
    for number, customer in enumerate(("ann", "bob", "ann")):
        shop.orders(f"1,{customer},2024-01-02,", name=f"orders_{number}.csv")
    assert [done.stored_rows for done in load(lake, shop)] == [1, 1, 1]


def test_lines_are_redelivered_as_a_whole_order_or_not_at_all(lake: Lake, shop: Shop) -> None:
    shop.lines("1,a,1,5,", "1,b,1,7,", "2,a,1,5,", name="lines_1.csv")
    shop.lines("1,a,1,5,", "2,a,1,5,", name="lines_2.csv")
    _, second = load(lake, shop, "order_lines")
    assert set(second.outcomes) == {Outcome("redelivered", "", 1), Outcome("accepted", "", 1)}
    assert [r["order_key"] for r in stored(lake, "order_lines")] == ["1", "1", "2", "1"]


def test_one_changed_line_brings_all_lines_of_its_order_again(lake: Lake, shop: Shop) -> None:
    shop.lines("1,a,1,10,2024-01-01", "1,b,1,20,2024-01-02", name="lines_1.csv")
    shop.lines("1,a,1,10,2024-01-01", "1,b,1,25,2024-01-05", name="lines_2.csv")
    _, second = load(lake, shop, "order_lines")
    assert second.outcomes == (Outcome("accepted", "", 2),)


def test_repeated_lines_of_one_file_are_kept(lake: Lake, shop: Shop) -> None:
    shop.lines("1,a,1,5,", "1,a,1,5,")
    (done,) = load(lake, shop, "order_lines")
    assert done.stored_rows == 2


def test_append_takes_every_row_again(lake: Lake, shop: Shop) -> None:
    shop.rewrite("source.yaml", "orders, delivery: upsert", "orders, delivery: append")
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.orders("1,ann,2024-01-02,", "3,ann,2024-01-02,", name="orders_2.csv")
    assert [done.stored_rows for done in load(lake, shop)] == [1, 2]


def test_new_rules_for_the_same_bytes_replace_the_old_reading(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    load(lake, shop)
    shop.rewrite("orders.sql", "customer as customer_key", "upper(customer) as customer_key")
    (again,) = load(lake, shop)
    assert again.is_new
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["ANN"]
    assert len(lake.live("load")) == 1
    assert len(lake.records()) == 2


def test_under_a_raised_contract_every_file_is_checked_again(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", "2,,2024-01-02,")
    load(lake, shop)
    contract = contracts()["orders"]
    strict = tuple(
        replace(field, required=field.required or field.name == "customer_key")
        for field in contract.fields
    )
    (again,) = load_entity(lake, shop.system, replace(contract, version="2.0.0", fields=strict))
    assert (again.contract_version, again.rows("quarantined")) == ("2.0.0", 1)
    assert [r["order_key"] for r in stored(lake, "orders")] == ["1"]


def test_a_column_more_in_a_newer_file_is_harmless_and_one_renamed_is_named(
    lake: Lake, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.deliver("orders_2.csv", "id,loyalty,customer,bought,changed", "2,gold,bob,2024-01-02,")
    assert [done.stored_rows for done in load(lake, shop)] == [1, 1]
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["ann", "bob"]
    shop.deliver("orders_3.csv", "id,client,bought,changed", "3,eve,2024-01-02,")
    with pytest.raises(InputFault) as raised:
        load(lake, shop)
    assert raised.value.code == "missing-column"
    assert '"customer"' in raised.value.what
    assert "orders_3.csv" in raised.value.where


def test_excluded_rows_are_counted_under_the_name_of_their_rule(lake: Lake, shop: Shop) -> None:
    shop.rewrite(
        "source.yaml", "{file: orders, delivery: upsert}",
        "{file: orders, delivery: upsert, exclude:"
        " {staff: {where: \"customer = 'staff'\", why: Own people}}}",
    )  # fmt: skip
    shop.orders("1,ann,2024-01-02,", "2,staff,2024-01-02,")
    (done,) = load(lake, shop)
    assert set(done.outcomes) == {Outcome("excluded", "staff", 1), Outcome("accepted", "", 1)}


def test_a_mapping_that_drops_rows_in_silence_is_refused(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders where customer <> 'bob'")
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,")
    fault = refusal(lake, shop)
    assert fault.code == "unaccounted-rows"
    assert "2 rows were read, 1 are accounted for" in fault.what


def test_a_mapping_that_repeats_rows_is_refused(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders, (values (1), (2))")
    shop.orders("1,ann,2024-01-02,")
    assert refusal(lake, shop).code == "unaccounted-rows"


def test_a_row_given_twice_does_not_make_up_for_one_dropped(lake: Lake, shop: Shop) -> None:
    rows = (
        "from orders where _row = 1 union all select 1, id, customer, bought, changed from orders"
    )
    shop.rewrite("orders.sql", "from orders", f"{rows} where _row = 1")
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-02,")
    assert refusal(lake, shop).code == "unaccounted-rows"


def test_a_mapping_is_one_select(lake: Lake, shop: Shop) -> None:
    shop.rewrite("orders.sql", "from orders", "from orders; create table other as select 1")
    shop.orders("1,ann,2024-01-02,")
    assert refusal(lake, shop).code == "bad-mapping"


def test_reading_all_files_again_keeps_the_order_in_which_they_came(lake: Lake, shop: Shop) -> None:
    shop.orders("1,old,2024-01-02,", name="orders_z.csv")
    load(lake, shop)
    shop.orders("1,new,2024-01-02,", name="orders_a.csv")
    load(lake, shop)
    shop.rewrite("orders.sql", "customer as", "upper(customer) as")
    load(lake, shop)
    assert [r["customer_key"] for r in stored(lake, "orders")] == ["OLD", "NEW"]


def test_a_name_with_glob_characters_is_one_file(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders1.csv")
    shop.orders("2,bob,2024-01-02,", name="orders[1].csv")
    load(lake, shop)
    assert {r["order_key"] for r in stored(lake, "orders")} == {"1", "2"}


def test_a_file_without_a_header_row_shows_none_of_its_values(lake: Lake, shop: Shop) -> None:
    shop.deliver("orders.csv", "1,jane@example.org,2024-01-01,x", "2,bob,2024-01-02,y")
    fault = refusal(lake, shop)
    assert fault.code == "missing-column"
    assert "jane" not in f"{fault.where}{fault.why}{fault.what}{fault.fix}"


def test_a_missing_column_names_file_mapping_and_line(lake: Lake, shop: Shop) -> None:
    shop.deliver("orders.csv", "id,customer,date_bought,changed", "1,ann,2024-01-02,")
    fault = refusal(lake, shop)
    assert (fault.code, fault.what) == ("missing-column", 'the file has no column "bought"')
    assert "orders.csv line 1" in fault.where
    assert "orders.sql line 2" in fault.where
    assert "date_bought" in fault.why


def test_a_mapping_with_a_column_the_contract_does_not_know_is_refused(
    lake: Lake, shop: Shop
) -> None:
    shop.rewrite("orders.sql", "id as order_key", "id as order_number")
    shop.orders("1,ann,2024-01-02,")
    fault = refusal(lake, shop)
    assert fault.code == "bad-mapping"
    assert "order_number" in fault.why


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


def test_a_missing_file_is_named_with_its_folder(lake: Lake, shop: Shop) -> None:
    fault = refusal(lake, shop)
    assert (fault.code, fault.exit_code) == ("missing-file", 2)
    assert str(shop.files) in fault.where


def test_an_unknown_system_gets_the_nearest_name() -> None:
    with pytest.raises(InputFault) as raised:
        read_system("complete_jorney", [SYSTEMS])
    assert raised.value.code == "no-such-system"
    assert "complete_journey" in raised.value.fix
    assert "complete_journey" in find_systems([SYSTEMS])


def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it(
    shop: Shop,
) -> None:
    shop.rewrite("source.yaml", str(shop.files), "package:no_such_package/data")
    with pytest.raises(InputFault) as raised:
        _ = shop.system
    assert (raised.value.code, raised.value.exit_code) == ("missing-package", 2)
    assert "no_such_package" in raised.value.what
    assert "make setup" in raised.value.fix


def test_a_source_file_with_an_unknown_key_says_which(shop: Shop) -> None:
    shop.rewrite("source.yaml", "currency: EUR", "currencies: EUR")
    with pytest.raises(InputFault) as raised:
        _ = shop.system
    assert raised.value.code == "bad-source-file"
    assert "currencies" in raised.value.why


def test_the_original_outlives_a_landing_file_that_is_appended_to(lake: Lake, shop: Shop) -> None:
    path = shop.orders("1,ann,2024-01-02,")
    before = path.read_bytes()
    (done,) = load(lake, shop)
    with path.open("a") as file:
        file.write("2,bob,2024-01-02,\n")
    assert (lake.root / "landing" / done.file_hash).read_bytes() == before


ORDER = st.builds(
    lambda key, customer, bought: f"{key},{customer},{bought},",
    st.sampled_from(["1", "2", "3", "", "x"]),
    st.sampled_from(["ann", "bob", "", "O'Hara", "a;b"]),
    st.sampled_from(["2024-01-02", "2024-02-30", "", "2024-01-02 03:04:05", "2999-01-01"]),
)


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(rows=st.lists(ORDER, max_size=8))
def test_every_row_of_every_file_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, shop: Shop, rows: list[str]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    lake.create()
    shop.deliver("orders.csv", ORDERS_HEADER, *rows)
    (done,) = load(lake, shop)
    assert done.read_rows == len(rows)
    assert sum(one.rows for one in done.outcomes) == len(rows)
    assert len(stored(lake, "orders")) == done.rows("accepted")
    assert len(stored(lake, "quarantined_rows", "ledger")) == done.rows("quarantined")
    assert Load.from_record(lake.live("load")[0]).outcomes == done.outcomes
