"""Records: what each system notes of a person, with the faults that make people hard to tell apart.

Belongs here: which systems know a person, by which key, and how the values are spoilt, each at a rate
said here. Does not belong here: who people are (`people`), nor how files look (`landing`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from retailer.days import Days
from retailer.people import LIFE_EVENTS, People
from retailer.randomness import Array, mixed, share, stream
from retailer.vocabulary import (
    ADDRESS_FORMS,
    COUNTRIES,
    PLACEHOLDER_EMAILS,
    PLACEHOLDER_NAMES,
    PLACEHOLDER_PHONES,
    SHORT_FORMS,
)
from retailer.worlds import World

if TYPE_CHECKING:
    from retailer.purchases import Purchases

SYSTEMS = ("stores", "shop", "crm", "messaging", "service", "social", "guest")
"""Who knows people; guest checkouts are the web shop's, under keys of their own."""
WEIGHTS = (1.0, 0.9, 1.1, 1.9, 0.45, 0.3, 0.4)
RECORD_SHARES = (0.26, 0.27, 0.22, 0.13, 0.08, 0.04)
"""Share of people with one to six records."""
NAME_TYPOS = 0.08
EMAIL_TYPOS = 0.05
SWAPPED_NAMES = 0.03
SHARED_EMAIL = 0.05
LAND_LINE = 0.12
SHARED_DEVICE = 0.10
SHARED_CARD = 0.04
PLACEHOLDERS = 0.02
RECYCLED_PHONES = 0.01
NICKNAMES = 0.05
SECOND_EMAIL = 0.15
"""Share of people with two addresses, either of which a record may have."""
ANONYMOUS = 0.20
"""Share of people whose first visits or tickets carry no name."""
REVEALED = 0.5
"""Share of those who are recognised later, by a login or a card."""
LATIN_SYSTEMS = ("stores", "crm")
"""Systems that write Latin letters only: they hold the transliteration of other scripts."""
NAME, PLACE = ("first_name", "last_name"), ("address_line_1", "postal_code", "city", "country_code")
HOLDS = {
    "stores": (*NAME, "email", "mobile_phone", *PLACE, "gender", "birth_day", "loyalty_card_key"),
    "shop": (*NAME, "email", "mobile_phone", *PLACE, "language_code", "visitor_key"),
    "crm": (
        *NAME,
        "email",
        "mobile_phone",
        "phone",
        *PLACE,
        "language_code",
        "gender",
        "birth_day",
    ),
    "messaging": ("email", "mobile_phone", "device_key"),
    "service": (*NAME, "email", "mobile_phone", "phone"),
    "social": (*NAME, "social_handle"),
    "guest": (*NAME, "email", "mobile_phone", *PLACE),
}
"""What each system holds of a person."""
MISSING = {("email",): 0.1, ("mobile_phone",): 0.2, ("birth_day",): 0.3, PLACE: 0.15}
"""Share of records without a value that their system could hold."""
TEXTS = (
    *NAME,
    "email",
    "phone",
    "mobile_phone",
    *PLACE,
    "language_code",
    "gender",
    "social_handle",
)
KEY_BITS = 28
"""How many keys there are, as a power of two: more than persons and all that is added to them."""
RECORDED_AFTER = 90
"""Days within which the other systems come to know a person, as a mean."""


def scramble(number: Array, purpose: int) -> Array:
    """A key for each number, without repeats, that does not show how people are numbered."""
    return mixed(number, KEY_BITS, purpose)


VISIT = 0.02
"""Days before a purchase at which its account exists at the latest: the visit is shorter."""
CARD, VISITOR, DEVICE, HANDLE = 7, 8, 9, 10
"""Purposes of `scramble` beside the systems."""
SECOND_DEVICES, LOST_COOKIES, BOT_COOKIES = 20_000_000, 40_000_000, 60_000_000
"""What is added to the number of a person for further cookies."""
HIDDEN_DAYS = 120
"""How long those without a name stay so, as a mean."""


@dataclass(frozen=True)
class Records:
    """What the systems know of the persons of one part.

    Attributes:
        known: whether a system knows a person; shape (people, systems).
        table: columns of one row per record: `person` (row), `system`, `key`, `created` (moment), the
            texts of TEXTS (None where there is none), `birth_day`, `loyalty_card_key`, `visitor_key`,
            `device_key` (numbers, -1 where there is none), and what was done to it, as the truth
            tells it.
        visitor, card: number of the first cookie and of the loyalty card of each person.
        hidden_until: the moment until which visits and tickets carry no name (-inf for most).
        is_revealed: whether the cookie and the card of that time are the ones known later.
    """

    known: Array
    table: dict[str, Array]
    visitor: Array
    card: Array
    hidden_until: Array
    is_revealed: Array

    def knows(self, system: str) -> Array:
        """Whether this system knows each person."""
        return self.known[:, SYSTEMS.index(system)]

    def since(self, system: str) -> Array:
        """From when on a system knows each person; inf where it never does."""
        since = np.full(len(self.known), np.inf)
        rows = self.table["system"] == SYSTEMS.index(system)
        since[self.table["person"][rows]] = self.table["created"][rows]
        return since

    def other_visitor(self, people: People, person: Array) -> Array:
        """The cookie of the second device of these persons."""
        return scramble(people.first + person + SECOND_DEVICES, VISITOR)

    def hidden_visitor(self, people: People) -> Array:
        """The cookie of each person while they carry no name."""
        lost = scramble(people.first + np.arange(len(people)) + LOST_COOKIES, VISITOR)
        return np.where(self.is_revealed, self.visitor, lost)


def make_records(seed: int, part: int, people: People, world: World) -> Records:
    """Note the persons of a part in the systems."""
    rng = stream(seed, "records", part)
    count = len(people)
    number = people.first + np.arange(count)
    known, first = _known(rng, people)
    if world.is_anonymous:
        known[:] = False
    in_household = people.leader != np.arange(count)
    in_stores = known[:, SYSTEMS.index("stores")]
    shares_device = share(rng, in_household, SHARED_DEVICE)
    shares_card = share(rng, in_household & in_stores & in_stores[people.leader], SHARED_CARD)
    visitor, card = scramble(number, VISITOR), scramble(number, CARD)
    visitor = np.where(shares_device, visitor[people.leader], visitor)
    card = np.where(shares_card, card[people.leader], card)
    person, system = np.nonzero(known)
    is_hidden = rng.random(count) < ANONYMOUS
    begins = np.maximum(people.start, 0)
    until = np.where(is_hidden, begins + rng.exponential(HIDDEN_DAYS, count), -np.inf)
    until = np.full(count, np.inf) if world.is_anonymous else until
    after = rng.exponential(RECORDED_AFTER, len(person)) * (system != first[person])
    created = people.start[person] + after
    # Who carries no name yet has no card holder's record either.
    holder = system == SYSTEMS.index("stores")
    created = np.where(holder, np.maximum(created, until[person]), created)
    table = {
        "person": person,
        "system": system,
        "key": _keys(number[person], system),
        "created": created,
        **_values(rng, people, person, system, created, visitor, card,
                  {"shares_device": shares_device[person], "shares_card": shares_card[person]}),
    }  # fmt: skip
    return Records(known, table, visitor, card, until, rng.random(count) < REVEALED)


def settle(records: Records, purchases: Purchases, days: Days) -> None:
    """Have those who buy online known to the shop by then.

    By their guest's record where they have one and do not buy in the app, else by the account.
    """
    table = records.table
    has_guest = records.knows("guest")
    by_app = purchases.channel == 2
    by_guest = ~by_app & has_guest[purchases.person]
    for system, orders in (("guest", by_guest), ("shop", ~by_guest)):
        made = orders & (purchases.channel > 0) & (purchases.moment < days.horizon)
        first = np.full(len(records.known), np.inf)
        np.minimum.at(first, purchases.person[made], purchases.moment[made])
        rows = table["system"] == SYSTEMS.index(system)
        before = first[table["person"]] - VISIT
        table["created"] = np.where(rows, np.minimum(table["created"], before), table["created"])


def _keys(number: Array, system: Array) -> Array:
    keys = np.empty(len(number), np.int64)
    for purpose in range(len(SYSTEMS)):
        keys[system == purpose] = scramble(number[system == purpose], purpose)
    return keys


def _known(rng: np.random.Generator, people: People) -> tuple[Array, Array]:
    """Which systems know whom, as many as RECORD_SHARES say, and which knows them first."""
    count = len(people)
    wanted = rng.choice(len(RECORD_SHARES), count, p=RECORD_SHARES) + 1
    score = np.log(WEIGHTS) + rng.gumbel(size=(count, len(SYSTEMS)))
    online = rng.random(count) < people.web
    shop, guest, stores, crm = (SYSTEMS.index(one) for one in ("shop", "guest", "stores", "crm"))
    first = np.where(online, np.where(rng.random(count) < 0.85, shop, guest), stores)
    first = np.where(people.is_prospect & ~online, crm, first)
    score[np.arange(count), first] = np.inf
    place = np.argsort(np.argsort(-score, axis=1), axis=1)
    return place < wanted[:, None], first


def _values(
    rng: np.random.Generator, people: People, person: Array, system: Array, created: Array,
    visitor: Array, card: Array, shared: dict[str, Array],
) -> dict[str, Array]:  # fmt: skip
    """The values of each record, spoilt at their rates, and what was done to it."""
    number = people.first + person
    lands = people.country[person]
    told = _told(rng, system)
    values = {
        **_names(rng, people, person, system, told),
        **_contacts(rng, people, person, told),
        **_addresses(rng, people, person, system, created),
        "country_code": np.array([one.code for one in COUNTRIES], object)[lands],
        "language_code": np.array([one.language for one in COUNTRIES], object)[lands],
        "gender": np.where(people.is_woman[person], "F", "M").astype(object),
        "social_handle": np.array([
            f"@{text}{digits}" for text, digits in
            zip(_plain(people.given[person]), scramble(number, HANDLE) % 9_973, strict=True)
        ], object),
        "birth_day": people.birth_day[person].astype(object),
        "loyalty_card_key": card[person],
        "visitor_key": visitor[person],
        "device_key": scramble(number, DEVICE),
        **shared,
    }  # fmt: skip
    _leave_out(rng, values, told)
    return values


def _told(rng: np.random.Generator, system: Array) -> dict[str, Array]:
    """Whether each record has each value: its system holds it, and was told it."""
    told = {}
    for column in dict.fromkeys(name for held in HOLDS.values() for name in held):
        holding = [n for n, name in enumerate(SYSTEMS) if column in HOLDS[name]]
        told[column] = np.isin(system, holding)
    for columns, rate in MISSING.items():
        missing = rng.random(len(system)) < rate
        for column in columns:
            told[column] &= ~missing
    return told


def _names(
    rng: np.random.Generator, people: People, person: Array, system: Array, told: dict[str, Array]
) -> dict[str, Array]:
    count = len(person)
    holds = told["first_name"]
    first, last = people.given[person].copy(), people.surname[person].copy()
    old = holds & (people.maiden[person] != "") & (rng.random(count) < 0.5)
    last[old] = people.maiden[person][old]
    latin_only = np.isin(system, [SYSTEMS.index(one) for one in LATIN_SYSTEMS])
    for column in (first, last):
        column[latin_only] = _in_latin(people, person[latin_only], column[latin_only])
    short = np.flatnonzero(rng.random(count) < NICKNAMES)
    first[short] = [SHORT_FORMS.get(text, text) for text in first[short]]
    typo, in_first = holds & (rng.random(count) < NAME_TYPOS), rng.random(count) < 0.5
    first[typo & in_first] = _misspelt(rng, first[typo & in_first])
    last[typo & ~in_first] = _misspelt(rng, last[typo & ~in_first])
    swapped = holds & (rng.random(count) < SWAPPED_NAMES)
    first, last = np.where(swapped, last, first), np.where(swapped, first, last)
    upper = rng.random(count) < 0.25
    last[upper] = [text.upper() for text in last[upper]]
    is_placeholder = rng.random(count) < PLACEHOLDERS
    has_no_contact = ~told["email"] & ~told["mobile_phone"]
    rows = np.flatnonzero(is_placeholder & holds & (has_no_contact | (rng.random(count) < 0.3)))
    which = rng.integers(0, len(PLACEHOLDER_NAMES), count)
    first[rows] = [PLACEHOLDER_NAMES[n][1] for n in which[rows]]
    last[rows] = [PLACEHOLDER_NAMES[n][0] for n in which[rows]]
    return {
        "first_name": first, "last_name": last, "name_typo": typo, "swapped_names": swapped,
        "maiden_name": old, "placeholder": is_placeholder,
        "placeholder_name": np.isin(np.arange(count), rows),
    }  # fmt: skip


def _contacts(
    rng: np.random.Generator, people: People, person: Array, told: dict[str, Array]
) -> dict[str, Array]:
    count = len(people)
    in_household = people.leader != np.arange(count)
    has_mail, has_line, has_mobile = (np.zeros(count, bool) for _ in range(3))
    for has, column in ((has_mail, "email"), (has_line, "phone"), (has_mobile, "mobile_phone")):
        has[person[told[column]]] = True
    email, mobile = _emails(rng, people), _numbers(rng, people, mobile=True)
    shared = share(rng, in_household & has_mail & has_mail[people.leader], SHARED_EMAIL)
    email = np.where(shared, email[people.leader], email)
    second, has_second = _emails(rng, people), rng.random(count) < SECOND_EMAIL
    uses_second = has_second[person] & (rng.random(len(person)) < 0.5)
    recycled = share(rng, has_mobile, RECYCLED_PHONES)
    mobile = np.where(recycled, mobile[rng.integers(0, count, count)], mobile)
    # A line is the household's: all of its people who tell a number tell this one.
    has_household_line = rng.random(count)[people.leader] * max(has_line.mean(), 1e-9) < LAND_LINE
    lines = has_line & has_household_line
    line = _numbers(rng, people, mobile=False)[people.leader]
    values = {
        "email": np.where(uses_second, second[person], email[person]),
        "mobile_phone": _formatted(rng, mobile[person]),
        "phone": np.where(lines, line, np.full(count, None, object))[person],
        "shared_email": shared[person] & ~uses_second, "land_line": lines[person],
        "recycled_phone": recycled[person], "second_email": uses_second,
    }  # fmt: skip
    values["email_typo"] = told["email"] & (rng.random(len(person)) < EMAIL_TYPOS)
    typo = np.flatnonzero(values["email_typo"])
    values["email"][typo] = _misspelt(rng, values["email"][typo])
    return values


def _emails(rng: np.random.Generator, people: People) -> Array:
    """An address per person, most made of their name in one of several ways."""
    number, way = rng.integers(0, 10_000, len(people)), rng.integers(0, 8, len(people))
    domain = rng.random(len(people))
    everybody = np.arange(len(people))
    first, last = (
        _plain(_in_latin(people, everybody, one)) for one in (people.given, people.surname)
    )
    domains = [COUNTRIES[c].mail_domains for c in people.country]
    return np.array([
        f"{_local(a, b, n, w)}@{known[int(len(known) * place * place)]}"
        for a, b, n, w, known, place in zip(first, last, number, way, domains, domain, strict=True)
    ], object)  # fmt: skip


def _local(first: str, last: str, number: int, way: int) -> str:
    """What stands before the @: by name, by initials, by a nickname, or by nothing that tells."""
    return (
        f"{first}.{last}{number % 100}", f"{first}.{last}{number}", f"{first[0]}{last}{number % 1000}",
        f"{last}_{first}{number % 100}", f"{first}{number}", f"{last}.{first[0]}{number % 1000}",
        f"{first[:3]}{last[:3]}{number}", f"{HANDLES[number % len(HANDLES)]}{number}",
    )[way]  # fmt: skip


HANDLES = ("soleil", "loupblanc", "jardinier", "latitude", "pixel", "marin", "tournesol", "bricolo")


def _in_latin(people: People, person: Array, texts: Array) -> Array:
    """Texts in letters that every system can write: transliterated, or without their marks."""
    return np.array([
        _latin_1(COUNTRIES[c].latin.get(text, text))
        for text, c in zip(texts, people.country[person], strict=True)
    ], object)  # fmt: skip


@cache
def _latin_1(text: str) -> str:
    """A text in Latin-1: what it lacks loses its mark, or is spelt out."""
    return "".join(_letter(one) for one in text)


def _letter(one: str) -> str:
    try:
        one.encode("latin-1")
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", SPELT.get(one, one))
        return "".join(c for c in plain if c.isascii())
    return one


SPELT = {
    "ł": "l",
    "Ł": "L",
    "œ": "oe",
    "Œ": "OE",
    "\u0131": "i",
    "đ": "d",
    "Đ": "D",
    "ẞ": "SS",
    "\u2019": "'",
}


def _plain(names: Array) -> list[str]:
    """Lower case, letters without accents, nothing but letters and hyphens."""
    made = {name: _plain_name(name) for name in set(names)}
    return [made[name] for name in names]


def _plain_name(name: str) -> str:
    marked = unicodedata.normalize("NFKD", "".join(SPELT.get(c, c) for c in name.lower()))
    return "".join(c for c in marked if c.isascii() and (c.isalpha() or c == "-")) or "contact"


def _numbers(rng: np.random.Generator, people: People, *, mobile: bool) -> Array:
    """A telephone number per person: `+<calling code><number>`."""
    digits = rng.integers(0, 10**9, len(people))
    prefix = rng.random(len(people))
    out = np.empty(len(people), object)
    for row, (number, place, c) in enumerate(zip(digits, prefix, people.country, strict=True)):
        land = COUNTRIES[c]
        prefixes = land.mobile_prefixes if mobile else land.landline_prefixes
        rest = str(number % 10**land.subscriber_digits).zfill(land.subscriber_digits)
        out[row] = f"+{land.calling_code}{prefixes[int(place * len(prefixes))]}{rest}"
    return out


def _formatted(rng: np.random.Generator, numbers: Array) -> Array:
    """Numbers as people write them: with the country, without it, with blanks or dots."""
    way = rng.integers(0, 5, len(numbers))
    return np.array([_written(text, w) for text, w in zip(numbers, way, strict=True)], object)


def _written(number: str, way: int) -> str:
    if not number.startswith("+33"):
        return number if way else "00" + number[1:]
    rest = "0" + number[3:]
    pairs = [rest[at : at + 2] for at in range(0, len(rest), 2)]
    return (number, rest, " ".join(pairs), ".".join(pairs), f"+33 {rest[1]} {' '.join(pairs[1:])}")[
        way
    ]


def _addresses(
    rng: np.random.Generator, people: People, person: Array, system: Array, created: Array
) -> dict[str, Array]:
    """Where the person lived when the record was made; half of the older records were told of a move."""
    has_moved = people.life_event[person] == list(LIFE_EVENTS).index("moved")
    is_after = (created >= people.life_day[person]) | (rng.random(len(person)) < 0.5)
    is_new = has_moved & is_after
    city = np.where(is_new, people.moved_to[person], people.city[person])
    house = np.where(is_new, people.moved_house[person], people.house[person])
    form = rng.integers(0, 3, len(person))
    lines, codes, cities = (np.empty(len(person), object) for _ in range(3))
    for row, (c, place, home, way) in enumerate(
        zip(people.country[person], city, house, form, strict=True)
    ):
        land = COUNTRIES[c]
        street, number = land.streets[home % len(land.streets)], 1 + home // 977 % 140
        lines[row] = _address(
            f"{number} {street}" if land.number_first else f"{street} {number}", way
        )
        codes[row], cities[row] = land.cities[place].postal_code, land.cities[place].name
    latin_only = np.isin(system, [SYSTEMS.index(one) for one in LATIN_SYSTEMS])
    cities[latin_only] = _in_latin(people, person[latin_only], cities[latin_only])
    lines[latin_only] = [_latin_line(line, people.country[p]) for line, p in
                         zip(lines[latin_only], person[latin_only], strict=True)]  # fmt: skip
    return {
        "address_line_1": lines, "postal_code": codes, "city": cities,
        "moved": has_moved, "is_new_address": is_new,
    }  # fmt: skip


def _latin_line(line: str, country: int) -> str:
    """An address in Latin letters: each of its words that the country's list knows, the rest by letter."""
    latin = COUNTRIES[country].latin
    for text in COUNTRIES[country].streets if latin else ():
        line = line.replace(text, latin.get(text, text)).replace(
            text.upper(), latin.get(text, text)
        )
    return _latin_1(line)


def _address(line: str, way: int) -> str:
    """The line as it is, in capitals, or with its usual shortenings."""
    if way == 1:
        return line.upper()
    if way == 2:
        for long, short in ADDRESS_FORMS:
            line = line.replace(long, short)
    return line


def _misspelt(rng: np.random.Generator, texts: Array) -> Array:
    """Each text with two letters exchanged, one left out, or one doubled; never as it was."""
    at, way = rng.random(len(texts)), rng.integers(0, 3, len(texts))
    return np.array(
        [_typo(text, place, how) for text, place, how in zip(texts, at, way, strict=True)], object
    )


def _typo(text: str, where: float, way: int) -> str:
    end = text.find("@") if "@" in text else len(text)
    place = int(where * max(end - 1, 1))
    before, here, after = text[:place], text[place : place + 1], text[place + 1 :]
    if way == 0 and after[:1] not in ("", "@", here):
        return before + after[:1] + here + after[1:]
    return before + after if way == 1 and end > 1 else before + here * 2 + after


def _leave_out(rng: np.random.Generator, values: dict[str, Array], told: dict[str, Array]) -> None:
    """Take away what a record does not have; put placeholders in their share of what it has."""
    count = len(told["email"])
    which = rng.integers(0, 1 << 30, count)
    spoilt = values["placeholder"] & ~values["placeholder_name"]
    by_mail = spoilt & told["email"] & (~told["mobile_phone"] | (rng.random(count) < 0.5))
    by_phone = spoilt & told["mobile_phone"] & ~by_mail
    for column, rows, known in (("email", by_mail, PLACEHOLDER_EMAILS),
                                ("mobile_phone", by_phone, PLACEHOLDER_PHONES)):  # fmt: skip
        values[column][rows] = [known[n % len(known)] for n in which[rows]]
    for flag in ("email_typo", "shared_email", "second_email"):
        values[flag] &= ~by_mail
    values["recycled_phone"] &= ~by_phone
    for column, has in told.items():
        values[column][~has] = _empty(values[column])
    for flag, column in TOLD_BY.items():
        values[flag] &= told[column]


def _empty(column: Array) -> int | None:
    return -1 if column.dtype.kind == "i" else None


TOLD_BY = {
    "shared_email": "email", "second_email": "email", "land_line": "phone",
    "recycled_phone": "mobile_phone", "is_new_address": "city", "shares_device": "visitor_key",
    "shares_card": "loyalty_card_key",
}  # fmt: skip
"""What was done to a record counts only where the value is delivered."""
