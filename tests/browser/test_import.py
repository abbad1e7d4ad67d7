"""A journey through the Import page in a real browser: files are chosen, dropped, asked about, taken, taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from collectors.runtime.registry import build_runner
from core.clock import SystemClock
from dashboard.tabs import imports, pipeline, portfolio
from storage.stores import Stores
from tests.browser.conftest import Site, Watch, until
from tests.support.application import create_app

pytestmark = pytest.mark.browser
CASES = Path(__file__).parents[1] / "portfolio" / "imports" / "cases"
OPEN_DATES = "date,portfolio,nav\n03/04/2023,Alpha,100\n04/04/2023,Alpha,101\n"
WIDE = "date,One,Two,Three\n2023-01-02,1,2,3\n2023-01-03,2,3,4\n"
DROPPED = """content => {
  const carried = new DataTransfer();
  carried.items.add(new File([content], "wide.csv"));
  return carried;
}"""


@pytest.fixture
def real(stores: Stores) -> Stores:
    intervals = stores.settings.intervals.model_copy(update={"pipeline_seconds": 1.0, "inbox_seconds": 1.0})
    return replace(stores, clock=SystemClock(), settings=stores.settings.model_copy(update={"intervals": intervals}))


@pytest.fixture
def site(real: Stores, serve: Callable[[Callable[..., object]], Site]) -> Site:
    return serve(create_app(real, pages=(portfolio.TAB, imports.PAGE, pipeline.TAB)).server)


def open_import(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/import")
    expect(page.get_by_text("Choose a file")).to_be_visible()


def choose(page: Page, *files: Path) -> None:
    page.set_input_files("#import-file", list(files))


def given(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.id")
    return found


def test_a_file_that_can_be_read_in_two_ways_asks_is_answered_taken_and_taken_back(
    site: Site, page: Page, tmp_path: Path
) -> None:
    open_import(page, site)
    choose(page, given(tmp_path, "alpha.csv", OPEN_DATES))
    expect(page.locator("#import-status")).to_have_text("alpha.csv: One answer is missing.")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    assert focused(page) == "import-date_order"
    page.get_by_label("Dates").select_option("dmy")
    expect(page.locator("#import-status")).to_contain_text("2 values from 2023-04-03 to 2023-04-04")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#import-look")).to_contain_text("2 new rows. New portfolio: Alpha.")
    assert focused(page) == "import-heading"
    row = page.locator("#import-all-rows tbody tr").first
    expect(row).to_contain_text("alpha.csv")

    page.get_by_role("link", name="Open Alpha").click()
    expect(page.locator('select[id*=\'"name":"portfolio"\']')).to_have_value("own:Alpha")
    open_import(page, site)
    row.get_by_role("button", name="Undo").click()
    page.locator("dialog").get_by_role("button", name="Leave it").click()
    row.get_by_role("button", name="Undo").click()
    page.locator("dialog").get_by_role("button", name="Undo").click()
    expect(page.locator("#import-said")).to_contain_text("2 rows removed; Alpha removed.")
    expect(row).to_contain_text("undone")


def test_what_is_hard_to_believe_is_confirmed_by_hand_and_the_next_file_follows(
    site: Site, page: Page, tmp_path: Path
) -> None:
    open_import(page, site)
    choose(page, CASES / "jump100x.csv", given(tmp_path, "open.csv", OPEN_DATES))
    expect(page.locator("#import-look")).to_contain_text("line 24: Tau Jump 2026-09-08: 19,028,632.31 became")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#import-status")).to_have_text("Not imported yet: confirm it first.")
    assert focused(page) == "import-accept"
    page.keyboard.press("Space")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#import-look")).to_contain_text("41 new rows")
    page.get_by_role("button", name="Next: open.csv").click()
    expect(page.locator("#import-heading")).to_have_text("open.csv")
    page.get_by_role("button", name="Leave it").click()
    expect(page.locator("#import-look")).to_be_empty()
    page.goto(f"{site.url}/portfolio")
    expect(page.locator("#portfolio-notes")).to_contain_text(
        "1 value of import 1 (jump100x.csv) was taken although doubted: 2026-09-08."
    )


def test_a_file_is_dropped_anywhere_and_a_column_a_portfolio_makes_three(site: Site, page: Page) -> None:
    open_import(page, site)
    carried = page.evaluate_handle(DROPPED, WIDE)
    page.dispatch_event("body", "dragover", {"dataTransfer": carried})
    expect(page.locator("html")).to_have_attribute("data-dropping", "")
    page.dispatch_event("#import-all", "drop", {"dataTransfer": carried})
    expect(page.locator("#import-look")).to_contain_text("3 portfolios")
    expect(page.locator("html")).not_to_have_attribute("data-dropping", "")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("What column Two is").select_option("skip")
    expect(page.locator("#import-look")).to_contain_text("2 portfolios")
    assert page.get_by_label("What column Two is").is_visible(), "what was opened stays so"
    page.get_by_label("What column Two is").select_option("series")
    expect(page.locator("#import-look")).to_contain_text("3 portfolios")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("link", name="Open Three")).to_be_visible()
    expect(page.get_by_role("link", name="Open ")).to_have_count(3)


@pytest.fixture
def collected(real: Stores) -> Iterator[Path]:
    """The inbox of a Fundwatch whose collectors run."""
    runner = build_runner(real, ["inbox", "pipeline"])
    real.writer.start()
    runner.start()
    inbox = real.settings.data_dir / "inbox"
    until(inbox.is_dir, 60)
    yield inbox
    runner.stop(deadline_seconds=2.0)
    real.writer.stop()


def test_a_refused_file_of_the_inbox_is_a_warning_until_it_was_looked_at(
    site: Site, collected: Path, page: Page
) -> None:
    given(collected, "open.csv", OPEN_DATES)
    page.goto(f"{site.url}/pipeline", wait_until="commit")
    card = page.locator("#pipeline-card-inbox")
    expect(card).to_contain_text("1 refused file to look at", timeout=60_000)
    expect(card).to_contain_text("warning")
    card.get_by_role("link").click()
    refused = page.locator("#import-refused")
    expect(refused).to_contain_text("(day first)")
    refused.get_by_role("button", name="Look at it").click()
    expect(page.locator("#import-heading")).to_have_text("open.csv")
    page.get_by_role("button", name="Leave it").click()
    refused.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#import-said")).to_contain_text("open.csv dismissed")
    expect(refused).to_be_empty()
    page.goto(f"{site.url}/pipeline", wait_until="commit")
    expect(card).to_contain_text("ok", timeout=60_000)


def test_a_server_that_is_away_gets_the_file_when_it_is_back(
    site: Site, page: Page, watch: Watch, tmp_path: Path
) -> None:
    open_import(page, site)
    site.stop()
    choose(page, given(tmp_path, "alpha.csv", OPEN_DATES))
    expect(page.locator("#import-status")).to_contain_text("alpha.csv is read as soon as it does.")
    site.start()
    expect(page.locator("#import-status")).to_have_text("alpha.csv: One answer is missing.")
    watch.problems.clear()


def test_a_phone_shows_all_without_scrolling_sideways_and_says_what_is_too_large(
    site: Site, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(width=390, height=844, theme="light")
    open_import(page, site)
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(40 * 2**20)
    choose(page, large)
    expect(page.locator("#import-status")).to_contain_text("large.csv has 40 MiB, and 32.0 MiB can be taken")
    choose(page, CASES / "wide.csv")
    expect(page.locator("#import-look")).to_contain_text("2 portfolios")
    page.get_by_text("Columns", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
