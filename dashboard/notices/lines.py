"""A notice as a line of the panel and as a toast: sign and word of what happened, one sentence, its time and place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dash import html

from core.alerts.severity import Severity
from dashboard.alerts.parts import SIGNS, STATES
from dashboard.components.age import local_time
from dashboard.components.attributes import attributes
from dashboard.components.markup import markup
from portfolio.notices.notice import Kind, Level, Notice

WORDS: Mapping[Kind, str] = MappingProxyType({
    Kind.FIRES: "fires", Kind.RAISED: "worse", Kind.RESOLVED: "is over", Kind.ACKNOWLEDGED: "acknowledged",
    Kind.SNOOZED: "snoozed", Kind.RESOLVED_BY_HAND: "resolved by hand", Kind.ESCALATED: "escalated",
    Kind.EXHAUSTED: "nobody left to tell", Kind.UNDELIVERED: "not delivered", Kind.HALTED: "halted",
    Kind.RESUMED: "resumed", Kind.SAFE: "ready", Kind.NOT_SAFE: "not safe", Kind.TAKEN: "imported",
    Kind.REFUSED: "refused", Kind.UNDONE: "import undone", Kind.SILENCED: "silenced",
    Kind.SILENCE_OVER: "silence over", Kind.MUTED: "all muted", Kind.MAINTENANCE_MADE: "maintenance planned",
    Kind.MAINTENANCE: "maintenance", Kind.MAINTENANCE_OVER: "maintenance over",
})  # fmt: skip
"""What happened, in a word or two."""
GOOD_SIGN, GOOD_STATE = "✓", "ok"


def sign_of(level: Level) -> str:
    """Return the sign of a level."""
    return GOOD_SIGN if level is Level.GOOD else SIGNS[Severity.of(level)]


def word_of(notice: Notice) -> str:
    """Return what happened, with how grave it is where it is an alert that begins or gets worse."""
    word = WORDS[notice.kind]
    return f"{notice.level} · {word}" if notice.kind in (Kind.FIRES, Kind.RAISED) else word


def line(notice: Notice, *, is_new: bool) -> str:
    """Return a notice as markup; is_new: the reader has not seen it."""
    state = GOOD_STATE if notice.level is Level.GOOD else STATES[Severity.of(notice.level)]
    sign = html.Span(sign_of(notice.level), className="fw-sign", **attributes(aria_hidden="true"))
    head: list[Any] = [html.Span([sign, word_of(notice)], className=f"fw-state fw-state-{state}")]
    if notice.name:
        head.append(html.Span(notice.name, className="fw-notice-of"))
    if is_new:
        head.append(html.Span("not seen", className="fw-notice-new"))
    head.append(local_time(notice.at, "time"))
    text = html.A(notice.sentence, href=notice.href, className="fw-notice-text")
    data = attributes(data_kind=notice.kind, data_new="" if is_new else None)
    return markup([html.Li([html.Div(head, className="fw-notice-head"), text], className="fw-notice", **data)])
