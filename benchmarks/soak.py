"""A tab left open, refreshing every second: its JS heap and its DOM must not grow."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import CDPSession, sync_playwright

from benchmarks.report import Figure, show
from tests.support.browser import launch
from tests.support.product import Product

SETTLE_SECONDS = 60


def main() -> None:
    """Leave the tab open and compare the first minutes with the last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--tab", default="system")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        with Product(Path(folder) / "data", refresh_seconds="1", intervals__system_seconds="1") as product:
            product.start()
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{product.port}/{chosen.tab}")
            page.wait_for_selector(".js-plotly-plot .main-svg")
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            time.sleep(SETTLE_SECONDS)
            marks = []
            ends = time.monotonic() + chosen.minutes * 60
            while time.monotonic() < ends:
                marks.append(weigh(session))
                time.sleep(15)
            weights = [each.memory_info().rss / 2**20 for each in product.family()]
        browser.close()
    fifth = max(1, len(marks) // 5)
    for position, name, unit, scale in ((0, "JS heap", "MB", 1e6), (1, "DOM nodes", "", 1), (2, "listeners", "", 1)):
        first = statistics.median(mark[position] for mark in marks[:fifth]) / scale
        last = statistics.median(mark[position] for mark in marks[-fifth:]) / scale
        show(
            Figure(f"{chosen.tab}: {name} after {chosen.minutes:g} minutes at 1 s", last, unit),
            Figure(f"{chosen.tab}: {name}, last fifth against first", last / first, "x", 1.10),
        )
    show(Figure(f"resident memory of all processes after {chosen.minutes:g} minutes", sum(weights), "MiB", 550))


def weigh(session: CDPSession) -> tuple[float, float, float]:
    """Return bytes of live JS heap, DOM nodes and listeners after a garbage collection."""
    session.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]


if __name__ == "__main__":
    main()
