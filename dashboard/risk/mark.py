"""What figures of risk are of: the report, and the days of returns."""

from __future__ import annotations

from dash import html

from dashboard.portfolio import choice_bar as portfolio_bar
from portfolio.risk import Book


def mark(book: Book) -> html.Span:
    """Return the words at the end of the choices."""
    found, days = book.found, book.returns.days
    word = portfolio_bar.MARKS.get(found.portfolio.origin)
    history = f"returns {book.returns.begins} to {days[-1]}" if len(days) else ""
    said = " · ".join(each for each in (word, f"report of {book.newest}", history) if each)
    return html.Span(said, className="fw-mark", title=found.portfolio.note or None)
