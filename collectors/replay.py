"""Replays the sample fund as if its last day were today: a trading day a run, under the origin "replay"."""

from __future__ import annotations

import numpy as np

from collectors.base import Context
from core.model import Component, Facts, Reading, Sample, Status
from sample.facts import fund_facts
from sample.fund import Fund, build, redated
from sample.instruments import blend_of, series_of
from sample.load import portfolios
from sample.prices import Dates, load_prices
from storage.clickhouse.portfolio_rows import nav_span, remove_rows
from storage.state.portfolios import put_portfolios
from storage.state.series import put_blend, put_series

ORIGIN = "replay"


class ReplayCollector:
    """Hands out the fund's days one a run, from day number `next_day` on; what lies before comes with the first.

    `known_days` of them are stored already.
    """

    name = "replay"
    timeout_seconds = 30.0

    def __init__(self, fund: Fund, known_days: int, next_day: int, interval_seconds: float = 2.0) -> None:
        self.interval_seconds = interval_seconds
        self._fund = fund
        self._stored = known_days
        self._next = next_day

    def collect(self, now: float) -> Reading:
        """Return the next trading day's rows; without any when the data has ended."""
        days = len(self._fund.prices)
        end = min(self._next + 1, days)
        facts: tuple[Facts, ...] = ()
        if self._stored < end:
            facts = fund_facts(self._fund, ORIGIN, self._stored, end, int(now * 1000))
        self._stored, self._next = end, end
        return Reading(
            samples=(Sample("replay_days_left", float(days - end)),),
            components=(Component(self.name, Status.OK, self._why(end, days), float(days - end), "count"),),
            facts=facts,
        )

    def _why(self, end: int, days: int) -> str:
        date = str(self._fund.prices.dates[end - 1])
        return f"replayed up to {date}" if end < days else f"ended with {date}; the next start begins again"


def make(context: Context) -> ReplayCollector:
    """Return the collector, going on after the last stored day; a replay that had ended begins again.

    Its days are the last weekdays up to the day on which it began. Raises StorageUnavailable.
    """
    stores = context.stores
    fund = build(load_prices())
    days = len(fund.prices)
    start = int(np.searchsorted(fund.prices.dates, np.datetime64(context.settings.demo_start)))
    span = nav_span(stores.clickhouse, ORIGIN)
    begun = _weekdays(span[0], days) if span is not None else None
    if span is not None and begun is not None and (_day(span[1]) >= begun[-1] or _day(span[0]) == fund.prices.dates[0]):
        remove_rows(stores.clickhouse, ORIGIN)
        begun = None
    put_portfolios(stores.state, portfolios(ORIGIN))
    put_series(stores.state, series_of(ORIGIN))
    put_blend(stores.state, blend_of(ORIGIN))
    if span is None or begun is None:
        first = np.busday_offset(_day(stores.clock.now()), 1 - days, roll="backward")
        dates, known = _weekdays(first.astype("datetime64[s]").astype(int), days), 0
    else:
        # The newest stored day is handed out again: a kill may have cut it off half-way, and rows replace themselves.
        dates, known = begun, int(np.searchsorted(begun, _day(span[1])))
    interval = context.settings.intervals.replay_seconds
    return ReplayCollector(redated(fund, dates), known, max(start, known + 1), interval)


def _weekdays(first_seconds: int, count: int) -> Dates:
    """Return as many days from Monday to Friday, beginning with that one."""
    return np.busday_offset(_day(first_seconds), np.arange(count))


def _day(seconds: float) -> np.datetime64:
    return np.datetime64(int(seconds) // 86_400, "D")
