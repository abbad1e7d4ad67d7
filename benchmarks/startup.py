"""From process start to the first painted page with data, and what it all takes in memory."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import Figure, show
from tests.support.browser import launch
from tests.support.product import Product


def main() -> None:
    """Start on an empty folder, then on the folder as it is left; then let it run and weigh it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settle-seconds", type=float, default=60)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        for name in ("on an empty folder", "on the folder left behind"):
            with Product(Path(folder) / "data") as product:
                began = time.monotonic()
                product.launch()
                painted = time_to_chart(browser, product.port, began)
                show(Figure(f"process start to the first painted page, {name}", painted, "s", 8))
                if name == "on the folder left behind":
                    time.sleep(chosen.settle_seconds)
                    weigh(product)
                product.stop()
        browser.close()


def time_to_chart(browser: Browser, port: int, began: float) -> float:
    """Return the seconds from `began` until the Portfolio tab shows its chart."""
    page = browser.new_page()
    while True:
        try:
            page.goto(f"http://127.0.0.1:{port}/portfolio", wait_until="commit")
            break
        except Exception:  # noqa: BLE001 - nobody listens yet
            time.sleep(0.05)
    page.wait_for_selector(".scatterlayer .trace", timeout=60_000)
    taken = time.monotonic() - began
    page.close()
    return taken


def weigh(product: Product) -> None:
    """Show resident memory of every process; shared pages count in each, so this is an upper bound."""
    parts = [(each.name(), each.memory_info().rss / 2**20) for each in product.family()]
    for name, mebibytes in parts:
        show(Figure(f"resident memory of {name}", mebibytes, "MiB"))
    show(Figure("resident memory of all processes", sum(mebibytes for _, mebibytes in parts), "MiB", 550))


if __name__ == "__main__":
    main()
