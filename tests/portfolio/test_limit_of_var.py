"""The value at risk that a limit is on is that of the Risk page, and nothing where a position has no returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.clock import SystemClock
from portfolio.day_holdings import holdings
from portfolio.limits.loss import NotKnown, value_at_risk_ratio
from portfolio.risk import book_of, risk_of
from portfolio.risk_query import RiskQuery
from sample.load import load_sample, portfolios
from storage.state.portfolios import put_portfolios
from storage.stores import Stores
from tests.portfolio.test_holdings import held
from tests.support.funded import ALPHA, sender

FUND, *STRATEGIES = portfolios("sample")


def test_it_is_that_of_the_risk_page(stores: Stores) -> None:
    load_sample(stores)
    for portfolio in (FUND, *STRATEGIES):
        found = holdings(stores, portfolio, None)
        assert found is not None
        for level in (0.95, 0.99):
            query = RiskQuery(level)
            book = book_of(stores, portfolio, None, None, query)
            assert book is not None
            expected = risk_of(stores, book, query).by_method["historical"].value_at_risk / found.nav
            assert value_at_risk_ratio(stores, found, found.nav, level) == pytest.approx(expected, rel=1e-9)


def test_a_position_without_prices_makes_it_unknown_and_is_named(stores: Stores) -> None:
    put_portfolios(stores.state, [ALPHA])
    stores = replace(stores, clock=SystemClock())
    held(sender(stores), 0, 10, 10)
    found = holdings(stores, ALPHA, None)
    assert found is not None
    with pytest.raises(NotKnown, match=r"price|return"):
        value_at_risk_ratio(stores, found, 100.0, 0.95)
