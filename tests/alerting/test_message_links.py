"""A mail as a real server takes it, the link in it as a reader opens it, and what the engine makes of that."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.parse import urlsplit

import orjson
import pytest
from aiosmtpd.controller import Controller
from flask.testing import FlaskClient

from alerting.sender import Postman
from core.alerts.links import ACKNOWLEDGE, PATH, Link, read_link, without_links
from core.alerts.plan import Plan
from core.alerts.rule import Rule
from core.clock import FakeClock
from core.errors import LinkRefused
from core.model import Labels
from core.settings.channels import Channel, Channels, Log
from dashboard.tabs import alerts
from storage.state.alert_requests import Ask, Request, ask, requests_of
from storage.state.alerts import link_key_in, newest_token
from storage.state.audit import read_entries
from storage.stores import Stores
from tests.alerting.channels.test_email import channel
from tests.support.application import create_app
from tests.support.desk import Desk
from tests.support.mailboxes import Mailboxes
from tests.support.receivers import Receiver

PUBLIC = "https://fund.example:8443"
DAY = 86_400.0
TOO_MANY = 61


class MailDesk(Desk):
    """Its alerts go to a mailbox."""

    def route(self, rule: Rule, _of: Labels) -> tuple[str, Plan]:
        return rule.name, Plan(receivers=("desk",), wait_seconds=0)


@pytest.fixture
def desk(stores: Stores) -> MailDesk:
    settings = stores.settings.model_copy(update={"public_address": PUBLIC})
    return MailDesk(replace(stores, settings=settings, clock=FakeClock(float(int(time.time())))))


@pytest.fixture
def client(desk: MailDesk) -> FlaskClient:
    """Somebody who has not signed in."""
    found: FlaskClient = create_app(desk.stores, (alerts.TAB,), lambda _: None).server.test_client()
    return found


def postman(desk: Desk, by: Channel, works_seconds: float = DAY) -> Postman:
    with desk.stores.state.reading() as connection:
        token = newest_token(connection)
    return Postman(
        desk.stores.state, {by.name: by}, by, desk.stores.clock.now, token, "m1", PUBLIC, works_seconds
    )  # fmt: skip


def links_of(desk: Desk, mailboxes: Mailboxes, port: int) -> dict[str, str]:
    """Let something fire, and return the paths of the links in the mail of it by their words."""
    desk.busy()  # type: ignore[attr-defined]
    desk.goes_on()
    assert postman(desk, channel(port, timeout_seconds=20)).turn()
    html = mailboxes.mail[-1].get_body(("html",))
    assert html is not None
    found = re.findall(r"<a href='([^']+)' style='[^']+'>(\w+)</a>", html.get_content())
    assert all(address.startswith(f"{PUBLIC}{PATH}") for address, _ in found)
    return {word: urlsplit(address).path for address, word in found}


def post(client: FlaskClient, path: str, lasts: str = "3600") -> tuple[int, str]:
    answer = client.post(path, data={"lasts": lasts}, headers={"Host": "fund.example:8443"})
    return answer.status_code, answer.text


def test_a_link_of_a_mail_acknowledges_only_when_its_button_is_pressed(
    desk: MailDesk, mailboxes: Mailboxes, server: Controller, client: FlaskClient
) -> None:
    paths = links_of(desk, mailboxes, server.port)
    plain = mailboxes.mail[0].get_body(("plain",))
    assert plain is not None and f"Acknowledge: {PUBLIC}{paths['Acknowledge']}" in plain.get_content()
    shown = client.get(paths["Acknowledge"], headers={"Host": "fund.example:8443"})
    assert shown.status_code == 200 and "CPU of host-1 is 93% busy" in shown.text and "✕ critical" in shown.text
    assert "<script src=" in shown.text and "CPU is busy" not in shown.text, "what the message told, and no more"
    client.head(paths["Acknowledge"])
    desk.goes_on()
    with desk.stores.state.reading() as connection:
        assert not requests_of(connection, 1), "scanners of mail follow links"
    assert post(client, paths["Acknowledge"], "5")[0] == 400
    status, said = post(client, paths["Acknowledge"], "14400")
    assert status == 200 and "acknowledged for 4 h" in said
    desk.goes_on()
    with desk.stores.state.reading() as connection:
        [asked] = requests_of(connection, 1)
    assert (asked.what, asked.who, asked.status) == (Ask.ACKNOWLEDGE, "somebody by link sent to desk", "done")
    assert asked.until - asked.at == 14_400
    assert postman(desk, channel(server.port, timeout_seconds=20)).turn()
    told = mailboxes.mail[-1]
    assert told["Subject"].startswith("[CRITICAL] Acknowledged by somebody by link sent to desk")
    assert PATH not in told.as_string(), "there is nothing left to do"
    assert any(each.who == asked.who for each in read_entries(desk.stores.state))


def test_snooze_is_a_link_of_its_own_and_neither_works_for_what_is_over(
    desk: MailDesk, mailboxes: Mailboxes, server: Controller, client: FlaskClient
) -> None:
    paths = links_of(desk, mailboxes, server.port)
    assert post(client, paths["Snooze"])[0] == 200
    desk.goes_on()
    with desk.stores.state.reading() as connection:
        assert [each.what for each in requests_of(connection, 1)] == [Ask.SNOOZE]
    now = desk.stores.clock.now()
    ask(desk.stores.state, Request(1, Ask.RESOLVE, "ana", now))
    desk.goes_on()
    for answer in (post(client, paths["Acknowledge"]), post(client, paths["Snooze"])):
        assert answer[0] == 410 and "Incident 1 is over" in answer[1]


def test_forged_changed_and_expired_links_are_refused_in_plain_words(
    desk: MailDesk, mailboxes: Mailboxes, server: Controller, client: FlaskClient
) -> None:
    path = links_of(desk, mailboxes, server.port)["Acknowledge"]
    token = path.removeprefix(PATH)
    letter_changed, of_another = f"s{token[1:]}", token.replace("a1.", "a2.", 1)
    to_another, later = token.replace(".desk", ".room"), re.sub(r"\.([0-9a-f]+)\.", r".f\1.", token, count=1)
    for forged in (letter_changed, of_another, to_another, later, token[:-1], "x", "a1.0.1.AAAA.desk", "a" * 400):
        status, said = post(client, f"{PATH}{forged}")
        assert status == 410 and "not whole, or was not made here" in said, forged
    clock = desk.stores.clock
    assert isinstance(clock, FakeClock)
    clock.advance(DAY + 1)
    status, said = post(client, path)
    assert status == 410 and "has expired" in said
    with desk.stores.state.reading() as connection:
        assert not requests_of(connection, 1)


def test_an_address_that_tries_too_often_waits(desk: MailDesk, client: FlaskClient) -> None:
    desk.goes_on()
    answers = [
        client.get(f"{PATH}x{at}", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code for at in range(TOO_MANY)
    ]
    assert answers[0] == 410 and answers[-1] == 429


def test_links_can_be_switched_off_and_none_stands_in_the_log_or_in_what_is_kept(
    desk: MailDesk, mailboxes: Mailboxes, server: Controller, client: FlaskClient
) -> None:
    path = links_of(desk, mailboxes, server.port)["Acknowledge"]
    off = desk.stores.settings.alerts.model_copy(update={"message_links": False})
    settings = desk.stores.settings.model_copy(update={"alerts": off})
    shut = create_app(replace(desk.stores, settings=settings), (alerts.TAB,), lambda _: None).server.test_client()
    assert "switched off" in post(shut, path)[1]
    desk.lose("alpha")
    desk.goes_on()
    assert postman(desk, channel(server.port, timeout_seconds=20), works_seconds=0).turn()
    assert PATH not in mailboxes.mail[-1].as_string()
    assert postman(desk, Log(name="desk"))._links_work_seconds == 0
    assert path.removeprefix(PATH) not in without_links(f"bad request: {path} is unknown")


def test_other_channels_carry_them_in_their_own_form(desk: MailDesk) -> None:
    desk.busy()
    desk.goes_on()
    with Receiver() as receiver:
        channels = Channels.model_validate({
            "webhook": [{"name": "hook", "url": f"{receiver.url}/hook"}],
            "slack": [{"name": "slack", "url": f"{receiver.url}/slack"}],
            "discord": [{"name": "discord", "url": f"{receiver.url}/discord"}],
            "telegram": [{"name": "telegram", "token": "1:secret", "chat": "1", "api": receiver.url}],
            "sms": [{"name": "sms", "account": "AC1", "token": "secret", "sender": "+15550100", "to": "+15550111",
                     "api": receiver.url}],
        })  # fmt: skip
        with desk.stores.state.reading() as connection:
            key = link_key_in(connection)
        for name, by in channels.every().items():
            if name == "log":
                continue
            _hand(desk, name)
            assert postman(desk, by).turn(), name
            body = receiver.received[-1].body.decode()
            for token in re.findall(rf"{PATH}([\w.-]+\.{name})", body.replace("%2F", "/").replace("%3A", ":")):
                assert read_link(token, key, desk.stores.clock.now()).receiver == name
            wanted = 1 if name == "sms" else 2
            assert len(set(re.findall(rf"{PATH}([as]1)\.", body.replace("%2F", "/")))) == wanted, name
            if name == "hook":
                told = orjson.loads(body)
                assert told["acknowledge_link"].startswith(f"{PUBLIC}{PATH}a") and told["snooze_link"]


def test_a_link_says_what_it_is_for_and_only_the_key_makes_one() -> None:
    link = Link(ACKNOWLEDGE, 12, 3, "desk-1_a", 2_000_000_000)
    assert read_link(link.token("key"), "key", 1.0) == link
    for token, key in ((link.token("other"), "key"), (link.token("key"), "")):
        with pytest.raises(LinkRefused):
            read_link(token, key, 1.0)


def _hand(desk: Desk, receiver: str) -> None:
    """Let the message of the incident be to another receiver, as the outbox has it, waiting."""
    with desk.stores.state.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE alert_messages SET receiver = '{receiver}', status = 'queued', attempts = 0, next_at = 0"
        )
