"""What people do: counts follow the formulas that are written down, in each world."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from ml.btyd.bg_nbd import BetaGeoNBD
from retailer import campaigns, purchases
from retailer import people as model
from retailer.baskets import COUPON, MORE_LINES
from retailer.catalogue import ENTRY_DROPOUT
from retailer.days import AFTER, BEFORE, Days, black_friday, sales_start
from retailer.part import Part
from retailer.people import LEAVE_A, LEAVE_B, RATE_SCALE, RATE_SHAPE, SOURCES
from tests.unit.retailer.conftest import END, SIGMAS, assert_counts, assert_share, part


def own(drawn: Part) -> np.ndarray:
    """Rows of the repeat purchases that no campaign brought, in history."""
    rows = drawn.history
    return rows[drawn.purchases.repeat[rows] > 0]


def exposure(drawn: Part) -> np.ndarray:
    """Repeat purchases expected on each day of history, of those who have not left by then."""
    people, days = drawn.people, drawn.plan.days
    total = np.zeros(days.horizon)
    season = days.season[:, BEFORE : BEFORE + days.horizon]
    buyers = np.flatnonzero(~people.is_prospect)
    for minding in range(3):
        rows = buyers[people.minding[buyers] == minding]
        begin, end = people.start[rows], np.minimum(drawn.purchases.left_at[rows], days.horizon)
        rate = people.rate[rows]
        for edges, sign in ((begin, 1.0), (end, -1.0)):
            # The share of a day after an edge counts in part.
            place = np.clip(edges, 0, days.horizon)
            day = np.minimum(place.astype(int), days.horizon - 1)
            change = np.zeros(days.horizon + 1)
            part_day = np.zeros(days.horizon)
            np.add.at(change, day + 1, rate * sign)
            np.add.at(part_day, day, rate * sign * (day + 1 - place))
            total += (np.cumsum(change)[:-1] + part_day) * season[minding]
    return total


@pytest.mark.parametrize("world", ["base", "no_season", "no_effect", "heavy_tails"])
def test_purchases_of_each_month_are_as_many_as_rates_and_season_say(world: str) -> None:
    drawn = part(world)
    days = drawn.plan.days
    month = np.array([days.date(n).year * 12 + days.date(n).month for n in range(days.horizon)])
    month -= month[0]
    found = np.bincount(month[drawn.purchases.moment[own(drawn)].astype(int)])
    # A rate counts in many purchases of one person; those that messages took away are few.
    assert_counts(found, np.bincount(month, exposure(drawn)), "purchases of a month", spread=1.3)


def test_the_season_has_its_days_and_no_more() -> None:
    days = Days(END, 30)
    assert str(black_friday(2025)) == "2025-11-28"
    assert [str(sales_start(2025, half)) for half in (1, 2)] == ["2025-01-08", "2025-06-25"]
    assert [str(sales_start(2026, half)) for half in (1, 2)] == ["2026-01-07", "2026-06-24"]
    assert days.season[:, : 4 * 365].mean(axis=1) == pytest.approx(np.ones(3))
    december, august = (
        days.number(pd.Timestamp(day).date()) + BEFORE for day in ("2025-12-13", "2025-08-16")
    )
    assert (days.season[:, december] > 2 * days.season[:, august]).all()
    first = days.number(sales_start(2026, 1)) + BEFORE
    assert days.season[2, first] > 1.3 * days.season[0, first]
    assert (Days(END, 30, has_season=False).season == 1).all()
    moments = np.array([0.0, 10.25, 700.5])
    rows = np.array([0, 1, 2])
    assert days.moment(days.passed(moments, rows), rows) == pytest.approx(moments)


def test_who_leaves_leaves_by_the_cause_and_as_often_as_planted() -> None:
    drawn = part()
    bought, people = drawn.purchases, drawn.people
    left = bought.left_by
    for number, cause in enumerate(purchases.CAUSES):
        assert (left == number).sum() > 20, cause
    # Of purchases that campaigns did not take away, the chance to leave is the planted one.
    rows = np.flatnonzero(bought.repeat > 0)
    leaves = bought.leaves[rows]
    chance = people.leave[bought.person[rows]]
    for flag, factor in (("is_late", purchases.FACTORS[1]), ("is_poor", purchases.FACTORS[2]),
                         ("is_bad_call", purchases.FACTORS[3])):  # fmt: skip
        chance = np.where(getattr(bought, flag)[rows], np.minimum(chance * factor, 0.95), chance)
    kinds = bought.is_late[rows] * 1 + bought.is_poor[rows] * 2 + bought.is_bad_call[rows] * 4
    found, expected = np.bincount(kinds[leaves], minlength=8), np.bincount(kinds, chance, 8)
    assert_counts(found.astype(float), expected, "people who leave")


def test_incidents_come_at_their_rates_and_not_in_the_plain_world() -> None:
    bought = part().purchases
    organic = np.flatnonzero(bought.wave < 0)
    online = organic[bought.channel[organic] > 0]
    assert_share(bought.is_late[online], purchases.LATE, "late")
    assert_share(bought.is_poor[organic], purchases.POOR, "poor")
    assert_share(
        bought.is_bad_call[organic][bought.has_call[organic]], purchases.BAD_CALLS, "bad calls"
    )
    plain = part("plain").purchases
    assert not (plain.is_late | plain.is_poor | plain.is_bad_call).any()
    assert (plain.left_by[np.isfinite(plain.left_at)] == 0).all()


def histories(drawn: Part) -> pd.DataFrame:
    """Repeat purchases, recency and age of who came within history, in days."""
    people, days = drawn.people, drawn.plan.days
    rows = drawn.history
    person, moment = drawn.purchases.person[rows], drawn.purchases.moment[rows]
    came = ~people.is_prospect & (people.start >= 0)
    count = np.bincount(person, minlength=len(people)) - 1
    first, last = np.full(len(people), np.inf), np.full(len(people), -np.inf)
    np.minimum.at(first, person, moment)
    np.maximum.at(last, person, moment)
    found = pd.DataFrame({"frequency": count, "recency": last - first, "age": days.horizon - first})
    return found[came & (count >= 0)]


def test_btyd_finds_the_planted_parameters_in_the_plain_world() -> None:
    table = pd.concat([histories(part("plain", number)) for number in range(2)])
    fitted = BetaGeoNBD().fit(table)
    planted = {"r": RATE_SHAPE, "alpha": RATE_SCALE, "a": LEAVE_A, "b": LEAVE_B}
    for name, value in planted.items():
        error = fitted.standard_errors_[name]
        found = getattr(fitted, f"{name}_")
        assert abs(found - value) <= 2 * error, (
            f"{name}: {found:.3f} ± {error:.3f}, planted {value}"
        )


def test_heavy_tails_are_heavier_than_a_gamma_of_the_same_mean() -> None:
    rates = {world: part(world).people.rate for world in ("plain", "heavy_tails")}
    share = {world: np.quantile(rate, 0.999) / rate.mean() for world, rate in rates.items()}
    assert share["heavy_tails"] > 2.5 * share["plain"]
    pieces = {world: part(world).lines["quantity"] for world in ("plain", "heavy_tails")}
    assert np.quantile(pieces["heavy_tails"], 0.999) > 10 * np.quantile(pieces["plain"], 0.999)


def test_one_channel_sells_online_alone() -> None:
    assert (part("one_channel").purchases.channel == 1).all()
    assert set(np.unique(part().purchases.channel)) == {0, 1, 2, 3}


def test_sources_and_entries_differ_as_planted_and_not_in_the_plain_world() -> None:
    people = part().people
    for number, source in enumerate(SOURCES):
        rows = people.source == number
        assert_share(rows, source.share, source.name)
        assert_share(people.is_prospect[rows], source.prospects, f"prospects of {source.name}")
    for world, factors in (("base", ENTRY_DROPOUT), ("plain", (1.0,) * 8)):
        one = part(world).people
        usual = one.source == 0
        for entry, factor in enumerate(factors):
            leave = one.leave[usual & (one.entry == entry)]
            mean = factor * LEAVE_A / (LEAVE_A + LEAVE_B)
            assert abs(leave.mean() - mean) <= SIGMAS * leave.std() / np.sqrt(len(leave))


def test_more_is_spent_where_more_people_come_and_nothing_hangs_on_it_without_effects() -> None:
    from retailer.media import make_spend

    for world, sign in (("base", True), ("no_effect", False)):
        drawn = [part(world, number) for number in range(3)]
        days = drawn[0].plan.days
        spend = make_spend(drawn[0].plan.seed, days)
        number = [one.name for one in SOURCES].index("contest")
        start = np.concatenate([one.people.start[one.people.source == number] for one in drawn])
        came = np.bincount(start[start >= 0].astype(int), minlength=days.horizon)
        season = days.season[1][BEFORE : BEFORE + days.horizon]
        dear = spend[number] > np.median(spend[number])
        ratio = (came[dear].sum() / season[dear].sum()) / (came[~dear].sum() / season[~dear].sum())
        assert (ratio > 1.25) == sign, f"{world}: {ratio:.2f}"


def test_messages_change_purchases_by_the_planted_lift() -> None:
    drawn = [part("base", number) for number in range(3)]
    found: dict[tuple[int, bool], np.ndarray] = {}
    for one in drawn:
        given = one.contacts.assigned
        inside = bought_in_window(one)
        tier = one.people.tier[given["person"]]
        for level in range(3):
            for treated in (False, True):
                rows = (tier == level) & ((given["arm"] > 0) == treated)
                sums = np.array([inside[rows].sum(), given["expected"][rows].sum(),
                                 (given["expected"] * (1 + given["lift"]))[rows].sum()])  # fmt: skip
                found[level, treated] = found.get((level, treated), np.zeros(3)) + sums
    for level in range(3):
        held, written = found[level, False], found[level, True]
        # Some leave within the window, of both alike; other waves reach both alike.
        lift = (written[0] / written[1]) / (held[0] / held[1]) - 1
        planted = written[2] / written[1] - 1
        error = np.sqrt(1.3 * (1 / written[0] + 1 / held[0]))
        assert abs(lift - planted) <= 3 * error, f"tier {level}: {lift:.3f}, planted {planted:.3f}"
    assert found[1, True][2] / found[1, True][1] - 1 > 0.08, "nothing planted in the middle"


def bought_in_window(drawn: Part) -> np.ndarray:
    """Purchases (but the first) of each assigned person in the window of their wave."""
    bought, given = drawn.purchases, drawn.contacts.assigned
    rows = np.flatnonzero(bought.repeat != 0)
    place = bought.person[rows] * 1e5 + bought.moment[rows] + BEFORE
    begin = given["person"] * 1e5 + given["wave"] * campaigns.EVERY + 3 + BEFORE
    low, high = (np.searchsorted(place, at) for at in (begin, begin + campaigns.WINDOW))
    return high - low


def test_without_effects_nothing_is_brought_or_lost() -> None:
    drawn = part("no_effect")
    assert (drawn.purchases.wave < 0).all()
    assert (drawn.contacts.assigned["lift"] == 0).all()
    assert len(drawn.contacts.messages["person"]) > 10_000
    assert not len(part("plain").contacts.messages["person"])


def test_the_lots_of_waves_are_what_is_said() -> None:
    arm = part().contacts.assigned["arm"]
    assert_share(arm == 0, campaigns.HELD_OUT, "held out")
    for messages in campaigns.INTENSITIES:
        assert_share(arm == messages, (1 - campaigns.HELD_OUT) / 3, f"{messages} messages")


def test_messages_bounce_open_and_click_as_planted() -> None:
    found = part().contacts.messages
    channel = np.array(campaigns.TURNS)[found["wave"] % len(campaigns.TURNS)]
    refused = campaigns._placeholders(part().records)[found["person"]] & np.isin(channel, (0, 1, 4))
    assert_share(found["bounce"][~refused] == 1, campaigns.BOUNCE_HARD, "hard bounces")
    assert_share(found["bounce"][~refused] == 2, campaigns.BOUNCE_SOFT, "soft bounces")
    assert (found["bounce"][refused] == 1).all()
    mail = (channel == 0) & (found["bounce"] == 0)
    assert_share(~np.isnan(found["machine_opened"][mail]), campaigns.MACHINE_OPEN, "machines")
    opened, clicked = (~np.isnan(found[name]) for name in ("opened", "clicked"))
    assert not opened[(channel == 1) | (channel == 3)].any()
    assert (opened | (channel == 1))[clicked].all(), "a click without an opening"
    theme = part().people.theme[found["person"]] == found["wave"] * 3 % 5
    rates = [opened[mail & (theme == match)].mean() for match in (False, True)]
    assert rates[1] / rates[0] == pytest.approx(campaigns.THEME_MATCH / 0.85, rel=0.08)


def test_nobody_is_written_to_after_the_consent_ended() -> None:
    contacts = part().contacts
    found = contacts.messages
    channel = np.array(campaigns.TURNS)[found["wave"] % len(campaigns.TURNS)]
    assert contacts.agreed[found["person"], channel].all()
    assert (found["moment"] < contacts.revoked[found["person"], channel]).all()
    assert np.isfinite(contacts.revoked).sum() > 50


def test_baskets_have_their_lines_and_add_up() -> None:
    drawn = part()
    lines = drawn.lines
    count = np.bincount(lines["purchase"])
    assert count.min() == 1
    assert count.mean() == pytest.approx(1 + MORE_LINES, rel=0.01)
    assert (lines["net"] >= 0).all()
    used = lines["coupon"] > 0
    full = lines["net"] + lines["discount"] + lines["coupon"]
    assert np.abs(lines["coupon"] - (full - lines["discount"]) * COUPON)[used].max() <= 0.51
    assert (drawn.purchases.offer[lines["purchase"][used]] >= 0).all()
    with_coupon = np.unique(lines["purchase"][used])
    received = {
        (person, wave): moment
        for person, wave, moment, bounce in zip(
            *(
                drawn.contacts.messages[name][::-1]
                for name in ("person", "wave", "moment", "bounce")
            ),
            strict=True,
        )
        if not bounce
    }
    for row in with_coupon:
        key = drawn.purchases.person[row], drawn.purchases.offer[row]
        assert received[key] < drawn.purchases.moment[row], "a coupon that nobody sent"
    brought = drawn.purchases.wave[lines["purchase"][used]] >= 0
    assert 0.05 < brought.mean() < 0.95, "a coupon tells what a campaign brought"


def test_visits_belong_to_people_and_end_with_their_purchases() -> None:
    drawn = part()
    session, events = drawn.sessions, drawn.events
    assert (
        np.bincount(events["session"], minlength=len(session["events"])) == session["events"]
    ).all()
    rows = drawn.history
    online = rows[np.isin(drawn.purchases.channel[rows], (1, 2))]
    assert sorted(session["purchase"][session["purchase"] >= 0]) == sorted(online)
    bought = session["purchase"] >= 0
    by_app = drawn.purchases.channel[session["purchase"][bought]] == 2
    assert (session["is_app"][bought] == by_app).all()
    ends = np.append(events["session"][1:] != events["session"][:-1], True)
    ordered = session["moment"][bought] + events["second"][ends][bought] / 86_400
    moment = drawn.purchases.moment[session["purchase"][bought]]
    assert np.abs(ordered - moment).max() * 86_400 < 0.01
    assert ((moment - session["moment"][bought]) * 1_440 <= 25.01).all()
    assert_share(session["is_bot"], 0.03 / 1.03, "programs")
    assert (np.diff(events["second"])[np.diff(events["session"]) == 0] > 0).all()


def test_a_purchase_that_a_message_brought_begins_with_its_click() -> None:
    drawn = part()
    session, bought, sent = drawn.sessions, drawn.purchases, drawn.contacts.messages
    rows = session["purchase"][(session["purchase"] >= 0) & (session["wave"] >= 0)]
    clicked = {moment: row for row, moment in enumerate(sent["clicked"]) if moment == moment}
    message = np.array([clicked[drawn.contacts.click[row]] for row in rows])
    assert (sent["person"][message] == bought.person[rows]).all()
    assert (sent["wave"][message] == bought.wave[rows]).all()
    assert (sent["bounce"][message] == 0).all()
    channel = np.array(campaigns.TURNS)[sent["wave"][message] % len(campaigns.TURNS)]
    opened = np.where(channel == 1, sent["moment"][message], sent["opened"][message])
    steps = sent["moment"][message], opened, sent["clicked"][message], bought.moment[rows]
    assert all((before <= after).all() for before, after in itertools.pairwise(steps))
    assert not (channel == campaigns.CHANNELS.index("direct_mail")).any()
    # Each click is a visit of its campaign, and each visit of a campaign a click.
    clicks = (sent["clicked"] < drawn.plan.days.horizon).sum()
    assert (session["wave"] >= 0).sum() == clicks
    online = np.isin(bought.channel, (1, 2)) & (bought.wave >= 0)
    own = np.array(campaigns.TURNS)[bought.wave % len(campaigns.TURNS)] != 3
    share = np.isfinite(drawn.contacts.click[online & own]).mean()
    assert 0.85 * campaigns.FROM_MESSAGE < share < campaigns.FROM_MESSAGE


def test_a_card_is_shown_before_its_holder_is_recorded_by_those_it_reveals_alone() -> None:
    from retailer.deliveries import _cards

    drawn = part()
    rows = drawn.history
    rows = rows[drawn.purchases.channel[rows] == 0]
    person, moment = drawn.purchases.person[rows], drawn.purchases.moment[rows]
    early = (_cards(drawn, person, moment) >= 0) & (moment < drawn.records.since("stores")[person])
    assert early.sum() > 100
    assert drawn.records.is_revealed[person[early]].all()
    assert np.isfinite(drawn.records.hidden_until[person[early]]).all()


def test_nothing_heaps_up_at_a_bound_of_the_day_and_stores_keep_their_hours() -> None:
    drawn = part()
    bought, people = drawn.purchases, drawn.people
    in_store = bought.channel == 0
    returned = drawn.returns["moment"][in_store[drawn.returns["purchase"]]]
    for moment in (bought.moment[in_store], returned):
        hour = moment % 1 * 24
        assert ((hour >= model.OPENS - 1e-6) & (hour <= model.CLOSES + 1e-6)).all()
    minute = np.bincount((bought.moment[in_store] % 1 * 1_440).astype(int), minlength=1_440)
    assert minute.max() < 0.006 * minute.sum()
    first = bought.repeat == 0
    assert (bought.moment[first] == people.start[bought.person[first]]).all()
    same = np.diff(bought.person) == 0
    assert (np.diff(bought.moment)[same] > 0).all()


def test_the_next_year_is_told_from_the_end_of_history_on() -> None:
    from retailer.truth import tables

    drawn = part()
    told = tables(drawn)["next_year"].to_pandas()
    bought, days = drawn.purchases, drawn.plan.days
    after = (bought.moment >= days.horizon) & (bought.moment < days.horizon + AFTER)
    assert told["purchases"].sum() == after.sum() > 10_000
    net = drawn.lines["net"][after[drawn.lines["purchase"]]].sum()
    assert int(sum(told["paid"]) * 100) == int(net)


def test_a_referrer_was_a_customer_before() -> None:
    drawn = part()
    found, start = drawn.referrals, drawn.people.start
    assert len(found["referrer"]) > 100
    assert (start[found["referrer"]] < start[found["referred"]]).all()
    assert (drawn.purchases.left_at[found["referrer"]] > start[found["referred"]]).all()


def test_customers_bring_people_at_a_rate() -> None:
    """Referred people per customer and day of average trade are as many in each half year."""
    drawn = part()
    days, start, bought = drawn.plan.days, drawn.people.start, drawn.purchases
    is_referred = (drawn.people.source == model.REFERRAL) & (start >= 0)
    month = np.arange(0, days.horizon, 30)
    customers = np.array([bought.is_active(drawn.people, float(day)).sum() for day in month])
    daily = np.interp(np.arange(days.horizon), month, customers)
    daily = daily * days.season[1][BEFORE : BEFORE + days.horizon]
    edges = np.linspace(0, days.horizon, 6).astype(int)
    expected = np.add.reduceat(daily, edges[:-1])
    found = np.histogram(start[is_referred], edges)[0]
    assert_counts(found, expected / expected.sum() * found.sum(), "referred people")
    # Alike: who was a customer twice as long brings twice as many.
    begun = np.clip(start, 0, days.horizon)
    stayed = np.clip(bought.left_at, begun, days.horizon) - begun
    stayed[drawn.people.is_prospect] = 0
    bounds = np.quantile(stayed[stayed > 0], [0, 0.5, 0.8, 1])
    bounds[-1] += 1
    brought = np.histogram(stayed[drawn.referrals["referrer"]], bounds)[0]
    time = np.histogram(stayed, bounds, weights=stayed)[0]
    assert_counts(brought, time / time.sum() * brought.sum(), "people brought", spread=1.5)


def test_voices_are_content_as_their_purchases_went() -> None:
    calls = part().calls
    content = [calls["satisfaction"][calls["is_bad"] == bad].mean() for bad in (True, False)]
    assert content[0] < 1.8
    assert content[1] > 3.4
    reviews, bought = part().reviews, part().purchases
    poor = bought.is_poor[reviews["purchase"]]
    assert reviews["satisfaction"][poor].mean() + 1.5 < reviews["satisfaction"][~poor].mean()
