"""Voices: calls, chats, reviews, social activity and referrals of people.

Belongs here: who says what about which purchase, and how content they are. Does not belong here: the
sentences (`texts`).
"""

from __future__ import annotations

import numpy as np

from retailer.days import Days
from retailer.people import REFERRAL, People
from retailer.purchases import DELIVERY_DAYS, Purchases, history
from retailer.randomness import Array, hours, stream
from retailer.records import Records
from retailer.texts import SPLITS, TOPICS, texts

REVIEWED = 0.06
REVIEWED_POOR = 0.22
CHAT_SHARE = 0.3
QUESTIONS = 0.0006
"""Calls per day of active people that no purchase caused."""
WAIT_SECONDS, WAIT_BAD_SECONDS = 95.0, 420.0
HANDLING_SECONDS = 310.0
AGENT_CENTS = 0.9
"""What a second of an agent costs, in cents."""
UNSOLVED = 0.6, 0.06
"""Share of calls that are noted as not solved: of bad ones, and of others."""
NOTED = ("livraison", "produit", "conseil", "prix", "retour", "autre")
NOTED_OF = (0, 1, 2, 3, 5, 4, 5, 5, 5, 5)
"""What an agent notes as the reason, by topic; one in eight notes another."""
MISNOTED = 0.125
OUTCOMES = ("résolu", "remboursé", "rappel prévu", "non résolu")
SOCIAL_POSTS = 3.0
"""Activities of who has a social record, per year, as a mean."""
ACTIVITIES = ("liked", "followed", "commented", "shared", "viewed", "mentioned")
ACTIVITY_SHARES = (0.45, 0.1, 0.15, 0.08, 0.14, 0.08)
SAYING = ("commented", "mentioned")
DRAWS = 12
EVALUATION = 0.2
"""Share of texts made of the templates kept for evaluation."""
LATE, POOR, ADVICE, PRICE, RETURN, STAFF, PRODUCT, QUESTION = (
    TOPICS.index(name)
    for name in ("late_delivery", "poor_product", "bad_advice", "price", "return_refund", "praise_staff",
                 "praise_product", "order_question")
)  # fmt: skip


def make_calls(
    seed: int, part: int, people: People, purchases: Purchases, days: Days
) -> dict[str, Array]:
    """Calls and chats of history: about purchases, and others.

    Returns:
        `person`, `purchase` (row or -1), `moment`, `is_chat`, `wait`, `handling` (seconds), `topic`
        (number in TOPICS), `satisfaction` (1 to 5), `is_bad`, `outcome` (number), `text`, `split`.
    """
    rng = stream(seed, "calls", part)
    rows = history(purchases, days)
    rows = rows[purchases.has_call[rows]]
    others = _questions(rng, people, purchases, days)
    person = np.concatenate([purchases.person[rows], others])
    purchase = np.concatenate([rows, np.full(len(others), -1)])
    about = purchase >= 0
    late, poor, bad = (
        np.append(flags, np.False_)[purchase]
        for flags in (purchases.is_late, purchases.is_poor, purchases.is_bad_call)
    )
    after = np.where(about, rng.exponential(2.0, len(person)) + 1, 0.0)
    begun, left = _life(people, purchases, days)
    anytime = begun[person] + rng.random(len(person)) * (left - begun)[person]
    # Who waits for a parcel that is late calls before it comes, once the promised day is over.
    known = np.where(purchases.is_late, purchases.moment + DELIVERY_DAYS, purchases.arrived)
    when = np.where(about, np.append(known, np.nan)[purchase], anytime)
    moment = np.floor(when + after) + hours(rng, np.full(len(person), 14.0)) / 24
    usual = rng.choice([QUESTION, PRICE, RETURN, ADVICE], len(person), p=[0.3, 0.25, 0.3, 0.15])
    topic = np.select([poor, late], [POOR, LATE], usual)
    is_advice = bad & ~poor & ~late & (rng.random(len(person)) < 0.5)
    topic = np.where(is_advice, ADVICE, topic)
    noted = np.array(NOTED_OF)[topic]
    calls = {
        "person": person, "purchase": purchase, "moment": moment,
        "is_chat": rng.random(len(person)) < CHAT_SHARE,
        "wait": np.where(bad, WAIT_BAD_SECONDS, WAIT_SECONDS) * rng.gamma(2.0, 0.5, len(person)),
        "handling": HANDLING_SECONDS * rng.gamma(3.0, 1 / 3, len(person)),
        "topic": topic, "is_bad": bad,
        "satisfaction": _satisfaction(rng, np.select([bad, late | poor], [1.3, 3.1], 4.1)),
        "outcome": np.where(
            rng.random(len(person)) < np.where(bad, *UNSOLVED), 3, rng.integers(0, 3, len(person))
        ),
        "noted": np.where(
            rng.random(len(person)) < MISNOTED,
            (noted + rng.integers(1, len(NOTED), len(person))) % len(NOTED), noted,
        ),
    }  # fmt: skip
    kept = moment < days.horizon
    calls = {name: values[kept] for name, values in calls.items()}
    kind = np.where(calls["is_chat"], "chat", "call")
    return calls | _said(rng, kind, calls["topic"], calls["satisfaction"])


def _questions(rng: np.random.Generator, people: People, purchases: Purchases, days: Days) -> Array:
    """People who call though no purchase gave them cause."""
    begun, left = _life(people, purchases, days)
    return np.repeat(np.arange(len(people)), rng.poisson(QUESTIONS * (left - begun)))


def _life(people: People, purchases: Purchases, days: Days) -> tuple[Array, Array]:
    """The days of history on which each person becomes a customer and leaves."""
    begun = np.clip(people.start, 0, days.horizon)
    return begun, np.clip(
        np.where(people.is_prospect, begun, purchases.left_at), begun, days.horizon
    )


def _satisfaction(rng: np.random.Generator, mean: Array) -> Array:
    return np.clip(np.round(mean + rng.normal(0, 0.7, len(mean))), 1, 5).astype(np.int64)


def _said(
    rng: np.random.Generator, kind: Array, topic: Array, satisfaction: Array
) -> dict[str, Array]:
    """A text for each, and the number of the split whose templates it is made of."""
    split = (rng.random(len(kind)) < EVALUATION).astype(np.int64)
    draw = rng.random(len(kind))
    said = np.empty(len(kind), object)
    cells, back = np.unique(
        np.stack([kind == "review", kind == "call", kind == "chat", topic, satisfaction, split]).T,
        axis=0, return_inverse=True,
    )  # fmt: skip
    back = back.ravel()
    for number, (review, call, chat, what, level, part) in enumerate(cells):
        name = "review" if review else "call" if call else "chat" if chat else "social"
        pool = np.array(texts(name, TOPICS[what], int(level), SPLITS[part]), object)
        rows = np.flatnonzero(back == number)
        said[rows] = pool[(draw[rows] * len(pool)).astype(np.int64)]
    return {"text": said, "split": split}


def make_reviews(
    seed: int, part: int, purchases: Purchases, lines: dict[str, Array], days: Days
) -> dict[str, Array]:
    """Reviews of history, each of a product that was bought.

    Returns:
        `person`, `purchase`, `product`, `moment`, `rating`, `topic`, `text`, `split`, `satisfaction`.
    """
    rng = stream(seed, "reviews", part)
    rows = history(purchases, days)
    chance = np.where(purchases.is_poor[rows] | purchases.is_late[rows], REVIEWED_POOR, REVIEWED)
    rows = rows[rng.random(len(rows)) < chance]
    poor, late = purchases.is_poor[rows], purchases.is_late[rows]
    satisfaction = _satisfaction(rng, np.select([poor, late], [1.8, 2.6], 4.3))
    topic = np.select([poor, late], [POOR, LATE], rng.choice([PRODUCT, STAFF, PRICE], len(rows)))
    moment = purchases.arrived[rows] + 1 + rng.exponential(9.0, len(rows))
    review = {
        "person": purchases.person[rows], "purchase": rows,
        "product": lines["product"][np.searchsorted(lines["purchase"], rows)], "moment": moment,
        "topic": topic, "satisfaction": satisfaction,
        "rating": np.clip(satisfaction + rng.choice([-1, 0, 0, 0, 1], len(rows)), 1, 5),
    }  # fmt: skip
    kept = moment < days.horizon
    review = {name: values[kept] for name, values in review.items()}
    kind = np.full(len(review["topic"]), "review")
    return review | _said(rng, kind, review["topic"], review["satisfaction"])


def make_social(
    seed: int, part: int, people: People, records: Records, days: Days
) -> dict[str, Array]:
    """What people with a social record do there in history.

    Returns:
        `person`, `moment`, `activity` (number in ACTIVITIES), `topic`, `satisfaction`, `text` (None
        where nothing is said), `split`.
    """
    rng = stream(seed, "social", part)
    begun = np.clip(records.since("social"), 0, days.horizon)
    mean = SOCIAL_POSTS / 365 * (days.horizon - begun)
    person = np.repeat(np.arange(len(people)), rng.poisson(mean))
    day = begun[person] + rng.random(len(person)) * (days.horizon - begun[person])
    moment = np.floor(day) + hours(rng, np.full(len(person), 19.0)) / 24
    activity = rng.choice(len(ACTIVITIES), len(person), p=ACTIVITY_SHARES)
    topic = rng.choice(
        [PRODUCT, STAFF, PRICE, POOR, LATE], len(person), p=[0.4, 0.2, 0.2, 0.1, 0.1]
    )
    satisfaction = _satisfaction(rng, np.where((topic == POOR) | (topic == LATE), 1.8, 4.2))
    said = _said(rng, np.full(len(person), "social"), topic, satisfaction)
    silent = ~np.isin(activity, [ACTIVITIES.index(name) for name in SAYING])
    said["text"][silent] = None
    return {"person": person, "moment": moment, "activity": activity, "topic": topic,
            "satisfaction": satisfaction} | said  # fmt: skip


def make_referrals(
    seed: int, part: int, people: People, purchases: Purchases, days: Days
) -> dict[str, Array]:
    """Who brought the people of the source of referrals: one of the customers of that day, drawn alike.

    Returns:
        `referrer`, `referred` (rows), `moment`; within history.
    """
    rng = stream(seed, "referrals", part)
    is_referred = people.source == REFERRAL
    referred = np.flatnonzero(is_referred & (people.start > 1) & (people.start < days.horizon))
    buyers = np.flatnonzero(~people.is_prospect)
    buyers = buyers[np.argsort(people.start[buyers], kind="stable")]
    before = np.searchsorted(people.start[buyers], people.start[referred] - 1)
    referred, before = referred[before > 0], before[before > 0]
    # Of those who came before, the first drawn who is still a customer did it.
    place = np.floor(before * rng.random((DRAWS, len(before)))).astype(np.int64)
    drawn = buyers[np.minimum(place, before - 1)]
    stays = purchases.left_at[drawn] > people.start[referred]
    referrer, found = drawn[np.argmax(stays, axis=0), np.arange(len(before))], stays.any(axis=0)
    referrer, referred = referrer[found], referred[found]
    return {
        "referrer": referrer, "referred": referred,
        "moment": np.maximum(people.start[referred] - rng.exponential(2.0, len(referred)), 0),
    }  # fmt: skip
