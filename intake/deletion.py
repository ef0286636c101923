"""Deletion: what a full list says by leaving a record out.

Each file of a system that delivers by `snapshot` is compared with what the files before it came to. It
runs on the bench of a load, whose rows add up in `judge.py`: a deletion is no row of the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from intake.contract import Contract
from intake.fault import InputFault
from intake.sql import literals, quoted

if TYPE_CHECKING:
    from intake.bench import Bench
    from intake.source import System

FEW = 20
"""Deletions that no list is too short for: small lists change freely, but none is just empty."""


def refuse_list(system: System, contract: Contract) -> None:
    """Refuse full lists of what has no key of its own, for none of it can be missed.

    Raises:
        InputFault: the entity has no key.
    """
    if contract.key:
        return
    raise InputFault(
        "bad-source-file", system.name, "source.yaml cannot be used",
        where=str(system.folder / "source.yaml"),
        why=f"entities.{contract.entity}.delivery: {contract.entity} have no key, so a list cannot"
        f" be missing one; they go with their {contract.parent}",
        fix=f"write  delivery: upsert  for {contract.entity}, then  unicus run",
        exit_code=2,
    )  # fmt: skip


def compare_with_last_list(bench: Bench, files: list[str]) -> None:
    """Put what the files before came to into `last_list`; mark the rows that say the same.

    A record that comes back is known again from the time of its list on: its own time of change may
    lie before its deletion.
    """
    key = ", ".join(map(quoted, bench.contract.key))
    bench.con.execute(f"""
        create table last_list as
        select *, max(_version_at) over (partition by {key}) as _known_at
        from (
            select null::boolean as _is_deleted where false
            union all by name
            select * from read_parquet(
                {literals(files)}, union_by_name = true, hive_partitioning = false
            )
        )
        qualify row_number() over (
            partition by {key} order by _version_at desc nulls last, _load_seq desc, _row desc
        ) = 1
    """)
    bench.con.execute(f"""
        update checked set
            _is_redelivered = not coalesce(l._is_deleted, false)
                and checked._content_hash = l._content_hash,
            _version_at = case
                when l._is_deleted
                    then greatest(checked._version_at, l._known_at, {_list_time(bench)})
                else checked._version_at
            end
        from last_list as l
        where checked._reason is null and {_same_key(bench, "checked", "l")}
    """)


def delete_missing(bench: Bench) -> int:
    """Add to `checked` a deletion for each record that was there and is not, and count them.

    A deletion repeats what was last known, is no row of the file, and holds from the time of the
    list on. A refused row still says that its record is there.

    Raises:
        InputFault: a list that would delete more than it may, as one that broke off does.
    """
    gone = f"""
        from last_list as l where not coalesce(l._is_deleted, false) and not exists (
            from checked as c where {_same_key(bench, "c", "l")}
        )
    """
    missing = bench.count(f"select count(*) {gone}")
    _refuse_short(bench, missing)
    own = ", ".join(quoted(field.name) for field in bench.contract.fields)
    bench.con.execute(f"""
        insert into checked by name
        select {own}, 0 as _row, 0 as _row_count, 'deleted' as _content_hash,
            greatest(l._known_at, {_list_time(bench)}) as _version_at, false as _is_redelivered,
            true as _is_deleted
        {gone}
    """)
    return missing


def _refuse_short(bench: Bench, missing: int) -> None:
    if bench.was_accepted:  # it is read again, under other rules or after another list
        return
    known = bench.count("select count(*) from last_list where not coalesce(_is_deleted, false)")
    least = bench.feed.least_kept_share
    is_empty = not bench.count("select count(*) from checked")
    if known - missing >= least * known or (missing <= FEW and not is_empty):
        return
    entity = bench.contract.entity
    raise InputFault(
        "short-list", bench.subject, "the full list is too short", where=str(bench.path),
        why=f"with delivery: snapshot it would delete {missing:,} of {known:,} records, and"
        f" {least:.0%} have to stay",
        fix=f"deliver the list again, or write  least_kept_share: 0  below {entity} in source.yaml if"
        " they are gone, then  unicus run",
    )  # fmt: skip


def _list_time(bench: Bench) -> str:
    """When the list was made, as SQL: the newest time in it, or the date of its file, if later."""
    newest = "(select max(_version_at) from checked where _reason is null and not _is_deleted)"
    return f"greatest({newest}, cast({bench.start_of_date} as timestamp))"


def _same_key(bench: Bench, left: str, right: str) -> str:
    return " and ".join(f"{left}.{quoted(c)} = {right}.{quoted(c)}" for c in bench.contract.key)
