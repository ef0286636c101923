"""The verb that reads loads again: what it plans is what it does, and it says so."""

from __future__ import annotations

import json

from orchestration.settings import Home
from tests.conftest import Shop
from tests.unit.orchestration.conftest import Command, describes


def test_a_replay_tells_before_and_after_what_a_changed_mapping_does_to_the_rows(
    full_home: Home, shop: Shop, unicus: Command
) -> None:
    shop.rewrite("orders.sql", "bought as ordered_at",
                 "case when customer = 'ann' then 'soon' else bought end as ordered_at")  # fmt: skip
    arguments = ("replay", "--home", full_home.root, "--json")
    seen = {}
    for status, option in (("planned", "--dry-run"), ("done", "--yes"), ("nothing_new", "--yes")):
        done = unicus(*arguments, option)
        assert done.returncode == 0, done.stderr
        seen[status] = json.loads(done.stdout)
        describes("replay", seen[status])
        assert seen[status]["status"] == status
    assert seen["planned"]["loads"] == seen["done"]["loads"]
    (load,) = seen["done"]["loads"]
    assert load["before"]["quarantined"] == 0
    assert load["now"] == {"accepted": 2, "quarantined": 1, "excluded": 0, "not_applicable": 0}
    assert load["new_load_id"] in {record.record_id for record in full_home.lake.live("load")}
