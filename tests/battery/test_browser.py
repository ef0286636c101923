"""What a person does in the browser: materialize everything, then one mart alone."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import Home
from serving.publish import read_publication
from tests.homes import deliver, make_home

pytestmark = pytest.mark.battery

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Browser:
    """The queries the Dagster UI sends."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self._address}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer)["data"])

    def materialize(self, job: str, *paths: list[str]) -> str:
        selector: dict[str, Any] = {
            "repositoryLocationName": "unicus", "repositoryName": "__repository__",
            "pipelineName": job,
        }  # fmt: skip
        if paths:
            selector["assetSelection"] = [{"path": path} for path in paths]
        told = self.ask(LAUNCH, {"params": {"selector": selector, "mode": "default"}})
        return str(told["launchPipelineExecution"]["run"]["runId"])

    def wait(self, run_id: str) -> str:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            status = self.ask(STATUS, {"id": run_id})["runOrError"]["status"]
            if status in {"SUCCESS", "FAILURE", "CANCELED"}:
                return str(status)
            time.sleep(1)
        return "TIMEOUT"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home", deliver(tmp_path / "files", share=60))


@pytest.fixture
def browser(home: Home) -> Iterator[Browser]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "unicus"), "ui", "--home", str(home.root), "--port", str(port)],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
        # As a shell starts what runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    assert process.stdout
    address = process.stdout.readline().strip()
    assert address == f"http://127.0.0.1:{port}"
    yield Browser(address)
    process.terminate()
    assert process.wait() == 0
    assert processes_of(home) == [], "it leaves no process behind"


def processes_of(home: Home) -> list[str]:
    """Commands of the processes that work on the home; what has ended has no environment."""
    named = f"DAGSTER_HOME={home.root}/".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if named in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_everything_then_one_mart_alone_run_from_the_browser(browser: Browser, home: Home) -> None:
    alone = browser.materialize("__ASSET_JOB", ["marts", "kpi_customers_monthly"])
    assert browser.wait(alone) == "FAILURE", "there is no complete run to stand on yet"
    everything = browser.materialize("everything")
    assert browser.wait(everything) == "SUCCESS"
    published = read_publication(home.published)
    assert published is not None
    assert published.run_id == everything
    two = [
        browser.materialize("__ASSET_JOB", ["marts", "kpi_customers_monthly"]),
        browser.materialize("__ASSET_JOB", ["marts", "campaign_results"]),
    ]
    assert [browser.wait(run_id) for run_id in two] == ["SUCCESS", "SUCCESS"]
    assert browser.wait(browser.materialize("__ASSET_JOB", ["serving", "published"])) == "SUCCESS"
