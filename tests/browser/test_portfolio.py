"""A journey through the portfolio tab in a real browser, on the sample fund."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.tabs import portfolio
from storage.stores import Stores
from tests.browser.conftest import Watch, until
from tests.dashboard.portfolio.test_tab import put_nav
from tests.support.accessibility import violations
from tests.support.application import create_app
from tests.support.many import insert_many
from tests.support.workbooks import opened

pytestmark = pytest.mark.browser
GRAPH = "#portfolio-growth-graph"
CHOICE = 'select[id*=\'"name":"portfolio"\']'
DATA = f"(document.querySelector('{GRAPH} .js-plotly-plot')?.data ?? [])"
"""No traces while a page is being put in place of another."""


@pytest.fixture
def url(fund_url: str) -> str:
    return fund_url


def open_fund(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(GRAPH).scroll_into_view_if_needed()
    page.wait_for_selector(f"{GRAPH} .scatterlayer .trace", state="attached")


def names(page: Page) -> list[str]:
    """Return what the lines of the chart are called."""
    found: list[str] = page.evaluate(f"{DATA}.map(trace => trace.name)")
    return found


def see(page: Page, panel: str) -> Locator:
    """Scroll to a panel whose table is fetched when it comes into view, and return it."""
    found = page.locator(f"#portfolio-{panel}")
    found.scroll_into_view_if_needed()
    expect(found.locator("tbody tr").first).to_be_visible()
    return found


def drag_across(page: Page, start: float = 0.4, end: float = 0.6) -> None:
    """Zoom into a part of the time shown, by default its middle fifth."""
    area = page.locator(f"{GRAPH} .nsewdrag").first
    area.hover()
    box = area.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
    page.mouse.up()


def test_what_is_told_to_who_points_has_the_minus_of_every_page(url: str, page: Page) -> None:
    open_fund(page, url)
    area = page.locator(f"{GRAPH} .nsewdrag").first
    area.hover()
    label = page.locator(f"{GRAPH} .hoverlayer").first
    expect(label).to_contain_text(re.compile("−\\d"))
    assert not re.search("(^|[^0-9a-z])-[0-9]", label.text_content() or "", re.IGNORECASE)


def test_from_the_fund_to_a_part_of_it_and_back(url: str, page: Page) -> None:
    open_fund(page, url)
    expect(page.locator("#portfolio-mark")).to_have_text("sample · data ends 2022-12-28")
    until(lambda: names(page)[:2] == ["All strategies", "S&P 500"] and "drawdown" in names(page))
    assert page.evaluate(f"{DATA}[0].x[0]") == "2014-01-02"

    page.get_by_role("button", name="1Y", exact=True).click()
    expect(page).to_have_url(f"{url}?window=1Y")
    expect(page.locator("#portfolio-span")).to_have_text(
        "2021-12-28 – 2022-12-28 · windows end with the last value, 2022-12-28"
    )
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.x[0] === '2021-12-28'")))
    assert page.evaluate(f"{DATA}.slice(0, 2).map(trace => trace.y[0])") == [100, 100]
    low, high = page.evaluate(f"document.querySelector('{GRAPH} .js-plotly-plot')._fullLayout.yaxis.range")
    assert 70 < low < 75 and 103 < high < 107, "the scale fits what is shown"

    see(page, "parts").get_by_role("button", name="Trend following").click()
    expect(page).to_have_url(re.compile(r"portfolio=sample%3A[\w-]+&window=1Y$"))
    page.locator(GRAPH).scroll_into_view_if_needed()
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.name === 'Trend following'")))
    expect(page.locator(f"{CHOICE} option:checked")).to_have_text("Trend following (sample)")
    expect(page.locator("#portfolio-mark")).to_have_text("sample · data ends 2022-12-28")

    page.get_by_label("vs").select_option("none")
    expect(page).to_have_url(re.compile("benchmark=none"))
    until(lambda: names(page)[:1] == ["Trend following"] and "S&P 500" not in names(page))
    expect(page.locator("#portfolio-cards")).not_to_contain_text("S&P 500")

    page.get_by_role("link", name="System").click()
    expect(page).to_have_title("System · Fundwatch")
    page.go_back()
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_selector(f"{GRAPH} .scatterlayer .trace", state="attached")
    expect(page).to_have_url(re.compile(r"benchmark=none&portfolio=sample%3A[\w-]+&window=1Y$"))
    expect(page.get_by_label("vs")).to_have_value("none")
    until(lambda: names(page)[:1] == ["Trend following"] and "S&P 500" not in names(page))


def is_whole(page: Page) -> bool:
    """Return whether the axis of time, not only its data, runs from the first day to the last."""
    start, end = page.evaluate(f"document.querySelector('{GRAPH} .js-plotly-plot')._fullLayout.xaxis.range")
    return str(start) < "2014-02" and str(end) > "2022-12"


def test_a_zoom_draws_every_day_and_can_be_left(url: str, page: Page) -> None:
    open_fund(page, url)
    assert 500 < page.evaluate(f"{DATA}[0].x.length") <= 750, "no more than there are pixels"
    drag_across(page)
    expect(page).to_have_url(re.compile(r"from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$"))
    leave = page.get_by_role("button", name="back to ITD")
    expect(leave).to_be_visible()
    until(lambda: page.evaluate(f"{DATA}[0]?.x[0] > '2014-01-02'"))
    days = page.evaluate(f"{DATA}[0].x")
    assert max(np.diff(np.array(days, dtype="datetime64[D]")).astype(int)) <= 5, "every trading day is there"
    assert page.evaluate(f"{DATA}[0].y[0]") == 100
    leave.click()
    expect(leave).to_have_count(0)
    expect(page).to_have_url(url)
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.x[0] === '2014-01-02'")))
    until(lambda: is_whole(page))

    drag_across(page, 0.3, 0.7)
    expect(leave).to_be_visible()
    until(lambda: not is_whole(page))
    page.get_by_role("button", name="3Y", exact=True).click()
    expect(page).to_have_url(f"{url}?window=3Y")
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.x[0] === '2019-12-27'")))
    page.get_by_role("button", name="ITD", exact=True).click()
    until(lambda: bool(page.evaluate(f"{DATA}[0]?.x[0] === '2014-01-02'")))
    until(lambda: is_whole(page))


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def pick(page: Page, label: str, day: str) -> None:
    """Choose a day as the browser's own calendar does: no key is pressed and the field is not left."""
    field(page, label).evaluate(
        """(input, day) => {
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, day);
            input.dispatchEvent(new Event('input', {bubbles: true}));
            input.dispatchEvent(new Event('change', {bubbles: true}));
        }""",
        day,
    )


def pressed_window(page: Page) -> str:
    found = page.locator("#portfolio-windows [aria-pressed=true]")
    return found.inner_text() if found.count() else ""


def test_days_are_picked_and_window_zoom_and_sentence_agree(url: str, page: Page) -> None:
    open_fund(page, url + "?window=3Y")
    until(lambda: pressed_window(page) == "3Y")
    pick(page, "From", "2020-01-02")
    expect(page).to_have_url(f"{url}?from=2020-01-02&window=3Y")
    expect(page.locator("#portfolio-span")).to_contain_text("2020-01-02 – 2022-12-28")
    pick(page, "To", "2020-06-30")
    expect(page).to_have_url(f"{url}?from=2020-01-02&to=2020-06-30&window=3Y")
    expect(page.locator("#portfolio-span")).to_have_text("2020-01-02 – 2020-06-30 back to 3Y")
    until(lambda: pressed_window(page) == "")
    until(lambda: page.evaluate(f"{DATA}[0]?.x.at(-1)") == "2020-06-30")
    pick(page, "As of", "2020-03-20")
    expect(page.locator("#portfolio-mark")).to_have_text("sample · as of 2020-03-20")
    expect(page.locator("#portfolio-notes")).to_contain_text("it ends with the as-of day, 2020-03-20")
    page.get_by_role("button", name="1Y", exact=True).click()
    expect(page).to_have_url(f"{url}?asof=2020-03-20&window=1Y")
    expect(field(page, "From")).to_have_value("")
    expect(field(page, "To")).to_have_value("")
    until(lambda: pressed_window(page) == "1Y")
    expect(page.locator("#portfolio-notes")).not_to_contain_text("adjusted choices", ignore_case=True)


def test_back_undoes_the_last_choice_and_forward_makes_it_again(url: str, page: Page) -> None:
    open_fund(page, url)
    page.get_by_role("button", name="1Y", exact=True).click()
    expect(page.locator("#portfolio-span")).to_contain_text("2021-12-28 –")
    pick(page, "As of", "2020-03-20")
    expect(page.locator("#portfolio-mark")).to_contain_text("as of 2020-03-20")
    page.get_by_label("vs").select_option("none")
    expect(page.locator("#portfolio-cards")).not_to_contain_text("S&P 500")
    page.evaluate("document.querySelector('#portfolio-growth').dataset.same = ''")

    page.go_back()
    expect(page).to_have_url(f"{url}?asof=2020-03-20&window=1Y")
    expect(page.get_by_label("vs")).to_have_value("SP500")
    expect(page.locator("#portfolio-cards")).to_contain_text("S&P 500")
    page.go_back()
    expect(page).to_have_url(f"{url}?window=1Y")
    expect(field(page, "As of")).to_have_value("")
    expect(page.locator("#portfolio-mark")).to_have_text("sample · data ends 2022-12-28")
    page.go_back()
    expect(page).to_have_url(url)
    until(lambda: pressed_window(page) == "ITD")
    page.go_forward()
    expect(page).to_have_url(f"{url}?window=1Y")
    until(lambda: pressed_window(page) == "1Y")
    assert page.locator("#portfolio-growth[data-same]").count() == 1, "the page is the one that was open"


def test_choices_are_kept_when_a_tab_is_left(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    open_fund(page, url)
    page.get_by_role("button", name="3Y", exact=True).click()
    expect(page.locator("#portfolio-span")).to_contain_text("2019-12-27 –")
    page.get_by_role("link", name="System").click()
    expect(page).to_have_title("System · Fundwatch")
    page.get_by_role("link", name="Portfolio").click()
    expect(page).to_have_url(f"{url}?window=3Y")
    expect(page.locator("#portfolio-span")).to_contain_text("2019-12-27 –")
    page.get_by_role("link", name="Portfolio").click()
    expect(page).to_have_url(f"{url}?window=3Y")
    page.goto(f"{url}?window=1Y")
    expect(page.locator("#portfolio-span")).to_contain_text("2021-12-28 –")
    page.goto(url)
    expect(page).to_have_url(f"{url}?window=1Y")


def test_the_own_portfolio_that_was_used_last_opens_first(
    stores: Stores, serve: Callable[..., Any], page: Page
) -> None:
    for origin, id in (("own", "alpha"), ("own", "beta"), ("sample", "show")):
        put_nav(stores, id, [100.0 + day for day in range(60)], origin=origin)
    home = serve(create_app(stores, pages=(portfolio.TAB,)).server).url
    value = page.locator(f"{CHOICE} option:checked")
    for key in ("own:beta", "sample:show"):
        page.goto(f"{home}/portfolio?portfolio={key.replace(':', '%3A')}")
        expect(page.locator("#portfolio-card-value")).to_be_visible()
        expect(page.locator(CHOICE)).to_have_value(key)
    page.goto(home)
    expect(value).to_have_text("Beta")
    expect(page).to_have_url(f"{home}/portfolio?portfolio=own%3Abeta")


def test_a_kept_portfolio_that_is_gone_is_said_and_another_is_shown(url: str, page: Page) -> None:
    open_fund(page, url)  # what it shows is kept, too
    page.evaluate("localStorage.setItem('fundwatch-shared /portfolio', 'portfolio=own%3Agone&asof=')")
    open_fund(page, url)
    expect(page.locator("#portfolio-notes")).to_contain_text("there is no “own:gone”; All strategies is used")


def test_a_phone_shows_all_without_scrolling_sideways(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=844)
    open_fund(page, url)
    expect(page.locator("#portfolio-mark")).to_be_visible()
    expect(see(page, "parts").locator("tbody tr")).to_have_count(5)
    for panel in ("extremes", "metrics", "captures", "months"):
        see(page, panel)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.get_by_label("Risk-free")).to_be_hidden()
    page.get_by_role("button", name="More choices").click()
    expect(page.get_by_label("Risk-free")).to_be_visible()


def test_a_tap_opens_a_definition_and_tables_show_that_they_scroll(url: str, open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=844, has_touch=True, is_mobile=True)
    open_fund(page, url)
    page.locator("#portfolio-card-sharpe .fw-card-value").tap()
    told = page.locator(".fw-told")
    expect(told).to_contain_text("risk-free")
    page.locator("#portfolio-card-sharpe .fw-card-value").tap()
    expect(told).to_have_count(0)
    heading = page.locator("#portfolio-drawdowns .fw-sort[title]").first
    heading.tap()
    expect(told).to_have_text(heading.get_attribute("title") or "")
    sorted_by = page.locator("#portfolio-drawdowns th[aria-sort]")
    expect(sorted_by).to_have_count(0)
    heading.tap()
    expect(sorted_by).to_have_count(1)
    box = page.locator("#portfolio-drawdowns .fw-table-box")
    expect(box).to_have_attribute("data-more", "right")
    box.evaluate("box => { box.scrollLeft = box.scrollWidth }")
    expect(box).to_have_attribute("data-more", "left")
    page.locator("#portfolio-distribution").scroll_into_view_if_needed()
    for tool in ("Show data as table", "Download CSV", "Download PNG", "Copy link", "Full screen"):
        expect(page.get_by_role("button", name=f"{tool}: Return distribution")).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_accessibility_violations(url: str, open_page: Callable[..., Page], theme: str) -> None:
    page = open_page(theme=theme)
    open_fund(page, url)
    for panel in ("months", "extremes", "captures", "parts", "metrics"):
        see(page, panel)
    assert not violations(page)


def test_others_are_compared_from_the_keyboard_and_taken_away(url: str, page: Page) -> None:
    open_fund(page, url)
    page.get_by_role("button", name="More choices").click()
    box = page.get_by_label("Compare")
    box.focus()
    page.keyboard.type("trend")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"compare=sample%3Atrend"))
    expect(page.locator("#portfolio-compared")).to_contain_text("Trend following")
    expect(box).to_have_value("")
    page.keyboard.type("e")
    page.keyboard.press("Enter")
    expect(page.locator(".fw-adder-said")).to_contain_text("no single portfolio")
    box.fill("Sector pairs (sample)")
    box.press("Enter")
    until(lambda: "Sector pairs" in names(page))
    heads = see(page, "metrics").locator("thead th")
    expect(heads).to_have_text(["Metric", "All strategies", "Trend following", "Sector pairs", "S&P 500", "Group"])
    page.get_by_role("button", name="Remove Trend following").click()
    expect(page).to_have_url(re.compile(r"compare=sample%3Apairs$"))
    expect(see(page, "metrics").locator("thead th")).to_have_count(5)


def test_a_rate_and_a_day_are_typed_and_mistakes_are_named(url: str, page: Page) -> None:
    open_fund(page, url)
    sharpe = page.locator("#portfolio-card-sharpe .fw-card-value")
    before = sharpe.inner_text()
    page.get_by_role("button", name="More choices").click()
    page.get_by_label("Risk-free").fill("3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("rf=3"))
    expect(sharpe).not_to_have_text(before)
    page.get_by_label("Risk-free").fill("three")
    page.keyboard.press("Enter")
    expect(page.locator("#portfolio-notes")).to_contain_text("“three” is no number")
    page.get_by_label("Risk-free").fill("0")
    page.keyboard.press("Enter")
    expect(page.locator("#portfolio-notes")).not_to_contain_text("adjusted choices", ignore_case=True)
    page.get_by_label("As of").fill("2020-03-21")
    page.keyboard.press("Enter")
    expect(page.locator("#portfolio-mark")).to_have_text("sample · as of 2020-03-20")
    expect(page.locator("#portfolio-card-day")).to_contain_text("▼")
    page.reload()
    expect(page.get_by_label("As of")).to_have_value("2020-03-21")
    expect(page.locator("#portfolio-span")).to_contain_text("2014-01-02 – 2020-03-20 ·")


def test_a_drawdown_is_shaded_by_a_click_on_its_row(url: str, page: Page) -> None:
    open_fund(page, url)
    shapes = f"(document.querySelector('{GRAPH} .js-plotly-plot')?.layout?.shapes ?? []).length"
    before = page.evaluate(shapes)
    row = page.locator("#portfolio-drawdowns-data tbody tr").nth(1)
    row.locator("td").nth(3).click()
    expect(page).to_have_url(re.compile(r"highlight=20\d\d-\d\d-\d\d"))
    expect(row.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    until(lambda: page.evaluate(shapes) > before)
    row.get_by_role("button").click()
    expect(page).to_have_url(url)
    until(lambda: page.evaluate(shapes) == before)


def test_metrics_are_found_copied_and_exported(url: str, open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    open_fund(page, url + "?window=1Y")
    metrics = see(page, "metrics")
    metrics.get_by_label("Find metrics").fill("calmar")
    expect(metrics.locator("tbody tr:visible")).to_have_count(1)
    metrics.get_by_role("button", name="Copy", exact=True).click()
    until(lambda: page.evaluate("navigator.clipboard.readText()").splitlines()[1:][0].startswith("Calmar\t"))
    with page.expect_download() as downloading:
        metrics.get_by_role("link", name="Excel").click()
    path = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(path)
    about = {row[0].value: row[1].value for row in opened(path.read_bytes())["About"].rows}
    assert about["First day"] == "2021-12-28", "of the window shown"


def test_tables_are_exported_as_numbers_under_headings_that_differ(url: str, page: Page) -> None:
    open_fund(page, url)
    for panel, columns in (("drawdowns", 6), ("months", 15), ("extremes", 6), ("parts", 10), ("captures", 6)):
        see(page, panel)
        page.locator(f"#portfolio-{panel}").hover()
        with page.expect_download() as downloading:
            page.locator(f"#portfolio-{panel} [data-tool=csv]").click()
        rows = list(csv.reader(Path(downloading.value.path()).read_text(encoding="utf-8-sig").splitlines()))
        assert len(rows[0]) == columns == len(set(rows[0])), rows[0]
        texts = {0, 2, 3} if panel == "drawdowns" else {0, 3} if panel == "extremes" else {0}
        cells = [cell for row in rows[1:] for at, cell in enumerate(row) if at not in texts]
        assert [float(cell) for cell in cells if cell], panel
        if panel == "months":
            assert rows[0][:3] == ["Year", "Jan, ratio", "Feb, ratio"]


def test_the_keyboard_stays_where_it_was_when_its_control_is_drawn_anew(url: str, page: Page) -> None:
    open_fund(page, f"{url}?compare=sample:trend,sample:pairs")
    focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    row = page.locator("#portfolio-drawdowns-data tbody tr").nth(1).get_by_role("button")
    day = row.inner_text()
    log = page.get_by_role("button", name="Logarithmic scale")
    chip = page.get_by_role("button", name="Remove Trend following")
    for control, change, next_name in (
        (row, "highlight=", day),
        (log, "scale=log", "Logarithmic scale"),
        (chip, "compare=sample%3Apairs", "Remove Sector pairs"),
    ):
        control.focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(change))
        until(lambda focused_is=next_name: page.evaluate(focused) == focused_is)  # type: ignore[misc]
    page.keyboard.press("Enter")
    expect(page.locator("#portfolio-compared")).to_be_empty()
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.closest('.fw-choices') !== null"), "beside the chip that went"
    drag_across(page)
    leave = page.get_by_role("button", name="back to ITD")
    leave.focus()
    page.keyboard.press("Enter")
    expect(leave).to_have_count(0)
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.closest('.fw-choices') !== null"), "beside the button that went"


def test_two_hundred_portfolios_fit_the_page(stores: Stores, serve: Callable[..., Any], page: Page) -> None:
    insert_many(stores, 200, years=5)
    site = serve(create_app(stores, pages=(portfolio.TAB,)).server)
    open_fund(page, f"{site.url}/portfolio")
    rows = see(page, "parts").locator("tbody tr")
    expect(rows).to_have_count(200)
    seen = page.locator("#portfolio-parts tbody tr:visible")
    expect(seen).to_have_count(100)
    pager = page.locator("#portfolio-parts .fw-pages")
    expect(pager.get_by_role("status")).to_have_text("1 – 100")
    expect(page.get_by_role("button", name="Rows before")).to_be_disabled()
    first = seen.first.inner_text()
    page.get_by_role("button", name="Rows after").click()
    expect(pager.get_by_role("status")).to_have_text("101 – 200")
    expect(seen).to_have_count(100)
    expect(page.get_by_role("button", name="Rows after")).to_be_disabled()
    assert seen.first.inner_text() != first
    box = page.locator("#portfolio-parts").bounding_box()
    assert box and box["height"] < 600, "the table scrolls in its own box"
    page.get_by_label("Filter portfolios").fill("portfolio 019")
    expect(page.locator("#portfolio-parts tbody tr:visible")).to_have_count(1)
    expect(pager).to_be_hidden()
    expect(page.locator(".fw-choices")).to_be_in_viewport()  # of which fund this is, is seen at the end of the page too


def test_a_failed_part_says_so_and_comes_back(url: str, page: Page, watch: Watch) -> None:
    page.route("**/portfolio/fragment/metrics*", lambda route: route.fulfill(status=503, body="away"))
    open_fund(page, url)
    panel = page.locator("#portfolio-metrics")
    panel.scroll_into_view_if_needed()
    expect(panel).to_contain_text("Not loaded: the server answers 503")
    page.unroute("**/portfolio/fragment/metrics*")
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(200)
    see(page, "metrics")
    watch.problems.clear()
