"""What a browser meets: bytes of a first visit and of a reload, time to the first chart, how much a page jumps until it
stands, how long a refresh keeps it from answering, restarts under load."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.first_chart import first_chart
from benchmarks.report import Figure, show
from tests.support.browser import launch
from tests.support.product import Product

TABS = ("portfolio", "system", "pipeline")
"""Those with charts on their first screen."""
ALL_TABS = ("overview", *TABS, "database", "cache", "services", "alerts", "readiness", "portfolio/holdings")
STANDS = ".fw-verdict, .fw-headlines, .fw-cards, table"
"""What shows when a page has its data."""
SOURCES = 67
REFRESHES = 8
OBSERVED = """
window.shifted = 0;
window.tasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.tasks.push(entry.duration);
}).observe({ type: "longtask", buffered: true });
"""
READY = ".js-plotly-plot .main-svg:visible"
ROUNDS = 3


def main() -> None:
    """Measure visits of every tab, then restarts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--restarts", type=int, default=12)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        with Product(Path(folder) / "data") as product:
            product.start()
            time.sleep(12)
            for tab in TABS:
                visits(browser, product.port, tab)
            for tab in ALL_TABS:
                jumps(browser, product.port, tab)
            product.stop()
            dead_time(browser, Path(folder))
            restarts(browser, product, chosen.restarts)
        browser.close()


def visits(browser: Browser, port: int, tab: str) -> None:
    """Show bytes and seconds of a first visit and of a reload (medians)."""
    url = f"http://127.0.0.1:{port}/{tab}"
    found = [visit(browser, url) for _ in range(ROUNDS)]
    first_bytes, again_bytes = (statistics.median(column) for column in zip(*found, strict=True))
    alone = [first_chart(url) for _ in range(ROUNDS)]
    first_seconds, processor_seconds = (statistics.median(column) for column in zip(*alone, strict=True))
    show(
        Figure(f"{tab}: bytes over the wire, first visit", first_bytes / 1e6, "MB", 1.7),
        Figure(f"{tab}: first chart drawn", first_seconds, "s", 1.5),
        Figure(f"{tab}: processor time of the page's thread until then", processor_seconds, "s"),
        Figure(f"{tab}: bytes over the wire, warm reload", again_bytes / 1e3, "KB", 20),
    )


def visit(browser: Browser, url: str) -> tuple[float, float]:
    """Return bytes of the first visit and of a reload."""
    context = browser.new_context()
    with counted(context) as received:
        page = context.pages[0]
        page.goto(url, wait_until="commit")
        page.wait_for_selector(READY)
        page.wait_for_timeout(1_000)
        first = sum(received)
        received.clear()
        page.reload(wait_until="commit")
        page.wait_for_selector(READY)
        page.wait_for_timeout(1_000)
        again = sum(received)
    context.close()
    return first, again


def jumps(browser: Browser, port: int, tab: str) -> None:
    """Show how far a page shifts until it stands, as Web Vitals count it, on a screen and on a phone."""
    for what, width, height in (("screen", 1440, 900), ("phone", 390, 844)):
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.add_init_script(OBSERVED)
        page.goto(f"http://127.0.0.1:{port}/{tab}", wait_until="commit")
        page.wait_for_selector(STANDS)
        page.wait_for_timeout(3_000)
        show(Figure(f"{tab}, {what}: cumulative layout shift", page.evaluate("window.shifted"), "", 0.1))
        context.close()


def dead_time(browser: Browser, folder: Path) -> None:
    """Show the longest task of a refresh of the Pipeline tab with many sources: so long the page answers nothing."""
    jobs = [{"name": f"job-{number}", "token": f"a-token-of-a-job-{number}"} for number in range(SOURCES)]
    config = folder / "many.yaml"
    config.write_text(yaml.safe_dump({"watch": {"heartbeat": jobs}}))
    with Product(folder / "many", config=str(config)) as product:
        product.start()
        time.sleep(12)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.add_init_script(OBSERVED)
        page.goto(f"http://127.0.0.1:{product.port}/pipeline")
        page.wait_for_selector("#pipeline-sources-heartbeat-jobs-rows tbody tr")
        page.wait_for_timeout(3_000)
        longest = []
        for _ in range(REFRESHES):
            page.evaluate("window.tasks = []")
            with page.expect_response(lambda answer: "_dash-update-component" in answer.url and answer.status == 200):
                pass
            page.wait_for_timeout(1_000)
            longest.append(max(page.evaluate("window.tasks"), default=0.0))
        context.close()
    show(Figure(f"pipeline, {SOURCES} sources: longest task of a refresh", statistics.median(longest), "ms", 100))


@contextmanager
def counted(context: BrowserContext) -> Iterator[list[float]]:
    """Collect the encoded bytes of every answer, headers included, as Chromium's network log has them."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    yield received
    session.detach()


def _note_problems(page: Page, problems: list[str]) -> None:
    """Append each refused request and each error of a script."""
    page.on("response", lambda answer: problems.append(answer.url) if answer.status >= 400 else None)
    page.on("pageerror", lambda error: problems.append(str(error)))


def restarts(browser: Browser, product: Product, times: int) -> None:
    """Restart under load; the first page of each must be whole."""
    broken = 0
    for _ in range(times):
        stop = threading.Event()
        load = [threading.Thread(target=hammer, args=(product.port, stop), daemon=True) for _ in range(8)]
        for thread in load:
            thread.start()
        product.start()
        context = browser.new_context()
        page = context.new_page()
        problems: list[str] = []
        _note_problems(page, problems)
        page.goto(f"http://127.0.0.1:{product.port}/portfolio", wait_until="commit")
        try:
            page.wait_for_selector(READY, timeout=20_000)
        except Exception as error:  # noqa: BLE001 - a page that never paints is what is counted
            problems.append(str(error))
        broken += bool(problems)
        for problem in problems:
            print(f"  broken: {problem}", file=sys.stderr)
        stop.set()
        context.close()
        product.stop()
    show(Figure(f"broken first pages in {times} restarts under load", broken, "", 0))


def hammer(port: int, stop: threading.Event) -> None:
    """Ask for the page and one of its scripts until told to stop, as tabs left open would."""
    while not stop.is_set():
        for path in ("/portfolio", "/_dash-layout", "/_dash-dependencies"):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                    answer.read()
            except OSError:
                time.sleep(0.01)


if __name__ == "__main__":
    main()
