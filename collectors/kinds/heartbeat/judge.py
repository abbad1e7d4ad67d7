"""How a job is, from its pings alone: new, up, running, late or down. Pure.

A success is due a period after the one before, or at the next time of its schedule; late until the grace is over, then
down. One that has never pinged is due as after a success when it was first watched. A failure is down at once. A start
is running until its end is reported; a run that outlasts its longest time, or whose success is overdue with its grace,
is down all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.format import ago, coarse_duration, count, number
from core.kinds.heartbeat.source import HeartbeatSource
from core.kinds.heartbeat.spec import JobState, Run, RunOutcome
from core.model import Status
from storage.state.pings import FAIL, START, SUCCESS, Ping

OUTCOMES = {SUCCESS: RunOutcome.SUCCESS, FAIL: RunOutcome.FAIL}
"""By the kind of the ping that ends a run."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a job is."""

    state: JobState
    status: Status
    why: str
    due: float | None = None
    """When the next success is expected, epoch seconds."""
    success: Run | None = None
    """The last good run."""
    running_since: float | None = None


def runs_of(pings: Sequence[Ping]) -> list[Run]:
    """Return the runs, newest first; `pings` newest first."""
    found: list[Run] = []
    start: Ping | None = None
    for ping in reversed(pings):
        if ping.kind == START:
            if start is not None:
                found.append(_run(start, RunOutcome.NO_END, began=start.at))
            start = ping
            continue
        found.append(_run(ping, OUTCOMES[ping.kind], began=start.at if start else None, ended=ping.at))
        start = None
    if start is not None:
        found.append(_run(start, RunOutcome.RUNNING, began=start.at))
    return found[::-1]


def pulse(
    source: HeartbeatSource, runs: Sequence[Run], due_after: Callable[[float], float], now: float, since: float
) -> Pulse:
    """Return how the job is at `now`; `due_after(ts)`: when the success after one at `ts` is expected.

    since: when it was first watched, of a job that has never pinged.
    """
    if not runs:
        return _never(source, due_after(since), now)
    newest = runs[0]
    ended = next((run for run in runs if run.outcome in OUTCOMES.values()), None)
    success = next((run for run in runs if run.outcome == RunOutcome.SUCCESS), None)
    running = newest.began if newest.outcome == RunOutcome.RUNNING else None
    base = success.ended if success and success.ended is not None else min(_first(run) for run in runs)
    due = due_after(base)
    overdue = now - due

    def made(state: JobState, status: Status, why: str) -> Pulse:
        return Pulse(state, status, why, due, success, running)

    if running is not None and source.longest_seconds is not None and now - running > source.longest_seconds:
        lasts, allowed = coarse_duration(now - running), coarse_duration(source.longest_seconds)
        return made(JobState.DOWN, Status.DOWN, f"has been running for {lasts}, and at most {allowed} is allowed")
    if ended is not None and ended.outcome == RunOutcome.FAIL and running is None:
        message = f": {ended.message}" if ended.message else ""
        return made(JobState.DOWN, Status.DOWN, f"failed {ago(now - (ended.ended or now))}{message}")
    last = f"last success {ago(now - base)}" if success else "no success yet"
    if overdue > 0 and success:
        last = f"last success {coarse_duration(now - base)} ago"
    if overdue > source.grace_seconds:
        return made(JobState.DOWN, Status.DOWN, f"{last}, overdue for {coarse_duration(overdue)}{_while(running, now)}")
    if running is not None:
        return made(JobState.RUNNING, Status.OK, f"running for {coarse_duration(now - running)}, {last}")
    if overdue > 0:
        return made(JobState.LATE, Status.WARNING, f"{last}, late for {coarse_duration(overdue)}")
    if newest.outcome == RunOutcome.NO_END or success is None:
        return made(JobState.UP, Status.OK, last)
    return _with_rows(source, success, made(JobState.UP, Status.OK, last))


def _never(source: HeartbeatSource, due: float, now: float) -> Pulse:
    overdue, never = now - due, "has never pinged"
    if overdue > source.grace_seconds:
        return Pulse(JobState.DOWN, Status.DOWN, f"{never}, overdue for {coarse_duration(overdue)}", due)
    if overdue > 0:
        return Pulse(JobState.LATE, Status.WARNING, f"{never}, late for {coarse_duration(overdue)}", due)
    return Pulse(JobState.NEW, Status.UNKNOWN, never, due)


def _with_rows(source: HeartbeatSource, success: Run, found: Pulse) -> Pulse:
    """Return how the job is, its rows held against those expected."""
    got, wanted = success.rows, success.expected_rows(source.expected_rows)
    if wanted is None:
        return found
    if got is None:
        why = f"the last success did not report its rows, and {number(wanted)} were expected"
        return replace(found, status=Status.WARNING, why=why)
    if got >= wanted:
        return replace(found, why=f"{found.why}, {count(got, 'row')}")
    why = f"the last success brought {number(got)} of {count(wanted, 'row')}"
    return replace(found, status=Status.CRITICAL if got == 0 else Status.WARNING, why=why)


def _run(ping: Ping, outcome: RunOutcome, began: float | None, ended: float | None = None) -> Run:
    return Run(began, ended, outcome, ping.rows, ping.expected, ping.bytes, ping.files, ping.message)


def _first(run: Run) -> float:
    return run.began if run.began is not None else run.ended or 0.0


def _while(running: float | None, now: float) -> str:
    return f" (running for {coarse_duration(now - running)})" if running is not None else ""
