"""The panel of the changes of state, the same on every tab: what changed, into what, and how long it had held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dash import html

from core.format import coarse_duration, count
from core.kinds.registry import collector_title
from core.model import SEVERITY, Status
from core.roles import Role
from dashboard.components.age import local_time
from dashboard.components.card import STATE_WORDS, state_badge
from dashboard.components.lazy import lazy
from dashboard.components.markup import markup
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.views.panel import Panel, TableBody
from dashboard.views.route import HTML, Answer, Route
from dashboard.views.tab import Choices
from portfolio.withheld import changes_for
from status.states import CHANGES_SECONDS, MOST_CHANGES, recent_changes
from storage.clickhouse.reads.state_changes import ComponentId, StateChange

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores

CHANGES = "changes"
"""Name of the table of the changes of state, for a tab that does not want it at its end."""
TALL_PX, SHORT_PX = 260, 120
READ_AGAIN_SECONDS = 15.0
"""A row is stored a moment after the reading that it follows from."""
PAUSED = "paused"
"""What is said of a watched source that nobody asks, instead of "not configured"."""
COLUMNS = (
    Column("at", "When", numeric=False),
    Column("what", "What", numeric=False),
    Column("state", "Became", numeric=False),
    Column("before", "Was", numeric=False, definition="The state that ended; hover: its newest reason."),
    Column("held", "For", definition="How long the state that ended had lasted.", unit="s"),
    Column("why", "Why", numeric=False),
)


def changes_panel(tab: str) -> Panel:
    """Return the panel of the changes of state on a tab."""
    return Panel(
        f"{tab}-changes",
        "Changes of state",
        "Every change of state with its reason. Of what flaps only some, never a calmer one than those left out. "
        "Source: table state_changes.",
        TableBody(SHORT_PX, TALL_PX),
        subtitle=f"of {count(CHANGES_SECONDS / 86_400, 'day')}, newest {MOST_CHANGES}",
    )


def changes_table(
    tab: str, changes: Sequence[StateChange], nothing: str = "Nothing has changed its state."
) -> html.Div:
    """Return changes of state, newest first."""
    rows = [
        {
            "at": Cell(local_time(change.ts), change.ts),
            "what": _title(change.id),
            "state": Cell(state_badge(change.state, _word(change.id, change.state)), SEVERITY[change.state]),
            "before": _before(change),
            "held": Cell(coarse_duration(change.held_seconds) if change.before else None, change.held_seconds),
            "why": cut_cell(change.why),
        }
        for change in changes
    ]
    return data_table(f"{tab}-changes-rows", COLUMNS, rows, caption="Changes of state", nothing=nothing)


def _title(id: ComponentId) -> str:
    return id.name or collector_title(id.source)


def _word(id: ComponentId, state: Status) -> str:
    return PAUSED if state is Status.NOT_CONFIGURED and not id.name else STATE_WORDS[state]


def _before(change: StateChange) -> Cell:
    if change.before is None:
        return Cell("not watched", tone="muted")
    return Cell(_word(change.id, change.before), SEVERITY[change.before], hint=change.before_why)


def changes_place(tab: str, choices: Choices, stamp: str, now: float) -> html.Div:
    """Return the place of the table: it is fetched when it comes into view, and again when `stamp` changes or in time.

    choices: those of the page that say which collectors are meant.
    """
    return lazy(f"/{tab}/changes?{choices.query}", f"{stamp} {int(now // READ_AGAIN_SECONDS)}", SHORT_PX)


def changes_route(stores: Stores, tab: str, which: Callable[[Choices], tuple[Sequence[str], str]]) -> Route:
    """Return the route of the table.

    which: from the choices to the collectors, and to the machine of those that do not watch a source.
    """

    def answer(choices: Choices, viewer: Viewer) -> Answer:
        collectors, host = which(choices)
        changes = changes_for(recent_changes(stores, collectors, host=host), viewer.portfolios)
        return Answer(markup(changes_table(tab, changes)), HTML)

    return Route(f"/{tab}/changes", answer, Role.VIEWER)
