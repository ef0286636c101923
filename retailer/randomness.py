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


def within(lengths: Array) -> Array:
    """Position of each row in its group, for groups of these lengths laid end to end."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - lengths, lengths)
