"""The fault of this room: what cannot be explained, with what an error shows."""

from __future__ import annotations


class ExplainFault(Exception):
    """A customer that cannot be explained; carries what an error shows."""

    exit_code = 2

    def __init__(
        self, code: str, subject: str, what: str, *, where: str, why: str, fix: str
    ) -> None:
        super().__init__(what)
        self.code, self.subject, self.what = code, subject, what
        self.where, self.why, self.fix = where, why, fix
