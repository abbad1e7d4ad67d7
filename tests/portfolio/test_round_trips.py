"""Trades as round trips: they tie to what positions say they brought, and what is hard comes out right."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.trades.cards import remarks
from portfolio import matched_trips, round_trips
from portfolio.day_holdings import holdings
from portfolio.excursions import NO_CLOSE, Excursion, excursions_of
from portfolio.query import PortfolioQuery
from portfolio.round_trips import Trips, trips_of
from sample.load import load_sample, portfolios
from storage.clickhouse.reads.orders import Odd
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.support.api import client_of
from tests.support.funded import ALPHA, Send, tell

FUND, *STRATEGIES = portfolios("sample")
EXACT = 1e-9
TODAY = int(time.time()) // DAY * DAY - 2 * DAY


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def fill(day: float, side: str, quantity: float, price: float, **other: Any) -> dict[str, Any]:
    return {
        "trade_id": f"{day} {side} {other.get('instrument', '')}", "ts": at(TODAY + day * DAY), "instrument": "ACME",
        "side": side, "quantity": quantity, "price": price, **other,
    }  # fmt: skip


def change(day: float, action: str, **other: Any) -> dict[str, Any]:
    return {"transaction_id": f"{day} {action}", "ts": at(TODAY + day * DAY), "action": action, "instrument": "ACME",
            **other}  # fmt: skip


def of(stores: Stores, portfolio: Portfolio = ALPHA, instrument: str = "", **asked: str) -> Trips:
    query, problems = PortfolioQuery.parse(asked)
    assert not problems
    found = trips_of(stores, portfolio, None, query, instrument)
    assert found is not None
    return found


def told(found: Trips) -> list[tuple[int, float, float]]:
    return [(each.of.side, each.of.quantity, pytest.approx(each.profit)) for each in found.trips]


def test_what_trips_brought_and_what_is_open_is_all_that_was_ever_gained(sample: Stores) -> None:
    for portfolio in (FUND, *STRATEGIES):
        found, held = of(sample, portfolio), holdings(sample, portfolio, None)
        assert held is not None
        worth = {(each.portfolio, each.instrument): each for each in held.positions}
        assert {book[:2]: each.quantity for book, each in found.matched.open.items()} == pytest.approx(
            {place: each.quantity for place, each in worth.items()}
        )
        unrealised = math.fsum(worth[book[:2]].value - each.cost_base for book, each in found.matched.open.items())
        assert found.all().profit + unrealised == pytest.approx(held.all().total, rel=EXACT)
        assert (found.unknown, found.matched.left_out, found.matched.refused) == (0, {}, ())


def test_groups_add_up_to_all_and_windows_to_the_whole(sample: Stores) -> None:
    found = of(sample, FUND)
    whole = found.all()
    for by in round_trips.GROUPS:
        parts = found.by(by).values()
        assert sum(each.count for each in parts) == whole.count == len(found.trips)
        assert math.fsum(each.profit for each in parts) == pytest.approx(whole.profit, rel=EXACT)
    years = [of(sample, FUND, **{"from": f"{year}-01-01", "to": f"{year}-12-31"}) for year in range(2014, 2023)]
    assert sum(len(each.trips) for each in years) == whole.count
    assert of(sample, FUND, window="YTD").trips == years[-1].trips
    early = of(sample, FUND, asof="2018-06-30")
    assert early.trips == tuple(each for each in found.trips if each.month <= "2018-06")
    assert of(sample, FUND, "XOM").all().count == found.by("instrument")["XOM"].count


def test_a_sale_through_zero_is_short_from_there_and_a_split_between_changes_no_profit(
    funded: Stores, send: Send
) -> None:
    tell(send, "trades", fill(-9, "buy", 10, 100, commission=6, fees=4), fill(-7, "sell", 25, 55, commission=25),
         fill(-5, "buy", 5, 40))  # fmt: skip
    tell(send, "transactions", change(-8, "split", split_ratio=2.0))
    found = of(funded)
    # 10 at 101 are 20 at 50.5; sold at 54 after fees; 5 short at 54 came back at 40.
    assert told(found) == [(1, 20.0, 20 * 3.5), (-1, 5.0, 5 * 14.0)]
    assert found.trips[0].open_price == pytest.approx(50.5)
    assert found.matched.open == {}


def test_round_trips_are_of_the_strategy_that_their_orders_name(funded: Stores, send: Send) -> None:
    def order(id: str, side: str, **other: Any) -> dict[str, Any]:
        return {"order_id": id, "ts": at(TODAY - 20 * DAY), "instrument": "ACME", "side": side, "quantity": 100,
                "status": "new", **other}  # fmt: skip

    tell(send, "orders", order("a", "buy", strategy="value"), order("b", "buy", strategy="momentum"),
         order("c", "sell", strategy="momentum"), order("d", "sell", strategy="value"), order("e", "buy"),
         order("f", "sell"))  # fmt: skip
    tell(send, "trades", *(
        fill(day, side, 100, price, order_id=id) for day, side, price, id in (
            (-9, "buy", 10, "a"), (-8, "buy", 12, "b"), (-7, "sell", 11, "c"), (-6, "sell", 13, "d"),
            (-5, "buy", 10, "e"), (-4, "sell", 12, "f"),
        )
    ))  # fmt: skip
    found = of(funded)
    assert {name: each.profit for name, each in found.by("portfolio").items()} == {
        "value": 300, "Alpha": 200, "momentum": -100
    }  # fmt: skip
    assert found.all().profit == 400
    assert found.matched.open == {}
    tell(send, "trades", fill(-3, "buy", 50, 10, order_id="a"), fill(-2, "sell", 50, 10, order_id="c"))
    assert {book[2]: each.quantity for book, each in of(funded).matched.open.items()} == {"value": 50, "momentum": -50}
    # Another strategy of an order that is there moves its trips.
    tell(send, "orders", order("c", "sell", strategy="value", status="filled"))
    assert {*of(funded).by("portfolio")} == {"value", "Alpha"}


def test_what_was_transferred_in_is_of_the_only_strategy(funded: Stores, send: Send) -> None:
    row = {"order_id": "a", "ts": at(TODAY - 8 * DAY), "instrument": "ACME", "side": "sell", "quantity": 60}
    tell(send, "orders", {**row, "status": "new", "strategy": "value"})
    tell(send, "transactions", change(-9, "transfer", quantity=60.0, amount=600.0))
    tell(send, "trades", fill(-7, "sell", 60, 12, order_id="a"))
    assert {name: each.profit for name, each in of(funded).by("portfolio").items()} == {"value": 120}


def test_transfers_bring_what_they_had_cost_and_take_without_a_trade(funded: Stores, send: Send) -> None:
    tell(send, "transactions", change(-9, "transfer", quantity=100.0, amount=1_000.0),
         change(-8, "transfer", quantity=-40.0))  # fmt: skip
    tell(send, "trades", fill(-7, "sell", 60, 12))
    assert told(of(funded)) == [(1, 60.0, 120.0)]


def test_what_came_for_no_known_cost_has_no_known_profit_and_is_counted(funded: Stores, send: Send) -> None:
    tell(send, "transactions", change(-9, "transfer", quantity=100.0))
    tell(send, "trades", fill(-8, "sell", 100, 12), fill(-7, "buy", 10, 10), fill(-6, "sell", 10, 11))
    found = of(funded)
    assert (len(found.trips), found.unknown) == (2, 1)
    assert (found.all().count, found.all().profit) == (1, 10.0)


def test_contracts_in_another_currency_gain_at_the_rates_of_both_days(funded: Stores, send: Send) -> None:
    tell(send, "instruments", {"symbol": "ACME", "currency": "USD", "multiplier": 50})
    tell(send, "fx", *({"base": "EUR", "quote": "USD", "ts": at(TODAY + day * DAY), "rate": rate}
                       for day, rate in ((-9, 1.25), (-7, 1.0))))  # fmt: skip
    tell(send, "trades", fill(-9, "buy", 2, 10, currency="USD"), fill(-7, "sell", 2, 10.5, currency="USD"))
    (trip,) = of(funded).trips
    assert (trip.of.profit, trip.currency) == (pytest.approx(50.0), "USD")
    assert trip.profit == pytest.approx(2 * 50 * (10.5 - 10 / 1.25))
    assert (trip.open_price, trip.close_price) == (pytest.approx(10), pytest.approx(10.5))


def test_without_a_rate_the_profit_is_not_known_and_the_currency_is_named(funded: Stores, send: Send) -> None:
    tell(send, "trades", fill(-9, "buy", 2, 10, currency="CHF"), fill(-7, "sell", 2, 11, currency="CHF"))
    found = of(funded)
    assert (found.unknown, found.matched.no_rate) == (1, ("CHF",))
    assert found.trips[0].of.profit == pytest.approx(2.0)


def test_trades_of_one_instrument_in_two_currencies_are_told_and_the_others_stay(funded: Stores, send: Send) -> None:
    tell(send, "trades", fill(-9, "buy", 2, 10), fill(-8, "sell", 2, 11, currency="USD"),
         fill(-9, "buy", 1, 5, instrument="OTHER"), fill(-8, "sell", 1, 6, instrument="OTHER"))  # fmt: skip
    found = of(funded)
    assert told(found) == [(1, 1.0, 1.0)]
    (refused,) = found.matched.refused
    assert "ACME is held in EUR" in refused
    assert "USD" in refused


def test_too_many_trades_leave_out_what_was_traded_longest_ago_whole(
    funded: Stores, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matched_trips, "MOST_TRADES", 3)
    for place, symbol in enumerate(("OLD", "NEW")):
        tell(send, "trades", fill(place - 9, "buy", 1, 5, instrument=symbol),
             fill(place - 8, "sell", 1, 6, instrument=symbol))  # fmt: skip
    found = of(funded)
    assert [each.about.symbol for each in found.trips] == ["NEW"]
    assert (found.matched.left_out, found.matched.trades) == ({"OLD": 2}, 2)
    said = "2 of 4 fills were matched: OLD (2) left out whole, as more than 3 are not matched at once."
    told_by_api = client_of(funded, Viewer("reader", Role.VIEWER)).get("/api/v1/portfolios/own:alpha/round-trips").json
    assert said in told_by_api["told"]
    assert said in text_of(remarks([], found, Odd()))


def test_one_instrument_of_too_many_fills_is_named_with_how_many_were_looked_at(
    funded: Stores, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matched_trips, "MOST_TRADES", 3)
    tell(send, "trades", *(fill(day / 10 - 9, "buy" if day % 2 else "sell", 1, 5) for day in range(4)))
    tell(send, "trades", fill(-9.5, "buy", 1, 5, instrument="FEW"), fill(-9.4, "sell", 1, 6, instrument="FEW"))
    found = of(funded)
    assert {each.about.symbol for each in found.trips} == {"FEW"}
    assert found.matched.left_out_said == (
        "2 of 6 fills were matched: ACME (4) left out whole, as more than 3 are not matched at once."
    )


def test_trades_that_come_later_are_in_the_next_look(funded: Stores, send: Send) -> None:
    tell(send, "trades", fill(-9, "buy", 2, 10), fill(-7, "sell", 1, 11))
    assert len(of(funded).trips) == 1
    tell(send, "trades", fill(-6, "sell", 1, 12))
    assert told(of(funded)) == [(1, 1.0, 1.0), (1, 1.0, 2.0)]
    tell(send, "trades", fill(-6, "sell", 1, 14))
    assert told(of(funded))[1] == (1, 1.0, 4.0)


def test_how_far_it_went_is_told_by_daily_closes(funded: Stores, send: Send) -> None:
    tell(send, "prices", *({"instrument": "ACME", "ts": at(TODAY + day * DAY), "price": price}
                           for day, price in ((-9, 10.0), (-8, 7.0), (-7, 13.0), (-6, 99.0))))  # fmt: skip
    tell(send, "trades", fill(-8.5, "buy", 2, 10), fill(-5.5, "sell", 1, 11), fill(-5.4, "sell", 1, 9.5))
    found = of(funded)
    first, second = excursions_of(funded, "own", found.matched, found.trips)
    # The close of the day on which it was sold came after the sale.
    assert (first.adverse, first.favourable) == (pytest.approx(-0.3), pytest.approx(0.3))
    assert second.why == ""


@pytest.mark.parametrize("closes", [(90, 120, 55, 40), (45, 60, 55, 40)], ids=["as they were", "adjusted"])
def test_how_far_it_went_across_a_split_is_in_units_of_after_it(
    funded: Stores, send: Send, closes: tuple[float, ...]
) -> None:
    tell(send, "prices", *({"instrument": "ACME", "ts": at(TODAY + day * DAY), "price": price}
                           for day, price in zip((-10, -9, -8, -7), closes, strict=True)))  # fmt: skip
    tell(send, "trades", fill(-9.5, "buy", 11, 100), fill(-8.6, "sell", 1, 110), fill(-5.5, "sell", 20, 50))
    tell(send, "transactions", change(-8, "split", split_ratio=2.0))
    found = of(funded)
    assert told(found) == [(1, 1.0, 10.0), (1, 20.0, 0.0)]
    before, across = excursions_of(funded, "own", found.matched, found.trips)
    assert (before.adverse, before.favourable) == (pytest.approx(-0.1, rel=1e-9), pytest.approx(0.1, rel=1e-9))
    assert (across.adverse, across.favourable) == (pytest.approx(-0.2, rel=1e-9), pytest.approx(0.2, rel=1e-9))


def test_within_a_day_no_close_tells_how_far_it_went(funded: Stores, send: Send) -> None:
    tell(send, "trades", fill(-8.9, "sell", 2, 10), fill(-8.8, "buy", 2, 9))
    found = of(funded)
    (gone,) = excursions_of(funded, "own", found.matched, found.trips)
    assert isinstance(gone, Excursion)
    assert (math.isnan(gone.adverse), gone.why) == (True, NO_CLOSE)
    assert np.isnan(gone.favourable)


def test_who_may_see_a_part_alone_has_its_trips_alone(funded: Stores, send: Send) -> None:
    put_portfolios(funded.state, [Portfolio("own", "fund", "Fund"), replace(ALPHA, parent="fund"),
                                  Portfolio("own", "beta", "Beta", "fund", currency="EUR")])  # fmt: skip
    for name in ("alpha", "beta"):
        for row in (fill(-9, "buy", 1, 5, instrument=name.upper()), fill(-8, "sell", 1, 6, instrument=name.upper())):
            tell(send, "trades", {**row, "portfolio": name})
    fund = Portfolio("own", "fund", "Fund", currency="EUR")
    query, _ = PortfolioQuery.parse({})
    whole, part = (trips_of(funded, fund, limits, query) for limits in (None, frozenset({"fund"})))
    assert whole is not None and part is not None
    assert {each.about.symbol for each in whole.trips} == {"ALPHA", "BETA"}
    alone = trips_of(funded, ALPHA, frozenset({"alpha"}), query)
    assert alone is not None
    assert (alone.matched.instruments, dict(alone.names)) == (("ALPHA",), {"alpha": "Alpha"})
