"""Where a home keeps its state, and what its `home.yaml` says.

A home is one company, or one sample data set. Command line, UI, daemon and tests read the same file.
Option, then environment, then `home.yaml`, then default.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml.questions import BY_NAME, QUESTIONS, Question

if TYPE_CHECKING:
    from intake.lake import Lake
    from intake.source import System

PROJECT = Path(__file__).resolve().parent.parent
DBT_PROJECT = PROJECT / "dbt_project"
HOME_VARIABLE = "UNICUS_HOME"
DBT_VARIABLE = "UNICUS_DBT"
MEMORY_VARIABLE = "UNICUS_MEMORY_LIMIT"
MOST_MEMORY = 6_000_000_000
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container reads how much memory it has, by the second and the first version of cgroups."""
DEFAULT_DATA = "retailer"
DEFAULT_HOME = f".unicus/{DEFAULT_DATA}"
ROOMS = ("intake", "identity", "dbt_project", "ml", "serving", "orchestration")
TICK_SECONDS = "900"
MOST_DAYS = 36_500
QUIET = {
    "DO_NOT_TRACK": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Telemetry of every tool below, off."""


POSTGRES = re.compile(r"postgres(?:ql)?://[^\s:@/?#]+@[^\s@/?#]*/[^\s@/?#]+")
CRON = re.compile(r"(?:[0-9*/,-]+ +){2}[0-9L*/,-]+(?: +[0-9A-Za-z*/,-]+){2}")

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def memory_limit(containers: tuple[Path, ...] = CONTAINER_LIMITS) -> str:
    """Most memory that building the warehouse holds, as DuckDB reads it; above that it uses the disk.

    Args:
        containers: files that say what a container may hold; those that are not there do not count.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [path.read_text("utf-8").strip() for path in containers if path.is_file()]
    room = min([machine, *(int(limit) for limit in limits if limit.isdigit())])
    return f"{min(MOST_MEMORY, room * 6 // 10)}B"


class SettingFault(Exception):
    """A setting that cannot be used; carries what an error shows."""

    exit_code = 2

    def __init__(
        self, code: str, subject: str, what: str, *, where: str, why: str, fix: str
    ) -> None:
        super().__init__(f"{subject}: {what}")
        self.code, self.subject, self.what = code, subject, what
        self.where, self.why, self.fix = where, why, fix


@dataclass(frozen=True)
class SystemPlace:
    """A system of the home: the folder its definition lies in, and where its files lie.

    Empty means the project's own definition, and the location that `source.yaml` names.
    """

    folder: str = ""
    location: str = ""


@dataclass(frozen=True)
class Automation:
    """What a home does by itself while `unicus ui` or a service runs; None for what it does not.

    Attributes:
        daily: cron expression, in the time zone of the home, of the run of everything.
        retraining: cron expression of the run that trains every question anew.
        identity_training: cron expression of the training of how records agree.
        landing_seconds: how often is looked for new files, at least.
    """

    daily: str | None = None
    retraining: str | None = None
    identity_training: str | None = None
    landing_seconds: int | None = None


EVENTS = {
    "run_failure": "a run failed, did not start, or was killed",
    "check_failed": "a data check failed, and stopped the run if it blocks",
    "check_warned": "a data check warned",
    "stale_source": "a system's newest data is older than its source.yaml expects",
}
"""What a home can tell of."""


@dataclass(frozen=True)
class Notifications:
    """Who is told what happens to a home.

    Attributes:
        events: what is told, of `EVENTS`.
        file: whether each is a line of `logs/notifications.jsonl`.
        webhook: environment variable with the address that each is sent to. The address itself often
            is a secret, and has no place in a file.
    """

    events: tuple[str, ...] = ("run_failure", "check_failed", "stale_source")
    file: bool = True
    webhook: str | None = None


@dataclass(frozen=True)
class Retention:
    """How many days `unicus vacuum` leaves what no run reads any more.

    Attributes:
        dead_files_days: rows of a load that was undone or replaced, since then.
        snapshots_days: a snapshot, since a run last stood on it; its files stay as long.
        scores_days: scores of a day, before the newest; the first of each month stay.
        models_days: a model that never was champion, since its training.
        runs_days: a run in Dagster's history, since its start.
        logs_days: a log, since it was last written.
    """

    dead_files_days: int = 30
    snapshots_days: int = 30
    scores_days: int = 400
    models_days: int = 180
    runs_days: int = 90
    logs_days: int = 90


@dataclass(frozen=True)
class HomeConfig:
    """`home.yaml`.

    Attributes:
        predictions: names of the questions that are asked of this home; None for all there are.
        notifications: who is told what; None where `home.yaml` does not say.
        postgres: address of the PostgreSQL database in which Dagster and MLflow keep their history,
            without a password; None for files in the home.
    """

    business_timezone: str
    reporting_currency: str
    systems: dict[str, SystemPlace]
    predictions: tuple[str, ...] | None = None
    automation: Automation = Automation()
    retention: Retention = Retention()
    notifications: Notifications | None = None
    postgres: str | None = None

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked of the future here."""
        return tuple(q for q in QUESTIONS if self.predictions is None or q.name in self.predictions)


@dataclass(frozen=True)
class Home:
    """The folder with all state of one company or sample data set."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """The home that `UNICUS_HOME` names, else `.unicus/retailer` below this folder."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).absolute())

    @property
    def exists(self) -> bool:
        """Whether anything was ever run here."""
        return self.config_path.exists() or (self.root / "lake").exists()

    @property
    def config_path(self) -> Path:
        """`home.yaml`."""
        return self.root / "home.yaml"

    @property
    def lake(self) -> Lake:
        """The lake of this home."""
        from intake.lake import Lake

        return Lake(self.root / "lake")

    @property
    def identity_store(self) -> Path:
        """What resolution remembers between runs; it can be deleted at any time."""
        return self.root / "identity" / "store.duckdb"

    @property
    def warehouse(self) -> Path:
        """The file only dbt writes; it can be deleted and rebuilt at any time."""
        return self.root / "warehouse" / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The file BI reads."""
        return self.root / "serving" / "published.duckdb"

    @property
    def mlflow(self) -> Path:
        """Runs, models and their plots."""
        return self.root / "mlflow"

    @property
    def dagster(self) -> Path:
        """Dagster's own storage, its `DAGSTER_HOME`."""
        return self.root / "dagster"

    @property
    def logs(self) -> Path:
        """One log and one summary per run."""
        return self.root / "logs"

    @property
    def moments(self) -> Path:
        """Where each run stood: snapshot, date, and the files it read."""
        return self.root / "moments"

    def create(self) -> None:
        """Make the folders of a new home; harmless on one that exists.

        Raises:
            SettingFault: the home cannot be written.
        """
        try:
            for folder in (self.warehouse.parent, self.published.parent, self.mlflow, self.dagster,
                           self.logs, self.moments):  # fmt: skip
                folder.mkdir(parents=True, exist_ok=True)
            self.lake.create()
            probe = self.root / ".writable"
            probe.touch()
            probe.unlink(missing_ok=True)  # the parts of the UI all start at once
            _tell_tools(self)
        except OSError as error:
            raise SettingFault(
                "home-not-writable", str(self.root), "the home cannot be written",
                where=str(error.filename or self.root), why=str(error.strerror).lower(),
                fix="give yourself the right to write there, or choose another with  --home DIR",
            ) from error  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Variables that tools below need before they are imported."""
        return QUIET | {
            HOME_VARIABLE: str(self.root),
            "DAGSTER_HOME": str(self.dagster),
            "UNICUS_WAREHOUSE": str(self.warehouse),
            MEMORY_VARIABLE: os.environ.get(MEMORY_VARIABLE) or memory_limit(),
            # A schedule and the sensor read new files to know them; large ones take their time.
            "DAGSTER_SCHEDULE_GRPC_TIMEOUT_SECONDS": TICK_SECONDS,
            "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": TICK_SECONDS,
        }


FOUND_HOME = Home.from_environment()
"""The home that a command finds on its own, asked before the tools below are told of another."""


def _tell_tools(home: Home) -> None:
    """Write where Dagster and MLflow keep their history, each in a file in its own folder."""
    from ml.tracking import DATABASE

    url = read_config(home).postgres if home.config_path.exists() else None
    if url:
        from orchestration.database import address, claim

        claim(home, url)
    _keep(home.dagster / "dagster.yaml", dagster_settings(url))
    _keep(home.mlflow / DATABASE, address(url, "mlflow") if url else "")


def dagster_settings(postgres: str | None) -> str:
    """Dagster's settings of a home: the project's, on the database if there is one."""
    ours = (PROJECT / "dagster.yaml").read_text("utf-8")
    if postgres is None:
        return ours
    import yaml

    from orchestration.database import address

    settings = yaml.safe_load(ours)
    del settings["event_log_storage"]
    settings["storage"] = {"postgres": {"postgres_url": address(postgres, "dagster")}}
    return yaml.safe_dump(settings, sort_keys=False)


def _keep(path: Path, text: str) -> None:
    """Let the file have this text; a file that would be empty is not there."""
    from intake.lake import write_text_durably

    if not text:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_text("utf-8") != text:
        write_text_durably(path, text)


def require_home(home: Home) -> None:
    """Refuse to look at a home that is not there.

    Raises:
        SettingFault: nothing was ever run in this folder.
    """
    if not home.exists:
        raise SettingFault(
            "no-home", str(home.root), "there is no home here",
            where=str(home.root), why="it has neither home.yaml nor a lake; nothing was run in it",
            fix="name your home with  --home DIR  or UNICUS_HOME;"
            "  unicus retailer,  then  unicus run,  makes that of the sample",
        )  # fmt: skip


def read_config(home: Home) -> HomeConfig:
    """Read `home.yaml`; without one, what the first run of the sample data set would write.

    Raises:
        SettingFault: a key that does not exist, or a value of the wrong kind.
    """
    import yaml

    if not home.config_path.exists():
        return sample_config(home)
    try:
        raw = yaml.safe_load(home.config_path.read_text("utf-8"))
        _refuse_unknown(home, raw, tuple(HomeConfig.__dataclass_fields__))
        systems = {}
        for name, place in raw["systems"].items():
            _refuse_unknown(home, place or {}, ("folder", "location"))
            systems[name] = SystemPlace(**(place or {}))
        _refuse_unknown_zone(home, raw["business_timezone"])
        return HomeConfig(
            raw["business_timezone"],
            raw["reporting_currency"],
            systems,
            _predictions(home, raw.get("predictions")),
            _automation(home, raw.get("automation") or {}),
            _retention(home, raw.get("retention") or {}),
            _notifications(home, raw.get("notifications")),
            _postgres(home, raw.get("postgres")),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise SettingFault(
            "bad-setting", "home.yaml", "the file cannot be used", where=str(home.config_path),
            why=f"{type(error).__name__}: it needs business_timezone, reporting_currency, systems",
            fix="correct it, or put it back from a copy, then  unicus run",
        ) from error  # fmt: skip


def _predictions(home: Home, names: object) -> tuple[str, ...] | None:
    """The names of the questions asked; a list may be empty, and without one all are asked.

    Raises:
        SettingFault: no list, or a name that no question has.
    """
    if names is None:
        return None
    if not isinstance(names, list):
        raise TypeError
    unknown = next((str(name) for name in names if str(name) not in BY_NAME), None)
    if unknown is None:
        return tuple(names)
    near = difflib.get_close_matches(unknown, BY_NAME, n=1)
    raise SettingFault(
        "bad-setting", "home.yaml", f'there is no prediction "{unknown}"',
        where=f"{home.config_path}, predictions", why=f"the predictions are {', '.join(BY_NAME)}",
        fix=f"write {near[0]} instead, or leave the line out, then  unicus run" if near
        else "leave it out of the list, then  unicus run",
    )  # fmt: skip


def _refuse_unknown_zone(home: Home, name: object) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingFault(
            "bad-setting", "home.yaml", f'there is no time zone "{name}"',
            where=f"{home.config_path}, business_timezone",
            why="it is none of the IANA time zones, such as Europe/Paris",
            fix="write the name of the zone the shop closes its days in, then  unicus run",
        ) from None  # fmt: skip


def _automation(home: Home, raw: dict[str, object]) -> Automation:
    """What the home does by itself.

    Raises:
        SettingFault: no cron expression, or no number of seconds.
    """
    _refuse_unknown(home, raw, tuple(Automation.__dataclass_fields__))
    chosen = {name: value for name, value in raw.items() if value is not None}
    for name, value in chosen.items():
        if name == "landing_seconds":
            good = isinstance(value, int) and not isinstance(value, bool) and value > 0
        else:
            good = isinstance(value, str) and CRON.fullmatch(value) is not None
        if not good:
            raise SettingFault(
                "bad-setting", "home.yaml", f"automation has a {name} that cannot be used",
                where=f"{home.config_path}, automation, {name}",
                why="it is a whole number of seconds, above 0" if name == "landing_seconds"
                else "it is a cron expression of five fields, minute first, in quotes",
                fix="write landing_seconds: 60" if name == "landing_seconds"
                else f'write {name}: "0 6 * * *" for six in the morning, every day',
            )  # fmt: skip
    return Automation(**chosen)  # type: ignore[arg-type]


def _retention(home: Home, raw: dict[str, object]) -> Retention:
    """How long what is not needed is kept.

    Raises:
        SettingFault: no number of days.
    """
    _refuse_unknown(home, raw, tuple(Retention.__dataclass_fields__))
    for name, days in raw.items():
        if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MOST_DAYS:
            raise SettingFault(
                "bad-setting", "home.yaml", f"retention has a {name} that cannot be used",
                where=f"{home.config_path}, retention, {name}",
                why=f"it is a whole number of days, from 0 to {MOST_DAYS:,}",
                fix=f"write {name}: {getattr(Retention, name)}, then  unicus vacuum --dry-run",
            )  # fmt: skip
    return Retention(**raw)  # type: ignore[arg-type]


def _notifications(home: Home, raw: dict[str, object] | None) -> Notifications | None:
    """Who is told what.

    Raises:
        SettingFault: an event that does not exist, or a webhook that is no `${NAME}`.
    """
    if raw is None:
        return None
    # YAML takes a bare  on  for true; who writes it means events.
    _refuse_unknown(home, {str(key): value for key, value in raw.items()},
                    tuple(Notifications.__dataclass_fields__))  # fmt: skip
    events = raw.get("events", list(Notifications().events))
    file = raw.get("file", True)
    webhook = raw.get("webhook")
    name = VARIABLE.fullmatch(webhook) if isinstance(webhook, str) else None
    for key, good, why, fix in (
        ("events", isinstance(events, list) and set(map(str, events)) <= set(EVENTS),
         f"it is a list of {', '.join(EVENTS)}", "write events: [run_failure, check_failed]"),
        ("file", isinstance(file, bool), "it is true or false", "write file: true"),
        ("webhook", webhook is None or name is not None,
         "it is the environment variable that holds the address, for the address may be a secret",
         "write webhook: ${UNICUS_WEBHOOK} and set that variable where runs start"),
    ):  # fmt: skip
        if not good:
            raise SettingFault(
                "bad-setting", "home.yaml", f"notifications has a {key} that cannot be used",
                where=f"{home.config_path}, notifications, {key}", why=why, fix=fix,
            )  # fmt: skip
    return Notifications(tuple(events), bool(file), name[1] if name else None)  # type: ignore[arg-type]


def _postgres(home: Home, url: object) -> str | None:
    """The address of the database.

    Raises:
        SettingFault: no address of PostgreSQL, or one with a password or options in it.
    """
    if url is None or (isinstance(url, str) and POSTGRES.fullmatch(url)):
        return url
    raise SettingFault(
        "bad-setting", "home.yaml", "postgres is no address that can be used",
        where=f"{home.config_path}, postgres",
        why="it has the form postgresql://USER@HOST:PORT/DATABASE, and no password",
        fix="write it so, and give the password by PGPASSFILE; then  unicus doctor",
    )  # fmt: skip


def _refuse_unknown(home: Home, raw: dict[str, object], known: tuple[str, ...]) -> None:
    for key in set(raw) - set(known):
        near = difflib.get_close_matches(key, known, n=1)
        raise SettingFault(
            "bad-setting", "home.yaml", f'there is no setting "{key}"', where=str(home.config_path),
            why=f"the settings are {', '.join(known)}",
            fix=f"write {near[0] if near else known[0]} instead, then  unicus run",
        )  # fmt: skip


def sample_config(home: Home) -> HomeConfig:
    """What the first run of a home writes when no system is named: the sample its folder is called after.

    A home with another name has the retailer, whose systems are several.
    """
    from intake.source import SYSTEMS, find_systems

    known, name = sorted(find_systems([SYSTEMS])), home.root.name
    return default_config(home, [name] if name in known else list(filter(_is_made, known)), {})


def _is_made(system: str) -> bool:
    """Whether a system of the project reads files that `unicus retailer` makes."""
    return system.startswith(f"{DEFAULT_DATA}_")


def refuse_unmade_sample(home: Home, config: HomeConfig) -> None:
    """Refuse to begin on the default sample, or a part of it, before it is made: there is nothing to read.

    Other samples are not made here; of theirs, a file that is not there is told as of any system.

    Raises:
        SettingFault: files of systems that are new to the home are not there.
    """
    known = read_config(home).systems if home.config_path.exists() else {}
    if all(
        system.location.is_dir()
        for system in read_systems(config)
        if _is_made(system.name)
        and system.name not in known
        and not config.systems[system.name].folder
    ):
        return
    raise SettingFault(
        "no-sample", DEFAULT_DATA, "the sample is not made yet", where=str(home.root),
        why="this run would read the sample, a retailer that is made on this machine",
        fix="unicus retailer    (under a minute), then  unicus run;  your own data:"
        "  unicus new-system NAME --from FILE",
    )  # fmt: skip


def default_config(home: Home, systems: list[str], folders: dict[str, str]) -> HomeConfig:
    """What the first run of a home writes: time zone and currency of its first system."""
    from intake.source import SYSTEMS, read_system

    first = read_system(systems[0], [SYSTEMS, *(Path(f) for f in folders.values())])
    return HomeConfig(
        first.spec.business_timezone,
        first.spec.currency,
        {name: new_place(home, name, folders.get(name, "")) for name in systems},
    )


def new_place(home: Home, system: str, folder: str = "") -> SystemPlace:
    """What a home writes of a system that is new to it.

    Made files are read where they lie beside the home, and then all of them: a part of another
    retailer would be one of other people. The place is written in full, for the next run may start,
    and the UI does start, in another folder.
    """
    if folder or not _is_made(system):
        return SystemPlace(folder)
    beside = home.root / "landing"
    landing = beside if beside.is_dir() else Path(DEFAULT_HOME) / "landing"
    place = landing / system.removeprefix(f"{DEFAULT_DATA}_")
    return SystemPlace(location=str(place.absolute()))


def write_config(home: Home, config: HomeConfig) -> None:
    """Write `home.yaml`."""
    import yaml

    from intake.lake import write_text_durably

    systems = {
        name: {k: v for k, v in vars(place).items() if v} for name, place in config.systems.items()
    }
    written = vars(config) | {"systems": systems}
    predictions, automation = written.pop("predictions"), written.pop("automation")
    retention = written.pop("retention")
    told: Notifications | None = written.pop("notifications")
    if written["postgres"] is None:
        del written["postgres"]
    if predictions is not None:
        written["predictions"] = list(predictions)
    if chosen := {name: value for name, value in vars(automation).items() if value}:
        written["automation"] = chosen
    if retention != Retention():
        written["retention"] = vars(retention)
    if told is not None:
        webhook = {"webhook": f"${{{told.webhook}}}"} if told.webhook else {}
        written["notifications"] = {"events": list(told.events), "file": told.file} | webhook
    text = yaml.safe_dump(written, sort_keys=False)
    write_text_durably(home.config_path, text)


def read_systems(config: HomeConfig) -> list[System]:
    """Read the systems of a home.

    Raises:
        InputFault: one does not exist or cannot be read.
        SettingFault: one sells in another currency than the home reports in.
    """
    from intake.source import SYSTEMS, read_system

    systems = []
    for name, place in config.systems.items():
        folders = [SYSTEMS, *([Path(place.folder)] if place.folder else [])]
        system = read_system(name, folders, place.location or None)
        if system.spec.currency != config.reporting_currency:
            raise SettingFault(
                "currency-without-rate", name, f"its amounts are in {system.spec.currency}",
                where=f"{system.folder / 'source.yaml'}, currency",
                why=f"this home reports in {config.reporting_currency}, nothing converts amounts, and"
                " different currencies are never summed",
                fix="load it into a home of its own:  unicus run --home DIR --system " + name,
            )  # fmt: skip
        systems.append(system)
    return systems


def manifest_file() -> Path:
    """Where the parsed dbt project lies, for exactly the files that are there now.

    The hash of the project's files is part of the name, so that a stale one cannot be taken.
    """
    return DBT_PROJECT / "target" / f"manifest-{code_hash(('dbt_project',))}.json"


def lineage_file() -> Path:
    """Where the lineage of every column lies, for exactly the code that is there now."""
    return DBT_PROJECT / "target" / f"lineage-{code_hash()}.json"


def code_hash(rooms: tuple[str, ...] = ROOMS) -> str:
    """Hash of the Python, SQL, YAML and contracts that decide what a run computes.

    Taken anew each time: a run whose code changed under it must not publish.
    """
    digest = hashlib.sha256()
    for path in code_files(rooms):
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def code_files(rooms: tuple[str, ...] = ROOMS) -> list[Path]:
    """Files that `code_hash` reads."""
    kinds = {".py", ".sql", ".yml", ".yaml"}
    return sorted(
        path
        for room in rooms
        for path in [PROJECT / room, *(PROJECT / room).rglob("*")]
        if path.suffix in kinds and "target" not in path.relative_to(PROJECT).parts
    )
