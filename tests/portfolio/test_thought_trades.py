"""What-if: thought-of trades change the figures as if they had been done."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.portfolio_limits.limit import LimitState, PortfolioLimit
from dashboard.what_if.limits import breach_line, limits_table
from portfolio.book_liquidity import DAYS, liquidity_of
from portfolio.day_holdings import holdings
from portfolio.holdings import Holdings
from portfolio.limits.judge import Finding, stands
from portfolio.limits.tried import LimitTried, limits_tried
from portfolio.risk import book_of, risk_of
from portfolio.risk_query import RiskQuery
from portfolio.thought_trades import Trade, Tried, parse_cost, parse_trades, tried, write_trades
from sample.load import load_sample, portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of

FUND, *STRATEGIES = portfolios("sample")
EQUITY = STRATEGIES[0]
QUERY = RiskQuery()


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def held(stores: Stores) -> Holdings:
    found = holdings(stores, EQUITY, None)
    assert found is not None
    return found


def figures(found: Tried) -> dict[str, tuple[float, float]]:
    return {each.name: (each.before, each.after) for each in found.changes}


def test_before_is_what_other_pages_say_and_without_trades_nothing_changes(sample: Stores) -> None:
    found = figures(tried(sample, held(sample), QUERY, ()))
    whole, nav = held(sample).all(), held(sample).nav
    assert found["gross_ratio"][0] == pytest.approx(whole.gross / nav, rel=1e-9)
    assert found["nav"][0] == nav
    book = book_of(sample, EQUITY, None, None, QUERY)
    assert book is not None
    risk = risk_of(sample, book, QUERY)
    assert found["historical_var"][0] == pytest.approx(risk.by_method["historical"].value_at_risk, rel=1e-9)
    assert found["parametric_es"][0] == pytest.approx(risk.by_method["parametric"].expected_shortfall, rel=1e-9)
    assert found["beta_adjusted_ratio"][0] == pytest.approx(risk.beta, rel=1e-9)
    assert all(before == after for before, after in found.values())


def test_selling_a_position_takes_its_incremental_var_and_cash_pays(sample: Stores) -> None:
    book = book_of(sample, EQUITY, None, None, QUERY)
    assert book is not None
    first = book.positions[0]
    found = tried(sample, held(sample), QUERY, [Trade(first.instrument, -first.quantity)], cost_ratio=0.001)
    change = figures(found)
    assert found.trades[0].value == pytest.approx(-first.value)
    before, after = change["historical_var"]
    whole = risk_of(sample, book, QUERY).by_method["historical"]
    assert before - after == pytest.approx(float(whole.incremental_var[0]), rel=1e-6)
    assert change["nav"][1] == pytest.approx(book.found.nav - 0.001 * first.value)
    assert change["cash"][1] == pytest.approx(change["cash"][0] + first.value * 0.999)


def test_strategies_share_what_an_instrument_trades(sample: Stores) -> None:
    whole = holdings(sample, FUND, None)
    assert whole is not None
    assert len({each.instrument for each in whole.positions}) < len(whole.positions)
    change = figures(tried(sample, whole, QUERY, [Trade(whole.positions[0].instrument, 1e9, is_money=True)]))
    out = dict(zip(DAYS, liquidity_of(whole.positions).steps.share.tolist(), strict=True))
    for days in (1, 5, 10, 20):
        assert change[f"out_in_{days}_days_ratio"][0] == pytest.approx(out[days], rel=1e-9)
    assert change["out_in_1_days_ratio"][1] < change["out_in_1_days_ratio"][0]


def test_what_is_not_held_is_opened_at_its_newest_price(sample: Stores) -> None:
    ((price,),) = sample.clickhouse.rows(
        "SELECT price FROM prices FINAL WHERE origin = 'sample' AND instrument = 'USMV' ORDER BY ts DESC LIMIT 1"
    )
    found = tried(sample, held(sample), QUERY, [Trade("USMV", 1_000), Trade("USMV", 5_000, is_money=True)])
    assert [each.value for each in found.trades] == pytest.approx([1_000 * price, 5_000])
    assert found.trades[0].name == "iShares MSCI USA Minimum Volatility"
    change = figures(found)
    assert change["long_ratio"][1] > change["long_ratio"][0]
    assert change["historical_var"][0] != change["historical_var"][1]
    assert not np.isnan([each.after for each in found.changes]).any()
    assert found.told == ()


def test_what_there_is_not_is_told_and_changes_nothing(sample: Stores) -> None:
    found = tried(sample, held(sample), QUERY, [Trade("USMW", 5)])
    assert found.told == ("Trade: there is no instrument “USMW”; did you mean USMV?",)
    assert all(before == after for before, after in figures(found).values())
    ruinous = tried(sample, held(sample), QUERY, [Trade("USMV", 1e15, is_money=True)], cost_ratio=0.05)
    assert ruinous.changes == () and "take the whole net asset value" in ruinous.told[-1]


def test_trades_are_written_as_they_are_read() -> None:
    trades = (Trade("AAPL", 100), Trade("BRK B", -250_000.5, is_money=True))
    assert write_trades(trades) == "buy 100 AAPL; sell 250000.5 money of BRK B"
    assert parse_trades(write_trades(trades)) == (trades, ())


@pytest.mark.parametrize(
    "text", ["hold 5 A", "buy -5 A", "buy 0 A", "buy A", "buy nan A", "buy 1e9 A", f"buy {'9' * 40} A"]
)
def test_what_is_no_trade_is_told(text: str) -> None:
    trades, problems = parse_trades(f"buy 1 B; {text}")
    assert trades == (Trade("B", 1),)
    assert "is none such as “buy 100 AAPL”" in problems[0]


def test_twenty_trades_are_taken_and_costs_within_reason() -> None:
    trades, problems = parse_trades(";".join(["buy 1 A"] * 30))
    assert len(trades) == 20 and len(problems) == 1
    assert parse_cost("2,5") == (0.00025, "")
    for wrong in ("-1", "much", "nan", "99999"):
        assert parse_cost(wrong)[0] == 0 and "basis points" in parse_cost(wrong)[1]


def test_limits_after_trades_are_what_the_figures_after_them_say(sample: Stores) -> None:
    """Of a fund that opens, adds to, turns and gives up positions; the figures are worked out on another way."""
    whole = holdings(sample, FUND, None)
    assert whole is not None
    gone = next(each for each in whole.positions if each.portfolio == STRATEGIES[1].id)
    trades = [
        Trade("GE", 5_000_000, is_money=True), Trade("XOM", 40_000), Trade("BAC", -60_000),
        Trade(gone.instrument, -gone.quantity) if gone.quantity > 0 else Trade("KO", -30_000),
    ]  # fmt: skip
    found = tried(sample, whole, QUERY, trades, cost_ratio=0.001)
    after = {name: last for name, (_, last) in figures(found).items()}
    by = {(each.after.limit.figure): each for each in limits_tried(sample, FUND, None, sample.clock.now(), found)}
    nav = after["nav"]
    assert by["gross"].after.value == pytest.approx(after["gross_ratio"], rel=1e-9)
    assert by["net"].after.value == pytest.approx(after["net_ratio"], rel=1e-9)
    assert by["var_95"].after.value == pytest.approx(after["historical_var"] / nav, rel=1e-9)
    assert found.after is not None and found.after.cash == pytest.approx(after["cash"], rel=1e-9)
    traded = sum(abs(each.value) for each in found.trades)
    assert by["turnover"].after.value * nav == pytest.approx(by["turnover"].before.value * whole.nav + traded)  # type: ignore[operator]
    assert by["drawdown"].after.value == by["drawdown"].before.value
    now = {each.limit.figure: each for each in stands(sample, [FUND], None, sample.clock.now())}
    assert {name: each.before.value for name, each in by.items()} == {name: each.value for name, each in now.items()}
    assert by["restricted"].after.of == "BAC, GE" and not by["restricted"].would_breach, "it was broken before"
    fewer = replace(by["restricted"].before, of="BAC")
    assert replace(by["restricted"], before=fewer).would_breach, "each that is bought is a breach of its own"
    larger = tried(sample, whole, QUERY, [Trade("XOM", 0.6 * whole.nav, is_money=True)])
    broken = [each for each in limits_tried(sample, FUND, None, sample.clock.now(), larger) if each.would_breach]
    assert {"position", "sector", "turnover"} <= {each.after.limit.figure for each in broken}


def test_what_is_not_known_after_trades_is_no_limit_that_holds_again() -> None:
    limit = PortfolioLimit(figure="liquidate_days", value=5.0)
    broken = Finding(FUND, limit, 9.0, "", LimitState.BREACHED, "", 1.0)
    lost = LimitTried(broken, replace(broken, value=None, state=LimitState.UNKNOWN, why="no volume of NEW"))
    assert lost.would_be_lost and not lost.would_breach
    assert "no longer" not in text_of(limits_table([lost], is_known=True))
    assert "no volume of NEW" in text_of(breach_line([lost])[0])
    assert "not known" in text_of(limits_table([], is_known=False))


def test_without_trades_limits_stay_as_they_are(sample: Stores) -> None:
    whole = holdings(sample, FUND, None)
    assert whole is not None
    found = limits_tried(sample, FUND, None, sample.clock.now(), tried(sample, whole, QUERY, ()))
    assert found
    for each in found:
        assert each.after.value == pytest.approx(each.before.value), each.after.limit.figure
        assert each.after.state == each.before.state and not each.would_breach
