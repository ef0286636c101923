"""What the contracts promise: rows that keep to them come in, rows that break them do not."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from string import ascii_letters, digits

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.contract import CONTRACTS, Contract, Field, contracts
from intake.fault import InputFault
from intake.lake import Lake
from tests.conftest import Shop, cases, load

DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
LATEST = datetime.fromisoformat("2026-01-01")
LATIN = ascii_letters + digits + "-"
QUIET = settings(
    max_examples=cases(3),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
each_entity = pytest.mark.parametrize("contract", contracts().values(), ids=contracts().keys())


def values(field: Field) -> st.SearchStrategy[str]:
    """Values that keep to the rules of a column, as a file writes them."""
    if field.allowed:
        return st.sampled_from(field.allowed)
    if field.pattern:
        return st.from_regex(field.pattern.replace("$", r"\Z"), fullmatch=True, alphabet=LATIN)
    kinds: dict[str, Callable[[], st.SearchStrategy[object]]] = {
        "varchar": lambda: st.text("abc é'\";,|{", min_size=1).filter(str.strip),
        "boolean": lambda: st.sampled_from(["true", "false"]),
        "timestamp": lambda: st.datetimes(max_value=LATEST),
        "date": lambda: st.dates(max_value=LATEST.date()),
        "bigint": lambda: st.integers(int(field.minimum or 0), 10**9),
    }
    return (kinds.get(field.type) or (lambda: decimals(field)))().map(str)


def decimals(field: Field) -> st.SearchStrategy[Decimal]:
    found = DECIMAL.fullmatch(field.type)
    assert found, f"{field.name} has the type {field.type}"
    width, places = map(int, found.groups())
    largest = Decimal(10 ** min(width - places, 9) - 1)
    least = -largest if field.minimum is None else Decimal(str(field.minimum))
    most = largest if field.maximum is None else Decimal(str(field.maximum))
    return st.decimals(least, most, places=places)


def rows(contract: Contract) -> st.SearchStrategy[dict[str, str]]:
    # A system sells in one currency, which its source.yaml names.
    given = {field.name: values(field) for field in contract.fields}
    return st.fixed_dictionaries(
        given | ({"currency": st.just("EUR")} if "currency" in given else {})
    )


def deliver(shop: Shop, contract: Contract, *rows: dict[str, str], allow: bool = True) -> None:
    """Deliver rows as a file of a system that feeds just this entity."""
    written = io.StringIO()
    table = csv.DictWriter(written, rows[0].keys(), lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writeheader()
    table.writerows(rows)
    (shop.files / "file.csv").write_text(written.getvalue(), "utf-8")
    reasons = {name: "for a test" for name in contract.sensitive_columns if allow}
    (shop.folder / "shop" / "source.yaml").write_text(
        f"{{system: shop, title: Shop, location: '{shop.files}', business_timezone: UTC,"
        " currency: EUR, files: {file: {path: file.csv, format: csv}},"
        f" entities: {{{contract.entity}: {{file: file, delivery: append,"
        f" allow_sensitive: {reasons}}}}}}}",
        "utf-8",
    )
    mapping = f"select _row, {', '.join(rows[0])} from file"
    (shop.folder / "shop" / f"{contract.entity}.sql").write_text(mapping, "utf-8")


def outcomes(
    factory: pytest.TempPathFactory, shop: Shop, contract: Contract, *rows: dict[str, str]
) -> Counter[tuple[str, str]]:
    """How many of the rows met each fate, and for which column."""
    lake = Lake(factory.mktemp("lake"))
    lake.create()
    deliver(shop, contract, *rows)
    (done,) = load(lake, shop, contract.entity)
    found: Counter[tuple[str, str]] = Counter()
    for one in done.outcomes:
        found[one.outcome, one.reason.split(":")[0]] += one.rows
    return found


@each_entity
@QUIET
@given(data=st.data())
def test_a_row_that_keeps_to_its_contract_comes_in(
    tmp_path_factory: pytest.TempPathFactory, shop: Shop, contract: Contract, data: st.DataObject
) -> None:
    row = data.draw(rows(contract))
    assert outcomes(tmp_path_factory, shop, contract, row) == {("accepted", ""): 1}


@each_entity
@QUIET
@given(data=st.data())
def test_each_row_that_breaks_one_rule_is_quarantined_for_it(
    tmp_path_factory: pytest.TempPathFactory, shop: Shop, contract: Contract, data: st.DataObject
) -> None:
    row = data.draw(rows(contract))
    wrong = [row | {field.name: value} for field in contract.fields for value in broken(field)]
    assert outcomes(tmp_path_factory, shop, contract, *wrong) == {
        ("quarantined", field.name): len(broken(field))
        for field in contract.fields
        if broken(field)
    }


def broken(field: Field) -> list[str]:
    """Values that break a rule of a column, one for each it has."""
    wrong = {"varchar": [], "boolean": ["perhaps"]}.get(field.type, ["soon"])
    wrong += [""] if field.required else []
    wrong += ["no such word"] if field.allowed or field.pattern else []
    wrong += [str(Decimal(str(field.minimum)) - 1)] if field.minimum is not None else []
    wrong += [str(Decimal(str(field.maximum)) + 1)] if field.maximum is not None else []
    return wrong


@each_entity
def test_a_contract_explains_each_column_and_each_one_that_is_sensitive(contract: Contract) -> None:
    assert contract.description.startswith(("One ", "What "))
    for field in contract.fields:
        assert field.description.endswith("."), field.name
        is_told = "Sensitive" in field.description
        assert is_told == (field.classification == "sensitive"), field.name


@each_entity
def test_a_contract_names_its_own_columns(contract: Contract) -> None:
    names = [field.name for field in contract.fields]
    assert len(set(names)) == len(names)
    told = {*contract.key, contract.version_by, contract.event_time, contract.parent_key} - {None}
    assert told <= set(names)
    required = {field.name for field in contract.fields if field.required}
    assert {*contract.key, contract.event_time} - {None} <= required


@each_entity
def test_who_a_person_is_is_personal(contract: Contract) -> None:
    who = r".*(customer_key|contact_point|visitor_key|device_key|email|phone|handle|_by)"
    for field in contract.fields:
        if re.fullmatch(who, field.name) and field.name != "collected_by":
            assert field.classification == "personal", field.name


@each_entity
def test_money_is_exact_and_has_its_currency_beside_it(contract: Contract) -> None:
    amounts = [field for field in contract.fields if field.name.endswith("_amount")]
    assert {field.type for field in amounts} <= {"decimal(18,4)"}
    beside = contracts()[contract.parent] if contract.parent else contract
    assert not amounts or "currency" in {field.name for field in beside.fields}


def test_descriptions_are_no_rules_and_classifications_are() -> None:
    contract = contracts()["reviews"]
    first, *others = contract.fields
    said = (replace(first, description="Other words."), *others)
    assert replace(contract, fields=said, description="").fingerprint == contract.fingerprint
    hidden = (replace(first, classification="personal"), *others)
    assert replace(contract, fields=hidden).fingerprint != contract.fingerprint


def test_a_classification_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = (CONTRACTS / "reviews.yaml").read_text("utf-8")
    (tmp_path / "reviews.yaml").write_text(text.replace(": sensitive", ": secret"), "utf-8")
    with pytest.raises(ValueError, match="review_text has a classification that does not exist"):
        contracts(tmp_path)


def interaction(**more: str) -> dict[str, str]:
    known = {"interaction_key": "1", "interaction_type": "call", "started_at": "2024-01-02"}
    return known | more


def test_a_sensitive_column_is_refused_until_the_system_gives_a_reason(
    lake: Lake, shop: Shop
) -> None:
    contract = contracts()["interactions"]
    row = interaction(notes="fell ill", transcript="prays")
    deliver(shop, contract, row, allow=False)
    with pytest.raises(InputFault) as raised:
        load(lake, shop, "interactions")
    fault = raised.value
    assert (fault.code, fault.exit_code) == ("sensitive-column", 2)
    assert fault.what == "the mapping fills what is sensitive: notes, transcript"
    assert "fell ill" not in f"{fault.where}{fault.why}{fault.fix}"
    assert not lake.live("load")

    refused = shop.system.fingerprint("interactions")
    deliver(shop, contract, row)
    assert shop.system.fingerprint("interactions") != refused
    (done,) = load(lake, shop, "interactions")
    assert done.rows("accepted") == 1


def test_a_sensitive_column_that_is_not_filled_needs_no_reason(lake: Lake, shop: Shop) -> None:
    deliver(shop, contracts()["interactions"], interaction(), allow=False)
    (done,) = load(lake, shop, "interactions")
    assert done.rows("accepted") == 1


def test_a_permission_without_a_reason_is_none(shop: Shop) -> None:
    deliver(shop, contracts()["interactions"], interaction())
    shop.rewrite("source.yaml", "'notes': 'for a test'", "'notes': ''")
    with pytest.raises(InputFault) as raised:
        _ = shop.system
    assert raised.value.code == "bad-source-file"
    assert "allow_sensitive.notes" in raised.value.why
