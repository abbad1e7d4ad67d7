"""What figures of risk are of: the report, and the days of returns."""

from __future__ import annotations

from dash import html

from dashboard.portfolio.common_choices import MARKS
from portfolio.risk import Book


def mark(book: Book) -> html.Span:
    """Return the words at the end of the choices."""
    found = book.found
    word = MARKS.get(found.portfolio.origin)
    said = " · ".join(each for each in (word, f"report of {book.newest}") if each)
    return html.Span(said, className="fw-mark", title=found.portfolio.note or None)


def returns_said(book: Book) -> str:
    """Return which days the returns are of; empty without any."""
    days = book.returns.days
    return f"returns {book.returns.begins} to {days[-1]}" if len(days) else ""
