"""The line on top of the pages of alerts: what fires, or that nothing does, and whether that is so now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dash import html

from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert
from core.format import count
from core.model import Status, worst
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
    quiet = [each for each in known.firing if each.muted_by]
    fires = f"{count(known.loud, 'alert')} firing" if known.loud else quiet_line(quiet)
    parts = [f"{fires}{': ' if told else ''}{', '.join(told)}"]
    parts += [f"{len(quiet)} kept quiet"] if quiet and known.loud else []
    sentence: list[Any] = [" · ".join([*parts, rules]), " ", *evaluated]
    if gravest is None:
        return verdict(
            worst([LEVELS[Severity.of(each.severity)] for each in quiet]), html.Span(sentence), word="kept quiet"
        )
    return verdict(LEVELS[gravest], html.Span(sentence), badge=severity_badge(gravest))


def quiet_line(quiet: Sequence[FiringAlert]) -> str:
    """Return that all that fires is kept quiet, with how grave it is: quiet is not calm."""
    by_severity = Counter(each.severity for each in quiet)
    grave = [f"{by_severity[each.word]} {each.word}" for each in reversed(Severity) if by_severity[each.word]]
    fires = "fires and is" if len(quiet) == 1 else "fire and are"
    return f"{count(len(quiet), 'alert')} {fires} kept quiet: {', '.join(grave)}"


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
