"""What each system delivers of a part: its own columns, names and keys.

Belongs here: which values go into which feed, and on which day. Does not belong here: faults
(`faults`), formats and files (`landing`).

Each table has a column `_day`: the number of the day whose file it comes with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retailer import campaigns as c
from retailer import visits as v
from retailer import voices
from retailer.baskets import REASONS
from retailer.catalogue import PRODUCTS, STORES
from retailer.columns import cents, dates, instants, named, numbered, whole, words
from retailer.part import EVENT_ROOM, Part
from retailer.people import LIFE_EVENTS, SOURCES, THEMES
from retailer.purchases import CHANNELS as WAYS
from retailer.randomness import Array, stream, within
from retailer.records import SYSTEMS, scramble
from retailer.texts import TOPICS

PREFIXES = ("F", "W", "C", "M", "K", "S", "G")
"""What the keys of each system of people begin with."""
STORE_EMAILS = 0.005
RECEIPTS = 0.3
"""Share of tickets with a card whose buyer asks for the receipt by e-mail."""
CONSENT_PURPOSE = "marketing"
ERASURES = 0.002
DELIVERY_DAYS, LATE_DAYS = 3, 8


@dataclass(frozen=True)
class Feed:
    """A kind of file of a system.

    Attributes:
        system: folder under `landing`.
        name: how its files begin.
        make: the table of a part.
        form: `csv`, `csv.gz`, `jsonl`, `jsonl.gz`, `xlsx` or `parquet`, when there are few people.
        separator, encoding: of CSV.
        times: `iso`, `french` (day first, Paris time) or `epoch` (milliseconds).
        has_decimal_comma: amounts are written `12,90`.
    """

    system: str
    name: str
    make: Callable[[Part], dict[str, pa.Array]]
    form: str = "csv"
    separator: str = ","
    encoding: str = "utf-8"
    times: str = "iso"
    has_decimal_comma: bool = False


def _person_keys(part: Part, person: Array, system: str) -> Array:
    """Number of the key of each person in a system, -1 where it does not know them."""
    number = SYSTEMS.index(system)
    keys = scramble(part.people.first + np.maximum(person, 0), number)
    return np.where((person >= 0) & part.records.known[np.maximum(person, 0), number], keys, -1)


def _profiles(*systems: str) -> Callable[[Part], dict[str, pa.Array]]:
    def make(part: Part) -> dict[str, pa.Array]:
        table, days = part.records.table, part.plan.days
        wanted = [SYSTEMS.index(one) for one in systems]
        rows = np.flatnonzero(np.isin(table["system"], wanted) & (table["created"] < days.horizon))
        system = table["system"][rows]
        keys = [
            numbered(PREFIXES[n], np.where(system == n, table["key"][rows], -1)) for n in wanted
        ]
        created = table["created"][rows]
        columns = {
            "id": _first_of(keys),
            "created_at": instants(days, created),
            **{name: words(table[name][rows]) for name in (
                "first_name", "last_name", "email", "phone", "mobile_phone", "address_line_1",
                "postal_code", "city", "country_code", "language_code", "gender", "social_handle")},
            "birth_date": _births(table["birth_day"][rows]),
            "loyalty_card": numbered("29", table["loyalty_card_key"][rows]),
            "visitor": whole(table["visitor_key"][rows]),
            "device": numbered("d", table["device_key"][rows]),
        }  # fmt: skip
        held = {name: values for name, values in columns.items() if _is_held(name, systems)}
        return {"_day": _days_of(created), **held}

    return make


HELD = {
    "stores": "id created_at first_name last_name email mobile_phone address_line_1 postal_code city "
    "country_code gender birth_date loyalty_card",
    "shop": "id created_at first_name last_name email mobile_phone address_line_1 postal_code city "
    "country_code language_code visitor",
    "crm": "id created_at first_name last_name email mobile_phone phone address_line_1 postal_code city "
    "country_code language_code gender birth_date",
    "messaging": "id created_at email mobile_phone device",
    "service": "id created_at first_name last_name email mobile_phone phone",
    "social": "id created_at first_name last_name social_handle",
    "guest": "",
}
"""Columns of the profiles of each system."""


def _is_held(name: str, systems: tuple[str, ...]) -> bool:
    return name in HELD[systems[0]].split()


def _first_of(keys: list[pa.Array]) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(*keys)


def _births(values: Array) -> pa.Array:
    is_absent = np.array([value is None for value in values], bool)
    filled = np.where(is_absent, 0, values).astype(np.int32)
    return pa.array(filled, pa.date32(), mask=is_absent)


def _days_of(moments: Array) -> Array:
    return np.floor(moments).astype(np.int32)


def _orders(part: Part, *, in_store: bool) -> tuple[Array, Array]:
    """Rows of the purchases of history made in stores, or elsewhere, and the persons."""
    rows = part.history
    rows = rows[(part.purchases.channel[rows] == 0) == in_store]
    return rows, part.purchases.person[rows]


def shop_orders(part: Part) -> dict[str, pa.Array]:
    """Orders of the web shop, the app and the telephone."""
    rows, person = _orders(part, in_store=False)
    p, days = part.purchases, part.plan.days
    account, guest = (_person_keys(part, person, one) for one in ("shop", "guest"))
    moment = p.moment[rows]
    promised = np.floor(moment) + DELIVERY_DAYS
    arrived = promised + np.where(p.is_late[rows], LATE_DAYS, 0)
    return {
        "_day": _days_of(moment),
        "order_id": whole(part.numbered(rows)),
        "client_id": _first_of([numbered("W", account), numbered("G", guest)]),
        "channel": named(p.channel[rows], WAYS),
        "ordered_at": instants(days, moment),
        "promised_on": dates(days, promised),
        "delivered_on": dates(days, np.where(arrived < days.horizon, arrived, np.nan)),
        "coupon": _coupons(part, rows),
        "currency": named(np.zeros(len(rows), int), ("EUR",)),
        "updated_at": instants(days, moment),
    }


def _coupons(part: Part, rows: Array) -> pa.Array:
    """The coupon of the campaign, where one was used."""
    used = np.bincount(part.lines["purchase"], part.lines["coupon"], len(part.purchases)) > 0
    return numbered("CP", np.where(used[rows], part.purchases.wave[rows], -1))


def tickets(part: Part) -> dict[str, pa.Array]:
    """Tickets of the stores, with the card where there is one."""
    rows, person = _orders(part, in_store=True)
    p, days = part.purchases, part.plan.days
    moment = p.moment[rows]
    store = _stores(part, rows, person)
    card = _cards(part, person, moment)
    return {
        "_day": _days_of(moment),
        "ticket": whole(part.numbered(rows)),
        "magasin": numbered("MAG", store),
        "carte": numbered("29", card),
        "date_heure": instants(days, moment),
        "email_ticket": _receipts(part, rows, person, card, store),
        "coupon": _coupons(part, rows),
        "devise": named(np.zeros(len(rows), int), ("EUR",)),
    }


def _stores(part: Part, rows: Array, person: Array) -> Array:
    """Mostly the store near home, now and then another."""
    rng = stream(part.plan.seed, "stores", part.number)
    usual = (part.people.city[person] * 7 + part.people.country[person]) % STORES
    return np.where(rng.random(len(rows)) < 0.85, usual, rng.integers(0, STORES, len(rows)))


def _cards(part: Part, person: Array, moment: Array) -> Array:
    """The card on each ticket: none from who has none, or is lost to the retailer at that time."""
    records = part.records
    is_lost = (moment < records.hidden_until[person]) & ~records.is_revealed[person]
    return np.where(records.knows("stores")[person] & ~is_lost, records.card[person], -1)


def _receipts(part: Part, rows: Array, person: Array, card: Array, store: Array) -> pa.Array:
    """The e-mail that a receipt goes to; a few tills give the store's own."""
    rng = stream(part.plan.seed, "receipts", part.number)
    table = part.records.table
    at = np.full(len(part.people), -1)
    own = np.flatnonzero((table["system"] == SYSTEMS.index("stores")) & (table["email"] != None))  # noqa: E711
    at[table["person"][own]] = own
    email = np.full(len(rows), None, object)
    asked = np.flatnonzero((card >= 0) & (at[person] >= 0) & (rng.random(len(rows)) < RECEIPTS))
    email[asked] = table["email"][at[person[asked]]]
    shops = np.flatnonzero(rng.random(len(rows)) < STORE_EMAILS)
    email[shops] = [f"magasin{number:02d}@enseigne.example" for number in store[shops]]
    return words(email)


def _lines(part: Part, *, in_store: bool) -> tuple[Array, Array]:
    """Rows of the lines of the purchases of `_orders`, and the purchases."""
    chosen = np.zeros(len(part.purchases), bool)
    chosen[_orders(part, in_store=in_store)[0]] = True
    rows = np.flatnonzero(chosen[part.lines["purchase"]])
    return rows, part.lines["purchase"][rows]


def _places(part: Part) -> Array:
    """The place of each line in its purchase, from 1."""
    return within(np.bincount(part.lines["purchase"], minlength=len(part.purchases))) + 1


def shop_lines(part: Part) -> dict[str, pa.Array]:
    """Lines of the orders of the shop."""
    rows, purchase = _lines(part, in_store=False)
    lines = part.lines
    return {
        "_day": _days_of(part.purchases.moment[purchase]),
        "order_id": whole(part.numbered(purchase)),
        "line": whole(_places(part)[rows]),
        "sku": numbered("P", lines["product"][rows]),
        "quantity": whole(lines["quantity"][rows]),
        "paid": cents(lines["net"][rows]),
        "discount": cents(lines["discount"][rows]),
        "coupon_discount": cents(lines["coupon"][rows]),
    }


def ticket_lines(part: Part) -> dict[str, pa.Array]:
    """Lines of the tickets."""
    rows, purchase = _lines(part, in_store=True)
    lines = part.lines
    return {
        "_day": _days_of(part.purchases.moment[purchase]),
        "ticket": whole(part.numbered(purchase)),
        "ligne": whole(_places(part)[rows]),
        "article": numbered("P", lines["product"][rows]),
        "quantite": whole(lines["quantity"][rows]),
        "montant": cents(lines["net"][rows]),
        "remise": cents(lines["discount"][rows]),
        "remise_coupon": cents(lines["coupon"][rows]),
    }


def _returns(*, in_store: bool) -> Callable[[Part], dict[str, pa.Array]]:
    def make(part: Part) -> dict[str, pa.Array]:
        found, days = part.returns, part.plan.days
        bought_there = (part.purchases.channel[found["purchase"]] == 0) == in_store
        known = part.purchases.moment[found["purchase"]] >= 0
        rows = np.flatnonzero(bought_there & known & (found["moment"] < days.horizon))
        purchase, line = found["purchase"][rows], found["line"][rows]
        return {
            "_day": _days_of(found["moment"][rows]),
            "return_id": whole(part.numbered(rows)),
            "order_id": whole(part.numbered(purchase)),
            "sku": numbered("P", part.lines["product"][line]),
            "returned_at": instants(days, found["moment"][rows]),
            "quantity": whole(part.lines["quantity"][line]),
            "refunded": cents(part.lines["net"][line]),
            "reason": named(found["reason"][rows], REASONS),
        }

    return make


URLS = ("/", "/recherche", "/rayon", "/produit", "/panier/ajout", "/panier", "/commande", "/merci")
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)", "Mozilla/5.0 (Linux; Android 14)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
    "Mozilla/5.0 (compatible; PriceBot/2.1)",
)  # fmt: skip
SEARCHED = ("table", "lampe", "tondeuse", "perceuse", "tente", "vélo", "chaise", "cadeau")
PRODUCT_KEYS = tuple(f"P{number:08d}" for number in range(PRODUCTS))
SEEN_AS_BOT = 0.6
"""Share of programs that say what they are; the others show in how they behave only."""


def web_events(part: Part) -> dict[str, pa.Array]:
    """Events of the web site and the app, without a session: it is for the reader to find."""
    events, session, days = part.events, part.sessions, part.plan.days
    row = events["session"]
    moment = session["moment"][row] + events["second"] / 86_400
    kept = np.flatnonzero(moment < days.horizon)
    row, moment = row[kept], moment[kept]
    name, product = events["name"][kept], events["product"][kept]
    person = session["person"]
    account = np.where(session["is_logged_in"], _person_keys(part, person, "shop"), -1)
    agent = session["visitor"] * 31 % 4
    honest = session["visitor"] % 100 < SEEN_AS_BOT * 100
    agent = np.where(session["is_bot"] & honest, 4, agent)
    bought = np.where(name == v.ORDER, session["purchase"][row], -1)
    paid = np.bincount(part.lines["purchase"], part.lines["net"], len(part.purchases))
    wave = session["wave"]
    return {
        "_day": _days_of(moment),
        "event_id": whole(part.numbered(kept, EVENT_ROOM)),
        "timestamp": instants(days, moment),
        "event": named(name, v.NAMES),
        "platform": named(session["is_app"].astype(int)[row], ("web", "app")),
        "visitor_id": whole(session["visitor"][row]),
        "account_id": numbered_by_session("W", account, row),
        "device": named((agent > 1).astype(int)[row], ("mobile", "desktop")),
        "user_agent": named(agent[row], AGENTS),
        "path": named(name, URLS),
        "utm_source": named(session["medium"][row] - 1, MEDIUM_SOURCES),
        "utm_medium": named(session["medium"][row] - 1, v.MEDIA[1:]),
        "utm_campaign": numbered_by_session("CMP", wave, row),
        "search": named(np.where(name == v.SEARCH, row % len(SEARCHED), -1), SEARCHED),
        "sku": named(product, PRODUCT_KEYS),
        "order_id": whole(part.numbered(bought)),
        "value": cents(np.where(bought >= 0, paid[bought], 0).astype(np.int64)),
    }


MEDIUM_SOURCES = (
    "moteur", "moteur_ads", "reseau_social", "comparateur", "partenaire", "newsletter", "sms",
)  # fmt: skip
"""What the site calls the origin of a visit, for each medium but the direct one."""


def numbered_by_session(prefix: str, numbers: Array, row: Array) -> pa.Array:
    """Keys of sessions, for each of their events."""
    rows = np.flatnonzero(numbers >= 0)
    place = np.full(len(numbers), -1, np.int32)
    place[rows] = np.arange(len(rows))
    of_event = place[row]
    keys = pa.array(of_event, mask=of_event < 0)
    return pa.DictionaryArray.from_arrays(keys, numbered(prefix, numbers[rows]))


def _assigned(part: Part) -> dict[str, pa.Array]:
    found, days = part.contacts.assigned, part.plan.days
    if not found:
        return {
            "_day": np.zeros(0, np.int32),
            **_nothing("campaign", "contact", "arm", "assigned_at"),
        }
    start = found["wave"] * c.EVERY + 3
    rows = np.flatnonzero(start < days.horizon)
    contact = _person_keys(part, found["person"][rows], "messaging")
    return {
        "_day": start[rows].astype(np.int32),
        "campaign": numbered("CMP", found["wave"][rows]),
        "contact": numbered("M", contact),
        "arm": named(found["arm"][rows], ("holdout", "x1", "x2", "x3", "x4")),
        "assigned_at": instants(days, start[rows] + 0.3),
    }


def _nothing(*names: str) -> dict[str, pa.Array]:
    return {name: pa.array([], pa.string()) for name in names}


def _messages(part: Part) -> dict[str, pa.Array]:
    found, days = part.contacts.messages, part.plan.days
    names = (
        "message",
        "sent_at",
        "channel",
        "contact",
        "address",
        "campaign",
        "theme",
        "variant",
        "cost",
    )
    if not found:
        return {"_day": np.zeros(0, np.int32), **_nothing(*names)}
    rows = np.flatnonzero(found["moment"] < days.horizon)
    person, wave = found["person"][rows], found["wave"][rows]
    channel = np.array(c.TURNS)[wave % len(c.TURNS)]
    return {
        "_day": _days_of(found["moment"][rows]),
        "message": whole(part.numbered(rows, EVENT_ROOM)),
        "sent_at": instants(days, found["moment"][rows]),
        "channel": named(channel, c.CHANNELS),
        "contact": numbered("M", _person_keys(part, person, "messaging")),
        "campaign": numbered("CMP", wave),
        "theme": named(wave * 3 % len(THEMES), THEMES),
        "step": whole(found["step"][rows]),
        "cost": cents(np.round(np.array(c.COST_CENTS)[channel]).astype(np.int64)),
    }


def _message_events(part: Part) -> dict[str, pa.Array]:
    found, days = part.contacts.messages, part.plan.days
    if not found:
        return {
            "_day": np.zeros(0, np.int32),
            **_nothing("event", "message", "type", "at", "detail"),
        }
    kinds = message_states(found)
    row = np.concatenate([rows for rows, _, _, _ in kinds])
    kind = np.concatenate([np.full(len(rows), number) for rows, _, number, _ in kinds])
    moment = np.concatenate([moments for _, moments, _, _ in kinds])
    detail = np.concatenate([details for _, _, _, details in kinds])
    kept = np.flatnonzero(moment < days.horizon)
    return {
        "_day": _days_of(moment[kept]),
        "event": whole(part.numbered(kept, EVENT_ROOM)),
        "message": whole(part.numbered(row[kept], EVENT_ROOM)),
        "type": named(kind[kept], c.EVENTS),
        "at": instants(days, moment[kept]),
        "detail": named(detail[kept], ("hard", "soft")),
    }


def message_states(found: dict[str, Array]) -> list[tuple[Array, Array, int, Array]]:
    """Rows, moments, number in EVENTS and detail of what became of messages, kind by kind."""
    arrived = np.flatnonzero(found["bounce"] == 0)
    bounced = np.flatnonzero(found["bounce"] > 0)
    states = [
        (arrived, found["moment"][arrived] + 0.0001, 0, np.full(len(arrived), -1)),
        (bounced, found["moment"][bounced] + 0.0005, 3, found["bounce"][bounced] - 1),
    ]
    for column, number in (("machine_opened", 1), ("opened", 1), ("clicked", 2), ("complained", 4),
                           ("unsubscribed", 5)):  # fmt: skip
        rows = np.flatnonzero(~np.isnan(found[column]))
        states.append((rows, found[column][rows], number, np.full(len(rows), -1)))
    return states


def _calls(part: Part) -> dict[str, pa.Array]:
    found, days = part.calls, part.plan.days
    person, moment = found["person"], found["moment"]
    answered = moment + found["wait"] / 86_400
    cost = np.round(found["handling"] * voices.AGENT_CENTS).astype(np.int64)
    is_told = np.arange(len(person)) % 3 == 0
    return {
        "_day": _days_of(moment),
        "id": whole(part.numbered(np.arange(len(person)))),
        "type": named(found["is_chat"].astype(int), ("call", "chat")),
        "started_at": instants(days, moment),
        "answered_at": instants(days, answered),
        "ended_at": instants(days, answered + found["handling"] / 86_400),
        "contact": numbered("K", _person_keys(part, person, "service")),
        "from": _callers(part, person),
        "topic": named(found["topic"], TOPICS),
        "outcome": named(found["outcome"], voices.OUTCOMES),
        "order_id": whole(part.numbered(found["purchase"])),
        "wait_seconds": pa.array(np.round(found["wait"])),
        "handling_seconds": pa.array(np.round(found["handling"])),
        "satisfaction": pa.array(found["satisfaction"], mask=~is_told),
        "cost": cents(cost),
        "transcript": words(found["text"]),
    }


def _callers(part: Part, person: Array) -> pa.Array:
    """The number a person calls from: the mobile number of one of their records."""
    table = part.records.table
    number = np.full(len(part.people), None, object)
    number[table["person"]] = table["mobile_phone"]
    return words(number[person])


def _reviews(part: Part) -> dict[str, pa.Array]:
    found, days = part.reviews, part.plan.days
    return {
        "_day": _days_of(found["moment"]),
        "review_id": whole(part.numbered(np.arange(len(found["person"])))),
        "submitted_at": instants(days, found["moment"]),
        "account_id": numbered("W", _person_keys(part, found["person"], "shop")),
        "sku": numbered("P", found["product"]),
        "order_id": whole(part.numbered(found["purchase"])),
        "stars": whole(found["rating"]),
        "language": named(np.zeros(len(found["person"]), int), ("fr",)),
        "text": words(found["text"]),
    }


def _social(part: Part) -> dict[str, pa.Array]:
    found, days = part.social, part.plan.days
    return {
        "_day": _days_of(found["moment"]),
        "activity_id": whole(part.numbered(np.arange(len(found["person"])))),
        "at": instants(days, found["moment"]),
        "network": named(found["person"] % 3, ("photo", "video", "forum")),
        "activity": named(found["activity"], voices.ACTIVITIES),
        "profile": numbered("S", _person_keys(part, found["person"], "social")),
        "text": words(found["text"]),
    }


def _referrals(part: Part) -> dict[str, pa.Array]:
    found, days = part.referrals, part.plan.days
    referrer = _person_keys(part, found["referrer"], "crm")
    rows = np.flatnonzero(referrer >= 0)
    referred = _person_keys(part, found["referred"][rows], "crm")
    has_bought = ~part.people.is_prospect[found["referred"][rows]]
    bought = np.where(has_bought, part.people.start[found["referred"][rows]], np.nan)
    return {
        "_day": _days_of(found["moment"][rows]),
        "parrainage": whole(part.numbered(rows)),
        "date": instants(days, found["moment"][rows]),
        "parrain": numbered("C", referrer[rows]),
        "filleul": numbered("C", referred),
        "statut": named(has_bought.astype(int), ("registered", "converted")),
        "date_achat": instants(days, bought),
        "prime": cents(np.where(has_bought, 1_000, 0)),
    }


def _consents(part: Part) -> dict[str, pa.Array]:
    found = consent_states(part)
    days = part.plan.days
    person, channel = found["person"], found["channel"]
    known = _person_keys(part, person, "messaging")
    key = [f"M{k:08d}-{c.CHANNELS[n]}" for k, n in zip(known, channel, strict=True)]
    return {
        "_day": _days_of(found["moment"]),
        "consent": words(np.array(key, object)),
        "contact": numbered("M", known),
        "channel": named(channel, c.CHANNELS),
        "purpose": named(np.zeros(len(person), int), (CONSENT_PURPOSE,)),
        "status": named(found["status"], ("denied", "granted", "revoked")),
        "decided_at": instants(days, found["moment"]),
    }  # fmt: skip


def consent_states(part: Part) -> dict[str, Array]:
    """Every decision of history on being written to.

    Returns:
        `person`, `channel`, `status` (0 denied, 1 granted, 2 revoked), `moment`.
    """
    begun = c.begun(part.records)
    person, channel = np.nonzero(np.repeat(np.isfinite(begun)[:, None], len(c.CHANNELS), axis=1))
    first = part.contacts.agreed[person, channel].astype(int)
    ended = part.contacts.revoked[person, channel]
    rows = np.flatnonzero(np.isfinite(ended))
    found = {
        "person": np.concatenate([person, person[rows]]),
        "channel": np.concatenate([channel, channel[rows]]),
        "status": np.concatenate([first, np.full(len(rows), 2)]),
        "moment": np.concatenate([begun[person], ended[rows]]),
    }
    kept = found["moment"] < part.plan.days.horizon
    return {name: values[kept] for name, values in found.items()}


def _life_events(part: Part) -> dict[str, pa.Array]:
    people, days = part.people, part.plan.days
    known = _person_keys(part, np.arange(len(people)), "crm")
    rows = np.flatnonzero(
        (people.life_event >= 0) & (known >= 0) & (people.life_day + 10 < days.horizon)
    )
    told = people.life_day[rows] + 10.4
    return {
        "_day": _days_of(told),
        "id": whole(part.numbered(rows)),
        "contact": numbered("C", known[rows]),
        "type": named(people.life_event[rows], tuple(LIFE_EVENTS)),
        "date": dates(days, people.life_day[rows].astype(float)),
        "declared_at": instants(days, told),
    }


def _erasures(part: Part) -> dict[str, pa.Array]:
    rng = stream(part.plan.seed, "erasures", part.number)
    table, days = part.records.table, part.plan.days
    is_crm = table["system"] == SYSTEMS.index("crm")
    rows = np.flatnonzero(
        is_crm & (rng.random(len(is_crm)) < ERASURES) & (table["created"] < days.horizon)
    )
    asked = np.maximum(table["created"][rows], 0)
    moment = asked + (days.horizon - asked) * rng.random(len(rows))
    return {
        "_day": _days_of(moment),
        "id": whole(part.numbered(rows)),
        "requested_at": instants(days, moment),
        "status": named(np.zeros(len(rows), int), ("verified",)),
        "contact": numbered("C", table["key"][rows]),
        "email": words(table["email"][rows]),
    }


def by_time(table: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The rows as they came about: what lies by person would say who is who.

    Args:
        table: columns; sorted by the first that is a time, or by day and key where none is.
    """
    times = [column for name, column in table.items() if name != "_day" and _is_time(column)]
    if times:
        order = np.argsort(times[0].cast(pa.int64()).to_numpy(zero_copy_only=False), kind="stable")
    else:
        key = next(column for name, column in table.items() if name != "_day")
        order = np.lexsort((key.to_numpy(zero_copy_only=False), table["_day"]))
    rows = pa.array(order)
    return {name: pa.array(column).take(rows) for name, column in table.items()}


def _is_time(column: pa.Array | Array) -> bool:
    return isinstance(column, pa.Array) and pa.types.is_timestamp(column.type)


FEEDS = (
    Feed("crm", "contacts", _profiles("crm"), "csv", ";", "latin-1"),
    Feed("crm", "consentements", _consents, "csv", ";", "latin-1"),
    Feed("crm", "evenements_de_vie", _life_events, "csv", ";", "latin-1", "french"),
    Feed("crm", "parrainages", _referrals, "csv", ";", "latin-1", "french", has_decimal_comma=True),
    Feed("crm", "demandes_effacement", _erasures, "jsonl"),
    Feed("shop", "accounts", _profiles("shop", "guest"), "jsonl.gz"),
    Feed("shop", "orders", shop_orders, "csv.gz"),
    Feed("shop", "order_lines", shop_lines, "csv.gz"),
    Feed("shop", "returns", _returns(in_store=False), "csv"),
    Feed("stores", "porteurs", _profiles("stores"), "csv", ";", "latin-1", "french"),
    Feed("stores", "tickets", tickets, "csv.gz", ";", "latin-1", "french"),
    Feed("stores", "lignes", ticket_lines, "csv.gz", ";", "latin-1", has_decimal_comma=True),
    Feed("stores", "retours", _returns(in_store=True), "csv", ";", "latin-1", "french",
         has_decimal_comma=True),
    Feed("web", "events", web_events, "jsonl.gz"),
    Feed("messaging", "contacts", _profiles("messaging"), "csv"),
    Feed("messaging", "assignments", _assigned, "csv.gz", times="epoch"),
    Feed("messaging", "messages", _messages, "csv.gz", times="epoch"),
    Feed("messaging", "events", _message_events, "csv.gz", times="epoch"),
    Feed("service", "contacts", _profiles("service"), "jsonl"),
    Feed("service", "interactions", _calls, "jsonl"),
    Feed("reviews", "reviews", _reviews, "jsonl"),
    Feed("social", "profiles", _profiles("social"), "jsonl"),
    Feed("social", "activity", _social, "jsonl"),
)  # fmt: skip
"""Feeds that grow with the people; those of the house as a whole are in `house`."""
SOURCE_NAMES = tuple(one.name for one in SOURCES)
