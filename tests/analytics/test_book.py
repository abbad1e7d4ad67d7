"""Positions, cash and P&L built from transactions: everything that happened is in them, once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import book, book_course, reconcile
from analytics.lots import Method
from analytics.transactions import Kind, Transaction
from core.currency import CASH
from core.errors import BookRefused
from sample.fund import Fund, build
from sample.prices import load_prices

DAY = 86_400.0
NAN = math.nan
METHODS = pytest.mark.parametrize("method", ["fifo", "average"])


def row(kind: Kind, day: float = 0.0, **given: Any) -> Transaction:
    return Transaction(time_seconds=day * DAY, kind=kind, **given)


def trade(kind: Kind, quantity: float, price: float, day: float = 0.0, symbol: str = "A", **given: Any) -> Transaction:
    return row(kind, day, symbol=symbol, quantity=quantity, price=price, **given)


def test_first_in_first_out_and_average_cost_part_on_the_same_sale() -> None:
    trades = [trade("buy", 100, 10.0), trade("buy", 100, 12.0, 1), trade("sell", 150, 15.0, 2)]
    fifo, average = book.build(trades).positions["A"], book.build(trades, "average").positions["A"]
    assert (fifo.realised, fifo.quantity, fifo.average_cost) == (650.0, 50.0, 12.0)
    assert (average.realised, average.quantity, average.average_cost) == (600.0, 50.0, 11.0)
    assert fifo.held_days(5 * DAY) == 4.0
    assert average.held_days(5 * DAY) == 4.5
    assert book.build(trades).cash[""] == -1000 - 1200 + 2250


@METHODS
def test_a_sale_through_zero_is_short_from_there(method: Method) -> None:
    trades = [trade("buy", 10, 100.0, fees=10.0), trade("sell", 25, 110.0, 1, fees=25.0)]
    found = book.build(trades, method).positions["A"]
    # Bought at 101 and sold at 109, fees in both; the rest is short at 109.
    assert found.realised == pytest.approx(80.0)
    assert (found.quantity, found.average_cost) == (-15.0, pytest.approx(109.0))
    back = book.build([*trades, trade("cover", 20, 100.0, 2)], method)
    assert back.positions["A"].realised == pytest.approx(80.0 + 15 * 9.0)
    assert (back.positions["A"].quantity, back.positions["A"].average_cost) == (5.0, 100.0)
    valued = book.value(back, {"A": 90.0}, {})
    assert valued.unrealised == pytest.approx(-50.0)
    assert valued.gain == pytest.approx(valued.nav - valued.flow)


def test_splits_dividends_fees_interest_and_transfers() -> None:
    found = book.build(
        [
            row("deposit", amount=10_000.0),
            row("split", symbol="B", ratio=3.0),
            trade("buy", 100, 50.0),
            row("split", 1, symbol="A", ratio=2.0),
            row("dividend", 2, symbol="A", amount=30.0),
            row("fee", 2, amount=12.0),
            row("interest", 2, amount=-5.0),
            trade("transfer", 40, 20.0, 3, symbol="C"),
            trade("transfer", -50, 30.0, 4),
            row("withdrawal", 5, amount=1_000.0),
        ]
    )
    held = found.positions["A"]
    assert (held.quantity, held.average_cost, held.income) == (150.0, 25.0, 30.0)
    assert held.realised == 250.0
    assert found.closed == ()
    assert found.cash[""] == 10_000 - 5_000 + 30 - 12 - 5 - 1_000
    assert found.flow_base == 10_000 + 800 - 1_500 - 1_000
    valued = book.value(found, {"A": 30.0, "C": 25.0}, {})
    assert valued.nav == pytest.approx(4_013 + 4_500 + 1_000)
    assert (valued.income, valued.interest, valued.costs, valued.unrealised) == (30.0, -5.0, 12.0, 750.0 + 200.0)
    assert valued.gain == pytest.approx(valued.nav - valued.flow)
    assert "B" not in found.positions


def test_rates_move_cash_and_positions_apart() -> None:
    found = book.build(
        [
            row("deposit", amount=1_000.0, currency="EUR", rate=1.10),
            trade("buy", 10, 50.0, 1, currency="EUR", rate=1.20),
        ]
    )
    valued = book.value(found, {"A": 60.0}, {"EUR": 1.25})
    assert valued.nav == pytest.approx((500 + 600) * 1.25)
    assert valued.unrealised == pytest.approx(600 * 1.25 - 500 * 1.20)
    assert valued.cash_currency_gain == pytest.approx(500 * 1.25 - (1_100 - 600))
    assert valued.gain == pytest.approx(valued.nav - valued.flow)


def test_fractions_of_units_leave_no_dust_and_no_unit_is_lost() -> None:
    tenths = [trade("buy", 0.1, 10.0, day) for day in range(30)]
    assert book.build([*tenths, trade("sell", 3.0, 11.0, 30)]).positions["A"].lots == ()
    slowly = [trade("buy", 1e6, 10.0), *(trade("sell", 1e6 / 997 / 3, 11.0, 1 + day / 1e4) for day in range(997 * 3))]
    assert book.build(slowly).positions["A"].lots == ()
    again = [*slowly, trade("buy", 1e-7, 10.0, 5)]
    assert book.build(again).positions["A"].quantity == 1e-7
    nearly = [trade("buy", 1e9, 10.0), trade("sell", 1e9 - 0.05, 11.0, 1)]
    assert book.build(nearly).positions["A"].quantity == pytest.approx(0.05, rel=1e-5)


def test_an_exchange_of_currencies_is_no_money_from_investors() -> None:
    found = book.build(
        [
            row("deposit", amount=1_100.0),
            row("withdrawal", 1, amount=550.0),
            row("deposit", 1, amount=500.0, currency="EUR", rate=1.1),
        ]
    )
    assert found.cash == {"": 550.0, "EUR": 500.0}
    valued = book.value(found, {}, {"EUR": 1.2})
    assert (valued.flow, valued.nav) == (pytest.approx(1_100.0), pytest.approx(1_150.0))
    assert valued.cash_currency_gain == pytest.approx(50.0)
    assert valued.gain == pytest.approx(valued.nav - valued.flow)


KINDS = ["buy", "sell", "short", "cover", "transfer", "split", "dividend", "interest", "fee", "deposit"]
rows = st.builds(
    Transaction,
    time_seconds=st.just(0.0),
    kind=st.sampled_from(KINDS),
    symbol=st.sampled_from(["A", "B"]),
    quantity=st.integers(1, 500).map(float),
    price=st.floats(1.0, 100.0),
    amount=st.floats(1.0, 100.0),
    fees=st.floats(0.0, 5.0),
    ratio=st.sampled_from([2.0, 3.0, 0.5, 1.5]),
)


@METHODS
@given(st.lists(rows, max_size=30), st.floats(0.5, 2.0))
def test_everything_is_accounted_for(method: Method, given_rows: list[Transaction], rate: float) -> None:
    trades = [
        replace(each, currency="EUR", rate=rate) if each.symbol == "B" else each
        for each in (replace(each, time_seconds=float(at)) for at, each in enumerate(given_rows))
    ]
    found = book.build(trades, method)
    valued = book.value(found, {"A": 20.0, "B": 30.0}, {"EUR": 1.3})
    size = 1.0 + sum(abs(each.quantity * each.price) for each in trades) * 3**5
    assert valued.gain == pytest.approx(valued.nav - valued.flow, abs=1e-9 * size)
    units = {"A": 0.0, "B": 0.0}
    for each in trades:
        sign = {"buy": 1, "cover": 1, "transfer": 1, "sell": -1, "short": -1}.get(each.kind, 0)
        units[each.symbol] += sign * each.quantity
        units[each.symbol] *= each.ratio if each.kind == "split" else 1.0
    for symbol, quantity in units.items():
        held = found.positions[symbol].quantity if symbol in found.positions else 0.0
        assert held == pytest.approx(quantity, rel=1e-9, abs=1e-6)
    other = book.value(
        book.build(trades, "average" if method == "fifo" else "fifo"), {"A": 20.0, "B": 30.0}, {"EUR": 1.3}
    )
    assert other.nav == pytest.approx(valued.nav, abs=1e-9 * size)


@METHODS
def test_days_are_the_book_of_each(method: Method) -> None:
    draw = np.random.default_rng(12)
    trades = [row("deposit", amount=50_000.0)]
    for day in range(1, 40):
        kind: Kind = "buy" if draw.random() < 0.55 else "sell"
        symbol = "AB"[int(draw.integers(2))]
        abroad = {"currency": "EUR", "rate": 1.1 + day / 100} if symbol == "B" else {}
        trades.append(trade(kind, float(draw.integers(1, 50)), 50.0 + day, day, symbol, fees=1.0, **abroad))
    ends = np.arange(45) * DAY
    prices = 50.0 + np.arange(45)[:, None] + np.array([0.0, 5.0])
    rates = 1.1 + np.arange(45)[:, None] / 100
    found = book_course.course(trades, ends, ["A", "B"], prices, ["EUR"], rates, method)
    for day in (0, 7, 22, 44):
        until = book.build([each for each in trades if each.time_seconds <= ends[day]], method)
        valued = book.value(until, {"A": prices[day, 0], "B": prices[day, 1]}, {"EUR": rates[day, 0]})
        assert found.nav[day] == pytest.approx(valued.nav)
        assert found.value[day].sum() + valued.cash == pytest.approx(valued.nav)
        held = [until.positions[name].quantity if name in until.positions else 0.0 for name in "AB"]
        assert found.quantity[day].tolist() == held
        gained = valued.realised + valued.unrealised + valued.income
        assert found.gain[day].sum() == pytest.approx(gained, abs=1e-9)
    assert found.flow.sum() == 50_000.0


def test_the_sample_funds_trades_come_to_its_positions_cash_and_nav() -> None:
    fund = build(load_prices())
    days = 300
    for strategy in range(fund.nav.shape[1]):
        trades, ends = sample_transactions(fund, strategy, days)
        names = [str(name) for name in fund.prices.instruments]
        found = book_course.course(trades, ends, names, fund.prices.close[:days])
        np.testing.assert_allclose(found.quantity, fund.shares[:days, strategy], atol=1e-9)
        np.testing.assert_allclose(found.cash[:, 0], fund.cash[:days, strategy], rtol=1e-9)
        np.testing.assert_allclose(found.nav, fund.nav[:days, strategy], rtol=1e-9)
        np.testing.assert_allclose(found.flow, fund.flow[:days, strategy], atol=1e-6)
        gained = found.nav - np.cumsum(found.flow)
        np.testing.assert_allclose(found.gain.sum(axis=1), gained, atol=1e-5)
        built = dict(zip([*names, CASH], [*found.quantity[-1], found.cash[-1, 0]], strict=True))
        reported = dict(
            zip([*names, CASH], [*fund.shares[days - 1, strategy], fund.cash[days - 1, strategy]], strict=True)
        )
        assert all(each.is_within for each in reconcile.reconcile(built, reported))


def sample_transactions(fund: Fund, strategy: int, days: int) -> tuple[list[Transaction], np.ndarray]:
    """Return the transactions of one strategy's first days, and the seconds at which these end."""
    orders, found = fund.orders, []
    for day in range(days):
        start = day * DAY
        if fund.flow[day, strategy]:
            kind: Kind = "deposit" if fund.flow[day, strategy] > 0 else "withdrawal"
            found.append(Transaction(start, kind, amount=abs(float(fund.flow[day, strategy]))))
        for at in np.flatnonzero((orders.day == day) & (orders.strategy == strategy) & orders.filled):
            quantity = float(orders.quantity[at])
            symbol = str(fund.prices.instruments[orders.instrument[at]])
            price, fees = float(orders.price[at]), float(orders.commission[at])
            found.append(
                Transaction(start + 1, "buy" if quantity > 0 else "sell", symbol, abs(quantity), price, fees=fees)
            )
    return found, (np.arange(days) + 0.5) * DAY


def test_differences_come_first_and_the_largest_of_them() -> None:
    found = reconcile.reconcile({"A": 10.0, "B": 5.0, "C": 1.0}, {"A": 10.0, "B": 7.0, "D": 3.0}, 1e-6, 0.0)
    assert [each.symbol for each in found] == ["D", "B", "C", "A"]
    assert (found[0].difference, found[1].difference) == (-3.0, -2.0)
    assert math.isnan(found[0].built)
    assert [each.is_within for each in found] == [False, False, False, True]
    assert reconcile.reconcile({"A": 100.0}, {"A": 101.0}, 0.0, 0.01)[0].is_within
    with pytest.raises(ValueError, match="reported: A is missing"):
        reconcile.reconcile({}, {"A": NAN})
    with pytest.raises(ValueError, match="tolerance"):
        reconcile.reconcile({}, {}, -1.0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (trade("buy", 10, 0.0), "row 1, price: is missing or not above 0 (0.0); give what a unit cost"),
        (trade("buy", 10, NAN), "row 1, price: is missing or infinite (nan); give a number"),
        (trade("sell", -10, 5.0), "row 1, quantity: is not above 0 (-10); the kind says which way it goes"),
        (trade("buy", 10, 5.0, symbol=""), "row 1, symbol: a buy needs one; name the instrument"),
        (
            row("split", symbol="A", ratio=0.0),
            "row 1, ratio: is not above 0 (0.0); give new units for an old one",
        ),
        (
            row("split", symbol="A", ratio=-2.0),
            "row 1, ratio: is not above 0 (-2.0); give new units for an old one",
        ),
        (row("dividend", amount=5.0), "row 1, symbol: a dividend needs one; name the instrument"),
        (row("withdrawal", amount=-5.0), "row 1, amount: is not above 0 (-5.0); the kind says which way it goes"),
        (trade("buy", 1, 5.0, currency="EUR", rate=NAN), "row 1, rate: is missing or infinite (nan); give a number"),
        (
            trade("buy", 1, 5.0, rate=1.2),
            "row 1, rate: is of the base currency (1.2); name the currency",
        ),
        (row("gift"), "row 1, kind: is no kind of transaction (gift)"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_booked_names_the_row_the_field_and_the_fix(wrong: Transaction, told: str) -> None:
    with pytest.raises(BookRefused) as refused:
        book.build([wrong])
    assert str(refused.value).startswith(told)


def test_rows_that_contradict_each_other_are_told() -> None:
    first = trade("buy", 10, 5.0, 3)
    with pytest.raises(BookRefused, match="row 2, time_seconds: is before that of the row above"):
        book.build([first, trade("sell", 5, 6.0, 2)])
    with pytest.raises(BookRefused, match="row 2, currency: A is held in the base currency"):
        book.build([first, trade("sell", 5, 6.0, 4, currency="EUR", rate=1.1)])
    with pytest.raises(BookRefused, match="row 2, multiplier: A has 1"):
        book.build([first, trade("sell", 5, 6.0, 4, multiplier=50.0)])
    with pytest.raises(ValueError, match="method: 'lifo' is not one of fifo, average"):
        book.build([first], "lifo")  # type: ignore[arg-type]


def test_a_missing_price_or_rate_is_named() -> None:
    held = [trade("buy", 10, 5.0, currency="EUR", rate=1.1)]
    with pytest.raises(BookRefused, match=r"price: is held and has no price above 0 \(A\)"):
        book.value(book.build(held), {"A": 0.0}, {"EUR": 1.1})
    with pytest.raises(BookRefused, match=r"rate: has no rate above 0 \(EUR\)"):
        book.value(book.build(held), {"A": 5.0}, {})
    with pytest.raises(BookRefused, match=r"price: there is no price above 0 on day 1 and it is needed \(A\)"):
        book_course.course(held, [1.0, 2.0], ["A"], [[5.0], [NAN]], ["EUR"], [[1.1], [1.1]])
    with pytest.raises(BookRefused, match=r"rate: there is no rate above 0 on day 0 and it is needed \(EUR\)"):
        book_course.course(held, [1.0], ["A"], [[5.0]], ["EUR"])
    with pytest.raises(BookRefused, match=r"row 1, symbol: is none of the symbols \(A\)"):
        book_course.course(held, [1.0], ["B"], [[5.0]], ["EUR"], [[1.1]])
    with pytest.raises(ValueError, match="out of order"):
        book_course.course([], [2.0, 1.0], [], np.empty((2, 0)))
    closed = [
        *held,
        trade("sell", 10, 6.0, 0.5 / DAY, currency="EUR", rate=1.1),
        row("interest", 0.5 / DAY, amount=1.0),
    ]
    late = book_course.course(closed, [1.0, 2.0], ["A"], [[NAN], [NAN]], ["EUR"], [[1.1], [1.2]])
    assert late.nav.tolist() == pytest.approx([12.0, 13.0])
