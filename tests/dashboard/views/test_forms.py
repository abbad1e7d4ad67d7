"""What a page posts: who may, how much, in what shape, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Request
from flask.testing import FlaskClient

from access.viewer import Viewer
from core.errors import StorageUnavailable
from core.roles import Role
from dashboard.components.form import form, hidden, select_field, text_field, tick
from dashboard.components.markup import markup
from dashboard.views.form import Form, Said, Sent
from tests.support.application import create_app
from tests.support.frame import DEMO, FakeStores

ANA, BEN = Viewer("ana", Role.OPERATOR), Viewer("ben", Role.VIEWER)
NAME = "/demo/name"
TOO_LOW = (
    "Only operators and admins change anything on the page Demo. An admin can give you the role, on the page Users."
)
FILE = "/demo/file"


def by_header(request: Request) -> Viewer | None:
    return {"ana": ANA, "ben": BEN}.get(request.headers.get("X-Who", "ana"))


@pytest.fixture
def taken() -> list[Sent]:
    return []


@pytest.fixture
def client(taken: list[Sent]) -> FlaskClient:
    def name(sent: Sent, viewer: Viewer) -> Said:
        if sent["name"] == "away":
            raise StorageUnavailable("gone")
        if sent["name"] == "broken":
            raise RuntimeError("secret")
        if not sent["name"]:
            return Said("Not named.", is_done=False, fields={"name": "Give it a name."})
        taken.append(sent)
        return Said(f"Named {sent['name']} by {viewer.name}.")

    def file(sent: Sent, _viewer: Viewer) -> Said:
        taken.append(sent)
        return Said(f"{sent.file_name}: {len(sent.content)} bytes.")

    def forms(_stores: Any) -> list[Form]:
        return [
            Form(NAME, name, Role.OPERATOR, most_bytes=100),
            Form(FILE, file, Role.VIEWER, most_bytes=1_000, takes_file=True),
        ]

    server = create_app(FakeStores(), [replace(DEMO, forms=forms)], by_header).server  # type: ignore[arg-type]
    client: FlaskClient = server.test_client()
    return client


def test_a_form_is_done_and_says_so(client: FlaskClient, taken: list[Sent]) -> None:
    answer = client.post(NAME, json={"name": "  Alpha "})
    assert answer.status_code == 200
    assert answer.json["said"] == "Named Alpha by ana." and answer.json["done"] is True  # type: ignore[index]
    assert taken == [Sent({"name": "Alpha"})]


def test_what_is_wrong_with_a_field_is_named(client: FlaskClient, taken: list[Sent]) -> None:
    answer = client.post(NAME, json={})
    assert answer.status_code == 200
    assert (answer.json["done"], answer.json["fields"]) == (False, {"name": "Give it a name."})  # type: ignore[index]
    assert taken == []


def test_a_file_comes_whole_with_its_name_and_fields(client: FlaskClient, taken: list[Sent]) -> None:
    client.post(f"{FILE}?kind=nav&file=a%20b.csv", data=b"\x00\xff\n")
    assert taken == [Sent({"kind": "nav"}, "a b.csv", b"\x00\xff\n")]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"json": {"name": "x" * 200}}, 413, "Too large: 100 B at most."),
        ({"data": b"name=x"}, 400, "Not understood: the fields of a form were expected."),
        ({"json": ["name"]}, 400, "Not understood: the fields of a form were expected."),
        ({"json": {"name": {"a": 1}}}, 400, "Not understood: the fields of a form were expected."),
        ({"json": {"name": "away"}}, 503, "Storage does not answer: gone"),
        ({"json": {"name": "broken"}}, 500, "Not done: Fundwatch failed at it; its log says why."),
        ({"json": {"name": "x"}, "headers": {"X-Who": "ben"}}, 403, TOO_LOW),
    ],
)
def test_what_is_refused_is_told_and_changes_nothing(
    client: FlaskClient, taken: list[Sent], sent: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post(NAME, **sent)
    assert (answer.status_code, answer.json["said"], answer.json["done"]) == (status, said, False)  # type: ignore[index]
    assert taken == []


def test_a_body_without_a_length_is_held_to_the_limit_too(client: FlaskClient, taken: list[Sent]) -> None:
    from io import BytesIO

    endless = {"wsgi.input": BytesIO(b"x" * 5_000), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = client.post(FILE, environ_overrides=endless)
    assert (answer.status_code, taken) == (413, [])


def test_another_site_posts_nothing(client: FlaskClient, taken: list[Sent]) -> None:
    answer = client.post(NAME, json={"name": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, taken) == (403, [])


def test_a_form_is_drawn_with_labels_hints_and_what_was_chosen_and_escapes_what_people_wrote() -> None:
    drawn = markup(
        form(
            NAME,
            hidden("id", "1"),
            text_field("f", "name", "Name", '"><script>', hint="What it is called."),
            select_field("f", "kind", "Kind", [("a", "A"), ("b", "B")], "b"),
            tick("f", "sure", "I am sure", is_ticked=True),
            id="f",
            does="Rename",
        )
    )
    assert "<script>" not in drawn
    assert '<label for="f-name" class="fw-field-label">Name</label>' in drawn.replace(
        '<label class="fw-field-label" for="f-name">', '<label for="f-name" class="fw-field-label">'
    )
    assert 'aria-describedby="f-name-hint"' in drawn and "What it is called." in drawn
    assert drawn.count(" selected") == 1 and ' checked="checked"' in drawn
