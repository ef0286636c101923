"""The verbs with which a stranger brings files: what they write, say and return."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.conftest import Shop
from tests.unit.orchestration.conftest import Command, describes

ORDERS = """\
order_id,order_date,customer,amount,note
1,2024-01-13,ann,5.00,
2,{day},bob,6.00,
3,2024-01-15,bob,6.00,
4,2024-01-16,bob,6.00,
5,2024-01-17,bob,6.00,
"""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS.format(day="2024-01-14"), "utf-8")
    return path


def test_a_new_system_is_written_checked_and_planned(unicus: Command, orders: Path) -> None:
    done = unicus("new-system", "shop", "--from", "orders.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Wrote systems/shop\n")
    assert done.stdout.endswith("unicus check-system shop --systems-dir systems\n")
    checked = unicus("check-system", "shop")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.endswith(
        "next  unicus run --home shop_home --system shop --systems-dir systems\n"
    )
    plan = unicus(*checked.stdout.splitlines()[-1].split()[2:], "--dry-run")
    assert "Would load 3 files" in plan.stdout


def test_a_rehearsal_writes_nothing(unicus: Command, orders: Path, tmp_path: Path) -> None:
    done = unicus("new-system", "shop", "--from", orders, "--dry-run")
    assert "Would write systems/shop" in done.stdout
    assert not (tmp_path / "systems").exists()


def test_a_system_that_is_there_stays_as_it_is(
    unicus: Command, orders: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "systems" / "shop" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    for more in ((), ("--dry-run",)):
        done = unicus("new-system", "shop", "--from", orders, *more)
        assert done.returncode == 2
        assert "error[system-exists]" in done.stderr
    assert [path.name for path in kept.parent.iterdir()] == ["kept"]


def test_refused_rows_are_told_without_their_values_and_exit_one(
    unicus: Command, orders: Path
) -> None:
    orders.write_text(ORDERS.format(day="someday"), "utf-8")
    unicus("new-system", "shop", "--from", orders)
    done = unicus("check-system", "shop")
    assert done.returncode == 1
    assert "ordered_at: not a timestamp, 1 rows: orders.csv row 2" in done.stdout
    assert "someday" not in done.stdout + done.stderr


def test_a_sample_can_be_small_or_everything(unicus: Command, orders: Path) -> None:
    unicus("new-system", "shop", "--from", orders)
    assert "orders  1 read" in unicus("check-system", "shop", "--rows", "1").stdout
    assert "orders  5 read" in unicus("check-system", "shop", "--full").stdout


def test_a_system_is_found_where_the_home_has_it(
    unicus: Command, shop: Shop, shop_home: Home
) -> None:
    shop.orders("1,ann,2024-01-02,")
    shop.lines("1,a,1,5.00,")
    done = unicus("check-system", "shop", "--home", shop_home.root)
    assert done.returncode == 0, done.stderr
    assert not list((shop_home.root / "lake" / "landing").iterdir())


def test_a_system_that_is_not_there_gets_the_nearest_and_exits_two(
    unicus: Command, orders: Path
) -> None:
    unicus("new-system", "shop", "--from", orders)
    done = unicus("check-system", "shp")
    assert done.returncode == 2
    assert "shop" in done.stderr


def test_the_shapes_of_both_answers_are_described(unicus: Command, orders: Path) -> None:
    other = orders.with_name("other.csv")
    other.write_text("a@b,c\n1,2\n", "utf-8")
    done = unicus("new-system", "shop", "--from", orders, "--from", other, "--json")
    describes("new-system", json.loads(done.stdout))
    orders.write_text(ORDERS.format(day="someday").replace("2024-01-13", "1970-01-01"), "utf-8")
    describes("check-system", json.loads(unicus("check-system", "shop", "--json").stdout))
    orders.write_text("nothing\n1\n", "utf-8")
    done = unicus("check-system", "shop", "--json", "--full")
    describes("check-system", json.loads(done.stdout))
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 1
