"""The door, asked over every route."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.tabs import cache
from tests.support.application import create_app
from tests.support.frame import DEMO, PLAIN, FakeStores
from tests.support.requests import opening

REFRESH = "/_dash-update-component"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    app = create_app(FakeStores(), (DEMO, cache.TAB, PLAIN))  # type: ignore[arg-type]
    client: FlaskClient = app.server.test_client()
    return client


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "127.0.0.1.evil.example", "[::2]", "local host", "["]
)
@pytest.mark.parametrize("path", ["/demo", "/healthz", "/_dash-layout", "/assets/js/00-core.js"])
def test_a_foreign_name_is_refused_everywhere(client: FlaskClient, host: str, path: str) -> None:
    assert client.get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "localhost:8050", "127.0.0.1:9", "[::1]:8050", "LOCALHOST"])
def test_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1", "Host": "localhost:8050"},
    ],
)
def test_cross_site_posts_are_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post(REFRESH, json={}, headers=headers).status_code == 403


def test_own_posts_pass_the_guard(client: FlaskClient) -> None:
    answer = client.post(REFRESH, json=opening("/alerts"), headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert "A plain page" in answer.get_data(as_text=True)


def test_a_browser_that_came_over_tls_keeps_to_it(client: FlaskClient) -> None:
    secured = client.get("/healthz", base_url="https://localhost")
    assert secured.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


def test_who_has_not_signed_in_sees_nothing_but_health_and_files(client: FlaskClient) -> None:
    place = {"REMOTE_ADDR": "192.168.1.20"}  # nobody, to these tests
    for path in ("/", "/demo", "/nowhere"):
        answer = client.get(path, environ_base=place)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in"), path
    for path in ("/_dash-layout", "/_dash-dependencies"):
        assert client.get(path, environ_base=place).status_code == 401, path
    assert client.post(REFRESH, json={}, environ_base=place).status_code == 401
    assert client.get("/healthz", environ_base=place).status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/demo/", "/demo/x", "/_mcp", "/static/x.js", "/<script>"])
def test_unknown_pages_say_so_with_404(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert 'href="/demo"' in answer.get_data(as_text=True)


def test_a_path_in_a_refusal_is_escaped(client: FlaskClient) -> None:
    assert "<img" not in client.get("/<img src=x onerror=alert(1)>").get_data(as_text=True)


def test_every_answer_carries_the_headers(client: FlaskClient) -> None:
    for path in ("/demo", "/nowhere", "/healthz", "/_dash-layout", "/assets/js/00-core.js"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/demo", "/nowhere"])
def test_pages_run_only_their_own_scripts(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in script
    assert headers["X-Frame-Options"] == "DENY"


def test_what_a_script_fetches_is_no_page_and_may_do_nothing(client: FlaskClient) -> None:
    fetched = client.get("/demo", headers={"Sec-Fetch-Dest": "empty"}).headers
    assert fetched["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert fetched["X-Content-Type-Options"] == "nosniff"
    for opened in ("document", "iframe", "object"):
        assert (
            "script-src" in client.get("/demo", headers={"Sec-Fetch-Dest": opened}).headers["Content-Security-Policy"]
        )


@pytest.mark.parametrize("path", ["/demo", "/_dash-layout", "/_dash-dependencies", "/healthz"])
def test_what_is_made_on_request_is_not_kept(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_the_page_tells_no_versions(client: FlaskClient) -> None:
    page = client.get("/demo").get_data(as_text=True)
    assert "dash_version" not in page
    assert "python_version" not in page


def test_nothing_comes_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/demo").get_data(as_text=True)
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_the_root_leads_to_the_first_tab(client: FlaskClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/demo")


def test_every_rule_is_behind_the_guard(client: FlaskClient) -> None:
    for rule in client.application.url_map.iter_rules():
        path = rule.rule.replace("<path:", "").replace("<string:", "").replace("<", "").replace(">", "")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        assert client.open(path, method=method, headers={"Host": "evil.example"}).status_code == 400, rule.rule
