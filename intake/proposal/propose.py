"""Proposals: from the files of a stranger to a system that loads as it stands.

What is proposed as a whole, and its folder on disk. What the columns may mean is guessed in
`meaning.py`, which entities they feed in `mapping.py`, and the text that says so is in `draft.py`.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from intake.fault import InputFault
from intake.profile import profile_file
from intake.proposal.delivery import Delivery, deliveries_of
from intake.proposal.draft import mapping_text, source_text
from intake.proposal.mapping import Mapping, mappings_of
from intake.proposal.name import PLAIN_NAME, plain_name


@dataclass(frozen=True)
class Proposal:
    """A system in the making: the texts of its files, by name, and what they came from."""

    name: str
    deliveries: tuple[Delivery, ...]
    mappings: tuple[Mapping, ...]
    texts: dict[str, str]


def propose(name: str, paths: Sequence[Path]) -> Proposal:
    """Look at files and propose a system that reads them; nothing is written.

    Raises:
        InputFault: the name cannot be one, or a file cannot be read.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise InputFault(
            "bad-system-name", name, "a system cannot be called so", where="command line",
            why="a name has small letters, digits and _, and begins with a letter",
            fix=f"unicus new-system {plain_name(name)} --from FILE", exit_code=2,
        )  # fmt: skip
    profiles = [profile_file(path.absolute()) for path in dict.fromkeys(paths)]
    deliveries = deliveries_of(profiles)
    mappings = mappings_of(deliveries)
    texts = {"source.yaml": source_text(name, deliveries, mappings)}
    texts |= {f"{m.contract.entity}.sql": mapping_text(m) for m in mappings}
    return Proposal(name, tuple(deliveries), tuple(mappings), texts)


def refuse_existing(folder: Path) -> None:
    """Say no where a system lies already.

    Raises:
        InputFault: the folder exists.
    """
    if folder.exists():
        raise InputFault(
            "system-exists", folder.name, "there is a system of this name already",
            where=str(folder), why="what a person may have corrected is never overwritten",
            fix=f"unicus new-system {folder.name}_2 --from FILE    (or move {folder} away)",
            exit_code=2,
        )  # fmt: skip


def write_proposal(proposal: Proposal, systems_dir: Path) -> Path:
    """Write the proposed system as one new folder, in one step; return the folder.

    Raises:
        InputFault: the folder exists, or cannot be written.
    """
    folder = systems_dir / proposal.name
    refuse_existing(folder)
    staged = systems_dir / f".{proposal.name}.{uuid.uuid4().hex}"
    try:
        staged.mkdir(parents=True)
        for file, text in proposal.texts.items():
            (staged / file).write_text(text, "utf-8")
        staged.rename(folder)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise InputFault(
            "folder-not-writable", proposal.name, "the folder of the system cannot be written",
            where=str(folder), why=str(error.strerror).lower(),
            fix="give yourself the right to write there, or choose another with  --systems-dir DIR",
            exit_code=2,
        ) from error  # fmt: skip
    return folder
