"""Telephone numbers: what kind of line each is, asked once per number.

Belongs here: what the numbering plans of the world say of a number. Does not belong here: how a number is
written in one way, which is SQL (`macros/identity.sql`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa

KINDS = pa.schema([("phone_hash", pa.string()), ("phone_kind", pa.string())])
"""One row per number, by the MD5 of its digits: what the log keeps forever shows no number."""

NOBODYS = ("service", "impossible")
"""Kinds that identify nobody: hotlines, short numbers, what no country can have given out."""


def kinds_of(numbers: Iterable[str]) -> pa.Table:
    """The kind of each number, given as its digits with the country in front.

    A number of a range that no plan knows is `unknown`: plans change before what is told of them.
    """
    told = [(hash_of(number), kind_of(number)) for number in sorted(set(numbers))]
    return pa.table([[row[place] for row in told] for place in range(2)], schema=KINDS)


def hash_of(number: str) -> str:
    """By what a number is known, as md5() of SQL gives it."""
    return hashlib.md5(number.encode(), usedforsecurity=False).hexdigest()


def kind_of(number: str) -> str:
    """The kind of one number: mobile, fixed line, fixed or mobile, voip, service, unknown, impossible."""
    import phonenumbers as plans

    lines = plans.PhoneNumberType
    try:
        parsed = plans.parse("+" + number)
    except plans.NumberParseException:
        return "impossible"
    if not plans.is_possible_number(parsed):
        return "impossible"
    return {
        lines.MOBILE: "mobile",
        lines.FIXED_LINE: "fixed line",
        lines.FIXED_LINE_OR_MOBILE: "fixed or mobile",
        lines.PERSONAL_NUMBER: "fixed or mobile",
        lines.VOIP: "voip",
        lines.UNKNOWN: "unknown",
    }.get(plans.number_type(parsed), "service")
