"""Actions on watched sources: buttons that ask first, the request, and the list of what was done.

A page never talks to a source. It writes a request into the state database; the collecting process does it
(collectors/runtime/actions.py). Buttons show their dialog in the browser (assets/js/66-actions.js).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dash import Input, Output, dcc, html

from access.viewer import ACTING_ROLE, Viewer
from core.errors import StorageError
from core.format import duration
from core.kinds.registry import collector_title
from core.model import SourceId, Status, Table
from core.tables import R, rows_of
from dashboard.components.age import local_time
from dashboard.components.attributes import attributes
from dashboard.components.card import state_badge
from dashboard.components.table import Cell, Column, data_table
from dashboard.frame.viewer import current_viewer
from dashboard.views.panel import Panel, TableBody
from dashboard.views.problem import not_asked
from dashboard.views.rights import callback, needs
from status.instances import Instance, instance_names
from storage.state import actions as kept
from storage.state.actions import DATASET, Action, request_action

if TYPE_CHECKING:
    from dash import Dash

    from dashboard.sources.shown import Shown
    from storage.stores import Stores

LONGEST_TARGET = 500
NOT_ALLOWED = f"Actions need the role {ACTING_ROLE.word} and, in fundwatch.yaml, actions_enabled: true."
SWITCHED_OFF = "Switched off. To allow it: actions_enabled: true in fundwatch.yaml, then start again."
STATES = {
    kept.DONE: Status.OK,
    kept.FAILED: Status.CRITICAL,
    kept.EXPIRED: Status.WARNING,
    kept.RUNNING: Status.UNKNOWN,
    kept.REQUESTED: Status.UNKNOWN,
}
COLUMNS = (
    Column("at", "Asked", numeric=False),
    Column("who", "Asked by", numeric=False),
    Column("source", "Source", numeric=False),
    Column("action", "Action", numeric=False),
    Column("target", "Target", numeric=False),
    Column("state", "State", numeric=False),
    Column("took", "Took", unit="s"),
    Column("result", "Result", numeric=False),
)


def action_button(shown: Shown, source: str, action: str, target: str, text: str, question: str) -> html.Button:
    """Return the button that asks `question` and then requests `action` on `target` of the source's collector.

    question: names what will be done, and to what: "Disconnect client 12 (10.0.0.4) from Redis main?"
    """
    asked = {"source": source, "action": action, "target": target, "question": question, "does": text}
    return html.Button(
        text,
        type="button",
        className="fw-choice-button fw-act",
        title=question if shown.may_act else NOT_ALLOWED,
        **attributes(
            data_tab=shown.tab,
            data_act=json.dumps(asked) if shown.may_act else None,
            aria_disabled=None if shown.may_act else "true",
        ),
    )


def action_stores(tab: str) -> list[Any]:
    """Return what a layout needs so that its buttons work."""
    return [dcc.Store(id=f"{tab}-act"), html.Div(id=f"{tab}-act-said", className="fw-act-said", role="status")]


def register_actions(tab: str, allowed: Mapping[str, Sequence[str]]) -> Callable[[Dash, Stores], None]:
    """Return `Tab.register` for a tab whose buttons may ask for the actions `allowed` of each kind."""

    def register(app: Dash, stores: Stores) -> None:
        @callback(
            app, Output(f"{tab}-act-said", "children"), Input(f"{tab}-act", "data"), role=ACTING_ROLE,
            prevent_initial_call=True,
        )  # fmt: skip
        def asked(request: Any) -> str:
            return ask(stores, allowed, current_viewer(), request)

    return register


def ask(stores: Stores, allowed: Mapping[str, Sequence[str]], viewer: Viewer, request: Any) -> str:
    """Write down a request that a page sent, if it is one that a page may send. Return what to tell the reader."""
    if not stores.settings.actions_enabled:
        return SWITCHED_OFF
    if not viewer.may_act:
        return needs(ACTING_ROLE, "act on watched sources")
    if not isinstance(request, dict):
        return "Not understood."
    source, action, target = (str(request.get(name, "")) for name in ("source", "action", "target"))
    asked = SourceId.parse(source)
    if asked is None or action not in allowed.get(asked.kind, ()) or not _is_watched(stores, asked):
        return f"There is no action {action[:40]} on {source[:80]}."
    if len(target) > LONGEST_TARGET:
        return "Not understood: the target is too long."
    try:
        request_action(stores.state, stores.clock.now(), source, action, target, viewer.name)
    except StorageError as error:
        return not_asked(error)
    stores.live.bump(DATASET)
    return f"Asked for: {words(action)} on {collector_title(source)}."


def _is_watched(stores: Stores, source: SourceId) -> bool:
    return source.instance in instance_names(stores.settings, source.kind)


def actions_panel(tab: str) -> Panel:
    """Return the panel of what was done."""
    return Panel(
        f"{tab}-actions",
        "Actions",
        "Every action asked for and what came of it, kept in the state database (table actions).",
        TableBody(),
        subtitle="asked for on this tab, newest first",
    )


def actions_table(tab: str, done: Sequence[Action]) -> html.Div:
    """Return the newest actions."""
    rows = [
        {
            "at": Cell(local_time(action.at), action.at),
            "who": action.who or None,
            "source": collector_title(action.source),
            "action": words(action.action),
            "target": action.target or None,
            "state": Cell(state_badge(STATES.get(action.status, Status.UNKNOWN), action.status), action.status),
            "took": Cell(
                duration(action.finished_at - action.at) if action.finished_at else None,
                action.finished_at - action.at if action.finished_at else None,
            ),
            "result": action.result or None,
        }
        for action in done
    ]
    return data_table(
        f"{tab}-actions-rows", COLUMNS, rows, caption="Actions", nothing="Nothing was asked for on this tab yet."
    )


def answer_of(done: Sequence[Action], source: Instance, action: str, row: type[R]) -> tuple[Action, list[R]] | None:
    """Return the newest finished action of that name on a source and the rows of its table; None without one."""
    for each in done:
        if each.source == source.collector and each.action == action and each.detail:
            answer = json.loads(each.detail)
            table = Table(row.TABLE, tuple(answer["columns"]), tuple(map(tuple, answer["rows"])))
            return each, rows_of({row.TABLE: table}, row)
    return None


def words(action: str) -> str:
    """Return an action's name as words: "kill_client" is "kill client"."""
    return action.replace("_", " ")
