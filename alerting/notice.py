"""What a message tells, and the words for it that all channels share. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from alerting.incidents import About
from core.alerts.labels import by_number, where_of
from core.alerts.links import ACKNOWLEDGE, PATH, SNOOZE, Link
from core.alerts.naming import name_of
from core.alerts.severity import Severity
from core.format import coarse_duration, count, cut, noun
from storage.state.alerts import KeptMessage
from storage.state.outbox import TEST

DIGEST, UNDELIVERED = "digest", "undelivered"
"""What messages are about that no incident makes, beside TEST: what was held back, and a channel that fails."""
RUNBOOK, OPEN = "Runbook: ", "Open in Fundwatch"
"""What stands before an address."""
MOST_SHOWN = 20
"""Alerts that a message lists; of the others it says how many there are."""
LONGEST_SUBJECT = 200
NOTHING_TO_DO = frozenset({About.RESOLVED, About.ACKNOWLEDGED, UNDELIVERED, TEST})
"""What is over, or is in somebody's hand, or is about channels."""
BEGINS: Mapping[str, str] = {
    About.CHANGED: "Changed: ",
    About.RAISED: "Worse: ",
    About.LOWERED: "Less severe: ",
    About.ESCALATED: "Nobody acknowledged: ",
    About.REMINDED: "Still firing: ",
    About.ACK_ENDED: "Acknowledgement ended: ",
    About.SNOOZE_ENDED: "The snooze is over: ",
    TEST: "Test: ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition that fires, or fired."""

    rule: str
    title: str
    labels: tuple[tuple[str, str], ...]
    severity: Severity
    since: float
    value: float | None
    text: str
    runbook: str
    category: str
    clear_since: float | None = None
    """Since when it is clear, where it still fires; None: it is not."""

    @property
    def where(self) -> str:
        """Return its labels as a sentence has them: "host a, mount /data"."""
        return where_of(self.labels)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of CSV that goes with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that goes with a message."""

    png: bytes
    text: str
    """What it shows, for who does not see it."""
    table: Attachment | None = None
    """The figures that it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message to one receiver, whole: a channel needs nothing else. Times in epoch seconds."""

    machine: str
    installation: str
    """What tells its alerts from those of any other Fundwatch, on whatever machine it runs."""
    incident: int
    """0: it is about channels."""
    number: int
    receiver: str
    about: str
    severity: Severity
    made_at: float
    opened_at: float
    alerts: tuple[Alert, ...] = ()
    more: int = 0
    """Alerts of it beside these."""
    who: str = ""
    """Who acknowledged or resolved it."""
    until: float = 0.0
    """Until when who acknowledged it has it in hand."""
    said: str = ""
    """What who acknowledged or resolved it wrote with that."""
    fires_on: int = 0
    """Alerts that fire on though a person has resolved it."""
    unproven: str = ""
    """Of an end: why nobody knows that it is well; empty: it is."""
    note: str = ""
    """A sentence of the sender: why it comes this way, or what fails."""
    link: str = ""
    acknowledge_link: str = ""
    snooze_link: str = ""
    """By which who gets it acts without signing in; empty: it carries none."""
    charts_link: str = ""
    """To the charts of what its gravest alert is about, as that began; empty: there are none."""
    picture: Picture | None = None
    table: Attachment | None = None
    """All its alerts, where the text tells some; None: it carries no files."""
    thread: str = ""
    """What the channel answered to the first message of the incident; empty: this is the first."""
    is_news: bool = False
    """Nothing of the incident has reached the receiver: of one that is over it tells that it was."""

    @property
    def is_over(self) -> bool:
        """Return whether it tells the end."""
        return self.about == About.RESOLVED

    @property
    def case(self) -> str:
        """Return what all messages of an incident have in common, and of no other one anywhere."""
        what = f"{self.incident}-{self.opened_at:.0f}" if self.incident else f"channels-{self.number}"
        return f"fundwatch-{self.installation}-{what}"

    @property
    def key(self) -> str:
        """Return what tells the message from every other one: the same at each attempt."""
        return f"{self.case}-{self.number}-{self.receiver}"

    @property
    def mark(self) -> str:
        """Return the word that says how bad it is: "CRITICAL"."""
        return "RESOLVED" if self.is_over else self.severity.word.upper()

    @property
    def subject(self) -> str:
        """Return it in one line."""
        return cut(" ".join(f"[{self.mark}] {self._begins}{self._what}".split()), LONGEST_SUBJECT)

    @property
    def ways(self) -> list[tuple[str, str]]:
        """Return where its links lead, and what can be done by them: a word and an address for each."""
        every = (
            ("Charts as it began", self.charts_link),
            ("Acknowledge", self.acknowledge_link), ("Snooze", self.snooze_link),
        )  # fmt: skip
        return [(word, address) for word, address in every if address]

    @property
    def lines(self) -> list[str]:
        """Return it in plain text, below the subject, with the addresses that it links to."""
        link = [f"{OPEN}: {self.link}"] if self.link else []
        return [*self.told, *link, *(f"{word}: {address}" for word, address in self.ways)]

    @property
    def told(self) -> list[str]:
        """Return what it tells, below the subject, in plain text."""
        told = [self.note] if self.note else []
        if self.is_over:
            lasted = coarse_duration(self.made_at - self.opened_at)
            ended = f"{self.who} resolved it at" if self.who else "it is over since"
            if self.unproven:
                ended = f"{self.unproven}, and nobody says that it is well: it is told no longer since"
            told.append(f"It fired for {lasted}; {ended} {clock_time(self.made_at)}.")
            if self.fires_on:
                fires = f"{count(self.fires_on, 'alert')} still {noun(self.fires_on, 'fires', 'fire')}"
                told.append(f"{fires}, and {noun(self.fires_on, 'is', 'are')} told again only after a time of calm.")
        elif self.about == About.ACKNOWLEDGED:
            until = f" until {clock_time(self.until)}" if self.until else ""
            told.append(f"{self.who or 'Somebody'} has it in hand{until}.")
        elif self.incident:
            told.append(f"It fires since {clock_time(self.opened_at)}.")
        if self.said:
            told.append(f"{self.who or 'Somebody'} wrote: {' '.join(self.said.split())}")
        told += [line for alert in self.alerts[:MOST_SHOWN] for line in _of(alert, self.is_over)]
        if hidden := self.more + max(0, len(self.alerts) - MOST_SHOWN):
            where = f"; the file {self.table.name} lists them" if self.table else ""
            told.append(f"And {count(hidden, 'more alert', 'more alerts')}{where}.")
        return told

    @property
    def text(self) -> str:
        """Return subject and lines."""
        return "\n".join((self.subject, *self.lines))

    @property
    def _begins(self) -> str:
        if self.about == About.ACKNOWLEDGED:
            return f"Acknowledged by {self.who}: " if self.who else "Acknowledged: "
        if self.is_over and self.fires_on:
            return "By hand: "
        if self.is_over and self.unproven:
            return "No longer told: "
        if self.is_over and self.is_news:
            return "It fired and is over: "
        return BEGINS.get(self.about, "")

    @property
    def _what(self) -> str:
        if not self.incident or not self.alerts:
            return self.note or "an incident"
        first, titles = self.alerts[0], [alert.title for alert in self.alerts]
        return name_of(titles, self.more, first.text)


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Makes signed links, the same at each attempt of a message."""

    address: str
    """Of our pages."""
    key: str
    works_seconds: float

    def of(self, message: KeptMessage, what: str) -> str:
        """Return the address at which whoever got a message does that; empty: of it there is nothing to do."""
        if not message.incident or message.about in NOTHING_TO_DO or not self.key or not self.address:
            return ""
        expires = int(message.made_at + self.works_seconds)
        link = Link(what, message.incident, message.number, message.receiver, expires)
        return f"{self.address}{PATH}{link.token(self.key)}"


def notice_of(
    message: KeptMessage,
    before: Sequence[KeptMessage],
    *,
    machine: str,
    installation: str,
    address: str,
    sent: Sequence[KeptMessage],
    links: LinkMaker | None = None,
) -> Notice:
    """Return what a message of the outbox tells.

    before: earlier messages of the incident to the same receiver, in order; sent: those of them that arrived.
    links: makes those by which somebody acts without signing in; None: it carries none.
    """
    body = orjson.loads(message.body)
    found, more = (body["members"], body.get("more", 0)) if body.get("members") else _last_members(before)
    alerts = sorted((_alert(each) for each in found if not each.get("muted_by")), key=_by_gravity)
    return Notice(
        machine=machine,
        installation=installation,
        incident=message.incident,
        number=message.number,
        receiver=message.receiver,
        about=message.about,
        severity=Severity.of(body["severity"]),
        made_at=message.made_at,
        opened_at=float(body["opened_at"]),
        alerts=tuple(alerts),
        more=more,
        who=str(body.get("who", "")),
        until=float(body.get("until", 0.0)),
        said=str(body.get("said", "")),
        fires_on=int(body.get("fires_on", 0)),
        unproven=str(body.get("unproven", "")),
        note=str(body.get("note", "")),
        link=f"{address}{_page_of(message)}" if address else "",
        acknowledge_link=links.of(message, ACKNOWLEDGE) if links else "",
        snooze_link=links.of(message, SNOOZE) if links else "",
        thread=sent[0].reply if sent else "",
        is_news=not sent,
    )


def _page_of(message: KeptMessage) -> str:
    """Return the page that tells more of what a message tells."""
    if message.incident:
        return f"/alerts?incident={message.incident}"
    return "/alerts" if message.about == DIGEST else "/alerts/messages"


def clock_time(at: float) -> str:
    """Return a time as messages tell it: readers are in many time zones."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def as_data(notice: Notice) -> dict[str, Any]:
    """Return a message as programs read it, fit for JSON."""
    return {
        "key": notice.key,
        "case": notice.case,
        "incident": notice.incident,
        "about": notice.about,
        "is_over": notice.is_over,
        "severity": notice.severity.word,
        "subject": notice.subject,
        "text": "\n".join(notice.lines),
        "note": " ".join(each for each in (notice.note, notice.said) if each),
        "who": notice.who,
        "until": _iso(notice.until) if notice.until else None,
        "fires_on": notice.fires_on,
        "unproven": notice.unproven,
        "machine": notice.machine,
        "made_at": _iso(notice.made_at),
        "opened_at": _iso(notice.opened_at),
        "link": notice.link,
        "charts_link": notice.charts_link,
        "acknowledge_link": notice.acknowledge_link,
        "snooze_link": notice.snooze_link,
        "alerts": [
            {
                "rule": alert.rule,
                "title": alert.title,
                "labels": dict(alert.labels),
                "severity": alert.severity.word,
                "category": alert.category,
                "since": _iso(alert.since),
                "value": alert.value,
                "text": alert.text,
                "runbook": alert.runbook,
            }
            for alert in notice.alerts
        ],
        "more": notice.more,
    }


def _of(alert: Alert, is_over: bool) -> list[str]:
    line = f"• {alert.severity.word}: {alert.text}"
    if alert.where and alert.where not in alert.text:
        line += f" ({alert.where})"
    if alert.clear_since is not None and not is_over:
        line += f"; clear since {clock_time(alert.clear_since)}"
    return [line, f"  {RUNBOOK}{alert.runbook}"] if alert.runbook else [line]


def _last_members(before: Sequence[KeptMessage]) -> tuple[list[dict[str, Any]], int]:
    """Return what fired when it was told last, and how many beside: at its end an incident has no members any more."""
    for message in reversed(before):
        body = orjson.loads(message.body)
        if body.get("members"):
            return list(body["members"]), int(body.get("more", 0))
    return [], 0


def _by_gravity(alert: Alert) -> tuple[int, tuple[str | int, ...]]:
    return -alert.severity, by_number(f"{alert.title}: {alert.where}")


def _alert(found: Mapping[str, Any]) -> Alert:
    value, clear_since = found.get("value"), found.get("clear_since")
    return Alert(
        rule=str(found["rule"]),
        title=str(found["title"]),
        labels=tuple((str(name), str(of)) for name, of in found["labels"].items()),
        severity=Severity.of(found["severity"]),
        since=float(found["since"]),
        value=None if value is None else float(value),
        text=str(found["text"]),
        runbook=str(found.get("runbook", "")),
        category=str(found.get("category", "")),
        clear_since=None if clear_since is None else float(clear_since),
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
