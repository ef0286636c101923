"""Which columns of the tables it reads each column of a query is made of.

Names, stars and nesting are resolved by sqlglot; what is decided here is what counts as made of. A value
is made of every column in its own expression: conditions, filters of an aggregate, and what a window
divides and orders by. It is not made of the columns that only join or filter the rows it is found in.
Three things name no column and yet tell of one, and sqlglot's own lineage stops at them: a count reaches
the key of the rows it counts, a window without columns does too, and the question whether a row was found
reaches the key of the rows that would have been.

Does not belong here: which queries there are, and what is made by Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

Column = tuple[str, str]
"""Table as `schema.name`, and column."""
Columns = frozenset[Column]
NONE: Columns = frozenset()


@dataclass(frozen=True)
class Relation:
    """What must be known of a table that a query reads.

    Attributes:
        columns: All of them, in their order.
        key: Those that tell one row from the others; empty for a table of one row.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Trace:
    """What a query is made of.

    Attributes:
        columns: For each column of the query, what it is made of.
        rows: The key of the rows it is made of.
    """

    columns: dict[str, Columns]
    rows: Columns

    def key(self) -> tuple[str, ...]:
        """The columns of the query that are made of nothing but the key of its rows."""
        return tuple(
            name for name, made_of in self.columns.items() if made_of and made_of <= self.rows
        )


def trace(sql: str, relations: Mapping[str, Relation], dialect: str) -> Trace:
    """Say of each column of a query what it is made of.

    Args:
        sql: One SELECT.
        relations: The tables it may read, by `schema.name`.
        dialect: As sqlglot names it.

    Raises:
        sqlglot.errors.SqlglotError: The query cannot be read, or names a column that is not there.
    """
    query = parse_one(sql, dialect=dialect)
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    tables: dict[str, Any] = {}
    for name, relation in relations.items():
        schema, _, table_name = name.partition(".")
        tables.setdefault(schema, {})[table_name] = dict.fromkeys(relation.columns, "varchar")
    scope = build_scope(qualify(query, schema=tables, dialect=dialect, quote_identifiers=False))
    assert scope is not None
    walk = _Walk(relations)
    return Trace(
        {name: walk.column(scope, name) for name in _names(scope.expression)}, walk.rows(scope)
    )


@dataclass
class _Walk:
    """One way down through the scopes of a query; each column of each scope is walked once."""

    relations: Mapping[str, Relation]
    _known: dict[tuple[int, str], Columns] = field(default_factory=dict)

    def column(self, source: Scope | exp.Table, name: str) -> Columns:
        """What a column of a table or of a part of the query is made of."""
        if isinstance(source, exp.Table):
            return frozenset({(_name(source), name)})
        place = (id(source), name)
        if place not in self._known:
            self._known[place] = self._column(source, name)
        return self._known[place]

    def _column(self, scope: Scope, name: str) -> Columns:
        if isinstance(scope.expression, exp.SetOperation):
            number = _names(scope.expression).index(name)
            parts = ((one, _names(one.expression)[number]) for one in scope.set_operation_scopes)
            return _union(self.column(one, alias) for one, alias in parts)
        if not isinstance(scope.expression, exp.Select):
            return NONE  # a list of constants
        projections = (one for one in scope.expression.selects if one.alias_or_name == name)
        return _union(self._expression(scope, one) for one in projections)

    def _expression(self, scope: Scope, expression: exp.Expr) -> Columns:
        within = {id(one.expression): one for one in scope.subquery_scopes}
        found: list[Columns] = []

        def is_nested(node: exp.Expr) -> bool:
            return id(node) in within

        for node in expression.walk(prune=is_nested):
            if is_nested(node):
                nested = within[id(node)]
                found += [self.column(nested, name) for name in _names(node)]
            elif isinstance(node, exp.Column) and node.table in scope.sources:
                found.append(self.column(scope.sources[node.table], node.name))
            elif _counts_rows(node):
                found.append(self._counted(scope, node))
            elif missing := _asked_for(node, scope):
                found.append(self.rows(scope.sources[missing], is_found=True))
        return _union(found)

    def rows(self, source: Scope | exp.Table, *, is_found: bool = False) -> Columns:
        """The key of the rows of a table or of a part of the query.

        Args:
            source: The table or part.
            is_found: Ask what decides that there is a row, which for a group is also each row in it;
                a row that an outer join did not find decides nothing.
        """
        if isinstance(source, exp.Table):
            return frozenset((_name(source), column) for column in self._declared(source))
        query = source.expression
        if isinstance(query, exp.SetOperation):
            return _union(self.rows(one, is_found=is_found) for one in source.set_operation_scopes)
        if not isinstance(query, exp.Select):
            return NONE
        keys = query.selects if query.args.get("distinct") else _groups(query)
        own = _union(self._expression(source, key) for key in keys)
        if (keys or _adds_up(query)) and not is_found:
            return own
        return own | self._read_rows(source, is_found=is_found)

    def _read_rows(self, scope: Scope, *, is_found: bool = False) -> Columns:
        """The key of the rows that a part reads, before it groups them."""
        left_out = _outer(scope.expression) if is_found else self._looked_up(scope)
        sources = [one for name, one in _joined(scope).items() if name not in left_out]
        return _union(self.rows(one, is_found=is_found) for one in sources)

    def _looked_up(self, scope: Scope) -> set[str]:
        """Sources joined by their whole key: they add no row to count."""
        sources, found = _joined(scope), set()
        for join in scope.expression.args.get("joins") or []:
            name = join.alias_or_name
            key = self._key(sources[name]) if name in sources else None
            if key is not None and key <= _equated(join, name):
                found.add(name)
        return found

    def _key(self, source: Scope | exp.Table) -> set[str] | None:
        """The columns by which a table or part has one row each; None where that cannot be told."""
        if isinstance(source, exp.Table):
            return set(self._declared(source))
        query = source.expression
        if not isinstance(query, exp.Select):
            return None
        if query.args.get("distinct"):
            return set(query.named_selects)
        sources, looked_up = _joined(source), self._looked_up(source)
        keys: list[exp.Expr] = _groups(query)
        for name in () if keys or _adds_up(query) else sources.keys() - looked_up:
            below = self._key(sources[name])
            if below is None:
                return None
            keys += [exp.column(column, table=name) for column in sorted(below)]
        shown = {one.unalias().sql(): one.alias_or_name for one in query.selects}
        asked = [key.sql() for key in keys]
        return {shown[key] for key in asked} if shown.keys() >= set(asked) else None

    def _declared(self, table: exp.Table) -> tuple[str, ...]:
        known = self.relations.get(_name(table))
        return known.key if known else ()

    def _counted(self, scope: Scope, node: exp.Expr) -> Columns:
        """The key of the rows that are counted: a window counts what grouping leaves."""
        above = node.find_ancestor(exp.Window, exp.Select)
        in_window = isinstance(node, exp.Window) or isinstance(above, exp.Window)
        if in_window and _groups(scope.expression):
            return self.rows(scope)
        return self._read_rows(scope)


def _union(parts: Iterator[Columns] | list[Columns]) -> Columns:
    return frozenset().union(*parts)


def _names(query: exp.Expr) -> list[str]:
    return query.named_selects if isinstance(query, exp.Query) else []


def _name(table: exp.Table) -> str:
    return f"{table.db}.{table.name}"


def _joined(scope: Scope) -> dict[str, Scope | exp.Table]:
    """Sources of FROM and of the joins, without those of nested queries."""
    return {name: source for name, (_, source) in scope.selected_sources.items()}


def _groups(query: exp.Expr) -> list[exp.Expr]:
    group = query.args.get("group")
    return list(group.expressions) if group else []


def _adds_up(query: exp.Select) -> bool:
    """Whether it makes one row of everything, without groups."""
    return not _groups(query) and any(
        isinstance(node, exp.AggFunc) and not node.find_ancestor(exp.Window)
        for projection in query.selects
        for node in projection.walk(prune=lambda one: isinstance(one, exp.Query))
    )


def _equated(join: exp.Join, name: str) -> set[str]:
    """Columns of a joined source that the join sets equal to something else."""
    condition = join.args.get("on")
    parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    sides = [
        side for part in parts if isinstance(part, exp.EQ) for side in (part.this, part.expression)
    ]
    return {one.name for one in sides if isinstance(one, exp.Column) and one.table == name}


def _outer(query: exp.Expr) -> frozenset[str]:
    """Sources that an outer join may leave empty."""
    joins = query.args.get("joins") or []
    return frozenset(join.alias_or_name for join in joins if join.side in {"LEFT", "FULL"})


def _counts_rows(node: exp.Expr) -> bool:
    """Whether it counts or numbers rows without naming a column for it."""
    if isinstance(node, exp.Count):
        return not any(_values(node.this))
    return isinstance(node, exp.Window) and not node.find(exp.Column, exp.Count)


def _values(counted: exp.Expr) -> Iterator[exp.Column]:
    """Columns that the counted value is taken from, conditions apart."""
    if isinstance(counted, exp.Case):
        results = [branch.args["true"] for branch in counted.args["ifs"]]
        results += [counted.args["default"]] if counted.args.get("default") else []
        for one in results:
            yield from _values(one)
    else:
        yield from counted.find_all(exp.Column)


def _asked_for(node: exp.Expr, scope: Scope) -> str | None:
    """The source of an outer join of which it is asked whether a row was found."""
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null):
        return None
    column = node.this
    is_outer = isinstance(column, exp.Column) and column.table in _outer(scope.expression)
    return column.table if is_outer else None
