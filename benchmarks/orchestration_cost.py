"""What the orchestration adds to a run: its CPU seconds less those of the same steps called plainly.

    python -m benchmarks.orchestration_cost HOME

The home is complete and nothing is new; every asset executes in both, no model is trained. Each is a
process of its own, three times by turns, and the best of each counts. Prints CPU seconds (user and
system) and where the difference lies; the limit is 8. The plain steps run the checks of dbt that the
graph names, all of them, or it stops.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks.tables import show, verdict

if TYPE_CHECKING:
    from dagster import Definitions

    from orchestration.defs.transform import Part
    from orchestration.moment import Moment
    from orchestration.settings import Home

T = TypeVar("T")
LIMIT_CPU_SECONDS = 8.0
ROUNDS = 3
GRAPH, CHECKS, DEFINITIONS = "libraries of the graph", "checks", "definitions alone"
APART = {GRAPH, CHECKS, DEFINITIONS}
"""What is shown, and is no part of the sum."""


@contextmanager
def counted(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the CPU seconds of a block under a name."""
    before = time.process_time()
    yield
    seconds[name] = seconds.get(name, 0.0) + time.process_time() - before


def checks_of_parts(home_path: Path) -> dict[str, list[str]]:
    """The checks that the graph runs with each of its builds, by the names dbt knows them by."""
    from dagster_dbt.asset_utils import get_dbt_test_names_for_check_keys

    from orchestration import dbt, graph
    from orchestration.defs import transform
    from orchestration.settings import Home

    home = Home(home_path)
    os.environ.update(home.environment())
    manifest = dbt.manifest(dbt.manifest_path(home))
    assets = {
        one.op.name: one for one in graph.build_definitions(home).assets or [] if hasattr(one, "op")
    }
    found = {}
    for part in transform.PARTS:
        made = assets[f"warehouse_{part.name}"]
        translator = dbt.Translator(part.checked)
        found[part.name] = sorted(
            get_dbt_test_names_for_check_keys(translator, manifest, made, made.check_keys)
        )
    return found


def run_plainly(home_path: Path, checks_of: dict[str, list[str]]) -> dict[str, float]:
    """Take the steps of a run one after the other, without the graph; give what each cost."""
    seconds: dict[str, float] = {}
    with counted(seconds, "libraries of the steps"):
        import duckdb  # noqa: F401
        import sklearn.ensemble  # noqa: F401
        from dbt.cli.main import dbtRunner  # noqa: F401
    with counted(seconds, GRAPH):
        import dagster_dbt  # noqa: F401
    with counted(seconds, "rooms"):
        from orchestration import dbt, moment
        from orchestration.defs import checks, identity, predict, serve, transform
        from orchestration.settings import Home
    home = Home(home_path)
    os.environ.update(home.environment())
    with counted(seconds, "ingest"):
        now = _load(home)
        checks.look(home, now, None)
    for part in transform.PARTS:
        with counted(seconds, f"dbt {part.name}"):
            ran = _build(home, now, part, checks_of[part.name])
            if ran != len(checks_of[part.name]):
                raise SystemExit(f"{ran} of {len(checks_of[part.name])} checks ran in {part.name}")
            seconds[CHECKS] = seconds.get(CHECKS, 0) + ran
        if part.name == "staging":
            with counted(seconds, "identity"):
                identity.run_identity(home)
                moment.keep_made(home, identity.TABLES, now)
        if part.name == "core":
            with counted(seconds, "predict"):
                predict.run_trainings(home, now, "plain")
                moment.keep_made(home, moment.PRODUCTS["ml"], now)
                predict.run_scoring(home, now)
    with counted(seconds, "publish"):
        tables = serve.public_tables(dbt.manifest_path(home))
        serve.publish_tables(home, now, tables, "plain")
    return seconds


def _load(home: Home) -> Moment:
    from intake.contract import contracts
    from intake.load import load_entity
    from orchestration.moment import new_moment
    from orchestration.settings import read_config, read_systems

    for system in read_systems(read_config(home)):
        for entity in system.spec.entities:
            load_entity(home.lake, system, contracts()[entity])
    return new_moment(home, None)


def _build(home: Home, now: Moment, part: Part, checks: list[str]) -> int:
    """Build a part with dbt alone; give how many checks ran."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    from orchestration import dbt, moment

    os.environ["UNICUS_LAKE_FILES"] = str(moment.write_inputs(home, now))
    models = [f"{one},resource_type:model" for one in part.select.split()]
    chosen = ["--select", " ".join([*models, *checks]), "--indirect-selection", "empty"]
    chosen += ["--exclude", f"{part.exclude},resource_type:model"] if part.exclude else []
    runner = dbtRunner(manifest=dbt.parsed(dbt.manifest_path(home)))
    done = runner.invoke(["build", *chosen, "--no-write-json", "--quiet", *dbt.arguments(home)])
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if not done.success:
        raise SystemExit(f"dbt failed in {part.name}")
    return sum(one.node.resource_type == "test" for one in done.result.results)


def run_with_graph(home_path: Path) -> dict[str, float]:
    """Run as `unicus run` does; give what each part of it cost."""
    from datetime import UTC, datetime

    seconds: dict[str, float] = {}
    from orchestration.settings import Home, read_config, read_systems

    home = Home(home_path)
    os.environ.update(home.environment())
    with counted(seconds, "import of the graph and of what it holds"):
        from orchestration import execution as execution_room
        from orchestration import summary
    build = execution_room.build_definitions

    def build_counted(place: Home) -> Definitions:
        with counted(seconds, DEFINITIONS):
            return build(place)

    execution_room.build_definitions = build_counted
    with counted(seconds, "run, definitions included"):
        execution = execution_room.Execution(home, (), None)
        outcome = execution.run()
    if not outcome.success:
        raise SystemExit(outcome.error)
    with counted(seconds, "summary"):
        systems = read_systems(read_config(home))
        summary.summarise(home, systems, execution.run_id, 0.0, datetime.now(UTC), outcome.checks)
    return seconds


def in_process(work: Callable[..., T], *given: object) -> T:
    """Work in a process of its own, so that nothing is imported yet."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *given).result()


def main() -> None:
    """Measure both by turns and print the difference."""
    home = Path(sys.argv[1]).resolve()
    found: dict[str, list[dict[str, float]]] = {"graph": [], "plain": []}
    checks_of = in_process(checks_of_parts, home)
    for _ in range(ROUNDS):
        found["graph"].append(in_process(run_with_graph, home))
        found["plain"].append(in_process(run_plainly, home, checks_of))
        print(
            *(f"{name} {cost(rounds[-1]):.1f}" for name, rounds in found.items()), file=sys.stderr
        )
    best = {name: min(rounds, key=cost) for name, rounds in found.items()}
    for name, seconds in best.items():
        rows = [[part, f"{value:.1f}"] for part, value in seconds.items()]
        show(f"{name}, CPU seconds", "part  seconds", [*rows, ["in all", f"{cost(seconds):.1f}"]])
    more = cost(best["graph"]) - cost(best["plain"])
    print(f"\nload {os.getloadavg()[0]:.1f}; the graph adds {more:.1f} CPU s,", end=" ")
    print(f"{verdict(more <= LIMIT_CPU_SECONDS)} {LIMIT_CPU_SECONDS:.0f}")


def cost(seconds: dict[str, float]) -> float:
    """CPU seconds in all; the graph's libraries are no part of the plain steps."""
    return sum(value for part, value in seconds.items() if part not in APART)


if __name__ == "__main__":
    main()
