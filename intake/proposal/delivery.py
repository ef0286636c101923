"""Deliveries: files of one kind, which are read alike, and what each kind and all together tell.

Which files belong together, what a system calls them, and where it finds the next one. What their
columns mean is guessed in `meaning.py`; which entities they feed, in `mapping.py`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intake.profile import FileProfile
from intake.proposal.meaning import ORDER_SUBJECTS, Meanings, meanings_of, subject_of
from intake.proposal.name import plain_name

DATE_SIGNS = "0123456789-"
"""What dates in the names of files are written with."""
TABLES_OF_A_LOAD = {"file_rows", "first_rows", "left_out", "mapped", "checked", "again", "seen",
                    "last_list"}  # fmt: skip
"""Names that a load may give to tables of its own, so that no file can have them."""
CURRENCY_SIGNS = {"€": "EUR", "EUR": "EUR", "£": "GBP", "GBP": "GBP", "$": "USD", "USD": "USD",
                  "CHF": "CHF"}  # fmt: skip
"""Currencies by what stands beside their amounts."""
ASSUMED_CURRENCY = "EUR"


@dataclass(frozen=True)
class Delivery:
    """Files of one kind, which are read alike: the first one speaks for all."""

    alias: str
    profile: FileProfile
    paths: tuple[Path, ...]
    subject: str = ""
    meanings: Meanings = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def is_of_orders(self) -> bool:
        """Whether its rows are orders or parts of them."""
        return self.subject in ORDER_SUBJECTS

    @property
    def has_lines(self) -> bool:
        """Whether one order may lie in several rows."""
        told = self.meanings.get("order_key")
        parts = self.meanings.keys() & {"product_key", "unit_price"}
        return bool(told and (parts or not told.column.is_unique))

    def glob(self, location: Path) -> str:
        """The path below the location; what differs between the files becomes a star."""
        texts = [str(path.relative_to(location)) for path in self.paths]
        if len(texts) == 1:
            return _escaped(texts[0])
        start = _common_start(texts)
        end = _common_start([text[len(start) :][::-1] for text in texts])[::-1]
        # January and February share a digit with each other and not with the deliveries to come.
        wide = f"{_escaped(start.rstrip(DATE_SIGNS))}*{_escaped(end.lstrip(DATE_SIGNS))}"
        finds_no_other = set(location.glob(wide)) == set(self.paths)
        return wide if finds_no_other else f"{_escaped(start)}*{_escaped(end)}"


def deliveries_of(profiles: Iterable[FileProfile]) -> list[Delivery]:
    """Files in one folder with the same columns are deliveries of one kind."""
    kinds: dict[Any, list[FileProfile]] = {}
    for profile in profiles:
        spec = profile.spec.model_dump_json(exclude={"path"})
        same = (profile.path.parent, profile.names, spec)
        kinds.setdefault(same if profile.has_header else profile.path, []).append(profile)
    found: list[Delivery] = []
    taken = set(TABLES_OF_A_LOAD)
    for kind in kinds.values():
        paths = tuple(profile.path for profile in kind)
        alias = _free(plain_name(_common_stem(paths)), taken)
        taken.add(alias)
        found.append(_delivery(alias, kind[0], paths))
    return found


def _delivery(alias: str, profile: FileProfile, paths: tuple[Path, ...]) -> Delivery:
    if not profile.has_header:
        doubt = (
            "the first line looks like data; write a line with the names of the columns above it"
        )
        return Delivery(alias, profile, paths, doubts=(doubt,))
    subject = subject_of(profile)
    meanings, doubts = meanings_of(profile, subject)
    return Delivery(alias, profile, paths, subject, meanings, doubts)


def _common_stem(paths: Sequence[Path]) -> str:
    start = _common_start([path.name.partition(".")[0] for path in paths])
    return start.rstrip(f"{DATE_SIGNS}_ ") or paths[0].stem


def _common_start(texts: Sequence[str]) -> str:
    same = itertools.takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in same)


def _free(name: str, taken: set[str]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)


def _escaped(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def currency_of(deliveries: Sequence[Delivery]) -> tuple[str, str]:
    """The currency that the files tell, and what to check about it."""
    for delivery in deliveries:
        told = delivery.meanings.get("currency")
        if told:
            several = "the files have several currencies; which is the system's own?"
            return min(told.column.few), several if len(told.column.few) > 1 else ""
    for delivery in deliveries:
        for told in delivery.meanings.values():
            beside = told.column.numbers.noise if told.column.numbers else ()
            sign = next((text for text in beside if text in CURRENCY_SIGNS), None)
            if sign:
                return CURRENCY_SIGNS[sign], "taken from the sign beside the amounts."
    return ASSUMED_CURRENCY, "no file tells the currency; this one is assumed."
