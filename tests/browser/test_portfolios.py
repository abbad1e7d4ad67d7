"""A journey through the Portfolios page: a tree of three, its settings, a new name, a merge, a deletion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.tabs import portfolio, portfolios
from portfolio.imports.take import take
from storage.state.portfolios import list_portfolios
from storage.stores import Stores
from tests.support.application import create_app

pytestmark = pytest.mark.browser
FILES = {
    "macro": "date,portfolio,nav\n" + "".join(f"2023-{month:02}-28,macro,{100 + month}\n" for month in range(1, 7)),
    "trend": "date,portfolio,nav\n2023-01-02,trend,100\n2023-01-03,trend,101\n",
    "SPX": "date,close\n2023-01-02,5\n2023-01-03,6\n",
}


@pytest.fixture
def url(stores: Stores, serve: Callable[..., Any]) -> Iterator[str]:
    yield str(serve(create_app(stores, pages=(portfolio.TAB, portfolios.PAGE)).server).url) + "/portfolios"


def bring(stores: Stores) -> None:
    from portfolio.imports.mapping import Mapping

    for name, text in FILES.items():
        said = Mapping(portfolio=name, kind="prices") if name == "SPX" else None
        take(stores, f"{name}.csv", text.encode(), said, accept=True)


def told(page: Page, form: str) -> Any:
    return page.locator(f"form[action='/portfolios/{form}'] .fw-form-said")


def row(page: Page, name: str) -> Any:
    """Return the row of a portfolio."""
    return page.locator("#portfolios-rows tbody tr").filter(has=page.get_by_role("button", name=f"Settings of {name}"))


def test_a_tree_of_three_is_built_and_changed(page: Page, url: str, stores: Stores) -> None:
    page.goto(url)
    expect(page.locator("#portfolios-tree")).to_contain_text("No portfolio yet")
    expect(page.get_by_role("link", name="import one")).to_have_attribute("href", "/import")
    bring(stores)
    page.reload()
    expect(row(page, "macro")).to_contain_text("monthly, found from 6 values")
    expect(row(page, "macro")).to_contain_text("USD, not told")
    expect(row(page, "trend")).to_contain_text("too few values to tell")

    add = page.locator("form[action='/portfolios/add']")
    add.get_by_label("Name").fill("Whole fund")
    add.get_by_label("Currency").fill("euro")
    add.get_by_role("button", name="Add").click()
    expect(add.get_by_text("give three capitals such as USD")).to_be_visible()
    add.get_by_label("Currency").fill("EUR")
    add.get_by_label("Currency").press("Enter")
    expect(page).to_have_url(re.compile(r"edit=own(:|%3A)Whole(\+|%20)fund"))
    expect(page.locator("#portfolios-chosen")).to_have_text("Whole fund")

    for name in ("macro", "trend"):
        page.get_by_role("button", name=f"Settings of {name}").press("Enter")
        expect(page.locator("#portfolios-chosen")).to_have_text(name)
        change = page.locator("form[action='/portfolios/set']")
        expect(change.get_by_label("Name")).to_have_value(name)
        change.get_by_label("Part of").select_option("Whole fund")
        change.get_by_label("Currency").fill("EUR")
        change.get_by_label("Benchmark").select_option("SPX")
        change.get_by_role("button", name="Save").click()
        expect(told(page, "set")).to_contain_text("benchmark none → SPX")
        expect(row(page, name)).to_contain_text("SPX")
    found = {each.id: (each.parent, each.currency, each.benchmark) for each in list_portfolios(stores.state)}
    assert found["macro"] == found["trend"] == ("Whole fund", "EUR", "SPX")
    names = page.locator("#portfolios-rows tbody tr td:first-child")
    expect(names).to_have_text(["Whole fund", "\u2003macro", "\u2003trend"])

    change.get_by_label("Name").fill("macro")
    change.get_by_role("button", name="Save").click()
    expect(change.get_by_text("is what files call macro")).to_be_visible()
    change.get_by_label("Name").fill("Trend following")
    change.get_by_role("button", name="Save").click()
    expect(row(page, "Trend following")).to_be_visible()
    expect(page.get_by_text("Files may also call it trend.")).to_be_visible()

    remove = page.locator("form[action='/portfolios/delete']")
    remove.get_by_label("Delete").fill("trend")
    remove.get_by_role("button", name="Delete").click()
    expect(remove.get_by_text("type its name, Trend following")).to_be_visible()
    merge = page.locator("form[action='/portfolios/merge']")
    merge.get_by_label("Merge into").select_option("macro")
    merge.get_by_role("button", name="Merge").click()
    expect(page.locator("dialog[open]")).to_contain_text("Merge Trend following into macro? That cannot be undone.")
    page.locator("dialog").get_by_role("button", name="Merge").click()
    expect(page).to_have_url(re.compile(r"edit=own(:|%3A)macro"))
    expect(names).to_have_text(["Whole fund", "\u2003macro"])
    expect(page.locator("#portfolios-changes")).to_contain_text("Trend following merged into macro: 2 values")
    expect(page.get_by_text("Files may also call it Trend following, trend.")).to_be_visible()
    page.locator("form[action='/portfolios/delete']").get_by_label("Delete").fill("macro")
    page.locator("form[action='/portfolios/delete']").get_by_role("button", name="Delete").click()
    expect(names).to_have_text(["Whole fund"])
    assert [each.id for each in list_portfolios(stores.state)] == ["Whole fund"]


def test_it_fits_a_phone(open_page: Callable[..., Page], url: str, stores: Stores) -> None:
    bring(stores)
    page = open_page(width=390, height=844)
    page.goto(f"{url}?edit=own:macro")
    expect(page.locator("form[action='/portfolios/set']")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
