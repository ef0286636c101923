"""The loads of a home as `unicus loads` lists them, and how `unicus undo` takes one out or back.

Told from the register alone, without Dagster, dbt or pydantic, but for what an undo reads again. What
undoing means for the lake is decided in `intake/undo.py`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orchestration.console import aligned
from orchestration.settings import Home, SettingFault, read_config, read_systems, require_home

if TYPE_CHECKING:
    from intake.contract import Contract
    from intake.lake import Lake, Record
    from intake.source import System

LOADS_SCHEMA = "unicus.loads/1"
UNDO_SCHEMA = "unicus.undo/1"
SHORT_ID = 8
FIRST_ROWS = 3
OUTCOMES = ("accepted", "quarantined", "excluded", "not_applicable", "redelivered")


@dataclass(frozen=True)
class Wanted:
    """Which loads to list: of one system, of one entity, those no longer in force too, or refusals."""

    system: str = ""
    entity: str = ""
    is_all: bool = False
    is_quarantine: bool = False


def read_loads(home: Home, wanted: Wanted) -> dict[str, Any]:
    """Collect the loads as one JSON object, oldest first.

    Raises:
        SettingFault: no home, or no load of the system or entity that was asked for.
        InputFault: a record of the register that cannot be read.
    """
    require_home(home)
    states = _states(home.lake)
    loads = [
        _told(home, record, state, wanted.is_quarantine)
        for record, state in states
        if wanted.is_all or state == "live"
    ]
    for key, name in (("system", wanted.system), ("entity", wanted.entity)):
        _refuse_unknown(home, key, name, {str(load[key]) for load in loads})
        loads = [load for load in loads if name in ("", load[key])]
    if wanted.is_quarantine:
        loads = [load for load in loads if load["quarantined_rows"]]
    return {"schema": LOADS_SCHEMA, "home": str(home.root), "loads": loads}


def _states(lake: Lake) -> list[tuple[Record, str]]:
    """Every load there ever was, with its state: live, undone, or replaced by a newer reading."""
    live = {record.seq for record in lake.live()}
    undone = {seq for record in lake.live("undo") for seq in record.supersedes}
    return [
        (r, "live" if r.seq in live else "undone" if r.seq in undone else "replaced")
        for r in lake.records()
        if r.kind == "load"
    ]


def _told(home: Home, record: Record, state: str, with_quarantine: bool) -> dict[str, Any]:
    told = record.details
    rows = dict.fromkeys(OUTCOMES, 0)
    for one in told["outcomes"]:
        rows[one["outcome"]] += one["rows"]
    load = {
        "load_id": record.record_id,
        "state": state,
        "is_kept": all(home.lake.path(file).exists() for file in record.files),
        "system": told["source_system"],
        "entity": told["entity"],
        "file": told["file_name"],
        "read_rows": told["read_rows"],
        **{f"{outcome}_rows": count for outcome, count in rows.items()},
        "deleted_records": told.get("deleted_records", 0),
        "loaded_at": record.committed_at,
        "contract_version": told["contract_version"],
    }
    return load | ({"quarantine": _quarantine(home, record)} if with_quarantine else {})


def _quarantine(home: Home, record: Record) -> dict[str, Any]:
    """What a load refused, by field and reason, and the file with the values, which are not shown.

    Nothing, if a vacuum has removed it.
    """
    import duckdb

    from intake.sql import literals

    files = [
        str(home.lake.path(file)) for file in record.files
        if file.table == "quarantined_rows" and home.lake.path(file).exists()
    ]  # fmt: skip
    if not files:
        return {"files": [], "reasons": []}
    with duckdb.connect() as con:
        found = con.execute(
            "select field, reason, sum(row_count), list(row_number order by row_number)"
            f" from read_parquet({literals(files)}) group by all order by 3 desc, 1, 2"
        ).fetchall()
    reasons = [
        {"field": field, "reason": reason, "rows": int(count), "first_rows": rows[:FIRST_ROWS]}
        for field, reason, count, rows in found
    ]
    return {"files": files, "reasons": reasons}


def _refuse_unknown(home: Home, key: str, name: str, known: set[str]) -> None:
    if not name or name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    raise SettingFault(
        "no-such-load", name, f'there is no load of a {key} "{name}"',
        where=str(home.lake.root / "register"),
        why=f"the loads there are come from {', '.join(sorted(known)) or 'nothing yet'}"
        if key == "system" else f"the loads there are feed {', '.join(sorted(known)) or 'nothing'}",
        fix=f"unicus loads --{key} {near[0]}" if near else "unicus loads --all",
    )  # fmt: skip


def loads_text(value: dict[str, Any]) -> str:
    """The loads as a person reads them."""
    loads = value["loads"]
    if not loads:
        return f"No load to show in {value['home']}"
    if "quarantine" in loads[0]:
        return "\n\n".join(map(_quarantine_text, loads))
    columns = ("read_rows", *(f"{outcome}_rows" for outcome in OUTCOMES), "deleted_records")
    shown = [column for column in columns if column in columns[:3] or any(x[column] for x in loads)]
    has_past = any(load["state"] != "live" for load in loads)
    head = ("load", "system", "entity", "file",
            *(c.removesuffix("_rows").removesuffix("_records").replace("_", " ") for c in shown),
            "loaded", "contract", *(["state"] if has_past else []))  # fmt: skip
    rows = [
        (load["load_id"][:SHORT_ID], load["system"], load["entity"], load["file"],
         *(f"{load[column]:,}" for column in shown), _minute(load["loaded_at"]),
         load["contract_version"], *([load["state"]] if has_past else []))
        for load in loads
    ]  # fmt: skip
    more = "unicus loads --quarantine · unicus undo LOAD"
    return f"{aligned([head, *rows], indent='')}\n\nmore  {more}"


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _quarantine_text(load: dict[str, Any]) -> str:
    head = (
        f"{load['load_id'][:SHORT_ID]}  {load['system']}/{load['entity']}  {load['file']}"
        f"  {load['quarantined_rows']:,} of {load['read_rows']:,} rows refused"
    )
    rows = [
        (one["field"], one["reason"], f"{one['rows']:,}", ", ".join(map(str, one["first_rows"])))
        for one in load["quarantine"]["reasons"]
    ]
    table = aligned([("field", "reason", "rows", "first rows"), *rows])
    looks = "\n".join(f"  values  {look_command(file)}" for file in load["quarantine"]["files"])
    return f"{head}\n{table}\n{looks}"


def look_command(file: str) -> str:
    """The command that shows the refused values of a quarantine file, to whoever may see them."""
    from intake.sql import literal

    query = f"select row_number, field, reason, row_json from {literal(file)}"
    text = query.replace("\\", "\\\\").replace('"', '\\"')
    return "python -c " + _shell_word(f'import duckdb; duckdb.sql("{text}").show(max_width=200)')


def _shell_word(text: str) -> str:
    import shlex

    return shlex.quote(text)


@dataclass(frozen=True)
class Change:
    """What an undo or a restore would do.

    Attributes:
        record: the load, or the record that undid it.
        later: loads of the same system and entity that are read again.
        is_restore: whether the load comes back.
        is_done: whether it is already so.
        is_gone: whether a vacuum has removed its rows, so that only its file brings it back.
    """

    home: Home
    record: Record
    later: tuple[Record, ...]
    is_restore: bool
    is_done: bool
    is_gone: bool = False

    @property
    def subject(self) -> str:
        """What an error about it names."""
        return self.record.record_id[:SHORT_ID]

    @property
    def verb(self) -> str:
        """The command line that does it."""
        option = " --restore" if self.is_restore else ""
        return f"unicus undo {self.subject}{option} --home {self.home.root}"


def plan_change(home: Home, prefix: str, *, is_restore: bool) -> Change:
    """Find the load and say what taking it out, or back, would touch.

    Raises:
        SettingFault: no home.
        InputFault: no such load, or more than one.
    """
    require_home(home)
    from intake.undo import find_load, has_rows, later_loads

    record = find_load(home.lake, prefix)
    is_done = (record.kind == "undo") != is_restore
    is_gone = record.kind == "undo" and not has_rows(home.lake, record)
    later = () if is_done or is_gone else tuple(later_loads(home.lake, record))
    return Change(home, record, later, is_restore, is_done, is_gone)


def plan_again(change: Change) -> Change:
    """The same with what is there now."""
    return plan_change(change.home, change.record.record_id, is_restore=change.is_restore)


def carry_out(change: Change) -> Change:
    """Do what was planned; only the holder of the home calls this.

    Raises:
        InputFault: a later file cannot be read again.
        SettingFault: its system no longer feeds the entity.
    """
    from intake.undo import restore, undo

    system, contract = _rules(change)
    act = restore if change.is_restore else undo
    act(change.home.lake, change.record, system, contract)
    return change


def _rules(change: Change) -> tuple[System | None, Contract | None]:
    """The system and contract to read later loads again by; none when there is nothing to read."""
    told = change.record.details
    config = read_config(change.home)
    place = config.systems.get(told["source_system"])
    if place is None or not change.later:
        return None, None
    from intake.contract import contracts

    (system,) = read_systems(replace(config, systems={told["source_system"]: place}))
    if told["entity"] not in system.spec.entities:
        raise SettingFault(
            "cannot-read-again", f"{system.name}/{told['entity']}",
            "its later files cannot be read again",
            where=str(system.folder / "source.yaml"),
            why=f"the system feeds {told['entity']} no more, and {len(change.later)} later files may"
            " repeat rows of this load",
            fix=f"put {told['entity']} back into source.yaml, or undo the later loads first",
        )  # fmt: skip
    return system, contracts()[told["entity"]]


def change_value(change: Change, status: str) -> dict[str, Any]:
    """The change as one JSON object; status is planned, done or nothing_new."""
    told = change.record.details
    return {
        "schema": UNDO_SCHEMA,
        "status": status,
        "home": str(change.home.root),
        "action": "restore" if change.is_restore else "undo",
        "load_id": change.record.record_id,
        "system": told["source_system"],
        "entity": told["entity"],
        "file": told["file_name"],
        "stored_rows": told["stored_rows"],
        "read_again": [
            {"load_id": later.record_id, "file": later.details["file_name"]}
            for later in change.later
        ],
        "is_gone": change.is_gone,
        "next": f"unicus run --home {change.home.root}",
    }


def change_text(change: Change, status: str) -> str:
    """The change as a person reads it."""
    told = change.record.details
    load = f"{change.subject}, {told['source_system']}/{told['entity']}"
    if status == "nothing_new":
        is_now = "in force" if change.is_restore else "undone"
        return f"Nothing to do: the load {load} is {is_now} already"
    verb = {
        ("planned", False): "Would take out", ("planned", True): "Would bring back",
        ("done", False): "Took out", ("done", True): "Brought back",
    }[status, change.is_restore]  # fmt: skip
    rows = [
        ("load", load),
        ("file", told["file_name"]),
        ("rows", f"{told['stored_rows']:,}"),
        (
            "read again",
            f"{len(change.later):,} later files of the same entity, from kept originals",
        ),
    ]
    if change.is_gone:
        rows[-1] = (
            "its rows",
            "are gone since a vacuum: the next run reads its file, if it lies there",
        )
    lines = [f"{verb} one load.", aligned(rows)]
    if status == "done":
        back = "" if change.is_restore else f" · back:  {replace(change, is_restore=True).verb}"
        run = f"unicus run --home {change.home.root}"
        lines.append(f"  next        {run}    (builds what depends on it){back}")
    return "\n".join(lines)
