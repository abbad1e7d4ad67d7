"""Scripts and styles: small, cached for a year, whole."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import brotli
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from dashboard.frame import compress, static
from dashboard.frame.bundle import ASSETS
from dashboard.tabs import TABS
from tests.support.application import create_app
from tests.support.frame import DEMO, FakeStores

SCRIPT = b"console.log('fundwatch');\n" * 200


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    server = Flask("static-test", static_folder=None)
    static.install(server, tmp_path)

    @server.get("/assets/a.js")
    def script() -> Response:
        return Response(SCRIPT, mimetype="text/javascript")

    return server.test_client()


@pytest.mark.parametrize("precompressed", [True, False])
@pytest.mark.parametrize(("accepts", "unpack"), [("gzip, br", brotli.decompress), ("gzip", gzip.decompress)])
def test_the_same_bytes_arrive_smaller(
    client: FlaskClient, tmp_path: Path, precompressed: bool, accepts: str, unpack: object
) -> None:
    if precompressed:
        source = tmp_path / "a.js"
        source.write_bytes(SCRIPT)
        assert static.precompress([source.read_bytes()], tmp_path) == 1
        assert static.precompress([source.read_bytes()], tmp_path) == 0
    for _ in range(2):
        answer = client.get("/assets/a.js?m=1", headers={"Accept-Encoding": accepts})
        assert len(answer.data) < len(SCRIPT) / 10
        assert unpack(answer.data) == SCRIPT  # type: ignore[operator]
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_browser_that_takes_no_compression_gets_the_plain_file(client: FlaskClient) -> None:
    for _ in range(2):
        answer = client.get("/assets/a.js", headers={"Accept-Encoding": "identity"})
        assert answer.data == SCRIPT
        assert "Content-Encoding" not in answer.headers


def test_without_a_fingerprint_the_browser_asks_again_and_is_told_not_modified(client: FlaskClient) -> None:
    first = client.get("/assets/a.js", headers={"Accept-Encoding": "br"})
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/assets/a.js", headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_script_and_style_of_the_page_is_served_fingerprinted_and_not_too_much() -> None:
    client = create_app(FakeStores(), (DEMO,)).server.test_client()  # type: ignore[arg-type]
    page = client.get("/demo").get_data(as_text=True)
    urls = set(re.findall(r'(?:src|href)="(/(?:assets|_dash-component-suites|bootstrap)[^"]+)"', page))
    assert any("plotly.min.js" in url for url in urls)
    for url in urls:
        answer = client.get(url, headers={"Accept-Encoding": "br"})
        assert answer.status_code == 200, url
        assert "immutable" in answer.headers["Cache-Control"], url


def test_everything_a_page_loads_is_precompressed_at_install() -> None:
    names = {file.name for file in static.page_files()}
    assert {
        "plotly.min.js",
        "dash_renderer.min.js",
        "bootstrap.min.css",
    } <= names
    assert "theme.js" in names


def test_our_own_scripts_and_styles_are_two_files_of_everything() -> None:
    client = create_app(FakeStores(), (DEMO,)).server.test_client()  # type: ignore[arg-type]
    page = client.get("/demo").get_data(as_text=True)
    own = re.findall(r'(?:src|href)="(/assets/(?!boot/)[^"]+)"', page)
    bodies = {url: client.get(url).get_data(as_text=True) for url in own}
    assert len(bodies) == 2
    for file in (*(ASSETS / "js").glob("*.js"), *(ASSETS / "css").glob("*.css")):
        assert sum(file.read_text() in body for body in bodies.values()) == 1, file


def test_the_scripts_answer_at_once_after_every_start() -> None:
    for _ in range(3):
        client = create_app(FakeStores(), (replace(DEMO, key="0"), *TABS)).server.test_client()  # type: ignore[arg-type]
        page = client.get("/demo").get_data(as_text=True)
        for url in re.findall(r'<script src="([^"]+)"', page):
            assert client.get(url).status_code == 200, url


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies"])
def test_the_frame_of_the_page_is_asked_after_and_not_sent_again(path: str) -> None:
    client = create_app(FakeStores(), (replace(DEMO, key="0"), *TABS)).server.test_client()  # type: ignore[arg-type]
    first = client.get(path, headers={"Accept-Encoding": "br"})
    assert first.status_code == 200 and len(first.data) > 500
    again = client.get(path, headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = create_app(FakeStores(), (DEMO,)).server.test_client()  # type: ignore[arg-type]
    changed = other.get(path, headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200, "another start may have other pages"


def test_what_is_asked_for_again_is_sent_smaller() -> None:
    server = Flask("compress-test", static_folder=None)
    compress.install(server)
    text = json.dumps(
        [f"panel {number} of {number * number % 97} says {number * 7919 % 1009}" for number in range(400)]
    )
    server.add_url_rule("/view", "view", lambda: Response(text, mimetype="application/json"))
    first, second, third = (server.test_client().get("/view", headers={"Accept-Encoding": "br"}).data for _ in range(3))
    assert len(third) == len(second) < len(first)
    assert {brotli.decompress(each).decode() for each in (first, second, third)} == {text}
