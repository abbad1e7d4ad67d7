"""Tabs left open, refreshing every second: the first one's JS heap and DOM must not grow, nor what the server holds."""

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

SETTLE_SECONDS, EVERY_SECONDS, OPEN_SECONDS = 60, 15, 90


def main() -> None:
    """Leave the tab open and compare the first minutes with the last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--tabs", nargs="+", default=["system", "portfolio", "pipeline"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        with Product(Path(folder) / "data", refresh_seconds="1", intervals__system_seconds="1") as product:
            product.start()
            pages = [browser.new_page() for _ in chosen.tabs]
            for page, tab in zip(pages, chosen.tabs, strict=True):
                page.goto(f"http://127.0.0.1:{product.port}/{tab}", timeout=OPEN_SECONDS * 1_000)
                page.wait_for_selector(".js-plotly-plot .main-svg", timeout=OPEN_SECONDS * 1_000)
            session = pages[0].context.new_cdp_session(pages[0])
            session.send("Performance.enable")
            time.sleep(SETTLE_SECONDS)
            marks, holdings = [], []
            ends = time.monotonic() + chosen.minutes * 60
            while time.monotonic() < ends:
                marks.append(weigh(session))
                holdings.append(held(product))
                pages[0].wait_for_timeout(EVERY_SECONDS * 1_000)
        browser.close()
    fifth = max(1, len(marks) // 5)
    for position, name, unit, scale in ((0, "JS heap", "MB", 1e6), (1, "DOM nodes", "", 1), (2, "listeners", "", 1)):
        first = statistics.median(mark[position] for mark in marks[:fifth]) / scale
        last = statistics.median(mark[position] for mark in marks[-fifth:]) / scale
        show(
            Figure(f"{chosen.tabs[0]}: {name} after {chosen.minutes:g} minutes at 1 s", last, unit),
            Figure(f"{chosen.tabs[0]}: {name}, last fifth against first", last / first, "x", 1.10),
        )
    open_tabs = f"{len(chosen.tabs)} tabs at 1 s for {chosen.minutes:g} minutes"
    second = holdings[fifth : 2 * fifth] or holdings
    for position, name, unit, most in (
        (0, "resident memory of all processes", "MiB", 550.0),
        (1, "threads", "", None),
        (2, "descriptors", "", None),
    ):
        earlier = statistics.median(each[position] for each in second)
        later = statistics.median(each[position] for each in holdings[-fifth:])
        show(
            Figure(f"{name} after {open_tabs}", later, unit, most),
            Figure(f"{name}, last fifth against second", later / earlier, "x", 1.02),
        )


def held(product: Product) -> tuple[float, int, int]:
    """Return what all processes of the product hold: resident memory in MiB, threads, descriptors."""
    family = product.family()
    return (
        sum(each.memory_info().rss for each in family) / 2**20,
        sum(each.num_threads() for each in family),
        sum(each.num_fds() for each in family),
    )


def weigh(session: CDPSession) -> tuple[float, float, float]:
    """Return bytes of live JS heap, DOM nodes and listeners after a garbage collection."""
    session.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]


if __name__ == "__main__":
    main()
