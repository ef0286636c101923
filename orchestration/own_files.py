"""What `new-system` and `check-system` answer, as text and as JSON.

How a system is guessed and examined is the business of intake.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.console import aligned
from orchestration.settings import Home, read_config

if TYPE_CHECKING:
    from intake.examine import EntityReport, Examination, Suspicion
    from intake.fault import InputFault
    from intake.proposal.mapping import Mapping
    from intake.source import System

GUIDE = "docs/bring-your-own-data.md"
OUTCOMES = ("accepted", "quarantined", "excluded", "not_applicable")


def new_system(
    name: str, paths: Sequence[Path], systems_dir: Path, *, dry_run: bool
) -> tuple[dict[str, Any], str]:
    """Propose a system and write it, unless this is a rehearsal; return it as JSON and as text.

    Raises:
        InputFault: a name or a file that cannot be used, or a folder that exists.
    """
    from intake.proposal.propose import propose, refuse_existing, write_proposal

    folder = systems_dir / name
    refuse_existing(folder)
    proposal = propose(name, paths)
    if not dry_run:
        write_proposal(proposal, systems_dir)
    checking = _command("unicus check-system", name, "--systems-dir", systems_dir)
    value = {
        "schema": "unicus.new-system/1",
        "system": name,
        "folder": str(folder),
        "is_written": not dry_run,
        "files": [
            {
                "name": one.alias,
                "paths": [str(path) for path in one.paths],
                "format": one.profile.spec.format,
                "columns_count": len(one.profile.columns),
                "entities": [m.contract.entity for m in proposal.mappings if m.delivery == one],
                "todo": list(one.doubts),
            }
            for one in proposal.deliveries
        ],
        "entities": [_mapping_value(one) for one in proposal.mappings],
        "next": checking,
    }
    return value, _proposal_text(value)


def _mapping_value(mapping: Mapping) -> dict[str, Any]:
    return {
        "entity": mapping.contract.entity,
        "mapping": f"{mapping.contract.entity}.sql",
        "file": mapping.delivery.alias,
        "columns": [item.field for item in mapping.items],
        "empty_columns": mapping.empty,
        "todo": mapping.todos,
    }


def _proposal_text(value: dict[str, Any]) -> str:
    wrote = "Wrote" if value["is_written"] else "Would write"
    rows = [("source.yaml", f"{len(value['files'])} files")]
    rows += [
        (one["mapping"], f"from {one['file']}, {len(one['todo'])} to check")
        for one in value["entities"]
    ]
    lines = [f"{wrote} {value['folder']}", aligned(rows)]
    for one in value["files"]:
        lines += [f"  {one['name']}: {doubt}" for doubt in one["todo"]]
        if not one["entities"]:
            lines.append(f"  {one['name']}: no entity is known by its columns; see {GUIDE}")
    if value["is_written"]:
        todo = sum(len(one["todo"]) for one in (*value["entities"], *value["files"]))
        step = f"look at the {todo} TODO in it, then  " if todo else ""
        lines.append(f"next  {step}{value['next']}")
    return "\n".join(lines)


def find_system(name: str, systems_dir: Path | None, home: Home) -> System:
    """The system of this name: in the folder given, else as the home has it, else in `./systems`.

    Raises:
        InputFault: there is none.
    """
    from intake.source import SYSTEMS, read_system

    place = read_config(home).systems.get(name)
    if systems_dir is None and place:
        return read_system(
            name, [SYSTEMS, *([Path(place.folder)] if place.folder else [])], place.location or None
        )
    return read_system(name, [SYSTEMS, systems_dir or Path("systems")])


def check_system(system: System, sample: int | None) -> tuple[dict[str, Any], str, int]:
    """Examine a system; return what was found as JSON and as text, and the exit code.

    Raises:
        InputFault: nothing of the system could be examined.
    """
    from intake.examine import examine

    found = examine(system, sample)
    code = 1 if found.has_faults else 0
    value = {
        "schema": "unicus.check-system/1",
        "system": system.name,
        "folder": str(system.folder),
        "sample_rows": sample,
        "exit_code": code,
        "entities": [_entity_value(one) for one in found.entities],
        "files": [
            {
                "file": one.file,
                "unused_columns": one.unused_columns,
                "suspicions": [vars(suspicion) for suspicion in one.suspicions],
            }
            for one in found.files
        ],
    }
    return value, "\n".join(_examination_lines(found)), code


def _entity_value(one: EntityReport) -> dict[str, Any]:
    return {
        "entity": one.entity,
        "files": one.files,
        "read_rows": one.read_rows,
        **{f"{outcome}_rows": one.rows(outcome) for outcome in OUTCOMES},
        "left_out": [
            {"outcome": outcome, "rule": rule, "rows": n}
            for (outcome, rule), n in sorted(one.outcomes.items())
            if outcome in ("excluded", "not_applicable")
        ],
        "refusals": [vars(refusal) for refusal in one.refusals],
        "empty_columns": one.empty_columns,
        "suspicions": [vars(suspicion) for suspicion in one.suspicions],
        "faults": [_fault_value(fault) for fault in one.faults],
    }


def _fault_value(fault: InputFault) -> dict[str, str]:
    return {
        "code": fault.code, "what": fault.what, "where": fault.where, "why": fault.why,
        "fix": fault.fix,
    }  # fmt: skip


def _examination_lines(found: Examination) -> Iterator[str]:
    name = found.system.name
    if found.sample is None:
        yield f"{name}: every row of each file"
    else:
        yield f"{name}: the first {found.sample:,} rows of each file; --full reads all"
    for entity in found.entities:
        yield from _entity_lines(entity)
    for file in found.files:
        if file.unused_columns or file.suspicions:
            yield f"file {file.file}"
            rows = [("not used", ", ".join(file.unused_columns))] if file.unused_columns else []
            yield aligned([*rows, *_suspicion_rows(file.suspicions)])
    folder = found.system.folder
    if found.has_faults:
        again = _command("unicus check-system", name, "--systems-dir", folder.parent)
        yield f"next  correct {folder} or the files (see {GUIDE}), then  {again}"
    else:
        home = ("--home", f"{name}_home", "--system", name, "--systems-dir", folder.parent)
        yield f"next  {_command('unicus run', *home)}"


def _entity_lines(one: EntityReport) -> Iterator[str]:
    if one.read_rows or not one.faults:
        told = " + ".join(f"{one.rows(o):,} {o.replace('_', ' ')}" for o in OUTCOMES)
        yield f"{one.entity}  {one.read_rows:,} read = {told}"
    else:
        yield one.entity
    rows = [
        ("refused", f"{r.field}: {r.reason}, {r.rows:,} rows: {', '.join(r.first)}")
        for r in one.refusals
    ]
    rows += [
        (outcome.replace("_", " "), f"by the rule {rule}, {n:,} rows")
        for (outcome, rule), n in sorted(one.outcomes.items())
        if outcome in ("excluded", "not_applicable") and n
    ]
    for fault in one.faults:
        rows += [("fault", f"[{fault.code}] {fault.what}"), ("  where", fault.where),
                 ("  why", fault.why), ("  fix", fault.fix)]  # fmt: skip
    rows += _suspicion_rows(one.suspicions)
    if one.empty_columns:
        rows.append(("empty", ", ".join(one.empty_columns)))
    if rows:
        yield aligned(rows)


def _suspicion_rows(suspicions: Sequence[Suspicion]) -> list[tuple[str, str]]:
    return [("look at", f"{one.column}: {one.what}, {one.rows:,} times") for one in suspicions]


def _command(*words: object) -> str:
    first, *others = map(str, words)
    return " ".join([first, *map(shlex.quote, others)])
