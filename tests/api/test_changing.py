"""What is sent to the API: who may, what is said to be wrong with a body, and what the audit and the document say."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel, Field

import api
from access.audit import record
from access.tokens import Scope, make_token
from access.viewer import Viewer
from api.body import MOST_BYTES, Body
from api.models import Answered
from api.operation import ADMIN as FOR_ADMINS
from api.operation import Ask, Operation
from api.parameters import Parameters
from api.problem import none_of
from core.errors import ChangeRejected
from core.roles import Role
from dashboard.factory import create_app
from storage.state.audit import read_entries
from storage.stores import Stores
from tests.api.test_document import ask_for_all_of
from tests.support.api import ADMIN, READER
from tests.support.frame import DEMO

TAG = "Shelves"
ADDRESS = "/api/v1/shelves"
ROOT = Viewer("root", Role.ADMIN)
LIMITED_ADMIN = Viewer("lee", Role.ADMIN, portfolios=frozenset({"beta"}))


class Board(BaseModel):
    model_config = Body.model_config

    width_metres: float = Field(gt=0, description="From side to side.")


class NewShelf(Body):
    name: str = Field(min_length=1, max_length=20, pattern="^[a-z]+$", description="What it is called.")
    kind: Literal["wood", "steel"] = Field("wood", description="What it is made of.")
    boards: list[Board] = Field(default_factory=list, max_length=3, description="From the top.")


class NoShelf(Body):
    name: str = Field(max_length=20, description="Its name, by who means it.")


class Shelf(Answered):
    name: str
    kind: str
    boards: int


def operations(shelves: dict[str, NewShelf]) -> tuple[Operation, ...]:
    def told(ask: Ask[Parameters], name: str) -> Shelf:
        found = shelves.get(name)
        if found is None:
            raise none_of("name", name, shelves, status=404, noun="shelf")
        return Shelf(name=name, kind=found.kind, boards=len(found.boards))

    def get(ask: Ask[Parameters]) -> Shelf:
        return told(ask, ask.parts["name"])

    def put(ask: Ask[Parameters]) -> Shelf:
        sent = ask.sent(NewShelf)
        if sent.name == "full":
            raise ChangeRejected("No shelf was added.", {"name": "give another one"})
        shelves[sent.name] = sent
        record(ask.stores.state, who=ask.viewer.name, what="shelf added", target=sent.name, at=ask.now)
        return told(ask, sent.name)

    def remove(ask: Ask[Parameters]) -> Shelf:
        found = told(ask, ask.parts["name"])
        if ask.sent(NoShelf).name != found.name:
            raise ChangeRejected("It stays.", {"name": f"type its name, {found.name}"})
        del shelves[found.name]
        return found

    named = {"name": "Of a shelf."}
    return (
        Operation(path="/shelves/{name}", summary="A shelf.", answer=get, model=Shelf, tag=TAG, parts=named),
        Operation(path="/shelves/{name}/boards", summary="Of a shelf.", answer=get, model=Shelf, tag=TAG, parts=named),
        Operation(
            path="/shelves", summary="A new shelf.", answer=put, model=Shelf, tag=TAG, method="POST", body=NewShelf,
            status=201, role=Role.ADMIN, scope=FOR_ADMINS,
        ),
        Operation(
            path="/shelves/{name}", summary="A shelf goes.", answer=remove, model=Shelf, tag=TAG, method="DELETE",
            body=NoShelf, role=Role.ADMIN, scope=FOR_ADMINS, is_shared=True, parts=named,
        ),
    )  # fmt: skip


class Room:
    """Shelves, and who stands before them."""

    def __init__(self, stores: Stores, viewer: Viewer | None) -> None:
        self.shelves: dict[str, NewShelf] = {}
        self.stores = stores
        mounts = [lambda server, stores: api.install(server, stores, operations(self.shelves))]
        # None: by session and token, as the product has it.
        find = (lambda _request: viewer) if viewer is not None else None
        self.server = create_app(stores, pages=(DEMO,), find_viewer=find, mounts=mounts).server
        self.client: FlaskClient = self.server.test_client()

    def problem(self, status: int, **sent: Any) -> dict[str, Any]:
        answer = self.client.post(ADDRESS, **sent)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
        assert not self.shelves, "what is refused changes nothing"
        found: dict[str, Any] = answer.json
        return found


def test_what_is_done_is_answered_with_the_resource_and_stands_in_the_audit_with_its_address(stores: Stores) -> None:
    room = Room(stores, ADMIN)
    sent = {"name": "long", "boards": [{"width_metres": 2}]}
    answer = room.client.post(ADDRESS, json=sent, environ_base={"REMOTE_ADDR": "127.0.0.9"})
    assert (answer.status_code, answer.json) == (201, {"name": "long", "kind": "wood", "boards": 1})
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
    (entry, *_) = read_entries(stores.state)
    assert (entry.who, entry.what, entry.target, entry.address) == ("root", "shelf added", "long", "127.0.0.9")
    wrong = room.client.delete(f"{ADDRESS}/long", json={"name": "short"})
    assert (wrong.status_code, wrong.json["field"], wrong.json["fix"]) == (422, "name", "name: type its name, long")
    assert room.client.delete(f"{ADDRESS}/long", json={"name": "long"}).json["name"] == "long"
    assert room.client.get(f"{ADDRESS}/long").status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({}, "name", "required"),
        ({"name": ""}, "name", "at least 1"),
        ({"name": 5}, "name", "string"),
        ({"name": "a", "kind": "gold"}, "kind", "steel"),
        ({"name": "a", "knd": "wood"}, "knd", "Did you mean kind?"),
        ({"name": "a", "boards": [{"width_metres": 1}, {"width_metres": 0}]}, "boards.1.width_metres", "greater than"),
        ({"name": "a", "boards": [{"width_metres": 1, "deep": 2}]}, "boards.0.deep", "Leave it out"),
        ({"name": "a", "boards": [{"width_metres": float("nan")}]}, "boards.0.width_metres", "finite"),
        ([], "", "object"),
        ({"name": "full"}, "name", "give another one"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_the_name_of_the_field(
    stores: Stores, body: Any, field: str, told: str
) -> None:
    said = Room(stores, ADMIN).problem(422, json=body)
    assert said["field"] == field and told.lower() in " ".join([said["detail"], said["fix"], *said["allowed"]]).lower()


def test_what_is_no_json_too_large_or_has_parameters_is_refused(stores: Stores) -> None:
    room = Room(stores, ADMIN)
    assert "JSON" in room.problem(400, data=b'{"name": ', content_type="application/json")["detail"]
    assert room.problem(400, data=b"\xff\xfe", content_type="application/json")["fix"]
    for no_object in (b"[]", b"null"):
        told = room.problem(422, data=no_object, content_type="application/json")
        assert "object" in told["detail"] and not told["fix"], told
    assert room.problem(415, data={"name": "a"})["field"] == "Content-Type"
    large = b'{"name": "' + b"a" * MOST_BYTES + b'"}'
    assert "64" in room.problem(413, data=large, content_type="application/json")["fix"]
    assert room.problem(422, json={"name": "a"}, query_string={"dry": "1"})["field"] == "dry"
    assert room.problem(406, json={"name": "a"}, headers={"Accept": "text/csv"})["field"] == "Accept"


def test_who_may_not_is_refused_whatever_he_sends(stores: Stores) -> None:
    assert "do this" in Room(stores, READER).problem(403, json={"name": "a"})["detail"]
    limited = Room(stores, LIMITED_ADMIN)
    limited.shelves["long"] = NewShelf(name="long")
    assert limited.client.delete(f"{ADDRESS}/long", json={"name": "long"}).status_code == 403
    assert list(limited.shelves) == ["long"]


def test_another_site_is_refused_with_a_cookie_and_a_token_needs_no_such_header(stores: Stores) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert "Cross-site" in Room(stores, ADMIN).problem(403, json={"name": "a"}, headers=elsewhere)["title"]
    room, now = Room(stores, None), stores.clock.now()
    for scope, status in ((Scope.READ, 403), (Scope.ADMIN, 201)):
        _, secret = make_token(stores.state, name="job", account="", scopes=[scope], by=ROOT, now=now)
        headers = {"Authorization": f"Bearer {secret}", **elsewhere}
        answer = room.client.post(ADDRESS, json={"name": "a"}, headers=headers)
        assert answer.status_code == status, answer.text
    assert (entry := read_entries(stores.state)[0]).who == "service:job" and entry.what == "shelf added"
    assert room.client.post(ADDRESS, json={"name": "b"}).status_code == 401


def test_a_method_that_is_not_offered_names_those_that_are(stores: Stores) -> None:
    room = Room(stores, ADMIN)
    for path, method, allowed in (
        (ADDRESS, "GET", "POST"),
        (f"{ADDRESS}/long", "PATCH", "GET, HEAD, DELETE"),
        (f"{ADDRESS}/long/boards", "DELETE", "GET, HEAD"),
    ):
        answer = room.client.open(path, method=method, json={"name": "long"})
        assert (answer.status_code, answer.headers.get("Allow")) == (405, allowed), path


def test_the_document_and_the_page_tell_of_bodies(stores: Stores) -> None:
    client = Room(stores, ADMIN).client
    document = client.get("/api/v1/openapi.json").json
    post = document["paths"]["/shelves"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/NewShelf"}
    assert {"201", "400", "403", "413", "415", "422"} <= set(post["responses"]) and "304" not in post["responses"]
    assert document["components"]["schemas"]["NewShelf"]["required"] == ["name"]
    assert "some portfolios" in document["paths"]["/shelves/{name}"]["delete"]["description"]
    html = client.get("/api/docs").text
    assert "POST /api/v1/shelves" in html and "DELETE /api/v1/shelves/{name}" in html and 'href="#NewShelf"' in html


@pytest.mark.parametrize("viewer", [READER, ADMIN], ids=lambda viewer: viewer.name)
def test_whatever_is_sent_is_answered_as_the_document_says(stores: Stores, viewer: Viewer) -> None:
    assert ask_for_all_of(Room(stores, viewer).server) > 20
