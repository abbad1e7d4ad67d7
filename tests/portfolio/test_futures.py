"""A future gains what its price moves: nobody paid its notional, and no currency moves it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from access.viewer import Viewer
from core.format import points
from core.roles import Role
from dashboard.holdings.cards import remarks
from dashboard.tabs import holdings as page_of_holdings
from dashboard.tabs import what_if
from dashboard.views.tab import Choices
from portfolio.book_history import book_history
from portfolio.day_holdings import holdings
from portfolio.exposure import exposure_course
from portfolio.query import PortfolioQuery
from portfolio.risk import book_of
from portfolio.risk_query import RiskQuery
from portfolio.stress import stated, stressed
from portfolio.thought_trades import Trade, tried
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.portfolio.test_holdings import TODAY
from tests.support.funded import ALPHA, Send, tell

RATES = (1.25, 1.0, 1.1)
"""Dollars for a euro on the three days."""
USD = [1 / each for each in RATES]
GAINS = (2 * 1 * 50, 2 * 2 * 50, 2 * 50 + 1 * 50)
"""Dollars of each day: two from 100 to 101 and to 103; then one sold at 104, one held to 105."""


@pytest.fixture
def traded(send: Send) -> None:
    """Two futures bought, one sold."""
    tell(send, "instruments", {"symbol": "ES", "asset_class": "future", "multiplier": 50, "currency": "USD"})
    days = [TODAY + number * DAY for number in (-2, -1, 0)]
    tell(send, "fx", *({"base": "EUR", "quote": "USD", "ts": at(day), "rate": rate}
                       for day, rate in zip(days, RATES, strict=True)))  # fmt: skip
    for number, side, quantity, price, day in (("1", "buy", 2, 100, days[0]), ("2", "sell", 1, 104, days[2])):
        tell(send, "trades", {"trade_id": number, "ts": at(day + 50_000), "instrument": "ES", "side": side,
                              "quantity": quantity, "price": price, "currency": "USD"})  # fmt: skip
    for day, quantity, price in zip(days, (2, 2, 1), (101, 103, 105), strict=True):
        tell(send, "positions", {"ts": at(day), "instrument": "ES", "quantity": quantity, "price": price,
                                 "currency": "USD"})  # fmt: skip
        tell(send, "cash", {"ts": at(day), "currency": "EUR", "amount": 1_000})


@pytest.mark.usefixtures("traded")
def test_it_gains_its_move_at_the_rate_of_each_day_and_is_no_part_of_the_value(funded: Stores) -> None:
    found = holdings(funded, ALPHA, None)
    assert found is not None
    (each,) = found.positions
    total = math.fsum(gain * rate for gain, rate in zip(GAINS, USD, strict=True))
    assert each.day == pytest.approx(GAINS[2] * USD[2], rel=1e-9)
    assert each.total == pytest.approx(total, rel=1e-9)
    assert each.value == pytest.approx(105 * 50 * USD[2])
    assert (found.nav, found.value) == (1_000, 1_000)
    assert each.weight == pytest.approx(each.value / 1_000)
    book = book_history(funded, ALPHA, None)
    assert book is not None
    np.testing.assert_allclose(book.pnl[:, 0], [gain * rate for gain, rate in zip(GAINS, USD, strict=True)], rtol=1e-9)
    assert book.values[-1, 0] == pytest.approx(each.value)
    course = exposure_course(book, PortfolioQuery(), "asset_class")
    assert course is not None
    assert (course.whole.nav[-1], course.whole.long[-1]) == (1_000, pytest.approx(each.value))


@pytest.mark.usefixtures("traded")
def test_a_notional_does_not_make_positions_and_cash_differ_from_the_value(funded: Stores, send: Send) -> None:
    tell(send, "nav", {"ts": at(TODAY), "nav": 1_000})
    found = holdings(funded, ALPHA, None)
    assert found is not None
    assert remarks(found, {}) == []


@pytest.mark.usefixtures("traded")
def test_one_that_was_closed_gained_what_it_did(funded: Stores, send: Send) -> None:
    day = TODAY + DAY
    tell(send, "trades", {"trade_id": "3", "ts": at(day + 10), "instrument": "ES", "side": "sell", "quantity": 1,
                          "price": 106, "currency": "USD"})  # fmt: skip
    tell(send, "positions", {"ts": at(day), "instrument": "ES", "quantity": 0, "price": 106, "currency": "USD"})
    found = holdings(funded, ALPHA, None)
    assert found is not None
    (each,) = found.closed
    assert each.day == pytest.approx(50 * USD[2], rel=1e-9)
    total = math.fsum(gain * rate for gain, rate in zip(GAINS, USD, strict=True)) + 50 * USD[2]
    assert each.total == pytest.approx(total, rel=1e-9)


@pytest.mark.usefixtures("traded")
def test_what_is_thought_of_in_it_takes_no_cash_and_cash_is_unknown_beside_what_has_no_value(
    funded: Stores, send: Send
) -> None:
    def cash() -> tuple[float, float]:
        found = holdings(funded, ALPHA, None)
        assert found is not None
        changes = tried(funded, found, RiskQuery(), [Trade("ES", 3)]).changes
        (change,) = [each for each in changes if each.name == "cash"]
        return change.before, change.after

    assert cash() == (1_000, 1_000)
    tell(send, "positions", {"ts": at(TODAY), "instrument": "FAR", "quantity": 1, "price": 5, "currency": "JPY"})
    assert np.isnan(cash()).all()


@pytest.mark.usefixtures("traded")
def test_in_a_book_built_from_trades_it_takes_no_cash_but_what_it_gained(funded: Stores, send: Send) -> None:
    for table in ("positions", "cash"):
        funded.clickhouse.command(f"TRUNCATE TABLE IF EXISTS {table}")
    tell(send, "transactions", {"transaction_id": "in", "ts": at(TODAY - 3 * DAY), "action": "deposit",
                                "amount": 1_000})  # fmt: skip
    for number, price in enumerate((101, 103, 105), -2):
        assert send("prices", [{"instrument": "ES", "ts": at(TODAY + number * DAY), "price": price,
                                "currency": "USD"}]).status_code == 200  # fmt: skip
    found = holdings(funded, ALPHA, None)
    assert found is not None
    assert {*found.built} == {"alpha"}
    (each,) = found.positions
    assert (each.owned, each.value) == (0.0, pytest.approx(105 * 50 * USD[2], rel=1e-9))
    assert found.cash == pytest.approx(1_000 + math.fsum(GAINS) * USD[2], rel=1e-9)
    assert (found.nav, found.value) == (pytest.approx(found.cash, rel=1e-9), pytest.approx(found.cash, rel=1e-9))
    assert each.total == pytest.approx(math.fsum(gain * rate for gain, rate in zip(GAINS, USD, strict=True)), rel=1e-9)
    changes = {change.name: change for change in tried(funded, found, RiskQuery(), [Trade("ES", 3)]).changes}
    assert changes["cash"].difference == 0
    assert changes["long_ratio"].after == pytest.approx(4 * changes["long_ratio"].before)


def test_its_currency_is_no_risk_of_it(funded: Stores, send: Send) -> None:
    tell(send, "instruments", {"symbol": "ES", "asset_class": "future", "multiplier": 1, "currency": "USD"},
         {"symbol": "ACME", "currency": "USD"})  # fmt: skip
    moves = np.random.default_rng(5).normal(0.0, 0.01, 100)
    times = [TODAY - (len(moves) - 1 - number) * DAY for number in range(len(moves))]
    levels = 100 * np.cumprod(1 + moves)
    rates = 1.25 * np.cumprod(1 + moves[::-1])
    for kind, rows in (
        ("prices", [{"instrument": name, "ts": at(ts), "price": float(each)} for name in ("ES", "ACME")
                    for ts, each in zip(times, levels, strict=True)]),
        ("fx", [{"base": "EUR", "quote": "USD", "ts": at(ts), "rate": float(each)}
                for ts, each in zip(times, rates, strict=True)]),
    ):  # fmt: skip
        assert send(kind, rows).status_code == 200
    for name, quantity in (("ES", -10), ("ACME", 10)):
        tell(send, "positions", {"ts": at(TODAY), "instrument": name, "quantity": quantity, "price": 100,
                                 "currency": "USD"})  # fmt: skip
    book = book_of(funded, ALPHA, None, None, RiskQuery())
    assert book is not None
    columns = {key.instrument: book.returns.returns[:, at] for at, key in enumerate(book.returns.keys)}
    np.testing.assert_allclose(columns["ES"], moves[1:], atol=1e-9)
    np.testing.assert_allclose(columns["ACME"], (1 + moves[1:]) / (1 + moves[::-1][1:]) - 1, atol=1e-9)
    (dollar,) = [each for each in stated(stressed(funded, book)) if each.kind == "currency"]
    assert dollar.total == pytest.approx(-0.1 * 1_000 / rates[-1], rel=1e-6), "the stock alone: the future is no hedge"


@pytest.mark.usefixtures("traded")
def test_prices_are_those_of_holdings_with_their_currency_wherever_they_show(funded: Stores) -> None:
    viewer = Viewer("ana", Role.VIEWER)
    asked = Choices.of({"portfolio": "own:alpha", "trades": "sell 3 ES"})
    trades = text_of(what_if.build(funded, asked, viewer).slots["what-if-trades-table"])
    assert "105.00 USD" in trades, "neither its multiplier nor a rate is in it"
    positions = text_of(page_of_holdings.build(funded, asked, viewer).slots["holdings-positions-table"])
    assert "USD 105.00" in positions


@pytest.mark.usefixtures("traded")
def test_what_trades_change_of_a_share_is_told_in_points(funded: Stores) -> None:
    asked = Choices.of({"portfolio": "own:alpha", "trades": "sell 3 ES"})
    figures = text_of(what_if.build(funded, asked, Viewer("ana", Role.VIEWER)).slots["what-if-figures-table"])
    assert " pp" in figures and "Net asset value 1.00 K 1.00 K –" in figures
    assert points(0.0173) == "+1.73 pp" and points(-0.123) == "−12.3 pp" and points(math.nan) == "n/a"
