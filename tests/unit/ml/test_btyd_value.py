"""Orders times their value, held against what CDNOW's customers spent afterwards."""

from __future__ import annotations

from ml.btyd.bg_nbd import BetaGeoNBD
from ml.btyd.gamma_gamma import GammaGamma
from ml.btyd.value import predict_spend
from ml.evaluation import bias_rate, ngini
from tests.unit.ml.btyd_worlds import (
    CALIBRATION_END,
    cdnow_days,
    cdnow_histories,
    cdnow_spends,
    needs_cdnow,
)


@needs_cdnow
def test_the_forecast_of_cdnow_ranks_well_and_lies_a_sixth_under_a_season_it_does_not_know():
    days = cdnow_days()
    histories, spends = cdnow_histories(days), cdnow_spends(days)
    assert spends.index.equals(histories.index)
    spent = days[days["date"] > CALIBRATION_END].groupby("customer_id")["dollar_value"].sum()
    actual = spent.reindex(histories.index, fill_value=0.0).to_numpy()
    orders, values = BetaGeoNBD("weeks").fit(histories), GammaGamma().fit(spends)
    predicted = predict_spend(orders, values, histories, spends, 39)
    assert round(ngini(actual, predicted), 2) == 0.67
    assert round(bias_rate(actual, predicted), 2) == 0.83
    assert (predicted > 0).all()
