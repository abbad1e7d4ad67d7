"""Channels that speak HTTP, against a real server: what each sends, and how it reads the answer."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from alerting.channels import send
from alerting.notice import as_data
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.settings.channels import (
    PagerDuty,
    Webhook,
)
from tests.alerting.channels.notices import every, notice
from tests.support.receivers import Receiver, Reply


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def says(**answer: Any) -> Reply:
    return Reply(body=orjson.dumps(answer))


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, b"hunter2 is wrong"), DeliveryRefused),
        (Reply(302, headers={"Location": "/other"}), DeliveryRefused),
        (Reply(500), DeliveryUnavailable),
        (Reply(408), DeliveryUnavailable),
        (Reply(behaviour="cuts"), DeliveryUnavailable),
    ],
)
def test_a_status_says_whether_it_is_tried_again_and_no_secret_is_told(
    receiver: Receiver, number: int, reply: Reply, error: type[Exception]
) -> None:
    receiver.then(reply)
    with pytest.raises(error) as raised:
        send(every(receiver.url)[number], notice())
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, headers={"Retry-After": "7.5"}),
        Reply(429, orjson.dumps({"retry_after": 7.5})),
        Reply(429, orjson.dumps({"parameters": {"retry_after": 7.5}})),
    ],
)
def test_how_long_to_wait_is_read_from_header_and_body(receiver: Receiver, reply: Reply) -> None:
    receiver.then(reply)
    with pytest.raises(DeliveryUnavailable) as raised:
        send(every(receiver.url)[0], notice())
    assert raised.value.wait_seconds == 7.5


def test_a_bot_of_slack_makes_a_thread_and_writes_the_first_message_anew_at_the_end(receiver: Receiver) -> None:
    receiver.then(says(ok=True, channel="C1", ts="12.5"))
    bot = every(receiver.url)[1]
    thread = send(bot, notice())
    assert thread == "C1 12.5 C1"
    [first] = receiver.received
    assert (first.path, first.headers["authorization"]) == ("/api/chat.postMessage", "Bearer hunter2")
    assert first.json["channel"] == "C1"
    assert first.json["text"] == "*[CRITICAL] NAV of &lt;macro&gt; &amp; co is stale*"
    send(bot, notice("reminded", thread=thread))
    assert receiver.received[1].json["thread_ts"] == "12.5"
    send(bot, notice("resolved", thread=thread))
    update, post = receiver.received[2:]
    assert (update.path, update.json["ts"], post.json["thread_ts"]) == ("/api/chat.update", "12.5", "12.5")
    assert update.json["text"].startswith("*[RESOLVED]")
    moved = bot.model_copy(update={"channel": "C2"})
    send(moved, notice("reminded", thread=thread))
    assert receiver.received[-1].json["channel"] == "C2" and "thread_ts" not in receiver.received[-1].json


def test_slack_says_no_with_a_status_that_says_yes(receiver: Receiver) -> None:
    bot = every(receiver.url)[1]
    receiver.then(says(ok=False, error="invalid_auth"))
    with pytest.raises(DeliveryRefused, match="invalid_auth"):
        send(bot, notice())
    receiver.then(says(ok=False, error="service_unavailable"))
    with pytest.raises(DeliveryUnavailable, match="service_unavailable"):
        send(bot, notice())


def test_a_first_message_that_somebody_deleted_is_no_reason_to_tell_nothing(receiver: Receiver) -> None:
    receiver.then(says(ok=False, error="message_not_found"), says(ok=True, channel="C1", ts="13"))
    assert send(every(receiver.url)[1], notice("resolved", thread="C1 12.5")) == "C1 13 C1"


def test_discord_answers_with_the_message_which_is_written_anew(receiver: Receiver) -> None:
    receiver.then(says(id="99"))
    discord = every(receiver.url)[2]
    assert send(discord, notice()) == "99"
    send(discord, notice("resolved", thread="99"))
    sent = [(each.method, each.path) for each in receiver.received]
    hook = "/api/webhooks/1/hunter2"
    assert sent == [("POST", f"{hook}?wait=true"), ("PATCH", f"{hook}/messages/99"), ("POST", f"{hook}?wait=true")]
    assert all(each.json["allowed_mentions"] == {"parse": []} for each in receiver.received)


def test_telegram_answers_to_the_first_message(receiver: Receiver) -> None:
    receiver.then(says(ok=True, result={"message_id": 5}))
    telegram = every(receiver.url)[3]
    assert send(telegram, notice()) == "5"
    send(telegram, notice("resolved", thread="5"))
    first, end = receiver.received
    assert first.path == "/bot1:hunter2/sendMessage" and first.json["chat_id"] == "-100"
    assert "NAV of &lt;macro&gt; &amp; co is stale" in first.json["text"]
    assert end.json["reply_parameters"]["message_id"] == 5


def test_an_incident_is_one_of_pagerduty_until_its_end(receiver: Receiver) -> None:
    pager = every(receiver.url)[4]
    for about in ("opened", "raised", "acknowledged", "resolved"):
        send(pager, notice(about, who="anna"))
    assert [each.json["event_action"] for each in receiver.received] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert len({each.json["dedup_key"] for each in receiver.received}) == 1
    assert receiver.received[0].json["payload"]["severity"] == "error"


def test_an_sms_is_the_subject_and_the_link(receiver: Receiver) -> None:
    receiver.then(Reply(201, b'{"sid": "SM1"}'))
    assert send(every(receiver.url)[5], notice()) == "SM1"
    [sent] = receiver.received
    assert sent.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert sent.body.startswith(b"From=%2B15550100&To=%2B15550111&Body=%5BCRITICAL%5D+NAV")


def test_what_was_held_back_opens_no_incident_of_pagerduty_that_nobody_closes(receiver: Receiver) -> None:
    pager = every(receiver.url)[4]
    assert isinstance(pager, PagerDuty)
    send(pager, notice("digest", incident=0, note="3 messages of 2 incidents held back"))
    [sent] = receiver.received
    assert sent.path == "/change/enqueue" and "event_action" not in sent.json and "dedup_key" not in sent.json
    assert sent.json["payload"]["summary"] == "[CRITICAL] 3 messages of 2 incidents held back"
    assert sent.json["routing_key"] == "hunter2"


def test_a_webhook_is_signed_and_has_a_key(receiver: Receiver) -> None:
    hook = Webhook.model_validate({"name": "w", "url": receiver.url, "secret": "hunter2", "headers": {"X-Desk": "7"}})
    send(hook, notice())
    [sent] = receiver.received
    told, signed = (part.split("=")[1] for part in sent.headers["x-fundwatch-signature"].split(","))
    assert signed == hmac.new(b"hunter2", told.encode() + b"." + sent.body, hashlib.sha256).hexdigest()
    assert (sent.headers["idempotency-key"], sent.headers["x-desk"]) == (notice().key, "7")
    assert sent.json == as_data(notice())


def test_a_template_replaces_the_body(receiver: Receiver) -> None:
    template = {"text": "!! {subject} !!", "alerts": "{alerts}", "rest": ["{severity}", 1, "{nothing}"]}
    send(Webhook.model_validate({"name": "w", "url": receiver.url, "template": template}), notice())
    data = as_data(notice())
    expected = {"text": f"!! {data['subject']} !!", "alerts": data["alerts"], "rest": ["critical", 1, "{nothing}"]}
    assert receiver.received[0].json == expected
