"""Links between pages about one portfolio: from what is told of it to the same of a part, an instrument, an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from dashboard.components.quick import quick
from portfolio.holdings import Group

if TYPE_CHECKING:
    from storage.state.portfolios import Portfolio

TRADES, HOLDINGS = "/portfolio/trades", "/portfolio/holdings"


def drill(path: str, text: Any, hint: str = "", /, **choices: str) -> html.A:
    """Return a link to a page with choices made."""
    return quick(html.A, text, href=f"{path}?{urlencode(sorted(choices.items()))}", title=hint or None)


def to_trades(origin: str, portfolio: str, text: Any, instrument: str = "", hint: str = "") -> html.A:
    """Return a link to the trades of a portfolio, of one instrument where one is named."""
    named = {"instrument": instrument} if instrument else {}
    return drill(TRADES, text, hint, portfolio=f"{origin}:{portfolio}", **named)


def to_holding(origin: str, portfolio: str, instrument: str, hint: str = "") -> html.A:
    """Return a link, by its symbol, to the history of an instrument that is held."""
    return drill(HOLDINGS, instrument, hint, portfolio=f"{origin}:{portfolio}", instrument=instrument)


def to_group(
    path: str, portfolio: Portfolio, names: Mapping[str, str], by: Group, name: str, choices: Mapping[str, str]
) -> Any:
    """Return the name of a group: a strategy leads to the page of `path` of it, an instrument to its history.

    names: of those that hold the portfolio's positions, by id; two of one name lead nowhere.
    """
    if by == "instrument":
        return to_holding(portfolio.origin, portfolio.id, name)
    ids = [id for id, called in names.items() if called == name]
    if by != "portfolio" or len(ids) != 1 or ids[0] == portfolio.id:
        return name
    return drill(path, name, **{**choices, "portfolio": f"{portfolio.origin}:{ids[0]}"})
