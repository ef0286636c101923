"""Requests to be forgotten are told of while they wait, with their age and nothing of the person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from intake.contract import contracts
from intake.erasure import waiting_requests
from intake.lake import Lake
from intake.load import load_entity
from intake.source import read_system

SOURCE = """
system: desk
title: A desk that takes requests
location: {files}
business_timezone: Europe/Paris
currency: EUR
files:
  requests: {{path: "requests_*.csv", format: csv}}
entities:
  erasure_requests: {{file: requests, delivery: upsert}}
"""
SQL = """
    select _row, id as request_key, asked as requested_at, status as request_status, mail as email,
        nullif(told, '') as updated_at
    from requests
"""


def desk(lake: Lake, folder: Path, *days: str) -> str:
    """What is told on 1 March of the files of some days."""
    system, files = folder / "systems" / "desk", folder / "files"
    system.mkdir(parents=True, exist_ok=True)
    files.mkdir(exist_ok=True)
    (system / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    (system / "erasure_requests.sql").write_text(SQL, "utf-8")
    for number, rows in enumerate(days, 1):
        (files / f"requests_{number}.csv").write_text(f"id,asked,status,mail,told\n{rows}", "utf-8")
    load_entity(
        lake, read_system("desk", [system.parent], str(files)), contracts()["erasure_requests"]
    )
    loads = list(lake.live("load"))
    found = waiting_requests(lake, loads, "Europe/Paris", date(2024, 3, 1))
    return "; ".join(f"{one.state}: {one.text}" for one in found)


def test_a_request_waits_from_the_day_it_came_until_it_is_settled(
    lake: Lake, tmp_path: Path
) -> None:
    asked = (
        "1,2024-01-10 23:30:00,received,ann@example.org,\n"
        "2,2024-02-28 10:00:00,verified,bob@example.org,"
    )
    told = desk(lake, tmp_path, asked)
    assert told == (
        "warn: erasure_requests of desk: 2 requests wait to be forgotten, the oldest for 50 days;"
        " an answer was due after 30"
    )
    told = desk(lake, tmp_path, asked, "1,2024-01-10 23:30:00,withdrawn,ann@example.org,")
    assert told == (
        "warn: erasure_requests of desk: 1 request waits to be forgotten, the oldest for 2 days"
    )


def test_a_request_of_the_date_itself_is_not_there_yet(lake: Lake, tmp_path: Path) -> None:
    told = desk(
        lake,
        tmp_path,
        "1,2024-03-01 09:00:00,received,ann@example.org,\n2,2024-01-01,rejected,bob@example.org,",
    )
    assert told == "ok: erasure_requests of desk: none waits"


def test_what_becomes_of_a_request_later_is_not_known_yet(lake: Lake, tmp_path: Path) -> None:
    asked = "1,2024-01-10 23:30:00,received,ann@example.org,2024-01-10 23:30:00"
    later = "1,2024-01-10 23:30:00,withdrawn,ann@example.org,2024-03-20 10:00:00"
    assert "1 request waits" in desk(lake, tmp_path, asked, later)


def test_nothing_is_told_where_nobody_asks(lake: Lake) -> None:
    assert waiting_requests(lake, [], "UTC", date(2024, 3, 1)) == []
