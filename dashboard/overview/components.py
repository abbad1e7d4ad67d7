"""The components of the Overview by area: those in trouble with their reason, the others by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from dash import html

from core.alerts.spec import ALERTS
from core.events import tab_of
from core.format import count, cut, number
from core.kinds.registry import collector_title
from core.model import SEVERITY, SourceId, Status, worst
from core.pipeline.health import Area, area_of
from dashboard.components.age import age
from dashboard.components.card import state_badge
from dashboard.components.quick import quick
from status.freshness import reading_stale_after_seconds
from status.health import Line, Score
from status.readings import Found

MOST_TROUBLED, MOST_FINE = 4, 7
"""Of an area; of others it says how many there are."""
WHY_CHARACTERS = 64
TITLES = {
    Area.TRADING: "Trading",
    Area.STORAGE: "Storage",
    Area.PIPELINE: "Pipeline",
    Area.SERVICES: "Services",
    Area.SYSTEM: "System",
}
PLACES = {
    Area.TRADING: "/pipeline",
    Area.STORAGE: "/database",
    Area.PIPELINE: "/pipeline",
    Area.SERVICES: "/services",
    Area.SYSTEM: "/system",
}
NOTHING = {
    Area.TRADING: "No feed, broker, freshness or heartbeat is watched.",
    Area.SERVICES: "No service is watched.",
}


def place_of(found: Found) -> str:
    """Return the address that shows a component."""
    if found.collector == ALERTS:
        return "/alerts"
    tab = tab_of(found.id) or "pipeline"
    chosen = {"instance": found.collector} if SourceId.parse(found.collector) else {}
    return f"/{tab}?{urlencode(chosen)}" if chosen else f"/{tab}"


def title_of(found: Found) -> str:
    """Return what a component is called; the collector of one that has told nothing yet."""
    return collector_title(found.collector) if found.part.name == found.collector else found.part.name


def component_grid(found: Sequence[Found], score: Score) -> html.Div:
    """Return the components in a column for each area."""
    by_area: dict[Area, list[Found]] = {area: [] for area in Area}
    for each in found:
        by_area[area_of(each.collector, each.part.name)].append(each)
    lines = {line.found.id: line for line in score.lines}
    return html.Div([_column(area, by_area[area], lines) for area in Area], className="fw-areas")


def _column(area: Area, found: Sequence[Found], lines: dict[str, Line]) -> html.Section:
    watched = [each for each in found if each.part.status is not Status.NOT_CONFIGURED]
    troubled = sorted(
        (each for each in watched if each.part.status is not Status.OK), key=lambda each: -SEVERITY[each.part.status]
    )
    fine = [each for each in watched if each.part.status is Status.OK]
    state = state_badge(worst([each.part.status for each in watched])) if watched else None
    body: list[Any] = [_troubled(each) for each in troubled[:MOST_TROUBLED]]
    if (more := len(troubled) - MOST_TROUBLED) > 0:
        body.append(html.P(html.A(f"{number(more)} more in trouble", href=PLACES[area]), className="fw-area-more"))
    if not watched:
        body.append(html.P(NOTHING.get(area, "Nothing is watched."), className="fw-muted"))
    return html.Section(
        [
            html.H3([html.A(TITLES[area], href=PLACES[area]), " ", state], className="fw-area-head"),
            html.P(_summary(watched, fine, lines), className="fw-area-summary"),
            *body,
            _names(area, fine) if fine else None,
        ],
        className=f"fw-area fw-level-{worst([each.part.status for each in watched]).value if watched else 'none'}",
    )


def _summary(watched: Sequence[Found], fine: Sequence[Found], lines: dict[str, Line]) -> list[Any]:
    """Return how many are fine, the score of the area and the age of its oldest reading."""
    if not watched:
        return []
    counted = [lines[each.id] for each in watched if each.id in lines]
    weight = sum(line.weight for line in counted)
    told: list[Any] = [f"{number(len(fine))} of {number(len(watched))} ok"]
    if weight > 0:
        told.append(f" · score {number(sum(line.adds for line in counted) / weight)}")
    readings = [each.reading for each in watched if each.reading]
    if readings:
        oldest = min(readings, key=lambda each: each.ts + (reading_stale_after_seconds(each) or 0.0))
        told += [" · ", age(oldest.ts, reading_stale_after_seconds(oldest))]
    return told


def _troubled(each: Found) -> html.Div:
    parts: list[Any] = [
        state_badge(each.part.status),
        html.A(title_of(each), href=place_of(each)),
        age(each.reading.ts, reading_stale_after_seconds(each.reading)) if each.reading else None,
        html.Span(cut(each.part.why, WHY_CHARACTERS), className="fw-area-why", title=each.part.why),
    ]
    return html.Div(parts, className="fw-troubled")


def _names(area: Area, fine: Sequence[Found]) -> html.P:
    parts: list[Any] = []
    for each in fine[:MOST_FINE]:
        parts += [quick(html.A, title_of(each), href=place_of(each), title=each.part.why), " · "]
    more = len(fine) - MOST_FINE
    parts = [*parts, html.A(f"{number(more)} more", href=PLACES[area])] if more > 0 else parts[:-1]
    return html.P(parts, className="fw-fine", title=f"{count(len(fine), 'component')} ok")
