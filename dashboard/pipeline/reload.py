"""The button that takes the sources of a changed fundwatch.yaml, and what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dash import html

from access.viewer import CHANGING_ROLE
from core.errors import StorageError
from core.model import LiveReading, Status
from core.pipeline.spec import Checks
from core.requests import RELOAD, SETTINGS
from dashboard.components.form import form
from dashboard.components.panel import slot
from dashboard.views.form import Form, Said, Sent
from dashboard.views.problem import not_asked
from storage.state.actions import DATASET, DONE, FAILED, find_action, request_action

if TYPE_CHECKING:
    from access.viewer import Viewer
    from storage.stores import Stores

ID = "pipeline-reload"
RULE = "/pipeline/reload"
WAIT_SECONDS, LOOK_SECONDS = 10.0, 0.1


def reload_slot(id: str, viewer: Viewer) -> html.Div:
    """Return the slot of the button; without room for it where the viewer will have none."""
    return slot(id, 44, narrow_height=86) if viewer.role >= CHANGING_ROLE else slot(id)


def reload_button(reading: LiveReading | None) -> html.Div:
    """Return the button, and above it why changed settings were refused."""
    part = next((each for each in reading.components if each.name == Checks.SETTINGS), None) if reading else None
    refused = part.why if part and part.status is not Status.OK else ""
    told = "Sources of fundwatch.yaml that were added, changed or removed are taken; the others go on undisturbed."
    return html.Div(
        [
            *([html.P(f"Settings: {refused}", className="fw-problem-text")] if refused else []),
            form(RULE, html.P(told, className="fw-form-hint"), id=ID, does="Reload", role=CHANGING_ROLE),
        ],
        className="fw-reload",
    )


def reload_form(stores: Stores) -> Form:
    """Return what asks the process that collects to read the settings again, and waits for what comes of it."""

    def do(_sent: Sent, viewer: Viewer) -> Said:
        try:
            number = request_action(stores.state, stores.clock.now(), str(SETTINGS), RELOAD, "", viewer.name)
        except StorageError as error:
            return Said(not_asked(error), is_done=False)
        try:
            done = _outcome(stores, number)
        except StorageError:
            done = None
        stores.live.bump(DATASET)
        if done is None:
            return Said("Asked for, but no collecting process has answered yet: look at Actions.", is_done=False)
        status, result = done
        return Said(result, goto="/pipeline") if status == DONE else Said(result, is_done=False)

    return Form(RULE, do, CHANGING_ROLE)


def _outcome(stores: Stores, number: int) -> tuple[str, str] | None:
    ends = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends:
        found = find_action(stores.state, number)
        if found is not None and found.status in (DONE, FAILED):
            return found.status, found.result
        time.sleep(LOOK_SECONDS)
    return None
