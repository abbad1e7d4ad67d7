"""How orders were carried out, as programs read it: the page's figures, for who may see them."""

from __future__ import annotations

import pytest

from access.viewer import Viewer
from core.roles import Role
from portfolio.execution import execution
from portfolio.query import PortfolioQuery
from sample.load import load_sample, portfolios
from storage.stores import Stores
from tests.support.api import client_of

READER = Viewer("reader", Role.VIEWER)
PATH = "/api/v1/portfolios/sample:fund/execution"


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def test_groups_add_up_to_the_whole_which_is_the_page_s(sample: Stores) -> None:
    client = client_of(sample, READER)
    told = client.get(f"{PATH}?window=ITD").json
    found = execution(sample, portfolios("sample")[0], None, PortfolioQuery(), "strategy")
    assert found is not None
    assert told["whole"]["shortfall"] == found.whole.shortfall.total
    assert told["whole"]["slippage_arrival_low"] == found.whole.arrival.low
    cost = told["whole"]
    parts = ("delay", "impact", "opportunity", "explicit")
    assert sum(cost[name] for name in parts) == pytest.approx(cost["shortfall"], 1e-9)
    assert told["latencies"][1]["p99_seconds"] == found.legs[1].quantiles[2]
    assert told["outage"] is None
    for by in ("strategy", "instrument", "hour", "size", "broker"):
        groups = client.get(f"{PATH}/groups?by={by}&window=ITD&limit=500").json["items"]
        assert sum(each["orders"] for each in groups) == told["whole"]["orders"]
        assert sum(each["traded"] for each in groups) == pytest.approx(told["whole"]["traded"])


def test_what_belongs_to_whole_orders_is_told_of_no_venue(sample: Stores) -> None:
    items = client_of(sample, READER).get(f"{PATH}/groups?by=venue&window=ITD").json["items"]
    assert items and all(each["orders"] > 0 and each["traded"] > 0 for each in items)
    assert all(each["slippage_arrival"] is not None for each in items)
    for name in ("fill_ratio", "paper", "explicit", "opportunity", "shortfall", "shortfall_basis_points"):
        assert {each[name] for each in items} == {None}


def test_groups_come_part_by_part(sample: Stores) -> None:
    client = client_of(sample, READER)
    answer = client.get(f"{PATH}/groups?by=instrument&limit=7&window=ITD").json
    found = [*answer["items"]]
    while answer["next"]:
        answer = client.get(f"{PATH}/groups?by=instrument&limit=7&window=ITD&cursor={answer['next']}").json
        found += answer["items"]
    assert len({each["group"] for each in found}) == len(found) > 20


@pytest.mark.parametrize(
    ("asked", "field"), [("asof=2018-02-31", "asof"), ("from=2020-05-01&to=2020-04-01", "from"), ("by=moon", "by"),
                         ("component=redis:nobody", "component"), ("window=9Y", "window")],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_field(sample: Stores, asked: str, field: str) -> None:
    path = f"{PATH}/groups" if field == "by" else PATH
    answer = client_of(sample, READER).get(f"{path}?{asked}")
    assert answer.status_code == 422
    assert answer.json["field"] == field


def test_a_component_that_was_not_broken_cost_nothing_and_that_is_said(sample: Stores) -> None:
    client = client_of(sample, READER)
    watched = client.get("/api/v1/components").json["items"][0]["id"]
    answer = client.get(f"{PATH}?component={watched}")
    assert answer.status_code == 200
    assert answer.json["outage"] is None
    assert answer.json["told"][-1].endswith(" was not broken in these days.")


def test_a_portfolio_without_orders_says_so(sample: Stores) -> None:
    told = client_of(sample, READER).get(f"{PATH}?asof=2010-01-01").json
    assert told["whole"] is None
    assert told["told"] == ["No orders or trades were told."]
