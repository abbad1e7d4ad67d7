"""Money at a rate: interest by day count for the days that pass, compounded at each day that has a rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.series.rates import accumulated, constant, rate_between, year_shares


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("day_count", "share"),
    [
        ("act/360", 182 / 360),
        ("act/365", 182 / 365),
        # 31 December until the year's end: 1 of 365 days; then 181 of the 366 of 2024.
        ("act/act", 1 / 365 + 181 / 366),
        # 31 December counts as the 30th, 30 June as itself: six whole months.
        ("30/360", 0.5),
    ],
)
def test_days_become_a_share_of_a_year(day_count: str, share: float) -> None:
    found = year_shares(days("2023-12-31"), days("2024-06-30"), day_count)  # type: ignore[arg-type]
    assert found[0] == pytest.approx(share)


def test_friday_s_rate_earns_three_days_and_compounds_on_monday() -> None:
    # Thursday 3.6 % for a day, Friday 3.6 % for three, Monday −1.8 % for one: act/360 makes 0.0001 a day of 3.6 %.
    dates = days("2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12")
    account = accumulated(dates, np.array([3.6, 3.6, -1.8, 0.0]), "act/360")
    levels = dict(zip(account.dates.astype(str).tolist(), account.index.tolist(), strict=True))
    assert levels["2024-03-08"] == pytest.approx(1.0001)
    assert levels["2024-03-10"] == pytest.approx(1.0001 * 1.0002)
    assert levels["2024-03-11"] == pytest.approx(1.0001 * 1.0003)
    assert levels["2024-03-12"] == pytest.approx(1.0001 * 1.0003 * (1 - 0.00005))
    found = rate_between(account, days("2024-03-08", "2024-03-11", "2024-03-12"))
    assert found == pytest.approx([0.0003, -0.00005])


@given(st.lists(st.floats(-5, 20), min_size=12, max_size=60), st.integers(1, 50))
def test_the_way_between_two_days_is_that_of_all_days_between(percents: list[float], step: int) -> None:
    dates = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-01-01") + len(percents))
    account = accumulated(dates, np.array(percents), "act/365")
    chosen = dates[::step]
    assert np.prod(1 + rate_between(account, chosen)) == pytest.approx(
        np.prod(1 + np.array(percents[: (len(chosen) - 1) * step]) / 100 / 365)
    )


def test_nothing_is_earned_across_a_gap_and_nothing_is_known_there() -> None:
    first = np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-01-20"))
    dates = np.concatenate([first, first + 100])
    account = accumulated(dates, np.full(len(dates), 3.65), "act/365")
    assert np.datetime64("2024-02-20") not in account.dates
    found = rate_between(account, days("2024-01-02", "2024-01-03", "2024-02-20", "2024-04-12", "2024-04-13"))
    assert found == pytest.approx([1e-4, np.nan, np.nan, 1e-4], nan_ok=True)
    assert np.isnan(rate_between(account, days("2024-01-05", "2024-04-12"))).all()


def test_the_last_rate_holds_for_a_week_and_a_monthly_one_for_a_month() -> None:
    daily = accumulated(np.arange(np.datetime64("2024-01-01"), np.datetime64("2024-02-01")), np.ones(31), "act/360")
    assert str(daily.dates[-1]) == "2024-02-07"
    monthly = days("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30")
    assert str(accumulated(monthly, np.ones(4), "act/360").dates[-1]) == "2024-05-31"


def test_a_constant_compounds_to_itself_in_a_year() -> None:
    account = constant(5.0, np.datetime64("2023-01-01"), np.datetime64("2024-01-01"))
    assert account.index[-1] == pytest.approx(1.05)


def test_without_rates_there_is_no_account() -> None:
    account = accumulated(days(), np.array([]), "act/360")
    assert not len(account)
    assert np.isnan(rate_between(account, days("2024-01-01", "2024-01-02"))).all()
