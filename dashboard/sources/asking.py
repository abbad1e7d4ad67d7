"""What a page asks of the process that collects and what needs no settings: read a source now.

Like an action (dashboard/sources/actions.py) it is a request in the state database, which that process does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from access.viewer import CHANGING_ROLE
from core.errors import StorageError
from core.kinds.registry import KINDS, collector_title
from core.model import SourceId, Status
from core.requests import TRY_NOW
from dashboard.components.form import form, hidden
from dashboard.views.form import Form, Said, Sent
from dashboard.views.problem import not_asked
from status.instances import instance_names
from storage.state.actions import DATASET, request_action

if TYPE_CHECKING:
    from access.viewer import Viewer
    from status.instances import Instance
    from storage.stores import Stores

SOURCE = "source"
FAILING = (Status.DOWN, Status.UNKNOWN)
"""The states of a source in which its card offers to read it now: it may be left alone for minutes."""


def rule(tab: str) -> str:
    """Return where the page of a tab posts which source is to be read now."""
    return f"/{tab}/try"


def try_now(instance: Instance) -> html.Form | None:
    """Return the button that has a failing source read now; None for one that answers."""
    if instance.status not in FAILING:
        return None
    return form(
        rule(KINDS[instance.kind].tab),
        hidden(SOURCE, instance.collector),
        id=f"try-{instance.kind}-{instance.name}",
        does="Try now",
        role=CHANGING_ROLE,
    )


def try_form(stores: Stores, tab: str) -> Form:
    """Return what takes the requests of a tab's cards."""

    def ask(sent: Sent, viewer: Viewer) -> Said:
        asked = SourceId.parse(sent[SOURCE])
        if asked is None or asked.kind not in KINDS or KINDS[asked.kind].tab != tab:
            return Said(f"There is no source {sent[SOURCE][:80]} here.", is_done=False)
        if asked.instance not in instance_names(stores.settings, asked.kind):
            return Said(f"There is no source {sent[SOURCE][:80]} any more.", is_done=False)
        try:
            request_action(stores.state, stores.clock.now(), str(asked), TRY_NOW, "", viewer.name)
        except StorageError as error:
            return Said(not_asked(error), is_done=False)
        stores.live.bump(DATASET)
        return Said(f"Asked for: {collector_title(str(asked))} is read now; Actions tells what came of it.")

    return Form(rule(tab), ask, CHANGING_ROLE)
