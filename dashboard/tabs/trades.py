"""Trades: round trips and what they came to, the orders of a day, and the life of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from analytics.performance import WINDOWS
from core import format as text
from core.ingest.kinds import STATUSES
from dashboard.components.choices import (
    choice_bar,
    choice_input,
    choice_segments,
    chosen,
    plain_select,
    spacer,
)
from dashboard.components.panel import panels, slot
from dashboard.portfolio.common_choices import WHICH_AND_WHEN, as_of_choice, portfolio_choice
from dashboard.portfolio.sub_page import lacks, mark, nothing
from dashboard.trades import blotter, cards, charts, tables
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import seen
from portfolio.chosen import chosen_portfolio
from portfolio.excursions import excursions_of
from portfolio.orders import Blotter, called, misfits
from portfolio.orders import blotter as orders_of
from portfolio.query import DEFAULT_WINDOW, PortfolioQuery
from portfolio.round_trips import GROUPS, Trips, trips_of
from storage.clickhouse.reads.orders import Odd
from storage.state.portfolios import NOT_TRADED, Portfolio, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = tables.ID
DEFAULT_GROUP = "instrument"
REMARKS, STRIP, MARK, PICK = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark", f"{ID}-pick"
FEED = (
    "Programs send trades and orders (docs/your-data.md), or a file named trades.csv in the inbox of the data folder "
    "does: portfolio, trade_id, ts, instrument, side, quantity, price; orders.csv likewise."
)
ASKED = ("portfolio", "window", "from", "to", "asof")
NO_ORDERS = "Shows the orders of a day as soon as orders are told: kind orders in docs/your-data.md."
NO_TRADES = "Shows round trips as soon as trades are told: kind trades in docs/your-data.md."
PICK_ONE = "Click an order above to see its life and its fills."
SCATTER = Panel(
    f"{ID}-scatter",
    "Profit over time held",
    "A point a round trip: how long it was held, and what it brought after costs.",
    GraphBody(280),
    subtitle_slot=f"{ID}-scatter-said",
    span=7,
    tools=("table", "csv", "png", "svg", "full"),
)
SPREAD = Panel(
    f"{ID}-spread",
    "Distribution of profits",
    "How many round trips brought how much after costs. No bar holds both gains and losses.",
    GraphBody(280),
    subtitle_slot=f"{ID}-spread-said",
    span=5,
    tools=("table", "csv", "png", "svg", "full"),
)
GROUPED = Panel(
    f"{ID}-groups",
    "Round trips by group",
    "What the round trips of the window came to, those that were bought first and those that were sold first apart.",
    TableBody(240, 420, tables.GROUPED),
    subtitle_slot=f"{ID}-groups-said",
)
ALL = Panel(
    f"{ID}-trips",
    "Round trips",
    "From the first unit in to the last one out, first in first out by strategy and instrument. What all fills of one "
    "order close is one. Splits and transfers count; dividends are in no profit here.",
    TableBody(360, 520, tables.TRIPS),
    subtitle_slot=f"{ID}-trips-said",
)
ORDERS = Panel(
    f"{ID}-orders-of-day",
    "Orders",
    "Orders of the newest day that has any, up to the day chosen: placed or ended then, or open. A day is of UTC.",
    TableBody(300, 420, blotter.ORDERS, beside_filter=html.Span(id=f"{ID}-orders-picks", className="fw-picks")),
    subtitle_slot=f"{ID}-orders-said",
)
ORDER = Panel(
    f"{ID}-order",
    "Life of an order",
    "When it was decided, submitted, acknowledged, filled and ended, and its fills with venue and fees.",
    TableBody(60),
)
PANELS = (SCATTER, SPREAD, GROUPED, ALL, ORDERS, ORDER)
OF_TRIPS = (SCATTER, SPREAD, GROUPED, ALL)
SHOWS = "Shows trades and orders as soon as they are told."


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data: an order that is named in the address stands first."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        choice_segments(ID, "window", [(each, each) for each in WINDOWS], choices, default=DEFAULT_WINDOW,
                        label="Closed in"),
        choice_input(ID, "from", choices, default="", label="From", type="date",
                     hint="First day (UTC) on which a round trip was closed; takes the place of the window"),
        choice_input(ID, "to", choices, default="", label="To", type="date", hint="Last day (UTC)"),
        as_of_choice(ID, choices),
        html.Span(id=PICK, className="fw-picks"),
        choice_segments(ID, "by", [*GROUPS.items()], choices, default=DEFAULT_GROUP, label="Grouped by"),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    order = (ORDERS, ORDER, *OF_TRIPS) if choices.get("order") else PANELS
    content = [slot(REMARKS), slot(STRIP, 116, narrow_height=480), panels(*(panel.element() for panel in order))]
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return the trades and orders of a portfolio."""
    query, problems = PortfolioQuery.parse({name: choices[name] for name in ASKED if name in choices})
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolio, not_there = chosen_portfolio(stores, known, query.portfolio)
    if portfolio is None:
        return nothing(PANELS, REMARKS, STRIP, problems, lacks(None, "", query), FEED, SHOWS)
    narrowed, unknown = _narrowed(choices)
    instrument = choices.get("instrument", "")
    found = trips_of(stores, portfolio, viewer.portfolios, query, instrument)
    orders = orders_of(stores, portfolio, viewer.portfolios, query.as_of, narrowed)
    if found is None and orders is None:
        title = lacks(portfolio, "told no trades and no orders", query)
        return nothing(PANELS, REMARKS, STRIP, (*not_there, *problems), title, FEED, SHOWS)
    odd = misfits(stores, portfolio, viewer.portfolios) if orders else Odd()
    told = [*not_there, *problems, *unknown, *_never_traded(found, orders, instrument)]
    parts = [_trips_view(stores, choices, found), _orders_view(stores, choices, viewer, portfolio, orders)]
    return View(
        figures={name: each for part in parts for name, each in part.figures.items()},
        slots={
            REMARKS: cards.remarks(told, found, odd),
            STRIP: html.Div(cards.strip(found, orders), className="fw-cards"),
            MARK: mark(portfolio, text.count(found.matched.trades, "fill") if found else ""),
            PICK: [_instruments(portfolio, found, orders, instrument)],
            **{name: each for part in parts for name, each in part.slots.items()},
        },
        as_of={name: each for part in parts for name, each in part.as_of.items()},
        notes={name: each for part in parts for name, each in part.notes.items()},
    )


def _trips_view(stores: Stores, choices: Choices, found: Trips | None) -> View:
    if found is None:
        return View(
            figures={SCATTER.graph: {"data": [], "layout": {}}, SPREAD.graph: {"data": [], "layout": {}}},
            as_of=dict.fromkeys(panel.id for panel in OF_TRIPS),
            notes=dict.fromkeys((panel.id for panel in OF_TRIPS), NO_TRADES),
        )
    by = chosen([*GROUPS.items()], choices, "by", DEFAULT_GROUP)
    scatter, spread = charts.scatter(found), charts.distribution(found)
    shown = found.trips[: -tables.MOST_ROWS - 1 : -1]
    gone = excursions_of(stores, found.portfolio.origin, found.matched, shown)
    seen_at = found.matched.newest if found.portfolio.origin not in NOT_TRADED else None
    cut = f" · the newest {text.number(len(shown))} of {text.number(len(found.trips))}; all of them through the API"
    return View(
        figures={SCATTER.graph: dict(scatter.figure), SPREAD.graph: dict(spread.figure)},
        slots={
            f"{ID}-scatter-said": scatter.subtitle,
            f"{ID}-spread-said": spread.subtitle,
            f"{ID}-groups-said": f"by {GROUPS[by].lower()}",
            GROUPED.slot: tables.groups_table(found, by),
            f"{ID}-trips-said": f"closed from {found.first} to {found.last}"
            + (cut if len(shown) < len(found.trips) else ""),
            ALL.slot: tables.trips_table(found, shown, gone, choices.get("order", "")),
        },
        as_of={
            **(dict.fromkeys((panel.id for panel in OF_TRIPS), seen_at) if seen_at is not None else {}),
            **({SCATTER.id: None} if scatter.note else {}),
            **({SPREAD.id: None} if spread.note else {}),
        },
        notes={**dict.fromkeys((panel.id for panel in OF_TRIPS), ""), SCATTER.id: scatter.note, SPREAD.id: spread.note},
    )


def _orders_view(
    stores: Stores, choices: Choices, viewer: Viewer, portfolio: Portfolio, orders: Blotter | None
) -> View:  # fmt: skip
    id = choices.get("order", "")
    one = called(stores, portfolio, viewer.portfolios, id) if id else None
    life = blotter.called_parts(portfolio, one, id) if id else [html.P(PICK_ONE, className="fw-nothing")]
    slots: dict[str, Any] = {ORDER.slot: life}
    if orders is None:
        return View(
            slots={**slots, f"{ID}-orders-said": "", f"{ID}-orders-picks": []}, as_of={ORDERS.id: None},
            notes={ORDERS.id: NO_ORDERS, ORDER.id: ""},
        )  # fmt: skip
    slots |= {
        f"{ID}-orders-said": blotter.said(orders),
        f"{ID}-orders-picks": blotter.selects(orders, _narrowed(choices)[0]),
        ORDERS.slot: blotter.blotter_table(orders, id),
    }
    return View(slots=slots, notes={ORDERS.id: "", ORDER.id: ""})


def _narrowed(choices: Choices) -> tuple[dict[str, str], list[str]]:
    """Return what orders are narrowed by, and what of it cannot be."""
    narrowed = {name: choices[name] for name in ("instrument", "status", "strategy", "broker") if name in choices}
    status = narrowed.get("status", "")
    if not status or status in STATUSES:
        return narrowed, []
    del narrowed["status"]
    return narrowed, [f"Status: “{text.cut(status, 40)}” is none of {', '.join(STATUSES)}. Any is used."]


def _never_traded(found: Trips | None, orders: Blotter | None, instrument: str) -> list[str]:
    known = {*(found.matched.instruments if found else ()), *(orders.counted.offered["instrument"] if orders else ())}
    if not instrument or instrument in known:
        return []
    return [f"Instrument: “{text.cut(instrument, 64)}” was never traded here."]


def _instruments(portfolio: Portfolio, found: Trips | None, orders: Blotter | None, instrument: str) -> html.Label:
    known = {*(found.matched.instruments if found else ()), *(orders.counted.offered["instrument"] if orders else ())}
    names = sorted({*known, *([instrument] if instrument else [])})
    options = [("", "all"), *((name, text.cut(name, 40)) for name in names)]
    return plain_select(ID, "instrument", options, chosen=instrument, default="", label="Instrument",
                        key=f"{portfolio.id} {len(options)}")  # fmt: skip


PAGE = Page(
    id=ID,
    title="Trades",
    path="/portfolio/trades",
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio",),
    panels=PANELS,
    slots=(
        REMARKS, STRIP, MARK, PICK, f"{ID}-scatter-said", f"{ID}-spread-said", f"{ID}-groups-said", GROUPED.slot,
        f"{ID}-trips-said", ALL.slot, f"{ID}-orders-said", f"{ID}-orders-picks", ORDERS.slot, ORDER.slot,
    ),
    graphs=(SCATTER.graph, SPREAD.graph),
)  # fmt: skip
