"""Drafts: the text of a proposed `source.yaml` and of its mappings.

With a TODO wherever a guess needs a person. Only the writing belongs here; what is guessed comes from
`delivery.py` and `mapping.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from intake.proposal.delivery import Delivery, currency_of
from intake.proposal.item import Item
from intake.proposal.mapping import Mapping
from intake.proposal.name import named, shown

MOST_ORIGINS = 3
"""Files that a mapping names as those it came from; a hundred deliveries would fill a page."""


def mapping_text(mapping: Mapping) -> str:
    """The SQL file of a mapping."""
    origin = ", ".join(shown(path.name) for path in mapping.delivery.paths[:MOST_ORIGINS])
    lines = [f"-- Proposed by `unicus new-system` from {origin}."]
    lines += [f"-- TODO: {doubt}" for doubt in mapping.doubts]
    if mapping.empty:
        lines.append(f"-- No source: {', '.join(mapping.empty)}.")
    items = [] if mapping.is_grouped else ["    _row"]
    items += [_item_text(item) for item in mapping.items]
    if mapping.is_grouped:
        items += ["    min(_row) as _row", "    count(*) as _row_count"]
    lines += ["select", ",\n".join(items), f"from {named(mapping.delivery.alias)}"]
    if mapping.is_grouped:
        lines.append("group by all")
    return "\n".join(lines) + "\n"


def _item_text(item: Item) -> str:
    doubts = "".join(f"    -- TODO: {doubt}\n" for doubt in item.doubts)
    alias = "" if item.sql == item.field else f" as {item.field}"
    return f"{doubts}    {item.sql}{alias}"


def source_text(name: str, deliveries: Sequence[Delivery], mappings: Sequence[Mapping]) -> str:
    """The `source.yaml` of a system: where its files lie, how they are read, what they feed."""
    location = Path(os.path.commonpath([p.parent for d in deliveries for p in d.paths]))
    currency, doubt = currency_of(deliveries)
    lines = [
        "# Proposed by `unicus new-system`; the mappings beside it say what to check.",
        f"system: {name}",
        "# TODO: a title that people know it by.",
        f"title: {_scalar(name)}",
        f"location: {_scalar(str(location))}",
        "# TODO: the time zone in which a day begins and ends, such as Europe/Paris.",
        "business_timezone: UTC",
        *([f"# TODO: {doubt}"] if doubt else []),
        f"currency: {currency}",
        "files:",
    ]
    fed = {mapping.delivery.alias for mapping in mappings}
    for delivery in deliveries:
        lines += _file_lines(delivery, location, delivery.alias in fed)
    lines.append("entities:" if mappings else "entities: {}")
    for mapping in mappings:
        lines += _entity_lines(mapping)
    return "\n".join(lines) + "\n"


def _file_lines(delivery: Delivery, location: Path, is_fed: bool) -> Iterator[str]:
    yield from (f"  # TODO: {doubt}" for doubt in delivery.doubts)
    if delivery.profile.has_header and not is_fed:
        yield "  # TODO: no entity is known by these columns; write a mapping, or move it to not_read."
    told = {"path": delivery.glob(location)} | delivery.profile.spec.model_dump(
        exclude={"path"}, exclude_defaults=True
    )
    parts = ", ".join(f"{key}: {_scalar(value)}" for key, value in told.items())
    yield f"  {delivery.alias}: {{{parts}}}"


def _entity_lines(mapping: Mapping) -> Iterator[str]:
    alias, entity = mapping.delivery.alias, mapping.contract.entity
    if not mapping.skipped_key:
        yield f"  {entity}: {{file: {_scalar(alias)}, delivery: upsert}}"
        return
    key = mapping.contract.key[0].removesuffix("_key")
    empty = f"nullif(trim(cast({named(mapping.skipped_key)} as varchar)), '') is null"
    yield f"  {entity}:"
    yield f"    file: {_scalar(alias)}"
    yield "    delivery: upsert"
    yield "    not_applicable:"
    yield f"      no_{key}:"
    yield f"        where: {_scalar(empty)}"
    yield f"        why: The row names no {key}."


def _scalar(value: object) -> str:
    """The value as YAML, on one line, fit for a flow mapping."""
    dumped = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    return dumped.strip().removeprefix("[").removesuffix("]")
