"""A year counts as one where a history covers it from end to end."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.cadence import cadence_of
from analytics.performance import track
from portfolio.since import full_years


def years(first: str, last: str, every: str = "D") -> list[float]:
    """The full years of an index that is 2, 3, 4 … times 100 on the values of each year from 2020 on."""
    days = np.arange(first, last, dtype="datetime64[D]")
    if every == "D":
        days = days[np.is_busday(days)]
    else:
        months = days.astype("datetime64[M]")
        days = days[np.append(months[1:] != months[:-1], True)]
    grown = 100.0 * (days.astype("datetime64[Y]").astype(int) - 50 + 2.0)
    return [round(float(each), 6) for each in full_years(track(days, grown), cadence_of(days))]


@pytest.mark.parametrize("every", ["D", "M"])
def test_years_that_are_cut_off_are_no_years(every: str) -> None:
    assert years("2020-06-01", "2023-03-01", every) == [0.5, 0.333333], "2021 and 2022"
    assert years("2020-06-01", "2023-01-01", every) == [0.5, 0.333333], "the last day of 2022 is there"
    assert years("2020-02-01", "2020-12-01", every) == []


def test_a_daily_history_from_the_first_day_of_a_year_has_that_year() -> None:
    assert years("2020-01-01", "2022-01-01") == [0.0, 0.5]
    assert years("2020-01-01", "2021-12-31") == [0.0], "the last day of 2021 is to come"
    assert years("2019-12-31", "2022-01-01") == [1.0, 0.5]
    assert years("2020-01-31", "2022-01-01", "M") == [0.5], "January 2020 is not in it"
