"""Purchases: when each person buys, through which channel, what goes wrong, and when they leave.

Belongs here: the process of purchases and of leaving. Does not belong here: what is in the basket.

A person buys first at `start`, then at gaps that are exponential in days of average trade, and after
each repeat purchase leaves for good with a probability of their own (Fader, Hardie and Lee 2005). What
went wrong with a purchase multiplies that probability.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retailer.days import BEFORE, Days
from retailer.people import CLOSES, OPENS, People, while_open
from retailer.randomness import Array, hours, stream
from retailer.records import Records
from retailer.worlds import World

CHANNELS = ("store", "web", "app", "phone")
APP_SHARE = 0.28
"""Of online purchases, those made in the app."""
PHONE_SHARE = 0.015
DELIVERY_DAYS, LATE_DAYS = 3, 8
"""Days in which an online purchase arrives, and how many more when it is late."""
LATE = 0.07
"""Share of online purchases that arrive late."""
POOR = 0.045
"""Share of purchases with a product that disappoints."""
CALLS = 0.03
"""Share of purchases people call about though nothing went wrong."""
CALLS_LATE, CALLS_POOR = 0.35, 0.3
BAD_CALLS = 0.22
"""Share of calls about a purchase that end badly."""
CAUSES = ("own", "late_delivery", "poor_product", "bad_call")
FACTORS = (1.0, 2.0, 1.8, 3.0)
"""By what each cause multiplies the probability to leave."""
MOST = 1_500
"""Purchases of one person at most."""


@dataclass
class Purchases:
    """Purchases of a part, by person and time; every array has one row per purchase.

    Attributes:
        person: row of the person.
        moment: days, with a fraction.
        repeat: 0 for the first purchase, then rising.
        channel: number in CHANNELS.
        is_late, is_poor, has_call, is_bad_call: what happened with it.
        leaves: whether the person left after it.
        wave: number of the campaign that brought it, -1 for most.
        offer: number of the campaign whose coupon the person held, -1 for most.
        left_at, left_by: by person: when they left (inf: not yet) and the number of the cause, -1.
    """

    person: Array
    moment: Array
    repeat: Array
    channel: Array
    is_late: Array
    is_poor: Array
    has_call: Array
    is_bad_call: Array
    leaves: Array
    wave: Array = field(repr=False)
    offer: Array = field(repr=False)
    left_at: Array = field(repr=False)
    left_by: Array = field(repr=False)

    COLUMNS = (
        "person", "moment", "repeat", "channel", "is_late", "is_poor", "has_call", "is_bad_call",
        "leaves", "wave", "offer",
    )  # fmt: skip

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: Array) -> Purchases:
        """Some of the purchases, in the order of the rows."""
        columns = {name: getattr(self, name)[rows] for name in self.COLUMNS}
        return Purchases(**columns, left_at=self.left_at, left_by=self.left_by)

    @property
    def arrived(self) -> Array:
        """When each purchase is in the buyer's hands: at once in a store, else some days later."""
        late = np.where(self.is_late, LATE_DAYS, 0)
        return self.moment + np.where(self.channel > 0, DELIVERY_DAYS + late, 0)

    def is_active(self, people: People, day: float) -> Array:
        """Whether each person has bought and not left by a day."""
        return (~people.is_prospect) & (people.start <= day) & (self.left_at > day)


def make_purchases(
    seed: int, part: int, people: People, records: Records, days: Days, world: World
) -> Purchases:
    """Let the persons of a part buy, from their start to the end of what the truth tells."""
    rng = stream(seed, "purchases", part)
    left_at, left_by = np.full(len(people), np.inf), np.full(len(people), -1)
    person = np.flatnonzero(~people.is_prospect)
    moment = people.start[person]
    passed = days.passed(moment, people.minding[person])
    rounds = []
    for repeat in range(MOST):
        made = draw_incidents(rng, people, records, world, person)
        cause = _leaving(rng, people.leave[person] * (repeat > 0), made)
        stays = cause < 0
        left_by[person[~stays]] = cause[~stays]
        rounds.append(
            {"person": person, "moment": moment, "repeat": np.full(len(person), repeat),
             "leaves": ~stays} | made
        )  # fmt: skip
        person, passed = person[stays], passed[stays]
        passed = passed + rng.exponential(1 / people.rate[person])
        moment = days.moment(passed, people.minding[person])
        within = moment < days.future
        person, passed, moment = person[within], passed[within], moment[within]
        if not len(person):
            break
    columns = {name: np.concatenate([one[name] for one in rounds]) for name in rounds[0]}
    order = np.lexsort((columns["repeat"], columns["person"]))
    columns = {name: values[order] for name, values in columns.items()}
    columns["moment"] = _at_hours(rng, people, columns)
    last = np.flatnonzero(columns["leaves"])
    left_at[columns["person"][last]] = columns["moment"][last]
    none = np.full(len(order), -1)
    return Purchases(**columns, wave=none, offer=none.copy(), left_at=left_at, left_by=left_by)


def _at_hours(rng: np.random.Generator, people: People, columns: dict[str, Array]) -> Array:
    """The moments at an hour of the person's own, in stores while they are open, still in order.

    The first is `start`; others of the same day are after it, and who buys twice a day does so while
    stores are open, whichever the channel.
    """
    person, day = columns["person"], np.floor(columns["moment"])
    again = (np.diff(person, prepend=-1) == 0) & (np.diff(day, prepend=-1) == 0)
    is_crowded = again | np.append(again[1:], np.False_)
    in_store = np.where(is_crowded, 0, columns["channel"])
    hour = draw_hours(rng, people, person, in_store)
    start = people.start[person]
    is_first = columns["repeat"] == 0
    begun = (start - day) * 24
    after = begun + (CLOSES - begun) * (hour - OPENS) / (CLOSES - OPENS)
    hour = np.where((np.floor(start) == day) & ~is_first, after, hour)
    moment = np.where(is_first, start, day + hour / 24)
    return moment[np.lexsort((moment, person))]


def draw_hours(rng: np.random.Generator, people: People, person: Array, channel: Array) -> Array:
    """An hour of the day for each purchase."""
    usual = hours(rng, people.hour[person])
    return np.where(channel == 0, while_open(usual), usual)


def draw_incidents(
    rng: np.random.Generator, people: People, records: Records, world: World, person: Array
) -> dict[str, Array]:
    """The channel of each purchase and what goes wrong with it."""
    channel = _channels(rng, people, records, world, person)
    draw = rng.random((4, len(person)))
    late = (draw[0] < LATE) & (channel > 0) & world.has_incidents
    poor = (draw[1] < POOR) & world.has_incidents
    calls = CALLS + CALLS_LATE * late + CALLS_POOR * poor
    call = draw[2] < calls
    bad = call & (draw[3] < BAD_CALLS) & world.has_incidents
    return {
        "channel": channel,
        "is_late": late,
        "is_poor": poor,
        "has_call": call,
        "is_bad_call": bad,
    }


def _channels(
    rng: np.random.Generator, people: People, records: Records, world: World, person: Array
) -> Array:
    """A channel for each purchase of these persons; who has no account and no e-mail buys in a store."""
    draw, kind = rng.random(len(person)), rng.random(len(person))
    can_buy_online = (records.knows("shop") | records.knows("guest"))[person]
    if world.is_anonymous:
        can_buy_online = np.ones(len(person), bool)
    web = people.web[person]
    online = can_buy_online & (draw < web)
    if world.is_one_channel:
        return np.ones(len(person), np.int64)
    has_account = records.knows("shop")[person]
    by_app = (kind < APP_SHARE) & has_account
    by_phone = can_buy_online & ~online & (kind < PHONE_SHARE)
    return np.select([online & by_app, online, by_phone], [2, 1, 3], 0)


def _leaving(rng: np.random.Generator, leave: Array, made: dict[str, Array]) -> Array:
    """The cause by which each person leaves, -1 for who stays.

    One draw is held against the own probability and what each incident adds to it in turn, so that the
    cause of who leaves is the one without which they had stayed.
    """
    draw = rng.random(len(leave))
    cause = np.full(len(leave), -1)
    bound = leave.copy()
    cause[draw < bound] = 0
    for number, happened in enumerate(("is_late", "is_poor", "is_bad_call"), 1):
        bound = np.minimum(bound * np.where(made[happened], FACTORS[number], 1.0), 0.95)
        bound = np.maximum(bound, leave)
        cause[(cause < 0) & (draw < bound)] = number
    return cause


def history(purchases: Purchases, days: Days) -> Array:
    """Rows of the purchases that fall into history."""
    return np.flatnonzero((purchases.moment >= 0) & (purchases.moment < days.horizon))


def expected(people: People, days: Days, person: Array, begin: float, length: int) -> Array:
    """Purchases expected of persons who have not left, in so many days from a day on."""
    rows = people.minding[person]
    first = int(begin) + BEFORE
    trade = days.clock[rows, first + length] - days.clock[rows, first]
    return people.rate[person] * trade
