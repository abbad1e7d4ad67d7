"""What fires on a portfolio is said on its pages, also where it began after the last value of every chart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access.viewer import Viewer
from core.alerts.evaluate import Value
from core.alerts.matchers import read_matchers
from core.alerts.rule import Rule
from core.alerts.silence import Silence
from core.clock import FakeClock
from core.model import labels
from core.roles import Role
from dashboard.tabs import PAGES
from dashboard.views.serialize import plain
from dashboard.views.tab import Choices, Page
from status.alerts import alerts_now
from storage.state.alert_requests import Ask, Request, ask
from storage.state.alerts import HistoryRow, add_history
from storage.state.portfolios import Portfolio, put_portfolios
from storage.state.silences import add_silence
from storage.stores import Stores
from tests.support.alerting import LOSS, Alerting
from tests.support.views import text

HOUR = 3_600
ALL = Viewer("ana", Role.OPERATOR)
OF_BETA = Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"}))
WITH_FIRING = {page.id: page for page in PAGES if f"{page.id}-firing" in page.slots}


@pytest.fixture
def fund(stores: Stores) -> Stores:
    """A fund of two parts; an alert fires on one of them, and one of the other is over."""
    put_portfolios(stores.state, [
        Portfolio("own", "fund", "Fund"), Portfolio("own", "alpha", "Alpha", parent="fund"),
        Portfolio("own", "beta", "Beta", parent="fund"),
    ])  # fmt: skip
    now = stores.clock.now()
    with stores.state.begin() as connection:
        add_history(connection, [
            HistoryRow(now - 90, "fires", "loss", '{"portfolio":"beta"}', "warning", detail="Beta lost 1 %"),
            HistoryRow(now - 60, "fires", "fall", '{"portfolio":"alpha"}', "critical", detail="Alpha fell by 16 %"),
            HistoryRow(now - 30, "resolved", "loss", '{"portfolio":"beta"}', "warning"),
        ])  # fmt: skip
    return stores


def said(stores: Stores, page: Page, viewer: Viewer = ALL, **choices: str) -> str:
    assert page.build is not None
    view = page.build(stores, Choices.of(choices), viewer.only(page.varies_by))
    return " ".join(text(plain(view.slots[f"{page.id}-firing"])).split())


def test_each_page_of_a_portfolio_has_a_place_for_it() -> None:
    assert [*WITH_FIRING] == [
        "portfolio", "holdings", "exposure", "risk", "stress", "what-if", "attribution", "trades", "execution",
        "limits", "reconcile",
    ]  # fmt: skip


@pytest.mark.parametrize("page", WITH_FIRING.values(), ids=WITH_FIRING)
def test_what_fires_now_is_said_on_the_pages_of_what_it_is_of(fund: Stores, page: Page) -> None:
    """A page without any data says it too."""
    assert f"{page.id}-firing" in str(page.layout(fund, Choices(), ALL))
    assert "Alpha: Alpha fell by 16 %" in (shown := said(fund, page, portfolio="own:alpha"))
    assert "critical" in shown
    assert "Alpha: Alpha fell" in said(fund, page, portfolio="own:fund"), "of a part of it"
    assert said(fund, page, portfolio="own:beta") == "", "what is over does not fire"
    assert said(fund, page, OF_BETA, portfolio="own:fund") == ""


@pytest.mark.parametrize("before", ["Alpha: ", "alpha: ", ""])
def test_whose_it_is_is_said_once(fund: Stores, before: str) -> None:
    with fund.state.begin() as connection:
        found = HistoryRow(fund.clock.now() - 50, "fires", "limits", '{"portfolio":"alpha"}', "critical",
                           detail=f"{before}17.8 % below its peak")  # fmt: skip
        add_history(connection, [found])
    assert "Alpha: 17.8 % below its peak" in said(fund, WITH_FIRING["limits"], portfolio="own:alpha")


def test_it_says_what_is_kept_quiet_and_who_has_what_in_hand_in_the_words_of_the_tab(fund: Stores) -> None:
    page = WITH_FIRING["portfolio"]
    stores = replace(fund, clock=FakeClock(fund.clock.now()))
    alerting = Alerting(stores)
    falls = Rule.model_validate({"name": "fall", "when": "current_drawdown < -15 %", "severity": "warning",
                                 "category": "portfolio", "every": "1 s", "message": "It fell"})  # fmt: skip
    alerting.rules = (LOSS, falls)
    of = labels(portfolio="beta", origin="own")
    alerting.finds({"daily_return": [Value(of, -0.06)], "current_drawdown": [Value(of, -0.2)]})
    (loss,) = [each for each in alerts_now(stores).firing if each.rule == "loss"]
    assert "quiet" not in (shown := said(stores, page, portfolio="own:beta")) and "in hand" not in shown
    now = stores.clock.now()
    ask(stores.state, Request(loss.incident, Ask.ACKNOWLEDGE, "ana", now, now + HOUR, ""))
    alerting.step()
    assert "✓ ana has it in hand" in said(stores, page, portfolio="own:beta")
    held = said(stores, page, portfolio="own:beta")
    assert held.index("It fell") < held.index("in hand"), "what needs somebody comes first, though the other is graver"
    silence = Silence(read_matchers('rule="fall"'), now, now + HOUR, "known", "bo", now)
    add_silence(stores.state, silence)
    alerting.step()
    shown = said(stores, page, portfolio="own:beta")
    (fall,) = [each for each in alerts_now(stores).firing if each.rule == "fall"]
    assert fall.muted_by and f"⊘ quiet: {fall.muted_by}" in shown
