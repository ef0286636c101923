"""Features and outcomes as they leave the warehouse."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pytest

from ml.errors import MlError
from ml.frames import read_features, read_labelled
from tests.unit.ml.conftest import build_warehouse

DAY = date(2024, 3, 1)
LATER = date(2024, 4, 1)


@pytest.fixture
def small(tmp_path):
    """Two customers at two dates; the later outcome is still open."""
    path = tmp_path / "small.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema features")
        con.execute(
            "create table features.customer_as_of_features as "
            "select * from (values ('b', ?::date, 2.5::decimal(18, 2), null::integer, true), "
            "('a', ?, 2.5, 3, false), ('a', ?, 9.0, 4, true)) "
            "as t (customer_id, as_of_date, spend_amount, gap_days, has_card)",
            [DAY, DAY, LATER],
        )
        con.execute(
            "create table features.customer_outcomes as "
            "select customer_id, as_of_date, h as horizon_days, "
            "(h * 1.1)::decimal(18, 2) as net_revenue_amount, "
            "1 as orders_count, as_of_date = ? as is_closed "
            "from features.customer_as_of_features cross join (values (30), (90)) as v (h)",
            [DAY],
        )
    return path


def test_every_column_but_the_keys_is_a_feature_sorted_by_name(small):
    assert list(read_features(small, DAY).features) == ["gap_days", "has_card", "spend_amount"]


def test_training_and_scoring_share_their_feature_columns(small):
    scored, trained = read_features(small, DAY), read_labelled(small, [DAY], 30)
    assert list(scored.features) == list(trained.features)
    assert scored.features.equals(trained.features)


def test_features_are_floats_and_an_undefined_one_is_not_a_number(small):
    frame = read_features(small, DAY)
    assert {str(kind) for kind in frame.features.dtypes} == {"float64"}
    assert frame.features["gap_days"].isna().tolist() == [True, False]
    assert frame.features["spend_amount"].tolist() == [2.5, 2.5]


def test_only_the_asked_date_is_scored(small):
    assert read_features(small, LATER).customer_ids.tolist() == ["a"]


def test_open_outcomes_and_other_horizons_are_left_out(small):
    frame = read_labelled(small, [DAY, LATER], 90)
    assert frame.dates == (DAY,)
    assert frame.net_revenue.tolist() == [99.0, 99.0]


def test_only_the_asked_dates_are_read(small):
    assert len(read_labelled(small, [LATER], 30)) == 0


def test_a_subset_keeps_features_and_outcomes_side_by_side(labelled):
    day = labelled.dates[2]
    part = labelled.at([day])
    rows = labelled.as_of_dates == np.datetime64(day)
    assert part.dates == (day,)
    assert part.net_revenue.tolist() == labelled.net_revenue[rows].tolist()
    assert part.features.equals(labelled.features[rows].reset_index(drop=True))


def test_rows_come_in_the_same_order_however_they_arrived_and_whatever_the_ids(
    tmp_path, orders, labelled
):
    renamed = orders.assign(customer_id=orders["customer_id"].str[::-1] + "x")
    other = build_warehouse(
        tmp_path / "other.duckdb", renamed.sample(frac=1, random_state=1), salt=99
    )
    again = read_labelled(other, labelled.dates, 30)
    assert again.features.equals(labelled.features)
    assert again.net_revenue.tolist() == labelled.net_revenue.tolist()
    assert again.as_of_dates.tolist() == labelled.as_of_dates.tolist()


def test_the_warehouse_is_free_for_a_writer_after_reading(small):
    read_features(small, DAY)
    with duckdb.connect(str(small)) as con:
        con.execute("create table free (x integer)")


def test_a_text_feature_is_refused_by_name(small):
    with duckdb.connect(str(small)) as con:
        con.execute("alter table features.customer_as_of_features add column city varchar")
    with pytest.raises(MlError, match="city") as caught:
        read_features(small, DAY)
    assert caught.value.code == "feature-not-a-number"


def test_a_missing_table_and_a_missing_file_say_what_to_do(tmp_path):
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    for path, code in ((empty, "features-missing"), (tmp_path / "no.duckdb", "warehouse-missing")):
        with pytest.raises(MlError) as caught:
            read_features(path, DAY)
        assert caught.value.code == code
        assert caught.value.where == str(path)
        assert caught.value.fix
    assert not (tmp_path / "no.duckdb").exists()
