"""The load: every file of an entity, each in its turn, judged and committed.

Whether a file is read, read again or left as it stands is decided here, and what is written down of it.
Which files there are, in which order, and what names their loads is in `delivery.py`; what becomes of
their rows, in `judge.py`; which loads are live, in `lake.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from intake.accounting import Load
from intake.bench import Bench, laid_out
from intake.contract import Contract
from intake.deletion import refuse_list
from intake.delivery import (
    Delivery,
    Turn,
    in_order,
    is_compared,
    load_id,
    to_read_in_order,
    turn_of,
    undone_loads,
)
from intake.judge import judge
from intake.lake import Lake, Record, Transaction
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
    """Read loads again, from the kept bytes, that follow on others than come before now.

    What a row adds depends on the deliveries before its own: without the one that first said it, a
    re-delivery is news. And of versions without a time the one that was read last is believed, so what
    came after a file that was read again is read again too. Only loads that this touches are read.

    Args:
        lake: where the loads are.
        system: the system they came from.
        contract: the entity.
        gone: numbers of loads to do without, though they are still live.
    """
    loads = to_read_in_order(lake, system, contract, without=gone)
    before = 0
    for number, record in enumerate(loads):
        if is_compared(system, contract):
            follows = Load.from_record(record).follows
            is_moved = follows != before and (follows is not None or gone)
        else:
            is_moved = record.seq < before
        if is_moved:
            for later in loads[number:]:
                kept = Delivery.of_load(Load.from_record(later))
                _load(lake, system, contract, kept, gone, even_if_known=True)
            return
        before = record.seq


def load_again(
    lake: Lake, system: System, contract: Contract, records: Sequence[Record]
) -> list[Load]:
    """Read loads again from the kept bytes, by the rules of now, each in the place of the old one.

    Args:
        lake: where the loads are.
        system: the system they came from.
        contract: the entity.
        records: the loads, all from some one on, in the order of `to_read_in_order`.

    Raises:
        InputFault: a file is refused whole; those before it are read again.
    """
    dated = [(Delivery.as_named(system, Load.from_record(r)), r) for r in records]
    if is_compared(system, contract):
        dated.sort(key=lambda one: (one[0].file_date or "", Load.from_record(one[1]).position))
    loads = []
    for number, (delivery, record) in enumerate(dated, 1):
        still_old = {later.seq for _, later in dated[number:]}
        loads.append(
            _load(lake, system, contract, delivery, still_old, even_if_known=True, again=record)
        )
    # A load that a run had read by the rules of now may follow on one that was still of old ones.
    read_again(lake, system, contract)
    return loads


def _load(
    lake: Lake, system: System, contract: Contract, delivery: Delivery,
    gone: Collection[int] = (), *, even_if_known: bool = False, again: Record | None = None,
) -> Load:  # fmt: skip
    """Load the kept bytes of a file; the same bytes in the same turn change nothing."""
    name = load_id(system, contract, delivery)
    with lake.transaction() as transaction:
        turn = turn_of(lake, system, contract, delivery, transaction.seq, without=gone, again=again)
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
