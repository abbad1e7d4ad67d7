"""A real Chromium against a real server. A console error or a request that leaves this machine fails the test."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from core.settings.model import Settings
from dashboard.tabs import portfolio, system
from sample.load import load_sample
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.migrate import migrate
from storage.live.embedded import Valkey
from storage.live.redis import Live
from storage.state.database import State
from storage.stores import Stores
from tests.browser.demo import TABS
from tests.conftest import assembled
from tests.support.application import create_app
from tests.support.frame import FakeStores

WAIT_MILLISECONDS = 30_000
"""What a page is waited for: as long as a machine may need that does other work."""
expect.set_options(timeout=WAIT_MILLISECONDS)

LOOPBACK = {"127.0.0.1", "localhost", "::1", ""}
LOCAL_SCHEMES = {"data", "blob", "about"}
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--js-flags=--expose-gc",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pages be opened last: they are then closed before the servers and stores that they ask."""
    for item in items:
        if isinstance(item, pytest.Function):
            item.fixturenames.sort(key=lambda name: name in ("page", "open_page"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "browser tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Site:
    """A served application; `stop` and `start` play an outage on the same port."""

    application: Callable[..., object]
    port: int = 0
    _server: BaseWSGIServer | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", self.port, self.application, threaded=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[..., object]], Site]]:
    """Return a function that serves a WSGI application on a free port until the test ends."""
    sites: list[Site] = []

    def start(application: Callable[..., object]) -> Site:
        site = Site(application)
        site.start()
        sites.append(site)
        return site

    yield start
    for site in sites:
        site.stop()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Pages that ask for news each second: what a collector says is soon on the screen."""
    return settings.model_copy(update={"refresh_seconds": 1})


@pytest.fixture(scope="session")
def fund(clickhouse_url: str, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """The sample fund in stores of its own, loaded once: for tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("fund")
    with (
        closing(ClickHouse(clickhouse_url, "fund")) as clickhouse,
        closing(Live(valkey.url, "fund")) as live,
        closing(State(f"sqlite:///{folder / 'state.sqlite'}")) as state,
        assembled(Settings(data_dir=folder / "data", machine="host-1"), clickhouse, live, state, folder) as stores,
    ):
        migrate(clickhouse)
        state.migrate()
        load_sample(stores)
        yield stores


@pytest.fixture(scope="session")
def fund_url(fund: Stores) -> Iterator[str]:
    """Where the Portfolio tab shows the sample fund."""
    site = Site(create_app(fund, pages=(portfolio.TAB, system.TAB)).server)
    site.start()
    yield f"{site.url}/portfolio"
    site.stop()


@pytest.fixture
def demo() -> FakeStores:
    return FakeStores()


@pytest.fixture
def site(serve: Callable[[object], Site], demo: FakeStores) -> Iterator[Site]:
    return serve(create_app(demo, TABS).server)  # type: ignore[arg-type]


@dataclass
class Watch:
    """What a page did that it should not have. A test that breaks the server on purpose clears `problems`."""

    problems: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL_SCHEMES and (address.hostname or "") not in LOOPBACK:
            self.problems.append(f"request left this machine: {request.url}")


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def open_page(browser: Browser, watch: Watch, serve: object) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an empty page: width, height, theme, and options of a browser context.

    It asks for `serve` so that pages close before their server stops.
    """
    contexts = []

    def start(width: int = 1440, height: int = 900, theme: str = "dark", **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(
            f"localStorage.getItem('fundwatch-theme') || localStorage.setItem('fundwatch-theme', '{theme}')"
        )
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.on("console", watch.on_console)
        page.on("pageerror", lambda error: watch.problems.append(f"page error: {error.stack or error}"))
        page.on("request", watch.on_request)
        return page

    yield start
    for context in contexts:
        context.close()
    assert not watch.problems, "\n".join(watch.problems)


def until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for what has no element to wait for (the page's policy forbids evaluated predicates)."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()
