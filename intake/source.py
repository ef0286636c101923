"""Source systems: a folder with `source.yaml` and one `<entity>.sql` per entity the system has.

What a system is and where its files lie; how a file is loaded is `load.py`'s business.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import hashlib
import importlib.util
import io
import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePath
from typing import Annotated, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from intake.fault import InputFault

SYSTEMS = Path(__file__).parent / "systems"
PACKAGE = "package:"
DATE_IN_PATH = re.compile(r"\{date:([^}]+)\}")
DATABASES = ("sqlite", "postgres")
TEXT_FORMATS = ("csv", "json", "jsonl")
FILE_FORMATS = ("csv", "parquet", "json", "jsonl", "xlsx")
OPTIONS = {
    "path": (*FILE_FORMATS, "sqlite"),
    "delimiter": ("csv",),
    "quote": ("csv",),
    "encoding": ("csv", "json", "jsonl"),
    "header": ("csv",),
    "decimal": TEXT_FORMATS,
    "thousands": TEXT_FORMATS,
    "decimal_columns": TEXT_FORMATS,
    "sheets": ("xlsx",),
    "table": DATABASES,
    "connection_env": ("postgres",),
}
"""Formats that each option of a file means something for."""
NEEDED = {name: OPTIONS[name] for name in ("path", "table", "connection_env")}


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileSpec(_Declared):
    """One kind of file, or one table of a database: where it lies, and how to read it.

    Attributes:
        path: a glob below the system's folder; `{date:%Y-%m-%d}` in it is the business date of a
            file, which becomes the column `_file_date`.
        format: of the file; `by_ending` goes by its name, for data that people have in several forms,
            and each option counts for the formats that know it.
        delimiter: between the columns of a CSV.
        quote: around values of a CSV; empty if there is none.
        encoding: of a CSV or JSON, as Python names it; files packed with gzip are unpacked.
        header: whether the first line of a CSV names the columns, or else their names.
        decimal: decimal mark of `decimal_columns`.
        thousands: what groups the digits of `decimal_columns`.
        decimal_columns: columns of numbers that are not spelt as SQL does.
        sheets: sheets of a workbook, one after the other; the first one if none is named.
        table: of a database.
        connection_env: environment variable that holds the connection string of a PostgreSQL server.
        columns: names to read columns under, each with the headers that deliveries give it.
    """

    path: str = ""
    format: Literal["csv", "parquet", "json", "jsonl", "xlsx", "sqlite", "postgres", "by_ending"]
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', max_length=1)
    encoding: str = "utf-8"
    header: Literal[True] | tuple[str, ...] = True
    decimal: Literal[".", ","] = "."
    thousands: str = Field("", max_length=1)
    decimal_columns: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    table: str = ""
    connection_env: str = ""
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def of_file(self, path: Path) -> FileSpec:
        """The same for one file, whose name may decide the format; what has no known ending is CSV."""
        if self.format != "by_ending":
            return self
        ending = Path(path.name.lower().removesuffix(".gz")).suffix.removeprefix(".")
        return self.model_copy(update={"format": ending if ending in FILE_FORMATS else "csv"})

    @model_validator(mode="after")
    def _fits_format(self) -> Self:
        forms = FILE_FORMATS if self.format == "by_ending" else (self.format,)
        for name in self.model_fields_set & OPTIONS.keys():
            if not set(forms) & set(OPTIONS[name]):
                raise ValueError(f"{name} is nothing that {self.format} has")
        if self.format == "sqlite" and self.is_dated:
            raise ValueError("a database has no date in its path: its tables tell times")
        for name, formats in NEEDED.items():
            if set(forms) & set(formats) and not getattr(self, name):
                raise ValueError(f"{self.format} needs {name}")
        return self

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            io.TextIOWrapper(io.BytesIO(), encoding)
        except LookupError as error:
            raise ValueError(f'there is no encoding "{encoding}"') from error
        return encoding

    @field_validator("columns")
    @classmethod
    def _names_each_header_once(
        cls, columns: dict[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        of: dict[str, str] = {}
        for name, also in columns.items():
            for header in (name, *also):
                if of.setdefault(snake_case(header), name) != name:
                    raise ValueError(
                        f'"{header}" stands for {of[snake_case(header)]} and for {name}'
                    )
        return columns

    @field_validator("path")
    @classmethod
    def _has_one_date(cls, path: str) -> str:
        dates = DATE_IN_PATH.findall(path)
        known = all(re.fullmatch(r"(?:%[YymdjHMS]|[^%])+", form) for form in dates)
        if len(dates) > 1 or not known or any("%Y" not in f and "%y" not in f for f in dates):
            raise ValueError("a path has one date at most, of %Y %y %m %d %j %H %M %S, with a year")
        return path

    @field_validator("path")
    @classmethod
    def _lies_below_the_folder(cls, path: str) -> str:
        parts = PurePath(path).parts
        if path and (not parts or ".." in parts or PurePath(path).is_absolute()):
            raise ValueError("a path lies below the location of the system")
        return path

    @property
    def glob(self) -> str:
        """The path with any digits in the place of the date."""
        path = DATE_IN_PATH.sub(lambda found: re.sub("%.", "[0-9]*", found[1]), self.path)
        # Two stars in a row have a meaning of their own, and only as a whole part of a path.
        return "/".join(p if p == "**" else re.sub(r"\*+", "*", p) for p in path.split("/"))

    @property
    def is_dated(self) -> bool:
        """Whether the names of the files say their business date."""
        return bool(DATE_IN_PATH.search(self.path))

    def date_in(self, name: str) -> date | None:
        """The business date in the name of a file, if there is a right one where it should be."""
        before, form, after = DATE_IN_PATH.split(self.path)
        digits = re.sub("%Y", r"\\d{4}", re.escape(form))
        digits = re.sub("%j", r"\\d{3}", digits)
        digits = re.sub("%[ymdHMS]", r"\\d{2}", digits)
        found = re.fullmatch(f"{_regex(before)}({digits}){_regex(after)}", name)
        try:
            return datetime.strptime(found[1], form).replace(tzinfo=UTC).date() if found else None
        except ValueError:
            return None


def snake_case(header: str) -> str:
    """A header in lower case, with `_` between its words; headers that agree in it are one name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header)
    return re.sub(r"[\W_]+", "_", words).strip("_").casefold() or header


def _regex(glob: str) -> str:
    return fnmatch.translate(glob).removeprefix("(?s:").rpartition(")")[0]


class Rule(_Declared):
    """A named reason to leave rows out, as a SQL condition over the columns of the file."""

    where: str
    why: str


class Expected(_Declared):
    """What a system's deliveries of one entity usually are; what differs is told, not refused.

    It belongs to the system and not to the contract: the same entity comes every hour from one system
    and once from another.

    Attributes:
        latency_days: the newest business date lies at most so many days back (`latency` of the Open
            Data Contract Standard); without one nothing is ever late.
        quarantined_share: share of refused rows of new loads above which it warns.
        quarantined_share_stop: share above which the run stops; none without it.
        volume_factor: how many times more or fewer rows than usual a day has, at least, to warn.
        moved_share: share of rows, at least, whose value of a column lies elsewhere than before.
    """

    latency_days: int | None = Field(None, ge=1)
    quarantined_share: float = Field(0.01, ge=0, le=1)
    quarantined_share_stop: float | None = Field(None, ge=0, le=1)
    volume_factor: float = Field(1.6, gt=1)
    moved_share: float = Field(0.2, gt=0, le=1)


class EntitySpec(_Declared):
    """How one entity is fed: from which file, how deliveries follow each other, what is left out.

    `append`: every row is new. `upsert`: a row with a known key is a new version of it, or a
    re-delivery when nothing in it changed. `snapshot`: the same, and each file is the full list, so
    that a record it leaves out is deleted.

    `least_kept_share` of the records known before must be in a full list again, or it is refused as one
    that broke off.

    `allow_sensitive` names the sensitive columns of the contract that the mapping may fill, each with
    the reason why this system's may be kept; without it a mapping that fills one is refused.

    `expected` says what its deliveries usually are.
    """

    file: str
    delivery: Literal["append", "upsert", "snapshot"]
    exclude: dict[str, Rule] = Field(default_factory=dict)
    not_applicable: dict[str, Rule] = Field(default_factory=dict)
    least_kept_share: float = Field(0.5, ge=0, le=1)
    allow_sensitive: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    expected: Expected = Expected()


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

    def file_spec(self, entity: str) -> FileSpec:
        """How the files that feed `entity` are declared."""
        return self.spec.files[self.spec.entities[entity].file]

    def arrived(self, entity: str) -> list[Path]:
        """Files that lie there for `entity` now, by name; none for a table of a server."""
        spec = self.file_spec(entity)
        if spec.format == "postgres":
            return []
        return sorted(path for path in self.location.glob(spec.glob) if path.is_file())

    def files(self, entity: str) -> list[Path]:
        """Files that feed `entity`, by business date, then name.

        A table of a database is exported to a file first, anew at each call; that file lasts as long
        as the process.

        Raises:
            InputFault: no file matches, a name has no date where one should be, or a database cannot
                be read.
        """
        spec = self.file_spec(entity)
        if spec.format == "postgres":
            return [self._export(entity, self._connection(entity), spec.connection_env)]
        found = self.arrived(entity)
        if not found:
            raise self._fault(
                entity, "missing-file", f'there is no file "{spec.path}"',
                where=str(self.location),
                why=f"{self.folder.name}/source.yaml reads {entity} from it",
                fix="put the file there, or correct `path` in source.yaml or `location` in home.yaml,"
                " then  unicus run",
            )  # fmt: skip
        if spec.format == "sqlite":
            names = [path.relative_to(self.location).as_posix() for path in found]
            return [self._export(entity, str(p), n) for p, n in zip(found, names, strict=True)]
        return sorted(found, key=lambda path: (self.file_date(entity, path) or date.min, path))

    def file_date(self, entity: str, path: Path) -> date | None:
        """The business date in the name of a file; None where names have none.

        Raises:
            InputFault: there should be one, and is not.
        """
        spec = self.file_spec(entity)
        if not spec.is_dated:
            return None
        found = spec.date_in(path.relative_to(self.location).as_posix())
        if not found:
            raise self._fault(
                entity, "undated-file", "the name of a file has no date where it should",
                where=str(path), why=f'source.yaml reads files named "{spec.path}"',
                fix="rename the file or move it away, then  unicus run",
            )  # fmt: skip
        return found

    def _connection(self, entity: str) -> str:
        name = self.file_spec(entity).connection_env
        if connection := os.environ.get(name):
            return connection
        raise self._fault(
            entity, "unreachable-database", "nothing says where the database is",
            where=f"the environment variable {name}",
            why=f"{self.folder.name}/source.yaml takes the connection string from it",
            fix=f"export {name}='host=... dbname=... user=...', then  unicus run",
        )  # fmt: skip

    def _export(self, entity: str, database: str, name: str) -> Path:
        # Here, because it loads DuckDB, and a system is read by verbs that need no database.
        from intake.read import Unreadable, export_table

        spec = self.file_spec(entity)
        folder = Path(_exports().name) / self.name
        folder.mkdir(exist_ok=True)
        target = folder / f"{name}.{spec.table}.parquet".replace("/", "_")
        try:
            export_table(spec, database, target)
        except Unreadable as fault:
            raise self._fault(
                entity, fault.code, fault.what, where=f"table {spec.table} of {name}", why=fault.why,
                fix="correct `table` or the connection, then  unicus run",
            ) from fault  # fmt: skip
        return target

    def _fault(
        self, entity: str, code: str, what: str, *, where: str, why: str, fix: str
    ) -> InputFault:
        subject = f"{self.name}/{entity}"
        return InputFault(code, subject, what, where=where, why=why, fix=fix, exit_code=2)

    def fingerprint(self, entity: str) -> str:
        """Hash of all that decides how a file becomes rows of `entity`, the file apart."""
        chosen = self.spec.entities[entity]
        parts = {
            "mapping": self.mapping(entity),
            # They refuse a file, or warn, and change no row.
            "entity": chosen.model_dump(exclude={"least_kept_share", "expected"}),
            # Less what is left at its default, so that a new option reads no file anew.
            "file": self.spec.files[chosen.file].model_dump(exclude_defaults=True),
            "currency": self.spec.currency,
        }
        if self.spec.files[chosen.file].is_dated:
            parts["timezone"] = self.spec.business_timezone
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@functools.cache
def _exports() -> tempfile.TemporaryDirectory[str]:
    """Where this process keeps the tables it exported."""
    return tempfile.TemporaryDirectory(prefix="unicus-")


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
    found = importlib.util.find_spec(package) if package.isidentifier() else None
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
