"""The span of time that a tab's charts show: a chosen window up to now, or a zoom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from dash import html

from core.errors import StorageError
from dashboard.components.age import local_time
from dashboard.components.choices import Options, choice_button, chosen
from dashboard.views.tab import Choices
from storage.clickhouse.reads.heard import first_heard

if TYPE_CHECKING:
    from storage.clickhouse.writer import Writer
    from storage.stores import Stores

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
SHORTEST_SECONDS = 60.0
"""Of a window that is not filled yet."""


class _Beginning(NamedTuple):
    """What was found of the first run of collectors, from `start` on."""

    start: float
    began: float


_BEGINNINGS: WeakKeyDictionary[Writer, dict[tuple[tuple[str, ...], str], _Beginning]] = WeakKeyDictionary()
"""By the stores that were asked, collectors and host."""


class Span(NamedTuple):
    """A span of time in epoch seconds."""

    start: float
    end: float
    is_zoomed: bool
    is_since_start: bool = False
    """Whether it begins when collecting began, because the window is not filled yet."""

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


def filled_span(stores: Stores, span: Span, collectors: Sequence[str], host: str = "") -> Span:
    """Return the part of a window in which these collectors can have told anything: it may begin with their first run.

    host: the machine they ran on; empty: any. A zoom stays as it is, and so does the window while storage is away.
    """
    if span.is_zoomed or not collectors:
        return span
    began = _began(stores, tuple(collectors), host, span.start)
    if began is None or began <= span.start:
        return span
    return Span(min(began, span.end - SHORTEST_SECONDS), span.end, False, True)


def _began(stores: Stores, collectors: tuple[str, ...], host: str, start: float) -> float | None:
    """Return when the collectors were first heard of after `start`, some time before it, or None when not known.

    It is asked for once, and again for an earlier start: what was first heard of stays the first.
    """
    known = _BEGINNINGS.setdefault(stores.writer, {})
    asked = known.get((collectors, host))
    if asked is not None and asked.start <= start:
        return asked.began
    try:
        began = first_heard(stores.clickhouse, collectors, host, start)
    except StorageError:
        return None
    if began is not None:
        known[collectors, host] = _Beginning(start, began)
    return began


def span_line(tab: str, span: Span, *before: Any) -> html.Span:
    """Return the span in the reader's local time after what stands `before`, with the way back from a zoom."""
    since = ["since the start · "] if span.is_since_start else []
    parts: list[Any] = [*before, *since, local_time(span.start, "span"), " – ", local_time(span.end, "span")]
    parts += [" ", local_time(span.end, "zone")]
    if span.is_zoomed:
        parts += [" ", choice_button(tab, {"from": None, "to": None}, "leave zoom")]
    return html.Span(parts, className="fw-span")
