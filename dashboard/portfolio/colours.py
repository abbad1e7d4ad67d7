"""The colours of the portfolios that the chosen one is compared with: their own where set, else by their place."""

from __future__ import annotations

from dashboard.charts.theme import COMPARED
from portfolio.data import PortfolioData


def compared_colours(data: PortfolioData) -> tuple[str, ...]:
    """Return a token for each compared portfolio, each another one. Series 1 is the chosen portfolio's alone."""
    wanted = [f"@series-{line.portfolio.colour}" if line.portfolio else "" for line in data.compared]
    # Of two that want one colour the first has it.
    own = [each if each in COMPARED and each not in wanted[:at] else "" for at, each in enumerate(wanted)]
    free = iter([each for each in COMPARED if each not in own])
    return tuple(each or next(free) for each in own)
