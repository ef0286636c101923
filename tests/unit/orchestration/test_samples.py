"""What Dagster's pages show of a table: of which, and that it is what is there."""

from __future__ import annotations

from base64 import b64decode
from datetime import date, timedelta
from xml.etree import ElementTree

from orchestration import dbt
from orchestration.samples import DAYS, day_plot, is_sampled
from orchestration.settings import Home

SVG = "{http://www.w3.org/2000/svg}"


def test_rows_are_shown_of_tables_without_customers_alone(shop_home: Home) -> None:
    nodes = dbt.manifest(dbt.manifest_path(shop_home))["nodes"].values()
    models = {node["name"]: node for node in nodes if node["resource_type"] == "model"}
    shown = {name for name, node in models.items() if is_sampled(node)}
    assert {"kpi_customers_monthly", "kpi_cohorts_monthly", "model_drift"} <= shown
    assert not {name for name in shown if name.startswith("customer") or "dim_" in name}
    node = models["kpi_customers_monthly"]
    personal = {"name": "x", "config": {"meta": {"classification": "personal"}}}
    assert not is_sampled(node | {"columns": node["columns"] | {"x": personal}})
    assert not is_sampled(node | {"columns": {"customer_id": {"name": "customer_id"}}})
    assert not is_sampled(node | {"columns": {}})


def test_a_drawing_has_a_bar_for_each_day_with_rows() -> None:
    last = date(2024, 3, 31)
    days = {last - timedelta(days=n): 10 * (n + 1) for n in (0, 1, 5, DAYS - 1, DAYS)}
    told = str(getattr(day_plot(days, "orders & more"), "value", ""))
    drawn = ElementTree.fromstring(b64decode(told.split("base64,")[1].rstrip(")")))
    groups = drawn.findall(f"{SVG}g")
    heights = [float(bar.attrib["height"]) for bar in groups[0]]
    assert heights == [120.0, 12.0, 4.0, 2.0]
    assert [text.text for text in groups[1]] == [
        "orders & more, at most 600", "2024-02-01", "2024-03-31",
    ]  # fmt: skip
    assert day_plot({}, "orders") is None
