"""The one exception of this room, with the parts an error message is made of.

Belongs here: its shape. How it is shown is for whoever catches it.
"""

from __future__ import annotations


class MlError(Exception):
    """A fault in what predictions were given, told so that a person can mend it.

    Attributes:
        code: Stable short name, such as `features-missing`.
        subject: The table or model it is about.
        where: Path or place to look at.
        why: The rule met against what was found, without any value of the data.
        fix: What to do.
    """

    def __init__(self, code: str, subject: str, *, where: str, why: str, fix: str) -> None:
        """Keep the parts; the message is subject and reason in one sentence."""
        super().__init__(f"{subject}: {why}")
        self.code = code
        self.subject = subject
        self.where = where
        self.why = why
        self.fix = fix
