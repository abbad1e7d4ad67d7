"""The Trades page: round trips of a window and an instrument, the orders of a day, the life of one, and bad choices."""

from __future__ import annotations

import math
from typing import Any

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.components.markup import markup
from dashboard.tabs import holdings, trades
from dashboard.views.tab import Choices, View
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of

VIEWER = Viewer("ana", Role.VIEWER)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def view(stores: Stores, viewer: Viewer = VIEWER, **choices: str) -> View:
    found = trades.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(trades.PAGE.slots)
    assert set(found.figures) <= set(trades.PAGE.graphs)
    assert trades.layout(stores, Choices.of(choices), viewer)
    return found


def html_of(part: Any) -> str:
    return markup(part)


def test_the_fund_with_its_trips_and_the_orders_of_its_newest_day(sample: Stores) -> None:
    found = view(sample)
    strip = text_of(found.slots["trades-strip"])
    for name in ("Round trips", "Hit rate", "Payoff", "Expectancy", "Profit factor", "Held", "Best", "Orders"):
        assert name in strip
    assert found.slots["trades-remarks"] == []
    assert "sample" in text_of(found.slots["trades-mark"])
    assert "All long" in text_of(found.slots["trades-groups-table"])
    said = text_of(found.slots["trades-trips-said"])
    assert "to 2022-12-" in said
    assert "the newest 300 of" in said
    assert "2022-12-" in text_of(found.slots["trades-orders-said"])
    assert "✓ filled" in text_of(found.slots["trades-orders-of-day-table"])


def test_an_instrument_narrows_trips_and_orders_and_its_charts(sample: Stores) -> None:
    found = view(sample, instrument="XOM", by="month")
    points = [name for trace in found.figures["trades-scatter-graph"]["data"] for name in trace["customdata"]]
    assert points
    assert all(each.startswith("XOM") for each in points)
    counts = found.figures["trades-spread-graph"]["data"][0]["y"]
    assert math.fsum(counts) == len(points)
    orders = html_of(found.slots["trades-orders-of-day-table"])
    assert "instrument=XOM" in orders
    assert "JPM" not in orders


def test_links_lead_to_holdings_to_the_strategy_and_back(sample: Stores) -> None:
    table = html_of(view(sample).slots["trades-trips-table"])
    assert "/portfolio/holdings?instrument=" in table
    assert "/portfolio/trades?portfolio=sample%3A" in table
    held = html_of(holdings.build(sample, Choices.of({}), VIEWER).slots["holdings-positions-table"])
    assert "/portfolio/trades?instrument=" in held


def test_an_order_in_the_address_shows_its_life_and_its_fills(sample: Stores) -> None:
    ((id,),) = sample.clickhouse.rows(
        "SELECT order_id FROM trades WHERE origin = 'sample' GROUP BY order_id ORDER BY count() DESC, order_id LIMIT 1"
    )
    life = text_of(view(sample, order=id).slots["trades-order-table"])
    for word in ("decided", "submitted", "acknowledged", "first fill", "last fill", "Venue", "Fees", id):
        assert word in life
    assert "No order is called" in text_of(view(sample, order="nothing").slots["trades-order-table"])


@pytest.mark.parametrize(
    ("choice", "value", "said"),
    [
        ("status", "fild", "Status: “fild” is none of"),
        ("instrument", "<b>NO</b>", "was never traded here"),
        ("window", "2W", "Window: “2W” is none of"),
        ("from", "yesterday", "is no date"),
        ("asof", "-1", "As of: “-1” is no date"),
        ("portfolio", "own:'; DROP TABLE trades", ""),
        ("order", "x" * 5_000, ""),
        ("broker", "nobody", ""),
        ("strategy", "", ""),
        ("by", "moon", ""),
        ("asof", "9999-12-31", ""),
        ("asof", "0001-01-01", ""),
        ("from", "9999-01-01", ""),
        ("to", "0001-01-01", ""),
    ],
)
def test_a_choice_that_cannot_be_is_told_and_nothing_breaks(sample: Stores, choice: str, value: str, said: str) -> None:
    found = view(sample, **{choice: value})
    assert said in text_of(found.slots.get("trades-remarks", []))


def test_a_portfolio_that_told_nothing_says_what_to_send(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "<b>Alpha</b>", currency="EUR")])
    found = view(stores)
    assert "<b>Alpha</b> told no trades and no orders yet" in text_of(found.slots["trades-strip"])
    assert "trades.csv" in text_of(found.slots["trades-strip"])
    assert set(found.as_of.values()) == {None}


def test_trades_without_orders_and_orders_without_trades(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR"),
                                  Portfolio("own", "beta", "Beta", currency="EUR")])  # fmt: skip
    ts = int(stores.clock.now())
    stores.clickhouse.command(
        "INSERT INTO trades (origin, portfolio, trade_id, order_id, ts, instrument, side, quantity, price, version) "
        f"VALUES ('own', 'alpha', '1', '', {ts}, 'ACME', 'buy', 2, 5, 1), "
        f"('own', 'alpha', '2', '', {ts}, 'ACME', 'sell', 2, 6, 1)"
    )
    stores.clickhouse.command(
        "INSERT INTO orders (origin, portfolio, order_id, ts, placed, instrument, side, quantity, status, version) "
        f"VALUES ('own', 'beta', 'o', {ts}, {ts}, 'ACME', 'buy', 2, 'new', 1)"
    )
    alone = view(stores, portfolio="own:alpha")
    assert "Round trips" in text_of(alone.slots["trades-strip"])
    assert "as soon as orders are told" in alone.notes["trades-orders-of-day"]
    assert alone.slots["trades-remarks"] == []
    ordered = view(stores, portfolio="own:beta")
    assert "1 open" in text_of(ordered.slots["trades-strip"])
    assert "as soon as trades are told" in ordered.notes["trades-trips"]


def test_who_may_see_a_part_alone_sees_no_other(stores: Stores) -> None:
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), Portfolio("own", "alpha", "Alpha", "fund"),
         Portfolio("own", "beta", "Beta", "fund")],
    )  # fmt: skip
    ts = int(stores.clock.now())
    for name in ("alpha", "beta"):
        stores.clickhouse.command(
            "INSERT INTO orders (origin, portfolio, order_id, ts, placed, instrument, side, quantity, status, version) "
            f"VALUES ('own', '{name}', '{name}-order', {ts}, {ts}, '{name.upper()}', 'buy', 2, 'new', 1)"
        )
    limited = Viewer("ben", Role.VIEWER, portfolios=frozenset({"alpha"}))
    for portfolio in ("own:fund", "own:beta", "own:alpha", ""):
        found = view(stores, limited, portfolio=portfolio, order="beta-order")
        assert "BETA" not in repr(found)
        assert "ALPHA" in text_of(found.slots["trades-orders-of-day-table"])
