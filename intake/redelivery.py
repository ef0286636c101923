"""Redelivery: which rows say again what the deliveries before already say.

Such a row is counted and not stored again. What a full list deletes is the business of `deletion.py`,
which deliveries come before, that of `delivery.py`.
"""

from __future__ import annotations

from intake.bench import Bench
from intake.sql import literals, quoted


def mark_redelivered(bench: Bench, files: list[str]) -> None:
    """Mark rows of `checked` that the newest live delivery of the same version already says.

    Lines have no key: the whole set of an order's lines is compared. A row that tells no time of its
    own is compared with what was said last before the business date of its file.

    Args:
        bench: the file, checked.
        files: what the deliveries before stored.
    """
    _find_said_again(bench, files)
    same = [f"checked.{c} = again.{c}" for c in _record(bench)]
    if bench.contract.key:
        same.append(
            f"cast(checked.{quoted(bench.contract.version_by)} as timestamp)"
            " is not distinct from again.version_at"
        )
    bench.con.execute(f"""
        update checked set _is_redelivered = true from again
        where checked._reason is null and {" and ".join(same)}
    """)


def _find_said_again(bench: Bench, files: list[str]) -> None:
    """Put into `again` each record and version of which the file says what was said last."""
    own, record = bench.own_version, ", ".join(_record(bench))
    group = f"{record}, {own}" if bench.contract.key else record
    before = (
        f"where {own} is not null or _version_at is null or _version_at <= {bench.start_of_date}"
        if bench.file_date
        else ""
    )
    bench.con.execute(f"""
        create table again as
        with fresh as (
            {_said(bench, "0")} from checked where _reason is null group by {group}
        ),
        stored as (
            {_said(bench, "_load_seq")}
            from read_parquet({literals(files)}, union_by_name = true, hive_partitioning = false)
            semi join fresh using ({record})
            {before}
            group by {group}, _load_seq
            qualify row_number() over (
                partition by {record}, version_at order by stands_at desc nulls last, load_seq desc
            ) = 1
        )
        select {", ".join(f"n.{c}" for c in _record(bench))}, n.version_at
        from fresh as n join stored as o
            on {" and ".join(f"n.{c} = o.{c}" for c in _record(bench))}
            and n.version_at is not distinct from o.version_at and n.said = o.said
    """)


def _said(bench: Bench, load: str) -> str:
    """SELECT list for what one load says of a record and version.

    Rows in any order are told apart by how many they are and the sums of their hashes: a sorted list
    of them would have to fit in memory.
    """
    own = bench.own_version
    return f"""
        select {", ".join(_record(bench))}, {own if bench.contract.key else f"max({own})"} as version_at,
            {load} as load_seq,
            {{
                'rows': count(*),
                'lower': sum(md5_number_lower(_content_hash)),
                'upper': sum(md5_number_upper(_content_hash))
            }} as said,
            max(_version_at) as stands_at
    """


def _record(bench: Bench) -> list[str]:
    return [quoted(column) for column in bench.contract.record_columns]
