"""Alerts: what fires, the incidents that it belongs to, and what people ask of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

import orjson
from pydantic import Field, field_validator

from access.tokens import Scope
from access.viewer import CHANGING_ROLE
from api.body import Body
from api.matching import matchers_of, meant
from api.models import Aged, Answered, Number, Page, Time, age, at
from api.operation import Ask, Operation
from api.paging import part_of
from api.parameters import Listed, Parameters, with_zone
from api.problem import Refused
from core.alerts.severity import Severity
from core.alerts.spec import ALERTS, FiringAlert, OpenIncident
from core.format import count
from portfolio.alerts import Sight, sight_of
from status.alerts import NOT_EVALUATED, AlertsNow, alerts_now
from storage.state import alert_requests
from storage.state.alerts import (
    KeptIncident,
    KeptMessage,
    incident_in,
    messages_of,
)

TAG = "Alerts"
SCOPE = Scope.ALERTS.value
SOURCE = "state database"
HIGHEST_NUMBER = 2**31 - 1
"""That an incident, a silence or a window can have in either database."""
MORE = "more alerts may fire: the gravest of all portfolios are listed"
OTHERS = "This incident is also about portfolios that you may not see."
Word = Literal["info", "warning", "critical", "urgent"]


class Alert(Answered):
    """A rule that fires for one set of labels."""

    key: str = Field(description="The same as long as rule and labels are the same.")
    incident: int | None = Field(description="null: of none; a person has resolved it, and it fires on.")
    rule: str
    title: str
    severity: str = Field(description="info, warning, critical or urgent.")
    category: str
    labels: dict[str, str] = Field(description="Those by which silences and routes mean it.")
    phase: str = Field(description="firing; recovering: clear, not yet for long enough; no_data, error: nobody knows.")
    since: Time | None
    value: Number = Field(description="Of what the rule compares; null: not known.")
    text: str = Field(description="What is said of it.")
    muted_by: str = Field(description="What keeps it quiet: silence 3, maintenance 4, caused by …; empty: nothing.")
    acknowledged_by: str = Field(description="Who has its incident in hand, or put it off; empty: nobody.")
    is_snoozed: bool = Field(False, description="Its incident is put off, and nobody has it in hand.")
    is_flapping: bool
    clear_since: Time | None = Field(None, description="It is clear since then, not yet for long enough to be over.")


class Sent(Answered):
    """A message of an incident to one channel."""

    number: int
    receiver: str
    about: str
    status: str = Field(description="queued, retrying, sent, failed, suppressed (muted_by says why) or merged.")
    muted_by: str
    made_at: Time | None
    attempts: int
    done_at: Time | None = Field(description="When it was sent or given up; null: not yet.")
    problem: str = Field(description="Why the last attempt failed.")


class Requested(Answered):
    """What somebody asked of an incident."""

    id: int
    incident: int
    action: str = Field(description="acknowledge, snooze or resolve.")
    who: str
    at: Time | None
    until: Time | None = Field(description="null: it does not end.")
    note: str
    status: str = Field(description="waiting, done or refused.")
    why_not: str = Field(description="Why it was refused.")
    told: str = Field("", description="Why it may wait: no alert engine runs. Empty: it is taken up within seconds.")


class Incident(Aged):
    """An incident with its alerts, who was told, and what was asked of it."""

    incident: int | None = Field(description="null: the alert that is asked for is of none.")
    group: str = Field(description="What its alerts have in common.")
    severity: str
    stage: str = Field(description="open, acknowledged, snoozed or closed.")
    opened_at: Time | None
    closed_at: Time | None = Field(description="null: it is open.")
    closed_by: str = Field(description="Who resolved it by hand; empty: it ended by itself, or has not.")
    alerts: list[Alert] = Field(description="Those that fire now.")
    told: list[str] = Field(description="Channels that got a message of it, fallbacks among them.")
    untold: list[str] = Field(description="Channels that were to be told, and that nothing has reached yet.")
    told_at: Time | None
    acknowledged_by: str
    acknowledged_until: Time | None
    steps_taken: int = Field(description="Of its escalation.")
    next_about: str = Field(description="What is told next, if nothing else happens; empty: nothing, for the reason.")
    next_at: Time | None
    reason: str
    messages: list[Sent] = Field(description="Of all its messages; none for who may see some portfolios alone.")
    requests: list[Requested] = Field(description="What was asked of it; the same.")


class OfAlerts(Listed):
    """Which alerts."""

    severity: Word | Literal[""] = Field("", description="Only those that matter so much.")
    at_least: Word | Literal[""] = Field("", description="Only those that matter so much or more.")
    rule: str = Field("", max_length=80, description="Only those of this rule.")
    category: str = Field("", max_length=40, description="Only those of rules of this category.")
    matchers: str = Field("", max_length=2_000, description='Only those whose labels are such: component="Redis main".')
    muted: Literal["", "true", "false"] = Field("", description="Only those that are kept quiet, or are not.")


class Action(Body):
    """What is asked of an incident."""

    action: Literal["acknowledge", "snooze", "resolve"] = Field(
        description="acknowledge: I have it in hand, and who was told hears that; snooze: not before then; resolve: it "
        "is over, whatever still fires of it."
    )
    until: datetime | None = Field(
        None, description="Until when, RFC 3339 with a zone, 31 days ahead at most; left out where it is resolved."
    )
    note: str = Field("", max_length=alert_requests.NOTE_CHARACTERS, description="Why, for others.")

    @field_validator("until", mode="before")
    @classmethod
    def _has_zone(cls, value: object) -> object:
        return with_zone(value)


def age_of(known: AlertsNow, now: float) -> Aged:
    """Return how old what the engine told is: `as_of` is when it last evaluated."""
    return Aged(
        as_of=at(known.evaluated_at), age_seconds=age(known.evaluated_at, now), stale=known.is_stale, source=ALERTS
    )


def told_beside(known: AlertsNow, sight: Sight) -> list[str]:
    """Return what must be known beside what fires."""
    problem = known.problem if sight.is_whole else NOT_EVALUATED if known.is_stale else ""
    more = f"{count(known.untold, 'more alert')} fire: the gravest are listed" if known.untold else ""
    more = MORE if more and not sight.is_whole else more
    return [f"{each[:1].upper()}{each[1:]}." for each in (problem, more) if each]


def _list(ask: Ask[OfAlerts]) -> Page[Alert]:
    known, sight = alerts_now(ask.stores), sight_of(ask.stores, ask.viewer.portfolios)
    wanted = _wanted(ask.query, sight.seen(known.firing))
    part, following = part_of(sorted(wanted, key=_key), _key, ask.begins)
    return Page[Alert](
        items=[alert_of(each) for each in part], next=following, told=told_beside(known, sight),
        **dict(age_of(known, ask.now)),
    )  # fmt: skip


def _wanted(query: OfAlerts, firing: Sequence[FiringAlert]) -> list[FiringAlert]:
    matchers = matchers_of([query.matchers], "matchers") if query.matchers else []
    held = meant(matchers, [orjson.loads(each.labels) for each in firing])
    return [
        each
        for each, is_meant in zip(firing, held, strict=True)
        if is_meant
        and query.severity in ("", each.severity)
        and (not query.at_least or Severity.of(each.severity) >= Severity.of(query.at_least))
        and query.rule in ("", each.rule)
        and query.category in ("", each.category)
        and (not query.muted or bool(each.muted_by) == (query.muted == "true"))
    ]


def _key(alert: FiringAlert) -> tuple[int, float, str]:
    """Return what orders alerts: the gravest first, of those the newest."""
    return -Severity.of(alert.severity), -alert.since, alert.key


def _one(ask: Ask[Parameters]) -> Incident:
    known, sight = alerts_now(ask.stores), sight_of(ask.stores, ask.viewer.portfolios)
    asked, firing = ask.parts["id"], sight.seen(known.firing)
    alert = next((each for each in firing if each.key == asked), None)
    if alert is not None and not alert.incident:
        return _of_none(alert, age_of(known, ask.now))
    id = alert.incident if alert is not None else number_of(asked)
    mine = [each for each in firing if each.incident == id]
    open_one = next((each for each in sight.incidents(known.incidents, firing) if each.incident == id), None)
    with ask.stores.state.reading() as connection:
        kept = incident_in(connection, id) if sight.is_whole or mine else None
        messages = messages_of(connection, id) if sight.is_whole else []
        requests = alert_requests.requests_of(connection, id) if sight.is_whole else []
    if kept is None:
        raise _missing(asked)
    if not sight.is_whole:
        # What its alerts have in common may name others.
        kept = replace(kept, group="")
    return _told(kept, open_one, mine, messages, requests, age_of(known, ask.now))


def _ask(ask: Ask[Parameters]) -> Requested:
    body, known = ask.sent(Action), alerts_now(ask.stores)
    id = _incident_of(ask, known)
    if body.action == "resolve" and body.until is not None:
        raise Refused(422, "What is resolved has no end.", field="until", fix="Leave it out.")
    if body.action != "resolve" and body.until is None:
        raise Refused(422, "until is missing.", field="until", fix="Give a time, such as in an hour, RFC 3339.")
    request = alert_requests.Request(
        id, alert_requests.Ask(body.action), ask.viewer.name, ask.now,
        until=body.until.timestamp() if body.until else 0.0, note=body.note,
    )  # fmt: skip
    number = alert_requests.ask(ask.stores.state, request)
    return _requested(request, number, known.problem if known.is_stale else "")


def _incident_of(ask: Ask[Parameters], known: AlertsNow) -> int:
    """Return the incident of the path. Raises Refused for one that may not be seen, or not by all its alerts."""
    asked, sight = ask.parts["id"], sight_of(ask.stores, ask.viewer.portfolios)
    firing = sight.seen(known.firing)
    alert = next((each for each in firing if each.key == asked), None)
    if alert is not None and not alert.incident:
        raise Refused(422, "This alert is of no incident: a person has resolved it.", field="id")
    id = alert.incident if alert is not None else number_of(asked)
    if not sight.is_whole:
        if not any(each.incident == id for each in firing):
            raise _missing(asked)
        if not sight.acts_on(id, known.incidents, firing):
            raise Refused(403, OTHERS, field="id", fix="Ask somebody who may see every portfolio.")
    with ask.stores.state.reading() as connection:
        if incident_in(connection, id) is None:
            raise _missing(asked)
    return id


def number_of(text: str) -> int:
    """Return the number that a part of the path tells; 0 where it tells none that can be."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
    return number if number <= HIGHEST_NUMBER else 0


def alert_of(each: FiringAlert) -> Alert:
    """Return an alert as it is told."""
    return Alert(
        key=each.key, incident=each.incident or None, rule=each.rule, title=each.title, severity=each.severity,
        category=each.category, labels=orjson.loads(each.labels), phase=each.phase, since=at(each.since),
        value=each.value, text=each.text, muted_by=each.muted_by, acknowledged_by=each.acknowledged_by,
        is_snoozed=each.is_snoozed, is_flapping=each.is_flapping,
        clear_since=None if each.clear_since is None else at(each.clear_since),
    )  # fmt: skip


def _missing(asked: str) -> Refused:
    fix = "Give `incident` or `key` of an alert that /alerts lists."
    return Refused(404, f"There is no alert or incident {asked[:80]!r}.", field="id", fix=fix)


def _of_none(alert: FiringAlert, aged: Aged) -> Incident:
    return Incident(
        incident=None, group="", severity=alert.severity, stage="", opened_at=None, closed_at=None, closed_by="",
        alerts=[alert_of(alert)], told=[], untold=[], told_at=None, acknowledged_by="",
        acknowledged_until=None, steps_taken=0,
        next_about="", next_at=None, reason="a person has resolved it, and it fires on", messages=[], requests=[],
        **dict(aged),
    )  # fmt: skip


def _told(
    kept: KeptIncident,
    known: OpenIncident | None,
    firing: Sequence[FiringAlert],
    messages: Sequence[KeptMessage],
    requests: Sequence[alert_requests.Request],
    aged: Aged,
) -> Incident:
    """Return an incident: what is kept of it, and what the engine told while it is open."""
    is_open = kept.closed_at is None and known is not None
    severity = known.severity if known else orjson.loads(kept.body).get("severity", "")
    return Incident(
        incident=kept.id, group=kept.group, severity=_word(severity), stage=kept.stage, opened_at=at(kept.opened_at),
        closed_at=at(kept.closed_at), closed_by=kept.closed_by,
        alerts=[alert_of(each) for each in firing] if is_open else [],
        told=known.told if known else [], untold=known.untold if known else [],
        told_at=at(known.told_at) if known else None,
        acknowledged_by=known.acknowledged_by if known else "",
        acknowledged_until=at(known.acknowledged_until or None) if known else None,
        steps_taken=known.steps_taken if known else 0, next_about=known.next_about if known else "",
        next_at=at(known.next_at or None) if known else None, reason=known.reason if known else "",
        messages=[_sent(each) for each in messages], requests=[_requested(each, each.id, "") for each in requests],
        **dict(aged),
    )  # fmt: skip


def _word(severity: str | int) -> str:
    return Severity(severity).word if isinstance(severity, int) else severity


def _sent(each: KeptMessage) -> Sent:
    return Sent(
        number=each.number, receiver=each.receiver, about=each.about, status=each.status, muted_by=each.muted_by,
        made_at=at(each.made_at), attempts=each.attempts, done_at=at(each.done_at), problem=each.problem,
    )  # fmt: skip


def _requested(each: alert_requests.Request, id: int, told: str) -> Requested:
    return Requested(
        id=id, incident=each.incident, action=each.what.value, who=each.who, at=at(each.at),
        until=at(each.until or None), note=each.note, status=each.status, why_not=each.why_not, told=told,
    )  # fmt: skip


ID = {"id": "`incident` or `key` as /alerts says."}
OPERATIONS = (
    Operation(path="/alerts", summary="What fires, the gravest first. While nobody evaluates it is `stale`, and nobody "
              "knows what fires.", answer=_list, model=Page[Alert], query=OfAlerts, tag=TAG,
              datasets=lambda _: (ALERTS, "portfolio")),
    Operation(path="/alerts/{id}", summary="One incident, by its number or by an alert of it: its alerts, who was "
              "told, and what was asked.", answer=_one, model=Incident, parts=ID, tag=TAG),
    Operation(path="/alerts/{id}/actions", method="POST", summary="Acknowledge, snooze or resolve an incident. The "
              "engine takes it up within seconds: `requests` of the incident says what became of it.", answer=_ask,
              model=Requested, body=Action, status=202, parts=ID, tag=TAG, role=CHANGING_ROLE, scope=SCOPE),
)  # fmt: skip
