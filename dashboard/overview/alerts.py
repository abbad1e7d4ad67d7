"""The open alerts of the Overview: the gravest first, of equal ones the newest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert
from core.format import count, cut
from core.model import Status
from dashboard.alerts.actions import PATH, hour_button
from dashboard.components.age import age
from dashboard.components.card import state_badge
from portfolio.alerts import sight_of

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.stores import Stores

MOST_SHOWN = 5
TEXT_CHARACTERS = 110
GRAVEST_FIRST = tuple(sorted(Severity, reverse=True))
STATES = {
    Severity.URGENT: Status.CRITICAL, Severity.CRITICAL: Status.CRITICAL, Severity.WARNING: Status.WARNING,
    Severity.INFO: Status.UNKNOWN,
}  # fmt: skip


def seen_alerts(stores: Stores, firing: Sequence[FiringAlert], limits: Limits) -> list[FiringAlert]:
    """Return the alerts that fire and may be seen, the gravest first, then the newest. Raises StorageUnavailable."""
    found = sight_of(stores, limits).seen(firing)
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
        held = "snoozed" if each.is_snoozed else "in hand"
        head.append(html.Span(f"{held}: {each.acknowledged_by}", className="fw-alert-hand"))
    elif each.incident:
        head.append(hour_button(each.incident, id=f"overview-hand-{each.incident}-{each.key}"))
    return html.Li(
        [
            html.Div(head, className="fw-alert-head"),
            html.P(cut(each.text, TEXT_CHARACTERS), className="fw-alert-text", title=each.text),
        ]
    )
