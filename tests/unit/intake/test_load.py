"""What a load does with good rows, whole files and sources, and that every row is accounted for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.accounting import Load, Outcome
from intake.fault import InputFault
from intake.lake import Lake
from intake.source import SYSTEMS, find_systems, read_system
from tests.conftest import ORDERS_HEADER, Shop, cases, load
from tests.unit.intake.conftest import refusal, stored


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
    max_examples=cases(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
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
