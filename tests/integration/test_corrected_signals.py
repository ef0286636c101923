"""Corrections that give a row another key are built in part as they are built anew."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from orchestration import dbt
from orchestration.settings import Home
from tests.equal_tables import assert_equal_tables
from tests.homes import make_home, query, run

SOURCE = """
system: shop
title: A shop with a site that sends messages
location: {files}
business_timezone: UTC
currency: USD
files:
  sales: {{path: "sales*.csv", format: csv}}
  events: {{path: "events*.csv", format: csv}}
  messages: {{path: "messages*.csv", format: csv}}
  outcomes: {{path: "outcomes*.csv", format: csv}}
entities:
  orders: {{file: sales, delivery: upsert}}
  web_events: {{file: events, delivery: upsert}}
  messages: {{file: messages, delivery: upsert}}
  message_events: {{file: outcomes, delivery: upsert}}
"""
MAPPINGS = {
    "orders": "select _row, number as order_key, customer as customer_key, day as ordered_at from sales",
    "web_events": """
        select _row, event as event_key, happened as occurred_at, what as event_name, 'web' as channel,
            cookie as visitor_key, changed as updated_at
        from events
    """,
    "messages": """
        select _row, message as message_key, sent as sent_at, 'email' as channel,
            'marketing' as purpose, customer as customer_key, cost as cost_amount
        from messages
    """,
    "message_events": """
        select _row, event as message_event_key, message as message_key, what as event_type,
            happened as occurred_at, changed as updated_at
        from outcomes
    """,
}
FIRST = {
    "sales_1": ["number,customer,day", *(f"{n},c{n % 5},2024-01-{1 + n % 28:02}" for n in range(60))],
    "events_1": [
        "event,happened,what,cookie,changed",
        "e1,2024-01-05 10:00:00,Page Viewed,a,2024-01-05 10:00:00",
        "e2,2024-01-05 10:10:00,Product Viewed,a,2024-01-05 10:10:00",
        "e3,2024-01-05 23:50:00,Page Viewed,b,2024-01-05 23:50:00",
        "e4,2024-01-06 00:10:00,Product Added,b,2024-01-06 00:10:00",
        "e5,2024-01-06 00:40:01,Page Viewed,b,2024-01-06 00:40:01",
    ],
    "messages_1": [
        "message,sent,customer,cost",
        *(f"m{n},2024-01-0{n} 09:00:00,c{n},1.00" for n in range(1, 5)),
    ],
    "outcomes_1": [
        "event,message,what,happened,changed",
        "o1,m1,delivered,2024-01-01 09:00:05,2024-01-01 09:00:05",
        "o2,m1,opened,2024-01-01 09:01:00,2024-01-01 09:01:00",
        "o3,m1,opened,2024-01-01 12:00:00,2024-01-01 12:00:00",
        "o4,m2,bounced,2024-01-02 09:00:05,2024-01-02 09:00:05",
        "o5,m3,clicked,2024-01-09 10:00:00,2024-01-09 10:00:00",
    ],
}  # fmt: skip
SECOND = {
    # e2 was another's, e3 is late and joins two visits, o5 was of m4.
    "events_2": [
        "event,happened,what,cookie,changed",
        "e2,2024-01-05 10:10:00,Product Viewed,b,2024-01-20 10:00:00",
        "e6,2024-01-06 00:30:00,Page Viewed,b,2024-01-20 10:00:00",
    ],
    "outcomes_2": [
        "event,message,what,happened,changed",
        "o5,m4,clicked,2024-01-09 10:00:00,2024-01-20 10:00:00",
    ],
}
THIRD = {
    # Somebody touches the visitor and the message that were left.
    "events_3": [
        "event,happened,what,cookie,changed",
        "e7,2024-01-21 10:00:00,Page Viewed,a,2024-01-21 10:00:00",
    ],
    "outcomes_3": [
        "event,message,what,happened,changed",
        "o6,m3,delivered,2024-01-21 10:00:00,2024-01-21 10:00:00",
    ],
}

FOURTH = {
    # Visitors for every slice.
    "events_4": [
        "event,happened,what,cookie,changed",
        *(f"v{n},2024-01-22 10:00:00,Page Viewed,v{n},2024-01-22 10:00:00" for n in range(20)),
    ],
}  # fmt: skip
FIFTH = {
    "events_5": [
        "event,happened,what,cookie,changed",
        "e8,2024-01-22 10:00:00,Page Viewed,c,2024-01-22 10:00:00",
    ],
}


def deliver(files: Path, *parts: dict[str, list[str]]) -> None:
    for part in parts:
        for name, lines in part.items():
            (files / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.battery
def test_what_is_built_in_part_or_in_slices_is_what_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = tmp_path / "systems" / "shop", tmp_path / "files"
    folder.mkdir(parents=True)
    files.mkdir()
    (folder / "source.yaml").write_text(SOURCE.format(files=files), "utf-8")
    for entity, sql in MAPPINGS.items():
        (folder / f"{entity}.sql").write_text(sql, "utf-8")

    def home(name: str) -> Home:
        return make_home(
            tmp_path / name, files, system="shop", folder=str(folder.parent), predictions=()
        )

    kept = home("kept")
    deliver(files, FIRST)
    run(kept)
    visits = "select visitor_key, events_count from core.fct_sessions order by all"
    assert query(kept, visits) == [("a", 2), ("b", 1), ("b", 2)]
    assert query(kept, """
        select message_key, delivered_at is not null, opened_at::varchar, machine_opened_at::varchar
        from core.fct_messages where message_key in ('m1', 'm2') order by all
    """) == [
        ("m1", True, "2024-01-01 12:00:00", "2024-01-01 09:01:00"), ("m2", False, None, None),
    ]  # fmt: skip
    deliver(files, SECOND)
    run(kept)
    assert query(kept, visits) == [("a", 1), ("b", 1), ("b", 4)]
    deliver(files, THIRD)
    run(kept)
    assert query(kept, visits) == [("a", 1), ("a", 1), ("b", 1), ("b", 4)]
    assert query(
        kept, "select message_key from core.fct_messages where clicked_at is not null"
    ) == [("m4",)]
    for as_of in (None, date(2024, 1, 15), date(2024, 1, 6), None):
        anew = home(f"anew_{as_of}")
        run(kept, as_of)
        run(anew, as_of)
        assert_equal_tables(kept.published, anew.published)
        if as_of == date(2024, 1, 6):
            assert query(kept, visits) == [("a", 2), ("b", 1)]

    deliver(files, FOURTH)
    run(kept)
    sliced, usual = home("sliced"), dbt.arguments
    monkeypatch.setattr(
        dbt, "arguments", lambda home: [*usual(home), "--vars", json.dumps({"slice_rows": 7})]
    )
    run(sliced)
    (built,) = (sliced.root / "dbt" / "compiled").rglob("fct_sessions.sql")
    assert "hash(visitor_id) % 5 = 0" in built.read_text("utf-8")
    assert_equal_tables(sliced.published, kept.published)
    monkeypatch.undo()
    deliver(files, FIFTH)
    for one in (sliced, kept):
        run(one)
    assert ("c", 1) in query(kept, visits)
    assert_equal_tables(sliced.published, kept.published)
