"""Names: those that strangers give to files and columns, told apart, written in SQL, and shown.

Only how a name is spelt belongs here; what it may mean is guessed in `meaning.py`.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import duckdb

from intake.sql import quoted

PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What a system may be called, and a file in it: the same on a disk, in SQL and in YAML."""
UNQUOTED = re.compile(r"[a-z_][a-z0-9_]*")
"""Names that SQL reads as they stand, unless they are words of its own."""
LONGEST_SHOWN = 60


def plain_name(text: str) -> str:
    """A name made of small letters, digits and `_`, as near to `text` as can be."""
    # "N°" is written with a degree sign more often than with its own; a share is no amount.
    spelt = text.replace("°", "o").replace("%", " pct ")
    bare = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    return name if PLAIN_NAME.fullmatch(name) else f"s_{name}".rstrip("_")


def word(text: str) -> str:
    """The name as one word, to be compared: `Num_Commande` and "num commande" are the same."""
    return plain_name(text).replace("_", "")


def named(name: str) -> str:
    """The name as it is written in SQL: quoted only where it must be."""
    plain = UNQUOTED.fullmatch(name) and name not in _words_of_sql()
    return name if plain else quoted(name)


@functools.cache
def _words_of_sql() -> frozenset[str]:
    with duckdb.connect() as con:
        rows = con.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(row[0] for row in rows)


def shown(name: str) -> str:
    """The name as a comment or a message can show it: on one line, and no longer than one."""
    visible = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    cut = f"{visible[: LONGEST_SHOWN - 3]}..." if len(visible) > LONGEST_SHOWN else visible
    return f'"{cut}"'
