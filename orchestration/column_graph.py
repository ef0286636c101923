"""What every column of the project is made of, from the marts down to raw, as it is kept and asked.

Light: a verb reads it without Dagster, dbt or sqlglot. How it is found is said in `lineage`, and for what
Python makes beside the asset that makes it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster import AssetKey

Column = tuple[str, str]
"""Asset, as in `raw/orders`, and column."""

RAW = "raw/"
CONSTANT = "a constant of the query"

GENERATED: dict[str, tuple[str, ...]] = {
    "the name of the question that is asked, given in ml/questions.py": (
        "marts.customer_propensities.model_name",
        "marts.customer_scores.model_name",
        "marts.model_calibration.model_name",
        "marts.model_deciles.model_name",
        "marts.model_drift.model_name",
        "marts.model_performance.model_name",
        "marts.model_realised.model_name",
    ),
    "how many days ahead is asked, given in ml/questions.py": (
        "marts.customer_propensities.horizon_days",
        "marts.customer_scores.horizon_days",
        "marts.model_calibration.horizon_days",
        "marts.model_deciles.horizon_days",
        "marts.model_drift.horizon_days",
        "marts.model_performance.horizon_days",
        "marts.model_realised.horizon_days",
    ),
    "when it was decided, by the clock of the machine": (
        "marts.identity_events.event_at",
        "marts.identity_runs.run_at",
    ),
    "the list of the value tiers and their total, written in the model": (
        "marts.kpi_customers_monthly.value_tier",
    ),
    "the attributes of the golden record and the rules they are chosen by, written in dbt_project.yml": (
        "core.customer_attributes.attribute",
        "core.customer_attributes.survivorship_rule",
    ),
    "the kinds of identifiers, written in the model": (
        "core.customer_identifiers.identifier_type",
    ),
    "whether the date was filled in later, which the backfill says": (
        "marts.customer_value_history.is_backfilled",
    ),
}
"""Columns of public tables that no data decides, by the reason. A test holds the list to be exactly
those that reach no raw column, and to be short."""


@dataclass(frozen=True)
class Origin:
    """What a column is made of.

    Attributes:
        columns: The columns of the tables it is made of, next before it.
        how: What those do not say by themselves, in a few words; empty for a query.
    """

    columns: tuple[Column, ...] = ()
    how: str = ""


@dataclass(frozen=True)
class PublicColumn:
    """What a reader of a public table is told of a column."""

    type: str
    description: str


Origins = dict[str, dict[str, Origin]]
"""By asset, by column."""


@dataclass(frozen=True)
class ColumnGraph:
    """Every column and what it is made of.

    Attributes:
        origins: Of each column but those of raw, where the graph ends.
        public: The columns of each public table, by its asset.
    """

    origins: Origins
    public: dict[str, dict[str, PublicColumn]]

    def origin(self, column: Column) -> Origin | None:
        """What a column is made of; None where nobody says."""
        return self.origins.get(column[0], {}).get(column[1])

    def above(self, columns: Iterable[Column]) -> set[Column]:
        """These columns and all they are made of, however far up."""
        seen: set[Column] = set()
        ahead = list(columns)
        while ahead:
            column = ahead.pop()
            if column not in seen:
                seen.add(column)
                origin = self.origin(column)
                ahead += origin.columns if origin else ()
        return seen

    def raw(self, column: Column) -> list[Column]:
        """The raw columns that a column is made of, sorted."""
        return sorted(one for one in self.above([column]) if one[0].startswith(RAW))

    def loose_ends(self, column: Column) -> list[Column]:
        """Columns above this one, or itself, of which nobody says what they are made of."""
        ends = (one for one in self.above([column]) if not one[0].startswith(RAW))
        return sorted(one for one in ends if self._is_loose(one))

    def _is_loose(self, column: Column) -> bool:
        origin = self.origin(column)
        return origin is None or not (origin.columns or origin.how)

    def metadata(self, key: AssetKey, absent: Collection[str] = ()) -> dict[str, Any]:
        """What the columns of an asset are made of, as Dagster keeps it with a materialization.

        Args:
            key: The asset.
            absent: Assets that this home does not have.
        """
        import dagster as dg

        deps = {
            name: [dg.TableColumnDep(dg.AssetKey(asset.split("/")), column)
                   for asset, column in origin.columns if asset not in absent]
            for name, origin in self.origins.get(key.to_user_string(), {}).items()
        }  # fmt: skip
        return {"dagster/column_lineage": dg.TableColumnLineage(deps)} if deps else {}

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ColumnGraph:
        """As it was kept."""
        kept: Mapping[str, Any] = json.loads(text)
        origins = {
            asset: {
                name: Origin(tuple((a, c) for a, c in one["columns"]), one["how"])
                for name, one in columns.items()
            }
            for asset, columns in kept["origins"].items()
        }
        public = {
            asset: {name: PublicColumn(**one) for name, one in columns.items()}
            for asset, columns in kept["public"].items()
        }
        return cls(origins, public)


def read_graph(path: Path) -> ColumnGraph:
    """Read a graph that was kept."""
    return ColumnGraph.from_json(path.read_text("utf-8"))


def reason_generated(table: str, column: str) -> str:
    """Why no data decides a public column; empty when some does.

    Args:
        table: As `schema.name`.
        column: Its name.
    """
    asked = f"{table}.{column}"
    return next((reason for reason, columns in GENERATED.items() if asked in columns), "")


def raw_text(columns: Iterable[Column], between: str, apart: str) -> str:
    """Raw columns in few words: entities of which the same columns are meant go together.

    Args:
        columns: Raw columns.
        between: What stands between entities and their columns.
        apart: What stands between one such group and the next.
    """
    by_entity: dict[str, list[str]] = {}
    for asset, name in sorted(columns):
        by_entity.setdefault(asset.removeprefix(RAW), []).append(name)
    alike: dict[tuple[str, ...], list[str]] = {}
    for entity, names in by_entity.items():
        alike.setdefault(tuple(names), []).append(entity)
    parts = (
        f"{', '.join(entities)}{between}{', '.join(names)}" for names, entities in alike.items()
    )
    return apart.join(parts)
