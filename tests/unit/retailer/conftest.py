"""Parts of the retailer in each world, drawn once, and how far a count may be from what is expected."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from retailer.days import Days
from retailer.part import Part, Plan, make_part
from retailer.worlds import WORLDS

END = date(2026, 6, 30)
SIGMAS = 4.5
"""With a hundred comparisons, chance goes further once in a thousand times."""


def plan(
    world: str = "base", customers: int = 30_000, seed: int = 3, part_size: int = 10_000
) -> Plan:
    """A retailer of a world."""
    known = WORLDS[world]
    return Plan(customers, Days(END, 30, known.has_season), seed, known, part_size)


@cache
def part(world: str = "base", number: int = 0) -> Part:
    """One part of it, ten thousand persons."""
    return make_part(plan(world), number)


def assert_share(hits: np.ndarray, rate: float, what: str, cluster: float = 1.0) -> None:
    """A share of rows is a rate, as far as chance allows; `cluster` rows go together."""
    count = len(hits)
    error = np.sqrt(rate * (1 - rate) * cluster / count)
    assert abs(hits.mean() - rate) <= SIGMAS * error, f"{what}: {hits.mean():.4f}, planted {rate}"


def assert_counts(found: np.ndarray, expected: np.ndarray, what: str, spread: float = 1.0) -> None:
    """Counts are what is expected, as far as a Poisson law (times `spread`) allows."""
    far = np.abs(found - expected) / np.sqrt(np.maximum(expected, 1) * spread)
    worst = int(np.argmax(far))
    told = f"{what}, place {worst}: {found[worst]:.0f}, expected {expected[worst]:.1f}"
    assert far[worst] <= SIGMAS, told
