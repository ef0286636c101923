"""Being told: what happens to a home, as lines of a file and calls of a webhook.

Belongs here: what a notification is, who gets it, and what becomes of one that nobody took. Does not
belong here: when something is worth telling (`defs/watch.py` and the end of a run). Telling never
fails a run and holds it up for seconds at most. A notification has names, counts and dates, never a
value of the data.

Light: it is also called where no Dagster is loaded.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import logging
import os
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from orchestration.settings import Home, Notifications, read_config

log = logging.getLogger("unicus.notify")

SCHEMA = "unicus.notification/1"
FILE = "notifications.jsonl"
OUTBOX = "outbox.json"
TIMEOUT_SECONDS = 5.0
ATTEMPTS = 6
WAIT_SECONDS = 60.0
"""Before the second attempt; each wait is five times the one before, the last ten hours."""
REMEMBERED = 1000


@dataclass(frozen=True)
class Notification:
    """Something a person should know.

    Attributes:
        kind: one of `settings.EVENTS`.
        key: names the occasion; what was told once is not told again.
        subject: what it is about: a run, a check, `<system>/<entity>`.
        what: one sentence; no value of the data.
        fix: what to do.
        where: the log or the file to look into.
        run_id: the run it happened in, if in one.
    """

    kind: str
    key: str
    subject: str
    what: str
    fix: str
    where: str = ""
    run_id: str = ""


def tell(home: Home, notifications: Iterable[Notification] = ()) -> None:
    """Write and send what is new among `notifications`, and what the webhook did not take before.

    Never raises: what goes wrong here is written in the log.
    """
    try:
        _tell(home, list(notifications))
    except Exception as error:
        log.warning("notifications could not be told (%s)", type(error).__name__)


def told_of(home: Home, run_id: str) -> bool:
    """Whether anything was told of the run."""
    return any(run_id in key for key in _read(home)["told"])


def waiting(home: Home) -> int:
    """How many the webhook has not taken yet."""
    return len(_read(home)["waiting"])


def _tell(home: Home, notifications: list[Notification]) -> None:
    wanted = read_config(home).notifications or Notifications()
    with _outbox(home) as box:
        new = [
            one for one in notifications if one.kind in wanted.events and one.key not in box["told"]
        ]
        messages = [_message(home, one) for one in {one.key: one for one in new}.values()]
        box["told"] = [*box["told"], *(one["key"] for one in messages)][-REMEMBERED:]
        if wanted.file:
            _write(home, messages)
        if wanted.webhook is None:
            box["waiting"] = []
            return
        box["waiting"] += [{"message": one, "attempts": 0, "not_before": 0.0} for one in messages]
        failure = _send_waiting(box, wanted.webhook)
        if failure:
            log.warning("%s", failure["text"])
            if wanted.file:
                _write(home, [failure | {"home": home.root.name}])


def _message(home: Home, notification: Notification) -> dict[str, Any]:
    """What is written and sent; `text` is what chat services show."""
    told = {key: value for key, value in asdict(notification).items() if value}
    text = (
        f"Unicus {home.root.name}: {notification.subject}: {notification.what}; {notification.fix}"
    )
    return {"schema": SCHEMA, "at": _now(), "home": home.root.name, **told, "text": text}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(home: Home, messages: list[dict[str, Any]]) -> None:
    with (home.logs / FILE).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in messages)


@contextmanager
def _outbox(home: Home) -> Iterator[dict[str, Any]]:
    """What was told and what still waits, for one process at a time."""
    home.logs.mkdir(parents=True, exist_ok=True)
    with (home.logs / f".{OUTBOX}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        box = _read(home)
        before = json.dumps(box)
        yield box
        if json.dumps(box) != before:
            from intake.lake import write_text_durably

            write_text_durably(home.logs / OUTBOX, json.dumps(box, indent=1))


def _read(home: Home) -> dict[str, Any]:
    """The outbox; one that cannot be read begins anew."""
    try:
        box = json.loads((home.logs / OUTBOX).read_text("utf-8"))
        return {"told": list(box["told"]), "waiting": list(box["waiting"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"told": [], "waiting": []}


def _send_waiting(box: dict[str, Any], variable: str) -> dict[str, Any] | None:
    """Send what is due, oldest first, up to the first failure; return what to write of that.

    A webhook that does not take one would not take the next, and each takes its seconds.
    """
    now, deadline = time.time(), time.monotonic() + 2 * TIMEOUT_SECONDS
    for one in list(box["waiting"]):
        if one["not_before"] > now or time.monotonic() > deadline:
            continue
        why = send(variable, one["message"])
        if not why:
            box["waiting"].remove(one)
            continue
        one["attempts"] += 1
        one["not_before"] = now + WAIT_SECONDS * 5 ** (one["attempts"] - 1)
        is_last = one["attempts"] >= ATTEMPTS
        if is_last:
            box["waiting"].remove(one)
        then = "it is given up" if is_last else "it is tried again later"
        return {
            "schema": SCHEMA, "at": _now(), "kind": "webhook_failure", "key": one["message"]["key"],
            "text": f"the webhook of ${variable} did not take a notification: {why}; {then}",
        }  # fmt: skip
    return None


def send(variable: str, message: dict[str, Any]) -> str:
    """Post one message; return why it was not taken, in words that hold nothing of the address."""
    address = os.environ.get(variable, "")
    fault = address_fault(address)
    if fault:
        return fault
    told: list[str] = []
    # In a thread, for no timeout of a socket covers the look-up of a name or a slow trickle.
    thread = threading.Thread(target=lambda: told.append(_post(address, message)), daemon=True)
    thread.start()
    thread.join(TIMEOUT_SECONDS)
    return told[0] if told else f"no answer within {TIMEOUT_SECONDS:.0f} s"


def address_fault(address: str) -> str:
    """What is wrong with the address of a webhook, without repeating it; empty for a good one."""
    if not address:
        return "the variable is not set"
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "the variable holds no address"
    if not host or parts.scheme not in {"http", "https"} or parts.username is not None:
        return "the variable holds no address of the form https://host/path"
    if parts.scheme == "http" and not _is_loopback(host):
        return "plain http is for this machine only, elsewhere it is https"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could lead anywhere, and would turn the call into a GET."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def _post(address: str, message: dict[str, Any]) -> str:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if _is_loopback(urlsplit(address).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        address, json.dumps(message).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS):
            return ""
    except HTTPError as error:
        return f"HTTP {error.code}"
    except Exception as error:  # its text may repeat the address
        return f"it cannot be reached ({type(error).__name__})"
