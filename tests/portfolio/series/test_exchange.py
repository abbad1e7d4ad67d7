"""Values in another currency: at the rates of their own days, by whichever pairs there are, never at one too old."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.performance import track
from core.currency import Pair, pair_of
from portfolio.series.exchange import Exchange, converted_prices, converted_values

MONDAY = np.datetime64("2024-03-04")


def known(*days: int) -> np.ndarray:
    return MONDAY + np.array(days)


EURUSD = (known(0, 1, 2, 3, 4), np.array([1.10, 1.20, 1.10, 1.20, 1.25]))
GBPUSD = (known(0, 1, 2, 3, 4), np.array([1.25, 1.25, 1.25, 1.25, 1.25]))


@pytest.mark.parametrize("symbol", ["EURUSD", "EUR/USD", "EURUSD=X", "eurusd", "eur-usd"])
def test_a_pair_is_known_by_its_symbol(symbol: str) -> None:
    assert pair_of(symbol) == Pair("EUR", "USD")


@pytest.mark.parametrize("symbol", ["", "EUR", "EUREUR", "GOOGLE", "ALLTOP", "EURUSDX", "MSCIEUR"])
def test_other_symbols_are_no_pair(symbol: str) -> None:
    assert pair_of(symbol) is None


def test_rates_go_either_way_and_through_a_third_currency() -> None:
    exchange = Exchange({Pair("EUR", "USD"): EURUSD, Pair("GBP", "USD"): GBPUSD})
    days = known(0, 1)
    assert exchange.rates("EUR", "USD", days) == pytest.approx([1.10, 1.20])
    assert exchange.rates("USD", "EUR", days) == pytest.approx([1 / 1.10, 1 / 1.20])
    assert exchange.rates("EUR", "GBP", days) == pytest.approx([1.10 / 1.25, 1.20 / 1.25])
    assert exchange.rates("JPY", "JPY", days).tolist() == [1.0, 1.0]
    assert exchange.path("EUR", "JPY") == ()
    assert np.isnan(exchange.rates("EUR", "JPY", days)).all()


def test_a_rate_stands_in_for_a_long_weekend_and_no_longer() -> None:
    exchange = Exchange({Pair("EUR", "USD"): EURUSD})
    found = exchange.rates("EUR", "USD", known(-1, 4, 9, 10))
    assert found == pytest.approx([np.nan, 1.25, 1.25, np.nan], nan_ok=True)


def test_each_flow_is_converted_at_its_own_day_s_rate_and_none_is_lost() -> None:
    value, flow = np.array([100.0, 210.0, 160.0, 170.0]), np.array([0.0, 100.0, -50.0, 0.0])
    found = converted_values(value, flow, np.array([1.1, 1.2, np.nan, 1.3]))
    assert found.kept.tolist() == [True, True, False, True]
    assert found.value == pytest.approx([110.0, 252.0, 221.0])
    assert found.flow == pytest.approx([0.0, 120.0, -65.0])


@given(st.lists(st.floats(0.5, 2), min_size=2, max_size=40), st.lists(st.floats(0.5, 2), min_size=2, max_size=40))
def test_a_return_in_another_currency_is_that_of_the_price_and_of_the_currency(
    prices: list[float], rates: list[float]
) -> None:
    count = min(len(prices), len(rates))
    price, rate = np.array(prices[:count]), np.array(rates[:count])
    found = converted_prices(track(MONDAY + np.arange(count), price), rate)
    assert 1 + found.returns[1:] == pytest.approx(price[1:] / price[:-1] * rate[1:] / rate[:-1])
    back = converted_prices(found, 1 / rate)
    assert back.index == pytest.approx(price / price[0])


def test_days_without_a_rate_are_left_out() -> None:
    found = converted_prices(track(known(0, 1, 2), [100.0, 110.0, 121.0]), np.array([1.0, np.nan, 2.0]))
    assert found.dates.tolist() == known(0, 2).tolist()
    assert found.returns[1] == pytest.approx(1.42)
