"""Ids are stored, never derived; the log alone decides the map."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.resolve import EVENTS, RECORDS, Resolution, replay, resolve

NOW = datetime(2024, 1, 2, 3, 4, 5)
NONE = EVENTS.empty_table()


def records(*keys: str) -> pa.Table:
    return pa.Table.from_pylist(
        [{"source_system": "shop", "source_key": key} for key in keys], schema=RECORDS
    )


def ids(resolution: Resolution) -> dict[str, str]:
    return {
        row["source_key"]: row["customer_id"]
        for row in resolution.customer_map.to_pylist()
        if row["valid_to"] is None
    }


def test_each_new_record_gets_a_customer_of_its_own() -> None:
    done = resolve(records("a", "b"), NONE, NOW)
    assert len(set(ids(done).values())) == 2
    assert done.customers == done.events.num_rows == 2
    assert done.runs.to_pylist()[0]["created_count"] == 2


def test_a_known_record_keeps_its_id_and_nothing_is_written() -> None:
    first = resolve(records("a", "b"), NONE, NOW)
    again = resolve(records("a", "b"), first.events, NOW)
    assert ids(again) == ids(first)
    assert (again.events.num_rows, again.runs.num_rows) == (0, 0)


def test_a_record_that_is_gone_keeps_its_id_for_when_it_comes_back() -> None:
    first = resolve(records("a", "b"), NONE, NOW)
    without = resolve(records("a"), first.events, NOW)
    assert ids(without) == ids(first)


def test_the_map_is_replayed_from_the_log_with_its_earlier_answers() -> None:
    first = resolve(records("a"), NONE, NOW)
    moved = dict(first.events.to_pylist()[0])
    later = NOW.replace(year=2025)
    moved |= {"event_seq": 2, "event_at": later, "event_type": "moved", "to_customer_id": "other"}
    log = pa.concat_tables([first.events, pa.Table.from_pylist([moved], schema=EVENTS)])
    old, new = replay(log).to_pylist()
    assert (old["customer_id"], old["valid_to"]) == (ids(first)["a"], later)
    assert (new["customer_id"], new["valid_from"], new["valid_to"]) == ("other", later, None)


def test_ids_do_not_follow_from_the_data() -> None:
    assert ids(resolve(records("a"), NONE, NOW)) != ids(resolve(records("a"), NONE, NOW))


@settings(max_examples=30, deadline=None)
@given(arrivals=st.lists(st.sets(st.sampled_from("abcdef")), max_size=5))
def test_in_any_order_of_arrival_a_record_has_one_id_for_ever(arrivals: list[set[str]]) -> None:
    log, seen = NONE, dict[str, str]()
    for keys in arrivals:
        done = resolve(records(*sorted(keys)), log, NOW)
        log = pa.concat_tables([log, done.events])
        assert all(ids(done)[key] == customer for key, customer in seen.items())
        seen |= ids(done)
    assert len(set(seen.values())) == len(seen)
