"""What a row is quarantined for by itself or in its file."""

from __future__ import annotations

import pytest

from intake.accounting import Outcome
from intake.lake import Lake
from tests.conftest import Shop, load
from tests.unit.intake.conftest import stored


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


def test_repeated_lines_of_one_file_are_kept(lake: Lake, shop: Shop) -> None:
    shop.lines("1,a,1,5,", "1,a,1,5,")
    (done,) = load(lake, shop, "order_lines")
    assert done.stored_rows == 2
