"""The command line: verbs, options and exit codes. What a verb does lies behind it.

Only light imports here: a verb that needs no Dagster answers in under half a second.
"""

from __future__ import annotations

import difflib
import gc
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from orchestration.console import (
    INTERRUPTED,
    Manner,
    StageTalk,
    error_json,
    error_text,
    result,
    result_json,
    say,
)
from orchestration.settings import (
    HOME_VARIABLE,
    Home,
    SettingFault,
    read_config,
    refuse_unmade_sample,
)

READER_LEFT = 141
MONTH = ["%Y-%m", "%Y-%m-%d"]
WORLDS = ("base", "plain", "no_effect", "no_season", "heavy_tails", "anonymous", "one_channel")
"""Of the retailer; named here so that help needs no numpy."""
ORIGINS = {"COMMANDLINE": "option", "ENVIRONMENT": "environment"}
SECTIONS = {
    "Start": ["run", "new-system", "check-system"],
    "Look": ["status", "loads", "models", "explain", "ui"],
    "Operate": ["backfill", "undo", "replay", "train-identity", "vacuum", "backup", "doctor"],
    "Try": ["retailer"],
}
EXAMPLES = {
    "run": ("unicus run", "unicus run --home /data/shop --system shop --systems-dir my_systems"),
    "new-system": (
        "unicus new-system shop --from orders.csv",
        "unicus new-system shop --from sales.csv --from clients.csv --systems-dir my_systems",
    ),
    "check-system": ("unicus check-system shop", "unicus check-system shop --full --json"),
    "status": ("unicus status", "unicus status --settings"),
    "loads": ("unicus loads", "unicus loads --system shop --quarantine"),
    "models": ("unicus models", "unicus models --json"),
    "models rollback": (
        "unicus models rollback clv_90d --dry-run",
        "unicus models rollback clv_90d --to 3 --yes",
    ),
    "explain": (
        "unicus explain customer retailer_shop:W00825182",
        "unicus explain column customer_360.value_tier",
    ),
    "explain column": (
        "unicus explain column customer_360.value_tier",
        "unicus explain column marts.customer_360.net_revenue_amount --json",
    ),
    "explain customer": (
        "unicus explain customer retailer_shop:W00825182",
        "unicus explain customer 8f2c61 --orders 20",
        "unicus explain customer 8f2c61 --json",
    ),
    "explain pair": (
        "unicus explain pair retailer_shop:W00825182 retailer_crm:C148322274",
        "unicus explain pair retailer_shop:W00825182 retailer_crm:C148322274 --json",
    ),
    "backfill": ("unicus backfill --dry-run", "unicus backfill 2025-06 2025-12"),
    "undo": ("unicus undo 3f9c12 --dry-run", "unicus undo 3f9c12 --restore --yes"),
    "vacuum": ("unicus vacuum --dry-run", "unicus vacuum --yes --quiet"),
    "replay": ("unicus replay --dry-run", "unicus replay --system shop --entity orders --yes"),
    "train-identity": (
        "unicus train-identity --dry-run",
        "unicus train-identity --most-changed 0.10 --yes",
    ),
    "backup": ("unicus backup /backup/shop", "unicus backup /backup/shop --dry-run --json"),
    "retailer": (
        "unicus retailer",
        "unicus retailer --customers 100000 --seed 7 --world no_effect --folder try/no_effect",
    ),
    "ui": ("unicus ui", "unicus ui --home /data/shop --port 3001"),
    "doctor": ("unicus doctor", "unicus doctor --deep --json"),
}


class Verb(click.Command):
    """A verb whose help has its examples first and its page last."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the verb does, then its examples."""
        super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        for example in EXAMPLES[_words(ctx)]:
            formatter.write(f"    {example}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where to read on."""
        anchor = _words(ctx).replace(" ", "-")
        formatter.write(f"\nMore: docs/commands.md#unicus-{anchor}\n")


def _words(ctx: click.Context) -> str:
    """What follows `unicus` on the command line: `run`, `models rollback`."""
    above = _words(ctx.parent) if ctx.parent else ""
    return f"{above} {ctx.info_name}".strip() if ctx.parent else ""


class NearestName(click.Group):
    """Verbs, with the nearest name for a misspelt one."""

    command_class = Verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may be meant."""
        if args and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            ctx.fail(f'There is no verb "{args[0]}".{hint}')
        return super().resolve_command(ctx, args)


class VerbWithActions(Verb, NearestName):
    """A verb that looks, and whose actions change what it looks at."""


class Verbs(NearestName):
    """Verbs by purpose."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a wrong option is told as JSON too when JSON was asked for."""
        wants_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if wants_json:
                result_json(_error_object(_WrongUsage(error), ""))
            raise

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what this is, then two examples."""
        super().format_help_text(ctx, formatter)
        formatter.write("\n    unicus run\n    unicus run --as-of 2026-01-01\n")

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs in their sections."""
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(n, self.commands[n].get_short_help_str(200)) for n in names])


@click.group(
    cls=Verbs,
    options_metavar="",
    subcommand_metavar="VERB [OPTIONS]",
    epilog="More: docs/commands.md",
)
@click.version_option(package_name="unicus", prog_name="unicus")
def main() -> None:
    """Every signal a customer leaves, one view of the customer, on your own machine."""
    # Tools below write their own words into the log, never on the screen.
    os.environ.setdefault("PYTHONWARNINGS", "ignore")


class _WrongUsage:
    """What the JSON of an error shows of a command line that was not understood."""

    code = "usage"
    exit_code = 2
    where = "command line"

    def __init__(self, error: click.UsageError) -> None:
        path = error.ctx.command_path if error.ctx else "unicus"
        self.subject = path
        self.what = self.why = error.format_message()
        self.fix = f"{path} --help"


def home_option(verb: Callable[..., Any]) -> Callable[..., Any]:
    """`--home`, the same for every verb."""
    return click.option(
        "--home", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        envvar=HOME_VARIABLE,
        help=f"Folder with all state. [env: {HOME_VARIABLE}] [default: .unicus/retailer]",
    )(verb)  # fmt: skip


def manner_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """How to speak, the same for every verb."""
    for flag, text in (
        ("--no-color", "No colour. [env: NO_COLOR]"),
        ("--verbose", "Show what the log says of an unexpected error."),
        ("--quiet", "No progress."),
        ("--json", "One JSON object on stdout."),
    ):
        name = {"--json": "as_json"}.get(flag, flag[2:].replace("-", "_"))
        verb = click.option(flag, name, is_flag=True, help=text)(verb)
    return verb


def _system_names(
    ctx: click.Context, _option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Systems whose name begins like this, for the shell's completion."""
    from intake.source import SYSTEMS, find_systems

    own = ctx.params.get("systems_dir")
    names = find_systems([SYSTEMS, *([Path(own)] if own else [])])
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


@main.command()
@home_option
@click.option("--system", "systems", multiple=True, metavar="NAME", shell_complete=_system_names,
              help="Load only this system; may be repeated.")  # fmt: skip
@click.option("--systems-dir", type=click.Path(exists=True, file_okay=False), metavar="DIR",
              help="A folder with systems of your own.")  # fmt: skip
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="Stand at this date. [default: the day after the last complete day]")  # fmt: skip
@click.option("--no-skip", is_flag=True, help="Run even when nothing is new.")
@click.option("--retrain", is_flag=True,
              help="Train every model anew. [default: after 30 days, or with new code]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be loaded, change nothing.")
@manner_options
def run(
    home: Path | None, systems: tuple[str, ...], systems_dir: str | None, as_of: datetime | None,
    no_skip: bool, retrain: bool, dry_run: bool, **how: bool,
) -> None:  # fmt: skip
    """Materialize every asset: load, resolve, transform, predict, publish."""
    from orchestration.run import Request

    place = _place(home)
    manner = Manner.of(**how)
    day = as_of.date() if as_of else None
    request = Request(place, systems, systems_dir or "", day, no_skip, retrain)
    act = _plan if dry_run else _run
    _guarded(place, manner, lambda: act(request, manner))


def _plan(request: Any, manner: Manner) -> int:
    from orchestration.run import plan

    say(f"Unicus · home {request.home.root}")
    ending = plan(request)
    _give(ending.value, ending.text, manner)
    return ending.exit_code


def _run(request: Any, manner: Manner) -> int:
    from orchestration import lock
    from orchestration.run import settle_config, start

    # The process ends with the run; looking for cycles among the objects of thousands of modules
    # costs a second and frees nothing.
    gc.disable()
    say(f"Unicus · home {request.home.root}")
    settle_config(request)
    request.home.create()
    with lock.hold(request.home.root):
        ending = start(request, manner)
    _give(ending.value, ending.text, manner)
    return ending.exit_code


@main.command("new-system")
@click.argument("name")
@click.option("--from", "files", multiple=True, required=True, metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file of the system; may be repeated.")  # fmt: skip
@click.option("--systems-dir", default="systems", show_default=True, metavar="DIR",
              type=click.Path(file_okay=False, path_type=Path),
              help="The folder to write the system's own folder into.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be written, write nothing.")
@manner_options
def new_system(
    name: str, files: tuple[Path, ...], systems_dir: Path, dry_run: bool, **how: bool
) -> None:  # fmt: skip
    """Look at files of your own and write the system NAME that reads them."""
    manner = Manner.of(**how)

    def write() -> int:
        from orchestration import own_files

        value, text = own_files.new_system(name, files, systems_dir, dry_run=dry_run)
        _give(value, text, manner)
        return 0

    _guarded(_place(None), manner, write)


@main.command("check-system")
@click.argument("name", shell_complete=_system_names)
@home_option
@click.option("--systems-dir", type=click.Path(exists=True, file_okay=False, path_type=Path),
              metavar="DIR",
              help="A folder with systems of your own. [default: the home's, else ./systems]")  # fmt: skip
@click.option("--rows", type=click.IntRange(min=1), default=10_000, show_default=True, metavar="N",
              help="Rows of each file to look at.")  # fmt: skip
@click.option("--full", is_flag=True, help="Look at every row.")
@manner_options
def check_system(
    name: str, home: Path | None, systems_dir: Path | None, rows: int, full: bool, **how: bool
) -> None:  # fmt: skip
    """Say what a load of the system NAME would accept, refuse and leave empty; load nothing."""
    place, manner = _place(home), Manner.of(**how)

    def examine() -> int:
        from orchestration import own_files

        system = own_files.find_system(name, systems_dir, place)
        value, text, code = own_files.check_system(system, None if full else rows)
        _give(value, text, manner)
        return code

    _guarded(place, manner, examine)


@main.command()
@home_option
@click.option("--settings", "show_settings", is_flag=True, help="Each setting and its origin.")
@manner_options
def status(home: Path | None, show_settings: bool, **how: bool) -> None:
    """Say what the home holds, what BI reads, and who is at work."""
    place, manner = _place(home), Manner.of(**how)

    def show() -> int:
        from orchestration.status import read_status, settings_text, status_text

        value = read_status(place, _origin("home"))
        _give(value, settings_text(value) if show_settings else status_text(value), manner)
        return 0

    _guarded(place, manner, show)


@main.command()
@home_option
@click.option("--system", default="", metavar="NAME", help="Only loads of this system.")
@click.option("--entity", default="", metavar="NAME", help="Only loads that feed this entity.")
@click.option("--quarantine", is_flag=True, help="What was refused: field, reason, count, rows.")
@click.option("--all", "is_all", is_flag=True, help="Those undone or replaced too.")
@manner_options
def loads(
    home: Path | None, system: str, entity: str, quarantine: bool, is_all: bool, **how: bool
) -> None:
    """List the loads: which file fed what, and what became of its rows."""
    place, manner = _place(home), Manner.of(**how)

    def show() -> int:
        from orchestration.loads import Wanted, loads_text, read_loads

        value = read_loads(place, Wanted(system, entity, is_all, quarantine))
        _give(value, loads_text(value), manner)
        return 0

    _guarded(place, manner, show)


@main.group(cls=VerbWithActions, invoke_without_command=True, subcommand_metavar="[ACTION]")
@home_option
@manner_options
@click.pass_context
def models(ctx: click.Context, /, home: Path | None, **how: bool) -> None:
    """List the models: each version with its evidence, and which one is the champion."""
    if ctx.invoked_subcommand:
        if any(_origin(name) == "option" for name in ctx.params):
            ctx.fail(f'Options come after "{ctx.invoked_subcommand}".')
        return
    place, manner = _place(home), Manner.of(**how)

    def show() -> int:
        from orchestration.models import models_text, read_models

        value = read_models(place)
        _give(value, models_text(value), manner)
        return 0

    _guarded(place, manner, show)


@models.command()
@click.argument("name", metavar="NAME")
@home_option
@click.option("--to", "number", default="", metavar="VERSION",
              help="This version. [default: the one before the champion]")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@manner_options
def rollback(
    name: str, home: Path | None, number: str, dry_run: bool, is_sure: bool, **how: bool
) -> None:
    """Make an earlier version of the model NAME the champion again. The next run scores with it."""
    place, manner = _place(home), Manner.of(**how)

    def act() -> int:
        from orchestration import models as verbs

        change = verbs.plan_rollback(place, name, number)
        return _change(verbs, change, manner, is_dry=dry_run, is_sure=is_sure)

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, act)


@main.group(cls=VerbWithActions, subcommand_metavar="THING")
def explain() -> None:
    """Say where something that is published comes from."""


def _column_names(
    _ctx: click.Context, _option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Public columns that begin like this, for the shell's completion."""
    from orchestration.explain_column import known_graph

    names = (f"{table.split('/')[1]}.{column}"
             for table, columns in known_graph().public.items() for column in columns)  # fmt: skip
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


@explain.command("column")
@click.argument("name", metavar="TABLE.COLUMN", shell_complete=_column_names)
@manner_options
def explain_column(name: str, **how: bool) -> None:
    """Say which raw columns a column of a public table is made of, and by which way."""
    manner = Manner.of(**how)

    def show() -> int:
        from orchestration import explain_column as verb

        graph = verb.known_graph()
        column = verb.find_column(graph, name)
        text = verb.explain_column_text(graph, column)
        _give(verb.explain_column(graph, column), text, manner)
        return 0

    _guarded(_place(None), manner, show)


@explain.command("customer")
@click.argument("asked", metavar="ID")
@home_option
@click.option("--orders", type=click.IntRange(min=0), default=5, show_default=True, metavar="N",
              help="How many of the newest orders the page shows; the JSON has all.")  # fmt: skip
@manner_options
def explain_customer(asked: str, home: Path | None, orders: int, **how: bool) -> None:
    """Trace a row of customer_360 to scores, models, loads, files and lines.

    ID is a customer id, how one begins, or a record key as SYSTEM:KEY.
    """
    place, manner = _place(home), Manner.of(**how)

    def show() -> int:
        from orchestration.explain_customer import explanation_text, read_explanation

        value = read_explanation(place, asked)
        _give(value, explanation_text(value, orders), manner)
        return 0

    _guarded(place, manner, show)


@explain.command("pair")
@click.argument("left", metavar="SYSTEM:KEY")
@click.argument("right", metavar="SYSTEM:KEY")
@home_option
@manner_options
def explain_pair(left: str, right: str, home: Path | None, **how: bool) -> None:
    """Say why two records are one customer, or why not."""
    place, manner = _place(home), Manner.of(**how)

    def show() -> int:
        from orchestration.explain_pair import pair_text, read_pair

        value = read_pair(place, left, right)
        _give(value, pair_text(value), manner)
        return 0

    _guarded(place, manner, show)


@main.command()
@click.argument("first", required=False, metavar="[FROM]", type=click.DateTime(MONTH))
@click.argument("last", required=False, metavar="[TO]", type=click.DateTime(MONTH))
@home_option
@click.option("--dry-run", is_flag=True, help="Say which months are missing, change nothing.")
@manner_options
def backfill(
    home: Path | None, first: datetime | None, last: datetime | None, dry_run: bool, **how: bool
) -> None:
    """Fill in the value history at the month starts FROM to TO, all there are without them."""
    place, manner = _place(home), Manner.of(**how)

    def act() -> int:
        from orchestration import backfill as verbs
        from orchestration import lock

        asked = place, first.date() if first else None, last.date() if last else None
        plan = verbs.plan_backfill(*asked)
        if dry_run:
            value = verbs.backfill_value(plan, "planned")
            _give(value, verbs.backfill_text(value), manner)
            return 0
        with lock.hold(place.root):
            ending = verbs.carry_out(verbs.plan_backfill(*asked), manner)
        _give(ending.value, ending.text, manner)
        return ending.exit_code

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, act)


@main.command()
@click.argument("load", metavar="LOAD")
@home_option
@click.option("--restore", is_flag=True, help="Bring back a load that was undone.")
@click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@manner_options
def undo(
    load: str, home: Path | None, restore: bool, dry_run: bool, is_sure: bool, **how: bool
) -> None:
    """Take a load out of everything; LOAD is its id or how it begins. The next run rebuilds."""
    place, manner = _place(home), Manner.of(**how)

    def act() -> int:
        from orchestration import loads as verbs

        change = verbs.plan_change(place, load, is_restore=restore)
        return _change(verbs, change, manner, is_dry=dry_run, is_sure=is_sure)

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, act)


@main.command()
@home_option
@click.option("--system", default="", metavar="NAME", help="Only what this system delivered.")
@click.option("--entity", default="", metavar="NAME", help="Only what feeds this entity.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="Only files of this day on, by the date in their name or of their load.")  # fmt: skip
@click.option("--all", "is_all", is_flag=True, help="Those too whose rules have not changed.")
@click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@manner_options
def replay(
    home: Path | None, system: str, entity: str, since: datetime | None, is_all: bool,
    dry_run: bool, is_sure: bool, **how: bool,
) -> None:  # fmt: skip
    """Read what was loaded again from the kept files, by the mapping and contract of now."""
    place, manner = _place(home), Manner.of(**how)

    def act() -> int:
        from orchestration import replay as verbs

        asked = verbs.Asked(system, entity, since.date() if since else None, is_all)
        change = verbs.plan_replay(place, asked)
        return _change(verbs, change, manner, is_dry=dry_run, is_sure=is_sure)

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, act)


def _change(verbs: Any, change: Any, manner: Manner, *, is_dry: bool, is_sure: bool) -> int:
    """Show the plan, ask, and do it."""
    status = "nothing_new" if change.is_done else "planned"
    if not is_dry and not change.is_done:
        if not is_sure and not _agrees(verbs, change):
            say("Nothing changed")
            return 2
        change, status = _carry_out(verbs, change)
    _give(verbs.change_value(change, status), verbs.change_text(change, status), manner)
    return 0


def _agrees(verbs: Any, change: Any) -> bool:
    """Show the plan and ask; refuse where there is no terminal to ask on."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingFault(
            "not-confirmed", change.subject, "nobody said yes", where="command line",
            why="this changes the home, and here is no terminal to ask on",
            fix=f"{change.verb} --yes    (--dry-run shows the plan)",
        )  # fmt: skip
    say(verbs.change_text(change, "planned"))
    return click.confirm("Do it?", err=True)


def _carry_out(verbs: Any, change: Any) -> tuple[Any, str]:
    """Plan once more under the lock, so that what is done is what is there now."""
    from orchestration import lock

    with lock.hold(change.home.root):
        change = verbs.plan_again(change)
        if change.is_done:
            return change, "nothing_new"
        return verbs.carry_out(change), "done"


@main.command("train-identity")
@home_option
@click.option("--most-changed", type=click.FloatRange(0, 1), default=0.05, show_default=True,
              metavar="SHARE", help="Share of the records whose customer may change.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say who would merge and part, change nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@manner_options
def train_identity(
    home: Path | None, most_changed: float, dry_run: bool, is_sure: bool, **how: bool
) -> None:
    """Learn anew how records agree that are one person, and use it from the next run on."""
    place, manner = _place(home), Manner.of(**how)

    def act() -> int:
        from orchestration import train_identity as verbs

        change = verbs.plan_training(place, most_changed)
        return _change(verbs, change, manner, is_dry=dry_run, is_sure=is_sure)

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, act)


@main.command()
@home_option
@click.option("--dry-run", is_flag=True, help="Say what would go, change nothing.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@manner_options
def vacuum(home: Path | None, dry_run: bool, is_sure: bool, **how: bool) -> None:
    """Remove what nobody needs any more: dead rows, old scores, models, history, logs."""
    place, manner = _place(home), Manner.of(**how)

    def act() -> int:
        from orchestration import vacuum as verbs

        change = verbs.plan_vacuum(place)
        return _change(verbs, change, manner, is_dry=dry_run, is_sure=is_sure)

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, act)


@main.command()
@click.argument("target", metavar="TARGET", type=click.Path(file_okay=False, path_type=Path))
@home_option
@click.option("--dry-run", is_flag=True, help="Say what would be copied, copy nothing.")
@manner_options
def backup(target: Path, home: Path | None, dry_run: bool, **how: bool) -> None:
    """Copy what the home cannot be rebuilt without to the folder TARGET; a run may be at work."""
    place, manner = _place(home), Manner.of(**how)

    def copy() -> int:
        from orchestration import backup as verb

        made = verb.plan_backup(place, target) if dry_run else verb.back_up(place, target)
        status = "planned" if dry_run else "done"
        _give(verb.backup_value(made, status), verb.backup_text(made, status), manner)
        return 0

    say(f"Unicus · home {place.root}")
    _guarded(place, manner, copy)


@main.command()
@home_option
@click.option(
    "--deep", is_flag=True, help="Read every system and load the whole graph; takes some seconds."
)
@manner_options
def doctor(home: Path | None, deep: bool, **how: bool) -> None:
    """Check the machine and the home, one line per check with its remedy."""
    place, manner = _place(home), Manner.of(**how)

    def examine() -> int:
        from orchestration.doctor import examine_home, findings_text

        value = examine_home(place, deep=deep)
        _give(value, findings_text(value, manner), manner)
        return int(value["exit_code"])

    _guarded(place, manner, examine)


@main.command()
@click.option("--customers", type=click.IntRange(1, 10_000_000), default=10_000, show_default=True,
              metavar="N", help="Persons, those who never buy among them.")  # fmt: skip
@click.option("--months", type=click.IntRange(1, 96), default=30, show_default=True, metavar="M",
              help="Months of history.")  # fmt: skip
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), default="2026-06-30", show_default=True,
              metavar="DATE", help="Last day of history.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="S",
              help="Of all that is drawn; the same seed gives the same files.")  # fmt: skip
@click.option("--world", type=click.Choice(WORLDS), default=WORLDS[0], show_default=True,
              help="What holds in it; docs/retailer.md tells each.")  # fmt: skip
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              default=".unicus/retailer", show_default=True,
              help="Gets landing, the files of the systems, and truth, which none reads.")  # fmt: skip
@manner_options
def retailer(
    customers: int, months: int, end: datetime, seed: int, world: str, folder: Path, **how: bool
) -> None:
    """Make the landing files of a retailer, whose people follow a known model, and the truth beside."""
    place, manner = Home(folder.resolve()), Manner.of(**how)

    def act() -> int:
        from orchestration import make_retailer as verb

        wanted = verb.Wanted(place.root, customers, months, end.date(), seed, world)
        value = verb.make(wanted, StageTalk(manner))
        _give(value, verb.text(value), manner)
        return 0

    say(f"Unicus · {world} world, {customers:,} customers, seed {seed}, into {place.root}")
    _guarded(place, manner, act)


@main.command()
@home_option
@click.option("--port", type=int, help="Port on this machine. [default: 3000; 5000 of models]")
@click.option("--only", type=click.Choice(["code", "webserver", "daemon", "models"]),
              help="One part alone, for a service manager; models is MLflow's server.")  # fmt: skip
def ui(home: Path | None, port: int | None, only: str | None) -> None:
    """Serve the Dagster UI on the home, with the daemon, until Ctrl-C."""
    place, manner = _place(home), Manner.of()

    def serve() -> int:
        from orchestration.ui import PORTS, become, serve_ui

        refuse_unmade_sample(place, read_config(place))
        if only:
            become(place, only, port or PORTS[only])
            return 0
        return serve_ui(place, port or PORTS["webserver"])

    _guarded(place, manner, serve)


def _place(home: Path | None) -> Home:
    return Home(home.absolute()) if home else Home.from_environment()


def _give(value: dict[str, Any], text: str, manner: Manner) -> None:
    if manner.is_json:
        result_json(value)
    else:
        result(text)


def _origin(option: str) -> str:
    """Who gave the option: option (on the command line), environment or default."""
    source = click.get_current_context().get_parameter_source(option)
    return ORIGINS.get(source.name if source else "", "default")


def _guarded(home: Home, manner: Manner, act: Callable[[], int]) -> None:
    """Do it; show a fault the way every fault is shown; leave with its code."""
    try:
        code = act()
    except KeyboardInterrupt:
        say("Interrupted")
        code = INTERRUPTED
    except BrokenPipeError:
        os._exit(READER_LEFT)
    except Exception as error:
        code = _show(error, home, manner)
    sys.stdout.flush()
    sys.stderr.flush()
    # The interpreter's own exit takes two seconds with Dagster and dbt loaded, and has nothing to
    # save.
    os._exit(code)


def _show(error: Exception, home: Home, manner: Manner) -> int:
    """Show a fault, or the defect behind an exception that explains nothing; return its code."""
    from orchestration.defect import keep_defect, traceback_text
    from orchestration.progress import explains_itself
    from orchestration.run import state_of

    fault: Any = error
    if not explains_itself(error):
        fault = keep_defect(home, str(click.get_current_context().info_name), error)
        if manner.is_verbose:
            say(traceback_text(error))
    state = state_of(home)
    say(error_text(fault, state, manner))
    value = _error_object(fault, state)
    if manner.is_json:
        result_json(value)
    return int(value["exit_code"])


def _error_object(fault: Any, state: str) -> dict[str, Any]:
    return {
        "schema": "unicus.error/1",
        "error": error_json(fault, state),
        "exit_code": getattr(fault, "exit_code", 1),
    }


if __name__ == "__main__":
    main()
