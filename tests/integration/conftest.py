"""One home with a small part of the real data, built once for all tests that only read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.settings import Home
from tests.homes import deliver, make_home, run


@dataclass(frozen=True)
class Built:
    """A home after its first run, the files it was built from, and the id of the run."""

    home: Home
    files: Path
    run_id: str


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("built")
    files = deliver(root / "files")
    home = make_home(root / "home", files)
    return Built(home, files, run(home))
