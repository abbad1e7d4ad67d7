"""What the pages below Portfolio share: of what a page is, and how it looks without data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dash import html

from dashboard.components.card import empty
from dashboard.portfolio.choice_bar import adjusted_line
from dashboard.portfolio.common_choices import MARKS
from dashboard.views.tab import View

if TYPE_CHECKING:
    from dashboard.views.panel import Panel
    from portfolio.query import PortfolioQuery
    from storage.state.portfolios import Portfolio


def mark(portfolio: Portfolio, said: str) -> html.Span:
    """Return the mark at the end of the bar: whether it is a sample, and `said`, which days or rows it is of."""
    told = " · ".join(each for each in (MARKS.get(portfolio.origin), said) if each)
    return html.Span(told, className="fw-mark", title=portfolio.note or None)


def lacks(portfolio: Portfolio | None, what: str, query: PortfolioQuery) -> str:
    """Return the heading of a page without data: "Alpha reported no positions on or before 2020-01-01"."""
    if portfolio is None:
        return "No portfolio yet"
    return f"{portfolio.name} {what}{f' on or before {query.as_of}' if query.as_of is not None else ' yet'}"


def nothing(
    panels: Sequence[Panel], remarks: str, strip: str, problems: Sequence[str], title: str, how: str, shows: str
) -> View:
    """Return the view of a page without data.

    remarks, strip: ids of its slots; how: what to send; shows: what a panel will.
    """
    return View(
        slots={remarks: adjusted_line(problems), strip: empty(title, how)},
        as_of=dict.fromkeys(panel.id for panel in panels),
        notes=dict.fromkeys((panel.id for panel in panels), shows),
    )
