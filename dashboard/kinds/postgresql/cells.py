"""What the parts of the section share: how a statement, a count, a limit is shown."""

from __future__ import annotations

from dash import html

from core.format import number


def query_text(text: str) -> html.Span:
    """Return a statement that is cut to the width of its column; the whole of it on hover."""
    return _cut(text, "fw-query")


def wide_query_text(text: str) -> html.Span:
    """Return a statement as `query_text` does, for a table as wide as the page."""
    return _cut(text, "fw-query fw-query-wide")


def _cut(text: str, class_name: str) -> html.Span:
    line = " ".join(text.split())
    return html.Span(line, className=class_name, title=line)


def some(count: float) -> str | None:
    """Return a count, nothing for none: what is rarely there is seen at once."""
    return number(count) if count else None


def yes_no(is_so: bool) -> str:
    """Return yes or no."""
    return "yes" if is_so else "no"
