"""The line on top of the pages of alerts: what fires, or that nothing does, and whether that is so now."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dash import html

from core.alerts.severity import Severity
from core.format import count
from core.model import Status
from dashboard.alerts.known import Known
from dashboard.alerts.parts import severity_badge
from dashboard.components.age import age, local_time
from dashboard.components.card import verdict
from status.freshness import reading_stale_after_seconds

LEVELS = {
    Severity.INFO: Status.OK, Severity.WARNING: Status.WARNING, Severity.CRITICAL: Status.CRITICAL,
    Severity.URGENT: Status.CRITICAL,
}  # fmt: skip


def alerts_verdict(known: Known) -> html.Div:
    """Return the line. What is old is told as such."""
    if known.problem:
        return verdict(Status.UNKNOWN, _problem(known), word="not evaluated")
    gravest = known.gravest
    evaluated: list[Any] = ["evaluated ", age(known.evaluated_at, reading_stale_after_seconds(known.reading))]
    rules = count(len(known.costs), "rule")
    if not known.firing:
        return verdict(Status.OK, html.Span([f"Nothing fires · {rules} ", *evaluated]), word="calm")
    by_severity = Counter(each.severity for each in known.firing if not each.muted_by)
    told = [f"{by_severity[each.word]} {each.word}" for each in reversed(Severity) if by_severity[each.word]]
    quiet = sum(bool(each.muted_by) for each in known.firing)
    fires = f"{count(known.loud, 'alert')} firing" if known.loud else "Nothing fires that is told"
    parts = [f"{fires}{': ' if told else ''}{', '.join(told)}", *([f"{quiet} kept quiet"] if quiet else [])]
    sentence: list[Any] = [" · ".join([*parts, rules]), " ", *evaluated]
    if gravest is None:
        return verdict(Status.OK, html.Span(sentence), word="calm")
    return verdict(LEVELS[gravest], html.Span(sentence), badge=severity_badge(gravest))


def _problem(known: Known) -> html.Span:
    if known.evaluated_at is None:
        return html.Span(known.problem)
    since: list[Any] = [
        "Alerts are not evaluated since ",
        local_time(known.evaluated_at, "span"),
        ". ",
        known.problem,
        " What stands below is the last that is known.",
    ]
    return html.Span(since)
