"""The command line: verbs, options and exit codes. What a verb does lies behind it.

Only light imports here: a verb that needs no Dagster answers in under half a second.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from orchestration.console import Manner, error_json, error_text, result, result_json, say
from orchestration.settings import HOME_VARIABLE, Home

SECTIONS = {"Start": ["run"], "Look": ["status", "ui"], "Operate": ["doctor"]}
EXAMPLES = """\b
  unicus run                     everything, on the default data
  unicus run --as-of 2017-12-01  the same, as it was known on that day
"""


class Verbs(click.Group):
    """Verbs by purpose, with the nearest name for a misspelt one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may be meant."""
        if args and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            ctx.fail(f'There is no verb "{args[0]}".{hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs in their sections."""
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(n, self.commands[n].get_short_help_str(70)) for n in names])


@click.group(cls=Verbs, epilog=EXAMPLES + "\nMore: docs/commands.md")
@click.version_option(package_name="unicus", prog_name="unicus")
def main() -> None:
    """Every signal a customer leaves, one view of the customer, on your own machine."""
    # Tools below write their own words into the log, never on the screen.
    os.environ.setdefault("PYTHONWARNINGS", "ignore")


def home_option(verb: Callable[..., Any]) -> Callable[..., Any]:
    """`--home`, the same for every verb."""
    return click.option(
        "--home", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        help=f"Folder with all state. [env: {HOME_VARIABLE}] [default: .unicus/complete_journey]",
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


@main.command()
@home_option
@click.option("--system", "systems", multiple=True, metavar="NAME",
              help="Load only this system; may be repeated.")  # fmt: skip
@click.option("--systems-dir", type=click.Path(exists=True, file_okay=False), default="",
              metavar="DIR", help="A folder with systems of your own.")  # fmt: skip
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="Stand at this date. [default: the day after the last complete day]")  # fmt: skip
@click.option("--no-skip", is_flag=True, help="Run even when nothing is new.")
@click.option("--dry-run", is_flag=True, help="Say what would be loaded, change nothing.")
@manner_options
def run(
    home: Path | None, systems: tuple[str, ...], systems_dir: str, as_of: datetime | None,
    no_skip: bool, dry_run: bool, **how: bool,
) -> None:  # fmt: skip
    """Materialize every asset: load, resolve, transform, predict, publish.

    \b
      unicus run
      unicus run --home /data/shop --system shop --systems-dir my_systems
    """
    from orchestration.run import Request

    place = _place(home)
    manner = Manner.of(**how)
    request = Request(place, systems, systems_dir, as_of.date() if as_of else None, no_skip)
    _guarded(place, manner, lambda: _plan(request) if dry_run else _run(request, manner))


def _plan(request: Any) -> int:
    from orchestration.run import files_to_load, settle_config

    config = settle_config(request)
    new, old = files_to_load(request.home, config)
    result(f"Would load {len(new)} files ({old} are there already) and build every table.")
    for line in new:
        result(f"  {line}")
    return 0


def _run(request: Any, manner: Manner) -> int:
    from orchestration import lock
    from orchestration.run import execute, nothing_to_do, prepare

    say(f"Unicus · home {request.home.root}")
    config = prepare(request)
    with lock.hold(request.home.root):
        unchanged = nothing_to_do(request, config)
        if unchanged:
            _give({"schema": "unicus.run/1", "status": "nothing new", "text": unchanged},
                  unchanged, manner)  # fmt: skip
            return 0
        ending = execute(request, manner)
        _give(ending.value, ending.text, manner)
        return ending.exit_code


@main.command()
@home_option
@click.option("--settings", "show_settings", is_flag=True, help="Each setting and its origin.")
@manner_options
def status(home: Path | None, show_settings: bool, **how: bool) -> None:
    """Say what the home holds: loads, quarantine, what BI reads, who is at work."""
    place, manner = _place(home), Manner.of(**how)

    def show() -> int:
        from orchestration.status import read_status, settings_text, status_text

        value = read_status(place)
        _give(value, settings_text(value) if show_settings else status_text(value), manner)
        return 0

    _guarded(place, manner, show)


@main.command()
@home_option
@click.option("--deep", is_flag=True, help="Load the whole graph too; takes some seconds.")
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
@home_option
@click.option("--port", default=3000, show_default=True, help="Port on this machine.")
def ui(home: Path | None, port: int) -> None:
    """Serve the Dagster UI on the home, with the daemon, until Ctrl-C."""
    place, manner = _place(home), Manner.of()

    def serve() -> int:
        from orchestration.ui import serve_ui

        return serve_ui(place, port)

    _guarded(place, manner, serve)


def _place(home: Path | None) -> Home:
    return Home(home.absolute()) if home else Home.from_environment()


def _give(value: dict[str, Any], text: str, manner: Manner) -> None:
    if manner.is_json:
        result_json(value)
    else:
        result(text)


def _guarded(home: Home, manner: Manner, act: Callable[[], int]) -> None:
    """Do it; show a fault the way every fault is shown; leave with its code."""
    try:
        code = act()
    except Exception as error:
        if not hasattr(error, "code"):
            raise
        from orchestration.run import state_of

        state = state_of(home)
        say(error_text(error, state, manner))
        code = getattr(error, "exit_code", 1)
        if manner.is_json:
            result_json({"schema": "unicus.error/1", "error": error_json(error, state),
                         "exit_code": code})  # fmt: skip
    sys.stdout.flush()
    sys.stderr.flush()
    # The interpreter's own exit takes two seconds with Dagster and dbt loaded, and has nothing to save.
    os._exit(code)


if __name__ == "__main__":
    main()
