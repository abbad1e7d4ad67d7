"""Tables of thought-of trades: the trades themselves, and every figure before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from dash import html

from analytics.what_if import Change
from core import format as text
from dashboard.components.choices import choice_button
from dashboard.components.table import Cell, Column, amounts_table, data_table
from dashboard.holdings.tables import price_text, tone
from portfolio.thought_trades import LABELS, Priced, Trade, Tried, Unit, write_trades

MONEY = ("value",)
ID, PATH = "what-if", "/portfolio/what-if"
WRITE: Mapping[Unit, Callable[..., str]] = {
    "percent": text.percent,
    "money": text.money,
    "number": text.ratio,
    "index": partial(text.number, decimals=4),
}
TRADES, FIGURES = f"{ID}-trades-rows", f"{ID}-figures-rows"


def trades_table(found: Tried, trades: Sequence[Trade], currency: str) -> html.Div:
    """Return the trades with what each comes to, and what takes it back."""
    columns = [
        Column("instrument", "Instrument", numeric=False),
        Column("side", "Side", numeric=False),
        Column("quantity", "Quantity"),
        Column("price", "Price", definition="Of one, in its own currency, as the report or the newest price has it"),
        Column("value", "Value", definition=f"Quantity × price × multiplier, in {currency}; below 0: sold"),
        Column("remove", "", numeric=False, plain="Take back", has_buttons=True),
    ]
    rows = [_trade(each, trades) for each in found.trades]
    return amounts_table(
        TRADES, columns, rows, currency, MONEY, caption="Trades", nothing="No trade yet: the figures are those of now."
    )


def figures_table(changes: Sequence[Change], currency: str) -> html.Div:
    """Return every figure before and after."""
    columns = [
        Column("name", "Figure", numeric=False),
        Column("before", "Before"),
        Column("after", "After"),
        Column("change", "Change", definition="After less before"),
    ]
    rows = [_figure(each, currency) for each in changes]
    return data_table(
        FIGURES,
        columns,
        rows,
        caption="Before and after",
        sortable=False,
        stack=False,
        nothing="No figure can be worked out.",
    )  # fmt: skip


def _trade(each: Priced, trades: Sequence[Trade]) -> dict[str, Any]:
    left = [trade for trade in trades if trade is not each.trade]
    remove = choice_button(
        ID, {"trades": write_trades(left) or None}, "Take back", label=f"Take back: {each.trade.written()}"
    )
    return {
        "instrument": Cell(each.trade.instrument, each.trade.instrument, hint=each.name),
        "side": "buy" if each.trade.amount > 0 else "sell",
        "quantity": Cell(text.number(each.quantity, 0 if each.quantity.is_integer() else 2), each.quantity),
        "price": Cell(
            f"{price_text(each.price)} {each.currency}", each.price, unit=each.currency,
            hint="" if each.multiplier == 1 else f"× {text.number(each.multiplier)}, its multiplier",
        ),
        "value": Cell(text.money(each.value), each.value),
        "remove": remove,
    }  # fmt: skip


def _figure(each: Change, currency: str) -> dict[str, Any]:
    label, unit = LABELS[each.name]
    write = WRITE[unit]
    own = {"money": currency, "percent": "ratio"}.get(unit, "")
    change = text.points(each.difference) if unit == "percent" else write(each.difference, signed=True)
    return {
        "name": Cell(label, mark="fw-name"),
        "before": Cell(write(each.before), each.before, unit=own),
        "after": Cell(write(each.after), each.after, unit=own),
        "change": Cell(
            change if each.difference else "–", each.difference, unit=own,
            tone=tone(each.difference) if each.name == "nav" else "",
        ),
    }  # fmt: skip
