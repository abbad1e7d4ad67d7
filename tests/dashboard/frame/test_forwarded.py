"""Reverse proxies: what they tell is believed of them alone, and nobody comes past them."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from dashboard.frame.forwarded import Forwarded

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
