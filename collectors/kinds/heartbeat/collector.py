"""Jobs that ping: downloaders, cron jobs. Their pings come in over HTTP (dashboard/kinds/heartbeat/pings.py).

Costs the jobs nothing; here one indexed look into the state database an interval, below 1 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from collectors.base import Context, gauges
from collectors.judging.checks import Check, checks_table
from collectors.judging.market_hours import market, market_soon
from collectors.kinds.heartbeat.judge import pulse, runs_of
from core.cron import last_time, next_time
from core.errors import SourceRejected
from core.kinds.heartbeat import spec
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.heartbeat.spec import Checks, JobState, Run, RunOutcome
from core.model import Component, Reading
from core.tables import table_of
from storage.state.pings import Ping, recent_pings, watched_since

RUNS_SHOWN = 30
EARLY_SHARE, EARLY_SECONDS = 0.1, 1_800.0
"""A success counts for the next time of its schedule when it is not earlier than this share of the time between two."""
LONGEST_REST_DAYS = 40
"""A market that has no session for so long is not waited for."""
IS_UP = {JobState.DOWN: False, JobState.NEW: None}
"""Whether a job is up in a state, where it is not simply so."""


def make(context: Context, source: HeartbeatSource) -> HeartbeatCollector:
    """Return the collector of one job."""
    state, name, keeps = context.stores.state, source.name, not context.is_trial
    return HeartbeatCollector(
        source, lambda: recent_pings(state, name), lambda now: watched_since(state, name, now, keeps=keeps)
    )


class HeartbeatCollector:
    """Judges one job by its pings."""

    def __init__(
        self,
        source: HeartbeatSource,
        pings: Callable[[], list[Ping]],
        watched_since: Callable[[float], float] = lambda now: now,
    ) -> None:
        """Return it. watched_since: since when (epoch seconds) it is watched, at most the time that it is given."""
        self.name = source.collector
        self.interval_seconds = source.interval_seconds
        self.timeout_seconds = source.timeout_seconds + 1
        self._source = source
        self._pings = pings
        self._watched_since = watched_since

    def collect(self, now: float) -> Reading:
        """Return how the job is. Raises StorageUnavailable."""
        source = self._source
        runs = runs_of(self._pings())
        since = now if runs else self._watched_since(now)
        found = pulse(source, runs, self.due_after, now, since)
        success, ended = found.success, next((run for run in runs if run.ended is not None), None)
        values = {
            spec.AGE: now - success.ended if success and success.ended is not None else None,
            spec.LATE: max(now - found.due, 0.0) if found.due is not None and found.state != JobState.NEW else None,
            spec.DURATION: success.seconds if success else None,
            spec.ROWS: success.rows if success else None,
            spec.BYTES: success.bytes if success else None,
            spec.RUNNING: now - found.running_since if found.running_since is not None else None,
        }
        about = spec.About(
            state=found.state,
            due=found.due,
            last_success=success.ended if success else None,
            running_since=found.running_since,
            period_seconds=source.period_seconds,
            schedule=f"{source.schedule} {source.timezone}" if source.schedule else "",
            calendar=source.calendar,
            grace_seconds=source.grace_seconds,
            median_seconds=_median(runs),
            failures=sum(run.outcome == RunOutcome.FAIL for run in runs),
            runs=len(runs),
            last_seconds=ended.seconds if ended else None,
            last_rows=ended.rows if ended else None,
            expected_rows=ended.expected_rows(source.expected_rows) if ended else source.expected_rows,
            last_bytes=ended.bytes if ended else None,
            last_files=ended.files if ended else None,
        )
        return Reading(
            samples=gauges(values, instance=source.name),
            components=[Component(source.component, found.status, found.why)],
            tables=[
                checks_table([Check(Checks.PULSE, found.status, found.why)]),
                table_of(spec.About, [about]),
                table_of(spec.Run, runs[:RUNS_SHOWN]),
            ],
            is_up=IS_UP.get(found.state, True),
        )

    def due_after(self, ts: float) -> float:
        """Return when the success after one at `ts` is expected, on a day with a session if it follows a market."""
        source = self._source
        if not source.schedule:
            return self._on_a_session(ts + source.period_seconds)
        due = self._fires_after(ts)
        # A success shortly before its time is that time's.
        if due - ts <= self._early_seconds(ts, due):
            due = self._fires_after(due)
        for _ in range(LONGEST_REST_DAYS):
            if self._on_a_session(due) == due:
                break
            due = self._fires_after(_end_of_day(due, source.timezone) - 1)
        return due

    def _fires_after(self, ts: float) -> float:
        found = next_time(self._source.schedule, self._source.timezone, ts)
        if found is None:
            raise SourceRejected(f"the schedule {self._source.schedule} never comes")
        return found

    def _early_seconds(self, ts: float, due: float) -> float:
        """Return how long before `due` a success still counts for it: a small part of the time between two of them."""
        before = last_time(self._source.schedule, self._source.timezone, ts)
        between = due - before if before is not None else due - ts
        return min(self._source.grace_seconds / 2, between * EARLY_SHARE, EARLY_SECONDS)

    def _on_a_session(self, ts: float) -> float:
        if not self._source.calendar:
            return ts
        name = self._source.calendar
        hours = market_soon(name, time.time()) or market(name)
        return hours.same_time_on_a_session(ts, self._source.timezone)


def _end_of_day(ts: float, zone: str) -> float:
    day = datetime.fromtimestamp(ts, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=1)).timestamp()


def _median(runs: list[Run]) -> float | None:
    took = sorted(run.seconds for run in runs if run.seconds is not None and run.outcome == RunOutcome.SUCCESS)
    return took[len(took) // 2] if took else None
