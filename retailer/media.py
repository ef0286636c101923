"""Paid media: what was spent on which day, and what the platforms report of it.

Belongs here: spend and its reports. Does not belong here: whom it brought (`people`).
"""

from __future__ import annotations

import numpy as np

from retailer.days import BEFORE, Days
from retailer.people import PAID, SOURCES
from retailer.randomness import Array, stream

EUROS_PER_VISIT = 0.62
FLIGHT_DAYS = 21
"""Budgets are set anew, by lot, for so many days at a time, so that spend differs for no reason."""
LEVELS = (0.2, 0.6, 1.0, 1.4, 1.8)
CLAIMED = 1.7
"""Conversions the platforms claim per person they brought: those of others among them."""
CLICK_RATE = 0.012
CAMPAIGNS = 3
"""Campaigns of a platform that run at once and share its spend."""


def make_spend(seed: int, days: Days) -> dict[int, Array]:
    """What each paid source is paid by day of history, relative to its mean of 1."""
    rng = stream(seed, "media")
    season = days.season[1][BEFORE : BEFORE + days.horizon]
    spend = {}
    for source in PAID:
        flights = rng.choice(LEVELS, -(-days.horizon // FLIGHT_DAYS))
        level = np.repeat(flights, FLIGHT_DAYS)[: days.horizon]
        daily = level * np.sqrt(season) * rng.gamma(40, 1 / 40, days.horizon)
        spend[source] = daily / daily.mean()
    return spend


def report(seed: int, days: Days, visits: Array, arrivals: Array) -> dict[str, Array]:
    """What the platforms report, when all parts are counted.

    Args:
        seed: of everything.
        days: the calendar.
        visits: visits by source and day of history.
        arrivals: people who came, by source and day of history.

    Returns:
        One row per day, platform and campaign: `day`, `source`, `campaign`, `spend` (cents),
        `impressions`, `clicks`, `claimed` (conversions).
    """
    rng = stream(seed, "media report")
    rows = []
    for source, relative in make_spend(seed, days).items():
        cents = relative * visits[source].sum() * EUROS_PER_VISIT * 100 / days.horizon
        shares = rng.dirichlet(np.full(CAMPAIGNS, 8.0), days.horizon)
        for campaign in range(CAMPAIGNS):
            share = shares[:, campaign]
            clicks = np.round(visits[source] * share)
            rows.append({
                "day": np.arange(days.horizon),
                "source": np.full(days.horizon, source),
                "campaign": np.full(days.horizon, campaign),
                "spend": np.round(cents * share).astype(np.int64),
                "impressions": rng.poisson(clicks / CLICK_RATE),
                "clicks": clicks.astype(np.int64),
                "claimed": np.round(
                    arrivals[source] * share * CLAIMED * rng.gamma(4, 1 / 4, days.horizon), 2
                ),
            })  # fmt: skip
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def names() -> dict[int, str]:
    """The platforms, by source."""
    return {source: SOURCES[source].name for source in PAID}
