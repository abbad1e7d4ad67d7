"""What a portfolio holds ties: to its value, to its returns, and to what single positions say."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs.holdings import ID, build
from dashboard.views.tab import Choices
from portfolio.day_holdings import holdings
from portfolio.gained import gained
from portfolio.holdings import Holdings
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send, tell

FUND, *STRATEGIES = portfolios("sample")
DAYS = ("2015-03-31", "2018-02-05", "2020-03-16", "2022-12-28")


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def of(stores: Stores, portfolio: Portfolio, day: str) -> Holdings:
    found = holdings(stores, portfolio, None, np.datetime64(day))
    assert found is not None
    return found


def value_and_flow(stores: Stores, portfolio: str, first: str, last: str) -> tuple[float, float, float]:
    """Return the value on the first day, on the last day, and the flows after the first until the last."""
    sql = """
        SELECT sumIf(nav, toDate(ts) = {first:Date}), sumIf(nav, toDate(ts) = {last:Date}),
            sumIf(flow, toDate(ts) > {first:Date} AND toDate(ts) <= {last:Date})
        FROM nav FINAL WHERE origin = 'sample' AND portfolio = {name:String}
    """
    ((one, other, flow),) = stores.clickhouse.rows(sql, {"first": first, "last": last, "name": portfolio})
    return float(one), float(other), float(flow)


def test_positions_and_cash_are_the_value_and_their_gains_are_its_change(sample: Stores) -> None:
    for day, before, month in (
        ("2015-03-31", "2015-03-30", "2015-02-27"), ("2020-03-16", "2020-03-13", "2020-02-28"),
        ("2022-12-28", "2022-12-27", "2022-11-30"),
    ):  # fmt: skip
        for portfolio in (FUND, *STRATEGIES):
            found = of(sample, portfolio, day)
            was, now, flow = value_and_flow(sample, portfolio.id, before, day)
            assert found.nav == now
            assert found.value == pytest.approx(now, rel=1e-9)
            assert found.all().day == pytest.approx(now - was - flow, abs=1e-5)
            was, now, flow = value_and_flow(sample, portfolio.id, month, day)
            assert found.all().month == pytest.approx(now - was - flow, abs=1e-5)
            assert found.all().unknown == 0
            assert found.all().net + found.cash == pytest.approx(now, rel=1e-9)


def test_a_share_is_of_what_the_span_began_with_so_that_it_is_the_portfolio_s_own_return(sample: Stores) -> None:
    found = of(sample, FUND, "2022-12-28")
    was, now, flow = value_and_flow(sample, FUND.id, "2022-11-30", "2022-12-28")
    _, month = gained(sample, found, None)
    assert (month.capital, month.whole) == (pytest.approx(was + max(flow, 0.0)), pytest.approx(now - was - flow))
    assert month.ratio == pytest.approx((now - was - flow) / (was + max(flow, 0.0)))
    assert month.other == pytest.approx(0.0, abs=1e-5)


def test_all_that_was_ever_gained_is_the_value_less_what_was_put_in(sample: Stores) -> None:
    for portfolio in STRATEGIES:
        found = of(sample, portfolio, "2022-12-28")
        first, last, flow = value_and_flow(sample, portfolio.id, "2014-01-02", "2022-12-28")
        assert found.all().total == pytest.approx(last - first - flow, abs=1e-4)
        assert sum(each.realised + each.unrealised for each in found.positions) == pytest.approx(
            sum(each.total for each in found.positions)
        )


@pytest.mark.parametrize("day", DAYS)
def test_groups_add_up_to_the_whole_however_it_is_cut(sample: Stores, day: str) -> None:
    found = of(sample, FUND, day)
    whole = found.all()
    for group in ("sector", "portfolio", "asset_class", "industry", "currency", "country", "instrument"):
        parts = found.by(group)
        for name in ("long", "short", "weight", "day", "month", "total"):
            assert math.fsum(getattr(each, name) for each in parts) == pytest.approx(getattr(whole, name), abs=1e-5)
    assert {each.name for each in found.by("portfolio")} == {each.name for each in STRATEGIES}


def test_the_fund_is_its_strategies_together(sample: Stores) -> None:
    whole = of(sample, FUND, "2022-12-28")
    parts = [of(sample, each, "2022-12-28") for each in STRATEGIES]
    assert len(whole.positions) == sum(len(each.positions) for each in parts)
    assert whole.cash == pytest.approx(sum(each.cash for each in parts))


def test_days_held_begin_with_the_day_since_which_it_was_never_gone(sample: Stores) -> None:
    sql = "SELECT DISTINCT toString(toDate(ts)) AS day FROM positions WHERE portfolio = 'pairs' ORDER BY day"
    every = [str(day) for (day,) in sample.clickhouse.rows(sql)]
    for each in of(sample, STRATEGIES[1], "2022-12-28").positions:
        sql = """
            SELECT toString(toDate(ts)) FROM positions FINAL WHERE origin = 'sample' AND portfolio = 'pairs'
                AND instrument = {name:String} AND sign(quantity) = {side:Int8} ORDER BY ts
        """
        asked = {"name": each.instrument, "side": int(np.sign(each.quantity))}
        told = {str(day) for (day,) in sample.clickhouse.rows(sql, asked)}
        first = len(every) - next(back for back, day in enumerate(reversed(every)) if day not in told)
        assert each.held_days == (np.datetime64("2022-12-28") - np.datetime64(every[first])).astype(int)


TODAY = int(time.time()) // DAY * DAY - 2 * DAY
"""Midnight of the newest report."""


def held(send: Send, day: int, quantity: float, price: float, **other: Any) -> None:
    row = {"ts": at(TODAY + day * DAY), "instrument": "ACME", "quantity": quantity, "price": price, **other}
    tell(send, "positions", row)


def bought(send: Send, day: int, quantity: float, price: float, **other: Any) -> None:
    row = {
        "trade_id": f"{day}", "ts": at(TODAY + day * DAY + 50_000), "instrument": "ACME", "side": "buy",
        "quantity": quantity, "price": price, **other,
    }  # fmt: skip
    tell(send, "trades", row)


def only(stores: Stores) -> Any:
    found = holdings(stores, ALPHA, None)
    assert found is not None
    (position,) = found.positions
    return position


def test_a_position_gains_what_it_is_worth_less_what_was_paid(funded: Stores, send: Send) -> None:
    bought(send, -1, 100, 10, commission=2, fees=1)
    held(send, -1, 100, 11, average_cost=10)
    bought(send, 0, 50, 12, commission=1)
    held(send, 0, 150, 13, average_cost=10.6666666667)
    tell(send, "transactions", {"transaction_id": "d", "ts": at(TODAY + 40_000), "action": "dividend",
                                "instrument": "ACME", "amount": 25})  # fmt: skip
    found = only(funded)
    assert found.day == pytest.approx(150 * 13 - 100 * 11 - 50 * 12 - 1 + 25)
    assert found.total == pytest.approx(150 * 13 - 100 * 10 - 3 - 50 * 12 - 1 + 25)
    assert found.day_return == pytest.approx(found.day / (100 * 11 + 50 * 12 + 1 - 25))
    assert found.unrealised == pytest.approx(150 * (13 - 10.6666666667))


def test_a_quantity_that_no_trade_explains_has_no_profit_and_is_told(funded: Stores, send: Send) -> None:
    bought(send, -1, 100, 10)
    held(send, -1, 100, 11)
    held(send, 0, 150, 13)
    found = only(funded)
    assert (math.isnan(found.day), math.isnan(found.total), math.isnan(found.unrealised)) == (True, True, True)
    whole = holdings(funded, ALPHA, None)
    assert whole is not None
    assert whole.all().unknown == 1
    for each in (whole.all(), *whole.by("sector")):
        assert [math.isnan(value) for value in (each.day, each.month, each.total)] == [True, True, True]
        assert each.long == 150 * 13


def test_sums_leave_out_what_is_not_known_and_are_nothing_where_all_is(funded: Stores, send: Send) -> None:
    held(send, 0, 100, 10, currency="CHF")
    held(send, 0, -5, 10, instrument="OTHER")
    found = holdings(funded, ALPHA, None)
    assert found is not None
    groups = {each.name: each for each in found.by("instrument")}
    lost, known, whole = groups["ACME"], groups["OTHER"], found.all()
    assert [math.isnan(each) for each in (lost.long, lost.short, lost.net, lost.gross, lost.weight)] == [True] * 5
    assert (known.long, known.short, whole.short, whole.gross) == (0, -50, -50, 50)


def test_a_split_changes_the_quantity_and_nothing_else(funded: Stores, send: Send) -> None:
    bought(send, -1, 100, 10)
    held(send, -1, 100, 11)
    tell(send, "transactions", {"transaction_id": "s", "ts": at(TODAY + 1), "action": "split", "instrument": "ACME",
                                "split_ratio": 4})  # fmt: skip
    held(send, 0, 400, 3)
    assert only(funded).day == pytest.approx(400 * 3 - 100 * 11)


def test_a_position_in_another_currency_is_worth_its_rate_of_the_day(funded: Stores, send: Send) -> None:
    tell(send, "fx", *({"base": "EUR", "quote": "USD", "ts": at(TODAY + day * DAY), "rate": rate}
                       for day, rate in ((-1, 1.25), (0, 1.0))))  # fmt: skip
    bought(send, -1, 100, 10, currency="USD")
    held(send, -1, 100, 10, currency="USD")
    held(send, 0, 100, 10, currency="USD")
    found = only(funded)
    assert (found.local_value, found.value) == (1_000, 1_000)
    assert found.day == pytest.approx(1_000 - 800)
    assert found.total == pytest.approx(1_000 - 800)


def test_what_a_rate_does_to_cash_is_told_beside_what_positions_gained(funded: Stores, send: Send) -> None:
    tell(send, "fx", *({"base": "EUR", "quote": "USD", "ts": at(TODAY + day * DAY), "rate": rate}
                       for day, rate in ((-1, 1.25), (0, 1.0))))  # fmt: skip
    bought(send, -1, 100, 10)
    held(send, -1, 100, 10)
    held(send, 0, 100, 11)
    for day, nav, flow in ((-1, 9_000.0, 9_000.0), (0, 11_600.0, 500.0)):
        tell(send, "nav", {"ts": at(TODAY + day * DAY), "nav": nav, "flow": flow})
        tell(send, "cash", {"ts": at(TODAY + day * DAY), "currency": "USD", "amount": 10_000})
    day, _ = gained(funded, of(funded, ALPHA, str(np.datetime64(TODAY, "s").astype("datetime64[D]"))), None)
    assert (day.positions, day.whole, day.other, day.capital) == pytest.approx((100.0, 2_100.0, 2_000.0, 9_500.0))
    shown = text_of(
        build(funded, Choices.of({"portfolio": "own:alpha"}), Viewer("ana", Role.VIEWER)).slots[f"{ID}-strip"]
    )
    assert "Day, positions +100 EUR +1.05 % of opening NAV" in shown
    assert "cash and other +2" in shown


def test_without_a_value_of_the_day_before_no_share_is_told(funded: Stores, send: Send) -> None:
    bought(send, -1, 100, 10)
    held(send, -1, 100, 10)
    held(send, 0, 100, 11)
    tell(send, "nav", {"ts": at(TODAY), "nav": 9_000.0})
    found = holdings(funded, ALPHA, None)
    assert found is not None
    day, _ = gained(funded, found, None)
    assert day.positions == pytest.approx(100.0) and math.isnan(day.ratio) and math.isnan(day.other)


def test_a_currency_without_a_rate_is_named_and_worth_nothing_that_is_known(funded: Stores, send: Send) -> None:
    held(send, 0, 100, 10, currency="CHF")
    found = holdings(funded, ALPHA, None)
    assert found is not None
    assert found.no_rate == ("CHF",)
    assert math.isnan(found.positions[0].value)


def test_an_old_day_without_a_rate_makes_nothing_of_today_unknown(funded: Stores, send: Send) -> None:
    tell(send, "fx", {"base": "CHF", "quote": "EUR", "ts": at(TODAY - DAY), "rate": 1.1})
    bought(send, -30, 100, 10, currency="CHF")
    held(send, 0, 100, 10, currency="CHF")
    found = holdings(funded, ALPHA, None)
    assert found is not None
    assert found.no_rate == ()
    assert found.positions[0].value == pytest.approx(1_100) and math.isnan(found.positions[0].total)


def test_how_much_of_a_day_a_position_is(funded: Stores, send: Send) -> None:
    tell(send, "instruments", {"symbol": "ACME", "daily_volume": 1_000, "sector": "Energy"})
    held(send, 0, -100, 10)
    found = only(funded)
    assert (found.volume_share, found.liquidate_days) == pytest.approx((0.1, 0.5))
    assert (found.about.sector, found.value) == ("Energy", -1_000)


def test_a_portfolio_without_positions_holds_nothing_that_is_known(stores: Stores) -> None:
    assert holdings(stores, ALPHA, None) is None


def moved(send: Send, **row: Any) -> None:
    tell(send, "transactions", {"transaction_id": "x", "ts": at(TODAY + 1), "instrument": "ACME", **row})


def test_a_split_explains_no_quantity_that_was_never_bought(funded: Stores, send: Send) -> None:
    held(send, -1, 100, 12)
    moved(send, action="split", split_ratio=4)
    held(send, 0, 400, 3)
    assert only(funded).day == pytest.approx(0), "nothing was bought or sold on the day"
    assert math.isnan(only(funded).total), "what it cost nobody said"


def test_trades_before_two_splits_count_in_shares_of_after_them(funded: Stores, send: Send) -> None:
    bought(send, -1, 100, 12)
    moved(send, action="split", split_ratio=4)
    tell(send, "transactions", {"transaction_id": "y", "ts": at(TODAY + 2), "instrument": "ACME", "action": "split",
                                "split_ratio": 0.5})  # fmt: skip
    held(send, 0, 200, 7)
    assert only(funded).total == pytest.approx(200 * 7 - 100 * 12)


@pytest.mark.parametrize("amount", [5_000, -5_000])
def test_what_was_transferred_out_takes_its_cost_along(funded: Stores, send: Send, amount: float) -> None:
    bought(send, -1, 200, 50)
    held(send, -1, 200, 50)
    moved(send, action="transfer", quantity=-100, amount=amount)
    held(send, 0, 100, 50)
    assert only(funded).total == pytest.approx(0)


def test_a_transfer_of_no_known_cost_is_no_profit(funded: Stores, send: Send) -> None:
    moved(send, action="transfer", quantity=100)
    held(send, 0, 100, 50)
    assert math.isnan(only(funded).total)


def test_cash_is_counted_once_however_its_currency_is_told(funded: Stores, send: Send) -> None:
    held(send, -1, 1, 1)
    tell(send, "positions", {"ts": at(TODAY - DAY), "instrument": "CASH", "quantity": 500, "price": 1})
    held(send, 0, 1, 1)
    tell(send, "cash", {"ts": at(TODAY), "currency": "EUR", "amount": 700})
    found = holdings(funded, ALPHA, None)
    assert found is not None and found.cash == 700


def test_interest_owed_is_part_of_what_a_bond_is_worth(funded: Stores, send: Send) -> None:
    bought(send, -1, 10, 100)
    held(send, -1, 10, 100, accrued=2)
    held(send, 0, 10, 100, accrued=5)
    assert (only(funded).value, only(funded).day) == (1_005, 3)


def test_a_multiplier_told_late_counts_for_what_was_told_before(funded: Stores, send: Send) -> None:
    held(send, 0, 2, 4_000)
    tell(send, "instruments", {"symbol": "ACME", "multiplier": 50})
    assert only(funded).value == 400_000


def test_a_multiplier_that_changes_counts_for_values_that_were_worked_out_alone(funded: Stores, send: Send) -> None:
    tell(send, "instruments", {"symbol": "ACME", "multiplier": 50}, {"symbol": "TOLD"})
    held(send, 0, 2, 4_000)
    held(send, 0, 2, 4_000, instrument="TOLD", market_value=8_000)
    tell(send, "instruments", {"symbol": "ACME", "multiplier": 20}, {"symbol": "TOLD", "multiplier": 20})
    found = holdings(funded, ALPHA, None)
    assert found is not None
    assert {each.instrument: each.value for each in found.positions} == {"ACME": 160_000, "TOLD": 8_000}
    again = send("positions", [{"portfolio": "alpha", "ts": at(TODAY), "instrument": "TOLD", "quantity": 2,
                                "price": 4_000, "market_value": 8_000}])  # fmt: skip
    assert again.json["already_there"] == 1


@pytest.mark.parametrize("day", ["1950-01-01", "2150-06-01"])
def test_a_day_that_no_table_reaches_is_answered(funded: Stores, send: Send, day: str) -> None:
    held(send, 0, 1, 1)
    found = holdings(funded, ALPHA, None, np.datetime64(day))
    assert (found is None) == (day < "2000")
