"""The room that a home takes on the disk, part by part.

A part is what a person knows a use of, which is finer than the folders for the lake. What of it could go is
the business of `vacuum.py`.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from orchestration.console import size_text

LAKE = {
    "raw": "rows", "quarantine": "quarantine", "landing": "originals", "identity": "identity",
    "scores": "scores", "drift": "scores", "history": "scores",
}  # fmt: skip
PARTS = {"mlflow": "models", "dagster": "history", "serving": "published"}
OTHER = "other"

Used = dict[tuple[str, str], int]


def used_by_part(root: Path) -> Used:
    """Bytes by folder of the home and part; a file with several hard links counts once."""
    used: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[int, int]] = set()
    for folder in (path for path in root.iterdir() if path.is_dir()):
        used[folder.name, _part(folder.name, "")] += 0
        for below, _, names in os.walk(folder):
            part = _part(folder.name, (*Path(below).relative_to(folder).parts, "")[0])
            used[folder.name, part] += sum(_size(Path(below) / name, seen) for name in names)
    return dict(used)


def _part(folder: str, below: str) -> str:
    return LAKE.get(below, OTHER) if folder == "lake" else PARTS.get(folder, folder)


def _size(path: Path, seen: set[tuple[int, int]]) -> int:
    try:
        found = path.stat()
    except FileNotFoundError:  # a run is at work
        return 0
    if found.st_nlink > 1:
        place = (found.st_dev, found.st_ino)
        if place in seen:
            return 0
        seen.add(place)
    return found.st_size


def folders(used: Used) -> list[dict[str, Any]]:
    """Bytes of each folder of the home, largest first."""
    return _largest_first("folder", ((folder, size) for (folder, _), size in used.items()))


def space(root: Path, used: Used) -> dict[str, Any]:
    """Bytes of the home, of each part, largest first, and what is free on its disk."""
    return {
        "total_bytes": sum(used.values()),
        "free_bytes": shutil.disk_usage(root).free,
        "parts": _largest_first("part", ((part, size) for (_, part), size in used.items())),
    }


def _largest_first(key: str, sizes: Any) -> list[dict[str, Any]]:
    total: Counter[str] = Counter()
    for name, size in sizes:
        total[name] += size
    rows = [{key: name, "bytes": size} for name, size in total.items()]
    return sorted(rows, key=lambda one: (-one["bytes"], one[key]))


def space_text(space: dict[str, Any]) -> str:
    """Total, free room, and what a vacuum would give back."""
    text = f"{size_text(space['total_bytes'])}, {size_text(space['free_bytes'])} free"
    if space["vacuum_bytes"]:
        text += f", unicus vacuum would free about {size_text(space['vacuum_bytes'])}"
    return text


def parts_text(space: dict[str, Any]) -> str:
    """The parts, largest first."""
    return ", ".join(f"{one['part']} {size_text(one['bytes'])}" for one in space["parts"])
