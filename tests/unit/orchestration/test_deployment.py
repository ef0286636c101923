"""What `deploy/` ships fits the code and is understood by the programs it is for."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.message import Message
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from orchestration import ui
from orchestration.settings import PROJECT, Home, SettingFault

DEPLOY = PROJECT / "deploy"
PART = re.compile(r"ui --only (\S+?)'?$", re.MULTILINE)


def text(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    return found or pytest.skip(f"no {name} here")


def test_every_part_is_a_service_of_both_managers_and_nothing_else_is() -> None:
    supervised = configparser.ConfigParser(interpolation=None)
    supervised.read_string(text("supervisor.conf"))
    programs = {name.partition(":")[2] for name in supervised.sections()} - {"unicus"}
    wanted = set(re.findall(r"unicus@(\w+)\.service", text("unicus.target")))
    grouped = set(supervised["group:unicus"]["programs"].split(","))
    assert programs == wanted == grouped == set(ui.PORTS)
    assert PART.findall(text("unicus@.service")) == ["%i"]
    assert set(PART.findall(text("supervisor.conf"))) == {"%(program_name)s"}


def test_the_proxy_leads_to_the_ports_of_the_code_and_every_page_asks_for_a_login() -> None:
    proxy = text("nginx.conf")
    opened = {port for port in ui.PORTS.values() if port}
    assert set(map(int, re.findall(rf"proxy_pass http://{ui.HOST}:(\d+);", proxy))) == opened
    assert proxy.index("auth_basic_user_file") < proxy.index("server {"), (
        "it holds for every server"
    )
    assert "auth_basic off" not in proxy
    workspace = yaml.safe_load(text("workspace.yaml"))
    assert workspace["load_from"][0]["grpc_server"] == {
        "socket": {"env": ui.SOCKET_VARIABLE}, "location_name": "unicus",
    }  # fmt: skip


def test_no_part_can_be_reached_from_another_machine(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    for part, port in ui.PORTS.items():
        command = ui._command(home, part, port, "code.sock")
        hosts = [command[i + 1] for i, word in enumerate(command) if word == "--host"]
        assert hosts == (["127.0.0.1"] if port else []), command
    with pytest.raises(SettingFault) as raised:
        ui.become(Home(tmp_path / ("deep" * 30)), "code", 0)
    assert raised.value.code == "home-path-too-long"


def test_parts_that_start_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with ThreadPoolExecutor(8) as apart:
        made = [apart.submit(home.create) for _ in range(400)]
    assert [one.exception() for one in made if one.exception()] == []
    left = {path.name for path in (*home.root.iterdir(), *home.dagster.iterdir())}
    assert not {name for name in left if name.startswith(".")}


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    verify = [program("systemd-analyze"), "verify"]
    unit = text("unicus@.service").replace("/srv/unicus/app/.venv/bin/unicus", "/bin/true")
    (tmp_path / "unicus@.service").write_text(unit, "utf-8")
    shutil.copy(DEPLOY / "unicus.target", tmp_path)
    units = [tmp_path / f"unicus@{part}.service" for part in ui.PORTS]
    for one in units:
        one.symlink_to("unicus@.service")
    done = subprocess.run(
        [*verify, *units, tmp_path / "unicus.target"], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "unicus" in line]
    assert (done.returncode, told) == (0, []), done.stderr


def test_logrotate_understands_its_settings(tmp_path: Path) -> None:
    (tmp_path / "code.log").write_text("said\n", "utf-8")
    settings = tmp_path / "logrotate.conf"
    settings.write_text(text("logrotate.conf").replace("/var/log/unicus", str(tmp_path)), "utf-8")
    settings.chmod(0o644)
    tmp_path.chmod(0o755)
    rotate = [program("logrotate"), "-f", "-s", tmp_path / "state", settings]
    done = subprocess.run(rotate, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "code.log.1").read_text("utf-8") == "said\n"
    assert (tmp_path / "code.log").read_text("utf-8") == "", "the part goes on writing to its file"


class StandIn(ThreadingHTTPServer):
    """In the place of Dagster and MLflow: takes everything, and keeps what came."""

    def __init__(self) -> None:
        super().__init__((ui.HOST, 0), Heard)
        self.heard: list[tuple[str, str, Message]] = []


class Heard(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        self.server.heard.append((self.command, self.path, self.headers))
        self.send_response(200)
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


def nginx_settings(folder: Path) -> tuple[Path, str]:
    """What nginx needs around the site, in a folder of its own: a key, a user, its own files."""
    key = ["-keyout", folder / "tls.key", "-out", folder / "tls.crt", "-subj", "/CN=unicus"]
    make = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *key]
    subprocess.run(make, check=True, capture_output=True)
    (folder / "users").write_text("anna:{PLAIN}secret\n", "utf-8")
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{part}_temp_path {folder}/{part}; " for part in parts)
    site = text("nginx.conf").replace("/etc/unicus", str(folder))
    return folder / "nginx.conf", (
        f"pid {folder}/pid; error_log stderr; daemon off; master_process off; events {{}}"
        f" http {{ access_log off; {own}{site} }}"
    )


def test_nginx_understands_its_settings(tmp_path: Path) -> None:
    nginx, (settings, written) = program("nginx"), nginx_settings(tmp_path)
    settings.write_text(written, "utf-8")
    check = [nginx, "-t", "-p", tmp_path, "-c", settings]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Proxy:
    """nginx with the settings that are shipped, before a stand-in, at ports that are free."""

    def __init__(self, folder: Path, upstream: StandIn) -> None:
        nginx, (settings, written) = program("nginx"), nginx_settings(folder)
        with socket.socket() as one, socket.socket() as other:
            for free in (one, other):
                free.bind((ui.HOST, 0))
            self.ports = {443: one.getsockname()[1], 8443: other.getsockname()[1]}
        for port, free_port in self.ports.items():
            written = written.replace(f"listen {port} ", f"listen {ui.HOST}:{free_port} ")
        for port in filter(None, ui.PORTS.values()):
            written = written.replace(f"{ui.HOST}:{port};", f"{ui.HOST}:{upstream.server_port};")
        settings.write_text(written, "utf-8")
        self.tls = ssl.create_default_context(cafile=folder / "tls.crt")
        self.tls.check_hostname = False
        self.running = subprocess.Popen([nginx, "-p", folder, "-c", settings])
        while not (folder / "pid").exists():
            assert self.running.poll() is None, "nginx did not start"
            time.sleep(0.01)

    def asked(
        self, method: str, path: str, login: str = "anna:secret", port: int = 443, **headers: str
    ) -> int:
        """The status that a request of this login gets."""
        headers |= {"Host": "unicus.example.org"}
        if login:
            headers |= {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        with closing(
            HTTPSConnection(ui.HOST, self.ports[port], context=self.tls, timeout=10)
        ) as to:
            to.request(method, path, headers=headers)
            return to.getresponse().status


@pytest.fixture
def upstream() -> Iterator[StandIn]:
    with StandIn() as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        yield upstream
        upstream.shutdown()


@pytest.fixture
def proxy(tmp_path: Path, upstream: StandIn) -> Iterator[Proxy]:
    proxy = Proxy(tmp_path, upstream)
    yield proxy
    proxy.running.terminate()
    proxy.running.wait(10)


OWN = "https://unicus.example.org"
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}
GRAPHQL = (
    "/graphql", "//graphql", "/%67raphql", "/./graphql", "/runs/../graphql", "/graphql/",
    # Dagster's router takes the first for /graphql, and leads the second there.
    "/graphql%0A", "/graphql%0A/",
)  # fmt: skip
BESIDE = ("/", "/runs?at=/graphql", "/assets/graphql")


def test_nobody_passes_without_a_login_nor_from_a_page_of_somebody_else(
    proxy: Proxy, upstream: StandIn
) -> None:
    for port in proxy.ports:
        assert proxy.asked("GET", "/", port=port) == 200
        assert proxy.asked("POST", "/graphql", port=port, Origin=OWN) == 200
    passed = len(upstream.heard)
    assert passed == 4
    assert [said["Authorization"] for *_, said in upstream.heard] == [None] * passed
    requests: list[tuple[str, str, dict[str, str]]] = [
        ("GET", "/", {}), ("POST", "/graphql", {}), ("GET", "/graphql", UPGRADE),
    ]  # fmt: skip
    for port in proxy.ports:
        for method, path, headers in requests:
            for login in ("", "anna:guessed", "bob:secret"):
                assert proxy.asked(method, path, login, port, **headers) == 401, (path, login)
            for origin in ("https://elsewhere.example", "null", f"{OWN}.elsewhere.example"):
                told = headers | {"Origin": origin}
                assert proxy.asked(method, path, port=port, **told) == 403, (path, origin)
    assert len(upstream.heard) == passed


def test_what_an_image_can_ask_never_reaches_what_dagster_would_do(
    proxy: Proxy, upstream: StandIn
) -> None:
    for path in GRAPHQL:
        for method in ("GET", "HEAD"):
            assert proxy.asked(method, f"{path}?query=mutation") == 403, (method, path)
        assert upstream.heard == []
        assert proxy.asked("POST", path) == 200
        assert proxy.asked("GET", path, Origin=OWN, **UPGRADE) == 200
        (post, *_), (_, _, upgraded) = upstream.heard
        assert post == "POST"
        assert (upgraded["Upgrade"], upgraded["Connection"]) == ("websocket", "upgrade")
        upstream.heard.clear()
    for path in BESIDE:
        assert proxy.asked("GET", path) == 200, path
