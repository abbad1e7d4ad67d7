"""An order stays what it is; a fill that contradicts its order is taken and told."""

from __future__ import annotations

from typing import Any

import pytest

from storage.stores import Stores
from tests.ingest.test_bad_trades import fill, order
from tests.support.funded import Send


@pytest.mark.parametrize(("field", "value"), [("side", "sell"), ("instrument", "BETA")])
@pytest.mark.parametrize("status", ["new", "accepted", "filled"])
def test_an_order_keeps_its_side_and_instrument(
    send: Send, funded: Stores, field: str, value: str, status: str
) -> None:
    assert send("orders", [order("o1", 1, "new")]).status_code == 200
    answer = send("orders", [order("o1", 2 if status != "new" else 1, status, **{field: value})])
    assert answer.status_code == 422, answer.text
    (row,) = answer.json["rows"]
    assert (row["row"], row["field"], row["value"]) == (1, field, value)
    assert "id of its own" in row["fix"]
    assert funded.clickhouse.rows(
        "SELECT toString(side), toString(instrument), toString(status) FROM orders FINAL"
    ) == [("buy", "ACME", "new")]


@pytest.mark.parametrize(("field", "value"), [("side", "sell"), ("instrument", "BETA")])
def test_nor_does_it_change_within_a_batch(send: Send, field: str, value: str) -> None:
    answer = send("orders", [order("o1", 1, "new"), order("o1", 2, "filled", **{field: value})])
    assert answer.status_code == 422
    (row,) = answer.json["rows"]
    assert (row["row"], row["field"]) == (2, field)


def told(send: Send, *rows: dict[str, Any]) -> list[str]:
    answer = send("trades", [*rows])
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json["told"]
    return found


def test_fills_that_do_not_fit_their_order_are_taken_and_told(send: Send) -> None:
    assert send("orders", [order("o1", 1, "new"), order("o2", 1, "new"), order("o3", 1, "new")]).status_code == 200
    assert told(send, fill("1", 2, order_id="o1", quantity=6), fill("0", 2)) == []
    (more,) = told(send, fill("2", 3), fill("3", 3, order_id="o1", quantity=6))
    assert "row 2" in more and "order o1" in more and "12 in all, and 10 were ordered" in more
    side, symbol = told(send, fill("4", 4, "sell", order_id="o2"), fill("5", 4, order_id="o3", instrument="BETA"))
    assert "row 1" in side and "a sell, and the order a buy" in side
    assert "row 2" in symbol and "of BETA, and the order of ACME" in symbol
