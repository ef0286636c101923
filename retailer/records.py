"""Records: what each system notes of a person, with the faults that make people hard to tell apart.

Belongs here: which systems know a person, by which key, and how the values are spoilt, each at a rate
said here. Does not belong here: who people are (`people`), nor how files look (`landing`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retailer.people import LIFE_EVENTS, People
from retailer.randomness import Array, stream
from retailer.vocabulary import (
    ADDRESS_FORMS,
    COUNTRIES,
    PLACEHOLDER_EMAILS,
    PLACEHOLDER_NAMES,
    PLACEHOLDER_PHONES,
    SHORT_FORMS,
)
from retailer.worlds import World

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
HOLDS = {
    "stores": ("name", "email", "mobile_phone", "birth_date", "address", "loyalty_card_key"),
    "shop": ("name", "email", "mobile_phone", "address", "visitor_key"),
    "crm": ("name", "email", "mobile_phone", "phone", "birth_date", "address"),
    "messaging": ("email", "mobile_phone", "device_key"),
    "service": ("name", "mobile_phone", "phone", "email"),
    "social": ("social_handle", "name"),
    "guest": ("name", "email", "mobile_phone", "address"),
}
"""What each system holds of a person."""
MISSING = {"email": 0.1, "mobile_phone": 0.2, "birth_date": 0.3, "address": 0.15}
"""Share of records without a value that their system could hold."""
TEXTS = (
    "first_name", "last_name", "email", "phone", "mobile_phone", "address_line_1", "postal_code",
    "city", "country_code", "language_code", "gender", "social_handle",
)  # fmt: skip
MODULUS = 99_999_989
"""A prime above every number of a person."""
MULTIPLIERS = (
    61_803_399, 38_196_601, 75_487_767, 56_984_029, 67_540_411, 45_339_769, 82_299_503, 71_234_567,
    53_456_789,
)  # fmt: skip
RECORDED_AFTER = 90
"""Days within which the other systems come to know a person, as a mean."""


def scramble(number: Array, purpose: int) -> Array:
    """A key for each number, without repeats, that does not show how people are numbered."""
    return (number.astype(np.int64) * MULTIPLIERS[purpose] + 7_919 * (purpose + 1)) % MODULUS


CARD, VISITOR = 7, 8
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
    known = _known(rng, people)
    if world.is_anonymous:
        known[:] = False
    visitor, card = scramble(number, VISITOR), scramble(number, CARD)
    in_household = people.leader != np.arange(count)
    shares_device = in_household & (
        rng.random(count) < SHARED_DEVICE / max(in_household.mean(), 1 / count)
    )
    shares_card = in_household & (
        rng.random(count) < SHARED_CARD / max(in_household.mean(), 1 / count)
    )
    visitor = np.where(shares_device, visitor[people.leader], visitor)
    card = np.where(shares_card, card[people.leader], card)
    person, system = np.nonzero(known)
    is_hidden = rng.random(count) < ANONYMOUS
    until = np.where(is_hidden, people.start + rng.exponential(HIDDEN_DAYS, count), -np.inf)
    after = rng.exponential(RECORDED_AFTER, len(person)) * (_place(known, person, system) > 0)
    table = {
        "person": person,
        "system": system,
        "key": _keys(number[person], system),
        "created": people.start[person] + after,
        "shares_device": shares_device[person],
        "shares_card": shares_card[person],
        **_values(rng, people, person, system, visitor, card),
    }
    return Records(
        known=known, table=table, visitor=visitor, card=card,
        hidden_until=np.full(count, np.inf) if world.is_anonymous else until,
        is_revealed=rng.random(count) < REVEALED,
    )  # fmt: skip


def _keys(number: Array, system: Array) -> Array:
    keys = np.empty(len(number), np.int64)
    for purpose in range(len(SYSTEMS)):
        keys[system == purpose] = scramble(number[system == purpose], purpose)
    return keys


def _known(rng: np.random.Generator, people: People) -> Array:
    """Which systems know whom: as many as RECORD_SHARES say, the one they buy in first."""
    count = len(people)
    wanted = rng.choice(len(RECORD_SHARES), count, p=RECORD_SHARES) + 1
    score = np.log(WEIGHTS) + rng.gumbel(size=(count, len(SYSTEMS)))
    online = rng.random(count) < people.web
    shop, guest, stores, crm = (SYSTEMS.index(one) for one in ("shop", "guest", "stores", "crm"))
    first = np.where(online, np.where(rng.random(count) < 0.85, shop, guest), stores)
    first = np.where(people.is_prospect & ~online, crm, first)
    score[np.arange(count), first] = np.inf
    place = np.argsort(np.argsort(-score, axis=1), axis=1)
    return place < wanted[:, None]


def _place(known: Array, person: Array, system: Array) -> Array:
    """How many records of a person come before this one, in the order of the systems."""
    return (np.cumsum(known, axis=1) - 1)[person, system]


def _values(
    rng: np.random.Generator, people: People, person: Array, system: Array, visitor: Array,
    card: Array,
) -> dict[str, Array]:  # fmt: skip
    """The values of each record, spoilt at their rates."""
    names = _names(rng, people, person, system)
    contact = _contacts(rng, people, person)
    place = _addresses(rng, people, person)
    values = {**names, **contact, **place}
    values["country_code"] = np.array([one.code for one in COUNTRIES], object)[
        people.country[person]
    ]
    values["language_code"] = np.array([one.language for one in COUNTRIES], object)[
        people.country[person]
    ]
    values["gender"] = np.where(people.is_woman[person], "F", "M").astype(object)
    values["social_handle"] = np.array(
        [f"@{text}{n % 997}" for text, n in zip(_plain(people.given[person]), person, strict=True)],
        object,
    )
    values["birth_day"] = people.birth_day[person].astype(object)
    values["loyalty_card_key"] = card[person]
    values["visitor_key"] = visitor[person]
    values["device_key"] = visitor[person]
    _leave_out(rng, values, system)
    return values


def _names(
    rng: np.random.Generator, people: People, person: Array, system: Array
) -> dict[str, Array]:
    count = len(person)
    first, last = people.given[person].copy(), people.surname[person].copy()
    old = (people.maiden[person] != "") & (rng.random(count) < 0.5)
    last[old] = people.maiden[person][old]
    latin_only = np.isin(system, [SYSTEMS.index(one) for one in LATIN_SYSTEMS])
    for number, land in enumerate(COUNTRIES):
        if land.latin:
            rows = np.flatnonzero((people.country[person] == number) & latin_only)
            for column in (first, last):
                column[rows] = [land.latin.get(text, text) for text in column[rows]]
    short = np.flatnonzero(rng.random(count) < NICKNAMES)
    first[short] = [SHORT_FORMS.get(text, text) for text in first[short]]
    typo = rng.random(count) < NAME_TYPOS
    in_first = rng.random(count) < 0.5
    first[typo & in_first] = _misspelt(rng, first[typo & in_first])
    last[typo & ~in_first] = _misspelt(rng, last[typo & ~in_first])
    swapped = rng.random(count) < SWAPPED_NAMES
    first, last = np.where(swapped, last, first), np.where(swapped, first, last)
    upper = rng.random(count) < 0.25
    last[upper] = [text.upper() for text in last[upper]]
    is_placeholder = rng.random(count) < PLACEHOLDERS
    which = rng.integers(0, len(PLACEHOLDER_NAMES), count)
    values = {
        "first_name": first, "last_name": last, "name_typo": typo, "swapped_names": swapped,
        "maiden_name": old, "placeholder": is_placeholder,
    }  # fmt: skip
    holds_no_contact = system == SYSTEMS.index("social")
    rows = np.flatnonzero(is_placeholder & (holds_no_contact | (rng.random(count) < 0.3)))
    first[rows] = [PLACEHOLDER_NAMES[n][1] for n in which[rows]]
    last[rows] = [PLACEHOLDER_NAMES[n][0] for n in which[rows]]
    values["placeholder_name"] = np.isin(np.arange(count), rows)
    return values


def _contacts(rng: np.random.Generator, people: People, person: Array) -> dict[str, Array]:
    count = len(people)
    email, mobile = _emails(rng, people), _numbers(rng, people, mobile=True)
    line = _numbers(rng, people, mobile=False)[people.leader]
    has_line = rng.random(count) < LAND_LINE
    in_household = people.leader != np.arange(count)
    shared = in_household & (rng.random(count) < SHARED_EMAIL / max(in_household.mean(), 1 / count))
    email = np.where(shared, email[people.leader], email)
    second, has_second = _emails(rng, people), rng.random(count) < SECOND_EMAIL
    uses_second = has_second[person] & (rng.random(len(person)) < 0.5)
    recycled = rng.random(count) < RECYCLED_PHONES
    mobile = np.where(recycled, mobile[rng.integers(0, count, count)], mobile)
    values = {
        "email": np.where(uses_second, second[person], email[person]),
        "mobile_phone": mobile[person].copy(),
        "phone": np.where(has_line, line, np.full(len(people), None, object))[person],
        "shared_email": shared[person], "land_line": has_line[person],
        "recycled_phone": recycled[person], "second_email": uses_second,
    }  # fmt: skip
    typo = np.flatnonzero(rng.random(len(person)) < EMAIL_TYPOS)
    values["email"][typo] = _misspelt(rng, values["email"][typo])
    values["email_typo"] = np.isin(np.arange(len(person)), typo)
    values["mobile_phone"] = _formatted(rng, values["mobile_phone"])
    return values


def _emails(rng: np.random.Generator, people: People) -> Array:
    """An address per person, most made of their name."""
    number = rng.integers(0, 10_000, len(people))
    domain = rng.random(len(people))
    return np.array([
        f"{first}.{last}{n}@{COUNTRIES[c].mail_domains[int(len(COUNTRIES[c].mail_domains) * d * d)]}"
        for first, last, n, c, d in zip(
            _plain(_latin(people, people.given)), _plain(_latin(people, people.surname)),
            number, people.country, domain, strict=True,
        )
    ], object)  # fmt: skip


def _latin(people: People, names: Array) -> Array:
    return np.array(
        [COUNTRIES[c].latin.get(text, text) for text, c in zip(names, people.country, strict=True)],
        object,
    )


ACCENTS = str.maketrans(
    "àâäáãçéèêëíìîïñóòôöõúùûüýÿœæßłøąćęńśźż", "aaaaaceeeeiiiinooooouuuuyyoaslOacenszz".lower()
)


def _plain(names: Array) -> list[str]:
    """Lower case, letters without accents, nothing but letters and hyphens."""
    made = {name: _plain_name(name) for name in set(names)}
    return [made[name] for name in names]


def _plain_name(name: str) -> str:
    lower = name.lower().translate(ACCENTS)
    return "".join(c for c in lower if c.isascii() and (c.isalpha() or c == "-")) or "contact"


def _numbers(rng: np.random.Generator, people: People, *, mobile: bool) -> Array:
    """A telephone number per person: `+<calling code><number>`."""
    digits = rng.integers(0, 10**9, len(people))
    prefix = rng.random(len(people))
    out = np.empty(len(people), object)
    for row, (number, share, c) in enumerate(zip(digits, prefix, people.country, strict=True)):
        land = COUNTRIES[c]
        prefixes = land.mobile_prefixes if mobile else land.landline_prefixes
        rest = str(number % 10**land.subscriber_digits).zfill(land.subscriber_digits)
        out[row] = f"+{land.calling_code}{prefixes[int(share * len(prefixes))]}{rest}"
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


def _addresses(rng: np.random.Generator, people: People, person: Array) -> dict[str, Array]:
    """Where the person lives; half of the records of who moved tell the old place."""
    has_moved = people.life_event[person] == list(LIFE_EVENTS).index("moved")
    is_new = has_moved & (rng.random(len(person)) < 0.5)
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
    return {
        "address_line_1": lines, "postal_code": codes, "city": cities,
        "moved": has_moved, "is_new_address": is_new,
    }  # fmt: skip


def _address(line: str, way: int) -> str:
    """The line as it is, in capitals, or with its usual shortenings."""
    if way == 1:
        return line.upper()
    if way == 2:
        for long, short in ADDRESS_FORMS:
            line = line.replace(long, short)
    return line


def _misspelt(rng: np.random.Generator, texts: Array) -> Array:
    """Each text with two letters exchanged, one left out, or one doubled."""
    at, way = rng.random(len(texts)), rng.integers(0, 3, len(texts))
    out = np.empty(len(texts), object)
    for row, (text, share, how) in enumerate(zip(texts, at, way, strict=True)):
        end = text.find("@") if "@" in text else len(text)
        place = min(int(share * max(end - 1, 1)), len(text) - 1)
        before, here, after = text[:place], text[place : place + 1], text[place + 1 :]
        out[row] = (
            before + after[:1] + here + after[1:],
            before + after,
            before + here * 2 + after,
        )[how]
    return out


def _leave_out(rng: np.random.Generator, values: dict[str, Array], system: Array) -> None:
    """Take away what a system does not hold or was not told; put placeholders in their share."""
    count = len(system)
    which = rng.integers(0, 1 << 30, count)
    spoilt = values["placeholder"] & ~values["placeholder_name"]
    by_mail = spoilt & (rng.random(count) < 0.5)
    rows = np.flatnonzero(by_mail)
    values["email"][rows] = [PLACEHOLDER_EMAILS[n % len(PLACEHOLDER_EMAILS)] for n in which[rows]]
    rows = np.flatnonzero(spoilt & ~by_mail)
    values["mobile_phone"][rows] = [
        PLACEHOLDER_PHONES[n % len(PLACEHOLDER_PHONES)] for n in which[rows]
    ]
    groups = {
        "name": ("first_name", "last_name", "gender", "language_code"),
        "address": ("address_line_1", "postal_code", "city", "country_code"),
        "birth_date": ("birth_day",),
    }
    for what in dict.fromkeys(one for held in HOLDS.values() for one in held):
        holding = [number for number, name in enumerate(SYSTEMS) if what in HOLDS[name]]
        absent = ~np.isin(system, holding) | (rng.random(count) < MISSING.get(what, 0.0))
        if what in ("email", "mobile_phone"):
            absent &= ~spoilt
        for column in groups.get(what, (what,)):
            values[column][absent] = -1 if values[column].dtype.kind == "i" else None
