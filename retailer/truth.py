"""The truth beside what is delivered: for tests and benchmarks, never for the pipeline.

Belongs here: what is planted, row by row and person by person. Does not belong here: anything that a
system of the retailer could know.

Everything lies in a folder of its own, `FOLDER`, beside the landing folder and never in it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retailer import campaigns as c
from retailer.columns import cents, instants, named, numbered, whole, words
from retailer.deliveries import PREFIXES, PURPOSES, STATUSES, consent_states, purpose_states
from retailer.part import EVENT_BITS, Part
from retailer.people import LIFE_EVENTS, SOURCES, THEMES
from retailer.purchases import CAUSES, CHANNELS
from retailer.randomness import Array
from retailer.records import SYSTEMS, scramble
from retailer.texts import SPLITS, TOPICS

FOLDER = "truth"
TIERS = ("low", "mid", "high")
TRAPS = (
    "name_typo", "swapped_names", "maiden_name", "placeholder", "shared_email", "land_line",
    "recycled_phone", "email_typo", "moved", "is_new_address", "shares_device", "shares_card",
    "second_email",
)  # fmt: skip


def tables(part: Part) -> dict[str, pa.Table]:
    """The truth of a part, by name of the table."""
    return {
        "persons": _persons(part),
        "next_year": _next_year(part),
        "records": _records(part),
        "purchases": _purchases(part),
        "texts": _texts(part),
        "sessions": _sessions(part),
        "events": _events(part),
        "messages": _messages(part),
        "consents": _consents(part),
        "anonymous": _anonymous(part),
        "referrals": _referrals(part),
    }


def _number(part: Part, rows: Array) -> pa.Array:
    return whole(np.where(rows >= 0, part.people.first + rows, -1))


def _persons(part: Part) -> pa.Table:
    """One row per person: who they are, and what decides what they do."""
    people, days, bought = part.people, part.plan.days, part.purchases
    return pa.table({
        "person": _number(part, np.arange(len(people))),
        "household": whole(people.household),
        "country": whole(people.country),
        "is_prospect": people.is_prospect,
        "source": named(people.source, [one.name for one in SOURCES]),
        "entry_department": whole(people.entry),
        "start": people.start,
        "rate": people.rate,
        "leave_probability": people.leave,
        "price_attention": whole(people.minding),
        "taste": list(people.taste),
        "dearness": people.dearness,
        "favourite_brand": whole(people.brand),
        "online_share": people.web,
        "usual_hour": people.hour,
        "theme": named(people.theme, THEMES),
        "fatigue": people.fatigue,
        "tier": named(people.tier, TIERS),
        "life_event": named(people.life_event, tuple(LIFE_EVENTS)),
        "life_event_day": whole(people.life_day),
        "twin": _number(part, people.twin),
        "namesake": _number(part, people.namesake),
        "left_at": instants(days, np.where(bought.left_at < days.future, bought.left_at, np.nan)),
        "left_by": named(np.where(bought.left_at < days.future, bought.left_by, -1), CAUSES),
    })  # fmt: skip


def _next_year(part: Part) -> pa.Table:
    """One row per person: what they really do in the 365 days after history.

    `paid` is with all taxes and before returns; `cost_of_goods` without tax.
    """
    days, bought = part.plan.days, part.purchases
    rows = np.flatnonzero((bought.moment >= days.horizon) & (bought.moment < days.future))
    net, cost = (
        np.bincount(part.lines["purchase"], part.lines[name], len(bought))
        for name in ("net", "cost")
    )
    count = len(part.people)
    revenue, goods = (np.bincount(bought.person[rows], one[rows], count) for one in (net, cost))
    return pa.table({
        "person": _number(part, np.arange(count)),
        "purchases": np.bincount(bought.person[rows], minlength=count),
        "paid": cents(np.round(revenue).astype(np.int64)),
        "cost_of_goods": cents(np.round(goods).astype(np.int64)),
    })  # fmt: skip


def _records(part: Part) -> pa.Table:
    """One row per record delivered as a profile: the person behind it, and what was done to it."""
    table = part.records.table
    rows = np.flatnonzero(table["created"] < part.plan.days.horizon)
    system = table["system"][rows]
    keys = np.empty(len(rows), object)
    for number, prefix in enumerate(PREFIXES):
        own = np.flatnonzero(system == number)
        keys[own] = numbered(prefix, table["key"][rows[own]]).to_pylist()
    return pa.table({
        "system": named(system, SYSTEMS),
        "key": words(keys),
        "person": _number(part, table["person"][rows]),
        "household": whole(part.people.household[table["person"][rows]]),
        **{name: table[name][rows] for name in TRAPS},
    })  # fmt: skip


def _purchases(part: Part) -> pa.Table:
    """One row per purchase of history: whose it is, and what happened with it."""
    rows, bought = part.history, part.purchases
    return pa.table({
        "order_id": whole(part.numbered(rows)),
        "person": _number(part, bought.person[rows]),
        "moment": bought.moment[rows],
        "repeat": whole(bought.repeat[rows], absent=-1),
        "channel": named(bought.channel[rows], CHANNELS),
        **{name: getattr(bought, name)[rows] for name in ("is_late", "is_poor", "has_call", "is_bad_call")},
        "campaign": numbered("CMP", bought.wave[rows]),
    })  # fmt: skip


def _texts(part: Part) -> pa.Table:
    """One row per text: what its writer felt. Every text is synthetic."""
    found = []
    for feed, table in (("service/interactions", part.calls), ("reviews/reviews", part.reviews),
                        ("social/activity", part.social)):  # fmt: skip
        rows = np.flatnonzero(table["text"] != None)  # noqa: E711
        found.append(pa.table({
            "feed": pa.array([feed] * len(rows), pa.string()),
            "id": whole(part.numbered(rows)),
            "person": _number(part, table["person"][rows]),
            "topic": named(table["topic"][rows], TOPICS),
            "satisfaction": whole(table["satisfaction"][rows]),
            "templates": named(table["split"][rows], SPLITS),
            "is_synthetic": np.ones(len(rows), bool),
        }))  # fmt: skip
    return pa.concat_tables(found)


def _sessions(part: Part) -> pa.Table:
    """One row per session: whose it is."""
    session, days = part.sessions, part.plan.days
    return pa.table({
        "session": whole(part.numbered(np.arange(len(session["person"])), EVENT_BITS)),
        "person": _number(part, session["person"]),
        "visitor_id": whole(session["visitor"]),
        "is_bot": session["is_bot"],
        "is_logged_in": session["is_logged_in"],
        "started_at": instants(days, session["moment"]),
        "events": whole(session["events"]),
    })  # fmt: skip


def _events(part: Part) -> pa.Table:
    """One row per event of the web and the app: its session, and whether a program made it."""
    row = part.events["session"]
    return pa.table({
        "event_id": whole(part.numbered(np.arange(len(row)), EVENT_BITS)),
        "session": whole(part.numbered(row, EVENT_BITS)),
        "is_bot": part.sessions["is_bot"][row],
    })  # fmt: skip


def _messages(part: Part) -> pa.Table:
    """One row per message of history: its states, and whether an opening was a person's."""
    found, days = part.contacts.messages, part.plan.days
    moments = ("moment", "opened", "machine_opened", "clicked", "complained", "unsubscribed")
    rows = np.flatnonzero(found["moment"] < days.horizon)
    seen = {
        name: np.where(found[name] < days.horizon, found[name], np.nan)[rows] for name in moments
    }
    return pa.table({
        "message": whole(part.numbered(rows, EVENT_BITS)),
        "person": _number(part, found["person"][rows]),
        "campaign": numbered("CMP", found["wave"][rows]),
        "bounce": named(found["bounce"][rows] - 1, ("hard", "soft")),
        **{name: instants(days, values) for name, values in seen.items()},
    })  # fmt: skip


def _consents(part: Part) -> pa.Table:
    """One row per decision: the identifier it is for, the purpose, the channel and the day."""
    written, further, days = consent_states(part), purpose_states(part), part.plan.days
    keys = scramble(part.people.first + written["person"], SYSTEMS.index("messaging"))
    count, more = len(keys), len(further["key"])
    by_channel = pa.table({
        "contact": numbered("M", keys),
        "address": words(written["address"]),
        "channel": named(written["channel"], c.CHANNELS).dictionary_decode(),
        "purpose": pa.array(["marketing"] * count, pa.string()),
        "status": named(written["status"], STATUSES).dictionary_decode(),
        "decided_at": instants(days, written["moment"]),
    })  # fmt: skip
    by_purpose = pa.table({
        "contact": numbered("C", further["key"]),
        "address": pa.nulls(more, pa.string()),
        "channel": pa.array(["all"] * more, pa.string()),
        "purpose": named(further["purpose"], tuple(PURPOSES)).dictionary_decode(),
        "status": named(further["status"], STATUSES).dictionary_decode(),
        "decided_at": instants(days, further["moment"]),
    })  # fmt: skip
    return pa.concat_tables([by_channel, by_purpose])


def _anonymous(part: Part) -> pa.Table:
    """One row per person who begins without a name: the cookie of that time, and how it ends."""
    records, days = part.records, part.plan.days
    rows = np.flatnonzero(records.hidden_until > -np.inf)
    until = np.where(records.hidden_until < days.horizon, records.hidden_until, np.nan)
    return pa.table({
        "person": _number(part, rows),
        "visitor_id": whole(records.hidden_visitor(part.people)[rows]),
        "until": instants(days, until[rows]),
        "is_revealed": records.is_revealed[rows],
    })  # fmt: skip


def _referrals(part: Part) -> pa.Table:
    """One row per person whom another brought."""
    found = part.referrals
    return pa.table(
        {
            "referrer": _number(part, found["referrer"]),
            "referred": _number(part, found["referred"]),
            "at": instants(part.plan.days, found["moment"]),
        }
    )
