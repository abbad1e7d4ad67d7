"""The Reconciliation page: what differs, what agrees, and what a portfolio without two sides is told."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from dashboard.tabs import reconcile
from dashboard.views.tab import Choices, View
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.support.api import client_of
from tests.support.funded import sender

VIEWER = Viewer("ana", Role.VIEWER)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def view(stores: Stores, viewer: Viewer = VIEWER, **choices: str) -> View:
    found = reconcile.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(reconcile.PAGE.slots)
    assert set(found.figures) <= set(reconcile.PAGE.graphs)
    return found


def without_a_fill(stores: Stores) -> str:
    """Take a fill of a strategy away, and return its instrument."""
    sql = """
        SELECT trade_id, instrument FROM trades FINAL
        WHERE origin = 'sample' AND portfolio = 'pairs' ORDER BY ts DESC, trade_id LIMIT 1
    """
    ((trade, instrument),) = stores.clickhouse.rows(sql)
    stores.clickhouse.command(f"ALTER TABLE trades DELETE WHERE trade_id = '{trade}' SETTINGS mutations_sync = 2")
    stores.live.bump("portfolio")
    return str(instrument)


def test_books_that_agree_say_so_and_show_every_position(sample: Stores) -> None:
    found = view(sample)
    assert "differ" not in text_of(found.slots["reconcile-remarks"])
    assert "agree" in text_of(found.slots["reconcile-strip"])
    table = text_of(found.slots["reconcile-positions-table"])
    assert "agrees" in table and "differs" not in table
    assert "Cash, USD" in text_of(found.slots["reconcile-money-table"])
    lines = found.figures["reconcile-course-graph"]["data"]
    assert [line["name"] for line in lines] == ["Positions", "Cash", "Net asset value"]


def test_what_differs_is_said_first_with_its_portfolio_and_day(sample: Stores) -> None:
    instrument = without_a_fill(sample)
    found = view(sample)
    said = text_of(found.slots["reconcile-remarks"])
    assert "books differ" in said and "Sector pairs" in said and "since 2022-" in said
    table = text_of(found.slots["reconcile-positions-table"])
    assert table.index("differs") < table.index("agrees")
    api = client_of(sample, VIEWER).get("/api/v1/portfolios/sample:fund/reconciliation?only=differing").json
    assert instrument in {each["name"] for each in api["items"] if each["what"] == "position"}
    assert api["units"]["worth"] == "USD"


def test_one_side_alone_says_what_to_send(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "<b>Alpha</b>", currency="EUR")])
    told = text_of(view(stores).slots["reconcile-strip"])
    assert "<b>Alpha</b> has no two sides to compare yet" in told
    assert "send trades" in told


@pytest.mark.parametrize("asof", ["2018-02-31", "yesterday", "-1", "9" * 40])
def test_a_day_that_is_none_is_told(sample: Stores, asof: str) -> None:
    assert "As of" in text_of(view(sample, asof=asof).slots["reconcile-remarks"])
    answer = client_of(sample, VIEWER).get(f"/api/v1/portfolios/sample:fund/reconciliation?asof={asof}")
    assert (answer.status_code, answer.json["field"]) == (422, "asof")


def test_before_the_first_report_there_is_nothing_and_it_is_said(sample: Stores) -> None:
    found = view(sample, asof="2010-01-01")
    assert "on or before 2010-01-01" in text_of(found.slots["reconcile-strip"])


def test_who_may_see_a_part_alone_sees_no_other(stores: Stores) -> None:
    put_portfolios(
        stores.state,
        [Portfolio("own", "fund", "Fund"), Portfolio("own", "alpha", "Alpha", "fund"),
         Portfolio("own", "beta", "Beta", "fund")],
    )  # fmt: skip
    for name in ("alpha", "beta"):
        ts = int(stores.clock.now()) // 86_400 * 86_400
        stores.clickhouse.command(
            "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, version) "
            f"VALUES ('own', '{name}', toDateTime({ts}), '{name.upper()}', 10, 5, 50, 1)"
        )
        stores.clickhouse.command(
            "INSERT INTO trades (origin, portfolio, trade_id, ts, instrument, side, quantity, price, version) "
            f"VALUES ('own', '{name}', 'T', toDateTime({ts}), '{name.upper()}', 'buy', 4, 5, 1)"
        )
    limited = Viewer("ben", Role.VIEWER, portfolios=frozenset({"alpha"}))
    for portfolio in ("own:fund", "own:beta", "own:alpha", ""):
        found = view(stores, limited, portfolio=portfolio)
        assert "BETA" not in repr(found) and "Beta" not in repr(found)
        assert "ALPHA" in text_of(found.slots["reconcile-positions-table"])


@pytest.mark.parametrize(
    ("currency", "cash", "word"),
    [("USD", True, "not compared"), ("EUR", False, "not all compared"), ("EUR", True, "agree")],
)  # fmt: skip
def test_books_agree_where_all_of_them_was_compared_alone(
    stores: Stores, currency: str, cash: bool, word: str
) -> None:  # fmt: skip
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    stores = replace(stores, clock=SystemClock())
    send, day = sender(stores), int(time.time()) // DAY * DAY - 3 * DAY
    row = {"portfolio": "alpha", "instrument": "ACME", "price": 10}
    for number, quantity in enumerate((10, 15)):
        told = [{**row, "ts": at(day + number * DAY), "quantity": quantity}]
        assert send("positions", told).status_code == 200
        money = [{"portfolio": "alpha", "ts": at(day + number * DAY), "currency": "EUR", "amount": 100 - 50 * number}]
        assert not cash or send("cash", money).status_code == 200
    trade = {**row, "trade_id": "1", "ts": at(day + DAY + 9), "side": "buy", "quantity": 5, "currency": currency}
    assert send("trades", [trade]).status_code == 200
    card = text_of(view(stores, portfolio="own:alpha").slots["reconcile-strip"]).split("compared, ")[0]
    assert word in card
    assert ("✓" in card) == (word == "agree")
