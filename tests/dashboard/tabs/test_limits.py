"""The Limits page: what it shows of the sample, of own portfolios, and to people who may see some of them alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import yaml

from access.viewer import Viewer
from analytics.liquidity import SHARE_OF_VOLUME
from core.portfolio_limits.figures import FIGURES
from core.roles import Role
from core.settings.limits import SetLimits
from dashboard.tabs import limits
from dashboard.views.tab import Choices, View
from portfolio.day_holdings import holdings
from portfolio.limits.change import exported, save
from portfolio.limits.judge import stands
from sample.load import load_sample, portfolios
from storage.state.portfolios import Portfolio, list_portfolios
from storage.stores import Stores
from tests.dashboard.tabs.test_holdings import text_of
from tests.support.api import ADMIN, LIMITED, client_of
from tests.support.readiness import safe_stores

ROOT = Viewer("root", Role.ADMIN)
ANA = Viewer("ana", Role.VIEWER)
MINE = Viewer("mia", Role.VIEWER, portfolios=frozenset({"alpha"}))


def view(stores: Stores, viewer: Viewer = ANA, **choices: str) -> View:
    found = limits.build(stores, Choices.of(choices), viewer)
    assert set(found.slots) <= set(limits.PAGE.slots)
    return found


def shows(stores: Stores, viewer: Viewer = ANA, **choices: str) -> str:
    return " ".join(text_of(each) for each in view(stores, viewer, **choices).slots.values())


@pytest.fixture
def fund(stores: Stores) -> Stores:
    """A fund with two parts, and a limit that is set above both of them."""
    found = safe_stores(stores)
    above = {"portfolio": "fund", "figure": "daily_loss", "value": "0.1 %", "below": "on", "note": "Board of Secret"}
    save(found, above, "root")
    save(found, {"portfolio": "beta", "figure": "drawdown", "value": "3 %", "note": "of beta"}, "root")
    return found


def test_every_figure_of_the_sample_is_known_and_is_that_of_its_holdings(stores: Stores) -> None:
    load_sample(stores)
    whole = portfolios("sample")[0]
    found = stands(stores, [whole], None, stores.clock.now())
    assert {each.limit.figure for each in found if each.value is None} <= {"liquidate_days"}, [
        each.why for each in found if each.value is None
    ]
    by = {each.limit.figure: each for each in found}
    assert by["gross"].headroom_money == pytest.approx((2.0 - by["gross"].value) * by["gross"].nav)  # type: ignore[operator]
    assert by["net"].headroom == pytest.approx(by["net"].value + 0.2)  # type: ignore[operator]
    assert 0 < by["var_95"].value < 0.05  # type: ignore[operator]
    held = holdings(stores, whole, None)
    assert held is not None
    weights: dict[str, float] = {}
    shares: dict[str, float] = {}
    for each in held.positions:
        weights[each.instrument] = weights.get(each.instrument, 0.0) + each.weight
        of_volume = each.quantity / (each.about.daily_volume or math.nan)
        shares[each.instrument] = shares.get(each.instrument, 0.0) + of_volume
    exact = {
        "gross": held.all().gross / held.nav, "net": held.all().net / held.nav,
        "position": max(map(abs, weights.values())),
        "sector": max(each.gross for each in held.by("sector")) / held.nav,
        "liquidate_days": max(abs(each) / SHARE_OF_VOLUME for each in shares.values()),
    }  # fmt: skip
    for name, value in exact.items():
        assert by[name].value == pytest.approx(value, rel=1e-9), name
    said = shows(stores)
    assert "Gross exposure" in said and "The sample brings its limits" in said
    assert "there is no “own:nothing”" in shows(stores, portfolio="own:nothing")


def test_a_restricted_list_has_one_name_wherever_it_shows_and_however_much_of_it_is_held(stores: Stores) -> None:
    load_sample(stores)
    found = {part: text_of(slot) for part, slot in view(stores).slots.items()}
    table = next(told for told in found.values() if "Headroom" in told)
    assert "Restricted list: BAC, GE" in table and "Restricted list BAC" not in table
    assert "held or bought: BAC" in table
    of_var = FIGURES["var_95"]
    assert of_var.sentence(0.0055, "USD") == "VaR 95 %, 1 day 0.55 %"
    assert [FIGURES[each].inside for each in ("gross", "hhi", "largest_5")] == ["gross exposure", "HHI", "five largest"]


def test_what_is_below_stands_with_it_and_the_form_is_for_administrators(fund: Stores) -> None:
    whole = shows(fund, ROOT, portfolio="own:fund")
    assert "Alpha" in whole and "Beta" in whole and "Board of Secret" in whole
    assert "kept" in whole and "settings, of every portfolio" in whole
    assert "Set the limit" in whole
    assert "set limits" in shows(fund, ANA, portfolio="own:fund") and "Set the limit" not in shows(fund, ANA)
    changing = shows(fund, ROOT, portfolio="own:fund", limit="1")
    assert "Save" in changing
    assert "Daily loss at most 0.10 %" in whole, "the history of limits"


def test_who_may_see_some_portfolios_is_told_of_no_other_one_nor_of_who_limits_from_above(fund: Stores) -> None:
    for choices in ({}, {"portfolio": "own:alpha"}, {"portfolio": "own:beta"}, {"portfolio": "own:fund"}):
        said = shows(fund, MINE, **choices)
        assert "Alpha" in said or "Daily loss" in said
        assert "above it" in said, "that it is limited from above is told"
        for secret in ("Beta", "beta", "Secret", "root", "3.00 %", "own:fund", "of fund"):
            assert secret not in said.replace("“own:fund”", "").replace("“own:beta”", ""), secret
    client = client_of(fund, MINE)
    told = client.get("/api/v1/portfolios/own:alpha/limits").text
    assert "Secret" not in told and "root" not in told and '"fund"' not in told and "beta" not in told
    for address in ("limits", "breaches"):
        assert client.get(f"/api/v1/portfolios/own:beta/{address}").status_code == 404


def test_the_api_says_what_the_page_says_and_sets_limits_with_every_mistake_named(fund: Stores) -> None:
    client = client_of(fund, ADMIN)
    rows = {row["figure"]: row for row in client.get("/api/v1/portfolios/own:beta/limits").json["items"]}
    found = {each.limit.figure: each for each in stands(fund, _portfolios(fund, "beta"), None, fund.clock.now())}
    assert {name: row["state"] for name, row in rows.items()} == {name: each.state for name, each in found.items()}
    assert rows["drawdown"]["limit"] == 0.03 and rows["drawdown"]["set_of"] == "beta"
    wrong = client.post("/api/v1/limits", json={"portfolio": "betta", "figure": "gros", "value": "2"})
    assert wrong.status_code == 422 and "did you mean 'gross'" in wrong.text
    made = client.post("/api/v1/limits", json={"portfolio": "beta", "figure": "leverage", "value": "1.5 x"})
    assert made.status_code == 201, made.text
    id, version = made.json["id"], made.json["version"]
    body = {"portfolio": "beta", "figure": "leverage", "value": "2 x", "version": version}
    assert client.put(f"/api/v1/limits/{id}", json=body).json["version"] == version + 1
    assert client.put(f"/api/v1/limits/{id}", json=body).status_code == 422, "somebody else changed it meanwhile"
    twice = client.post("/api/v1/limits", json={"portfolio": "beta", "figure": "leverage", "value": "3 x"})
    assert twice.status_code == 422
    assert client.delete(f"/api/v1/limits/{id}").status_code == 200
    assert client.delete(f"/api/v1/limits/{id}").status_code == 404
    assert client_of(fund, LIMITED).post("/api/v1/limits", json=body).status_code == 403


def test_what_is_exported_means_the_same_in_the_settings(fund: Stores) -> None:
    read = SetLimits.model_validate(yaml.safe_load(exported(fund))["limits"])
    there = replace(fund, settings=fund.settings.model_copy(update={"limits": read}))
    assert {(each.figure, each.value, each.portfolio, each.below, each.note) for each in read.limits()[2:]} == {
        ("daily_loss", 0.001, "fund", True, "Board of Secret"), ("drawdown", 0.03, "beta", False, "of beta"),
    }  # fmt: skip
    assert "settings, of fund and below" in shows(there, ROOT, portfolio="own:fund")


def _portfolios(stores: Stores, id: str) -> list[Portfolio]:
    return [each for each in list_portfolios(stores.state) if each.id == id]
