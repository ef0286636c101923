"""How long `unicus ui` takes until every asset is on the page, and what the time goes to.

    python benchmarks/time_to_ui.py HOME [--rounds 3]

A round starts `unicus ui` on the home and asks the webserver for the assets until it names all of them.
Each part's CPU time is read from the kernel at that moment; what loading the graph costs is measured
apart, in a process of its own. Prints the median of the rounds. Linux only; no other UI on the home.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 300.0
QUERY = json.dumps({"query": "{ assetNodes { id } }"}).encode()
GRAPH = """
import os, sys, time
from pathlib import Path
from orchestration.settings import Home
home = Home(Path(sys.argv[1]))
os.environ.update(home.environment())
began, used = time.monotonic(), time.process_time()
from orchestration.graph import build_definitions
imported, used_then = time.monotonic(), time.process_time()
assets = len(build_definitions(home).resolve_asset_graph().executable_asset_keys)
made, used_at_end = time.monotonic(), time.process_time()
print(imported - began, used_then - used, made - imported, used_at_end - used_then, assets)
"""
PARTS = {
    "--only code": "code server, in front",
    "api grpc": "code server, the graph",
    "--only webserver": "webserver",
    "--only daemon": "daemon",
    "unicus ui": "unicus ui itself",
}


def graph_cost(home: Path) -> tuple[float, float, float, float, int]:
    """Wall and CPU of the imports, wall and CPU of building the graph, number of assets."""
    done = subprocess.run(
        [sys.executable, "-c", GRAPH, home], capture_output=True, text=True, check=True
    )
    *seconds, assets = done.stdout.split()
    a, b, c, d = map(float, seconds)
    return a, b, c, d, int(assets)


def assets_shown(port: int) -> int:
    """How many assets the webserver names; 0 while it does not answer or has no graph yet."""
    address = f"http://127.0.0.1:{port}/graphql"
    request = urllib.request.Request(address, QUERY, {"content-type": "application/json"})
    with (
        suppress(OSError, ValueError, KeyError, TypeError),
        urllib.request.urlopen(request) as answer,
    ):
        return len(json.load(answer)["data"]["assetNodes"])
    return 0


def below(pid: int) -> list[int]:
    """A process and all it started."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    ]
    return [pid, *(one for child in children for one in below(child))]


def cpu_by_part(pid: int) -> dict[str, float]:
    """CPU seconds of each part so far."""
    used = dict.fromkeys(PARTS.values(), 0.0)
    for one in below(pid):
        command = Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ")
        ticks = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        for sign, part in PARTS.items():
            if sign in command:
                used[part] += sum(map(int, ticks)) / TICKS
                break
    return used


def one_round(home: Path, expected: int) -> dict[str, float]:
    """Start, wait until every asset is there, stop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    unicus = [
        str(Path(sys.executable).parent / "unicus"),
        "ui",
        "--home",
        str(home),
        "--port",
        str(port),
    ]
    began = time.monotonic()
    process = subprocess.Popen(unicus, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while assets_shown(port) < expected:
            if time.monotonic() - began > PATIENCE or process.poll() is not None:
                sys.exit(f"the UI did not come; read {home}/logs/ui.log")
            time.sleep(0.1)
        return {"wall": time.monotonic() - began} | cpu_by_part(process.pid)
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    home = asked.home.absolute()
    graph_cost(home)  # the first parses the dbt project, and warms the disk
    *costs, assets = graph_cost(home)
    rounds = [one_round(home, assets) for _ in range(asked.rounds)]
    median = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    wall = median.pop("wall")
    print(f"{assets} assets on the page {wall:.1f} s after the start")
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {asked.rounds} rounds\n"
    )
    print(f"{'CPU seconds until then':<26}{sum(median.values()):6.1f}")
    for part, seconds in median.items():
        print(f"  {part:<24}{seconds:6.1f}")
    print("\nthe graph alone, in one process  wall   CPU")
    print(f"  {'imports':<29}{costs[0]:6.1f}{costs[1]:6.1f}")
    print(f"  {'definitions':<29}{costs[2]:6.1f}{costs[3]:6.1f}")


if __name__ == "__main__":
    main()
