"""The two estimators: what they promise whatever the customers are like."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from ml.clv.model import CustomerValue
from ml.families import fit
from ml.inputs import inputs
from ml.propensity.model import OrderProbability
from tests.unit.ml.conftest import DATES, ORDERS, PROPENSITY, VALUE


@pytest.fixture(scope="module")
def some(labelled):
    return labelled.at(DATES[-2:])


@pytest.fixture(scope="module")
def value(some, today):
    return fit(VALUE, some, today.features)


def test_every_member_has_the_total_of_the_poisson_boosting_on_the_customers_of_today(value, today):
    seen = inputs(today.features)[value.inputs_]
    total = value.boosting_.predict(seen).sum()
    assert value.predict(today.features).sum() == pytest.approx(total)
    assert set(value.levels_) == {"boosting", "hurdle", "trees", "rhythm"}


def test_a_customer_is_forecast_alike_alone_and_among_others(value, today):
    everybody = value.forecast(today.features).predicted
    alone = value.forecast(today.features.iloc[[7]]).predicted
    assert alone == pytest.approx(everybody[7])


def test_bounds_are_in_order_and_amounts_are_never_negative(value, today):
    told = value.forecast(today.features)
    assert all(np.isfinite(values).all() for values in asdict(told).values())
    assert ((told.low >= 0) & (told.low <= told.high)).all()
    assert ((told.if_any_low > 0) & (told.if_any_low <= told.if_any_high)).all()
    assert ((told.any_order_probability >= 0) & (told.any_order_probability <= 1)).all()


def test_a_count_has_no_interval(some, today):
    told = fit(ORDERS, some, today.features).forecast(today.features)
    assert np.isfinite(told.predicted).all()
    assert np.isnan(told.low).all()


def test_probabilities_lie_between_nothing_and_certainty_and_rank_who_comes_back(some, today):
    estimator = fit(PROPENSITY, some, today.features)
    shares = estimator.predict_proba(today.features)
    assert np.allclose(shares.sum(axis=1), 1)
    assert ((shares >= 0) & (shares <= 1)).all()
    recent = today.features["recency_days"] < 20
    assert shares[recent, 1].mean() > shares[~recent, 1].mean() + 0.2
    assert (estimator.predict(today.features) == (shares[:, 1] > 0.5)).all()


def test_a_shop_without_a_second_order_is_forecast_without_rhythm(some, today):
    once = {"order_days_count": 1, "gap_mean_days": np.nan, "recency_gap_ratio": np.nan}
    frame = replace(some, features=some.features.assign(**once))
    now = today.features.assign(**once, recency_days=today.features["tenure_days"])
    estimator = fit(VALUE, frame, now)
    assert "rhythm" not in estimator.levels_
    assert estimator.findings() == ["nobody has a rhythm yet"]
    assert np.isfinite(estimator.predict(now)).all()


def test_when_everybody_buys_there_is_nothing_to_learn_about_whether(some, today):
    faithful = replace(some, net_revenue=np.abs(some.net_revenue) + 1)
    told = fit(VALUE, faithful, today.features).forecast(today.features)
    assert (told.any_order_probability == 1).all()
    assert (told.low > 0).all()


def test_three_rows_are_enough_not_to_fail(some, today):
    few = replace(
        some.at(DATES[-1:]),
        features=some.features.iloc[:3],
        net_revenue=np.array([5.0, 0.0, 0.0]),
        customer_ids=np.array(["a", "b", "c"], dtype=object),
    )
    value = CustomerValue(30).fit(few.features, few.net_revenue, today=today.features)
    assert np.isfinite(value.predict(today.features)).all()
    line = OrderProbability(30).fit(few.features, few.net_revenue > 0)
    assert np.isfinite(line.predict_proba(today.features)).all()


def test_it_is_said_whether_customers_are_seen_to_leave(value, some, today):
    assert "seen to leave for good" in value.findings()[0]
    # Who came back was there yesterday: nobody has left.
    repeat = today.features["order_days_count"] > 1
    recency = np.where(repeat, 1, today.features["tenure_days"])
    present = today.features.assign(recency_days=recency)
    assert fit(VALUE, some, present).findings() == ["nobody is seen to leave for good"]
