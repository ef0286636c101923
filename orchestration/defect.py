"""A defect of ours: an exception that nobody foresaw, kept in full in a log and shown in one line.

What the data or the settings do wrong is a fault, and each room has its own.
"""

from __future__ import annotations

import platform
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import version

from orchestration.settings import Home

EXIT_CODE = 70


class Defect:
    """What an error shows of an unforeseen exception: only its kind, for its text may hold data."""

    code = "internal"
    exit_code = EXIT_CODE
    why = "this is a defect of Unicus, not of your data"
    fix = "run again with  --verbose  and send the log"

    def __init__(self, subject: str, kind: str, where: str) -> None:
        self.subject = subject
        self.what = f"{kind or 'an unknown error'} in {subject}"
        self.where = where


def keep_defect(home: Home, verb: str, error: Exception) -> Defect:
    """Write the exception with the versions at work into the home's logs.

    Without a folder to write in, `--verbose` is the only way to see it; no home is made for a log.
    """
    head = f"unicus {version('unicus')}, Python {sys.version}, {platform.platform()}\n"
    path = home.logs / f"internal-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.log"
    try:
        path.write_text(head + traceback_text(error), "utf-8")
    except OSError:
        return Defect(verb, type(error).__name__, "no log: the home has no folder for it")
    return Defect(verb, type(error).__name__, str(path))


def traceback_text(error: Exception) -> str:
    """The traceback as Python shows it."""
    return "".join(traceback.format_exception(error))
