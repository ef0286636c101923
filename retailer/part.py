"""One part of the people and all they did: what deliveries and truth are made of.

Belongs here: the order in which the model's steps follow each other. Does not belong here: a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retailer.baskets import make_lines, make_returns
from retailer.campaigns import Contacts, make_contacts
from retailer.catalogue import Catalogue, make_catalogue
from retailer.days import Days
from retailer.media import make_spend
from retailer.people import People, make_people
from retailer.purchases import Purchases, history, make_purchases
from retailer.randomness import Array, mixed
from retailer.records import Records, make_records, settle
from retailer.visits import make_visits
from retailer.voices import make_calls, make_referrals, make_reviews, make_social
from retailer.worlds import World

ORDER_BITS, EVENT_BITS = 26, 34
"""How many numbers the rows of a part may have, as powers of two."""


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        customers: persons in all, those who never buy among them.
        part_size: persons of a part; what lies in memory at once grows with it.
    """

    customers: int
    days: Days
    seed: int
    world: World
    part_size: int = 10_000

    @property
    def parts(self) -> int:
        """Into how many parts the people fall."""
        return -(-self.customers // self.part_size)


@dataclass(frozen=True)
class Part:
    """A part of the people and all they did; of each table the rows of the past and the future."""

    plan: Plan
    number: int
    catalogue: Catalogue
    people: People
    records: Records
    purchases: Purchases
    contacts: Contacts
    lines: dict[str, Array]
    returns: dict[str, Array]
    sessions: dict[str, Array]
    events: dict[str, Array]
    calls: dict[str, Array]
    reviews: dict[str, Array]
    social: dict[str, Array]
    referrals: dict[str, Array]

    @property
    def history(self) -> Array:
        """Rows of the purchases that fall into history."""
        return history(self.purchases, self.plan.days)

    def numbered(self, rows: Array, bits: int = ORDER_BITS) -> Array:
        """A number for each row that no row of another part has; -1 stays -1.

        Rows lie by person, and numbers that rise with them would say whose they are.
        """
        numbers = mixed(np.maximum(rows, 0), bits, self.number)
        return np.where(rows < 0, -1, (self.number << bits) + numbers + 1)


def make_part(plan: Plan, number: int) -> Part:
    """Draw everything of one part; it depends on the plan and the number alone."""
    first = number * plan.part_size
    count = min(plan.part_size, plan.customers - first)
    seed, days, world = plan.seed, plan.days, plan.world
    catalogue = make_catalogue(seed)
    spend = make_spend(seed, days)
    people = make_people(seed, number, first, count, days, world, spend)
    records = make_records(seed, number, people, world)
    purchases = make_purchases(seed, number, people, records, days, world)
    settle(records, purchases, days)
    contacts, purchases = make_contacts(seed, number, people, records, purchases, days, world)
    settle(records, purchases, days)
    lines = make_lines(seed, number, people, purchases, catalogue, days, world)
    sessions, events = make_visits(
        seed, number, people, records, purchases, contacts, catalogue, days
    )
    return Part(
        plan, number, catalogue, people, records, purchases, contacts, lines,
        make_returns(seed, number, purchases, lines), sessions, events,
        make_calls(seed, number, people, purchases, days),
        make_reviews(seed, number, purchases, lines, days),
        make_social(seed, number, people, records, days),
        make_referrals(seed, number, people, purchases, days),
    )  # fmt: skip
