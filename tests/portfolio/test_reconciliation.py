"""What is built from trades ties to what is reported, and where it does not, since when and by how much."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from portfolio.books import read_books
from portfolio.reconciliation import Compared, Reconciliation, reconciliation
from sample.load import load_sample, portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send, tell

FUND, *STRATEGIES = portfolios("sample")
TODAY = int(time.time()) // DAY * DAY - 2 * DAY
"""Midnight of the newest report."""


def test_the_sample_fund_built_from_its_trades_is_what_it_reports(stores: Stores) -> None:
    load_sample(stores)
    for day in (None, np.datetime64("2018-02-05")):
        for portfolio in (FUND, *STRATEGIES):
            found = reconciliation(stores, portfolio, None, day)
            assert found is not None
            assert (found.beyond, found.not_built, found.without_money) == ([], {}, ())
            assert len(found.of("position")) > 4
            for each in found.compared:
                assert each.built == pytest.approx(each.reported, rel=1e-9)
            assert {each.what for each in found.compared} == {"position", "cash", "nav"}
            assert np.abs(found.positions).max() == 0
            assert np.abs(found.cash).max() < 0.01
            assert np.abs(found.navs).max() < 0.01
            assert len(found.navs) == len(found.days)


def test_a_fill_that_is_missing_is_told_with_its_day_and_worth(stores: Stores) -> None:
    load_sample(stores)
    sql = """
        SELECT trade_id, toString(toDate(ts)), instrument, quantity, side FROM trades FINAL
        WHERE origin = 'sample' AND portfolio = 'pairs' AND toDate(ts) > '2022-06-01' ORDER BY ts, trade_id LIMIT 1
    """
    ((trade, day, instrument, quantity, side),) = stores.clickhouse.rows(sql)
    stores.clickhouse.command(f"ALTER TABLE trades DELETE WHERE trade_id = '{trade}' SETTINGS mutations_sync = 2")
    stores.live.bump("portfolio")
    found = reconciliation(stores, FUND, None)
    assert found is not None
    position = next(each for each in found.beyond if each.what == "position")
    assert (position.name, position.portfolio, str(position.since)) == (instrument, "pairs", day)
    assert position.difference == pytest.approx(-quantity if side == "buy" else quantity)
    assert {each.what for each in found.beyond} >= {"position", "cash"}
    assert str(found.oldest) == day
    before = found.days < np.datetime64(day)
    assert np.abs(found.positions[before]).max() == 0
    assert (found.positions[~before] > 0).all()


def held(send: Send, day: int, quantity: float, price: float = 10.0, **other: Any) -> None:
    row = {"ts": at(TODAY + day * DAY), "instrument": "ACME", "quantity": quantity, "price": price, **other}
    tell(send, "positions", row)


def bought(send: Send, day: int, quantity: float, price: float = 10.0, **other: Any) -> None:
    row = {
        "trade_id": f"{day}{other.get('instrument', '')}", "ts": at(TODAY + day * DAY + 50_000), "instrument": "ACME",
        "side": "buy" if quantity > 0 else "sell", "quantity": abs(quantity), "price": price, **other,
    }  # fmt: skip
    tell(send, "trades", row)


def moved(send: Send, day: int, **row: Any) -> None:
    tell(send, "transactions", {"transaction_id": f"x{day}", "ts": at(TODAY + day * DAY + 1), **row})


def of(stores: Stores, **chosen: Any) -> Reconciliation:
    found = reconciliation(stores, ALPHA, None, **chosen)
    assert found is not None
    return found


def only(stores: Stores, what: str = "position") -> Compared:
    (each,) = (each for each in of(stores).compared if each.what == what)
    return each


def test_a_book_begins_with_the_first_report_where_no_trade_is_before_it(funded: Stores, send: Send) -> None:
    held(send, -3, 100)
    bought(send, -2, 50)
    held(send, -2, 150)
    assert only(funded).is_within
    assert str(of(funded).begins["alpha"]) == str(np.datetime64(TODAY - 3 * DAY, "s").astype("datetime64[D]"))


def test_a_book_with_trades_before_the_first_report_begins_with_nothing(funded: Stores, send: Send) -> None:
    bought(send, -3, 40)
    held(send, -2, 100)
    found = only(funded)
    assert (found.built, found.reported, found.difference, found.is_within) == (40, 100, -60, False)
    assert found.worth == -600


def test_a_trade_after_the_report_of_the_day_is_no_difference(funded: Stores, send: Send) -> None:
    held(send, -1, 100)
    bought(send, 0, 20, ts=at(TODAY + 40_000))
    held(send, 0, 120, ts=at(TODAY + 45_000))
    bought(send, 0, 7, trade_id="late", ts=at(TODAY + 46_000))
    assert only(funded).is_within


@pytest.mark.parametrize(
    ("row", "after"),
    [({"action": "split", "split_ratio": 4}, 400), ({"action": "transfer", "quantity": -30}, 70),
     ({"action": "dividend", "amount": 5}, 100)],
)  # fmt: skip
def test_what_changes_holdings_beside_trades_is_booked(
    funded: Stores, send: Send, row: dict[str, Any], after: float
) -> None:
    held(send, -2, 100)
    bought(send, -1, 10)
    held(send, -1, 110)
    moved(send, 0, instrument="ACME", **row)
    bought(send, 0, -10 * (4 if row["action"] == "split" else 1))
    held(send, 0, after)
    assert only(funded).is_within


def test_a_split_between_two_fills_of_a_day_counts_for_the_first_alone(funded: Stores, send: Send) -> None:
    held(send, -1, 0.5)
    bought(send, 0, 10, trade_id="a", ts=at(TODAY + 10_000))
    moved(send, 0, instrument="ACME", action="split", split_ratio=2, ts=at(TODAY + 20_000))
    bought(send, 0, 10, trade_id="b", ts=at(TODAY + 30_000))
    held(send, 0, 31)
    assert only(funded).built == 31


def test_long_to_short_through_zero(funded: Stores, send: Send) -> None:
    held(send, -1, 10)
    bought(send, 0, -25)
    held(send, 0, -15)
    assert only(funded).is_within


def test_a_position_that_one_side_alone_knows_is_told_with_its_price(funded: Stores, send: Send) -> None:
    held(send, -1, 10)
    bought(send, 0, 5, instrument="GONE")
    tell(send, "prices", {"instrument": "GONE", "ts": at(TODAY), "price": 12, "currency": "EUR"})
    held(send, 0, 10)
    found = next(each for each in of(funded).compared if each.name == "GONE")
    assert (found.built, math.isnan(found.reported), found.worth) == (5, True, 60)


def test_without_a_price_its_worth_is_not_known_and_it_differs_all_the_same(funded: Stores, send: Send) -> None:
    held(send, -1, 10)
    bought(send, 0, 5, instrument="GONE")
    held(send, 0, 10)
    found = next(each for each in of(funded).compared if each.name == "GONE")
    assert (math.isnan(found.worth), found.is_within) == (True, False)


def test_cash_is_what_came_less_what_was_paid_in_each_currency(funded: Stores, send: Send) -> None:
    tell(send, "fx", {"base": "EUR", "quote": "USD", "ts": at(TODAY), "rate": 1.25})
    held(send, -1, 10)
    tell(send, "cash", {"ts": at(TODAY - DAY), "currency": "EUR", "amount": 1_000},
         {"ts": at(TODAY - DAY), "currency": "USD", "amount": 500})  # fmt: skip
    bought(send, 0, 10, commission=2, fees=1)
    bought(send, 0, 5, instrument="US", currency="USD")
    moved(send, 0, action="fee", amount=-7)
    held(send, 0, 20)
    tell(send, "positions", {"ts": at(TODAY), "instrument": "US", "quantity": 5, "price": 10, "currency": "USD"})
    tell(send, "cash", {"ts": at(TODAY), "currency": "EUR", "amount": 1_000 - 103 - 7},
         {"ts": at(TODAY), "currency": "USD", "amount": 400})  # fmt: skip
    found = {each.name: each for each in of(funded).of("cash")}
    assert (found["EUR"].built, found["EUR"].is_within) == (890, True)
    assert (found["USD"].built, found["USD"].reported, found["USD"].difference) == (450, 400, 50)
    assert found["USD"].worth == pytest.approx(40)


@pytest.mark.parametrize("off", [0, 70])
def test_a_value_that_is_not_told_on_the_newest_day_is_compared_on_the_last_that_has_it(
    funded: Stores, send: Send, off: float
) -> None:
    moved(send, -6, action="deposit", amount=1_000)
    bought(send, -5, 50, 10)
    for day in range(-5, 1):
        held(send, day, 50, 10 - day)
    tell(send, "nav", {"ts": at(TODAY - 3 * DAY), "nav": 500 + 50 * 13 + off})
    found = of(funded)
    (nav,) = found.of("nav")
    assert (nav.built, nav.reported, nav.difference) == (1_150, 1_150 + off, -off)
    assert (nav.is_within, found.days_old(nav), found.nav) == (off == 0, 3, 1_150 + off)
    day = str(np.datetime64(TODAY - 3 * DAY, "s").astype("datetime64[D]"))
    assert str(nav.day) == day
    assert str(nav.since) == (day if off else "None")
    (books,) = read_books(funded)
    assert books.differ == (1 if off else 0)
    assert off or books.why.endswith(f"the net asset value as of {day}")


@pytest.mark.parametrize("told", ["transactions", "nav"])
def test_money_that_came_in_is_told_by_transactions_or_by_values(funded: Stores, send: Send, told: str) -> None:
    tell(send, "nav", {"ts": at(TODAY - DAY), "nav": 1_000})
    held(send, -1, 10)
    tell(send, "cash", {"ts": at(TODAY - DAY), "currency": "EUR", "amount": 900})
    bought(send, 0, 10)
    if told == "transactions":
        moved(send, 0, action="deposit", amount=300)
    tell(send, "nav", {"ts": at(TODAY), "nav": 1_300, "flow": 300 if told == "nav" else 0})
    held(send, 0, 20)
    tell(send, "cash", {"ts": at(TODAY), "currency": "EUR", "amount": 1_100})
    assert (only(funded, "cash").built, only(funded, "nav").built) == (1_100, 1_300)
    assert not of(funded).beyond


def test_a_value_that_is_not_what_is_held_is_told(funded: Stores, send: Send) -> None:
    tell(send, "nav", {"ts": at(TODAY - DAY), "nav": 1_000})
    held(send, -1, 10)
    tell(send, "cash", {"ts": at(TODAY - DAY), "currency": "EUR", "amount": 900})
    bought(send, 0, 10)
    held(send, 0, 20)
    tell(send, "cash", {"ts": at(TODAY), "currency": "EUR", "amount": 800})
    tell(send, "nav", {"ts": at(TODAY), "nav": 1_050})
    found = only(funded, "nav")
    assert (found.difference, found.share, found.is_within) == (-50, pytest.approx(-50 / 1_050), False)


def test_cash_told_before_the_first_trade_is_what_it_begins_with(funded: Stores, send: Send) -> None:
    tell(send, "cash", {"ts": at(TODAY - 2 * DAY), "currency": "EUR", "amount": 1_000})
    bought(send, -1, 10)
    held(send, -1, 10)
    tell(send, "cash", {"ts": at(TODAY - DAY), "currency": "EUR", "amount": 900})
    found = only(funded, "cash")
    assert (found.built, found.reported, found.is_within) == (900, 900, True)
    assert not of(funded).begins


def test_without_any_money_in_cash_is_not_built_and_it_is_said(funded: Stores, send: Send) -> None:
    bought(send, -1, 10)
    held(send, -1, 10)
    tell(send, "cash", {"ts": at(TODAY - DAY), "currency": "EUR", "amount": 900})
    found = of(funded)
    assert (found.of("cash"), found.without_money) == ([], ("alpha",))


def test_trades_in_two_currencies_are_no_book_and_the_trade_is_named(funded: Stores, send: Send) -> None:
    held(send, -2, 10)
    bought(send, -1, 5, currency="USD")
    held(send, -1, 15)
    found = of(funded)
    assert "trade -1: currency USD" in found.not_built["alpha"]
    assert found.compared == ()


def test_fractions_that_were_rounded_are_within_tolerance(funded: Stores, send: Send) -> None:
    held(send, -1, 1)
    bought(send, 0, 1 / 3)
    held(send, 0, 1.3333333)
    assert only(funded).is_within


def test_nothing_is_compared_of_a_portfolio_with_one_side(funded: Stores, send: Send) -> None:
    held(send, 0, 1)
    assert reconciliation(funded, ALPHA, None) is None
    assert reconciliation(funded, ALPHA, None, np.datetime64("1980-01-01")) is None


def test_the_newest_day_alone_says_the_same_of_it(stores: Stores) -> None:
    load_sample(stores)
    whole, newest = reconciliation(stores, FUND, None), reconciliation(stores, FUND, None, looks_back=False)
    assert whole is not None and newest is not None
    assert len(newest.days) == 1
    sides = [
        {(each.what, each.portfolio, each.name): each.built for each in found.compared} for found in (newest, whole)
    ]
    assert sides[0] == pytest.approx(sides[1], rel=1e-12)


@pytest.mark.parametrize("begins", ["report", "trade"])
def test_what_a_future_gained_is_cash_and_its_notional_no_value(funded: Stores, send: Send, begins: str) -> None:
    tell(send, "instruments", {"symbol": "ES", "asset_class": "future", "multiplier": 50, "currency": "EUR"})
    tell(send, "nav", {"ts": at(TODAY - DAY), "nav": 1_000}, {"ts": at(TODAY), "nav": 1_650})
    tell(send, "cash", {"ts": at(TODAY - (2 if begins == "trade" else 1) * DAY), "currency": "EUR", "amount": 1_000})
    if begins == "trade":
        bought(send, -1, 2, 100, instrument="ES", ts=at(TODAY - DAY + 9))
    held(send, -1, 2, 100, instrument="ES", average_cost=80)
    bought(send, 0, 1, 102, instrument="ES")
    held(send, 0, 3, 105, instrument="ES")
    tell(send, "cash", {"ts": at(TODAY), "currency": "EUR", "amount": 1_000 + 2 * 5 * 50 + 1 * 3 * 50})
    found = of(funded)
    assert (only(funded, "cash").built, only(funded, "nav").built) == (1_650, 1_650)
    assert (found.beyond, found.not_built, bool(found.begins)) == ([], {}, begins == "report")
    bought(send, 0, 1, 103, instrument="ES", trade_id="more")
    assert only(funded, "position").worth == 105 * 50
    assert (only(funded, "cash").difference, only(funded, "nav").difference) == (100, 100)


def test_prices_in_another_currency_than_the_trades_say_nothing_of_a_difference(funded: Stores, send: Send) -> None:
    held(send, -1, 10)
    bought(send, 0, 5, instrument="GONE")
    tell(send, "instruments", {"symbol": "GONE", "currency": "USD"})
    tell(send, "prices", {"instrument": "GONE", "ts": at(TODAY), "price": 12, "currency": "USD"})
    held(send, 0, 10)
    found = next(each for each in of(funded).compared if each.name == "GONE")
    assert math.isnan(found.worth)
