"""The dead man's switch over a real server: called when all is well, and never when something is stuck."""

from __future__ import annotations

import http.server
import logging
import threading
from collections.abc import Iterator

import pytest

from alerting.watchdog import Watchdog, call


class Outside(http.server.ThreadingHTTPServer):
    """A service that waits for calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/ping/secret-uuid"


class Answers(http.server.BaseHTTPRequestHandler):
    server: Outside

    def do_GET(self) -> None:
        self.server.calls.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def outside() -> Iterator[Outside]:
    server = Outside()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_it_is_called_as_long_as_this_engine_runs_and_nothing_is_stuck(outside: Outside) -> None:
    wrong: list[str] = []
    active = [True]
    watchdog = Watchdog(outside.url, 60, lambda: active[0], lambda: wrong)
    assert watchdog.step() and outside.calls == ["/ping/secret-uuid"]
    wrong.append("a message waits to be sent for 3 min")
    assert not watchdog.step()
    wrong.clear()
    active[0] = False
    assert not watchdog.step()
    assert len(outside.calls) == 1


def test_what_goes_wrong_is_logged_once_and_without_the_address(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    outside.status = 500
    watchdog = Watchdog(outside.url, 60, lambda: True, list)
    with caplog.at_level(logging.ERROR):
        assert not watchdog.step() and not watchdog.step()
    assert [each.getMessage() for each in caplog.records] == [
        "alerts: the watchdog cannot be called: 127.0.0.1 answers 500"
    ]
    outside.status = 200
    assert watchdog.step()


def test_a_redirect_is_not_followed_and_a_closed_door_is_told(outside: Outside) -> None:
    outside.status = 302
    assert call(outside.url) == "127.0.0.1 answers 302"
    told = call("http://127.0.0.1:1/ping/secret-uuid")
    assert told.startswith("127.0.0.1: ") and "secret" not in told


def test_without_an_address_alerting_is_looked_at_all_the_same() -> None:
    looked: list[int] = []

    def audit() -> list[str]:
        looked.append(1)
        return []

    assert not Watchdog("", 60, lambda: True, audit).step() and looked
