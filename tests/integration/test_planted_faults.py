"""Faults planted in copies of real rows, every kind a contract forbids: each is found, named, and
nothing else is refused; after the fault is mended nothing is left in quarantine.

The rows are those the samples gave, written as CSV under the contract's own names, so that any value
can be put anywhere.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from intake.accounting import Load
from intake.contract import Contract, Field, contracts
from intake.fault import InputFault
from intake.lake import Lake
from intake.load import load_entity
from intake.source import SYSTEMS, read_system
from intake.undo import find_load, undo
from tests.homes import deliver
from tests.integration.test_online_retail import HEADERS, YEAR_ONE, real_lines

EACH = 40
ENTITIES = ("customers", "products", "stores", "orders", "order_lines", "returns", "campaigns",
            "campaign_assignments", "coupons", "coupon_redemptions", "enrichment")  # fmt: skip
NOT_A = {"decimal": ("abc", "12,50", "1.2.3", "NaN", "inf", "1e40", "0x1F"), "timestamp": (
    "yesterday", "2010-02-30", "31/12/2010", "2010-13-01"), "date": ("soon", "2010-02-30"),
    "bigint": ("many", "99999999999999999999"), "integer": ("many",), "boolean": ("perhaps",),
    "double": ("abc",)}  # fmt: skip
Rows = list[dict[str, str]]


def kinds(contract: Contract) -> Iterator[tuple[str, str, str]]:
    """Every way to break a contract, as field, value and the reason it must be given."""
    for field in contract.fields:
        base = field.type.partition("(")[0]
        for value in NOT_A.get(base, ()):
            yield field.name, value, f"not a {field.type}"
        if field.required:
            for value in ("", "   "):
                yield field.name, value, "required and empty"
        if field.minimum is not None:
            yield field.name, str(field.minimum - 1), f"below {field.minimum:g}"
        if field.name == "currency":
            yield field.name, "USD", "not GBP, as source.yaml says"
        if field.pattern:
            yield field.name, "gb pounds", f"not of the form {field.pattern}"
        if field.allowed:
            yield field.name, "elsewhere", f"not one of {', '.join(field.allowed)}"
        if field.name in (contract.event_time, contract.version_by):
            yield field.name, "2999-01-01 00:00:00", "dated after the day of its load"


def real_rows(folder: Path) -> dict[str, Rows]:
    """The rows that the two samples give, by entity, without those the load itself adds."""
    lake = Lake(folder / "real")
    lake.create()
    places = {
        "complete_journey": str(deliver(folder / "sample", share=60)),
        "online_retail": str(YEAR_ONE.parent),
    }
    found: dict[str, Rows] = {}
    for entity in ENTITIES:
        contract = contracts()[entity]
        name = "online_retail" if entity in ("returns", "stores") else "complete_journey"
        system = read_system(name, [Path("intake/systems").absolute()], places[name])
        load_entity(lake, system, contract)
        files = [str(lake.path(f)) for r in lake.live("load") for f in r.files if f.table == entity]
        own = ", ".join(f'cast("{field.name}" as varchar)' for field in contract.fields)
        rows = duckdb.sql(f"select {own} from read_parquet({files}) order by _row").fetchall()
        names = [field.name for field in contract.fields]
        found[entity] = [dict(zip(names, (v or "" for v in row), strict=True)) for row in rows]
        for row in found[entity]:
            row |= {"currency": "GBP"} if "currency" in row else {}
    return found


def enlarged(rows: Rows, contract: Contract, needed: int) -> Rows:
    """The rows, repeated under other keys until there are enough to break some and keep some."""
    many = []
    for number in range(needed):
        row = dict(rows[number % len(rows)])
        for column in contract.record_columns:
            if contract_field(contract, column).type == "varchar":
                row[column] = f"{row[column]}-{number}"
        many.append(row)
    return many


def contract_field(contract: Contract, name: str) -> Field:
    return next(field for field in contract.fields if field.name == name)


def planted(rows: Rows, contract: Contract) -> tuple[Rows, Counter[str]]:
    """A copy of the rows with each kind of fault in 40 of them, and what must be said of it."""
    chance = random.Random(contract.entity)
    faults = [kind for kind in kinds(contract) for _ in range(EACH)]
    broken = [dict(row) for row in enlarged(rows, contract, 2 * len(faults) + 2 * EACH)]
    places = chance.sample(range(len(broken) - EACH), len(faults))
    expected: Counter[str] = Counter()
    for place, (name, value, reason) in zip(places, faults, strict=True):
        broken[place][name] = value
        expected[f"{name}: {reason}"] += 1
    if contract.key:
        whole = [row for i, row in enumerate(broken[:-EACH]) if i not in set(places)]
        broken[-EACH:] = [dict(row) for row in whole[:EACH]]
        expected[f"{', '.join(contract.key)}: key given twice in one file"] += EACH
    return broken, expected


def write(path: Path, rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


def write_web_shop(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([HEADERS, *real_lines()])


def own_system(folder: Path, files: Path, entities: list[str]) -> None:
    folder.mkdir(parents=True)
    spec = {
        "system": folder.name, "title": "Copies of real rows", "location": str(files),
        "business_timezone": "UTC", "currency": "GBP",
        "files": {e: {"path": f"{e}*.csv", "format": "csv"} for e in entities},
        "entities": {e: {"file": e, "delivery": "upsert"} for e in entities},
    }  # fmt: skip
    (folder / "source.yaml").write_text(yaml.safe_dump(spec), "utf-8")
    for entity in entities:
        names = ", ".join(f'"{field.name}"' for field in contracts()[entity].fields)
        (folder / f"{entity}.sql").write_text(f"select _row, {names} from {entity}\n", "utf-8")


@pytest.mark.skipif(
    not os.environ.get("UNICUS_TEST_DATA"), reason="UNICUS_TEST_DATA does not name the test data"
)
def test_every_planted_fault_is_found_no_good_row_is_refused_and_a_mended_file_leaves_none(
    tmp_path: Path,
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    own_system(tmp_path / "systems" / "copies", files, list(ENTITIES))
    system = read_system("copies", [tmp_path / "systems"])
    lake = Lake(tmp_path / "lake")
    lake.create()
    planted_kinds = set()
    for entity, rows in real_rows(tmp_path).items():
        contract = contracts()[entity]
        broken, expected = planted(rows, contract)
        write(files / f"{entity}.csv", broken)
        (load,) = load_entity(lake, system, contract)
        assert refused(load) == expected, entity
        assert load.rows("accepted") == len(broken) - expected.total(), entity
        undo(lake, find_load(lake, load.load_id), system, contract)
        write(files / f"{entity}.csv", enlarged(rows, contract, len(broken)))
        (mended,) = load_entity(lake, system, contract)
        assert (refused(mended), mended.rows("accepted")) == (Counter(), len(broken)), entity
        planted_kinds |= {(value, reason) for _, value, reason in kinds(contract)}
    assert len(planted_kinds) >= 20


def refused(load: Load) -> Counter[str]:
    return Counter({one.reason: one.rows for one in load.outcomes if one.outcome == "quarantined"})


@pytest.mark.skipif(
    not os.environ.get("UNICUS_TEST_DATA"), reason="UNICUS_TEST_DATA does not name the test data"
)
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text[: len(text) // 2].rsplit(b",", 3)[0] + b',"cut', "unreadable-file"),
        (lambda text: text.replace(b'"Quantity"', b'"Units"', 1), "missing-column"),
        (lambda text: text.replace(b"CAKE", b"CAF\xc9"), "wrong-encoding"),
        (lambda text: text.replace(b'","', b'";"'), "wrong-delimiter"),
        (lambda _text: b"", "empty-file"),
    ],
    ids=["truncated", "wrong header", "wrong encoding", "wrong delimiter", "empty"],
)
def test_a_spoilt_file_is_refused_whole_and_the_state_before_stands(
    spoil: Callable[[bytes], bytes], code: str, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    good = files / "online_retail_1.csv"
    write_web_shop(good)
    lake = Lake(tmp_path / "lake")
    lake.create()
    system = read_system("online_retail", [SYSTEMS], str(files))
    load_entity(lake, system, contracts()["order_lines"])
    before = lake.records()
    (files / "online_retail_2.csv").write_bytes(spoil(good.read_bytes()))
    with pytest.raises(InputFault) as raised:
        load_entity(lake, system, contracts()["order_lines"])
    assert raised.value.code == code
    assert "online_retail_2.csv" in raised.value.where
    assert lake.records() == before
    assert not list((lake.root / "incoming").iterdir())


def test_a_file_that_changes_under_the_reader_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a\n1\n", "utf-8")
    lake = Lake(tmp_path / "lake")
    lake.create()
    copy = shutil.copyfile

    def copy_late(source: Path, target: Path) -> None:
        path.write_text("a\n2\n", "utf-8")
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", copy_late)
    with pytest.raises(InputFault, match="changed") as raised:
        lake.keep_original(path)
    assert raised.value.code == "changed-file"
    assert not list((lake.root / "landing").iterdir())
