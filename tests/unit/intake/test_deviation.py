"""What new loads are held against: their own accounting, what is expected, and what came before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from intake.accounting import Load, Outcome
from intake.contract import contracts
from intake.deviation import (
    Delivered,
    Series,
    Verdict,
    distribution,
    examine,
    quarantine,
    series_of,
    volume,
)
from intake.lake import Lake, LakeFile
from intake.source import Expected
from intake.statistics import Statistics, statistics_of
from tests.conftest import Shop, cases, load

FIRST = date(2024, 1, 1)
END = date(2030, 1, 1)
ORDERS = contracts()["orders"]
LINES = contracts()["order_lines"]
FILE = LakeFile("raw", "orders", "raw/none.parquet", 0)
WEEK = np.array([1.0, 0.9, 0.95, 1.1, 1.5, 1.8, 0.4])
Histogram = dict[str, int]


def delivered(
    days: dict[date, int], columns: dict[str, Histogram] | None = None, *, is_new: bool = False
) -> Delivered:
    told = {str(day): rows for day, rows in days.items()}
    rows = sum(days.values())
    made = Load("id", "till", "orders", "f", "h", "1", rows, rows)
    return Delivered(made, FILE, None, Statistics(rows, rows, told, columns or {}), is_new)


def series(
    deliveries: list[Delivered], expected: Expected | None = None, end: date = END
) -> Series:
    made = tuple(deliveries)
    return Series("till", ORDERS, expected or Expected(), made, is_first=False, end=end)


def daily(counts: list[int], new: int = 1) -> Series:
    """A file a day; the last ones are new."""
    old = len(counts) - new
    return series([
        delivered({FIRST + timedelta(days=n): rows}, is_new=n >= old)
        for n, rows in enumerate(counts)
    ])  # fmt: skip


def simulated(random: np.random.Generator, level: float, noise: float, days: int = 90) -> list[int]:
    """Daily rows of a shop: weekdays, growth, its own noise and chance."""
    growth = np.exp(random.normal(0, 0.002) * np.arange(days))
    mean = level * WEEK[np.arange(days) % 7] * growth * np.exp(random.normal(0, noise, days))
    return [int(rows) for rows in random.poisson(mean)]


@pytest.mark.parametrize("level", [3, 40, 1000, 50_000])
@pytest.mark.parametrize("days", [25, 90])
def test_stable_days_hardly_ever_warn(level: float, days: int) -> None:
    random = np.random.default_rng([days, level])
    worlds = cases(400)
    odd = sum(
        volume(daily(simulated(random, level, random.uniform(0, 0.25), days))).state != "ok"
        for _ in range(worlds)
    )
    assert odd / worlds < 0.02


@pytest.mark.parametrize("level", [400, 1000, 50_000])
@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
def test_a_day_of_half_the_rows_is_found(level: float, factor: float) -> None:
    random, found = np.random.default_rng(7), []
    for _ in range(cases(100)):
        counts = simulated(random, level, 0.05)
        counts[-1] = int(counts[-1] * factor)
        found.append(volume(daily(counts)).state == "warn")
    assert np.mean(found) > 0.9


def test_a_verdict_on_a_day_says_what_was_found_and_what_is_usual() -> None:
    found = volume(daily([100] * 60 + [40]))
    assert found.state == "warn"
    assert found.text == "orders of till: 40 rows on 2024-03-01, usual 63 to 162"
    assert found.found == {"judged_days": 1, "odd_days": 1}


def test_a_day_that_never_came_is_found_with_the_one_after_it() -> None:
    days = {FIRST + timedelta(days=n): 100 for n in range(60)}
    old = delivered(days)
    after = delivered({FIRST + timedelta(days=61): 100}, is_new=True)
    assert "0 rows on 2024-03-01" in volume(series([old, after])).text


def test_a_day_that_is_not_over_and_days_long_past_are_not_judged() -> None:
    old = delivered({FIRST + timedelta(days=n): 100 for n in range(60)})
    today = FIRST + timedelta(days=60)
    begun = delivered({today: 3}, is_new=True)
    assert volume(series([old, begun], end=today)).found["judged_days"] == 0
    assert volume(series([old, begun], end=today + timedelta(days=1))).state == "warn"
    late = delivered({FIRST + timedelta(days=30): 300}, is_new=True)
    assert volume(series([old, late])).found["judged_days"] == 0
    assert volume(replace(series([old, begun]), is_first=True)).state == "ok"
    wide = volume(series([old, begun], Expected(volume_factor=60)))
    assert wide.state == "ok"


def drawn(random: np.random.Generator, rows: int, shares: list[float]) -> Histogram:
    counts = random.multinomial(rows, shares)
    return {f"#{n}": int(count) for n, count in enumerate(counts) if count}


def prices(random: np.random.Generator, days: int, rows: int) -> list[Histogram]:
    """A price's bins day by day: a usual shape that each day departs from a little."""
    usual = np.exp(-(((np.arange(20) - 10) / 4.0) ** 2))
    return [
        drawn(random, rows, list(p / p.sum()))
        for p in usual * np.exp(random.normal(0, 0.15, (days, 20)))
    ]


def of_column(histograms: list[Histogram], column: str = "currency") -> Series:
    return series([
        delivered({}, {column: one}, is_new=n == len(histograms) - 1)
        for n, one in enumerate(histograms)
    ])  # fmt: skip


@pytest.mark.parametrize("rows", [100, 300, 5000])
@pytest.mark.parametrize("days", [4, 30])
def test_the_values_of_stable_days_hardly_ever_warn(rows: int, days: int) -> None:
    random = np.random.default_rng([rows, days])
    worlds = cases(400)
    odd = sum(
        distribution(of_column(prices(random, days, rows))).state != "ok" for _ in range(worlds)
    )
    assert odd / worlds < 0.02


def test_days_that_differ_by_turns_are_usual() -> None:
    random = np.random.default_rng(3)
    week, end = [0.8, 0.1, 0.1], [0.2, 0.1, 0.7]
    days = [drawn(random, 500, end if n % 7 > 4 else week) for n in range(35)]
    assert {distribution(of_column(days[: n + 1])).state for n in range(28, 35)} == {"ok"}


@pytest.mark.parametrize("rows", [150, 5000])
def test_a_column_turned_empty_and_a_price_in_cents_are_found(rows: int) -> None:
    random = np.random.default_rng(5)
    days = prices(random, 10, rows)
    in_cents = {f"#{int(k[1:]) + 13}": n for k, n in days[-1].items()}
    found = distribution(of_column([*days[:-1], in_cents], "net_amount"))
    assert (found.state, found.found["moved_columns"]) == ("ok", 0), "orders have no such column"
    for odd, word in ((in_cents, "moved in"), ({"missing": rows}, "100% empty and 0% before")):
        found = distribution(of_column([*days[:-1], odd]))
        assert found.state == "warn"
        assert word in found.text
        assert found.text.startswith("orders of till: currency moved in ")


def test_values_told_apart_and_values_only_counted_are_held_against_each_other() -> None:
    fine, plain = {"=a": 150, "=b": 50}, {"present": 190, "missing": 10}
    assert distribution(of_column([fine, fine, plain, plain])).state == "ok"
    assert distribution(of_column([fine, plain, fine, {"missing": 200}])).state == "warn"


def test_too_few_rows_or_loads_say_nothing() -> None:
    fine, odd = {"=a": 200}, {"=b": 200}
    assert distribution(of_column([fine, fine, odd])).state == "ok"
    assert distribution(of_column([fine, fine, fine, {"=b": 99}])).state == "ok"
    assert distribution(of_column([fine, fine, fine, odd])).state == "warn"


@pytest.mark.parametrize(
    ("refused", "stop", "state"),
    [(0, None, "ok"), (10, None, "ok"), (11, None, "warn"), (1000, None, "warn"),
     (200, 0.2, "warn"), (201, 0.2, "fail"), (1, 0.0, "fail")],
)  # fmt: skip
def test_refused_rows_warn_and_stop_a_run_where_it_is_said(
    refused: int, stop: float | None, state: str
) -> None:
    fates = (Outcome("accepted", "", 1000 - refused), Outcome("quarantined", "order_key", refused),
             Outcome("not_applicable", "credit_note", 9000))  # fmt: skip
    one = delivered({}, is_new=True)
    new = replace(one, load=replace(one.load, outcomes=fates))
    found = quarantine(series([new], Expected(quarantined_share_stop=stop)))
    assert found.state == state
    assert found.found["judged_rows"] == 1000
    assert f"{refused:,} of 1,000 new rows refused" in found.text


def looked(lake: Lake, shop: Shop, published: set[int] | None = None) -> dict[str, Verdict]:
    loads = lake.live("load")
    made = series_of(lake, [shop.system], contracts(), loads, published, "UTC", END)
    return {one.check: one for one in examine(lake, made) if one.entity == "orders"}


@pytest.fixture
def filled(lake: Lake, shop: Shop) -> Lake:
    shop.orders("1,zoe,2024-01-02,", "2,yul,2024-01-09,", ",xia,2024-01-09,", name="orders-1.csv")
    load(lake, shop)
    shop.orders("2,yul,2024-01-09,", "3,wim,2024-01-10,", "3,,not-a-day,", name="orders-2.csv")
    load(lake, shop)
    return lake


def test_loads_that_add_up_are_reconciled_with_their_files(filled: Lake, shop: Shop) -> None:
    found = looked(filled, shop)
    assert found["reconciliation"].state == "ok", found["reconciliation"].text
    assert found["reconciliation"].found["read_rows"] == 6
    assert found["quarantine"].state == "warn"
    assert set(found) == {"reconciliation", "quarantine", "volume", "distribution"}


def less_rows(lake: Lake) -> None:
    import pyarrow.parquet as pq

    path = lake.path(lake.live("load")[1].files[0])
    pq.write_table(pq.read_table(path, partitioning=None).slice(1), path)


def other_rows(lake: Lake) -> None:
    path = lake.record_paths()[1]
    record = json.loads(path.read_text())
    record["details"]["read_rows"] += 1
    path.write_text(json.dumps(record))


def damage(lake: Lake) -> None:
    path = lake.path(lake.live("load")[0].files[0])
    path.write_bytes(path.read_bytes()[:-20])


def damage_quarantine(lake: Lake) -> None:
    lake.path(lake.live("load")[0].files[1]).unlink()


def lose(lake: Lake) -> None:
    lake.path(lake.live("load")[1].files[0]).unlink()


@pytest.mark.parametrize("spoil", [less_rows, other_rows, damage, damage_quarantine, lose])
def test_a_load_that_does_not_add_up_fails_until_it_is_mended(
    filled: Lake, shop: Shop, spoil: Callable[[Lake], None]
) -> None:
    spoil(filled)
    found = looked(Lake(filled.root), shop)["reconciliation"]  # as the next run reads it
    assert (found.state, found.found["loads_that_differ"]) == ("fail", 1)
    assert "zoe" not in json.dumps(asdict(found))


def test_only_loads_that_nobody_published_are_looked_at(filled: Lake, shop: Shop) -> None:
    first = filled.live("load")[0].seq
    found = looked(filled, shop, {first})
    assert found["reconciliation"].found["new_loads"] == 1
    assert found["quarantine"].found == {
        "refused_rows": 1, "judged_rows": 3, "refused_share": 0.3333, "limit_share": 0.01,
    }  # fmt: skip


def test_statistics_are_counted_once_and_hold_no_value_of_a_person(
    filled: Lake, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(filled, shop)
    kept = next((filled.root / "statistics").rglob("*.json"))
    told = kept.read_text()
    assert not any(name in told for name in ("zoe", "yul", "wim", "xia"))
    assert '"=EUR"' in told
    files = [r.files[0] for r in filled.live("load")]
    assert [s.days for s in statistics_of(filled, "shop", ORDERS, files, "UTC").values()] == [
        {"2024-01-02": 1, "2024-01-09": 1}, {"2024-01-10": 1},
    ]  # fmt: skip
    for path in files:
        filled.path(path).unlink()
    assert len(statistics_of(filled, "shop", ORDERS, files, "UTC")) == 2, "nothing is read again"
    assert statistics_of(filled, "shop", ORDERS, files, "Asia/Tokyo") == {}, "days are other days"


def test_numbers_of_any_load_fall_into_the_same_bins(lake: Lake, shop: Shop) -> None:
    for number, unit in enumerate((1, 100)):
        rows = [f"{n},p,1,{unit * n / 8},2024-01-0{number + 1}" for n in range(-800, 801)]
        shop.lines(*rows, name=f"lines-{number}.csv")
    load(lake, shop, "order_lines")
    files = [r.files[0] for r in lake.live("load")]
    one, other = statistics_of(lake, "shop", LINES, files, "UTC").values()
    bins = [{int(k[1:]) for k in s.columns["net_amount"]} for s in (one, other)]
    assert 0 in bins[0] & bins[1]
    assert max(bins[1]) - max(bins[0]) in {13, 14}
    assert min(bins[0]) == -max(bins[0])
    assert one.columns["product_key"] == {"present": 1601}


def test_a_large_file_is_counted_by_a_sample(
    lake: Lake, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.statistics.SAMPLE", 100)
    shop.orders(*(f"{n},c{n},2024-01-0{n % 9 + 1}," for n in range(1000)))
    load(lake, shop)
    (record,) = lake.live("load")
    (found,) = statistics_of(lake, "shop", ORDERS, [record.files[0]], "UTC").values()
    assert (found.file_rows, found.source_rows, sum(found.days.values())) == (1000, 1000, 1000)
    assert found.columns["currency"] == {"=EUR": 100}


def test_the_path_of_statistics_is_apart_from_the_rows(filled: Lake, shop: Shop) -> None:
    looked(filled, shop)
    (kept,) = (filled.root / "statistics").rglob("*.json")
    assert kept == filled.root / Path("statistics/orders/system=shop.json")
