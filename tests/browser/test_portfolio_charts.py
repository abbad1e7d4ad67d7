"""The charts of the Portfolio tab in a real browser: one crosshair, zoom that stays, files, and a phone's width."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.portfolio.panels import CHARTS
from storage.stores import Stores
from tests.browser.conftest import until
from tests.browser.test_portfolio import drag_across

pytestmark = pytest.mark.browser
PLOT = "document.querySelector('#portfolio-growth-graph .js-plotly-plot')"
LAYOUT = f"{PLOT}._fullLayout"
GROWTH = f"{PLOT}.data.find(trace => trace.name === 'All strategies')"
DAYS = 2_264


@pytest.fixture
def url(fund_url: str) -> str:
    return fund_url


def open_charts(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#portfolio-growth-graph").scroll_into_view_if_needed()
    page.wait_for_selector("#portfolio-growth-graph .scatterlayer .trace", state="attached")
    for chart in CHARTS:
        page.locator(f"#{chart.panel}").scroll_into_view_if_needed()
        page.wait_for_selector(f".fw-graph:not(.fw-skeleton) > #{chart.graph} .main-svg", state="attached")
    page.evaluate("window.scrollTo(0, 0)")


def download(page: Page, chart: str, tool: str, folder: Path) -> bytes:
    page.locator(f"#portfolio-{chart}").hover()
    with page.expect_download() as found:
        page.locator(f"#portfolio-{chart} [data-tool={tool}]").click()
    assert found.value.suggested_filename == f"portfolio-{chart}.{tool}"
    place = folder / found.value.suggested_filename
    found.value.save_as(place)
    return place.read_bytes()


def test_one_crosshair_tells_every_row_of_the_day_it_points_at(url: str, page: Page) -> None:
    open_charts(page, url)
    area = page.locator("#portfolio-growth-graph .nsewdrag").nth(1)
    area.hover()
    box = area.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.61, box["y"] + box["height"] / 2)
    told = page.locator("#portfolio-growth-graph .hoverlayer .legend")
    for row in ("All strategies", "S&P 500", "drawdown", "Sharpe ratio", "volatility", "beta to S&P 500"):
        expect(told).to_contain_text(row)
    expect(told).to_contain_text(re.compile(r"20\d\d-\d\d-\d\d"))


def test_the_value_in_full_is_fetched_when_somebody_points_at_the_chart(url: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/hover?" in request.url else None)
    open_charts(page, url)
    assert not asked
    area = page.locator("#portfolio-growth-graph .nsewdrag").first
    area.hover()
    box = area.bounding_box()
    assert box
    told = page.locator("#portfolio-growth-graph .hoverlayer .legend")

    def is_told() -> bool:
        for share in (0.5, 0.6):
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        return told.count() > 0 and " USD" in (told.first.text_content() or "")

    until(is_told, seconds=60)
    assert len(asked) == 1


def test_the_scale_becomes_logarithmic_and_the_zoom_stays(url: str, page: Page) -> None:
    open_charts(page, url)
    drag_across(page)
    expect(page).to_have_url(re.compile(r"from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d"))
    until(lambda: page.evaluate(f"{GROWTH}?.x[0] > '2014-01-02'"))
    first = page.evaluate(f"{GROWTH}.x[0]")
    switch = page.get_by_role("button", name="Logarithmic scale")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    expect(page).to_have_url(re.compile(r"from=[\d-]+&scale=log&to=[\d-]+"))
    expect(switch).to_have_attribute("aria-pressed", "true")
    until(lambda: page.evaluate(f"{LAYOUT}.yaxis.type") == "log")
    assert page.evaluate(f"{GROWTH}.x[0]") == first
    page.reload()
    page.locator("#portfolio-growth-graph").scroll_into_view_if_needed()
    page.wait_for_selector("#portfolio-growth-graph .scatterlayer .trace", state="attached")
    assert page.evaluate(f"[{LAYOUT}.yaxis.type, {GROWTH}.x[0]]") == ["log", first]
    switch.click()
    until(lambda: page.evaluate(f"{LAYOUT}.yaxis.type") == "linear")


def test_new_data_moves_nothing_that_did_not_change(url: str, page: Page, fund: Stores) -> None:
    open_charts(page, url)
    drag_across(page)
    until(lambda: page.evaluate(f"{GROWTH}?.x[0] > '2014-01-02'"))
    page.wait_for_timeout(500)
    before = page.evaluate(f"[{LAYOUT}.xaxis.range, {LAYOUT}.yaxis.range]")
    page.evaluate(f"{PLOT}.marked = true")
    asked = page.evaluate("performance.getEntriesByType('resource').length")
    fund.live.bump("portfolio")
    page.get_by_role("button", name="Refresh now").click()
    until(lambda: page.evaluate("performance.getEntriesByType('resource').length") > asked)
    page.wait_for_timeout(1_000)
    assert page.evaluate(f"[{LAYOUT}.xaxis.range, {LAYOUT}.yaxis.range]") == before
    assert page.evaluate(f"{PLOT}.marked") is True, "the chart was not built anew"


def test_a_click_on_a_drawdown_shades_it_and_another_takes_it_back(url: str, page: Page) -> None:
    open_charts(page, url)
    shades = f"({LAYOUT}.shapes || []).filter(shape => shape.name === 'highlight').map(shape => shape.x0)"
    assert page.evaluate(shades) == []
    row = page.locator("#portfolio-drawdowns tbody tr").first.get_by_role("button").first
    row.click()
    expect(page).to_have_url(re.compile("highlight=2020-02-19"))
    until(lambda: page.evaluate(shades) == ["2020-02-19", "2020-03-23"])
    row.click()
    until(lambda: page.evaluate(shades) == [])


def test_a_chart_is_exported_as_picture_and_as_data_in_full(url: str, page: Page, tmp_path: Path) -> None:
    open_charts(page, url)
    assert download(page, "growth", "png", tmp_path).startswith(b"\x89PNG")
    picture = download(page, "distribution", "svg", tmp_path).decode()
    assert picture.startswith("<svg") and "VaR 95" in picture
    for said in ("Return distribution", "SAMPLE", "Portfolio All strategies (sample)", "Window ITD", "drawn 20"):
        assert said in picture, "a picture says what it shows wherever it lies"
    assert "fill: rgb(255, 255, 255)" in picture, "on a light ground, whatever the theme of the screen"
    drawn = page.evaluate(f"{GROWTH}.x.length")
    rows = download(page, "growth", "csv", tmp_path).decode("utf-8-sig").splitlines()
    assert len(rows) == DAYS + 1 > drawn
    assert rows[0].startswith('date,"All strategies, growth of 100"')
    bars = download(page, "distribution", "csv", tmp_path).decode("utf-8-sig").split()
    assert sum(int(line.rsplit(",", 1)[1]) for line in bars if line[-1].isdigit()) == DAYS - 1
    added = download(page, "contribution", "csv", tmp_path).decode("utf-8-sig")
    assert "Trend following" in added and added.startswith('name,"contribution, %"')


@pytest.mark.parametrize("height", [720, 768, 900])
def test_the_time_axis_is_on_the_first_screen_whatever_is_open(
    url: str, height: int, open_page: Callable[..., Page]
) -> None:
    page = open_page(width=1440, height=height)
    page.goto(f"{url}?compare=sample:equity,sample:pairs&rf=2&confidence=99")
    dates = page.locator("#portfolio-growth-graph .xtick text")
    dates.first.wait_for()
    expect(page.get_by_label("Risk-free")).to_be_visible()
    for at in range(dates.count()):
        box = dates.nth(at).bounding_box()
        assert box and box["y"] + box["height"] <= height


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 720)])
def test_on_a_laptop_the_time_axis_is_on_the_first_screen_and_no_tab_lies_over_another_thing(
    url: str, width: int, height: int, open_page: Callable[..., Page]
) -> None:
    page = open_page(width=width, height=height)
    page.goto(f"{url}?window=3Y")
    dates = page.locator("#portfolio-growth-graph .xtick text")
    dates.first.wait_for()
    bottoms = [box["y"] + box["height"] for each in dates.all() if (box := each.bounding_box())]
    assert bottoms and max(bottoms) <= height - 80, "and something of the lines below it"
    last, tools = page.locator(".fw-nav .fw-link").last.bounding_box(), page.locator(".fw-refresh").bounding_box()
    assert last and tools and last["x"] + last["width"] <= tools["x"]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_what_has_nothing_to_show_says_why_and_comes_back(url: str, page: Page) -> None:
    open_charts(page, url)
    chart = page.locator("#portfolio-distribution")
    page.get_by_text("1D", exact=True).click()
    expect(chart.get_by_text("Needs 20 daily returns")).to_be_visible()
    expect(chart.locator(".main-svg").first).to_be_hidden()
    page.get_by_text("1Y", exact=True).click()
    expect(chart.locator(".main-svg").first).to_be_visible()
    expect(chart.get_by_text("Needs 20 daily returns")).to_have_count(0)
    expect(chart.locator(".fw-panel-age")).to_have_text("")
    until(lambda: page.evaluate("document.querySelector('#portfolio-distribution .main-svg').clientWidth") > 200)


def test_on_a_phone_the_names_stand_above_the_lines_and_the_lines_have_the_width(
    url: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(width=390, height=844)
    open_charts(page, url)
    width, whole = page.evaluate(f"[{LAYOUT}.xaxis._length, {PLOT}.clientWidth]")
    assert width > 0.8 * whole
    texts = page.locator("#portfolio-growth-graph .annotation-text").all_text_contents()
    assert any("All strategies 197" in text and "S&P 500" in text for text in texts)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.set_viewport_size({"width": 1440, "height": 900})
    until(lambda: page.evaluate(f"{LAYOUT}.margin.r") > 60)
