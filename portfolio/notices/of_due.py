"""Notices of what began or ended because its time had come: silences, maintenance, halts. What people did stands in
the audit (of_done)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from core.alerts.matchers import written
from core.alerts.silence import Silence, Span, Window
from core.cron import last_time
from portfolio.notices.notice import Kind, Notice, Source, level_of
from portfolio.notices.of_done import READINESS, SILENCES
from portfolio.notices.viewpoint import Viewpoint
from storage.state.database import Transaction
from storage.state.halts import expired_halts
from storage.state.silences import begun_silences, expired_silences, windows_in

MOST = 200
"""Of each kind in one answer."""


def notices_of_due(connection: Transaction, before: int, of: Viewpoint, now: float) -> Iterator[Notice]:
    """Yield notices of what came before a moment (epoch milliseconds) and until `now`, the last to come first."""
    until = min(now, (before - 1) / 1000)
    names = (
        _halts(connection, until, of),
        (_silence(each, each.begins, Kind.SILENCED, of) for each in begun_silences(connection, until, MOST)
         if each.is_of_all or not of.sight.names_hidden(each.matchers)),
        (_silence(each, each.ends, Kind.SILENCE_OVER, of) for each in expired_silences(connection, until, MOST)
         if each.is_of_all or not of.sight.names_hidden(each.matchers)),
        *(_window(each, until) for each in windows_in(connection, 0.0) if not of.sight.names_hidden(each.matchers)),
    )  # fmt: skip
    return heapq.merge(*names, key=lambda each: -each.at)


def _halts(connection: Transaction, until: float, of: Viewpoint) -> Iterator[Notice]:
    for each in expired_halts(connection, until, MOST):
        key = of.key_of(each.portfolio)
        if key and not of.is_whole and key not in of.names:
            continue
        assert each.until is not None
        found = _notice(each.until, Kind.RESUMED, f"The halt is over; {each.sentence}", READINESS)
        yield replace(found, portfolio=key, name=of.name_of(key))


def _silence(each: Silence, at: float, kind: Kind, of: Viewpoint) -> Notice:
    what = written(each.matchers) or "everything"
    # Why everything is muted may name portfolios that somebody else sees.
    why = f": {each.why}" if of.is_whole or not each.is_of_all else ""
    sentence = f"{what}{why} ({each.who})"
    return _notice(at, Kind.MUTED if kind is Kind.SILENCED and each.is_of_all else kind, sentence, SILENCES)


def _window(window: Window, until: float) -> Iterator[Notice]:
    """Yield when a window opened and closed by itself, the last time first."""
    said = f"{window.name}: {window.why} ({window.who})"
    for span in islice(_spans(window, until), MOST):
        # One that was ended by hand is told by the audit.
        if span.ends <= until and not (window.ended_by and span.ends >= window.ends):
            yield _notice(span.ends, Kind.MAINTENANCE_OVER, said, SILENCES)
        if window.made_at < span.begins <= until:
            yield _notice(span.begins, Kind.MAINTENANCE, said, SILENCES)


def _spans(window: Window, until: float) -> Iterator[Span]:
    """Yield the spans in which a window was open until a time, the last first."""
    if not window.cron:
        if window.begins < window.ends:
            yield Span(window.begins, window.ends)
        return
    at = min(until, window.ends)
    while (opened := last_time(window.cron, window.zone, at)) is not None and opened >= window.begins:
        if opened < window.ends:
            yield Span(opened, min(opened + window.lasts_seconds, window.ends))
        at = opened - 1


def _notice(at: float, kind: Kind, sentence: str, href: str) -> Notice:
    return Notice(Source.DUE, round(at * 1000), at, kind, level_of(kind), sentence[:1].upper() + sentence[1:], href)
