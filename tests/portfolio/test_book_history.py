"""The course of a book ties to its values, and says of every day what the report of that day alone says."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from core.clock import SystemClock
from portfolio.book_history import BookHistory, book_history
from portfolio.day_holdings import holdings
from portfolio.holdings import GROUPS
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send, sender

FUND, *STRATEGIES = portfolios("sample")
DAYS = 14
FIRST = int(time.time()) // DAY * DAY - (DAYS + 1) * DAY


def of(stores: Stores, portfolio: Portfolio, *days: date) -> BookHistory:
    found = book_history(stores, portfolio, None, *days)
    assert found is not None
    return found


def test_positions_and_cash_are_the_value_of_each_day_and_what_they_gain_is_its_change(stores: Stores) -> None:
    load_sample(stores)
    for portfolio in (FUND, *STRATEGIES):
        found = of(stores, portfolio)
        assert len(found.days) == 2_264
        np.testing.assert_allclose(found.values.sum(axis=1) + found.cash, found.nav, rtol=1e-9)
        gained = np.diff(found.nav) - found.flows[1:]
        np.testing.assert_allclose(found.pnl[1:].sum(axis=1), gained, atol=1e-5)
        assert (found.costs >= 0).all() and (found.traded >= 0).all()
        assert all(len(found.group(by)) == found.values.shape[1] for by in GROUPS)


def test_a_part_of_the_days_is_the_same_as_in_the_whole(stores: Stores) -> None:
    load_sample(stores)
    whole, part = of(stores, FUND), of(stores, FUND, date(2020, 3, 14), date(2020, 6, 30))
    assert (str(part.days[0]), str(part.days[-1])) == ("2020-03-16", "2020-06-30")
    rows = np.isin(whole.days, part.days)
    for name in ("nav", "flows", "cash"):
        np.testing.assert_allclose(getattr(part, name), getattr(whole, name)[rows])
    for name in ("values", "pnl", "costs", "traded", "quantities"):
        one, other = by_place(part, name), by_place(whole, name)
        for place, column in one.items():
            np.testing.assert_allclose(column, other[place][rows], atol=1e-6, err_msg=f"{name} {place}")


def by_place(found: BookHistory, name: str) -> dict[tuple[str, str], Any]:
    columns = getattr(found, name).T
    return {(each.portfolio, each.instrument): column for each, column in zip(found.positions, columns, strict=True)}


@pytest.mark.parametrize("seed", range(6))
def test_each_day_is_what_its_own_report_says(stores: Stores, seed: int) -> None:
    put_portfolios(stores.state, [ALPHA])
    stores = replace(stores, clock=SystemClock())
    tell_at_random(sender(stores), random.Random(seed))
    found = of(stores, ALPHA)
    assert len(found.days) > 2
    later = of(stores, ALPHA, date.fromisoformat(str(found.days[2])))
    for name in ("values", "pnl", "costs", "traded", "quantities"):
        rest, places = by_place(later, name), by_place(found, name)
        for place, column in places.items():
            there = rest.get(place, np.zeros(len(later.days)))
            np.testing.assert_allclose(there, column[2:], atol=1e-6, err_msg=f"{name} {place}")
    for row, day in enumerate(found.days):
        alone = holdings(stores, ALPHA, None, day)
        assert alone is not None
        told = {each.instrument: each for each in (*alone.positions, *alone.closed)}
        for column, place in enumerate(found.positions):
            each = told.get(place.instrument)
            value, pnl = (each.value, each.day) if each is not None else (0.0, 0.0)
            if row == 0:
                pnl = each.total if each is not None else 0.0
            where = f"{day} {place.instrument}"
            np.testing.assert_allclose(found.values[row, column], value, atol=1e-6, err_msg=where)
            np.testing.assert_allclose(found.pnl[row, column], pnl, atol=1e-6, err_msg=where)


def tell_at_random(send: Send, draw: random.Random) -> None:
    """Tell days with reports of midnight or within the day, trades before and after them, splits, dividends, rates."""
    quantity: dict[str, float] = defaultdict(float)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for day in range(DAYS):
        midnight = FIRST + day * DAY
        for quote in ("USD", "JPY"):
            rows["fx"].append({"base": "EUR", "quote": quote, "ts": at(midnight), "rate": 1 + draw.random()})
        report = midnight + draw.choice([0, 0, 43_200])
        is_told = draw.random() < 0.7
        events = sorted(midnight + 1 + draw.randrange(86_000) for _ in range(draw.randrange(6)))
        before = [when for when in events if when <= report or report == midnight]
        for when in before:
            happen(rows, quantity, when, draw)
        if is_told:
            tell_held(rows, quantity, report, draw)
        for when in events[len(before) :]:
            happen(rows, quantity, when, draw)
    for kind, told in rows.items():
        own = told if kind == "fx" else [{"portfolio": "alpha", **row} for row in told]
        answer = send(kind, own)
        assert answer.status_code == 200, answer.text


def tell_held(
    rows: dict[str, list[dict[str, Any]]], quantity: dict[str, float], when: int, draw: random.Random
) -> None:
    for symbol in ("ACME", "USCO", "BOND"):
        # Now and then nobody told a trade: the quantity is not explained.
        quantity[symbol] += draw.choice([0.0] * 12 + [7.0])
        rows["positions"].append({
            "ts": at(when), "instrument": symbol, "quantity": quantity[symbol], "price": 5 + draw.random() * 10,
            "accrued": draw.random() if symbol == "BOND" else 0.0, "currency": "USD" if symbol == "USCO" else "EUR",
        })  # fmt: skip


def happen(rows: dict[str, list[dict[str, Any]]], quantity: dict[str, float], when: int, draw: random.Random) -> None:
    symbol = draw.choice(["ACME", "USCO", "BOND"])
    base = {"ts": at(when), "instrument": symbol, "currency": "USD" if symbol == "USCO" else "EUR"}
    number = len(rows["trades"]) + len(rows["transactions"])
    what = draw.random()
    if what < 0.15 and quantity[symbol]:
        ratio = draw.choice([2.0, 0.5])
        quantity[symbol] *= ratio
        rows["transactions"].append({**base, "transaction_id": f"x{number}", "action": "split", "split_ratio": ratio,
                                     "currency": draw.choice(["EUR", "USD", "JPY"])})  # fmt: skip
    elif what < 0.3:
        rows["transactions"].append({**base, "transaction_id": f"x{number}", "action": "dividend", "amount": 9.0,
                                     "currency": draw.choice(["EUR", "USD", "JPY"])})  # fmt: skip
    else:
        bought = draw.choice([10.0, 4.0, -4.0])
        quantity[symbol] += bought
        rows["trades"].append({
            **base, "trade_id": f"t{number}", "side": "buy" if bought > 0 else "sell", "quantity": abs(bought),
            "price": 5 + draw.random() * 10, "commission": 0.5, "fees": 0.25,
        })  # fmt: skip


def test_what_was_closed_before_the_first_report_is_there_where_that_report_is_within_the_days(stores: Stores) -> None:
    put_portfolios(stores.state, [ALPHA])
    stores = replace(stores, clock=SystemClock())
    send = sender(stores)
    rows = [
        {"portfolio": "alpha", "trade_id": f"{symbol}{side}", "ts": at(FIRST + when), "instrument": symbol,
         "side": side, "quantity": 10, "price": 10 if side == "buy" else 12}
        for symbol, side, when in (("GONE", "buy", 1), ("GONE", "sell", DAY), ("ACME", "buy", 2 * DAY))
    ]  # fmt: skip
    assert send("trades", rows).status_code == 200
    held = {"portfolio": "alpha", "ts": at(FIRST + 3 * DAY), "instrument": "ACME", "quantity": 10, "price": 15}
    assert send("positions", [held]).status_code == 200
    whole, part = of(stores, ALPHA), of(stores, ALPHA, date.fromisoformat(at(FIRST + 3 * DAY)[:10]))
    for found in (whole, part):
        gained = {each.instrument: pnl for each, pnl in zip(found.positions, found.pnl[-1], strict=True)}
        assert gained == {"ACME": 50, "GONE": 20}


def test_a_position_is_in_its_own_currency_whatever_a_dividend_of_it_is_paid_in(stores: Stores) -> None:
    put_portfolios(stores.state, [replace(ALPHA, currency="USD")])
    send = sender(replace(stores, clock=SystemClock()))
    assert send("fx", [{"base": "USD", "quote": "JPY", "ts": at(FIRST), "rate": 125}]).status_code == 200
    base = {"portfolio": "alpha", "ts": at(FIRST + DAY), "instrument": "7203"}
    assert send("positions", [{**base, "quantity": 400, "price": 2_500, "currency": "JPY"}]).status_code == 200
    paid = {**base, "transaction_id": "d", "action": "dividend", "amount": 9, "currency": "USD"}
    assert send("transactions", [paid]).status_code == 200
    found = of(stores, replace(ALPHA, currency="USD"))
    assert [each.currency for each in found.positions] == ["JPY"]
    assert found.values.tolist() == [[8_000]]
