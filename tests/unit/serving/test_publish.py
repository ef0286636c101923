"""The published copy: whole, described, and put in place in one step."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from serving import publish as publishing
from serving.publish import Publication, PublicTable, publish, read_publication

WHEN = datetime(2024, 1, 2)
TABLES = [PublicTable("marts", "sales", "One row per day.", {"day": "The day, it's local."})]


def publication(run: str = "r1") -> Publication:
    return Publication(run, "s1", date(2024, 1, 1), WHEN, "k1")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts")
        con.execute(
            "create table marts.sales (day date primary key, amount decimal(18,2) not null)"
        )
        con.execute("insert into marts.sales values ('2024-01-01', 10.25), ('2024-01-02', 3)")
        con.execute("create table marts.private as select 1 as secret")
    return path


def test_the_copy_holds_the_public_tables_with_keys_and_comments(
    warehouse: Path, tmp_path: Path
) -> None:
    target = tmp_path / "published.duckdb"
    assert publish(warehouse, target, TABLES, publication()) == {"marts.sales": 2}
    with duckdb.connect(str(target), read_only=True) as con:
        assert con.execute("select sum(amount) from marts.sales").fetchone() == (
            pytest.approx(13.25),
        )
        kinds = con.execute("select constraint_type from duckdb_constraints()").fetchall()
        assert ("PRIMARY KEY",) in kinds
        comments = con.execute(
            "select comment from duckdb_columns() where column_name = 'day'"
        ).fetchall()
        assert comments == [("The day, it's local.",)]
        names = con.execute("select table_name from duckdb_tables() order by 1").fetchall()
        assert names == [("publication",), ("sales",)]
    assert read_publication(target) == publication()


def test_a_reader_keeps_the_copy_it_opened(warehouse: Path, tmp_path: Path) -> None:
    target = tmp_path / "published.duckdb"
    publish(warehouse, target, TABLES, publication("r1"))
    held = target.open("rb")
    before = held.read(64)
    publish(warehouse, target, TABLES, publication("r2"))
    held.seek(0)
    assert held.read(64) == before
    held.close()
    found = read_publication(target)
    assert found is not None
    assert found.run_id == "r2"


def test_a_publication_that_dies_leaves_the_old_copy_and_is_swept_by_the_next(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "published.duckdb"
    publish(warehouse, target, TABLES, publication("r1"))

    def dies(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing, "_describe", dies)
    with pytest.raises(KeyboardInterrupt):
        publish(warehouse, target, TABLES, publication("r2"))
    monkeypatch.undo()
    found = read_publication(target)
    assert found is not None
    assert found.run_id == "r1"
    publish(warehouse, target, TABLES, publication("r3"))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".published")]


def test_there_is_no_publication_before_the_first(tmp_path: Path) -> None:
    assert read_publication(tmp_path / "published.duckdb") is None
