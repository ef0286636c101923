"""The pictures of identity show what is there: every customer, every pair, every threshold."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from identity.compare import RULES
from orchestration.identity_charts import AGAINST, FOR, LINKED, customers_chart, pairs_chart

SVG = "{http://www.w3.org/2000/svg}"


def bars(drawn: ElementTree.Element, colour: str) -> list[tuple[float, float]]:
    """Place and height of the bars of a colour, from the left."""
    found = [one.attrib for one in drawn.iter(f"{SVG}rect") if one.attrib["fill"] == colour]
    return sorted((float(one["x"]), float(one["height"])) for one in found)


def words(drawn: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in drawn.iter(f"{SVG}text")]


def test_customers_are_bars_by_records_and_a_single_one_is_seen() -> None:
    drawn = ElementTree.fromstring(customers_chart({1: 1000, 2: 100, 3: 10, 40: 1, 55: 1}))
    heights = [height for _, height in bars(drawn, FOR)]
    assert len(heights) == 4
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)
    assert min(heights) > 0
    assert {"1", "3", "30+", "1,112 customers by their records, 55 at most"} <= set(words(drawn))
    assert words(ElementTree.fromstring(customers_chart({})))


def test_pairs_are_bars_by_weight_beside_the_thresholds() -> None:
    weights = {(-9, True): 70, (-3, False): 5, (2, False): 50, (2, True): 9, (12, False): 700}
    drawn = ElementTree.fromstring(pairs_chart(weights, RULES))
    links, against = bars(drawn, FOR), bars(drawn, AGAINST)
    assert (len(links), len(against)) == (3, 2)
    assert against[1][0] > links[1][0], "those that contradict stand beside those that may be one"
    ((start, _),) = bars(drawn, LINKED)
    assert links[0][0] < start < links[1][0], "what weighs less than a link is left of its band"
    told = words(drawn)
    assert {"review -4.0", "link +0.0", "strict +5.0"} <= set(told)
    assert "834 pairs kept, by their weight" in told


def test_a_home_without_pairs_has_a_picture_of_its_thresholds() -> None:
    drawn = ElementTree.fromstring(pairs_chart({}, RULES))
    assert bars(drawn, FOR) == []
    assert "0 pairs kept, by their weight" in words(drawn)
