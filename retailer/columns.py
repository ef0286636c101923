"""Arrow columns out of the model's numbers.

Belongs here: how numbers of the model become typed values. Does not belong here: which values a system
delivers (`deliveries`), nor how they are written (`landing`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from retailer.days import SECONDS, Days
from retailer.randomness import Array

CENTS = 2


def whole(values: Array, *, absent: int = -1) -> pa.Array:
    """Whole numbers, null where they are `absent`."""
    return pa.array(values.astype(np.int64), mask=values == absent)


def cents(values: Array, places: int = CENTS) -> pa.Array:
    """Amounts in cents (or in smaller units) as decimals with so many places.

    A decimal of 128 bits is the number in cents, its low half first; the high half holds the sign.
    """
    low = np.ascontiguousarray(values, np.int64)
    both = np.empty((len(low), 2), np.int64)
    both[:, 0], both[:, 1] = low, low >> 63
    return pa.Array.from_buffers(pa.decimal128(14, places), len(low), [None, pa.py_buffer(both)])


def named(numbers: Array, names: Sequence[str]) -> pa.Array:
    """The name of each number; null for -1."""
    keys = pa.array(numbers.astype(np.int16), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(keys, pa.array(names, pa.string()))


def words(values: Array) -> pa.Array:
    """Texts, null where there is none."""
    return pa.array(values, pa.string(), from_pandas=True)


def numbered(prefix: str, numbers: Array) -> pa.Array:
    """Keys such as `C00001234`, null for -1."""
    import pyarrow.compute as pc

    digits = pc.utf8_lpad(pc.cast(whole(numbers), pa.string()), 8, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def instants(days: Days, moments: Array) -> pa.Array:
    """Moments (days with fractions, in Paris) as times in UTC, to the millisecond; null for NaN."""
    is_absent = ~np.isfinite(moments)
    known = np.clip(np.where(is_absent, 0.0, moments), -4 * 365, days.future + 50)
    day = np.floor(known)
    within_day = (known - day) * SECONDS
    full = days.seconds(day, np.floor(within_day)) * 1_000
    milliseconds = full + np.floor(within_day % 1 * 1_000).astype(np.int64)
    return pa.array(milliseconds, pa.timestamp("ms"), mask=is_absent)


def dates(days: Days, numbers: Array) -> pa.Array:
    """Days as dates; null for NaN."""
    is_absent = ~np.isfinite(numbers)
    since = days.start.toordinal() - 719_163
    known = np.where(is_absent, 0, numbers).astype(np.int32)
    return pa.array(known + np.int32(since), pa.date32(), mask=is_absent)
