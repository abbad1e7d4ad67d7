"""Events: what programs and people wrote down of moments, filtered; and writing, changing and deleting notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from access.viewer import CHANGING_ROLE, EXPORTING_ROLE, Viewer
from core.roles import Role
from dashboard.access.common import told_zone
from dashboard.components.choices import choice_bar, choice_input, plain_select
from dashboard.components.needing import needing
from dashboard.components.panel import panels
from dashboard.events.forms import ID, PATH, change_form, form_route, forms, note_form
from dashboard.events.tables import (
    FILTERS,
    PAGE_ROWS,
    about_options,
    events_table,
    file_route,
    filtered,
    names_of,
    page_of,
    tags_of,
    turning,
)
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.events import DATASET, find_event, list_about, may_change

if TYPE_CHECKING:
    from storage.stores import Stores

PICKS, WRONG = f"{ID}-picks", f"{ID}-wrong"
ALL = Panel(
    f"{ID}-all",
    "Events and notes",
    "What programs sent (events) and people wrote (notes): marked on the charts over time of what they are about.",
    TableBody(400),
    subtitle_slot=f"{ID}-zone",
    controls_slot=f"{ID}-turning",
    tools=("full",),
)
NOTE = Panel(
    f"{ID}-form",
    "Note",
    "Who wrote one, or an admin, changes and deletes it. Each change stands in the audit.",
    TableBody(190),
    subtitle_slot=f"{ID}-which",
    tools=(),
)
PANELS = (ALL, NOTE)
ANY = ("", "any")


def layout(_stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    bar = choice_bar(
        choice_input(ID, "since", choices, default="", label="From", type="date", hint="First day, in UTC"),
        choice_input(ID, "until", choices, default="", label="To", type="date", hint="Last day, in UTC"),
        html.Span(id=PICKS, className="fw-picks"),
        choice_input(ID, "text", choices, default="", label="Words", type="search", hint="In text, tags or who"),
        html.Span(id=WRONG, className="fw-adder-said", role="status"),
    )
    return html.Div([bar, html.Div(panels(ALL.element(), NOTE.element()), className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return a page of what the choices leave, and the form of a note or of the one that is chosen."""
    page = page_of(choices)
    found, total, wrong = filtered(stores, choices, viewer, (page + 1) * PAGE_ROWS + 1)
    if page * PAGE_ROWS >= len(found):  # a number past the last one
        page = max(len(found) - 1, 0) // PAGE_ROWS
    shown, has_older = found[page * PAGE_ROWS :][:PAGE_ROWS], len(found) > (page + 1) * PAGE_ROWS
    every = list_about(stores, viewer.portfolios)
    names = names_of(stores, viewer)
    text = choices.get("edit", "")
    chosen = int(text) if text.isdecimal() and len(text) < 16 else 0
    which, form = _form(stores, viewer, chosen)
    return View(
        slots={
            PICKS: [
                _pick("tag", "Tag", choices, [(each, each) for each in tags_of(every)]),
                _pick("about", "About", choices, about_options(every, names)),
            ],
            WRONG: wrong,
            f"{ID}-zone": told_zone("newest first", stores.clock.now()),
            ALL.slot: events_table(shown, viewer, names, chosen),
            f"{ID}-turning": [turning(len(shown), total, page, has_older=has_older), _file(choices)],
            f"{ID}-which": which,
            NOTE.slot: form,
        },
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
    )


def _form(stores: Stores, viewer: Viewer, chosen: int) -> tuple[str, Any]:
    """Return what the form is for, and the form: of the event that is chosen, else of a new note."""
    if viewer.role < CHANGING_ROLE:
        return "", html.P(f"{CHANGING_ROLE.word.capitalize()}s and those above write notes.", className="fw-nothing")
    event = find_event(stores, chosen, viewer.portfolios) if chosen else None
    if event is not None and may_change(event, viewer.name, is_admin=viewer.role >= Role.ADMIN):
        return f"the {event.kind} that is chosen above", change_form(stores, viewer, event)
    return "a new one", note_form(stores, viewer, id=f"{ID}-new")


def _pick(name: str, label: str, choices: Choices, known: list[tuple[str, str]]) -> html.Label:
    """Return the drop-down of what is known; with what was chosen although nothing is like that."""
    chosen = choices.get(name, "")
    there = {value for value, _ in known}
    options = [ANY, *([(chosen, chosen)] if chosen and chosen not in there else []), *known]
    return plain_select(ID, name, options, chosen=chosen, default="", label=label, key=str(len(options)))


def _file(choices: Choices) -> html.A:
    kept = {name: choices[name] for name in FILTERS if choices.get(name)}
    return html.A(
        "CSV", href=f"{PATH}.csv{'?' if kept else ''}{urlencode(kept)}", download="events.csv",
        className="fw-turning-file", title="Everything that the choices leave, as a file", **needing(EXPORTING_ROLE),
    )  # fmt: skip


PAGE = Page(
    id=ID,
    title="Events",
    path=PATH,
    parent="tokens",
    layout=layout,
    build=build,
    varies_by=("name", "role", "portfolios"),
    datasets=(DATASET, "portfolio"),
    panels=PANELS,
    slots=(PICKS, WRONG, f"{ID}-zone", ALL.slot, f"{ID}-turning", f"{ID}-which", NOTE.slot),
    routes=lambda stores: [file_route(stores), form_route(stores)],
    forms=forms,
)
