"""BI reads while runs publish: no query fails, none sees half a copy."""

from __future__ import annotations

import multiprocessing
import time
from datetime import date, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import pytest

from serving.publish import Publication, PublicTable, publish

pytestmark = pytest.mark.battery

READERS, PUBLICATIONS, ROWS = 8, 200, 100_000


def read(path: str, stop: Event, results: multiprocessing.Queue[tuple[int, int, int]]) -> None:
    reads, failed, torn, versions = 0, 0, 0, set()
    while not stop.is_set():
        try:
            with duckdb.connect(path, read_only=True) as con:
                run, low, high, rows = con.execute(
                    "select any_value(run_id), min(version), max(version), count(*)"
                    " from marts.numbers, publication"
                ).fetchall()[0]
        except duckdb.Error:
            failed += 1
            continue
        reads += 1
        versions.add(run)
        torn += (str(low), low, rows) != (run, high, ROWS)
    results.put((reads, failed, torn))
    assert len(versions) > 1


def test_readers_never_fail_and_never_see_a_torn_copy(tmp_path: Path) -> None:
    warehouse, target = tmp_path / "warehouse.duckdb", tmp_path / "published.duckdb"
    table = [PublicTable("marts", "numbers")]

    def publish_version(version: int) -> None:
        with duckdb.connect(str(warehouse)) as con:
            con.execute("create schema if not exists marts")
            con.execute(
                f"create or replace table marts.numbers as"
                f" select range as n, {version} as version from range({ROWS})"
            )
        now = datetime(2024, 1, 1)
        publish(
            warehouse, target, table, Publication(str(version), "s", date(2024, 1, 1), now, "k")
        )

    publish_version(0)
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    readers = [
        context.Process(target=read, args=(str(target), stop, results)) for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    for version in range(1, PUBLICATIONS + 1):
        publish_version(version)
        time.sleep(0.05)
    stop.set()
    found = [results.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
        assert reader.exitcode == 0
    assert sum(reads for reads, _, _ in found) > PUBLICATIONS
    assert [(failed, torn) for _, failed, torn in found] == [(0, 0)] * READERS
