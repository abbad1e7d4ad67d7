"""The span of time that a tab's charts show: a chosen window up to now, or a zoom."""

from __future__ import annotations

from typing import Any, NamedTuple

from dash import html

from dashboard.components.age import local_time
from dashboard.components.choices import Options, choice_button, chosen
from dashboard.views.tab import Choices

WINDOWS = {
    "15m": ("15 m", 900.0),
    "1h": ("1 h", 3_600.0),
    "6h": ("6 h", 21_600.0),
    "24h": ("24 h", 86_400.0),
    "7d": ("7 d", 604_800.0),
    "30d": ("30 d", 2_592_000.0),
    "90d": ("90 d", 7_776_000.0),
}
"""Label and seconds of every window, by its name in the URL."""
DEFAULT_WINDOW = "1h"
SHORTEST_ZOOM_SECONDS = 10.0


class Span(NamedTuple):
    """A span of time in epoch seconds."""

    start: float
    end: float
    is_zoomed: bool

    @property
    def pair(self) -> tuple[float, float]:
        """Return start and end."""
        return self.start, self.end


def window_options(*names: str) -> Options:
    """Return the windows of these names as the options of a choice."""
    return [(name, WINDOWS[name][0]) for name in names]


def chosen_span(choices: Choices, now: float, windows: Options) -> Span:
    """Return the zoom when the choices `from` and `to` name a sensible one, else the chosen window up to `now`."""
    start, end = choices.seconds("from"), choices.seconds("to")
    if start is not None and end is not None and 0 < start < min(end, now):
        return Span(start, max(min(end, now), start + SHORTEST_ZOOM_SECONDS), True)
    name = chosen(windows, choices, "window", DEFAULT_WINDOW)
    return Span(now - WINDOWS[name][1], now, False)


def span_line(tab: str, span: Span, *before: Any) -> html.Span:
    """Return the span in the reader's local time after what stands `before`, with the way back from a zoom."""
    parts: list[Any] = [*before, local_time(span.start, "span"), " – ", local_time(span.end, "span")]
    parts += [" ", local_time(span.end, "zone")]
    if span.is_zoomed:
        parts += [" ", choice_button(tab, {"from": None, "to": None}, "leave zoom")]
    return html.Span(parts, className="fw-span")
