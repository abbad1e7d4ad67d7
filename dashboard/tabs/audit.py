"""Audit: who did what, on what, from where, when, and what came of it, for admins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dash import html

from access.audit import Outcome
from access.viewer import Viewer
from core.roles import Role
from dashboard.access.audit import ANY_OUTCOME, ID, PAGE_ROWS, PATH, audit_table, before_of, routes, turning, wanted_of
from dashboard.access.common import told_zone
from dashboard.components.choices import choice_bar, choice_input, choice_select, plain_select
from dashboard.components.panel import panels
from dashboard.views.panel import Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from storage.state.audit import count_entries, known_of, read_entries

if TYPE_CHECKING:
    from storage.stores import Stores

PICKS, WRONG = f"{ID}-picks", f"{ID}-wrong"
ALL = Panel(
    f"{ID}-all",
    "Audit",
    "Rows are added to the state database and never changed; ClickHouse has them once more, in the table audit.",
    TableBody(400),
    subtitle_slot=f"{ID}-zone",
    controls_slot=f"{ID}-turning",
    tools=("full",),
)
ANY = ("", "any")


def layout(_stores: Stores, choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    outcomes = [(ANY_OUTCOME, ANY_OUTCOME), *((each.value, each.value) for each in Outcome)]
    bar = choice_bar(
        html.Span(id=PICKS, className="fw-picks"),
        choice_select(ID, "outcome", outcomes, choices, default=ANY_OUTCOME, label="Outcome"),
        choice_input(ID, "since", choices, default="", label="From", type="date", hint="First day, in UTC"),
        choice_input(ID, "until", choices, default="", label="To", type="date", hint="Last day, in UTC"),
        html.Span(id=WRONG, className="fw-adder-said", role="status"),
    )
    return html.Div([bar, html.Div(panels(ALL.element()), className="fw-content")])


def build(stores: Stores, choices: Choices, _viewer: Viewer) -> View:
    """Return a page of what the choices leave."""
    wanted, wrong = wanted_of(choices)
    before = before_of(choices)
    entries = read_entries(stores.state, wanted, before=before, limit=PAGE_ROWS)
    who, what = known_of(stores.state)
    kept = {name: choices[name] for name in ("who", "what", "outcome", "since", "until") if choices.get(name)}
    file = html.A("CSV", href=f"{PATH}.csv{'?' if kept else ''}{urlencode(kept)}", download="audit.csv",
                  className="fw-turning-file", title="Everything that the choices leave, as a file")  # fmt: skip
    return View(
        slots={
            PICKS: [_pick("who", "Who", wanted.who, who), _pick("what", "What", wanted.what, what)],
            WRONG: wrong,
            f"{ID}-zone": told_zone("newest first", stores.clock.now()),
            ALL.slot: audit_table(entries),
            f"{ID}-turning": [turning(entries, count_entries(stores.state, wanted), before), file],
        },
        notes={ALL.id: ""},
    )


def _pick(name: str, label: str, chosen: str, known: list[str]) -> html.Label:
    """Return the drop-down of what is known; with what was chosen although nothing is like that."""
    offered = known if not chosen or chosen in known else [chosen, *known]
    options = [ANY, *((each, each) for each in offered)]
    return plain_select(ID, name, options, chosen=chosen, default="", label=label, key=str(len(options)))


PAGE = Page(
    id=ID,
    title="Audit",
    path=PATH,
    parent="tokens",
    role=Role.ADMIN,
    layout=layout,
    build=build,
    datasets=("audit",),
    panels=(ALL,),
    slots=(PICKS, WRONG, f"{ID}-zone", ALL.slot, f"{ID}-turning"),
    routes=routes,
)
