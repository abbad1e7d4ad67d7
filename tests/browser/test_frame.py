"""The frame as a person meets it: navigation, keyboard, theme, pace, what survives a refresh, what failure shows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.factory import create_app
from dashboard.tabs import alerts, cache
from tests.browser.conftest import Site, Watch, until
from tests.support.frame import DEMO, FakeStores

pytestmark = pytest.mark.browser

CHART = "#demo-cpu-graph .scatterlayer .trace"
TABS = (DEMO, cache.TAB, alerts.TAB)


@pytest.fixture
def demo() -> FakeStores:
    return FakeStores()


@pytest.fixture
def site(serve: Callable[[object], Site], demo: FakeStores) -> Iterator[Site]:
    return serve(create_app(demo, TABS).server)  # type: ignore[arg-type]


def open_demo(page: Page, site: Site, query: str = "") -> None:
    page.goto(f"{site.url}/demo{query}")
    page.wait_for_selector(CHART)


def refresh(page: Page, demo: FakeStores) -> None:
    """Give the page new data and wait until it shows it."""
    demo.value = 20 + (demo.value + 13) % 60
    demo.live.bump("demo")
    page.locator("#refresh-now").click()
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text(f"{demo.value:.0f} %")


def plot_layout(page: Page, graph: str, path: str) -> Any:
    return page.evaluate(f"document.querySelector('#{graph} .js-plotly-plot').layout.{path}")


def revision(page: Page) -> str:
    return str(plot_layout(page, "demo-cpu-graph", "uirevision"))


def drag_across(page: Page, graph: str) -> None:
    """Zoom into the middle half of a chart's time axis."""
    area = page.locator(f"#{graph} .nsewdrag").first
    area.hover()
    box = area.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, y, steps=4)
    page.mouse.up()


def test_links_change_page_address_and_title(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.wait_for_selector(CHART)
    expect(page).to_have_url(f"{site.url}/demo")
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Demo")
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="Alerts is not built yet")).to_be_visible()
    expect(page).to_have_title("Alerts · Fundwatch")
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Alerts")
    page.go_back()
    page.wait_for_selector(CHART)
    assert page.locator("script[src*='plotly.min.js']").count() == 1
    expect(page).to_have_url(f"{site.url}/demo")
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Demo")


def test_a_chart_opens_from_a_page_that_has_none(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/alerts")
    page.wait_for_selector(".fw-empty")
    assert page.locator("script[src*='plotly.min.js']").count() == 0
    page.get_by_role("link", name="Demo").click()
    page.wait_for_selector(CHART)
    expect(page.locator("#demo-processes-rows tbody tr")).to_have_count(40)
    assert page.locator("script[src*='plotly.min.js']").count() == 1


def test_choices_live_in_the_address_and_defaults_stay_out(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site, "?window=6h")
    assert demo.builds == [{"window": "6h"}]
    expect(page.get_by_role("radio", name="6 h")).to_be_checked()
    page.get_by_label("Host").select_option("beta")
    expect(page).to_have_url(f"{site.url}/demo?host=beta&window=6h")
    page.get_by_text("1 h", exact=True).click()
    expect(page).to_have_url(f"{site.url}/demo?host=beta")
    until(lambda: revision(page).endswith("?host=beta"))
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="Alerts is not built yet")).to_be_visible()
    page.go_back()
    page.wait_for_selector(CHART)
    expect(page).to_have_url(f"{site.url}/demo?host=beta")
    expect(page.get_by_label("Host")).to_have_value("beta")


def test_keyboard_opens_tabs_and_acts_but_not_while_typing(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    page.keyboard.press("7")
    expect(page).to_have_url(f"{site.url}/alerts")
    page.keyboard.press("9")
    page.wait_for_selector(CHART)
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.keyboard.press("p")
    expect(page.locator("#refresh-next")).to_have_text("paused")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("2tp")
    expect(page).to_have_url(f"{site.url}/demo")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page.get_by_label("Filter processes")).to_have_value("2tp")


def test_theme_is_set_before_paint_kept_and_needs_no_request(page: Page, site: Site) -> None:
    open_demo(page, site)
    page.keyboard.press("p")
    page.wait_for_timeout(300)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    line = page.locator("#demo-cpu-graph .scatterlayer .js-line").first
    assert "rgb(88, 166, 255)" in (line.get_attribute("style") or "")
    page.locator("#theme-switch").click()
    expect(line).to_have_attribute("style", re.compile(r"rgb\(11, 98, 196\)"))
    assert not [url for url in requests if "healthz" not in url and not url.startswith("data:")]
    page.goto(f"{site.url}/demo", wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_pause_stops_requests_and_resume_fetches_at_once(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    page.locator("#refresh-every").select_option("1")
    expect(page.locator("#refresh-next")).to_have_text(re.compile(r"next in [012]"))
    page.locator("#refresh-pause").click()
    expect(page.locator("#refresh-next")).to_have_text("paused")
    page.wait_for_timeout(300)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.wait_for_timeout(2_500)
    assert posts == []
    demo.value = 77
    demo.live.bump("demo")
    page.locator("#refresh-pause").click()
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text("77 %")


def test_new_data_arrives_by_itself_and_unchanged_data_costs_nothing(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    page.locator("#refresh-every").select_option("1")
    demo.value = 66
    demo.live.bump("demo")
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text("66 %")
    built = len(demo.builds)
    with page.expect_response(lambda r: "_dash-update-component" in r.url and r.status == 204):
        pass
    expect(page.locator("#demo-problem")).to_be_empty()
    assert len(demo.builds) == built


def test_a_hidden_page_rests_and_fetches_when_it_is_seen_again(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    page.locator("#refresh-every").select_option("1")
    hide = "value => { Object.defineProperty(document, 'hidden', {get: () => value, configurable: true}); %s }"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % tell, True)
    page.wait_for_timeout(300)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.wait_for_timeout(2_500)
    assert requests == []
    demo.value = 55
    demo.live.bump("demo")
    page.locator("#refresh-every").select_option("60")
    page.evaluate(hide % tell, False)
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text("55 %")


def test_zoom_scroll_sort_and_filter_survive_a_refresh(page: Page, site: Site, demo: FakeStores) -> None:
    page.set_viewport_size({"width": 1440, "height": 500})
    open_demo(page, site)
    page.get_by_role("button", name="Free").click()
    page.get_by_role("button", name="Free").click()
    first_cells = page.locator("#demo-disks-rows tbody tr td:first-child")
    expect(first_cells).to_have_text(["/var", "/data", "/"])
    page.get_by_label("Filter processes").fill("process-3")
    expect(page.locator("#demo-processes .fw-filter-count")).to_have_text("11 of 40")
    page.get_by_role("button", name="Memory", exact=True).click()
    page.evaluate("document.querySelector('#demo-processes .fw-table-tall').scrollTop = 60")
    processes = page.locator("#demo-processes-rows tbody tr:visible td:first-child").all_inner_texts()
    drag_across(page, "demo-memory-graph")
    page.evaluate("window.scrollTo(0, 180)")
    zoomed = plot_layout(page, "demo-memory-graph", "xaxis.range")
    refresh(page, demo)
    expect(first_cells).to_have_text(["/var", "/data", "/"])
    expect(page.locator("#demo-disks-rows tbody tr", has_text="196 GiB").locator("td").nth(1)).to_have_text(
        f"{demo.value:.0f} %"
    )
    assert page.locator("#demo-processes-rows tbody tr:visible td:first-child").all_inner_texts() == processes
    expect(page.locator("#demo-processes .fw-filter-count")).to_have_text("11 of 40")
    assert page.evaluate("document.querySelector('#demo-processes .fw-table-tall').scrollTop") == 60
    expect(page.locator("#demo-processes-rows th").nth(2)).to_have_attribute("aria-sort", "descending")
    assert page.evaluate("window.scrollY") == 180
    assert plot_layout(page, "demo-memory-graph", "xaxis.range") == zoomed
    assert plot_layout(page, "demo-memory-graph", "xaxis.autorange") is False


def test_charts_nobody_zoomed_follow_the_time(page: Page, site: Site, demo: FakeStores) -> None:
    demo.as_of = time.time() - 600
    open_demo(page, site)
    until(lambda: bool(plot_layout(page, "demo-memory-graph", "xaxis.range")))
    for graph in ("demo-cpu-graph", "demo-memory-graph"):
        before = plot_layout(page, graph, "xaxis.range")
        demo.as_of += 120
        refresh(page, demo)
        until(lambda graph=graph, before=before: plot_layout(page, graph, "xaxis.range")[1] > before[1])  # type: ignore[misc]


def test_a_double_click_takes_a_zoom_back(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    drag_across(page, "demo-cpu-graph")
    expect(page).to_have_url(re.compile("from="))
    page.wait_for_timeout(500)
    page.locator("#demo-cpu-graph .nsewdrag").first.dblclick()
    expect(page).to_have_url(f"{site.url}/demo")


def test_zoom_on_time_goes_into_the_address_and_a_shared_link_opens_it(
    page: Page, site: Site, demo: FakeStores, open_page: Callable[..., Page]
) -> None:
    open_demo(page, site)
    drag_across(page, "demo-cpu-graph")
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    start, end = (int(demo_time) for demo_time in re.findall(r"=(\d+)", page.url))
    assert 0.45 < (end - start) / 3_600 < 0.55
    other = open_page()
    other.goto(page.url)
    other.wait_for_selector(CHART)
    assert demo.builds[-1] == {"from": str(start), "to": str(end)}
    page.get_by_text("6 h", exact=True).click()
    expect(page).to_have_url(f"{site.url}/demo?window=6h")


def test_a_failing_refresh_keeps_the_data_and_says_why(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    demo.error = RuntimeError("table samples is gone")
    demo.live.bump("demo")
    page.locator("#refresh-now").click()
    expect(page.locator("#demo-problem")).to_have_text("RuntimeError: table samples is gone")
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text("40 %")
    assert page.locator(CHART).count() == 1
    demo.error = None
    page.locator("#refresh-now").click()
    expect(page.locator("#demo-problem")).to_be_empty()


def test_old_data_is_marked_stale_and_an_empty_panel_says_why(page: Page, site: Site, demo: FakeStores) -> None:
    demo.as_of = time.time() - 60
    open_demo(page, site)
    age = page.locator("#demo-cpu .fw-panel-age")
    expect(age).to_have_text(re.compile(r"stale · 1 min"))
    expect(page.locator("#demo-processes .fw-panel-age")).not_to_have_text(re.compile("stale"))
    expect(page.locator("#demo-empty .fw-panel-note")).to_have_text("This machine has no temperature sensors.")
    expect(page.locator("#demo-empty-graph")).to_be_hidden()


def test_age_follows_the_servers_clock_not_the_readers(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    page.add_init_script("{ const now = Date.now; Date.now = () => now() + 3600 * 1000; }")
    open_demo(page, site)
    expect(page.locator("#demo-cpu .fw-panel-age")).to_have_text(re.compile(r"^\d s$"))


def test_a_dead_server_is_announced_and_its_return_too(page: Page, site: Site, demo: FakeStores, watch: Watch) -> None:
    open_demo(page, site)
    page.locator("#refresh-every").select_option("1")
    site.stop()
    expect(page.locator("#banner")).to_be_visible(timeout=25_000)
    expect(page.locator("#banner")).to_contain_text("has not answered since")
    assert page.locator(CHART).count() == 1
    demo.value = 71
    demo.live.bump("demo")
    site.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=15_000)
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text("71 %")
    watch.problems.clear()


def test_the_theme_is_the_system_s_until_a_person_chooses(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(color_scheme="light")
    page.add_init_script("sessionStorage.asked || localStorage.removeItem('fundwatch-theme'); sessionStorage.asked = 1")
    open_demo(page, site)
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(theme).to_have_attribute("data-bs-theme", "dark")
    page.locator("#theme-switch").click()
    expect(theme).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    page.reload()
    expect(theme).to_have_attribute("data-bs-theme", "light")


def test_tools_give_the_data_as_table_and_csv(page: Page, site: Site) -> None:
    open_demo(page, site)
    page.locator("#demo-cpu").hover()
    page.get_by_role("button", name="Show data as table: CPU").click()
    expect(page.locator("#demo-cpu .fw-panel-data tbody tr")).to_have_count(120)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV: CPU").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    lines = text.strip().splitlines()
    assert lines[0].endswith(",user")
    assert len(lines) == 121
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download PNG: CPU").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def test_narrow_screen_navigates_from_a_drawer_and_does_not_scroll_sideways(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page(width=390, height=844)
    open_demo(page, site)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Open navigation").click()
    page.locator(".fw-drawer a", has_text="Alerts").click()
    expect(page.get_by_role("heading", name="Alerts is not built yet")).to_be_visible()
    expect(page.locator(".fw-drawer")).to_be_hidden()


def test_first_focus_is_the_skip_link(page: Page, site: Site) -> None:
    open_demo(page, site)
    page.keyboard.press("Tab")
    expect(page.locator(".fw-skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#page")).to_be_focused()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("path", ["/demo", "/alerts"])
def test_no_accessibility_violations(open_page: Callable[..., Page], site: Site, theme: str, path: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(theme=theme)
    page.goto(f"{site.url}{path}")
    page.wait_for_selector(CHART if path == "/demo" else ".fw-empty")
    page.wait_for_timeout(500)
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
    results = Axe().run(page, options=rules)
    told = [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in results.response["violations"]]
    assert not told, "\n".join(told)


def test_refreshing_does_not_grow_the_page(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    client = page.context.new_cdp_session(page)

    def measure() -> tuple[int, int]:
        client.send("HeapProfiler.collectGarbage")
        counters = client.send("Memory.getDOMCounters")
        return page.evaluate("performance.memory.usedJSHeapSize"), counters["nodes"]

    for _ in range(15):
        refresh(page, demo)
    heap, nodes = measure()
    for _ in range(40):
        refresh(page, demo)
    heap_after, nodes_after = measure()
    assert heap_after - heap < 2_500_000
    assert nodes_after - nodes < 300


def test_the_pace_of_the_settings_holds_until_a_reader_chooses(
    serve: Callable[[object], Site], demo: FakeStores, page: Page
) -> None:
    demo.settings.refresh_seconds = 15
    open_demo(page, serve(create_app(demo, TABS).server))  # type: ignore[arg-type]
    expect(page.locator("#refresh-every")).to_have_value("15")
    page.select_option("#refresh-every", "1")
    page.reload()
    expect(page.locator("#refresh-every")).to_have_value("1")


def test_what_is_read_more_often_than_the_page_asks_is_not_stale_between_two_questions(
    site: Site, demo: FakeStores, page: Page
) -> None:
    demo.as_of = time.time() - 40
    open_demo(page, site)
    age = page.locator("#demo-cpu .fw-panel-age")
    expect(age).to_have_attribute("data-stale", "")
    page.select_option("#refresh-every", "60")
    expect(age).not_to_have_attribute("data-stale", "")
