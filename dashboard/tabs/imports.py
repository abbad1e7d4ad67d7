"""Import: a file is dropped, looked at, changed where it was misunderstood, taken; every import, and undoing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from core.format import bytes_
from dashboard.components.attributes import attributes
from dashboard.components.form import Input
from dashboard.components.panel import panels, slot
from dashboard.imports.lists import imports_table, refused_list, sent_table
from dashboard.imports.posts import forms
from dashboard.imports.taken import SAID
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import Limits
from portfolio.imports.refused import to_look_at
from portfolio.imports.sheet import LARGEST_BYTES
from portfolio.imports.within import within
from storage.state.imports import Import, recent_imports
from storage.state.sent_rows import Sent, list_sent

if TYPE_CHECKING:
    from storage.stores import Stores

ID = "import"
MOST_LISTED = 100
MOST_SEARCHED = 2_000
"""Of the imports of all portfolios, for those of some."""
DROP, REFUSED = f"{ID}-drop", f"{ID}-refused"
TAKES = "CSV and other text, Excel (.xlsx, .xls), OpenDocument (.ods), Parquet, each also in one .zip or .gz"

IMPORTS = Panel(
    f"{ID}-all",
    "Imports",
    "Every file that was taken or refused: by whom, when, what came of it. Kept in the state database (table imports).",
    TableBody(180),
    subtitle=f"newest first, {MOST_LISTED} at most",
)
SENT = Panel(
    f"{ID}-sent",
    "Sent by programs",
    "Rows that came by the API, a pull or a topic, an hour together: by whom, of which kind, what came of them. Kept "
    "in the state database (table sent_rows).",
    TableBody(180),
    subtitle=f"newest hour first, {MOST_LISTED} lines at most",
)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div(
        html.Div(
            [
                slot(REFUSED),
                slot(DROP, 118),
                html.Div(id=f"{ID}-status", className="fw-import-status", role="status"),
                html.Div(id=f"{ID}-look"),
                html.Div(id=SAID, className="fw-import-status", role="status"),
                panels(IMPORTS.element(), SENT.element()),
            ],
            className="fw-content",
        )
    )


def build(stores: Stores, _choices: Choices, viewer: Viewer) -> View:
    """Return what was imported, what was refused, and the place to drop a file."""
    may_change = viewer.role >= CHANGING_ROLE
    limits = viewer.portfolios
    note = ""
    try:
        # Whose a refused file is, nobody knows.
        refused = refused_list(to_look_at(stores), may_change) if limits is None else None
    except OSError as error:
        refused, note = None, f"The inbox cannot be read: {error.strerror or error}."
    items = _imports(stores, limits)
    return View(
        slots={
            REFUSED: refused,
            DROP: _drop(limits) if may_change else html.P(needs(CHANGING_ROLE, "import files")),
            IMPORTS.slot: imports_table(items, f"{IMPORTS.id}-rows", may_change),
            SENT.slot: sent_table(_sent(stores, viewer), f"{SENT.id}-rows"),
        },
        notes={IMPORTS.id: note, SENT.id: ""},
    )


def _imports(stores: Stores, limits: Limits) -> list[Import]:
    """Return the newest imports; under limits those that touched no other portfolio."""
    if limits is None:
        return recent_imports(stores.state, MOST_LISTED)
    allowed = within(stores.state, limits)
    return [item for item in recent_imports(stores.state, MOST_SEARCHED) if allowed.shows(item)][:MOST_LISTED]


def _sent(stores: Stores, viewer: Viewer) -> list[Sent]:
    """Return what programs sent; under limits what came from this sender alone: whose the rows of others are, no entry
    tells.
    """
    if viewer.portfolios is None:
        return list_sent(stores.state, MOST_LISTED)
    return list_sent(stores.state, MOST_LISTED, viewer.name) if viewer.name else []


def _drop(limits: Limits) -> html.Div:
    """Return the place where files are dropped or chosen (assets/js/69-import.js)."""
    box = Input(
        type="file", id=f"{ID}-file", className="fw-import-file", multiple="multiple",
        **{"aria-describedby": f"{ID}-takes"},
    )  # fmt: skip
    return html.Div(
        [
            html.Label([box, html.Span("Choose a file", className="fw-button fw-import-choose")], htmlFor=f"{ID}-file"),
            html.P([_what(limits), ", or drop it anywhere on this page. ", _more()]),
            html.P(f"{TAKES}; up to {bytes_(LARGEST_BYTES)}.", id=f"{ID}-takes", className="fw-import-note"),
        ],
        className="fw-import-drop",
        **attributes(data_most_bytes=str(LARGEST_BYTES), data_most=bytes_(LARGEST_BYTES)),
    )


def _what(limits: Limits) -> str:
    return "of NAV, returns or prices" if limits is None else "of NAV or returns of portfolios that you may see"


def _more() -> Any:
    return html.Span("Nothing is taken before you have seen what was understood.")


PAGE = Page(
    id=ID,
    title="Import",
    path=f"/{ID}",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios", "name"),
    datasets=("portfolio", "imports", "inbox"),
    panels=(IMPORTS, SENT),
    slots=(REFUSED, DROP, IMPORTS.slot, SENT.slot),
    forms=forms,
)
