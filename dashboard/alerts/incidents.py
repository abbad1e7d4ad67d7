"""What fires now, incident by incident: how grave, since when, who was told, what comes next, who has it in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from dash import html

from access.viewer import ACTING_ROLE
from core.alerts.rule import Rule
from core.alerts.spec import FiringAlert, OpenIncident
from core.alerts.thresholds import limit_at
from core.format import coarse_duration, count, first_of
from dashboard.alerts.actions import common_matchers, quick_form, whole_forms
from dashboard.alerts.known import RELEASED, Known, labels_of, severity_of
from dashboard.alerts.messages import name_of_message
from dashboard.alerts.parts import (
    ahead,
    facts,
    held_words,
    labels_text,
    quiet_words,
    severity_badge,
    severity_cell,
    unit_of_rule,
    value_text,
)
from dashboard.components.age import age, local_time
from dashboard.components.attributes import attributes
from dashboard.components.choices import choice_button
from dashboard.components.needing import needing
from dashboard.components.table import Cell, Column, data_table, whole_cell
from portfolio.alerts import Sight
from portfolio.vocabulary import unit_of_operand
from storage.state.alert_requests import WAITING, Request
from storage.state.alerts import KeptIncident, KeptMessage

ID = "alerts"
MOST_INCIDENTS = 50
MOST_ALERTS, MOST_QUIET_ALERTS = 10, 3
"""Of an incident that is listed beside others; of one that somebody has in hand, or that is not told."""
STORM = 50
"""Where more alerts fire, of each incident no more are listed than of a quiet one: all incidents stay in sight."""
SNOOZED = "snoozed"
"""The stage of an incident that somebody put off."""
MUTED = "muted"
"""What the reason begins with for which nothing of an incident is told."""
NEXT = {
    "opened": "told", "changed": "told", "raised": "told", "lowered": "told", "reminded": "told again",
    "escalated": "escalates", "exhausted": "the last step of its escalation ends",
    "ack_ended": "told that nobody has it", "snooze_ended": "told again",
}  # fmt: skip
"""What comes next, before "in 12 min"."""
_COLUMNS = (
    Column("text", "What", numeric=False),
    Column("severity", "Severity", numeric=False),
    Column("labels", "Labels", numeric=False),
    Column("value", "Value", definition="As of the last evaluation; of what is clear and not over yet, as it fired"),
    Column("since", "Since", numeric=False),
)
_LIMIT = Column("limit", "Fires at", definition="The value at which it fires with this severity")
_COURSE = Column(
    "course", "Course", numeric=False,
    definition="At least the last quarter of an hour, of portfolios at least the last hour or month",
)  # fmt: skip
_QUIET = Column("quiet", "Quiet", numeric=False, definition="What keeps it from being told")


@dataclass(frozen=True, slots=True)
class Shown:
    """What incidents are drawn from."""

    known: Known
    rules: Mapping[str, Rule]
    """Those in force, by name."""
    waiting: Sequence[Request] = ()
    """What was asked for and is not answered yet."""
    courses: Mapping[str, Any] = field(default_factory=dict)
    """What was measured since an alert began, by its key."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Addresses of the charts of what an alert is about, as it began, by its key."""


def listed(shown: Shown) -> list[Any]:
    """Return the incidents that are open, those that need somebody first, then the gravest; what is resolved last."""
    known = shown.known
    blocks: list[Any] = [_block(each, shown, most) for each, most in _listing(known)]
    if len(known.incidents) > MOST_INCIDENTS:
        more = count(len(known.incidents) - MOST_INCIDENTS, "more incident")
        blocks.append(html.P(f"And {more}, less grave or in somebody's hand.", className="fw-nothing"))
    released = known.of_incident.get(RELEASED, ())
    return [*blocks, *([_released(released, shown)] if released else [])]


def alerts_shown(known: Known, chosen: int) -> list[FiringAlert]:
    """Return the alerts that the page lists; chosen: the one incident that it shows, 0: all."""
    of = known.of_incident
    if chosen:
        return [*of.get(chosen, ())]
    some = [each for incident, most in _listing(known) for each in of.get(incident.incident, ())[:most]]
    return [*some, *of.get(RELEASED, ())]


def _listing(known: Known) -> list[tuple[OpenIncident, int]]:
    """Return the incidents that are listed, in order, and how many alerts of each."""
    incidents = sorted(known.incidents, key=lambda each: (is_in_hand(each), -severity_of(each.severity)))
    few = len(known.firing) > STORM
    return [
        (each, MOST_QUIET_ALERTS if few or is_in_hand(each) else MOST_ALERTS) for each in incidents[:MOST_INCIDENTS]
    ]


def one(incident: OpenIncident, shown: Shown) -> html.Article:
    """Return an incident alone, with all that fires of it."""
    return _block(incident, shown, len(shown.known.firing), is_alone=True)


def closed(kept: KeptIncident, messages: Sequence[KeptMessage], sight: Sight) -> html.Article:
    """Return what an incident was that is over: what it was called, its span, and who resolved it. messages: of it."""
    called = next((named for each in reversed(messages) if (named := name_of_message(each, sight))), "")
    head = html.Div(
        [
            html.H3(called or f"Incident {kept.id}", className="fw-incident-title"),
            html.Span(f"#{kept.id}", className="fw-incident-number"),
        ],
        className="fw-incident-head",
    )
    ended = kept.closed_at if kept.closed_at is not None else kept.opened_at
    by = f"resolved by {kept.closed_by}" if kept.closed_by else "ended by itself"
    span: list[Any] = ["from ", local_time(kept.opened_at, "span"), " to ", local_time(ended, "span"),
                       f" ({coarse_duration(ended - kept.opened_at)})"]  # fmt: skip
    return html.Article([head, facts("over", html.Span(span), by)], className="fw-incident")


def is_in_hand(incident: OpenIncident) -> bool:
    """Return whether somebody has an incident in hand, or nothing of it is told."""
    return bool(incident.acknowledged_until) or incident.reason.startswith(MUTED)


def everything_asked(incident: OpenIncident, shown: Shown) -> html.Div:
    """Return the forms of all that operators can do about an incident."""
    matchers = common_matchers(shown.known.of_incident.get(incident.incident, ()))
    link = html.A(
        "Silence it …", href=f"/alerts/silences?{urlencode({'matchers': matchers})}", className="fw-choice-button"
    )
    silence = [html.P(link, className="fw-incident-silence")] if matchers and shown.known.sight.is_whole else []
    return html.Div(
        [html.Div(whole_forms(incident.incident), className="fw-forms"), *silence],
        className="fw-incident-does",
        **needing(ACTING_ROLE),
    )


def _block(incident: OpenIncident, shown: Shown, most: int, *, is_alone: bool = False) -> html.Article:
    known, id = shown.known, incident.incident
    alerts = known.of_incident.get(id, ())
    severity = max((severity_of(each.severity) for each in alerts), default=severity_of(incident.severity))
    head = html.Div(
        [
            severity_badge(severity),
            html.H3(title_of(incident, alerts), className="fw-incident-title"),
            age(incident.opened_at),
            html.Span(f"#{id}", className="fw-incident-number")
            if is_alone
            else choice_button(ID, {"incident": str(id)}, f"#{id}", label=f"Incident {id}: who was told, what to do"),
        ],
        className="fw-incident-head",
    )
    hidden = len(alerts) - most
    more = (
        [html.P(choice_button(ID, {"incident": str(id)}, f"And {count(hidden, 'more alert')} …"))] if hidden > 0 else []
    )
    parts = [head, *(_only(alerts[0], shown) if len(alerts) == 1 else []), _facts(incident, len(alerts), shown)]
    if len(alerts) != 1:
        parts += [_table(f"{ID}-of-{id}", alerts[:most], shown), *more]
    if not is_alone:
        parts.append(_does(incident))
    return html.Article(
        parts, id=f"{ID}-incident-{id}", className=f"fw-incident fw-severity-{severity.word}",
        **attributes(data_quiet="" if is_in_hand(incident) else None),
    )  # fmt: skip


def _does(incident: OpenIncident) -> html.Div:
    """Return what operators can do at once, and the way to the rest."""
    rest = choice_button(ID, {"incident": str(incident.incident)}, "Snooze, resolve, silence …")
    held = [] if incident.acknowledged_until else [quick_form(incident.incident)]
    return html.Div([*held, rest], className="fw-incident-act", **needing(ACTING_ROLE))


def _only(alert: FiringAlert, shown: Shown) -> list[Any]:
    """Return what is known of the only alert of an incident beside its text."""
    row = _row(alert, shown)
    muted = quiet_words(alert.muted_by) if alert.muted_by else ""
    value, limit = row["value"].content, row["limit"].content
    against = f"{value} (fires at {limit})" if value and limit else value
    course = shown.courses.get(alert.key)
    place = shown.places.get(alert.key)
    charts = html.A("Charts as it began", href=place) if place else ""
    pauses = _pauses(alert, shown).strip(" ()")
    told = facts(row["labels"].content, against, alert.title, pauses, charts, muted)
    return [told, *([html.Div(course, className="fw-incident-course")] if course is not None else [])]


def title_of(incident: OpenIncident, alerts: Sequence[FiringAlert]) -> str:
    """Return what an incident is called, by what of it fires."""
    if len(alerts) == 1:
        return alerts[0].text
    titles = [*dict.fromkeys(each.title for each in alerts)]
    if not titles:
        return f"Incident {incident.incident}"
    return f"{first_of(titles)}: {count(len(alerts), 'alert')}"


def _facts(incident: OpenIncident, seen: int, shown: Shown) -> html.P:
    now, whole = shown.known.now, shown.known.sight.is_whole
    alerts = incident.alerts if whole else seen
    held: list[Any] = []
    if incident.acknowledged_until:
        does = held_words(incident.acknowledged_by, is_snoozed=incident.stage == SNOOZED)
        held = [f"{does} until ", local_time(incident.acknowledged_until, "span")]
    asked = [
        f"{each.what} asked for by {each.who or 'somebody'}" for each in shown.waiting
        if each.incident == incident.incident and each.status == WAITING
    ]  # fmt: skip
    return facts(
        count(alerts, "alert") if alerts != 1 else "",
        _told(incident),
        html.Span(_next(incident, now, is_whole=whole)),
        html.Span(held) if held else "",
        html.Strong("; ".join(asked)) if asked else "",
        *_runbooks(incident, shown),
    )


def _runbooks(incident: OpenIncident, shown: Shown) -> list[html.A]:
    """Return where it is written what to do, a link for each rule that says it."""
    named = [*dict.fromkeys(each.rule for each in shown.known.of_incident.get(incident.incident, ()))]
    found = [rule for name in named if (rule := shown.rules.get(name)) and rule.runbook]
    return [
        html.A(
            "Runbook" if len(named) == 1 else f"Runbook of {rule.title or rule.name}", href=rule.runbook,
            target="_blank", rel="noopener noreferrer",
        )
        for rule in found
    ]  # fmt: skip


def _told(incident: OpenIncident) -> Any:
    if not incident.told and not incident.untold:
        return "nobody was told"
    reached = [f"told {first_of(incident.told)}"] if incident.told else []
    missed = [f"not reached yet: {first_of(incident.untold)}"] if incident.untold else []
    told: list[Any] = ["; ".join([*reached, *missed])]
    if incident.told and incident.told_at:
        told += [", last ", local_time(incident.told_at, "span")]
    return html.Span(told)


def _next(incident: OpenIncident, now: float, *, is_whole: bool) -> str:
    if not incident.next_about:
        if incident.reason.startswith(MUTED) and not is_whole:
            return f"nothing comes next: it is {MUTED}"
        return f"nothing comes next: {incident.reason}" if incident.reason else "nothing comes next"
    return f"{NEXT.get(incident.next_about, incident.next_about)} {ahead(incident.next_at, now)}"


def _released(alerts: Sequence[FiringAlert], shown: Shown) -> html.Article:
    head = html.Div(
        [html.H3("Resolved by hand, and firing on", className="fw-incident-title")], className="fw-incident-head"
    )
    told = facts(count(len(alerts), "alert"), "told again after they were clear")
    table = _table(f"{ID}-of-none", alerts, shown)
    return html.Article([head, told, table], id=f"{ID}-released", className="fw-incident", **attributes(data_quiet=""))


def _table(id: str, alerts: Sequence[FiringAlert], shown: Shown) -> html.Div:
    rows = [_row(each, shown) for each in alerts]
    columns = [*_COLUMNS]
    if any(row["limit"].content for row in rows):
        columns.append(_LIMIT)
    if any(each.key in shown.courses for each in alerts):
        columns.append(_COURSE)
    if any(each.muted_by for each in alerts):
        columns.append(_QUIET)
    return data_table(id, columns, rows, caption="Alerts", nothing="Which alerts these are is not told.")


def _row(alert: FiringAlert, shown: Shown) -> dict[str, Any]:
    rule = shown.rules.get(alert.rule)
    watches = "; ".join(f"{severity.word}: {each}" for severity, each in _watched(rule)) if rule else ""
    unit = unit_of_rule(rule)
    return {
        "severity": severity_cell(severity_of(alert.severity)),
        "text": Cell(
            f"{alert.text}{_pauses(alert, shown)}", mark="fw-wraps", hint=f"{alert.title}: {watches}" if watches else ""
        ),
        "labels": whole_cell(labels_text(labels_of(alert)) or None),
        "value": Cell(value_text(alert.value, unit), sort=alert.value, unit="s" if unit == "seconds" else unit),
        "limit": Cell(_limit(alert, rule)),
        "course": Cell(shown.courses.get(alert.key), sort=""),
        "since": Cell(_since(alert, shown), sort=alert.since),
        "quiet": whole_cell(alert.muted_by or None),
    }


def _pauses(alert: FiringAlert, shown: Shown) -> str:
    """Return that it flaps, or is clear and not over yet; empty: it simply fires."""
    clear = "" if alert.clear_since is None else f"clear for {coarse_duration(shown.known.now - alert.clear_since)}"
    words = ", ".join(each for each in ("flapping" if alert.is_flapping else "", clear) if each)
    return f" ({words})" if words else ""


def _since(alert: FiringAlert, shown: Shown) -> Any:
    """Return when it began, as a link to the charts of what it is about."""
    began, place = local_time(alert.since, "span"), shown.places.get(alert.key)
    return html.A(began, href=place, title="Charts as it began") if place else began


def _limit(alert: FiringAlert, rule: Rule | None) -> str | None:
    """Return with what the value of an alert is compared, such as > 80 %; None: with no number."""
    found = limit_at(rule, severity_of(alert.severity)) if rule else None
    if found is None:
        return None
    operand, sign, limit = found
    text = value_text(limit, unit_of_operand(operand))
    return f"{sign} {text}" if text else None


def _watched(rule: Rule) -> list[tuple[Any, str]]:
    if rule.levels:
        return sorted(rule.levels.items(), reverse=True)
    return [(rule.severity, rule.when)]
