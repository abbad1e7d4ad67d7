"""The last day in its course, of a fund without values of its own: that of its parts, ending where the day does."""

from __future__ import annotations

import pytest

from portfolio.headlines import day_return
from portfolio.imports.mapping import Mapping
from portfolio.imports.take import take
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.portfolio.test_tab import shown

HEADER = "date,portfolio,nav,flow\n"
COURSE = (
    "2023-01-02,long,100,0\n2023-01-03,long,100,0\n2023-01-04 10:00,long,110,0\n"
    "2023-01-04 11:00,long,160,50\n2023-01-04 16:00,long,152,0\n"
)
"""Up 10 % by 10 o'clock, 50 in by 11, down 5 % after that: +4.5 %."""


def fund_of(stores: Stores, lines: str, **currencies: str) -> None:
    take(stores, "parts.csv", (HEADER + lines).encode())
    parts = [Portfolio("own", id, id.title(), parent="fund", currency=currency) for id, currency in currencies.items()]
    put_portfolios(stores.state, [Portfolio("own", "fund", "Fund", currency="USD"), *parts])
    stores.live.bump("portfolio")


def course(stores: Stores) -> list[float]:
    found = shown(stores, portfolio="own:fund", window="1D")
    assert found.intraday is not None
    assert found.own.made_of, "a sum"
    assert found.intraday.values[-1] - 1.0 == pytest.approx(day_return(found).own), "card and chart of a day agree"
    return found.intraday.values


def test_a_sum_of_one_part_takes_the_part_s_course(stores: Stores) -> None:
    fund_of(stores, COURSE, long="USD")
    assert course(stores) == pytest.approx([1.0, 1.10, 1.10, 1.045])


def test_a_part_valued_by_day_joins_with_its_close(stores: Stores) -> None:
    close = "2023-01-02,slow,350,0\n2023-01-03,slow,350,0\n2023-01-04,slow,385,0\n"
    fund_of(stores, COURSE + close, long="USD", slow="USD")
    # At work are 350 and 100 with the 50 that came in: 0.7 and 0.3.
    assert course(stores) == pytest.approx([1.0, 1.03, 1.03, 1.0 + 0.3 * 0.045 + 0.7 * 0.10])


def test_a_part_in_another_currency_counts_at_the_rate_of_the_day(stores: Stores) -> None:
    fund_of(stores, COURSE, long="EUR")
    rates = b"date,symbol,close\n2023-01-02,EURUSD,1.0\n2023-01-03,EURUSD,1.0\n2023-01-04,EURUSD,1.2\n"
    take(stores, "rates.csv", rates, Mapping(kind="prices"))
    stores.live.bump("portfolio")
    assert course(stores) == pytest.approx([1.0, 1.32, 1.32, 1.254])


def test_a_sum_of_sums_and_of_parts_without_a_course_within_the_day(stores: Stores) -> None:
    other = (
        "2023-01-02,short,300,0\n2023-01-03,short,300,0\n2023-01-04 10:30,short,330,0\n2023-01-04 12:00,short,315,0\n"
    )
    fund_of(stores, COURSE.replace("11:00,long,160,50", "11:00,long,110,0").replace("152", "99") + other, long="USD")
    inner = Portfolio("own", "inner", "Inner", parent="fund", currency="USD")
    put_portfolios(stores.state, [inner, Portfolio("own", "short", "Short", parent="inner", currency="USD")])
    stores.live.bump("portfolio")
    growth = [1.0, 1.10, 1.10, 1.10, 1.10, 0.99]
    rest = [1.0, 1.0, 1.10, 1.10, 1.05, 1.05]
    assert course(stores) == pytest.approx([0.25 * one + 0.75 * two for one, two in zip(growth, rest, strict=True)])
    take(stores, "next.csv", (HEADER + "2023-01-05,long,99,0\n2023-01-05,short,315,0\n").encode())
    stores.live.bump("portfolio")
    assert shown(stores, portfolio="own:fund", window="1D").intraday is None
    assert shown(stores, portfolio="own:fund", window="1D", asof="2023-01-04").intraday is not None
