"""Persons and households: who they are, how they differ, and what their lives bring.

Belongs here: what is drawn once per person. Does not belong here: what systems note of them
(`records`), nor what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retailer.catalogue import DEPARTMENTS, ENTRY_DROPOUT
from retailer.days import BEFORE, Days
from retailer.randomness import Array, Choice, folded, hours, stream
from retailer.vocabulary import COUNTRIES, Country, rank_weights
from retailer.worlds import World

HOUSEHOLD_SIZES = (0.37, 0.33, 0.13, 0.12, 0.05)
FOREIGN = 0.12
TWINS = 0.004
FATHER_AND_SON = 0.006
MOVED = 0.06
MARRIED_NAME = 0.04
SAME_SURNAME = 0.72
"""Share of the members of a household who carry its first member's surname."""
RATE_SHAPE, RATE_SCALE = 1.15, 20.5
"""Purchases per day: gamma of this shape, and of this rate in days of average trade."""
LEAVE_A, LEAVE_B = 0.9, 21.0
"""Probability to leave after a repeat purchase: beta."""
HEAVY_TAIL = 1.6
"""Exponent of the Pareto law of rates where they are not gamma."""
ESTABLISHED = 0.55
"""Share of people whose first purchase lies before history begins."""
TIER_BOUNDS = (1_000.0, 2_600.0)
"""Euros a year, by their own rate and taste, that part low from mid and mid from high."""
BASKET_SPREAD = 0.35
"""Standard deviation of the logarithm of how dear a person buys."""
LIFE_EVENTS = {
    "moved": MOVED, "married": 0.03, "child_born": 0.05, "bought_home": 0.03, "retired": 0.02,
    "separated": 0.02,
}  # fmt: skip
NEEDS = {
    "moved": (2.5, 2.0, 1.0, 2.0, 1.5, 0.5, 0.5, 0.5),
    "married": (1.5, 1.5, 1.0, 1.0, 2.5, 0.7, 0.7, 0.7),
    "child_born": (1.8, 1.0, 0.7, 1.0, 1.0, 0.4, 0.4, 4.0),
    "bought_home": (2.0, 1.5, 2.0, 3.0, 1.2, 0.5, 0.5, 0.6),
    "retired": (0.7, 0.8, 2.5, 1.3, 1.0, 0.7, 2.0, 0.9),
    "separated": (2.0, 1.0, 0.5, 0.8, 1.8, 1.2, 1.0, 0.6),
}
"""By what an event of life multiplies the taste for each department, for NEED_DAYS."""
NEED_DAYS = 180
OPENS, CLOSES = 9.5, 19.9
"""Hours of the stores."""
THEMES = ("environment", "sport", "belonging", "power", "logic")


@dataclass(frozen=True)
class Source:
    """Where people come from.

    Attributes:
        name: as the truth calls it.
        share: of all people.
        prospects: share who never buy.
        rate, leave: by what it multiplies the rate and the probability to leave.
        paid: what of its people came because it was paid for; the rest would have come anyway.
    """

    name: str
    share: float
    prospects: float
    rate: float = 1.0
    leave: float = 1.0
    paid: float = 0.0


SOURCES = (
    Source("store", 0.31, 0.06),
    Source("organic", 0.19, 0.12),
    Source("paid_search", 0.16, 0.12, 1.0, 1.05, paid=0.35),
    Source("paid_social", 0.11, 0.2, 0.85, 1.2, paid=0.7),
    Source("affiliate", 0.06, 0.15, 0.9, 1.3, paid=0.5),
    Source("referral", 0.08, 0.08, 1.2, 0.75),
    Source("contest", 0.09, 0.8, 0.6, 1.4, paid=0.95),
)
REFERRAL = [one.name for one in SOURCES].index("referral")
PAID = tuple(number for number, source in enumerate(SOURCES) if source.paid)


@dataclass(frozen=True)
class People:
    """The persons of one part; every array has one row per person.

    Attributes:
        first: number of the first person of the part; persons are numbered through all parts.
        household: number of the household.
        country: number of the country.
        is_woman, given, surname, birth_day: what they are called; birth in days since 1970.
        maiden: surname before marriage, empty for most.
        city, moved_to: numbers of cities, -1 for who never moved.
        house, moved_house: number and street, as one number.
        source, entry: where they come from, and the department of the first purchase.
        is_prospect: never buys.
        start: moment of the first purchase, or of the first contact for who never buys.
        rate: purchases per day of average trade.
        leave: probability to leave after a repeat purchase.
        minding: 0, 1, 2 for little, some, much attention to prices.
        taste: weight of each department; shape (people, departments).
        dearness: by what the price of what they choose differs.
        brand: favourite.
        web: share of purchases made online.
        hour: at which they buy most.
        theme: of messages, the one that moves them.
        fatigue: how soon messages tire them.
        tier: 0, 1, 2 for low, mid, high value, by what is planted.
        life_event: number in LIFE_EVENTS, -1 for most; `life_day` its day.
        twin, namesake: the other person (row) or -1; a namesake is the father of a son.
    """

    first: int
    household: Array
    country: Array
    is_woman: Array
    given: Array
    surname: Array
    birth_day: Array
    maiden: Array
    city: Array
    moved_to: Array
    house: Array
    moved_house: Array
    source: Array
    entry: Array
    is_prospect: Array
    start: Array
    rate: Array
    leave: Array
    minding: Array
    taste: Array
    dearness: Array
    brand: Array
    web: Array
    hour: Array
    theme: Array
    fatigue: Array
    tier: Array
    life_event: Array
    life_day: Array
    twin: Array
    namesake: Array

    def __len__(self) -> int:
        return len(self.household)

    @cached_property
    def leader(self) -> Array:
        """The first row of the household of each person."""
        _, first, back = np.unique(self.household, return_index=True, return_inverse=True)
        return first[back]

    def taste_at(self, person: Array, days: Array) -> Array:
        """Weight of each department for these persons on these days; shape (rows, departments)."""
        taste = self.taste[person]
        event = self.life_event[person]
        since = days - self.life_day[person]
        moved = np.flatnonzero((event >= 0) & (since >= 0) & (since < NEED_DAYS))
        taste[moved] *= np.array(list(NEEDS.values()))[event[moved]]
        return taste


def make_people(
    seed: int, part: int, first: int, count: int, days: Days, world: World, spend: dict[int, Array]
) -> People:
    """Draw the persons of a part.

    Args:
        seed: of everything.
        part: number of the part.
        first: number of its first person.
        count: how many persons.
        days: the calendar.
        world: what holds.
        spend: what each paid source was paid, by day of history, relative to its mean.
    """
    rng = stream(seed, "people", part)
    household, place = _households(rng, count)
    who = _names(rng, household, place)
    return People(
        first=first,
        household=household + first,
        **who,
        **_addresses(rng, household, who["country"]),
        **_behaviour(rng, count, days, world, spend),
        **_life(rng, count, days),
    )


def _households(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """The household of each person, and their place in it."""
    sizes = rng.choice(len(HOUSEHOLD_SIZES), count, p=HOUSEHOLD_SIZES) + 1
    household = np.repeat(np.arange(count), sizes)[:count]
    starts = np.flatnonzero(np.diff(household, prepend=-1))
    return household, np.arange(count) - starts[household]


def _names(rng: np.random.Generator, household: Array, place: Array) -> dict[str, Array]:
    count = len(household)
    is_foreign = rng.random(count) < FOREIGN
    abroad = rng.integers(1, len(COUNTRIES), count)
    country = np.where(is_foreign, abroad, 0)[household]  # a household comes from one country
    is_woman = rng.random(count) < 0.5
    given, surname = (np.empty(count, object) for _ in range(2))
    for number, land in enumerate(COUNTRIES):
        rows = np.flatnonzero(country == number)
        given[rows] = _given(rng, land, is_woman[rows])
        surname[rows] = np.array(land.surnames, object)[
            rng.choice(len(land.surnames), len(rows), p=rank_weights(len(land.surnames)))
        ]
    leader = np.searchsorted(household, household)
    same = (rng.random(count) < SAME_SURNAME) | (place > 1)
    surname = np.where(same, surname[leader], surname)
    birth = _births(rng, place, leader)
    twin, namesake = _doubles(rng, household, place, is_woman, given, surname, birth)
    maiden = _maiden(rng, country, is_woman)
    return {
        "country": country, "is_woman": is_woman, "given": given, "surname": surname,
        "birth_day": birth, "maiden": maiden, "twin": twin, "namesake": namesake,
    }  # fmt: skip


def _given(rng: np.random.Generator, land: Country, is_woman: Array) -> Array:
    women, men = np.array(land.women, object), np.array(land.men, object)
    of_women = women[rng.choice(len(women), len(is_woman), p=rank_weights(len(women)))]
    of_men = men[rng.choice(len(men), len(is_woman), p=rank_weights(len(men)))]
    return np.where(is_woman, of_women, of_men)


def _births(rng: np.random.Generator, place: Array, leader: Array) -> Array:
    """Days since 1970: adults of 30 to 80 first, children of 16 on after the second."""
    eldest = rng.integers(-8_800, 9_500, len(place))
    partner = eldest[leader] + rng.normal(0, 1_100, len(place)).astype(np.int64)
    child = eldest[leader] + rng.integers(8_400, 13_000, len(place))
    youngest = 14_600  # sixteen years before history as it comes by default
    return np.minimum(np.select([place == 0, place == 1], [eldest, partner], child), youngest)


def _doubles(
    rng: np.random.Generator, household: Array, place: Array, is_woman: Array, given: Array,
    surname: Array, birth: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Make twins, and sons named like their fathers, at their rates; changes what is given."""
    count = len(household)
    twin, namesake = (np.full(count, -1) for _ in range(2))
    last = np.append(household[1:] != household[:-1], True)
    seconds = np.flatnonzero((place == 1) & last)
    pairs = rng.permutation(seconds[given[seconds] != given[seconds - 1]])
    twins = pairs[: round(count * TWINS / 2)]
    birth[twins], surname[twins] = birth[twins - 1], surname[twins - 1]
    twin[twins], twin[twins - 1] = twins - 1, twins
    of_men = pairs[len(twins) :]
    of_men = of_men[~is_woman[of_men] & ~is_woman[of_men - 1]]
    sons = of_men[: round(count * FATHER_AND_SON / 2)]
    given[sons], surname[sons] = given[sons - 1], surname[sons - 1]
    birth[sons - 1] = np.minimum(birth[sons - 1], 4_000)
    birth[sons] = birth[sons - 1] + rng.integers(8_000, 10_500, len(sons))
    namesake[sons], namesake[sons - 1] = sons - 1, sons
    return twin, namesake


def _maiden(rng: np.random.Generator, country: Array, is_woman: Array) -> Array:
    """The surname that some women carried before they married, empty for everybody else."""
    count = len(country)
    maiden = np.full(count, "", object)
    married = np.flatnonzero(is_woman & (rng.random(count) < MARRIED_NAME * 2))
    for number, land in enumerate(COUNTRIES):
        rows = married[country[married] == number]
        names = np.array(land.surnames, object)
        maiden[rows] = names[rng.choice(len(names), len(rows), p=rank_weights(len(names)))]
    return maiden


def _addresses(rng: np.random.Generator, household: Array, country: Array) -> dict[str, Array]:
    count = len(household)
    city, moved_to = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for number, land in enumerate(COUNTRIES):
        choice = Choice(np.array([place.weight for place in land.cities]))
        rows = np.flatnonzero(country == number)
        city[rows], moved_to[rows] = (choice.draw(rng, len(rows)) for _ in range(2))
    leader = np.searchsorted(household, household)
    return {
        "city": city[leader],
        "moved_to": moved_to,
        "house": rng.integers(0, 1 << 30, count)[leader],
        "moved_house": rng.integers(0, 1 << 30, count),
    }


def _behaviour(
    rng: np.random.Generator, count: int, days: Days, world: World, spend: dict[int, Array]
) -> dict[str, Array]:
    source = rng.choice(len(SOURCES), count, p=[one.share for one in SOURCES])
    is_prospect = rng.random(count) < _prospects(source, world)
    hour = rng.choice([9, 12.5, 17, 20.5], count, p=[0.15, 0.25, 0.25, 0.35])
    taste = rng.gamma(0.7, size=(count, len(DEPARTMENTS))) + 0.02
    entry = Choice(np.array([0.8, 1.6, 1.0, 1.0, 1.4, 1.0, 0.7, 1.1])).draw(rng, count)
    sensitivity = rng.beta(2, 3, count)
    rate, leave = _rates(rng, count, source, entry, world)
    dearness = np.exp(rng.normal(0, BASKET_SPREAD, count))
    yearly = rate * 365 * MEAN_BASKET * dearness
    web = rng.beta(0.9, 1.2, count)
    if world.is_one_channel:
        web = np.ones(count)
    return {
        "source": source,
        "entry": entry,
        "is_prospect": is_prospect,
        "start": _starts(rng, source, days, world, spend, ~is_prospect * rate * leave)
        + while_open(hours(rng, hour)) / 24,
        "rate": rate,
        "leave": leave,
        "minding": np.digitize(sensitivity, (0.3, 0.5)),
        "taste": taste / taste.sum(axis=1, keepdims=True),
        "dearness": dearness,
        "brand": rng.integers(0, 16, count),
        "web": web,
        "hour": hour,
        "theme": rng.integers(0, len(THEMES), count),
        "fatigue": rng.gamma(2.0, 0.5, count),
        "tier": np.digitize(yearly, TIER_BOUNDS),
    }


def _prospects(source: Array, world: World) -> Array:
    """The chance of each person never to buy."""
    shares = np.array([one.prospects for one in SOURCES])
    return shares[source] if world.is_mixed else np.full(len(source), PROSPECTS)


PROSPECTS = 0.16
"""Share of people who never buy where sources do not differ."""
MEAN_BASKET = 110.0
"""Euros of a purchase of average dearness, as the model comes to."""


def _rates(
    rng: np.random.Generator, count: int, source: Array, entry: Array, world: World
) -> tuple[Array, Array]:
    if world.is_heavy_tailed:
        rate = 0.012 * (1 + rng.pareto(HEAVY_TAIL, count))
    else:
        rate = rng.gamma(RATE_SHAPE, 1 / RATE_SCALE, count)
    leave = rng.beta(LEAVE_A, LEAVE_B, count)
    if world.is_mixed:
        rate = rate * np.array([one.rate for one in SOURCES])[source]
        leave = leave * np.array([one.leave for one in SOURCES])[source]
        leave = leave * np.array(ENTRY_DROPOUT)[entry]
    return np.minimum(rate, 3.0), np.clip(leave, 0, 1)


def while_open(hour: Array) -> Array:
    """Hours of the day (0 to 24) as hours at which stores are open, still in order but for the night."""
    return folded(OPENS + (hour - 6) / 18 * (CLOSES - OPENS), OPENS, CLOSES)


def _starts(
    rng: np.random.Generator, source: Array, days: Days, world: World, spend: dict[int, Array],
    leaving: Array,
) -> Array:  # fmt: skip
    """The day on which people come: a share before history, the others by the season.

    More come when more is paid for, and those whom customers bring come by how many customers there
    are. `leaving` is the rate at which each buyer stops being one, 0 for who never buys.
    """
    count = len(source)
    start = np.floor(-rng.random(count) * BEFORE)
    coming = rng.random(count) >= ESTABLISHED
    trade = days.season[1][BEFORE : BEFORE + days.horizon]
    for number, one in enumerate(SOURCES):
        rows = np.flatnonzero(coming & (source == number))
        weights = trade
        if one.paid and world.has_effects:
            weights = trade * (1 - one.paid + one.paid * response(spend[number]))
        if number != REFERRAL:
            start[rows] = Choice(weights).draw(rng, len(rows))
    rows = np.flatnonzero(coming & (source == REFERRAL))
    others = (leaving > 0) & ~(coming & (source == REFERRAL))
    weights = trade * _customers(start[others], leaving[others], days)
    start[rows] = Choice(weights).draw(rng, len(rows))
    return start


def _customers(start: Array, leaving: Array, days: Days) -> Array:
    """How many of these buyers are expected to be customers, by day of history.

    Who leaves with one probability after each of purchases that come at one rate stays for a time
    that is exponential in their product.
    """
    grid = np.linspace(0, days.horizon, 40)
    since = grid[:, None] - start
    counts = (np.exp(-leaving * np.maximum(since, 0)) * (since >= 0)).sum(axis=1)
    return np.interp(np.arange(days.horizon), grid, counts) + 1e-9


def response(spend: Array) -> Array:
    """How many people a day of paid media brings, relative to a day of mean spend: its square root."""
    return np.sqrt(spend)


def _life(rng: np.random.Generator, count: int, days: Days) -> dict[str, Array]:
    shares = np.array([1 - sum(LIFE_EVENTS.values()), *LIFE_EVENTS.values()])
    return {
        "life_event": rng.choice(len(shares), count, p=shares) - 1,
        "life_day": rng.integers(0, days.horizon, count),
    }
