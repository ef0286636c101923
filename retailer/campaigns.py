"""Campaigns: whom they reach by lot, what the messages do to people, and how people answer.

Belongs here: waves, holdouts, planted effects, messages and their states, consent to be written to.
Does not belong here: purchases that no campaign brought.

A wave has one channel and one theme. Of the people who may be written to on its channel, a share is
drawn; of these a share is held out, the others get one, two or four messages, all by lot. In the
WINDOW after its start the purchases of who is written to are multiplied by one plus the planted lift:
purchases are added where it is positive and taken away where it is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retailer.days import BEFORE, Days
from retailer.people import THEMES, People
from retailer.purchases import Purchases, draw_hours, draw_incidents, expected
from retailer.randomness import Array, stream, within
from retailer.records import SYSTEMS, Records
from retailer.worlds import World

CHANNELS = ("email", "sms", "push", "direct_mail", "whatsapp")
CONSENT = (0.78, 0.5, 0.3, 0.6, 0.2)
"""Share of people who agree to each channel when their record begins."""
COST_CENTS = (0.2, 6.0, 0.1, 78.0, 7.5)
"""What a message costs, in cents."""
INTENSITIES = (1, 2, 4)
EVERY = 7
"""Days between the starts of two waves; the channels take turns."""
TURNS = (0, 1, 0, 2, 3, 0, 4)
"""Channels of successive waves."""
SHARE = 0.4
HELD_OUT = 0.2
WINDOW = 14
LIFT = {
    "low": ((0.05, 0.06, 0.02), (0.04, -0.02, -0.12), (0.03, 0.02, -0.05), (0.08, 0.1, 0.1),
            (0.02, -0.04, -0.15)),
    "mid": ((0.12, 0.22, 0.26), (0.18, 0.24, 0.14), (0.07, 0.11, 0.08), (0.24, 0.34, 0.36),
            (0.14, 0.17, 0.05)),
    "high": ((0.02, 0.02, -0.03), (0.02, 0.0, -0.08), (0.01, 0.01, -0.02), (0.04, 0.04, 0.03),
             (0.02, -0.02, -0.1)),
}  # fmt: skip
"""What messages add to the purchases of the window: by tier, channel and number of messages."""
TIRED_BY = 4
"""Messages in 28 days from which on people tire."""
TIREDNESS = 0.015
"""What each message beyond takes off the lift, times the person's own fatigue."""
OPEN = (0.24, 0.0, 0.12, 0.0, 0.55)
CLICK = (0.11, 0.035, 0.15, 0.0, 0.12)
"""Share of delivered messages opened by a person, and clicked of those opened (of all, for SMS)."""
THEME_MATCH = 1.6
MACHINE_OPEN = 0.32
"""Share of delivered e-mails that a mail program opens by itself."""
BOUNCE_HARD, BOUNCE_SOFT = 0.008, 0.014
UNSUBSCRIBE, COMPLAIN = 0.0015, 0.0002
FROM_MESSAGE = 0.6
"""Share of the online purchases that campaigns bring, which come by a click in the message."""
SHOPPING_MINUTES = 9.0
EVENTS = ("delivered", "opened", "clicked", "bounced", "complained", "unsubscribed")


@dataclass(frozen=True)
class Wave:
    """A campaign: every `EVERY` days one begins."""

    number: int

    @property
    def start(self) -> int:
        """Day on which it begins."""
        return self.number * EVERY + 3

    @property
    def channel(self) -> int:
        """Number in CHANNELS."""
        return TURNS[self.number % len(TURNS)]

    @property
    def theme(self) -> int:
        """Number in THEMES."""
        return self.number * 3 % len(THEMES)

    @property
    def has_coupon(self) -> bool:
        """Whether its messages carry a coupon."""
        return self.number % 2 == 0


@dataclass(frozen=True)
class Contacts:
    """What campaigns did with the persons of a part.

    Attributes:
        agreed: consent per person and channel at first; shape (people, channels).
        revoked: the day it ended (inf: not yet); same shape.
        assigned: `person`, `wave`, `arm` (0 held out, else messages), `lift` (0 for the held out),
            `expected` (purchases of the window without any message).
        messages: `person`, `wave`, `moment`, `step` (0 to 3), and as flags or moments what became of
            it: `bounce` (0 no, 1 hard, 2 soft), `opened`, `machine_opened`, `clicked`, `complained`,
            `unsubscribed` (moments, NaN where it did not happen).
        click: by purchase, the moment of the click in a message whose visit ended with it; NaN for
            most.
    """

    agreed: Array
    revoked: Array
    assigned: dict[str, Array]
    messages: dict[str, Array]
    click: Array


def make_contacts(
    seed: int, part: int, people: People, records: Records, purchases: Purchases, days: Days,
    world: World,
) -> tuple[Contacts, Purchases]:  # fmt: skip
    """Run every wave over the persons of a part.

    Returns:
        What happened, and the purchases with what the campaigns added and took away.
    """
    rng = stream(seed, "campaigns", part)
    agreed = rng.random((len(people), len(CHANNELS))) < CONSENT
    agreed &= _reachable(records)
    state = _State(
        people, purchases, agreed, np.full(agreed.shape, np.inf), days, records.since("messaging")
    )
    refused = _placeholders(records)
    assigned = [_draw(rng, state, Wave(0), world, nobody=True)]
    messages = [_send(rng, state, Wave(0), assigned[0], refused)]
    waves = (days.future - WINDOW) // EVERY if world.has_campaigns else 0
    for number in range(waves):
        wave = Wave(number)
        drawn = _draw(rng, state, wave, world)
        assigned.append(drawn)
        messages.append(_send(rng, state, wave, drawn, refused))
    drawn, sent = _joined(assigned), _joined(messages)
    if world.has_effects:
        purchases = _changed(rng, people, records, purchases, drawn, days, world)
    purchases.offer[:] = _offers(purchases, sent)
    click = _clicks(rng, purchases, sent)
    return Contacts(agreed, state.revoked, drawn, sent, click), purchases


@dataclass
class _State:
    """Who may be written to, and how much they were written to lately."""

    people: People
    purchases: Purchases
    agreed: Array
    revoked: Array
    days: Days
    begun: Array

    def __post_init__(self) -> None:
        self.pressure = np.zeros(len(self.people))

    def eligible(self, wave: Wave) -> Array:
        """Rows of the people whom a wave may write to."""
        channel = wave.channel
        may = self.agreed[:, channel] & (self.revoked[:, channel] > wave.start)
        return np.flatnonzero(may & (self.begun <= wave.start))


def _reachable(records: Records) -> Array:
    """Whether the message platform holds what each channel needs; shape (people, channels)."""
    table = records.table
    rows = table["system"] == SYSTEMS.index("messaging")
    reachable = np.zeros((len(records.known), len(CHANNELS)), bool)
    person = table["person"][rows]
    has_mail, has_number = (
        table[name][rows] != np.array(None) for name in ("email", "mobile_phone")
    )
    crm = (table["system"] == SYSTEMS.index("crm")) & (table["address_line_1"] != np.array(None))
    has_address = np.isin(person, table["person"][crm])
    for channel, needed in enumerate((has_mail, has_number, True, has_address, has_number)):
        reachable[person, channel] = needed
    return reachable


def _placeholders(records: Records) -> Array:
    """Whether the message platform holds a placeholder of each person, which nobody receives."""
    table = records.table
    rows = (table["system"] == SYSTEMS.index("messaging")) & table["placeholder"]
    refused = np.zeros(len(records.known), bool)
    refused[table["person"][rows]] = True
    return refused


def _draw(
    rng: np.random.Generator, state: _State, wave: Wave, world: World, *, nobody: bool = False
) -> dict[str, Array]:
    """Draw who takes part and with how many messages, and what that will do."""
    eligible = state.eligible(wave)[: 0 if nobody else None]
    person = eligible[rng.random(len(eligible)) < SHARE]
    lot = rng.random(len(person))
    place = np.floor((lot - HELD_OUT) / (1 - HELD_OUT) * len(INTENSITIES)).astype(np.int64)
    arm = np.where(lot < HELD_OUT, 0, np.array(INTENSITIES)[np.clip(place, 0, 2)])
    lift = np.array(list(LIFT.values()))[
        state.people.tier[person], wave.channel, np.clip(place, 0, 2)
    ]
    beyond = np.maximum(state.pressure[person] + arm - TIRED_BY, 0)
    lift = lift - TIREDNESS * state.people.fatigue[person] * beyond
    lift = np.where(arm == 0, 0.0, np.maximum(lift, -0.9)) * world.has_effects
    active = state.purchases.is_active(state.people, wave.start)[person]
    usual = np.where(active, expected(state.people, state.days, person, wave.start, WINDOW), 0.0)
    state.pressure *= 0.71  # a quarter of what was written four waves ago is still felt
    state.pressure[person] += arm
    number = np.full(len(person), wave.number)
    return {"person": person, "wave": number, "arm": arm, "lift": lift, "expected": usual}


def _send(
    rng: np.random.Generator, state: _State, wave: Wave, drawn: dict[str, Array], refused: Array
) -> dict[str, Array]:
    """Send the messages of a wave and draw what becomes of each."""
    person = np.repeat(drawn["person"], drawn["arm"])
    step = within(drawn["arm"])
    hour = np.array([10.0, 18.0, 12.0, 8.0, 17.0])[wave.channel]
    moment = wave.start + step * 3 + (hour + rng.random(len(person))) / 24
    draw = rng.random((7, len(person)))
    bounce = np.select([draw[0] < BOUNCE_HARD, draw[0] < BOUNCE_HARD + BOUNCE_SOFT], [1, 2], 0)
    bounce = np.where(refused[person] & np.isin(wave.channel, (0, 1, 4)), 1, bounce)
    arrived = bounce == 0
    match = np.where(state.people.theme[person] == wave.theme, THEME_MATCH, 0.85)
    tired = np.exp(-0.06 * state.people.fatigue[person] * state.pressure[person] / TIRED_BY)
    opens, clicks = OPEN[wave.channel], CLICK[wave.channel]
    opened = arrived & (draw[1] < opens * match * tired)
    seen = opened if opens else arrived
    clicked = seen & (draw[2] < clicks * match * tired)
    machine = arrived & (draw[3] < MACHINE_OPEN) & (wave.channel == 0)
    leaves = arrived & (
        draw[4] < UNSUBSCRIBE * (1 + state.people.fatigue[person]) * (wave.channel != 3)
    )
    complains = arrived & (draw[5] < COMPLAIN) & (wave.channel == 0)
    later = moment + rng.exponential(0.25, len(person))
    message = {
        "person": person, "wave": np.full(len(person), wave.number), "moment": moment, "step": step,
        "bounce": bounce,
        "opened": np.where(opened, later, np.nan),
        "machine_opened": np.where(machine, moment + 0.0002 + draw[6] * 0.001, np.nan),
        "clicked": np.where(clicked, later + 0.001, np.nan),
        "complained": np.where(complains, later + 0.002, np.nan),
        "unsubscribed": np.where(leaves, later + 0.002, np.nan),
    }  # fmt: skip
    return _ended(state, wave, message)


def _ended(state: _State, wave: Wave, message: dict[str, Array]) -> dict[str, Array]:
    """End the consent of who unsubscribes; messages that were to follow are not sent."""
    ends = np.fmin(message["unsubscribed"], message["complained"])
    rows = np.flatnonzero(~np.isnan(ends))
    np.minimum.at(state.revoked[:, wave.channel], message["person"][rows], ends[rows])
    sent = message["moment"] < state.revoked[message["person"], wave.channel]
    return {name: values[sent] for name, values in message.items()}


def _joined(parts: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _changed(
    rng: np.random.Generator, people: People, records: Records, purchases: Purchases,
    assigned: dict[str, Array], days: Days, world: World,
) -> Purchases:  # fmt: skip
    """Take away the purchases that messages cost, and add those that they bring.

    What is added may go wrong like any purchase, and nobody leaves by it.
    """
    kept = purchases.take(np.flatnonzero(~_lost(rng, purchases, assigned)))
    count = rng.poisson(np.maximum(assigned["lift"], 0) * assigned["expected"])
    person, wave = np.repeat(assigned["person"], count), np.repeat(assigned["wave"], count)
    # The first message is out in the evening of the first day at the latest.
    day = wave * EVERY + 4 + np.floor((WINDOW - 1) * rng.beta(1.2, 2.4, len(person)))
    made = draw_incidents(rng, people, records, world, person)
    moment = day + draw_hours(rng, people, person, made["channel"]) / 24
    own = np.flatnonzero((moment < days.future) & (moment < purchases.left_at[person]))
    brought = {
        "person": person[own], "moment": moment[own], "repeat": np.full(len(own), -1),
        "leaves": np.zeros(len(own), bool), "wave": wave[own], "offer": np.full(len(own), -1),
        **{name: values[own] for name, values in made.items()},
    }  # fmt: skip
    columns = {
        name: np.concatenate([getattr(kept, name), brought[name]]) for name in Purchases.COLUMNS
    }
    order = np.lexsort((columns["moment"], columns["person"]))
    columns = {name: values[order] for name, values in columns.items()}
    return Purchases(**columns, left_at=kept.left_at, left_by=kept.left_by)


def _lost(rng: np.random.Generator, purchases: Purchases, assigned: dict[str, Array]) -> Array:
    """Whether each purchase is one that messages drove away; never the first or the last of a person."""
    touched, by = _in_windows(purchases, assigned, np.flatnonzero(assigned["lift"] < 0))
    lost = rng.random(len(touched)) < -assigned["lift"][by]
    out = np.zeros(len(purchases), bool)
    out[touched[lost]] = True
    return out & (purchases.repeat > 0) & ~purchases.leaves


def _in_windows(
    purchases: Purchases, assigned: dict[str, Array], rows: Array
) -> tuple[Array, Array]:
    """Purchases in the windows of some assignments, and the assignment of each."""
    start = assigned["wave"][rows] * EVERY + 3
    width = 4.0 * (purchases.moment.max(initial=0) + BEFORE)
    place = purchases.person * width + purchases.moment + BEFORE
    low = np.searchsorted(place, assigned["person"][rows] * width + start + BEFORE)
    high = np.searchsorted(place, assigned["person"][rows] * width + start + WINDOW + BEFORE)
    count = high - low
    return np.repeat(low, count) + within(count), np.repeat(rows, count)


def _offers(purchases: Purchases, messages: dict[str, Array]) -> Array:
    """The wave whose coupon the buyer holds at each purchase, by the last message with one; -1 for most."""
    wave = messages["wave"]
    rows = np.flatnonzero((wave % 2 == 0) & (messages["bounce"] == 0))
    last = _last_before(
        purchases.person, purchases.moment, messages["person"], messages["moment"], rows
    )
    held = np.append(wave, -1)[last]
    runs = (last >= 0) & (purchases.moment < held * EVERY + 3 + WINDOW)
    return np.where(runs, held, -1)


def _last_before(
    group: Array, moment: Array, of_group: Array, of_moment: Array, rows: Array
) -> Array:
    """For each moment of a group, the row among `rows` that is the last before it in its group, or -1."""
    rows = rows[np.lexsort((of_moment[rows], of_group[rows]))]
    width = 4.0 * (max(moment.max(initial=0), of_moment.max(initial=0)) + BEFORE)
    ends = of_group[rows] * width + of_moment[rows] + BEFORE
    at = np.searchsorted(ends, group * width + moment + BEFORE) - 1
    found = np.append(rows, -1)[at]
    is_same = (at >= 0) & (np.append(of_group, -1)[found] == group)
    return np.where(is_same, found, -1)


def _clicks(rng: np.random.Generator, purchases: Purchases, messages: dict[str, Array]) -> Array:
    """When the click fell that ended with each purchase; NaN for all but what campaigns bring online.

    The message is the last of the campaign before the purchase; it is told as opened and clicked.
    """
    click = np.full(len(purchases), np.nan)
    online = (purchases.channel == 1) | (purchases.channel == 2)
    wanted = np.flatnonzero(
        (purchases.wave >= 0) & online & (rng.random(len(purchases)) < FROM_MESSAGE)
    )
    waves = int(messages["wave"].max(initial=0)) + 1
    channel = np.array(TURNS)[messages["wave"] % len(TURNS)]
    may = (messages["bounce"] == 0) & (np.array(CLICK)[channel] > 0)
    may &= np.isnan(messages["unsubscribed"]) & np.isnan(messages["complained"])
    clicked = purchases.moment[wanted] - shopping(rng, len(wanted))
    message = _last_before(
        purchases.person[wanted] * waves + purchases.wave[wanted], clicked - 0.002,
        messages["person"] * waves + messages["wave"], messages["moment"], np.flatnonzero(may),
    )  # fmt: skip
    # A message tells one click: of two purchases the first has it.
    _, first = np.unique(message, return_index=True)
    first = first[message[first] >= 0]
    wanted, message, clicked = wanted[first], message[first], clicked[first]
    click[wanted] = clicked
    messages["clicked"][message] = clicked
    is_seen = np.array(OPEN)[channel[message]] > 0
    opened = np.fmin(messages["opened"][message], clicked - 0.001)
    messages["opened"][message] = np.where(is_seen, opened, np.nan)
    return click


def shopping(rng: np.random.Generator, count: int) -> Array:
    """How long visits last until they end with a purchase, in days."""
    return np.minimum(rng.gamma(4.0, SHOPPING_MINUTES / 4.0, count), 25.0) / 1_440


def effects(people: People, assigned: dict[str, Array]) -> dict[str, Array]:
    """The true effect of each cell, as sums over its people, so that parts can be added.

    Returns:
        By wave, tier and arm: `people`, `expected` purchases of the window without a message, and
        `added`, the purchases that the messages add in expectation.
    """
    tier, arm = people.tier[assigned["person"]], assigned["arm"]
    cell = (assigned["wave"] * 3 + tier) * 5 + arm
    cells, back = np.unique(cell, return_inverse=True)
    added = assigned["lift"] * assigned["expected"]
    return {
        "wave": cells // 15, "tier": cells // 5 % 3, "arm": cells % 5,
        "people": np.bincount(back).astype(float),
        "expected": np.bincount(back, assigned["expected"]),
        "added": np.bincount(back, added),
    }  # fmt: skip
