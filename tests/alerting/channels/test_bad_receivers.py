"""Channels that speak HTTP, against receivers that misbehave: none waits too long, no refusal is taken for sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate

import orjson
import psutil
import pytest

from alerting.channels import send
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.settings.channels import Channel
from tests.alerting.channels.notices import every, notice
from tests.support.receivers import GIGABYTE, Receiver, Reply
from tests.support.servers import BUSY_SECONDS
from tests.support.tls_server import TlsServer

KINDS = ["slack webhook", "slack bot", "discord", "telegram", "pagerduty", "sms", "webhook"]
TAKEN = orjson.dumps({"ok": True, "ts": "1", "id": "1", "result": {"message_id": 1}, "dedup_key": "1", "sid": "1"})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(Reply(body=TAKEN)) as server:
        yield server


def channel(kind: str, url: str, timeout_seconds: float = 20) -> Channel:
    return every(url)[KINDS.index(kind)].model_copy(update={"timeout_seconds": timeout_seconds})


each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
@pytest.mark.parametrize("behaviour", ["hangs", "drips"])
def test_one_that_hangs_or_drips_costs_no_more_than_the_deadline(
    receiver: Receiver, kind: str, behaviour: str
) -> None:  # fmt: skip
    receiver.then(Reply(behaviour=behaviour))
    began = time.monotonic()
    with pytest.raises(DeliveryUnavailable) as raised:
        send(channel(kind, receiver.url, 1), notice())
    assert time.monotonic() - began < 1 + BUSY_SECONDS
    assert "hunter2" not in str(raised.value)


@each_kind
def test_how_long_it_wants_to_be_left_alone_is_read_as_seconds_and_as_a_date(receiver: Receiver, kind: str) -> None:
    for said, wanted in [("90", 90), (formatdate(time.time() + 120, usegmt=True), 120), ("nan", 0), ("soon", 0)]:
        receiver.then(Reply(429, headers={"Retry-After": said}))
        with pytest.raises(DeliveryUnavailable) as raised:
            send(channel(kind, receiver.url), notice())
        assert wanted - BUSY_SECONDS - 1 <= raised.value.wait_seconds <= wanted, said


@each_kind
@pytest.mark.parametrize("status", [500, 502, 503])
def test_one_that_is_down_is_tried_again(receiver: Receiver, kind: str, status: int) -> None:
    receiver.then(Reply(status, b"<html>oops</html>"))
    with pytest.raises(DeliveryUnavailable, match=str(status)):
        send(channel(kind, receiver.url), notice())


@each_kind
def test_one_that_answers_twice_is_asked_once(receiver: Receiver, kind: str) -> None:
    receiver.then(Reply(body=TAKEN, behaviour="twice"))
    send(channel(kind, receiver.url), notice())
    assert len(receiver.received) == 1


@each_kind
def test_of_a_gigabyte_a_little_is_read(receiver: Receiver, kind: str) -> None:
    receiver.then(Reply(behaviour="floods"))
    before = psutil.Process().memory_info().rss
    try:
        send(channel(kind, receiver.url), notice())
    except DeliveryUnavailable:
        assert kind in ("slack bot", "telegram"), "they say in their answer whether it was taken, and it has no end"
    assert receiver.flooded_bytes < GIGABYTE / 10
    assert psutil.Process().memory_info().rss - before < GIGABYTE / 10


@each_kind
def test_where_it_sends_us_nothing_is_sent(receiver: Receiver, kind: str) -> None:
    with Receiver(Reply(body=TAKEN)) as elsewhere:
        for status in (301, 302, 307, 308):
            receiver.then(Reply(status, headers={"Location": elsewhere.url}))
            with pytest.raises(DeliveryRefused, match="sends us elsewhere"):
                send(channel(kind, receiver.url), notice())
        assert elsewhere.received == []


@each_kind
def test_one_whose_certificate_nobody_vouches_for_gets_nothing(kind: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with TlsServer(answer) as server, pytest.raises(DeliveryUnavailable, match="not trusted") as raised:
        send(channel(kind, f"https://{server.host}:{server.port}"), notice())
    assert "hunter2" not in str(raised.value)


@each_kind
def test_an_answer_that_breaks_off_behind_a_status_that_says_yes(receiver: Receiver, kind: str) -> None:
    receiver.then(Reply(body=TAKEN, behaviour="halves"))
    if kind in ("slack bot", "telegram"):
        with pytest.raises(DeliveryUnavailable):
            send(channel(kind, receiver.url), notice())
    else:
        send(channel(kind, receiver.url), notice())


@pytest.mark.parametrize(
    ("kind", "answer", "told"),
    [
        ("slack webhook", {"ok": False, "error": "invalid_blocks"}, "invalid_blocks"),
        ("slack bot", {"ok": False, "error": "channel_not_found"}, "channel_not_found"),
        ("telegram", {"ok": False, "description": "Bad Request: chat not found"}, "chat not found"),
        ("pagerduty", {"status": "invalid event", "message": "Event object is invalid"}, "Event object is invalid"),
        ("sms", {"sid": "SM1", "status": "failed", "error_message": "unreachable"}, "unreachable"),
        ("sms", {"sid": "SM1", "status": "undelivered", "error_message": None}, "undelivered"),
    ],
)
def test_a_status_that_says_yes_with_a_body_that_says_no_is_no(
    receiver: Receiver, kind: str, answer: dict[str, object], told: str
) -> None:
    receiver.then(Reply(body=orjson.dumps(answer)))
    with pytest.raises(DeliveryRefused, match=told):
        send(channel(kind, receiver.url), notice())


def test_telegram_that_asks_for_time_in_its_body_is_left_alone(receiver: Receiver) -> None:
    said = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 7}}
    receiver.then(Reply(body=orjson.dumps(said)))
    with pytest.raises(DeliveryUnavailable, match="Too Many Requests") as raised:
        send(channel("telegram", receiver.url), notice())
    assert raised.value.wait_seconds == 7


def test_discord_that_answers_nothing_has_taken_it(receiver: Receiver) -> None:
    receiver.then(Reply(204, b""))
    assert send(channel("discord", receiver.url), notice()) == ""


def test_a_webhook_of_slack_answers_with_a_word(receiver: Receiver) -> None:
    receiver.then(Reply(200, b"ok"))
    assert send(channel("slack webhook", receiver.url), notice()) == ""
