"""Channels made on a page: an alert reaches them without a restart, and their secrets come out nowhere."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
import yaml
from aiosmtpd.controller import Controller
from flask.testing import FlaskClient

from access.viewer import Viewer
from alerting.quiet import Causes
from alerting.router import Router
from alerting.runner import Runner
from alerting.sender import Sender
from core.clock import FakeClock
from core.roles import Role
from core.settings.channels import Channels
from dashboard.tabs import alert_escalation, alert_history, alert_messages, alerts, audit, channel_editor, tokens
from dashboard.views.tab import Choices
from portfolio.channel_set import channel_set, channels_in_force, routes_in_force
from storage.state.alert_tables import alert_messages as messages
from storage.state.alert_tables import metadata
from storage.state.audit import read_entries
from storage.stores import Stores
from tests.dashboard.tabs.test_alerts import post, shows
from tests.support.api import client_of as api_of
from tests.support.application import create_app
from tests.support.desk import Desk
from tests.support.mailboxes import Mailboxes
from tests.support.receivers import Received, Receiver
from tests.support.servers import free_port

ROOT, OTTO = Viewer("root", Role.ADMIN), Viewer("otto", Role.OPERATOR)
LIMITED = Viewer("lee", Role.ADMIN, portfolios=frozenset({"alpha"}))
PAGES = (
    tokens.TAB,
    alerts.TAB,
    alert_messages.PAGE,
    channel_editor.PAGE,
    alert_escalation.PAGE,
    alert_history.PAGE,
    audit.PAGE,
)
EDIT, SECRET = "/alerts/channels/edit", "hush-hush-hush"
TOLD = {"told_warning": "on", "told_critical": "on", "told_urgent": "on"}
SOON_SECONDS = 30.0
SETTINGS = Channels.model_validate({"webhook": [{"name": "room", "url": f"http://127.0.0.1:9/{SECRET}"}]})


@pytest.fixture
def desk(stores: Stores) -> Iterator[Desk]:
    """A desk whose engine tells and sends by the channels that are in force, as a process does."""
    settings = stores.settings.model_copy(update={"channels": SETTINGS})
    desk = Desk(replace(stores, clock=FakeClock(float(int(time.time()))), settings=settings))
    of = desk.stores
    router = Router(partial(routes_in_force, of), of.clock)

    def deliver(token: int) -> Sender:
        return Sender(
            of.state, partial(channels_in_force, of), of.clock.now, token, machine="m1", address="https://f.x"
        )

    desk.runner = Runner(of, lambda: desk.rules, desk, router, Causes({}), None, deliver)
    yield desk
    desk.runner.stop(10)


def client_of(desk: Desk, viewer: Viewer = ROOT) -> FlaskClient:
    found: FlaskClient = create_app(desk.stores, PAGES, lambda _: viewer).server.test_client()
    return found


def hook(receiver: Receiver, **more: str) -> dict[str, str]:
    return {
        "kind": "webhook", "version": "0", "name": "oms", "url": f"{receiver.url}/in?key={SECRET}",
        "headers": f"X-Desk: {SECRET}-desk", "secret": f"{SECRET}-signs", **TOLD, **more,
    }  # fmt: skip


def soon(desk: Desk, holds: Callable[[], object]) -> None:
    ends = time.monotonic() + SOON_SECONDS
    while not holds():
        assert time.monotonic() < ends, "it did not come about"
        desk.goes_on(times=1)
        time.sleep(0.05)


def rows(desk: Desk, receiver: str) -> list[Any]:
    """Return the messages of a receiver without the test that a new one gets."""
    asked = sa.select(messages).where(messages.c.receiver == receiver, messages.c.about != "test")
    with desk.stores.state.reading() as connection:
        return [*connection.execute(asked)]


def heard(receiver: Receiver) -> list[Received]:
    """Return what a receiver heard without the test that a new channel gets."""
    return [each for each in receiver.received if each.json["about"] != "test"]


def test_an_alert_reaches_channels_that_were_made_while_the_engine_runs(desk: Desk) -> None:
    mailboxes, client = Mailboxes(), client_of(desk)
    server = Controller(mailboxes, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        with Receiver() as oms:
            desk.goes_on(times=2)
            said = post(client, EDIT, **hook(oms))
            assert said["done"] and said["goto"] == "/alerts/messages", said
            mail = {"kind": "email", "name": "mail", "host": "127.0.0.1", "port": str(server.port), "security": "none",
                    "sender": "f@fund.example", "to": "desk@fund.example", **TOLD}  # fmt: skip
            assert post(client, EDIT, **mail)["done"]
            assert post(client, EDIT, **hook(oms, name="other", labels='portfolio=~"macro.*"'))["done"]
            desk.goes_on(seconds=3.0, times=1)
            desk.busy()
            soon(desk, lambda: heard(oms) and len(mailboxes.mail) == 2)
            (got,) = heard(oms)
            assert got.json["subject"].endswith("CPU of host-1 is 93% busy") and got.path.endswith(SECRET)
            assert got.headers["x-desk"] == f"{SECRET}-desk" and "x-fundwatch-signature" in got.headers
            assert "CPU of host-1 is 93% busy" in " ".join(str(each["Subject"]) for each in mailboxes.mail)
            assert rows(desk, "room"), "the channel of the settings is told as before"
            assert not rows(desk, "other"), "it is told of portfolios alone"
            shown = shows(desk, alert_messages.PAGE, ROOT)
            assert "made here, made by root" in shown and "warning, critical, urgent" in shown
            assert "oms" in shows(desk, alert_escalation.PAGE, ROOT)
    finally:
        server.stop()


def test_what_waits_for_a_deleted_channel_goes_to_its_fallback(desk: Desk) -> None:
    client = client_of(desk)
    with Receiver() as phone:
        urgent = {"told_critical": "", "told_warning": ""}
        assert post(client, EDIT, **hook(phone, name="phone", **urgent))["done"]
        dead = {"kind": "webhook", "name": "dead", "url": f"http://127.0.0.1:9/{SECRET}", "fallback": "phone", **TOLD}
        assert post(client, EDIT, **dead)["done"]
        desk.goes_on(seconds=3.0, times=1)
        desk.busy()
        soon(desk, lambda: any(each.status == "retrying" and each.problem for each in rows(desk, "dead")))
        assert re.search(r"\d messages? being tried again", shows(desk, alert_messages.PAGE, ROOT))
        kept = post(client, "/alerts/channels/delete", channel="phone")
        assert not kept["done"] and "is the fallback of dead" in kept["said"]
        assert post(client, "/alerts/channels/delete", channel="dead")["done"]
        soon(desk, lambda: len(heard(phone)) >= 2)
        bodies = [each.json for each in heard(phone)]
        assert any("The channel dead did not deliver this" in each["note"] for each in bodies)
        assert any(
            "The channel dead does not deliver: there is no channel of that name" in each["note"] for each in bodies
        )
        assert {each.status for each in rows(desk, "dead")} == {"failed"}
        assert not post(client, "/alerts/messages/test", channel="dead")["done"]


def test_no_secret_comes_out_anywhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, found = client_of(desk), []
    with Receiver() as oms:
        said = [post(client, EDIT, **hook(oms))]
        said.append(post(client, EDIT, **hook(oms, version="1", url="", headers="X-Desk:", secret="", per_hour="7")))
        assert all(each["done"] for each in said), said
        said.append(post(client, EDIT, **hook(oms, name="two", url=f"gopher://{SECRET}")))
        said.append(post(client, EDIT, **hook(oms, name="three", headers=SECRET)))
        said.append(post(client, EDIT, **hook(oms, name="four", headers=f"Host: {SECRET}")))
        said.append(post(client, EDIT, **hook(oms, name="room")))
        assert not any(each["done"] for each in said[2:]), said
        post(client, "/alerts/messages/test", channel="oms")
        desk.goes_on(seconds=3.0, times=1)
        soon(desk, lambda: oms.received)
        assert oms.received[0].path.endswith(SECRET) and oms.received[0].headers["x-desk"] == f"{SECRET}-desk"
        for page in PAGES:
            for choices in ({}, {"channel": "oms"}, {"kind": "webhook"}):
                assert page.build is not None
                view = page.build(desk.stores, Choices.of(choices), ROOT)
                found.append(str([each.to_plotly_json() if hasattr(each, "to_plotly_json") else each
                                  for each in view.slots.values()]))  # fmt: skip
                found.append(str(view))
        found.append(client.get("/alerts/channels/export.yaml").text)
        api = api_of(desk.stores, ROOT)
        found += [api.get(f"/api/v1/{each}").text for each in ("channels", "channels/oms")]
        found += [api.get(f"/api/v2/{each}").text for each in ("status", "receivers")]
        found += [str(each) for each in read_entries(desk.stores.state)]
        found += [orjson.dumps(said).decode(), caplog.text, repr(channel_set(desk.stores))]
        with desk.stores.state.reading() as connection:
            for table in metadata.sorted_tables:
                if table.name != "alert_channels":
                    found.append(str([*connection.execute(sa.select(table))]))
    assert "oms" in str(found) and "X-Desk" in str(found), "they are looked at where the channel is told of"
    assert SECRET not in "\n".join(found)
    content = yaml.safe_load(client.get("/alerts/channels/export.yaml").text)
    assert content["channels"]["webhook"][0]["url"] == "…" and content["routes"][0]["receivers"] == ["oms"]


def test_a_secret_that_is_left_empty_stays_and_goes_to_no_other_place(desk: Desk) -> None:
    client = client_of(desk)
    mail = {"kind": "email", "name": "mail", "host": "smtp.fund.example", "user": "f", "password": SECRET,
            "sender": "f@fund.example", "to": "a@fund.example, b@fund.example", **TOLD}  # fmt: skip
    assert post(client, EDIT, **mail)["done"]
    kept = {**mail, "version": "1", "password": "", "to": "c@fund.example"}
    moved = post(client, EDIT, **{**kept, "host": "smtp.elsewhere.example"})
    assert not moved["done"] and "host changed" in moved["fields"]["password"]
    assert post(client, EDIT, **kept)["done"]
    (mine,) = channel_set(desk.stores).own
    assert mine.channel is not None and [*mine.channel.secrets()] == [SECRET]
    stale = post(client, EDIT, **kept)
    assert not stale["done"] and "root changed mail meanwhile" in stale["fields"]["name"]
    gone = post(client, EDIT, **{**kept, "version": "2", "user": "", "drop_password": "on"})
    assert gone["done"], gone
    (mine,) = channel_set(desk.stores).own
    assert mine.channel is not None and [*mine.channel.secrets()] == []


WRONG: list[tuple[dict[str, str], str, str]] = [
    ({"url": ""}, "url", "is missing: Where it is posted"),
    ({"url": "ftp://x.example"}, "url", "must be a URL"),
    ({"per_hour": "many"}, "per_hour", "must be a whole number"),
    ({"timeout_seconds": "900"}, "timeout_seconds", "must be 60 or less"),
    ({"template": "[1]"}, "template", "must be a group"),
    ({"name": "two words"}, "name", "1 to 64 letters"),
    ({"name": "log"}, "name", "is always there"),
    ({"name": "room"}, "name", "change it there, or give another name"),
    ({"fallback": "nobody"}, "fallback", "there is no other channel nobody"),
    ({"fallback": "oms"}, "fallback", "there is no other channel oms"),
    ({"labels": "portfolio!=alpha"}, "labels", "only = and =~"),
    ({"labels": 'portfolio=~"("'}, "labels", "is no regular expression"),
    ({"told_warning": "", "told_critical": "", "told_urgent": ""}, "told_info", "choose one at least"),
    ({"kind": "pigeon"}, "kind", "there is none such"),
]


def test_a_mistake_stands_beside_its_field_and_nothing_is_saved(desk: Desk) -> None:
    client = client_of(desk)
    with Receiver() as oms:
        for changes, field, told in WRONG:
            said = post(client, EDIT, **{**hook(oms), **changes})
            assert not said["done"] and told in said["fields"].get(field, ""), (field, said)
            assert SECRET not in str(said)
    assert channel_set(desk.stores).own == ()


def test_who_may_not_change_channels_changes_none(desk: Desk) -> None:
    with Receiver() as oms:
        for viewer in (OTTO, LIMITED):
            assert client_of(desk, viewer).post(EDIT, json=hook(oms)).status_code == 403
        assert post(client_of(desk), EDIT, **hook(oms))["done"]
    for path in ("off", "on", "delete"):
        for viewer in (OTTO, LIMITED):
            assert client_of(desk, viewer).post(f"/alerts/channels/{path}", json={"channel": "oms"}).status_code == 403
    assert client_of(desk, OTTO).get("/alerts/channels/export.yaml").status_code == 403
    assert client_of(desk, LIMITED).get("/alerts/channels/export.yaml").status_code == 404
    assert channel_editor.OF_ALL in shows(desk, channel_editor.PAGE, LIMITED, channel="oms")
    assert [each.kept.is_on for each in channel_set(desk.stores).own] == [True]


def test_a_channel_of_the_settings_counts_before_one_of_its_name_that_was_made_here(desk: Desk) -> None:
    client = client_of(desk)
    with Receiver() as oms:
        assert post(client, EDIT, **hook(oms))["done"]
        again = post(client, EDIT, **hook(oms))
        assert "root made a channel oms" in again["fields"]["name"]
    both = Channels.model_validate({"webhook": [{"name": "oms", "url": "http://127.0.0.1:9/other"}]})
    desk.stores = replace(desk.stores, settings=desk.stores.settings.model_copy(update={"channels": both}))
    assert channel_set(desk.stores).in_force["oms"] == both.every()["oms"]
    assert "left out: the settings have a channel oms" in shows(desk, alert_messages.PAGE, ROOT)
    refused = post(client_of(desk), "/alerts/channels/off", channel="log")
    assert not refused["done"] and "always there" in refused["said"]


def test_what_is_done_stands_in_the_audit(desk: Desk) -> None:
    client = client_of(desk)
    with Receiver() as oms:
        post(client, EDIT, **hook(oms))
    for does in ("off", "on", "delete"):
        assert post(client, f"/alerts/channels/{does}", channel="oms")["done"]
    made, off, on, gone = reversed(read_entries(desk.stores.state)[:4])
    assert [each.what for each in (made, off, on, gone)] == [
        "alert channel made", "alert channel switched off", "alert channel switched on", "alert channel deleted",
    ]  # fmt: skip
    assert made.who == "root" and made.target == "oms" and "given: headers, secret, url" in made.detail


def test_a_fallback_that_is_off_is_told(desk: Desk) -> None:
    client = client_of(desk)
    with Receiver() as oms:
        post(client, EDIT, **hook(oms))
        assert post(client, EDIT, **hook(oms, name="two", fallback="oms"))["done"]
    assert "which is off" not in shows(desk, alert_messages.PAGE, ROOT)
    assert post(client, "/alerts/channels/off", channel="oms")["done"]
    assert "oms, which is off" in shows(desk, alert_messages.PAGE, ROOT)
