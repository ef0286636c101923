"""Which customer is meant: by an id, how one begins, a record key, or an id no longer given."""

from __future__ import annotations

import difflib
from pathlib import Path

import duckdb

from serving.fault import ExplainFault
from serving.past import Past
from serving.rows import parquet, set_values

NEAR = 3
"""How many characters of a customer id may be wrong for it to be meant."""
FEW = 5


def find_customer(
    con: duckdb.DuckDBPyConnection, past: Past, published: Path, asked: str
) -> tuple[str, str]:
    """The customer that is meant, and by what: `customer_id`, `beginning`, `record`, `retired_id`."""
    system, mark, key = asked.partition(":")
    set_values(con, asked=asked, system=system, key=key if mark else asked)
    found = _ids(
        con,
        """
        select customer_id from marts.customer_360
        where starts_with(customer_id, getvariable('asked')) order by 1
    """,
    )
    if asked in found:
        return asked, "customer_id"
    files = past.made_files("identity", "customer_map")
    if mark:
        found = _by_record(con, files)
        if len(found) == 1:
            return found[0], "record"
        raise _no_such_record(con, published, asked, system, files)
    same_key = _same_key(con, files)
    if len(found) == 1 and not same_key:
        return found[0], "beginning"
    if not found:
        found = _followers(con, files)
        if len(found) == 1:
            return found[0], "retired_id"
    raise _not_one(con, published, asked, found, same_key)


def _ids(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(row[0]) for row in con.execute(query).fetchall()]


def _by_record(con: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    if not files:
        return _ids(
            con,
            "select customer_id from marts.customer_360"
            " where smallest_record_key = getvariable('asked')",
        )
    return _ids(con, f"""
        select customer_id from {parquet(files)}
        where source_system = getvariable('system') and source_key = getvariable('key')
            and valid_to is null and customer_id in (select customer_id from marts.customer_360)
    """)  # fmt: skip


def _same_key(con: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    """Records whose key is what was asked for, as a person may leave the system out."""
    if not files:
        return []
    return _ids(con, f"""
        select source_system || ':' || source_key from {parquet(files)}
        where source_key = getvariable('key') and valid_to is null
            and customer_id in (select customer_id from marts.customer_360)
        order by 1
    """)  # fmt: skip


def _followers(con: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    """The customers that the records of an id no longer given belong to now."""
    if not files:
        return []
    return _ids(con, f"""
        select distinct customer_id from {parquet(files)}
        where valid_to is null and (source_system, source_key) in (
            select (source_system, source_key) from {parquet(files)}
            where customer_id = getvariable('asked') and valid_to is not null
        ) order by 1
    """)  # fmt: skip


def _no_such_record(
    con: duckdb.DuckDBPyConnection, published: Path, asked: str, system: str, files: list[str]
) -> ExplainFault:
    known = (
        _ids(con, f"select distinct source_system from {parquet(files)} order by 1")
        if files
        else []
    )
    near = difflib.get_close_matches(system, known, n=1)
    if system in known:
        why = f"no row of {system} that this run read names it, or its loads were undone"
        fix = "compare the key with the file; spaces around it do not count, noughts before it do"
    else:
        why = f"the systems with customers are {', '.join(known) or 'not known'}"
        _, _, key = asked.partition(":")
        fix = f"unicus explain customer {near[0]}:{key}" if near else "name one of these systems"
    return ExplainFault(
        "no-such-customer", asked, "no customer has a record of this key",
        where=str(published), why=why, fix=fix,
    )  # fmt: skip


def _not_one(
    con: duckdb.DuckDBPyConnection,
    published: Path,
    asked: str,
    found: list[str],
    same_key: list[str],
) -> ExplainFault:
    shown = ", ".join(found[:FEW]) + (f" and {len(found) - FEW:,} more" if len(found) > FEW else "")
    if found and same_key:
        what, why = "it may mean two things", f"{shown} begins so, and {same_key[0]} has this key"
    elif found:
        what, why = "more than one customer is meant", f"there are {len(found):,}: {shown}"
    else:
        what, why = "there is no such customer", "no id of a customer is this, or begins so"
    near = [] if found or same_key else _near(con)
    target = (same_key or found or near or [""])[0]
    return ExplainFault(
        "no-such-customer", asked, what, where=str(published), why=why,
        fix=f"unicus explain customer {target}" if target
        else "give an id of marts.customer_360, or a record key as  system:key",
    )  # fmt: skip


def _near(con: duckdb.DuckDBPyConnection) -> list[str]:
    return _ids(con, f"""
        select customer_id from marts.customer_360
        where levenshtein(customer_id, getvariable('asked')) <= {NEAR}
        order by levenshtein(customer_id, getvariable('asked')), 1 limit 1
    """)  # fmt: skip
