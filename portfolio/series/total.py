"""A portfolio as the sum of its parts: their values and money added, their returns weighted by value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.block import Bools, Floats
from analytics.cadence import cadence_of
from analytics.calendar import Dates, Frequency, buckets, carried
from analytics.performance import Track, track, without_gaps
from analytics.returns import flow_returns
from portfolio.given import NOTHING_SAID, Said
from portfolio.history import NOTHING, History, Nav, history_of

LONGEST_DAYS = 7
"""A part of which too few values tell its rhythm has ended when the last is older than this."""
_COARSE: tuple[tuple[str, Frequency], ...] = (("quarterly", "Q"), ("monthly", "M"), ("weekly", "W"))


@dataclass(frozen=True, eq=False, slots=True)
class OnDays:
    """Parts on the same days, part × day: 0 where a part is not yet or no longer there."""

    value: Floats
    """The last one known."""
    flow: Floats
    """As recorded, since the day before: 0 on a part's first, which brings its value in at the close, whether or not
    that is recorded as money; what it is worth at its end goes out on the day after."""
    returns: Floats
    """Since the day before, by the part's own index; 0 on the first."""

    def weights(self) -> Floats:
        """Return the share of each part in what was at work from each day to the next, one shorter than the days.

        That is its value before with the money that came in, over the same of the whole: what moves from part to part
        is no money of the whole (GIPS: in at the start of the day, out at its end).
        """
        value = np.maximum(self.value, 0.0)
        start = value[:, :-1] + np.maximum(self.flow[:, 1:], 0.0)
        whole = value[:, :-1].sum(axis=0) + np.maximum(self.flow[:, 1:].sum(axis=0), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole > 0, start / whole, 0.0)

    def whole_returns(self) -> Floats:
        """Return the return of the parts together from each day to the next: theirs, weighted by value."""
        return np.asarray((self.weights() * self.returns[:, 1:]).sum(axis=0))


def on_days(parts: Sequence[History], days: Dates, last: np.datetime64) -> OnDays:
    """Return one part or more on `days`; `last` is the day until which one without a value has ended or only waits."""
    columns = [_on_days(part, days, last) for part in parts]
    return OnDays(*(np.stack(each) for each in zip(*columns, strict=True)))


def summed(parts: Sequence[tuple[str, History]], said: Said = NOTHING_SAID) -> History:
    """Return the sum of parts that have a value, each with its id, in one currency; `said` is what is said of it.

    Its days: of parts valued by day all of theirs, each part's last value standing in on days that its calendar does
    not have, never across a gap of its own; of others the ends of the periods that all have. A part that begins later
    brings its first value in, one that ended takes its last out on the day after. Returns are those of the parts
    weighted by value, so that money moved between parts nets out and moves within a day stay linked.
    """
    histories = [history for _, history in parts]
    last = max(history.nav.dates[-1] for history in histories)
    told = tuple(dict.fromkeys(line for history in histories for line in history.told))
    made_of = tuple(id for id, _ in parts)
    built = tuple(id for history in histories for id in history.built)
    every = _days(histories, last)
    days = within(every, said)
    left_out = len(every) - len(days)
    if not len(days):
        return replace(history_of(NOTHING, said), made_of=made_of, told=told, left_out=left_out, ended=said.ended)
    found = on_days(histories, days, last)
    value, flow = found.value.sum(axis=0), found.flow.sum(axis=0)
    for history, own in zip(histories, found.value, strict=True):
        first = int(np.searchsorted(days, history.nav.dates[0]))
        if 0 < first < len(days):
            flow[first] += own[first]
    nav = Nav(days, value, flow, min(each.nav.newest for each in histories if not is_over(each, last)))
    whole = _track(nav, histories, found)
    cadence = cadence_of(whole.dates, said.given())
    return History(nav, without_gaps(whole, cadence), cadence, made_of, told, left_out, said.ended, built)


def _track(nav: Nav, histories: Sequence[History], found: OnDays) -> Track:
    """Return the track of a sum: returns of the parts by weight, of the sum itself where a part has none that tells."""
    days = nav.dates
    weighted = found.whole_returns()
    plain = np.asarray(flow_returns(nav.value, nav.flow), dtype=np.float64)[1:]
    tells = np.ones(max(len(days) - 1, 0), dtype=np.bool_)
    unknown = np.zeros_like(tells)
    for history, value in zip(histories, found.value, strict=True):
        ends = history.track.dates[-1] if len(history.track) else days[0]
        tells &= (days[1:] <= ends) | (ends == history.nav.dates[-1])
        tells &= (value[1:] >= 0) & (value[:-1] >= 0)
        hidden = np.cumsum(np.isnan(history.track.returns[1:])).astype(np.float64)
        passed = carried(history.track.dates, np.concatenate([[0.0], hidden]), days, 0.0)
        unknown |= (passed[1:] > passed[:-1]) & (value[:-1] > 0)
    returns = np.where(tells, weighted, plain)
    whole = track(days, nav.value, nav.flow, dict(enumerate(returns.tolist(), start=1)))
    whole.returns[1:][unknown[: max(len(whole) - 1, 0)]] = np.nan
    return whole


def _days(histories: Sequence[History], last: np.datetime64) -> Dates:
    rhythms = {history.cadence.rhythm for history in histories}
    every: Dates = np.unique(np.concatenate([history.nav.dates for history in histories]))
    if rhythms == {"daily"}:
        return every[np.all([_is_known(history, every) for history in histories], axis=0)]
    if "irregular" in rhythms:
        has = [np.isin(every, history.nav.dates) | ~_is_there(history, every, last) for history in histories]
        return every[np.all(has, axis=0)]
    return _ends(histories, every, next(frequency for rhythm, frequency in _COARSE if rhythm in rhythms), last)


def within(days: Dates, said: Said) -> Dates:
    """Return the days from the inception to the end that are said."""
    start = int(np.searchsorted(days, np.datetime64(said.inception))) if said.inception else 0
    end = int(np.searchsorted(days, np.datetime64(said.ended), side="right")) if said.ended else len(days)
    return days[start:end]


def _ends(histories: Sequence[History], every: Dates, frequency: Frequency, last: np.datetime64) -> Dates:
    """Return the last day of each period in which every part that is there has a value."""
    numbers = buckets(every, frequency)
    ends = every[np.flatnonzero(np.diff(numbers, append=numbers[-1] + 1))]
    periods = buckets(ends, frequency)
    has_all = np.ones(len(ends), dtype=np.bool_)
    for history in histories:
        own = buckets(history.nav.dates, frequency)
        is_there = (periods >= own[0]) & ((periods <= own[-1]) | (not is_over(history, last)))
        has_all &= np.isin(periods, own) | ~is_there
    return ends[has_all]


def _is_known(history: History, days: Dates) -> Bools:
    """Return on which days the value of a part is known: not inside a gap of it."""
    dates = history.nav.dates
    gaps = history.cadence.gaps(dates)
    at = np.searchsorted(dates, days)
    inside = (at > 0) & (at < len(dates))
    at = np.minimum(at, len(dates) - 1)
    return np.asarray(~(inside & gaps[at] & (dates[at] != days)))


def _is_there(history: History, days: Dates, last: np.datetime64) -> Bools:
    dates = history.nav.dates
    return np.asarray((days >= dates[0]) & ((days <= dates[-1]) | (not is_over(history, last))))


def is_over(history: History, last: np.datetime64) -> bool:
    """Return whether a history with values has ended before `last`: as said, else its last value is too old.

    Holidays and a late feed are no end.
    """
    if history.ended and last > np.datetime64(history.ended):
        return True
    nav, cadence = history.nav, history.cadence
    if math.isinf(cadence.longest_days):
        return bool(last - nav.dates[-1] > np.timedelta64(LONGEST_DAYS, "D"))
    return not cadence.is_near(nav.dates[-1], last)


def _on_days(history: History, days: Dates, last: np.datetime64) -> tuple[Floats, Floats, Floats]:
    nav, own = history.nav, history.track
    value = carried(nav.dates, nav.value, days, 0.0)
    flow = carried(nav.dates, np.cumsum(nav.flow), days, 0.0)
    flow = np.diff(flow, prepend=0.0)
    first = int(np.searchsorted(days, nav.dates[0]))
    if 0 < first < len(days):
        flow[first] = 0.0
    after = int(np.searchsorted(days, nav.dates[-1], side="right"))
    if is_over(history, last) and after < len(days):
        flow[after] -= value[after - 1] if after else 0.0
        value[after:] = 0.0
    level = carried(own.dates, own.index, days, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.concatenate([[0.0], np.where(level[:-1] > 0, level[1:] / level[:-1] - 1.0, 0.0)])
    return value, flow, returns[: len(days)]
