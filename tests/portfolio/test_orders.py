"""A day's orders and the life of one, and what of orders and fills does not fit each other."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from portfolio.orders import blotter, called, life, misfits, said_of_odd
from sample.load import load_sample, portfolios
from storage.clickhouse.reads.orders import Odd
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, at
from tests.support.funded import ALPHA, Send

FUND, *STRATEGIES = portfolios("sample")
TODAY = int(time.time()) // DAY * DAY - 2 * DAY


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def order(id: str, seconds: float, status: str, **other: Any) -> dict[str, Any]:
    return {"portfolio": "alpha", "order_id": id, "ts": at(TODAY + seconds), "instrument": "ACME", "side": "buy",
            "quantity": 10, "status": status, **other}  # fmt: skip


def fill(id: str, seconds: float, quantity: float, of: str = "", **other: Any) -> dict[str, Any]:
    return {"portfolio": "alpha", "trade_id": id, "ts": at(TODAY + seconds), "instrument": "ACME", "side": "buy",
            "quantity": quantity, "price": 5, "order_id": of or None, **other}  # fmt: skip


def tell(send: Send, kind: str, *rows: dict[str, Any]) -> None:
    answer = send(kind, [*rows])
    assert answer.status_code == 200, answer.text


def test_every_order_of_the_sample_is_of_a_day_and_filled_as_its_trades_say(sample: Stores) -> None:
    sql = """
        SELECT toString(max(toDate(ts))), countIf(toDate(ts) = (SELECT max(toDate(ts)) FROM orders)) FROM orders FINAL
        WHERE origin = 'sample'
    """
    ((day, many),) = sample.clickhouse.rows(sql)
    found = blotter(sample, FUND, None, None, {})
    assert found is not None
    assert (str(found.day), found.counted.count, len(found.orders)) == (day, many, many)
    for each in found.orders:
        assert each.filled.quantity == (each.quantity if each.status == "filled" else 0)
        assert sorted(step.at for step in life(each)) == [step.at for step in life(each)]
    assert misfits(sample, FUND, None) == Odd()
    parts = [blotter(sample, each, None, found.day, {}) for each in STRATEGIES]
    assert sum(each.counted.count for each in parts if each is not None and each.day == found.day) == many


def test_orders_are_narrowed_and_counted_by_status_beside_it(sample: Stores) -> None:
    whole = blotter(sample, FUND, None, np.datetime64("2020-03-16"), {})
    assert whole is not None
    for status, many in whole.counted.by_status.items():
        part = blotter(sample, FUND, None, np.datetime64("2020-03-16"), {"status": status})
        assert part is not None
        assert (part.counted.narrowed, len(part.orders)) == (many, many)
        assert {each.status for each in part.orders} == {status}
        assert part.counted.by_status == whole.counted.by_status
    none = blotter(sample, FUND, None, np.datetime64("2020-03-16"), {"broker": "nobody"})
    assert none is not None
    assert (none.counted.narrowed, none.orders) == (0, ())


def test_a_day_without_orders_gives_the_last_one_before_and_before_all_there_is_none(sample: Stores) -> None:
    sql = "SELECT toString(max(toDate(ts))) FROM orders FINAL WHERE origin = 'sample' AND ts < '2020-03-16'"
    ((last,),) = sample.clickhouse.rows(sql)
    sunday = blotter(sample, FUND, None, np.datetime64("2020-03-15"), {})
    assert sunday is not None
    assert str(sunday.day) == last < "2020-03-15"
    assert blotter(sample, FUND, None, np.datetime64("2010-01-01"), {}) is None


def test_an_open_order_is_of_every_day_since_it_was_placed(funded: Stores, send: Send) -> None:
    tell(send, "orders", order("waits", -5 * DAY, "new"), order("done", -5 * DAY, "new"))
    tell(send, "orders", order("done", -5 * DAY + 60, "filled"), order("later", 100, "new"),
         order("later", 200, "rejected", reject_reason="no money"))  # fmt: skip
    newest = blotter(funded, ALPHA, None, None, {})
    before = blotter(funded, ALPHA, None, np.datetime64(TODAY - 5 * DAY, "s").astype("datetime64[D]"), {})
    assert newest is not None and before is not None
    assert ({each.id for each in newest.orders}, newest.open) == ({"waits", "later"}, 1)
    assert {each.id for each in before.orders} == {"waits", "done"}


def test_the_life_of_an_order_with_the_seconds_between_and_its_fills(funded: Stores, send: Send) -> None:
    tell(send, "orders", order("a", 10, "new", decided_at=at(TODAY + 4)), order("a", 10.25, "accepted"),
         order("a", 40, "filled"))  # fmt: skip
    tell(send, "trades", fill("1", 20, 4, "a", venue="XETR", fees=1), fill("2", 40, 6, "a", price=10))
    found = called(funded, ALPHA, None, "a")
    assert found is not None
    (one,) = found.orders
    steps = [(step.name, step.took) for step in life(one)]
    assert steps[0][0] == "decided"
    assert math.isnan(steps[0][1])
    assert steps[1:] == [("submitted", pytest.approx(6)), ("acknowledged", pytest.approx(0.25)),
                         ("first fill", pytest.approx(9.75)), ("last fill", pytest.approx(20))]  # fmt: skip
    assert (one.filled.average_price, one.filled.quantity) == (pytest.approx(8.0), 10)
    assert [(each.id, each.venue, each.fees) for each in found.fills] == [("1", "XETR", 1.0), ("2", "", 0.0)]
    assert called(funded, ALPHA, None, "b") is None
    assert called(funded, ALPHA, None, "x" * 1_000) is None


def test_what_does_not_fit_is_counted_and_never_hidden(funded: Stores, send: Send) -> None:
    # Fills that come first: their orders are not known yet, so nothing speaks against them at the door.
    tell(send, "trades", fill("1", 50, 10, "early"), fill("2", 60, 15, "much"), fill("3", 60, 1, ""),
         fill("4", 60, 1, "nobody"), fill("5", 70, 5, "other", side="sell"))  # fmt: skip
    tell(send, "orders", *(order(name, 55, "new") for name in ("early", "much", "other")))
    found = misfits(funded, ALPHA, None)
    assert found == Odd(of_no_order=1, of_unknown_order=1, before_order=1, overfilled=1, of_another=1)
    assert len(said_of_odd(found)) == 5
    early = called(funded, ALPHA, None, "early")
    assert early is not None
    assert any(step.took < 0 for step in life(early.orders[0]))
    alone = called(funded, ALPHA, None, "nobody")
    assert alone is not None
    assert (alone.orders, alone.fill_count) == ((), 1)


def test_who_may_not_see_a_portfolio_finds_none_of_its_orders(funded: Stores, send: Send) -> None:
    put_portfolios(funded.state, [Portfolio("own", "fund", "Fund"), replace(ALPHA, parent="fund"),
                                  Portfolio("own", "beta", "Beta", "fund")])  # fmt: skip
    tell(send, "orders", order("a", 10, "new"), {**order("b", 10, "new"), "portfolio": "beta"})
    found = blotter(funded, ALPHA, frozenset({"alpha"}), None, {})
    assert found is not None
    assert [each.id for each in found.orders] == ["a"]
    assert called(funded, ALPHA, frozenset({"alpha"}), "b") is None
