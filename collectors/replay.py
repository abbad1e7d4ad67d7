"""Replays the sample fund as if it traded now: a trading day a run, under the origin "replay"."""

from __future__ import annotations

import numpy as np

from collectors.base import Context
from core.model import Component, Facts, Reading, Sample, Status
from sample.facts import day_seconds, fund_facts
from sample.fund import Fund, build
from sample.load import portfolios
from sample.prices import load_prices
from storage.clickhouse.portfolio_rows import newest_nav, remove_rows
from storage.state.portfolios import put_portfolios

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

    Raises StorageUnavailable.
    """
    stores = context.stores
    fund = build(load_prices())
    days = day_seconds(fund.prices)
    newest = newest_nav(stores.clickhouse, ORIGIN)
    if newest is not None and newest >= days[-1]:
        remove_rows(stores.clickhouse, ORIGIN)
        newest = None
    put_portfolios(stores.state, portfolios(ORIGIN))
    # The newest stored day is handed out again: a kill may have cut it off half-way, and rows replace themselves.
    known = 0 if newest is None else int(np.searchsorted(days, newest))
    start = int(np.searchsorted(fund.prices.dates, np.datetime64(context.settings.demo_start)))
    return ReplayCollector(fund, known, max(start, known + 1), context.settings.intervals.replay_seconds)
