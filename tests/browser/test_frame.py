"""The frame as a person meets it: navigation, keyboard, theme, zoom, tools, narrow screens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dash import html
from playwright.sync_api import Page, expect

from dashboard.views.tab import Page as SubPage
from tests.browser.conftest import Site, until
from tests.browser.demo import CHART, drag_across, open_demo, revision
from tests.support.accessibility import violations
from tests.support.application import create_app
from tests.support.frame import DEMO, PLAIN, FakeStores

pytestmark = pytest.mark.browser


def test_links_change_page_address_and_title(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.wait_for_selector(CHART)
    expect(page).to_have_url(f"{site.url}/demo")
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Demo")
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="A plain page")).to_be_visible()
    expect(page).to_have_title("Alerts · Fundwatch")
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Alerts")
    page.go_back()
    page.wait_for_selector(CHART)
    assert page.locator("script[src*='plotly.min.js']").count() == 1
    expect(page).to_have_url(f"{site.url}/demo")
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Demo")


def test_a_sub_page_marks_its_tab_and_a_page_outside_the_navigation_none(
    page: Page, serve: Callable[[Callable[..., object]], Site], demo: FakeStores
) -> None:
    parts = SubPage(
        id="demo-parts", title="Parts", path="/demo/parts", parent="demo", layout=lambda *_: html.P("Two parts.")
    )
    users = SubPage(id="users", title="Users", path="/users", layout=lambda *_: html.P("One user."))
    site = serve(create_app(demo, (DEMO, parts, PLAIN, users)).server)  # type: ignore[arg-type]
    open_demo(page, site)
    page.locator(".fw-sub-nav").get_by_role("link", name="Parts").click()
    expect(page.get_by_text("Two parts.")).to_be_visible()
    expect(page).to_have_title("Parts · Fundwatch")
    expect(page.locator(".fw-nav a[aria-current=true]")).to_have_text("Demo")
    expect(page.locator(".fw-sub-nav [aria-current=page]")).to_have_text("Parts")
    page.locator(".fw-sub-nav").get_by_role("link", name="Demo").click()
    page.wait_for_selector(CHART)
    expect(page.locator(".fw-nav a[aria-current=page]")).to_have_text("Demo")
    page.goto(f"{site.url}/users")
    expect(page.get_by_text("One user.")).to_be_visible()
    expect(page).to_have_title("Users · Fundwatch")
    expect(page.locator(".fw-nav a[aria-current]")).to_have_count(0)


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
    expect(page.get_by_role("heading", name="A plain page")).to_be_visible()
    page.go_back()
    page.wait_for_selector(CHART)
    expect(page).to_have_url(f"{site.url}/demo?host=beta")
    expect(page.get_by_label("Host")).to_have_value("beta")


def test_keyboard_opens_tabs_and_acts_but_not_while_typing(page: Page, site: Site, demo: FakeStores) -> None:
    open_demo(page, site)
    page.keyboard.press("8")
    expect(page).to_have_url(f"{site.url}/alerts")
    page.keyboard.press("9")
    page.wait_for_selector(CHART)
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.keyboard.press("p")
    expect(page.locator("#refresh-next")).to_have_text("paused")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    defined = page.locator(".fw-definitions dt")
    assert set(page.locator("main .fw-panel-title[title]").all_text_contents()) <= set(defined.all_text_contents())
    expect(defined.first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.get_by_label("Filter processes")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Filter processes")).to_be_focused()
    page.keyboard.type("2tp")
    expect(page).to_have_url(f"{site.url}/demo")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page.get_by_label("Filter processes")).to_have_value("2tp")


def test_a_press_is_not_lost_when_its_control_is_drawn_anew(page: Page, site: Site) -> None:
    open_demo(page, site)
    act = """button => {
        button.id = 'press';
        button.textContent = 'Press';
        button.style = 'position: fixed; left: 50%; top: 50%; z-index: 2000';
        document.getElementById('page').append(button);
    }"""
    page.evaluate(f"({act})(document.createElement('button'))")
    page.evaluate("document.addEventListener('click', event => { window.clickedOn = event.target.id })")
    page.locator("#press").hover()
    page.mouse.down()
    page.evaluate("{ const old = document.getElementById('press'); old.replaceWith(old.cloneNode(true)) }")
    page.mouse.up()
    assert page.evaluate("window.clickedOn") == "press"


def test_theme_is_set_before_paint_kept_and_needs_no_request(page: Page, site: Site) -> None:
    open_demo(page, site)
    page.keyboard.press("p")
    page.wait_for_timeout(300)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    line = page.locator("#demo-cpu-graph .scatterlayer .js-line").first
    assert "rgb(88, 166, 255)" in (line.get_attribute("style") or "")
    page.locator("#account-button").click()
    page.locator("#theme-switch").click()
    expect(line).to_have_attribute("style", re.compile(r"rgb\(11, 98, 196\)"))
    assert not [url for url in requests if "healthz" not in url and not url.startswith("data:")]
    page.goto(f"{site.url}/demo", wait_until="commit")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


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


def test_the_theme_is_the_system_s_until_a_person_chooses(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(color_scheme="light")
    page.add_init_script("sessionStorage.asked || localStorage.removeItem('fundwatch-theme'); sessionStorage.asked = 1")
    open_demo(page, site)
    theme = page.locator("html")
    expect(theme).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(theme).to_have_attribute("data-bs-theme", "dark")
    page.locator("#account-button").click()
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
    assert lines[0].endswith(',"user, %"')
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
    expect(page.get_by_role("heading", name="A plain page")).to_be_visible()
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
    page = open_page(theme=theme)
    page.goto(f"{site.url}{path}")
    page.wait_for_selector(CHART if path == "/demo" else ".fw-empty")
    page.wait_for_timeout(500)
    assert not violations(page)


def test_the_figures_of_a_server_are_as_old_as_its_card(page: Page, site: Site) -> None:
    open_demo(page, site)
    said_before = """isStale => {
        const figure = '<article class="fw-card"><span class="fw-state fw-state-ok">ok</span></article>';
        const server = `<article class="fw-card"><span class="fw-age" ${isStale ? "data-stale" : ""}></span></article>`;
        const row = document.createElement("div");
        row.className = "fw-cards";
        row.innerHTML = server + figure;
        document.getElementById("page").append(row);
        return getComputedStyle(row.querySelector(".fw-state"), "::before").content;
    }"""
    assert [page.evaluate(said_before, is_stale) for is_stale in (True, False)] == ['"? was"', "none"]
