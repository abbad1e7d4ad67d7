"""Risk of what is held: parts add up to the whole, and returns are those of the prices there are."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from dashboard.risk.cards import left_out
from dashboard.risk.charts import back_test
from portfolio.day_holdings import holdings
from portfolio.holdings import GROUPS
from portfolio.instrument_returns import InstrumentReturns
from portfolio.limits.loss import NotKnown, value_at_risk_ratio
from portfolio.risk import Book, book_of, book_pnl, lost_of, risk_of
from portfolio.risk_backtest import past_risk_of
from portfolio.risk_factors import components, picked
from portfolio.risk_query import METHODS, Method, RiskQuery
from portfolio.stress import stated, stressed
from portfolio.thought_trades import Trade, tried
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send

FUND, *STRATEGIES = portfolios("sample")
USUAL = RiskQuery()
TODAY = int(time.time()) // DAY * DAY - 2 * DAY
"""Midnight of the newest report."""
DRAW = np.random.default_rng(11)
MOVES = DRAW.normal(0.0, 0.01, 200)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def book(stores: Stores, portfolio: Portfolio = FUND, query: RiskQuery = USUAL, day: str = "") -> Book:
    found = book_of(stores, portfolio, None, np.datetime64(day) if day else None, query)
    assert found is not None
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("level", "horizon"), [(0.95, 1), (0.99, 10)])
def test_components_of_positions_and_groups_are_the_whole(
    sample: Stores, method: Method, level: float, horizon: int
) -> None:
    for portfolio in (FUND, *STRATEGIES):
        query = RiskQuery(level, horizon, method, "all")
        risk = risk_of(sample, book(sample, portfolio, query), query)
        whole = risk.whole
        assert math.fsum(whole.component_var) == pytest.approx(whole.value_at_risk, rel=1e-9)
        assert math.fsum(whole.component_es) == pytest.approx(whole.expected_shortfall, rel=1e-9)
        assert whole.expected_shortfall > whole.value_at_risk > 0
        for group in GROUPS:
            parts = risk.by(group)
            assert math.fsum(each.component_var for each in parts) == pytest.approx(whole.value_at_risk, rel=1e-9)
            assert math.fsum(each.component_es for each in parts) == pytest.approx(whole.expected_shortfall, rel=1e-9)
            assert math.fsum(each.value for each in parts) == pytest.approx(risk.all().value, rel=1e-9)


def test_the_fund_is_netted_over_its_strategies(sample: Stores) -> None:
    whole = book(sample)
    assert len(whole.positions) > len(whole.returns.keys)
    assert whole.netted.sum() == pytest.approx(sum(each.value for each in whole.found.positions))
    parts = [book(sample, each) for each in STRATEGIES]
    losses = [risk_of(sample, each, RiskQuery()).whole.value_at_risk for each in parts]
    assert risk_of(sample, whole, RiskQuery()).whole.value_at_risk < math.fsum(losses)
    assert book_pnl(whole) == pytest.approx(sum(book_pnl(each) for each in parts))


def test_what_is_predicted_is_near_what_was(sample: Stores) -> None:
    query = RiskQuery(history="1y")
    risk = risk_of(sample, book(sample, query=query), query)
    assert 0.3 < risk.predicted_volatility / risk.realised_volatility < 3
    assert 1 < risk.principal.effective_bets < len(risk.book.returns.keys)
    assert risk.diversification_ratio > 1
    assert risk.benchmark == "S&P 500"
    assert -1 < risk.beta < 1.5


def test_a_level_further_out_loses_more_and_an_earlier_day_knows_no_later_price(sample: Stores) -> None:
    near, far = (risk_of(sample, book(sample), RiskQuery(level)).whole.value_at_risk for level in (0.95, 0.99))
    assert far > near
    early = book(sample, day="2018-02-05")
    assert early.returns.days[-1] == np.datetime64("2018-02-05")
    assert early.returns.begins >= np.datetime64("2016-02-05")


def test_the_model_is_held_against_what_came(sample: Stores) -> None:
    query = RiskQuery()
    found = past_risk_of(sample, FUND, None, query, np.datetime64("2022-12-28"))
    assert found is not None
    assert found.result.observations == len(found.days) > 240
    assert found.result.expected == pytest.approx(0.05 * len(found.days))
    assert (found.pnl < -found.forecast).sum() == found.result.exceedances
    day = found.days[100]
    (before,) = [int(np.flatnonzero(each == day)[0]) for each in (found.days,)]
    evening = book(sample, day=str(found.days[before - 1]))
    pnl = book_pnl(evening)[-found.reach :]
    assert found.forecast[before] == pytest.approx(-np.quantile(pnl, 0.05), rel=1e-6)


def test_each_method_is_held_against_what_came_by_its_own_line(sample: Stores) -> None:
    lines, said = {}, {}
    for method in METHODS:
        found = past_risk_of(sample, FUND, None, RiskQuery(method=method), np.datetime64("2022-12-28"))
        assert found is not None and np.isfinite(found.forecast).all()
        lines[method], said[method] = found.forecast, back_test(found, "USD").subtitle
    at = len(lines["historical"]) // 2
    assert len({round(float(each[at]), 6) for each in lines.values()}) == 3
    assert "historical, from 250 days" in said["historical"] and "Cornish-Fisher" in said["cornish_fisher"]


def test_what_came_in_a_week_is_not_held_against_the_loss_of_a_day(funded: Stores, send: Send) -> None:
    priced(send, "ACME", levels())
    days = days_back()
    told = [*days[100:170:7], *days[170:]]
    price = dict(zip(days, levels(), strict=True))
    rows = [
        {"portfolio": "alpha", "ts": at(ts), "instrument": name, "quantity": 10, "price": of_one}
        for ts in told for name, of_one in (("ACME", price[ts]), ("BARE", 5))
    ]  # fmt: skip
    tell(send, "positions", rows)
    found = past_risk_of(funded, ALPHA, None, USUAL, np.datetime64(TODAY, "s").astype("datetime64[D]"))
    assert found is not None
    assert found.days.tolist() == [np.datetime64(ts, "s").astype("datetime64[D]").item() for ts in days[171:]]
    assert 0 < found.left_out_ratio < 0.2
    assert "of exposure has no returns: in the P&L, not in the VaR" in back_test(found, "EUR").subtitle


def test_prices_that_the_book_was_made_from_are_not_read_again_for_the_back_test(funded: Stores, send: Send) -> None:
    for name, moves in (("ACME", MOVES), ("SOLD", MOVES[::-1])):
        priced(send, name, [each / 4 if number >= 100 else each for number, each in enumerate(levels(moves))])
    split(send)
    for ts in days_back()[90:]:
        is_split, has_sold = ts >= days_back()[100], ts >= days_back()[150]
        told = {"ACME": 40 if is_split else 10, **({} if has_sold else {"SOLD": 10})}
        rows = [{"instrument": name, "quantity": held, "price": 100} for name, held in told.items()]
        tell(send, "positions", [{"portfolio": "alpha", "ts": at(ts), **row} for row in rows])
    now = book(funded, ALPHA)
    last = np.datetime64(TODAY, "s").astype("datetime64[D]")
    fresh = past_risk_of(funded, ALPHA, None, USUAL, last)
    beside = past_risk_of(funded, ALPHA, None, USUAL, last, now.returns.stored)
    assert fresh is not None and beside is not None
    assert [key.instrument for key in now.returns.keys] == ["ACME"], "what was sold is not among the known prices"
    assert beside.forecast.tolist() == fresh.forecast.tolist()
    assert beside.days.tolist() == fresh.days.tolist()
    # Told after the book was read: a price that is read again would move the VaR.
    priced(send, "ACME", [each * (1.5 if number == 120 else 1) for number, each in enumerate(levels())])
    again = past_risk_of(funded, ALPHA, None, USUAL, last, now.returns.stored)
    assert again is not None
    assert again.forecast.tolist() == fresh.forecast.tolist()


def test_what_was_realised_is_of_a_year_however_often_the_value_is_told(funded: Stores, send: Send) -> None:
    priced(send, "ACME", levels())
    held(send, {"instrument": "ACME", "price": 100})
    weeks = [*zip(days_back(), levels(), strict=True)][3::7]
    tell(send, "nav", [{"portfolio": "alpha", "ts": at(ts), "nav": each} for ts, each in weeks])
    of_a_week = np.diff([each for _, each in weeks]) / [each for _, each in weeks[:-1]]
    risk = risk_of(funded, book(funded, ALPHA), USUAL)
    assert risk.realised_volatility == pytest.approx(np.std(of_a_week, ddof=1) * math.sqrt(52), rel=1e-6)


def test_factors_explain_a_share_of_the_variance_that_adds_up(sample: Stores) -> None:
    risk = risk_of(sample, book(sample), RiskQuery())
    found = components(risk)
    assert len(found.rows) == 5
    assert 0 < found.explained <= 1
    told = picked(sample, risk.book, ("SP500", "MTUM"))
    assert [each.name for each in told.rows] == ["S&P 500", "iShares MSCI USA Momentum"]
    assert math.fsum(each.share for each in told.rows) == pytest.approx(told.explained, rel=1e-9)
    alone = picked(sample, risk.book, ("SP500",))
    assert alone.rows[0].beta == pytest.approx(risk.beta, rel=1e-6)
    wrong = picked(sample, risk.book, ("SP50",))
    assert (wrong.rows, wrong.told) == ((), ("Factors: there is no series “SP50”. Did you mean SP500?",))


def days_back(count: int = len(MOVES)) -> list[int]:
    return [TODAY - (count - 1 - number) * DAY for number in range(count)]


def levels(moves: np.ndarray = MOVES) -> list[float]:
    return [float(each) for each in np.round(100 * np.cumprod(1 + moves), 6)]


def tell(send: Send, kind: str, rows: list[dict[str, Any]]) -> None:
    answer = send(kind, rows)
    assert answer.status_code == 200, answer.text


def priced(send: Send, symbol: str, prices: list[float]) -> None:
    told = zip(days_back(len(prices)), prices, strict=True)
    tell(send, "prices", [{"instrument": symbol, "ts": at(ts), "price": each} for ts, each in told])


def held(send: Send, *rows: dict[str, Any], ts: int = TODAY) -> None:
    tell(send, "positions", [{"portfolio": "alpha", "ts": at(ts), "quantity": 10, **row} for row in rows])


def returns(stores: Stores, history: str = "1y") -> InstrumentReturns:
    _, problems = RiskQuery.parse({"history": history})
    assert not problems
    return book(stores, ALPHA, RiskQuery.parse({"history": history})[0]).returns


def test_returns_are_those_of_stored_prices(funded: Stores, send: Send) -> None:
    priced(send, "ACME", levels())
    held(send, {"instrument": "ACME", "price": 100})
    found = returns(funded)
    assert found.returns[:, 0] == pytest.approx(MOVES[1:], abs=1e-6)
    assert (found.left_out, found.from_reports) == ((), ())
    assert found.days_a_year == 365, "it trades at weekends"


def test_where_no_price_is_stored_those_of_reports_count(funded: Stores, send: Send) -> None:
    for ts, price in zip(days_back(), levels(), strict=True):
        rows = [{"portfolio": "alpha", "ts": at(ts), "instrument": "ACME", "quantity": 10, "price": price}]
        send("positions", rows)
    found = returns(funded)
    assert found.returns[:, 0] == pytest.approx(MOVES[1:], abs=1e-6)
    assert found.from_reports == ("ACME",)


def split(send: Send) -> None:
    row = {"portfolio": "alpha", "transaction_id": "s", "ts": at(days_back()[100] + 40_000), "action": "split",
           "instrument": "ACME", "split_ratio": 4}  # fmt: skip
    tell(send, "transactions", [row])


@pytest.mark.parametrize("is_adjusted", [False, True])
def test_a_split_is_no_return_whether_prices_are_adjusted_or_not(funded: Stores, send: Send, is_adjusted: bool) -> None:
    prices = [each if is_adjusted or number < 100 else each / 4 for number, each in enumerate(levels())]
    priced(send, "ACME", prices)
    split(send)
    held(send, {"instrument": "ACME", "price": 100})
    assert returns(funded).returns[:, 0] == pytest.approx(MOVES[1:], abs=1e-6)


def test_a_position_in_another_currency_moves_with_its_rate(funded: Stores, send: Send) -> None:
    priced(send, "ACME", levels())
    rates = 1.1 * np.cumprod(1 + MOVES[::-1])
    tell(send, "fx", [{"base": "EUR", "quote": "USD", "ts": at(ts), "rate": float(rate)}
                      for ts, rate in zip(days_back(), rates, strict=True)])  # fmt: skip
    held(send, {"instrument": "ACME", "price": 100, "currency": "USD"})
    assert returns(funded).returns[:, 0] == pytest.approx((1 + MOVES[1:]) / (1 + MOVES[::-1][1:]) - 1, abs=1e-6)


def cash_of(send: Send, currency: str, amount: float) -> None:
    tell(send, "cash", [{"portfolio": "alpha", "ts": at(TODAY), "currency": currency, "amount": amount}])


@pytest.fixture
def dollars(send: Send) -> np.ndarray:
    """A share in dollars with its course, and the course of the dollar (euros for one), in returns."""
    priced(send, "ACME", levels())
    rates = 1.1 * np.cumprod(1 + MOVES[::-1])
    tell(send, "fx", [{"base": "EUR", "quote": "USD", "ts": at(ts), "rate": float(rate)}
                      for ts, rate in zip(days_back(), rates, strict=True)])  # fmt: skip
    return 1.0 / (1 + MOVES[::-1][1:]) - 1


def test_cash_in_another_currency_moves_with_its_rate_and_hedges_what_is_held_in_it(
    funded: Stores, send: Send, dollars: np.ndarray
) -> None:
    held(send, {"instrument": "ACME", "price": 100, "currency": "USD"})
    bare = book(funded, ALPHA, RiskQuery())
    cash_of(send, "USD", -1_000)
    cash_of(send, "EUR", 5_000)
    found = book(funded, ALPHA, RiskQuery())
    worth = -1_000 / (1.1 * float(np.prod(1 + MOVES)))
    (cash,) = (each for each in found.positions if each.is_cash)
    assert (cash.instrument, cash.value) == ("CASH USD", pytest.approx(worth, rel=1e-9))
    column = found.returns.keys.index(("CASH USD", "USD"))
    assert found.returns.returns[:, column] == pytest.approx(dollars, abs=1e-9)
    risk = risk_of(funded, found, RiskQuery())
    assert risk.whole.component_var.sum() == pytest.approx(risk.whole.value_at_risk, rel=1e-9)
    assert math.fsum(each.component_var for each in risk.by("asset_class")) == pytest.approx(
        risk.whole.value_at_risk, rel=1e-9
    )
    assert risk.whole.value_at_risk < risk_of(funded, bare, RiskQuery()).whole.value_at_risk
    (dollar,) = (each for each in stated(stressed(funded, found)) if each.kind == "currency")
    assert dollar.total == pytest.approx(-0.1 * math.fsum(found.values), rel=1e-9)
    assert dollar.total == pytest.approx(0.0, abs=0.01), "what was borrowed pays for what is held"
    changes = {each.name: each for each in tried(funded, found.found, RiskQuery(), [Trade("ACME", -10)]).changes}
    assert changes["historical_var"].before == pytest.approx(risk.whole.value_at_risk, rel=1e-9)
    assert changes["largest_share"].before == 1.0


def test_cash_alone_in_another_currency_is_at_risk(funded: Stores, send: Send, dollars: np.ndarray) -> None:
    held(send, {"instrument": "ACME", "price": 100, "quantity": 0})
    cash_of(send, "USD", 1_000)
    found = holdings(funded, ALPHA, None)
    assert found is not None
    one = value_at_risk_ratio(funded, found, 1.0, 0.95)
    assert one == pytest.approx(found.cash * value_at_risk_ratio(funded, found, found.cash, 0.95), rel=1e-9)
    assert one > 0
    assert book(funded, ALPHA, RiskQuery()).returns.returns[:, 0] == pytest.approx(dollars, abs=1e-9)


def test_what_has_too_little_history_is_named_with_its_share(funded: Stores, send: Send) -> None:
    priced(send, "ACME", levels())
    priced(send, "NEW", [50.0] * 20)
    held(send, {"instrument": "ACME", "price": 90}, {"instrument": "NEW", "price": 10})
    found = returns(funded)
    assert [key.instrument for key in found.keys] == ["ACME"]
    assert found.left_out_ratio == pytest.approx(0.1)
    assert found.left_out[0].key.instrument == "NEW"
    assert found.left_out[0].why.startswith("its prices begin on ")


def test_without_prices_there_is_no_risk_and_it_is_said_why(funded: Stores, send: Send) -> None:
    held(send, {"instrument": "ACME", "price": 90})
    assert "60 are needed" in returns(funded).lacks
    priced(send, "ACME", levels()[:30])
    assert "60 are needed" in returns(funded).lacks


def test_prices_that_ended_long_before_the_report_are_told_and_no_limit_is_kept_by_them(
    funded: Stores, send: Send
) -> None:
    for symbol, moves, until in (("OLD", MOVES, 150), ("NEW", MOVES[::-1], 200)):
        told = [*zip(days_back(), levels(moves), strict=True)][:until]
        tell(send, "prices", [{"instrument": symbol, "ts": at(ts), "price": each} for ts, each in told])
    held(send, {"instrument": "OLD", "price": 60}, {"instrument": "NEW", "price": 40})
    found = book(funded, ALPHA)
    ended = np.datetime64(days_back()[149], "s").astype("datetime64[D]")
    assert found.returns.days[-1] == ended
    (said,) = lost_of(found)
    assert said == f"Of most of what is held the newest price is of {ended}: what came since is in no figure."
    assert said in left_out(found)
    with pytest.raises(NotKnown, match=str(ended)):
        value_at_risk_ratio(funded, found.found, 1_000.0, 0.95)


def test_a_day_without_a_price_moves_with_the_next_one(funded: Stores, send: Send) -> None:
    priced(send, "ACME", levels())
    other = levels(MOVES[::-1])
    times = days_back()
    rows = [
        {"instrument": "RARE", "ts": at(ts), "price": each}
        for number, (ts, each) in enumerate(zip(times, other, strict=True)) if number != 50
    ]  # fmt: skip
    tell(send, "prices", rows)
    held(send, {"instrument": "ACME", "price": 90}, {"instrument": "RARE", "price": 10})
    found = returns(funded)
    column = [key.instrument for key in found.keys].index("RARE")
    assert found.returns[49, column] == 0
    assert found.returns[50, column] == pytest.approx(other[51] / other[49] - 1, abs=1e-6)


@pytest.mark.parametrize(
    ("texts", "said"),
    [({"level": "97"}, "Level"), ({"horizon": "-1"}, "Horizon"), ({"method": "magic"}, "Method"),
     ({"history": "9y"}, "History"), ({"factors": "a,b,c,d,e,f,g"}, "Factors")],
)  # fmt: skip
def test_a_choice_that_is_none_is_told_and_the_usual_one_used(texts: dict[str, str], said: str) -> None:
    query, problems = RiskQuery.parse(texts)
    assert problems[0].startswith(said)
    assert query.level == 0.95 and query.horizon == 1 and query.method == "historical" and len(query.factors) <= 6
