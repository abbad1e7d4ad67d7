"""Attribution ties: parts to the portfolio's own return and P&L, effects to the excess return, net to gross."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from analytics.fees import Terms
from analytics.linking import Linking
from core.clock import SystemClock
from portfolio.attribution import Attribution, Cut, attribution
from portfolio.brinson import MODELS, SEGMENTS, attributed_to
from portfolio.by_period import COSTS, OTHER, PERIODS
from portfolio.data import PortfolioData
from portfolio.fees import fees, terms_of
from portfolio.holdings import GROUPS
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from sample.load import load_sample
from storage.state.portfolios import Portfolio, list_portfolios, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import Send, sender

WINDOWS: tuple[dict[str, str], ...] = (
    {"window": "ITD"}, {"window": "1Y"}, {"window": "MTD"}, {"window": "1D"},
    {"from": "2018-02-07", "to": "2020-04-15"},
)  # fmt: skip
CUTS: tuple[Cut, ...] = (*GROUPS, "position")
TODAY = 19_787 * DAY


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


@pytest.fixture
def send(stores: Stores) -> Send:
    """Sends rows of an own portfolio, and returns the answer."""
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR", benchmark="INDEX")])
    return sender(replace(stores, clock=SystemClock()))


def tell(send: Send, kind: str, *rows: dict[str, Any]) -> None:
    answer = send(kind, [*rows])
    assert answer.status_code == 200, answer.text


def of(stores: Stores, portfolio: str, **asked: str) -> tuple[PortfolioData, Attribution]:
    query, problems = PortfolioQuery.parse({"portfolio": portfolio, **asked})
    assert not problems
    data = read(stores, query, None)
    found = attribution(stores, data, None)
    assert found is not None
    return data, found


def test_parts_are_the_portfolios_own_return_and_profit_however_they_are_cut(sample: Stores) -> None:
    for portfolio in ("fund", "equity", "pairs", "trend", "parity"):
        for asked in WINDOWS if portfolio == "fund" else WINDOWS[:2]:
            data, found = of(sample, f"sample:{portfolio}", **asked)
            nav = data.nav
            first, last = np.searchsorted(nav.dates, [found.start, found.days[-1]])
            gained = nav.value[last] - nav.value[first] - nav.flow[first + 1 : last + 1].sum()
            earned = data.part.index[-1] - 1.0
            assert found.total_pnl == pytest.approx(gained, rel=1e-9, abs=1e-6)
            assert found.total_return == pytest.approx(earned, rel=1e-9)
            for by in CUTS:
                parts = found.parts(by)
                assert math.fsum(part.added for part in parts) == pytest.approx(earned, rel=1e-9, abs=1e-13)
                assert math.fsum(part.pnl for part in parts) == pytest.approx(gained, rel=1e-9, abs=1e-6)
                net = math.fsum(part.net for part in parts if part.name != COSTS)
                assert net == pytest.approx(gained, rel=1e-9, abs=1e-6)
            assert not found.is_unexplained, found.reasons
            rest = {part.name: part for part in found.rest()}
            assert abs(rest[OTHER].pnl) < 1e-5, "cash of the sample earns nothing"


def test_periods_and_groups_add_up_both_ways(sample: Stores) -> None:
    data, found = of(sample, "sample:fund")
    for every in PERIODS:
        told = found.by_period("sector", every)
        assert told.added.sum() == pytest.approx(found.total_return, rel=1e-9)
        assert told.money.sum() == pytest.approx(found.total_pnl, rel=1e-9)
        columns = dict(zip(told.groups, told.added.sum(axis=0).tolist(), strict=True))
        for part in found.parts("sector"):
            assert columns[part.name] == pytest.approx(part.added, rel=1e-9, abs=1e-12)
        assert np.prod(1.0 + told.returns) - 1.0 == pytest.approx(found.total_return, rel=1e-9)
    years = found.by_period("sector", "year")
    ends = [data.own.daily.index[data.own.daily.dates < np.datetime64(f"{year}-01-01")][-1] for year in (2020, 2021)]
    assert years.returns[years.periods.index("2020")] == pytest.approx(ends[1] / ends[0] - 1.0, rel=1e-9)
    names, course = found.course("sector")
    added = {part.name: part.added for part in found.parts("sector")}
    assert dict(zip(names, course[-1].tolist(), strict=True)) == pytest.approx({name: added[name] for name in names})


def test_costs_are_what_the_trades_paid(sample: Stores) -> None:
    _, found = of(sample, "sample:fund", **{"from": "2015-01-02", "to": "2015-12-31"})
    sql = """
        SELECT sum(commission + fees) FROM trades FINAL WHERE origin = 'sample'
            AND toDate(ts) > {first:Date} AND toDate(ts) <= {last:Date}
    """
    ((paid,),) = sample.clickhouse.rows(sql, {"first": str(found.start), "last": str(found.days[-1])})
    assert found.total_costs == pytest.approx(float(paid), rel=1e-9)
    rest = {part.name: part for part in found.rest()}
    assert rest[COSTS].added < 0 and rest[COSTS].pnl == pytest.approx(-float(paid), rel=1e-9)


@pytest.mark.parametrize("linking", get_args(Linking))
def test_effects_are_the_excess_return_over_a_benchmark_of_known_constituents(sample: Stores, linking: Linking) -> None:
    for portfolio in ("equity", "fund"):
        data, found = of(sample, f"sample:{portfolio}", benchmark="blend:EQW", window="3Y")
        assert data.benchmark is not None
        excess = data.part.index[-1] - data.benchmark.part.index[-1]
        for by in SEGMENTS:
            for model in MODELS:
                told = attributed_to(sample, data, found, by, model, linking, "arithmetic")
                assert told is not None
                assert told.excess == pytest.approx(excess, rel=1e-9)
                parts = [*(each.total for each in told.segments), told.apart]
                assert math.fsum(parts) == pytest.approx(excess, rel=1e-9, abs=1e-12)
                assert abs(told.apart) < 1e-9, "the blend is what its constituents are, drifted"
                assert sum(each.benchmark_weight for each in told.segments) == pytest.approx(1.0)


def test_geometric_effects_compound_to_the_excess_return(sample: Stores) -> None:
    data, found = of(sample, "sample:equity", benchmark="blend:EQW")
    told = attributed_to(sample, data, found, "sector", "BF", "carino", "geometric")
    assert told is not None and data.benchmark is not None
    excess = data.part.index[-1] / data.benchmark.part.index[-1] - 1.0
    product = (1 + told.allocation) * (1 + told.selection) * (1 + told.apart) - 1.0
    assert product == pytest.approx(excess, rel=1e-9)
    assert told.excess == pytest.approx(excess, rel=1e-9)


def test_without_constituents_there_are_no_effects(sample: Stores) -> None:
    data, found = of(sample, "sample:fund")
    assert data.benchmark is not None and data.benchmark.key == "SP500"
    assert attributed_to(sample, data, found, "sector", "BF", "carino", "arithmetic") is None


def small_book(send: Send) -> None:
    """Tell of three days in which money is held in two currencies and a third of an instrument is sold."""
    for place, (nav, fx, price) in enumerate(((1_000.0, 0.9, 10.0), (1_046.0, 0.92, 10.5), (1_037.6, 0.92, 10.2))):
        day = at(TODAY + place * DAY)
        tell(send, "fx", {"base": "USD", "quote": "EUR", "ts": day, "rate": fx})
        tell(
            send,
            "positions",
            {"portfolio": "alpha", "ts": day, "instrument": "ACME", "quantity": 50, "price": price, "currency": "USD"},
            {"portfolio": "alpha", "ts": day, "instrument": "BETA", "quantity": 20, "price": 20, "currency": "EUR"},
        )
        tell(send, "cash", {"portfolio": "alpha", "ts": day, "currency": "EUR", "amount": 150})
        tell(send, "nav", {"portfolio": "alpha", "ts": day, "nav": nav})
        tell(send, "prices", {"instrument": "ACME", "ts": day, "price": price, "currency": "USD"},
             {"instrument": "BETA", "ts": day, "price": 20, "currency": "EUR"},
             {"instrument": "INDEX", "ts": day, "price": 100 + place, "currency": "EUR"})  # fmt: skip


def test_a_currency_adds_what_its_rate_moved_and_the_rest_is_local(stores: Stores, send: Send) -> None:
    tell(send, "trades",
         {"portfolio": "alpha", "trade_id": "a", "ts": at(TODAY - 60), "instrument": "ACME", "side": "buy",
          "quantity": 50, "price": 10, "currency": "USD"},
         {"portfolio": "alpha", "trade_id": "b", "ts": at(TODAY - 60), "instrument": "BETA", "side": "buy",
          "quantity": 20, "price": 20, "currency": "EUR"})  # fmt: skip
    small_book(send)
    _, found = of(stores, "own:alpha")
    dollars = next(shares for name, _, shares in found.currencies() if name == "USD")
    first = (50 * 10 * 0.9 * (0.92 / 0.9 - 1), 50 * 0.5 * 0.9, 50 * 0.5 * 0.9 * (0.92 / 0.9 - 1))
    second = 50 * -0.3 * 0.92
    wealth = found.returns[0] + 1.0
    assert dollars[1] == pytest.approx(first[0] / 1_000)
    assert dollars[0] == pytest.approx(first[1] / 1_000 + wealth * second / 1_046)
    assert dollars[2] == pytest.approx(first[2] / 1_000)
    assert found.total_pnl == pytest.approx(37.6)
    assert found.is_unexplained and any("moved apart" in reason for reason in found.reasons)
    assert math.fsum(part.pnl for part in found.parts("instrument")) == pytest.approx(37.6)


def test_weights_that_were_told_drift_with_prices_until_they_are_told_anew(stores: Stores, send: Send) -> None:
    small_book(send)
    tell(send, "benchmark_weights", {"benchmark": "INDEX", "ts": at(TODAY), "instrument": "ACME", "weight": 0.6},
         {"benchmark": "INDEX", "ts": at(TODAY), "instrument": "BETA", "weight": 0.4})  # fmt: skip
    data, found = of(stores, "own:alpha")
    told = attributed_to(stores, data, found, "instrument", "BF", "carino", "arithmetic")
    assert told is not None
    acme = next(each for each in told.segments if each.name == "ACME")
    grown = 0.6 * (10.5 * 0.92) / (10 * 0.9)
    assert acme.benchmark_weight == pytest.approx((0.6 + grown / (grown + 0.4)) / 2)
    assert told.benchmark == pytest.approx(0.02)
    parts = [*(each.total for each in told.segments), told.apart]
    assert math.fsum(parts) == pytest.approx(told.own - told.benchmark)
    anew = {"benchmark": "INDEX", "ts": at(TODAY), "instrument": "ACME", "weight": 0.5}
    assert send("benchmark_weights", [anew]).json["restated"] == 1
    told = attributed_to(stores, data, found, "instrument", "BF", "carino", "arithmetic")
    assert told is not None
    assert told.told[0] == "Told weights do not add up to 100 %: 90 % on 2024-03-05. The rest counts as cash."
    ((key, was),) = stores.clickhouse.rows("SELECT key, was FROM restatements FINAL WHERE kind = 'benchmark_weights'")
    assert (key, was) == ("INDEX ACME", '{"weight":0.6}')


def test_weights_in_percent_are_refused_and_nothing_is_kept(stores: Stores, send: Send) -> None:
    rows = [{"benchmark": "INDEX", "ts": at(TODAY), "instrument": name, "weight": 5} for name in ("ACME", "BETA")]
    answer = send("benchmark_weights", rows)
    assert answer.status_code == 422
    assert "send shares of 1" in answer.text
    assert stores.clickhouse.rows("SELECT count() FROM benchmark_weights")[0][0] == 0


def test_trades_that_do_not_explain_a_quantity_leave_it_unexplained_with_its_name(stores: Stores, send: Send) -> None:
    small_book(send)
    tell(send, "positions", {"portfolio": "alpha", "ts": at(TODAY + 2 * DAY + 60), "instrument": "ACME", "quantity": 70,
                             "price": 10.2, "currency": "USD"})  # fmt: skip
    _, found = of(stores, "own:alpha")
    assert "Trades do not explain how the quantity of ACME, BETA changed." in found.reasons
    assert math.fsum(part.pnl for part in found.parts("sector")) == pytest.approx(found.total_pnl)


def test_days_without_a_report_are_not_explained_and_a_sector_may_be_called_anything(
    stores: Stores, send: Send
) -> None:
    tell(send, "instruments", {"symbol": "ACME", "sector": "Costs"}, {"symbol": "BETA", "sector": "Total"})
    small_book(send)
    tell(send, "nav", {"portfolio": "alpha", "ts": at(TODAY - DAY), "nav": 900.0, "flow": 900.0})
    _, found = of(stores, "own:alpha")
    assert found.reasons[0] == ("Positions are known from 2024-03-05 to 2024-03-07; 1 step of the window without them.")
    parts = {part.name: part for part in found.parts("sector")}
    assert {"Costs (group)", "Total (group)", "Costs", "Unexplained"} <= set(parts)
    assert math.fsum(part.pnl for part in parts.values()) == pytest.approx(137.6)
    assert math.fsum(part.added for part in parts.values()) == pytest.approx(1_037.6 / 900.0 - 1.0)
    assert parts["Unexplained"].pnl >= 100.0 - 1e-9


def test_a_portfolio_that_begins_in_cash_is_known_to_hold_nothing_until_its_first_trade(
    stores: Stores, send: Send
) -> None:
    tell(send, "nav", {"portfolio": "alpha", "ts": at(TODAY - 2 * DAY), "nav": 1_000.0, "flow": 1_000.0},
         {"portfolio": "alpha", "ts": at(TODAY - DAY), "nav": 1_000.0})  # fmt: skip
    tell(send, "cash", {"portfolio": "alpha", "ts": at(TODAY - 2 * DAY), "currency": "EUR", "amount": 1_000})
    tell(send, "trades", {"portfolio": "alpha", "trade_id": "a", "ts": at(TODAY + 60), "instrument": "BETA",
                          "side": "buy", "quantity": 20, "price": 20, "commission": 7, "currency": "EUR"})  # fmt: skip
    for place, price in ((0, 21.0), (1, 22.0)):
        day, cash = at(TODAY + place * DAY), 1_000 - 20 * 20 - 7
        tell(send, "positions", {"portfolio": "alpha", "ts": day, "instrument": "BETA", "quantity": 20, "price": price})
        tell(send, "cash", {"portfolio": "alpha", "ts": day, "currency": "EUR", "amount": cash})
        tell(send, "nav", {"portfolio": "alpha", "ts": day, "nav": cash + 20 * price})
    for window in ({"window": "ITD"}, {"from": str(np.datetime64(TODAY - DAY, "s"))[:10], "to": "2100-01-01"}):
        _, found = of(stores, "own:alpha", **window)
        assert found.total_costs == pytest.approx(7.0)
        assert not found.is_unexplained and not found.reasons
        assert found.pnl.sum() == pytest.approx(20 * 22 - 20 * 20)
    tell(send, "trades", {"portfolio": "alpha", "trade_id": "b", "ts": at(TODAY - 2 * DAY + 60), "instrument": "GONE",
                          "side": "buy", "quantity": 1, "price": 20, "currency": "EUR"})  # fmt: skip
    _, found = of(stores, "own:alpha", window="ITD")
    assert found.is_unexplained and "without them" in found.reasons[0]


@pytest.mark.parametrize(("off", "is_told"), [(0.0, False), (0.25, True)])
def test_values_that_are_sent_in_cents_do_not_move_apart(stores: Stores, send: Send, off: float, is_told: bool) -> None:
    tell(send, "trades", {"portfolio": "alpha", "trade_id": "a", "ts": at(TODAY - 60), "instrument": "BETA",
                          "side": "buy", "quantity": 3, "price": 20, "currency": "EUR"})  # fmt: skip
    for place, price in enumerate((20.1115, 20.4983, 20.1234)):
        day, nav = at(TODAY + place * DAY), round(100 + 3 * price, 2) + (off if place == 2 else 0.0)
        tell(send, "positions", {"portfolio": "alpha", "ts": day, "instrument": "BETA", "quantity": 3, "price": price})
        tell(send, "cash", {"portfolio": "alpha", "ts": day, "currency": "EUR", "amount": 100})
        tell(send, "nav", {"portfolio": "alpha", "ts": day, "nav": nav})
    _, found = of(stores, "own:alpha")
    assert found.is_unexplained == bool(found.reasons) == is_told
    assert found.total_pnl == pytest.approx(3 * (20.1234 - 20.1115) + off, abs=0.01)


def test_net_and_gross_of_fees_stand_apart_by_what_the_fees_are(stores: Stores) -> None:
    from portfolio.tree.settings import change

    load_sample(stores)
    assert fees(of(stores, "sample:equity", window="5Y")[0]) is None
    data, _ = of(stores, "sample:fund", window="5Y")
    put_portfolios(stores.state, [replace(data.portfolio, management_fee="2", performance_fee="20", nav_is="gross")])
    stores.live.bump("portfolio")
    data, _ = of(stores, "sample:fund", window="5Y")
    found = fees(data)
    assert found is not None
    assert found.gross_return == pytest.approx(data.part.index[-1] - 1.0, rel=1e-9)
    assert found.net_return < found.gross_return
    whole = found.years[1]
    assert whole.management == pytest.approx(0.02, rel=0.2)
    assert whole.gross - whole.net == pytest.approx(whole.fees, abs=0.01)
    put_portfolios(stores.state, [Portfolio("own", "a", "A")])
    with pytest.raises(Exception, match="as it was") as caught:
        change(stores, "a", {"management_fee": "two", "nav_is": "both"})
    assert caught.value.fields == {  # type: ignore[attr-defined]
        "management_fee": "give percent from 0 to 50 such as 1.5, or nothing",
        "nav_is": "give one of net, gross, or nothing",
    }
    assert "management fee none → 1.5" in change(stores, "a", {"management_fee": "1.5"}, "ana")
    change(stores, "a", {"management_accrual": "quarter_advance", "crystallisation": "halfyear"})
    (own,) = list_portfolios(stores.state, "own")
    assert terms_of(own) == Terms(0.015, accrual="quarter_advance", crystallisation="halfyear")
