"""Printing in a real browser: a sheet that says what it shows, every chart drawn, and the screen as it was after."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import until

CHARTS = "[...document.querySelectorAll('.fw-graph .js-plotly-plot')].filter(plot => (plot.data || []).length).length"
COLOURS = "[...document.querySelectorAll('#portfolio-growth .scatterlayer .js-line')].map(line => line.style.stroke)"


def test_a_printed_page_is_light_whole_and_says_what_it_shows(fund_url: str, page: Page) -> None:
    page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; }")
    page.goto(fund_url)
    expect(page.locator("#portfolio-growth .main-svg").first).to_be_visible()
    dark = page.evaluate(COLOURS)
    first = page.evaluate(CHARTS)
    page.keyboard.press("Control+p")
    until(lambda: page.evaluate("window.printed") == 1)
    assert page.evaluate(CHARTS) > first, "charts below the first screen are drawn too"
    assert not page.locator("[data-undrawn]").count()
    expect(page.locator("#portfolio-metrics tbody tr").first).to_be_visible()
    page.emulate_media(media="print")
    head = page.locator(".fw-paper-head")
    expect(head).to_contain_text("Portfolio All strategies (sample) · vs S&P 500 · Window ITD")
    expect(head.locator(".fw-mark")).to_contain_text("sample", ignore_case=True)
    for control in (".fw-header", ".fw-choices", ".fw-tools", ".fw-filter", ".fw-files"):
        expect(page.locator(control).first).to_be_hidden()
    light = page.evaluate(COLOURS)
    assert len(light) == len(dark) and light != dark
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing stands beyond the sheet"

    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(head).to_have_count(0)
    expect(page.locator(".fw-choices")).to_be_visible()
    until(lambda: page.evaluate(COLOURS) == dark)
