"""How a job is, from its pings alone: new, up, running, late or down. Pure.

A success is due a period after the one before, or at the next time of its schedule; late until the grace is over, then
down. A failure is down at once. A start is running until its end is told; a run that outlasts its longest time, or
whose success is overdue with its grace, is down all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.format import ago, coarse_duration, count, number
from core.kinds.heartbeat.source import HeartbeatSource
from core.model import Status
from storage.state.pings import FAIL, START, SUCCESS, Ping

NEW, UP, RUNNING, LATE, DOWN = "new", "up", "running", "late", "down"
UNTOLD, RUN = "no end told", "running"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: a start and its end, or an end alone."""

    began: float | None
    ended: float | None
    outcome: str
    """success, fail, "running", or "no end told" for a start that another start followed."""
    ping: Ping
    """The ping that ended it, or its start."""

    @property
    def seconds(self) -> float | None:
        """How long it took, when both start and end were told."""
        return self.ended - self.began if self.began is not None and self.ended is not None else None


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a job is."""

    state: str
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
                found.append(Run(start.at, None, UNTOLD, start))
            start = ping
            continue
        found.append(Run(start.at if start else None, ping.at, ping.kind, ping))
        start = None
    if start is not None:
        found.append(Run(start.at, None, RUN, start))
    return found[::-1]


def pulse(source: HeartbeatSource, runs: Sequence[Run], due_after: Callable[[float], float], now: float) -> Pulse:
    """Return how the job is at `now`; `due_after(ts)`: when the success after one at `ts` is expected."""
    if not runs:
        return Pulse(NEW, Status.UNKNOWN, "has never pinged")
    newest = runs[0]
    ended = next((run for run in runs if run.outcome in (SUCCESS, FAIL)), None)
    success = next((run for run in runs if run.outcome == SUCCESS), None)
    running = newest.began if newest.outcome == RUN else None
    base = success.ended if success and success.ended is not None else min(_first(run) for run in runs)
    due = due_after(base)
    overdue = now - due

    def made(state: str, status: Status, why: str) -> Pulse:
        return Pulse(state, status, why, due, success, running)

    if running is not None and source.longest_seconds is not None and now - running > source.longest_seconds:
        lasts, allowed = coarse_duration(now - running), coarse_duration(source.longest_seconds)
        return made(DOWN, Status.DOWN, f"has been running for {lasts}, and at most {allowed} is allowed")
    if ended is not None and ended.outcome == FAIL and running is None:
        said = f": {ended.ping.message}" if ended.ping.message else ""
        return made(DOWN, Status.DOWN, f"failed {ago(now - (ended.ended or now))}{said}")
    last = f"last success {ago(now - base)}" if success else "no success yet"
    if overdue > source.grace_seconds:
        return made(DOWN, Status.DOWN, f"{last}, overdue for {coarse_duration(overdue)}{_while(running, now)}")
    if running is not None:
        return made(RUNNING, Status.OK, f"running for {coarse_duration(now - running)}, {last}")
    if overdue > 0:
        return made(LATE, Status.WARNING, f"{last}, late for {coarse_duration(overdue)}")
    if newest.outcome == UNTOLD or success is None:
        return made(UP, Status.OK, last)
    return _with_rows(source, success, made(UP, Status.OK, last))


def _with_rows(source: HeartbeatSource, success: Run, found: Pulse) -> Pulse:
    got = success.ping.rows
    wanted = success.ping.expected if success.ping.expected is not None else source.expected_rows
    if wanted is None:
        return found
    if got is None:
        why = f"the last success did not tell its rows, and {number(wanted)} were expected"
        return Pulse(found.state, Status.WARNING, why, found.due, success)
    if got >= wanted:
        return Pulse(found.state, found.status, f"{found.why}, {count(got, 'row')}", found.due, success)
    status = Status.CRITICAL if got == 0 else Status.WARNING
    why = f"the last success brought {number(got)} of {count(wanted, 'row')}"
    return Pulse(found.state, status, why, found.due, success)


def _first(run: Run) -> float:
    return run.began if run.began is not None else run.ended or 0.0


def _while(running: float | None, now: float) -> str:
    return f" (running for {coarse_duration(now - running)})" if running is not None else ""
