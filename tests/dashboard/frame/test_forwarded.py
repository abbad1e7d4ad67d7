"""Reverse proxies: what they tell is believed of them alone, and nobody comes past them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from core.web.tally import Tally, counts_of
from dashboard.factory import create_app
from dashboard.frame import security
from dashboard.frame.forwarded import Forwarded
from tests.support.frame import DEMO, SETTINGS, FakeStores

PROXIES = ("10.0.0.0/24", "::1", "192.168.7.7")


@Request.application
def told(request: Request) -> Response:
    return Response(f"{request.remote_addr} {request.scheme} {request.host}")


def asked(address: str, *proxies: str, **headers: str) -> tuple[int, str]:
    """What the application behind the layer sees of a request from an address."""
    named = {f"X-Forwarded-{name.title()}": value for name, value in headers.items()}
    answer: Any = Client(Forwarded(told, proxies)).get("/", headers=named, environ_base={"REMOTE_ADDR": address})
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("address", "headers", "seen"),
    [
        (
            "10.0.0.9",
            {"for": "203.0.113.8", "proto": "https", "host": "fund.example"},
            "203.0.113.8 https fund.example",
        ),
        ("192.168.7.7", {"for": "203.0.113.8"}, "203.0.113.8 http localhost"),
        ("::1", {"for": "2001:db8::7"}, "2001:db8::7 http localhost"),
        ("::ffff:10.0.0.9", {"for": "203.0.113.8"}, "203.0.113.8 http localhost"),
        # The browser may begin the list as it likes: what counts is the last address that is no proxy.
        ("10.0.0.9", {"for": "127.0.0.1, 203.0.113.8"}, "203.0.113.8 http localhost"),
        ("10.0.0.9", {"for": "1.1.1.1, 203.0.113.8, 10.0.0.3"}, "203.0.113.8 http localhost"),
        ("10.0.0.9", {"for": "203.0.113.8:4711"}, "203.0.113.8 http localhost"),
        ("10.0.0.9", {"for": "[2001:db8::7]:4711"}, "2001:db8::7 http localhost"),
        ("10.0.0.9", {"for": "unknown, _hidden"}, "10.0.0.9 http localhost"),
        ("10.0.0.9", {"proto": "javascript"}, "10.0.0.9 http localhost"),
        ("10.0.0.9", {}, "10.0.0.9 http localhost"),
    ],
)
def test_a_proxy_tells_who_asks(address: str, headers: dict[str, str], seen: str) -> None:
    assert asked(address, *PROXIES, **headers) == (200, seen)


@pytest.mark.parametrize("address", ["203.0.113.8", "10.0.1.1", "127.0.0.1", "", "not an address"])
def test_nobody_comes_past_the_proxies(address: str) -> None:
    status, sentence = asked(address, *PROXIES, **{"for": "10.0.0.9", "host": "fund.example"})
    assert status == 403
    assert "FUNDWATCH_TRUSTED_PROXY" in sentence


def test_without_proxies_what_a_client_tells_of_itself_is_ignored() -> None:
    headers = {"for": "127.0.0.1", "proto": "https", "host": "fund.example"}
    assert asked("203.0.113.8", **headers) == (200, "203.0.113.8 http localhost")


@pytest.mark.parametrize("proxies", [(), PROXIES])
def test_dash_is_set_up_before_the_first_request_behind_a_proxy_too(
    proxies: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    stores, tally = FakeStores(), Tally()
    stores.settings = SimpleNamespace(**{**SETTINGS, "trusted_proxy": proxies})
    app = create_app(stores, pages=(DEMO,), find_viewer=lambda _request: None, tally=tally)  # type: ignore[arg-type]
    assert app._got_first_request["setup_server"]
    assert app.callback_map
    assert not caplog.records
    assert not counts_of(tally.told(stores.clock.now()))


def test_pages_that_cannot_be_shown_are_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "visible", lambda _pages, _role: [])
    with pytest.raises(RuntimeError, match="/demo is answered with 403"):
        create_app(FakeStores(), pages=(DEMO,), find_viewer=lambda _request: None)  # type: ignore[arg-type]
