"""What a pair weighs: the sum of what its levels are worth, in SQL as worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import candidates
from identity.compare import COMPARISONS, NO_NAME_FREQUENCY, RULES, Model, model_of, model_tables
from identity.store import basis_of, open_store
from tests.conftest import cases
from tests.unit.identity.people import person, records

BITS = st.floats(-20, 20, allow_nan=False)
MODELS = st.builds(
    Model,
    version=st.text(max_size=5), kind=st.sampled_from(["rules", "splink"]), prior=BITS,
    weights=st.fixed_dictionaries(
        {one.name: st.dictionaries(st.sampled_from(one.names), BITS) for one in COMPARISONS}
    ),
    contradiction=st.floats(-20, 0), first_names_part=st.booleans(),
    mean_name_frequency=st.sampled_from([0.0, 1e-4]),
)  # fmt: skip
LEVELS = st.fixed_dictionaries(
    {one.name: st.integers(-1, len(one.levels)) for one in COMPARISONS}
    | {"name_frequency": st.sampled_from([None, 1e-12, 1e-6, 1e-4, 0.5])}
)


def weight_by_hand(model: Model, levels: dict[str, Any]) -> float:
    weight = model.prior
    for one in COMPARISONS:
        if levels[one.name] >= 0:
            weight += model.weights.get(one.name, {}).get(one.names[levels[one.name]], 0.0)
    frequency = levels["name_frequency"]
    if model.mean_name_frequency and levels["name"] == 4 and frequency:
        weight += min(max(math.log2(model.mean_name_frequency / frequency), -10.0), 10.0)
    return weight


def contradicts_by_hand(model: Model, levels: dict[str, Any]) -> bool:
    same = (levels["email"] == 2, levels["phone"] == 3, levels["birth_date"] == 2,
            levels["identifier"] == 1)  # fmt: skip
    if model.first_names_part and levels["name"] in (0, 1, 8) and sum(same) < 2:
        return True
    if levels["email"] >= 1 or levels["phone"] >= 2 or same[2] or same[3]:
        return False
    against = [
        min(model.weights.get(one.name, {}).get(one.otherwise, 0.0), 0.0)
        for one in COMPARISONS
        if one.name in ("email", "phone", "address", "birth_date") and levels[one.name] == 0
    ]
    return sum(against) <= model.contradiction


@settings(max_examples=cases(60), deadline=None)
@given(model=MODELS, pairs=st.lists(LEVELS, min_size=1, max_size=20))
def test_the_weight_in_sql_is_the_sum_of_its_levels_and_contradictions_are_those_by_hand(
    model: Model, pairs: list[dict[str, Any]]
) -> None:
    with duckdb.connect() as con:
        kinds = [pa.field(one.name, pa.int8()) for one in COMPARISONS]
        con.register("pairs", pa.Table.from_pylist(
            pairs, schema=pa.schema([*kinds, pa.field("name_frequency", pa.float64())])
        ))  # fmt: skip
        told = con.execute(
            f"select {model.weight_sql}, {model.contradicts_sql} from pairs"
        ).fetchall()
    for (weight, contradicts), levels in zip(told, pairs, strict=True):
        assert weight == pytest.approx(weight_by_hand(model, levels), abs=1e-9)
        assert contradicts == contradicts_by_hand(model, levels)


@settings(max_examples=cases(20), deadline=None)
@given(model=MODELS)
def test_a_model_is_read_back_as_it_was_written_but_not_once_levels_are_others(
    model: Model,
) -> None:
    row = {"part": "first", "country_code": "FR", "name": "anna", "frequency": 0.1, "share": 1.0}
    model = replace(model, frequencies=pa.Table.from_pylist([row], schema=NO_NAME_FREQUENCY))
    tables = model_tables(model)
    back = model_of(tables["identity_model"], tables["identity_name_frequencies"])
    assert back == model
    assert back.frequencies.equals(model.frequencies)
    assert basis_of(back) == basis_of(model), "its store is not made anew"
    told = tables["identity_model"].to_pylist()[0]
    other = pa.Table.from_pylist([told | {"levels": told["levels"].replace("0.9", "0.8")}])
    assert model_of(other, tables["identity_name_frequencies"]) is None


ANNA = person("anna moss", email="anna@x.org", mobile_phone="+331", house_key="1 elm 75001",
              place="75001", birth_date="1990-01-01", card_key="c1")  # fmt: skip


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (ANNA, ("same name in one house", "same e-mail", "same mobile", None, "same birthday",
                "same card, cookie, device or handle")),
        (person("ann moss", email="anna1@x.org", phone="+331", house_key="1 elm 75001",
                birth_date="1990-01-02", card_key="c2"),
         ("close name in one house", "close e-mail", "same line", None, "close birthday", None)),
        (person("moss anna", email="z@y.org", phone="+339", place="75001",
                house_key="2 oak 75001"),
         ("same name", "other e-mail", "lines not told", "same place", None, None)),
        (person("anna lind", mobile_phone="+332", house_key="9 ash 13001", birth_date="1955-07-30"),
         ("same first name", None, "other mobile", "other house", "other birthday", None)),
        (person("bert moss", house_key="1 elm 75001"),
         ("same surname", None, None, "same house", None, None)),
        (person("carl lind"), ("other name", None, None, None, None, None)),
        ({"last_name": "mos", "email": "anna@x.org", "house_key": "1 elm 75001"},
         ("part of a name", "same e-mail", None, None, None, None)),
        ({"last_name": "anna"}, ("part of a name", None, None, None, None, None)),
        ({"first_name": "bert", "house_key": "1 elm 75001"},
         ("other first name", None, None, "same house", None, None)),
        ({"last_name": "lind"}, ("other surname", None, None, None, None, None)),
        ({}, (None,) * 6),
    ],
)  # fmt: skip
def test_the_first_level_that_holds_counts_and_says_nothing_where_a_value_is_not_told(
    other: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    for profiles in ({"l": ANNA, "r": other}, {"l": other, "r": ANNA}):
        with open_store(None, RULES) as con:
            candidates.take_changes(con, records(profiles), RULES)
            con.execute("create temp table two as select l.record as a, r.record as b from records as l,"
                        " records as r where l.source_key = 'l' and r.source_key = 'r'")  # fmt: skip
            candidates.levels_of(con, "two", "compared")
            columns = ", ".join(one.name for one in COMPARISONS)
            ((*levels,),) = con.execute(f"select {columns} from compared").fetchall()
        told = [
            one.names[level] if level >= 0 and (one.name != "identifier" or level) else None
            for one, level in zip(COMPARISONS, levels, strict=True)
        ]
        assert tuple(told) == expected


def test_a_rarer_name_is_worth_more_and_one_never_seen_as_much_as_the_rarest() -> None:
    seen = [
        {"part": part, "country_code": "FR", "name": name, "frequency": frequency, "share": 1.0}
        for part, name, frequency in (
            ("first", "anna", 0.5), ("first", "zoe", 0.01),
            ("last", "moss", 0.2), ("last", "zink", 0.01),
        )
    ]  # fmt: skip
    frequencies = pa.Table.from_pylist(seen, schema=NO_NAME_FREQUENCY)
    model = replace(RULES, mean_name_frequency=1e-3, frequencies=frequencies)
    with open_store(None, model) as con:
        profiles = {
            "a": person("anna moss"),
            "z": person("zoe zink"),
            "n": person("new name"),
            "x": {},
        }
        profiles["b"] = person(birth_date=date(1990, 1, 1))
        candidates.take_changes(con, records(profiles), model)
        found = dict(con.execute("select source_key, name_frequency from records").fetchall())
    assert found["a"] == pytest.approx(0.1)
    assert found["z"] == pytest.approx(found["n"]) == pytest.approx(1e-4)
    assert found["x"] is None
    assert found["b"] is None
