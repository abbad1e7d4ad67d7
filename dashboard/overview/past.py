"""The last 24 hours of the Overview: the trend of the health score, and when trading was in trouble above the P&L."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from core.clock import DAY_SECONDS
from core.format import count, cut, duration, percent
from core.kinds.registry import collector_title
from core.memo import Memo
from core.model import SEVERITY, Status
from core.pipeline.health import SCORE, TRADING_KINDS
from core.readiness import READINESS
from dashboard.charts.theme import end_label
from dashboard.charts.timeseries import LimitLine, Line, line_figure, time_axis
from portfolio.given import said_of
from portfolio.histories import fund
from portfolio.intraday import Intraday, growth_within
from status.health import GREEN_FROM, YELLOW_FROM
from status.instances import instance_names
from status.states import Band, bands, begins, history_of_any_host, state_history
from storage.clickhouse.client import ClickHouse
from storage.clickhouse.reads.series import SeriesData, read_series

if TYPE_CHECKING:
    from core.model import LiveReading
    from portfolio.glance import Glance
    from storage.clickhouse.reads.state_changes import ComponentId, StateChange
    from storage.state.portfolios import Portfolio
    from storage.stores import Stores

MOST_POINTS = 300
MOST_ASKED = 5
"""Portfolios whose values within the day are read: the first that has any is drawn."""
COURSES_KEPT = 32
MOST_BANDS = 200
"""Of the strip; shorter ones are left out first."""
COLOURS = {
    Status.UNKNOWN: "@unknown",
    Status.WARNING: "@warning",
    Status.CRITICAL: "@critical",
    Status.DOWN: "@critical",
}
NOTHING = "nothing that trading rests on is watched"
NOT_WATCHED = "not watched"
NOTHING_YET = "nothing of your trading is checked yet"
ITSELF = "Fundwatch and its machine alone: ok"
LONGEST_NAME = 40
"""Letters of a portfolio's name that have room above its line."""
WHOLE_SECONDS = 60.0
"""A day that nobody watched for no longer than this was watched."""
PLOT, STRIP = [0.0, 0.74], [0.84, 1.0]
"""Shares of the figure's height."""


_COURSES: WeakKeyDictionary[ClickHouse, Memo[Intraday | None]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A time in which something that trading rests on was not ok."""

    start: float
    """Epoch seconds."""
    end: float
    worst: Status
    names: tuple[str, ...]
    """Of what was not ok, the gravest first."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a span of that which trading rests on."""

    spans: tuple[tuple[float, float], ...]
    """When the state of any of it was known, epoch seconds, oldest first."""
    trouble: tuple[Trouble, ...]
    """Within them, oldest first; the shortest are left out where they are very many."""
    trouble_seconds: float
    """Of all of it, also what is left out."""

    @property
    def seconds(self) -> float:
        """How long anything was known."""
        return math.fsum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Course:
    """The growth of a portfolio within the last 24 hours."""

    name: str
    ts: Sequence[int]
    """Epoch seconds."""
    values: Sequence[float | None]
    """In percent, since the close before."""


def trading_sources(stores: Stores) -> list[str]:
    """Return the collectors of what trading rests on."""
    return [f"{kind}:{name}" for kind in sorted(TRADING_KINDS) for name in instance_names(stores.settings, kind)]


def read_watched(stores: Stores, start: float, end: float, *, is_whole: bool) -> Watched:
    """Return when what trading rests on was watched, and when any of it was not ok, or it was not safe.

    is_whole: for somebody who may see every portfolio: others are not told whether the whole fund was safe. Raises
    StorageUnavailable.
    """
    history = state_history(stores, trading_sources(stores), start, end)
    if is_whole:
        history |= history_of_any_host(stores, READINESS, start, end)
    return watched(history, start, end)


def watched(history: Mapping[ComponentId, Sequence[StateChange]], start: float, end: float) -> Watched:
    """Return when any of several components was known, and when any was not ok; history: the changes of each.

    While all of them are unknown nobody watches.
    """
    told = [
        (id.name or collector_title(id.source), band)
        for id, changes in history.items()
        # What was not watched yet was not in trouble.
        for band in bands(changes, begins(changes, start), end)
    ]
    edges = sorted({edge for _, band in told for edge in (band.start, band.end)})
    spans: list[tuple[float, float]] = []
    found: list[Trouble] = []
    for since, until in itertools.pairwise(edges):
        inside = [(name, band) for name, band in told if band.start <= since and band.end >= until]
        if all(band.state is Status.UNKNOWN for _, band in inside):
            continue
        _append(spans, since, until)
        bad = [(name, band) for name, band in inside if SEVERITY[band.state] > 0]
        if not bad:
            continue
        state, names = _worst(bad)
        if found and found[-1].end == since and (found[-1].worst, found[-1].names) == (state, names):
            found[-1] = Trouble(found[-1].start, until, state, names)
        else:
            found.append(Trouble(since, until, state, names))
    longest = sorted(found, key=lambda each: each.start - each.end)[:MOST_BANDS]
    in_trouble = math.fsum(each.end - each.start for each in found)
    return Watched(tuple(spans), tuple(sorted(longest, key=lambda each: each.start)), in_trouble)


def _append(spans: list[tuple[float, float]], since: float, until: float) -> None:
    """Put a stretch at the end of others, as one with the last where it begins at its end."""
    if spans and spans[-1][1] == since:
        spans[-1] = (spans[-1][0], until)
    else:
        spans.append((since, until))


def _worst(inside: Sequence[tuple[str, Band]]) -> tuple[Status, tuple[str, ...]]:
    ordered = sorted(inside, key=lambda each: (-SEVERITY[each[1].state], each[0]))
    return ordered[0][1].state, tuple(dict.fromkeys(name for name, _ in ordered))


def read_course(stores: Stores, found: Sequence[Glance], start: float) -> Course | None:
    """Return the growth within the last day of the first portfolio that has several values on it since `start`.

    Only of those that are part of no other, and of the first few. None: there is none. Raises StorageUnavailable or
    StorageRejected.
    """
    version = stores.live.version("portfolio")
    memo = _COURSES.setdefault(stores.clickhouse, Memo(COURSES_KEPT))
    tops = [each for each in found if each.depth == 0 and each.figures.last_day]
    for each in tops[:MOST_ASKED]:
        if np.datetime64(each.figures.last_day, "s").astype(int) + DAY_SECONDS < start:
            continue
        grown = memo.get((version, each.portfolio), partial(_grown, stores, each.portfolio))
        if grown is not None and (course := _course(each.portfolio.name, grown, start)) is not None:
            return course
    return None


def _grown(stores: Stores, portfolio: Portfolio) -> Intraday | None:
    whole = fund(stores, portfolio.origin)
    last = whole.history(portfolio.id, said_of(portfolio)).nav.dates[-1]
    return growth_within(stores, whole, portfolio, last)


def _course(name: str, grown: Intraday, start: float) -> Course | None:
    kept = [(ts, value) for ts, value in zip(grown.ts, grown.values, strict=True) if ts >= start]
    values = [None if math.isnan(value) else round(100 * (value - 1), 4) for _, value in kept]
    return Course(name, [ts for ts, _ in kept], values) if len(kept) > 1 else None


def past_figure(
    found: Watched, course: Course | None, span: tuple[float, float], *, has_sources: bool, is_checked: bool
) -> dict[str, Any]:
    """Return the strip of trading above the line of the P&L, both over `span` (epoch seconds).

    has_sources: whether anything is named that trading rests on. is_checked: as in watched_line.
    """
    color, well = ("@ok", "all ok") if is_checked else ("@line", ITSELF)
    traces = [_band_trace(span, "@line", NOT_WATCHED if has_sources or found.spans else NOTHING)]
    traces += [_band_trace(each, color, well) for each in _longest(found.spans)]
    traces += [
        _band_trace([each.start, each.end], COLOURS[each.worst], f"{each.worst}: {', '.join(each.names)}")
        for each in found.trouble
    ]
    notes = [end_label("trading", 0, "@muted", yref="y2")]
    axis: dict[str, Any] = {"domain": PLOT, "ticksuffix": " %", "nticks": 4, "zeroline": True}
    if course is not None:
        last = next((value for value in reversed(course.values) if value is not None), 0.0)
        traces.append(
            {"type": "scatter", "mode": "lines", "name": course.name, "x": [*course.ts], "y": [*course.values],
             "line": {"color": "@series-1", "width": 1.5}, "hovertemplate": "%{y:+.2f} %<extra></extra>"}
        )  # fmt: skip
        notes.append(end_label(f"{percent(last / 100, signed=True)}", last, "@series-1"))
        notes.append(
            {"text": f"P&L of {cut(course.name, LONGEST_NAME)}", "x": 0, "y": PLOT[1], "xref": "paper", "yref": "paper",
             "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"color": "@muted", "size": 11}}
        )  # fmt: skip
    else:
        axis |= {"range": [-1, 1], "showticklabels": False, "showgrid": False, "zeroline": False}
        notes.append(
            {"text": "no portfolio has several values within these hours", "x": 0.5, "y": 0, "xref": "paper",
             "yref": "y", "showarrow": False, "font": {"color": "@muted", "size": 11}}
        )  # fmt: skip
    layout = {
        "xaxis": {**time_axis(span), "range": [round(edge) for edge in span]},
        "yaxis": axis,
        "yaxis2": {"domain": STRIP, "range": [-1, 1], "showticklabels": False, "showgrid": False, "zeroline": False},
        "margin": {"r": 64, "l": 44, "t": 6},
        "annotations": notes,
        "showlegend": False,
        "hovermode": "closest",
    }
    return {"data": traces, "layout": layout}


def _band_trace(ends: Sequence[float], color: str, told: str) -> dict[str, Any]:
    """Return a stretch of the strip, with a point between its ends, so that hover finds it."""
    first, last = ends
    return {
        "type": "scatter", "mode": "lines", "x": [round(first), round((first + last) / 2), round(last)],
        "y": [0, 0, 0], "yaxis": "y2", "line": {"color": color, "width": 9}, "name": told,
        "hovertemplate": f"{told}<extra></extra>",
    }  # fmt: skip


def _longest(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return sorted(sorted(spans, key=lambda each: each[0] - each[1])[:MOST_BANDS])


def watched_line(found: Watched, sources: int, *, is_checked: bool) -> str:
    """Return in words what the strip shows of a day; sources: how many are named that trading rests on.

    is_checked: whether anything of the trading is looked at now, and not Fundwatch and its machine alone.
    """
    if not found.spans:
        return f"{NOT_WATCHED} within 24 h" if sources else NOTHING
    if not is_checked and not found.trouble:
        return NOTHING_YET
    is_whole = DAY_SECONDS - found.seconds <= WHOLE_SECONDS
    if found.trouble:
        share = percent(found.trouble_seconds / found.seconds)
        return f"not ok for {share} of {'the time' if is_whole else f'{duration(found.seconds)} watched'}"
    told = f"{count(sources, 'source')} all ok" if sources else "all ok"
    return told if is_whole else f"{told} in {duration(found.seconds)} watched"


def read_trend(stores: Stores, reading: LiveReading | None, start: float, end: float) -> SeriesData | None:
    """Return the stored health score; None: there is none. Raises StorageUnavailable."""
    host = reading.host if reading else stores.settings.machine
    found = read_series(stores.clickhouse, host=host, metrics=[SCORE], start=start, end=end, points=MOST_POINTS)
    return found[0] if found else None


def trend_figure(data: SeriesData | None, span: tuple[float, float], height_px: int) -> dict[str, Any]:
    """Return the trend of the score, its lowest of each step: a dip is what matters."""
    lines = [Line("score", data.ts, data.low, "@series-1")] if data else []
    limits = [LimitLine(GREEN_FROM, "green", "@ok"), LimitLine(YELLOW_FROM, "yellow", "@warning")]
    return line_figure(lines, span, unit="", top=100, limits=limits, height_px=height_px, decimals=0)
