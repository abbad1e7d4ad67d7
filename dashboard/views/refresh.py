"""The refresh of a tab: one callback to the server, one paint in the browser.

Server: nothing changed → an empty answer; otherwise the view, built once per (tab, choices, version) for all
viewers. A failure keeps what the page shows and puts the reason on top of it.
Browser (assets/js/paint.js): adds the theme, hands changed figures to their charts, sets ages.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from core.errors import StorageError
from core.memo import Memo
from dashboard.frame import ids
from dashboard.views.serialize import Prepared, prepare
from dashboard.views.tab import Choices, Tab

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)


class Refresh:
    """Answers the refreshes of one tab, which must have a `build`."""

    def __init__(self, stores: Stores, tab: Tab, memo: Memo[Prepared]) -> None:
        self.tab = tab
        self.outputs = (
            (ids.payload(tab.id), "data"),
            (ids.problem(tab.id), "children"),
            *((slot, "children") for slot in tab.slots),
        )
        """(id, property) pairs, in the order of what `answer` returns."""
        self._stores = stores
        self._memo = memo
        self._logged = ""
        self._lock = threading.Lock()

    @property
    def output_key(self) -> str:
        """How Dash names these outputs in a request."""
        return f"..{'...'.join(f'{id}.{prop}' for id, prop in self.outputs)}.."

    def answer(self, choices: Choices, seen: str | None, problem: str | None) -> list[Any]:
        """Return the outputs [payload, problem, *slots].

        seen: the version the page shows. problem: the reason it shows for a failed refresh, if any.
        Raises PreventUpdate when the page is up to date.
        """
        try:
            version = f"{self._stores.live.version(*self.tab.datasets)}?{choices.query}"
            is_seen = version == seen
            prepared = (
                None if is_seen else self._memo.get((self.tab.id, version), lambda: self._build(choices, version))
            )
        except Exception as error:  # noqa: BLE001 - whatever breaks, the page keeps its data and says why
            return self._failed(error, problem)
        self._logged = ""
        if prepared is None:
            return self._unchanged(problem)
        return [prepared.payload, "", *prepared.slots]

    def figure(self, choices: Choices, graph: str) -> bytes | None:
        """Return a figure that is fetched when it comes into view, as JSON; None when the tab has no such."""
        version = f"{self._stores.live.version(*self.tab.datasets)}?{choices.query}"
        prepared = self._memo.get((self.tab.id, version), lambda: self._build(choices, version))
        return prepared.lazy.get(graph)

    def _build(self, choices: Choices, version: str) -> Prepared:
        assert self.tab.build is not None
        return prepare(self.tab, choices, version, self.tab.build(self._stores, choices))

    def _unchanged(self, problem: str | None) -> list[Any]:
        if not problem:
            raise PreventUpdate
        return [no_update, "", *self._same_slots()]

    def _failed(self, error: Exception, problem: str | None) -> list[Any]:
        reason = _reason(error)
        with self._lock:
            is_news = reason != self._logged
            self._logged = reason
        if is_news:
            log.error("refresh of %s failed: %s", self.tab.id, reason, exc_info=error)
        if reason == problem:
            raise PreventUpdate
        return [no_update, reason, *self._same_slots()]

    def _same_slots(self) -> list[Any]:
        return [no_update] * len(self.tab.slots)


def register(app: Dash, refresh: Refresh) -> None:
    """Register the refresh and the paint of a tab."""
    tab = refresh.tab

    @app.callback(
        [Output(id, prop) for id, prop in refresh.outputs],
        Input(ids.TICK, "n_intervals"),
        Input(ids.choices(tab.id), "data"),
        State(ids.version(tab.id), "data"),
        State(ids.problem(tab.id), "children"),
        running=[(Output(ids.TICK, "disabled"), True, False)],
    )
    def answer(_tick: int, choices: dict[str, str], seen: str | None, problem: str | None) -> list[Any]:
        return refresh.answer(Choices.of(choices), seen, problem)

    app.clientside_callback(
        ClientsideFunction("fundwatch", "paint"),
        [
            Output(ids.version(tab.id), "data"),
            *[Output(graph, "figure") for graph in tab.graphs],
        ],
        Input(ids.payload(tab.id), "data"),
        Input(ids.THEME, "data"),
        prevent_initial_call=True,
    )
    _note_zooms(app, tab)


def _note_zooms(app: Dash, tab: Tab) -> None:
    if tab.graphs:
        app.clientside_callback(
            ClientsideFunction("fundwatch", "noteZoom"),
            Output(ids.zooms(tab.id), "data"),
            *[Input(graph, "relayoutData") for graph in tab.graphs],
            prevent_initial_call=True,
        )


def _reason(error: Exception) -> str:
    if isinstance(error, StorageError):
        return f"Storage does not answer: {error}"
    return f"{type(error).__name__}: {error}"
