"""Faults of the input: what is wrong, where, why, and what to do about it.

How a fault is shown belongs to the console; what still stands after it belongs to the run.
"""


class InputFault(Exception):
    """Input that cannot be taken as it is.

    Attributes:
        code: stable name of the kind of fault, with a paragraph in `docs/errors.md`.
        subject: what the fault is about, usually `<system>/<entity>`.
        what: one sentence.
        where: file, line, row, field.
        why: the rule met against what was found; never a value of the data.
        fix: a line to write and a command to run.
        exit_code: 1 when the data says no, 2 when nothing could start.
    """

    def __init__(
        self,
        code: str,
        subject: str,
        what: str,
        *,
        where: str,
        why: str,
        fix: str,
        exit_code: int = 1,
    ) -> None:
        super().__init__(f"{subject}: {what}")
        self.code = code
        self.subject = subject
        self.what = what
        self.where = where
        self.why = why
        self.fix = fix
        self.exit_code = exit_code
