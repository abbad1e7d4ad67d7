"""Risk and stress as programs read them: the pages' figures, which add up, for who may see them."""

from __future__ import annotations

import math

import pytest

from access.viewer import Viewer
from core.roles import Role
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.scenarios import Scenario, add_scenario
from storage.stores import Stores
from tests.support.api import client_of

READER = Viewer("reader", Role.VIEWER)


@pytest.fixture
def sample(stores: Stores) -> Stores:
    load_sample(stores)
    return stores


def test_positions_and_groups_add_up_to_the_measure(sample: Stores) -> None:
    client = client_of(sample, READER)
    answer = client.get("/api/v1/portfolios/sample:fund/risk?method=parametric&level=99&by=portfolio").json
    whole = next(each for each in answer["measures"] if each["method"] == answer["method"] == "parametric")
    for rows in (answer["positions"], [each for each in answer["groups"] if each["group"] != "All"]):
        assert math.fsum(each["component_var"] for each in rows) == pytest.approx(whole["value_at_risk"], rel=1e-9)
        assert math.fsum(each["component_es"] for each in rows) == pytest.approx(whole["expected_shortfall"], rel=1e-9)
    assert answer["back_test"]["zone"] in ("green", "yellow", "red")
    assert answer["left_out"] == [] and answer["told"] == []
    assert [each["days"] for each in answer["liquidity"]] == [1, 2, 5, 10, 20]


def test_losses_are_told_with_their_days_and_own_scenarios_among_them(sample: Stores) -> None:
    add_scenario(sample.state, Scenario("Oil", sectors={"Energy": -0.3}))
    answer = client_of(sample, READER).get("/api/v1/portfolios/sample:fund/stress").json
    losses = {each["id"]: each for each in answer["losses"]}
    assert losses["own:1"]["pnl"] == pytest.approx(3 * losses["sector:Energy"]["pnl"], rel=1e-9)
    assert losses["market"]["pnl"] < 0
    assert any(each["first"] == "2020-03-16" for each in answer["losses"])
    assert answer["restless"][1]["value_at_risk"] == pytest.approx(2 * answer["restless"][0]["value_at_risk"])


@pytest.mark.parametrize("asked", ["level=97", "horizon=0", "method=magic", "asof=2018-02-31", "asof=x", "by=colour"])
@pytest.mark.parametrize("what", ["risk", "stress"])
def test_what_cannot_be_is_refused_with_its_field(stores: Stores, what: str, asked: str) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    answer = client_of(stores, READER).get(f"/api/v1/portfolios/own:alpha/{what}?{asked}")
    assert answer.status_code == 422
    assert answer.json["field"] == asked.partition("=")[0]


def test_what_is_left_out_of_every_figure_is_told(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    day = int(stores.clock.now()) // 86_400 * 86_400
    stores.clickhouse.command(
        "INSERT INTO prices (origin, instrument, ts, price, version) "
        f"SELECT 'own', 'ACME', toDateTime({day} - 86400 * number), 100 + number % 7, 1 FROM numbers(100)"
    )
    stores.clickhouse.command(
        "INSERT INTO positions (origin, portfolio, ts, instrument, quantity, price, market_value, currency, version) "
        f"VALUES ('own', 'alpha', toDateTime({day}), 'ACME', 7, 100, 700, 'EUR', 1), "
        f"('own', 'alpha', toDateTime({day}), 'BARE', 1, 100, 100, 'EUR', 1), "
        f"('own', 'alpha', toDateTime({day}), 'FAR', 3, 100, 300, 'JPY', 1)"
    )
    client = client_of(stores, READER)
    unpriced = "1 position of no known value left out."
    risk = client.get("/api/v1/portfolios/own:alpha/risk").json
    assert risk["told"] == [unpriced]
    (lost,) = risk["left_out"]
    assert lost["instrument"] == "BARE"
    assert client.get("/api/v1/portfolios/own:alpha/stress").json["told"] == [
        f"Of no known returns: BARE: {lost['why']}.", unpriced
    ]  # fmt: skip


def test_without_positions_nothing_is_told_and_that_is_said(stores: Stores) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha", currency="EUR")])
    for what in ("risk", "stress"):
        answer = client_of(stores, READER).get(f"/api/v1/portfolios/own:alpha/{what}").json
        assert answer["told"] == ["No positions were reported."]
        assert answer["nav"] is None
