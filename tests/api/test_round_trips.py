"""Round trips as programs read them: the page's figures, page by page, for who may see them."""

from __future__ import annotations

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import trades
from dashboard.views.tab import Choices
from sample.load import load_sample
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.support.api import client_of

READER = Viewer("reader", Role.VIEWER)
BASE = "/api/v1/portfolios/sample:fund"


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def test_trips_page_by_page_come_to_their_figures_and_to_the_pages(sample: Stores) -> None:
    client = client_of(sample, READER)
    path = f"{BASE}/round-trips?from=2018-01-01&to=2018-12-31&limit=200"
    answer = client.get(path).json
    found = [*answer["items"]]
    while answer["next"]:
        answer = client.get(f"{path}&cursor={answer['next']}").json
        found += answer["items"]
    assert found == sorted(found, key=lambda each: each["closed_at"])
    for by in ("side", "portfolio", "month", "instrument"):
        groups = client.get(f"{BASE}/round-trip-figures?from=2018-01-01&to=2018-12-31&by={by}").json["items"]
        whole = next(each for each in groups if each["group"] == "All")
        assert whole["round_trips"] == len(found)
        assert whole["profit"] == pytest.approx(sum(each["profit"] for each in found), rel=1e-9)
        parts = [each for each in groups if each["group"] != "All"]
        assert sum(each["profit"] for each in parts) == pytest.approx(whole["profit"], rel=1e-9)
    choices = Choices.of({"from": "2018-01-01", "to": "2018-12-31"})
    strip = text_of(trades.build(sample, choices, READER).slots["trades-strip"])
    assert f"{whole['round_trips']:,}".replace(",", "\u202f") in strip
    assert all(each["adverse_ratio"] is None or each["adverse_ratio"] <= 0 for each in found)


def test_one_instrument_and_one_that_was_never_traded(sample: Stores) -> None:
    client = client_of(sample, READER)
    items = client.get(f"{BASE}/round-trips?instrument=XOM&window=1Y").json["items"]
    assert {each["instrument"] for each in items} == {"XOM"}
    assert client.get(f"{BASE}/round-trips?instrument=NONE").json["items"] == []


@pytest.mark.parametrize(
    ("query", "field"), [("from=2018-02-31", "from"), ("asof=yesterday", "asof"), ("window=2W", "window"),
                         ("from=2019-01-01&to=2018-01-01", "from"), ("by=moon", "by"), ("instrument=" + "x" * 65,
                                                                                       "instrument")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_its_field(sample: Stores, query: str, field: str) -> None:
    answer = client_of(sample, READER).get(f"{BASE}/round-trip-figures?{query}")
    assert (answer.status_code, answer.json["field"]) == (422, field)
