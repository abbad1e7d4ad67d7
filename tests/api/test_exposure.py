"""What a portfolio holds, as programs read it: the page's figures, for who may see them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access.viewer import Viewer
from core.clock import SystemClock
from core.roles import Role
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.ingest.test_door import DAY, NOW, at
from tests.support.api import client_of
from tests.support.funded import sender

READER = Viewer("reader", Role.VIEWER)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def test_positions_and_groups_come_to_the_same(sample: Stores) -> None:
    client = client_of(sample, READER)
    held = client.get("/api/v1/portfolios/sample:fund/holdings?limit=500").json
    assert held["units"]["value"] == "USD"
    for by in ("sector", "portfolio", "instrument"):
        groups = client.get(f"/api/v1/portfolios/sample:fund/exposure?by={by}&limit=500").json["items"]
        whole = next(each for each in groups if each["group"] == "All")
        assert whole["positions"] == len(held["items"])
        assert whole["net"] == pytest.approx(sum(each["value"] for each in held["items"]))
        parts = [each for each in groups if each["group"] != "All"]
        assert sum(each["gross"] for each in parts) == pytest.approx(whole["gross"])


def test_an_earlier_day_is_that_days_report_page_by_page(sample: Stores) -> None:
    client = client_of(sample, READER)
    path = "/api/v1/portfolios/sample:fund/holdings?asof=2018-02-10&limit=7"
    first = client.get(path).json
    found, following = [*first["items"]], first["next"]
    while following:
        answer = client.get(f"{path}&cursor={following}").json
        found, following = [*found, *answer["items"]], answer["next"]
    ((many,),) = sample.clickhouse.rows(
        "SELECT count() FROM positions FINAL WHERE toDate(ts) = '2018-02-09' AND instrument != 'CASH'"
    )
    assert len(found) == many == len({(each["portfolio"], each["instrument"]) for each in found})


@pytest.mark.parametrize("day", ["2018-02-31", "yesterday"])
def test_a_day_that_is_none_is_refused_with_its_field(sample: Stores, day: str) -> None:
    answer = client_of(sample, READER).get(f"/api/v1/portfolios/sample:fund/holdings?asof={day}")
    assert answer.status_code == 422
    assert answer.json["field"] == "asof"


def test_costs_are_worked_out_where_that_is_asked_for(sample: Stores) -> None:
    client = client_of(sample, READER)
    path = "/api/v1/portfolios/sample:fund/holdings?limit=500"
    reported, fifo = client.get(path).json, client.get(f"{path}&cost=fifo").json
    assert fifo["told"] == ["Cost first in first out."]
    assert [each["total"] for each in fifo["items"]] == [each["total"] for each in reported["items"]]
    assert [each["average_cost"] for each in fifo["items"]] != [each["average_cost"] for each in reported["items"]]
    assert client.get(f"{path}&cost=lifo").json["field"] == "cost"


@pytest.fixture
def foreign(stores: Stores) -> Stores:
    """A portfolio in euros that ordered, traded and holds something in dollars, and trades nothing that explains it."""
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    found = replace(stores, clock=SystemClock())
    send, day = sender(found), at(NOW // DAY * DAY - DAY)
    row = {"portfolio": "alpha", "ts": day, "instrument": "ACME"}
    for kind, one in (
        ("instruments", {"symbol": "ACME", "currency": "USD"}),
        ("orders", {**row, "order_id": "1", "side": "buy", "quantity": 5, "status": "new", "arrival_price": 10}),
        ("orders", {**row, "order_id": "2", "instrument": "N0NE", "side": "buy", "quantity": 5, "status": "new"}),
        ("trades", {**row, "trade_id": "1", "side": "buy", "quantity": 5, "price": 10, "currency": "USD"}),
        ("trades", {**row, "trade_id": "2", "instrument": "N0NE", "side": "buy", "quantity": 5, "price": 10}),
        ("positions", {**row, "quantity": 50, "price": 10, "currency": "USD"}),
    ):
        assert send(kind, [one]).status_code == 200
    return found


def test_prices_are_in_the_currency_of_their_row(foreign: Stores) -> None:
    client = client_of(foreign, READER)
    for table, field, currencies in (
        ("orders", "arrival_price", ["USD", ""]), ("trades", "price", ["USD", "EUR"]), ("positions", "price", ["USD"]),
    ):  # fmt: skip
        answer = client.get(f"/api/v1/portfolios/own:alpha/{table}").json
        assert answer["units"][field] == "currency"
        assert [row["currency"] for row in answer["items"]] == currencies


def test_what_nobody_knows_is_null_and_not_nothing(foreign: Stores) -> None:
    for row in client_of(foreign, READER).get("/api/v1/portfolios/own:alpha/exposure").json["items"]:
        assert [row[name] for name in ("long", "short", "net", "gross", "net_ratio", "day", "month", "total")] == [
            None
        ] * 8


def test_a_price_that_is_hard_to_believe_comes_with_the_reason(foreign: Stores) -> None:
    send, today = sender(foreign), at(NOW // DAY * DAY)
    row = {"portfolio": "alpha", "ts": today, "quantity": 50, "currency": "USD"}
    held = [{**row, "instrument": "ACME", "price": 120}, {**row, "instrument": "FINE", "price": 7}]
    assert send("positions", held).status_code == 200
    client = client_of(foreign, READER)
    told = client.get("/api/v1/portfolios/own:alpha/holdings").json
    assert {each["instrument"]: each["price_doubt"] for each in told["items"]} == {
        "ACME": "10.00 in the report before, 120.00 now: more than 10 times", "FINE": "",
    }  # fmt: skip
    sentence = "Prices that are hard to believe: ACME. /holdings says why."
    assert sentence in told["told"]
    assert sentence in client.get("/api/v1/portfolios/own:alpha/exposure").json["told"]
    before = client.get(f"/api/v1/portfolios/own:alpha/holdings?asof={at(NOW // DAY * DAY - DAY)[:10]}").json
    assert [each["price_doubt"] for each in before["items"]] == [""] and sentence not in before["told"]
