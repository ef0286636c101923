"""Figures of a customer worked out again from raw rows, and held against the mart.

Belongs here: sums, lifecycle and tier by their rules in words. Does not belong here: which rows count,
which is said in `rows.py`. The arithmetic is Python's own on purpose: the mart's is the engine's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
YEAR_DAYS = 365


@dataclass(frozen=True)
class LifecycleDays:
    """Where one stage of a customer's life ends and the next begins, in days."""

    new_for: int
    at_risk_after: int
    lost_after: int


@dataclass(frozen=True)
class Purchase:
    """One order that counts, with what its lines in force add up to."""

    ordered_date: date
    net_revenue: Decimal
    gross: Decimal
    discount: Decimal


def purchase_figures(purchases: Sequence[Purchase], as_of: date) -> dict[str, Any]:
    """The columns of customer_360 that follow from orders alone, by name."""
    days = sorted({one.ordered_date for one in purchases})
    revenue = _sum(one.net_revenue for one in purchases)
    gross = _sum(one.gross for one in purchases)
    recent = [one for one in purchases if (as_of - one.ordered_date).days <= YEAR_DAYS]
    return {
        "orders_count": len(purchases),
        "orders_365d_count": len(recent),
        "net_revenue_amount": _cents(revenue),
        "net_revenue_365d_amount": _cents(_sum(one.net_revenue for one in recent)),
        "first_ordered_date": days[0] if days else None,
        "last_ordered_date": days[-1] if days else None,
        "recency_days": (as_of - days[-1]).days if days else None,
        "tenure_days": (as_of - days[0]).days if days else None,
        "basket_mean_amount": float(revenue) / len(purchases) if purchases else None,
        "discount_share_rate": float(_sum(one.discount for one in purchases)) / float(gross)
        if gross
        else None,
    }


def last_gap(purchases: Sequence[Purchase]) -> int | None:
    """Days between the last two days with an order."""
    days = sorted({one.ordered_date for one in purchases})
    return (days[-1] - days[-2]).days if len(days) > 1 else None


def returned_figure(amounts: Sequence[Decimal]) -> dict[str, Any]:
    """What was given back, by the name of its column."""
    return {"returned_amount": _cents(_sum(amounts))}


def compare(
    mart: Mapping[str, Any], found: Mapping[str, Any], source: str
) -> list[dict[str, Any]]:  # fmt: skip
    """Hold what was worked out against the columns of the mart that have the same names."""
    return [
        {
            "figure": name,
            "customer_360": mart[name],
            "recomputed": value,
            "recomputed_from": source,
            "is_equal": _is_equal(mart[name], value),
        }
        for name, value in found.items()
        if name in mart
    ]


def lifecycle(figures: Mapping[str, Any], gap_days: int | None, days: LifecycleDays) -> str:
    """The stage of a customer by the rule of customer_360."""
    recency, tenure = figures["recency_days"], figures["tenure_days"]
    if recency is None:
        return "prospect"
    if recency > days.lost_after:
        return "lost"
    if recency > days.at_risk_after:
        return "at_risk"
    if tenure <= days.new_for:
        return "new"
    return "reactivated" if (gap_days or 0) > days.lost_after else "active"


def lifecycle_rule(days: LifecycleDays) -> str:
    """The same in words."""
    return (
        f"prospect: no order; else lost: none for more than {days.lost_after} days; else at_risk: none"
        f" for more than {days.at_risk_after}; else new: first order at most {days.new_for} days ago;"
        f" else reactivated: the last gap was longer than {days.lost_after} days; else active"
    )


TIER_RULE = (
    "of all with an order in 365 days, ranked by net revenue of those days, then first order, then"
    " smallest record key: top is the first 20 %, middle the next 30 %, base the rest; without such an"
    " order none"
)


def value_tier(rank: int | None, ranked: int) -> str:
    """The tier of a rank by the rule of customer_360."""
    if rank is None:
        return "none"
    if 5 * (rank - 1) < ranked:
        return "top"
    return "middle" if 2 * (rank - 1) < ranked else "base"


def _sum(amounts: Any) -> Decimal:
    return sum(amounts, Decimal(0))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _is_equal(mart: Any, found: Any) -> bool:
    if isinstance(mart, float) and isinstance(found, float):
        return math.isclose(mart, found, rel_tol=1e-9)
    return bool(mart == found)
