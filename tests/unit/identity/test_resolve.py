"""Records arrive, change, go and come back in any order: the customers are those of a rebuild."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from identity import candidates, clusters
from identity.clusters import BANNED
from identity.compare import RULES
from identity.store import record_number
from tests.conftest import cases
from tests.unit.identity.people import (
    Profile,
    World,
    ban,
    current,
    decision,
    following,
    link,
    parts,
    person,
    reasons,
    replayed,
    rows,
)

KEYS = [f"r{number:02}" for number in range(14)]
NAMES = ["", "", "", "anna moss", "ann moss", "bert moss", "carl lind", "dora lind", "anna lind"]


def _some(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *values])


PROFILE = st.builds(
    person,
    name=st.sampled_from(NAMES),
    email=_some("a@x.org", "a@x.org", "b@x.org", "longer@x.org"),
    mobile_phone=_some("+331", "+331", "+332"),
    phone=_some("+331", "+339"),
    house_key=_some("1 elm 75001", "2 oak 75001"),
    place=_some("75001"),
    birth_date=_some("1990-01-01", "1990-01-02", "1955-07-30"),
    card_key=_some("c1", "c1", "c2"),
    visitor_key=_some("v1"),
)
DECISION = st.tuples(
    st.sampled_from(["link", "ban"]),
    st.sampled_from(KEYS),
    st.sampled_from(KEYS),
    st.integers(0, 3),
)
STEP = st.tuples(
    st.dictionaries(st.sampled_from(KEYS), st.one_of(st.none(), PROFILE, PROFILE, PROFILE), max_size=14),
    st.lists(DECISION, max_size=3),
    st.sets(st.integers(0, 5)),
)  # fmt: skip
"""Records that come, change or are gone; what stewards say; which of their decisions are withdrawn."""


@pytest.fixture
def low_limits() -> Iterator[None]:
    """Limits so low that few records meet them."""
    with pytest.MonkeyPatch.context() as patch:
        few = {candidates.PEOPLE: 2, candidates.RARE: 2, 1_000_000: 1_000_000}
        keys = [
            replace(key, people=few[key.people], records=few[key.records])
            for key in candidates.KEYS
        ]
        patch.setattr(candidates, "KEYS", tuple(keys))
        patch.setattr(candidates, "STAR", 4)
        patch.setattr(clusters, "MOST_RECORDS", 4)
        patch.setattr(clusters, "MOST_TOGETHER", 6)
        patch.setattr(clusters, "MOST", dict.fromkeys(clusters.MOST, 2))
        yield


def _equals_a_rebuild(world: World, folder: Path) -> None:
    """Hold the world against one that is made of the same records at once."""
    assert world.store
    assert world.last
    fresh = folder / "fresh.duckdb"
    fresh.unlink(missing_ok=True)
    rebuilt = world.anew(fresh)
    assert following(world.store) == following(fresh)
    for column in ("customer_id", "strict_customer_id"):
        assert parts(world.live(world.last, column)) == parts(current(rebuilt, column))
    assert world.last.review.equals(rebuilt.review)
    assert world.last.sizes == rebuilt.sizes


def _ids_hold(world: World, before: dict[str, str]) -> None:
    """Hold the map against the log and the ids against what they promise."""
    assert world.last
    log, found = world.log.to_pylist(), world.last
    assert rows(found.customer_map) == rows(replayed(world.log))
    assert [event["event_seq"] for event in log] == list(range(1, len(log) + 1))
    now = current(found)
    changed = [row["source_key"] for row in found.events.to_pylist()]
    assert len(changed) == len(set(changed))
    assert {key for key in now if now[key] != before.get(key)} <= set(changed)
    # An alias leads to an id that is no alias, at once, and a retired id is nobody's who is known.
    led = {row["retired_customer_id"]: row["customer_id"] for row in found.aliases.to_pylist()}
    assert len(led) == found.aliases.num_rows
    assert not set(led) & set(led.values())
    assert not set(led) & set(world.live(found).values())
    assert set(led.values()) <= set(now.values())
    # An id is never given to others than those it was given to first, or who joined them.
    given = [(event["to_customer_id"], event["event_seq"]) for event in log]
    assert not {one for one, _ in given} & {event["to_strict_customer_id"] for event in log}
    lost = world.anew(log=world.log)
    assert lost.events.num_rows == 0
    assert rows(lost.customer_map) == rows(found.customer_map)
    assert rows(lost.aliases) == rows(found.aliases)


@settings(
    max_examples=cases(12), deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture
    ],
)  # fmt: skip
@given(steps=st.lists(STEP, min_size=2, max_size=5))
def test_in_any_order_of_arrival_a_delta_ends_where_a_rebuild_does(
    low_limits: None, steps: list[tuple[dict[str, Profile | None], list[Any], set[int]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "store.duckdb")
        before: dict[str, str] = {}
        for changes, said, withdrawn in steps:
            kept = [one for at, one in enumerate(world.decisions) if at not in withdrawn]
            world.decisions = kept + [decision(*one) for one in said]
            world.run(**changes)
            _equals_a_rebuild(world, Path(folder))
            _ids_hold(world, before)
            assert world.last
            before = current(world.last)


def test_a_refused_link_still_reopens_all_that_hang_together(tmp_path: Path) -> None:
    """Bert is kept from Anna's records by their link alone; when Anna is gone he gets what was hers."""
    world = World(tmp_path / "store.duckdb")
    anna = person("anna moss", email="a@x.org", mobile_phone="+331", birth_date="1990-01-01")
    done = world.run(
        anna=anna, nameless=person(mobile_phone="+331", card_key="c1"),
        bert=person("bert moss", card_key="c1"),
    )  # fmt: skip
    assert len(parts(current(done))) == 2
    _equals_a_rebuild(world, tmp_path)
    world.run(anna=None)
    _equals_a_rebuild(world, tmp_path)
    assert world.last
    assert {frozenset({"nameless", "bert"})} == parts(world.live(world.last))


def test_ties_end_the_same_way_in_any_order_of_arrival() -> None:
    """Nameless records hang on two people each, by a card and a cookie of equal weight."""
    told = [
        {f"{n} one": person("anna moss", card_key=f"c{n}") for n in range(12)},
        {f"{n} two": person("carl lind", visitor_key=f"v{n}") for n in range(12)},
        {f"{n} which": person(card_key=f"c{n}", visitor_key=f"v{n}") for n in range(12)},
    ]
    found = []
    for order in list(itertools.permutations(told))[::2]:
        world = World()
        for profiles in order:
            done = world.run(**profiles)
        found.append(parts(current(done)))
    assert len(found[0]) == 24
    assert all(one == found[0] for one in found)


def test_a_key_of_too_many_people_takes_its_links_back_and_gives_them_again(tmp_path: Path) -> None:
    world = World(tmp_path / "store.duckdb")
    crowd = {f"p{n}": person(f"{_word(n)} {_word(n + 100)}", email="shop@x.org") for n in range(25)}
    twin = {
        "twin": person(email="shop@x.org", card_key="c1"),
        "card": person("zoe zink", card_key="c1"),
    }
    few = dict(list(crowd.items())[:1])
    assert len(parts(current(world.run(**few, alone=person(email="shop@x.org"))))) == 1
    world.run(alone=None, **twin, **crowd)
    _equals_a_rebuild(world, tmp_path)
    assert world.last
    assert frozenset({"twin", "card"}) in parts(world.live(world.last))
    assert len(parts(world.live(world.last))) == 26
    world.run(**dict.fromkeys(list(crowd)[1:]), card=None)
    _equals_a_rebuild(world, tmp_path)
    assert parts(world.live(world.last)) == {frozenset({"twin", "p0"})}


def test_a_steward_joins_what_contradicts_and_a_ban_keeps_apart_what_all_links_bring_together(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "store.duckdb")
    anna = person("anna moss", email="a@x.org", birth_date="1990-01-01")
    world.run(anna=anna, again=anna, third=anna, bert=person("bert lind", birth_date="1955-07-30"))
    apart = {frozenset({"anna", "again", "third"}), frozenset({"bert"})}
    assert world.last
    assert parts(current(world.last)) == apart
    linked = world.say(link("bert", "anna"))
    assert len(parts(current(linked))) == 1
    # At the same time a ban beats a link; a newer link beats the ban.
    assert parts(current(world.say(ban("anna", "bert")))) == apart
    assert len(parts(current(world.say(link("anna", "bert", days=1))))) == 1
    world.decisions.clear()
    assert parts(current(world.resolve())) == apart
    # Neither links through the third record nor a rebuild, a model or an import anew undo a ban.
    banned = world.say(ban("anna", "again"))
    assert current(banned)["anna"] != current(banned)["again"]
    for _ in range(2):
        world.run(again=None)
        for done in (world.run(again=anna), world.resolve(), world.anew()):
            held = current(done)
            assert held["anna"] != held["again"]
        _equals_a_rebuild(world, tmp_path)
        world.model = replace(RULES, version="rules-other", link=-1.0)
    around = world.say(link("again", "third", days=2), link("third", "anna", days=2))
    assert current(around)["anna"] != current(around)["again"]
    assert BANNED in reasons(around.review, "refused")
    _equals_a_rebuild(world, tmp_path)


def test_what_the_model_says_alone_stands_beside_what_stewards_decided(tmp_path: Path) -> None:
    world = World(tmp_path / "store.duckdb")
    alike = {"email": "home@x.org", "house_key": "1 elm 75001", "place": "75001"}
    links = world.run(
        a=person("anna moss", **alike), b=person("anna moss", **alike), c=person("bert moss", **alike),
        d=person("cleo lind"),
    ).review.to_pylist()  # fmt: skip
    (asked,) = (one for one in links if one["state"] == "sample")
    assert {asked["left_source_key"], asked["right_source_key"]} == {"a", "b"}
    assert asked["reason"] == "linked; identifier"
    done = world.say(ban("a", "b"), link("a", "c"), link("b", "d"))
    told = {
        frozenset({one["left_source_key"], one["right_source_key"]}):
        (one["stratum"], one["is_linked"], one["is_one_person"])
        for one in done.decided_pairs.to_pylist()
    }  # fmt: skip
    assert told == {
        frozenset("ab"): ("identifier", True, False),
        frozenset("ac"): ("household", False, True),
        frozenset("bd"): ("household", False, True),
    }
    assert not any(one["state"] == "sample" for one in done.review.to_pylist()), "it is decided"
    assert done.decided_pairs.equals(world.anew().decided_pairs)


def test_decisions_that_cannot_be_followed_are_told_and_those_on_records_to_come_hold_then(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "store.duckdb")
    world.run(a=person("anna moss"), b=person("bert lind"))
    nothing = decision("link", "a", "b") | {"left_source_key": None}
    done = world.say(
        link("a", "a"), ban("a", "nobody"), link("nobody", "nobody else"), link("b", "late"), nothing,
        ban("a", "b"), link("a", "b", days=-1), link("a", "b", days=-2),
    )  # fmt: skip
    told = reasons(done.review, "decision")
    assert sorted(told) == [
        "ban: the right record is unknown",
        "link: a newer decision says otherwise", "link: a newer decision says otherwise",
        "link: both are one record", "link: the left record is unknown",
        "link: the left record is unknown", "link: the right record is unknown",
    ]  # fmt: skip
    assert len(parts(current(done))) == 2
    assert frozenset({"b", "late"}) in parts(current(world.run(late=person("carl moss"))))
    _equals_a_rebuild(world, tmp_path)


def test_records_without_any_identifier_are_customers_of_their_own_and_nothing_is_no_error(
    tmp_path: Path,
) -> None:
    empty = World(tmp_path / "store.duckdb")
    for done in (empty.resolve(), empty.resolve()):
        assert (done.customers, done.events.num_rows, done.runs.num_rows) == (0, 0, 0)
        assert (done.review.num_rows, done.aliases.num_rows) == (0, 0)
    done = empty.run(a={}, b={}, c=person("anna moss"), d=person("anna moss"))
    assert done.customers == 4
    assert set(done.runs.to_pylist()[0]) >= {"created_count", "largest_count"}
    assert empty.run(a=None, b=None, c=None, d=None).customers == 0


def test_a_part_of_a_name_joins_or_parts_but_not_where_two_people_share_the_mailbox(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / "store.duckdb")
    done = world.run(
        whole=person("anna moss", email="anna@x.org"), part={"last_name": "moss", "email": "anna@x.org"},
        eva=person("eva moss", email="eva@x.org"), bert={"first_name": "bert", "email": "eva@x.org"},
        a=person("carl lind", email="home@x.org"), b=person("dora lind", email="home@x.org"),
        either={"last_name": "lind", "email": "home@x.org"},
    )  # fmt: skip
    apart = {frozenset({one}) for one in ("eva", "bert", "a", "b", "either")}
    assert parts(world.live(done)) == apart | {frozenset({"whole", "part"})}


@pytest.mark.parametrize(
    "shared",
    [
        {"email": "home@x.org"}, {"mobile_phone": "+331"}, {"phone": "+339"}, {"card_key": "c"},
        {"visitor_key": "v"}, {"device_key": "d"}, {"social_handle": "h"},
        {"email": "home@x.org", "phone": "+339"}, {"visitor_key": "v", "device_key": "d"},
    ],
)  # fmt: skip
def test_a_nameless_record_joins_neither_of_two_people_who_share_all_that_it_tells(
    tmp_path: Path, shared: dict[str, str]
) -> None:
    world = World(tmp_path / "store.duckdb")
    others = {
        kind: person(f"{name} lind", **{kind: value})
        for name, (kind, value) in zip(("dora", "eva"), shared.items(), strict=False)
    }
    done = world.run(carl=person("carl lind", **shared), nameless=shared, **others)
    for column in ("customer_id", "strict_customer_id"):
        assert len(parts(current(done, column))) == 2 + len(others)
    born = {"birth_date": "1990-01-01"}
    done = world.run(carl=person("carl lind", **shared, **born), nameless=person(**shared, **born))
    assert frozenset({"carl", "nameless"}) in parts(current(done))


def test_namesakes_of_one_mailbox_with_other_birthdays_are_not_one_in_the_strict_tier() -> None:
    world = World()
    alike = {"email": "home@x.org", "house_key": "1 elm 75001", "card_key": "c"}
    done = world.run(
        old=person("jean moss", birth_date="1955-07-30", **alike),
        young=person("jean moss", birth_date="1990-01-01", **alike),
    )
    assert len(parts(current(done, "strict_customer_id"))) == 2
    said = world.say(link("old", "young"))
    assert len(parts(current(said, "strict_customer_id"))) == 1


def test_odd_texts_and_dates_are_values_like_others(tmp_path: Path) -> None:
    long, wide = "x" * 10_000, "\U0001f600" * 10_000
    odd = {
        "nul": person(email="a\0b", name="a\0b c"), "nul2": person(email="a\0b", name="a\0b c"),
        "cut": person(email="a\0other", name="a\0z c"),
        "smile": person("\U0001f600 \U0001f468\u200d\U0001f469", card_key="\U0001f600"),
        "smile2": person(card_key="\U0001f600"),
        "long": person(f"{long} y", house_key="1 elm", email=long),
        "long2": person(f"{long} y", house_key="1 elm", email=long + "z"),
        "wide": person(f"{wide} y", house_key="1 elm", email=wide),
        "wide2": person(f"{wide}b y", house_key="1 elm", email=wide),
        "old": person("ann old", birth_date="0001-01-01"),
        "far": person("ann old", birth_date="9999-12-31"),
        "empty": person(email="", mobile_phone="", card_key=""), "k\0": {}, "'; drop table map; --": {},
    }  # fmt: skip
    world = World(tmp_path / "store.duckdb")
    found = parts(current(world.run(**odd)))
    assert {
        frozenset({"nul", "nul2"}),
        frozenset({"smile", "smile2"}),
        frozenset({"long", "long2"}),
    } <= found
    assert {frozenset({one}) for one in ("cut", "old", "far", "empty", "k\0")} <= found
    assert parts(current(world.run(**odd, more=person(email="a\0b")))) - found == {
        frozenset({"nul", "nul2", "more"})
    }
    _equals_a_rebuild(world, tmp_path)


@pytest.mark.parametrize(
    "crowd", ["one card", "one e-mail of many people", "one and the same", "one name", "one house"]
)
def test_ten_thousand_records_that_share_something_are_told_apart_quickly(
    tmp_path: Path, crowd: str
) -> None:
    def told(number: int) -> dict[str, Any]:
        match crowd:
            case "one card":
                return person(card_key="0000")
            case "one e-mail of many people":
                return person(f"{_word(number)} {_word(number * 7)}", email="info@x.org")
            case "one and the same":
                return person("anna moss", email="a@x.org", mobile_phone="+331", house_key="1 elm",
                              birth_date="1990-01-01", card_key="c")  # fmt: skip
            case "one name":
                return person("anna moss", mobile_phone=f"+33{number}")
        return person(f"{_word(number % 20)} moss", house_key="1 elm 75001")

    world = World(tmp_path / "store.duckdb")
    profiles = {f"r{number:05}": told(number) for number in range(10_000)}
    profiles["twin"] = person("zoe zink", email="zoe@x.org")
    start = time.process_time()
    world.run(**profiles)
    world.run(extra=told(0), other=person("zoe zink", email="zoe@x.org"), r00000=None)
    assert time.process_time() - start < 12
    found = parts(world.live(world.last))
    assert frozenset({"twin", "other"}) in found
    assert max(map(len, found)) <= clusters.MOST_RECORDS
    assert world.last.review.num_rows <= 20_100
    _equals_a_rebuild(world, tmp_path)


def test_a_run_that_breaks_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "store.duckdb")
    first = world.run(a=person("anna moss", email="a@x.org"))
    for step in ("compare_changed", "recluster", "assign", "_told"):
        with monkeypatch.context() as patch:
            patch.setattr("identity.resolve." + step, _broken)
            with pytest.raises(RuntimeError, match="broken"):
                world.run(b=person(email="a@x.org"))
    done = world.resolve()
    assert set(current(done).values()) == set(current(first).values())
    _equals_a_rebuild(world, tmp_path)


def test_a_store_that_is_torn_or_foreign_is_made_anew(tmp_path: Path) -> None:
    world = World(tmp_path / "store.duckdb")
    assert world.store
    profiles = {f"r{n}": person(f"{_word(n)} moss", email=f"{n % 900}@x.org") for n in range(3_000)}
    first = world.run(**profiles)
    whole = world.store.read_bytes()
    middle = len(whole) // 2
    for torn in (
        b"", b"no database", whole[:4096], whole[:middle],
        whole[:20_000] + b"\0" * (len(whole) - 20_000),
        whole[:middle] + bytes(4096) + whole[middle + 4096 :],
    ):  # fmt: skip
        world.store.write_bytes(torn)
        again = world.resolve()
        assert current(again) == current(first)
        assert again.events.num_rows == 0
    world.store.with_name("store.duckdb.wal").write_bytes(b"torn")
    done = world.run(new=profiles["r0"])
    assert current(done) == current(first) | {"new": current(first)["r0"]}


READER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
print("reads", flush=True)
sys.stdin.readline()
"""


def test_a_store_that_is_read_is_waited_for_and_one_that_is_whole_is_never_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "store.duckdb")
    assert world.store
    first = world.run(a=person("anna moss", email="a@x.org"))
    kept = world.store.stat().st_ino
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(world.store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:  # fmt: skip
        assert reader.stdin
        assert reader.stdout
        assert reader.stdout.readline() == b"reads\n"
        monkeypatch.setattr("identity.store.WAIT_SECONDS", 0.2)
        with pytest.raises(duckdb.IOException, match="lock"):
            world.resolve()
        monkeypatch.setattr("identity.store.WAIT_SECONDS", 30.0)
        threading.Timer(0.5, reader.stdin.close).start()
        assert current(world.resolve()) == current(first)
    monkeypatch.setattr("identity.resolve.recluster", _out_of_memory)
    with pytest.raises(duckdb.OutOfMemoryException):
        world.run(b=person(email="a@x.org"))
    assert world.store.stat().st_ino == kept


def test_events_that_never_reached_the_log_are_decided_again(tmp_path: Path) -> None:
    """The store is committed before the lake; a run that ends in between is no run."""
    world = World(tmp_path / "store.duckdb")
    world.run(a=person("anna moss", email="a@x.org"))
    kept = world.log
    world.run(b=person("bert lind", email="b@x.org"))
    world.log = kept
    again = world.resolve()
    assert [row["source_key"] for row in again.events.to_pylist()] == ["b"]
    _ids_hold(world, current(world.anew(log=kept)) | {"b": ""})
    _equals_a_rebuild(world, tmp_path)


def test_the_number_of_a_record_is_the_same_in_the_store_and_beside_it(tmp_path: Path) -> None:
    world = World(tmp_path / "store.duckdb")
    odd = {"plain": {}, "é": {}, "\U0001f600": {}, "": {}, "a|b\x1fc": {}, "k\0": {}}
    world.run(**odd)
    with duckdb.connect(str(tmp_path / "store.duckdb"), read_only=True) as con:
        known = {record for (record,) in con.execute("select record from records").fetchall()}
    assert known == {record_number("shop", key) for key in odd}


def test_a_record_that_is_gone_leaves_no_value_in_the_store(tmp_path: Path) -> None:
    world = World(tmp_path / "store.duckdb")
    world.run(
        a=person("anna moss", email="secret@x.org"), b=person("ann moss", email="secret@x.org")
    )
    world.run(a=None, b=None)
    assert all(not rows for table, rows in following(tmp_path / "store.duckdb").items())


def _word(number: int) -> str:
    """A name of its own for each number, far from the others'."""
    return "".join(
        "bcdfghjklm"[int(digit)] + "aeiou"[int(digit) % 5]
        for digit in f"{number * 7919 % 100_000:05}"
    )


def _out_of_memory(*_: Any) -> None:
    raise duckdb.OutOfMemoryException("no more")


def _broken(*_: Any) -> None:
    raise RuntimeError("broken")


def test_every_pair_of_the_store_is_told_by_its_weight() -> None:
    world = World()
    done = world.run(
        a=person("anna moss", email="a@x.org"), b=person("anna moss", email="a@x.org"),
        c=person("bert lind", email="a@x.org"),
    )  # fmt: skip
    bits = RULES.prior + RULES.worth("name", "same name") + RULES.worth("email", "same e-mail")
    assert done.weights[int(bits), False] == 1
    assert sum(count for (_, contradicts), count in done.weights.items() if contradicts) == 2
    assert world.resolve().weights == done.weights, "what is not worked out again is told again"
