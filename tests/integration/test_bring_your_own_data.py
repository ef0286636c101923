"""The page for a stranger's own files holds word for word: its commands run, and say what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from orchestration.settings import PROJECT

PAGE = PROJECT / "docs" / "bring-your-own-data.md"
STEP = re.compile(r"^```sh\n(.*?)^```\n(?:```\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


def test_every_command_of_the_page_does_what_the_page_says(tmp_path: Path) -> None:
    steps = STEP.findall(PAGE.read_text("utf-8"))
    assert len(steps) >= 6
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UNICUS_")}
    for command, shown in steps:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment | {"PATH": commands},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        # The first check finds the faults that the page mends.
        assert done.returncode in ((0, 1) if "check-system" in command else (0,)), done.stderr
        if shown:
            assert done.stdout.rstrip() == shown.rstrip(), command
