"""The doors of the real application, as somebody meets them who asks over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pyotp
import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from access import passwords
from access.accounts import add_account, disable, reset, set_role
from access.first_start import first_link
from access.tokens import make_token
from access.viewer import Viewer
from core.clock import FakeClock
from core.memo import KNOWN_SECONDS
from core.roles import Role
from dashboard.factory import create_app
from dashboard.frame.places import own_place
from dashboard.tabs import PAGES
from storage.stores import Stores

PASSWORD, OTHER = "violet kettle 81 moor", "seven lanterns, one tide"
REFRESH = "/_dash-update-component"
COOKIE = "fundwatch-8050"
PUBLIC = {"/healthz", "/sign-in", "/sign-in/link", "/favicon.ico", "/_favicon.ico"}
PUBLIC_FOLDERS = ("/assets/", "/_dash-component-suites/", "/bootstrap/", "/ping/", "/m/")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id, at its least cost."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def client(stores: Stores) -> FlaskClient:
    """Somebody's browser, and an admin who has chosen a password; the account ana has yet to do it."""
    client: FlaskClient = create_app(stores, PAGES).server.test_client()
    now = stores.clock.now()
    link = first_link(stores.state, stores.settings, now)
    client.post("/sign-in/link", data={"key": key_of(link), "password": PASSWORD, "again": PASSWORD})
    client.post("/sign-out")
    add_account(stores.state, "ana", Role.VIEWER, (), "admin", now)
    return client


def key_of(link: str) -> str:
    return link.split("key=")[1]


def clock(stores: Stores) -> FakeClock:
    assert isinstance(stores.clock, FakeClock)
    return stores.clock


def sign_in(client: FlaskClient, name: str = "admin", password: str = PASSWORD, **rest: str) -> int:
    return client.post("/sign-in", data={"name": name, "password": password, **rest}).status_code


def paths(client: FlaskClient) -> Iterator[tuple[str, str]]:
    """Yield every address of the application, its parts filled in, with a method that it answers."""
    for rule in client.application.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        for method in {"GET", "POST"} & (rule.methods or set()):
            yield method, path


def test_nobody_is_answered_who_has_not_signed_in(client: FlaskClient) -> None:
    pages = {page.path for page in PAGES} | {"/", "/1"}
    asked = set(paths(client))
    assert len(asked) > 40
    for method, path in sorted(asked):
        answer = client.open(path, method=method)
        if path in PUBLIC or path.startswith(PUBLIC_FOLDERS):
            assert answer.status_code in (200, 204, 400, 401, 404, 405, 410), (method, path)
        elif path.startswith(("/account", "/sign-out")) or (method == "GET" and path in pages):
            assert answer.status_code in (302, 303) and answer.headers["Location"].startswith("/sign-in"), path
        else:
            assert answer.status_code == 401, (method, path)
            assert len(answer.data) < 300, (method, path)


def test_what_is_public_tells_nothing_of_the_fund(client: FlaskClient) -> None:
    for method, path in sorted(paths(client)):
        if path in ("/healthz", "/sign-in", "/sign-in/link"):
            text = client.open(path, method=method).get_data(as_text=True)
            assert "portfolio" not in text.lower() and "ana" not in re.findall(r"\w+", text)


def test_a_program_is_told_in_problem_details(client: FlaskClient) -> None:
    for path in ("/api/v1/status", "/api/docs", "/metrics", "/api/"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
        assert answer.get_json()["status"] == 401 and "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_token_opens_the_api_and_no_page(client: FlaskClient, stores: Stores) -> None:
    admin = Viewer("admin", Role.ADMIN)
    _, secret = make_token(stores.state, name="robot", account="", scopes=["read"], by=admin, now=stores.clock.now())
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/nothing", headers=bearer).status_code == 404
    assert client.get("/portfolio", headers=bearer).status_code == 302
    assert client.post(REFRESH, json={}, headers=bearer).status_code == 401
    assert client.get("/api/v1/nothing", headers={"Authorization": "Bearer fw_wrong"}).status_code == 401
    sign_in(client)
    assert client.get("/api/v1/nothing", headers={"Authorization": "Bearer fw_wrong"}).status_code == 401


def test_signing_in_leads_back_to_the_same_view(client: FlaskClient) -> None:
    asked = client.get("/portfolio?window=1y&vs=S%26P+500")
    form = client.get(asked.headers["Location"])
    (place,) = re.findall(r'name="next" value="([^"]*)"', form.get_data(as_text=True))
    assert place == "/portfolio?window=1y&amp;vs=S%26P+500"
    answer = client.post("/sign-in", data={"name": "admin", "password": PASSWORD, "next": place.replace("&amp;", "&")})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portfolio?window=1y&vs=S%26P+500")
    assert client.get(answer.headers["Location"]).status_code == 200


ELSEWHERE = [
    "//evil.example", "\\\\evil.example", "/\\evil.example", "https://evil.example", "/%2Fevil.example",
    "/%5Cevil.example", "/%252Fevil.example", "javascript:alert(1)", "/\tevil", "/\n/evil.example", "/%0a/evil",
    " //evil.example", "evil.example", "", "/sign-out", "/sign-in", "http:/evil.example", "/" + "x" * 5_000,
    "///evil.example", "/ /evil.example\x00",
]  # fmt: skip


def test_no_address_of_anybody_else_is_returned_to(client: FlaskClient) -> None:
    for place in ELSEWHERE:
        answer = client.post("/sign-in", data={"name": "admin", "password": PASSWORD, "next": place})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/"), place


@given(st.text(alphabet="/\\%2F5Cc0a: \t?#@e.x", max_size=12))
def test_a_place_is_always_within_this_host(place: str) -> None:
    found = own_place(place)
    assert found.startswith("/") and not re.match(r"^/[\t\r\n/\\]", found) and found.isprintable()


def test_the_cookie_is_for_this_host_and_no_script(client: FlaskClient, stores: Stores) -> None:
    data = {"name": "admin", "password": PASSWORD}
    plain = client.post("/sign-in", data=data).headers["Set-Cookie"]
    assert plain.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"):
        assert part in plain
    assert "Secure" not in plain and "Domain" not in plain
    secure = client.post("/sign-in", data=data, base_url="https://localhost").headers["Set-Cookie"]
    assert secure.startswith(f"__Host-{COOKIE}=") and "Secure" in secure and "Path=/" in secure


def test_over_tls_the_cookie_of_the_clear_lets_nobody_in(client: FlaskClient) -> None:
    sign_in(client)
    assert client.get("/portfolio").status_code == 200
    assert client.get("/portfolio", base_url="https://localhost").status_code == 302


def test_no_other_site_signs_anybody_in_or_out(client: FlaskClient) -> None:
    sign_in(client)
    sites = {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}
    for headers in sites:
        for path in ("/sign-in", "/sign-in/link", "/sign-out", "/account/password", "/account/sessions"):
            answer = client.post(path, data={"name": "admin", "password": PASSWORD}, headers=headers)
            assert answer.status_code == 403 and "Set-Cookie" not in answer.headers, (headers, path)
    assert client.get("/account").status_code == 200


def test_a_link_is_spent_by_choosing_a_password_and_by_nothing_else(client: FlaskClient, stores: Stores) -> None:
    link = reset(stores.state, "ana", "admin", stores.clock.now())
    for method in ("GET", "HEAD", "GET"):
        assert client.open(link, method=method).status_code == 200
    chosen = {"key": key_of(link), "password": OTHER, "again": OTHER}
    assert client.post("/sign-in/link", data=chosen | {"again": "another"}).status_code == 400
    assert client.post("/sign-in/link", data=chosen | {"password": "short", "again": "short"}).status_code == 400
    answer = client.post("/sign-in/link", data=chosen)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert client.get("/account").status_code == 200
    assert client.post("/sign-in/link", data=chosen).status_code == 410
    assert client.get(link).status_code == 410


def test_what_was_typed_is_escaped_and_no_password_comes_back(client: FlaskClient) -> None:
    data = {"name": "<script>x", "password": "my secret word", "next": '/"><script>'}
    text = client.post("/sign-in", data=data).get_data(as_text=True)
    assert "<script>x" not in text and '"><script>' not in text and "my secret word" not in text
    assert text.count('role="alert"') >= 1


def test_who_guesses_is_told_to_wait(client: FlaskClient) -> None:
    assert [sign_in(client, "ana", "wrong") for _ in range(6)] == [401] * 5 + [429]
    answer = client.post("/sign-in", data={"name": "ana", "password": "x"}, headers={"Accept": "application/json"})
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "15"
    assert answer.get_json()["said"].startswith("Too many attempts failed. Try again in 15 s")
    assert sign_in(client) == 303


def test_an_open_page_is_told_that_the_session_is_over(client: FlaskClient, stores: Stores) -> None:
    sign_in(client)
    assert client.get("/account").status_code == 200
    clock(stores).advance(12 * 3_600)
    assert client.post(REFRESH, json={}).status_code == 401
    assert client.get("/_dash-layout").status_code == 401
    data = {"name": "admin", "password": PASSWORD}
    answer = client.post("/sign-in", data=data, headers={"Accept": "application/json"})
    assert answer.get_json() == {"name": "admin", "goto": ""}
    assert client.post(REFRESH, json={}).status_code == 400
    assert client.get("/sign-in", headers={"Accept": "application/json"}).get_json() == {"name": "admin"}


def test_who_is_disabled_is_out_a_moment_later_and_a_role_counts_as_soon(client: FlaskClient, stores: Stores) -> None:
    link = reset(stores.state, "ana", "admin", stores.clock.now())
    client.post("/sign-in/link", data={"key": key_of(link), "password": OTHER, "again": OTHER})
    assert "viewer" in client.get("/account").get_data(as_text=True)
    set_role(stores.state, "ana", Role.OPERATOR, "admin", stores.clock.now())
    clock(stores).advance(KNOWN_SECONDS)
    assert "operator" in client.get("/account").get_data(as_text=True)
    disable(stores.state, "ana", "admin", stores.clock.now())
    clock(stores).advance(KNOWN_SECONDS)
    assert client.get("/account").status_code == 303
    assert client.post(REFRESH, json={}).status_code == 401


def test_the_account_page_ends_sessions_and_changes_the_password(client: FlaskClient, stores: Stores) -> None:
    sign_in(client)
    other: FlaskClient = client.application.test_client()
    sign_in(other)
    (digest,) = re.findall(r'name="session" value="(\w+)"', client.get("/account").get_data(as_text=True))
    assert client.post("/account/sessions", data={"session": digest}).status_code == 303
    clock(stores).advance(KNOWN_SECONDS)
    assert other.get("/account").status_code == 303 and client.get("/account").status_code == 200
    wrong = client.post("/account/password", data={"old": "x", "password": OTHER, "again": OTHER})
    assert wrong.status_code == 400 and "This is not your password" in wrong.get_data(as_text=True)
    changed = client.post("/account/password", data={"old": PASSWORD, "password": OTHER, "again": OTHER})
    assert changed.status_code == 303 and client.get("/account").status_code == 200
    assert client.post("/account/sessions").headers["Location"] == "/sign-in"
    clock(stores).advance(KNOWN_SECONDS)
    assert client.get("/account").status_code == 303
    assert (sign_in(client, password=PASSWORD), sign_in(client, password=OTHER)) == (401, 303)


def open_client(stores: Stores) -> FlaskClient:
    settings = stores.settings.model_copy(update={"sign_in": "loopback-open"})
    client: FlaskClient = create_app(replace(stores, settings=settings), PAGES).server.test_client()
    return client


def test_where_this_machine_is_open_it_may_look_and_change_nothing(stores: Stores) -> None:
    client = open_client(stores)
    page = client.get("/portfolio?window=1y").get_data(as_text=True)
    assert "Open on this machine without a sign-in" in page and 'href="/sign-in?next=/portfolio' in page
    assert client.get("/account").status_code == 303
    assert client.post("/import/look?file=a.csv", data=b"x").status_code == 403
    for headers in (
        {"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"X-Real-IP": "203.0.113.9"},
        {"Via": "1.1 proxy"}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Server": "proxy"},
    ):  # fmt: skip
        assert client.get("/portfolio", headers=headers).status_code == 302, headers
    assert client.get("/portfolio", environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 302


def test_a_proxy_that_says_nothing_of_itself_opens_nothing(stores: Stores) -> None:
    named = replace(stores, settings=stores.settings.model_copy(update={"allowed_hosts": ("fund.example",)}))
    client = open_client(named)
    own = {"Host": "127.0.0.1:8050"}
    for headers, environ in (
        (own, {"SERVER_PROTOCOL": "HTTP/1.0"}),
        ({"Host": "fund.example"}, {}),
        ({**own, "Referer": "http://fund.example/portfolio"}, {}),
        ({**own, "Referer": "http://fund.example/portfolio", "Sec-Fetch-Site": "same-origin"}, {}),
        ({**own, "Origin": "http://[fund"}, {}),
    ):
        answer = client.get("/portfolio", headers=headers, environ_overrides=environ)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/portfolio"), headers
    for headers in (
        own, {"Host": "[::1]:8050", "Referer": "http://[::1]:8050/portfolio"}, {"Host": "localhost"},
        {**own, "Referer": "https://wiki.example/links", "Sec-Fetch-Site": "cross-site"},
    ):  # fmt: skip
        assert client.get("/portfolio", headers=headers).status_code == 200, headers


def test_who_signs_in_where_this_machine_is_open_is_more_than_a_reader(client: FlaskClient, stores: Stores) -> None:
    browser = open_client(stores)
    sign_in(browser)
    page = browser.get("/portfolio").get_data(as_text=True)
    assert "without a sign-in" not in page and 'name="fundwatch-account" content="admin"' in page


def test_a_mistyped_code_leaves_the_set_up_as_it_was(client: FlaskClient, stores: Stores) -> None:
    sign_in(client)
    shown = client.post("/account/second-factor", data={"old": PASSWORD}).get_data(as_text=True)
    (secret,) = re.findall(r"<code>([A-Z2-7]{32})</code>", shown)
    for _ in range(4):
        answer = client.post("/account/second-factor/confirm", data={"code": "12"})
        again = answer.get_data(as_text=True)
        assert answer.status_code == 400 and secret in again and "<svg" in again and "not the code" in again
    done = client.post("/account/second-factor/confirm", data={"code": pyotp.TOTP(secret).at(stores.clock.now())})
    assert "recovery codes" in done.get_data(as_text=True)


def test_after_five_wrong_codes_the_set_up_starts_anew(client: FlaskClient, stores: Stores) -> None:
    sign_in(client)
    client.post("/account/second-factor", data={"old": PASSWORD})
    for _ in range(5):
        answer = client.post("/account/second-factor/confirm", data={"code": "12"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "start anew" in text and "Your account" in text and "<svg" not in text


def test_a_role_that_needs_a_second_factor_gets_nowhere_without(client: FlaskClient, stores: Stores) -> None:
    settings = stores.settings.model_copy(update={"second_factor_roles": ("admin",)})
    strict: FlaskClient = create_app(replace(stores, settings=settings), PAGES).server.test_client()
    answer = strict.post("/sign-in", data={"name": "admin", "password": PASSWORD, "next": "/portfolio"})
    assert answer.headers["Location"] == "/account"
    assert "needs one" in strict.get("/account").get_data(as_text=True)
    assert strict.get("/portfolio").status_code == 302
    assert strict.post(REFRESH, json={}).status_code == 401


def test_a_database_that_is_away_lets_nobody_in(client: FlaskClient, stores: Stores) -> None:
    sign_in(client)
    clock(stores).advance(KNOWN_SECONDS)
    stores.state.close()
    assert stores.state.file is not None
    stores.state.file.rename(stores.state.file.with_name("away"))
    stores.state.file.mkdir()
    told = [
        client.get("/portfolio"), client.get("/api/v1/status"), client.get("/link?key=abc"),
        client.post("/sign-in", data={"name": "admin", "password": PASSWORD}),
    ]  # fmt: skip
    for answer in told:
        said = answer.get_data(as_text=True)
        assert answer.status_code == 503 and "The state database does not answer." in said
        assert stores.state.file.name not in said and "unable" not in said and "sqlite" not in said.lower()
    assert "cannot be looked up" in told[0].get_data(as_text=True)


def focused(page: str) -> list[str]:
    """The fields that a page opens at, with what is told beside them."""
    return re.findall(r'name="(\w+)"[^>]* autofocus.*?role="alert">([^<]*)<', page)


def test_a_refused_form_of_the_account_opens_at_what_is_wrong(client: FlaskClient) -> None:
    sign_in(client)
    new = {"password": OTHER, "again": OTHER}
    told = [
        focused(client.post(f"/account/{path}", data=data).get_data(as_text=True))
        for path, data in (
            ("password", {"old": "wrong", **new}),
            ("password", {"old": PASSWORD, **new, "again": "x"}),
            ("password", {"old": PASSWORD, "password": "short", "again": "short"}),
            ("second-factor", {"old": "wrong"}),
        )
    ]
    assert [[name for name, _ in each] for each in told] == [["old"], ["again"], ["password"], ["old"]]
    assert all(sentence for each in told for _, sentence in each)
    assert focused(client.get("/account").get_data(as_text=True)) == []


def test_a_link_that_does_not_work_leads_to_the_sign_in(client: FlaskClient) -> None:
    answer = client.get("/sign-in/link?key=used")
    assert answer.status_code == 410 and 'href="/sign-in"' in answer.get_data(as_text=True)
