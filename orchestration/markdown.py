"""Pieces of Markdown that more than one generated page is made of."""

from __future__ import annotations

from collections.abc import Iterable


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; a bar in a cell is escaped, or it would begin another cell."""
    lines = [head, tuple("---" for _ in head), *rows]
    shown = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {line} |\n" for line in shown).replace("| --- ", "|---")
