"""Events, notes and incidents as marks on charts over time: which of them a page's charts show.

They are sent with the page, once for all its charts; assets/js/44-marks.js draws those that lie within what a chart
shows, on every chart that has a time axis.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from core.alerts.spec import HISTORY
from core.errors import StorageError
from core.events import collector_of, component_title, host_of, tab_of
from core.format import cut
from core.memo import Memo
from dashboard.alerts.parts import SIGNS, STATES
from dashboard.views.problem import problem_of
from portfolio.allowed import seen
from portfolio.chosen import find, key_now, key_of
from portfolio.events import DATASET, is_part, list_events, parents_of
from portfolio.incidents import Fired, fired_events
from portfolio.outage import broken
from status.alerts import alerts_now
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from access.viewer import Viewer
    from dashboard.views.tab import Choices, Page
    from storage.state.events import Event
    from storage.stores import Stores

MOST_MARKS = 500
"""The newest: more would hide the lines, and the page Events lists them all."""
MOST_LOOKED_AT = 5_000
"""The newest, of which a page shows those that concern it."""
TEXT_CHARACTERS = 240
"""Of a text, on hover; the page Events has the whole of it."""
MOST_INCIDENTS = 40
"""Those that fire and then the gravest, of equal ones the newest: how many more there are is told."""
DATASETS = (DATASET, HISTORY)
"""Whose versions move when marks change; portfolios beside them."""
MARKS_KEPT, LISTS_KEPT = 64, 8
ANY_INSTANCE = "all"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What somebody may see, the newest first."""

    events: list[Event]
    fired: list[tuple[Fired, Event]]


class Marks:
    """The marks of each page, read anew when an event or a portfolio changes. Safe to share between threads."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lists: Memo[_Known] = Memo(LISTS_KEPT)
        self._marks: Memo[bytes] = Memo(MARKS_KEPT)
        self._problem = ""

    def of(self, page: Page, choices: Choices, viewer: Viewer) -> bytes | None:
        """Return the marks of a page's charts as a JSON list, the oldest first; None where they cannot be read now."""
        version = self._stores.live.version(*DATASETS, "portfolio")
        try:
            found = self._marks.get(
                (version, page.id, choices, viewer), lambda: self._made(page, choices, viewer, version)
            )
        except StorageError as error:  # charts without marks are better than none; the page Events says why
            reason = problem_of(error)
            if reason != self._problem:
                log.warning("events and notes are not read: %s", reason)
            self._problem = reason
            return None
        self._problem = ""
        return found

    def _made(self, page: Page, choices: Choices, viewer: Viewer, version: str) -> bytes:
        known = self._lists.get((version, viewer.portfolios), lambda: _known(self._stores, viewer))
        if not known.events and not known.fired:
            return b"[]"
        concerned = (
            page.concerned(self._stores, choices, viewer)
            if page.concerned
            else _of_components(page, self._stores, choices)
        )
        shown = [each for each in known.events if concerned(each)][:MOST_MARKS]
        outages = {id(event) for _, event in broken(known.fired)} if page.shows_outages else set()
        fired = [each for each in known.fired if concerned(each[1]) or id(each[1]) in outages]
        gravest = sorted(fired, key=lambda each: (each[0].until is not None, -each[0].severity))[:MOST_INCIDENTS]
        names = {key_of(each): each.name for each in list_portfolios(self._stores.state)}
        marks = [_mark(each, names) for each in reversed(shown)]
        marks += [_mark(event, names) | _severity(each) for each, event in gravest]
        more = len(fired) - len(gravest)
        rest = [{"more": more}] if more > 0 else []
        return orjson.dumps([*sorted(marks, key=lambda each: each["at"]), *rest])


def _known(stores: Stores, viewer: Viewer) -> _Known:
    limits = viewer.portfolios
    return _Known(
        list_events(stores, limits, limit=MOST_LOOKED_AT), fired_events(stores, limits, alerts_now(stores).firing)
    )


def _severity(fired: Fired) -> dict[str, str]:
    return {"severity": fired.severity.word, "sign": SIGNS[fired.severity], "color": STATES[fired.severity]}


def of_portfolio(stores: Stores, choices: Choices, viewer: Viewer) -> Callable[[Event], bool]:
    """Return what tells whether an event is about the portfolio that the choices name, a part of it, or everything."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    shown = find(known, key_now(stores, known, choices.get("portfolio", "")))
    parents, key = parents_of(known), key_of(shown) if shown is not None else ""
    return lambda event: (
        not event.component and (not event.portfolio or (key != "" and is_part(parents, event.portfolio, key)))
    )


def of_everything(_stores: Stores, _choices: Choices, _viewer: Viewer) -> Callable[[Event], bool]:
    """Return that every event is meant which may be seen: for pages about all of it."""
    return lambda _event: True


def _of_components(page: Page, stores: Stores, choices: Choices) -> Callable[[Event], bool]:
    """Return what tells whether an event is about everything, or about a component that the choices of a tab show."""
    instance = choices.get("instance", ANY_INSTANCE)
    hosts = ("", choices.get("host", stores.settings.machine))

    def concerned(event: Event) -> bool:
        if event.portfolio or not event.component:
            return not event.portfolio
        if tab_of(event.component) != page.id or host_of(event.component) not in hosts:
            return False
        return instance in (ANY_INSTANCE, collector_of(event.component))

    return concerned


def _mark(event: Event, names: Mapping[str, str]) -> dict[str, Any]:
    of_portfolio = names.get(event.portfolio, event.portfolio)
    return {
        "at": event.at,
        "until": event.until,
        "text": cut(event.text, TEXT_CHARACTERS),
        "who": event.who,
        "tags": list(event.tags),
        "about": of_portfolio or (component_title(event.component) if event.component else ""),
    }
