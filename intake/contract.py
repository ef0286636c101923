"""Contracts: what each entity means and what a row must satisfy to be let in.

The files are Open Data Contract Standard 3, read with its own package; this module keeps the part
that the load needs. How a row is checked is `check.py`'s business.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import yaml

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaObject, SchemaProperty

CONTRACTS = Path(__file__).parent / "contracts"

Classification = Literal["", "personal", "sensitive"]
"""What a column tells of people: nothing, who they are and what they are like, or what the law
protects most: health, belief, opinion, origin, sexual life, biometrics, exact position."""

LOAD_COLUMNS = {
    "_row": "bigint",
    "_row_count": "bigint",
    "_content_hash": "varchar",
    "_version_at": "timestamp",
    "_load_id": "varchar",
    "_load_seq": "bigint",
    "_loaded_at": "timestamp",
    "_is_deleted": "boolean",
}
"""What the load adds to each row of `raw`: its first row in the landing file, how many rows it stands
for, the hash of its content, its version time (UTC, empty when the source tells none), its load, and
whether it says that the record is gone (empty in loads of before there was such a thing)."""


@dataclass(frozen=True)
class Field:
    """One column of a contract; `type` is the type it has in the lake."""

    name: str
    type: str
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] = ()
    classification: Classification = ""
    description: str = ""


@dataclass(frozen=True)
class Contract:
    """One entity: its columns, its key and how its rows lie in time.

    Attributes:
        key: columns that name one record; empty for lines, which belong to their parent.
        parent: entity the rows belong to, with `parent_key` naming the column that points to it.
        event_time: column that says when the thing happened, if the entity has one.
        version_by: column that orders the versions of one record.
        is_clock: whether the entity's events tell up to which day the data is complete.
    """

    entity: str
    version: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    version_by: str
    event_time: str | None = None
    parent: str | None = None
    parent_key: str | None = None
    is_clock: bool = False
    description: str = ""

    @property
    def record_columns(self) -> tuple[str, ...]:
        """Columns that say which rows replace each other: the key, or the parent's for lines."""
        return self.key or ((self.parent_key,) if self.parent_key else ())

    @property
    def sensitive_columns(self) -> frozenset[str]:
        """Columns that a system fills only with a reason of its own."""
        return frozenset(f.name for f in self.fields if f.classification == "sensitive")

    @property
    def raw_columns(self) -> dict[str, str]:
        """Columns and types of the entity in the lake."""
        own = {field.name: field.type for field in self.fields}
        return {"source_system": "varchar"} | own | LOAD_COLUMNS

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of every rule of the contract; descriptions do not count."""
        rules = asdict(self, dict_factory=_without_description)
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def _without_description(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in items if name != "description"}


@functools.cache
def contracts(folder: Path = CONTRACTS) -> dict[str, Contract]:
    """Read every contract of `folder`, by entity.

    Raises:
        ValueError: a file is no contract; the message names it.
    """
    return {path.stem: _read(path) for path in sorted(folder.glob("*.yaml"))}


def _read(path: Path) -> Contract:
    from open_data_contract_standard.model import OpenDataContractStandard

    try:
        # Not by `from_file`, whose YAML reader in Python takes eight times as long.
        document = OpenDataContractStandard(**yaml.load(path.read_text("utf-8"), yaml.CSafeLoader))
        if not document.schema_ or not document.version:
            raise ValueError("there is no schema or no version")
        return _contract(path.stem, document.version, document.schema_[0])
    except (yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path.name} is no contract: {error}") from error


def _contract(entity: str, version: str, schema: SchemaObject) -> Contract:
    more: dict[str, Any] = {
        custom.property: custom.value for custom in schema.customProperties or [] if custom.property
    }
    properties = schema.properties or []
    key = sorted((p for p in properties if p.primaryKey), key=lambda p: p.primaryKeyPosition or 0)
    return Contract(
        entity=entity,
        version=version,
        fields=tuple(_field(p) for p in properties),
        key=tuple(str(p.name) for p in key),
        version_by=more["versionBy"],
        event_time=more.get("eventTime"),
        parent=more.get("parent"),
        parent_key=more.get("parentKey"),
        is_clock=bool(more.get("clock", False)),
        description=_one_line(schema.description),
    )


def _field(declared: SchemaProperty) -> Field:
    options = declared.logicalTypeOptions or {}
    classification = declared.classification or ""
    if classification not in get_args(Classification):
        raise ValueError(f"{declared.name} has a classification that does not exist")
    return Field(
        name=str(declared.name),
        type=str(declared.physicalType),
        required=bool(declared.required),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        pattern=options.get("pattern"),
        allowed=tuple(str(value.value) for value in declared.enum or []),
        classification=cast("Classification", classification),
        description=_one_line(declared.description),
    )


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
