"""Erasure: which requests to be forgotten wait, and for how long.

Belongs here: what the loads say of such requests. Does not belong here: the erasing, which does not
exist yet, so that every request that is received or verified waits. No key and no address leaves this
module.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from intake.deviation import Verdict
from intake.sql import literal, literals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from intake.lake import Lake, Record

CHECK = "erasure"
ENTITY = "erasure_requests"
LIMIT_DAYS = 30
"""The month within which the GDPR (article 12) wants an answer."""


def waiting_requests(
    lake: Lake, loads: Iterable[Record], timezone: str, as_of: date
) -> list[Verdict]:
    """What each system's requests come to at a date: a warning while one waits.

    Args:
        lake: The lake.
        loads: Records of the loads to look at.
        timezone: Time zone in which days begin and end.
        as_of: The date; requests from it on are not there yet.
    """
    files = [
        str(lake.path(file)) for record in loads for file in record.files
        if (file.source, file.table) == ("raw", ENTITY) and file.rows
    ]  # fmt: skip
    if not files:
        return []
    import duckdb

    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        rows = con.execute(f"""
            with newest as (
                select *, timezone({literal(timezone)}, timezone('UTC', requested_at))::date as day
                from read_parquet({literals(files)}, union_by_name = true)
                where _version_at is null
                    or timezone({literal(timezone)}, timezone('UTC', _version_at))::date
                        < {literal(as_of.isoformat())}::date
                qualify row_number() over (
                    partition by source_system, request_key
                    order by _version_at desc nulls last, _load_seq desc, _load_id, _row desc
                ) = 1
            )
            select source_system,
                count(*) filter (where is_waiting) as waiting,
                coalesce(max({literal(as_of.isoformat())}::date - day) filter (where is_waiting), 0) as days
            from (
                select *, not coalesce(_is_deleted, false)
                    and request_status in ('received', 'verified') as is_waiting
                from newest
                where day < {literal(as_of.isoformat())}::date
            )
            group by source_system order by source_system
        """).fetchall()
    return [_verdict(system, waiting, days) for system, waiting, days in rows]


def _verdict(system: str, waiting: int, days: int) -> Verdict:
    noun = "request waits" if waiting == 1 else "requests wait"
    age = "1 day" if days == 1 else f"{days} days"
    late = f"; an answer was due after {LIMIT_DAYS}" if days > LIMIT_DAYS else ""
    text = (
        f"{ENTITY} of {system}: {waiting} {noun} to be forgotten, the oldest for {age}{late}"
        if waiting else f"{ENTITY} of {system}: none waits"
    )  # fmt: skip
    found: dict[str, float | int | str] = {"waiting": waiting, "oldest_days": days}
    return Verdict(CHECK, system, ENTITY, "warn" if waiting else "ok", text, found)
