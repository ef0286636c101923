"""What the signals of other channels add to the predictions, on a home of the retailer.

    python -m benchmarks.signals WAREHOUSE [--draws 2000]

WAREHOUSE is the warehouse.duckdb of a home whose last run trained the questions asked, so that it has the
features of their training dates. Beside the features of the orders come, group by group and all together,
those of browsing, messages, service, returns, reviews, referrals, permissions and channels: what each
customer did before each date. Each question is asked of the same cut-offs as in training, without and with
a group.

Browsing is a feature already: its columns are read as they are built, and left out first. The other groups
are made here, by the days of the business. Orders are those known at the date. Of the rest the facts have
the newest version, which is what was known wherever a source tells once and corrects nothing.

Prints the gain with its 95 % interval from a bootstrap over customers, each with all their rows (up to
three cut-offs): ngini of an amount, logloss and AUC of a probability (a good logloss is negative). The
models are the same in all draws: what the luck of a fit adds is not in the interval, but seen in groups
that are the same for everybody. A group earns its place when an interval lies wholly on the good side for a
question, by more than that luck, none wholly on the bad one, and all groups gain more than those built.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.tables import show, told
from ml.backtest import replay
from ml.evaluation import auc, logloss, ngini, paired_gain, weighted_logloss, weighted_ngini
from ml.frames import LabelledFrame, read_labelled
from ml.questions import QUESTIONS, Question
from ml.splits import cut_offs, dates_to_train, training_dates

BROWSING = [
    "browsing_days_7d_count", "browsing_days_30d_count", "browsing_days_90d_count",
    "products_viewed_90d_count", "products_added_90d_count", "checkouts_90d_count",
    "browsing_recency_days",
]  # fmt: skip
# When a UTC timestamp is, by the calendar of the business.
BUSINESS_DAY = """
create temp macro business_day(utc_at) as
    cast(timezone(getvariable('business_timezone'), timezone('UTC', utc_at)) as date)
"""
# Each other group: the days on which something happened, and what is made of those before `as_of`.
GROUPS = {
    "messages": (
        """
        select customer_id, sent_date as day, count(*) as sent, 0 as opened, 0 as clicked
        from core.fct_messages where purpose = 'marketing' and customer_id <> 'unknown' group by all
        union all
        select customer_id, business_day(opened_at), 0, count(*), 0
        from core.fct_messages where purpose = 'marketing' and opened_at is not null group by all
        union all
        select customer_id, business_day(clicked_at), 0, 0, count(*)
        from core.fct_messages where purpose = 'marketing' and clicked_at is not null group by all
        """,
        """
        sum(sent) filter (where ago <= 30) as messages_30d_count,
        sum(sent) filter (where ago <= 90) as messages_90d_count,
        sum(opened) filter (where ago <= 90) as messages_opened_90d_count,
        sum(clicked) filter (where ago <= 30) as messages_clicked_30d_count,
        sum(clicked) filter (where ago <= 90) as messages_clicked_90d_count,
        min(ago) filter (where clicked > 0) as click_recency_days,
        min(ago) filter (where opened > 0) as open_recency_days
        """,
    ),
    "service": (
        """
        select customer_id, started_date as day, 1 as contacts, null as rating, null as wait_seconds
        from core.fct_interactions where customer_id <> 'unknown'
        union all
        select customer_id, business_day(coalesce(answered_at, ended_at, started_at)), 0, null, wait_seconds
        from core.fct_interactions where wait_seconds is not null
        union all
        -- Nobody says when they were asked; they cannot have answered before the contact ended.
        select customer_id, business_day(coalesce(ended_at, started_at)), 0, satisfaction_rating, null
        from core.fct_interactions where satisfaction_rating is not null
        """,
        """
        sum(contacts) filter (where ago <= 90) as contacts_90d_count,
        sum(contacts) filter (where ago <= 365) as contacts_365d_count,
        min(ago) filter (where contacts > 0) as contact_recency_days,
        avg(rating) filter (where ago <= 365) as satisfaction_365d_mean,
        arg_max(rating, day) as satisfaction_last_rating,
        avg(wait_seconds) filter (where ago <= 365) as wait_365d_mean_seconds
        """,
    ),
    "returns": (
        """
        select customer_id, returned_date as day, count(*) as lines, sum(returned_amount) as amount
        from core.fct_returns where customer_id <> 'unknown' group by all
        """,
        """
        sum(lines) filter (where ago <= 90) as returned_lines_90d_count,
        sum(lines) filter (where ago <= 365) as returned_lines_365d_count,
        sum(amount) filter (where ago <= 365) as returned_365d_amount,
        min(ago) as return_recency_days
        """,
    ),
    "reviews": (
        """
        select customer_id, reviewed_date as day, rating
        from core.fct_reviews where customer_id <> 'unknown'
        """,
        """
        count(rating) filter (where ago <= 365) as reviews_365d_count,
        avg(rating) filter (where ago <= 365) as reviews_365d_mean_rating,
        arg_max(rating, day) as review_last_rating
        """,
    ),
    "referrals": (
        """
        select referrer_customer_id as customer_id, referred_date as day, 1 as brought, 0 as was_brought
        from core.fct_referrals where referrer_customer_id <> 'unknown'
        union all
        select referred_customer_id, referred_date, 0, 1
        from core.fct_referrals where referred_customer_id <> 'unknown'
        """,
        "sum(brought) as persons_brought_count, max(was_brought) as was_brought_flag",
    ),
    "permissions": (
        """
        select customer_id, business_day(held_from_at) as day, held_from_at, channel, is_granted
        from core.fct_consents where purpose = 'marketing' and customer_id <> 'unknown'
        """,
        """
        arg_max(is_granted, held_from_at) filter (where channel = 'email')::integer as is_email_granted,
        arg_max(is_granted, held_from_at) filter (where channel = 'sms')::integer as is_sms_granted
        """,
    ),
    "channels": (
        """
        select known.customer_id, known.ordered_date as day, orders.channel, known_from_date, known_to_date
        from core.order_history as known inner join core.fct_orders as orders using (order_id)
        where known.customer_id <> 'unknown'
        """,
        """
        avg((channel = 'store')::integer)
            filter (where known_from_date < as_of and as_of <= known_to_date) as store_orders_rate,
        avg((channel = 'app')::integer)
            filter (where known_from_date < as_of and as_of <= known_to_date) as app_orders_rate
        """,
    ),
}  # fmt: skip


def weighted_auc(actual: np.ndarray, predicted: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """`auc` as a function of weights: for outcomes of 0 and 1 it is (1 + ngini) / 2."""
    of_weights = weighted_ngini(actual, predicted)
    return lambda weights: (1 + of_weights(weights)) / 2


COMPARED: dict[bool, tuple[tuple[str, Callable[..., float], Callable[..., object]], ...]] = {
    False: (("ngini", ngini, weighted_ngini),),
    True: (("logloss", logloss, weighted_logloss), ("AUC", auc, weighted_auc)),
}


def signals(warehouse: Path, group: str, frame: LabelledFrame) -> pd.DataFrame:
    """What a group says of the rows of a frame, in their order; counts of nothing are 0."""
    days, features = GROUPS[group]
    rows = pd.DataFrame({
        "place": range(len(frame)), "customer_id": frame.customer_ids,
        "as_of_date": frame.as_of_dates.astype("datetime64[s]"),
    })  # fmt: skip
    with duckdb.connect(str(warehouse), read_only=True) as con:
        con.register("rows", rows)
        con.execute("set variable business_timezone = (select business_timezone from moment.run)")
        con.execute(BUSINESS_DAY)
        found = con.execute(f"""
            with days as materialized ({days}),
            seen as (
                select rows.place, days.*, rows.as_of_date::date as as_of, as_of - days.day as ago
                from rows left join days
                    on rows.customer_id = days.customer_id and days.day < rows.as_of_date::date
            )
            select {features} from seen group by place order by place
        """).df().astype(float)  # fmt: skip
    counts = [name for name in found if name.endswith(("_count", "_amount", "_flag"))]
    return found.fillna(dict.fromkeys(counts, 0.0))


def widened(frame: LabelledFrame, columns: Sequence[pd.DataFrame]) -> LabelledFrame:
    """The frame with more features."""
    return replace(frame, features=pd.concat([frame.features, *columns], axis=1))


def compare(
    warehouse: Path, question: Question, as_of: date, first_day: date, draws: int
) -> list[list[str]]:
    """Ask a question without and with each group."""
    dates = training_dates(first_day, as_of, question.horizon_days)
    tests = cut_offs(dates, question.horizon_days)
    asked = dates_to_train(first_day, as_of, [question.horizon_days])
    frame = read_labelled(warehouse, asked, question.horizon_days)
    found = {"browsing": [frame.features[BROWSING]]}
    found |= {group: [signals(warehouse, group, frame)] for group in GROUPS}
    found["all"] = [columns for (columns,) in found.values()]
    frame = replace(frame, features=frame.features.drop(columns=BROWSING))
    without = replay(frame, tests, question, first_day)
    column = "any_order_probability" if question.is_probability else "predicted"
    actual, reference = without["actual"].to_numpy(), without[column].to_numpy()
    customers = without["customer_id"].to_numpy()
    rows = []
    for group, columns in found.items():
        predicted = replay(widened(frame, columns), tests, question, first_day)[column].to_numpy()
        for name, metric, weighted in COMPARED[question.is_probability]:
            gain = paired_gain(
                weighted, actual, predicted, reference, customers=customers, draws=draws
            )
            figures = [f"{metric(actual, reference):.4f}", f"{metric(actual, predicted):.4f}"]
            rows.append([question.name, group, name, *figures, told(gain, 4)])
            print("  ".join(rows[-1]), flush=True)
    return rows


def main() -> None:
    """Compare every question but that of a year, which has no closed past to test with on 30 months."""
    asked = argparse.ArgumentParser()
    asked.add_argument("warehouse", type=Path)
    asked.add_argument("--draws", type=int, default=2000)
    asked.add_argument(
        "--question",
        nargs="+",
        default=["clv_30d", "clv_90d", "propensity_30d", "propensity_90d", "orders_90d"],
    )
    given = asked.parse_args()
    with duckdb.connect(str(given.warehouse), read_only=True) as con:
        ((as_of, first_day),) = con.execute(
            "select (select max(as_of_date) from features.customer_features),"
            " (select min(ordered_date) from core.fct_orders)"
        ).fetchall()
    rows = []
    for question in QUESTIONS:
        if question.name in given.question:
            rows += compare(given.warehouse, question, as_of, first_day, given.draws)
    show("what each group adds", "question  group  metric  without  with  gain", rows)


if __name__ == "__main__":
    main()
