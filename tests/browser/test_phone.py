"""Pages of portfolios on a phone: what matters is on the first screen, and a tap of a heading says what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.tabs import PAGES as EVERY
from storage.state.alerts import HistoryRow, add_history
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.support.accessibility import violations
from tests.support.application import create_app

pytestmark = pytest.mark.browser
PAGES = tuple(each for each in EVERY if each.id in ("portfolio", "holdings"))
PHONE = {"width": 390, "height": 844, "theme": "light", "has_touch": True, "is_mobile": True}


def test_value_and_weight_are_in_sight_and_a_heading_tells_before_it_sorts(
    open_page: Callable[..., Page], fund: Stores, serve: Callable[..., Any]
) -> None:
    page = open_page(**PHONE)
    page.goto(f"{serve(create_app(fund, PAGES).server).url}/portfolio/holdings")
    table = page.locator("#holdings-positions-rows")
    for name in ("Value", "Weight", "Day", "Day %"):
        box = table.get_by_role("button", name=name, exact=True).bounding_box()
        assert box and box["x"] + box["width"] <= 390, name
    heading = table.get_by_role("button", name="Weight", exact=True)
    column = table.locator("th[aria-sort]")
    heading.tap()
    expect(page.locator(".fw-told")).to_contain_text("Value over the portfolio's net asset value")
    expect(column).to_have_count(0)
    heading.tap()
    expect(column).to_contain_text("Weight")
    expect(page.locator(".fw-told")).to_have_count(0)


def test_the_label_of_a_figure_in_a_card_tells_what_it_is(
    open_page: Callable[..., Page], fund: Stores, serve: Callable[..., Any]
) -> None:
    page = open_page(**PHONE)
    page.goto(serve(create_app(fund, EVERY).server).url)
    cell = page.locator("#overview-portfolios-table td[data-label='Sharpe 1y']").first
    cell.tap(position={"x": 4, "y": 8})
    expect(page.locator(".fw-told")).to_contain_text("Sharpe 1y: Of a year to the last value")
    cell.tap(position={"x": 4, "y": 8})
    expect(page.locator(".fw-told")).to_have_count(0)


def test_a_page_of_many_rows_shows_few_cards_and_more_when_asked(
    open_page: Callable[..., Page], stores: Stores, serve: Callable[..., Any]
) -> None:
    now = stores.clock.now()
    with stores.state.begin() as connection:
        add_history(
            connection, [HistoryRow(now - at, "fires", "loss", detail=f"fall {at}") for at in range(120, 0, -1)]
        )
    page = open_page(**PHONE)
    page.goto(f"{serve(create_app(stores, EVERY).server).url}/alerts/history")
    rows, more = page.locator("#alert-history-rows tbody tr"), page.get_by_role("button", name="Show more")
    expect(rows.filter(visible=True)).to_have_count(10)
    more.tap()
    expect(rows.filter(visible=True)).to_have_count(30)
    stores.live.bump("portfolio")
    page.wait_for_timeout(1_500)
    expect(rows.filter(visible=True)).to_have_count(30)
    more.tap()
    expect(rows.filter(visible=True)).to_have_count(100)
    expect(more).to_be_hidden()
    page.get_by_role("button", name="Older").tap()
    expect(rows.filter(visible=True)).to_have_count(10)
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(rows.filter(visible=True)).to_have_count(20)


def test_alerts_are_one_line_until_somebody_opens_them(
    open_page: Callable[..., Page], stores: Stores, serve: Callable[..., Any]
) -> None:
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    now = stores.clock.now()
    with stores.state.begin() as connection:
        add_history(connection, [
            HistoryRow(now - at, "fires", rule, '{"portfolio":"alpha"}', "critical", detail=f"alpha: {rule} is too far")
            for at, rule in ((90, "loss"), (60, "fall"))
        ])  # fmt: skip
    page = open_page(**PHONE)
    page.goto(f"{serve(create_app(stores, PAGES).server).url}/portfolio/holdings")
    alerts = page.locator(".fw-firing")
    line = alerts.locator("summary")
    expect(line).to_contain_text("2 alerts")
    expect(alerts.get_by_role("status").first).to_be_hidden()
    box = alerts.bounding_box()
    assert box and box["height"] <= 40
    line.tap()
    expect(alerts.get_by_role("status")).to_have_count(2)
    expect(alerts.get_by_role("status").last).to_contain_text("Alpha: loss is too far")
    stores.live.bump("portfolio")
    page.wait_for_timeout(1_500)
    expect(alerts.get_by_role("status").last).to_be_visible()
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(line).to_be_hidden()
    expect(alerts.get_by_role("status").last).to_be_visible()
