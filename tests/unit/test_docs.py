"""What is written holds together: links lead somewhere, and nothing tells where it was written."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from orchestration.settings import PROJECT

LINK = re.compile(r"""\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)\"""")
# Put together here, so that this file does not name what it looks for.
HOSTS = [f"{name}.{end}" for name, end in (
    ("pypi", "org"), ("python" "hosted", "org"), ("npm" "js", "org"), ("registry", "npm" "js"),
    ("jfrog", "io"), ("artifactory", ""),
)]  # fmt: skip
PLACES = [f"/{top}/" for top in ("tmp", "root", "home", "Users", "work", "mnt", "opt")]
MACHINE = re.compile(
    "|".join([*map(re.escape, HOSTS), *(rf"(?<![\w.~$}})\]-]){re.escape(p)}\w" for p in PLACES)]),
    re.I,
)
EXEMPT = {"tests/unit/test_docs.py"}
BINARY = {".png", ".xz"}


@cache
def project_files() -> list[Path]:
    """Files of the project, those not yet added included."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    return [PROJECT / name for name in names if name and (PROJECT / name).is_file()]


def pages() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md"]


def anchors(page: Path) -> set[str]:
    """Names of the headings of a page, as they are linked to."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in ("".join(found) for found in LINK.findall(text)):
        if re.match(r"(https?|mailto):", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in project_files():
        name = str(path.relative_to(PROJECT))
        if name in EXEMPT or path.suffix in BINARY:
            continue
        lines = enumerate(path.read_text("utf-8").splitlines(), 1)
        found += [
            f"{name}:{number}: {m[0]}" for number, line in lines if (m := MACHINE.search(line))
        ]
    assert found == []


def test_every_page_of_the_docs_is_on_the_map() -> None:
    text = (PROJECT / "docs" / "README.md").read_text("utf-8")
    for path in (PROJECT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"({path.name}" in text, path.name
