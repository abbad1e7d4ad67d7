"""What the browser makes of /healthz."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site, Watch
from tests.browser.demo import open_demo

pytestmark = pytest.mark.browser
ASK = """async () => {
    const before = window.fundwatch.connection.failures;
    await window.fetch("/healthz");
    return window.fundwatch.connection.failures - before;
}"""


@pytest.mark.parametrize(("is_own", "failures"), [(True, 0), (False, 1)])
def test_a_storage_that_does_not_answer_is_no_lost_connection(
    page: Page, site: Site, watch: Watch, is_own: bool, failures: int
) -> None:
    headers = {"X-Fundwatch-Now": str(time.time())} if is_own else {}
    page.route("**/healthz", lambda route: route.fulfill(status=503, headers=headers, body="{}"))
    open_demo(page, site)
    with page.expect_console_message(lambda message: "503" in message.text):
        assert page.evaluate(ASK) == failures
    watch.problems.clear()
