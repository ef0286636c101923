"""The load: every file of an entity, each in its turn, judged and committed.

Whether a file is read, read again or left as it stands is decided here, and what is written down of it.
Which files there are, in which order, and what names their loads is in `delivery.py`; what becomes of
their rows, in `judge.py`; which loads are live, in `lake.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import asdict, replace

from intake.accounting import Load
from intake.bench import Bench, laid_out
from intake.contract import Contract
from intake.deletion import refuse_list
from intake.delivery import Delivery, Turn, delivered, in_order, load_id, turn_of, undone_loads
from intake.judge import judge
from intake.lake import Lake, Transaction
from intake.source import System
from intake.stage import stage_accepted, stage_quarantined

log = logging.getLogger("unicus.intake")


def load_entity(lake: Lake, system: System, contract: Contract) -> list[Load]:
    """Load every file of the system that feeds the contract's entity.

    The same file under the same rules changes nothing.

    Returns:
        One load per file, those that were already there included, those that were undone not.

    Raises:
        InputFault: a file is refused whole; the files before it are loaded.
    """
    if system.spec.entities[contract.entity].delivery == "snapshot":
        refuse_list(system, contract)
    undone = undone_loads(lake)
    loads = [
        _load(lake, system, contract, replace(found, digest=lake.keep_original(found.path)))
        for found in in_order(lake, system, contract)
        if load_id(system, contract, found) not in undone
    ]
    read_again(lake, system, contract)
    return loads


def read_again(lake: Lake, system: System, contract: Contract, gone: Collection[int] = ()) -> None:
    """Read loads again, from the kept bytes, that were compared with others than come before now.

    What a row adds depends on the deliveries before its own: without the one that first said it, a
    re-delivery is news. Only loads that a removal or a return touches are read.

    Args:
        lake: where the loads are.
        system: the system they came from.
        contract: the entity.
        gone: numbers of loads to do without, though they are still live.
    """
    if system.spec.entities[contract.entity].delivery == "append":
        return
    loads = delivered(lake, system.name, contract.entity, without=gone)
    before = 0
    for number, record in enumerate(loads):
        follows = Load.from_record(record).follows
        if follows != before and (follows is not None or gone):
            for later in loads[number:]:
                kept = Delivery.of_load(Load.from_record(later))
                _load(lake, system, contract, kept, gone, even_if_known=True)
            return
        before = record.seq


def _load(
    lake: Lake, system: System, contract: Contract, delivery: Delivery,
    gone: Collection[int] = (), *, even_if_known: bool = False,
) -> Load:  # fmt: skip
    """Load the kept bytes of a file; the same bytes in the same turn change nothing."""
    name = load_id(system, contract, delivery)
    with lake.transaction() as transaction:
        turn = turn_of(lake, system, contract, delivery, transaction.seq, without=gone)
        for record in turn.replaced:
            known = Load.from_record(record)
            is_same = known.load_id == name and known.follows in (None, turn.follows)
            if is_same and not even_if_known:
                return known
        same = [r for r in turn.replaced if Load.from_record(r).file_hash == delivery.digest]
        original = lake.root / "landing" / delivery.digest
        bench = Bench(
            lake, system, contract, delivery.path, original, transaction.committed_at, delivery.day,
            was_accepted=bool(same),
        )  # fmt: skip
        with laid_out(bench):
            return _commit(bench, transaction, turn, name, delivery)


def _commit(
    bench: Bench, transaction: Transaction, turn: Turn, name: str, delivery: Delivery
) -> Load:
    log.info("reading %s from %s", bench.subject, bench.path.name)
    outcomes, deleted = judge(bench, turn.before)
    raw = stage_accepted(bench, transaction, name)
    staged = [raw, *stage_quarantined(bench, transaction, name)]
    load = Load(
        load_id=name,
        source_system=bench.system.name,
        entity=bench.contract.entity,
        file_name=delivery.path.name,
        file_hash=delivery.digest,
        contract_version=bench.contract.version,
        read_rows=bench.read_rows,
        stored_rows=raw.target.rows,
        outcomes=tuple(outcomes),
        file_date=delivery.file_date,
        deleted_records=deleted,
        position=turn.position,
        follows=turn.follows,
    )
    transaction.commit(
        "load", name, staged, supersedes=[r.seq for r in turn.replaced], details=asdict(load)
    )
    return load
