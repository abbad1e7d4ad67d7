"""Ages and times that the browser writes and keeps ticking (assets/js/50-ages.js)."""

from __future__ import annotations

from dash import html

from dashboard.components.attributes import attributes
from dashboard.components.quick import quick


def age(as_of: float | None, stale_after_seconds: float | None = None, *, prefix: str = "") -> html.Span:
    """Return the age of data taken at `as_of` (epoch seconds). None: "no data".

    stale_after_seconds: when it is stale, see status/freshness.py; None: never.
    """
    if as_of is None:
        return quick(html.Span, "no data", className="fw-age")
    data = attributes(
        data_age_ts=f"{as_of:.3f}",
        data_stale_after=f"{stale_after_seconds:g}" if stale_after_seconds else None,
        data_prefix=prefix or None,
    )
    return quick(html.Span, className="fw-age", **data)


def local_time(ts: float | None, style: str = "datetime") -> html.Time:
    """Return `ts` (epoch seconds) in the reader's local time; style is time, date, datetime, span or zone.

    `zone` shows the name of that zone alone. `span` shows the time alone on the same day, else the date with it.
    None shows "–".
    """
    if ts is None:
        return quick(html.Time, "–", className="fw-time")
    return quick(html.Time, className="fw-time", **attributes(data_ts=f"{ts:.3f}", data_style=style))
