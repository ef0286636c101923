"""The picture of the README is the one the graph gives."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import dagster as dg
import pytest

from orchestration import picture


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dg.AssetGraph:
    return picture.sample_graph(tmp_path_factory.mktemp("picture"))


@pytest.mark.parametrize("theme", picture.PAGES)
def test_the_picture_is_the_one_the_graph_gives(graph: dg.AssetGraph, theme: str) -> None:
    assert picture.PAGES[theme].read_text("utf-8") == picture.draw(graph, theme), (
        "draw it anew:  python -m orchestration.picture"
    )


def test_the_picture_is_well_formed_and_holds_every_room(graph: dg.AssetGraph) -> None:
    texts = set(ElementTree.fromstring(picture.draw(graph, "light")).itertext())
    assert picture.PLACES.keys() <= texts


def test_every_room_reads_the_one_before_it(graph: dg.AssetGraph) -> None:
    rooms = picture.read_rooms(graph)
    assert [room.name for room in rooms if room.name != "landing"] == [
        after.name for before, after in pairwise(rooms) if before.name in after.reads
    ]
