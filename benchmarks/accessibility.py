"""What axe-core finds on every page, wide and narrow, dark and light: with every kind of source watched and well, and
again when nothing is read any more and the fund's own data is old.

    python -m benchmarks.accessibility [--only stale] [--pages /pipeline /system]
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

import api
from access.first_start import first_link
from access.viewer import Viewer
from alerting.start import prepare_alerting, start_alerting
from benchmarks.all_sources import INTERVAL_SECONDS, Instances, well
from benchmarks.report import Figure, show
from collectors.runtime.start import start_collectors
from core import log
from core.kinds.registry import KINDS, Watch
from core.roles import Role
from core.settings.model import Settings
from dashboard import factory
from dashboard.frame.places import ACCOUNT, SIGN_IN
from dashboard.tabs import PAGES
from sample.load import load_sample
from storage.state.portfolios import list_portfolios
from storage.stores import Stores, open_stores
from tests.support.accessibility import violations
from tests.support.browser import launch

SETTLE_SECONDS = 45.0
MOST_MILLISECONDS = 120_000
STALE_SECONDS = 10 * INTERVAL_SECONDS
STOP_SECONDS = 5.0
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
OWN = "Old fund"
STANDS = "#page .fw-tab, body:not(:has(#react-entry-point)) main"
"""What shows when an address has been opened."""
UNFOLD = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
DOWN = "window.scrollBy(0, innerHeight); scrollY + innerHeight >= document.documentElement.scrollHeight"
STANDS_STILL = """() => {
    const under = document.getAnimations().filter((each) => each instanceof CSSTransition);
    return Promise.allSettled(under.map((each) => each.finished)).then(() => null);
}"""
"""No colour is on its way from one theme to the other: what waits for its piece keeps the old one for a moment."""
MOST_SCREENS = 40


def main() -> None:
    """Print what is found, and how much."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["well", "stale"], default="")
    parser.add_argument("--pages", nargs="+", default=[], help="addresses, instead of all")
    chosen = parser.parse_args()
    log.configure("CRITICAL")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        sources = well(stack, Path(name) / "watched") | {"systemd": [{"name": "main", "unit": "ssh.service"}]}
        missing = [kind for kind in KINDS if kind not in sources]
        assert not missing, f"no source of {', '.join(missing)}"
        browser = stack.enter_context(browsing())
        stores, stop = stack.enter_context(running(Path(name) / "data", sources))
        site, plain = stack.enter_context(served(stores, signed_in=True)), stack.enter_context(served(stores))
        time.sleep(SETTLE_SECONDS)
        addresses = chosen.pages or every_address(stores)
        if chosen.only != "stale":
            swept(browser, "well", site, addresses)
            swept(browser, "nobody signed in", plain, chosen.pages or [SIGN_IN, "/overview"])
        stop()
        time.sleep(STALE_SECONDS)
        if chosen.only != "well":
            swept(browser, "stale", site, addresses)


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Give a browser."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@contextlib.contextmanager
def running(folder: Path, sources: Instances) -> Iterator[tuple[Stores, Callable[[], None]]]:
    """Give stores with the sample and a fund of old data, collectors and alert engine, and what ends these two."""
    (folder / "inbox").mkdir(parents=True)
    rows = "".join(f"{OWN},{2020 + n // 12}-{n % 12 + 1:02d}-01,{100 + n % 7}\n" for n in range(40))
    (folder / "inbox" / "nav.csv").write_text(f"portfolio,date,nav\n{rows}")
    watch = Watch.model_validate(sources)
    stores = open_stores(Settings(data_dir=folder, machine="host-1", load_sample=False, watch=watch))
    load_sample(stores)
    first_link(stores.state, stores.settings, stores.clock.now())
    alerting = prepare_alerting(stores)
    assert alerting is not None
    collectors, engine = start_collectors(stores, None, alerting.take), start_alerting(stores, alerting)
    stopping = contextlib.ExitStack()
    stopping.callback(collectors.stop, STOP_SECONDS)
    stopping.callback(engine.stop, STOP_SECONDS)
    try:
        with stopping:
            yield stores, stopping.close
    finally:
        stores.close()


@contextlib.contextmanager
def served(stores: Stores, *, signed_in: bool = False) -> Iterator[str]:
    """Give the address of the product, for an admin or for whoever comes."""
    admin = Viewer("admin", Role.ADMIN, may_act=True)
    app = factory.create_app(stores, find_viewer=(lambda _: admin) if signed_in else None, mounts=[api.install])
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def every_address(stores: Stores) -> list[str]:
    """Return the address of every page, and of those that show more than one thing."""
    (own,) = (f"own:{each.id}" for each in list_portfolios(stores.state, "own"))
    return [
        *(page.path for page in PAGES),
        f"/portfolio?portfolio={own}&window=max",
        f"/portfolios?edit={own}",
        "/users?edit=admin",
        ACCOUNT,
        "/api/docs",
    ]


def swept(browser: Browser, how: str, site: str, addresses: Sequence[str]) -> None:
    """Print what is found on each page, in each of its looks."""
    found = 0
    for address in addresses:
        for size, (width, height) in SIZES.items():
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            page.set_default_timeout(MOST_MILLISECONDS)
            page.goto(f"{site}{address}")
            page.wait_for_selector(STANDS, state="attached")
            see_all(page)
            for theme in ("dark", "light"):
                page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
                page.wait_for_timeout(400)
                page.evaluate(STANDS_STILL)
                lines = violations(page)
                found += len(lines)
                for line in lines:
                    print(f"{how} {address} {size} {theme}: {line}", flush=True)
            context.close()
    show(Figure(f"{how}: rules of axe-core broken on {len(addresses)} pages, {2 * len(SIZES)} looks", found, "", 0))


def see_all(page: Page) -> None:
    """Unfold what is folded, and scroll to the end so that every part is drawn."""
    page.wait_for_timeout(2_500)
    page.evaluate(UNFOLD)
    for _ in range(MOST_SCREENS):
        page.wait_for_timeout(150)
        if page.evaluate(DOWN):
            break
    page.wait_for_timeout(1_000)
    page.evaluate("window.scrollTo(0, 0)")


if __name__ == "__main__":
    main()
