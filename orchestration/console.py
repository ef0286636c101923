"""The terminal: whether it is one, what it can show, and how progress, results and errors look.

stdout carries the result, stderr the talk. Nothing else in the project prints.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.status import Status

HEARTBEAT_SECONDS = 10.0
STDERR = 2
INTERRUPTED = 130
"""Exit code of what Ctrl-C ended, as shells have it."""
COLOURS = {"error": "31", "ok": "32", "warned": "33", "strong": "1"}


@dataclass(frozen=True)
class Manner:
    """How to speak in this process: told by the options, the environment and the streams."""

    is_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False
    has_colour: bool = False
    has_animation: bool = False

    @classmethod
    def of(
        cls, *, as_json: bool = False, quiet: bool = False, verbose: bool = False,
        no_color: bool = False,
    ) -> Manner:  # fmt: skip
        """Decide by our own test: Rich takes FORCE_COLOR for a terminal and animates into logs."""
        dumb = os.environ.get("TERM") == "dumb"
        animated = sys.stderr.isatty() and not dumb and "CI" not in os.environ and not quiet
        coloured = (
            sys.stderr.isatty()
            and sys.stdout.isatty()
            and not dumb
            and not no_color
            and "NO_COLOR" not in os.environ
        )
        return cls(as_json, quiet, verbose, coloured, animated)

    def painted(self, text: str, kind: str) -> str:
        """The text in the colour of its kind; what it means never hangs on the colour alone."""
        return f"\033[{COLOURS[kind]}m{text}\033[0m" if self.has_colour else text


def say(text: str) -> None:
    """Talk to the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def say_at_once(text: str) -> None:
    """Talk to the person from a signal's handler, where a line may be half-written already."""
    os.write(STDERR, f"{text}\n".encode())


def result(text: str) -> None:
    """Give the result, on stdout."""
    print(text, flush=True)


def result_json(value: dict[str, Any]) -> None:
    """Give the result as the one JSON object of stdout."""
    print(json.dumps(value, indent=1, default=str), flush=True)


def aligned(rows: Iterable[tuple[str, ...]], indent: str = "  ") -> str:
    """Rows as plain columns, nothing cut."""
    rows = list(rows)
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        (indent + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))).rstrip()
        for row in rows
    )


def size_text(count: int) -> str:
    """A number of bytes in its largest unit."""
    for size, unit in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def error_text(fault: Any, state: str, manner: Manner) -> str:
    """An error as a person reads it: what, where, why, what still stands, what to do."""
    what = getattr(fault, "what", "") or fault.why
    head = manner.painted(f"error[{fault.code}]", "error") + f": {fault.subject}: {what}"
    lines = [("where", fault.where), ("why", fault.why), ("state", state), ("fix", fault.fix),
             ("more", f"docs/errors.md#{fault.code}")]  # fmt: skip
    return head + "\n" + aligned([line for line in lines if line[1]])


def error_json(fault: Any, state: str) -> dict[str, str]:
    """The same error as JSON."""
    what = getattr(fault, "what", "") or fault.why
    return {
        "code": fault.code, "subject": fault.subject, "what": what, "where": fault.where,
        "why": fault.why, "state": state, "fix": fault.fix,
    }  # fmt: skip


class StageTalk:
    """Progress of a run on stderr: one moving line on a terminal, dated lines elsewhere."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._stage = ""
        self._began = self._spoke = 0.0
        self._text = ""
        self._status: Status | None = None

    def stage(self, name: str) -> None:
        """Close the stage before and open this one."""
        self.close()
        self._stage, self._text = name, ""
        self._began = self._spoke = time.monotonic()
        if self._manner.has_animation:
            from rich.console import Console

            self._status = Console(stderr=True, no_color=not self._manner.has_colour).status(name)
            self._status.start()
        else:
            self._line("...")

    def step(self, done: int, total: int, what: str) -> None:
        """Show how far the stage is: at once on a terminal, every ten seconds elsewhere."""
        text = f"{done}/{total} {what}"
        if self._status:
            self._status.update(f"{self._stage:<10}{done} of {total}   {what}")
        elif time.monotonic() - self._spoke >= HEARTBEAT_SECONDS:
            self._spoke = time.monotonic()
            self._line(f"... {self._seconds()} {text}")

    def note(self, text: str) -> None:
        """Keep what the stage came to, for its last line."""
        self._text = text

    def close(self, *, failed: bool = False) -> None:
        """End the open stage, if there is one."""
        if self._status:
            self._status.stop()
            self._status = None
            mark = self._manner.painted("✗" if failed else "✓", "error" if failed else "ok")
            say(f"  {mark} {self._stage:<10}{self._text:<46}{self._seconds():>8}")
        elif self._stage:
            self._line(f"{'failed' if failed else 'ok'} {self._seconds()} {self._text}".rstrip())
        self._stage = ""

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:.1f} s"

    def _line(self, text: str) -> None:
        if not self._manner.is_quiet:
            say(f"{datetime.now(UTC):%H:%M:%S} {self._stage:<9} {text}")
