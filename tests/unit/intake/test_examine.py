"""What an examination tells: the verdict a load would give, and what is suspicious; never a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from intake.examine import Examination, Refusal, columns_by_alias, examine
from intake.fault import InputFault
from intake.judge import trial
from intake.lake import Lake
from tests.conftest import Shop, load

QUIET = ("1,a,2,5.00,",)


def examined(shop: Shop, sample: int | None = None) -> Examination:
    if not list(shop.files.glob("lines*.csv")):
        shop.lines(*QUIET)
    return examine(shop.system, sample)


def suspicions(found: Examination) -> set[tuple[str, str, int]]:
    entities = [s for one in found.entities for s in one.suspicions]
    files = [s for one in found.files for s in one.suspicions if s.kind != "empty-column"]
    return {(one.kind, one.column, one.rows) for one in (*entities, *files)}


def test_an_examination_gives_the_verdict_of_a_load(lake: Lake, shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,", "2,bob,yesterday,", "3,bob,,", "1,cid,2024-01-05,")
    orders = examined(shop).entities[0]
    (done,) = load(lake, shop)
    assert orders.read_rows == done.read_rows
    assert {(o.outcome, o.reason): o.rows for o in done.outcomes} == dict(orders.outcomes)


def test_a_refusal_names_its_first_rows_over_all_files(shop: Shop) -> None:
    shop.orders(*(f"{n},ann,never,,"[:-1] for n in range(4)), name="orders_1.csv")
    shop.orders("9,ann,never,", name="orders_2.csv")
    found = examined(shop)
    first = ("orders_1.csv row 1", "orders_1.csv row 2", "orders_1.csv row 3")
    assert found.entities[0].refusals == [Refusal("ordered_at", "not a timestamp", 5, first)]
    assert found.has_faults


def test_the_mapping_s_view_of_rows_left_out_is_told(shop: Shop) -> None:
    shop.rewrite(
        "source.yaml", "{file: orders, delivery: upsert}",
        "{file: orders, delivery: upsert, exclude:"
        " {staff: {where: \"customer = 'staff'\", why: Own people}}}",
    )  # fmt: skip
    shop.orders("1,ann,2024-01-02,", "2,staff,2024-01-02,")
    found = examined(shop)
    assert found.entities[0].outcomes["excluded", "staff"] == 1
    assert not found.has_faults


def test_only_the_first_rows_are_read_when_asked(shop: Shop) -> None:
    shop.orders(*(f"{n},ann,2024-01-02," for n in range(50)))
    assert [one.read_rows for one in examined(shop, 10).entities] == [10, 1]


def test_columns_without_use_and_without_values_are_named(shop: Shop) -> None:
    shop.deliver("orders.csv", "id,customer,bought,changed,note", "1,,2024-01-02,,x")
    found = examined(shop)
    assert found.entities[0].empty_columns == [
        "customer_key", "store_key", "store_system", "channel", "updated_at"
    ]  # fmt: skip
    (orders,) = [one for one in found.files if one.file == "orders.csv"]
    assert orders.unused_columns == ["note"]
    assert {s.column for s in orders.suspicions if s.kind == "empty-column"} == {
        "customer", "changed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "suspicion"),
    [
        (["1,ann,2024-01-02,", "2,bob,1970-01-01,"], ("old-date", "ordered_at", 1)),
        (["1,JosÃ©,2024-01-02,", "2,bob,2024-01-02,"], ("mojibake", "customer", 1)),
        (["1,ann,2024-01-02,", "1,bob,2024-01-02,"], ("several-under-one-key", "customer_key", 1)),
        (["1,ann,2024-01-02,", "1,ann,2024-01-05,"], ("several-under-one-key", "ordered_at", 1)),
        (["1,ann,01/02/2024,", "2,bob,03/04/2024,"], ("day-or-month", "bought", 2)),
    ],
)
def test_a_value_that_is_let_in_and_may_be_wrong_is_told(
    shop: Shop, rows: list[str], suspicion: tuple[str, str, int]
) -> None:
    shop.orders(*rows)
    assert suspicion in suspicions(examined(shop))


@pytest.mark.parametrize(
    "rows",
    [
        ["1,José,2024-01-02,", "2,Zoë,2024-01-03,2024-02-01"],
        ["1,ann,13/01/2024,", "2,bob,01/02/2024,"],
        ["1,ann,01/01/2024,", "2,bob,02/02/2024,"],
    ],
)
def test_values_in_order_raise_no_suspicion(shop: Shop, rows: list[str]) -> None:
    shop.orders(*rows)
    assert suspicions(examined(shop)) == set()


def test_decimal_commas_are_told_with_their_remedy(shop: Shop) -> None:
    shop.orders("1,ann,2024-01-02,")
    shop.lines('1,a,2,"5,00",', "1,b,1,7.00,")
    assert suspicions(examined(shop)) == {("decimal-comma", "net_amount", 1)}


def test_several_names_of_a_product_are_told_although_the_mapping_takes_one(
    shop: Shop, tmp_path: Path
) -> None:
    shop.rewrite(
        "source.yaml", "entities:", "entities:\n  products: {file: lines, delivery: upsert}"
    )
    (shop.folder / "shop" / "products.sql").write_text(
        "select sku as product_key, max_by(changed, _row) as product_name, min(_row) as _row,"
        " count(*) as _row_count from lines group by all",
        "utf-8",
    )
    shop.orders("1,ann,2024-01-02,")
    shop.lines("1,a,2,5.00,2024-01-02", "1,a,2,5.00,2024-01-03")
    assert ("several-under-one-key", "product_name", 1) in suspicions(examined(shop))


def test_a_file_refused_whole_does_not_hide_the_others(shop: Shop) -> None:
    shop.deliver("orders.csv", "id,customer,changed", "1,ann,")
    found = examined(shop)
    assert [[fault.code for fault in one.faults] for one in found.entities] == [
        ["missing-column"], [],
    ]  # fmt: skip
    assert found.entities[1].rows("accepted") == 1
    assert found.has_faults


def test_without_any_file_nothing_can_be_examined(shop: Shop) -> None:
    with pytest.raises(InputFault) as raised:
        examine(shop.system, None)
    assert (raised.value.code, raised.value.exit_code) == ("missing-file", 2)


def test_an_entity_without_a_contract_is_told(shop: Shop) -> None:
    shop.rewrite("source.yaml", "entities:", "entities:\n  orderz: {file: lines, delivery: upsert}")
    (shop.folder / "shop" / "orderz.sql").write_text("select 1 as _row", "utf-8")
    with pytest.raises(InputFault) as raised:
        examine(shop.system, None)
    assert raised.value.code == "bad-source-file"


def test_no_value_is_told(shop: Shop) -> None:
    shop.orders("1,jane@example.org,jane-was-here,", "1,JosÃ©,01/02/2024,")
    told = str(examined(shop))
    assert "jane" not in told
    assert "Jos" not in told


def test_a_trial_commits_nothing(lake: Lake, shop: Shop) -> None:
    from intake.contract import contracts

    path = shop.orders("1,ann,2024-01-02,")
    with trial(lake, shop.system, contracts()["orders"], path) as one:
        assert one.read_rows == 1
    assert lake.records() == []
    assert not [file for file in lake.root.rglob("*") if file.is_file()]


def test_the_columns_a_mapping_reads_are_known_through_functions_and_joins(shop: Shop) -> None:
    import duckdb

    sql = """
        with t as (select x from s) select a as b, max_by(trim(s.c), _row) as d, count(*) as n
        from s join t on s.j = t.x where "q z" > 1
    """
    with duckdb.connect() as con:
        found = columns_by_alias(con, sql)
    assert (found["b"], found["d"], found["n"]) == ({"a"}, {"c", "_row"}, set())
    assert {"x", "j", "q z"} <= found[""]
