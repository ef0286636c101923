"""Source systems: a folder with `source.yaml` and one `<entity>.sql` per entity the system has.

What a system is and where its files lie; how a file is loaded is `load.py`'s business.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from intake.fault import InputFault

SYSTEMS = Path(__file__).parent / "systems"
PACKAGE = "package:"


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileSpec(_Declared):
    """One kind of file: where it lies below the system's folder (a glob) and how to read it."""

    path: str
    format: Literal["csv", "parquet"]
    delimiter: str = ","


class Rule(_Declared):
    """A named reason to leave rows out, as a SQL condition over the columns of the file."""

    where: str
    why: str


class EntitySpec(_Declared):
    """How one entity is fed: from which file, how deliveries follow each other, what is left out.

    `append`: every row is new. `upsert`: a row with a known key is a new version of it, or a
    re-delivery when nothing in it changed.

    `allow_sensitive` names the sensitive columns of the contract that the mapping may fill, each with
    the reason why this system's may be kept; without it a mapping that fills one is refused.
    """

    file: str
    delivery: Literal["append", "upsert"]
    exclude: dict[str, Rule] = Field(default_factory=dict)
    not_applicable: dict[str, Rule] = Field(default_factory=dict)
    allow_sensitive: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)


class NotRead(_Declared):
    """A file of the system that nothing reads, and why."""

    path: str
    why: str


class SourceSpec(_Declared):
    """`source.yaml` as written."""

    system: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    location: str
    business_timezone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    files: dict[str, FileSpec]
    entities: dict[str, EntitySpec]
    not_read: tuple[NotRead, ...] = ()


@dataclass(frozen=True)
class System:
    """A source system: its declaration, its mappings, and the folder its files lie in."""

    spec: SourceSpec
    folder: Path
    location: Path

    @property
    def name(self) -> str:
        """The system's name, as it stands in every `source_system` column."""
        return self.spec.system

    def mapping_path(self, entity: str) -> Path:
        """The file that maps the system's columns to the entity's contract."""
        return self.folder / f"{entity}.sql"

    def mapping(self, entity: str) -> str:
        """The SELECT that maps the system's columns to the entity's contract."""
        return self.mapping_path(entity).read_text("utf-8").strip().rstrip(";")

    def files(self, entity: str) -> list[Path]:
        """Files that feed `entity`, in name order.

        Raises:
            InputFault: no file matches.
        """
        spec = self.spec.files[self.spec.entities[entity].file]
        found = sorted(path for path in self.location.glob(spec.path) if path.is_file())
        if not found:
            raise InputFault(
                "missing-file",
                f"{self.name}/{entity}",
                f'there is no file "{spec.path}"',
                where=str(self.location),
                why=f"{self.folder.name}/source.yaml reads {entity} from it",
                fix="put the file there, or correct `path` in source.yaml or `location` in home.yaml,"
                " then  unicus run",
                exit_code=2,
            )
        return found

    def fingerprint(self, entity: str) -> str:
        """Hash of all that decides how a file becomes rows of `entity`, the file apart."""
        chosen = self.spec.entities[entity]
        parts = {
            "mapping": self.mapping(entity),
            "entity": chosen.model_dump(),
            "file": self.spec.files[chosen.file].model_dump(),
            "currency": self.spec.currency,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def find_systems(folders: list[Path]) -> dict[str, Path]:
    """Folders of all systems below `folders`, by name; a later folder wins."""
    return {
        path.parent.name: path.parent
        for folder in folders
        for path in sorted(folder.glob("*/source.yaml"))
    }


def read_system(name: str, folders: list[Path], location: str | None = None) -> System:
    """Read the system `name`.

    Args:
        name: the system's name.
        folders: folders that hold systems.
        location: where its files lie, instead of what `source.yaml` says: a folder, or
            `package:<package>/<folder>` for data inside an installed package.

    Raises:
        InputFault: no such system, or a `source.yaml` that cannot be read.
    """
    known = find_systems(folders)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise InputFault(
            "no-such-system",
            name,
            f'there is no system "{name}"',
            where=", ".join(str(folder) for folder in folders),
            why=f"the systems there are {', '.join(sorted(known)) or 'none'}",
            fix=f"unicus run --system {near[0] if near else next(iter(sorted(known)), 'NAME')}",
            exit_code=2,
        )
    spec = _read_spec(known[name])
    return System(spec, known[name], _located(name, location or spec.location))


def _read_spec(folder: Path) -> SourceSpec:
    path = folder / "source.yaml"
    try:
        spec = SourceSpec(**yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, TypeError) as error:
        raise _bad_spec(folder, "it is not YAML with names and values") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors()
        )
        raise _bad_spec(folder, faults) from error
    if spec.system != folder.name:
        raise _bad_spec(folder, f'system: "{spec.system}" is not the name of the folder')
    for entity, chosen in spec.entities.items():
        if chosen.file not in spec.files:
            raise _bad_spec(folder, f'entities.{entity}.file: "{chosen.file}" is not under files')
        if not (folder / f"{entity}.sql").is_file():
            raise _bad_spec(folder, f"entities.{entity}: there is no {entity}.sql beside it")
    return spec


def _bad_spec(folder: Path, why: str) -> InputFault:
    return InputFault(
        "bad-source-file",
        folder.name,
        "source.yaml cannot be used",
        where=str(folder / "source.yaml"),
        why=why,
        fix=f"correct {folder / 'source.yaml'}, then  unicus run",
        exit_code=2,
    )


def _located(system: str, location: str) -> Path:
    if not location.startswith(PACKAGE):
        return Path(location)
    package, _, below = location.removeprefix(PACKAGE).partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise InputFault(
            "missing-package",
            system,
            f'its files come with the Python package "{package}", which is not installed',
            where=f"{system}/source.yaml, location",
            why="the data of this system is an extra of the project",
            fix="make setup    (installs it), then  unicus run",
            exit_code=2,
        )
    return Path(next(iter(found.submodule_search_locations))) / below
