"""Channels by the API: made, changed, switched and deleted by administrators alone; a secret goes in and never out."""

from __future__ import annotations

from typing import Any

from access.viewer import Viewer
from core.alerts.kept import STATE_DATABASE
from core.roles import Role
from portfolio.channel_set import channel_set
from storage.stores import Stores
from tests.support.api import ADMIN, client_of

CHANNELS, SECRET = "/api/v1/channels", "hush-hush-hush"
OPERATOR, LIMITED = Viewer("otto", Role.OPERATOR), Viewer("lee", Role.ADMIN, portfolios=frozenset({"beta"}))
MAIL = {"host": "smtp.fund.example", "user": "f", "password": SECRET, "sender": "f@fund.example",
        "to": ["desk@fund.example"]}  # fmt: skip


def test_a_channel_is_made_changed_switched_and_deleted_and_its_secret_never_told(stores: Stores) -> None:
    answers: list[str] = []

    def send(method: str, path: str, status: int, viewer: Viewer = ADMIN, **body: Any) -> dict[str, Any]:
        answer = client_of(stores, viewer).open(f"{CHANNELS}{path}", method=method, json=body or None)
        assert answer.status_code == status, answer.text
        answers.append(answer.text)
        found: dict[str, Any] = answer.json
        return found

    new = {"name": "mail", "kind": "email", "settings": MAIL}
    made = send("POST", "", 201, **new, labels={"portfolio": "macro.*"})
    assert (made["file"], made["on"], made["version"], made["changed_by"]) == (STATE_DATABASE, True, 1, "root")
    assert made["severities"] == ["warning", "critical", "urgent"] and made["labels"] == {"portfolio": "macro.*"}
    assert "root made a channel mail" in send("POST", "", 422, **new)["fix"]
    kept = {**MAIL, "password": "", "to": ["other@fund.example"]}
    changed = send("PUT", "/mail", 200, **new | {"settings": kept}, severities=["urgent"], version=1)
    assert (changed["version"], changed["severities"]) == (2, ["urgent"])
    (mine,) = channel_set(stores).own
    assert mine.channel is not None and [*mine.channel.secrets()] == [SECRET]
    moved = send("PUT", "/mail", 422, **new | {"settings": {**kept, "host": "elsewhere.example"}}, version=2)
    assert moved["field"] == "password"
    assert send("PUT", "/mail", 422, **new | {"settings": {**MAIL, "hots": SECRET}}, version=2)["field"] == "hots"
    assert send("PUT", "/mail", 422, **new | {"settings": {**MAIL, "to": SECRET}}, version=2)["field"] == "to"
    assert send("POST", "/mail/switch", 200, on=False)["on"] is False
    assert send("POST", "/mail/test", 422)["field"] == "name", "it is off"
    assert send("POST", "/log/switch", 422, on=False)["fix"].endswith("log is always there")
    for viewer in (OPERATOR, LIMITED):
        send("POST", "", 403, viewer, **new | {"name": "second"})
        send("DELETE", "/mail", 403, viewer)
    assert any(each["name"] == "mail" for each in send("GET", "", 200, OPERATOR)["items"])
    send("DELETE", "/mail", 200)
    send("DELETE", "/mail", 404)
    assert channel_set(stores).own == () and SECRET not in "".join(answers)
