"""What the core and the daily figures say of every channel is what the landing files and the truth say."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orchestration.explain_customer import read_explanation
from orchestration.identity_lake import promote, promoted_model
from orchestration.settings import Home
from retailer.generate import Made, generate
from tests.equal_tables import assert_equal_tables
from tests.homes import home_of_retailer, query, run
from tests.unit.retailer.conftest import plan

LAST = date(2026, 6, 30)
END_OF_HISTORY = "2026-06-30 22:00:00"
"""In UTC, as Paris is two hours ahead."""


class Retailer(NamedTuple):
    made: Made
    home: Home


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Retailer:
    root = tmp_path_factory.mktemp("signals")
    made = generate(plan(customers=500), root / "made")
    home = home_of_retailer(made.landing, root / "home")
    run(home)
    return Retailer(made, home)


def ask(text: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        return con.execute(text).fetchall()


def paris(column: str) -> str:
    return f"timezone('Europe/Paris', timezone('UTC', {column}))::date"


def test_every_figure_of_messages_is_that_of_the_files(retailer: Retailer) -> None:
    folder = retailer.made.landing / "messaging"
    expected = ask(f"""
        with messages as (
            select distinct on (message) message, channel, cost::decimal(18, 4) as cost,
                make_timestamp(sent_at::bigint * 1000) as sent_at
            from read_csv('{folder}/messages_*', all_varchar = true) where sent_at is not null
        ),
        events as (
            select distinct on (event) event, message, type,
                make_timestamp("at"::bigint * 1000) as happened_at
            from read_csv('{folder}/events_*', all_varchar = true)
        ),
        states as (
            select message, type, min(happened_at) from events group by all
        ),
        machine as (
            select distinct message from events join messages using (message)
            where type = 'opened' and channel = 'email' and happened_at < sent_at + interval 2 minutes
        ),
        human as (
            select distinct message from events join messages using (message)
            where type = 'opened' and not (channel = 'email' and happened_at < sent_at + interval 2 minutes)
        )
        select {paris("sent_at")} as day, channel, count(*),
            count(*) filter (where message in (select message from states where type = 'delivered')),
            count(*) filter (where message in (select message from states where type = 'bounced')),
            count(*) filter (where message in (from human)),
            count(*) filter (where message in (from machine)),
            count(*) filter (where message in (select message from states where type = 'clicked')),
            count(*) filter (where message in (select message from states where type = 'unsubscribed')),
            count(*) filter (where message in (select message from states where type = 'complained')),
            sum(cost)
        from messages group by all order by all
    """)
    found = query(retailer.home, """
        select sent_date, channel, sent_count, delivered_count, bounced_count, opened_count,
            machine_opened_count, clicked_count, unsubscribed_count, complained_count, cost_amount
        from marts.kpi_messages_daily order by all
    """)  # fmt: skip
    assert found == expected
    assert sum(row[7] for row in found) > 100
    for rate, over, under in (("delivery", "delivered", "sent"), ("bounce", "bounced", "sent"),
                              ("open", "opened", "delivered"), ("click", "clicked", "delivered"),
                              ("click_to_open", "clicked", "opened"),
                              ("unsubscribe", "unsubscribed", "delivered"),
                              ("complaint", "complained", "delivered")):  # fmt: skip
        wrong = query(retailer.home, f"""
            select count(*) from marts.kpi_messages_daily
            where {rate}_rate is distinct from
                case when {under}_count > 0 then {over}_count / {under}_count end
        """)  # fmt: skip
        assert wrong == [(0,)], rate


def told(column: str) -> str:
    """A moment of the truth where it lies in history, as exactly as the platform writes it."""
    return (
        f"(case when {column} < '{END_OF_HISTORY}' then date_trunc('milliseconds', {column}) end)"
    )


def test_states_of_messages_are_the_true_ones_and_openings_nearly_all(retailer: Retailer) -> None:
    ((messages, wrong, opened, as_told),) = ask(f"""
        attach '{retailer.home.published}' as published (read_only);
        select count(*),
            count(*) filter (where (found.delivered_at is null) <> (true_bounce)
                or found.clicked_at is distinct from {told("clicked")}
                or found.complained_at is distinct from {told("complained")}
                or found.unsubscribed_at is distinct from {told("unsubscribed")}),
            count(*) filter (where has_opened),
            count(*) filter (where has_opened and (found.opened_at is null) = (truth.opened is null)
                and (found.machine_opened_at is null) = (truth.machine_opened is null))
        from published.core.fct_messages as found
        join (
            select *, bounce is not null as true_bounce,
                opened is not null or machine_opened is not null as has_opened
            from read_parquet('{retailer.made.truth}/messages/*.parquet')
        ) as truth on truth.message::varchar = found.message_key
        where truth.moment < '{LAST}'::date - 3
    """)
    assert messages > 5_000
    assert wrong <= 2, "late rows of the last day may lie after the end"
    assert as_told / opened > 0.98, "a person who opens within two minutes is taken for a program"


def landed_events(folder: Path) -> list[tuple[Any, ...]]:
    return ask(f"""
        select distinct on (event_id) event_id, visitor_id, platform, "timestamp"::timestamp, event
        from read_json('{folder}/events_*', format = 'newline_delimited', union_by_name = true)
        where event is not null and "timestamp"::timestamp < '2030-01-01'
        order by event_id
    """)


class Visit(NamedTuple):
    visitor: str
    platform: str
    began: datetime
    ended: datetime
    names: Counter[str]


def landed_visits(retailer: Retailer) -> Iterator[Visit]:
    """Visits made again without SQL: sorted events, cut where 30 minutes pass without one."""
    trails: dict[tuple[Any, str], list[tuple[datetime, str, str]]] = defaultdict(list)
    for key, visitor, platform, at, name in landed_events(retailer.made.landing / "web"):
        trails[visitor, platform].append((at, str(key), name))
    for (visitor, platform), events in trails.items():
        events.sort()
        visits = [[events[0]]]
        for before, event in itertools.pairwise(events):
            if event[0] - before[0] > timedelta(minutes=30):
                visits.append([])
            visits[-1].append(event)
        for visit in visits:
            names = Counter(name for _, _, name in visit)
            yield Visit(str(visitor), platform, visit[0][0], visit[-1][0], names)


def test_visits_are_those_that_half_an_hour_parts(retailer: Retailer) -> None:
    expected: Counter[tuple[Any, ...]] = Counter()
    for visit in landed_visits(retailer):
        names = visit.names
        expected[visit.visitor, visit.platform, visit.began, visit.ended, names.total(),
                 names["Product Added"], names["Order Completed"]] += 1  # fmt: skip
    found = Counter(query(retailer.home, """
        select visitor_key, channel, started_at, ended_at, events_count, products_added_count, orders_count
        from core.fct_sessions
    """))  # fmt: skip
    assert found == expected
    assert expected.total() > 5_000


def test_visits_are_the_true_ones_and_programs_are_found(retailer: Retailer) -> None:
    """No true visit is torn apart; few are one, where two begin on one device within half an hour."""
    pairs = ask(f"""
        attach '{retailer.home.published}' as published (read_only);
        with truth as (
            select events.session, events.is_bot, events.event_id::varchar as event_key
            from read_parquet('{retailer.made.truth}/events/*.parquet') as events
        ),
        firsts as (
            select session_id, is_bot, split_part(session_id, ':', 2) as event_key
            from published.core.fct_sessions
        )
        select count(*), count(distinct truth.session), count(*) filter (where truth.is_bot),
            count(*) filter (where truth.is_bot and firsts.is_bot),
            count(*) filter (where firsts.is_bot and not truth.is_bot),
            (select count(distinct session) from truth)
        from firsts join truth using (event_key)
    """)
    ((found, distinct, bots, caught, wrong, true),) = pairs
    assert distinct == found, "two visits of the core begin in one true visit"
    assert found > 0.98 * true
    assert caught > 0.97 * bots > 100
    assert wrong == 0


def test_daily_figures_of_the_web_are_those_of_the_files(retailer: Retailer) -> None:
    """From visits made again; which of them are programs is asked of the fact, and judged by the truth."""
    programs = set(query(retailer.home, """
        select visitor_key, channel, started_at from core.fct_sessions where is_bot
    """))  # fmt: skip
    steps = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")
    figures: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for visit in landed_visits(retailer):
        if (visit.visitor, visit.platform, visit.began) in programs:
            continue
        day = visit.began.replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Paris")).date()
        names, told = visit.names, figures[day, visit.platform]
        views = sum(count for name, count in names.items() if name.endswith(" Viewed"))
        told["visits"] += 1
        told["engaged"] += (
            views > 1
            or names["Order Completed"] > 0
            or visit.ended - visit.began > timedelta(seconds=10)
        )
        furthest = max((place for place, step in enumerate(steps, 1) if names[step]), default=0)
        told.update(steps[:furthest])
    funnel = [
        (day, platform, told["visits"], *itertools.chain.from_iterable(
            (told[step], told[step] / told[before] if told[before] else None)
            for before, step in itertools.pairwise(("visits", *steps))
        ))
        for (day, platform), told in figures.items()
    ]  # fmt: skip
    assert query(retailer.home, "from marts.kpi_funnel_daily order by all") == sorted(funnel)
    web = [
        (*key, told["visits"], told["engaged"], told[steps[-1]]) for key, told in figures.items()
    ]
    assert query(retailer.home, """
        select started_date, channel, sum(sessions_count)::integer, sum(engaged_sessions_count)::integer,
            sum(buying_sessions_count)::integer
        from marts.kpi_web_daily where sessions_count > 0 group by all order by all
    """) == sorted(web)  # fmt: skip
    wrong = query(retailer.home, """
        select count(*) from marts.kpi_web_daily
        where (engagement_rate, bounce_rate, conversion_rate) is distinct from (
            engaged_sessions_count / nullif(sessions_count, 0),
            (sessions_count - engaged_sessions_count) / nullif(sessions_count, 0),
            buying_sessions_count / nullif(sessions_count, 0)
        )
    """)  # fmt: skip
    assert wrong == [(0,)]


def test_daily_figures_of_social_activity_are_those_of_the_files(retailer: Retailer) -> None:
    kinds = ("viewed", "liked", "commented", "shared", "mentioned", "clicked", "messaged", "followed",
             "unfollowed")  # fmt: skip
    expected = ask(f"""
        with activity as (
            select distinct on (activity_id) *, "at" as happened_at
            from read_json('{retailer.made.landing}/social/activity_*', union_by_name = true, columns = {{
                activity_id: 'varchar', "at": 'timestamp', network: 'varchar', activity: 'varchar',
                profile: 'varchar'}})
            where "at" < '{END_OF_HISTORY}'
        )
        select {paris("happened_at")}, network, count(*), count(distinct coalesce(profile, activity_id)),
            count(*) / count(distinct coalesce(profile, activity_id)),
            {", ".join(f"count(*) filter (where activity = '{kind}')" for kind in kinds)}
        from activity group by all order by all
    """)
    assert query(retailer.home, "from marts.kpi_social_daily order by all") == expected
    assert len(expected) > 50


def test_a_permission_at_any_date_is_the_true_one(retailer: Retailer) -> None:
    draw = random.Random(4)
    for _ in range(6):
        day = LAST - timedelta(days=draw.randrange(700))
        ((compared, wrong),) = ask(f"""
            attach '{retailer.home.published}' as published (read_only);
            with truth as (
                select contact, channel, max_by(status, decided_at) as status
                from read_parquet('{retailer.made.truth}/consents/*.parquet')
                where decided_at < '{day}' and purpose = 'marketing' group by all
            ),
            found as (
                select customer_key, channel, consent_status
                from published.core.fct_consents
                where source_system = 'retailer_messaging' and purpose = 'marketing'
                    and held_from_at < '{day}' and (ended_at is null or ended_at >= '{day}')
            )
            select count(*), count(*) filter (where consent_status is distinct from status)
            from truth full join found on contact = customer_key and truth.channel = found.channel
        """)
        assert compared > 300, day
        assert wrong == 0, day


def test_calls_ads_and_stores_add_up_to_their_files(retailer: Retailer) -> None:
    landing = retailer.made.landing
    calls = ask(f"""
        select {paris("started")} as day, type, count(*), avg(wait_seconds), avg(handling_seconds),
            count(satisfaction), avg(satisfaction), sum(cost)
        from (
            select distinct on (id) id, type, started_at::timestamp as started, wait_seconds,
                handling_seconds, satisfaction, cost::decimal(18, 4) as cost
            from read_json('{landing}/service/interactions_*', format = 'newline_delimited',
                union_by_name = true) where started_at is not null
        ) group by all order by all
    """)
    found = query(retailer.home, """
        select started_date, interaction_type, interactions_count, wait_mean_seconds,
            handling_mean_seconds, ratings_count, satisfaction_mean_rating, cost_amount
        from marts.kpi_service_daily order by all
    """)  # fmt: skip
    assert [row[:3] + row[5:6] for row in found] == [row[:3] + row[5:6] for row in calls]
    for one, other in zip(found, calls, strict=True):
        for a, b in zip(one[3:], other[3:], strict=True):
            assert (a is None) == (b is None)
            assert a is None or float(a) == pytest.approx(float(b))
    spend = ask(f"""
        select "date"::date, platform, campaign, arg_max(spend::decimal(18, 4), updated_at),
            arg_max(clicks, updated_at) / nullif(arg_max(impressions, updated_at), 0)
        from read_csv('{landing}/ads/spend_*') group by all order by all
    """)
    assert spend == query(retailer.home, """
        select spend_date, platform, campaign_key, spend_amount, click_rate
        from marts.kpi_ads_daily order by all
    """)  # fmt: skip
    assert query(retailer.home, """
        select (select sum(net_revenue_amount) from marts.kpi_stores_daily),
            (select sum(orders_count) from marts.kpi_stores_daily)
    """) == query(retailer.home, """
        select sum(net_revenue_amount), count(*) from core.fct_orders
        where source_system = 'retailer_stores'
    """)  # fmt: skip


@pytest.mark.battery
def test_the_last_days_in_any_order_with_files_sent_again_come_to_the_tables_of_one_load(
    retailer: Retailer, tmp_path: Path
) -> None:
    """The files of fourteen days arrive a day a run, the days shuffled, some files twice."""
    draw = random.Random(7)
    landing = tmp_path / "landing"
    days = [str(LAST - timedelta(days=n)) for n in range(14)]
    late: dict[str, list[tuple[Path, Path]]] = defaultdict(list)
    for path in sorted(retailer.made.landing.rglob("*")):
        if path.is_file():
            target = landing / path.relative_to(retailer.made.landing)
            target.parent.mkdir(parents=True, exist_ok=True)
            if day := next((day for day in days if day in path.name), None):
                late[day].append((path, target))
            else:
                shutil.copy(path, target)
    assert sum(map(len, late.values())) > 100
    home = home_of_retailer(landing, tmp_path / "home")
    # The first run would learn a model of the days before, which weighs pairs a little otherwise.
    model = promoted_model(retailer.home.lake)
    assert model
    promote(home.lake, model)
    run(home)
    draw.shuffle(days)
    for day in days:
        for path, target in late[day]:
            shutil.copy(path, target)
            if draw.random() < 0.1:
                shutil.copy(path, target.with_name(target.name.replace("_2026", "_again_2026")))
        run(home)
    assert_equal_tables(retailer.home.published, home.published)


def test_paths_are_those_of_the_devices_on_which_was_bought(retailer: Retailer) -> None:
    """Made again without SQL: the visits of 30 days before each order, since the order before it."""
    visits = query(retailer.home, """
        select visitor_id, started_at, session_id, coalesce(campaign_medium, 'direct'), order_id
        from core.fct_sessions where not is_bot order by 1, 2, 3
    """)  # fmt: skip
    orders = {order for (order,) in query(retailer.home, "select order_id from core.fct_orders")}
    expected: Counter[str] = Counter()
    for _, trail in itertools.groupby(visits, key=lambda visit: visit[0]):
        since: list[Any] = []
        for visit in trail:
            since.append(visit)
            if visit[4] is None:
                continue
            media = [one[3] for one in since if visit[1] - one[1] <= timedelta(days=30)]
            if visit[4] in orders:
                expected[" > ".join(medium for medium, _ in itertools.groupby(media))] += 1
            since = []
    found = query(retailer.home, "select path, orders_count from marts.paths_to_purchase")
    assert dict(found) == expected
    assert expected.total() > 500
    assert len(expected) > 50


def test_features_know_what_a_customer_browsed_before_the_date(retailer: Retailer) -> None:
    events = f"""
        with events as (
            select distinct on (event_id) account_id, event, "timestamp" as happened_at
            from read_json('{retailer.made.landing}/web/events_*', format = 'newline_delimited',
                union_by_name = true, columns = {{event_id: 'varchar', account_id: 'varchar',
                    event: 'varchar', "timestamp": 'timestamp', sku: 'varchar'}})
            where event is not null and account_id is not null and "timestamp" < '{END_OF_HISTORY}'
        ),
        days as (
            select account_id, {paris("happened_at")} as day,
                count(*) filter (where event = 'Product Viewed') as viewed,
                count(*) filter (where event = 'Product Added') as added
            from events group by all
        )
    """
    expected = {key: figures for key, *figures in ask(f"""
        {events}
        select account_id, count(*) filter (where day >= date '2026-07-01' - 7),
            count(*) filter (where day >= date '2026-07-01' - 30),
            count(*) filter (where day >= date '2026-07-01' - 90),
            coalesce(sum(viewed) filter (where day >= date '2026-07-01' - 90), 0),
            coalesce(sum(added) filter (where day >= date '2026-07-01' - 90), 0),
            date '2026-07-01' - max(day)
        from days where day >= date '2026-07-01' - 365 group by all
    """)}  # fmt: skip
    found = query(retailer.home, """
        with accounts as (
            select distinct customer_key, customer_id from core.fct_orders
            where source_system = 'retailer_shop' and customer_id <> 'unknown'
                and customer_id in (
                    -- Whoever has two accounts browses with both.
                    select to_customer_id from (
                        select distinct on (source_system, source_key) source_system, to_customer_id
                        from marts.identity_events order by source_system, source_key, event_seq desc
                    )
                    where source_system = 'retailer_shop'
                    group by to_customer_id having count(*) = 1
                )
        )
        select customer_key, browsing_days_7d_count, browsing_days_30d_count, browsing_days_90d_count,
            products_viewed_90d_count, products_added_90d_count, browsing_recency_days
        from accounts inner join features.customer_features using (customer_id)
    """)  # fmt: skip
    nobody = [0, 0, 0, 0, 0, None]
    assert {key: figures for key, *figures in found} == {
        key: expected.get(key, nobody) for key, *_ in found
    }
    assert sum(key in expected for key, *_ in found) > 50


def test_the_stream_of_touches_has_every_fact_once(retailer: Retailer) -> None:
    with duckdb.connect(str(retailer.home.warehouse), read_only=True) as con:
        counts = dict(con.execute(
            "select touch_type, count(*) from core.fct_touches group by all"
        ).fetchall())  # fmt: skip
        ((twice, late),) = con.execute("""
            select count(*) - count(distinct touch_id), count(*) filter (where touched_date >= '2026-07-01')
            from core.fct_touches
        """).fetchall()
        expected = {}
        for kind, table, rule in (
            ("visit", "sessions", "not is_bot"),
            ("message", "messages", "bounced_at is null or delivered_at is not null"),
            ("click", "messages", "clicked_at is not null"), ("service", "interactions", "true"),
            ("review", "reviews", "true"), ("social", "social", "true"),
            ("referral", "referrals", "true"), ("order", "orders", "true"),
            ("return", "returns", "true"),
        ):  # fmt: skip
            ((expected[kind],),) = con.execute(
                f"select count(*) from core.fct_{table} where {rule}"
            ).fetchall()
    assert counts == expected
    assert (twice, late) == (0, 0)
    assert min(counts.values()) > 5


def test_a_return_that_names_nobody_is_of_whoever_bought_in_explanations_too(
    retailer: Retailer,
) -> None:
    found = query(retailer.home, """
        select count(*) filter (where returns.customer_id <> orders.customer_id),
            count(*) filter (where returns.customer_id <> 'unknown'), count(*)
        from core.fct_returns as returns inner join core.fct_orders as orders using (order_id)
    """)  # fmt: skip
    ((of_another, known, every),) = found
    assert of_another == 0
    assert known > 0.5 * every > 50
    most = query(retailer.home, """
        select customer_id, count(*) from core.fct_returns where customer_id <> 'unknown'
        group by customer_id order by 2 desc, 1 limit 3
    """)  # fmt: skip
    for customer, _ in most:
        checks = {one["figure"]: one for one in read_explanation(retailer.home, customer)["checks"]}
        assert checks["returned_amount"]["recomputed"] > 0
        assert [name for name, one in checks.items() if not one["is_equal"]] == []


def test_a_price_holds_from_its_day_until_the_day_before_the_next(retailer: Retailer) -> None:
    file = retailer.made.landing / "catalogue" / "prix.csv"
    days = ("2024-02-29", "2025-01-01", "2025-06-15", "2026-06-30")
    expected = ask(f"""
        with prices as (
            select sku, strptime(depuis, '%d/%m/%Y')::date as since,
                replace(prix_ttc, ',', '.')::decimal(18, 4) as price,
                replace(cout_ht, ',', '.')::decimal(18, 4) as cost
            from read_csv('{file}', all_varchar = true, delim = ';')
        )
        select day, 'retailer_catalogue:' || sku, arg_max(price, since), arg_max(cost, since)
        from prices cross join (select unnest({list(days)})::date as day)
        where since <= day group by all order by all
    """)
    found = query(retailer.home, f"""
        select day, product_id, price_amount, unit_cost_amount
        from core.dim_product_prices cross join (select unnest({list(days)})::date as day)
        where start_date <= day and coalesce(end_date >= day, true) order by all
    """)  # fmt: skip
    assert found == expected
    assert len({row[1:] for row in found}) > 10_000
