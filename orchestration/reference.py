"""The page `docs/commands.md`, written from the command line itself: `python -m orchestration.reference`.

What the options mean is said in `cli.py`, and here only what no option knows: settings, exit codes
and how to read the JSON. The errors have a page of their own, written by hand.
"""

from __future__ import annotations

import inspect

import click

from ml.questions import QUESTIONS
from orchestration.cli import EXAMPLES, READER_LEFT, SECTIONS, main
from orchestration.console import INTERRUPTED
from orchestration.defect import EXIT_CODE as DEFECT
from orchestration.markdown import table
from orchestration.settings import (
    DBT_VARIABLE,
    EVENTS,
    HOME_VARIABLE,
    MEMORY_VARIABLE,
    MOST_MEMORY,
    PROJECT,
    Notifications,
    Retention,
)

PAGE = PROJECT / "docs" / "commands.md"
Rows = list[tuple[str, ...]]

HEAD = f"""\
# Commands

Written by `python -m orchestration.reference`; a test holds it to the code.

stdout carries the result, stderr the talk. An error says what, where, why, what still stands and how
to mend it; [errors.md](errors.md) has a paragraph for each. Every verb works on one home, the folder
with all state: `--home`, else `{HOME_VARIABLE}`, else `.unicus/retailer` below the folder you
are in. A name may be misspelt: the nearest one is told.
"""

AUTOMATION = {
    "daily": "Cron expression, in the time zone of the home, of the run of everything.",
    "retraining": "Cron expression of the run that trains every question anew.",
    "identity_training": "Cron expression of the training of how records agree that are one person.",
    "landing_seconds": "How often is looked for new files, at least.",
}
RETENTION = {
    "dead_files_days": "Days after which rows that are undone or replaced may go, and their originals.",
    "snapshots_days": "Days after which a snapshot may go that no run stands on; its files stay as long.",
    "scores_days": "Days of which each has its scores; before, the first good day of each month.",
    "models_days": "Days after which a model may go that never was champion.",
    "runs_days": "Days of runs in Dagster's page.",
    "logs_days": "Days after which a log may go.",
}
SETTINGS: Rows = [
    ("`home`", f"`--home`, `{HOME_VARIABLE}`", "`.unicus/retailer`",
     "Folder with all state of one company or sample data set."),
    ("`business_timezone`", "`home.yaml`", "that of the first system",
     "Time zone in which days begin and end."),
    ("`reporting_currency`", "`home.yaml`", "that of the first system",
     "Currency of every amount; a system that sells in another is refused."),
    ("`predictions`", "`home.yaml`", "all",
     f"List of what is predicted, of {', '.join(f'`{question.name}`' for question in QUESTIONS)}."),
    ("`notifications.events`", "`home.yaml`", f"`{list(Notifications().events)}`".replace("'", ""),
     "What is told: " + "; ".join(f"`{name}`, {text}" for name, text in EVENTS.items()) + "."),
    ("`notifications.file`", "`home.yaml`", "`true`",
     "Whether each notification is a line of `logs/notifications.jsonl`."),
    ("`notifications.webhook`", "`home.yaml`", "none",
     "`${NAME}`, the environment variable with the address that each is posted to."),
    ("`postgres`", "`home.yaml`", "files in the home",
     "Database in which Dagster and MLflow keep their history, `postgresql://USER@HOST:PORT/DATABASE`."),
    ("`systems.<name>.folder`", "`home.yaml`", "`intake/systems`",
     "Folder that holds the system's own folder, with `source.yaml` and the mappings."),
    ("`systems.<name>.location`", "`home.yaml`", "`location` in `source.yaml`",
     "Where the system's files lie: a folder, or `package:<package>/<folder>`."),
    *((f"`retention.{name}`", "`home.yaml`", str(days), RETENTION[name])
      for name, days in vars(Retention()).items()),
    *((f"`automation.{name}`", "`home.yaml`", "none", text) for name, text in AUTOMATION.items()),
    (f"`{DBT_VARIABLE}`", "environment", "in process",
     "`cli` runs dbt as a process of its own: slower, and independent of dbt's inner parts."),
    (f"`{MEMORY_VARIABLE}`", "environment",
     f"{MOST_MEMORY // 10**9} GB, at most 60 % of the memory of the machine or its container",
     "Most memory that building the warehouse holds, such as `4GB`; above that it uses the disk."),
]  # fmt: skip

EXIT_CODES: Rows = [
    ("0", "what was asked is true now, also when nothing was new; quarantined rows fail no run",
     "goes on"),
    ("1", "it ran, and data or a check says no", "alerts the owner of the data"),
    ("2", "it did not start: a wrong option, name or setting, or a file that is missing",
     "alerts the engineer"),
    ("3", "busy: another run holds the home", "tries again"),
    (str(DEFECT), "a defect of Unicus", "sends the log"),
    (str(INTERRUPTED), "interrupted; nothing half-done is visible", "starts it again"),
    (str(READER_LEFT), "whoever read stdout left before the end", "goes on"),
]  # fmt: skip

JSON = """\
With `--json` stdout holds exactly one object, also on failure, and the talk stays on stderr. The first
key names its shape; under one number keys may be added, anything else raises it. Times are ISO 8601 in
UTC. A command that could not do its work gives `unicus.error/1`.

| object | given by | schema |
|---|---|---|
| `unicus.run/2` | `unicus run`, and `logs/<run>.json` in the home | [schema](schemas/unicus.run.2.json) |
| `unicus.new-system/1` | `unicus new-system` | [schema](schemas/unicus.new-system.1.json) |
| `unicus.check-system/1` | `unicus check-system` | [schema](schemas/unicus.check-system.1.json) |
| `unicus.status/1` | `unicus status` | [schema](schemas/unicus.status.1.json) |
| `unicus.loads/1` | `unicus loads` | [schema](schemas/unicus.loads.1.json) |
| `unicus.models/1` | `unicus models` | [schema](schemas/unicus.models.1.json) |
| `unicus.rollback/1` | `unicus models rollback` | [schema](schemas/unicus.rollback.1.json) |
| `unicus.explain_column/1` | `unicus explain column` | [schema](schemas/unicus.explain_column.1.json) |
| `unicus.explain_customer/1` | `unicus explain customer` | \
[schema](schemas/unicus.explain_customer.1.json) |
| `unicus.backfill/1` | `unicus backfill` | [schema](schemas/unicus.backfill.1.json) |
| `unicus.replay/1` | `unicus replay` | [schema](schemas/unicus.replay.1.json) |
| `unicus.undo/1` | `unicus undo` | [schema](schemas/unicus.undo.1.json) |
| `unicus.vacuum/1` | `unicus vacuum` | [schema](schemas/unicus.vacuum.1.json) |
| `unicus.backup/1` | `unicus backup` | [schema](schemas/unicus.backup.1.json) |
| `unicus.retailer/1` | `unicus retailer` | [schema](schemas/unicus.retailer.1.json) |
| `unicus.doctor/1` | `unicus doctor` | [schema](schemas/unicus.doctor.1.json) |
| `unicus.notification/1` | the webhook is posted | [schema](schemas/unicus.notification.1.json) |
| `unicus.error/1` | each of them, instead | [schema](schemas/unicus.error.1.json) |
"""

COMPLETION = """\
    eval "$(_UNICUS_COMPLETE=bash_source unicus)"

in `~/.bashrc` completes verbs, options and the names of systems; `zsh_source` and `fish_source` do the
same for those shells.
"""


def commands_page() -> str:
    """The whole page."""
    verbs = [main.commands[name] for names in SECTIONS.values() for name in names]
    settings = table(("setting", "set by", "default", "meaning"), SETTINGS)
    codes = table(("code", "means", "a scheduler"), EXIT_CODES)
    parts = [
        HEAD,
        *(part for verb in verbs for part in _verb(str(verb.name), verb)),
        "## Settings\n\nThe first place that has one wins. `unicus status --settings` shows each value"
        f" and where it came from.\n\n{settings}",
        f"## Exit codes\n\n{codes}",
        f"## JSON\n\n{JSON}",
        f"## Completion\n\n{COMPLETION}",
    ]
    return "\n".join(parts)


def _verb(words: str, verb: click.Command) -> list[str]:
    """A verb and its actions."""
    context = click.Context(verb, info_name=f"unicus {words}")
    examples = "".join(f"    {example}\n" for example in EXAMPLES[words])
    records = [param.get_help_record(context) for param in verb.params]
    options = [(f"`{one[0]}`", one[1].replace("  ", " ")) for one in records if one]
    shown = "\n" + table(("option", "meaning"), options) if options else ""
    actions = verb.commands if isinstance(verb, click.Group) else {}
    return [
        f"## unicus {words}\n\n{inspect.cleandoc(str(verb.help))}\n\n{examples}{shown}",
        *(part for name, one in actions.items() for part in _verb(f"{words} {name}", one)),
    ]


if __name__ == "__main__":
    PAGE.write_text(commands_page(), "utf-8")
