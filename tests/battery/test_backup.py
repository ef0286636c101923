"""A home comes back from its copy in another place: the same tables, customers and champion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from ml.tracking import champions, crown, load_champion
from orchestration import doctor
from orchestration.backup import back_up
from orchestration.settings import PROJECT, Home
from serving.publish import read_publication
from tests.equal_tables import assert_equal_tables
from tests.homes import deliver, make_home, query, run

pytestmark = pytest.mark.battery

IDS = "select smallest_record_key, customer_id from core.dim_customers order by all"


def test_a_home_copied_while_it_runs_comes_back_elsewhere_as_it_was(tmp_path: Path) -> None:
    files = deliver(tmp_path / "files", before=date(2017, 11, 1))
    home, copy = make_home(tmp_path / "home", files), Home(tmp_path / "copy")
    running = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "run", "--home", str(home.root)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    counts = set()
    while running.poll() is None:
        back_up(home, copy.root)
        counts.add(len(copy.lake.record_paths()))
        for check in (doctor.check_register, doctor.check_live_files):
            assert check(copy).state == "ok", check(copy)
        time.sleep(1)
    assert running.returncode == 0
    assert len(counts) > 3, "copies were made in the middle of the run"
    # So few customers promote no model; the home is to have a champion that scores.
    crown(home.mlflow, "clv_90d", "1")
    run(home)
    back_up(home, copy.root)

    # Nothing of the first home, nor of the copy, can be read by the one that comes back.
    restored = Home(shutil.copytree(copy.root, tmp_path / "another place" / "shop"))
    away = home.root.rename(tmp_path / "away")
    copy.root.rename(tmp_path / "copy away")
    restored.create()
    run(restored)

    before = Home(away)
    assert_equal_tables(before.published, restored.published)
    assert query(restored, IDS) == query(before, IDS)
    assert champions(restored.mlflow) == champions(before.mlflow) == {"clv_90d": "1"}
    assert load_champion(restored.mlflow, "clv_90d")
    publications = [read_publication(one.published) for one in (before, restored)]
    assert publications[0]
    assert publications[1]
    assert publications[0].key == publications[1].key
