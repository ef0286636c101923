"""Meanings: what a file may be about, and what its columns may mean.

Guessed from names, by the words in `synonyms.yaml`, and from the forms of values, each guess with
what a person should check. What a file looks like is found in `profile.py`; the SQL that a meaning
gives is written in `item.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from intake.contract import Contract, contracts
from intake.profile import Column, FileProfile
from intake.proposal.name import plain_name, shown, word

SYNONYMS = Path(__file__).parent / "synonyms.yaml"
VAGUE_RANK = 1000
"""Rank of a word that means little without its file: behind every word of its own."""
NUMBERS = {"quantity", "net_amount", "gross_amount", "order_total", "unit_price", "discount_amount",
           "coupon_amount"}  # fmt: skip
"""Meanings that only a column of numbers can have."""
DATES = {"ordered_at", "redeemed_at", "assigned_at", "created_at", "updated_at", "start_date",
         "end_date", "birth_date"}  # fmt: skip
"""Meanings that only a column of dates can have."""
LINE_AMOUNTS = {"net_amount", "gross_amount", "order_total", "unit_price"}
"""Meanings that can give the amount of a line."""
ORDER_SUBJECTS = ("orders", "order_lines")
STAND_INS = {"customer_key": ("email", "customer_name"), "product_key": ("product_name",),
             "store_key": ("store_name",)}  # fmt: skip
"""What tells records apart where no column holds their key, the surest first."""
CURRENCY_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Meaning:
    """A column that is taken for something, and what to check about it when that is not certain."""

    column: Column
    doubts: tuple[str, ...] = ()

    def doubting(self, *doubts: str) -> Meaning:
        """The same with more to check."""
        return Meaning(self.column, (*self.doubts, *doubts))


Meanings = dict[str, Meaning]


def subject_of(profile: FileProfile) -> str:
    """What the file is about: its name says so, or else its columns do."""
    subjects = _synonyms()[1]
    name = plain_name(profile.path.name.partition(".")[0])
    called = [
        (len(told), subject)
        for subject, known in subjects.items()
        for told in known["called"]
        if re.search(rf"(^|_){told}(_|$)", name)
    ]
    if called:
        return max(called)[1]
    found = set(_by_words(profile, ""))
    if found & {"ordered_at", "order_key"} or (found & NUMBERS and "customer_key" in found):
        return "orders"
    own = {c.entity for c in contracts().values() if is_named_by_key(c) and c.key[0] in found}
    return next((s for s in subjects if s in own), "orders")


def is_named_by_key(contract: Contract) -> bool:
    """Whether the entity's own key names it: `stores` has `store_key`."""
    return len(contract.key) == 1 and contract.key[0].removesuffix("_key") + "s" == contract.entity


def meanings_of(profile: FileProfile, subject: str) -> tuple[Meanings, tuple[str, ...]]:
    """What the columns of a file about `subject` may mean, and what to check about the file."""
    worded = _by_words(profile, subject)
    fitting = {m: told for m, given in worded.items() if (told := _fitting(m, given))}
    misnamed = [
        f"{shown(given.column.name)} is called like {meaning}, but its values are none"
        for meaning, given in worded.items() if meaning not in fitting and given.column.filled
    ]  # fmt: skip
    found = _by_values(profile, subject, _stand_ins(fitting))
    needed = {"ordered_at"} if subject in ORDER_SUBJECTS else set(contracts()[subject].key)
    missing = [
        f"the file seems to hold {subject}, but no column gives {name}"
        for name in sorted(needed - found.keys())
    ]
    return found, (*misnamed, *missing)


@functools.cache
def _synonyms() -> tuple[dict[str, dict[str, int]], dict[str, dict[str, Any]]]:
    """Words of each meaning with their rank, and the subjects a file can have."""
    raw = yaml.safe_load(SYNONYMS.read_text("utf-8"))
    fields = dict.fromkeys(f.name for contract in contracts().values() for f in contract.fields)
    words = {
        meaning: {word(text): rank for rank, text in enumerate([meaning, *others])}
        for meaning, others in (dict.fromkeys(fields, ()) | raw["columns"]).items()
    }
    return words, raw["subjects"]


def _by_words(profile: FileProfile, subject: str) -> Meanings:
    """The column whose name is the best word for each meaning."""
    words, subjects = _synonyms()
    vague = {word(k): v for k, v in subjects.get(subject, {}).get("words", {}).items()}
    ranked: dict[str, list[tuple[int, int, Column]]] = {}
    for place, column in enumerate(c for c in profile.columns if _can_be_named(c.name)):
        name = word(column.name)
        ranks = {meaning: known[name] for meaning, known in words.items() if name in known}
        if name in vague:
            ranks = {vague[name]: VAGUE_RANK}
        for meaning, rank in ranks.items():
            ranked.setdefault(meaning, []).append((rank, place, column))
    chosen: Meanings = {}
    for meaning, candidates in ranked.items():
        rank, _, column = min(candidates, key=lambda one: one[:2])
        doubt = f"{shown(column.name)} is taken for {meaning}, for the file seems to hold {subject}"
        is_vague = rank == VAGUE_RANK and column.name != "id"
        chosen[meaning] = Meaning(column, (doubt,) if is_vague else ())
    return chosen


def _can_be_named(name: str) -> bool:
    """Whether a mapping can name the column: a line break would not outlive the file it stands in."""
    return name.isprintable() and bool(name.strip())


def _fitting(meaning: str, told: Meaning) -> Meaning | None:
    """The meaning, with doubts its values raise; None when they cannot be that."""
    column = told.column
    if not column.filled:
        return None
    if meaning in NUMBERS:
        if not column.numbers:
            return None
        if column.numbers.is_ambiguous:
            told = told.doubting(f"a comma in {shown(column.name)} is taken to part thousands")
    if meaning in DATES:
        if not column.dates:
            return None
        told = told.doubting(*_date_doubts(column))
    if meaning == "currency" and not all(map(CURRENCY_CODE.fullmatch, column.few or {""})):
        return None
    return told


def _date_doubts(column: Column) -> Iterator[str]:
    form, name = column.dates, shown(column.name)
    assert form is not None
    if form.is_ambiguous:
        order = "day/month/year" if form.format.startswith("%d") else "month/day/year"
        yield f"the dates of {name} can be day/month or month/day; {order} is taken ({form.format})"
    if form.has_time:
        yield (
            f"the times of {name} are taken as UTC; if they are local, write"
            " cast(... as timestamp) at time zone 'Europe/Paris'"
        )


def _stand_ins(found: Meanings) -> Meanings:
    """Where no column holds a key, one that tells records apart stands in for it."""
    for key, others in STAND_INS.items():
        other = next((name for name in others if name in found), None)
        if key not in found and other:
            column = found[other].column
            doubt = f"no column holds a {key}; {shown(column.name)} is taken, so equal ones are one"
            found = found | {key: Meaning(column, (doubt,))}
    return found


def _by_values(profile: FileProfile, subject: str, found: Meanings) -> Meanings:
    """In a file of orders, the only column left with dates, or with decimals, must be the one."""
    if subject not in ORDER_SUBJECTS or not found.keys() & {"order_key", "customer_key"}:
        return found
    used = {told.column.name for told in found.values()}
    left = [c for c in profile.columns if c.name not in used and _can_be_named(c.name)]
    dated = [c for c in left if c.dates and not c.dates.unit]
    amounts = [c for c in left if c.numbers and not c.numbers.is_whole and not c.dates]
    if "ordered_at" not in found and len(dated) == 1:
        doubt = (
            f"{shown(dated[0].name)} is the only column with dates, so it is taken for the order's"
        )
        found = found | {"ordered_at": Meaning(dated[0], (doubt, *_date_doubts(dated[0])))}
    if not found.keys() & LINE_AMOUNTS and len(amounts) == 1:
        doubt = f"{shown(amounts[0].name)} is the only column with decimals, so it is the amount"
        found = found | {"net_amount": Meaning(amounts[0], (doubt,))}
    return found
