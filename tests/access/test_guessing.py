"""Guessing passwords, a thousand of them: few are looked at, and others sign in meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from access import passwords
from access.accounts import add_account
from access.lockout import ACCOUNT_ATTEMPTS
from access.sign_in import Caller, use_link
from core.roles import Role
from core.settings.visitors import RateLimits
from dashboard.factory import create_app
from storage.state.audit import Wanted, count_entries
from storage.stores import Stores
from tests.support.frame import DEMO

PASSWORD, GUESSES = "heron by the canal at noon", 1_000
ANAS, BOBS = "10.0.0.7", "10.0.0.8"
MOST_LOOKED_AT = ACCOUNT_ATTEMPTS + 7
"""Of a thousand a second apart: the waits after the fifth are 15, 30, 60, 120, 240 and 480 s."""


@pytest.fixture
def client(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser before a Fundwatch with two people; an address may try as often as it likes."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    now = stores.clock.now()
    for name, address in (("ana", ANAS), ("bob", "10.0.0.1")):
        link = add_account(stores.state, name, Role.ADMIN, [], "test", now)
        use_link(stores.state, link.partition("key=")[2], PASSWORD, "", Caller(address), now)
    free = stores.settings.model_copy(update={"rate_limits": RateLimits(sign_in_per_minute=100_000)})
    made: FlaskClient = create_app(replace(stores, settings=free), (DEMO,)).server.test_client()
    return made


def attempt(client: FlaskClient, name: str, password: str, address: str) -> tuple[int, int]:
    """Return the status, and the seconds to wait that are told."""
    sent = {"name": name, "password": password}
    answer = client.post(
        "/sign-in", data=sent, headers={"Accept": "application/json"}, environ_base={"REMOTE_ADDR": address}
    )
    return answer.status_code, int(answer.headers.get("Retry-After", 0))


def guess(client: FlaskClient, stores: Stores, address: str) -> Counter[int]:
    """Return how often each status came of guessing Ana's once a second; {} in the address becomes a number."""
    found: Counter[int] = Counter()
    for number in range(GUESSES):
        status, wait = attempt(client, "ana", f"guess number {number}", address.format(number))
        found[status] += 1
        assert (status == 429) == (wait > 0)
        stores.clock.advance(1)  # type: ignore[attr-defined]
    return found


def test_a_thousand_guesses_at_one_account_from_one_address(client: FlaskClient, stores: Stores) -> None:
    found = guess(client, stores, "203.0.113.9")
    assert set(found) == {401, 429} and ACCOUNT_ATTEMPTS <= found[401] <= MOST_LOOKED_AT
    assert attempt(client, "ana", PASSWORD, "203.0.113.9")[0] == 429, "the right one is not looked at either"
    assert attempt(client, "bob", PASSWORD, BOBS)[0] == 200
    assert attempt(client, "ana", PASSWORD, ANAS)[0] == 200, "from where she has signed in before"
    refused = count_entries(stores.state, Wanted(what="sign-in refused"))
    assert refused == found[401] and count_entries(stores.state, Wanted(what="locked out")) > 0


def test_a_thousand_guesses_at_one_account_from_as_many_addresses(client: FlaskClient, stores: Stores) -> None:
    found = guess(client, stores, "2001:db8:{0:x}::1")
    assert set(found) == {401, 429} and ACCOUNT_ATTEMPTS <= found[401] <= MOST_LOOKED_AT
    assert attempt(client, "bob", PASSWORD, BOBS)[0] == 200
    assert attempt(client, "ana", PASSWORD, ANAS)[0] == 200
