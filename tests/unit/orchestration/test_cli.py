"""The manner of the command line: exit codes, errors, JSON, and silence where it is due."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration import lock
from orchestration.console import Manner
from orchestration.own_files import find_system
from orchestration.run import Request, prepare, settle_config
from orchestration.settings import (
    Home,
    SettingFault,
    SystemPlace,
    read_config,
    sample_config,
    write_config,
)
from orchestration.ui import serve_ui
from tests.conftest import Shop
from tests.unit.orchestration.conftest import SPEAKING, Command, command_environment, describes

HEAVY = ("dagster", "dagster_dbt", "dbt", "pandas", "mlflow", "sklearn")
ESCAPE = "\x1b"


def one_object(text: str) -> dict[str, Any]:
    """The one JSON object that a text is."""
    value, end = json.JSONDecoder().raw_decode(text)
    assert not text[end:].strip(), "stdout holds one object and nothing else"
    return dict(value)


def on_terminal(*arguments: object, **changed: str) -> str:
    """What the command shows when both its streams are a terminal."""
    ours, theirs = pty.openpty()
    subprocess.run(
        [str(Path(sys.executable).parent / "unicus"), *map(str, arguments)],
        env=command_environment(**{"TERM": "xterm-256color"} | changed),
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, timeout=120, check=False,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(ours, 65536):
            shown += more
    except OSError:
        # Linux says so when the other side is closed and everything is read.
        pass
    os.close(ours)
    return shown.decode()


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], env=command_environment(),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, orchestration.cli; print([m for m in {HEAVY} if m in sys.modules])"
    assert python(code).stdout.strip() == "[]"


def test_the_bare_command_shows_help_and_exits_two(unicus: Command) -> None:
    done = unicus()
    assert done.returncode == 2
    assert "unicus run" in done.stderr


def test_help_names_every_verb_and_cuts_nothing(unicus: Command) -> None:
    done = unicus("--help")
    assert done.returncode == 0
    assert "..." not in done.stdout
    verbs = ("run", "new-system", "check-system", "status", "loads", "models", "models rollback",
             "explain", "explain column", "explain customer", "ui", "undo", "vacuum", "backup",
             "backfill", "replay", "doctor", "retailer")  # fmt: skip
    for verb in verbs:
        shown = unicus(*verb.split(), "--help").stdout
        assert shown.index(f"unicus {verb} ") < shown.index("Options:") < shown.index("More: docs/")


def test_the_version_is_told(unicus: Command) -> None:
    assert unicus("--version").stdout.startswith("unicus, version ")


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (("statsu",), '"status"'),
        (("status", "--jsno"), "--json"),
        (("run", "--as-of", "yesterday"), "%Y-%m-%d"),
        (("run", "--system", "complete_jorney"), "complete_journey"),
        (("run", "--systems-dir", "nowhere"), "nowhere"),
    ],
)
def test_a_misspelt_word_gets_the_nearest_and_exits_two(
    unicus: Command, tmp_path: Path, arguments: tuple[str, ...], nearest: str
) -> None:
    done = unicus(*arguments)
    assert done.returncode == 2
    assert nearest in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / ".unicus").exists()


def test_a_misspelt_setting_gets_the_nearest_and_exits_two(
    shop_home: Home, unicus: Command
) -> None:
    text = shop_home.config_path.read_text("utf-8")
    shop_home.config_path.write_text(text.replace("reporting_", "repporting_"), "utf-8")
    for verb in ("status", "run"):
        done = unicus(verb, "--home", shop_home.root)
        assert done.returncode == 2
        assert "error[bad-setting]" in done.stderr
        assert "write reporting_currency instead" in done.stderr


def test_the_home_comes_from_option_then_environment_then_default(
    full_home: Home, unicus: Command, tmp_path: Path
) -> None:
    def home_of(*arguments: object, **changed: str) -> dict[str, str]:
        told = one_object(unicus("status", "--json", *arguments, **changed).stdout)
        return dict(told["settings"][0])

    named = str(full_home.root)
    given = home_of("--home", named, UNICUS_HOME=str(tmp_path / "other"))
    assert (given["value"], given["origin"]) == (named, "option")
    assert home_of(UNICUS_HOME=named)["origin"] == "environment"
    (tmp_path / ".unicus").mkdir()
    full_home.root.rename(tmp_path / ".unicus" / "retailer")
    assert home_of()["origin"] == "default"


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--dry-run"),
        ("run", "--systems-dir", "empty"),
        ("run", "--system", "retailer_shop"),
        ("ui",),
        ("ui", "--only", "code"),
    ],
)
def test_without_the_sample_nothing_begins_and_it_is_said_how_to_make_it(
    unicus: Command, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "empty").mkdir()
    done = unicus(*arguments, "--home", tmp_path / "mine")
    assert done.returncode == 2
    assert "error[no-sample]" in done.stderr
    assert "unicus retailer" in done.stderr
    assert not (tmp_path / "mine").exists()


def test_a_sample_that_is_not_made_here_is_told_as_missing_files(
    unicus: Command, tmp_path: Path
) -> None:
    done = unicus("run", "--dry-run", "--home", tmp_path / "online_retail")
    assert done.returncode == 2
    assert "error[missing-file]" in done.stderr


def test_a_home_reads_the_sample_its_folder_is_called_after(tmp_path: Path) -> None:
    made = sample_config(Home(tmp_path / "retailer"))
    assert (len(made.systems), made.reporting_currency) == (10, "EUR")
    assert set(sample_config(Home(tmp_path / "online_retail")).systems) == {"online_retail"}
    for other in ("mine", "complete", "online"):
        assert set(sample_config(Home(tmp_path / other)).systems) == set(made.systems)


def test_made_files_are_read_beside_the_home_whether_their_system_is_named_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home, elsewhere = Home(tmp_path / "mine"), Path(".unicus/retailer/landing")
    for made in (home.root / "landing" / "shop", elsewhere / "shop", elsewhere / "web"):
        made.mkdir(parents=True)
    beside = SystemPlace(location=str(home.root / "landing" / "shop"))
    assert sample_config(home).systems["retailer_shop"] == beside
    assert find_system("retailer_shop", None, home).location == Path(beside.location)
    assert prepare(Request(home, ("retailer_shop",))).systems == {"retailer_shop": beside}
    with pytest.raises(SettingFault) as raised:
        settle_config(Request(Home(tmp_path / "other"), ("retailer_web", "retailer_crm")))
    assert raised.value.code == "no-sample"
    (home.root / "landing" / "web").mkdir()
    added = settle_config(Request(home, ("retailer_web",)))
    assert added.systems["retailer_web"].location == str(home.root / "landing" / "web")


def test_a_home_remembers_where_it_found_the_sample_wherever_the_next_run_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for landing in (Path("mine/landing/shop"), Path(".unicus/retailer/landing/shop")):
        landing.mkdir(parents=True)
    Path("other").mkdir()
    for home, made in (("mine", "mine"), ("other", ".unicus/retailer")):
        prepare(Request(Home(Path(home)), ("retailer_shop",)))
        place = read_config(Home(Path(home))).systems["retailer_shop"]
        assert place.location == str(tmp_path / made / "landing" / "shop")


def test_the_ui_writes_where_the_sample_lies_before_its_parts_start_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("orchestration.ui.signal.signal", lambda *_: None)
    monkeypatch.setattr("orchestration.ui.subprocess.Popen", stopped)
    home = Home(tmp_path / "mine")
    assert serve_ui(home, 0) == 0
    place = read_config(home).systems["retailer_shop"]
    assert place.location == str(tmp_path / ".unicus" / "retailer" / "landing" / "shop")
    assert home.config_path.exists()


def test_a_part_of_the_sample_that_is_not_made_is_not_added_to_a_home(
    shop_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_config(shop_home, read_config(shop_home))
    before = shop_home.config_path.read_bytes()
    with pytest.raises(SettingFault) as raised:
        prepare(Request(shop_home, ("retailer_shop",)))
    assert raised.value.code == "no-sample"
    assert shop_home.config_path.read_bytes() == before


def test_a_home_with_a_part_of_the_made_files_takes_none_of_another_retailer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = Home(tmp_path / "mine")
    for landing in (home.root / "landing" / "shop", Path(".unicus/retailer/landing/web")):
        landing.mkdir(parents=True)
    with pytest.raises(SettingFault) as raised:
        settle_config(Request(home, ("retailer_web",)))
    assert raised.value.code == "no-sample"


def test_a_system_of_ones_own_may_be_called_like_one_of_the_sample(
    shop: Shop, tmp_path: Path
) -> None:
    shop.twin("retailer_web").files.rmdir()
    asked = Request(Home(tmp_path / "mine"), ("retailer_web",), str(shop.folder))
    assert settle_config(asked).systems == {"retailer_web": SystemPlace(folder=str(shop.folder))}


def test_an_error_says_what_where_why_state_and_fix(shop_home: Home, unicus: Command) -> None:
    done = unicus("run", "--home", shop_home.root, "--system", "nobody")
    what, *lines = done.stderr.splitlines()[1:]
    assert what == 'error[no-such-system]: nobody: there is no system "nobody"'
    assert [line.split()[0] for line in lines] == ["where", "why", "state", "fix", "more"]
    assert "nothing is published in this home yet" in lines[2]
    assert done.stdout == ""


def test_a_busy_home_exits_three_and_names_who_holds_it(full_home: Home, unicus: Command) -> None:
    with lock.hold(full_home.root):
        done = unicus("run", "--home", full_home.root, "--json")
    assert done.returncode == 3
    error = one_object(done.stdout)["error"]
    assert error["code"] == "home-busy"
    for word in (f"pid {os.getpid()}", f"host {socket.gethostname()}", "command ", "since 20"):
        assert word in error["why"]
    assert "BI still reads the run of" in error["state"]


def test_a_lock_left_by_a_dead_run_holds_nobody(full_home: Home, unicus: Command) -> None:
    (full_home.root / ".lock").write_text('{"pid": "1"}', "utf-8")
    assert unicus("run", "--home", full_home.root).returncode == 0


def test_light_verbs_exit_zero_on_a_sound_home(full_home: Home, unicus: Command) -> None:
    for arguments in (("status",), ("status", "--settings"), ("doctor",), ("run", "--dry-run")):
        done = unicus(*arguments, "--home", full_home.root)
        assert done.returncode == 0, done.stderr
        assert str(full_home.root) in done.stdout + done.stderr


def test_a_plan_names_the_files_and_changes_nothing(
    shop: Shop, unicus: Command, tmp_path: Path
) -> None:
    shop.orders("1,ann,2024-01-02,", name="orders_1.csv")
    shop.lines("1,a,1,5,")
    home = tmp_path / "new"
    done = unicus("run", "--home", home, "--systems-dir", shop.folder, "--dry-run")
    assert done.stdout.splitlines() == [
        "Would load 2 files (0 are there already) and build every table.",
        "  shop/orders orders_1.csv",
        "  shop/order_lines lines.csv",
    ]
    assert not home.exists()


def test_nothing_new_is_one_line_and_success(full_home: Home, unicus: Command) -> None:
    done = unicus("run", "--home", full_home.root)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("Nothing new: ")


def test_a_damaged_copy_is_told_with_its_remedy(full_home: Home, unicus: Command) -> None:
    full_home.published.write_bytes(b"no database")
    done = unicus("run", "--home", full_home.root)
    assert done.returncode == 1
    assert "error[damaged-copy]" in done.stderr
    assert f"rm {full_home.published}" in done.stderr


@pytest.mark.parametrize("verb", ["status", "doctor", "run"])
def test_json_is_one_object_also_when_the_command_is_wrong(unicus: Command, verb: str) -> None:
    done = unicus(verb, "--json", "--hoem", "x")
    assert done.returncode == 2
    told = one_object(done.stdout)
    assert (told["schema"], told["error"]["code"], told["exit_code"]) == (
        "unicus.error/1", "usage", 2,
    )  # fmt: skip
    assert "--home" in done.stderr


DEFECT = """
import sys
import orchestration.status
def breaks(*arguments): raise RuntimeError("ann@example.org")
orchestration.status.read_status = breaks
sys.argv = ["unicus", "status", *sys.argv[1:]]
from orchestration.cli import main
main()
"""


def test_a_defect_is_one_error_with_its_traceback_in_a_log(full_home: Home) -> None:
    done = python(DEFECT, "--home", full_home.root, "--json")
    assert done.returncode == 70
    error = one_object(done.stdout)["error"]
    assert (error["code"], error["what"]) == ("internal", "RuntimeError in status")
    assert "Traceback" not in done.stderr
    assert "ann@" not in done.stderr + done.stdout
    log = Path(error["where"])
    assert log.parent == full_home.logs
    assert "Traceback" in log.read_text("utf-8")
    assert "Python 3" in log.read_text("utf-8")


def test_a_defect_is_shown_in_full_when_asked(tmp_path: Path) -> None:
    done = python(DEFECT, "--home", tmp_path / "none", "--verbose")
    assert done.returncode == 70
    assert "Traceback" in done.stderr
    assert "error[internal]" in done.stderr
    assert not (tmp_path / "none").exists()


def test_an_interrupted_command_says_so_and_exits_as_shells_expect(full_home: Home) -> None:
    code = DEFECT.replace('RuntimeError("ann@example.org")', "KeyboardInterrupt")
    done = python(code, "--home", full_home.root)
    assert (done.returncode, done.stderr.strip()) == (130, "Interrupted")


INTERRUPT = """
import signal, sys, threading
from pathlib import Path
from orchestration import run
from orchestration.console import Manner, StageTalk
from orchestration.settings import Home
class HalfWritten:
    def write(self, text): raise RuntimeError("reentrant call inside a buffered writer")
    def flush(self): self.write("")
class Held:
    def cancel(self): threading.Event().wait()
run.CANCEL_SECONDS = 0.2
talk = StageTalk(Manner())
talk.stage("staging")
sys.stderr = HalfWritten()
run._stop_on_interrupt(Held(), talk, Home(Path(sys.argv[2])))
signal.raise_signal(signal.SIGINT)
"""


def test_ctrl_c_in_the_middle_of_a_line_and_of_a_write_to_dagster_still_ends_in_130(
    full_home: Home,
) -> None:
    done = python(INTERRUPT, "--home", full_home.root)
    assert done.returncode == 130
    assert "Interrupted at" in done.stderr
    assert "unicus run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_sees_no_traceback(full_home: Home) -> None:
    command = f"{Path(sys.executable).parent / 'unicus'} status --home {full_home.root} | true"
    done = subprocess.run(
        ["bash", "-c", command], env=command_environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stderr == ""


@pytest.mark.parametrize(
    "changed", [{}, {"CI": "true", "FORCE_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}]
)
def test_a_pipe_gets_no_escape_codes(
    full_home: Home, unicus: Command, changed: dict[str, str]
) -> None:
    for arguments in (("status",), ("doctor",), ("run", "--system", "nobody")):
        done = unicus(*arguments, "--home", full_home.root, **changed)
        assert ESCAPE not in done.stdout + done.stderr


def test_a_terminal_gets_colour_unless_it_is_told_not_to(full_home: Home) -> None:
    arguments = ("doctor", "--home", full_home.root)
    assert f"{ESCAPE}[32mok" in on_terminal(*arguments)
    for shown in (
        on_terminal(*arguments, NO_COLOR="1"),
        on_terminal(*arguments, TERM="dumb"),
        on_terminal(*arguments, "--no-color"),
    ):
        assert ESCAPE not in shown
        assert "ok    python" in shown


@pytest.mark.parametrize("name", ["CI", "TERM"])
def test_nothing_moves_on_the_screen_of_a_dumb_terminal_or_of_a_machine(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    for other in SPEAKING:
        monkeypatch.delenv(other, raising=False)
    assert Manner.of().has_animation
    monkeypatch.setenv(name, "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not Manner.of().has_animation


def test_systems_are_completed(shop: Shop, unicus: Command) -> None:
    done = unicus(
        _UNICUS_COMPLETE="bash_complete", COMP_CWORD="5",
        COMP_WORDS=f"unicus run --systems-dir {shop.folder} --system s",
    )  # fmt: skip
    assert done.stdout.split() == ["plain,shop"]


def test_a_refused_file_stops_a_run_with_one_object_and_our_words_only(
    shop_home: Home, shop: Shop, unicus: Command
) -> None:
    (shop.files / "orders.csv").touch()
    shop.lines("1,a,1,5,")
    done = unicus("run", "--home", shop_home.root, "--json", CI="true", FORCE_COLOR="1")
    assert done.returncode == 1
    told = one_object(done.stdout)
    assert (told["status"], told["stage"], told["exit_code"]) == ("failed", "ingest", 1)
    assert told["error"]["code"] == "empty-file"
    describes("run", told)
    assert ESCAPE not in done.stderr
    assert "dagster" not in done.stderr.lower()
    assert "Traceback" not in done.stderr
    kept = (shop_home.logs / f"{told['run_id']}.json").read_text("utf-8")
    assert json.loads(kept) == told
    status = one_object(unicus("status", "--home", shop_home.root, "--json").stdout)
    assert status["last_run"]["error"] == told["error"]
