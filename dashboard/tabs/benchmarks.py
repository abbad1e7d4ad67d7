"""Benchmarks and rates: series of prices and rates, blends of them, risk-free rates, what currencies cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import CHANGING_ROLE, Viewer
from dashboard.benchmarks.facts import Facts, facts
from dashboard.benchmarks.forms import blend_form, forms, rate_form, remove_form, series_form
from dashboard.benchmarks.tables import ID, blends_table, currencies, rates_table, series_table
from dashboard.components.card import empty
from dashboard.components.needing import needing
from dashboard.components.panel import panels
from dashboard.views.panel import Panel, TableBody
from dashboard.views.rights import needs
from dashboard.views.tab import Choices, Page, View
from portfolio.series.reference import BLEND

if TYPE_CHECKING:
    from storage.stores import Stores

SERIES = Panel(
    f"{ID}-series",
    "Series",
    "Everything of the fund's own that can be a benchmark, a risk-free rate or a rate of exchange. From files.",
    TableBody(160, 420),
    subtitle=html.Span("choose one to say what it is", **needing(CHANGING_ROLE)),
    tools=("csv", "xlsx", "full"),
)
BLENDS = Panel(
    f"{ID}-blends",
    "Blends",
    "Benchmarks made of series: held with the weights, which drift with the prices until they are restored at the end "
    "of a period. A day that one part lacks is none of the blend.",
    TableBody(90),
    subtitle=html.Span("choose one to change it", **needing(CHANGING_ROLE)),
    tools=("csv", "xlsx"),
)
EDIT = Panel(
    f"{ID}-edit",
    "Settings",
    "What the chosen series is, or what the chosen blend is made of; without one, a new blend.",
    TableBody(140),
    subtitle_slot=f"{ID}-chosen",
    tools=(),
)
RATES = Panel(
    f"{ID}-rates",
    "Risk-free rates",
    "Taken off returns wherever a figure needs a rate: that of the portfolio's currency, unless one is typed there. A "
    "series earns simple interest over the days between two dates by its day count, and compounds.",
    TableBody(140),
    subtitle="by currency",
    span=6,
    tools=("csv", "xlsx"),
)
CURRENCIES = Panel(
    f"{ID}-currencies",
    "Currencies",
    "Prices of currencies: values are converted at the rate of their own day, or the last of five days at most.",
    TableBody(90),
    subtitle="what values are converted with",
    span=6,
    tools=(),
)
PANELS = (SERIES, BLENDS, EDIT, RATES, CURRENCIES)


def layout(_stores: Stores, _choices: Choices, _viewer: Viewer) -> html.Div:
    """Return the page without data."""
    return html.Div(panels(*(panel.element() for panel in PANELS)), className="fw-content")


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return what the page shows."""
    found = facts(stores, viewer.portfolios)
    symbol, blend = choices.get("series", ""), choices.get("blend", "")
    may_change = viewer.role >= CHANGING_ROLE and viewer.portfolios is None
    chosen, edit = _edited(found, symbol, blend)
    return View(
        slots={
            SERIES.slot: series_table(found, symbol) if found.known.series else _nothing(may_change),
            BLENDS.slot: blends_table(found, blend),
            f"{ID}-chosen": chosen,
            EDIT.slot: edit if may_change else _not_allowed(),
            RATES.slot: [rates_table(found), rate_form(found) if may_change else _not_allowed()],
            CURRENCIES.slot: currencies(found),
        },
        notes=dict.fromkeys((panel.id for panel in PANELS), ""),
    )


def _edited(found: Facts, symbol: str, blend: str) -> tuple[str, Any]:
    """Return what is chosen, and its form."""
    series = found.known.series.get(symbol)
    if series is not None:
        return f"of {series.name}", series_form(series)
    made = found.known.blends.get(BLEND + blend) if blend else None
    if made is not None:
        return f"of {made.name}", [blend_form(found, made), html.Hr(), remove_form(made)]
    if not found.known.series:
        return "of a series or blend", html.P("A blend needs a series: import one first.", className="fw-nothing")
    return "of a new blend", blend_form(found, None)


def _nothing(may_change: bool) -> html.Div:
    if not may_change:
        return empty("No benchmark or rate yet", html.P(needs(CHANGING_ROLE, "import files, which bring the first")))
    how: list[Any] = [
        "A file of prices (date, close), of returns of an index, or of rates in percent a year brings the first: ",
        html.A("import one", href="/import"),
        ", or python -m collectors import FILE --kind prices (index, rates) --portfolio NAME.",
    ]
    return empty("No benchmark or rate yet", html.P(how))


def _not_allowed() -> html.P:
    return html.P(
        "Operators who may see every portfolio change benchmarks and rates: all portfolios share them.",
        className="fw-nothing",
    )


PAGE = Page(
    id=ID,
    title="Benchmarks and rates",
    path="/benchmarks",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("role", "portfolios"),
    datasets=("portfolio",),
    panels=PANELS,
    slots=(*(panel.slot for panel in PANELS), f"{ID}-chosen"),
    forms=forms,
)
