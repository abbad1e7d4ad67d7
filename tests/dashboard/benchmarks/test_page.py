"""The page of benchmarks and rates: what is there, what is missing, and its forms through their routes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import portfolio
from dashboard.tabs.benchmarks import PAGE, build
from dashboard.views.tab import Choices
from portfolio.series.reference import catalogue
from portfolio.tree.settings import add, change
from storage.state.series import list_blends, list_risk_free, list_series
from storage.stores import Stores
from tests.portfolio.series.test_in_use import DAYS, bring, course
from tests.support.application import create_app
from tests.support.views import text

OPERATOR = Viewer("ann", Role.OPERATOR)


def shown(stores: Stores, panel: str, **choices: str) -> str:
    return text(build(stores, Choices.of(choices), OPERATOR).slots[f"benchmarks-{panel}-table"])


@pytest.fixture
def client(stores: Stores) -> FlaskClient:
    bring(stores, "SPX", course(1), "prices", "close", currency="USD")
    bring(stores, "AGG", course(2), "prices", "close", currency="USD")
    bring(stores, "ESTR", [-0.5] * DAYS, "rates", "rate", currency="EUR")
    bring(stores, "Alpha", course(0), "nav", "nav", currency="EUR")
    return create_app(stores, pages=(portfolio.TAB, PAGE)).server.test_client()


def post(client: FlaskClient, what: str, **fields: str) -> dict[str, Any]:
    answer = client.post(f"/benchmarks/{what}", json=fields, headers={"Sec-Fetch-Site": "same-origin"})
    return dict(json.loads(answer.get_data()))


def test_without_series_it_says_how_to_get_the_first(stores: Stores) -> None:
    assert "No benchmark or rate yet" in shown(stores, "series")
    assert "import one first" in shown(stores, "edit")


def test_what_is_there_is_listed_with_its_age_and_what_it_is_the_benchmark_of(
    stores: Stores, client: FlaskClient
) -> None:
    change(stores, "Alpha", {"benchmark": "SPX"})
    rows = shown(stores, "series")
    assert "act/360" in rows and "−0.5 %" in rows and "Alpha" in rows
    assert "EUR" in shown(stores, "rates") and "none is set" in shown(stores, "rates")
    assert "USDEUR: SPX beside Alpha" in shown(stores, "currencies")


def test_rates_that_are_lacking_are_those_that_sums_and_blends_are_converted_with(
    stores: Stores, client: FlaskClient
) -> None:
    whole = add(stores, {"name": "Whole", "currency": "GBP"})
    middle = add(stores, {"name": "Middle", "currency": "USD", "parent": whole})
    change(stores, "Alpha", {"parent": middle})
    bring(stores, "EURUSD", course(3, 1.1), "prices", "close")
    lacking = shown(stores, "currencies")
    assert "EURGBP: Alpha in Whole" in lacking and "USDGBP" not in lacking and "EURUSD:" not in lacking
    post(client, "blend", id="", name="Mixed", rebalancing="daily", currency="JPY", part0="SPX", weight0="100")
    change(stores, "Alpha", {"benchmark": "Mixed"})
    lacking = shown(stores, "currencies")
    assert "USDJPY: SPX in Mixed" in lacking and "JPYEUR: Mixed beside Alpha" in lacking


def test_a_blend_is_made_changed_and_removed(stores: Stores, client: FlaskClient) -> None:
    parts = {"part0": "SPX", "weight0": "60", "part1": "AGG", "weight1": "30", "part2": "", "weight2": ""}
    wrong = post(client, "blend", id="", name="60/40", rebalancing="monthly", currency="", **parts)
    assert wrong["said"] == "Nothing was changed. the weights sum to 90 %: they must sum to 100 %"
    assert not list_blends(stores.state, "own")
    before = stores.live.version("portfolio")
    post(client, "blend", id="", name="60/40", rebalancing="monthly", currency="", **parts | {"weight1": "40,0"})
    (blend,) = list_blends(stores.state, "own")
    assert (blend.parts, blend.rebalancing) == ((("SPX", 60.0), ("AGG", 40.0)), "monthly")
    assert stores.live.version("portfolio") != before
    assert "60 % SPX + 40 % AGG" in shown(stores, "blends", blend="60/40")
    post(client, "blend", id="60/40", name="Mixed", rebalancing="never", currency="", part0="SPX", weight0="100")
    (blend,) = list_blends(stores.state, "own")
    assert (blend.id, blend.name, blend.parts) == ("60/40", "Mixed", (("SPX", 100.0),))
    post(client, "remove-blend", id="60/40")
    assert not list_blends(stores.state, "own")


def test_what_a_series_is_can_be_said(stores: Stores, client: FlaskClient) -> None:
    said = {"symbol": "SPX", "name": "S&P 500", "kind": "total_return", "currency": "usd", "note": ""}
    assert post(client, "series", **said)["said"] == "SPX: name S&P 500, kind total_return."
    assert catalogue(stores, "own").name("SPX") == "S&P 500"
    wrong = post(client, "series", **said | {"currency": "dollars"})
    assert "currency" in wrong["fields"] and not wrong["done"]
    assert {each.symbol: each.currency for each in list_series(stores.state, "own")}["SPX"] == "USD"


def test_a_currency_gets_a_rate_and_loses_it(stores: Stores, client: FlaskClient) -> None:
    post(client, "risk-free", currency="eur", rate="", series="ESTR")
    (rate,) = list_risk_free(stores.state, "own")
    assert (rate.currency, rate.series) == ("EUR", "ESTR")
    assert "ESTR, act/360" in shown(stores, "rates")
    post(client, "risk-free", currency="EUR", rate="2,5", series="")
    assert list_risk_free(stores.state, "own")[0].percent == 2.5
    assert "rate" in post(client, "risk-free", currency="EUR", rate="much", series="")["fields"]
    post(client, "risk-free", currency="EUR", rate="", series="")
    assert not list_risk_free(stores.state, "own")
