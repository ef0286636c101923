"""The judge: what becomes of every row of one file, step by step, until they add up.

Each row is left out by a named rule, quarantined with a reason, re-delivered, or accepted; the rows were
counted by the reader before any SQL. The steps themselves are in modules of their own; what is written
to the lake after the verdict, in `load.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from intake.accounting import Outcome
from intake.bench import Bench, laid_out
from intake.check import check
from intake.contract import Contract
from intake.deletion import compare_with_last_list, delete_missing
from intake.lake import Lake, Record
from intake.mapping import leave_out, map_rows, unaccounted
from intake.redelivery import mark_redelivered
from intake.source import System


def judge(bench: Bench, before: list[Record]) -> tuple[list[Outcome], int]:
    """Decide the fate of every row that was read: the table `checked` says it, and the outcomes.

    Args:
        bench: the file, laid out.
        before: live loads of the deliveries before, in order.

    Returns:
        The outcomes, and how many records of the deliveries before a full list deletes.

    Raises:
        InputFault: the file is refused whole.
    """
    left_out = leave_out(bench)
    map_rows(bench)
    check(bench)
    deleted = _compare(bench, before)
    outcomes = [*left_out, *_count_outcomes(bench)]
    _account(bench, outcomes)
    return outcomes, deleted


@dataclass(frozen=True)
class Trial:
    """A load that was judged and not committed.

    Attributes:
        con: a database with the tables `file_rows` (as read), `mapped` (as the mapping gives them)
            and `checked` (as the contract types them, with `_field` and `_reason` of a refusal).
    """

    con: duckdb.DuckDBPyConnection
    read_rows: int
    outcomes: tuple[Outcome, ...]


@contextmanager
def trial(
    lake: Lake, system: System, contract: Contract, path: Path, sample: int | None = None
) -> Iterator[Trial]:
    """Judge the first `sample` rows of a file, or all, as a load would, and commit nothing.

    Raises:
        InputFault: the file would be refused whole.
    """
    file_date = system.file_date(contract.entity, path)
    bench = Bench(lake, system, contract, path, path, datetime.now(UTC), file_date, sample=sample)
    with laid_out(bench):
        outcomes, _ = judge(bench, [])
        yield Trial(bench.con, bench.read_rows, tuple(outcomes))


def _compare(bench: Bench, before: list[Record]) -> int:
    """Compare the rows with the deliveries before; return how many records they delete."""
    files = [
        str(bench.lake.path(f).resolve()) for r in before for f in r.files if f.source == "raw"
    ]
    if files and bench.feed.delivery == "upsert":
        mark_redelivered(bench, files)
    if files and bench.feed.delivery == "snapshot":
        compare_with_last_list(bench, files)
        return delete_missing(bench)
    return 0


def _count_outcomes(bench: Bench) -> list[Outcome]:
    rows = bench.con.execute("""
        select
            case when _reason is not null then 'quarantined'
                when _is_redelivered then 'redelivered' else 'accepted' end as outcome,
            coalesce(_field || ': ' || _reason, '') as reason,
            sum(_row_count)
        from checked where not _is_deleted group by all order by all
    """).fetchall()
    return [Outcome(outcome, reason, int(count)) for outcome, reason, count in rows]


def _account(bench: Bench, outcomes: list[Outcome]) -> None:
    known = sum(one.rows for one in outcomes)
    if known != bench.read_rows:
        what = f"{bench.read_rows:,} rows were read, {known:,} are accounted for"
        raise unaccounted(bench, what)
