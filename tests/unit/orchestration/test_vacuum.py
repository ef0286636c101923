"""What `unicus vacuum` removes, what it never touches, and what a kill in its middle leaves."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.contract import contracts
from intake.fault import InputFault
from intake.lake import deaths
from intake.load import load_entity
from intake.snapshot import freeze, snapshot_records
from intake.undo import find_load, has_rows, restore, undo
from orchestration import lock
from orchestration.doctor import check_live_files, check_register, check_snapshot, examine_home
from orchestration.loads import Wanted, change_text, plan_change, read_loads
from orchestration.loads import carry_out as change_load
from orchestration.moment import _score_files
from orchestration.notify import OUTBOX
from orchestration.run import Request, files_to_load
from orchestration.settings import (
    Home,
    HomeConfig,
    Retention,
    SettingFault,
    SystemPlace,
    read_config,
    write_config,
)
from orchestration.status import read_status, status_text
from orchestration.vacuum import carry_out, change_value, plan_vacuum, waste_bytes
from serving.publish import Publication, PublicTable, publish, read_publication
from tests.conftest import ORDERS_HEADER, ORDERS_SQL, SOURCE, Shop, cases, load
from tests.unit.orchestration.conftest import RUN_ID, Command, describes

LATER = timedelta(days=500)
OLD_RUN = "00000000-0000-4000-8000-000000000000"


def now() -> datetime:
    return datetime.now(UTC)


def tree(root: Path) -> dict[str, int]:
    """Every file of the home but what SQLite keeps beside its own."""
    return {
        str(path.relative_to(root)): path.stat().st_size
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".db-wal", ".db-shm")
    }


def vacuum(home: Home, at: datetime | None = None) -> dict[str, Any]:
    """Plan and do it, and hold what is told against what has happened."""
    change = plan_vacuum(home, at)
    planned = change_value(change, "planned")
    before = sum(tree(home.root).values())
    done = change_value(carry_out(change), "done")
    describes("vacuum", done)
    assert planned["bytes"] == done["bytes"]
    freed = before - sum(tree(home.root).values())
    expired = [r for r in home.lake.record_paths() if '"expiry"' in r.read_text("utf-8")]
    assert freed == done["bytes"] - (
        sum(p.stat().st_size for p in expired[-1:]) if counts(done)["scores"] else 0
    )
    assert plan_vacuum(home, at).is_done
    return done


def counts(value: dict[str, Any]) -> dict[str, int]:
    return {one["kind"]: one["count"] for one in value["kinds"]}


def rows(home: Home) -> list[tuple[object, ...]]:
    """What the loads in force say."""
    files = [str(home.lake.path(f)) for r in home.lake.live("load") for f in r.files
             if f.table == "orders"]  # fmt: skip
    if not files:
        return []
    with duckdb.connect() as con:
        return con.execute("select * from read_parquet(?) order by all", [files]).fetchall()


def published(home: Home, as_of: date = date(2024, 1, 10)) -> str:
    """Freeze what is live, as a run does, and put a copy in place that names it."""
    snapshot = freeze(home.lake, contracts()).snapshot_id
    if not home.warehouse.exists():
        with duckdb.connect(str(home.warehouse)) as con:
            con.execute("create schema marts; create table marts.one as select 1 as one")
    publication = Publication(RUN_ID, snapshot, as_of, now().replace(tzinfo=None), "key")
    publish(home.warehouse, home.published, [PublicTable("marts", "one")], publication)
    return snapshot


def take_out(home: Home, shop: Shop, name: str) -> str:
    record = next(r for r in home.lake.live("load") if r.details["file_name"] == name)
    undo(home.lake, record, shop.system, contracts()[record.details["entity"]])
    return record.record_id


def score(home: Home, day: date, **details: Any) -> None:
    """Scores of a day, as a run commits them."""
    lake = home.lake
    with lake.transaction() as transaction:
        staged = [
            lake.stage(
                pa.table({"n": [1]}), "ml", table, f"{table}/as_of={day}/{transaction.seq}.parquet"
            )
            for table in ("scores", "model_drift")
        ]
        old = [r.seq for r in lake.live("scores") if r.details["as_of"] == str(day)]
        transaction.commit("scores", str(transaction.seq), staged, supersedes=old,
                           details={"as_of": str(day), "reasons": {}} | details)  # fmt: skip


def waste_of_every_kind(home: Home, shop: Shop) -> None:
    """Make something to remove of every kind of file."""
    shop.orders("1,ann,2024-01-02,", name="orders_a.csv")
    shop.orders("2,bob,2024-01-03,", ",nobody,2024-01-03,", name="orders_b.csv")
    load(home.lake, shop)
    published(home)
    take_out(home, shop, "orders_b.csv")
    published(home)
    for number in (0, 1, 31, 500):
        score(home, date(2022, 5, 1) + timedelta(days=number))
    for number in (1, 2):
        with home.lake.transaction() as transaction:
            path = f"identity/customer_map/{number}.parquet"
            staged = home.lake.stage(pa.table({"n": [number]}), "identity", "customer_map", path)
            old = [record.seq for record in home.lake.live("customer_map")]
            transaction.commit("customer_map", str(number), [staged], supersedes=old)
    for name in (
        "lake/raw/orders/system=shop/killed.parquet", f"lake/landing/{'0' * 64}",
        "lake/incoming/half.parquet", "serving/.published.duckdb.1f", "running/" + OLD_RUN,
        f"logs/{OLD_RUN}.log", f"logs/{OLD_RUN}.json", f"moments/{OLD_RUN}.json", "logs/dbt.log",
        f"logs/{RUN_ID}.log", f"logs/{OUTBOX}",
    ):  # fmt: skip
        path = home.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}", "utf-8")
    at = now().timestamp() - 60
    os.utime(home.logs / f"{OLD_RUN}.log", (at, at))


def test_what_is_dead_goes_and_the_rest_stays_as_it_was(shop_home: Home, shop: Shop) -> None:
    home = shop_home
    waste_of_every_kind(home, shop)
    live = {str(home.lake.path(f)) for r in home.lake.live() for f in r.files}
    before, scores = rows(home), home.lake.live("scores")
    young = vacuum(home)
    assert {kind for kind, count in counts(young).items() if count} == {"scores", "leftovers"}, (
        "what died today may come back; scores are as old as their day"
    )
    done = vacuum(home, now() + LATER)
    assert counts(done) | {"runs": 0, "models": 0} == {
        "snapshots": 2, "scores": 0, "models": 0, "dead_files": 4, "originals": 2, "runs": 0,
        "logs": 5, "leftovers": 0,
    }  # fmt: skip
    assert rows(home) == before
    assert (home.logs / OUTBOX).exists(), "what waits there still has to be told"
    assert not [one for one in examine_home(home)["checks"] if one["state"] == "fail"]
    gone = {path for path in live if not Path(path).exists()}
    assert gone
    assert all("as_of=" in path for path in gone), "of what was live, scores of old days alone"
    days = [date.fromisoformat(r.details["as_of"]) for r in home.lake.live("scores")]
    for day in (days[-1], days[-1] + LATER):
        assert _score_files(home.lake.live(), day) == _score_files(scores, day)
    assert {p.parent.name for p in (home.lake.root / "scores").rglob("*.parquet")} == {
        f"as_of={day}" for day in days
    }, "folders of days that are gone are gone too"


@pytest.mark.parametrize("at", [timedelta(0), LATER])
def test_a_dry_run_changes_nothing_and_tells_what_is_then_done(
    shop_home: Home, shop: Shop, at: timedelta
) -> None:
    waste_of_every_kind(shop_home, shop)
    before = tree(shop_home.root)
    change = plan_vacuum(shop_home, now() + at)
    assert not change.is_done
    assert waste_bytes(shop_home, now() + at) == change_value(change, "planned")["bytes"]
    assert tree(shop_home.root) == before


class Killed(BaseException):
    """As the process ends."""


def test_a_kill_at_any_removal_breaks_nothing_and_the_next_vacuum_goes_on(
    shop_home: Home, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waste_of_every_kind(shop_home, shop)
    at, real, killed, left = now() + LATER, Path.unlink, 0, 0

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        real(path, missing_ok=missing_ok)

    def without_records(home: Home) -> set[str]:
        return {path for path in tree(home.root) if "register/" not in path}

    home = Home(tmp_path / "whole")
    shutil.copytree(shop_home.root, home.root)
    carry_out(plan_vacuum(home, at))
    expected, before = without_records(home), rows(home)
    while not left:
        home = Home(tmp_path / f"killed_{killed}")
        shutil.copytree(shop_home.root, home.root)
        left = killed
        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(Path, "unlink", unlink)
            carry_out(plan_vacuum(home, at))
            left += 1
        killed += 1
        for check in (check_register, check_live_files, check_snapshot):
            assert check(home).state == "ok"
        assert rows(home) == before
        carry_out(plan_vacuum(home, at))
        assert without_records(home) == expected
    assert killed > 15, "it was killed at each removal in turn"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(0, 3), st.sampled_from(["ann", "bob", "eve"])),
        st.tuples(st.sampled_from(["undo", "restore"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["new rules", "run", "mark", "vacuum"])),
    ),
    min_size=4, max_size=14,
)  # fmt: skip


@settings(
    max_examples=cases(8),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(steps=STEPS, delivery=st.sampled_from(["append", "upsert", "snapshot"]))
def test_whatever_came_before_nothing_that_is_read_or_may_come_back_is_removed(
    tmp_path_factory: pytest.TempPathFactory,
    shop: Shop,
    steps: list[tuple[Any, ...]],
    delivery: str,
) -> None:
    history = History(tmp_path_factory.mktemp("home"), shop, delivery)
    for step, *arguments in steps:
        getattr(history, step.replace(" ", "_"))(*arguments)
    history.vacuum()
    history.bring_back_what_is_young()


class History:
    """A home whose loads come, go and come back; each vacuum is held against what has to stay."""

    def __init__(self, root: Path, shop: Shop, delivery: str) -> None:
        self.shop, self.rules = shop, 0
        self.files = root / "files"
        self.files.mkdir()
        source, mapping = (shop.folder / "shop" / name for name in ("source.yaml", "orders.sql"))
        source.write_text(
            SOURCE.format(files=self.files).replace(
                "file: orders, delivery: upsert",
                f"file: orders, delivery: {delivery}, least_kept_share: 0"
                if delivery == "snapshot" else f"file: orders, delivery: {delivery}",
            ), "utf-8",
        )  # fmt: skip
        mapping.write_text(ORDERS_SQL, "utf-8")
        self.home = Home(root / "home")
        self.home.create()
        places = {"shop": SystemPlace(folder=str(shop.folder))}
        write_config(self.home, HomeConfig("UTC", "EUR", places))
        self.marked = now()

    def load(self) -> None:
        if any(self.files.iterdir()):
            load_entity(self.home.lake, self.shop.system, contracts()["orders"])

    def deliver(self, number: int, customer: str) -> None:
        text = f"{ORDERS_HEADER}\n{number},{customer},2024-01-02,\n9,zoe,2024-01-02,\n"
        (self.files / f"orders_{number}.csv").write_text(text, "utf-8")
        self.load()

    def _change(self, kind: str, number: int, act: Callable[..., None]) -> None:
        found = self.home.lake.live(kind)
        if found:
            act(self.home.lake, found[number % len(found)], self.shop.system, contracts()["orders"])

    def undo(self, number: int) -> None:
        self._change("load", number, undo)

    def restore(self, number: int) -> None:
        self._change("undo", number, restore)

    def new_rules(self) -> None:
        self.rules += 1
        mapping = self.shop.folder / "shop" / "orders.sql"
        mapping.write_text(f"{ORDERS_SQL}-- {self.rules}\n", "utf-8")
        self.load()

    def run(self) -> None:
        published(self.home)

    def mark(self) -> None:
        self.marked = now()

    def vacuum(self) -> None:
        """Remove what died before the mark."""
        lake, before = self.home.lake, rows(self.home)
        snapshots = {path.stem for path in (lake.root / "snapshots").glob("*.json")}
        told = vacuum(self.home, self.marked + timedelta(days=30))
        assert rows(self.home) == before
        young = [
            r for r in lake.live("undo") if datetime.fromisoformat(r.committed_at) >= self.marked
        ]
        assert all(has_rows(lake, record) for record in young)
        for record in lake.live("load"):
            assert (lake.root / "landing" / record.details["file_hash"]).exists()
        for path in (lake.root / "snapshots").glob("*.json"):
            assert all(lake.path(file).exists() for file in lake.frozen(path.stem)[1])
        publication = read_publication(self.home.published)
        if publication:
            assert (lake.root / "snapshots" / f"{publication.snapshot_id}.json").exists()
        died = deaths(lake.records())
        frozen = {
            f.path for p in (lake.root / "snapshots").glob("*.json") for f in lake.frozen(p.stem)[1]
        }
        for record in lake.records():
            if died.get(record.seq, now()) < self.marked:
                assert not [
                    f for f in record.files if lake.path(f).exists() and f.path not in frozen
                ]
        assert len(snapshots) - counts(told)["snapshots"] // 2 >= min(len(snapshots), 1)

    def bring_back_what_is_young(self) -> None:
        """Each undo since the mark can be taken back, and what is in force can be read anew."""
        lake = self.home.lake
        for record in reversed(lake.live("undo")):
            if datetime.fromisoformat(record.committed_at) < self.marked:
                continue
            restore(lake, record, self.shop.system, contracts()["orders"])
            assert find_load(lake, record.record_id).kind == "load"
            assert check_live_files(self.home).state == "ok"
        self.new_rules()
        assert check_live_files(self.home).state == "ok"


def test_an_undo_is_final_after_its_days_and_its_file_counts_as_new_once_it_is_let_go(
    shop_home: Home, shop: Shop
) -> None:
    home = shop_home
    shop.orders("1,ann,2024-01-02,", name="orders_a.csv")
    shop.orders("2,bob,2024-01-03,", ",nobody,2024-01-03,", name="orders_b.csv")
    shop.lines("1,a,1,5.00,")
    load(home.lake, shop)
    load(home.lake, shop, "order_lines")
    before, request, config = rows(home), Request(home), read_config(home)
    name = take_out(home, shop, "orders_b.csv")
    published(home)
    vacuum(home, now() + LATER)
    load(home.lake, shop)
    assert len(rows(home)) == 1, "the file still lies there and stays undone"
    told = read_loads(home, Wanted(is_all=True, is_quarantine=True))
    describes("loads", told)
    assert [(one["state"], one["is_kept"]) for one in told["loads"]] == [("undone", False)]
    with pytest.raises(InputFault):
        find_load(home.lake, "none")
    change = plan_change(home, name, is_restore=True)
    assert "the next run reads its file" in change_text(change, "planned")
    assert change.is_gone
    change_load(change)
    assert check_live_files(home).state == "ok"
    assert files_to_load(request, config)[0] == ["shop/orders orders_b.csv"]
    load(home.lake, shop)
    assert [row[1:3] for row in rows(home)] == [row[1:3] for row in before]


def test_a_file_that_a_kept_snapshot_reads_stays_until_another_is_published(
    shop_home: Home, shop: Shop
) -> None:
    home = shop_home
    shop.orders("1,ann,2024-01-02,", name="orders_a.csv")
    shop.orders("2,bob,2024-01-03,", name="orders_b.csv")
    load(home.lake, shop)
    first = published(home)
    take_out(home, shop, "orders_b.csv")
    vacuum(home, now() + LATER)
    reads = home.lake.frozen(first)[1]
    assert all(home.lake.path(file).exists() for file in reads)
    published(home)
    assert counts(vacuum(home, now() + LATER))["dead_files"] == 1
    assert not all(home.lake.path(file).exists() for file in reads)


def test_the_list_of_what_a_model_learnt_from_stays_when_others_of_its_age_go(
    shop_home: Home, shop: Shop
) -> None:
    home, lists = shop_home, []
    for number in range(4):
        shop.orders(f"{number},ann,2024-01-02,", name=f"orders_{number}.csv")
        load(home.lake, shop)
        lists.append(published(home))
    learnt, _, learnt_last, newest = lists
    for snapshot in (learnt, learnt_last):
        with home.lake.transaction() as transaction:
            details = {"question": "clv_90d", "snapshot_id": snapshot, "mlflow_run_id": "r"}
            old = [record.seq for record in home.lake.live("training")]
            transaction.commit("training", snapshot, [], supersedes=old, details=details)
    vacuum(home, now() + LATER)
    kept = {path.stem for path in (home.lake.root / "snapshots").glob("*.json")}
    assert kept == {learnt, learnt_last, newest}
    assert [r.details["file_name"] for r in snapshot_records(home.lake, learnt)] == ["orders_0.csv"]


def test_hard_links_free_nothing_and_count_once(shop_home: Home) -> None:
    one = shop_home.lake.root / "raw" / "a.parquet"
    one.write_bytes(b"12345")
    before = read_status(shop_home)["space"]["total_bytes"]
    (shop_home.lake.root / "raw" / "b.parquet").hardlink_to(one)
    assert read_status(shop_home)["space"]["total_bytes"] == before
    change = plan_vacuum(shop_home, now() + LATER)
    assert (counts(change_value(change, "planned"))["dead_files"], change.waste[3].bytes) == (2, 0)


def test_the_status_tells_the_room_part_by_part_and_what_a_vacuum_would_free(
    shop_home: Home, shop: Shop
) -> None:
    waste_of_every_kind(shop_home, shop)
    status = read_status(shop_home)
    describes("status", status)
    space = status["space"]
    assert space["vacuum_bytes"] == change_value(plan_vacuum(shop_home), "planned")["bytes"] > 0
    assert space["total_bytes"] == sum(one["bytes"] for one in status["disk"])
    parts = {one["part"]: one["bytes"] for one in space["parts"]}
    assert sum(parts.values()) == space["total_bytes"]
    lake = shop_home.lake.root
    for part, folder in {"rows": "raw", "quarantine": "quarantine", "originals": "landing"}.items():
        files = [path for path in (lake / folder).rglob("*") if path.is_file()]
        assert parts[part] == sum(path.stat().st_size for path in files)
        assert parts[part] > 0
    assert "unicus vacuum would free about" in status_text(status)
    shop_home.published.write_bytes(b"damaged")
    assert read_status(shop_home)["space"]["vacuum_bytes"] is None


@pytest.mark.parametrize(
    ("written", "told"),
    [("{scores: 3}", "scores_days"), ("{logs_days: -1}", "logs_days: 90"),
     ("{logs_days: soon}", "logs_days: 90"), ("{logs_days: true}", "logs_days: 90")],
)  # fmt: skip
def test_a_retention_that_cannot_be_used_is_refused(
    shop_home: Home, written: str, told: str
) -> None:
    with shop_home.config_path.open("a") as file:
        file.write(f"retention: {written}\n")
    with pytest.raises(SettingFault) as raised:
        read_config(shop_home)
    assert raised.value.code == "bad-setting"
    assert told in raised.value.fix


def test_days_of_the_home_decide_and_are_kept_when_it_is_written(
    shop_home: Home, shop: Shop
) -> None:
    shop.orders("1,ann,2024-01-02,")
    load(shop_home.lake, shop)
    take_out(shop_home, shop, "orders.csv")
    assert plan_vacuum(shop_home).is_done
    chosen = Retention(dead_files_days=0)
    write_config(shop_home, replace(read_config(shop_home), retention=chosen))
    assert read_config(shop_home).retention == chosen
    assert counts(vacuum(shop_home))["originals"] == 1
    found = {
        one["name"]: (one["value"], one["origin"]) for one in read_status(shop_home)["settings"]
    }
    assert found["retention.dead_files_days"] == ("0", "home.yaml")
    assert found["retention.runs_days"] == ("90", "default")


def test_the_command_asks_acts_and_repeats(shop_home: Home, shop: Shop, unicus: Command) -> None:
    waste_of_every_kind(shop_home, shop)

    def told(*options: str) -> dict[str, Any]:
        done = unicus("vacuum", "--home", shop_home.root, "--json", *options)
        assert done.returncode == 0, done.stderr
        value = dict(json.loads(done.stdout))
        describes("vacuum", value)
        return value

    (shop_home.root / ".lock").touch()
    before = tree(shop_home.root)
    planned = told("--dry-run")
    refused = unicus("vacuum", "--home", shop_home.root)
    assert refused.returncode == 2
    assert "error[not-confirmed]" in refused.stderr
    with lock.hold(shop_home.root):
        assert unicus("vacuum", "--yes", "--home", shop_home.root).returncode == 3
    assert tree(shop_home.root) == before
    assert told("--yes") == planned | {"status": "done"}
    assert told("--yes")["status"] == "nothing_new"
    text = unicus("vacuum", "--home", shop_home.root, "--dry-run").stdout
    assert text.startswith("Nothing to remove")
    assert "dead files" in text


@dg.asset
def customers() -> None:
    """An asset that is made in every run."""


@dg.asset
def forecasts() -> None:
    """An asset that is made in the first run only."""


def test_old_runs_are_forgotten_but_not_those_that_show_what_an_asset_is(shop_home: Home) -> None:
    home = shop_home
    os.environ.update(home.environment())
    with dg.DagsterInstance.get() as instance:
        first, *others = [
            dg.materialize([customers, forecasts], instance=instance,
                           selection=None if number == 0 else [customers]).run_id
            for number in range(4)
        ]  # fmt: skip
        last = others[-1]
        started = instance.create_run_for_job(dg.define_asset_job("left").resolve(
            asset_graph=dg.Definitions([customers]).resolve_asset_graph()))  # fmt: skip
    (runs,) = [one for one in plan_vacuum(home, now() + LATER).waste if one.kind == "runs"]
    assert (runs.count, runs.is_estimate) == (2, True)
    assert plan_vacuum(home).is_done

    def size() -> int:
        return sum(path.stat().st_size for path in home.root.rglob("*") if path.is_file())

    before = size()
    done = change_value(carry_out(plan_vacuum(home, now() + LATER)), "done")
    assert before - size() == done["bytes"] > 0
    with dg.DagsterInstance.get() as instance:
        assert {run.run_id for run in instance.get_runs()} == {first, last, started.run_id}
        assert not instance.all_logs(others[0])
        for key, run_id in ((customers.key, last), (forecasts.key, first)):
            event = instance.get_latest_materialization_event(key)
            assert event is not None
            assert event.run_id == run_id
    assert plan_vacuum(home, now() + LATER).is_done


def test_a_run_whose_deletion_was_killed_is_deleted_by_the_next_vacuum(
    shop_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ.update(shop_home.environment())
    with dg.DagsterInstance.get() as instance:
        old = dg.materialize([customers], instance=instance).run_id
        dg.materialize([customers], instance=instance)

    def killed(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(dg.DagsterInstance, "delete_run", killed)
        carry_out(plan_vacuum(shop_home, now() + LATER))
        raise AssertionError("it was not killed")
    carry_out(plan_vacuum(shop_home, now() + LATER))
    with dg.DagsterInstance.get() as instance:
        assert old not in {run.run_id for run in instance.get_runs()}
