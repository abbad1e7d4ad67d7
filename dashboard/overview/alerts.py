"""The open alerts of the Overview: the gravest first, of equal ones the newest; and taking one in hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.alerts.severity import Severity
from core.alerts.spec import ALERTS, FiringAlert, OpenIncident
from core.format import count, cut
from core.model import LiveReading, Status
from core.tables import rows_of
from dashboard.access.common import told
from dashboard.components.age import age
from dashboard.components.card import state_badge
from dashboard.components.form import form, hidden
from dashboard.views.form import Form, Said, Sent
from portfolio.alerts import sight_of
from storage.state.alert_requests import Ask, Request, ask

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.stores import Stores

PATH = "/alerts"
ACKNOWLEDGE = "/overview/acknowledge"
HAND_SECONDS = 3_600.0
"""For so long somebody who takes an alert in hand has it."""
MOST_SHOWN = 5
TEXT_CHARACTERS = 110
GRAVEST_FIRST = tuple(sorted(Severity, reverse=True))
STATES = {
    Severity.URGENT: Status.CRITICAL, Severity.CRITICAL: Status.CRITICAL, Severity.WARNING: Status.WARNING,
    Severity.INFO: Status.UNKNOWN,
}  # fmt: skip


def newest_alerts(stores: Stores) -> LiveReading | None:
    """Return the newest reading of the alert engine; None: there is none."""
    return max(stores.live.every_reading([ALERTS]), key=lambda each: each.ts, default=None)


def seen_alerts(stores: Stores, reading: LiveReading | None, limits: Limits) -> list[FiringAlert]:
    """Return the alerts that fire and may be seen, the gravest first, then the newest. Raises StorageUnavailable."""
    if reading is None:
        return []
    found = sight_of(stores, limits).seen(rows_of(reading.tables, FiringAlert))
    return sorted(found, key=lambda each: (bool(each.muted_by), -Severity.of(each.severity), -each.since))


def alert_list(found: Sequence[FiringAlert], *, is_evaluated: bool) -> html.Div:
    """Return the alerts as a list; is_evaluated: whether an engine told them a moment ago."""
    loud = [each for each in found if not each.muted_by]
    quiet = len(found) - len(loud)
    if not loud:
        nothing = "No alert fires." if is_evaluated else "No alert is known: they are not evaluated now."
        rest = f" {count(quiet, 'alert')} kept quiet." if quiet else ""
        return html.Div(html.P([nothing, html.A(rest, href=PATH)] if rest else nothing, className="fw-nothing"))
    more = len(loud) - MOST_SHOWN
    tail = [f"{count(more, 'more alert')}" if more > 0 else "", f"{count(quiet, 'alert')} kept quiet" if quiet else ""]
    said = " · ".join(each for each in tail if each)
    return html.Div(
        [
            html.Ul([_item(each) for each in loud[:MOST_SHOWN]], className="fw-alerts"),
            html.P(html.A(said, href=PATH), className="fw-alerts-more") if said else None,
        ]
    )


def counts_line(found: Sequence[FiringAlert]) -> html.Span:
    """Return how many alerts fire of each severity, the gravest first."""
    counted = Counter(each.severity for each in found if not each.muted_by)
    parts: list[Any] = []
    for severity in GRAVEST_FIRST:
        if number := counted[severity.word]:
            parts += [state_badge(STATES[severity], f"{number} {severity.word}"), " "]
    return html.Span(parts or "none")


def _item(each: FiringAlert) -> html.Li:
    severity = Severity.of(each.severity)
    head: list[Any] = [
        state_badge(STATES[severity], severity.word), html.A(each.title, href=PATH, className="fw-alert-title"),
        age(each.since, prefix="for "),
    ]  # fmt: skip
    if each.acknowledged_by:
        head.append(html.Span(f"in hand: {each.acknowledged_by}", className="fw-alert-hand"))
    elif each.incident:
        fields = hidden("incident", str(each.incident))
        name = f"overview-hand-{each.incident}-{each.key}"
        head.append(form(ACKNOWLEDGE, fields, id=name, does="Acknowledge", role=CHANGING_ROLE))
    return html.Li(
        [
            html.Div(head, className="fw-alert-head"),
            html.P(cut(each.text, TEXT_CHARACTERS), className="fw-alert-text", title=each.text),
        ]
    )


def forms(stores: Stores) -> list[Form]:
    """Return what the page's form does."""

    def acknowledge(sent: Sent, viewer: Viewer) -> Said:
        reading = newest_alerts(stores)
        shown = seen_alerts(stores, reading, viewer.portfolios)
        incident = int(sent["incident"]) if sent["incident"].isdecimal() else 0
        if reading is None or not any(each.incident == incident for each in shown if each.incident):
            return Said("It is over.", is_done=False)
        sight = sight_of(stores, viewer.portfolios)
        if not sight.acts_on(incident, rows_of(reading.tables, OpenIncident), shown):
            return Said("It needs somebody who may see every portfolio.", is_done=False)
        now = stores.clock.now()
        ask(stores.state, Request(incident, Ask.ACKNOWLEDGE, viewer.name, now, now + HAND_SECONDS))
        return Said("You have it in hand for an hour.")

    return [Form(ACKNOWLEDGE, told(stores, ALERTS, acknowledge), CHANGING_ROLE)]
