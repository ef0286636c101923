"""Random numbers that depend on seed, stage and part alone, never on who draws them first.

Belongs here: where generators come from, and draws that numpy lacks. Does not belong here: what is
drawn.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def stream(seed: int, stage: str, part: int = -1) -> np.random.Generator:
    """The generator of a stage of one part of the people; of all of them for part -1."""
    entropy = [seed, crc32(stage.encode()), part + 1]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))


class Choice:
    """Draws indices by weight in constant time each, whatever the number of weights.

    The alias method (Walker 1977; Vose 1991).
    """

    def __init__(self, weights: Array) -> None:
        count = len(weights)
        scaled = np.asarray(weights, float) * (count / np.sum(weights))
        self.keep = np.ones(count)
        self.other = np.arange(count)
        small = [int(i) for i in np.flatnonzero(scaled < 1)]
        large = [int(i) for i in np.flatnonzero(scaled >= 1)]
        while small and large:
            less, more = small.pop(), large[-1]
            self.keep[less], self.other[less] = scaled[less], more
            scaled[more] -= 1 - scaled[less]
            if scaled[more] < 1:
                small.append(large.pop())

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """That many indices."""
        at = rng.random(size) * len(self.keep)
        index = at.astype(np.int64)
        return np.where(at - index < self.keep[index], index, self.other[index])


def mixed(numbers: Array, bits: int, key: int) -> Array:
    """Each number as another one below 2**bits, without repeats, and without a pattern.

    Four rounds of a Feistel network over its two halves; not secret, but no difference or order of
    numbers is left in it.

    Args:
        numbers: whole numbers from 0 on, below 2**bits.
        bits: an even number.
        key: another key gives another order.
    """
    half = bits // 2
    mask = np.uint64((1 << half) - 1)
    values = np.asarray(numbers).astype(np.uint64)
    left, right = values >> np.uint64(half), values & mask
    for turn in range(4):
        salt = np.uint64(crc32(f"{key} {turn}".encode()))
        turned = (right + salt) * np.uint64(0x9E3779B97F4A7C15)
        left, right = right, left ^ ((turned ^ (turned >> np.uint64(29))) >> np.uint64(20) & mask)
    return ((left << np.uint64(half)) | right).astype(np.int64)


def share(rng: np.random.Generator, eligible: Array, rate: float) -> Array:
    """Draw among the eligible so many that their share of all rows is `rate`."""
    return eligible & (rng.random(len(eligible)) * max(eligible.mean(), 1e-9) < rate)


def hours(rng: np.random.Generator, usual: Array) -> Array:
    """Hours of the day around the usual ones, within the day."""
    return folded(usual + rng.normal(0, 2.2, len(usual)), 0.0, 23.9)


def folded(values: Array, low: float, high: float) -> Array:
    """The values, with what lies beyond a bound turned back at it, so that none heaps up there."""
    values = low + np.abs(values - low)
    return np.clip(high - np.abs(high - values), low, high)


def within(lengths: Array) -> Array:
    """Position of each row in its group, for groups of these lengths laid end to end."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - lengths, lengths)
