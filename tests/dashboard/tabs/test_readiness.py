"""The page Readiness: halting and resuming by who may, what every page then says, and who is told of which halt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.roles import Role
from dashboard.frame.places import SAFE
from dashboard.tabs import PAGES
from dashboard.tabs.readiness import PAGE, build
from dashboard.views.tab import Choices, View
from portfolio.halting import halt
from storage.state.audit import read_entries
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.readiness import Fund, safe_stores
from tests.support.views import slot_text

ANA = Viewer("ana", Role.OPERATOR)
VERA = Viewer("vera", Role.VIEWER)
OF_ALPHA = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"alpha"}))
HIDDEN = ("beta", "Beta", "the hedge of all")


@pytest.fixture
def fund(stores: Stores) -> Fund:
    made = Fund(safe_stores(stores))
    made.becomes_safe()
    return made


def client(fund: Fund, viewer: Viewer) -> FlaskClient:
    made: FlaskClient = create_app(fund.stores, PAGES, lambda _: viewer).server.test_client()
    return made


def shown(fund: Fund, viewer: Viewer) -> View:
    return build(fund.stores, Choices(), viewer.only(PAGE.varies_by))


def words(view: View, panel: str) -> str:
    return slot_text("readiness", view, f"{panel}-table")


def post(fund: Fund, viewer: Viewer, does: str, **fields: str) -> dict[str, Any]:
    answer: dict[str, Any] = client(fund, viewer).post(f"/readiness/{does}", json=fields).json
    return answer


def test_an_operator_halts_and_resumes_and_both_stand_in_history_and_audit(fund: Fund) -> None:
    now = fund.stores.clock.now()
    until = datetime.fromtimestamp(now + 3_600, UTC).isoformat()
    said = post(fund, ANA, "halt", portfolio="everything", why="the exchange is down", until=until)
    assert said["done"], said
    assert not fund.is_safe
    view = shown(fund, ANA)
    assert "Everything ana the exchange is down" in words(view, "halts")
    assert "✕ not ready Halt by hand" in words(view, "checks")
    assert "None yet." in words(view, "over")
    told = client(fund, VERA).get(SAFE).json
    assert "Everything halted by ana" in told["halted"] and "the exchange is down" in told["halted"]
    assert 'href="/readiness"' in told["list"], "the halt's check leads to where it is resumed"
    assert post(fund, ANA, "resume", id=str(fund.now.halts[0].id))["done"]
    assert client(fund, VERA).get(SAFE).json["halted"] == ""
    view = shown(fund, ANA)
    assert "Nobody has halted trading." in words(view, "halts")
    assert "Everything ana the exchange is down" in words(view, "over")
    fund.becomes_safe()
    entries = [(each.what, each.who) for each in read_entries(fund.stores.state, limit=2)]
    assert entries == [("trading resumed", "ana"), ("trading halted", "ana")]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"portfolio": "", "why": "so"}, "portfolio"),
        ({"portfolio": "own:gamma", "why": "so"}, "portfolio"),
        ({"portfolio": "own:alpha", "why": " "}, "why"),
        ({"portfolio": "own:alpha", "why": "so", "until": "tomorrow"}, "until"),
        ({"portfolio": "own:alpha", "why": "so", "until": "1999-01-01T00:00:00Z"}, "until"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_halted(fund: Fund, fields: dict[str, str], field: str) -> None:
    said = post(fund, ANA, "halt", **fields)
    assert not said["done"]
    assert list(said["fields"]) == [field]
    assert fund.is_safe


def test_a_viewer_is_told_and_may_not(fund: Fund) -> None:
    view = shown(fund, VERA)
    assert "Only operators and admins halt and resume trading" in words(view, "halt")
    assert not post(fund, VERA, "halt", portfolio="everything", why="so")["done"]
    assert fund.is_safe


def test_who_may_see_some_portfolios_halts_those_and_is_told_of_no_others(fund: Fund) -> None:
    assert "Everything" not in words(shown(fund, OF_ALPHA), "halt")
    assert "needs somebody" not in words(shown(fund, OF_ALPHA), "halt")
    refused = post(fund, OF_ALPHA, "halt", portfolio="everything", why="so")
    assert list(refused["fields"]) == ["portfolio"]
    assert not post(fund, OF_ALPHA, "halt", portfolio="own:beta", why="so")["done"]
    halt(fund.stores, "beta", HIDDEN[2], None, "ana", None)
    everything = client(fund, OF_ALPHA).get(SAFE).text + repr(shown(fund, OF_ALPHA).slots)
    assert not [each for each in HIDDEN if each in everything]
    above = halt(fund.stores, "fund", "margin call", None, "ana", None)
    view = shown(fund, OF_ALPHA)
    assert "Alpha ana margin call" in words(view, "halts"), "what stops it is told, and not what it is part of"
    assert "Fund " not in words(view, "halts")
    assert not post(fund, OF_ALPHA, "resume", id=str(above.id))["done"]
    assert post(fund, OF_ALPHA, "halt", portfolio="own:alpha", why="mine")["done"]
    mine = next(each for each in fund.now.halts if each.why == "mine")
    assert post(fund, OF_ALPHA, "resume", id=str(mine.id))["done"]
