"""Who may replace the champion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.evaluation import paired_gain, weighted_ngini
from ml.gate import (
    OF_AMOUNT,
    OF_PROBABILITY,
    Champion,
    best_baseline,
    best_served_baseline,
    judge,
)
from ml.questions import Question
from tests.conftest import cases

CLV, ORDERS, PROPENSITY = Question("clv", 90), Question("orders", 90), Question("propensity", 90)
QUESTIONS = [CLV, ORDERS, PROPENSITY]
CUT_OFFS = pd.to_datetime(["2024-05-01", "2024-06-01", "2024-07-01"])
STRONG, WEAK = "rate_times_basket", "recency"


def measured(question: Question) -> tuple[str, int, str]:
    """The figure that decides, 1 if more of it is better, and the figure of the level."""
    if question.is_probability:
        return "logloss", -1, "calibration_error"
    return "ngini", 1, "decile_error"


def performance(
    question: Question = CLV,
    gains=(0.02, 0.02, 0.02),
    bounds=(0.01, 0.03),
    level=0.05,
    allowed=0.05,
    weak_gain=0.3,
) -> pd.DataFrame:
    """A model against a strong baseline, and a weak one; gains above 0 are good ones."""
    metric, sign, of_level = measured(question)
    rows = []
    for cut_off, gain in zip(CUT_OFFS, gains, strict=True):
        # Only the newest interval counts.
        near, far = bounds if cut_off == CUT_OFFS[-1] else (-1.0, 1.0)
        low, high = sorted((sign * near, sign * far))
        strong = {"": sign * gain, "_low": low, "_high": high}
        weak = {"": sign * weak_gain, "_low": 0.2, "_high": 0.4}
        for predictor, told, error in [
            ("model", {}, level),
            (STRONG, strong, allowed),
            (WEAK, weak, 9),
        ]:
            row = {f"{metric}_gain{bound}": value for bound, value in told.items()}
            row |= {"predictor": predictor, "is_model": predictor == "model", of_level: error}
            rows.append({"cutoff_date": cut_off, "segment": "all", **row})
    return pd.DataFrame(rows)


def backtest(noise: float, seed: int = 1, dates=CUT_OFFS, customers: int = 400) -> pd.DataFrame:
    """Predictions of the same customers, the further off the more noise."""
    rng = np.random.default_rng(0)
    parts = []
    for day in dates:
        actual = rng.lognormal(3, 1, customers)
        blur = np.random.default_rng(seed).lognormal(0, noise, customers)
        ids = [f"c{number}" for number in range(customers)]
        parts.append(
            pd.DataFrame(
                {
                    "cutoff_date": day,
                    "customer_id": ids,
                    "actual": actual,
                    "predicted": actual * blur / blur.mean(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def chances(noise: float, seed: int = 1, customers: int = 1500) -> pd.DataFrame:
    """The same of a probability."""
    rng, blur = np.random.default_rng(0), np.random.default_rng(seed)
    parts = []
    for day in CUT_OFFS:
        odds = rng.normal(-1, 2, customers)
        chance = 1 / (1 + np.exp(-odds - noise * blur.normal(0, 1, customers)))
        actual = rng.random(customers) < 1 / (1 + np.exp(-odds))
        ids = [f"c{number}" for number in range(customers)]
        rows = {"customer_id": ids, "actual": actual, "predicted": chance}
        parts.append(pd.DataFrame({"cutoff_date": day, **rows}))
    return pd.concat(parts, ignore_index=True)


def champion(recipe: str, predictions: pd.DataFrame) -> Champion:
    return Champion("4", recipe, predictions[["cutoff_date", "customer_id", "predicted"]])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_best_baseline_is_the_one_the_model_gains_least_over(question):
    assert best_baseline(performance(question), question) == STRONG
    assert best_baseline(performance(question, weak_gain=0.01), question) == WEAK


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_best_baseline_to_serve_needs_no_labels(question):
    found = performance(question, weak_gain=0.01)
    assert best_served_baseline(found, question) == STRONG


def test_a_baseline_of_unknown_gain_is_best_only_if_all_are_unknown():
    found = performance(weak_gain=float("nan"))
    assert best_baseline(found, CLV) == STRONG
    found["ngini_gain"] = float("nan")
    assert best_baseline(found, CLV) in {STRONG, WEAK}


def test_a_baseline_that_an_old_cut_off_lacks_is_held_against_the_model_where_it_is():
    found = performance(weak_gain=0.01, gains=(0.5, 0.5, 0.02))
    late = found[~((found["predictor"] == WEAK) & (found["cutoff_date"] < CUT_OFFS[1]))]
    assert best_baseline(late, CLV) == WEAK
    assert "mean of 2 cut-offs" in judge(late, backtest(0.3), CLV, "r1", None).reason
    gone = found[~((found["predictor"] == WEAK) & (found["cutoff_date"] == CUT_OFFS[2]))]
    assert best_baseline(gone, CLV) == STRONG


def test_only_the_rows_of_all_customers_count():
    rows = performance()
    part = performance(weak_gain=-9.0, level=9.0, gains=(-9, -9, -9), bounds=(-9, -8))
    both = pd.concat([part.assign(segment="one order"), rows], ignore_index=True)
    assert best_baseline(both, CLV) == STRONG
    verdicts = [judge(found, backtest(0.3), CLV, "r1", None) for found in (both, rows)]
    assert verdicts[0] == verdicts[1]
    assert verdicts[0].promoted


def test_a_first_model_that_beats_the_best_baseline_is_promoted_with_its_figures():
    verdict = judge(performance(), backtest(0.3), CLV, "r1", champion=None)
    assert verdict.promoted
    assert verdict.reason == (
        "promoted: ngini gain over rate_times_basket +0.0200 (95 % interval +0.0100 to +0.0300) at "
        "2024-07-01, +0.0200 in the mean of 3 cut-offs, decile error 0.050 against 0.050 with a "
        "tolerance of 0.020"
    )


def test_a_probability_is_judged_by_its_logloss_and_its_calibration():
    verdict = judge(performance(PROPENSITY), chances(0.3), PROPENSITY, "r1", champion=None)
    assert verdict.promoted
    assert verdict.reason == (
        "promoted: logloss gain over rate_times_basket -0.0200 (95 % interval -0.0300 to -0.0100) "
        "at 2024-07-01, -0.0200 in the mean of 3 cut-offs, calibration error 0.050 against 0.050 "
        "with a tolerance of 0.020"
    )


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({"bounds": (0.0, 0.03)}, "the interval is not"),
        ({"bounds": (-0.01, 0.03)}, "the interval is not"),
        ({"gains": (-0.05, -0.05, 0.02)}, "the mean gain is not"),
        ({"level": 0.0701}, "is worse"),
        ({"bounds": (float("nan"), float("nan"))}, "the interval is not"),
        ({"level": float("nan")}, "is worse"),
    ],
)
def test_a_model_that_fails_one_condition_is_not_promoted_and_told_which(question, figures, fault):
    verdict = judge(performance(question, **figures), backtest(0.3), question, "r1", None)
    assert not verdict.promoted
    assert fault in verdict.reason
    assert verdict.reason.count(" and ") == 0, "one fault only"
    assert verdict.reason.startswith("not promoted")
    assert ("below 0" in verdict.reason) <= question.is_probability
    assert ("above 0" in verdict.reason) <= (not question.is_probability)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_level_within_the_tolerance_is_no_fault(question):
    found = performance(question, level=0.0699)
    assert judge(found, backtest(0.3), question, "r1", champion=None).promoted


def test_the_order_of_the_rows_of_the_performance_does_not_matter():
    found = performance(gains=(0.01, 0.02, 0.03))
    verdicts = {judge(rows, backtest(0.3), CLV, "r1", None) for rows in (found, found[::-1])}
    assert len(verdicts) == 1


def test_the_same_recipe_on_newer_data_refreshes_the_champion_under_the_same_condition():
    today = champion("r1", backtest(0.0))
    refreshed = judge(performance(), backtest(0.5), CLV, "r1", today)
    assert refreshed.promoted
    assert "refreshes version 4" in refreshed.reason
    assert not judge(performance(bounds=(-0.01, 0.1)), backtest(0.5), CLV, "r1", today).promoted


@pytest.mark.parametrize(
    ("question", "tested", "customers"), [(CLV, backtest, 400), (PROPENSITY, chances, 1500)]
)
def test_another_recipe_must_beat_the_champion_beyond_chance(question, tested, customers):
    today = champion("r1", tested(1.5))
    verdict = judge(performance(question), tested(0.1), question, "r2", today)
    assert verdict.promoted, verdict.reason
    assert f"over version 4 on {customers} customers" in verdict.reason
    assert "at 2024-07-01" in verdict.reason
    worse = judge(performance(question), tested(1.5), question, "r2", champion("r1", tested(0.1)))
    assert not worse.promoted


def test_another_recipe_as_good_as_the_champion_is_not_promoted():
    verdict = judge(performance(), backtest(0.3), CLV, "r2", champion("r1", backtest(0.3)))
    assert not verdict.promoted
    assert "the interval is not above 0" in verdict.reason


def test_another_recipe_that_is_better_at_the_newest_cut_off_alone_is_not_promoted():
    ours, theirs = backtest(1.0), backtest(0.1)
    newest = ours["cutoff_date"] == CUT_OFFS[-1]
    ours.loc[newest, "predicted"] = theirs.loc[newest, "predicted"]
    theirs.loc[newest, "predicted"] = backtest(0.3).loc[newest, "predicted"]
    verdict = judge(performance(), ours, CLV, "r2", champion("r1", theirs))
    assert not verdict.promoted
    assert "the mean gain is not above 0" in verdict.reason


@pytest.mark.parametrize(("question", "tested"), [(CLV, backtest), (PROPENSITY, chances)])
def test_another_recipe_that_is_better_with_a_worse_level_is_not_promoted(question, tested):
    better, mean = tested(0.1), tested(0.1)
    better["predicted"] *= 2 if question is CLV else 0.8
    # It claims no order among customers, and what it says of all is right.
    mean["predicted"] = mean.groupby("cutoff_date")["actual"].transform("mean")
    verdict = judge(performance(question), better, question, "r2", champion("r1", mean))
    assert not verdict.promoted
    assert "is worse" in verdict.reason
    assert " and " not in verdict.reason, "one fault only"


def test_another_recipe_must_beat_the_baseline_as_well():
    today = champion("r1", backtest(0.5))
    verdict = judge(performance(bounds=(-0.01, 0.1)), backtest(0.1), CLV, "r2", today)
    assert not verdict.promoted
    assert f"over {STRONG}" in verdict.reason


def test_only_shared_customers_and_dates_are_compared():
    older = backtest(0.5, dates=CUT_OFFS[:2])
    today = champion("r1", older[older["customer_id"] != "c0"])
    verdict = judge(performance(), backtest(0.1), CLV, "r2", today)
    assert "399 customers" in verdict.reason
    assert "at 2024-06-01" in verdict.reason
    assert "mean of 2 cut-offs" in verdict.reason


UNREADABLE = pd.DataFrame(columns=["cutoff_date", "customer_id", "predicted"])
OTHER_DAY = backtest(0.5, dates=[pd.Timestamp("2024-05-02")])


@pytest.mark.parametrize("stored", [UNREADABLE, OTHER_DAY], ids=["unreadable", "other day"])
def test_another_recipe_without_a_shared_cut_off_is_held_against_the_baseline_and_says_so(stored):
    verdict = judge(performance(), backtest(0.1), CLV, "r2", champion("r1", stored))
    assert verdict.promoted
    assert "no cut-off is shared with version" in verdict.reason
    worse = performance(bounds=(-0.01, 0.1))
    assert not judge(worse, backtest(0.1), CLV, "r2", champion("r1", stored)).promoted


def world(question: Question, rng: np.random.Generator, customers: int):
    """What comes of customers, the forecast of who knows all that can be known, and the mean."""
    known = rng.normal(size=customers)
    if question.is_probability:
        chance = 1 / (1 + np.exp(1 - 2 * known))
        return (rng.random(customers) < chance).astype(float), chance, 1 / 3
    expected = np.exp(2 + known)
    return expected * rng.exponential(size=customers), expected, np.exp(2.5)


def simulated(question: Question, seed: int, *, is_noise: bool, customers: int = 300):
    """The performance of a model and of two baselines that say the mean, one with noise."""
    measure = OF_PROBABILITY if question.is_probability else OF_AMOUNT
    metric, _, of_level = measured(question)
    rng, rows = np.random.default_rng(seed), []
    for cut_off in CUT_OFFS:
        actual, expected, mean = world(question, rng, customers)
        noise = mean * np.exp(rng.normal(0, 0.1, (2, customers)))
        model = noise[0] if is_noise else expected
        forecasts = {"model": model, "own_rate": noise[1], "constant": np.full(customers, mean)}
        for predictor, forecast in forecasts.items():
            gain = paired_gain(measure.metric, actual, model, forecast, draws=250)
            ranking = paired_gain(weighted_ngini, actual, model, forecast, draws=250)
            row = {"ngini_gain_low": ranking.low}
            row |= {f"{metric}_gain": gain.value, f"{metric}_gain_low": gain.low}
            row |= {f"{metric}_gain_high": gain.high, of_level: measure.level(actual, forecast)}
            row |= {"predictor": predictor, "is_model": predictor == "model", "segment": "all"}
            rows.append({"cutoff_date": cut_off, **row})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("question", [CLV, PROPENSITY], ids=lambda question: question.name)
def test_pure_noise_is_promoted_in_at_most_one_of_twenty_seeds(question):
    seeds = cases(20)
    promoted = sum(
        judge(simulated(question, seed, is_noise=True), UNREADABLE, question, "r1", None).promoted
        for seed in range(seeds)
    )
    assert promoted <= seeds / 20


@pytest.mark.parametrize("question", [CLV, PROPENSITY], ids=lambda question: question.name)
def test_customers_who_are_all_alike_are_said_to_be(question):
    found = simulated(question, 3, is_noise=True)
    verdict = judge(found, UNREADABLE, question, "r1", None)
    assert not verdict.promoted
    assert "customers are in no order that is more than chance" in verdict.reason


@pytest.mark.parametrize("question", [CLV, PROPENSITY], ids=lambda question: question.name)
def test_a_model_that_knows_what_comes_is_promoted(question):
    # The mean of all has no error in any decile, as it claims no order, and is no measure there.
    found = simulated(question, 1, is_noise=False)
    found = found[found["predictor"] != "constant"]
    verdict = judge(found, UNREADABLE, question, "r1", None)
    assert verdict.promoted, verdict.reason
