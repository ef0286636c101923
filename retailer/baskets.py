"""Baskets: what is bought with each purchase, for how much, and what comes back.

Belongs here: lines of purchases and returns. Does not belong here: when people buy.
"""

from __future__ import annotations

import numpy as np

from retailer.catalogue import DEPARTMENTS, Catalogue
from retailer.days import BEFORE, Days, sales_strength
from retailer.people import CLOSES, OPENS, People
from retailer.purchases import Purchases
from retailer.randomness import Array, stream, within
from retailer.worlds import World

MORE_LINES = 2.9
"""Lines of a purchase beyond the first, as a mean; Poisson."""
MORE_PIECES = 0.25
"""Pieces of a line beyond the first, as a mean; Poisson."""
HEAVY_PIECES = 1.3
"""Exponent of the Pareto law of pieces where baskets are heavy-tailed."""
ON_OFFER = 0.06
ON_OFFER_IN_SALES = 0.55
OFFERS = (0.1, 0.2, 0.3, 0.4)
COUPON = 0.1
"""What a coupon takes off."""
COUPON_USED, COUPON_TAKEN_ALONG = 0.55, 0.25
"""Share of purchases with a coupon at hand that use it: of those a campaign brought, and of others."""
RETURN_POOR, RETURN_ONLINE, RETURN_STORE = 0.45, 0.05, 0.015
REASONS = ("défectueux", "ne convient pas", "taille", "autre")
REASON_TOLD = 0.7, 0.08
"""Share of returns that are put down to a defect: of products that disappointed, and of others."""
FAVOURITE = 0.3
"""How often a product of the favourite brand is taken when one is at hand."""


def make_lines(
    seed: int, part: int, people: People, purchases: Purchases, catalogue: Catalogue, days: Days,
    world: World,
) -> dict[str, Array]:  # fmt: skip
    """Fill the baskets.

    Returns:
        One row per line, by purchase: `purchase` (row), `product`, `quantity`, and in cents for the
        whole line `net` (what was paid), `discount` and `coupon` (what was taken off before), `cost`.
    """
    rng = stream(seed, "baskets", part)
    count = 1 + rng.poisson(MORE_LINES, len(purchases))
    purchase = np.repeat(np.arange(len(purchases)), count)
    first = within(count) == 0
    department = _departments(rng, people, purchases, purchase, first)
    product = _products(rng, people, purchases, catalogue, purchase, department, first)
    quantity = 1 + rng.poisson(MORE_PIECES, len(product))
    if world.is_heavy_tailed:
        quantity = np.minimum(np.floor(1 + rng.pareto(HEAVY_PIECES, len(product))), 500).astype(
            np.int64
        )
    day = np.floor(purchases.moment)[purchase]
    full = catalogue.price_at(product, day) * quantity
    discount = np.round(full * _offers(rng, people, purchases, days, purchase, day, world))
    used = _uses_coupon(rng, purchases)[purchase]
    coupon = np.round((full - discount) * COUPON) * used
    return {
        "purchase": purchase, "product": product, "quantity": quantity,
        "net": (full - discount - coupon).astype(np.int64),
        "discount": discount.astype(np.int64),
        "coupon": coupon.astype(np.int64),
        "cost": (catalogue.cost[product] * quantity).astype(np.int64),
    }  # fmt: skip


def _departments(
    rng: np.random.Generator, people: People, purchases: Purchases, purchase: Array, first: Array
) -> Array:
    """The department of each line, by the person's taste on that day; the entry for the very first."""
    taste = people.taste_at(purchases.person, purchases.moment)
    bounds = np.cumsum(taste, axis=1)
    bounds /= bounds[:, -1:]
    draw = rng.random(len(purchase))
    department = np.zeros(len(purchase), np.int64)
    for column in range(len(DEPARTMENTS) - 1):
        department += draw > bounds[purchase, column]
    entry = first & (purchases.repeat[purchase] == 0)
    return np.where(entry, people.entry[purchases.person[purchase]], department)


def _products(
    rng: np.random.Generator, people: People, purchases: Purchases, catalogue: Catalogue,
    purchase: Array, department: Array, first: Array,
) -> Array:  # fmt: skip
    """Products by how popular they are; a favourite brand is taken more often, dearness shifts prices."""
    product, other = catalogue.draw(rng, department), catalogue.draw(rng, department)
    person = purchases.person[purchase]
    favourite = catalogue.brand[other] == people.brand[person]
    dearer = catalogue.price[other] > catalogue.price[product]
    wants_dear = people.dearness[person] > 1
    strength = np.abs(np.log(people.dearness[person]))
    change = (favourite & (rng.random(len(product)) < FAVOURITE)) | (
        (dearer == wants_dear) & (rng.random(len(product)) < strength)
    )
    product = np.where(change, other, product)
    poor = np.flatnonzero(first & purchases.is_poor[purchase] & (purchases.repeat[purchase] != 0))
    known_poor = np.flatnonzero(catalogue.is_poor)
    bad = poor[rng.random(len(poor)) < 0.6]
    product[bad] = known_poor[rng.integers(0, len(known_poor), len(bad))]
    return product


def _offers(
    rng: np.random.Generator, people: People, purchases: Purchases, days: Days, purchase: Array,
    day: Array, world: World,
) -> Array:  # fmt: skip
    """The share that an offer takes off each line; who minds prices takes offers more often."""
    share = np.full(len(purchase), ON_OFFER)
    if world.has_season:
        sales = np.array([sales_strength(days.date(n)) > 0 for n in range(-BEFORE, days.future)])
        in_sales = sales[day.astype(np.int64) + BEFORE]
        share = np.where(in_sales, ON_OFFER_IN_SALES, share)
    share = share * np.array([0.6, 1.0, 1.6])[people.minding[purchases.person[purchase]]]
    offered = rng.random(len(purchase)) < share
    return np.array(OFFERS)[rng.integers(0, len(OFFERS), len(purchase))] * offered


def _uses_coupon(rng: np.random.Generator, purchases: Purchases) -> Array:
    """Whether a coupon that is held is used: more often on what it brought."""
    share = np.where(purchases.wave >= 0, COUPON_USED, COUPON_TAKEN_ALONG)
    return (purchases.offer >= 0) & (rng.random(len(purchases)) < share)


def make_returns(
    seed: int, part: int, purchases: Purchases, lines: dict[str, Array]
) -> dict[str, Array]:
    """What comes back: one line of a purchase, more often when it disappointed.

    Returns:
        `purchase`, `line` (row), `moment`, `reason` (number in REASONS).
    """
    rng = stream(seed, "returns", part)
    chance = np.where(purchases.channel > 0, RETURN_ONLINE, RETURN_STORE)
    chance = np.where(purchases.is_poor, RETURN_POOR, chance)
    purchase = np.flatnonzero(rng.random(len(purchases)) < chance)
    first_line = np.searchsorted(lines["purchase"], purchase)
    moment = purchases.arrived[purchase] + 1 + rng.gamma(2.0, 4.0, len(purchase))
    opened = np.floor(moment) + (OPENS + (CLOSES - OPENS) * rng.beta(2, 2, len(purchase))) / 24
    moment = np.where(purchases.channel[purchase] == 0, opened, moment)
    other = rng.integers(1, len(REASONS), len(purchase))
    poor = purchases.is_poor[purchase]
    told = rng.random(len(purchase)) < np.where(poor, *REASON_TOLD)
    return {
        "purchase": purchase, "line": first_line, "moment": moment,
        "reason": np.where(told, 0, other),
    }  # fmt: skip
