"""How often who asks may ask: the API by token or person, signing in by address. The answers say what is left.

Headers as in the draft RateLimit header fields for HTTP (IETF, draft-ietf-httpapi-ratelimit-headers-06), and
Retry-After (RFC 9110).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flask import Flask, after_this_request, request
from werkzeug.wrappers import Response as AnyResponse

from access.lockout import site_of
from access.tokens import digest_of
from core.errors import SignInRefused
from core.format import count, duration
from core.settings.binding import is_loopback
from dashboard.frame.plain import problem
from dashboard.frame.viewer import current_viewer, is_api, secret_of
from storage.live.rate_limit import RateLimit, Taken

if TYPE_CHECKING:
    from storage.stores import Stores


def install(server: Flask, stores: Stores) -> None:
    """Let the API of `server` answer each token, and each person, so many times a minute. Behind its guard."""
    limit = RateLimit(stores.live, "api", stores.settings.rate_limits.api_per_minute)

    @server.before_request
    def hold() -> AnyResponse | None:
        if not is_api(request.path):
            return None
        secret = secret_of(request)
        taken = _count(limit, f"token {digest_of(secret)}" if secret else f"account {current_viewer().name}")
        if taken.is_within:
            return None
        sentence = f"More than {count(taken.limit, 'request')} in a minute."
        return problem(429, "Too many requests", sentence, fix=f"Go on in {_wait(taken)}.")


class SignIns:
    """How often an address may try to sign in, here or at a provider, or to use the link of a message. Addresses of
    this machine are not counted: everybody behind an SSH tunnel has the same.
    """

    def __init__(self, stores: Stores, what: str = "sign-in") -> None:
        """what: is counted by itself."""
        self._limit = RateLimit(stores.live, what, stores.settings.rate_limits.sign_in_per_minute)

    def count(self) -> None:
        """Count the present request. Raises SignInRefused when its address has to wait."""
        address = request.remote_addr or ""
        if is_loopback(address):
            return
        taken = _count(self._limit, site_of(address))
        if not taken.is_within:
            raise SignInRefused(f"Too many attempts from your address. Try again in {_wait(taken)}.", _seconds(taken))


def _count(limit: RateLimit, key: str) -> Taken:
    taken = limit.take(key)

    @after_this_request
    def tell(answer: AnyResponse) -> AnyResponse:
        answer.headers["RateLimit-Limit"] = str(taken.limit)
        answer.headers["RateLimit-Remaining"] = str(taken.remaining)
        answer.headers["RateLimit-Reset"] = str(_seconds(taken))
        if not taken.is_within:
            answer.headers["Retry-After"] = str(_seconds(taken))
        return answer

    return taken


def _seconds(taken: Taken) -> int:
    return max(1, math.ceil(taken.reset_seconds))


def _wait(taken: Taken) -> str:
    return duration(_seconds(taken))
