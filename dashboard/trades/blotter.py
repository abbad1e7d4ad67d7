"""The day's orders, and the life and fills of one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dash import html

from core import format as text
from dashboard.components.age import local_time
from dashboard.components.choices import plain_select
from dashboard.components.table import Cell, Column, cut_cell, data_table
from dashboard.holdings.tables import price_text, quantity_text
from dashboard.portfolio.links import to_holding, to_trades
from dashboard.trades.tables import order_button
from portfolio.orders import MICROSECONDS, MOST_FILLS, Blotter, Called, Step, life
from storage.clickhouse.reads.orders import MORE_THAN_ORDERED, Fill, Order
from storage.state.portfolios import Portfolio

ID = "trades"
ORDERS = f"{ID}-orders-rows"
STATUS = {
    "new": ("○ new", ""), "accepted": ("◔ accepted", ""), "partially_filled": ("◑ partially filled", ""),
    "filled": ("✓ filled", "ok"), "cancelled": ("⊘ cancelled", "muted"), "rejected": ("✕ rejected", "critical"),
    "expired": ("◌ expired", "muted"),
}  # fmt: skip
"""Word with its sign, and tone."""
TYPES = {"market_on_close": "at close", "limit_on_close": "limit at close", "stop_limit": "stop limit"}
NOT_FILLED = "nothing was filled"
NO_LIMIT = "it has no limit"
SELECTS = (("status", "Status", "any"), ("strategy", "Strategy", "any"), ("broker", "Broker", "any"))
COLUMNS = (
    Column("placed", "Placed", numeric=False, definition="The first that is known of it"),
    Column("order", "Order", numeric=False, definition="Click to see its life and its fills"),
    Column("status", "Status", numeric=False, definition="As it is now"),
    Column("instrument", "Instrument", numeric=False, definition="Click for its history on Holdings"),
    Column("strategy", "Strategy", numeric=False),
    Column("side", "Side", numeric=False),
    Column("quantity", "Quantity"),
    Column("filled", "Filled"),
    Column("share", "Filled %", definition="Filled over ordered", unit="ratio"),
    Column("average", "Average price", definition="Of its fills, by quantity"),
    Column("currency", "Currency", numeric=False, definition="Of prices"),
    Column("limit", "Limit"),
    Column("type", "Type", numeric=False),
    Column("broker", "Broker", numeric=False),
    Column("at", "Since", numeric=False, definition="When it came into its status"),
    Column("reason", "Reason", numeric=False, definition="Why it was rejected or cancelled"),
)


def blotter_table(found: Blotter, order: str) -> html.Div:
    """Return the day's orders, the newest first; `order` is the one whose life is shown."""
    rows = [_order(found, each, order) for each in found.orders]
    nothing = "No order of this day is like that."
    own = found.portfolio.currency
    has_foreign = any(each.filled.currency not in ("", own) for each in found.orders)
    columns = [each for each in COLUMNS if has_foreign or each.key != "currency"]
    return data_table(ORDERS, columns, rows, caption="Orders", stack=False, nothing=nothing)


def selects(found: Blotter, narrowed: Mapping[str, str]) -> list[Any]:
    """Return what the day's orders can be narrowed by."""
    made = []
    for name, label, every in SELECTS:
        chosen = narrowed.get(name, "")
        offered = [*found.counted.offered[name]]
        options = [("", every), *((each, _word(found, name, each)) for each in offered)]
        if chosen and chosen not in offered:
            options.append((chosen, chosen))
        key = f"{found.portfolio.id} {found.day} {len(options)}"
        made.append(plain_select(ID, name, options, chosen=chosen, default="", label=label, key=key))
    return made


def said(found: Blotter) -> list[Any]:
    """Return which day it is, in the reader's zone, and how many orders are shown."""
    counted, shown = found.counted, len(found.orders)
    many = text.count(counted.count, "order") if counted.narrowed == counted.count else (
        f"{text.number(counted.narrowed)} of {text.count(counted.count, 'order')}")  # fmt: skip
    cut = f", the newest {text.number(shown)} shown" if shown < counted.narrowed else ""
    begins, ends = found.start, found.start + 86_400
    day = [f"{found.day} UTC, from ", local_time(begins), " to ", local_time(ends), " ", local_time(begins, "zone")]
    return [f"{many}{cut} of ", *day]


def called_parts(portfolio: Portfolio, called: Called | None, id: str) -> list[Any]:
    """Return the life of an order and its fills."""
    if called is None:
        return [html.P(f"No order is called “{text.cut(id, 80)}” here, and no fill names it.", className="fw-nothing")]
    parts: list[Any] = []
    if not called.orders:
        parts.append(html.P(f"Nobody told of order {id}: only fills name it.", className="fw-nothing"))
    for each in called.orders:
        parts += [_head(portfolio, called, each), _life_table(each)]
    return [*parts, _fills_table(portfolio, called)]


def _order(found: Blotter, each: Order, order: str) -> dict[str, Any]:
    origin = found.portfolio.origin
    whose = found.strategy(each)
    share = each.filled.quantity / each.quantity if each.quantity else 0.0
    too_much = share > 1 + MORE_THAN_ORDERED
    word, status_tone = STATUS.get(each.status, (each.status, ""))
    placed, at = each.begun / MICROSECONDS, each.at / MICROSECONDS
    has_fills = bool(each.filled.fills)
    return {
        "placed": Cell(local_time(placed), placed),
        "order": Cell(order_button(each.id, order), each.id),
        "status": Cell(word, each.status, tone=status_tone),
        "instrument": Cell(to_holding(origin, each.portfolio, each.instrument), each.instrument),
        "strategy": Cell(to_trades(origin, each.portfolio, whose), whose),
        "side": "▲ buy" if each.side == "buy" else "▼ sell",
        "quantity": Cell(quantity_text(each.quantity), each.quantity),
        "filled": Cell(quantity_text(each.filled.quantity), each.filled.quantity),
        "share": Cell(
            f"{'▲ ' if too_much else ''}{text.percent(share)}", share, tone="warning" if too_much else "",
            hint="more was filled than was ordered" if too_much else "",
        ),
        "average": Cell(
            price_text(each.filled.average_price), each.filled.average_price,
            hint=each.filled.currency if has_fills else NOT_FILLED, unit=each.filled.currency if has_fills else "",
        ),
        "currency": each.filled.currency or None,
        "limit": Cell(
            price_text(each.limit_price) if not math.isnan(each.limit_price) else None, each.limit_price,
            hint=NO_LIMIT if math.isnan(each.limit_price) else "",
        ),
        "type": TYPES.get(each.type, each.type),
        "broker": each.broker or None,
        "at": Cell(local_time(at), at),
        "reason": cut_cell(each.reject_reason, 40) if each.reject_reason else None,
    }  # fmt: skip


def _word(found: Blotter, name: str, value: str) -> str:
    if name == "status":
        return STATUS.get(value, (value, ""))[0]
    return found.names.get(value, value)


def _head(portfolio: Portfolio, called: Called, each: Order) -> html.P:
    word, _ = STATUS.get(each.status, (each.status, ""))
    whose = called.names.get(each.portfolio, each.portfolio)
    limit = f" at {price_text(each.limit_price)}" if not math.isnan(each.limit_price) else ""
    filled = f"{quantity_text(each.filled.quantity)} filled"
    average = f" at {price_text(each.filled.average_price)} on average" if each.filled.fills else ""
    reason = f": {each.reject_reason}" if each.reject_reason else ""
    prices = [
        f"{name} price {price_text(price)}"
        for name, price in (("decision", each.decision_price), ("arrival", each.arrival_price))
        if not math.isnan(price)
    ]
    told = " · ".join([f"{filled}{average}", *prices, *([each.broker] if each.broker else [])])
    return html.P(
        [
            html.Strong(each.id), f" · {word}{reason} · {each.side} {quantity_text(each.quantity)} ",
            to_holding(portfolio.origin, each.portfolio, each.instrument),
            f" · {TYPES.get(each.type, each.type)}{limit} · {told} · ",
            to_trades(portfolio.origin, each.portfolio, whose),
        ]
    )  # fmt: skip


def _life_table(each: Order) -> html.Div:
    """Return the steps beside each other: when each was, and how long after the one before."""
    steps = life(each)
    columns = [
        Column("row", "", numeric=False, plain="Of each step"),
        *(Column(f"step-{place}", text.cut(step.name.replace("_", " "), 40)) for place, step in enumerate(steps)),
    ]
    rows: list[dict[str, Any]] = [{"row": "when"}, {"row": "after the step before"}]
    for place, step in enumerate(steps):
        rows[0][f"step-{place}"] = Cell(local_time(step.at), step.at)
        rows[1][f"step-{place}"] = _took(step)
    return data_table(
        f"{ID}-life-{each.portfolio}", columns, rows, caption=f"Life of order {each.id}", sortable=False, stack=False
    )


def _took(step: Step) -> Cell:
    if math.isnan(step.took):
        return Cell(None)
    if step.took >= 0:
        return Cell(text.duration(step.took), step.took, unit="s")
    hint = "out of order: it is told as earlier than the step before"
    return Cell(f"▲ {text.duration(step.took)}", step.took, tone="warning", hint=hint, unit="s")


def _fills_table(portfolio: Portfolio, called: Called) -> html.Div:
    columns = [
        Column("at", "Filled", numeric=False),
        Column("fill", "Fill", numeric=False),
        *([Column("portfolio", "Strategy", numeric=False)] if len(called.orders) > 1 else []),
        Column("side", "Side", numeric=False),
        Column("quantity", "Quantity"),
        Column("price", "Price"),
        Column("venue", "Venue", numeric=False),
        Column("commission", "Commission"),
        Column("fees", "Fees", definition="Of exchange, clearing and state"),
        Column("currency", "Currency", numeric=False),
    ]
    cut = (
        f"The first {MOST_FILLS} of {text.count(called.fill_count, 'fill')}." if called.fill_count > MOST_FILLS else ""
    )
    table = data_table(
        f"{ID}-fills-rows", columns, [_fill(portfolio, called, each) for each in called.fills], caption="Fills",
        stack=False, nothing="Nothing of it was filled.",
    )  # fmt: skip
    return html.Div([html.P(cut), table] if cut else [table])


def _fill(portfolio: Portfolio, called: Called, each: Fill) -> dict[str, Any]:
    at = each.at / MICROSECONDS
    return {
        "at": Cell(local_time(at), at),
        "fill": each.id,
        "portfolio": called.names.get(each.portfolio, each.portfolio),
        "side": f"{'▲' if each.side == 'buy' else '▼'} {each.side}",
        "quantity": Cell(quantity_text(each.quantity), each.quantity),
        "price": Cell(price_text(each.price), each.price),
        "venue": each.venue or None,
        "commission": Cell(text.number(each.commission, 2), each.commission),
        "fees": Cell(text.number(each.fees, 2), each.fees),
        "currency": each.currency or portfolio.currency,
    }
