"""What a person sees of a table on Dagster's pages: its rows by day as a drawing, its first rows.

Never of a table about single customers, and never a column that a contract or a model marks as
personal: what Dagster keeps is no place for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import dagster as dg
import duckdb

from intake.sql import quoted
from orchestration.drawing import INK, image, svg, word
from orchestration.markdown import table
from orchestration.settings import Home

DAYS = 60
ROWS = 5
COLUMNS = 10
WIDTH, HEIGHT, FOOT = 600, 120, 34
SAMPLED = ("kpi_", "model_")
DRAWN = {("core", "fct_orders"): ("ordered_date", "orders by day")}
"""Tables drawn by day, each with the column of the day."""


def day_plot(days: Mapping[date, int], title: str) -> dg.MetadataValue | None:
    """Draw how many rows the last days have, days without any included; None without a day."""
    if not days:
        return None
    last = max(days)
    shown = [last - timedelta(days=n) for n in reversed(range(DAYS))]
    most, step = max(max(days.get(day, 0) for day in shown), 1), WIDTH / DAYS
    bars = "".join(
        f'<rect x="{n * step:.1f}" y="{FOOT / 2 + HEIGHT * (1 - rows / most):.1f}"'
        f' width="{step - 1:.1f}" height="{HEIGHT * rows / most:.1f}"/>'
        for n, day in enumerate(shown)
        if (rows := days.get(day, 0))
    )
    words = (
        word(0, FOOT / 2 - 5, f"{title}, at most {most:,}", "start"),
        word(0, HEIGHT + FOOT - 4, str(shown[0]), "start"),
        word(WIDTH, HEIGHT + FOOT - 4, str(last), "end"),
    )
    parts = (f'<g fill="#3b6ea5">{bars}</g>', f'<g fill="{INK}">{"".join(words)}</g>')
    return dg.MetadataValue.md(image(title, svg(WIDTH, HEIGHT + FOOT, parts)))


def table_samples(home: Home, nodes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is shown of the tables of some models that were built, by unique id.

    Args:
        home: The home.
        nodes: The models, as the manifest has them.
    """
    shown: dict[str, dict[str, Any]] = {}
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        for node in nodes:
            place = (node["schema"], node["name"])
            if place in DRAWN:
                shown[node["unique_id"]] = {"rows by day": _drawn(con, place)}
            elif is_sampled(node):
                shown[node["unique_id"]] = {"sample": _first_rows(con, node)}
    return shown


def is_sampled(node: dict[str, Any]) -> bool:
    """Whether rows of a model may be shown: its grain is no customer, and none of it is personal."""
    columns = node["columns"].values()
    is_personal = any(
        (one.get("config") or {}).get("meta", {}).get("classification")
        or one["name"] == "customer_id"
        for one in columns
    )
    return node["name"].startswith(SAMPLED) and bool(columns) and not is_personal


def _drawn(con: duckdb.DuckDBPyConnection, place: tuple[str, str]) -> dg.MetadataValue | None:
    column, title = DRAWN[place]
    day, name = quoted(column), ".".join(map(quoted, place))
    found = con.execute(f"""
        select {day}, count(*) from {name}
        where {day} > (select max({day}) from {name}) - {DAYS} group by {day}
    """).fetchall()
    return day_plot(dict(found), title)


def _first_rows(con: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> dg.MetadataValue:
    """The last rows in the order of the columns, the newest months or names; a wide table is cut."""
    names = list(node["columns"])[:COLUMNS]
    columns = ", ".join(map(quoted, names))
    found = con.execute(
        f"select {columns} from {quoted(node['schema'])}.{quoted(node['name'])}"
        f" order by all desc limit {ROWS}"
    ).fetchall()
    rows = (tuple(map(_cell, row)) for row in found)
    return dg.MetadataValue.md(table(tuple(names), rows))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
