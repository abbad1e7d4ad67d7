"""The figures above the charts: how orders ended, slippage, shortfall, turnover and what costs take of the return."""

from __future__ import annotations

import math
from typing import Any

from dash import html

from analytics.comparison import Estimate
from core import format as text
from core.model import Status
from dashboard.components.card import card, verdict
from portfolio.execution_model import NO_PRICES, WITHOUT_VOLUMES, Execution

ID = "execution"


def strip(found: Execution) -> list[html.Article]:
    """Return the cards."""
    whole, currency = found.whole, found.portfolio.currency
    still_open = whole.orders - whole.ended
    return [
        card(f"{ID}-orders", "Orders", text.number(whole.orders),
             why=f"{text.number(still_open)} open" if still_open else "all ended",
             definition="Sent in the window: submitted, else decided on, else first told of"),
        _rate("filled", "Filled", found, "Whole orders filled"),
        _rate("rejected", "Rejected", found, "Orders rejected"),
        _rate("cancelled", "Cancelled", found, "Orders cancelled, filled in part or not"),
        _rate("expired", "Expired", found, "Orders expired, filled in part or not"),
        card(f"{ID}-fill-ratio", "Fill rate", text.percent(whole.fill_ratio), why="of the quantity",
             definition="Filled over ordered quantity of the orders that ended"),
        _slippage("decision", "Slippage, decision", whole.decision, "the price at which it was decided on"),
        _slippage("arrival", "Slippage, arrival", whole.arrival, "the middle of the market when it was submitted"),
        _interval(found),
        card(f"{ID}-cost", "Shortfall", text.money(whole.shortfall.total), currency,
             why=f"{basis_points(whole.shortfall.in_basis_points(whole.shortfall.total))} of the paper value",
             definition="Implementation shortfall (Perold 1988): what the decisions would have brought on paper, less "
                        "what they did; above 0: it cost"),
        card(f"{ID}-turnover", "Turnover", f"{text.number(found.trading.turnover_a_year, 2)} ×", why="of NAV a year",
             definition="Bought and sold over the mean net asset value of the window, a year"),
        card(f"{ID}-drag", "Cost drag", text.percent(found.trading.drag_a_year),
             why=f"a year; slippage {text.percent(found.trading.slippage_a_year)}",
             definition="Commission and fees over each day's net asset value, a year: what they take of the return. "
                        "Slippage: that against arrival, over the mean net asset value, beside it"),
    ]  # fmt: skip


def remarks(found: Execution) -> list[Any]:
    """Return what must be known before the figures: what is left out of which."""
    return [verdict(Status.WARNING, " ".join(found.told), word="left out")] if found.told else []


def basis_points(value: float, *, signed: bool = False) -> str:
    """Return basis points as they are written; n/a where they are not known."""
    return text.NOT_AVAILABLE if math.isnan(value) else f"{text.number(value, 1, signed=signed)} bp"


def interval(found: Estimate) -> str:
    """Return an interval in basis points, and of how many orders it is."""
    if math.isnan(found.low):
        return text.count(found.count, "order")
    return f"{text.number(found.low, 1)} to {text.number(found.high, 1)} bp"


def share_interval(found: Estimate) -> str:
    """Return the interval of a share."""
    return f"{text.percent(found.low)} to {text.percent(found.high)}" if not math.isnan(found.low) else "none ended"


def _rate(name: str, title: str, found: Execution, definition: str) -> html.Article:
    share = found.whole.share(getattr(found.whole, name))
    return card(
        f"{ID}-{name}", title, text.percent(share.value), why=share_interval(share),
        definition=f"{definition}, over all that ended, with the 95 % interval of Wilson (1927)",
    )  # fmt: skip


def _interval(found: Execution) -> html.Article:
    is_known = not found.no_interval
    return card(
        f"{ID}-interval", "Slippage, interval", basis_points(found.interval.value),
        why=found.no_interval or interval(found.interval),
        definition="Average price of the fills against the market between sending and last fill. "
        f"{WITHOUT_VOLUMES} {'' if is_known else NO_PRICES}",
    )  # fmt: skip


def _slippage(name: str, title: str, found: Estimate, reference: str) -> html.Article:
    return card(
        f"{ID}-{name}", title, basis_points(found.value), why=interval(found),
        definition=f"Average price of the fills against {reference}, by value; above 0: it cost. 95 % interval of "
        f"{text.count(found.count, 'order')}, taken as independent",
    )  # fmt: skip
