"""What each entity lights up: `feeds.json`, written by `python -m orchestration.feeds`.

Read from the contracts and from the graph of the models, and kept as a file because parsing either
takes longer than `unicus status` may. A test holds it to them.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from orchestration.settings import PROJECT

FILE = PROJECT / "orchestration" / "feeds.json"


def read_feeds() -> dict[str, dict[str, Any]]:
    """Each entity with the column of its event time and the public tables it is part of."""
    return dict(json.loads(FILE.read_text("utf-8")))


def feeds(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The same, from where it follows.

    Staging makes one table of one entity: what else reads raw counts the rows of all, what else is
    staged lists the keys of all, and neither is lit up by one.
    """
    from intake.contract import contracts

    return {
        name: {"event_time": contract.event_time, "feeds": _public_below(manifest, name)}
        for name, contract in contracts().items()
    }


def _public_below(manifest: dict[str, Any], entity: str) -> list[str]:
    source = f"source.unicus.raw.{entity}"
    nodes, children = manifest["nodes"], manifest["child_map"]
    open_, below = [source], {source}
    while open_:
        for child in children.get(open_.pop(), []):
            if child not in below and child in nodes and _is_of_some(nodes[child]):
                below.add(child)
                open_.append(child)
    return sorted(nodes[id_]["name"] for id_ in below & nodes.keys()
                  if nodes[id_].get("access") == "public")  # fmt: skip


def _is_of_some(node: dict[str, Any]) -> bool:
    parents = node["depends_on"]["nodes"]
    reads_raw = any(parent.startswith("source.unicus.raw.") for parent in parents)
    is_staged: bool = node["schema"] == "staging"
    return node["resource_type"] == "model" and reads_raw == is_staged


def _text(found: dict[str, dict[str, Any]]) -> str:
    return json.dumps(found, indent=1) + "\n"


if __name__ == "__main__":
    from orchestration.dictionary import read_manifest

    with tempfile.TemporaryDirectory() as scratch:
        FILE.write_text(_text(feeds(read_manifest(Path(scratch)))), "utf-8")
