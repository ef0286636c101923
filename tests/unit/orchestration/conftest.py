"""What the tests of the command line share: a home that was run, and the command itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from intake.contract import contracts
from intake.snapshot import freeze
from orchestration import moment as moments
from orchestration.moment import Moment
from orchestration.retraining import Stand, Training, details_of
from orchestration.runkey import published_key, run_key
from orchestration.settings import PROJECT, Home, HomeConfig, SystemPlace, read_config, write_config
from serving.publish import Publication, PublicTable, publish
from tests.conftest import Shop, load

RUN_ID = "4ff565f2-0000-4000-8000-000000000001"
AS_OF = date(2024, 1, 10)
SPEAKING = ("NO_COLOR", "FORCE_COLOR", "CI", "TERM", "UNICUS_HOME", "UNICUS_DBT")
TABLES = """
create schema marts;
create table marts.customer_360 as select 'c1' as customer_id;
create table marts.model_performance as
select 'clv_90d' as model_name, date '2023-10-01' as cutoff_date, 'all' as segment,
    'recent_value' as predictor, false as is_model, 2 as customers_count, 5e-1 as ngini,
    1e0 as bias_ratio, 2e-1 as decile_error, null::double as logloss, 1e-1 as ngini_gain,
    5e-2 as ngini_gain_low, 2e-1 as ngini_gain_high;
"""

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def command_environment(**changed: str) -> dict[str, str]:
    """The environment without what would change how the command speaks."""
    return {k: v for k, v in os.environ.items() if k not in SPEAKING} | changed


@pytest.fixture
def unicus(tmp_path: Path) -> Command:
    """The command as a person starts it, in an empty folder, with pipes for a screen."""

    def start(*arguments: object, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "unicus"), *map(str, arguments)],
            cwd=tmp_path, env=command_environment(**changed), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    return start


@pytest.fixture
def shop_home(tmp_path: Path, shop: Shop) -> Home:
    """A home with the shop as its system and nothing loaded yet."""
    home = Home(tmp_path / "home")
    home.create()
    places = {"shop": SystemPlace(folder=str(shop.folder))}
    write_config(home, HomeConfig("UTC", "EUR", places, ("clv_90d",)))
    return home


@pytest.fixture
def full_home(shop_home: Home, shop: Shop) -> Home:
    """The same after a run: loads, a model with its scores, a published copy, a log."""
    shop.orders("1,ann,2024-01-02,", "2,bob,2024-01-09,", ",cid,2024-01-09,")
    shop.lines("1,a,1,5.00,", "2,a,2,7.00,")
    load(shop_home.lake, shop)
    load(shop_home.lake, shop, "order_lines")
    snapshot = freeze(shop_home.lake, contracts())
    moments.keep(shop_home, RUN_ID, Moment(snapshot.snapshot_id, AS_OF, date(2024, 1, 2)))
    _predict(shop_home)
    _publish(shop_home, snapshot.snapshot_id)
    (shop_home.logs / f"{RUN_ID}.log").write_text("", "utf-8")
    return shop_home


def _predict(home: Home) -> None:
    stand = Stand("s1", AS_OF, date(2024, 1, 2), "rules")
    training = Training(
        stand, promoted=True, reason="first model", model_version="1", mlflow_run_id="r"
    )
    told = {
        "training": details_of("clv_90d", training),
        "scores": {"as_of": str(AS_OF), "reasons": {"clv_90d": "champion version 1"}},
    }
    for kind, details in told.items():
        with home.lake.transaction() as transaction:
            staged = home.lake.stage(pa.table({"n": [1, 2]}), "ml", kind, f"{kind}/1.parquet")
            transaction.commit(kind, kind, [staged], details=details)


def _publish(home: Home, snapshot_id: str) -> None:
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute(TABLES)
    publication = Publication(
        run_id=RUN_ID,
        snapshot_id=snapshot_id,
        as_of=AS_OF,
        published_at=datetime.now(UTC).replace(tzinfo=None),
        key=published_key(run_key(snapshot_id, AS_OF, read_config(home)), {}),
    )
    tables = [PublicTable("marts", name) for name in ("customer_360", "model_performance")]
    publish(home.warehouse, home.published, tables, publication)


def schema(verb: str) -> dict[str, Any]:
    return dict(
        json.loads(next((PROJECT / "docs" / "schemas").glob(f"unicus.{verb}.*")).read_text("utf-8"))
    )


def closed(part: Any) -> Any:
    """The schema, refusing keys that it does not describe."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    inner = {key: closed(value) for key, value in part.items()}
    return inner | ({"additionalProperties": False} if "properties" in part else {})


def describes(verb: str, value: dict[str, Any]) -> None:
    """The value, as it is printed, has the shape of its schema and no key more."""
    printed = json.loads(json.dumps(value, default=str))
    error = best_match(Draft202012Validator(closed(schema(verb))).iter_errors(printed))
    assert error is None, f"{error.json_path}: {error.message}"
    assert next(iter(printed)) == "schema"
