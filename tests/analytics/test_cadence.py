"""How often a history is valued is found from its dates, whatever holidays and holes it has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.cadence import Given, cadence_of


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
