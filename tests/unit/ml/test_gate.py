"""Who may replace the champion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.gate import Champion, best_baseline, judge

CUT_OFFS = pd.to_datetime(["2024-05-01", "2024-06-01", "2024-07-01"])


def performance(
    gains=(0.02, 0.02, 0.02), low=0.01, high=0.03, error=0.05, allowed=0.05, other_ngini=0.5
) -> pd.DataFrame:
    """A model against a strong baseline, and a weak one that is never the measure."""
    rows = []
    for cut_off, gain in zip(CUT_OFFS, gains, strict=True):
        model = {"predictor": "model", "is_model": True, "ngini_rate": 0.8 + gain}
        strong = {"predictor": "strong", "is_model": False, "ngini_rate": 0.8}
        weak = {"predictor": "weak", "is_model": False, "ngini_rate": other_ngini}
        strong |= {
            "ngini_gain_rate": gain,
            "ngini_gain_low_rate": low if cut_off == CUT_OFFS[-1] else -1.0,
            "ngini_gain_high_rate": high,
        }
        weak |= {"ngini_gain_rate": 0.3, "ngini_gain_low_rate": 0.2, "ngini_gain_high_rate": 0.4}
        model["decile_error_rate"] = error
        strong["decile_error_rate"] = allowed
        weak["decile_error_rate"] = 9.0
        rows += [{"cutoff_date": cut_off, **row} for row in (model, strong, weak)]
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
                    "actual_amount": actual,
                    "predicted_amount": actual * blur / blur.mean(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def champion(recipe: str, predictions: pd.DataFrame) -> Champion:
    columns = ["cutoff_date", "customer_id", "predicted_amount"]
    return Champion("4", recipe, predictions[columns])


def test_the_best_baseline_ranks_highest_in_the_mean_and_is_not_the_model():
    assert best_baseline(performance()) == "strong"
    assert best_baseline(performance(other_ngini=0.81)) == "weak"


def test_a_first_model_that_beats_the_best_baseline_is_promoted_with_its_figures():
    verdict = judge(performance(), backtest(0.3), "r1", champion=None)
    assert verdict.promoted
    assert verdict.reason == (
        "promoted: ngini gain over strong +0.020 (95 % interval +0.010 to +0.030) at 2024-07-01, "
        "+0.020 in the mean of 3 cut-offs, decile error 0.050 against 0.050 with a tolerance of "
        "0.02"
    )


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({"low": 0.0}, "the interval is not above 0"),
        ({"gains": (-0.05, -0.05, 0.02)}, "the mean gain is not above 0"),
        ({"error": 0.0701}, "its decile error is worse"),
        ({"low": float("nan")}, "the interval is not above 0"),
        ({"error": float("nan")}, "its decile error is worse"),
    ],
)
def test_a_model_that_fails_one_condition_is_not_promoted_and_told_which(figures, fault):
    verdict = judge(performance(**figures), backtest(0.3), "r1", champion=None)
    assert not verdict.promoted
    assert fault in verdict.reason
    assert verdict.reason.startswith("not promoted")


def test_a_decile_error_within_the_tolerance_is_no_fault():
    assert judge(performance(error=0.0699), backtest(0.3), "r1", champion=None).promoted


def test_the_same_recipe_on_newer_data_refreshes_the_champion_under_the_same_condition():
    today = champion("r1", backtest(0.0))
    refreshed = judge(performance(), backtest(0.5), "r1", today)
    assert refreshed.promoted
    assert "refreshes version 4" in refreshed.reason
    assert not judge(performance(low=-0.01), backtest(0.5), "r1", today).promoted


def test_another_recipe_must_rank_better_than_the_champion_beyond_chance():
    today = champion("r1", backtest(0.5))
    verdict = judge(performance(), backtest(0.1), "r2", today)
    assert verdict.promoted
    assert "over version 4" in verdict.reason
    assert "400 customers at 2024-07-01" in verdict.reason


def test_another_recipe_as_good_as_the_champion_is_not_promoted():
    verdict = judge(performance(), backtest(0.3), "r2", champion("r1", backtest(0.3)))
    assert not verdict.promoted
    assert "the interval is not above 0" in verdict.reason


def test_another_recipe_with_a_better_ranking_and_a_worse_level_is_not_promoted():
    better = backtest(0.1)
    better["predicted_amount"] *= 2
    verdict = judge(performance(), better, "r2", champion("r1", backtest(0.5)))
    assert not verdict.promoted
    assert "its decile error is worse" in verdict.reason


def test_another_recipe_must_beat_the_baseline_as_well():
    today = champion("r1", backtest(0.5))
    verdict = judge(performance(low=-0.01), backtest(0.1), "r2", today)
    assert not verdict.promoted
    assert "over strong" in verdict.reason


def test_only_shared_customers_and_the_newest_shared_date_are_compared():
    older = backtest(0.5, dates=CUT_OFFS[:2])
    today = champion("r1", older[older["customer_id"] != "c0"])
    verdict = judge(performance(), backtest(0.1), "r2", today)
    assert "399 customers at 2024-06-01" in verdict.reason


UNREADABLE = pd.DataFrame(columns=["cutoff_date", "customer_id", "predicted_amount"])
OTHER_DAY = backtest(0.5, dates=[pd.Timestamp("2024-05-02")])


@pytest.mark.parametrize("stored", [UNREADABLE, OTHER_DAY], ids=["unreadable", "other day"])
def test_another_recipe_without_a_shared_cut_off_is_not_promoted(stored):
    verdict = judge(performance(), backtest(0.1), "r2", champion("r1", stored))
    assert not verdict.promoted
    assert "no cut-off with the same date and customers" in verdict.reason
