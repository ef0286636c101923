"""`unicus explain column`: the way of a column, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration import explain_column as verb
from orchestration.column_graph import ColumnGraph, Origin, PublicColumn, raw_text
from orchestration.settings import SettingFault
from tests.unit.orchestration.conftest import Command, command_environment, describes

HEAVY = ("dagster", "dagster_dbt", "dbt", "sqlglot", "pandas", "mlflow", "sklearn", "pyarrow")
COLD_SECONDS = 0.5


@pytest.fixture
def graph() -> ColumnGraph:
    """A mart over a table that is read twice, a setting, and two entities alike."""
    keys = (("raw/orders", "key"), ("raw/returns", "key"))
    return ColumnGraph(
        origins={
            "marts/sales": {
                "total": Origin((("core/orders", "amount"), ("core/days", "day"))),
                "shop": Origin((), "a constant of the query"),
            },
            "core/days": {"day": Origin((("core/orders", "amount"), ("moment/run", "zone")))},
            "core/orders": {"amount": Origin(keys, "drawn for the record")},
            "moment/run": {"zone": Origin((), "a setting of the home")},
        },
        public={
            "marts/sales": {
                "total": PublicColumn("double", "All."), "shop": PublicColumn("varchar", "Its name.")
            }
        },
    )  # fmt: skip


def test_the_tree_shows_each_table_once_and_says_what_its_columns_do_not(
    graph: ColumnGraph,
) -> None:
    assert verb.explain_column_text(graph, ("marts/sales", "total")) == (
        """\
marts.sales.total  double
All.

  from raw  orders, returns: key

marts.sales: total
├─ core.orders: amount  (drawn for the record)
│  ├─ raw.orders: key
│  └─ raw.returns: key
└─ core.days: day
   ├─ core.orders: amount  (above)
   └─ moment.run: zone  (a setting of the home)"""
    )


def test_the_object_has_the_column_first_and_every_step(graph: ColumnGraph) -> None:
    value = verb.explain_column(graph, ("marts/sales", "total"))
    describes("explain_column", value)
    assert [f"{one['table']}.{one['column']}" for one in value["steps"]] == [
        "marts.sales.total", "core.days.day", "core.orders.amount", "moment.run.zone",
    ]  # fmt: skip
    assert value["raw_columns"] == [
        {"table": "raw.orders", "column": "key"}, {"table": "raw.returns", "column": "key"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("sales.totl", "sales.total"),
        ("sale.total", "sales.total"),
        ("marts.sale.totals", "sales.total"),
        ("total", "sales.total"),
    ],
)
def test_a_misspelt_name_is_told_the_nearest(graph: ColumnGraph, asked: str, near: str) -> None:
    with pytest.raises(SettingFault) as caught:
        verb.find_column(graph, asked)
    assert (caught.value.code, caught.value.exit_code) == ("no-such-column", 2)
    assert caught.value.fix == f"unicus explain column {near}"


def test_a_graph_is_read_as_it_was_kept(graph: ColumnGraph) -> None:
    assert ColumnGraph.from_json(graph.to_json()) == graph


def test_entities_with_the_same_columns_are_told_together() -> None:
    columns = [("raw/b", "key"), ("raw/a", "key"), ("raw/c", "at"), ("raw/c", "key")]
    assert raw_text(columns, ": ", "; ") == "a, b: key; c: at, key"


def test_the_command_answers_quickly_and_loads_nothing_heavy(tmp_path: Path) -> None:
    verb.known_graph()
    script = (
        "import sys, os; from orchestration import explain_column as v; g = v.known_graph();"
        " c = v.find_column(g, 'customer_360.value_tier'); v.explain_column_text(g, c);"
        f" print([m for m in {HEAVY} if m in sys.modules])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", script], cwd=Path.cwd(), env=command_environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen.stdout.strip() == "[]"
    before = os.times()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", "explain", "column",
         "marts.customer_360.value_tier", "--json"],
        env=command_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = os.times()
    # The processor's seconds, as the machine may have other work; the clock bounds them when it has not.
    spent = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    assert min(spent, time.monotonic() - began) < COLD_SECONDS
    value = json.loads(done.stdout)
    describes("explain_column", value)
    assert {"table": "raw.orders", "column": "ordered_at"} in value["raw_columns"]


def test_a_misspelt_column_leaves_with_two_and_one_object(unicus: Command) -> None:
    done = unicus("explain", "column", "customer_360.value_teir", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "no-such-column"
    assert error["fix"].endswith("customer_360.value_tier")
