"""The open alerts of the Overview: those nobody has in hand first, the gravest, of equal ones the newest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from core.alerts.severity import Severity
from core.alerts.spec import FiringAlert
from core.format import count, cut
from dashboard.alerts.actions import PATH, hour_button
from dashboard.alerts.parts import severity_badge, standing
from dashboard.alerts.verdict import quiet_line
from dashboard.components.age import age
from portfolio.alerts import sight_of

if TYPE_CHECKING:
    from portfolio.allowed import Limits
    from storage.stores import Stores

MOST_SHOWN = 5
TEXT_CHARACTERS = 110
GRAVEST_FIRST = tuple(sorted(Severity, reverse=True))


def seen_alerts(stores: Stores, firing: Sequence[FiringAlert], limits: Limits) -> list[FiringAlert]:
    """Return the alerts that fire and may be seen: those nobody has in hand first, the gravest, then the newest.

    Raises StorageUnavailable.
    """
    found = sight_of(stores, limits).seen(firing)
    return sorted(
        found,
        key=lambda each: (
            bool(each.muted_by),
            bool(each.acknowledged_by),
            -Severity.of(each.severity),
            -each.since,
        ),
    )


def alert_list(found: Sequence[FiringAlert], *, is_evaluated: bool) -> html.Div:
    """Return the alerts as a list; is_evaluated: whether an engine told them a moment ago."""
    loud = [each for each in found if not each.muted_by]
    quiet = len(found) - len(loud)
    if not loud:
        nothing = "No alert fires." if is_evaluated else "No alert is known: they are not evaluated now."
        told = html.A(f"{quiet_line(found)}.", href=PATH) if quiet and is_evaluated else nothing
        return html.Div(html.P(told, className="fw-nothing"))
    groups = _by_incident(loud)
    shown = groups[: MOST_SHOWN if len(groups) <= MOST_SHOWN and not quiet else MOST_SHOWN - 1]
    more = len(loud) - sum(map(len, shown))
    tail = [f"{count(more, 'more alert')}" if more > 0 else "", f"{count(quiet, 'alert')} kept quiet" if quiet else ""]
    said = " · ".join(each for each in tail if each)
    return html.Div(
        [
            html.Ul([_item(first, len(others)) for first, *others in shown], className="fw-alerts"),
            html.P(html.A(said, href=PATH), className="fw-alerts-more") if said else None,
        ]
    )


def counts_line(found: Sequence[FiringAlert]) -> html.Span:
    """Return how many alerts fire of each severity, the gravest first."""
    counted = Counter(each.severity for each in found if not each.muted_by)
    parts: list[Any] = []
    for severity in GRAVEST_FIRST:
        if number := counted[severity.word]:
            parts += [severity_badge(severity, f"{number} {severity.word}"), " "]
    quiet = sum(bool(each.muted_by) for each in found)
    return html.Span(parts or (f"{quiet} kept quiet" if quiet else "none"))


def _by_incident(found: Sequence[FiringAlert]) -> list[list[FiringAlert]]:
    """Return the alerts of each incident together, in their order: what is of none is alone."""
    groups: dict[int | str, list[FiringAlert]] = {}
    for each in found:
        groups.setdefault(each.incident or each.key, []).append(each)
    return [*groups.values()]


def _item(each: FiringAlert, others: int) -> html.Li:
    """Return an alert, and how many others are of its incident."""
    severity = Severity.of(each.severity)
    where = f"{PATH}?incident={each.incident}" if each.incident else PATH
    said: list[Any] = [cut(each.text, TEXT_CHARACTERS)]
    if others:
        said += [" ", html.A(f"and {count(others, 'more alert')} of it", href=where)]
    head: list[Any] = [
        severity_badge(severity), html.A(each.title, href=where, className="fw-alert-title"),
        age(each.since, prefix="for "),
    ]  # fmt: skip
    if held := standing(each):
        head.append(held)
    elif each.incident:
        head.append(hour_button(each.incident, id=f"overview-hand-{each.incident}-{each.key}", of=each.title))
    return html.Li(
        [
            html.Div(head, className="fw-alert-head"),
            html.P(said, className="fw-alert-text", title=each.text),
        ]
    )
