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
from dashboard.alerts.parts import STATES, severity_badge
from dashboard.components.age import age
from dashboard.components.card import verdict
from dashboard.components.panel import slot
from dashboard.views.marks import of_portfolio
from dashboard.views.problem import problem_of
from dashboard.views.tab import Choices, Page, View
from portfolio.chosen import key_of
from portfolio.incidents import Fired, fired_events
from status.alerts import alerts_now
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from dash.development.base_component import Component

    from storage.state.events import Event
    from storage.stores import Stores

MOST_SHOWN = 3


def with_firing(page: Page) -> Page:
    """Return a page of one portfolio, the choice `portfolio`, that says first what fires on it and its parts."""
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
    return replace(page, layout=layout, build=built, slots=(*page.slots, id), datasets=datasets)


def firing_lines(stores: Stores, choices: Choices, viewer: Viewer) -> list[Any]:
    """Return a line for each alert that fires on the portfolio of the choices or a part of it, the gravest first."""
    try:
        concerned = of_portfolio(stores, choices, viewer)
        fired = fired_events(stores, viewer.portfolios, alerts_now(stores).firing)
        names = {key_of(each): each.name for each in list_portfolios(stores.state)}
    except StorageError as error:
        return [verdict(Status.UNKNOWN, f"Which alerts fire is not known: {problem_of(error)}", word="alerts")]
    found = [(each, event) for each, event in fired if each.until is None and event.portfolio and concerned(event)]
    found.sort(key=lambda pair: (-pair[0].severity, -pair[0].since))
    lines: list[Any] = [_line(each, event, names.get(event.portfolio, "")) for each, event in found[:MOST_SHOWN]]
    more = len(found) - MOST_SHOWN
    if more > 0:
        lines.append(html.P(html.A(f"{count(more, 'more alert')} of it", href=PATH), className="fw-note"))
    return lines


def _line(fired: Fired, event: Event, name: str) -> html.Div:
    of = f" · {name}: " if name else ": "
    said = [html.A(event.who, href=PATH), of, event.text, " ", age(fired.since, prefix="for ")]
    return verdict(Status(STATES[fired.severity]), said, badge=severity_badge(fired.severity))
