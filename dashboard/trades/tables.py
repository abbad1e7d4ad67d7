"""Tables of round trips: one by one, and what they came to by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dash import html

from analytics.round_trips import TripFigures
from core import format as text
from dashboard.components.age import local_time
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, amounts_table
from dashboard.holdings.tables import price_text, quantity_text, tone
from dashboard.portfolio.links import to_holding, to_trades
from portfolio.excursions import Excursion
from portfolio.matched_trips import Trip
from portfolio.round_trips import GROUPS, Trips

ID = "trades"
TRIPS, GROUPED = f"{ID}-trips-rows", f"{ID}-groups-rows"
MOST_ROWS = 300
SIDES = {1: "▲ long", -1: "▼ short"}
MONEY = ("profit", "expectancy", "best", "worst")
NOT_KNOWN = "not known: a rate or a cost is missing"
COLUMNS = (
    Column("closed", "Closed", numeric=False, definition="When its last unit went"),
    Column("instrument", "Instrument", numeric=False, definition="Click for its history on Holdings"),
    Column("portfolio", "Strategy", numeric=False, definition="That orders name, else the portfolio that traded it"),
    Column("side", "Side", numeric=False),
    Column("quantity", "Quantity"),
    Column("opened", "Opened", numeric=False, definition="When its first unit came"),
    Column("held", "Held", unit="s"),
    Column("open", "Open price", definition="Mean by quantity, costs in it, in its own currency, as after splits"),
    Column("close", "Close price", definition="Mean by quantity, after costs, in its own currency"),
    Column("profit", "Profit", definition="In the portfolio's currency, each side at the rate of its day, after costs"),
    Column("currency", "Currency", numeric=False, definition="Its own: that of prices and local profit"),
    Column("local", "Local profit", definition="In its own currency, after costs"),
    Column("return", "Return", definition="Profit in its own currency over what was put in", unit="ratio"),
    Column("adverse", "MAE", definition="How far it went against the holder at daily closes, over the opening price",
           plain="Maximum adverse excursion", unit="ratio"),
    Column("favourable", "MFE", definition="How far it went for the holder at daily closes, over the opening price",
           plain="Maximum favourable excursion", unit="ratio"),
    Column("order", "Order", numeric=False, definition="That closed it; click to see its life"),
)  # fmt: skip


def trips_table(found: Trips, shown: Sequence[Trip], excursions: Sequence[Excursion], order: str) -> html.Div:
    """Return round trips in the order given; `order` is the one whose life is shown."""
    has_parts = len(found.names) > 1 or any(each.strategy for each in shown)
    currency = found.portfolio.currency
    is_left_out = {
        *([] if has_parts else ["portfolio"]),
        *(["currency", "local"] if all(each.currency == currency for each in shown) else []),
    }
    rows = [_trip(found, each, gone, order) for each, gone in zip(shown, excursions, strict=True)]
    return amounts_table(
        TRIPS,
        [each for each in COLUMNS if each.key not in is_left_out],
        rows,
        currency,
        MONEY,
        caption="Round trips",
        nothing="No round trip is like that.",
    )


def groups_table(found: Trips, by: str) -> html.Div:
    """Return what round trips came to by group, and all of them: long, short and together."""
    columns = [
        Column("name", GROUPS[by], numeric=False),
        Column("count", "Round trips"),
        Column("profit", "Profit", definition="After costs, in the portfolio's currency"),
        Column("hit", "Hit rate", definition="Won over all", unit="ratio"),
        Column("payoff", "Payoff", definition="Mean win over mean loss"),
        Column("expectancy", "Expectancy", definition="Mean profit of a round trip"),
        Column("factor", "Profit factor", definition="All that was won over all that was lost"),
        Column("held", "Mean held", unit="s"),
        Column("median", "Median held", unit="s"),
        Column("best", "Best"),
        Column("worst", "Worst"),
    ]
    ids = {name: id for id, name in found.names.items()}
    sides = {f"All {name}": each for name, each in found.by("side").items()} if by != "side" else {}
    parts = {**found.by(by), **sides, "All": found.all()} if found.known else {}
    rows = [_group(found, name, each, by, ids) for name, each in parts.items()]
    return amounts_table(
        GROUPED,
        columns,
        rows,
        found.portfolio.currency,
        MONEY,
        caption=f"By {GROUPS[by].lower()}",
        nothing="No round trip is like that.",
    )


def order_button(id: str, chosen: str) -> Any:
    """Return a button that shows the life of an order, or hides it again."""
    if not id:
        return None
    return choice_button(
        ID, {"order": None if id == chosen else id}, id, pressed=id == chosen, label=f"Life of order {id}"
    )


def _trip(found: Trips, each: Trip, gone: Excursion, order: str) -> dict[str, Any]:
    trip, origin = each.of, found.portfolio.origin
    whose = each.whose(found.names)
    hint = NOT_KNOWN if math.isnan(each.profit) else ""
    return {
        "closed": Cell(local_time(trip.closed_seconds), trip.closed_seconds),
        "instrument": Cell(
            to_holding(origin, each.portfolio, each.about.symbol), each.about.symbol, hint=each.about.name
        ),
        "portfolio": Cell(to_trades(origin, each.portfolio, whose), whose),
        "side": SIDES[trip.side],
        "quantity": Cell(quantity_text(trip.quantity), trip.quantity),
        "opened": Cell(local_time(trip.opened_seconds), trip.opened_seconds),
        "held": Cell(text.duration(trip.held_seconds), trip.held_seconds),
        "open": Cell(price_text(each.open_price), each.open_price, hint=each.currency, unit=each.currency),
        "close": Cell(price_text(each.close_price), each.close_price, hint=each.currency, unit=each.currency),
        "profit": Cell(text.money(each.profit, signed=True), each.profit, tone=tone(each.profit), hint=hint),
        "currency": each.currency,
        "local": _money(trip.profit),
        "return": Cell(text.percent(trip.return_ratio, signed=True), trip.return_ratio, tone=tone(trip.return_ratio)),
        "adverse": Cell(text.percent(gone.adverse), gone.adverse, hint=gone.why),
        "favourable": Cell(text.percent(gone.favourable, signed=True), gone.favourable, hint=gone.why),
        "order": Cell(order_button(trip.order, order), trip.order),
    }


def _group(found: Trips, name: str, each: TripFigures, by: str, ids: dict[str, str]) -> dict[str, Any]:
    shown: Any = name
    if by == "portfolio" and name in ids:
        shown = to_trades(found.portfolio.origin, ids[name], name)
    elif by == "instrument" and name in found.matched.instruments:
        shown = choice_button(ID, {"instrument": name}, name, label=f"Only {name}")
    return {
        "name": Cell(shown, name),
        "count": Cell(text.number(each.count), float(each.count)),
        "profit": _money(each.profit),
        "hit": Cell(text.percent(each.hit_rate), each.hit_rate),
        "payoff": Cell(text.ratio(each.payoff), each.payoff, hint=_why_no_ratio(each)),
        "expectancy": _money(each.expectancy),
        "factor": Cell(text.ratio(each.profit_factor), each.profit_factor, hint=_why_no_ratio(each)),
        "held": Cell(text.duration(each.held_seconds), each.held_seconds),
        "median": Cell(text.duration(each.median_held_seconds), each.median_held_seconds),
        "best": _money(each.best),
        "worst": _money(each.worst),
    }


def _money(value: float) -> Cell:
    return Cell(text.money(value, signed=True), value, tone=tone(value))


def _why_no_ratio(each: TripFigures) -> str:
    return "none lost" if not each.lost else "none won" if not each.won else ""
