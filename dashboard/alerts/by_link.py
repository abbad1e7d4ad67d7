"""Where the links of messages lead: a page, without script and sign-in, that acknowledges an incident or puts it off.

It tells what the message told and nothing else. A GET changes nothing: scanners of mail follow every link.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, request
from markupsafe import Markup

from core.alerts.links import PATH, Link, read_link
from core.alerts.severity import Severity
from core.errors import ChangeRejected, LinkRefused, SignInRefused, StorageError
from core.format import count
from dashboard.alerts.actions import DONE
from dashboard.alerts.known import severity_of
from dashboard.alerts.parts import HOUR, LASTS, SIGNS, STATES
from dashboard.frame.plain import plain_page, refusal
from dashboard.frame.plain_form import choice, form, said, wrong
from dashboard.frame.sign_in import field, waiting
from dashboard.views.problem import away
from storage.state.alert_requests import WHO_CHARACTERS, Ask, Request, ask
from storage.state.alerts import CLOSED, KeptMessage, incident_in, link_key_in, message_in

if TYPE_CHECKING:
    from dashboard.frame.rates import SignIns
    from storage.stores import Stores

MOST_SHOWN = 20
"""Alerts that the page lists, as the message did."""
TITLES = {Ask.ACKNOWLEDGE: "Acknowledge an alert", Ask.SNOOZE: "Snooze an alert"}
HINTS = {
    Ask.ACKNOWLEDGE: "Who was told hears that somebody has it in hand. It neither repeats nor escalates until then.",
    Ask.SNOOZE: "Nobody hears of it again until then, unless it becomes worse.",
}
DOES_NOT_WORK = "This link does not work"
SWITCHED_OFF = "Links of messages are switched off here: sign in to act on the alert."
FORGOTTEN = "What it is about is not kept any more."
ALERT = Markup('<li><span class="fw-plain-{state}">{sign} {word}</span> {text}</li>')
TOLD = Markup('<p>Message to <strong>{to}</strong> of {at}:</p><ul class="fw-plain-alerts">{alerts}</ul>{more}')


def install(server: Flask, stores: Stores, attempts: SignIns) -> None:
    """Serve what links of messages lead to; `attempts` counts how often an address comes."""

    def answered(token: str, answer: Callable[[Link, KeptMessage], Response]) -> Response:
        try:
            attempts.count()
            return answer(*_meant(stores, token))
        except LinkRefused as error:
            return refusal(410, DOES_NOT_WORK, str(error), sign_in="/sign-in")
        except SignInRefused as error:
            return waiting(refusal(429, "Too many attempts", str(error)), error)
        except StorageError as error:
            return refusal(503, "Not possible now", f"Nothing was done. {away(error)}")

    @server.get(f"{PATH}<token>")
    def message_link(token: str) -> Response:
        return answered(token, lambda link, message: _page(token, link, message))

    @server.post(f"{PATH}<token>")
    def message_link_used(token: str) -> Response:
        return answered(token, lambda link, message: _asked(stores, token, link, message))


def _meant(stores: Stores, token: str) -> tuple[Link, KeptMessage]:
    """Return what a link is for, with its message. Raises LinkRefused, StorageUnavailable."""
    if not stores.settings.alerts.message_links:
        raise LinkRefused(SWITCHED_OFF)
    with stores.state.reading() as connection:
        link = read_link(token, link_key_in(connection), stores.clock.now())
        incident = incident_in(connection, link.incident)
        message = message_in(connection, link.incident, link.number, link.receiver)
    if incident is None or message is None:
        raise LinkRefused(FORGOTTEN)
    if incident.stage == CLOSED:
        raise LinkRefused(f"Incident {link.incident} is over: there is nothing left to {link.what}.")
    return link, message


def _asked(stores: Stores, token: str, link: Link, message: KeptMessage) -> Response:
    what, lasts = Ask(link.what), field(request, "lasts")
    spans = dict(LASTS)
    if lasts not in spans:
        return _page(token, link, message, why="For how long? Choose one of those offered.", status=400)
    now, who = stores.clock.now(), f"somebody by link sent to {link.receiver}"[:WHO_CHARACTERS]
    try:
        ask(stores.state, Request(link.incident, what, who, now, now + float(lasts)))
    except ChangeRejected as error:
        # It ended between the look at it and this.
        raise LinkRefused(f"{'; '.join(error.fields.values()).capitalize()}: there is nothing left to do.") from error
    told = f"Asked for: incident {link.incident} is {DONE[what]} for {spans[lasts]} within a second or two."
    return plain_page(TITLES[what], said(told) + _told(message))


def _page(token: str, link: Link, message: KeptMessage, *, why: str = "", status: int = 200) -> Response:
    what = Ask(link.what)
    does = form(f"{PATH}{token}", what.value.capitalize(), choice("lasts", "For", LASTS, HOUR))
    hint = Markup('<p class="fw-plain-hint">{}</p>').format(HINTS[what])
    return plain_page(TITLES[what], _told(message) + wrong(why) + does + hint, status)


def _told(message: KeptMessage) -> Markup:
    """Return what a message told: its alerts, the gravest first."""
    body: dict[str, Any] = orjson.loads(message.body)
    loud = [each for each in body.get("members", ()) if not each.get("muted_by")]
    loud.sort(key=lambda each: -severity_of(each["severity"]))
    more = len(loud[MOST_SHOWN:]) + int(body.get("more", 0))
    alerts = Markup().join(_alert(severity_of(each["severity"]), str(each["text"])) for each in loud[:MOST_SHOWN])
    hidden = Markup("<p>And {}.</p>").format(count(more, "more alert")) if more else Markup()
    at = f"{datetime.fromtimestamp(message.made_at, UTC):%Y-%m-%d %H:%M} UTC"
    return TOLD.format(to=message.receiver, at=at, alerts=alerts, more=hidden)


def _alert(severity: Severity, text: str) -> Markup:
    return ALERT.format(state=STATES[severity], sign=SIGNS[severity], word=severity.word, text=text)
