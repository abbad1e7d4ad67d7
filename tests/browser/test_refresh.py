"""A page that refreshes: its pace, its ages, what survives new data, and what failure shows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Site, Watch, until
from tests.browser.demo import CHART, TABS, drag_across, open_demo, plot_layout, refresh, revision
from tests.support.application import create_app
from tests.support.frame import FakeStores

pytestmark = pytest.mark.browser


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


@pytest.mark.parametrize("query", ["", "?window=6h"])
def test_a_page_and_its_first_answer_are_asked_for_once_and_wait_for_no_frame(
    page: Page, site: Site, demo: FakeStores, query: str
) -> None:
    asked: list[str] = []
    held: list[Route] = []

    def note(request: Request) -> None:
        if "_dash-update-component" in request.url:
            asked.append(str(request.post_data_json["output"]))

    page.on("request", note)
    page.route("**/_dash-layout", lambda route: held.append(route))
    page.goto(f"{site.url}/demo{query}", wait_until="commit")
    for _ in range(300):
        if len(asked) == 2 and held:
            break
        page.wait_for_timeout(50)
    assert [output.strip(".").partition("-")[0] for output in asked] == ["page.children", "demo"]
    for route in held:
        route.continue_()
    page.wait_for_selector(CHART)
    expect(page.locator("#demo-card-cpu .fw-card-value")).to_have_text(f"{demo.value:.0f} %")
    assert asked.count("page.children") == 1
    assert len(demo.builds) == 1


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


def test_navigation_waits_for_a_server_that_is_away_and_the_page_stays_whose_address_is_shown(
    page: Page, site: Site, watch: Watch
) -> None:
    open_demo(page, site, "?host=beta")
    site.stop()
    page.get_by_role("link", name="Alerts").click()
    expect(page.locator("#banner")).to_contain_text("Alerts opens as soon as it does")
    for _ in range(2):
        expect(page).to_have_url(f"{site.url}/demo?host=beta")
        expect(page.get_by_role("link", name="Demo")).to_have_attribute("aria-current", "page")
        assert page.title().startswith("Demo")
        assert page.locator(CHART).count() == 1
        page.get_by_role("link", name="Alerts").click()
    site.start()
    expect(page.get_by_role("heading", name="A plain page")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/alerts")
    expect(page.get_by_role("link", name="Alerts")).to_have_attribute("aria-current", "page")
    expect(page.locator("#banner")).to_be_hidden()
    watch.problems.clear()


def test_a_choice_waits_too_and_no_window_s_figures_stand_under_another_s_name(
    page: Page, site: Site, watch: Watch
) -> None:
    open_demo(page, site)
    site.stop()
    page.get_by_text("6 h", exact=True).click()
    expect(page.locator("#banner")).to_contain_text("Your choice is taken as soon as it does")
    expect(page.get_by_role("radio", name="1 h")).to_be_checked()
    expect(page).to_have_url(f"{site.url}/demo")
    assert revision(page).endswith("graph?")
    site.start()
    expect(page).to_have_url(f"{site.url}/demo?window=6h")
    expect(page.get_by_role("radio", name="6 h")).to_be_checked()
    until(lambda: revision(page).endswith("?window=6h"))
    watch.problems.clear()


def test_a_choice_that_fails_says_what_is_still_shown(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site, "?window=15m")
    demo.error = RuntimeError("too many rows")
    page.get_by_text("6 h", exact=True).click()
    expect(page.locator("#demo-problem")).to_have_text("RuntimeError: too many rows")
    expect(page.locator("#demo-problem")).to_have_attribute("data-behind", "window=15m")
    demo.error = None
    page.locator("#refresh-now").click()
    expect(page.locator("#demo-problem")).to_be_empty()
    until(lambda: revision(page).endswith("?window=6h"))
    expect(page.locator("#demo-problem")).not_to_have_attribute("data-behind", "window=15m")


def test_rows_that_did_not_change_stay_the_elements_they_were(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    rows = page.locator("#demo-disks-rows tbody tr")
    rows.evaluate_all("rows => rows.forEach((row, at) => { row.cells[0].dataset.mark = row.dataset.mark = at; })")
    changed = rows.nth(1).locator("td").nth(1)
    before = changed.inner_text()
    refresh(page, demo)
    expect(changed).not_to_have_text(before)
    assert rows.evaluate_all("rows => rows.map((row) => row.dataset.mark + row.cells[0].dataset.mark)") == [
        "00",
        "11",
        "22",
    ]


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
