"""The lineage picture of the README, drawn from the graph: `python -m orchestration.picture`.

Rooms, how many assets they hold, who builds them and what they read of each other come from the
graph. Said here: where a room stands in the picture, its few words, and the tables it names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import dagster as dg

from orchestration.graph import build_definitions
from orchestration.settings import PROJECT, Home

PAGES = {
    "light": PROJECT / "docs" / "lineage.svg",
    "dark": PROJECT / "docs" / "lineage-dark.svg",
}
WIDTH, HEIGHT = 1154, 440
CARD_WIDTH, GAP, MARGIN, INSET = 170, 22, 12, 10
HEAD_HEIGHT, LINE_HEIGHT = 58, 19

THEMES = {
    "light": {
        "card": "#ffffff", "border": "#d0d7de", "text": "#1f2328", "quiet": "#59636e",
        "path": "#57606a", "side": "#c4ccd4", "python": "#0969da", "dbt": "#bc4c00",
    },
    "dark": {
        "card": "#161b22", "border": "#3d444d", "text": "#f0f6fc", "quiet": "#9198a1",
        "path": "#9198a1", "side": "#3d444d", "python": "#4493f8", "dbt": "#f0883e",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a room stands: its column, its top in pixels, its few words, the tables it names."""

    column: int
    top: int
    words: str
    tables: tuple[str, ...]


PLACES = {
    "landing": Place(0, 118, "each file, loaded once", (
        "customers", "orders", "order_lines", "products", "campaigns")),
    "raw": Place(1, 20, "what is live, frozen", (
        "orders", "order_lines", "customers", "moment.run", "ledger.loads")),
    "staging": Place(1, 250, "cleaned, all versions", (
        "stg_orders", "stg_order_lines", "identity_records")),
    "identity": Place(2, 20, "who is who", (
        "customer_map", "identity_events", "customer_aliases")),
    "core": Place(2, 212, "facts as of a date", (
        "orders_versions", "dim_customers", "dim_products", "fct_orders", "fct_order_lines")),
    "features": Place(3, 20, "per customer and date", (
        "customer_as_of_features", "customer_features", "customer_outcomes")),
    "ml": Place(3, 250, "train, gate, score", (
        "model", "performance", "deciles", "calibration", "scores", "drift", "value_history")),
    "marts": Place(4, 90, "what people ask for", (
        "customer_360", "customer_scores", "customer_propensities", "kpi_customers_monthly",
        "kpi_cohorts_monthly", "campaign_results", "model_performance", "model_realised",
        "ingest_reconciliation")),
    "serving": Place(5, 156, "what BI opens", ("published",)),
}  # fmt: skip


@dataclass(frozen=True)
class Room:
    """A room as the graph has it: its assets, who builds them, the rooms it reads."""

    name: str
    tables: frozenset[str]
    builder: str
    reads: frozenset[str]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return PLACES[self.name]

    @property
    def left(self) -> int:
        """Left edge of its card."""
        return MARGIN + self.place.column * (CARD_WIDTH + GAP)

    @property
    def lines(self) -> tuple[str, ...]:
        """Tables on the card, and how many are not named."""
        more = len(self.tables) - len(self.place.tables)
        return (*self.place.tables, *((f"and {more} more",) if more else ()))

    @property
    def height(self) -> int:
        """Height of its card."""
        return HEAD_HEIGHT + LINE_HEIGHT * len(self.lines) + 8

    @property
    def middle(self) -> float:
        """Height at which lines come and go."""
        return self.place.top + self.height / 2


def read_rooms(graph: dg.AssetGraph) -> list[Room]:
    """The rooms of the graph, in the order data takes.

    Raises:
        AssertionError: the graph has a room without a place, or a table named here is not in it.
    """
    groups: dict[str, list[dg.AssetKey]] = {}
    for key in sorted(graph.executable_asset_keys):
        groups.setdefault(str(graph.get(key).group_name), []).append(key)
    groups.pop("history")  # fills in the past, beside the way of every day
    assert groups.keys() == PLACES.keys(), groups.keys() ^ PLACES.keys()
    rooms = [_room(graph, name, groups[name]) for name in PLACES]
    for room in rooms:
        missing = set(room.place.tables) - room.tables
        assert not missing, f"{room.name} has no {missing}"
    return rooms


def _room(graph: dg.AssetGraph, name: str, keys: list[dg.AssetKey]) -> Room:
    nodes = [graph.get(key) for key in keys]
    parents = {parent for node in nodes for parent in node.parent_keys}
    # Ledger and moment stand in the group of raw, but feed nothing that a customer has left.
    reads = {str(graph.get(p).group_name) for p in parents if p.path[0] not in {"ledger", "moment"}}
    builder = "dbt" if all("dbt" in node.kinds for node in nodes) else "python"
    return Room(name, frozenset(map(_table, keys)), builder, frozenset(reads - {name}))


def _table(key: dg.AssetKey) -> str:
    return ".".join(key.path) if key.path[0] in {"ledger", "moment"} else key.path[-1]


def draw(graph: dg.AssetGraph, theme: str) -> str:
    """The picture as SVG.

    Args:
        graph: the whole graph.
        theme: `light` or `dark`.
    """
    rooms = read_rooms(graph)
    assets = sum(len(room.tables) for room in rooms)
    said = f"{assets} assets and {len(graph.asset_check_keys)} checks in one graph"
    colours = THEMES[theme]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>From landing file to published mart: {escape(said)}</title>",
        *_lines(rooms, colours),
        *(part for room in rooms for part in _card(room, colours)),
        _text(MARGIN, HEIGHT - 10, f"{said}, drawn from it", colours["quiet"], 13),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _lines(rooms: list[Room], colours: dict[str, str]) -> Iterator[str]:
    """Side lines first, so that the path from landing to serving lies above them."""
    by_name = {room.name: room for room in rooms}
    order = list(PLACES)
    pairs = [(by_name[read], room) for room in rooms for read in sorted(room.reads)]
    paths = [order.index(b.name) - order.index(a.name) == 1 for a, b in pairs]
    for is_path in (False, True):
        colour, width = (colours["path"], 2) if is_path else (colours["side"], 1.5)
        for (a, b), on_path in zip(pairs, paths, strict=True):
            if on_path == is_path:
                shape = _curve(a, b)
                yield f'<path d="{shape}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
                if is_path:
                    yield _arrow(a, b, colour)


def _curve(a: Room, b: Room) -> str:
    if a.place.column == b.place.column:
        x = a.left + CARD_WIDTH / 2
        return f"M{x:g} {a.place.top + a.height} V{b.place.top - 4}"
    x1, x2 = a.left + CARD_WIDTH, b.left - 4
    bend = GAP * (0.9 if b.place.column - a.place.column == 1 else 2)
    return f"M{x1} {a.middle:g} C{x1 + bend:g} {a.middle:g} {x2 - bend:g} {b.middle:g} {x2} {b.middle:g}"


def _arrow(a: Room, b: Room, colour: str) -> str:
    if a.place.column == b.place.column:
        x, y = b.left + CARD_WIDTH / 2, b.place.top
        return f'<path d="M{x:g} {y} l-5 -8 h10 z" fill="{colour}"/>'
    return f'<path d="M{b.left} {b.middle:g} l-8 -5 v10 z" fill="{colour}"/>'


def _card(room: Room, colours: dict[str, str]) -> Iterator[str]:
    x, y, colour = room.left, room.place.top, colours[room.builder]
    yield (
        f'<rect x="{x}" y="{y}" width="{CARD_WIDTH}" height="{room.height}" rx="8"'
        f' fill="{colours["card"]}" stroke="{colours["border"]}"/>'
    )
    yield f'<rect x="{x + INSET}" y="{y}" width="28" height="3" fill="{colour}"/>'
    yield _text(x + INSET, y + 25, room.name, colours["text"], 16, weight=600)
    count = f"{len(room.tables)} {room.builder}"
    yield _text(x + CARD_WIDTH - INSET, y + 25, count, colour, 11, anchor="end")
    yield _text(x + INSET, y + 43, room.place.words, colours["quiet"], 12)
    for number, line in enumerate(room.lines):
        known = line in room.place.tables
        yield _text(
            x + INSET, y + HEAD_HEIGHT + 6 + LINE_HEIGHT * number, line,
            colours["text" if known else "quiet"], 12,
        )  # fmt: skip


def _text(
    x: float, y: float, text: str, colour: str, size: int, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )


def sample_graph(folder: Path) -> dg.AssetGraph:
    """The graph of a home with the sample data, made in `folder`."""
    home = Home(folder / "home")
    home.create()
    return build_definitions(home).resolve_asset_graph()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sample = sample_graph(Path(scratch))
        for name, page in PAGES.items():
            page.write_text(draw(sample, name), "utf-8")
