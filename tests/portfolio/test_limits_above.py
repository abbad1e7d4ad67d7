"""Trades that are thought of in a strategy move the portfolios above it: their limits, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import what_if
from dashboard.views.tab import Choices
from portfolio.allowed import Limits
from portfolio.day_holdings import holdings
from portfolio.limits.change import save
from portfolio.limits.tried import LimitTried, limits_tried
from portfolio.risk_query import RiskQuery
from portfolio.thought_trades import Trade, tried
from storage.state.portfolios import list_portfolios, put_portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.support.funded import sender
from tests.support.readiness import safe_stores


@pytest.fixture
def fund(stores: Stores) -> Stores:
    """A fund of alpha and beta, each worth 109, both in dollars; prices are 10."""
    return safe_stores(stores)


@pytest.fixture
def hold(fund: Stores) -> Callable[..., None]:
    send = sender(fund)

    def told(portfolio: str, currency: str = "USD", **quantities: float) -> None:
        of = {"portfolio": portfolio, "ts": at(fund.clock.now()), "currency": currency, "price": 10}
        answer = send("positions", [{**of, "instrument": name, "quantity": each} for name, each in quantities.items()])
        assert answer.status_code == 200, answer.text

    return told


def limited(stores: Stores, portfolio: str, figure: str, value: str, **more: str) -> None:
    save(stores, {"portfolio": portfolio, "figure": figure, "value": value, **more}, "ana")


def after(
    stores: Stores, *trades: Trade, of: str = "alpha", seen: Limits = None, cost_ratio: float = 0.0
) -> list[LimitTried]:  # fmt: skip
    portfolio = next(each for each in list_portfolios(stores.state) if each.id == of)
    held = holdings(stores, portfolio, seen)
    assert held is not None
    found = tried(stores, held, RiskQuery(), trades, cost_ratio)
    return limits_tried(stores, portfolio, seen, stores.clock.now(), found)


def broken(found: list[LimitTried]) -> list[tuple[str, str, float, float]]:
    """Return portfolio, figure, and value before and after, of what would be broken: in the order of portfolios."""
    there = [each for each in found if each.would_breach]
    order = list(dict.fromkeys(each.after.portfolio.id for each in there))
    rows = [
        (each.after.portfolio.id, each.after.limit.figure, round(each.before.value or 0, 4),
         round(each.after.value or 0, 4))
        for each in there
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (order.index(row[0]), row[1]))


def test_what_several_hold_together_breaks_the_limit_of_the_fund_and_none_of_the_strategy(
    fund: Stores, hold: Callable[..., None]
) -> None:
    hold("alpha", ACME=2, XYZ=1)
    hold("beta", ACME=8)
    limited(fund, "alpha", "position", "50 %")
    limited(fund, "fund", "position", "50 %")
    limited(fund, "fund", "turnover", "5 %")
    assert broken(after(fund, Trade("ACME", 0.5))) == []
    # 20 + 80 of 218; and 10.95 more than half.
    assert broken(after(fund, Trade("ACME", 2))) == [
        ("fund", "position", round(100 / 218, 4), round(120 / 218, 4)), ("fund", "turnover", 0.0, round(20 / 218, 4)),
    ]  # fmt: skip
    # In alpha it is 20 + 40 of 109, and 140 of 218 in the fund: both.
    both = broken(after(fund, Trade("ACME", 4)))
    assert [each[0] for each in both] == ["alpha", "fund", "fund"]
    assert both[0][3] == round(60 / 109, 4) and both[1][3] == round(140 / 218, 4)
    # Costs of a tenth of 20 make the fund poorer too.
    costly = broken(after(fund, Trade("ACME", 2), cost_ratio=0.1))
    assert costly[0][3] == round(120 / 216, 4)


def test_a_short_in_one_strategy_is_not_set_against_what_another_one_has(
    fund: Stores, hold: Callable[..., None]
) -> None:  # fmt: skip
    hold("alpha", ACME=-3)
    hold("beta", ACME=5)
    limited(fund, "fund", "short", "20 %")
    limited(fund, "fund", "gross", "45 %")
    limited(fund, "fund", "position", "20 %")
    # Short 30 and 20 more; gross 80 and 20 more; the position is 20 and then 0.
    assert broken(after(fund, Trade("ACME", -2))) == [
        ("fund", "gross", round(80 / 218, 4), round(100 / 218, 4)), ("fund", "short", round(30 / 218, 4),
                                                                     round(50 / 218, 4)),
    ]  # fmt: skip


def test_what_is_opened_or_given_up_is_so_above_in_the_currency_of_the_fund(
    fund: Stores, hold: Callable[..., None]
) -> None:  # fmt: skip
    now = fund.clock.now()
    alpha = next(each for each in list_portfolios(fund.state) if each.id == "alpha")
    put_portfolios(fund.state, [replace(alpha, currency="EUR")])
    send = sender(fund)
    rates = [{"base": "EUR", "quote": "USD", "ts": at(now - day * DAY), "rate": 2} for day in range(12)]
    assert send("fx", rates).status_code == 200
    assert send("prices", [{"ts": at(now - DAY), "instrument": "NEW", "price": 5}]).status_code == 200
    assert send("instruments", [{"symbol": "NEW", "currency": "EUR", "asset_class": "equity"}]).status_code == 200
    hold("alpha", "EUR", ACME=3)
    hold("beta", XYZ=4)
    # The fund: 2 × 109 + 109 = 327; long 2 × 30 + 40 = 100.
    limited(fund, "fund", "long", "40 %")
    # 20 euros of what nobody held are 40 dollars more.
    found = broken(after(fund, Trade("NEW", 20, is_money=True)))
    assert found == [("fund", "long", round(100 / 327, 4), round(140 / 327, 4))]
    assert broken(after(fund, Trade("NEW", 20, is_money=True), Trade("ACME", -3))) == []
    limited(fund, "fund", "restricted", "", of="NEW")
    assert ("fund", "restricted", 0, 1) in broken(after(fund, Trade("NEW", 1)))


def test_the_whole_tree_above_and_who_tells_positions_of_its_own(fund: Stores, hold: Callable[..., None]) -> None:
    known = {each.id: each for each in list_portfolios(fund.state)}
    top = replace(known["fund"], id="house", name="House")
    put_portfolios(fund.state, [top, replace(known["fund"], parent="house")])
    hold("alpha", ACME=2)
    hold("fund", ACME=9, XYZ=1)
    for each in ("fund", "house"):
        limited(fund, each, "position", "45 %")
    # The fund tells 90 of its 218 itself, alpha's 20 among them; the house is the fund.
    expected = (round(90 / 218, 4), round(110 / 218, 4))
    assert broken(after(fund, Trade("ACME", 2))) == [
        ("fund", "position", *expected), ("house", "position", *expected),
    ]  # fmt: skip


def test_who_may_not_see_what_is_above_is_told_nothing_of_it(fund: Stores, hold: Callable[..., None]) -> None:
    hold("alpha", ACME=2)
    hold("beta", ACME=8)
    limited(fund, "fund", "position", "50 %")
    assert broken(after(fund, Trade("ACME", 2), seen=frozenset({"alpha"}))) == []
    choices = Choices.of({"portfolio": "own:alpha", "trades": "buy 2 ACME"})

    def shown(portfolios: Limits) -> str:
        view = what_if.build(fund, choices, Viewer("ana", Role.VIEWER, portfolios=portfolios))
        return text_of([view.slots["what-if-remarks"], view.slots["what-if-limits-table"]])

    assert "Of Fund these trades would breach Position at most 50.0 %: ACME 55.0 %." in shown(None)
    assert "Fund" not in shown(frozenset({"alpha"})) and "would breach" not in shown(frozenset({"alpha"}))


def test_what_is_known_of_the_fund_and_would_not_be_is_told(fund: Stores, hold: Callable[..., None]) -> None:
    hold("alpha", ACME=2)
    hold("beta", XYZ=8)
    send = sender(fund)
    rows = [{"symbol": each, "daily_volume": 1_000} for each in ("ACME", "XYZ")]
    assert send("instruments", rows).status_code == 200
    assert send("prices", [{"ts": at(fund.clock.now() - DAY), "instrument": "NEW", "price": 5}]).status_code == 200
    limited(fund, "fund", "liquidate_days", "5")
    (lost,) = [each for each in after(fund, Trade("NEW", 1)) if each.would_be_lost]
    assert (lost.after.portfolio.id, lost.after.why) == (
        "fund", "days to liquidate is not known: the average daily volume of NEW is not known",
    )  # fmt: skip
