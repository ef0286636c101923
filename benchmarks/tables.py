"""How figures are printed: tables, differences with their intervals, and whether a bar is met.

Belongs here: text alone. Does not belong here: any figure.
"""

from __future__ import annotations

from collections.abc import Sequence

from ml.evaluation import Gain


def show(title: str, header: str, rows: Sequence[Sequence[str]]) -> None:
    """Print a table.

    Args:
        title: Line above it.
        header: Names of the columns, parted by two spaces.
        rows: Cells, as many as there are names.
    """
    table = [header.split("  "), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print(f"\n{title}")
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def told(gain: Gain, digits: int = 3) -> str:
    """Give a difference and its interval."""
    return f"{gain.value:+.{digits}f} [{gain.low:+.{digits}f}, {gain.high:+.{digits}f}]"


def verdict(is_met: bool) -> str:
    """Say whether a bar is met."""
    return "meets" if is_met else "misses"
