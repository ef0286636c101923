"""`unicus explain customer`: what stands behind a row of customer_360, as JSON and as a page.

What is told is found in `serving/explain.py`; here is how it reads, and what of the settings it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from orchestration.console import aligned
from orchestration.settings import DBT_PROJECT, Home, read_config, require_home

SCHEMA = "unicus.explain_customer/1"
ORDERS = 5
SHORT_ID = 8
WHO = (
    "smallest_record_key", "records_count", "source_systems", "age_band", "income_band",
    "home_ownership", "marital_status", "household_size", "household_composition", "children_count",
)  # fmt: skip
BOUGHT = (
    "orders_count", "orders_365d_count", "net_revenue_amount", "net_revenue_365d_amount",
    "first_ordered_date", "last_ordered_date", "recency_days", "tenure_days", "basket_mean_amount",
    "discount_share_rate", "returned_amount", "campaigns_count", "coupon_redemptions_count",
)  # fmt: skip
EXPECTED = (
    "predicted_net_revenue_90d_amount", "value_predictor", "is_baseline_prediction",
    "is_stale_prediction", "churn_probability", "churn_horizon_days", "order_probability_30d",
    "order_probability_90d", "expected_orders_90d_count", "expected_next_order_date",
)  # fmt: skip
SAID_ELSEWHERE = ("customer_id", "lifecycle", "value_tier")


def read_explanation(home: Home, asked: str) -> dict[str, Any]:
    """Collect what stands behind a customer as one JSON object.

    Raises:
        SettingFault: no home, or a `home.yaml` that cannot be used.
        ExplainFault: nothing is published, or no customer, or several, are meant.
        DamagedCopy: the published copy cannot be opened.
    """
    require_home(home)
    from serving.explain import Ground, explain_customer
    from serving.figures import LifecycleDays

    config = read_config(home)
    ground = Ground(
        home.lake, home.published, home.mlflow, config.business_timezone,
        config.reporting_currency, LifecycleDays(**_lifecycle_days()),
    )  # fmt: skip
    return {"schema": SCHEMA, "home": str(home.root), **explain_customer(ground, asked)}


def _lifecycle_days() -> dict[str, int]:
    """The days that the models of the project go by."""
    import yaml

    told = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]
    return {name: told[f"{name}_days"] for name in ("new_for", "at_risk_after", "lost_after")}


def explanation_text(value: dict[str, Any], orders: int = ORDERS) -> str:
    """The explanation as a page, with the newest orders in full."""
    further = [
        name for name in value["customer_360"]
        if name not in {*WHO, *BOUGHT, *EXPECTED, *SAID_ELSEWHERE}
    ]  # fmt: skip
    parts = [
        _head_text(value),
        _part("who", _records_text(value), _columns_text(value, WHO)),
        _part("what they bought", _columns_text(value, BOUGHT), _verdict_text(value)),
        _orders_text(value, orders),
        _part("other rows that count", _other_facts_text(value)),
        _part("what is expected", _columns_text(value, EXPECTED), _scores_text(value)),
        _decision_text(value, "lifecycle", ("recency_days", "tenure_days", "gap_last_days")),
        _decision_text(value, "value_tier", ("net_revenue_365d_amount", "rank", "ranked")),
        _part("further columns", _columns_text(value, further)),
        _part("loads these rows come from", _loads_text(value)),
        _missing_text(value),
    ]
    return "\n\n".join(filter(None, parts))


def _part(title: str, *texts: str) -> str:
    told = "\n\n".join(filter(None, texts))
    return f"{title}\n{told}" if told else ""


def _head_text(value: dict[str, Any]) -> str:
    run, asked = value["run"], value["asked"]
    means = {
        "customer_id": "", "beginning": f", which begins with {asked['text']}",
        "record": f", which has the record {asked['text']}",
        "retired_id": f", which followed {asked['text']}",
    }[asked["means"]]  # fmt: skip
    rows = [
        ("home", value["home"]),
        ("customer", value["customer_id"] + means),
        ("as of", f"{run['as_of']}, days of {value['business_timezone']}, {value['currency']}"),
        ("run", f"{run['run_id']}, published {_minute(run['published_at'])}, {run['published']}"),
        ("snapshot", f"{run['snapshot_id']}, {run['loads']:,} loads"),
    ]
    return aligned(rows, indent="")


def _records_text(value: dict[str, Any]) -> str:
    rows = []
    for record in value["records"]:
        key = f"{record['source_system']}:{record['source_key']}"
        named = ", ".join(f"{name} {count:,}" for name, count in record["named_in"].items())
        decisions = record["decisions"] or [{}]
        for number, one in enumerate(decisions):
            first = number == 0
            rows.append(
                (key if first else "", (named or "no row") if first else "",
                 one.get("event_type", "not told"), one.get("rule") or "",
                 _minute(one["event_at"]) if one.get("event_at") else "",
                 one.get("from_customer_id") or "")
            )  # fmt: skip
    if not rows:
        return ""
    head = ("record", "rows that name it", "decision", "by the rule", "at", "came from")
    return aligned([head, *rows])


def _columns_text(value: dict[str, Any], names: Sequence[str]) -> str:
    """Columns of customer_360, each beside what its sources come to."""
    checks = {one["figure"]: one for one in value["checks"]}
    rows = []
    for name in (name for name in names if name in value["customer_360"]):
        check = checks.get(name)
        rows.append(
            (name, _shown(value["customer_360"][name]),
             _shown(check["recomputed"]) if check else "",
             check["recomputed_from"] if check else "", _verdict(check))
        )  # fmt: skip
    if not rows:
        return ""
    if not any(row[4] for row in rows):
        return aligned([("column", "customer_360"), *(row[:2] for row in rows)])
    return aligned([("column", "customer_360", "worked out again", "from", ""), *rows])


def _verdict(check: dict[str, Any] | None) -> str:
    if check is None:
        return ""
    return "equal" if check["is_equal"] else "DIFFERS"


def _verdict_text(value: dict[str, Any]) -> str:
    checks = value["checks"]
    if not checks:
        return "  nothing could be worked out again"
    differ = [one["figure"] for one in checks if not one["is_equal"]]
    if differ:
        return (
            f"  {len(differ)} of {len(checks)} figures worked out again differ: {', '.join(differ)}"
        )
    singly = ", order by order too" if checks[-1]["recomputed_from"].endswith("one by one") else ""
    return f"  all {len(checks)} figures worked out again are equal{singly}"


def _orders_text(value: dict[str, Any], count: int) -> str:
    shown, total = value["orders"][:count], len(value["orders"])
    rows = [row for order in shown for row in _order_rows(order)]
    if not rows:
        return ""
    head = ("order", "ordered, UTC", "amount", "fct_orders", "part", "file", "load", "row", "line")
    more = f"the newest {len(shown):,} of {total:,} orders" if len(shown) < total else "the orders"
    return f"{more}\n{_without_empty(head, rows)}"


def _order_rows(order: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    first = (order["order_id"], _second(order["ordered_at"]), _shown(order["net_revenue_amount"]),
             _shown(order["fct_orders_amount"])
             + (" DIFFERS" if order["is_equal"] is False else ""))  # fmt: skip
    if order["header"] is None:
        yield *first, "no raw row counts", "", "", "", ""
        return
    yield *first, "order", *_place([order["header"]])
    by_load: dict[str, list[dict[str, Any]]] = {}
    for line in order["lines"]:
        by_load.setdefault(line["load_id"], []).append(line)
    for lines in by_load.values():
        yield "", "", "", "", _counted(len(lines), "line"), *_place(lines)
    for line in order["refused_lines"]:
        yield "", "", "", "", f"refused: {line['field']} {line['reason']}", *_place([line])


def _place(sources: Sequence[dict[str, Any]]) -> tuple[str, str, str, str]:
    """File, load, rows and lines of sources from one load."""
    lines = [one["line"] for one in sources]
    return (
        sources[0]["file"], sources[0]["load_id"][:SHORT_ID],
        _ranges(one["row"] for one in sources), "" if None in lines else _ranges(lines),
    )  # fmt: skip


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers with neighbours drawn together: `3, 7-9`."""
    drawn: list[list[int]] = []
    for number in sorted(set(numbers)):
        if drawn and number == drawn[-1][1] + 1:
            drawn[-1][1] = number
        else:
            drawn.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in drawn)


def _other_facts_text(value: dict[str, Any]) -> str:
    by_load: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in value["other_facts"]:
        by_load.setdefault((one["entity"], one["load_id"]), []).append(one)
    rows = [(entity, *_place(found)) for (entity, _), found in by_load.items()]
    return _without_empty(("entity", "file", "load", "row", "line"), rows) if rows else ""


def _scores_text(value: dict[str, Any]) -> str:
    head = ("question", "score", "low", "high", "predictor", "made by", "trained as of",
            "on snapshot", "MLflow run", "scored at snapshot", "stale")  # fmt: skip
    rows = [
        (one["question"], *(_shown(one[name]) for name in ("predicted", "low", "high", "predictor")),
         one["made_by"],
         *(_shown(one[name]) for name in ("trained_as_of", "trained_at_snapshot", "mlflow_run_id",
                                          "scored_at_snapshot", "is_stale")))
        for one in value["scores"]
    ]  # fmt: skip
    return _without_empty(head, rows) if rows else "  no score"


def _decision_text(value: dict[str, Any], name: str, numbers: Sequence[str]) -> str:
    told = value[name]
    verdict = {None: "", True: ", as the rule says", False: f", the rule says {told['by_rule']}"}
    rows = [
        (name, f"{_shown(told['value'])}{verdict[told['is_equal']]}"),
        *((number, _shown(told[number]) or "none") for number in numbers),
        ("rule", told["rule"]),
    ]
    return aligned(rows, indent="")


def _loads_text(value: dict[str, Any]) -> str:
    rows = [
        (one["load_id"][:SHORT_ID], one["system"], one["entity"], one["file"],
         f"{one['counted_rows']:,}", f"{one['other_rows']:,}", _span(one), _minute(one["loaded_at"]),
         one["state"], str(Path(one["original"]).relative_to(value["home"])))
        for one in value["loads"]
    ]  # fmt: skip
    head = ("load", "system", "entity", "file", "rows", "that do not count", "first to last row",
            "loaded", "state", "kept original")  # fmt: skip
    return aligned([head, *rows]) if rows else ""


def _span(load: dict[str, Any]) -> str:
    return f"{load['first_row']}-{load['last_row']}" if load["counted_rows"] else ""


def _missing_text(value: dict[str, Any]) -> str:
    rows = [("missing" if not number else "", one) for number, one in enumerate(value["missing"])]
    return aligned(rows, indent="")


def _without_empty(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table without the columns that say nothing."""
    kept = [n for n in range(len(head)) if any(row[n] for row in rows)]
    return aligned([tuple(row[n] for n in kept) for row in (head, *rows)])


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _minute(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


def _second(at: str) -> str:
    return at[:19].replace("T", " ")
