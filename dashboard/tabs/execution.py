"""Execution: how well orders were carried out, what that cost, and what it cost while something was broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from access.viewer import Viewer
from analytics.performance import WINDOWS
from core.alerts.spec import HISTORY
from core.clock import DAY_SECONDS
from core.format import duration
from core.kinds.ib.source import IbSource
from dashboard.components.choices import (
    choice_bar,
    choice_segments,
    plain_select,
    spacer,
)
from dashboard.components.panel import panels, slot
from dashboard.execution import cards, charts, tables
from dashboard.execution.broker import broker_rows
from dashboard.portfolio import choice_bar as portfolio_bar
from dashboard.portfolio.common_choices import WHICH_AND_WHEN, as_of_choice, portfolio_choice
from dashboard.portfolio.sub_page import lacks, mark, nothing
from dashboard.views.panel import GraphBody, Panel, TableBody
from dashboard.views.tab import Choices, Page, View
from portfolio.allowed import seen
from portfolio.chosen import chosen_portfolio
from portfolio.execution import execution
from portfolio.execution_model import BYS, Execution
from portfolio.incidents import fired_events
from portfolio.outage import ANY, bands_of, components_of
from portfolio.query import PortfolioQuery
from status.alerts import alerts_now
from storage.clickhouse.reads.orders_worked import By
from storage.state.portfolios import NOT_TRADED, list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

ID = cards.ID
DEFAULT_WINDOW, DEFAULT_BY = "1Y", "strategy"
REMARKS, STRIP, MARK, COMPONENTS = f"{ID}-remarks", f"{ID}-strip", f"{ID}-mark", f"{ID}-components"
FEED = (
    "Programs send orders in each of their states and their fills, the trades (docs/your-data.md), or files named "
    "orders.csv and trades.csv in the inbox of the data folder do. With decision_price and arrival_price there is "
    "slippage, with the times of an order there are latencies."
)
OVER_TIME = Panel(
    f"{ID}-time",
    "Over time",
    "Slippage against the price at arrival and fill rate of the orders sent in each day, week or month; below, the "
    "link to Interactive Brokers on the same time axis.",
    GraphBody(420),
    subtitle_slot=f"{ID}-time-said",
)
BROKER = f"{ID}-broker"
OUTCOMES = Panel(
    f"{ID}-outcomes",
    "Outcomes",
    "How orders ended, and the reasons that were told of those that came to nothing.",
    TableBody(260, 360),
    span=6,
)
LATENCY = Panel(
    f"{ID}-latency",
    "Latency by leg",
    "Time between an order's stamps, of the orders that tell both; quantiles linear between ranks.",
    TableBody(200),
    span=6,
)
BY = Panel(
    f"{ID}-by",
    "Slippage by group",
    "Average price of the fills against the price at arrival, by value, with Student's 95 % interval; above 0: it "
    "cost. The group is chosen above.",
    GraphBody(320),
    subtitle_slot=f"{ID}-by-said",
    span=6,
    tools=("table", "csv", "png", "svg", "full"),
)
SHORTFALL = Panel(
    f"{ID}-shortfall",
    "Implementation shortfall",
    "Delay: from the decision to arrival. Impact: from arrival to the fills. Opportunity: what was not filled, from "
    "the decision to the close of the day on which the order ended. Fees: commission and fees. Parts of the total.",
    GraphBody(320),
    subtitle_slot=f"{ID}-shortfall-said",
    span=6,
    tools=("table", "csv", "png", "svg", "full"),
)
PARTS = Panel(
    f"{ID}-parts",
    "Groups",
    "The groups beside each other. The group is chosen above.",
    TableBody(260, 420),
    subtitle_slot=f"{ID}-parts-said",
)
IMPACT = Panel(
    f"{ID}-impact",
    "Market impact",
    "Slippage against arrival by share of the average daily volume (ADV), orders of about one size together, and the "
    "least-squares fit to σ √(quantity / ADV) of all orders (Torre & Ferrari 1998), σ of a day over the last year; "
    "errors after White (1980).",
    GraphBody(300),
    subtitle_slot=f"{ID}-impact-said",
    span=6,
    tools=("table", "csv", "png", "svg", "full"),
)
MONTHS = Panel(
    f"{ID}-months",
    "Turnover and costs",
    "Bought and sold, and commission and fees, of each month over its mean net asset value.",
    GraphBody(300),
    subtitle_slot=f"{ID}-months-said",
    span=6,
)
OUTAGE = Panel(
    f"{ID}-outage",
    "What an outage cost",
    "Orders sent while an alert of severity warning or graver about a component fired, beside all others. The cost is "
    "their number times how much more shortfall an order had inside than outside.",
    TableBody(260),
    subtitle_slot=f"{ID}-outage-said",
    controls_slot=COMPONENTS,
)
PANELS = (OVER_TIME, BY, SHORTFALL, PARTS, OUTCOMES, LATENCY, IMPACT, MONTHS, OUTAGE)
SAID = tuple(f"{panel.id}-said" for panel in (OVER_TIME, BY, SHORTFALL, PARTS, IMPACT, MONTHS, OUTAGE))
SHOWS = "Shows orders as soon as they are sent."


def layout(stores: Stores, choices: Choices, viewer: Viewer) -> html.Div:
    """Return the page without data."""
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    bar = choice_bar(
        portfolio_choice(ID, known, choices),
        choice_segments(ID, "window", [(each, each) for each in WINDOWS], choices, default=DEFAULT_WINDOW,
                        label="Window"),
        as_of_choice(ID, choices),
        choice_segments(ID, "by", [*BYS.items()], choices, default=DEFAULT_BY, label="By"),
        spacer(),
        slot(MARK),
    )  # fmt: skip
    content = [
        slot(REMARKS), slot(STRIP, 240, narrow_height=960),
        panels(OVER_TIME.element(), html.Div(slot(BROKER), className="fw-span-12"),
               *(panel.element() for panel in PANELS[1:])),
    ]  # fmt: skip
    return html.Div([bar, html.Div(content, className="fw-content")])


def build(stores: Stores, choices: Choices, viewer: Viewer) -> View:
    """Return how the orders of a portfolio were carried out."""
    query, problems = _query(choices)
    known = seen(list_portfolios(stores.state), viewer.portfolios)
    portfolio, not_there = chosen_portfolio(stores, known, query.portfolio)
    by, bad_by = _by(choices)
    fired = fired_events(stores, viewer.portfolios, alerts_now(stores).firing)
    component = choices.get("component", ANY)
    bands = bands_of(fired, component, stores.clock.now())
    found = execution(stores, portfolio, viewer.portfolios, query, by, bands) if portfolio is not None else None
    if found is None:
        title = lacks(portfolio, "told of no orders or trades", query)
        return nothing(PANELS, REMARKS, STRIP, (*not_there, *problems), title, FEED, SHOWS)
    start, end = _seconds(found)
    rows, no_broker = broker_rows(stores, start, end)
    drawn = {
        OVER_TIME: charts.over_time(found, rows), BY: charts.by_group(found), SHORTFALL: charts.shortfall(found),
        IMPACT: charts.impact(found), MONTHS: charts.months(found),
    }  # fmt: skip
    adjusted = portfolio_bar.adjusted_line([each for each in (*not_there, *problems, bad_by) if each])
    return View(
        figures={panel.graph: dict(each.figure) for panel, each in drawn.items()},
        slots={
            REMARKS: [*adjusted, *cards.remarks(found)],
            STRIP: html.Div(cards.strip(found), className="fw-cards"),
            MARK: mark(found.portfolio, f"{found.first} to {found.last}"),
            BROKER: html.P(no_broker, className="fw-facts") if no_broker else [],
            OUTCOMES.slot: tables.outcomes_table(found),
            LATENCY.slot: tables.latency_table(found),
            PARTS.slot: tables.parts_table(found),
            COMPONENTS: _components(components_of(fired, start, end), component),
            **_outage(found),
            **{f"{panel.id}-said": each.subtitle for panel, each in drawn.items()},
            f"{PARTS.id}-said": f"by {BYS[by].lower()}",
        },
        as_of={**_seen_at(found), **{panel.id: None for panel, each in drawn.items() if each.note}},
        notes={
            **dict.fromkeys((panel.id for panel in PANELS), ""),
            **{panel.id: each.note for panel, each in drawn.items()},
        },
    )  # fmt: skip


def _query(choices: Choices) -> tuple[PortfolioQuery, tuple[str, ...]]:
    """Return what is asked, and what of it could not be read, in words."""
    texts = {name: choices[name] for name in ("portfolio", "asof") if name in choices}
    window = choices.get("window", DEFAULT_WINDOW)
    wrong: tuple[str, ...] = ()
    if window not in WINDOWS:
        wrong = (f"Window: “{window}” is none of {', '.join(WINDOWS)}. {DEFAULT_WINDOW} is used.",)
        window = DEFAULT_WINDOW
    query, problems = PortfolioQuery.parse({**texts, "window": window})
    return query, (*wrong, *problems)


def _by(choices: Choices) -> tuple[By, str]:
    wanted = choices.get("by", DEFAULT_BY)
    found = next((each for each in BYS if each == wanted), None)
    if found is not None:
        return found, ""
    return "strategy", f"By: “{wanted}” is none of {', '.join(BYS)}. {DEFAULT_BY} is used."


def _seconds(found: Execution) -> tuple[int, int]:
    start, end = (int(day.astype("datetime64[s]").astype(int)) for day in (found.first, found.last))
    return start, end + DAY_SECONDS


def _seen_at(found: Execution) -> dict[str, float]:
    """Return when the newest order or trade was, for every panel; nothing of what is not traded."""
    if found.portfolio.origin in NOT_TRADED:
        return {}
    return dict.fromkeys((panel.id for panel in PANELS), float(found.newest))


def _components(there: dict[str, str], component: str) -> Any:
    """Return the choice of what was broken; nothing without a choice."""
    if not there and component == ANY:
        return []
    offered = [(ANY, "any component"), *there.items()]
    if component not in (ANY, *there):
        offered.append((component, f"{component[:80]}: not broken"))
    return plain_select(ID, "component", offered, chosen=component, default=ANY, label="Broken",
                        key="-".join(there))  # fmt: skip


def _outage(found: Execution) -> dict[str, Any]:
    if found.outage is None:
        nothing = "No alert about a component fired within the window: there is no outage to compare with."
        return {OUTAGE.slot: html.P(nothing, className="fw-nothing"), f"{OUTAGE.id}-said": ""}
    currency = found.portfolio.currency
    return {
        OUTAGE.slot: tables.outage_table(found.outage, currency),
        f"{OUTAGE.id}-said": f"{duration(found.outage.seconds)} in all · "
        f"{tables.outage_verdict(found.outage, currency)}",
    }


PAGE = Page(
    id=ID,
    title="Execution",
    path=tables.PATH,
    parent="portfolio",
    layout=layout,
    build=build,
    varies_by=("portfolios",),
    shared_choices=WHICH_AND_WHEN,
    datasets=("portfolio", HISTORY, IbSource.KIND),
    panels=PANELS,
    slots=(
        REMARKS, STRIP, MARK, BROKER, COMPONENTS, OUTCOMES.slot, LATENCY.slot, PARTS.slot, OUTAGE.slot, *SAID,
    ),
    graphs=tuple(panel.graph for panel in PANELS if panel.graph),
)  # fmt: skip
