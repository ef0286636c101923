"""Kept originals: which line of a delivered file a row is.

A row's number counts what the reader made of the file; a person who opens it counts lines. Where one
follows from the other is decided here. How each format is read is the business of intake.
"""

from __future__ import annotations

import gzip
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import IO

GZIP_MARK = b"\x1f\x8b"
BLOCK_BYTES = 1024 * 1024
UNPACKED = 8
"""How many times larger a packed text may be than it lies on disk."""


def find_lines(path: Path, keys: Mapping[int, set[str]], read_rows: int) -> dict[int, int]:
    """The line of each row that can be told for sure.

    A text with as many lines as rows has a row per line; one with a line more begins with a header.
    Anything else, a value with a line break for one, leaves the question open. A line is told only
    when it holds the keys of its row, so that none is ever wrong.

    Args:
        path: the file.
        keys: by number of the row, the texts its line has to hold.
        read_rows: rows that the reader counted.

    Returns:
        Line by row, both from 1.
    """
    near = sorted({line for row in keys for line in (row, row + 1)})
    kept: dict[int, bytes] = {}
    count = 0
    with _open(path) as file:
        if b"\0" in file.read(4096):
            return {}
        file.seek(0)
        while block := file.readlines(BLOCK_BYTES):
            before, count = count, count + len(block)
            inside = near[bisect_right(near, before) : bisect_right(near, count)]
            kept.update((line, block[line - before - 1]) for line in inside)
    header = count - read_rows
    if header not in (0, 1):
        return {}
    return {
        row: row + header
        for row, texts in keys.items()
        if all(text.encode() in kept.get(row + header, b"") for text in texts)
    }


def reading_cost(path: Path) -> int:
    """About how many bytes `find_lines` goes through."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return size * UNPACKED if file.read(2) == GZIP_MARK else size


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP_MARK
    return gzip.open(path) if is_packed else path.open("rb")  # type: ignore[return-value]
