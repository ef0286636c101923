"""How `unicus replay` asks, acts and refuses, and how a champion of undone files is told."""

from __future__ import annotations

import json

import pytest

from intake.contract import contracts
from intake.snapshot import freeze
from intake.undo import undo
from orchestration.defs.checks import look
from orchestration.moment import kept
from orchestration.replay import Asked, carry_out, change_text, change_value, plan_replay
from orchestration.retraining import undone_files
from orchestration.settings import Home, SettingFault
from orchestration.status import read_status, status_text
from tests.conftest import Shop
from tests.unit.orchestration.conftest import AS_OF, RUN_ID, Command, describes


def correct(shop: Shop) -> None:
    """Take the orders without a number too, which the contract refuses."""
    shop.rewrite("orders.sql", "id as order_key", "coalesce(id, 'none') as order_key")


def test_a_replay_shows_what_a_changed_rule_gives_back_and_does_it_once(
    full_home: Home, shop: Shop
) -> None:
    assert plan_replay(full_home, Asked()).is_done
    for path in shop.files.iterdir():
        path.unlink()
    correct(shop)
    plan = plan_replay(full_home, Asked())
    planned = change_value(plan, "planned")
    describes("replay", planned)
    (load,) = planned["loads"]
    assert (load["before"]["quarantined"], load["now"]["quarantined"]) == (1, 0)
    assert "orders.csv" in change_text(plan, "planned")
    assert plan_replay(full_home, Asked(entity="order_lines")).is_done
    carry_out(plan)
    (now,) = [r for r in full_home.lake.live("load") if r.details["entity"] == "orders"]
    assert now.record_id == load["new_load_id"] != load["load_id"]
    assert plan_replay(full_home, Asked()).is_done
    assert len(plan_replay(full_home, Asked(is_all=True)).feeds) == 2


def test_the_checks_look_at_what_was_read_again_though_its_snapshot_has_the_published_name(
    full_home: Home,
) -> None:
    moment = kept(full_home, RUN_ID)
    assert moment is not None

    def judged() -> dict[str, object]:
        verdicts = look(full_home, moment, AS_OF).verdicts
        return {v.entity: v.found["judged_rows"] for v in verdicts if v.check == "quarantine"}

    assert judged() == {"orders": 0, "order_lines": 0}, "the published copy holds all there is"
    carry_out(plan_replay(full_home, Asked(entity="orders", is_all=True)))
    assert freeze(full_home.lake, contracts()).snapshot_id == moment.snapshot_id
    assert judged() == {"orders": 3, "order_lines": 0}


def test_a_name_that_feeds_nothing_is_refused(full_home: Home) -> None:
    for asked in (Asked(system="shoop"), Asked(entity="reviews")):
        with pytest.raises(SettingFault) as raised:
            plan_replay(full_home, asked)
        assert raised.value.code == "nothing-feeds-it"
        assert "shop/orders" in raised.value.why


def test_the_command_asks_and_is_safe_to_repeat(
    full_home: Home, shop: Shop, unicus: Command
) -> None:
    correct(shop)
    asked = ("replay", "--home", full_home.root)
    refused = unicus(*asked)
    assert (refused.returncode, "error[not-confirmed]" in refused.stderr) == (2, True)
    told = []
    for options in (("--dry-run",), ("--yes",), ("--yes",)):
        done = unicus(*asked, "--json", *options)
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout)["status"])
    assert told == ["planned", "done", "nothing_new"]


def test_a_champion_that_learnt_from_a_file_that_was_undone_is_told(
    full_home: Home, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.tracking.champions", lambda _folder: {"clv_90d": "1"})
    record = next(r for r in full_home.lake.live("load") if r.details["entity"] == "orders")
    (snapshot,) = (full_home.lake.root / "snapshots").glob("*[0-9a-f].json")
    training = next(
        path for path in full_home.lake.record_paths() if "training" in path.read_text()
    )
    training.write_text(training.read_text("utf-8").replace('"s1"', f'"{snapshot.stem}"'), "utf-8")
    assert undone_files(full_home) == {}
    undo(full_home.lake, record, shop.system, contracts()["orders"])
    assert undone_files(full_home) == {"clv_90d": ["orders.csv"]}
    status = read_status(full_home)
    describes("status", status)
    assert "learnt from files undone since, orders.csv: unicus run --retrain" in status_text(status)
    monkeypatch.setattr("ml.tracking.champions", lambda _folder: {"clv_90d": "2"})
    assert undone_files(full_home) == {}
