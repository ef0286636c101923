"""Records that say nothing, too much or nonsense: each is accounted for, none is joined by accident."""

from __future__ import annotations

from collections import Counter

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from identity.clusters import BANNED
from tests.homes import make_home, run

SOURCE = """
system: mess
title: Customers as they should not be
location: {files}
business_timezone: UTC
currency: USD
files:
  people: {{path: people.parquet, format: parquet}}
  stewards: {{path: stewards.parquet, format: parquet}}
entities:
  customers: {{file: people, delivery: upsert}}
  steward_decisions: {{file: stewards, delivery: upsert}}
"""
VALUES = (
    "first_name", "last_name", "birth_date", "email", "mobile_phone", "loyalty_card_key", "device_key",
)  # fmt: skip
CUSTOMERS = f"select _row, customer_key, {', '.join(VALUES)} from people"
DECISIONS = """
select _row, decision_key, decision, 'mess' as left_source_system, l as left_customer_key,
    'mess' as right_source_system, r as right_customer_key, 'active' as decision_status,
    timestamp '2024-01-01' as decided_at
from stewards
"""
CROWD = 10_000
LONG = "x" * 10_000
ODD = {
    "nul": {"first_name": "a\0b", "last_name": "one", "email": "nul\0@x.org"},
    "nul other": {"first_name": "a\0c", "last_name": "one", "email": "nul\0other@x.org"},
    "smile": {"first_name": "\U0001f600", "last_name": "\U0001f468\u200d\U0001f469"},
    "smile other": {"first_name": "\U0001f600", "last_name": "\U0001f468\u200d\U0001f469"},
    "long": {"first_name": LONG, "last_name": "y", "email": f"{LONG}@x.org"},
    "long other": {"first_name": LONG + "z", "last_name": "y", "email": f"{LONG}z@x.org"},
    "marks": {"first_name": "\u202eanna\u200f", "last_name": "marks"},
    "only marks": {"first_name": "\u202e\u200f", "last_name": "\u202e"},
    "only marks other": {"first_name": "\u202e\u200f", "last_name": "\u202e"},
    "year one": {"first_name": "ann", "last_name": "old", "birth_date": "0001-01-01"},
    "year one other": {"first_name": "carl", "last_name": "new", "birth_date": "0001-01-01"},
    "year last": {"first_name": "ann", "last_name": "old", "birth_date": "9999-12-31"},
    "no day": {"first_name": "dora", "last_name": "day", "birth_date": "2023-02-30"},
    "'; drop table map; --": {},
}  # fmt: skip
EMIL = {
    "first_name": "emil", "last_name": "twice", "email": "emil@x.org", "mobile_phone": "+33612457896",
}  # fmt: skip
SAME = {"same": EMIL, "same again": EMIL}
STEWARDS = {
    "both": [("link", "a", "b"), ("ban", "a", "b")],
    "chain": [("link", "c", "d"), ("link", "d", "e"), ("ban", "c", "e")],
    "unknown": [("link", "a", "nobody"), ("ban", "nobody", "a"), ("link", "a", "a")],
    "refused": [("perhaps", "a", "e")],
}


def people() -> list[dict[str, str]]:
    """Rows of the file; the last has a key that was given before."""
    crowd = {f"crowd {n}": {"loyalty_card_key": "0000000000"} for n in range(CROWD)}
    shared = {
        f"{name} {n}": {"first_name": f"{chr(97 + n % 26) * 5}{n}", "last_name": f"{n}lind", name: value}
        for name, value in (("email", "info@x.org"), ("mobile_phone", "+33698745123"), ("device_key", "d"))
        for n in range(60)
    }  # fmt: skip
    alone: dict[str, dict[str, str]] = {key: {} for key in (*"abcde", "nothing", "nothing else")}
    told = {**ODD, **SAME, **alone, **shared, **crowd}
    rows = [{"customer_key": key, **values} for key, values in told.items()]
    return [*rows, rows[-1]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """What a run over all of it published."""
    root = tmp_path_factory.mktemp("mess")
    folder, files = root / "systems" / "mess", root / "files"
    folder.mkdir(parents=True)
    files.mkdir()
    (folder / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    (folder / "customers.sql").write_text(CUSTOMERS, "utf-8")
    (folder / "steward_decisions.sql").write_text(DECISIONS, "utf-8")
    schema = pa.schema([(name, pa.string()) for name in ("customer_key", *VALUES)])
    pq.write_table(pa.Table.from_pylist(people(), schema), files / "people.parquet")
    said = [pair for pairs in STEWARDS.values() for pair in pairs]
    rows = [
        {"decision_key": f"{n}", "decision": d, "l": a, "r": b} for n, (d, a, b) in enumerate(said)
    ]
    pq.write_table(pa.Table.from_pylist(rows), files / "stewards.parquet")
    home = make_home(root / "home", files, system="mess", folder=str(folder.parent), predictions=())
    run(home)
    return duckdb.connect(str(home.warehouse), read_only=True)


def test_every_row_is_accounted_for_and_what_is_refused_has_a_reason(
    ran: duckdb.DuckDBPyConnection,
) -> None:
    found = ran.execute("""
        select entity, read_rows_count, accepted_rows_count, quarantined_rows_count, is_reconciled
        from marts.ingest_reconciliation order by entity
    """).fetchall()
    assert found == [
        ("customers", len(people()), len(people()) - 2, 2, True),
        ("steward_decisions", 9, 8, 1, True),
    ]
    refused = ran.execute("select record_key, reason from ledger.quarantined_rows").fetchall()
    assert sorted(refused) == [
        ("8", "not one of link, ban"),
        (f"crowd {CROWD - 1}", "key given twice in one file"),
        ("no day", "not a date"),
    ]
    records = ran.execute("select source_key from identity.customer_map where valid_to is null")
    assert sorted(key for (key,) in records.fetchall()) == sorted(
        {row["customer_key"] for row in people()} - {"no day"}
    )


def test_nothing_is_joined_but_what_is_one_person_or_a_steward_links(
    ran: duckdb.DuckDBPyConnection,
) -> None:
    found = ran.execute("""
        select list(source_key order by source_key) from identity.customer_map
        where valid_to is null group by customer_id having count(*) > 1
    """).fetchall()
    together = sorted(keys for (keys,) in found)
    assert sum("same" in keys for keys in together) == 1
    # A chain with a ban between its ends keeps one of its links.
    assert [keys for keys in together if "d" in keys] in ([["c", "d"]], [["d", "e"]])
    assert len(together) == 2


def test_what_stewards_got_wrong_is_told(ran: duckdb.DuckDBPyConnection) -> None:
    told = ran.execute(
        "select reason from identity.identity_review where state <> 'weak'"
    ).fetchall()
    faults = Counter(reason for (reason,) in told)
    for fault in (
        "link: a newer decision says otherwise", "link: the right record is unknown",
        "ban: the left record is unknown", "link: both are one record",
    ):  # fmt: skip
        assert faults[fault] == 1
    assert faults[BANNED] == 1
