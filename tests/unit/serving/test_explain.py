"""An explained customer: every figure back to its rows, and nothing told that the run did not see."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from identity.resolve import CUSTOMER_MAP, EVENTS
from intake.contract import contracts
from intake.lake import Lake
from intake.snapshot import freeze
from intake.undo import find_load, undo
from ml.tables import SCORES
from serving.explain import Ground, explain_customer
from serving.fault import ExplainFault
from serving.figures import LifecycleDays, lifecycle, value_tier
from serving.originals import find_lines
from serving.publish import Publication, PublicTable, publish
from tests.conftest import Shop, load

AS_OF = date(2024, 2, 1)
DECIDED = datetime(2024, 2, 1, 5)
ANN, BOB = "a1b2c3d4e5f60718", "b1b2c3d4e5f60718"
DAYS = LifecycleDays(new_for=30, at_risk_after=45, lost_after=90)
PEOPLE = {("shop", "ann"): ANN, ("till", "7"): ANN, ("shop", "bob"): BOB, ("shop", "a1b"): BOB}
CUSTOMER_360 = f"""
create schema marts; create schema core;
create table marts.customer_360 (
    customer_id varchar, smallest_record_key varchar, records_count bigint, lifecycle varchar,
    value_tier varchar, orders_count bigint, orders_365d_count bigint,
    net_revenue_amount decimal(18, 2), net_revenue_365d_amount decimal(18, 2),
    first_ordered_date date, last_ordered_date date, returned_amount decimal(18, 2),
    predicted_net_revenue_90d_amount decimal(18, 2)
);
insert into marts.customer_360 values
    ('{ANN}', 'shop:ann', 2, 'at_risk', 'top', 2, 2, 20.25, 20.25, '2023-12-02', '2023-12-03', 0, 12.35),
    ('{BOB}', 'shop:bob', 2, 'active', 'base', 3, 3, 20.25, 20.25, '2023-12-05', '2024-01-31', 0, 7);
create table core.fct_orders (
    order_id varchar, customer_id varchar, ordered_at timestamp, ordered_date date,
    net_revenue_amount decimal(18, 4), has_quarantined_lines boolean
);
insert into core.fct_orders values
    ('shop:1', '{ANN}', '2023-12-02 10:00', '2023-12-02', 12.25, true),
    ('shop:2', '{ANN}', '2023-12-03 10:00', '2023-12-03', 8, false),
    ('shop:3', '{BOB}', '2023-12-05 10:00', '2023-12-05', 20.25, false),
    ('shop:9', '{BOB}', '2024-01-02 10:00', '2024-01-02', 0, false),
    ('shop:8', '{BOB}', '2024-01-31 10:00', '2024-01-31', 0, false);
"""


@dataclass
class Told:
    """A lake that was published, and the ground to explain its customers on."""

    ground: Ground
    shop: Shop

    @property
    def lake(self) -> Lake:
        return self.ground.lake

    def explain(self, asked: str = ANN) -> dict[str, Any]:
        return explain_customer(self.ground, asked)

    def commit(self, kind: str, source: str, table: str, rows: pa.Table, **details: object) -> None:
        with self.lake.transaction() as transaction:
            path = f"{source}/{table}/{transaction.seq}.parquet"
            staged = self.lake.stage(rows, source, table, path)
            transaction.commit(kind, f"{kind}{transaction.seq}", [staged], details=details)

    def change(self, statement: str) -> None:
        with duckdb.connect(str(self.ground.published)) as con:
            con.execute(statement)


@pytest.fixture
def told(tmp_path: Path, lake: Lake, shop: Shop) -> Told:
    """Two deliveries: the second corrects an amount, gives an order to another, and looks ahead."""
    till = shop.twin("till")
    shop.orders(
        "1,ann,2023-12-02 10:00:00,2023-12-02", " 2 , ann ,2023-12-03 10:00:00,2023-12-03",
        "3,ann,2023-12-05 10:00:00,2023-12-05", "4,ann,2024-02-01 00:00:00,2024-01-20",
        "5,bob,2023-12-09 10:00:00,2023-12-09", "8,a1b,2024-01-31 10:00:00,2024-01-31",
    )  # fmt: skip
    shop.lines(
        "1,a,1,5.00,2023-12-02", "1,b,1,7.25,2023-12-02", "1,b,1,none,2023-12-02",
        "2,a,1,6.00,2023-12-03", "3,a,1,20.25,2023-12-05", "4,a,1,99.00,2024-01-20",
    )  # fmt: skip
    till.orders("1,7,2024-03-01 10:00:00,2024-03-01")
    for name in ("orders", "order_lines"):
        load(lake, shop, name)
    shop.orders(
        "3,bob,2023-12-05 10:00:00,2023-12-07", "2,ann,2023-12-03 10:00:00,2024-02-01",
        "9,bob,2024-01-02 10:00:00,2024-01-02", name="orders_2.csv",
    )  # fmt: skip
    shop.lines("2,a,1,8.00,2023-12-04", name="lines_2.csv")
    for name in ("orders", "order_lines"):
        load(lake, shop, name)
    load(lake, till)
    ground = Ground(
        lake, tmp_path / "published.duckdb", tmp_path / "mlflow", "Europe/Paris", "EUR", DAYS
    )
    found = Told(ground, shop)
    _resolve(found)
    _predict(found)
    ground.mlflow.mkdir()
    (ground.mlflow / "mlflow.db").touch()
    _publish(found, tmp_path / "warehouse.duckdb")
    return found


def _resolve(told: Told) -> None:
    rows = [
        {"source_system": system, "source_key": key, "customer_id": customer,
         "strict_customer_id": customer, "valid_from": DECIDED, "valid_to": None}
        for (system, key), customer in PEOPLE.items()
    ]  # fmt: skip
    old = {"customer_id": "c" * 16, "strict_customer_id": "c" * 16, "valid_to": DECIDED}
    events = [
        {"event_seq": 1, "event_at": DECIDED, "event_type": "created", "source_system": "till",
         "source_key": "7", "to_customer_id": "c" * 16, "rule": "one record, one customer"},
        {"event_seq": 2, "event_at": DECIDED, "event_type": "merged", "source_system": "till",
         "source_key": "7", "from_customer_id": "c" * 16, "to_customer_id": ANN, "rule": "same card"},
    ]  # fmt: skip
    table = pa.Table.from_pylist([*rows, rows[1] | old], schema=CUSTOMER_MAP)
    told.commit("identity_events", "identity", "identity_events",
                pa.Table.from_pylist(events, schema=EVENTS))  # fmt: skip
    told.commit("customer_map", "identity", "customer_map", table)


def _predict(told: Told) -> None:
    told.commit(
        "training", "ml", "model_performance", pa.table({"n": [1]}), question="clv_90d",
        as_of="2024-01-31", snapshot_id="s0", reason="promoted: better", mlflow_run_id="r1",
    )  # fmt: skip
    score = {
        "customer_id": ANN, "as_of_date": AS_OF, "model_name": "clv_90d", "target": "net_revenue",
        "horizon_days": 90, "predicted": 12.345678, "low": 1.0, "high": 30.129, "predictor": "blend",
        "model_version": "4", "mlflow_run_id": "r1", "is_baseline": False, "is_stale": False,
        "scored_at_snapshot": "s1",
    }  # fmt: skip
    orders = score | {
        "model_name": "orders_90d", "target": "orders", "predicted": 1.5, "low": None, "high": None,
        "predictor": "same_orders", "model_version": "baseline", "mlflow_run_id": None,
        "is_baseline": True, "is_stale": True,
    }  # fmt: skip
    table = pa.Table.from_pylist([score, orders], schema=SCORES)
    told.commit(
        "scores", "ml", "scores", table, as_of=str(AS_OF), reasons={"clv_90d": "scored by v4"}
    )


def _publish(told: Told, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as con:
        con.execute(CUSTOMER_360)
    snapshot = freeze(told.lake, contracts()).snapshot_id
    now = datetime.now(UTC).replace(tzinfo=None) + timedelta(milliseconds=1)
    tables = [PublicTable("marts", "customer_360"), PublicTable("core", "fct_orders")]
    publish(
        warehouse, told.ground.published, tables, Publication("run1", snapshot, AS_OF, now, "k")
    )


def by_id(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["order_id"]: one for one in value["orders"]}


def test_only_what_the_run_saw_counts_and_comes_to_the_figures_of_the_mart(told: Told) -> None:
    value = told.explain()
    # 3 went to bob, 4 is of the as-of date, 7 of the till of a later one.
    assert [order["order_id"] for order in value["orders"]] == ["shop:2", "shop:1"]
    checks = {check["figure"]: check for check in value["checks"]}
    assert all(check["is_equal"] for check in checks.values()), checks
    assert {"records_count", "orders_count", "net_revenue_amount", "last_ordered_date",
            "predicted_net_revenue_90d_amount", "orders of core.fct_orders"} <= checks.keys()  # fmt: skip
    assert checks["net_revenue_amount"]["recomputed"] == Decimal("20.25")
    assert (value["lifecycle"]["by_rule"], value["lifecycle"]["is_equal"]) == ("at_risk", True)
    # Both have the same revenue; the earlier first order comes first.
    tier = value["value_tier"]
    assert (tier["rank"], tier["ranked"], tier["by_rule"], tier["is_equal"]) == (1, 2, "top", True)
    assert told.explain(BOB)["value_tier"]["rank"] == 2
    assert value["missing"] == []


def test_each_order_and_line_is_told_with_file_and_line_that_hold_it(told: Told) -> None:
    orders = by_id(told.explain())
    kept = {path.name: path.read_text("utf-8").splitlines() for path in told.shop.files.iterdir()}
    for name, order in orders.items():
        for source in (order["header"], *order["lines"]):
            held = kept[source["file"]][source["line"] - 1].split(",")
            assert held[0].strip() == name.removeprefix("shop:")
    first, second = orders["shop:1"], orders["shop:2"]
    assert [line["row"] for line in first["lines"]] == [1, 2]
    assert [(one["row"], one["line"], one["reason"]) for one in first["refused_lines"]] == [
        (3, None, "not a decimal(18,4)")
    ]
    # The header that came on the as-of date is not known yet; the lines of the day before it are.
    assert (second["header"]["file"], second["lines"][0]["file"]) == ("orders.csv", "lines_2.csv")


def test_the_loads_say_what_counts_what_does_not_and_what_became_of_them(told: Told) -> None:
    load_id = find_load(told.lake, told.explain()["loads"][0]["load_id"])
    undo(told.lake, load_id, None, None)
    loads = {(one["system"], one["file"]): one for one in told.explain()["loads"]}
    orders = loads["shop", "orders.csv"]
    assert (orders["state"], orders["counted_rows"], orders["other_rows"]) == ("undone", 2, 2)
    assert (orders["first_row"], orders["last_row"]) == (1, 2)
    assert Path(orders["original"]).read_bytes() == (told.shop.files / "orders.csv").read_bytes()
    later = loads["shop", "orders_2.csv"]
    assert (later["state"], later["counted_rows"], later["first_row"]) == ("live", 0, None)
    assert loads["till", "orders.csv"]["other_rows"] == 1


def test_the_records_are_told_with_the_decisions_that_joined_them(told: Told) -> None:
    records = told.explain()["records"]
    assert [(one["source_system"], one["source_key"]) for one in records] == [
        ("shop", "ann"), ("till", "7"),
    ]  # fmt: skip
    assert [(one["event_type"], one["rule"]) for one in records[1]["decisions"]] == [
        ("created", "one record, one customer"), ("merged", "same card"),
    ]  # fmt: skip
    assert [one["named_in"] for one in records] == [{"orders": 5}, {"orders": 1}]


def test_a_score_is_told_with_its_interval_its_maker_and_its_training(told: Told) -> None:
    value, baseline = told.explain()["scores"]
    assert (value["predicted"], value["low"], value["high"]) == (
        Decimal("12.35"), Decimal("1.00"), Decimal("30.13"),
    )  # fmt: skip
    assert (value["made_by"], value["mlflow_run_id"]) == ("champion version 4", "r1")
    assert (value["trained_as_of"], value["trained_at_snapshot"], value["scoring_reason"]) == (
        "2024-01-31", "s0", "scored by v4",
    )  # fmt: skip
    assert (baseline["made_by"], baseline["is_stale"], baseline["trained_as_of"]) == (
        "baseline", True, None,
    )  # fmt: skip


def test_a_mart_that_is_wrong_is_said_to_differ(told: Told) -> None:
    told.change("update marts.customer_360 set net_revenue_amount = 20.26, value_tier = 'base',"
                " lifecycle = 'active', predicted_net_revenue_90d_amount = 12.34")  # fmt: skip
    told.change("update core.fct_orders set net_revenue_amount = 8.01 where order_id = 'shop:2'")
    value = told.explain()
    assert {check["figure"] for check in value["checks"] if not check["is_equal"]} == {
        "net_revenue_amount", "predicted_net_revenue_90d_amount", "orders of core.fct_orders",
    }  # fmt: skip
    assert [order["is_equal"] for order in value["orders"]] == [False, True]
    assert not value["value_tier"]["is_equal"]
    assert not value["lifecycle"]["is_equal"]


def test_an_order_that_only_the_mart_has_is_told_without_a_row(told: Told) -> None:
    told.change(f"insert into core.fct_orders values"
                f" ('shop:77', '{ANN}', '2023-12-04', '2023-12-04', 3, false)")  # fmt: skip
    order = by_id(told.explain())["shop:77"]
    assert (order["header"], order["lines"], order["is_equal"]) == (None, [], False)


@pytest.mark.parametrize(
    ("asked", "means"),
    [(ANN, "customer_id"), (ANN[:5], "beginning"), ("till:7", "record"), ("c" * 16, "retired_id")],
)
def test_a_customer_is_found_by(told: Told, asked: str, means: str) -> None:
    value = told.explain(asked)
    assert (value["customer_id"], value["asked"]) == (ANN, {"text": asked, "means": means})


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ("bob", "unicus explain customer shop:bob"),  # a key without its system
        ("a1b", "unicus explain customer shop:a1b"),  # ann's id begins so, and bob has the key
        ("shpo:ann", "unicus explain customer shop:ann"),
        ("xyz:ann", "name one of these systems"),
        ("shop:zoe", "compare the key with the file"),
        (ANN.replace("c3", "c4"), f"unicus explain customer {ANN}"),
        ("nobody at all", "give an id of marts.customer_360"),
    ],
)
def test_who_is_not_found_gets_the_nearest_or_the_remedy(told: Told, asked: str, fix: str) -> None:
    with pytest.raises(ExplainFault) as raised:
        told.explain(asked)
    assert (raised.value.code, raised.value.exit_code) == ("no-such-customer", 2)
    assert raised.value.fix.startswith(fix)


def test_a_beginning_that_several_have_names_them(told: Told) -> None:
    told.change("update marts.customer_360 set customer_id = 'a1b2999999999999'"
                f" where customer_id = '{BOB}'")  # fmt: skip
    with pytest.raises(ExplainFault, match="more than one customer") as raised:
        told.explain("a1b2")
    assert ANN in raised.value.why


def test_nothing_published_is_said(told: Told) -> None:
    told.ground.published.unlink()
    with pytest.raises(ExplainFault) as raised:
        told.explain()
    assert (raised.value.code, raised.value.exit_code) == ("nothing-published", 2)


def test_a_damaged_file_of_the_lake_is_said_without_its_content(told: Told) -> None:
    (raw,) = told.explain()["loads"][0]["raw_files"]
    Path(raw).write_bytes(b"PAR1 secret")
    with pytest.raises(ExplainFault) as raised:
        told.explain()
    assert raised.value.code == "damaged-lake"
    assert "secret" not in f"{raised.value.why} {raised.value.what}"


@pytest.mark.parametrize("seed", range(12))
def test_bytes_that_changed_in_a_file_of_the_lake_are_a_damage_or_change_nothing_that_is_read(
    told: Told, seed: int
) -> None:
    (raw,) = told.explain()["loads"][0]["raw_files"]
    chance, content = random.Random(seed), bytearray(Path(raw).read_bytes())
    for place in chance.sample(range(4, len(content)), 40):
        content[place] ^= chance.randrange(1, 256)
    Path(raw).write_bytes(content)
    found = set()
    try:
        told.explain()
    except ExplainFault as fault:
        found.add(fault.code)
    assert found <= {"damaged-lake"}


def remove(pattern: str) -> Callable[[Told], None]:
    def act(told: Told) -> None:
        for path in told.ground.published.parent.glob(pattern):
            path.unlink()

    return act


@pytest.mark.parametrize(
    ("loss", "missing", "checks"),
    [
        (remove("mlflow/mlflow.db"), "MLflow store", 10),
        (remove("lake/landing/*"), "kept original of orders.csv", 10),
        (remove("lake/snapshots/*.json"), "snapshot", 1),
        (remove("lake/identity/customer_map/*"), "the identity map", 1),
        (remove("lake/identity/identity_events/*"), "the log of identity decisions", 10),
        (remove("lake/ml/scores/*"), "marts.customer_scores", 9),
        (lambda told: told.change("drop table core.fct_orders"), "core.fct_orders", 9),
    ],
)
def test_what_is_gone_is_named_and_the_rest_is_told(
    told: Told, loss: Callable[[Told], None], missing: str, checks: int
) -> None:
    loss(told)
    value = told.explain()
    assert any(missing in one for one in value["missing"]), value["missing"]
    assert len(value["orders"]) == 2
    assert len(value["checks"]) == checks


def test_a_text_gives_its_lines_where_they_are_certain(tmp_path: Path) -> None:
    def lines(content: bytes, rows: int, keys: dict[int, set[str]]) -> dict[int, int]:
        path = tmp_path / "text"
        path.write_bytes(content)
        return find_lines(path, keys, rows)

    both = {1: {"a"}, 2: {"b"}}
    assert lines(b"key\na,1\nb,2\n", 2, both) == {1: 2, 2: 3}
    assert lines(b"key\na,1\nb,2", 2, both) == {1: 2, 2: 3}
    assert lines(b"a,1\nb,2\n", 2, both) == {1: 1, 2: 2}
    assert lines(gzip.compress(b"key\na,1\nb,2\n"), 2, both) == {1: 2, 2: 3}
    # A value with a line break, blank lines, a binary file, a line without the key.
    assert lines(b'key,text\na,"1\n2"\nb,2\n', 2, both) == {}
    assert lines(b"key\na,1\n\nb,2\n", 2, both) == {}
    assert lines(b"PAR1\0\na\nb\n", 2, both) == {}
    assert lines(b"a,1\nb,2\n\n", 2, both) == {}


def test_more_text_than_there_is_time_for_leaves_rows_without_lines(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.explain.TEXT_BYTES", 1)
    value = told.explain()
    assert {order["header"]["line"] for order in value["orders"]} == {None}
    assert any(one.startswith("lines of 3 files") for one in value["missing"])


@pytest.mark.parametrize(
    ("recency", "tenure", "gap", "stage"),
    [(None, None, None, "prospect"), (91, 400, 1, "lost"), (90, 400, 1, "at_risk"),
     (46, 50, None, "at_risk"), (45, 45, None, "active"), (30, 30, None, "new"),
     (3, 31, 90, "active"), (3, 200, 91, "reactivated")],
)  # fmt: skip
def test_the_stage_of_life_follows_the_rule(
    recency: int | None, tenure: int | None, gap: int | None, stage: str
) -> None:
    assert lifecycle({"recency_days": recency, "tenure_days": tenure}, gap, DAYS) == stage
    assert lifecycle(
        {"recency_days": 10, "tenure_days": 20}, None, replace(DAYS, new_for=19)
    ) == "active"  # fmt: skip


def test_the_tier_follows_the_rank() -> None:
    tiers = [value_tier(rank, 11) for rank in range(1, 12)]
    assert tiers == ["top"] * 3 + ["middle"] * 3 + ["base"] * 5
    assert value_tier(None, 11) == "none"


def test_an_explanation_loads_nothing_heavy(told: Told) -> None:
    ground = told.ground
    code = f"""
import sys
from pathlib import Path
from intake.lake import Lake
from serving.explain import Ground, explain_customer
from serving.figures import LifecycleDays
explain_customer(Ground(Lake(Path({str(ground.lake.root)!r})), Path({str(ground.published)!r}),
    Path({str(ground.mlflow)!r}), "UTC", "EUR", LifecycleDays(30, 45, 90)), {ANN!r})
heavy = ("pandas", "numpy", "pyarrow", "pydantic", "dagster", "dbt", "mlflow", "sklearn")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
