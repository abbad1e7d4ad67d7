"""Portfolios: the fund's tree, the settings of each portfolio, and who changed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from dashboard.components.card import empty
from dashboard.components.needing import needing
from dashboard.components.panel import panels
from dashboard.portfolios.forms import add_form, delete_form, forms, merge_form, settings_form
from dashboard.portfolios.tables import ID, changes_table, tree_table
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import Limits, seen_changes
from portfolio.chosen import key_of
from portfolio.tree.facts import Node, nodes
from portfolio.tree.names import known_as
from portfolio.tree.settings import WHERE_SET, set_in_file
from storage.state.changes import Change, recent_changes
from storage.state.portfolios import OWN, list_known_names

if TYPE_CHECKING:
    from storage.stores import Stores

SHOWN_CHANGES = 50
TREE = Panel(
    f"{ID}-tree",
    "Portfolios",
    "The fund's tree: each portfolio before its parts. A portfolio without values of its own is the sum of its parts.",
    TableBody(160),
    subtitle=html.Span("choose one to see and change its settings", **needing(CHANGING_ROLE)),
    tools=("csv", "xlsx", "full"),
)
SETTINGS = Panel(
    f"{ID}-settings",
    "Settings",
    f"What is set counts everywhere; what is not is found from the data. What {WHERE_SET} sets is changed there.",
    TableBody(120),
    subtitle_slot=f"{ID}-chosen",
    tools=(),
)
ADD = Panel(
    f"{ID}-new",
    "Add a portfolio",
    "A portfolio without values, such as a fund that is the sum of its parts. Files bring the others.",
    TableBody(90),
    subtitle="without values, such as a fund that is the sum of its parts",
    tools=(),
)
CHANGES = Panel(
    f"{ID}-changes",
    "Changes",
    "Who changed what of the tree, of benchmarks and rates, the newest first.",
    TableBody(90, 320),
    tools=("csv", "xlsx"),
)
PANELS = (TREE, SETTINGS, ADD, CHANGES)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div(panels(*(panel.element() for panel in PANELS)), className="fw-content")


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what the page shows."""
    found = nodes(stores, viewer.portfolios)
    may_change = viewer.role >= CHANGING_ROLE
    key = choices.get("edit", "")
    chosen = next((node for node in found if key_of(node.portfolio) == key), None)
    return View(
        slots={
            TREE.slot: tree_table(found, key) if found else _nothing(may_change),
            f"{ID}-chosen": chosen.portfolio.name if chosen else "of the portfolio that is chosen above",
            SETTINGS.slot: _settings(stores, chosen, found, key, may_change),
            ADD.slot: add_form(found, viewer.portfolios) if may_change else _not_allowed(),
            CHANGES.slot: changes_table(_changes(stores, found, viewer.portfolios)),
        },
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
    )


def _changes(stores: Stores, found: list[Node], limits: Limits) -> list[Change]:
    """Return the newest changes; under limits those of them that tell of no other portfolio."""
    changes = recent_changes(stores.state, SHOWN_CHANGES)
    if limits is None:
        return changes
    return seen_changes(changes, frozenset(node.portfolio.id for node in found if node.portfolio.origin == OWN))


def _nothing(may_change: bool) -> html.Div:
    if not may_change:
        return empty("No portfolio yet", [needs(CHANGING_ROLE, "import files, which bring the first")])
    link = html.A("import one", href="/import")
    return empty("No portfolio yet", ["A file brings the first: ", link, ". Or add one without values below."])


def _not_allowed() -> html.P:
    return html.P(needs(CHANGING_ROLE, "change portfolios"), className="fw-nothing")


def _settings(stores: Stores, chosen: Node | None, found: list[Node], key: str, may_change: bool) -> Any:
    if chosen is None:
        missing = f"There is no portfolio {key}. " if key else ""
        if not may_change:
            return html.P([missing, needs(CHANGING_ROLE, "change portfolios")], className="fw-nothing")
        return html.P(
            [missing, "Choose a portfolio by its name, or ", html.A("import a file", href="/import"), "."],
            className="fw-nothing",
        )
    portfolio = chosen.portfolio
    if portfolio.origin == "sample":
        told: list[Any] = ["It belongs to the sample fund: ", html.Code("python -m sample remove"), " takes that away."]
        return html.P(told, className="fw-nothing")
    if portfolio.origin != OWN:
        return html.P("It belongs to the replay of the sample fund: it stays as it is.", className="fw-nothing")
    if not may_change:
        return _not_allowed()
    also = known_as(list_known_names(stores.state), portfolio)
    fixed = set_in_file(stores, portfolio.id)
    figures = html.A("Its figures", href=f"/portfolio?{urlencode({'portfolio': key})}")
    names = html.P([figures, f". Files may also call it {', '.join(also)}." if also else "."], className="fw-nothing")
    if fixed:
        stays = html.P(
            f"It stands in {WHERE_SET}: take it out there before you merge or delete it.", className="fw-nothing"
        )
        return [settings_form(stores, chosen, found, fixed), names, stays]
    return [
        settings_form(stores, chosen, found, fixed),
        names,
        html.Hr(),
        merge_form(chosen, found),
        html.Hr(),
        delete_form(chosen),
    ]


PAGE = Page(
    id=ID,
    title="Portfolios",
    path="/portfolios",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=("portfolio",),
    panels=PANELS,
    slots=(*(panel.slot for panel in PANELS), f"{ID}-chosen"),
    forms=forms,
)
