"""What may be sent of orders, trades and holdings by mistake: what the door says, and what the page makes of it."""

from __future__ import annotations

import time
from typing import Any

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import holdings, trades
from dashboard.views.tab import Choices
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.ingest.test_door import DAY, at
from tests.support.funded import Send

VIEWER = Viewer("ana", Role.VIEWER)
TODAY = int(time.time()) // DAY * DAY - 2 * DAY


def fill(id: str, seconds: float, side: str = "buy", quantity: float = 10, **other: Any) -> dict[str, Any]:
    return {"portfolio": "alpha", "trade_id": id, "ts": at(TODAY + seconds), "instrument": "ACME", "side": side,
            "quantity": quantity, "price": 5, **other}  # fmt: skip


def order(id: str, seconds: float, status: str, **other: Any) -> dict[str, Any]:
    return {"portfolio": "alpha", "order_id": id, "ts": at(TODAY + seconds), "instrument": "ACME", "side": "buy",
            "quantity": 10, "status": status, **other}  # fmt: skip


def page(stores: Stores) -> str:
    return text_of([*trades.build(stores, Choices(), VIEWER).slots.values()])


def fault(answer: Any) -> tuple[int, str, str]:
    (row,) = answer.json["rows"]
    return answer.status_code, row["field"], row["reason"]


def test_a_symbol_that_nobody_told_of_is_taken_as_it_is(funded: Stores, send: Send) -> None:
    assert send("trades", [fill("1", 1, instrument="N0NE"), fill("2", 2, "sell", instrument="N0NE")]).status_code == 200
    assert "N0NE" in page(funded)


def test_a_price_that_is_missing_or_none_is_refused(send: Send) -> None:
    without = fill("1", 1)
    del without["price"]
    assert fault(send("trades", [without])) == (422, "price", "the column is missing")
    for price in (0, -5, "abc", None):
        status, field, _ = fault(send("trades", [fill("1", 1, price=price)]))
        assert (status, field) == (422, "price")


def test_trades_without_a_rate_have_no_known_profit_and_the_currency_is_named(funded: Stores, send: Send) -> None:
    rows = [fill("1", 1, currency="CHF"), fill("2", 2, "sell", currency="CHF")]
    assert send("trades", rows).status_code == 200
    assert "The profit of 1 round trip is not known: there is no rate for CHF on its days." in page(funded)


def test_cash_that_is_owed_is_taken_and_shown(funded: Stores, send: Send) -> None:
    cash = {"portfolio": "alpha", "ts": at(TODAY), "currency": "EUR", "amount": -500}
    position = {"portfolio": "alpha", "ts": at(TODAY), "instrument": "ACME", "quantity": 100, "price": 10}
    assert send("cash", [cash]).status_code == send("positions", [position]).status_code == 200
    assert "−500 EUR" in text_of(holdings.build(funded, Choices(), VIEWER).slots["holdings-strip"])


def test_states_of_an_order_that_come_out_of_order_are_left_out_or_refused(funded: Stores, send: Send) -> None:
    assert send("orders", [order("a", 10, "new"), order("a", 30, "filled")]).status_code == 200
    late = send("orders", [order("a", 20, "accepted")])
    assert (late.status_code, late.json["older"]) == (200, 1)
    status, field, reason = fault(send("orders", [order("a", 40, "accepted")]))
    assert (status, field) == (422, "status")
    assert "goes back: the order is filled" in reason
    assert "✓ filled" in page(funded)


def test_a_fill_before_its_order_is_refused_or_told_where_it_came_first(funded: Stores, send: Send) -> None:
    assert send("orders", [order("a", 10, "new")]).status_code == 200
    status, field, reason = fault(send("trades", [fill("1", 5, order_id="a")]))
    assert (status, field) == (422, "ts")
    assert "before its order" in reason
    assert send("trades", [fill("2", 5, order_id="b")]).status_code == 200
    assert send("orders", [order("b", 10, "new")]).status_code == 200
    assert "1 order filled before being placed" in page(funded)


def test_an_id_with_other_content_replaces_it_or_is_refused_and_never_counts_twice(funded: Stores, send: Send) -> None:
    assert send("trades", [fill("1", 1), fill("2", 2, "sell", price=6)]).status_code == 200
    status, field, _ = fault(send("trades", [fill("1", 1, price=4)], "?on_conflict=refuse"))
    assert (status, field) == (422, "price")
    both = send("trades", [fill("1", 1, price=4), fill("1", 1, price=3)])
    assert fault(both)[:2] == (422, "trade_id")
    assert send("trades", [fill("1", 1, price=4)]).json["restated"] == 1
    assert "+20.0" in page(funded)


def test_a_split_on_a_day_without_a_price_keeps_what_was_paid(funded: Stores, send: Send) -> None:
    split = {"portfolio": "alpha", "transaction_id": "s", "ts": at(TODAY + 2), "action": "split",
             "instrument": "ACME", "split_ratio": 2}  # fmt: skip
    assert send("transactions", [split]).status_code == 200
    assert send("trades", [fill("1", 1), fill("2", 3, "sell", 20, price=3)]).status_code == 200
    found = trades.build(funded, Choices(), VIEWER)
    assert "+10.0" in text_of(found.slots["trades-strip"])
    none = send("transactions", [{**split, "transaction_id": "t", "split_ratio": 0}])
    assert fault(none)[:2] == (422, "split_ratio")


def test_short_to_long_through_zero_is_two_round_trips(funded: Stores, send: Send) -> None:
    rows = [fill("1", 1, "sell", 10, price=8), fill("2", 2, "buy", 25, price=6), fill("3", 3, "sell", 15, price=7)]
    assert send("trades", rows).status_code == 200
    assert "1 long, 1 short" in page(funded)
    assert "+35.0" in page(funded)
