"""What every page of alerts writes in one way: severities, labels, values, spans to come, pages of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from core.alerts.labels import OWN
from core.alerts.rule import Rule
from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert
from core.format import coarse_duration, in_unit
from dashboard.components.attributes import attributes
from dashboard.components.choices import choice_button
from dashboard.components.quick import quick
from dashboard.components.table import Cell
from portfolio.vocabulary import unit_of_operand

SIGNS = {Severity.INFO: "ℹ", Severity.WARNING: "▲", Severity.CRITICAL: "✕", Severity.URGENT: "‼"}
QUIET_SIGN, IN_HAND_SIGN, SNOOZED_SIGN = "⊘", "✓", "◷"
STATES = {
    Severity.INFO: "unknown", Severity.WARNING: "warning", Severity.CRITICAL: "critical", Severity.URGENT: "critical",
}  # fmt: skip
"""Colours that severities have, as states of components name them."""
PAGE_ROWS = 100
ANY = ("any", "any")
"""The option of a filter that leaves nothing out."""
LASTS = (
    ("900", "15 min"), ("1800", "30 min"), ("3600", "1 h"), ("7200", "2 h"), ("14400", "4 h"), ("28800", "8 h"),
    ("86400", "1 day"), ("259200", "3 days"), ("604800", "7 days"), ("2592000", "30 days"),
)  # fmt: skip
"""For how long something is asked for."""
HOUR = "3600"


def severity_badge(severity: Severity, word: str = "") -> html.Span:
    """Return a severity as sign and word, never as colour alone; word: instead of its own, such as "3 urgent"."""
    return quick(
        html.Span,
        [
            quick(html.Span, SIGNS[severity], className="fw-sign", **attributes(aria_hidden="true")),
            word or severity.word,
        ],
        className=f"fw-state fw-state-{STATES[severity]} fw-severity-{severity.word}",
    )


def held_words(who: str, *, is_snoozed: bool) -> str:
    """Return that somebody has an incident in hand, or put it off."""
    return f"snoozed by {who or 'somebody'}" if is_snoozed else f"{who or 'Somebody'} has it in hand"


def quiet_words(muted_by: str) -> str:
    """Return what keeps an alert from being told."""
    return f"quiet: {muted_by}"


def standing(alert: FiringAlert) -> html.Span | None:
    """Return, as sign and words, what keeps an alert quiet or who has it in hand; None: it needs somebody."""
    if alert.muted_by:
        sign, words = QUIET_SIGN, quiet_words(alert.muted_by)
    elif alert.acknowledged_by:
        sign = SNOOZED_SIGN if alert.is_snoozed else IN_HAND_SIGN
        words = held_words(alert.acknowledged_by, is_snoozed=alert.is_snoozed)
    else:
        return None
    return html.Span(
        [html.Span(sign, className="fw-sign", **attributes(aria_hidden="true")), " ", words], className="fw-alert-hand"
    )


def severity_cell(severity: Severity | None) -> Cell:
    """Return the cell of a severity, which sorts by it."""
    return Cell(severity_badge(severity), sort=float(severity)) if severity else Cell(None)


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as a sentence has them: "host a, mount /data", without those that every alert has."""
    return ", ".join(f"{name} {value}" for name, value in labels.items() if name not in OWN)


def unit_of_rule(rule: Rule | None) -> str:
    """Return the unit of the value of a rule's alerts: of several figures that is the one which stands first."""
    return unit_of_operand(rule.operands[0]) if rule else ""


def value_text(value: float | None, unit: str) -> str | None:
    """Return the value of an alert; None where there is none, or it is a state, which the text tells."""
    if value is None or unit == "state":
        return None
    return in_unit(value, unit)


def ahead(at: float, now: float) -> str:
    """Return when something is to come: "in 12 min", "now"."""
    return f"in {coarse_duration(at - now)}" if at - now >= 1 else "now"


def chosen_or_any(choices: Mapping[str, str], name: str) -> str:
    """Return what a filter is set to; empty: it leaves nothing out."""
    chosen = choices.get(name, "")
    return "" if chosen == ANY[0] else chosen


def page_of(text: str) -> int:
    """Return the number of a page that a choice wants, from 0."""
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def turning(id: str, told: str, page: int, *, has_older: bool) -> html.Div:
    """Return how much is shown, and the buttons that turn to newer and older rows."""
    newer = str(page - 1) if page > 1 else None
    return html.Div(
        [
            html.Span(told),
            choice_button(id, {"page": newer}, "‹ Newer", off="" if page else "These are the newest."),
            choice_button(id, {"page": str(page + 1)}, "Older ›", off="" if has_older else "These are the oldest."),
        ],
        className="fw-turning",
    )


def facts(*parts: Any) -> html.P:
    """Return a line of facts, those that are there, with a dot between two."""
    there = [part for part in parts if part]
    return html.P([x for at, part in enumerate(there) for x in ([" · ", part] if at else [part])], className="fw-facts")
