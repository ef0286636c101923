"""Proposed mappings: which entities the files feed, each from one kind of file.

Which file is the best for an entity, which of its columns it can give, and whether rows are grouped.
The SQL of a column is written in `item.py`, the text of a mapping in `draft.py`; how a mapping is run
is the business of `load.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from intake.contract import Contract, Field, contracts
from intake.proposal.delivery import Delivery
from intake.proposal.item import Item, channel, column_sql, last_of_record, line_items, row_as_key
from intake.proposal.meaning import NUMBERS, Meaning, is_named_by_key


@dataclass(frozen=True)
class Mapping:
    """A proposed mapping: one entity from one kind of file.

    Attributes:
        is_grouped: several rows of the file may be one record.
        skipped_key: column that names the record in a file about something else; a row where it is
            empty tells nothing of the entity. Empty in the entity's own file.
    """

    contract: Contract
    delivery: Delivery
    items: tuple[Item, ...]
    is_grouped: bool
    skipped_key: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def empty(self) -> list[str]:
        """Columns of the contract that nothing feeds; the load itself knows the currency."""
        given = {item.field for item in self.items} | {"currency"}
        return [f.name for f in self.contract.fields if f.name not in given]

    @property
    def todos(self) -> list[str]:
        """Everything a person should check."""
        return [*self.doubts, *(doubt for item in self.items for doubt in item.doubts)]


def mappings_of(deliveries: Sequence[Delivery]) -> list[Mapping]:
    """The best mapping of each entity: from a file of its own, else derived from another's keys."""
    best: dict[str, Mapping] = {}
    for contract in contracts().values():
        candidates = [m for d in deliveries if (m := _mapping(contract, d))]
        if candidates:
            own = [m for m in candidates if m.delivery.subject == contract.entity]
            best[contract.entity] = max(own or candidates, key=lambda m: len(m.items))
    return list(best.values())


def _mapping(contract: Contract, delivery: Delivery) -> Mapping | None:
    if not _feeds(contract, delivery):
        return None
    is_order = contract.entity == "orders"
    is_derived = is_named_by_key(contract) and delivery.is_of_orders and not is_order
    is_grouped = is_derived or (is_order and delivery.has_lines)
    items = tuple(_items(contract, delivery, is_grouped, is_derived))
    if {f.name for f in contract.fields if f.required} - {i.field for i in items} - {"currency"}:
        return None
    return Mapping(
        contract, delivery, items, is_grouped,
        skipped_key=delivery.meanings[contract.key[0]].column.name if is_derived else "",
        doubts=tuple(_row_doubts(contract, delivery, is_grouped)),
    )  # fmt: skip


def _feeds(contract: Contract, delivery: Delivery) -> bool:
    """Whether the file tells anything of the entity, keys of others and times of change apart."""
    found = set(delivery.meanings)
    if contract.entity == "order_lines":
        return delivery.is_of_orders and bool(found & (NUMBERS - {"coupon_amount"}))
    if contract.entity == "orders":
        return delivery.is_of_orders and "ordered_at" in found
    if not set(contract.key) <= found:
        return False
    if delivery.subject == contract.entity or is_named_by_key(contract):
        return True
    names = {f.name for f in contract.fields} - {"updated_at", "currency", "created_at"}
    said = {name for name in names & found if not name.endswith("_key")}
    keys = {name for name in found if name.endswith("_key")}
    own = len(contract.key) > 1 and keys <= names
    return not delivery.is_of_orders and bool(own or (said and len(contract.key) == 1))


def _items(
    contract: Contract, delivery: Delivery, is_grouped: bool, is_derived: bool
) -> Iterator[Item]:  # fmt: skip
    if contract.entity == "order_lines":
        yield from line_items(delivery)
        return
    for declared in contract.fields:
        told = delivery.meanings.get(declared.name)
        if told and _misleads(declared.name, told, delivery, is_grouped, is_derived):
            continue
        item = _item(contract, declared, told, is_derived)
        if item:
            yield item


def _misleads(
    name: str, told: Meaning, delivery: Delivery, is_grouped: bool, is_derived: bool
) -> bool:  # fmt: skip
    """Whether the column, though the file has it, does not say this of the record."""
    if name == "created_at":
        # The first order of a file is not when the customer came: the next file would move it.
        return is_derived
    if name == "updated_at":
        return is_grouped
    # Where it is told now and then, the system's own one holds.
    return name == "currency" and told.column.filled < delivery.profile.rows


def _item(
    contract: Contract, declared: Field, told: Meaning | None, is_derived: bool
) -> Item | None:  # fmt: skip
    name = declared.name
    if name == "order_key" and contract.entity == "orders" and not told:
        return row_as_key()
    if name == "channel" and (told or declared.required):
        return channel(told, is_derived)
    if not told:
        return None
    sql = column_sql(told, name)
    # One record has one name; its key is what the rows are grouped by.
    is_one_of_many = is_derived and name not in contract.key
    return Item(name, last_of_record(sql) if is_one_of_many else sql, told.doubts)


def _row_doubts(contract: Contract, delivery: Delivery, is_grouped: bool) -> Iterator[str]:
    if len(delivery.paths) > 1:
        yield f"{len(delivery.paths)} files have the same columns and are read as deliveries of one"
    told = delivery.meanings.get(contract.key[0]) if len(contract.key) == 1 else None
    if not told or is_grouped:
        return
    repeated = told.column.filled - told.column.distinct
    if repeated > 0:
        yield f"{repeated:,} of the first rows repeat a key; all but the first are refused"
    missing = delivery.profile.rows - told.column.filled
    if missing > 0:
        yield f"{missing:,} of the first rows have no key"
