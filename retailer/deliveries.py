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
from retailer.faults import DAILY
from retailer.media import CAMPAIGNS
from retailer.part import EVENT_BITS, Part
from retailer.people import LIFE_EVENTS, SOURCES, THEMES
from retailer.purchases import CHANNELS as WAYS
from retailer.purchases import DELIVERY_DAYS
from retailer.randomness import Array, mixed, stream, within
from retailer.records import HANDLE, HOLDS, SYSTEMS, scramble

PREFIXES = ("F", "W", "C", "M", "K", "S", "G")
"""What the keys of each system of people begin with."""
STORE_EMAILS = 0.005
RECEIPTS = 0.3
"""Share of tickets with a card whose buyer asks for the receipt by e-mail."""
ERASURES = 0.002


@dataclass(frozen=True)
class Feed:
    """A kind of file of a system.

    Attributes:
        system: folder under `landing`.
        name: how its files begin.
        form: `csv`, `csv.gz`, `jsonl`, `jsonl.gz`, `xlsx` or `parquet`, when there are few people.
        separator, encoding: of CSV.
        times: `iso`, `french` (day first, Paris time) or `epoch` (milliseconds).
        has_decimal_comma: amounts are written `12,90`.
    """

    system: str
    name: str
    form: str = "csv"
    separator: str = ","
    encoding: str = "utf-8"
    times: str = "iso"
    has_decimal_comma: bool = False


def _person_keys(part: Part, person: Array, system: str, moment: Array) -> Array:
    """Number of the key of each person in a system, -1 where it does not know them at that moment."""
    number = SYSTEMS.index(system)
    rows = np.maximum(person, 0)
    since = part.records.since(system)[rows]
    is_known = (person >= 0) & np.isfinite(since) & (since <= moment)
    return np.where(is_known, scramble(part.people.first + rows, number), -1)


RENAMED = {
    "birth_day": "birth_date", "loyalty_card_key": "loyalty_card", "visitor_key": "visitor",
    "device_key": "device",
}  # fmt: skip
"""What systems call a value of a record, where it is not its name here."""


def _profiles(*systems: str) -> Callable[[Part], dict[str, pa.Array]]:
    """Profiles of systems that deliver them together, with what the first of them holds."""

    def make(part: Part) -> dict[str, pa.Array]:
        table, days = part.records.table, part.plan.days
        wanted = [SYSTEMS.index(one) for one in systems]
        rows = np.flatnonzero(np.isin(table["system"], wanted) & (table["created"] < days.horizon))
        system, created = table["system"][rows], table["created"][rows]
        keys = [
            numbered(PREFIXES[n], np.where(system == n, table["key"][rows], -1)) for n in wanted
        ]
        made = {name: _value(name, table[name][rows]) for name in HOLDS[systems[0]]}
        return {
            "_day": _days_of(created),
            "id": _first_of(keys),
            "created_at": instants(days, created),
            **{RENAMED.get(name, name): column for name, column in made.items()},
        }

    return make


def _value(name: str, values: Array) -> pa.Array:
    """A value of records as its systems write it."""
    if name == "birth_day":
        return _births(values)
    prefix = {"loyalty_card_key": "29", "device_key": "d"}.get(name)
    if prefix:
        return numbered(prefix, values)
    return whole(values) if name == "visitor_key" else words(values)


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
    """Orders of the web shop, the app and the telephone; once more when they are delivered.

    Of what was delivered before the daily files begin the last state alone is told.
    """
    rows, _ = _orders(part, in_store=False)
    p, days = part.purchases, part.plan.days
    arrived = p.arrived[rows]
    began = days.horizon - DAILY
    is_done = arrived < days.horizon
    first = _order_states(part, rows, np.where(is_done & (arrived < began), arrived, np.nan))
    again = np.flatnonzero(is_done & (arrived >= began))
    second = _order_states(part, rows[again], arrived[again])
    return {
        name: np.concatenate([first[name], second[name]]) if name == "_day"
        else pa.concat_arrays([first[name], second[name]])
        for name in first
    }  # fmt: skip


def _order_states(part: Part, rows: Array, arrived: Array) -> dict[str, pa.Array]:
    """These orders as the shop knows them, delivered or (NaN) not yet."""
    p, days = part.purchases, part.plan.days
    person, moment = p.person[rows], p.moment[rows]
    account, guest = (_person_keys(part, person, one, moment) for one in ("shop", "guest"))
    known_at = np.where(np.isnan(arrived), moment, arrived)
    is_told_late = ~np.isnan(arrived) & (arrived >= days.horizon - DAILY)
    return {
        "_day": _days_of(np.where(is_told_late, known_at, moment)),
        "order_id": whole(part.numbered(rows)),
        "client_id": _first_of([numbered("W", account), numbered("G", guest)]),
        "channel": named(p.channel[rows], WAYS),
        "updated_at": instants(days, known_at),
        "ordered_at": instants(days, moment),
        "promised_on": dates(days, np.floor(moment) + DELIVERY_DAYS),
        "delivered_on": dates(days, np.floor(arrived)),
        "coupon": _coupons(part, rows),
        "currency": named(np.zeros(len(rows), int), ("EUR",)),
    }


def _coupons(part: Part, rows: Array) -> pa.Array:
    """The coupon of the campaign, where one was used."""
    used = np.bincount(part.lines["purchase"], part.lines["coupon"], len(part.purchases)) > 0
    return numbered("CP", np.where(used[rows], part.purchases.offer[rows], -1))


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
        "email_ticket": _receipts(part, rows, person, store),
        "coupon": _coupons(part, rows),
        "devise": named(np.zeros(len(rows), int), ("EUR",)),
    }


def _stores(part: Part, rows: Array, person: Array) -> Array:
    """Mostly the store of the city, or one of the region; now and then another."""
    rng = stream(part.plan.seed, "stores", part.number)
    home = part.catalogue.store_near[part.people.city[person]]
    abroad = part.people.country[person] > 0
    usual = np.where(abroad, scramble(part.people.first + person, HANDLE) % STORES, home)
    return np.where(rng.random(len(rows)) < 0.85, usual, rng.integers(0, STORES, len(rows)))


def _cards(part: Part, person: Array, moment: Array) -> Array:
    """The card on each ticket: of its recorded holder, or of who is recognised by it later on."""
    records = part.records
    since = records.since("stores")[person]
    is_revealed = np.isfinite(records.hidden_until[person]) & records.is_revealed[person]
    has_card = np.isfinite(since) & ((since <= moment) | is_revealed)
    return np.where(has_card, records.card[person], -1)


def _receipts(part: Part, rows: Array, person: Array, store: Array) -> pa.Array:
    """The e-mail that a receipt goes to; a few tills give the store's own."""
    rng = stream(part.plan.seed, "receipts", part.number)
    table = part.records.table
    at = np.full(len(part.people), -1)
    own = np.flatnonzero((table["system"] == SYSTEMS.index("stores")) & (table["email"] != None))  # noqa: E711
    at[table["person"][own]] = own
    email = np.full(len(rows), None, object)
    is_known = part.records.since("stores")[person] <= part.purchases.moment[rows]
    asked = np.flatnonzero(is_known & (at[person] >= 0) & (rng.random(len(rows)) < RECEIPTS))
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
    kept = np.flatnonzero((moment >= 0) & (moment < days.horizon))
    row, moment = row[kept], moment[kept]
    name, product = events["name"][kept], events["product"][kept]
    person = session["person"]
    account = np.where(
        session["is_logged_in"], _person_keys(part, person, "shop", session["moment"]), -1
    )
    agent = session["visitor"] * 31 % 4
    honest = session["visitor"] % 100 < SEEN_AS_BOT * 100
    agent = np.where(session["is_bot"] & honest, 4, agent)
    bought = np.where(name == v.ORDER, session["purchase"][row], -1)
    paid = np.bincount(part.lines["purchase"], part.lines["net"], len(part.purchases) + 1)
    return {
        "_day": _days_of(moment),
        "event_id": whole(part.numbered(kept, EVENT_BITS)),
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
        "utm_campaign": _visit_campaigns(session, row),
        "search": named(np.where(name == v.SEARCH, row % len(SEARCHED), -1), SEARCHED),
        "sku": named(product, PRODUCT_KEYS),
        "order_id": whole(part.numbered(bought)),
        "value": cents(np.where(bought >= 0, paid[bought], 0).astype(np.int64)),
    }


MEDIUM_SOURCES = (
    "moteur", "moteur_ads", "reseau_social", "comparateur", "partenaire", "jeu_concours", "newsletter",
    "sms", "push", "whatsapp",
)  # fmt: skip
"""What the site calls the origin of a visit, for each medium but the direct one."""


def _visit_campaigns(session: dict[str, Array], row: Array) -> pa.Array:
    """The campaign of each event's visit: of messages by its key, of paid media by its name."""
    paid = np.array([v.PAID_MEDIA.get(medium, -1) for medium in range(len(v.MEDIA))])[
        session["medium"]
    ]
    campaigns = [f"CMP{wave:08d}" for wave in range(int(session["wave"].max(initial=0)) + 1)]
    names = campaigns + [
        f"{SOURCES[n].name}-{k + 1}" for n in range(len(SOURCES)) for k in range(CAMPAIGNS)
    ]
    of_paid = len(campaigns) + paid * CAMPAIGNS + session["visitor"] % CAMPAIGNS
    number = np.where(session["wave"] >= 0, session["wave"], np.where(paid >= 0, of_paid, -1))
    return named(number[row], names)


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
    start = found["wave"] * c.EVERY + 3
    rows = np.flatnonzero(start < days.horizon)
    contact = _person_keys(part, found["person"][rows], "messaging", start[rows] + 1.0)
    return {
        "_day": start[rows].astype(np.int32),
        "assignment": words(np.array([
            f"{wave}-{key}" for wave, key in zip(found["wave"][rows], contact, strict=True)
        ], object)),
        "campaign": numbered("CMP", found["wave"][rows]),
        "contact": numbered("M", contact),
        "arm": named(found["arm"][rows], ("holdout", "x1", "x2", "x3", "x4")),
        "assigned_at": instants(days, start[rows] + 0.3),
    }  # fmt: skip


def _messages(part: Part) -> dict[str, pa.Array]:
    found, days = part.contacts.messages, part.plan.days
    rows = np.flatnonzero(found["moment"] < days.horizon)
    moment, wave = found["moment"][rows], found["wave"][rows]
    channel = np.array(c.TURNS)[wave % len(c.TURNS)]
    return {
        "_day": _days_of(moment),
        "message": whole(part.numbered(rows, EVENT_BITS)),
        "sent_at": instants(days, moment),
        "channel": named(channel, c.CHANNELS),
        "contact": numbered(
            "M", _person_keys(part, found["person"][rows], "messaging", moment + 1)
        ),
        "campaign": numbered("CMP", wave),
        "theme": named(wave * 3 % len(THEMES), THEMES),
        "step": whole(found["step"][rows]),
        "cost": cents(np.round(np.array(c.COST_CENTS) * 100).astype(np.int64)[channel], 4),
    }


def _message_events(part: Part) -> dict[str, pa.Array]:
    found, days = part.contacts.messages, part.plan.days
    kinds = message_states(found)
    row = np.concatenate([rows for rows, _, _, _ in kinds])
    kind = np.concatenate([np.full(len(rows), number) for rows, _, number, _ in kinds])
    moment = np.concatenate([moments for _, moments, _, _ in kinds])
    detail = np.concatenate([details for _, _, _, details in kinds])
    kept = np.flatnonzero(moment < days.horizon)
    return {
        "_day": _days_of(moment[kept]),
        "event": whole(part.numbered(kept, EVENT_BITS)),
        "message": whole(part.numbered(row[kept], EVENT_BITS)),
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
        "contact": numbered("K", _person_keys(part, person, "service", moment)),
        "from": _callers(part, person),
        "reason": named(found["noted"], voices.NOTED),
        "outcome": named(found["outcome"], voices.OUTCOMES),
        "order_id": whole(part.numbered(found["purchase"])),
        "wait_seconds": pa.array(np.round(found["wait"])),
        "handling_seconds": pa.array(np.round(found["handling"])),
        "satisfaction": pa.array(found["satisfaction"], mask=~is_told),
        "cost": cents(cost),
        "transcript": words(found["text"]),
    }


def _callers(part: Part, person: Array) -> pa.Array:
    """The number a person calls from: the mobile number of one of their records; none of a chat."""
    table = part.records.table
    number = np.full(len(part.people), None, object)
    told = table["mobile_phone"] != np.array(None)
    number[table["person"][told]] = table["mobile_phone"][told]
    return words(
        np.where(part.calls["is_chat"], np.full(len(person), None, object), number[person])
    )


def _reviews(part: Part) -> dict[str, pa.Array]:
    found, days = part.reviews, part.plan.days
    return {
        "_day": _days_of(found["moment"]),
        "review_id": whole(part.numbered(np.arange(len(found["person"])))),
        "submitted_at": instants(days, found["moment"]),
        "account_id": numbered("W", _person_keys(part, found["person"], "shop", found["moment"])),
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
        "network": named(scramble(part.people.first + found["person"], HANDLE) % 3, NETWORKS),
        "activity": named(found["activity"], voices.ACTIVITIES),
        "profile": numbered("S", _person_keys(part, found["person"], "social", found["moment"])),
        "text": words(found["text"]),
    }


def _referrals(part: Part) -> dict[str, pa.Array]:
    """Referrals as they are made, and once more when the person who was brought buys."""
    found, days = part.referrals, part.plan.days
    referrer = _person_keys(part, found["referrer"], "crm", found["moment"])
    rows = np.flatnonzero(referrer >= 0)
    made = found["moment"][rows]
    referred = found["referred"][rows]
    bought = np.where(part.people.is_prospect[referred], np.inf, part.people.start[referred] + 1)
    again = np.flatnonzero(bought < days.horizon)
    row = np.concatenate([np.arange(len(rows)), again])
    told = np.concatenate([made, np.maximum(bought, made)[again]])
    is_second = np.arange(len(row)) >= len(rows)
    known = _person_keys(part, referred, "crm", bought)
    return {
        "_day": _days_of(told),
        "parrainage": whole(part.numbered(rows[row])),
        "maj": instants(days, told),
        "date": instants(days, made[row]),
        "parrain": numbered("C", referrer[rows][row]),
        "filleul": numbered("C", np.where(is_second, known[row], -1)),
        "statut": named(is_second.astype(int), ("registered", "converted")),
        "date_achat": instants(days, np.where(is_second, told, np.nan)),
        "prime": cents(np.where(is_second, 1_000, 0)),
    }


NETWORKS = ("photo", "video", "forum")


def _contact_consents(part: Part) -> dict[str, pa.Array]:
    """What people permit on each channel, for the address they gave, as the message platform keeps it."""
    found, days = consent_states(part), part.plan.days
    person, channel = found["person"], found["channel"]
    known = _person_keys(part, person, "messaging", np.full(len(person), np.inf))
    key = [f"M{k:08d}-{c.CHANNELS[n]}" for k, n in zip(known, channel, strict=True)]
    return {
        "_day": _days_of(found["moment"]),
        "consent": words(np.array(key, object)),
        "contact": numbered("M", known),
        "address": words(found["address"]),
        "channel": named(channel, c.CHANNELS),
        "purpose": named(np.zeros(len(person), int), ("marketing",)),
        "status": named(found["status"], STATUSES),
        "decided_at": instants(days, found["moment"]),
    }


STATUSES = ("denied", "granted", "revoked")
PURPOSES = {"profiling": 0.7, "partner_sharing": 0.25}
"""Share of the contacts of the CRM who agree to each further purpose."""


def purpose_states(part: Part) -> dict[str, Array]:
    """Decisions on further purposes, one each: `key` in the CRM, `purpose`, `status`, `moment`."""
    rng = stream(part.plan.seed, "purposes", part.number)
    table = part.records.table
    is_crm = table["system"] == SYSTEMS.index("crm")
    rows = np.flatnonzero(is_crm & (table["created"] < part.plan.days.horizon))
    row = np.repeat(rows, len(PURPOSES))
    purpose = np.tile(np.arange(len(PURPOSES)), len(rows))
    share = np.array(list(PURPOSES.values()))[purpose]
    return {
        "key": table["key"][row], "purpose": purpose,
        "status": (rng.random(len(row)) < share).astype(np.int64), "moment": table["created"][row],
    }  # fmt: skip


def _purpose_consents(part: Part) -> dict[str, pa.Array]:
    found, days = purpose_states(part), part.plan.days
    names = tuple(PURPOSES)
    key = [f"C{k:08d}-{names[n]}" for k, n in zip(found["key"], found["purpose"], strict=True)]
    return {
        "_day": _days_of(found["moment"]),
        "consent": words(np.array(key, object)),
        "contact": numbered("C", found["key"]),
        "purpose": named(found["purpose"], names),
        "status": named(found["status"], STATUSES),
        "decided_at": instants(days, found["moment"]),
    }


def consent_states(part: Part) -> dict[str, Array]:
    """Every decision of history on being written to.

    Returns:
        `person`, `channel`, `address`, `status` (number in STATUSES), `moment`.
    """
    begun, table = part.records.since("messaging"), part.records.table
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
    address = np.full((len(begun), len(c.CHANNELS)), None, object)
    own = table["system"] == SYSTEMS.index("messaging")
    for number, column in enumerate(("email", "mobile_phone", None, None, "mobile_phone")):
        if column:
            address[table["person"][own], number] = table[column][own]
    found["address"] = address[found["person"], found["channel"]]
    kept = found["moment"] < part.plan.days.horizon
    return {name: values[kept] for name, values in found.items()}


def _life_events(part: Part) -> dict[str, pa.Array]:
    people, days = part.people, part.plan.days
    told = people.life_day + 10.4
    known = _person_keys(part, np.arange(len(people)), "crm", told)
    rows = np.flatnonzero((people.life_event >= 0) & (known >= 0) & (told < days.horizon))
    told = told[rows]
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


ROW_BITS = 40


def by_time(table: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The rows as they came about: what lies by person would say who is who.

    Args:
        table: columns; sorted by the first that is a time, ties in no order that tells, or by day and key
            where none is.
    """
    times = [column for name, column in table.items() if name != "_day" and _is_time(column)]
    if times:
        time = times[0].cast(pa.int64()).to_numpy(zero_copy_only=False)
        order = np.lexsort((mixed(np.arange(len(time)), ROW_BITS, 0), time))
    else:
        key = next(column for name, column in table.items() if name != "_day")
        order = np.lexsort((key.to_numpy(zero_copy_only=False), table["_day"]))
    rows = pa.array(order)
    return {name: pa.array(column).take(rows) for name, column in table.items()}


def _is_time(column: pa.Array | Array) -> bool:
    return isinstance(column, pa.Array) and pa.types.is_timestamp(column.type)


MAKERS: dict[Feed, Callable[[Part], dict[str, pa.Array]]] = {
    Feed("crm", "contacts", "csv", ";", "latin-1"): _profiles("crm"),
    Feed("crm", "consentements", "csv", ";", "latin-1"): _purpose_consents,
    Feed("crm", "evenements_de_vie", "csv", ";", "latin-1", "french"): _life_events,
    Feed("crm", "parrainages", "csv", ";", "latin-1", "french", has_decimal_comma=True): _referrals,
    Feed("crm", "demandes_effacement", "jsonl"): _erasures,
    Feed("shop", "accounts", "jsonl.gz"): _profiles("shop", "guest"),
    Feed("shop", "orders", "csv.gz"): shop_orders,
    Feed("shop", "order_lines", "csv.gz"): shop_lines,
    Feed("shop", "returns", "csv"): _returns(in_store=False),
    Feed("stores", "porteurs", "csv", ";", "latin-1", "french"): _profiles("stores"),
    Feed("stores", "tickets", "csv.gz", ";", "latin-1", "french"): tickets,
    Feed("stores", "lignes", "csv.gz", ";", "latin-1", has_decimal_comma=True): ticket_lines,
    Feed("stores", "retours", "csv", ";", "latin-1", "french", has_decimal_comma=True):
        _returns(in_store=True),
    Feed("web", "events", "jsonl.gz"): web_events,
    Feed("messaging", "contacts", "csv"): _profiles("messaging"),
    Feed("messaging", "consents", "csv"): _contact_consents,
    Feed("messaging", "assignments", "csv.gz", times="epoch"): _assigned,
    Feed("messaging", "messages", "csv.gz", times="epoch"): _messages,
    Feed("messaging", "events", "csv.gz", times="epoch"): _message_events,
    Feed("service", "contacts", "jsonl"): _profiles("service"),
    Feed("service", "interactions", "jsonl"): _calls,
    Feed("reviews", "reviews", "jsonl"): _reviews,
    Feed("social", "profiles", "jsonl"): _profiles("social"),
    Feed("social", "activity", "jsonl"): _social,
}  # fmt: skip
"""Feeds that grow with the people, and what makes them; those of the house as a whole are in `house`."""
FEEDS = tuple(MAKERS)
