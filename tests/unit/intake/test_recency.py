"""How new the data is, against what a system is expected to deliver."""

from __future__ import annotations

from datetime import date

import pytest

from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import Lake
from intake.recency import Recency, recencies, stale_sources
from tests.conftest import Shop, load

TODAY = date(2024, 1, 12)


def expecting(shop: Shop, entity: str, expected: str) -> None:
    """Write what is expected of an entity into the shop's source.yaml."""
    file = {"orders": "orders", "order_lines": "lines"}[entity]
    shop.rewrite(
        "source.yaml",
        f"{{file: {file}, delivery: upsert}}",
        f"{{file: {file}, delivery: upsert, expected: {expected}}}",
    )


def stale(lake: Lake, shop: Shop, zone: str = "UTC", today: date = TODAY) -> list[str]:
    return [one.text for one in stale_sources(lake, [shop.system], contracts(), zone, today)]


def test_a_system_that_promises_nothing_is_never_late(lake: Lake, shop: Shop) -> None:
    shop.orders("1,c1,2017-01-01,2017-01-01")
    load(lake, shop)
    assert stale(lake, shop) == []


def test_the_newest_event_counts_and_not_when_its_file_was_loaded(lake: Lake, shop: Shop) -> None:
    expecting(shop, "orders", "{latency_days: 2}")
    assert stale(lake, shop) == ["orders of shop: nothing loaded yet, expected within 2 days"]
    shop.orders("1,c1,2024-01-09,2024-01-09", "2,c1,2024-01-03,2024-01-10", name="orders-1.csv")
    load(lake, shop)
    assert stale(lake, shop) == ["orders of shop: newest 2024-01-09, expected within 2 days"]
    assert stale(lake, shop, today=date(2024, 1, 11)) == []
    shop.orders("3,c1,2024-01-08,2024-01-12", name="orders-2.csv")
    load(lake, shop)
    assert stale(lake, shop), "a file of old days makes nothing new"
    shop.orders("4,c1,2024-01-10,2024-01-10", name="orders-3.csv")
    load(lake, shop)
    assert stale(lake, shop) == []


def test_days_are_those_of_the_business(lake: Lake, shop: Shop) -> None:
    expecting(shop, "orders", "{latency_days: 1}")
    shop.orders("1,c1,2024-01-10 23:30:00,2024-01-10")
    load(lake, shop)
    assert stale(lake, shop) == ["orders of shop: newest 2024-01-10, expected within 1 day"]
    assert stale(lake, shop, "Europe/Paris") == []


def test_without_a_time_in_its_rows_the_date_of_the_file_counts(lake: Lake, shop: Shop) -> None:
    expecting(shop, "order_lines", "{latency_days: 3}")
    shop.rewrite("source.yaml", "lines*.csv", "lines-{date:%Y-%m-%d}.csv")
    for day in ("2024-01-07", "2024-01-08"):
        shop.lines(f"1,p1,1,{day[-1]}.50,{day}", name=f"lines-{day}.csv")
    load(lake, shop, "order_lines")
    (found,) = recencies(lake, [shop.system], contracts(), "UTC")
    assert found == Recency("shop", "order_lines", date(2024, 1, 8), 3)
    assert found.is_stale(TODAY)
    assert not found.is_stale(date(2024, 1, 11))


def test_without_any_date_the_day_of_the_load_counts(lake: Lake, shop: Shop) -> None:
    expecting(shop, "order_lines", "{latency_days: 3}")
    shop.lines("1,p1,1,9.50,2017-01-01")
    load(lake, shop, "order_lines")
    (found,) = recencies(lake, [shop.system], contracts(), "UTC")
    committed = date.fromisoformat(lake.live("load")[0].committed_at[:10])
    assert found.newest == committed


def test_what_is_expected_reads_no_file_anew(lake: Lake, shop: Shop) -> None:
    shop.orders("1,c1,2024-01-09,2024-01-09")
    (first,) = load(lake, shop)
    expecting(shop, "orders", "{latency_days: 2, volume_factor: 3, quarantined_share_stop: 0.5}")
    (second,) = load(lake, shop)
    assert (first.load_id, second.is_new) == (second.load_id, False)


@pytest.mark.parametrize("expected", ["{latency: 2}", "{latency_days: 0}", "{volume_factor: 1}"])
def test_an_expectation_that_cannot_be_is_a_fault(shop: Shop, expected: str) -> None:
    expecting(shop, "orders", expected)
    with pytest.raises(InputFault) as caught:
        assert shop.system
    assert caught.value.code == "bad-source-file"
