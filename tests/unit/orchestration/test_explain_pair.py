"""Why two records are one customer or not is told with all that decided."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from identity.compare import PROFILES
from identity.resolve import DECISIONS
from orchestration.defs.identity import run_identity
from orchestration.explain_pair import pair_text, read_pair
from orchestration.settings import Home, SettingFault
from tests.unit.orchestration.conftest import command_environment

HEAVY = ("dagster", "dbt", "pandas", "scipy", "sklearn", "splink", "mlflow")
ANN = {"first_name": "ann", "last_name": "berg", "name_key": "ann berg"}
BOB = {"first_name": "bob", "last_name": "berg", "name_key": "berg bob"}
RECORDS: dict[str, dict[str, Any]] = {
    "a1": ANN | {"email": "ann@post.example"},
    "a2": ANN | {"email": "ann@post.example", "mobile_phone": "33611223344"},
    "a3": {"mobile_phone": "33611223344"},
    "b1": BOB | {"email": "ann@post.example"},
    "c1": {"first_name": "eva", "last_name": "holm", "name_key": "eva holm", "email": "e@post.example"},
    "c2": {"first_name": "eva", "last_name": "holm", "name_key": "eva holm", "email": "e@post.example"},
    "d1": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of few records, of which a steward keeps two apart."""
    home = Home(tmp_path_factory.mktemp("pairs") / "home")
    home.create()
    home.lake.create()
    home.config_path.write_text("business_timezone: UTC\nreporting_currency: EUR\nsystems: {}\n")
    home.warehouse.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        dict.fromkeys(PROFILES.names) | {"source_system": "crm", "source_key": key} | told
        for key, told in RECORDS.items()
    ]
    ban = {"decision_key": "k", "decision": "ban", "left_source_system": "crm", "left_source_key": "c1",
           "right_source_system": "crm", "right_source_key": "c2",
           "decided_at": datetime(2026, 1, 1)}  # fmt: skip
    with duckdb.connect(str(home.warehouse)) as con:
        con.register("told", pa.Table.from_pylist(rows, schema=PROFILES))
        con.register("decided", pa.Table.from_pylist([ban], schema=DECISIONS))
        con.execute("create schema staging")
        con.execute(
            "create table staging.identity_profiles as select * from told where source_key <> 'd1'"
        )
        con.execute(
            "create table staging.identity_records as select source_system, source_key from told"
        )
        con.execute("create table staging.identity_decisions as select * from decided")
    run_identity(home)
    return home


@pytest.mark.parametrize(
    ("left", "right", "is_one", "why"),
    [
        ("a1", "a2", True, "they are linked"),
        ("a1", "a3", True, "other records of theirs link them"),
        ("a1", "b1", False, "what they tell contradicts each other"),
        ("c1", "c2", False, "a steward decided to ban them"),
        ("a1", "c1", False, "they share nothing that few share"),
        ("a1", "d1", False, "they share nothing that few share"),
    ],
)
def test_the_one_thing_that_decided_is_told(
    home: Home, left: str, right: str, *, is_one: bool, why: str
) -> None:
    found = read_pair(home, f"crm:{left}", f"crm:{right}")
    assert found["is_one_customer"] is is_one
    assert f"{'one customer' if is_one else 'two customers'}" in pair_text(found)
    assert why in pair_text(found)
    told = sum(one["bits"] for one in found["agreement"])
    added = found["rareness_of_name_bits"] + found["shared_by_others_bits"]
    assert found["weight_bits"] == pytest.approx(found["prior_bits"] + told + added, abs=0.05)


def test_the_way_from_record_to_record_is_told(home: Home) -> None:
    path = read_pair(home, "crm:a1", "crm:a3")["path"]
    assert [(one["from"], one["to"]) for one in path] == [
        ("crm:a1", "crm:a2"),
        ("crm:a2", "crm:a3"),
    ]


def test_a_pair_is_explained_without_what_takes_long_to_load(home: Home) -> None:
    script = (
        "import sys; from pathlib import Path; from orchestration.explain_pair import read_pair;"
        " from orchestration.settings import Home;"
        f" read_pair(Home(Path({str(home.root)!r})), 'crm:a1', 'crm:a3');"
        f" print([m for m in {HEAVY} if m in sys.modules])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", script], env=command_environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen.stdout.strip() == "[]"


def test_a_record_that_nobody_mentions_and_a_home_without_store_are_named(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(SettingFault) as unknown:
        read_pair(home, "crm:a1", "crm:zz")
    empty = Home(tmp_path / "home")
    empty.create()
    empty.lake.create()
    empty.config_path.write_text("business_timezone: UTC\nreporting_currency: EUR\nsystems: {}\n")
    with pytest.raises(SettingFault) as unresolved:
        read_pair(empty, "crm:a1", "crm:a2")
    assert (unknown.value.code, unresolved.value.code) == ("no-such-record", "nothing-resolved")


def test_while_a_run_is_at_the_store_that_is_said(home: Home) -> None:
    hold = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("holds", flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(home.identity_store)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stdin
        assert run.stdout
        assert run.stdout.readline() == b"holds\n"
        with pytest.raises(SettingFault, match="cannot be read now") as busy:
            read_pair(home, "crm:a1", "crm:a2")
        run.stdin.close()
    assert "a run is at it" in busy.value.why
