"""`unicus doctor` on sound and broken homes: it names the fault and what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration import doctor, lock
from orchestration.console import Manner
from orchestration.doctor import examine_home, findings_text
from orchestration.settings import Home
from tests.conftest import Shop
from tests.unit.orchestration.conftest import Command


def states(home: Home) -> dict[str, tuple[str, str]]:
    """State and finding of every check, by name."""
    return {one["name"]: (one["state"], one["found"]) for one in examine_home(home)["checks"]}


def failed(home: Home) -> dict[str, str]:
    """What fails; everything that fails has a remedy and sets the exit code."""
    examined = examine_home(home)
    bad = [one for one in examined["checks"] if one["state"] == "fail"]
    assert all(one["remedy"] for one in bad)
    assert examined["exit_code"] == bool(bad)
    return {one["name"]: one["found"] for one in bad}


def raw_file(home: Home) -> Path:
    return next((home.lake.root / "raw" / "orders").rglob("*.parquet"))


def test_a_sound_home_passes_every_check(full_home: Home) -> None:
    assert failed(full_home) == {}
    found = states(full_home)
    assert found["live files"] == ("ok", "5 files, 9 rows")
    assert found["register"] == ("ok", "4 records, 4 live")
    assert found["published"][0] == "ok"


def test_a_home_before_its_first_run_is_sound(shop_home: Home) -> None:
    assert failed(shop_home) == {}


def remove_raw(home: Home) -> None:
    raw_file(home).unlink()


def damage_raw(home: Home) -> None:
    path = raw_file(home)
    path.write_bytes(path.read_bytes()[:-20])


def swap_raw(home: Home) -> None:
    quarantined = next((home.lake.root / "quarantine").rglob("*.parquet"))
    shutil.copy(quarantined, raw_file(home))


def remove_original(home: Home) -> None:
    next((home.lake.root / "landing").iterdir()).unlink()


def cut_record(home: Home) -> None:
    path = home.lake.record_paths()[1]
    path.write_text(path.read_text("utf-8")[:40], "utf-8")


def remove_record(home: Home) -> None:
    home.lake.record_paths()[1].unlink()


def rename_record(home: Home) -> None:
    first, second = home.lake.record_paths()[:2]
    shutil.copy(first, second)


def remove_snapshot_file(home: Home) -> None:
    next((home.lake.root / "snapshots").glob("*.loads.parquet")).unlink()


def cut_published(home: Home) -> None:
    home.published.write_bytes(home.published.read_bytes()[:5000])


def put_file_for_folder(home: Home) -> None:
    shutil.rmtree(home.logs)
    home.logs.write_text("", "utf-8")


def misspell_setting(home: Home) -> None:
    text = home.config_path.read_text("utf-8")
    home.config_path.write_text(text.replace("business_timezone", "bussiness_timezone"), "utf-8")


@pytest.mark.parametrize(
    ("break_it", "check", "words"),
    [
        (remove_raw, "live files", "is missing"),
        (damage_raw, "live files", "is damaged"),
        (swap_raw, "live files", "has 1 rows, not 2"),
        (remove_original, "live files", "originals are missing"),
        (cut_record, "register", "cannot be read: "),
        (remove_record, "register", "0000000002 is missing"),
        (rename_record, "register", "under another's number: 0000000002.json"),
        (remove_snapshot_file, "snapshot", ".loads.parquet is missing"),
        (cut_published, "published", "damaged-copy"),
        (put_file_for_folder, "folders", "not a folder"),
        (misspell_setting, "settings", 'there is no setting "bussiness_timezone"'),
    ],
)
def test_a_broken_home_is_named(
    full_home: Home, break_it: Callable[[Home], None], check: str, words: str
) -> None:
    break_it(full_home)
    assert words in failed(full_home)[check]


def test_one_broken_check_does_not_hide_the_others(full_home: Home) -> None:
    cut_published(full_home)
    remove_snapshot_file(full_home)
    assert {"published", "snapshot"} <= set(failed(full_home))


def test_many_faults_are_counted_and_the_first_ones_named(full_home: Home) -> None:
    shutil.rmtree(full_home.lake.root / "raw")
    shutil.rmtree(full_home.lake.root / "training")
    shutil.rmtree(full_home.lake.root / "scores")
    found = failed(full_home)["live files"]
    assert found.startswith("4 of 5 files: ")
    assert found.endswith(" and 1 more")


def test_a_system_whose_files_are_gone_is_named(full_home: Home, shop: Shop) -> None:
    shutil.rmtree(shop.files)
    examined = examine_home(full_home, deep=True)
    (systems,) = [one for one in examined["checks"] if one["name"] == "systems"]
    assert systems["state"] == "fail"
    assert str(shop.files) in systems["found"]


def test_a_folder_that_cannot_be_written_is_named(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_arguments: object, **_named: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuses)
    assert "cannot be written" in failed(full_home)["folders"]


def test_a_check_that_breaks_off_is_a_fault_of_the_home(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_home: Home) -> doctor.Finding:
        raise RuntimeError("ann")

    monkeypatch.setitem(doctor.HOME, "lock", breaks)
    assert failed(full_home) == {"lock": "it cannot be checked (RuntimeError)"}


def test_a_full_disk_is_a_fault(full_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW_BYTES", 1 << 60)
    assert "GB free" in failed(full_home)["disk"]
    (disk,) = [one for one in examine_home(full_home)["checks"] if one["name"] == "disk"]
    assert "unicus vacuum" in disk["remedy"]


def test_another_version_than_pinned_is_a_warning(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_pins", lambda: {"click": "0.0.1"})
    state, found = states(full_home)["packages"]
    assert state == "warn"
    assert "pinned 0.0.1" in found


def test_a_package_that_is_missing_is_a_fault(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_needed", lambda: {"click", "no-such-package"})
    assert failed(full_home) == {"packages": "not installed: no-such-package"}


def test_an_old_python_is_a_fault(full_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (4, 0))
    assert "needs 4.0" in failed(full_home)["python"]


def test_a_taken_port_is_a_warning(full_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "PORT", port)
        assert states(full_home)["port"] == ("warn", f"port {port} is taken")


def test_a_manifest_of_other_files_is_a_warning(
    full_home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "manifest_file", lambda: tmp_path / "manifest-0.json")
    assert states(full_home)["manifest"][0] == "warn"


def test_telemetry_that_is_on_is_a_warning(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "true")
    state, found = states(full_home)["telemetry"]
    assert (state, found.split()[0]) == ("warn", "DBT_SEND_ANONYMOUS_USAGE_STATS")
    monkeypatch.undo()
    (full_home.dagster / "dagster.yaml").write_text("telemetry: {enabled: true}", "utf-8")
    assert states(full_home)["telemetry"][0] == "warn"


def test_a_home_without_settings_is_told_how_to_have_them_back(full_home: Home) -> None:
    full_home.config_path.unlink()
    (settings,) = [one for one in examine_home(full_home)["checks"] if one["name"] == "settings"]
    assert settings["state"] == "warn"
    for way in ("from a copy", "make run", "unicus retailer"):
        assert way in settings["remedy"]


def test_a_copy_of_other_settings_is_a_warning(full_home: Home) -> None:
    text = full_home.config_path.read_text("utf-8").replace("UTC", "Europe/Paris")
    full_home.config_path.write_text(text, "utf-8")
    assert states(full_home)["published"][0] == "warn"


def test_a_run_at_work_is_named_and_no_fault(full_home: Home) -> None:
    with lock.hold(full_home.root):
        state, found = states(full_home)["lock"]
    assert state == "ok"
    assert f"pid {os.getpid()}" in found


def test_without_a_home_the_machine_is_checked_and_nothing_is_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    examined = examine_home(home, deep=True)
    assert examined["exit_code"] == 0
    assert examined["checks"][-1]["name"] == "home"
    assert examined["checks"][-1]["remedy"].startswith("make run")
    assert {"python", "disk"} <= {one["name"] for one in examined["checks"]}
    assert not home.root.exists()


def test_it_leaves_no_probe_behind(full_home: Home) -> None:
    before = sorted(full_home.root.rglob("*"))
    examine_home(full_home)
    assert sorted(full_home.root.rglob("*")) == before


def test_one_line_per_check_and_the_remedy_last(full_home: Home) -> None:
    remove_raw(full_home)
    examined = examine_home(full_home)
    head, *lines = findings_text(examined, Manner()).splitlines()
    assert head == f"home {full_home.root}"
    assert len(lines) == len(examined["checks"])
    bad = [line for line in lines if line.startswith("fail")]
    assert [line.split("  ")[1] for line in bad] == ["live files", "snapshot"]
    assert all(line.endswith("--home DIR") for line in bad)


def test_the_command_exits_one_when_something_fails(full_home: Home, unicus: Command) -> None:
    assert unicus("doctor", "--home", full_home.root).returncode == 0
    remove_raw(full_home)
    done = unicus("doctor", "--home", full_home.root, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["exit_code"] == 1


def test_deep_loads_the_graph_and_prints_nothing_of_the_tools(
    full_home: Home, unicus: Command
) -> None:
    done = unicus("doctor", "--home", full_home.root, "--deep", "--json")
    assert done.stderr == ""
    graph = json.loads(done.stdout)["checks"][-1]
    assert (graph["name"], graph["state"]) == ("graph", "ok")
    assert "assets" in graph["found"]
