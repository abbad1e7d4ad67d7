"""The refresh of a page: one callback to the server, one paint in the browser.

Server: nothing changed → an empty answer; otherwise the view, built once per (page, choices, version) for all viewers
who are equal in what the page depends on. A failure keeps what the page shows and puts the reason on top of it.
Browser (assets/js/41-paint.js): adds the theme, hands changed figures to their charts, patches what changed of the
slots, sets ages.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate
from werkzeug.exceptions import BadRequest, Forbidden

from access.viewer import Viewer
from core.memo import Memo
from dashboard.charts.theme import HOVER
from dashboard.components.needing import offered
from dashboard.frame import ids
from dashboard.frame.viewer import current_viewer
from dashboard.views.marks import DATASETS as MARKED
from dashboard.views.marks import Marks
from dashboard.views.problem import problem_of
from dashboard.views.rights import callback, needs
from dashboard.views.route import JSON, Answer, Route
from dashboard.views.serialize import FIGURES, Prepared, prepare
from dashboard.views.tab import Choices, Page

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)
VERSIONS_KEPT = 256


class Refresh:
    """Answers the refreshes of one page, which must have a `build`."""

    def __init__(self, stores: Stores, page: Page, memo: Memo[Prepared], marks: Marks | None = None) -> None:
        self.page = page
        self._marks = marks if page.graphs else None
        """Events, notes and incidents on its charts; None: it has none, or nobody wants them."""
        self._datasets = (*page.datasets, *(MARKED if self._marks else ()))
        self._varies_by = tuple(dict.fromkeys([*page.varies_by, *(["portfolios"] if self._marks else [])]))
        """Of marks everybody is sent those that he may see."""
        self.outputs = (
            (ids.payload(page.id), "data"),
            (ids.problem(page.id), "children"),
        )
        """(id, property) pairs, in the order of what `answer` returns."""
        self._stores = stores
        self._memo = memo
        self._stale_at: OrderedDict[str, float] = OrderedDict()
        """When the newest views turn stale, by their version."""
        self._logged = ""
        self._lock = threading.Lock()

    @property
    def output_key(self) -> str:
        """How Dash names these outputs in a request."""
        return f"..{'...'.join(f'{id}.{prop}' for id, prop in self.outputs)}.."

    def asked(self, choices: Any, seen: Any, problem: Any) -> list[Any]:
        """Return what `answer` does to a request of the present viewer. Raises BadRequest when it is malformed."""
        if not isinstance(choices, dict | None) or not all(map(_is_plain, (choices or {}).values())):
            raise BadRequest("The choices are no mapping of names to plain values.")
        if not isinstance(seen, str | None) or not isinstance(problem, str | None):
            raise BadRequest("The version and the problem of a page are texts.")
        return self.answer(Choices.of(choices), current_viewer(), seen, problem)

    def answer(self, choices: Choices, viewer: Viewer, seen: str | None, problem: str | None) -> list[Any]:
        """Return the outputs [payload, problem].

        seen: the version the page shows: of a view that is still at hand only what differs from it is sent.
        problem: the reason it shows for a failed refresh, if any.
        Raises PreventUpdate when the page is up to date, Forbidden when the viewer may not see it.
        """
        if viewer.role < self.page.role:
            raise Forbidden(needs(self.page.role, f"see the page {self.page.title}"))
        shared = viewer.only(self._varies_by)
        try:
            version = self._version(choices, shared)
            prepared = None if version == seen else self._prepared(choices, shared, version)
        except Exception as error:  # noqa: BLE001 - whatever breaks, the page keeps its data and says why
            return self._failed(error, problem)
        self._logged = ""
        if prepared is None:
            return self._unchanged(problem)
        before = self._memo.kept((self.page.id, shared, seen)) if seen else None
        return [prepared.payload(before), ""]

    def figures(self) -> list[Route]:
        """Return the routes of figures that are fetched when they come into view, and of what is told to who points.

        They answer with null where there is no data.
        """
        rule = f"{FIGURES}/{self.page.id}/<graph>"
        return [Route(rule, self._figure, self.page.role), Route(f"{rule}/{HOVER}", self._hover, self.page.role)]

    def _figure(self, choices: Choices, viewer: Viewer, graph: str) -> Answer | None:
        if graph not in self.page.lazy_graphs:
            return None
        return Answer(self._now(choices, viewer).lazy.get(graph, b"null"), JSON)

    def _hover(self, choices: Choices, viewer: Viewer, graph: str) -> Answer | None:
        if graph not in self.page.graphs:
            return None
        return Answer(self._now(choices, viewer).hovers.get(graph, b"null"), JSON)

    def _now(self, choices: Choices, viewer: Viewer) -> Prepared:
        shared = viewer.only(self._varies_by)
        return self._prepared(choices, shared, self._version(choices, shared))

    def _version(self, choices: Choices, shared: Viewer) -> str:
        """Return what a view depends on: a page shows the same version until one of it changes."""
        rights = f"#{_told(shared, self._varies_by)}" if self._varies_by else ""
        data = version = f"{self._stores.live.version(*self._datasets)}?{choices.query}{rights}"
        now = self._stores.clock.now()
        # When readings stop coming no version moves; what was fine is then unknown all the same.
        while (stale_at := self._stale_at.get(version)) is not None and now > stale_at:
            version = f"{data}!{stale_at}"
        return version

    def _prepared(self, choices: Choices, shared: Viewer, version: str) -> Prepared:
        def build() -> Prepared:
            assert self.page.build is not None
            view = self.page.build(self._stores, choices, shared)
            view = replace(view, slots={id: offered(content, shared.role) for id, content in view.slots.items()})
            marks = self._marks.of(self.page, choices, shared) if self._marks else None
            made = prepare(self.page, choices, version, view, marks)
            self._note_stale(version, made.stale_at)
            return made

        return self._memo.get((self.page.id, shared, version), build)

    def _note_stale(self, version: str, stale_at: float | None) -> None:
        if stale_at is None:
            return
        with self._lock:
            self._stale_at[version] = stale_at
            while len(self._stale_at) > VERSIONS_KEPT:
                self._stale_at.popitem(last=False)

    def _unchanged(self, problem: str | None) -> list[Any]:
        if not problem:
            raise PreventUpdate
        return [no_update, ""]

    def _failed(self, error: Exception, problem: str | None) -> list[Any]:
        reason = problem_of(error)
        with self._lock:
            is_news = reason != self._logged
            self._logged = reason
        if is_news:
            log.error("refresh of %s failed: %s", self.page.id, reason, exc_info=error)
        if reason == problem:
            raise PreventUpdate
        return [no_update, reason]


def register(app: Dash, refresh: Refresh) -> None:
    """Register the refresh and the paint of a page."""
    page = refresh.page

    @callback(
        app,
        [Output(id, prop) for id, prop in refresh.outputs],
        Input(ids.TICK, "n_intervals"),
        Input(ids.choices(page.id), "data"),
        State(ids.version(page.id), "data"),
        State(ids.problem(page.id), "children"),
        State(ids.TICK, "interval"),
        role=page.role,
        running=[(Output(ids.TICK, "disabled"), True, False)],
    )
    def answer(_tick: Any, choices: Any, seen: Any, problem: Any, _interval: Any) -> list[Any]:
        return refresh.asked(choices, seen, problem)

    app.clientside_callback(
        ClientsideFunction("fundwatch", "paint"),
        Output(ids.version(page.id), "data"),
        Input(ids.payload(page.id), "data"),
        State(ids.version(page.id), "data"),
        prevent_initial_call=True,
    )


def _told(shared: Viewer, names: Sequence[str]) -> str:
    """Return what tells these rights from others: the same in every process, and no name can be read off it."""
    values = [getattr(shared, name) for name in names]
    plain = [sorted(value) if isinstance(value, frozenset) else value for value in values]
    return blake2b(repr(plain).encode(), digest_size=8).hexdigest()


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | None)
