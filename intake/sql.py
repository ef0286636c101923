"""Quoting for SQL text: the one place where names and values become part of a statement.

Values go by parameters wherever DuckDB takes them; `literal` is for the few places where it does
not (COPY targets, file lists).
"""


def quoted(name: str) -> str:
    """Return `name` as a quoted SQL identifier, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return `value` as a quoted SQL string."""
    return "'" + value.replace("'", "''") + "'"


def literals(values: list[str]) -> str:
    """Return a SQL list of strings, for `read_parquet([...])` and the like."""
    return "[" + ", ".join(literal(value) for value in values) + "]"
