"""What `deploy/` ships fits the code and is understood by the programs it is for."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
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


def test_nginx_understands_its_settings(tmp_path: Path) -> None:
    openssl, nginx = program("openssl"), program("nginx")
    key = ["-keyout", tmp_path / "tls.key", "-out", tmp_path / "tls.crt", "-subj", "/CN=unicus"]
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *key]
    subprocess.run(make, check=True, capture_output=True)
    (tmp_path / "users").touch()
    site = text("nginx.conf").replace("/etc/unicus", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {site} }}"
    )
    check = [nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
