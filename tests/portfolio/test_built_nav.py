"""A portfolio that sends trades, prices and money alone has the history that they come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.alerts.expression import Figure
from core.alerts.rule import Rule
from core.clock import DAY_SECONDS, FakeClock
from portfolio.histories import fund
from portfolio.history import History
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.rule_figures import past_of_portfolios
from portfolio.told import told
from portfolio.vocabulary import vocabulary
from sample.load import load_sample, portfolios
from status.back_test import back_test
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.portfolio.test_reconciliation import DAY, TODAY, at, bought, held, moved
from tests.support.funded import ALPHA, Send, tell

FUND, *STRATEGIES = portfolios("sample")
BETA = Portfolio("own", "beta", "Beta", "alpha", currency="EUR")


@pytest.fixture
def funded(funded: Stores) -> Stores:
    put_portfolios(funded.state, [BETA])
    return funded


def of(stores: Stores, portfolio: Portfolio = ALPHA) -> History:
    return fund(stores, portfolio.origin).history(portfolio.id)


def day(offset: int) -> np.datetime64:
    return np.datetime64(TODAY + offset * DAY, "s").astype("datetime64[D]")


def price(send: Send, offset: int, value: float, instrument: str = "ACME", currency: str = "EUR") -> None:
    tell(send, "prices", {"instrument": instrument, "ts": at(TODAY + offset * DAY), "price": value,
                          "currency": currency})  # fmt: skip


def test_the_sample_without_its_values_and_reports_has_the_same_returns(stores: Stores) -> None:
    load_sample(stores)
    reported = {each.id: of(stores, each) for each in (FUND, *STRATEGIES)}
    money = [
        (f"('sample', '{each.id}', 'm{number}', toDateTime64({second}, 6, 'UTC'), "
         f"'{'deposit' if flow > 0 else 'withdrawal'}', {abs(flow)})")
        for each in STRATEGIES
        for number, (second, flow) in enumerate(zip(
            (reported[each.id].nav.dates.astype(np.int64) * DAY_SECONDS).tolist(),
            reported[each.id].nav.flow.tolist(), strict=True,
        )) if flow
    ]  # fmt: skip
    for table in ("positions", "nav", "nav_daily", "nav_flows"):
        stores.clickhouse.command(f"TRUNCATE TABLE {table}")
    columns = "(origin, portfolio, transaction_id, ts, action, amount)"
    stores.clickhouse.command(f"INSERT INTO transactions {columns} VALUES {', '.join(money)}")
    stores.live.bump("portfolio")
    for each in STRATEGIES:
        found, was = of(stores, each), reported[each.id]
        assert found.built == (each.id,)
        kept = np.isin(was.nav.dates, found.nav.dates)
        assert kept.sum() == len(found.nav) > 2_000
        assert found.nav.value == pytest.approx(was.nav.value[kept], rel=1e-9)
        assert found.track.returns[1:] == pytest.approx(was.track.returns[kept][1:], abs=1e-9)
    whole = of(stores, FUND)
    assert whole.built == tuple(each.id for each in STRATEGIES)
    assert whole.nav.value[-1] == pytest.approx(reported[FUND.id].nav.value[-1], rel=1e-9)


def test_values_are_positions_at_their_prices_and_cash(funded: Stores, send: Send) -> None:
    moved(send, -4, action="deposit", amount=2_000)
    bought(send, -3, 100, 10, commission=5)
    price(send, -2, 11)
    moved(send, -1, action="withdrawal", amount=500)
    price(send, 0, 12)
    nav = of(funded).nav
    assert nav.dates.tolist() == [day(each).item() for each in (-3, -2, 0)]
    assert nav.value.tolist() == [1_995, 2_095, 1_695]
    assert nav.flow[1:].tolist() == [0, -500]
    data = read(funded, PortfolioQuery("own:alpha"), None)
    assert data.own.built == ("alpha",)
    assert f"Alpha reports no values: they are built from its trades, transactions and prices, from {day(-3)} on." in (
        told(data)
    )


def test_what_is_transferred_in_is_money_at_the_price_of_its_day(funded: Stores, send: Send) -> None:
    moved(send, -4, action="deposit", amount=1_000)
    bought(send, -3, 100, 10)
    moved(send, -2, action="transfer", instrument="ACME", quantity=50, amount=400)
    price(send, -2, 12)
    nav = of(funded).nav
    assert nav.value.tolist() == [1_000, 1_800]
    assert nav.flow[-1] == 600


def test_what_came_in_before_its_first_price_is_money_of_the_day_that_has_one(funded: Stores, send: Send) -> None:
    moved(send, -4, action="deposit", amount=1_000)
    bought(send, -3, 100, 10)
    moved(send, -2, action="transfer", instrument="OTHER", quantity=50)
    price(send, -1, 12, "OTHER")
    found = of(funded)
    assert found.nav.value.tolist() == [1_000, 1_600]
    assert found.nav.flow[-1] == 600 and found.track.returns[-1] == pytest.approx(0)


def test_a_future_that_came_at_no_told_price_is_no_cash(funded: Stores, send: Send) -> None:
    put_portfolios(funded.state, [Portfolio("own", "gamma", "Gamma", currency="EUR")])
    tell(send, "instruments", {"symbol": "ES", "asset_class": "future", "multiplier": 50})
    moved(send, -4, action="deposit", amount=1_000_000, portfolio="gamma")
    bought(send, -4, 1, 10, portfolio="gamma")
    moved(send, -3, action="transfer", instrument="ES", quantity=10, portfolio="gamma")
    price(send, -3, 5_000, "ES")
    why = "ES came or went at a price that nobody told"
    assert fund(funded, "own").history("gamma").told == (f"Gamma: no value is built from its trades: {why}",)


def test_a_part_with_few_trades_takes_no_day_from_one_that_reports_daily(funded: Stores, send: Send) -> None:
    put_portfolios(funded.state, [Portfolio("own", "gamma", "Gamma", "alpha", currency="EUR")])
    for back in range(60, -1, -1):
        tell(send, "nav", {"portfolio": "beta", "ts": at(TODAY - back * DAY), "nav": 1_000 + back})
    for back in (50, 30):
        moved(send, -back, action="deposit", amount=500, portfolio="gamma")
        bought(send, -back, 10, 10, portfolio="gamma")
    found = of(funded)
    assert (len(found.nav), found.nav.dates[-1]) == (61, day(0))
    assert any("Gamma: left out: its values are built from trades" in line for line in found.told)


def test_other_currencies_are_at_the_rate_of_the_day_and_days_without_one_are_told(funded: Stores, send: Send) -> None:
    tell(send, "fx", {"base": "USD", "quote": "EUR", "ts": at(TODAY - 20 * DAY), "rate": 0.5})
    moved(send, -21, action="deposit", amount=1_000)
    bought(send, -20, 100, 10, currency="USD")
    price(send, -19, 12, currency="USD")
    price(send, -10, 12, currency="USD")
    tell(send, "fx", {"base": "USD", "quote": "EUR", "ts": at(TODAY), "rate": 0.6})
    price(send, 0, 20, currency="USD")
    found = of(funded)
    assert found.nav.dates.tolist() == [day(each).item() for each in (-20, -19, 0)]
    assert found.nav.value == pytest.approx([1_000, 1_000 - 500 + 600, 1_000 - 600 + 1_200])
    assert found.told == (f"Alpha: a price or rate is missing on {day(-10)}; no value is built there",)


def test_reported_values_count_alone(funded: Stores, send: Send) -> None:
    moved(send, -4, action="deposit", amount=2_000)
    bought(send, -3, 100, 10)
    tell(send, "nav", {"ts": at(TODAY), "nav": 777})
    assert (of(funded).nav.value.tolist(), of(funded).built) == ([777], ())


def test_where_positions_are_reported_nothing_is_built(funded: Stores, send: Send) -> None:
    held(send, -4, 10)
    tell(send, "cash", {"ts": at(TODAY - 4 * DAY), "currency": "EUR", "amount": 100})
    bought(send, -3, 5, 10)
    held(send, 0, 15)
    assert (len(of(funded).nav), of(funded).built) == (0, ())


def test_a_part_that_reports_values_counts_before_the_trades_of_the_whole(funded: Stores, send: Send) -> None:
    moved(send, -4, action="deposit", amount=2_000)
    bought(send, -3, 100, 10)
    tell(send, "nav", {"portfolio": "beta", "ts": at(TODAY), "nav": 777})
    assert (of(funded).made_of, of(funded).built) == (("beta",), ())


def test_without_money_in_nothing_is_built_and_that_is_said(funded: Stores, send: Send) -> None:
    put_portfolios(funded.state, [Portfolio("own", "gamma", "Gamma", currency="EUR")])
    bought(send, -3, 100, 10, portfolio="gamma")
    found = fund(funded, "own").history("gamma")
    assert (len(found.nav), found.built) == (0, ())
    assert found.told == ("Gamma: no value is built from its trades: no deposit was told, nor cash to begin with",)


def test_an_old_price_of_what_is_held_is_told(funded: Stores, send: Send) -> None:
    moved(send, -31, action="deposit", amount=2_000)
    bought(send, -30, 100, 10)
    bought(send, 0, 1, instrument="OTHER")
    assert of(funded).told == (f"Alpha: the price of ACME is old, the oldest of {day(-30)}",)


def test_a_rule_tried_on_the_past_knows_values_that_are_built_from_trades(funded: Stores, send: Send) -> None:
    """A value counts from the end of its day on, that of today as of now; of the whole it is a part as any other."""
    put_portfolios(funded.state, [replace(ALPHA, parent="whole"), Portfolio("own", "whole", "Whole", currency="EUR")])
    moved(send, -5, action="deposit", amount=2_000)
    bought(send, -5, 100, 10)
    for offset, value in ((-4, 10), (-3, 7), (-2, 7), (-1, 7), (0, 6)):
        price(send, offset, value)
    now = replace(funded, clock=FakeClock(TODAY + 20 * 3_600.0))
    rule = Rule.model_validate({"name": "loss", "when": "daily_return < -10 %", "every": "5 min", "no_data": "ok"})
    found = back_test(now, rule, vocabulary(), past_of_portfolios(now))
    assert found.notes == ("History reaches back 4 d 20 h.",), "none is left out"
    fired = [each for each in found.fired if dict(each.labels) == {"portfolio": "alpha"}]
    assert [(each.start, each.end) for each in fired] == [
        (pytest.approx(TODAY - 2 * DAY, abs=300), pytest.approx(TODAY - DAY, abs=300))
    ]
    assert {dict(each.labels)["portfolio"] for each in found.fired} == {"alpha", "whole"}
    end = TODAY + 20 * 3_600
    past = past_of_portfolios(now)(Figure("daily_return"), TODAY - DAY, end, 300)
    assert [each.at(end) for each in past.series] == pytest.approx([-100 / 1_700] * 2), "of today, as of now"
