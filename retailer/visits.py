"""Visits: what people, and programs that look like people, do on the web site and in the app.

Belongs here: sessions and their events. Does not belong here: purchases, which some sessions end with.
"""

from __future__ import annotations

import numpy as np

from retailer.campaigns import CHANNELS, TURNS, Contacts, shopping
from retailer.catalogue import Catalogue
from retailer.days import Days
from retailer.people import SOURCES, People
from retailer.purchases import Purchases, history
from retailer.randomness import Array, Choice, hours, stream, within
from retailer.records import BOT_COOKIES, VISITOR, Records, scramble

BROWSING = 4.0
"""Visits without a purchase, per purchase expected of a person who buys online alone."""
CURIOUS = 0.012
"""Visits per day of who came and never bought, in the 120 days after."""
EVENTS_OF = {"bounce": 1.0, "browse": 6.2, "cart": 8.5, "purchase": 10.0}
"""Events of a session, as a mean."""
KINDS = tuple(EVENTS_OF)
KIND_SHARES = (0.3, 0.57, 0.13)
BOTS = 0.03
"""Sessions of programs, per session of a person."""
BOT_EVENTS = 30
LOGGED_IN = 0.4
"""Share of sessions of account holders in which they log in, besides those with a purchase."""
SECOND_DEVICE = 0.35
NAMES = (
    "Page Viewed", "Products Searched", "Product List Viewed", "Product Viewed", "Product Added",
    "Cart Viewed", "Checkout Started", "Order Completed",
)  # fmt: skip
PAGE, SEARCH, LIST, PRODUCT, ADDED, CART, CHECKOUT, ORDER = range(len(NAMES))
MEDIA = (
    "direct", "organic", "cpc", "paid_social", "affiliate", "referral", "contest", "email", "sms", "push",
    "whatsapp",
)  # fmt: skip
USUAL_MEDIA = (0.4, 0.34, 0.11, 0.06, 0.03, 0.05, 0.01)
MEDIUM_OF_SOURCE = (0, 1, 2, 3, 4, 5, 6)
"""The medium of the first visits of people by where they come from."""
GAP_SECONDS = 48.0
PAID_MEDIA = {2: 2, 3: 3, 4: 4, 6: 6}
"""The source whose platform counts a visit, by the visit's medium."""


def make_visits(
    seed: int, part: int, people: People, records: Records, purchases: Purchases,
    contacts: Contacts, catalogue: Catalogue, days: Days,
) -> tuple[dict[str, Array], dict[str, Array]]:  # fmt: skip
    """Draw the sessions of a part within history, and their events.

    Returns:
        Sessions: `person` (-1 for programs), `moment`, `kind` (number in KINDS), `events`,
        `visitor`, `is_app`, `is_bot`, `is_logged_in`, `medium`, `purchase` (row or -1), `wave`.
        Events, by session and time: `session`, `second` since the session began, `name` (number in
        NAMES), `product` (-1 for none).
    """
    rng = stream(seed, "visits", part)
    parts = [
        _browsing(rng, people, purchases, days),
        _buying(rng, purchases, contacts, days),
        _clicking(purchases, contacts, days),
    ]
    session = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    session = _described(rng, people, records, purchases, session)
    session = _with_bots(rng, session, days, people.first)
    order = np.lexsort((session["moment"], session["person"]))
    session = {name: values[order] for name, values in session.items()}
    return session, _events(rng, people, catalogue, session, purchases.moment)


def _browsing(
    rng: np.random.Generator, people: People, purchases: Purchases, days: Days
) -> dict[str, Array]:
    """Visits without a purchase, from a month before the first one on until a person leaves."""
    begin = np.maximum(people.start - 30, 0)
    end = np.minimum(
        np.where(np.isfinite(purchases.left_at), purchases.left_at + 20, np.inf), days.horizon
    )
    rate = people.rate * people.web * BROWSING
    end = np.where(people.is_prospect, np.minimum(people.start + 120, days.horizon), end)
    rate = np.where(people.is_prospect, CURIOUS * (0.3 + people.web), rate)
    length = np.maximum(end - begin, 0)
    count = rng.poisson(rate * length)
    person = np.repeat(np.arange(len(people)), count)
    minding = people.minding[person]
    low, high = (days.passed(edge[person], minding) for edge in (begin, begin + length))
    moment = days.moment(low + (high - low) * rng.random(len(person)), minding)
    kind = Choice(np.array(KIND_SHARES)).draw(rng, len(person))
    none = np.full(len(person), -1)
    return {"person": person, "moment": _at_hour(rng, people, person, moment), "kind": kind,
            "purchase": none, "wave": none}  # fmt: skip


def _buying(
    rng: np.random.Generator, purchases: Purchases, contacts: Contacts, days: Days
) -> dict[str, Array]:
    """One visit for each purchase made online, in history; it begins with the click that led to it."""
    rows = history(purchases, days)
    rows = rows[(purchases.channel[rows] == 1) | (purchases.channel[rows] == 2)]
    click = contacts.click[rows]
    is_by_click = ~np.isnan(click)
    own = purchases.moment[rows] - shopping(rng, len(rows))
    return {
        "person": purchases.person[rows], "moment": np.where(is_by_click, click + 2 / 86_400, own),
        "kind": np.full(len(rows), KINDS.index("purchase")), "purchase": rows,
        "wave": np.where(is_by_click, purchases.wave[rows], -1),
    }  # fmt: skip


def _clicking(purchases: Purchases, contacts: Contacts, days: Days) -> dict[str, Array]:
    """One visit for each click in a message that did not end with a purchase."""
    message = contacts.messages
    clicked = message["clicked"]
    bought = contacts.click[history(purchases, days)]
    rows = np.flatnonzero((clicked < days.horizon) & ~np.isin(clicked, bought))
    return {
        "person": message["person"][rows], "moment": clicked[rows],
        "kind": np.full(len(rows), KINDS.index("browse")), "purchase": np.full(len(rows), -1),
        "wave": message["wave"][rows],
    }  # fmt: skip


def _at_hour(rng: np.random.Generator, people: People, person: Array, moment: Array) -> Array:
    """The moments, each at an hour of the person's own."""
    return np.floor(moment) + hours(rng, people.hour[person]) / 24


def _described(
    rng: np.random.Generator, people: People, records: Records, purchases: Purchases,
    session: dict[str, Array],
) -> dict[str, Array]:  # fmt: skip
    """The device, the origin and the login of each session."""
    person, count = session["person"], len(session["person"])
    draw = rng.random((4, count))
    bought = session["purchase"] >= 0
    by_app = np.append(purchases.channel, 0)[session["purchase"]] == 2
    second = draw[0] < SECOND_DEVICE
    is_hidden = ~bought & (session["moment"] < records.hidden_until[person])
    visitor = records.visitor[person]
    visitor = np.where(second, records.other_visitor(people, person), visitor)
    visitor = np.where(is_hidden, records.hidden_visitor(people)[person], visitor)
    is_new = session["moment"] < people.start[person] + 1
    usual = Choice(np.array(USUAL_MEDIA)).draw(rng, count)
    first = np.array(MEDIUM_OF_SOURCE)[people.source[person]]
    medium = np.where(is_new & (draw[1] < 0.7), first, usual)
    of_channel = np.array([MEDIA.index(name) if name in MEDIA else 0 for name in CHANNELS])
    of_wave = of_channel[np.array(TURNS)[session["wave"] % len(TURNS)]]
    medium = np.where(session["wave"] >= 0, of_wave, medium)
    has_account = session["moment"] >= records.since("shop")[person]
    return session | {
        "visitor": visitor,
        "is_app": np.where(bought, by_app, has_account & (draw[2] < 0.25)),
        "is_logged_in": has_account & ~is_hidden & (bought | (draw[3] < LOGGED_IN)),
        "medium": medium,
        "is_bot": np.zeros(count, bool),
    }


def _with_bots(
    rng: np.random.Generator, session: dict[str, Array], days: Days, first: int
) -> dict[str, Array]:
    """Add the sessions of programs."""
    count = int(len(session["person"]) * BOTS)
    none = np.full(count, -1)
    bots = {
        "person": none, "moment": rng.random(count) * days.horizon,
        "kind": np.full(count, KINDS.index("browse")), "purchase": none, "wave": none,
        "visitor": scramble(first + BOT_COOKIES + rng.integers(0, 1 + count // 5, count), VISITOR),
        "is_app": np.zeros(count, bool), "is_logged_in": np.zeros(count, bool),
        "medium": np.zeros(count, np.int64), "is_bot": np.ones(count, bool),
    }  # fmt: skip
    return {name: np.concatenate([session[name], bots[name]]) for name in session}


def _events(
    rng: np.random.Generator, people: People, catalogue: Catalogue, session: dict[str, Array],
    ordered: Array,
) -> dict[str, Array]:  # fmt: skip
    """The events of the sessions, in order; `ordered` are the moments of the purchases."""
    mean = np.array(list(EVENTS_OF.values()))[session["kind"]]
    least = np.array([1, 2, 4, 6])[session["kind"]]
    count = least + rng.poisson(np.maximum(mean - least, 0))
    count = np.where(session["is_bot"], 1 + rng.poisson(BOT_EVENTS, len(count)), count)
    session["events"] = count
    row = np.repeat(np.arange(len(count)), count)
    place = within(count)
    left = count[row] - place - 1
    gap = rng.exponential(GAP_SECONDS, len(row)) * np.where(session["is_bot"], 0.02, 1.0)[row] + 1
    gap[place == 0] = 0
    passed = np.cumsum(gap)
    second = passed - passed[np.cumsum(count) - count][row]
    # A visit that ends with a purchase ends at its moment.
    bought = session["purchase"] >= 0
    lasts = (np.append(ordered, 0.0)[session["purchase"]] - session["moment"]) * 86_400
    scale = np.where(bought, lasts / np.maximum(second[np.cumsum(count) - 1], 1), 1.0)
    second = second * scale[row]
    name = _event_names(rng, session["kind"][row], place, left)
    return {"session": row, "second": second, "name": name,
            "product": _event_products(rng, people, catalogue, session, row, name)}  # fmt: skip


def _event_names(rng: np.random.Generator, kind: Array, place: Array, left: Array) -> Array:
    draw = rng.random(len(kind))
    name = np.select([draw < 0.5, draw < 0.75, draw < 0.85], [PRODUCT, LIST, SEARCH], PAGE)
    name[place == 0] = PAGE
    cart, bought = kind == KINDS.index("cart"), kind == KINDS.index("purchase")
    name[(cart & (left == 1)) | (bought & (left == 3))] = ADDED
    name[(cart & (left == 0)) | (bought & (left == 2))] = CART
    name[bought & (left == 1)] = CHECKOUT
    name[bought & (left == 0)] = ORDER
    return name


def _event_products(
    rng: np.random.Generator, people: People, catalogue: Catalogue, session: dict[str, Array],
    row: Array, name: Array,
) -> Array:  # fmt: skip
    """The product of the events that show one: of one department in a session, by taste."""
    person = np.maximum(session["person"], 0)
    bounds = np.cumsum(people.taste[person], axis=1)
    department = (rng.random((len(person), 1)) > bounds).sum(axis=1)
    department = np.minimum(department, bounds.shape[1] - 1)
    product = np.full(len(row), -1)
    shown = np.flatnonzero((name == PRODUCT) | (name == ADDED))
    product[shown] = catalogue.draw(rng, department[row[shown]])
    return product


def paid_visits(session: dict[str, Array], days: Days) -> Array:
    """Visits that paid media brought, by source and day of history, for the platforms to count.

    Returns:
        Shape (sources, days of history).
    """
    counts = np.zeros((len(SOURCES), days.horizon))
    for medium, source in PAID_MEDIA.items():
        rows = (session["person"] >= 0) & (session["medium"] == medium)
        counts[source] = np.bincount(
            session["moment"][rows].astype(np.int64), minlength=days.horizon
        )
    return counts
