"""Where names of portfolios and instruments lead on pages of holdings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from dash import html

from dashboard.components.quick import quick
from portfolio.holdings import Holding, Holdings

HOLDINGS = "/portfolio/holdings"


def instrument_link(found: Holdings, each: Holding, as_of: str = "") -> Any:
    """Return an instrument's symbol, which leads to its history on the page Holdings; cash has none there."""
    if each.is_cash:
        return each.instrument
    key = f"{found.portfolio.origin}:{found.portfolio.id}"
    asked = {"portfolio": key, "instrument": each.instrument, **({"asof": as_of} if as_of else {})}
    return quick(html.A, each.instrument, href=f"{HOLDINGS}?{urlencode(asked)}")


def portfolio_link(found: Holdings, id: str, path: str, choices: Mapping[str, str]) -> Any:
    """Return a portfolio's name, which leads to the page at `path` of it, other choices kept."""
    asked = {**choices, "portfolio": f"{found.portfolio.origin}:{id}"}
    return quick(html.A, found.names.get(id, id), href=f"{path}?{urlencode(asked)}")
