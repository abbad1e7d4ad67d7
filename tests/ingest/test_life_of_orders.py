"""What is known of an order comes in parts, from its states and in any order: none is lost, none is doubled."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import pytest

from core.ingest.kinds import KINDS
from core.model import Facts
from portfolio.ingest.request import Asked
from portfolio.ingest.sparing import take_good_rows
from storage.clickhouse.insert import insert_facts
from storage.state.series import list_series
from storage.stores import Stores
from tests.ingest.test_door import NOW, at
from tests.support.funded import Send, count

SECOND = 1_000_000
TIMES = ("submitted_at", "acknowledged_at", "first_filled_at", "last_filled_at", "ended_at")


def state(status: str, after: float, **other: Any) -> dict[str, Any]:
    return {
        "portfolio": "alpha", "order_id": "o1", "ts": at(NOW + after), "instrument": "ACME", "side": "buy",
        "quantity": 100, "status": status, **other,
    }  # fmt: skip


LIFE = (
    state("new", 0, decision_price=9.9, arrival_price=10.0, decided_at=at(NOW - 60), broker="IB", strategy="pairs"),
    state("accepted", 1),
    state("partially_filled", 2),
    state("filled", 5),
)


def stored(stores: Stores) -> dict[str, Any]:
    """Return what stands of the one order; times as seconds after NOW."""
    times = ", ".join(f"toUnixTimestamp64Micro({name})" for name in ("decided_at", *TIMES))
    names = "status, decision_price, arrival_price, broker, strategy, reject_reason"
    ((*values,),) = stores.clickhouse.rows(f"SELECT {names}, {times} FROM orders FINAL")
    found = dict(zip([*names.split(", "), "decided_at", *TIMES], values, strict=True))
    return {
        name: (value / SECOND - NOW if value else None) if name.endswith("_at") else value
        for name, value in found.items()
    }


WHOLE = {
    "status": "filled", "decision_price": 9.9, "arrival_price": 10.0, "broker": "IB", "strategy": "pairs",
    "reject_reason": "", "decided_at": -60, "submitted_at": 0, "acknowledged_at": 1, "first_filled_at": 2,
    "last_filled_at": 5, "ended_at": None,
}  # fmt: skip


@pytest.mark.parametrize("order", [*permutations(range(4))][::5])
def test_an_order_told_state_by_state_in_any_order_is_known_whole(
    funded: Stores, send: Send, order: tuple[int, ...]
) -> None:
    for each in order:
        assert send("orders", [LIFE[each]]).status_code == 200
    assert stored(funded) == WHOLE
    assert count(funded, "orders") == 1


def test_an_order_told_in_one_batch_is_known_whole(funded: Stores, send: Send) -> None:
    assert send("orders", [LIFE[each] for each in (2, 0, 3, 1)]).status_code == 200
    assert stored(funded) == WHOLE
    again = send("orders", list(LIFE)).json
    assert (again["added"], again["restated"]) == (0, 0)
    assert stored(funded) == WHOLE


def test_what_a_later_state_says_counts_and_what_it_leaves_out_stays(funded: Stores, send: Send) -> None:
    send("orders", [state("new", 0, limit_price=10, order_type="limit", broker="IB")])
    answer = send("orders", [state("rejected", 1, limit_price=11, order_type="limit", reject_reason="no funds")])
    assert answer.json["updated"] == 1
    found = stored(funded)
    assert (found["broker"], found["reject_reason"], found["ended_at"]) == ("IB", "no funds", 1)
    assert funded.clickhouse.rows("SELECT limit_price FROM orders FINAL") == [(11.0,)]
    assert count(funded, "restatements") == 0


def test_the_same_state_with_another_price_leaves_a_mark(funded: Stores, send: Send) -> None:
    send("orders", [state("new", 0, decision_price=10)])
    assert send("orders", [state("new", 0, decision_price=10, broker="IB")]).json["already_there"] == 1
    assert stored(funded)["broker"] == "IB"
    assert send("orders", [state("new", 0, decision_price=12)]).json["restated"] == 1
    found = stored(funded)
    assert (found["decision_price"], found["broker"]) == (12, "IB")


def test_a_batch_that_waited_since_orders_had_fewer_columns_is_stored(funded: Stores, send: Send) -> None:
    ticks = NOW * SECOND
    columns = {
        "origin": "own", "portfolio": "alpha", "order_id": "o1", "ts": ticks, "placed": ticks, "instrument": "ACME",
        "side": "buy", "quantity": 100.0, "order_type": "market", "limit_price": None, "decision_price": 9.9,
        "status": "new", "version": 1,
    }  # fmt: skip
    insert_facts(funded.clickhouse, Facts("orders", tuple(columns), tuple([each] for each in columns.values()), "t"))
    found = stored(funded)
    assert (found["status"], found["decision_price"], found["submitted_at"]) == ("new", 9.9, None)
    assert math.isnan(found["arrival_price"])
    assert send("orders", list(LIFE)).status_code == 200
    assert stored(funded) == WHOLE


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"action": "dividend", "instrument": "ACME"}, "amount", "is missing for this action"),
        ({"action": "dividend", "amount": 5}, "instrument", "is missing for this action"),
        ({"action": "split", "instrument": "ACME"}, "split_ratio", "is missing for this action"),
        ({"action": "split", "instrument": "ACME", "split_ratio": 0}, "split_ratio", "is zero or below"),
        ({"action": "transfer", "instrument": "ACME"}, "quantity", "is missing for this action"),
        ({"action": "deposit"}, "amount", "is missing for this action"),
        ({"action": "fee", "amount": -5, "split_ratio": 2}, "split_ratio", "says nothing of this action"),
        ({"action": "deposit", "amount": 5, "instrument": "ACME"}, "instrument", "says nothing of this action"),
        ({"action": "merger", "amount": 5}, "action", "is none that there is"),
    ],
)  # fmt: skip
def test_a_transaction_that_says_too_little_or_too_much_is_refused(
    funded: Stores, send: Send, row: dict[str, Any], field: str, reason: str
) -> None:
    answer = send("transactions", [{"portfolio": "alpha", "transaction_id": "x", "ts": at(NOW), **row}])
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["rows"]] == [field]
    assert reason in answer.json["rows"][0]["reason"]
    assert count(funded, "transactions") == 0


def test_a_position_is_worth_its_multiplier(funded: Stores, send: Send) -> None:
    told = {"symbol": "ES", "asset_class": "future", "multiplier": 50, "sector": "Index", "tags": "trend , macro,"}
    assert send("instruments", [told]).json["added"] == 1
    position = {"portfolio": "alpha", "ts": at(NOW), "instrument": "ES", "quantity": 2, "price": 4_000}
    assert send("positions", [position, {**position, "instrument": "ACME"}]).status_code == 200
    found = funded.clickhouse.rows("SELECT instrument, market_value FROM positions FINAL ORDER BY instrument")
    assert found == [("ACME", 8_000.0), ("ES", 400_000.0)]
    (es,) = (each for each in list_series(funded.state, "own") if each.symbol == "ES")
    assert (es.tags, es.multiplier, es.sector) == ("trend,macro", 50.0, "Index")


def test_an_instrument_of_no_known_country_is_refused(send: Send) -> None:
    answer = send("instruments", [{"symbol": "ES", "country": "usa"}])
    assert answer.status_code == 422
    assert answer.json["rows"][0]["field"] == "country"


def test_a_limit_order_stays_one_where_its_later_states_do_not_say_so(funded: Stores, send: Send) -> None:
    assert send("orders", [state("new", 0, order_type="limit", limit_price=10)]).status_code == 200
    assert send("orders", [state("filled", 1)]).json["updated"] == 1
    assert send("orders", [state("cancelled", 2, order_id="o2", order_type="limit")]).status_code == 200
    found = "SELECT order_type, limit_price FROM orders FINAL WHERE order_id = 'o1'"
    assert funded.clickhouse.rows(found) == [("limit", 10.0)]
    assert count(funded, "restatements") == 0


def test_a_correction_counts_in_one_batch_as_it_does_in_two_where_the_last_one_counts(funded: Stores) -> None:
    rows = [state("new", 0, decision_price=10), state("new", 0, decision_price=12), state("new", 0)]
    spared = take_good_rows(funded, Asked(KINDS["orders"], last_counts=True), rows)
    assert (spared.taken, len(spared.refused)) == (3, 0)
    assert stored(funded)["decision_price"] == 12
