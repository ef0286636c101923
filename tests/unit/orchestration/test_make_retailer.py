"""The verb that makes a retailer says what it made, shows how far it is, and harms no other files."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.orchestration.conftest import Command, describes


def test_a_retailer_is_made_where_it_is_asked_for_and_told_as_its_schema_says(
    unicus: Command, tmp_path: Path
) -> None:
    arguments = (
        "retailer",
        "--customers",
        60,
        "--months",
        2,
        "--seed",
        5,
        "--folder",
        "try",
        "--json",
    )
    done = unicus(*arguments)
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    describes("retailer", value)
    assert (value["start"], value["end"]) == ("2026-05-01", "2026-06-30")
    files = sorted(Path(value["landing"]).rglob("*.csv*"))
    assert sum(value["rows"].values()) > 1_000
    assert files
    assert "parts of ten thousand" in done.stderr or "retailer" in done.stderr
    stray = tmp_path / "try" / "landing" / "crm" / "contacts_2020-01-01.csv"
    stray.write_text("of the retailer before")
    assert unicus(*arguments[:-1]).returncode == 0
    assert not stray.exists()


def test_a_folder_with_other_files_is_left_as_it_is(unicus: Command, tmp_path: Path) -> None:
    own = tmp_path / "shop" / "landing" / "orders.csv"
    own.parent.mkdir(parents=True)
    own.write_text("id\n1\n")
    done = unicus("retailer", "--customers", 10, "--folder", "shop", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "folder-in-use"
    assert own.read_text() == "id\n1\n"
    assert unicus("retailer", "--world", "plainn").returncode == 2


def test_the_worlds_of_the_help_are_those_of_the_retailer() -> None:
    from orchestration.cli import WORLDS
    from retailer import worlds

    assert tuple(worlds.WORLDS) == WORLDS
