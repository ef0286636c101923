"""The kind of a telephone number is that of its range in the plan of its country."""

from __future__ import annotations

import duckdb
import pytest

from identity.phones import NOBODYS, hash_of, kind_of, kinds_of


@pytest.mark.parametrize(("number", "kind"), [
    ("33612345678", "mobile"),
    ("33142278186", "fixed line"),
    ("12015550123", "fixed or mobile"),
    ("33912345678", "voip"),
    ("33800123456", "service"),
    ("33892123456", "service"),
    ("33700123456", "unknown"),
    ("331", "impossible"),
    ("99912345678", "impossible"),
])  # fmt: skip
def test_a_number_is_of_the_kind_of_its_range(number: str, kind: str) -> None:
    assert kind_of(number) == kind


def test_hotlines_and_what_cannot_be_are_nobodys_and_a_range_not_known_is_somebodys() -> None:
    assert {kind_of("33800123456"), kind_of("331")} == set(NOBODYS)
    assert kind_of("33700123456") not in NOBODYS


def test_numbers_are_kept_once_each_by_the_hash_that_sql_gives() -> None:
    kinds = kinds_of(["33612345678", "33142278186", "33612345678"])
    found = duckdb.sql("select md5('33612345678'), md5('33142278186')").fetchall()[0]
    assert sorted(kinds["phone_hash"].to_pylist()) == sorted(found)
    assert hash_of("33612345678") == found[0]
