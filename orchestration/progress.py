"""Progress of a run, as it happens: which stage, which table, how many.

The assets tell; whoever listens (the console, or nobody under the UI) shows it. What a run did in
the end is read from the home, not from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Listener(Protocol):
    """What the console implements."""

    def stage(self, name: str) -> None:
        """A stage begins; the one before it is over."""

    def step(self, done: int, total: int, what: str) -> None:
        """Within the stage: `done` of `total`, and what is at work."""

    def note(self, text: str) -> None:
        """What the stage came to, in a few words."""


class _Nobody:
    def stage(self, name: str) -> None: ...

    def step(self, done: int, total: int, what: str) -> None: ...

    def note(self, text: str) -> None: ...


class FaultLike(Protocol):
    """An exception that can be shown: every room has its own, with these attributes."""

    code: str
    subject: str
    what: str
    where: str
    why: str
    fix: str


def explains_itself(error: object) -> bool:
    """Whether an exception can be shown; libraries below raise some with a `code` and no more."""
    return all(hasattr(error, part) for part in ("code", "subject", "where", "why", "fix"))


@dataclass
class Progress:
    """The run that this process executes; there is one at a time."""

    listener: Listener = field(default_factory=_Nobody)
    faults: list[FaultLike] = field(default_factory=list)
    current: str = ""

    def stage(self, name: str) -> None:
        """Begin a stage, once."""
        if name != self.current:
            self.current = name
            self.listener.stage(name)

    def step(self, done: int, total: int, what: str) -> None:
        """Say how far the stage is."""
        self.listener.step(done, total, what)

    def note(self, text: str) -> None:
        """Say what the stage came to."""
        self.listener.note(text)


progress = Progress()
