"""Ids are stored, never derived: who keeps one when customers come together and part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from identity.compare import RULES
from tests.unit.identity.people import World, ban, current, link, parts, person, rows

ANNA = person("anna moss", email="a@x.org")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "store.duckdb")


def kinds(events: pa.Table) -> dict[str, str]:
    return {row["source_key"]: row["event_type"] for row in events.to_pylist()}


def test_ids_do_not_follow_from_the_data_and_nothing_new_writes_nothing(world: World) -> None:
    first = world.run(a=ANNA, b=person("bert lind"))
    assert current(first) != current(world.anew())
    again = world.resolve()
    assert (again.events.num_rows, again.runs.num_rows) == (0, 0)
    assert current(again) == current(first)
    assert kinds(first.events) == {"a": "created", "b": "created"}
    ids = set(current(first).values()) | set(current(first, "strict_customer_id").values())
    assert len(ids) == 4


def test_of_customers_that_merge_the_oldest_id_survives_even_if_it_is_the_smaller(
    world: World,
) -> None:
    old = current(world.run(a=person(card_key="c1")))["a"]
    young = current(world.run(b=ANNA, c=ANNA, d=ANNA))["b"]
    merged = world.run(e=person("anna moss", email="a@x.org", card_key="c1"))
    assert set(current(merged).values()) == {old}
    assert kinds(merged.events) == dict.fromkeys("bcd", "merged") | {"e": "created"}
    assert rows(merged.aliases) == {(young, old)}
    assert {row["from_customer_id"] for row in merged.events.to_pylist()} == {young, None}


def test_when_a_customer_splits_the_most_records_keep_the_id_and_of_as_many_who_was_first(
    world: World,
) -> None:
    one = current(world.run(a=ANNA))["a"]
    world.run(b=ANNA, c=ANNA)
    bert = person("bert lind", email="b@x.org")
    split = world.run(b=bert, c=bert)
    assert (current(split)["b"], current(split)["c"]) == (one, one)
    assert kinds(split.events) == {"a": "split"}
    tied = world.run(b=person("zoe zink"))
    assert current(tied)["b"] == one
    assert kinds(tied.events) == {"c": "split"}
    moved = world.run(d=bert, e=bert, b=bert)
    assert current(moved)["d"] == one
    assert kinds(world.run(e=ANNA, d=bert).events) == {"e": "moved"}


def test_aliases_lead_to_the_last_survivor_and_one_that_parts_and_merges_at_once_leads_one_way(
    world: World,
) -> None:
    first = current(world.run(a=person(card_key="c1")))["a"]
    second = current(world.run(b=person(visitor_key="v1")))["b"]
    third = current(world.run(c=ANNA, d=ANNA, e=ANNA))["c"]
    world.run(c=ANNA | {"visitor_key": "v1"}, d=ANNA | {"visitor_key": "v1"}, e=person("eve east"))
    assert world.last
    assert rows(world.last.aliases) == {(third, second)}
    assert kinds(world.last.events) == {"c": "merged", "d": "merged", "e": "split"}
    done = world.run(b=person(visitor_key="v1", card_key="c1"))
    assert rows(done.aliases) == {(third, first), (second, first)}
    assert len(parts(current(done))) == 2
    # Parted again, nobody gets back an id that was given up.
    parted = world.run(b=person(visitor_key="v2"), c=ANNA, d=person("dora lind"))
    assert not {second, third} & set(current(parted).values())
    assert rows(parted.aliases) == rows(done.aliases)
    assert current(world.anew(log=world.log)) == current(parted)


def test_a_record_that_comes_back_has_its_customer_but_not_an_id_given_up_meanwhile(
    world: World,
) -> None:
    bert = person("bert lind", email="b@x.org")
    before = current(world.run(a=ANNA, b=ANNA, c=bert))
    gone = world.run(a=None, c=None)
    assert current(gone) == before
    assert (gone.events.num_rows, gone.customers) == (0, 1)
    assert current(world.run(c=bert)) == before
    # Back as somebody else while the id is in use: one of the two, who share nothing, has another.
    apart = world.run(a=person("zoe zink"))
    assert current(apart)["a"] != current(apart)["b"]
    # The id of d was given up to an older one while e, who had it too, was away.
    late = person("dora east", email="d@x.org")
    given_up = current(world.run(d=late, e=late))["e"]
    world.run(e=None)
    assert given_up in current(world.say(link("d", "c"))).values()
    assert world.last
    assert (given_up, before["c"]) in rows(world.last.aliases)
    returned = world.run(e=person("eve west"))
    assert current(returned)["e"] not in {given_up, *before.values()}
    assert kinds(returned.events) == {"e": "split"}
    assert (given_up, before["c"]) in rows(returned.aliases)
    assert current(world.anew(log=world.log)) == current(returned)


def test_another_model_and_a_lost_store_go_through_the_same_assignment(world: World) -> None:
    profiles = {
        "a": ANNA, "b": ANNA, "c": person("bert lind", email="b@x.org"),
        "d": person("dora east", email="d@x.org"), "e": person("dora east", email="d@x.org"),
    }  # fmt: skip
    first = world.run(**profiles)
    world.say(ban("a", "b"), link("c", "a"))
    assert world.store
    assert world.last
    told = current(world.last)
    world.store.unlink()
    lost = world.resolve()
    assert lost.events.num_rows == 0
    assert rows(lost.customer_map) == rows(world.anew(log=world.log).customer_map)
    assert current(lost) == told
    world.model = replace(RULES, version="strict-1", link=25.0)
    world.resolve()
    world.model = RULES
    back = world.resolve()
    assert parts(current(back)) == parts(told)
    assert current(back)["a"] == current(first)["a"]
    assert {row["model_version"] for row in world.log.to_pylist()} == {"rules-1", "strict-1"}
