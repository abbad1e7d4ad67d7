"""The picture that goes with a message: drawn from what is stored, carried by channels, and never waited for long."""

from __future__ import annotations

import csv
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiosmtpd.controller import Controller
from PIL import Image

from alerting import course
from alerting.beside import Beside
from alerting.channels import send
from alerting.course import Pictures
from alerting.notice import Alert, Notice, Picture, notice_of
from alerting.picture import LIMIT, LINE, Course, drawn
from alerting.tables import alerts_table, file_name
from core.alerts.evaluate import Value
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.thresholds import bounds_of
from core.clock import FakeClock
from core.model import Facts, labels
from core.settings.channels import Discord, Slack, Telegram
from portfolio.alert_places import charts_of
from storage.state.outbox import waiting_for
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores
from tests.alerting.channels.notices import notice
from tests.alerting.channels.test_email import channel
from tests.support.api import put_daily
from tests.support.desk import CPU, LOSS, Desk
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
    ("when", "bounds"),
    [
        ("system_cpu_busy_ratio > 80 %", [("system_cpu_busy_ratio", (0.8,), True)]),
        ("avg(system_cpu_busy_ratio, 5 min) > 80 %", [("system_cpu_busy_ratio", (0.8,), True)]),
        ("zscore(system_cpu_busy_ratio, 4 w) > 5", [("system_cpu_busy_ratio", (), True)]),
        ("status == down", []),
        ("not sharpe[1y] >= 1 and system_memory_used_ratio > 1 %",
         [("sharpe[1y]", (1.0,), False), ("system_memory_used_ratio", (0.01,), True)]),
        ("absent(system_load) or daily_return < -5 %", [("system_load", (), True), ("daily_return", (-0.05,), False)]),
    ],
)  # fmt: skip
def test_a_course_is_of_each_figure_that_a_rule_names_beside_a_number(when: str, bounds: Sequence[Any]) -> None:
    found = bounds_of(Rule.model_validate({"name": "r", "when": when}))
    assert [(str(each.figure), each.limits, each.is_above) for each in found] == bounds


def test_figures_of_portfolios_are_drawn_with_the_days_before_and_as_a_table(
    here: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "LONGEST_SECONDS", 60.0)
    put_portfolios(here.state, [Portfolio("own", "alpha", "Alpha")])
    put_daily(here, "alpha", [100.0 + n % 5 for n in range(60)] + [90.0], end=NOW)
    lost = replace(
        told(LOSS).alerts[0], labels=(("portfolio", "alpha"),), since=NOW - 600.0, value=-0.1, title="=Daily loss"
    )
    picture = Pictures(here, lambda: [LOSS])(notice(alerts=(lost,)))
    assert picture is not None and picture.text == "Daily loss: daily_return"
    assert {LINE, LIMIT} <= colours_of(picture.png)
    assert picture.table is not None and picture.table.name == "daily-loss-alpha-course.csv"
    head, *rows = csv.reader(StringIO(picture.table.content.decode("utf-8-sig")))
    assert head == ["time (UTC)", "daily_return (ratio)", "threshold (ratio)"]
    assert len(rows) == 31 and all(row[2] == "-0.05" for row in rows)
    assert rows[-1][0] == datetime.fromtimestamp(NOW, UTC).isoformat() and rows[-1][0].endswith("+00:00")
    assert float(rows[-1][1]) == pytest.approx(90 / 104 - 1)


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


def test_a_mail_of_a_large_incident_has_every_alert_in_a_file(server: Controller, mailboxes: Mailboxes) -> None:
    """Those that the text leaves out, gravest first; past some thousands it says how many more there are."""
    one = replace(notice().alerts[0], runbook="")
    alerts = tuple(replace(one, labels=(("portfolio", f"p{n}"),), text=f"=cmd|' /C calc'!A{n}") for n in range(30))
    table = alerts_table(notice(alerts=alerts, more=5), [], lambda _: "ratio")
    assert table is not None and alerts_table(notice(alerts=alerts[:20]), [], lambda _: "") is None
    many = alerts_table(notice(alerts=alerts, more=9_970), [one] * 9_000, lambda _: "ratio")
    assert many is not None and len(many.content) < 1_000_000
    assert "And 8\u202f000 more alerts: https://fund" in many.content.decode()
    send(channel(server.port, timeout_seconds=20), notice(alerts=alerts, more=5, picture=PICTURE, table=table))
    [mail] = mailboxes.mail
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and "And 15 more alerts; the file incident-7-alerts.csv lists them" in text.get_content()
    assert html is not None and "cid:course-" in html.get_content()
    [file] = [each for each in mail.iter_attachments() if each.get_filename() == "incident-7-alerts.csv"]
    assert file.get_content_type() == "text/csv"
    head, *rows = csv.reader(StringIO(file.get_content().lstrip("\ufeff")))
    assert head[4:7] == ["since (UTC)", "value", "unit"] and len(rows) == 31
    assert rows[29][2:7] == ["'=cmd|' /C calc'!A29", "portfolio p29", "2023-11-14T22:13:20+00:00", "0.93", "ratio"]
    assert rows[30][1] == "And 5 more alerts: https://fund.example/alerts?incident=7"


def test_names_of_files_are_of_letters_that_every_system_takes() -> None:
    assert file_name("disk", "/data", "../../etc/passwd", "course") == "disk-data-etc-passwd-course.csv"
    assert file_name("r", "Ünï\r\ncode", "x" * 200, "course") == f"r-n-code-{'x' * 71}-course.csv"


def test_a_message_has_what_its_channel_takes_beside_it(here: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """All alerts of an incident as the engine keeps them, and the way to the charts of the gravest."""
    monkeypatch.setattr(course, "LONGEST_SECONDS", 60.0)
    put_portfolios(here.state, [Portfolio("own", "alpha", "Alpha")])
    desk = Desk(here)
    desk.values["system_cpu_busy_15m_ratio"] = [Value(labels(machine=f"host-{n}"), 0.93) for n in range(1, 131)]
    desk.goes_on()
    with here.state.reading() as connection:
        message = waiting_for(connection, "log")[0]
    bare = notice_of(message, [], machine="m", installation="i", address="https://f.example", sent=[])
    assert (len(bare.alerts), bare.more) == (100, 30)
    beside = Beside(desk.stores, lambda: desk.rules)
    mail = beside(bare, channel(25), "https://f.example")
    assert mail.table is not None and mail.picture is not None
    rows = [*csv.reader(StringIO(mail.table.content.decode("utf-8-sig")))]
    assert len(rows) == 131 and {row[3] for row in rows[1:]} == {f"machine host-{n}" for n in range(1, 131)}
    began = datetime.fromisoformat(rows[1][4]).timestamp()
    assert began == pytest.approx(bare.alerts[0].since, abs=1), "by the clock, whatever time the engine has of its own"
    assert mail.charts_link.startswith("https://f.example/system?host=host-")
    page = beside(bare, Slack.model_validate({"name": "s", "url": "https://h.example"}), "https://f.example")
    assert (page.table, page.picture) == (None, None) and page.charts_link == mail.charts_link
    assert ("Charts as it began", page.charts_link) in page.ways


@pytest.mark.parametrize(
    ("when", "first"),
    [
        ("daily_return < -5 %", "2026-03-09"),
        ("max_drawdown[1y] < -15 %", "2025-06-09"),
        ("sharpe[5y] < 0", "2023-06-07"),
    ],
)
def test_a_link_to_a_portfolio_shows_the_window_of_the_figure_and_all_days_since(
    stores: Stores, when: str, first: str
) -> None:
    rule = Rule.model_validate({"name": "r", "when": when})
    since, now = (datetime(2026, 6, day, 15, tzinfo=UTC).timestamp() for day in (9, 12))
    place = charts_of(stores, {"portfolio": "alpha"}, since, rule, now)
    assert place == f"/portfolio?portfolio=own%3Aalpha&from={first}&to=2026-06-12"
    put_portfolios(stores.state, [Portfolio("own", "alpha", "Alpha")])
    put_daily(stores, "alpha", [100.0, 101.0], end=int(datetime(2020, 5, 5, tzinfo=UTC).timestamp()))
    late = charts_of(stores, {"portfolio": "alpha"}, since, rule, now)
    assert dict(parse_qsl(late))["from"] <= "2020-02-03", "where its values are"


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
