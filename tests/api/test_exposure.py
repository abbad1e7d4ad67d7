"""What a portfolio holds, as programs read it: the page's figures, for who may see them."""

from __future__ import annotations

import pytest

from access.viewer import Viewer
from core.roles import Role
from sample.load import load_sample
from storage.stores import Stores
from tests.support.api import client_of

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
