"""dbt inside the process: its manifest, its builds, and their results as Dagster events.

Each dbt step as a process of its own costs four CPU seconds, in process under half a second. The
in-process path uses parts of dagster-dbt that are not promised to stay, so they are all here, and
`UNICUS_DBT=cli` takes the public path instead; a test holds both to the same events.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
)
from dagster_dbt.asset_utils import (
    get_dbt_test_names_for_check_keys,
    get_updated_cli_invocation_params_for_context,
)
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from intake.lake import write_text_durably
from orchestration.moment import PRODUCTS, Moment, made_for
from orchestration.progress import progress
from orchestration.runkey import run_key
from orchestration.samples import table_samples
from orchestration.settings import (
    DBT_PROJECT,
    DBT_VARIABLE,
    Home,
    code_hash,
    manifest_file,
    read_config,
)

RESULTS = {"LogModelResult", "LogTestResult"}
NODE_FAILED = {"error", "fail", "runtime error"}


class CheckFailed(Exception):
    """A data check or a model says no; what depends on it is not built."""

    code = "check-failed"
    exit_code = 1

    def __init__(self, node: str, what: str, where: str, fix: str) -> None:
        super().__init__(f"{node}: {what}")
        self.subject, self.what, self.where, self.fix = node, what, where, fix
        self.why = "data checks block what follows and the publication"


class MixedWarehouse(Exception):
    """Part of the graph would be built on tables of another moment."""

    code = "mixed-warehouse"
    exit_code = 1

    def __init__(self, home: Home, tables: list[str], moment: Moment) -> None:
        self.subject = "warehouse"
        self.what = f"{len(tables)} tables below are not of this moment: {', '.join(tables[:5])}"
        super().__init__(self.what)
        self.where = str(home.warehouse)
        self.why = (
            f"this run stands at {moment.as_of}, snapshot {moment.snapshot_id}; a run before it"
        )
        self.why += " stopped half-way, or code or settings have changed since"
        self.fix = "build everything:  unicus run"


def manifest_path(home: Home) -> Path:
    """The parsed project, parsed anew when its files have changed."""
    path = manifest_file()
    if not path.exists():
        _parse(home, path)
    return path


@functools.cache
def manifest(path: Path) -> dict[str, Any]:
    """The manifest as Dagster reads it."""
    return dict(json.loads(path.read_text("utf-8")))


def _parse(home: Home, path: Path) -> None:
    from dbt.cli.main import dbtRunner

    os.environ.update(home.environment())
    result = dbtRunner().invoke(["parse", *arguments(home), "--no-partial-parse"])
    if not result.success:
        raise CheckFailed(
            "dbt_project", "the project does not parse", str(DBT_PROJECT),
            f"read {home.logs / 'dbt.log'}, correct the model, then  unicus run",
        )  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    for old in path.parent.glob("manifest-*"):
        old.unlink(missing_ok=True)
    (home.root / "dbt" / "partial_parse.msgpack").replace(path.with_suffix(".msgpack"))
    write_text_durably(path, (home.root / "dbt" / "manifest.json").read_text("utf-8"))


def compiled(path: Path) -> dict[str, str]:
    """The query of each model by unique id, as a home would run it that has no table yet.

    Compiled beside an empty warehouse, so that a model that grows gives its whole query, and nothing
    of any home is read.

    Raises:
        CheckFailed: A model cannot be compiled.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    kept = dict(os.environ)
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        home.create()
        os.environ.update(home.environment())
        options = [
            "--full-refresh",
            "--select",
            "resource_type:model",
            "--no-write-json",
            "--quiet",
        ]
        try:
            # Compiling writes into the manifest, so not into the one that builds share.
            runner = dbtRunner(manifest=parsed.__wrapped__(path))
            outcome = runner.invoke(["compile", *options, *arguments(home)])
        finally:
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
            os.environ.clear()
            os.environ.update(kept)
    if not outcome.success:
        raise CheckFailed(
            "dbt_project", "the models do not compile", str(DBT_PROJECT),
            "run  dbt compile  to see which, correct it, then  unicus run",
        )  # fmt: skip
    done: Any = outcome.result
    return {one.node.unique_id: one.node.compiled_code for one in done}


@functools.cache
def parsed(path: Path) -> Any:
    """The manifest as dbt reads it, which saves it the parsing.

    Its JSON form does not bring back the arguments of generic tests, its msgpack form does.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    raw = path.with_suffix(".msgpack").read_bytes()
    parsed = Manifest.from_msgpack(raw, decoder=extended_mashumuro_decoder)
    parsed.build_flat_graph()  # type: ignore[no-untyped-call]
    return parsed


def arguments(home: Home) -> list[str]:
    """Options of every dbt command: where the project and the home lie, and nothing on the screen."""
    return [
        "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT),
        "--target-path", str(home.root / "dbt"), "--log-path", str(home.logs),
        "--log-level", "none", "--log-level-file", "warn", "--no-use-colors-file",
        "--no-version-check",
    ]  # fmt: skip


class Translator(DagsterDbtTranslator):
    """Room as group; dbt's own group gives the owner.

    Args:
        checked: the sources whose checks belong to this part of the project; all of them when None.
    """

    def __init__(self, checked: frozenset[str] | None = None) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
        self._checked = checked

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """The room: staging, core, features, marts."""
        return str(dbt_resource_props["schema"])

    def get_asset_check_spec(
        self, asset_spec: Any, manifest: Any, unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """The check of a test; none when it is of a source that another part checks."""
        parents = manifest["nodes"][unique_id]["depends_on"]["nodes"]
        sources = {parent.split(".")[2] for parent in parents if parent.startswith("source.")}
        if self._checked is not None and sources - self._checked:
            return None
        return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)


def build(context: dg.AssetExecutionContext, home: Home, path: Path, inputs: Path) -> Iterator[Any]:
    """Run `dbt build` on what the step selects, and yield its results as events.

    Raises:
        CheckFailed: a model or a blocking test failed; the events before it are yielded.
    """
    os.environ.update(home.environment() | {"UNICUS_LAKE_FILES": str(inputs)})
    kept = _kept_selected(context, path)
    rules, made_by = _rules(home), _rules_of(home)
    refresh = any(made_by.get(table) != rules for table in kept)
    options = [*_checks_selected(context, path), *(["--full-refresh"] if refresh else [])]
    if refresh:
        # Until the build is through, it may hold rows of either code; and so may what was built on it.
        made_by = {k: v for k, v in made_by.items() if k not in _below(path, kept)}
        _keep_rules(home, {k: v for k, v in made_by.items() if k not in kept})
    yield from _build(context, home, path, options)
    if kept:
        _keep_rules(home, made_by | dict.fromkeys(kept, rules))


def _build(
    context: dg.AssetExecutionContext, home: Home, path: Path, options: list[str]
) -> Iterator[Any]:
    if os.environ.get(DBT_VARIABLE) == "cli":
        yield from _build_by_command(context, home, path, options)
    else:
        yield from _build_in_process(context, home, path, options)


def _kept_selected(context: dg.AssetExecutionContext, path: Path) -> set[str]:
    """Tables of the step that are built in part and so keep what earlier code made of a row."""
    nodes = manifest(path)["nodes"].values()
    kept = {node["name"] for node in nodes if node["config"]["materialized"] == "incremental"}
    return kept & {key.path[-1] for key in context.selected_asset_keys}


def _below(path: Path, tables: set[str]) -> set[str]:
    """Names of everything that reads these tables, directly or not."""
    children = manifest(path)["child_map"]
    found: set[str] = set()
    waiting = [f"model.unicus.{table}" for table in tables]
    while waiting:
        below = [child for child in children.get(waiting.pop(), ()) if child not in found]
        found.update(below)
        waiting += below
    return {child.split(".")[2] for child in found}


def _rules(home: Home) -> str:
    """Hash of what turns a raw row into a row of these tables: code, and settings of the home."""
    parts = ("models/staging", "models/core", "macros", "dbt_project.yml")
    code = code_hash(tuple(f"dbt_project/{part}" for part in parts))
    config = read_config(home)
    return f"{code} {config.business_timezone} {config.reporting_currency}"


def _rules_path(home: Home) -> Path:
    return home.warehouse.with_name("rules.json")


def _keep_rules(home: Home, made_by: dict[str, str]) -> None:
    _rules_path(home).parent.mkdir(exist_ok=True)
    write_text_durably(_rules_path(home), json.dumps(made_by, indent=1))


def _rules_of(home: Home) -> dict[str, str]:
    """The same by table, when it was last built anew."""
    path = _rules_path(home)
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def _build_in_process(
    context: dg.AssetExecutionContext, home: Home, path: Path, options: list[str]
) -> Iterator[Any]:
    params = get_updated_cli_invocation_params_for_context(
        context=context, manifest=manifest(path), dagster_dbt_translator=Translator()
    )
    results: list[dict[str, Any]] = []
    keep = functools.partial(_keep_result, results, _tables_selected(context))
    outcome = _invoke(home, path, [*params.selection_args, *options], keep)
    rows, samples = table_rows(home), table_samples(home, _built_now(path, results))
    for raw in results:
        message = DbtCoreCliEventMessage(raw_event=raw, event_history_metadata={})
        for event in message.to_default_asset_events(
            manifest=params.manifest,
            dagster_dbt_translator=params.dagster_dbt_translator,
            context=context,
            project=params.dbt_project,
        ):
            yield _with_rows(event, raw, rows, samples)
    if not outcome.success:
        raise _failure(path, results, outcome.exception, home)


def build_tables(home: Home, path: Path, inputs: Path, select: list[str]) -> None:
    """Run `dbt build` in this process on what `select` names, for a step that is no dbt asset.

    Checks that need another table than these are left to the run of everything.

    Raises:
        CheckFailed: a model or a blocking test failed.
    """
    os.environ.update(home.environment() | {"UNICUS_LAKE_FILES": str(inputs)})
    results: list[dict[str, Any]] = []
    options = ["--select", *select, "--indirect-selection", "cautious",
               "--exclude-resource-type", "unit_test"]  # fmt: skip
    outcome = _invoke(home, path, options, lambda event: _add_result(results, event))
    if not outcome.success:
        raise _failure(path, results, outcome.exception, home)


def _invoke(home: Home, path: Path, options: list[str], keep: Callable[[Any], Any]) -> Any:
    """Run `dbt build` in this process; `keep` is given each event."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    runner = dbtRunner(manifest=parsed(path), callbacks=[keep])
    try:
        return runner.invoke(["build", *options, "--no-write-json", *arguments(home)])
    finally:
        # Or the next read-only open fails with "different configuration".
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _keep_result(results: list[dict[str, Any]], total: int, event: Any) -> None:
    raw = _add_result(results, event)
    if raw and event.info.name == "LogModelResult":
        done = sum(one["info"]["name"] == "LogModelResult" for one in results)
        progress.step(done, total, raw["data"]["node_info"]["node_name"])


def _add_result(results: list[dict[str, Any]], event: Any) -> dict[str, Any] | None:
    if event.info.name not in RESULTS:
        return None
    from google.protobuf.json_format import MessageToDict

    raw: dict[str, Any] = MessageToDict(event, preserving_proto_field_name=True)
    results.append(raw)
    return raw


def _checks_selected(context: dg.AssetExecutionContext, path: Path) -> list[str]:
    """Name each check of the step, so that dbt adds none of its own.

    Left to itself dbt runs a check as soon as one of its tables is built, though another of them is
    only built by a later step.
    """
    assets = context.assets_def
    keys = context.selected_asset_check_keys
    names = get_dbt_test_names_for_check_keys(Translator(), manifest(path), assets, keys)
    # Unit tests prove rules on made-up rows; they belong to `make test`, not to every day.
    apart = ["--indirect-selection", "empty", "--exclude-resource-type", "unit_test"]
    return ["--select", " ".join(sorted(names)), *apart]


def _tables_selected(context: dg.AssetExecutionContext) -> int:
    return len(context.selected_asset_keys)


def table_rows(home: Home) -> dict[tuple[str, str], int]:
    """Rows of each table of the warehouse, by schema and name."""
    if not home.warehouse.exists():
        return {}
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        found = con.execute(
            "select schema_name, table_name, estimated_size from duckdb_tables()"
        ).fetchall()
    return {(schema, table): rows for schema, table, rows in found}


def _built_now(path: Path, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Nodes of the models that this build made."""
    nodes = manifest(path)["nodes"]
    made = [raw["data"]["node_info"]["unique_id"] for raw in results
            if raw["info"]["name"] == "LogModelResult" and _status(raw) == "success"]  # fmt: skip
    return [nodes[name] for name in made]


def _with_rows(
    event: Any,
    raw: dict[str, Any],
    rows: dict[tuple[str, str], int],
    samples: dict[str, dict[str, Any]],
) -> Any:
    node = raw["data"]["node_info"]
    relation = node.get("node_relation", {})
    count = rows.get((relation.get("schema", ""), relation.get("alias", "")))
    if isinstance(event, dg.Output) and count is not None:
        sample = samples.get(node["unique_id"], {})
        return event.with_metadata({**event.metadata, "dagster/row_count": count, **sample})
    return event


def _failure(
    path: Path, results: list[dict[str, Any]], error: BaseException | None, home: Home
) -> CheckFailed:
    log = home.logs / "dbt.log"
    failed = [raw["data"] for raw in results if _status(raw) in NODE_FAILED]
    if not failed:
        return CheckFailed(
            "dbt", f"the build did not start ({type(error).__name__})", str(log), f"read {log}"
        )
    first = failed[0]["node_info"]
    node = manifest(path)["nodes"].get(first["unique_id"], {})
    kind = "check" if first["resource_type"] == "test" else "model"
    count = int(failed[0].get("num_failures", 0))
    what = f"{count:,} rows break the check" if count else f"the {kind} cannot be run"
    others = "".join(f", {raw['node_info']['node_name']}" for raw in failed[1:])
    return CheckFailed(
        first["node_name"], what + (f"; so do {others[2:]}" if others else ""),
        str(DBT_PROJECT / node.get("original_file_path", "")),
        f"read {log} for the query, correct the data or the model, then  unicus run",
    )  # fmt: skip


def _status(raw: dict[str, Any]) -> str:
    return str(raw["data"]["node_info"]["node_status"])


def _build_by_command(
    context: dg.AssetExecutionContext, home: Home, path: Path, options: list[str]
) -> Iterator[Any]:
    # dbt is looked up on PATH, where the environment of this interpreter need not be.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    dbt = DbtCliResource(
        project_dir=DbtProject(DBT_PROJECT, target_path=home.root / "dbt"),
        profiles_dir=str(DBT_PROJECT),
    )
    invocation = dbt.cli(
        ["build", *options], manifest=manifest(path), context=context, target_path=home.root / "dbt"
    )
    yield from invocation.stream()


def public_tables(path: Path) -> list[dict[str, Any]]:
    """Nodes of the models that the published copy holds."""
    return [
        node
        for node in manifest(path)["nodes"].values()
        if node["resource_type"] == "model" and node["access"] == "public"
    ]


def primary_key(node: Mapping[str, Any]) -> list[str]:
    """Columns of the primary key that a model declares; none without one."""
    together = [one["columns"] for one in node["constraints"] if one["type"] == "primary_key"]
    alone = [
        name
        for name, column in node["columns"].items()
        if any(one["type"] == "primary_key" for one in column["constraints"])
    ]
    return [*(together[0] if together else alone)]


def key_columns(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> list[str]:
    """The primary key of a model, or the key that a check of a model or source stands for."""
    asked = (
        test["test_metadata"]["kwargs"]["columns"]
        for test in manifest["nodes"].values()
        if (test.get("test_metadata") or {}).get("name") == "unique_key"
        and node["unique_id"] in test["depends_on"]["nodes"]
    )
    declared = primary_key(node) if node["resource_type"] == "model" else []
    return declared or next(asked, [])


def refuse_mixed(home: Home, path: Path, selected: set[str], moment: Moment) -> None:
    """Refuse to build `selected` models on others that were not built for this moment.

    Raises:
        MixedWarehouse: a run before this one stopped half-way.
    """
    nodes = {
        node["name"]: node
        for node in manifest(path)["nodes"].values()
        if node["resource_type"] == "model"
    }
    parents = {parent for name in selected for parent in nodes[name]["depends_on"]["nodes"]}
    models = {parent.split(".")[-1] for parent in parents if parent.startswith("model.")}
    made = {parent.split(".")[-1] for parent in parents
            if parent.startswith("source.") and parent.split(".")[-2] in PRODUCTS}  # fmt: skip
    refuse_unbuilt(home, (models - selected) | made, moment)


def refuse_unbuilt(home: Home, tables: set[str], moment: Moment) -> None:
    """Refuse to read tables, of dbt or of Python, that were not built for this moment.

    Raises:
        MixedWarehouse: a run before this one stopped half-way.
    """
    stale = sorted(tables - built_for(home, moment) - made_for(home, moment))
    if stale:
        raise MixedWarehouse(home, stale, moment)


def refuse_other_code(home: Home, tables: set[str], moment: Moment) -> None:
    """Refuse to go on from models that were built for another moment, or by other code or settings.

    Raises:
        MixedWarehouse: some of these were.
    """
    key = run_key(moment.snapshot_id, moment.as_of, read_config(home))
    stale = sorted(tables - built_with(home, key))
    if stale:
        raise MixedWarehouse(home, stale, moment)


def built_for(home: Home, moment: Moment) -> set[str]:
    """Models that the warehouse holds as of exactly this moment."""
    return _built(home, "snapshot_id = ? and as_of = ?", [moment.snapshot_id, moment.as_of])


def built_with(home: Home, key: str) -> set[str]:
    """Models that the warehouse holds for this run key: this data, date, settings and code."""
    return _built(home, "run_key = ?", [key])


def _built(home: Home, condition: str, values: list[Any]) -> set[str]:
    if not home.warehouse.exists():
        return set()
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        tables = con.execute(
            "select 1 from duckdb_tables() where schema_name = 'ops' and table_name = 'model_builds'"
        ).fetchall()
        if not tables:
            return set()
        rows = con.execute(
            f"select model from ops.model_builds where {condition}", values
        ).fetchall()
    return {model for (model,) in rows}
