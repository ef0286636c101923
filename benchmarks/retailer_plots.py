"""Ten plots of a made retailer, so that a reader can judge what the data looks like.

    python -m benchmarks.retailer_plots FOLDER OUT [--other FOLDER]

FOLDER holds the `landing` and `truth` of a retailer of at most 100,000 customers, whose feeds have text
formats of their own; OUT gets one PNG per plot. With `--other`, a retailer of another world, the plot of
baskets compares the two. What was measured comes from the landing files, what was planted from the truth
and from the constants of the model.

Belongs here: pictures of the data. Does not belong here: any figure that a bar is held to.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import matplotlib as mpl
import numpy as np
import pyarrow as pa
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import YearLocator
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, PercentFormatter
from PIL import Image

from retailer import campaigns as c
from retailer import records as r
from retailer.columns import instants
from retailer.days import BEFORE, Days, black_friday, sales_start
from retailer.deliveries import FEEDS
from retailer.landing import FEW
from retailer.people import MARRIED_NAME, MOVED, PAID, SOURCES, response
from retailer.purchases import CAUSES, FACTORS
from retailer.truth import TIERS
from retailer.visits import MEDIA
from retailer.worlds import WORLDS

mpl.use("Agg")
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
"""A palette that people with any kind of colour blindness can tell apart (Okabe and Ito)."""
DOTS_PER_INCH = 110
COLOURS_OF_A_PICTURE = 64
MOST_KILOBYTES = 60
LARGEST_BASKET = 20_000
HALF_YEAR = 182
LINES = """
select order_id, {amount} as paid, {quantity}::int as quantity from {feed}
qualify row_number() over (partition by order_id, {line}) = 1
"""


@dataclass(frozen=True)
class Retailer:
    """A made retailer.

    Attributes:
        folder: holds `landing` and `truth`.
        other: a retailer of another world to compare it with.
    """

    folder: Path
    other: Retailer | None = None

    @cached_property
    def plan(self) -> dict[str, Any]:
        """What was asked for."""
        told: dict[str, Any] = json.loads((self.folder / "truth" / "plan.json").read_text("utf-8"))
        return told

    @cached_property
    def days(self) -> Days:
        """Its calendar."""
        end = date.fromisoformat(self.plan["end"])
        return Days(end, self.plan["months"], WORLDS[self.plan["world"]].has_season)

    @cached_property
    def name(self) -> str:
        """What stands below each plot."""
        return f"{self.plan['customers']:,} people, world {self.plan['world']}, seed {self.plan['seed']}"

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """A database that sees every feed as `<system>_<name>` and every truth as `true_<name>`."""
        if self.plan["customers"] > FEW:
            raise SystemExit(f"at most {FEW:,} customers: larger retailers have no text formats")
        con = duckdb.connect(config={"threads": 1})
        for feed in FEEDS:
            con.execute(f"create view {feed.system}_{feed.name} as from {self._scan(feed)}")
        for name in ("messaging/campaigns", "ads/spend"):
            path = self.folder / "landing" / f"{name}*.csv"
            con.execute(f"create view {name.replace('/', '_')} as from read_csv('{path}')")
        for path in sorted((self.folder / "truth").iterdir()):
            files = path / "*.parquet" if path.is_dir() else path
            if path.suffix != ".json":
                con.execute(f"create view true_{path.stem} as from read_parquet('{files}')")
        return con

    def _scan(self, feed: Any) -> str:
        files = self.folder / "landing" / feed.system / f"{feed.name}_*"
        if feed.form.startswith("jsonl"):
            return f"read_json('{files}', format='newline_delimited', union_by_name=true)"
        return (
            f"read_csv('{files}', delim='{feed.separator}', encoding='{feed.encoding}', header=true,"
            " all_varchar=true, union_by_name=true)"
        )

    def ask(self, query: str) -> dict[str, Any]:
        """The columns that a query gives, as arrays."""
        return self.con.execute(query).fetchnumpy()

    @cached_property
    def baskets(self) -> str:
        """Name of a table of the purchases as delivered: order, value, day, channel, person, tier."""
        shop = LINES.format(
            amount="paid::double", quantity="quantity", feed="shop_order_lines", line="line"
        )
        store = LINES.format(
            amount="replace(montant, ',', '.')::double", quantity="quantite",
            feed="(select ticket as order_id, * from stores_lignes)", line="ligne",
        )  # fmt: skip
        self._tell_shop_days()
        self.con.execute(f"""
            create table baskets as
            with lines as (({shop}) union all ({store})),
            timed as (
                select order_id, told from shop_days union all
                select ticket, strptime(date_heure, '%d/%m/%Y %H:%M:%S') from stores_tickets
            ),
            found as (select order_id, min(told)::date as day from timed group by all)
            select order_id::bigint as order_id, sum(paid) as value, day,
                person, tier, repeat, source
            from lines join found using (order_id)
            join true_purchases p on p.order_id = lines.order_id::bigint
            join true_persons using (person)
            where quantity > 0 group by all
        """)
        return "baskets"

    def _tell_shop_days(self) -> None:
        """Make `shop_days`: orders and the time that clocks in Paris showed; the shop writes UTC."""
        rows = self.con.execute(
            "select order_id, epoch(ordered_at::timestamp)::bigint as second from shop_orders"
            " where ordered_at is not null"
        ).to_arrow_table()
        shown = self.days.local(rows["second"].to_numpy()).astype("datetime64[s]")
        self.con.register("shop_days", pa.table({"order_id": rows["order_id"], "told": shown}))

    @cached_property
    def bought(self) -> str:
        """Name of a table of the true purchases with their instant and whether the person then left."""
        rows = self.con.execute("from true_purchases").to_arrow_table()
        rows = rows.append_column("bought_at", instants(self.days, rows["moment"].to_numpy()))
        self.con.register("with_instants", rows)
        self.con.execute("""
            create table bought as
            select b.*, coalesce(left_at = bought_at, false) as leaves
            from with_instants b join true_persons using (person)
        """)
        return "bought"


def purchases_per_day(made: Retailer) -> Figure:
    """Purchases per day as delivered, the planted season, the sales and Black Friday."""
    found = made.ask(f"select day, count(*) n from {made.baskets} group by all order by 1")
    day, count = found["day"], found["n"].astype(float)
    figure, axes = _figure("Purchases per day: weeks, Christmas, the soldes and a quiet August")
    axes.plot(day, count, color=SKY, lw=0.5, label="a day")
    smooth = np.convolve(count, np.full(7, 1 / 7), "valid")
    axes.plot(day[3:-3], smooth, color=BLUE, lw=1.6, label="mean of 7 days")
    rows = slice(BEFORE, BEFORE + made.days.horizon)
    season = np.convolve(made.days.season[1][rows], np.full(7, 1 / 7), "valid")
    level = np.median(smooth) / np.median(season)
    shown = [np.datetime64(made.days.date(n)) for n in range(3, made.days.horizon - 3)]
    axes.plot(shown, season * level, color=BLACK, lw=1, ls="--", label="planted season")
    _mark_sales(axes, made.days)
    axes.set(ylabel="purchases per day", ylim=(0, None), xlim=(shown[0], shown[-1]))
    _legend(axes, ncols=5)
    return figure


def _mark_sales(axes: Axes, days: Days) -> None:
    for year in range(days.start.year, days.end.year + 1):
        for half in (1, 2):
            first = np.datetime64(sales_start(year, half))
            label = "soldes" if (year, half) == (days.start.year, 1) else None
            axes.axvspan(first, first + 28, color=ORANGE, alpha=0.25, lw=0, label=label)
        if days.start <= black_friday(year) <= days.end:
            label = "Black Friday" if year == days.start.year else None
            axes.axvline(np.datetime64(black_friday(year)), color=RED, lw=1, ls=":", label=label)


def basket_values(made: Retailer) -> Figure:
    """How much a purchase costs: by world where there are two, by tier otherwise."""
    groups = _basket_groups(made)
    title = "Value of a purchase: " + (
        "the other world has the heavy tail"
        if made.other
        else "higher tiers buy dearer, not only more often"
    )
    figure, (left, right) = _figure(title, 2)
    for (name, values), colour in zip(groups.items(), (BLUE, ORANGE, GREEN), strict=False):
        bins = np.geomspace(2, LARGEST_BASKET, 70)
        shares = np.histogram(values, bins)[0] / len(values)
        left.stairs(shares, bins, color=colour, lw=1.4, label=f"{name}, n={len(values):,}")
        left.axvline(np.median(values), color=colour, lw=0.9, ls=":")
        at = np.unique(np.quantile(values, 1 - np.geomspace(1, 1 / len(values), 200)))
        above = 1 - np.searchsorted(np.sort(values), at) / len(values)
        right.plot(at, above, color=colour, lw=1.4)
    left.set(
        xscale="log",
        xlabel="euros of a purchase (log); dotted: median",
        ylabel="share of purchases",
    )
    right.set(
        xscale="log",
        yscale="log",
        xlabel="euros of a purchase (log)",
        ylabel="share that costs more (log)",
    )
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in (left, right):
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    _legend(left, loc="upper right")
    return figure


def _basket_groups(made: Retailer) -> dict[str, Any]:
    if made.other:
        return {
            one.plan["world"]: one.ask(f"select value from {one.baskets} where value > 0")["value"]
            for one in (made, made.other)
        }
    return {
        f"tier {tier}": made.ask(
            f"select value from {made.baskets} where value > 0 and tier = '{tier}'"
        )["value"]
        for tier in TIERS
    }


def cohort_retention(made: Retailer) -> Figure:
    """Who buys again, by month of the first purchase."""
    found = made.ask(f"""
        with firsts as (
            select person, date_trunc('month', min(day)) as month from {made.baskets}
            group by person having min(repeat) filter (repeat >= 0) = 0
        ),
        sizes as (select month, count(*) as size from firsts group by all)
        select month, datediff('month', month, day) as age, count(distinct person) / size as share
        from firsts join sizes using (month) join {made.baskets} using (person)
        group by month, age, size order by 1, 2
    """)
    months, row = np.unique(found["month"].astype("datetime64[M]"), return_inverse=True)
    grid = np.full((len(months), len(months)), np.nan)
    grid[row, found["age"].astype(int)] = found["share"]
    grid[:, 0] = np.nan
    figure, axes = _figure(
        "Cohorts: over half buy in the month after their first, a third a year later"
    )
    picture = axes.imshow(
        grid, aspect="auto", cmap="cividis", vmin=0, vmax=np.nanquantile(grid, 0.99)
    )
    bar = figure.colorbar(picture, ax=axes, format=PercentFormatter(1, decimals=0))
    bar.set_label("share of the cohort that buys")
    ticks = range(0, len(months), 3)
    axes.set_yticks(ticks, [str(months[n]) for n in ticks])
    axes.set(
        xlabel="months since the month of the first purchase", ylabel="month of first purchase"
    )
    return figure


def paths(made: Retailer) -> Figure:
    """Where first visits come from, and the commonest origins before a first purchase online."""
    made.con.execute(f"""
        create table visits as
        with origins as (
            select session, min(utm_medium) as medium from web_events
            join true_events using (event_id) where not is_bot group by session
        ),
        firsts as (select person, bought_at, channel from {made.bought} where repeat = 0)
        select person, source, s.started_at, coalesce(medium, 'direct') as medium,
            bought_at, channel in ('web', 'app') as is_online
        from true_sessions s join origins using (session)
        join true_persons using (person) left join firsts using (person) where start >= 0
    """)
    figure, (left, right) = _figure(
        "Paths: paid sources begin with their own medium, then visits mix", 2
    )
    _first_origins(made, left)
    _sequences(made, right)
    return figure


def _first_origins(made: Retailer, axes: Axes) -> None:
    found = made.ask("""
        with firsts as (
            select source, arg_min(medium, started_at) as medium from visits group by person, source
        )
        select source, medium, count(*) / sum(count(*)) over (partition by source) as share
        from firsts group by source, medium
    """)
    sources = [one.name for one in SOURCES]
    media = [name for name in MEDIA if name in set(found["medium"])]
    grid = np.zeros((len(sources), len(media)))
    for source, medium, share in zip(found["source"], found["medium"], found["share"], strict=True):
        grid[sources.index(source), media.index(medium)] = share
    axes.imshow(grid, aspect="auto", cmap="cividis", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(grid):
        colour = BLACK if share > 0.45 else "white"
        axes.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=7)
    axes.set_xticks(range(len(media)), media, rotation=40, ha="right")
    axes.set_yticks(range(len(sources)), sources)
    axes.set(xlabel="utm_medium of the first visit", ylabel="true source of the person")


def _sequences(made: Retailer, axes: Axes) -> None:
    found = made.ask("""
        with before as (
            select person, medium, started_at,
                medium is distinct from lag(medium) over (partition by person order by started_at)
                    as changes
            from visits where is_online and started_at <= bought_at
        ),
        ways as (
            select person, string_agg(medium, ' > ' order by started_at) filter (changes) as way
            from before group by person
        )
        select way, count(*) / sum(count(*)) over () as share from ways group by way
        order by 2 desc, 1 limit 12
    """)
    axes.barh(found["way"][::-1], found["share"][::-1], color=BLUE)
    axes.tick_params(axis="y", labelsize=7)
    axes.xaxis.set_major_locator(MultipleLocator(0.05))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    total = found["share"].sum()
    axes.set(xlabel=f"share of first purchases online\n(repeats folded; these 12: {total:.0%})")


def message_response(made: Retailer) -> Figure:
    """Openings by people and by machines, and clicks by channel and by whether the theme matches."""
    found = made.ask("""
        select channel, m.theme = p.theme as matches, count(*) as n,
            avg((opened is not null)::int) as human, avg((machine_opened is not null)::int) as machine,
            avg((clicked is not null)::int) as clicks
        from true_messages t join (select message::bigint as message, min(channel) as channel,
            min(theme) as theme from messaging_messages group by message) m using (message)
        join true_persons p using (person) where bounce is null group by all
    """)
    cells = {
        (channel, bool(match)): row
        for row, (channel, match) in enumerate(zip(found["channel"], found["matches"], strict=True))
    }
    figure, (left, right) = _figure(
        "Messages: machines inflate e-mail openings; a matching theme doubles clicks", 2
    )
    place = np.arange(len(c.CHANNELS))
    for shift, match, colour in ((-0.2, True, BLUE), (0.2, False, ORANGE)):
        rows = [cells[channel, match] for channel in c.CHANNELS]
        name = "theme matches" if match else "other theme"
        left.bar(
            place + shift, found["human"][rows], 0.38, color=colour, label=f"by a person, {name}"
        )
        right.bar(place + shift, found["clicks"][rows], 0.38, color=colour, label=name)
    machine = found["machine"][cells["email", False]]
    left.plot(0, machine, "D", color=BLACK, ms=6, label="by a mail program, whoever reads")
    left.set(ylabel="share of delivered messages opened")
    right.set(ylabel="share of delivered messages clicked")
    for axes in (left, right):
        axes.set_xticks(place, [name.replace("_", "\n") for name in c.CHANNELS])
        axes.set_xlabel("channel")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        _legend(axes, loc="upper left")
    return figure


def campaign_lift(made: Retailer) -> Figure:
    """The planted lift against the difference of the treated and the held out, by tier and channel."""
    found = made.ask(f"""
        with assigned as (
            select distinct a.campaign, contact, arm, channel, starts_on
            from messaging_assignments a join messaging_campaigns using (campaign)
            where starts_on + {c.WINDOW} <= date '{made.plan["end"]}'
        ),
        counted as (
            select a.campaign, a.contact, arm, channel, p.tier, count(b.order_id) as n
            from assigned a join true_records t on t.system = 'messaging' and t.key = contact
            join true_persons p using (person)
            left join {made.baskets} b on b.person = p.person
                and b.day >= starts_on and b.day < starts_on + {c.WINDOW}
            group by all
        )
        select channel, tier, arm = 'holdout' as is_held_out, count(*) as n, avg(n) as mean,
            var_samp(n) as variance from counted group by all
    """)
    cells = {
        (channel, tier, bool(out)): (mean, variance / n)
        for channel, tier, out, n, mean, variance in zip(
            *(found[k] for k in ("channel", "tier", "is_held_out", "n", "mean", "variance")), strict=True
        )
    }  # fmt: skip
    return _lift_figure(cells, _planted_lift(made))


def _planted_lift(made: Retailer) -> dict[tuple[str, str], float]:
    found = made.ask(f"""
        select e.channel, tier, sum(added_purchases) / sum(expected_purchases) as lift
        from true_campaign_effects e join messaging_campaigns using (campaign)
        where not is_held_out and starts_on + {c.WINDOW} <= date '{made.plan["end"]}' group by all
    """)
    return dict(zip(zip(found["channel"], found["tier"], strict=True), found["lift"], strict=True))


def _lift_figure(
    cells: dict[tuple[str, str, bool], tuple[float, float]], planted: dict[tuple[str, str], float]
) -> Figure:
    figure, axes = _figure(
        "Campaign lift in 14 days: found against planted; only the mid tier gains clearly"
    )
    place = np.arange(len(c.CHANNELS))
    for shift, tier, colour in zip((-0.26, 0, 0.26), TIERS, (ORANGE, BLUE, GREEN), strict=True):
        found, spread = [], []
        for channel in c.CHANNELS:
            (treated, of_treated), (held, of_held) = (
                cells[channel, tier, out] for out in (False, True)
            )
            found.append(treated / held - 1)
            ratio = treated / held
            spread.append(1.96 * ratio * np.sqrt(of_treated / treated**2 + of_held / held**2))
        axes.errorbar(place + shift, found, spread, fmt="o", color=colour, ms=5, capsize=3,
                      label=f"found with 95 %, tier {tier}")  # fmt: skip
        truth = [planted[channel, tier] for channel in c.CHANNELS]
        label = "planted" if tier == TIERS[-1] else None
        axes.hlines(
            truth, place + shift - 0.11, place + shift + 0.11, color=BLACK, lw=2.2, label=label
        )
    axes.axhline(0, color="grey", lw=0.8)
    axes.set_xticks(place, c.CHANNELS)
    axes.set(xlabel="channel", ylabel="purchases of the treated over held out, minus 1")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _legend(axes, loc="upper left", ncols=2)
    return figure


def calls(made: Retailer) -> Figure:
    """How long people wait, how content they are, and how many call."""
    made.con.execute("""
        create table calls as
        select i.id, started_at::timestamp as began, wait_seconds, satisfaction,
            coalesce(is_bad_call, false) as is_bad
        from (from service_interactions qualify row_number() over (partition by id) = 1) i
        left join true_purchases p on p.order_id = i.order_id where started_at is not null
    """)
    figure, (left, middle, right) = _figure(
        "Calls and chats: bad ones wait four times as long and end unhappy", 3
    )
    for is_bad, colour, name in ((False, BLUE, "others"), (True, RED, "bad calls")):
        found = made.ask(
            f"select wait_seconds w, satisfaction s from calls where is_bad = {is_bad}"
        )
        wait = np.asarray(found["w"]) / 60
        left.hist(wait, np.linspace(0, 25, 51), weights=np.full(len(wait), 1 / len(wait)),
                  histtype="step", color=colour, lw=1.5, label=f"{name}, n={len(wait):,}")  # fmt: skip
        told = np.ma.compressed(np.ma.masked_invalid(found["s"])).astype(int)
        shares = np.bincount(told, minlength=6)[1:6] / len(told)
        middle.bar(np.arange(1, 6) + (0.2 if is_bad else -0.2), shares, 0.38, color=colour)
    weeks = made.ask(
        "select date_trunc('week', began) w, count(*) n, count(*) filter (is_bad) b from calls"
        " group by 1 order by 1"
    )
    right.plot(weeks["w"][1:-1], weeks["n"][1:-1], color=BLACK, lw=1.2, label="all")
    right.plot(weeks["w"][1:-1], weeks["b"][1:-1], color=RED, lw=1.2, label="bad")
    left.set(xlabel="minutes of waiting", ylabel="share of calls")
    middle.set(xlabel="satisfaction, 1 to 5", ylabel="share of those who told (1 in 3)")
    right.set(ylabel="calls and chats per week", ylim=(0, None))
    right.xaxis.set_major_locator(YearLocator())
    for axes in (left, middle):
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _legend(left)
    _legend(right)
    return figure


TRAP_RATES = {
    "name_typo": (r.NAME_TYPOS, "record", "first_name is not null"),
    "swapped_names": (r.SWAPPED_NAMES, "record", "first_name is not null"),
    "maiden_name": (MARRIED_NAME / 2, "record", "first_name is not null"),
    "email_typo": (r.EMAIL_TYPOS, "record", "email is not null"),
    "second_email": (r.SECOND_EMAIL / 2, "record", "email is not null"),
    "placeholder": (r.PLACEHOLDERS, "record", "id is not null"),
    "shared_email": (r.SHARED_EMAIL, "person", "true"),
    "land_line": (r.LAND_LINE, "person", "true"),
    "recycled_phone": (r.RECYCLED_PHONES, "person", "true"),
    "moved": (MOVED, "person", "true"),
    "shares_device": (r.SHARED_DEVICE, "person", "true"),
    "shares_card": (r.SHARED_CARD, "person", "true"),
}
"""The planted rate of each trap, of what it is a share, and which records could show it."""
PROFILES = (
    "crm_contacts", "shop_accounts", "stores_porteurs", "messaging_contacts", "service_contacts",
    "social_profiles",
)  # fmt: skip


def identity(made: Retailer) -> Figure:
    """Records per person and the rates of the traps, planted and found."""
    figure, (left, right) = _figure(
        "Identity: records per person and traps come at their planted rates", 2
    )
    union = " union all by name ".join(
        f"(select * exclude (created_at) from {one})" for one in PROFILES
    )
    made.con.execute(f"""
        create table records as
        select t.*, p.* exclude (id), id from true_records t
        join (from ({union}) qualify row_number() over (partition by id) = 1) p on p.id = t.key
    """)
    found = made.ask("""
        with counted as (select person, count(*) n from true_records group by all)
        select n, count(*) / sum(count(*)) over () as share from counted group by n order by 1
    """)
    place = np.arange(1, len(r.RECORD_SHARES) + 1)
    left.bar(place - 0.2, r.RECORD_SHARES, 0.38, color=ORANGE, label="planted")
    left.bar(found["n"] + 0.2, found["share"], 0.38, color=BLUE, label="in the landing files")
    left.set(xlabel="records of a person", ylabel="share of people with a record")
    rates = [_trap_rate(made, name, per, told) for name, (_, per, told) in TRAP_RATES.items()]
    rows = np.arange(len(rates))[::-1]
    right.barh(rows + 0.2, [rate for rate, *_ in TRAP_RATES.values()], 0.38, color=ORANGE)
    right.barh(rows - 0.2, rates, 0.38, color=BLUE)
    right.set_yticks(
        rows, [f"{name} (per {per})" for name, (_, per, _) in TRAP_RATES.items()], fontsize=7
    )
    right.set(xlabel="share")
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _legend(left)
    return figure


def _trap_rate(made: Retailer, name: str, per: str, told: str) -> float:
    """The share among the records that could show it, or among the people with a record."""
    by = "key" if per == "record" else "person"
    query = f"""
        select avg(has) as rate from (
            select max({name}::int) as has from records where {told} group by {by}
        )
    """
    return float(made.ask(query)["rate"][0])


def dropout(made: Retailer) -> Figure:
    """Who has left by cause, and how many leave after what went wrong."""
    figure, (left, right) = _figure(
        "Dropout: most leave on their own; what goes wrong adds its factor", 2
    )
    _left_by_cause(made, left)
    found = made.ask(f"""
        select case when is_bad_call and (is_late or is_poor) then 'bad call and\nlate or poor'
            when is_bad_call then 'bad call' when is_late and is_poor then 'late and poor'
            when is_late then 'late delivery' when is_poor then 'poor product' else 'nothing' end
            as wrong, count(*) as n, avg(leaves::int) as share
        from {made.bought} where repeat > 0 group by all order by share
    """)
    spread = 1.96 * np.sqrt(found["share"] * (1 - found["share"]) / found["n"])
    right.errorbar(found["share"], found["wrong"], xerr=spread, fmt="o", color=BLUE, capsize=3,
                   label="found, 95 %")  # fmt: skip
    base = dict(zip(found["wrong"], found["share"], strict=True))["nothing"]
    planted = dict(
        zip(("nothing", "late delivery", "poor product", "bad call"), FACTORS, strict=True)
    )
    planted["late and poor"] = FACTORS[1] * FACTORS[2]
    right.plot([base * factor for factor in planted.values()], list(planted), "|", color=RED, ms=16, mew=2,
               label="share without trouble x planted factor")  # fmt: skip
    right.set(xlabel="share of repeat purchases after which the person leaves", xlim=(0, None))
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _legend(right, loc="lower right", bbox_to_anchor=(1, 0.08))
    return figure


def _left_by_cause(made: Retailer, axes: Axes) -> None:
    """Customers of the first half year, whose leaving the truth tells beyond history."""
    found = made.ask(f"""
        select p.left_by, epoch(p.left_at - bought_at) / 86400 as days
        from true_persons p join {made.bought} b using (person)
        where b.repeat = 0 and b.moment < {HALF_YEAR}
    """)
    until = np.asarray(np.ma.filled(np.ma.masked_invalid(found["days"]), np.inf))
    by = np.asarray(np.ma.filled(found["left_by"], ""), str)
    grid = np.arange(0, made.days.future - HALF_YEAR, 10)
    shares = [np.searchsorted(np.sort(until[by == cause]), grid) / len(until) for cause in CAUSES]
    axes.stackplot(grid / 30.4, shares, colors=(SKY, ORANGE, GREEN, RED), labels=CAUSES)
    axes.set(xlabel=f"months since the first purchase (n={len(until):,})")
    axes.set_ylabel("share of customers who have left")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _legend(axes, loc="upper left")


def media_response(made: Retailer) -> Figure:
    """What is spent on a source against how many people came, and the planted curve."""
    figure, panels = _figure(
        "Paid media: people who came by what was spent, and the planted root", 4
    )
    season = made.days.season[1][BEFORE : BEFORE + made.days.horizon]
    for axes, source in zip(panels, PAID, strict=True):
        _source_response(made, axes, source, season)
    panels[0].set_ylabel("people per day over those of mean spend,\nseason taken out")
    _legend(panels[0], loc="upper left")
    figure.supxlabel("spend of a day, relative to its mean", fontsize=9)
    return figure


def _source_response(made: Retailer, axes: Axes, source: int, season: Any) -> None:
    one = SOURCES[source]
    spend = made.ask(
        f"select sum(spend)::double s from (from ads_spend where platform = '{one.name}'"
        " qualify row_number() over (partition by date, campaign order by updated_at desc) = 1)"
        " group by date order by date"
    )["s"]
    came = made.ask(
        f"select floor(start)::int d from true_persons where source = '{one.name}' and start >= 0"
    )["d"]
    relative = spend / spend.mean()
    count = np.bincount(came, minlength=made.days.horizon)
    curve = 1 - one.paid + one.paid * response(relative)
    level = count.sum() / (season * curve).sum()
    edges = np.quantile(relative, np.linspace(0, 1, 9))
    group = np.clip(np.searchsorted(edges, relative) - 1, 0, 7)
    people, usual = (np.bincount(group, values, 8) for values in (count, season * level))
    at = np.bincount(group, relative, 8) / np.bincount(group, minlength=8)
    axes.errorbar(at, people / usual, 1.96 * np.sqrt(people) / usual, fmt="o", color=BLUE, ms=4,
                  capsize=2, label="found, 95 %")  # fmt: skip
    grid = np.linspace(0, relative.max(), 100)
    axes.plot(grid, 1 - one.paid + one.paid * response(grid), color=RED, lw=1.5, label="planted")
    axes.set(ylim=(0, 1.9), xlim=(0, None))
    axes.set_title(f"{one.name}\npaid share {one.paid:.0%}, n={len(came):,}", fontsize=8)


def _figure(title: str, panels: int = 1) -> tuple[Figure, Any]:
    figure, axes = plt.subplots(1, panels, figsize=(9, 4.3), layout="constrained")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left", weight="bold")
    for one in np.atleast_1d(axes):
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
        one.xaxis.label.set_size(9)
        one.yaxis.label.set_size(9)
    return figure, axes


def _legend(axes: Axes, **how: Any) -> None:
    axes.legend(fontsize=7.5, frameon=False, **how)


def write(figure: Figure, path: Path, note: str) -> int:
    """Write a plot with few colours, which keeps it small; give its bytes."""
    figure.text(0.995, 0.985, note, ha="right", va="top", fontsize=6.5, color="grey")
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DOTS_PER_INCH, format="png")
    plt.close(figure)
    drawn.seek(0)
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(COLOURS_OF_A_PICTURE).save(path, optimize=True)
    return path.stat().st_size


PLOTS: tuple[Callable[[Retailer], Figure], ...] = (
    purchases_per_day, basket_values, cohort_retention, paths, message_response, campaign_lift,
    calls, identity, dropout, media_response,
)  # fmt: skip


def main() -> None:
    """Draw every plot and tell its size."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--other", type=Path, help="a retailer of another world")
    given = asked.parse_args()
    made = Retailer(given.folder, Retailer(given.other) if given.other else None)
    given.out.mkdir(parents=True, exist_ok=True)
    for plot in PLOTS:
        name = plot.__name__
        size = write(plot(made), given.out / f"{name}.png", made.name)
        print(
            f"{name}.png  {size / 1e3:.0f} kB{'' if size < MOST_KILOBYTES * 1e3 else '  too large'}"
        )


if __name__ == "__main__":
    main()
