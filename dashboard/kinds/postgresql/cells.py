"""What the parts of the section share: how a statement, a count, a limit is shown."""

from __future__ import annotations

from dash import html

from core.format import number
from core.limits import Limit
from core.model import Status
from dashboard.sources.charts import threshold_text


def query_text(text: str) -> html.Span:
    """Return a statement that is cut to the width of its column; the whole of it on hover."""
    line = " ".join(text.split())
    return html.Span(line, className="fw-query", title=line)


def some(count: float) -> str | None:
    """Return a count, nothing for none: what is rarely there is seen at once."""
    return number(count) if count else None


def yes_no(is_so: bool) -> str:
    """Return yes or no."""
    return "yes" if is_so else "no"


def tone(limit: Limit, value: float | None) -> str:
    """Return the tone of a cell whose value has reached a limit; empty for one that has not, and for None."""
    status = limit.status(value) if value is not None else Status.OK
    return "" if status is Status.OK else status.value


def warns(limit: Limit, unit: str) -> str:
    """Return from where on a value is bad: "Warning from 10 s, critical from 30 s"."""
    word = "below" if limit.is_floor else "from"
    named = (("warning", limit.warning), ("critical", limit.critical))
    sentence = ", ".join(f"{name} {word} {threshold_text(value, unit)}" for name, value in named if value is not None)
    return sentence[:1].upper() + sentence[1:]
