"""How often a history is valued is found from its dates, whatever holidays and holes it has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.cadence import Given, cadence_of, day_before, stray_weekends
from core.trading_days import OF_EVERY_DAY, trading_days


def days(index: pd.DatetimeIndex) -> np.ndarray:
    return index.to_numpy().astype("datetime64[D]")


HISTORIES = {
    "weekdays": (pd.bdate_range("2015-01-01", "2017-12-31"), "daily", 252),
    "every day": (pd.date_range("2015-01-01", "2015-12-31"), "daily", 365),
    "Fridays": (pd.date_range("2015-01-01", "2017-12-31", freq="W-FRI"), "weekly", 52),
    "ends of month": (pd.date_range("2015-01-31", "2019-12-31", freq="ME"), "monthly", 12),
    "last business days": (pd.date_range("2015-01-31", "2019-12-31", freq="BME"), "monthly", 12),
    "quarters": (pd.date_range("2010-01-31", "2019-12-31", freq="QE"), "quarterly", 4),
}


@pytest.mark.parametrize("name", HISTORIES)
@given(missing=st.sets(st.integers(3, 15), max_size=1), hole=st.booleans())
def test_a_rhythm_survives_a_missing_value_and_a_hole(name: str, missing: set[int], hole: bool) -> None:
    index, rhythm, periods = HISTORIES[name]
    later = index + pd.DateOffset(years=12) if hole else index[:0]
    dates = np.unique(np.concatenate([np.delete(days(index), list(missing)), days(later)]))
    found = cadence_of(dates)
    assert (found.rhythm, found.periods) == (rhythm, periods)
    gaps = found.gaps(dates)
    assert gaps.sum() == hole
    if hole:
        assert dates[gaps][0] == days(later)[0]


def test_long_weekends_are_no_gap_and_more_than_a_week_is() -> None:
    weekdays = days(pd.bdate_range("2015-01-01", "2017-12-31"))
    found = cadence_of(weekdays)
    monday = np.datetime64("2016-01-04")
    assert not found.are_gaps(np.array([monday]), np.array([monday + 7]))[0], "five weekdays"
    assert found.are_gaps(np.array([monday]), np.array([monday + 8]))[0]


def test_what_has_no_rhythm_is_irregular_with_as_many_returns_as_there_were() -> None:
    spaces = np.random.default_rng(1).integers(2, 40, 400)
    found = cadence_of(np.datetime64("2000-01-01") + np.cumsum(spaces))
    assert found.rhythm == "irregular"
    assert found.periods == pytest.approx(365.25 / spaces[1:].mean())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_values_tell_nothing(count: int) -> None:
    dates = np.array(["2020-01-01", "2024-01-01"], dtype="datetime64[D]")[:count]
    found = cadence_of(dates, Given(periods=365))
    assert found.periods == 365
    assert not found.gaps(dates).any()


def test_what_is_given_counts_instead_of_what_is_found() -> None:
    weekdays = days(pd.bdate_range("2015-01-01", "2017-12-31"))
    monthly = cadence_of(weekdays, Given("monthly"))
    assert (monthly.rhythm, monthly.periods) == ("monthly", 12)
    assert cadence_of(weekdays, Given(periods=250)).periods == 250
    assert cadence_of(weekdays, Given("daily")) == cadence_of(weekdays)
    every_day = cadence_of(weekdays, Given(calendar=OF_EVERY_DAY))
    assert every_day.periods == 365
    friday = np.datetime64("2016-01-08")
    following = np.array([friday + 6])
    assert every_day.are_gaps(np.array([friday]), following)[0]
    assert not cadence_of(weekdays).are_gaps(np.array([friday]), following)[0]
    assert cadence_of(weekdays[:2], Given("monthly")).are_gaps(weekdays[:1], weekdays[:1] + 156)[0]


@pytest.mark.parametrize("name", ["Fridays", "ends of month", "quarters"])
def test_a_rhythm_finer_than_the_dates_is_not_taken(name: str) -> None:
    dates = days(HISTORIES[name][0])
    assert cadence_of(dates, Given("daily")) == cadence_of(dates)
    assert not cadence_of(dates, Given("daily")).gaps(dates).any()


def test_a_daily_history_with_many_holes_may_be_called_daily_and_a_sparse_one_may_not() -> None:
    weekdays = days(pd.bdate_range("2015-01-01", "2017-12-31"))
    random = np.random.default_rng(1)
    holed = weekdays[np.sort(random.choice(len(weekdays), int(0.6 * len(weekdays)), replace=False))]
    assert cadence_of(holed).rhythm == "irregular"
    assert cadence_of(holed, Given("daily")).periods == 252
    sparse = weekdays[np.sort(random.choice(len(weekdays), int(0.2 * len(weekdays)), replace=False))]
    assert cadence_of(sparse, Given("daily")).rhythm == "irregular"


def test_holidays_of_an_exchange_are_no_missing_days() -> None:
    christmas = np.array(["2023-12-22"], dtype="datetime64[D]")
    after = np.array(["2024-01-02"], dtype="datetime64[D]")  # seven weekdays, five sessions
    weekdays = days(pd.bdate_range("2023-01-01", "2024-12-31"))
    assert cadence_of(weekdays).are_gaps(christmas, after)[0]
    assert not cadence_of(weekdays, Given(calendar=trading_days("XNYS"))).are_gaps(christmas, after)[0]


@pytest.mark.parametrize(
    ("index", "before"),
    [
        (pd.bdate_range("2024-01-08", periods=20), "2024-01-05"),
        (pd.date_range("2024-01-08", periods=30), "2024-01-07"),
        (pd.date_range("2024-01-05", periods=20, freq="W-FRI"), "2023-12-29"),
        (pd.date_range("2024-02-29", periods=20, freq="ME"), "2024-01-31"),
        (pd.date_range("2024-03-15", periods=20, freq=pd.DateOffset(months=1)), "2024-02-15"),
        (pd.date_range("2024-03-31", periods=20, freq="QE"), "2023-12-31"),
        (pd.date_range("2024-12-31", periods=5, freq="YE"), "2024-01-01"),
        (pd.to_datetime(["2024-01-06"]), "2024-01-05"),
    ],
)
def test_an_index_begins_one_period_before_its_first_return(index: pd.DatetimeIndex, before: str) -> None:
    assert day_before(days(index)) == np.datetime64(before)


def test_a_weekend_is_strange_where_the_history_usually_rests_on_it() -> None:
    weekdays = days(pd.bdate_range("2024-01-01", periods=60))
    saturday, sunday = np.datetime64("2024-01-27"), np.datetime64("2024-02-11")
    with_both = np.union1d(weekdays, [saturday, sunday])
    assert stray_weekends(with_both).tolist() == [saturday.item(), sunday.item()]
    assert not len(stray_weekends(days(pd.date_range("2024-01-01", periods=60))))
    assert not len(stray_weekends(days(pd.date_range("2024-01-31", periods=30, freq="ME"))))
    assert stray_weekends(with_both, OF_EVERY_DAY).tolist() == []
