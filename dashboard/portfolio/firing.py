"""What fires now on the portfolio of a page, above its figures: it may have begun after the last value of any chart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from core.alerts.spec import HISTORY
from core.errors import StorageError
from core.format import count
from core.model import Status
from dashboard.alerts.actions import PATH
from dashboard.alerts.parts import STATES, severity_badge, standing
from dashboard.components.age import age
from dashboard.components.card import verdict
from dashboard.components.panel import slot
from dashboard.views.marks import of_portfolio
from dashboard.views.problem import problem_of
from dashboard.views.tab import Choices, Page, View
from portfolio.alerts import sight_of
from portfolio.chosen import key_of
from portfolio.incidents import Fired, alert_of, fired_events
from status.alerts import alerts_now
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from dash.development.base_component import Component

    from storage.state.events import Event
    from storage.stores import Stores

MOST_SHOWN = 3


def with_firing(page: Page) -> Page:
    """Return a page of one portfolio, the choice `portfolio`, that says first what fires on it and its parts.

    Its charts over time show when alerts fired on those, and when components were broken meanwhile.
    """
    id, build = f"{page.id}-firing", page.build
    assert build is not None

    def layout(stores: Stores, choices: Choices, viewer: Viewer) -> Component:
        made = page.layout(stores, choices, viewer)
        made.children[-1].children.insert(0, slot(id))
        return made

    def built(stores: Stores, choices: Choices, viewer: Viewer) -> View:
        view = build(stores, choices, viewer)
        return replace(view, slots={**view.slots, id: firing_lines(stores, choices, viewer)})

    datasets = tuple(dict.fromkeys((*page.datasets, HISTORY)))
    return replace(
        page, layout=layout, build=built, slots=(*page.slots, id), datasets=datasets,
        concerned=of_portfolio, shows_outages=True,
    )  # fmt: skip


def firing_lines(stores: Stores, choices: Choices, viewer: Viewer) -> list[Any]:
    """Return a line for each alert that fires on the portfolio of the choices or a part of it.

    Those that need somebody first, then the gravest; of the others it says what keeps them quiet, or who has them.
    """
    try:
        concerned = of_portfolio(stores, choices, viewer)
        firing = alerts_now(stores).firing
        fired = fired_events(stores, viewer.portfolios, firing)
        seen = sight_of(stores, viewer.portfolios).seen(firing)
        names = {key_of(each): each.name for each in list_portfolios(stores.state)}
    except StorageError as error:
        return [verdict(Status.UNKNOWN, f"Which alerts fire is not known: {problem_of(error)}", word="alerts")]
    found = [
        (each, event, standing(alert) if (alert := alert_of(each, seen)) else None)
        for each, event in fired
        if each.until is None and event.portfolio and concerned(event)
    ]
    found.sort(key=lambda line: (line[2] is not None, -line[0].severity, -line[0].since))
    lines: list[Any] = [_line(*each, names.get(each[1].portfolio, "")) for each in found[:MOST_SHOWN]]
    more = len(found) - MOST_SHOWN
    if more > 0:
        lines.append(html.P(html.A(f"{count(more, 'more alert')} of it", href=PATH), className="fw-note"))
    return (
        [html.Details([_summary(len(found), *found[0][:2]), *lines], className="fw-firing", open=True)] if found else []
    )


def _summary(many: int, fired: Fired, event: Event) -> html.Summary:
    """Return the one line of it that a phone shows until it is opened (assets/js/45-firing.js)."""
    first = f"{event.who}: {event.text}"
    return html.Summary([severity_badge(fired.severity), html.Span(f"{count(many, 'alert')} · {first}")])


def _line(fired: Fired, event: Event, held: html.Span | None, name: str) -> html.Div:
    of = f" · {name}: " if name else ": "
    said = [
        html.A(event.who, href=PATH),
        of,
        _without(event.text, name, event.portfolio),
        " ",
        age(fired.since, prefix="for "),
    ]
    state = Status.UNKNOWN if held else Status(STATES[fired.severity])
    return verdict(state, [*said, " ", held] if held else said, badge=severity_badge(fired.severity))


def _without(said: str, name: str, portfolio: str) -> str:
    """Return what an alert says without the portfolio before it, where that stands before it already."""
    for known in (name, portfolio.partition(":")[2]):
        if known and said.startswith(f"{known}: "):
            return said.removeprefix(f"{known}: ")
    return said
