"""What a browser meets: bytes of a first visit and of a reload, time to the first chart, restarts under load."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.report import Figure, show
from tests.support.browser import launch
from tests.support.product import Product

TABS = ("portfolio", "system", "pipeline")
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
            product.stop()
            restarts(browser, product, chosen.restarts)
        browser.close()


def visits(browser: Browser, port: int, tab: str) -> None:
    """Show bytes and seconds of a first visit and of a reload (medians)."""
    found = [visit(browser, f"http://127.0.0.1:{port}/{tab}") for _ in range(ROUNDS)]
    first_bytes, first_seconds, again_bytes = (statistics.median(column) for column in zip(*found, strict=True))
    show(
        Figure(f"{tab}: bytes over the wire, first visit", first_bytes / 1e6, "MB", 1.7),
        Figure(f"{tab}: first chart drawn", first_seconds, "s", 2),
        Figure(f"{tab}: bytes over the wire, warm reload", again_bytes / 1e3, "KB", 20),
    )


def visit(browser: Browser, url: str) -> tuple[float, float, float]:
    """Return bytes of the first visit, seconds to its first chart, bytes of a reload."""
    context = browser.new_context()
    with counted(context) as received:
        page = context.pages[0]
        began = time.monotonic()
        page.goto(url, wait_until="commit")
        page.wait_for_selector(READY)
        seconds = time.monotonic() - began
        page.wait_for_timeout(1_000)
        first = sum(received)
        received.clear()
        page.reload(wait_until="commit")
        page.wait_for_selector(READY)
        page.wait_for_timeout(1_000)
        again = sum(received)
    context.close()
    return first, seconds, again


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
