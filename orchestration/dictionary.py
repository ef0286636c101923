"""The data dictionary, a page per public model: `python -m orchestration.dictionary`.

What a model and its columns mean is said beside the model, and what is asked of it by its checks; here
only how a page shows them, and one question each model answers.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intake.contract import contracts
from orchestration import dbt
from orchestration.column_graph import RAW, ColumnGraph, raw_text, reason_generated
from orchestration.lineage import column_graph
from orchestration.markdown import table
from orchestration.settings import PROJECT, Home

FOLDER = PROJECT / "docs" / "data-dictionary"
Node = dict[str, Any]

UNITS = {
    r"^(is|has|was)_": "true or false",
    r"_at$": "UTC",
    r"_date$": "day",
    r"_days$": "days",
    r"_amount$": "reporting currency",
    r"_probability(_\d+d)?$": "probability",
    r"(^|_)quantity$": "units of the product",
    r"_count$": "count",
    r"_rate$": "rate",
    r"_ratio$": "ratio",
}
"""Units by the ending of a column's name, or its beginning."""

QUERIES = {
    "campaign_results": """\
select campaign_name, assigned_customers_count, redemption_rate
from marts.campaign_results
where is_complete
order by redemption_rate desc
limit 5""",
    "customer_360": """\
select value_tier, count(*) as customers_count, sum(predicted_net_revenue_90d_amount) as expected_amount
from marts.customer_360
group by value_tier
order by expected_amount desc""",
    "customer_attributes": """\
select attribute, count(*) as customers_count, avg(confidence_rate) as confidence_mean
from core.customer_attributes
where records_count > 1
group by attribute
order by confidence_mean""",
    "customer_consents": """\
select channel, count(*) filter (where is_granted) as granted_count, count(*) as asked_count
from core.customer_consents
where purpose = 'marketing'
group by channel
order by channel""",
    "customer_features": """\
select customer_id, recency_days, gap_mean_days, recency_gap_ratio
from features.customer_features
where recency_gap_ratio > 3
order by net_revenue_365d_amount desc
limit 10""",
    "customer_identifiers": """\
select identifier_type, count(*) as identifiers_count, count(*) filter (where is_shared) as shared_count
from core.customer_identifiers
group by identifier_type
order by identifiers_count desc""",
    "customer_propensities": """\
select customer_id, horizon_days, churn_probability
from marts.customer_propensities
where is_own_rhythm and churn_probability > 0.5
order by churn_probability
limit 10""",
    "customer_scores": """\
select horizon_days, predictor, model_version, is_baseline, is_stale, count(*) as customers_count,
    sum(predicted_net_revenue_amount) as expected_amount
from marts.customer_scores
group by all
order by horizon_days""",
    "customer_value_history": """\
select before.value_tier as was, now.value_tier as is_now, count(*) as customers_count
from marts.customer_value_history as now
inner join marts.customer_value_history as before on now.customer_id = before.customer_id
where
    now.as_of_date = (select max(as_of_date) from marts.customer_value_history)
    and before.as_of_date = (select min(as_of_date) from marts.customer_value_history)
group by all
order by was, is_now""",
    "dim_customers": """\
select age_band, count(*) as customers_count
from core.dim_customers
where customer_id <> 'unknown'
group by age_band
order by age_band""",
    "dim_households": """\
select members_count, count(*) as households_count
from core.dim_households
group by members_count
order by members_count""",
    "dim_products": """\
select department, count(*) as products_count
from core.dim_products
group by department
order by products_count desc
limit 10""",
    "dim_exchange_rates": """\
select base_currency, exchange_rate, start_date
from core.dim_exchange_rates
where quote_currency = 'EUR' and end_date is null
order by base_currency""",
    "dim_product_prices": """\
select date_trunc('year', start_date) as year, median(price_amount) as price_amount
from core.dim_product_prices
group by year
order by year""",
    "dim_stores": """\
select channel, count(*) as stores_count
from core.dim_stores
group by channel""",
    "fct_ad_spend": """\
select platform, sum(spend_amount) as spend_amount, sum(claimed_conversions_count) as claimed_count
from core.fct_ad_spend
group by platform
order by spend_amount desc""",
    "fct_consents": """\
select channel, count(*) filter (where is_granted) as granted_count, count(*) as asked_count
from core.fct_consents
where purpose = 'marketing' and is_current
group by channel
order by channel""",
    "fct_interactions": """\
select topic, count(*) as interactions_count, avg(satisfaction_rating) as satisfaction_mean
from core.fct_interactions
group by topic
order by satisfaction_mean
limit 5""",
    "fct_messages": """\
select message_theme, count(clicked_at) / count(delivered_at) as click_rate
from core.fct_messages
where channel = 'email'
group by message_theme
order by click_rate desc""",
    "fct_order_lines": """\
select p.department, sum(l.net_revenue_amount) as net_revenue_amount
from core.fct_order_lines as l
join core.dim_products as p using (product_id)
group by p.department
order by net_revenue_amount desc
limit 10""",
    "fct_orders": """\
select date_trunc('month', ordered_date) as month_start_date, count(*) as orders_count,
    sum(net_revenue_amount) as net_revenue_amount
from core.fct_orders
group by month_start_date
order by month_start_date""",
    "fct_referrals": """\
select referral_status, count(*) as referrals_count, sum(reward_amount) as reward_amount
from core.fct_referrals
group by referral_status
order by referrals_count desc""",
    "fct_returns": """\
select coalesce(reason, 'goods') as reason, count(*) as lines_count,
    sum(returned_amount) as returned_amount
from core.fct_returns
group by 1
order by returned_amount desc""",
    "fct_reviews": """\
select product_id, count(*) as reviews_count, avg(rating) as rating_mean
from core.fct_reviews
group by product_id
having count(*) >= 10
order by rating_mean
limit 10""",
    "fct_sessions": """\
select campaign_medium, count(*) as sessions_count, avg(orders_count) as orders_mean
from core.fct_sessions
where not is_bot
group by campaign_medium
order by sessions_count desc""",
    "fct_social": """\
select platform, activity_type, count(*) as activities_count
from core.fct_social
group by platform, activity_type
order by activities_count desc
limit 5""",
    "identity_events": """\
select rule, count(*) as records_count
from marts.identity_events
where event_type = 'merged'
group by rule
order by records_count desc
limit 5""",
    "identity_quality": """\
select stratum, decided_pairs_count, precision_rate, precision_low_rate, recall_rate, recall_low_rate
from marts.identity_quality
order by decided_pairs_count desc, stratum""",
    "identity_review": """\
select state, reason, count(*) as pairs_count
from marts.identity_review
group by state, reason
order by pairs_count desc""",
    "identity_runs": """\
select run_at, records_count, customers_count, merged_count, split_count
from marts.identity_runs
order by run_at desc
limit 5""",
    "ingest_reconciliation": """\
select file_name, entity, read_rows_count, accepted_rows_count, quarantined_rows_count,
    excluded_rows_count, difference_rows_count
from marts.ingest_reconciliation
order by load_seq""",
    "kpi_ads_daily": """\
select platform, sum(spend_amount) / sum(clicks_count) as cost_per_click_amount
from marts.kpi_ads_daily
group by platform
order by cost_per_click_amount desc""",
    "kpi_cohorts_monthly": """\
select cohort_month_date, months_since_first_count, retention_rate
from marts.kpi_cohorts_monthly
where is_complete and months_since_first_count <= 3
order by cohort_month_date, months_since_first_count""",
    "kpi_customers_monthly": """\
select month_start_date, active_customers_count, retention_rate, net_revenue_amount
from marts.kpi_customers_monthly
where value_tier = 'total' and is_complete
order by month_start_date""",
    "kpi_funnel_daily": """\
select channel, sum(adding_sessions_count) / sum(viewing_sessions_count) as add_rate,
    sum(buying_sessions_count) / sum(checkout_sessions_count) as completion_rate
from marts.kpi_funnel_daily
group by channel
order by channel""",
    "kpi_messages_daily": """\
select channel, sum(clicked_count) / sum(delivered_count) as click_rate, sum(cost_amount) as cost_amount
from marts.kpi_messages_daily
where purpose = 'marketing'
group by channel
order by click_rate desc""",
    "kpi_service_daily": """\
select interaction_type, sum(interactions_count) as interactions_count, sum(cost_amount) as cost_amount
from marts.kpi_service_daily
group by interaction_type
order by interaction_type""",
    "kpi_social_daily": """\
select platform, sum(activities_count) as activities_count, sum(mentions_count) as mentions_count
from marts.kpi_social_daily
group by platform
order by activities_count desc""",
    "kpi_stores_daily": """\
select store_name, sum(net_revenue_amount) / sum(orders_count) as basket_mean_amount,
    sum(identified_orders_count) / sum(orders_count) as identification_rate
from marts.kpi_stores_daily
group by store_name
order by basket_mean_amount desc
limit 10""",
    "kpi_web_daily": """\
select campaign_medium, sum(sessions_count) as sessions_count,
    sum(buying_sessions_count) / sum(sessions_count) as conversion_rate
from marts.kpi_web_daily
group by campaign_medium
order by sessions_count desc""",
    "model_calibration": """\
select cutoff_date, decile, predicted_rate, actual_rate, actual_low_rate, actual_high_rate
from marts.model_calibration
where model_name = 'propensity_30d'
order by cutoff_date, decile""",
    "model_deciles": """\
select cutoff_date, decile, predicted_total, actual_total,
    round(predicted_total / customers_count, 2) as predicted_mean,
    round(actual_total / customers_count, 2) as actual_mean
from marts.model_deciles
where is_model and model_name = 'clv_90d'
order by cutoff_date, decile""",
    "model_drift": """\
select as_of_date, model_name, subject, stability_index
from marts.model_drift
where is_drifting
order by as_of_date desc, stability_index desc""",
    "model_performance": """\
select model_name, cutoff_date, predictor, ngini, bias_ratio, decile_error, logloss
from marts.model_performance
where segment = 'all'
order by model_name, cutoff_date, ngini desc""",
    "model_realised": """\
select model_name, as_of_date, predictor, predicted_total, actual_total, bias_ratio, coverage_rate
from marts.model_realised
order by model_name, as_of_date""",
    "paths_to_purchase": """\
select path, orders_count, visits_per_order_mean, path_mean_days
from marts.paths_to_purchase
order by orders_count desc
limit 10""",
}


LONGEST_RAW = 150
"""Letters of a list of raw columns in a cell; a longer one becomes its number and the entities."""
MOST_ENTITIES = 8
"""Raw entities that a picture shows one by one."""
COPIES = re.compile(r"staging/stg_\w+|core/\w+_versions")
"""Tables that hold an entity as raw has it, typed and trimmed: a picture passes over them."""


def pages(manifest: dict[str, Any], graph: ColumnGraph) -> dict[str, str]:
    """Every page by its file name, the list of them included."""
    models = sorted(_public(manifest), key=lambda node: (node["schema"], node["name"]))
    return {"README.md": _index(models)} | {
        f"{node['name']}.md": _page(manifest, graph, node) for node in models
    }


def _public(manifest: dict[str, Any]) -> Iterator[Node]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["access"] == "public":
            yield node


def _index(models: list[Node]) -> str:
    rows = [
        (f"[{m['schema']}.{m['name']}]({m['name']}.md)", _grain(m["description"])[0])
        for m in models
    ]
    return (
        "# Data dictionary\n\nWritten by `python -m orchestration.dictionary` from the models; a test"
        " holds it to them. These are the tables of the published copy, besides `publication`.\n"
        "[read-the-marts.md](../read-the-marts.md) says how to open it,"
        " [data-model.md](../data-model.md) how the rules hang together.\n\n"
        + table(("table", "grain"), rows)
        + "\n*Made of* names the raw columns that the value of a column is computed from, counted or"
        " ordered by, through every table between; what only joins or filters its row is not among"
        " them, nor what a load adds to each row, unless there is nothing else.\n"
    )


def _page(manifest: dict[str, Any], graph: ColumnGraph, node: Node) -> str:
    grain, more = _grain(node["description"])
    group = manifest["groups"][f"group.unicus.{node['config']['group']}"]
    columns = [_column(graph, column, node) for column in node["columns"].values()]
    parts = [
        f"# {node['schema']}.{node['name']}\n\n{grain}",
        more,
        f"- **Owner:** {group['owner']['name']}, {group['owner']['email']}\n"
        + _key(manifest, node)
        + f"- **Built from:** {', '.join(f'`{name}`' for name in _parents(manifest, node))}",
        "## Columns\n\n"
        + table(("column", "type", "unit", "may be empty", "meaning", "made of"), columns).rstrip(),
        _origin(graph, node),
        _checks(manifest, node),
        f"## One question\n\n```sql\n{QUERIES[node['name']]}\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _grain(description: str) -> tuple[str, str]:
    """The first sentence, which tells the grain, and the rest."""
    first, stop, rest = " ".join(description.split()).partition(". ")
    return (first + "." if stop else first, rest)


def _column(graph: ColumnGraph, column: Node, node: Node) -> tuple[str, ...]:
    filled = any(one["type"] == "not_null" for one in column["constraints"])
    filled |= column["name"] in dbt.primary_key(node)
    personal = column["meta"].get("classification") == "personal"
    meaning = column["description"] + (" Personal." if personal else "")
    empty = "" if filled else "yes"
    raw = _raw(graph, node, column["name"])
    return (f"`{column['name']}`", column["data_type"], _unit(column), empty, meaning, raw)


def _raw(graph: ColumnGraph, node: Node, column: str) -> str:
    """The raw columns that a column is made of, or why there are none."""
    reason = reason_generated(f"{node['schema']}.{node['name']}", column)
    raw = graph.raw((_asset(node), column))
    # What the load adds to each row is told where there is nothing else to tell.
    raw = [one for one in raw if not one[1].startswith("_")] or raw
    told = f"no data: {reason}" if reason else raw_text(raw, ": ", "; ")
    if len(told) <= LONGEST_RAW:
        return told
    entities = sorted({asset.removeprefix(RAW) for asset, _ in raw})
    every = len(entities) == len(contracts())
    return f"{len(raw)} columns of {'every entity' if every else ', '.join(entities)}"


def _asset(node: Node) -> str:
    return f"{node['schema']}/{node['name']}"


def _origin(graph: ColumnGraph, node: Node) -> str:
    """The tables that the columns of a model are made of, drawn from raw to it."""
    example = next(iter(node["columns"]))
    edges = sorted(_edges(graph, _asset(node)))
    names = sorted({table for edge in edges for table in edge})
    lines = [f'    t{n}["{name.replace("/", ".")}"]' for n, name in enumerate(names)]
    lines += [f"    t{names.index(above)} --> t{names.index(below)}" for above, below in edges]
    drawn = "\n".join(["flowchart LR", *lines])
    return (
        "## Where it comes from\n\nAn arrow says that a column is made of a column; what only joins or"
        " filters is left out, and so are staging and version tables, which hold an entity as raw has"
        f" it. `unicus explain column {node['name']}.{example}` tells the way of one column.\n\n"
        f"```mermaid\n{drawn}\n```"
    )


def _edges(graph: ColumnGraph, asset: str) -> set[tuple[str, str]]:
    """From table to table, as far as columns of this one are made of them."""
    found: set[tuple[str, str]] = set()
    for column in graph.above((asset, name) for name in graph.public[asset]):
        origin = graph.origin(column)
        if origin and not COPIES.fullmatch(column[0]):
            found |= {(_passed_over(graph, above), column[0]) for above, _ in origin.columns}
    raw = {above for above, _ in found if above.startswith(RAW)}
    one = f"raw, {len(raw)} entities" if len(raw) > MOST_ENTITIES else ""
    return {(one if one and above in raw else above, below) for above, below in found}


def _passed_over(graph: ColumnGraph, asset: str) -> str:
    """The table itself, or what the copy is a copy of."""
    while COPIES.fullmatch(asset):
        columns = graph.origins[asset].values()
        asset = next(above for origin in columns for above, _ in origin.columns)
    return asset


def _unit(column: Node) -> str:
    told = column["meta"].get("unit")
    found = (unit for ending, unit in UNITS.items() if re.search(ending, column["name"]))
    return str(told or next(found, "")) if column["data_type"] != "varchar" else ""


def _key(manifest: dict[str, Any], node: Node) -> str:
    """The primary key, or the key that a check stands for; no line when neither is declared."""
    columns = dbt.key_columns(manifest, node)
    return f"- **Key:** {', '.join(f'`{name}`' for name in columns)}\n" if columns else ""


def _parents(manifest: dict[str, Any], node: Node) -> list[str]:
    known = manifest["nodes"] | manifest["sources"]
    return sorted(
        f"{known[id_]['schema']}.{known[id_]['name']}" for id_ in node["depends_on"]["nodes"]
    )


def _tests(manifest: dict[str, Any], node: Node) -> list[Node]:
    tests = (
        other
        for other in manifest["nodes"].values()
        if other["resource_type"] == "test" and node["unique_id"] in other["depends_on"]["nodes"]
    )
    about = (t for t in tests if t.get("attached_node") in (None, node["unique_id"]))
    return sorted(about, key=lambda test: (not test.get("test_metadata"), test["name"]))


def _checks(manifest: dict[str, Any], node: Node) -> str:
    lines = [line for test in _tests(manifest, node) for line in _sentences(test)]
    if not lines:
        return ""
    head = "## What holds\n\nChecked in every run before anything is published"
    return f"{head}; a check marked *warns* is reported and stops nothing.\n\n" + "\n".join(lines)


def _sentences(test: Node) -> Iterator[str]:
    """What a check asks, as lines of a list."""
    mark = " *(warns)*" if test["config"]["severity"].lower() == "warn" else ""
    asked = test.get("test_metadata")
    if not asked:
        comment = re.search(r"^--\s*(.+)$", test["raw_code"], re.MULTILINE)
        yield f"- {comment[1] if comment else test['name']}{mark}"
        return
    arguments = asked["kwargs"]
    if asked["name"] == "holds":
        yield from (f"- `{' '.join(one.split())}`{mark}" for one in arguments["expressions"])
    elif asked["name"] == "unique_key":
        yield f"- One row per {', '.join(f'`{c}`' for c in arguments['columns'])}.{mark}"
    elif asked["name"] == "relationships":
        to = re.sub(r".*'(\w+)'.*", r"\1", arguments["to"])
        yield f"- Every `{arguments['column_name']}` is one of `{to}`.{mark}"
    else:
        raise AssertionError(f"no words for a check of kind {asked['name']}")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The parsed project, with `folder` as the home it may need for parsing."""
    return dbt.manifest(dbt.manifest_path(_home(folder)))


def read_project(folder: Path) -> tuple[dict[str, Any], ColumnGraph]:
    """The same with the lineage of its columns."""
    return read_manifest(folder), column_graph(_home(folder))


def _home(folder: Path) -> Home:
    home = Home(folder / "home")
    home.create()
    return home


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        written = pages(*read_project(Path(scratch)))
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.md"):
        stale.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, "utf-8")
