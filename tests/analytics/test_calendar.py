"""Calendar periods and windows, of one portfolio and of many."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analytics import calendar
from analytics.block import Block

NAN = math.nan
DAYS = pd.bdate_range("2019-11-12", "2021-08-18")
OLD = np.random.default_rng(5).normal(0.0005, 0.01, len(DAYS))
YOUNG = np.where(DAYS < "2021-03-10", NAN, OLD * 0.7)
ENDED = np.where((DAYS > "2021-02-17") | (np.arange(len(DAYS)) % 9 == 4), NAN, OLD - 0.001)
FUND = pd.DataFrame({"old": OLD, "young": YOUNG, "ended": ENDED}, index=DAYS)
BLOCK = Block.of(FUND.to_numpy().T)


@pytest.mark.parametrize("frequency", ["W", "M", "Q", "Y"])
def test_periods_are_those_of_pandas(frequency: calendar.Frequency) -> None:
    label = DAYS.to_period({"W": "W-SUN"}.get(frequency, frequency))
    grown = (1 + FUND).groupby(label)
    expected = (grown.prod() - 1).where(grown.count() > 0)
    found = calendar.period_returns(DAYS, BLOCK, frequency)[1]
    assert list(found.ravel()) == pytest.approx(list(expected.to_numpy().T.ravel()), nan_ok=True)
    dates, same = calendar.resample(DAYS, FUND.to_numpy(), frequency)
    assert same == pytest.approx(expected.to_numpy(), nan_ok=True)
    assert list(dates) == list(DAYS.to_series().groupby(label).max().to_numpy().astype("datetime64[D]"))
    assert calendar.best(DAYS, BLOCK, frequency) == pytest.approx(expected.max().to_numpy())
    assert calendar.worst(DAYS, BLOCK, frequency) == pytest.approx(expected.min().to_numpy())
    share = (expected > 0).sum() / expected.count()
    assert calendar.positive_share(DAYS, BLOCK, frequency) == pytest.approx(share.to_numpy())


def since(column: str, anchor: str) -> float:
    """Return the compounded return after a day."""
    part = FUND[column].dropna()
    return float((1 + part[part.index > anchor]).prod() - 1)


@pytest.mark.parametrize(
    ("period", "now", "ended"),
    [("WTD", "2021-08-15", "2021-02-14"), ("MTD", "2021-07-31", "2021-01-31"),
     ("QTD", "2021-06-30", "2020-12-31"), ("YTD", "2020-12-31", "2020-12-31")],
)  # fmt: skip
def test_a_running_period_starts_from_the_last_value_before_it(period: calendar.ToDate, now: str, ended: str) -> None:
    found = calendar.to_date(DAYS, BLOCK, period)
    young = NAN if period == "YTD" else since("young", now)
    # Each portfolio's window ends at its own last return.
    assert found == pytest.approx([since("old", now), young, since("ended", ended)], nan_ok=True)
    index = np.cumprod(1 + OLD)
    assert calendar.to_date(DAYS, index, period) == pytest.approx(found[0])


def test_trailing_months_reach_back_to_the_same_day_of_an_earlier_month() -> None:
    found = calendar.trailing_months(DAYS, BLOCK, 5)
    assert found == pytest.approx(
        [since("old", "2021-03-18"), since("young", "2021-03-18"), since("ended", "2020-09-17")]
    )
    assert np.isnan(calendar.trailing_months(DAYS, BLOCK, 6)[1])
    assert np.isnan(calendar.trailing_months(DAYS, BLOCK, 36)).all()
    assert calendar.last_return(DAYS, BLOCK) == pytest.approx([OLD[-1], YOUNG[-1], FUND["ended"].dropna().iloc[-1]])


def test_a_portfolio_is_as_old_as_the_row_before_its_first_return() -> None:
    dates = np.array(["2020-11-30", "2020-12-31", "2021-01-31"], dtype="datetime64[D]")
    valued_before, starts_then = [0.1, 0.2, 0.3], [NAN, NAN, 0.3]
    both = Block.of([valued_before, starts_then])
    assert calendar.to_date(dates, both, "YTD") == pytest.approx([0.3, 0.3])
    assert calendar.trailing_months(dates, both, 2) == pytest.approx([1.2 * 1.3 - 1, NAN], nan_ok=True)


def test_a_day_that_a_month_does_not_have_is_its_last() -> None:
    assert calendar.months_before(np.datetime64("2021-03-31"), 1) == np.datetime64("2021-02-28")
    several = calendar.months_before(np.array(["2024-03-31", "2024-05-15"], dtype="datetime64[D]"), 1)
    assert list(several) == [np.datetime64("2024-02-29"), np.datetime64("2024-04-15")]
    dates = np.array(["2020-02-27", "2020-02-28", "2020-03-02", "2021-02-26", "2021-03-01"], dtype="datetime64[D]")
    assert calendar.trailing_months(dates, [1.0, 2.0, 3.0, 4.0, 5.0], 12) == pytest.approx(5 / 2 - 1)
    assert math.isnan(calendar.trailing_months(dates, [1.0, 2.0, 3.0, 4.0, 5.0], 13))
