"""Who people are and what systems note of them: every rate that is written down holds in what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from retailer import people as model
from retailer import records as noted
from retailer.records import SYSTEMS
from retailer.vocabulary import COUNTRIES
from tests.unit.retailer.conftest import assert_share, part


def test_people_have_one_to_six_records_in_their_shares() -> None:
    drawn = part()
    count = drawn.records.known.sum(axis=1)
    for records, share in enumerate(noted.RECORD_SHARES, 1):
        assert_share(count == records, share, f"{records} records")


@pytest.mark.parametrize(
    ("flag", "rate"),
    [
        ("name_typo", noted.NAME_TYPOS),
        ("email_typo", noted.EMAIL_TYPOS),
        ("swapped_names", noted.SWAPPED_NAMES),
        ("placeholder", noted.PLACEHOLDERS),
    ],
)
def test_records_are_spoilt_at_their_rates(flag: str, rate: float) -> None:
    table = part().records.table
    column = {"email_typo": "email", "placeholder": "key"}.get(flag, "first_name")
    delivered = table[column] != np.array(None)
    assert_share(table[flag][delivered], rate, flag)
    assert not table[flag][~delivered].any()


@pytest.mark.parametrize(
    ("flag", "rate"),
    [
        ("shared_email", noted.SHARED_EMAIL),
        ("land_line", noted.LAND_LINE),
        ("recycled_phone", noted.RECYCLED_PHONES),
        ("shares_device", noted.SHARED_DEVICE),
        ("shares_card", noted.SHARED_CARD),
        ("moved", model.MOVED),
    ],
)
def test_people_share_and_move_at_their_rates(flag: str, rate: float) -> None:
    table = part().records.table
    person = np.zeros(len(part().people), bool)
    person[table["person"][table[flag]]] = True
    if flag == "shares_device":  # who has no account shares one too
        own = noted.scramble(part().people.first + np.arange(len(person)), noted.VISITOR)
        person |= part().records.visitor != own
    # A land line is told by several of a household at once.
    assert_share(person, rate, flag, cluster=2 if flag == "land_line" else 1)


def test_twins_namesakes_married_names_and_countries_come_at_their_rates() -> None:
    people = part().people
    assert_share(people.twin >= 0, model.TWINS, "twins")
    assert_share(people.namesake >= 0, model.FATHER_AND_SON, "fathers and sons")
    assert_share(people.maiden != "", model.MARRIED_NAME, "married names")
    assert_share(people.country > 0, model.FOREIGN, "foreign", cluster=3)
    assert set(np.unique(people.country)) == set(range(len(COUNTRIES)))
    greek = people.given[people.country == [one.code for one in COUNTRIES].index("GR")]
    assert all("Ͱ" <= name[0] <= "Ͽ" or name[0] >= "ἀ" for name in greek)


def test_twins_differ_in_their_given_name_alone_and_sons_in_their_birth() -> None:
    people = part().people
    twins, sons = (np.flatnonzero(other >= 0) for other in (people.twin, people.namesake))
    assert (people.birth_day[twins] == people.birth_day[people.twin[twins]]).all()
    assert (people.surname[twins] == people.surname[people.twin[twins]]).all()
    assert (people.given[twins] != people.given[people.twin[twins]]).all()
    assert (people.given[sons] == people.given[people.namesake[sons]]).all()
    years = np.abs(people.birth_day[sons] - people.birth_day[people.namesake[sons]]) / 365
    assert years.min() > 15


def test_a_household_lives_together_and_what_it_shares_is_its_own() -> None:
    people, records = part().people, part().records
    same = people.household[1:] == people.household[:-1]
    assert (people.house[1:][same] == people.house[:-1][same]).all()
    table = records.table
    assert not table["shares_device"][table["visitor_key"] < 0].any()
    for flag, column in (("shares_card", "loyalty_card_key"), ("shared_email", "email")):
        told = (table[column] != np.array(None)) & (table[column] != np.array(-1))
        assert not table[flag][~told].any(), flag
        of_person: dict[int, set[object]] = {}
        for value, person in zip(table[column][told], table["person"][told], strict=True):
            of_person.setdefault(int(person), set()).add(value)
        sharing = {int(p) for p in table["person"][table[flag] & told]}
        real = [p for p in sharing if of_person[p] & of_person.get(int(people.leader[p]), set())]
        assert len(real) > 0.75 * len(sharing) > 50, flag


def test_a_fifth_begins_without_a_name_and_half_of_them_are_recognised() -> None:
    records = part().records
    hidden = records.hidden_until > -np.inf
    assert_share(hidden, noted.ANONYMOUS, "anonymous")
    assert_share(records.is_revealed[hidden], noted.REVEALED, "revealed")


def test_systems_that_write_latin_letters_hold_no_others() -> None:
    table = part().records.table
    for system in noted.LATIN_SYSTEMS:
        rows = table["system"] == SYSTEMS.index(system)
        names = "".join(name for name in table["first_name"][rows] if name)
        assert not any("Ͱ" <= letter <= "Ͽ" for letter in names)


def test_a_typo_leaves_a_text_near_and_never_empty() -> None:
    table, people = part().records.table, part().people
    rows = np.flatnonzero(table["email_typo"] & (table["email"] != None))  # noqa: E711
    assert len(rows) > 100
    others = np.flatnonzero(~table["email_typo"])
    known: dict[int, set[str]] = {}
    for row in others:
        known.setdefault(int(table["person"][row]), set()).add(table["email"][row])
    assert all(table["email"][row].count("@") == 1 for row in rows)
    assert not any(table["email"][row] in known.get(int(table["person"][row]), ()) for row in rows)
    assert len(people) == 10_000


def test_keys_do_not_repeat_and_do_not_show_the_person() -> None:
    table = part().records.table
    keys = table["system"] * 10**9 + table["key"]
    assert len(np.unique(keys)) == len(keys)
    ranks = np.argsort(np.argsort(table["key"]))
    assert abs(np.corrcoef(ranks, table["person"])[0, 1]) < 0.05


def test_the_anonymous_world_knows_nobody() -> None:
    drawn = part("anonymous")
    assert not drawn.records.known.any()
    assert not drawn.sessions["is_logged_in"].any()
    assert np.isinf(drawn.records.hidden_until).all()
