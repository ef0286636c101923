"""Whatever stands in a `source.yaml` or a contract: it is read, or refused in words."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import duckdb
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.contract import CONTRACTS, contracts
from intake.fault import InputFault
from intake.source import read_system
from intake.sql import literal, quoted
from tests.conftest import LINES_SQL, ORDERS_SQL, SOURCE, cases

ATTACK = 'a"; drop table x; --'
TEXTS = st.sampled_from(
    ["", " ", ATTACK, "a' or 1=1 --", "=1+1", "😀", "\0", "orders", "select", "../..", "/etc/*", "**", "[a",
     "{date:%Y}", "{date:}", "package:", "package:..", "package:no_such", "%", "\ud7ff", "\x1b[0m", "_row"]
) | st.text(max_size=20)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document: the keys that lead to it."""
    inner = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list)
        else []
    )  # fmt: skip
    return [above, *(place for key, one in inner for place in places(one, (*above, key)))]


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """The document with one or two values changed, renamed or taken away."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        *above, last = draw(st.sampled_from([place for place in places(document) if place]))
        holder = document
        for key in above:
            holder = holder[key]
        match draw(st.sampled_from(["change", "rename", "remove"])):
            case "change":
                holder[last] = draw(TEXTS if isinstance(holder[last], str) else VALUES)
            case "rename" if isinstance(holder, dict):
                holder[draw(TEXTS)] = holder.pop(last)
            case _:
                del holder[last]
        if not [place for place in places(document) if place]:
            break
    return document


@settings(
    max_examples=cases(150), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(document=changed(yaml.safe_load(SOURCE.format(files="files"))))
def test_any_source_file_is_read_and_listed_or_refused(tmp_path: Path, document: Any) -> None:
    folder = tmp_path / "shop"
    folder.mkdir(exist_ok=True)
    (folder / "source.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    (folder / "orders.sql").write_text(ORDERS_SQL)
    (folder / "order_lines.sql").write_text(LINES_SQL)
    told: list[str] = []
    try:
        system = read_system("shop", [tmp_path])
        for entity in system.spec.entities:
            system.fingerprint(entity)
            system.files(entity)
    except InputFault as fault:
        told = [fault.what, fault.where, fault.why, fault.fix]
    assert all(told)


@settings(
    max_examples=cases(100), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(document=changed(yaml.safe_load((CONTRACTS / "orders.yaml").read_text("utf-8"))))
def test_any_contract_is_read_or_refused_by_name(tmp_path: Path, document: Any) -> None:
    (tmp_path / "orders.yaml").write_text(yaml.safe_dump(document), "utf-8")
    told = "orders.yaml"
    try:
        contracts.__wrapped__(tmp_path)
    except ValueError as error:
        told = str(error)
    assert "orders.yaml" in told


@settings(
    max_examples=cases(100), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(name=TEXTS.filter(lambda text: text and "\0" not in text), value=TEXTS)
def test_quoted_names_and_values_stay_what_they_are(name: str, value: str) -> None:
    with duckdb.connect() as con:
        con.execute("create table x (kept integer)")
        con.execute(f"create table {quoted(name + ' ')} ({quoted(name)} varchar)")
        value = value.replace("\0", "")
        con.execute(f"insert into {quoted(name + ' ')} values ({literal(value)})")
        found = con.execute(f"select {quoted(name)} from {quoted(name + ' ')}").fetchall()
        assert found == [(value,)]
        assert con.execute("select count(*) from x").fetchone() == (0,)
