"""A model learned without labels finds who is who better than what records share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from identity.clusters import components
from identity.compare import PROFILES
from identity.train import NotEnough, train
from tests.unit.identity.people import World, current, person, records

FIRSTS, LASTS, HOUSES, PEOPLE, RECORDS = 120, 400, 700, 1_200, 3_000


def _names(count: int, rng: np.random.Generator) -> list[str]:
    """Names that are unlike each other, of three to four syllables."""
    syllables = [a + b for a in "bcdfglmnprstv" for b in "aeiou"]
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choice(syllables, rng.integers(2, 5)))] = None
    return list(found)


def _typo(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(text) - 1))
    return text[:at] + (text[at + 1] + text[at] if rng.random() < 0.5 else "x") + text[at + 2 :]


def world_of_people(seed: int) -> tuple[dict[str, dict[str, object]], dict[str, int]]:
    """Profiles by key and the person each is of; households share a surname, e-mail and land line."""
    rng = np.random.default_rng(seed)
    firsts, lasts = _names(FIRSTS, rng), _names(LASTS, rng)
    people = []
    for number in range(PEOPLE):
        house = number * HOUSES // PEOPLE
        shares = rng.random() < 0.25
        people.append({
            "first": firsts[rng.integers(FIRSTS) if number else 0], "last": lasts[house % LASTS],
            "email": f"family{house}@home.org" if shares else f"person{number * 7919}@mail.org",
            "mobile": f"+336{number:08}", "phone": f"+331{house:08}",
            "house": f"{house} elm {75000 + house % 40}", "postal": str(75000 + house % 40),
            "birth": np.datetime64("1940-01-01") + int(rng.integers(25_000)),
        })  # fmt: skip
    profiles: dict[str, dict[str, object]] = {}
    truth = {}
    for number in range(RECORDS):
        who = int(rng.integers(PEOPLE))
        one = people[who]
        first, last = (
            _typo(str(one[part]), rng) if rng.random() < 0.05 else str(one[part])
            for part in ("first", "last")
        )  # fmt: skip
        has = rng.random(6) < (0.75, 0.6, 0.3, 0.7, 0.5, 0.93)
        told = person(f"{first} {last}" if has[5] else "")
        told |= {"country_code": "FR"}
        told |= {"email": one["email"]} if has[0] else {}
        told |= {"mobile_phone": one["mobile"]} if has[1] or not has[0] else {}
        told |= {"phone": one["phone"]} if has[2] else {}
        told |= {"house_key": one["house"], "place": one["postal"]} if has[3] else {}
        told |= {"birth_date": one["birth"].astype(object)} if has[4] else {}  # type: ignore[attr-defined]
        profiles[f"r{number:05}"], truth[f"r{number:05}"] = told, who
    return profiles, truth


def quality(found: dict[str, str], truth: dict[str, int]) -> tuple[float, float, float]:
    """Precision, recall and F1 of the pairs that are held for one person."""

    def pairs(labels: list[object]) -> int:
        _, counts = np.unique(np.array([str(label) for label in labels]), return_counts=True)
        return int((counts * (counts - 1) // 2).sum())

    both = pairs([(found[key], truth[key]) for key in truth])
    precision = both / max(pairs([found[key] for key in truth]), 1)
    recall = both / pairs([truth[key] for key in truth])
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def shared(profiles: dict[str, dict[str, object]]) -> dict[str, str]:
    """Who shares an e-mail or number, directly or through others, as one customer."""
    keys = list(profiles)
    left, right = [], []
    for name in ("email", "mobile_phone", "phone"):
        first: dict[object, int] = {}
        for number, told in enumerate(profiles.values()):
            if told.get(name):
                left.append(first.setdefault(told[name], number))
                right.append(number)
    label = components(
        np.arange(len(keys), dtype=np.uint64), np.array(left, np.uint64), np.array(right, np.uint64)
    )
    return dict(zip(keys, map(str, label.tolist()), strict=True))


def test_a_trained_model_beats_what_records_share() -> None:
    profiles, truth = world_of_people(7)
    learned = train(records(profiles), "splink-test")
    model = learned.model
    assert model.kind == "splink"
    precision, recall, f1 = quality(current(World(model=model).run(**profiles)), truth)
    assert precision >= 0.95
    assert recall >= 0.85
    assert f1 > quality(shared(profiles), truth)[2] + 0.05
    strict = current(World(model=model).run(**profiles), "strict_customer_id")
    assert quality(strict, truth)[0] >= precision
    # The same records in another order teach the same.
    again = train(records(dict(reversed(profiles.items()))), "splink-test").model
    for comparison, weights in model.weights.items():
        assert again.weights[comparison] == pytest.approx(weights, abs=0.2)


@pytest.mark.parametrize("count", [0, 1, 50])
def test_of_too_few_records_nothing_is_learned(count: int) -> None:
    profiles, _ = world_of_people(7)
    few = records(dict(list(profiles.items())[:count]))
    with pytest.raises(NotEnough):
        train(few, "splink-test")


def test_of_records_that_tell_nothing_nothing_is_learned() -> None:
    empty = pa.Table.from_pylist(
        [{"source_system": "shop", "source_key": str(n)} for n in range(500)], schema=PROFILES
    )
    with pytest.raises(NotEnough):
        train(empty, "splink-test")
