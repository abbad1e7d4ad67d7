"""Who asks too often is told to wait, with how much and for how long; others go on, with or without Redis."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from flask import Request
from flask.testing import FlaskClient

import api
from access.accounts import add_account
from access.sign_in import Caller, use_link
from access.tokens import make_token
from access.viewer import Viewer
from core.roles import Role
from core.settings.visitors import RateLimits
from dashboard.factory import create_app
from dashboard.frame.viewer import find_signed_in
from storage.live.embedded import Valkey
from storage.live.rate_limit import RateLimit
from storage.live.redis import VERSION_SECONDS, Live
from storage.stores import Stores
from tests.support.frame import DEMO

ROOT = Viewer("root", Role.ADMIN)
PASSWORD = "heron by the canal at noon"
JSON = {"Accept": "application/json"}


def client_of(stores: Stores, viewer: Viewer | None = None, **limits: int) -> FlaskClient:
    settings = stores.settings.model_copy(update={"rate_limits": RateLimits(**limits)})
    stores = replace(stores, settings=settings)
    signed_in = find_signed_in(stores)

    def find(request: Request) -> Viewer | None:
        return viewer if viewer is not None else signed_in(request)

    client: FlaskClient = create_app(stores, (DEMO,), find, mounts=[api.install]).server.test_client()
    return client


def bearer_of(stores: Stores, name: str) -> dict[str, str]:
    _, secret = make_token(stores.state, name=name, account="", scopes=["read"], by=ROOT, now=1)
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_that_asks_too_often_waits_and_another_one_goes_on(stores: Stores) -> None:
    client = client_of(stores, api_per_minute=60)
    one, other = (bearer_of(stores, name) for name in ("one", "other"))
    first = client.get("/api/v1/me", headers=one)
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("60", "59")
    assert 1 <= int(first.headers["RateLimit-Reset"]) <= 60 and "Retry-After" not in first.headers
    assert {client.get("/api/v1/me", headers=one).status_code for _ in range(59)} == {200}
    for path in ("/api/v1/me", "/metrics", "/api/v1/nothing"):
        refused = client.get(path, headers=one)
        assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
        assert refused.json["title"] == "Too many requests" and "60 requests" in refused.json["detail"]
        assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
        assert refused.headers["RateLimit-Remaining"] == "0" and refused.json["fix"]
        assert (refused.json["field"], refused.json["allowed"]) == ("", [])
    assert client.get("/api/v1/me", headers=other).status_code == 200
    assert client.get("/api/v1/me").status_code == 401, "who is nobody uses nobody's limit up"


def test_a_page_is_not_limited_with_the_api(stores: Stores) -> None:
    client = client_of(stores, ROOT, api_per_minute=60)
    assert {client.get("/api/v1/me").status_code for _ in range(61)} == {200, 429}
    assert client.get(DEMO.path).status_code == 200 and "RateLimit-Limit" not in client.get(DEMO.path).headers


@pytest.mark.parametrize("is_away", [False, True], ids=["with Redis", "without"])
def test_an_address_that_tries_too_often_to_sign_in_waits_and_another_one_gets_in(
    stores: Stores, is_away: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if is_away:
        stores = replace(stores, live=Live(f"unix://{tmp_path_factory.mktemp('gone')}/valkey.sock"))
    link = add_account(stores.state, "ana", Role.VIEWER, [], "root", stores.clock.now())
    use_link(stores.state, link.partition("key=")[2], PASSWORD, "", Caller("10.0.0.1"), stores.clock.now())
    client = client_of(stores, sign_in_per_minute=5)

    def attempt(address: str, name: str = "ana", headers: dict[str, str] = JSON) -> object:
        sent = {"name": name, "password": PASSWORD}
        return client.post("/sign-in", data=sent, headers=headers, environ_base={"REMOTE_ADDR": address})

    answers = [attempt("2001:db8::1", f"nobody{number}") for number in range(5)]
    assert {answer.status_code for answer in answers} == {401}
    neighbour = attempt("2001:db8::2")
    assert (neighbour.status_code, neighbour.headers["RateLimit-Limit"]) == (429, "5"), "one network is one address"
    assert "from your address" in neighbour.json["said"] and int(neighbour.headers["Retry-After"]) <= 60
    page = attempt("2001:db8::3", headers={})
    assert page.status_code == 429 and "from your address" in page.text and "password" in page.text
    assert client.get("/sign-in", environ_base={"REMOTE_ADDR": "2001:db8::1"}).status_code == 200
    assert attempt("10.0.0.9").status_code == 200


def test_neither_this_machine_nor_a_link_that_works_is_kept_waiting(stores: Stores) -> None:
    now = stores.clock.now()
    link = add_account(stores.state, "ana", Role.VIEWER, [], "root", now)
    client = client_of(stores, sign_in_per_minute=5)
    office, chosen = {"REMOTE_ADDR": "10.0.0.9"}, {"password": PASSWORD, "again": PASSWORD}
    for _ in range(6):
        here = client.post("/sign-in", data={"name": "nobody", "password": "x"}, headers=JSON)
        assert here.status_code in (401, 429) and "RateLimit-Limit" not in here.headers
        client.post("/sign-in", data={"name": "nobody", "password": "x"}, headers=JSON, environ_base=office)
    sent = chosen | {"key": link.partition("key=")[2]}
    assert client.post("/sign-in/link", data=sent, environ_base=office).status_code == 303


def test_at_the_end_of_a_minute_nobody_is_refused_before_the_limit(live: Live) -> None:
    limit = RateLimit(live, "ending", 6_000)
    limit.take("key")
    (key,) = live.client.keys(live.key("limits", "*") + "*")
    for _ in range(3):
        live.client.pexpire(key, 480)
        assert limit._fetch(limit._shared, "key").ends > time.time() + 0.2, "Redis' whole seconds say that it is over"


def test_a_redis_that_takes_no_writes_is_still_read_and_each_process_counts_by_itself(valkey: Valkey) -> None:
    live = Live(valkey.url, "full")
    live.bump("demo")
    version, limit = live.version("demo"), RateLimit(live, "full", 100)
    live.client.config_set("min-replicas-to-write", 1)  # NOREPLICAS
    try:
        assert sum(limit.take("key").is_within for _ in range(150)) == 100
        time.sleep(VERSION_SECONDS)
        assert live.version("demo") == version
    finally:
        live.client.config_set("min-replicas-to-write", 0)
        live.close()


def test_many_processes_and_threads_share_a_limit(valkey: Valkey, database: str) -> None:
    lives = [Live(valkey.url, database) for _ in range(3)]
    limits = [RateLimit(live, "shared", 1_000) for live in lives]
    within: list[bool] = []

    def ask(limit: RateLimit) -> None:
        within.extend(limit.take("key").is_within for _ in range(500))

    threads = [threading.Thread(target=ask, args=(limit,)) for limit in limits for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for live in lives:
        live.close()
    assert len(within) == 3_000 and 940 <= sum(within) <= 1_000


def test_a_cache_that_is_emptied_makes_a_limit_whole_again_and_breaks_nothing(live: Live) -> None:
    limit = RateLimit(live, "emptied", 100)
    assert sum(limit.take("key").is_within for _ in range(150)) == 100
    live.client.flushdb()
    assert sum(RateLimit(live, "emptied", 100).take("key").is_within for _ in range(150)) == 100
