"""Whatever page is asked for a portfolio that there is not says so, and which one is shown."""

from __future__ import annotations

import pytest

from access.viewer import Viewer
from core.roles import Role
from dashboard.tabs import (
    attribution,
    execution,
    exposure,
    holdings,
    limits,
    portfolio,
    reconcile,
    risk,
    stress,
    trades,
    what_if,
)
from dashboard.views.tab import Choices, Page
from sample.load import load_sample
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.views import text

VIEWER = Viewer("ana", Role.VIEWER)
PAGES = (
    attribution.PAGE, execution.PAGE, exposure.PAGE, holdings.PAGE, limits.PAGE, reconcile.PAGE, risk.PAGE, stress.PAGE,
    trades.PAGE, what_if.PAGE,
)  # fmt: skip


def said(page: Page, stores: Stores, key: str) -> str:
    assert page.build is not None
    return text([*page.build(stores, Choices.of({"portfolio": key}), VIEWER).slots.values()])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.id))
def test_a_page_without_data_says_that_there_is_no_such_portfolio(stores: Stores, page: Page) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    assert "Portfolio: there is no “own:gone”; Alpha is used." in said(page, stores, "own:gone")
    assert "Portfolio: there is no" not in said(page, stores, "own:alpha")


def test_pages_with_data_say_so_too(stores: Stores) -> None:
    load_sample(stores)
    for page in (holdings.PAGE, exposure.PAGE, trades.PAGE, portfolio.TAB):
        assert "Portfolio: there is no “sample:nope”; All strategies is used." in said(page, stores, "sample:nope")
