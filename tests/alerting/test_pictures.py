"""The picture that goes with a message: drawn from what is stored, carried by channels, and never waited for long."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

import pytest
from aiosmtpd.controller import Controller
from PIL import Image

from alerting.channels import send
from alerting.course import Pictures
from alerting.notice import Alert, Notice, Picture
from alerting.picture import LIMIT, LINE, Course, drawn
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.thresholds import charted
from core.clock import FakeClock
from core.model import Facts
from core.settings.channels import Discord, Telegram
from storage.stores import Stores
from tests.alerting.channels.notices import notice
from tests.alerting.channels.test_email import channel
from tests.support.desk import CPU, LOSS
from tests.support.mailboxes import Mailboxes
from tests.support.receivers import Receiver, Reply
from tests.support.times import MIDNIGHT

NOW = MIDNIGHT + 20 * 3_600
PNG = b"\x89PNG"
PICTURE = Picture(drawn(Course([NOW, NOW + 60], [0.5, 0.9], [0.8], NOW, NOW + 60, NOW + 30, "ratio")), "CPU is busy")


@pytest.fixture
def here(stores: Stores) -> Stores:
    """An hour and a half of a busy machine, and one that is calm."""
    times = [*range(NOW - 5_400, NOW, 60)]
    for number, (host, busy) in enumerate((("host-1", 0.93), ("host-2", 0.3)), 1):
        names = ([number], [host], ["system_cpu_busy_15m_ratio"], [{}], [NOW])
        stores.clickhouse.insert(Facts("series", ("series", "host", "metric", "labels", "seen"), names))
        values = [busy if at > NOW - 600 else 0.4 for at in times]
        stores.clickhouse.insert(Facts("samples", ("series", "ts", "value"), ([number] * len(times), times, values)))
    return replace(stores, clock=FakeClock(float(NOW)))


def told(*rules: Rule) -> Notice:
    alerts = tuple(
        Alert(
            rule=rule.name, title=rule.title, labels=(("machine", "host-1"), *rule.labels.items()),
            severity=Severity.CRITICAL, since=NOW - 600.0, value=0.93, text="busy", runbook="", category="system",
        )
        for rule in rules
    )  # fmt: skip
    return notice(alerts=alerts)


def colours_of(png: bytes) -> set[str]:
    image = Image.open(BytesIO(png)).convert("RGB")
    found = image.getcolors(image.width * image.height)
    assert found is not None
    return {f"#{red:02x}{green:02x}{blue:02x}" for _, (red, green, blue) in found}  # type: ignore[misc]


def test_a_course_is_drawn_with_its_threshold_of_the_alert_that_has_one(here: Stores) -> None:
    labelled = CPU.model_copy(update={"labels": {"team": "core"}})
    pictures = Pictures(here, lambda: [LOSS, labelled])
    picture = pictures(told(LOSS, labelled))
    assert picture is not None and picture.text == "CPU is busy: system_cpu_busy_15m_ratio"
    assert picture.png.startswith(PNG) and {LINE, LIMIT} <= colours_of(picture.png)
    assert Image.open(BytesIO(picture.png)).size == (1120, 300)
    assert pictures(told(LOSS)) is None, "nothing is stored of it"
    assert pictures(notice(alerts=())) is None


@pytest.mark.parametrize(
    ("when", "is_charted"),
    [
        ("system_cpu_busy_ratio > 80 %", True),
        ("avg(system_cpu_busy_ratio, 5 min) > 80 %", True),
        ("zscore(system_cpu_busy_ratio, 4 w) > 5", False),
        ("status == down", False),
        ("system_cpu_busy_ratio > 80 % and system_memory_used_ratio > 1 %", False),
    ],
)
def test_a_picture_is_of_one_figure_beside_a_number(when: str, is_charted: bool) -> None:
    assert (charted(Rule.model_validate({"name": "r", "when": when})) is not None) is is_charted


def test_a_message_waits_a_second_for_its_picture_at_most(here: Stores) -> None:
    ends = threading.Event()

    def hangs() -> Sequence[Rule]:
        ends.wait(30)
        return [CPU]

    pictures = Pictures(here, hangs)
    began = time.monotonic()
    assert pictures(told(CPU)) is None
    assert 0.9 < time.monotonic() - began < 10
    for _ in range(3):
        pictures(told(CPU))
    began = time.monotonic()
    assert pictures(told(CPU)) is None and time.monotonic() - began < 0.5, "four hang: nobody waits for a fifth"
    ends.set()


def test_a_mail_shows_it_in_the_text(server: Controller, mailboxes: Mailboxes) -> None:
    send(channel(server.port, timeout_seconds=20), notice(picture=PICTURE))
    [mail] = mailboxes.mail
    html = mail.get_body(("html",))
    assert html is not None
    id = re.search(r"<img src='cid:([^']+)' alt='CPU is busy'", html.get_content())
    assert id is not None
    [image] = [each for each in mail.walk() if each.get_content_type() == "image/png"]
    assert image["Content-ID"] == f"<{id[1]}>" and image.get_content_disposition() == "inline"
    assert image.get_payload(decode=True) == PICTURE.png
    plain = mail.get_body(("plain",))
    assert plain is not None and "NAV of" in plain.get_content()


def test_discord_and_telegram_get_it_as_a_file_and_without_it_what_refuses_it() -> None:
    with Receiver() as receiver:
        discord = Discord.model_validate({"name": "d", "url": f"{receiver.url}/hook"})
        telegram = Telegram.model_validate({"name": "t", "token": "1:s", "chat": "1", "api": receiver.url})
        receiver.then(Reply(body=b'{"id": "9", "ok": true, "result": {"message_id": 5}}'))
        assert (send(discord, notice(picture=PICTURE)), send(telegram, notice(picture=PICTURE))) == ("9", "5")
        to_discord, to_telegram = receiver.received
        assert b'name="files[0]"; filename="course.png"' in to_discord.body and PICTURE.png in to_discord.body
        assert b'"image":{"url":"attachment://course.png"}' in to_discord.body
        assert to_telegram.path.endswith("/sendPhoto") and PICTURE.png in to_telegram.body
        receiver.then(Reply(413, b"too large"), Reply(body=b'{"id": "10"}'))
        assert send(discord, notice(picture=PICTURE)) == "10"
        assert receiver.received[-1].json["embeds"][0]["title"].startswith("[CRITICAL] NAV")
