"""Who is told what: the file, the webhook, what is told once, and what is never told."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestration import notify
from orchestration.doctor import check_notifications
from orchestration.notify import ATTEMPTS, Notification, address_fault, tell, waiting
from orchestration.settings import (
    EVENTS,
    Home,
    Notifications,
    SettingFault,
    read_config,
    write_config,
)
from orchestration.status import read_status, settings_text
from tests.unit.orchestration.conftest import Command, describes

SECRET = "f7b1c0ffee"
FAILURE = Notification("run_failure", "run_failure:r1", "run r1", "it stopped", "read the log")


class Hook:
    """A webhook on this machine: keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.delay = 200, 0.0
        self.got: list[dict[str, Any]] = []
        hook = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                time.sleep(hook.delay)
                if hook.status == 200:
                    hook.got.append(json.loads(body))
                self.send_response(hook.status)
                if hook.status == 302:
                    self.send_header("Location", hook.address)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self._server.server_port}/{SECRET}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    hook = Hook()
    monkeypatch.setenv("TEST_WEBHOOK", hook.address)
    yield hook
    hook.close()


@pytest.fixture
def home(shop_home: Home) -> Home:
    return told(shop_home, Notifications(webhook="TEST_WEBHOOK"))


def told(home: Home, notifications: Notifications) -> Home:
    write_config(home, replace(read_config(home), notifications=notifications))
    return home


def lines(home: Home) -> list[dict[str, Any]]:
    path = home.logs / "notifications.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def of(number: int) -> Notification:
    return replace(FAILURE, key=f"run_failure:r{number}")


def test_what_is_told_is_a_line_of_the_file_and_a_call_of_the_webhook_once(
    home: Home, hook: Hook
) -> None:
    tell(home, [FAILURE, FAILURE])
    tell(home, [FAILURE])
    (line,) = lines(home)
    assert hook.got == [line]
    describes("notification", line)
    assert (line["kind"], line["home"], line["run_id" if "run_id" in line else "key"]) == (
        "run_failure", "home", "run_failure:r1",
    )  # fmt: skip
    assert line["text"] == "Unicus home: run r1: it stopped; read the log"


def test_only_what_was_asked_for_is_told(home: Home, hook: Hook) -> None:
    every = [replace(FAILURE, kind=kind, key=kind) for kind in EVENTS]
    tell(home, every)
    assert {one["kind"] for one in hook.got} == {"run_failure", "check_failed", "stale_source"}
    told(home, Notifications(("check_warned",), file=False, webhook="TEST_WEBHOOK"))
    tell(home, every)
    assert hook.got[-1]["kind"] == "check_warned"
    assert len(lines(home)) == 3
    assert len(hook.got) == 4


def test_without_a_word_in_home_yaml_the_file_alone_is_written(shop_home: Home) -> None:
    tell(shop_home, [FAILURE])
    assert [line["key"] for line in lines(shop_home)] == ["run_failure:r1"]
    assert waiting(shop_home) == 0


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_the_webhook_refuses_is_sent_later_in_its_order(
    home: Home, hook: Hook, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.status = status
    tell(home, [of(1), of(2)])
    assert waiting(home) == 2
    (failure,) = [line for line in lines(home) if line["kind"] == "webhook_failure"]
    describes("notification", failure)
    assert f"HTTP {status}" in failure["text"]
    assert check_notifications(home).state == "warn"
    hook.status = 200
    tell(home)
    assert [one["key"] for one in hook.got] == ["run_failure:r2"], "the first waits its time"
    later = time.time() + notify.WAIT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    tell(home)
    assert [one["key"] for one in hook.got] == ["run_failure:r2", "run_failure:r1"]
    assert waiting(home) == 0


def test_what_nobody_takes_is_given_up_and_the_file_says_so(
    home: Home, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.status, now = 503, time.time()
    tell(home, [FAILURE])
    for attempt in range(1, ATTEMPTS + 2):
        monkeypatch.setattr(time, "time", lambda at=attempt: now + 10 ** (at + 2))
        tell(home)
    told_of = [line["text"] for line in lines(home) if line["kind"] == "webhook_failure"]
    assert len(told_of) == ATTEMPTS
    assert "given up" in told_of[-1]
    assert not any("given up" in text for text in told_of[:-1])
    assert waiting(home) == 0


def test_a_webhook_that_does_not_answer_holds_nobody_up(
    home: Home, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT_SECONDS", 0.2)
    hook.delay = 1.5
    began = time.monotonic()
    tell(home, [of(number) for number in range(20)])
    assert time.monotonic() - began < 1.2
    assert waiting(home) == 20


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://hooks.example.com/T0/B0", ""),
        ("http://127.0.0.1:8065/hook", ""),
        ("http://localhost/hook", ""),
        ("http://[::1]:80/hook", ""),
        ("http://hooks.example.com/secret", "plain http is for this machine only"),
        ("http://127.0.0.1.example.com/secret", "plain http is for this machine only"),
        ("http://10.0.0.8/secret", "plain http is for this machine only"),
        ("file:///etc/secret", "no address of the form"),
        ("https://user:secret@example.com/", "no address of the form"),
        ("https://[secret", "holds no address"),
        ("https://example.com:secret/", "holds no address"),
        ("secret", "no address of the form"),
        ("", "not set"),
    ],
)
def test_an_address_is_https_or_of_this_machine_and_is_not_repeated(
    address: str, fault: str
) -> None:
    found = address_fault(address)
    assert fault in found
    assert bool(fault) == bool(found)
    assert "secret" not in found


def test_the_address_is_written_nowhere(
    home: Home,
    hook: Hook,
    unicus: Command,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logging.getLogger("unicus.notify").propagate = True
    with caplog.at_level(logging.DEBUG):
        for address in (hook.address, hook.address.replace("127.0.0.1", "host.invalid"),
                        f"http://127.0.0.1:1/{SECRET}", f"https://127.0.0.1:x/{SECRET}"):  # fmt: skip
            monkeypatch.setenv("TEST_WEBHOOK", address)
            (home.logs / "outbox.json").unlink(missing_ok=True)
            tell(home, [FAILURE])
            said = [caplog.text, json.dumps(lines(home)), str(check_notifications(home)),
                    settings_text(read_status(home)), home.config_path.read_text(),
                    (home.logs / "outbox.json").read_text()]  # fmt: skip
            assert SECRET not in "".join(said)
            assert "TEST_WEBHOOK" in said[2]


def test_a_missing_variable_is_known_to_the_doctor(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_WEBHOOK", raising=False)
    found = check_notifications(home)
    assert (found.state, "TEST_WEBHOOK" in found.remedy) == ("warn", True)
    assert check_notifications(told(home, Notifications(file=False))).state == "warn"
    assert check_notifications(told(home, Notifications())).state == "ok"


def test_telling_never_raises(
    home: Home, hook: Hook, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.logs / "outbox.json").write_text("[]")
    tell(home, [of(1)])
    assert [one["key"] for one in hook.got] == ["run_failure:r1"]
    home.config_path.write_text("{")
    tell(home, [of(2)])
    assert len(hook.got) == 1


@pytest.mark.parametrize(
    "written",
    [
        "{event: [run_failure]}", "{events: run_failure}", "{events: [run_failed]}", "{file: 'yes'}",
        "{on: [run_failure]}", "{webhook: 'https://hooks.example.com/T0'}", "{webhook: $HOOK}",
        "{webhook: 3}", "[run_failure]",
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_a_fault(shop_home: Home, written: str) -> None:
    with shop_home.config_path.open("a") as file:
        file.write(f"notifications: {written}\n")
    with pytest.raises(SettingFault) as caught:
        read_config(shop_home)
    assert caught.value.code == "bad-setting"


def test_what_is_written_into_home_yaml_is_read_back(shop_home: Home) -> None:
    for chosen in (Notifications(), Notifications((), file=False, webhook="A_B"), None):
        write_config(shop_home, replace(read_config(shop_home), notifications=chosen))
        assert read_config(shop_home).notifications == chosen
    assert Path(shop_home.config_path).read_text().count("notifications") == 0
