"""A portfolio that sends trades and reports no positions holds what they come to."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.exposure.tables import remarks
from portfolio.book_history import book_history
from portfolio.day_holdings import holdings
from portfolio.exposure import exposure_course
from portfolio.holdings import Holdings
from portfolio.query import PortfolioQuery
from portfolio.risk_backtest import past_risk_of
from portfolio.risk_query import RiskQuery
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.portfolio.test_attribution import of as attributed
from tests.portfolio.test_reconciliation import DAY, TODAY, at, bought, held, moved
from tests.support.funded import ALPHA, Send, tell

FUND, *STRATEGIES = portfolios("sample")


@pytest.fixture
def funded(funded: Stores) -> Stores:
    put_portfolios(funded.state, [Portfolio("own", "beta", "Beta", "alpha", currency="EUR")])
    return funded


def of(stores: Stores, portfolio: Portfolio = ALPHA, day: str = "") -> Holdings:
    found = holdings(stores, portfolio, None, np.datetime64(day) if day else None)
    assert found is not None
    return found


def test_the_sample_without_its_reports_holds_the_same(stores: Stores) -> None:
    load_sample(stores)
    reported = {each.id: of(stores, each) for each in (FUND, *STRATEGIES)}
    cash = {each.id: reported[each.id].cash for each in STRATEGIES}
    stores.clickhouse.command("TRUNCATE TABLE positions")
    stores.live.bump("portfolio")
    for portfolio in (FUND, *STRATEGIES):
        found, told = of(stores, portfolio), reported[portfolio.id]
        assert {*found.built} == ({each.id for each in STRATEGIES} if portfolio is FUND else {portfolio.id})
        before = {(each.portfolio, each.instrument): each for each in told.positions}
        assert {(each.portfolio, each.instrument) for each in found.positions} == {*before}
        for each in found.positions:
            was = before[each.portfolio, each.instrument]
            assert (each.quantity, each.value) == pytest.approx((was.quantity, was.value), rel=1e-9)
            assert (each.day, each.month, each.total) == pytest.approx((was.day, was.month, was.total), abs=1e-4)
            assert each.held_days == was.held_days
        assert found.nav == told.nav
        # The money that it began with was told with the first report, and by its flow.
        assert found.cash == pytest.approx(told.cash, rel=1e-9)
        assert found.value == pytest.approx(found.nav, rel=1e-9)
    assert sum(cash.values()) == pytest.approx(of(stores, FUND).cash)


def test_a_part_without_reports_is_told_where_only_reports_count(stores: Stores) -> None:
    load_sample(stores)
    lost = STRATEGIES[0]
    stores.clickhouse.command(f"DELETE FROM positions WHERE portfolio = '{lost.id}'")
    stores.live.bump("portfolio")
    assert {*of(stores, FUND).built} == {lost.id}
    history = book_history(stores, FUND, None)
    assert history is not None
    assert history.unreported == (lost.name,)
    course = exposure_course(history, PortfolioQuery(), "sector")
    assert course is not None
    assert f"Positions of {lost.name} are built from trades" in str(remarks(course, []))
    _, found = attributed(stores, FUND.id)
    assert any(each.startswith(f"Positions of {lost.name} are built from trades") for each in found.reasons)
    assert past_risk_of(stores, FUND, None, RiskQuery(), history.days[-1]) is None
    alone = book_history(stores, STRATEGIES[1], None)
    assert alone is not None
    assert alone.unreported == ()


def test_what_trades_come_to_is_held_at_the_last_price_and_average_cost(funded: Stores, send: Send) -> None:
    bought(send, -3, 100, 10, commission=50)
    bought(send, -2, -40, 12)
    tell(send, "prices", {"instrument": "ACME", "ts": at(TODAY), "price": 13, "currency": "EUR"})
    (position,) = of(funded).positions
    assert (position.quantity, position.value, position.average_cost) == (60, 780, 10.5)
    assert position.unrealised == pytest.approx(60 * (13 - 10.5))
    assert position.total == pytest.approx(60 * 13 - 1_050 + 480)
    assert position.held_days == 3
    earlier = of(funded, day=str(np.datetime64(TODAY - 3 * DAY, "s").astype("datetime64[D]")))
    assert (earlier.positions[0].quantity, earlier.positions[0].price) == (100, 10)


def test_money_in_makes_cash_and_a_value(funded: Stores, send: Send) -> None:
    moved(send, -4, action="deposit", amount=2_000)
    bought(send, -3, 100, 10)
    found = of(funded)
    assert (found.cash, found.nav) == (1_000, 2_000)
    assert found.positions[0].weight == 0.5


def test_reports_of_a_part_count_before_what_trades_come_to(funded: Stores, send: Send) -> None:
    bought(send, -3, 100, 10)
    assert {*of(funded).built} == {"alpha"}
    tell(send, "positions", {"portfolio": "beta", "ts": at(TODAY), "instrument": "BETA", "quantity": 1, "price": 1})
    assert [each.instrument for each in of(funded).positions] == ["BETA"]
    held(send, 0, 7)
    assert not of(funded).built
    assert [each.quantity for each in of(funded).positions] == [7]


def test_before_the_first_trade_nothing_is_held(funded: Stores, send: Send) -> None:
    bought(send, -3, 100, 10)
    assert holdings(funded, ALPHA, None, np.datetime64("2001-01-01")) is None


def test_a_split_of_what_was_never_traded_is_no_fault(funded: Stores, send: Send) -> None:
    bought(send, -3, 100, 10)
    moved(send, -2, instrument="OTHER", action="split", split_ratio=4)
    assert [(each.instrument, each.value) for each in of(funded).positions] == [("ACME", 1_000)]


def test_the_price_of_a_trade_is_divided_by_the_split_since(funded: Stores, send: Send) -> None:
    bought(send, -3, 100, 40)
    moved(send, -2, instrument="ACME", action="split", split_ratio=4)
    bought(send, -1, 1, instrument="OTHER")
    (acme,) = (each for each in of(funded).positions if each.instrument == "ACME")
    assert (acme.quantity, acme.price, acme.value, acme.total) == (400, 10, 4_000, 0)
    bought(send, 0, 100, 12)
    (acme,) = (each for each in of(funded).positions if each.instrument == "ACME")
    assert (acme.quantity, acme.price) == (500, 12)


def test_prices_in_another_currency_than_the_trades_are_no_prices(funded: Stores, send: Send) -> None:
    tell(send, "instruments", {"symbol": "ACME", "currency": "USD"})
    bought(send, -3, 100, 10)
    tell(send, "prices", {"instrument": "ACME", "ts": at(TODAY), "price": 13, "currency": "USD"})
    assert [each.price for each in of(funded).positions] == [10]


def test_the_average_cost_is_of_trades_in_their_order(funded: Stores, send: Send) -> None:
    bought(send, -3, 100, 10)
    for second, (quantity, price) in enumerate(((25, 12), (25, 12), (-150, 11), (100, 13))):
        bought(send, -2, quantity, price, trade_id=str(9 - second), ts=at(TODAY - 2 * DAY + second))
    (position,) = of(funded).positions
    assert (position.quantity, position.average_cost) == (100, 13)
