"""A backup is whole whatever happens beside it, and refuses what is no copy of its home."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from orchestration import backup, doctor
from orchestration.backup import back_up
from orchestration.settings import Home, SettingFault
from tests.conftest import Shop, load
from tests.unit.orchestration.conftest import Command, describes


def records(home: Home) -> list[str]:
    return [path.name for path in home.lake.record_paths()]


def assert_sound(home: Home) -> None:
    for check in (doctor.check_register, doctor.check_live_files, doctor.check_settings):
        assert check(home).state == "ok", check(home)


def test_a_backup_taken_while_files_are_loaded_has_every_file_its_records_name(
    full_home: Home, shop: Shop, tmp_path: Path
) -> None:
    copy, counts, done = Home(tmp_path / "copy"), set(), threading.Event()

    def deliver() -> None:
        for number in range(3, 40):
            shop.orders(f"{number},ann,2024-01-05,", name=f"orders{number}.csv")
            load(full_home.lake, shop)
        done.set()

    loading = threading.Thread(target=deliver)
    loading.start()
    while not done.is_set():
        back_up(full_home, copy.root)
        counts.add(len(records(copy)))
        assert_sound(copy)
    loading.join()
    assert len(counts) > 2, "loads and backups came one after the other"
    back_up(full_home, copy.root)
    assert records(copy) == records(full_home)
    assert copy.lake.records() == full_home.lake.records()


def test_a_backup_that_is_killed_leaves_the_one_before_and_the_next_finishes_it(
    full_home: Home, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Home(tmp_path / "copy")
    back_up(full_home, copy.root)
    before = records(copy)
    shop.orders("7,dan,2024-01-05,", name="orders7.csv")
    load(full_home.lake, shop)

    def killed(_copy: Home, path: Path, _target: Path) -> None:
        raise OSError(28, "no space left", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(backup, "_put", killed)
        with pytest.raises(OSError, match="no space"):
            back_up(full_home, copy.root)
    assert records(copy) == before
    assert_sound(copy)
    assert back_up(full_home, copy.root).records.keys() == {records(full_home)[-1]}
    assert back_up(full_home, copy.root).files == ()


def test_a_folder_that_is_no_copy_of_the_home_is_refused_and_left_as_it_is(
    full_home: Home, shop: Shop, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").touch()
    run_on = Home(tmp_path / "run_on")
    back_up(full_home, run_on.root)
    shop.orders("8,eve,2024-01-05,", name="orders8.csv")
    load(run_on.lake, shop)
    for target in (full, run_on.root, full_home.root / "copy", full_home.root.parent):
        before = sorted(target.rglob("*"))
        with pytest.raises(SettingFault) as raised:
            back_up(full_home, target)
        assert (raised.value.code, raised.value.exit_code) == ("unfit-target", 2)
        assert [path for path in sorted(target.rglob("*")) if path.name != ".lock"] == [
            path for path in before if path.name != ".lock"
        ]


def test_the_verb_tells_what_is_not_in_the_copy(
    full_home: Home, shop: Shop, unicus: Command, tmp_path: Path
) -> None:
    arguments = ("backup", tmp_path / "copy", "--home", full_home.root, "--json")
    planned = json.loads(unicus(*arguments, "--dry-run").stdout)
    describes("backup", planned)
    assert not (tmp_path / "copy").exists()
    done = json.loads(unicus(*arguments).stdout)
    assert (planned["status"], done["status"]) == ("planned", "done")
    assert {k: v for k, v in done.items() if k != "status"} == {
        k: v for k, v in planned.items() if k != "status"
    }
    assert done["not_in_it"] == [str(shop.folder)]
    assert done["new_files"] > 4
    assert "0 new" in unicus(*arguments[:-1]).stdout


def test_a_file_that_a_vacuum_removes_meanwhile_begins_the_copy_again(
    full_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, fails = backup._put, iter([True, False, True])

    def put_or_miss(copy: Home, path: Path, target: Path) -> None:
        if next(fails, False):
            raise FileNotFoundError(path)
        put(copy, path, target)

    monkeypatch.setattr(backup, "_put", put_or_miss)
    back_up(full_home, tmp_path / "copy")
    assert_sound(Home(tmp_path / "copy"))
    assert next(fails, None) is None, "no file was missed twice"
    fails = iter([True] * 99)
    with pytest.raises(SettingFault) as refused:
        back_up(full_home, tmp_path / "other")
    assert refused.value.code == "home-changes"
    assert not records(Home(tmp_path / "other"))
