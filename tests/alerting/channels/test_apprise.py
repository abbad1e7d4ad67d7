"""Services that Apprise knows, by its JSON plugin against a real server, in the process that it runs in."""

from __future__ import annotations

import time

import pytest

from alerting.channels import send
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.settings.channels import Apprise
from tests.alerting.channels.notices import notice
from tests.support.receivers import Receiver, Reply
from tests.support.servers import BUSY_SECONDS


def channel(url: str, **more: float) -> Apprise:
    return Apprise.model_validate({"name": "push", "url": url, **more})


def test_it_hands_the_message_over() -> None:
    with Receiver() as receiver:
        assert send(channel(receiver.url.replace("http", "json")), notice()) == ""
        [sent] = receiver.received
    assert sent.json["title"] == "[CRITICAL] NAV of <macro> & co is stale" and sent.json["type"] == "failure"


def test_what_fails_is_tried_again() -> None:
    with Receiver(Reply(500)) as receiver, pytest.raises(DeliveryUnavailable, match="could not hand it over"):
        send(channel(receiver.url.replace("http", "json")), notice())


def test_a_service_that_it_does_not_know_is_refused_and_the_url_not_told() -> None:
    with pytest.raises(DeliveryRefused, match="knows no service") as error:
        send(channel("nonsense://hunter2"), notice())
    assert "hunter2" not in str(error.value)


def test_one_that_hangs_is_ended_when_its_time_is_over() -> None:
    began = time.monotonic()
    with Receiver(Reply(behaviour="hangs")) as receiver, pytest.raises(DeliveryUnavailable, match="did not end"):
        send(channel(f"{receiver.url.replace('http', 'json')}/?rto=30", timeout_seconds=3), notice())
    assert time.monotonic() - began < 3 + BUSY_SECONDS
