"""The editor of a channel: its kind first, then the fields that this kind has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from access.viewer import Viewer
from core.alerts.channel_set import MADE_HERE
from core.alerts.spec import ALERTS
from core.roles import Role
from core.settings.channels import KINDS
from dashboard.alerts.channel_forms import EDIT_PATH, EDITOR, MESSAGES, editor_form
from dashboard.components.choices import choice_bar, choice_select
from dashboard.components.panel import panels, verdict_slot
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.channel_set import channel_set

if TYPE_CHECKING:
    from storage.stores import Stores

ID = EDITOR
HEAD = f"{ID}-head"
WRITE = Panel(
    f"{ID}-write",
    "Channel",
    "It is told of alerts within seconds of being saved. Secrets stand in the state database and are shown to nobody "
    "again (docs/channels.md).",
    TableBody(320),
    subtitle_slot=f"{ID}-of",
    tools=(),
)
OF_ALL = "Channels are told of all portfolios: who may see some of them alone makes and changes none."


def layout(_stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    kinds = [(kind, KINDS[kind].TITLE) for kind in MADE_HERE]
    is_new = not choices.get("channel", "")
    bar = [choice_bar(choice_select(ID, "kind", kinds, choices, default=MADE_HERE[0], label="Kind"))] if is_new else []
    return html.Div([*bar, html.Div([verdict_slot(HEAD), panels(WRITE.element())], className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the form of the channel that is chosen, or of a new one."""
    back = html.P(["Back to ", html.A("Messages", href=MESSAGES), "."], className="fw-facts")
    if viewer.portfolios is not None:
        slots = {HEAD: html.P(OF_ALL, className="fw-nothing"), f"{ID}-of": "", WRITE.slot: ""}
        return View(slots=slots, notes={WRITE.id: OF_ALL})
    found, name, kind = channel_set(stores), choices.get("channel", ""), choices.get("kind", MADE_HERE[0])
    mine = found.made(name)
    if name and (mine is None or mine.channel is None):
        told = found.problem or f"There is no channel {name} that was made here and can be changed."
        return View(slots={HEAD: back, f"{ID}-of": "", WRITE.slot: ""}, notes={WRITE.id: told})
    kind = mine.kept.kind if mine else kind if kind in MADE_HERE else MADE_HERE[0]
    of = f"{mine.kept.name}, {KINDS[kind].TITLE}, version {mine.kept.version}" if mine else f"new: {KINDS[kind].TITLE}"
    slots = {HEAD: back, f"{ID}-of": of, WRITE.slot: editor_form(found, kind, mine)}
    return View(slots=slots, notes={WRITE.id: ""})


PAGE = Page(
    id=ID,
    title="Channel editor",
    path=EDIT_PATH,
    parent="alerts",
    role=Role.ADMIN,
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=(ALERTS,),
    panels=(WRITE,),
    slots=(HEAD, f"{ID}-of", WRITE.slot),
)
