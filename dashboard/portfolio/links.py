"""Links between pages about one portfolio: from what is told of it to the same of a part, an instrument, an order."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import html

from dashboard.components.quick import quick

TRADES, HOLDINGS = "/portfolio/trades", "/portfolio/holdings"


def drill(path: str, text: Any, hint: str = "", **choices: str) -> html.A:
    """Return a link to a page with choices made."""
    return quick(html.A, text, href=f"{path}?{urlencode(sorted(choices.items()))}", title=hint or None)


def to_trades(origin: str, portfolio: str, text: Any, instrument: str = "", hint: str = "") -> html.A:
    """Return a link to the trades of a portfolio, of one instrument where one is named."""
    named = {"instrument": instrument} if instrument else {}
    return drill(TRADES, text, hint, portfolio=f"{origin}:{portfolio}", **named)


def to_holding(origin: str, portfolio: str, instrument: str, hint: str = "") -> html.A:
    """Return a link, by its symbol, to the history of an instrument that is held."""
    return drill(HOLDINGS, instrument, hint, portfolio=f"{origin}:{portfolio}", instrument=instrument)
