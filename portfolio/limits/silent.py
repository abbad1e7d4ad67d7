"""Parts of a portfolio that are worth something, and of which nobody told what they hold."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from portfolio.given import has_ended, said_of

if TYPE_CHECKING:
    from portfolio.fund import Fund
    from storage.state.portfolios import Portfolio


def silent_parts(whole: Fund, portfolio: Portfolio, told: Container[str], now: float) -> list[Portfolio]:
    """Return what has values and goes on at or below a portfolio, and whose positions are among no one's.

    told: ids of those whose positions are known; with one, all that is below it is known too.
    """
    if portfolio.id in told or has_ended(portfolio, now):
        return []
    parts = whole.parts(portfolio.id)
    if parts:
        return [found for each in parts for found in silent_parts(whole, each, told, now)]
    values = whole.history(portfolio.id, said_of(portfolio)).nav.value
    return [portfolio] if len(values) and values[-1] else []
