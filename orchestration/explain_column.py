"""`unicus explain column`: what a column of a public table is made of, down to raw.

Read from the lineage kept with the code; only when the code has changed since is it found anew, which
takes some seconds.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.column_graph import (
    CONSTANT,
    RAW,
    Column,
    ColumnGraph,
    raw_text,
    read_graph,
    reason_generated,
)
from orchestration.console import say
from orchestration.settings import DBT_PROJECT, Home, SettingFault, lineage_file

NAMED_COLUMNS = 8
"""Columns of one table that a line of the tree names; of more it gives the number."""


def known_graph() -> ColumnGraph:
    """The lineage of the code that is there now."""
    path = lineage_file()
    if path.exists():
        return read_graph(path)
    from orchestration.lineage import column_graph

    say("Reading the models, once for this version of the code")
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        home = Home(Path(scratch))
        home.create()
        return column_graph(home)


def find_column(graph: ColumnGraph, asked: str) -> Column:
    """The public column that `table.column` or `schema.table.column` names.

    Raises:
        SettingFault: There is none; the nearest name is told.
    """
    names = {f"{table.split('/')[1]}.{column}": (table, column)
             for table, columns in graph.public.items() for column in columns}  # fmt: skip
    full = {f"{table.replace('/', '.')}.{column}": (table, column)
            for table, column in names.values()}  # fmt: skip
    found = names.get(asked) or full.get(asked)
    if found is None:
        raise _no_such_column(graph, asked, names)
    return found


def _no_such_column(graph: ColumnGraph, asked: str, names: dict[str, Column]) -> SettingFault:
    table, _, column = asked.rpartition(".")
    tables = {one.split("/")[1]: one for one in graph.public}
    near_table = _near(table.rpartition(".")[2], tables)
    near_column = _near(column, graph.public[tables[near_table]]) if near_table else ""
    near = f"{near_table}.{near_column}" if near_column else _near(asked, names)
    known = graph.public.get(tables.get(table.rpartition(".")[2], ""), {})
    return SettingFault(
        "no-such-column", asked, "there is no public column of this name",
        where=str(DBT_PROJECT / "models"),
        why=f"the columns of {table} are {', '.join(known)}" if known
        else f"the public tables are {', '.join(sorted(tables))}",
        fix=f"unicus explain column {near}" if near
        else "write it as TABLE.COLUMN; docs/data-dictionary lists both",
    )  # fmt: skip


def _near(name: str, names: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(name, list(names), n=1)), "")


def explain_column(graph: ColumnGraph, column: Column) -> dict[str, Any]:
    """What a public column is made of, as `unicus.explain_column/1`."""
    table, name = column
    told = graph.public[table][name]
    steps = sorted(one for one in graph.above([column]) if not one[0].startswith(RAW))
    return {
        "schema": "unicus.explain_column/1",
        "table": _shown(table),
        "column": name,
        "type": told.type,
        "description": told.description,
        "generated": reason_generated(_shown(table), name) or None,
        "raw_columns": [_column(one) for one in graph.raw(column)],
        "steps": [_step(graph, one) for one in [column, *(s for s in steps if s != column)]],
    }


def _step(graph: ColumnGraph, column: Column) -> dict[str, Any]:
    origin = graph.origin(column)
    return {
        **_column(column),
        "how": (origin.how if origin else "") or None,
        "made_of": [_column(one) for one in (origin.columns if origin else ())],
    }


def _column(column: Column) -> dict[str, str]:
    return {"table": _shown(column[0]), "column": column[1]}


def _shown(asset: str) -> str:
    return asset.replace("/", ".")


def explain_column_text(graph: ColumnGraph, column: Column) -> str:
    """The same for a person: where it comes from, then the way there, table by table."""
    table, name = column
    told = graph.public[table][name]
    reason = reason_generated(_shown(table), name)
    source = f"no data: {reason}" if reason else raw_text(graph.raw(column), ": ", " · ")
    head = f"{_shown(table)}.{name}  {told.type}\n{told.description}\n\n  from raw  {source}\n\n"
    return head + "\n".join(_Tree(graph).lines(table, {name}))


@dataclass
class _Tree:
    """The way up from some columns of a table, one line per table; what was shown is not repeated."""

    graph: ColumnGraph
    _shown_before: dict[str, set[str]] = field(default_factory=dict)

    def lines(self, table: str, names: set[str]) -> Iterator[str]:
        """The lines of a table and of those above it."""
        before = self._shown_before.setdefault(table, set())
        is_known = names <= before
        before |= names
        yield _line(self.graph, table, names, is_known=is_known)
        above: dict[str, set[str]] = {}
        for name in () if is_known else sorted(names):
            origin = self.graph.origin((table, name))
            for asset, column in origin.columns if origin else ():
                above.setdefault(asset, set()).add(column)
        for number, asset in enumerate(above, 1):
            is_last = number == len(above)
            first, more = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
            for place, line in enumerate(self.lines(asset, above[asset])):
                yield (more if place else first) + line


def _line(graph: ColumnGraph, table: str, names: set[str], *, is_known: bool) -> str:
    shown = ", ".join(sorted(names)) if len(names) <= NAMED_COLUMNS else f"{len(names)} columns"
    if is_known and not table.startswith(RAW):
        return f"{_shown(table)}: {shown}  (above)"
    origins = filter(None, (graph.origin((table, name)) for name in sorted(names)))
    hows = dict.fromkeys(one.how for one in origins if one.how not in ("", CONSTANT))
    return f"{_shown(table)}: {shown}" + (f"  ({'; '.join(hows)})" if hows else "")
