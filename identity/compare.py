"""Comparison: at which level two records agree, value by value, and what each level is worth.

Belongs here: the levels, as SQL over the values of a left and a right record, and the model that weighs
them. Does not belong here: which pairs are compared (`candidates`), how the weights are learned
(`train`), nor what follows from them (`clusters`).

A pair's weight is the logarithm (base 2) of the odds that both are one person: those of two records
drawn at random, plus what each level adds (Fellegi and Sunter, JASA 64, 1969). The value of a name
depends on how rare it is, and is told by each record beforehand.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

import pyarrow as pa

VALUES = (
    "first_name", "last_name", "name_key", "email", "mobile_phone", "phone", "house_key",
    "place", "country_code", "birth_date", "card_key", "visitor_key", "device_key",
    "social_handle",
)  # fmt: skip
"""What a profile tells of a record, each written in one way; all texts but the day of birth."""

PROFILES = pa.schema(
    [("source_system", pa.string()), ("source_key", pa.string())]
    + [(name, pa.date32() if name == "birth_date" else pa.string()) for name in VALUES]
)
"""One row per record that has a profile, without repeats."""


@dataclass(frozen=True)
class Comparison:
    """How a value of two records is compared.

    Attributes:
        name: of what is compared.
        unknown: SQL that holds where one of the two does not tell it; it then says nothing.
        levels: name and SQL of each level, the most alike first; the first that holds counts.
        otherwise: name of the last level, where none holds.
    """

    name: str
    unknown: str
    levels: tuple[tuple[str, str], ...]
    otherwise: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the levels by their numbers, 0 for the least alike."""
        return (self.otherwise, *(name for name, _ in reversed(self.levels)))

    @property
    def sql(self) -> str:
        """The number of the level, -1 where it is unknown."""
        count = len(self.levels)
        whens = " ".join(
            f"when {holds} then {count - place}" for place, (_, holds) in enumerate(self.levels)
        )
        return f"cast(case when {self.unknown} then -1 {whens} else 0 end as tinyint)"

    def is_one_of(self, *names: str) -> str:
        """SQL that holds for pairs at one of these levels."""
        return f"{self.name} in ({', '.join(str(self.names.index(one)) for one in names)})"


def _close(left: str, right: str) -> str:
    """Names that are one but for a letter, or of which one shortens the other; the cheap tests first."""
    similarity = f"jaro_winkler_similarity({left}, {right})"
    return (
        f"(case when {similarity} >= 0.9 then true"
        f" when length({left}) < 3 or length({right}) < 3 then false"
        f" when starts_with({left}, {right}) or starts_with({right}, {left}) then true"
        f" when {similarity} >= 0.7 and length({left}) > 3 and length({right}) > 3"
        f" then damerau_levenshtein({left}, {right}) <= 1 else false end)"
    )


_SAME_HOUSE = "house_key_l = house_key_r"
_SAME_NAME = "name_key_l = name_key_r"
_CLOSE_NAME = (
    f"(case when {_close('first_name_l', 'first_name_r')} then {_close('last_name_l', 'last_name_r')}"
    f" when {_close('first_name_l', 'last_name_r')} then {_close('last_name_l', 'first_name_r')}"
    " else false end)"
)
# A record may tell one part of its name alone, and that in the place of the other.
_IS_IN_PART = "(name_key_l is null or name_key_r is null)"
_FIRST_NAMES_TOLD = "(first_name_l is not null and first_name_r is not null)"
_CLOSE_PART = (
    f"(case when not {_IS_IN_PART} then false"
    + "".join(
        f" when {_close(f'{left}_name_l', f'{right}_name_r')} then true"
        for left in ("first", "last")
        for right in ("first", "last")
    )
    + " else false end)"
)

NAME = Comparison(
    "name",
    "(first_name_l is null or first_name_r is null) and (last_name_l is null or last_name_r is null)",
    (
        ("part of a name", _CLOSE_PART),
        ("other first name", f"{_IS_IN_PART} and {_FIRST_NAMES_TOLD}"),
        ("other surname", _IS_IN_PART),
        ("same name in one house", f"{_SAME_NAME} and {_SAME_HOUSE}"),
        ("close name in one house", f"case when {_SAME_HOUSE} then {_CLOSE_NAME} else false end"),
        ("same name", _SAME_NAME),
        ("close name", _CLOSE_NAME),
        ("same first name", _close("first_name_l", "first_name_r")),
        ("same surname", _close("last_name_l", "last_name_r")),
    ),
    "other name",
)
EMAIL = Comparison(
    "email",
    "email_l is null or email_r is null",
    (
        ("same e-mail", "email_l = email_r"),
        (
            "close e-mail",
            "case when jaro_winkler_similarity(email_l, email_r) >= 0.9"
            " then damerau_levenshtein(email_l, email_r) <= 2 else false end",
        ),
    ),
    "other e-mail",
)
PHONE = Comparison(
    "phone",
    "coalesce(mobile_phone_l, phone_l) is null or coalesce(mobile_phone_r, phone_r) is null",
    (
        ("same mobile", "mobile_phone_l = mobile_phone_r"),
        (
            "same line",
            "phone_l = phone_r or phone_l = mobile_phone_r or mobile_phone_l = phone_r",
        ),
        # A land line and a mobile of one person differ, so that says nothing: half way.
        ("lines not told", "mobile_phone_l is null or mobile_phone_r is null"),
    ),
    "other mobile",
)
ADDRESS = Comparison(
    "address",
    # The people of one house share it as they share their surname: their name is weighed with it.
    "house_key_l is null or house_key_r is null"
    f" or case when {_SAME_HOUSE} then {_CLOSE_PART}"
    f" or {_SAME_NAME} or {_CLOSE_NAME} else false end",
    (("same house", _SAME_HOUSE), ("same place", "place_l = place_r")),
    "other house",
)
BIRTH = Comparison(
    "birth_date",
    "birth_date_l is null or birth_date_r is null",
    (
        ("same birthday", "birth_date_l = birth_date_r"),
        (
            "close birthday",
            "damerau_levenshtein(cast(birth_date_l as varchar), cast(birth_date_r as varchar)) <= 1",
        ),
    ),
    "other birthday",
)
IDENTIFIER = Comparison(
    "identifier",
    # Different cards, cookies or devices say nothing: who has one may have two.
    "not coalesce(card_key_l = card_key_r or visitor_key_l = visitor_key_r"
    " or device_key_l = device_key_r or social_handle_l = social_handle_r, false)",
    (("same card, cookie, device or handle", "true"),),
    "none",
)
COMPARISONS = (NAME, EMAIL, PHONE, ADDRESS, BIRTH, IDENTIFIER)
FIRST_NAMES_DIFFER = NAME.is_one_of("other name", "same surname", "other first name")
"""SQL that holds for pairs whose first names are not one."""
SHOWN = {one.name: one.names for one in COMPARISONS}

_FIRST_NAME_DIFFERS = (
    f"({FIRST_NAMES_DIFFER} and cast(email = 2 as int) + cast(phone = 3 as int)"
    " + cast(birth_date = 2 as int) + cast(identifier = 1 as int) < 2)"
)
"""Two people, unless two things are one that a household hardly shares both: then it is a nickname."""

NO_NAME_FREQUENCY = pa.schema(
    [("part", pa.string()), ("country_code", pa.string()), ("name", pa.string()),
     ("frequency", pa.float64()), ("share", pa.float64())]
)  # fmt: skip
"""How often a first or last name is borne in a country, and the country's share of all people."""


def _no_frequencies() -> pa.Table:
    # The empty table of a schema is made through pandas, whose import takes longer than explaining a pair.
    return pa.Table.from_batches([], schema=NO_NAME_FREQUENCY)


@dataclass(frozen=True)
class Model:
    """What levels are worth, and from which weight on records are linked.

    Attributes:
        version: names it wherever it decided.
        kind: `rules`, `splink` or `labels`: how its weights came to be.
        prior: weight of two records drawn at random, in bits.
        weights: bits by comparison and level.
        link, strict, review: weights from which on a pair is linked, linked in the strict tier, and
            worth a steward's look.
        contradiction: values that differ speak against a pair by more bits than these, and no
            e-mail or number speaks for it: both are never in one customer.
        first_names_part: whether records of one house or mailbox whose first names differ are several
            people; where birthdays show that they are one, first names are no reason to part them.
        mean_name_frequency: probability that two people bear one name, which `same name` is worth;
            0 where a name counts the same however rare it is.
        rareness: what a bit of a name's rareness is worth.
        frequencies: shape NO_NAME_FREQUENCY, how rare each name is.
    """

    version: str
    kind: str
    prior: float
    weights: dict[str, dict[str, float]]
    link: float = 0.0
    strict: float = 5.0
    review: float = -4.0
    contradiction: float = -5.0
    first_names_part: bool = True
    mean_name_frequency: float = 0.0
    rareness: float = 1.0
    frequencies: pa.Table = field(default_factory=_no_frequencies, compare=False)

    def worth(self, comparison: str, level: str) -> float:
        """Bits of a level, 0 for one that nothing was learned of."""
        return self.weights.get(comparison, {}).get(level, 0.0)

    @property
    def weight_sql(self) -> str:
        """SQL of the weight of a pair by its levels and `name_frequency`."""
        levels = " + ".join(self._case(one) for one in COMPARISONS)
        return f"({number(self.prior)} + {levels} + {self._rareness_sql})"

    @property
    def _rareness_sql(self) -> str:
        """What a name adds for being rarer than names are in the mean; a house tells as much itself."""
        if not self.mean_name_frequency:
            return number(0)
        # Of a name without a frequency nothing is said; least and greatest would skip it.
        bits = f"log2({number(self.mean_name_frequency)} / name_frequency)"
        worth = f"{number(self.rareness)} * least(greatest({bits}, -10), 10)"
        is_known = "name = 4 and name_frequency is not null"
        return f"(case when {is_known} then {worth} else {number(0)} end)"

    def _case(self, comparison: Comparison) -> str:
        bits = [self.worth(comparison.name, level) for level in comparison.names]
        whens = " ".join(f"when {n} then {number(value)}" for n, value in enumerate(bits))
        return f"(case {comparison.name} {whens} else {number(0)} end)"

    @property
    def differs_sql(self) -> str:
        """SQL that holds for pairs of levels of two people with other first names."""
        return _FIRST_NAME_DIFFERS if self.first_names_part else "false"

    @property
    def contradicts_sql(self) -> str:
        """SQL that holds for pairs of levels that are never in one customer."""
        against = " + ".join(
            f"(case when {one.name} = 0 then {number(min(self.worth(one.name, one.otherwise), 0))}"
            f" else {number(0)} end)"
            for one in (EMAIL, PHONE, ADDRESS, BIRTH)
        )
        speaks_for = "(email >= 1 or phone >= 2 or birth_date = 2 or identifier = 1)"
        return f"({self.differs_sql} or (not {speaks_for} and {against} <= {number(self.contradiction)}))"


def model_tables(model: Model) -> dict[str, pa.Table]:
    """A model as tables, with the SQL of the levels it weighs; read back by `model_of`."""
    levels = {one.name: one.sql for one in COMPARISONS}
    row = {"version": model.version, "kind": model.kind, "model": model_json(model),
           "levels": json.dumps(levels, sort_keys=True)}  # fmt: skip
    return {
        "identity_model": pa.Table.from_pylist([row]),
        "identity_name_frequencies": model.frequencies,
    }


def model_json(model: Model) -> str:
    """A model but for its frequencies, alike however its weights came to be."""
    told = {name: value for name, value in vars(model).items() if name != "frequencies"}
    return json.dumps(told, sort_keys=True)


def model_of(row: pa.Table, frequencies: pa.Table) -> Model | None:
    """The model that `model_tables` wrote, None when it weighs levels that are compared otherwise now."""
    (told,) = row.to_pylist()
    if json.loads(told["levels"]) != {one.name: one.sql for one in COMPARISONS}:
        return None
    return Model(**json.loads(told["model"]), frequencies=frequencies.cast(NO_NAME_FREQUENCY))


RULES = Model(
    version="rules-1",
    kind="rules",
    prior=-16.0,
    weights={
        "name": {"same name in one house": 20.0, "close name in one house": 19.0, "same name": 10.0,
                 "close name": 9.0, "same first name": 0.0, "same surname": -6.0, "other name": -10.0,
                 "part of a name": 3.0, "other surname": -8.0, "other first name": -8.0},
        "email": {"same e-mail": 18.0, "close e-mail": 8.0, "other e-mail": -3.5},
        "phone": {"same mobile": 18.0, "same line": 8.0, "other mobile": -4.5},
        "address": {"same house": 8.0, "other house": -3.5},
        "birth_date": {"same birthday": 12.0, "close birthday": 6.0, "other birthday": -8.0},
        "identifier": {"same card, cookie, device or handle": 18.0},
    },
)  # fmt: skip
"""Guarded rules, by what is usual: an e-mail, a mobile, a card, a name in one house or with a birthday
links, unless something speaks against it. Serves until a model is trained."""


def number(value: float) -> str:
    """A number as SQL that is a double: a literal with a point alone is a decimal of few digits."""
    return f"cast({value!r} as double)"


def logit(probability: float) -> float:
    """Odds of a probability, in bits."""
    bounded = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log2(bounded / (1 - bounded))
