"""Whatever systems of the retailer a home has, all that it can build is built."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.source import SYSTEMS
from ml.questions import BY_NAME
from retailer.generate import Made, generate
from tests.conftest import cases
from tests.homes import home_of_retailer, query, run
from tests.unit.retailer.conftest import plan


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return generate(plan(customers=500), tmp_path_factory.mktemp("systems") / "made")


@pytest.mark.battery
@given(data=st.data())
@settings(max_examples=cases(1), deadline=None, suppress_health_check=list(HealthCheck))
def test_any_systems_alone_run(
    made: Made, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    known = sorted(path.name for path in SYSTEMS.glob("retailer_*"))
    chosen = data.draw(st.sets(st.sampled_from(known), min_size=1))
    asked = (data.draw(st.sampled_from(sorted(BY_NAME))),)
    home = home_of_retailer(made.landing, tmp_path_factory.mktemp("subset"), chosen, asked)
    run(home)
    delivered = query(home, "select distinct source_system from marts.ingest_reconciliation")
    assert {system for (system,) in delivered} == chosen
    assert query(home, "select bool_and(is_reconciled) from marts.ingest_reconciliation") == [
        (True,)
    ]
