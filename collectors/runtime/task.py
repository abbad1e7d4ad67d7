"""One job, a collector or an importer, at work: deadline, breaker, record.

A hanging run is given up and its late result thrown away.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from collectors.runtime.breaker import Breaker
from collectors.runtime.publisher import Publisher
from collectors.runtime.schedule import stamped
from collectors.runtime.task_view import TaskView
from core.clock import Clock
from core.errors import SourceRejected, SourceUnavailable, StorageError
from core.format import count
from core.model import Job, Outcome, Reading, Run, SourceId
from core.pipeline.spec import RUNS_KEPT

ABANDONED_THREADS_MAX = 4
"""Hanging threads a collector may leave behind; past it nothing runs until one of them returns."""
HANGING_THREADS_MAX = 2 * ABANDONED_THREADS_MAX
"""The same of all tasks that had one name: a source with changed settings is tried although its last task hangs, but
one that is changed again and again cannot eat all threads."""
PUBLISHED_SECONDS = 5.0
"""How long `drop` waits for a run that has ended and is being published."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Attempt:
    """A run in progress. Whoever takes it out of `Task._attempt` first decides its outcome."""

    started: float
    stamp: float
    """The time of its reading, epoch seconds: no other run of the job has one in the same second."""
    started_monotonic: float
    lateness_seconds: float
    duration_seconds: float = 0.0
    thread: int = field(default_factory=threading.get_ident)


class Hanging:
    """How many runs of one name hang that were given up: those of a task that was removed count on."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, number: int) -> None:
        """Count so many more; a run that returns is -1."""
        with self._lock:
            self.count += number


class Task:
    """Runs one job by calling `work(now)`; `run` in the job's own thread, everything else from any thread.

    `replace_thread(first)` must abandon the job's thread and do `first` in a new one. `may_run()` says whether this
    process is the one that collects, at this very moment. `hanging` is shared by all tasks that ever had this name.
    """

    def __init__(
        self,
        job: Job,
        work: Callable[[float], Reading],
        clock: Clock,
        breaker: Breaker,
        publisher: Publisher,
        record: Callable[[Run], None],
        replace_thread: Callable[[Callable[[], None]], None],
        source: SourceId | None = None,
        may_run: Callable[[], bool] = lambda: True,
        hanging: Hanging | None = None,
    ) -> None:
        self.job = job
        self.source = source
        self._id = source or job.name
        self._work = work
        self.breaker = breaker
        self.idle = threading.Event()
        self.idle.set()
        self._clock = clock
        self._publisher = publisher
        self._record = record
        self._replace_thread = replace_thread
        self._may_run = may_run
        self._lock = threading.Lock()
        self._attempt: _Attempt | None = None
        self._hanging = hanging or Hanging()
        self._hanging_max = min(self._hanging.count + ABANDONED_THREADS_MAX, HANGING_THREADS_MAX)
        self._is_stopping = False
        self._last_run: Run | None = None
        self._last_success: float | None = None
        self._durations: deque[float] = deque(maxlen=RUNS_KEPT)
        self._lateness: deque[float] = deque(maxlen=RUNS_KEPT)

    def run(self, due: float | None = None) -> None:
        """Run the job, which was due at `due` (epoch seconds; None: right now), unless something forbids it."""
        if self._is_stopping:
            return
        now = self._clock.now()
        stamp = stamped(due, now)
        if not self._may_run():  # asked after the clock: whoever collects next begins in a later second
            return
        if self.why_blocked:
            self._publish_failure(stamp, self.why_blocked)
            return
        if not self.breaker.allow():
            self._publish_failure(stamp, self._why_open())
            return
        attempt = self._begin(due, now, stamp)
        if attempt is None:
            return
        try:
            reading = self._work(attempt.started)
        except SourceRejected as error:
            self._fail(attempt, Outcome.REJECTED, str(error))
        except (SourceUnavailable, StorageError) as error:
            self._fail(attempt, Outcome.UNAVAILABLE, str(error))
        except Exception as error:
            if self.breaker.view().failures_in_a_row == 0:  # the trace once, not at every retry
                log.exception("collector %s failed", self.job.name)
            self._fail(attempt, Outcome.ERROR, f"{type(error).__name__}: {error}")
        else:
            self._succeed(attempt, reading)

    def run_by_hand(self) -> None:
        """Run the job now, whatever its breaker says."""
        self.breaker.close_by_hand()
        self.run()

    def seconds_left(self) -> float | None:
        """Return the seconds until the present run passes its deadline; None between runs."""
        attempt = self._attempt
        return None if attempt is None else self._seconds_left(attempt)

    def expire(self) -> bool:
        """Give the present run up if it has passed its deadline. Return whether it was given up."""
        attempt = self._attempt
        if attempt is None or self._seconds_left(attempt) > 0 or not self._take(attempt, abandon=True):
            return False
        error = f"no result within {self.job.timeout_seconds:g} s{_where(attempt.thread)}"
        self.breaker.overran()
        # Publishing may have to wait for the live store, so it goes to the collector's new thread.
        self._replace_thread(lambda: self._close(attempt, Outcome.TIMEOUT, error))
        return True

    def stop(self) -> None:
        """Start no run from now on."""
        with self._lock:
            self._is_stopping = True

    def drop(self) -> None:
        """Start no run from now on, and throw away what the present one brings: nothing is published after this."""
        self.stop()
        attempt = self._attempt
        if attempt is not None and self._take(attempt, abandon=True):
            self.idle.set()
        elif not self.idle.wait(PUBLISHED_SECONDS):
            log.warning("collector %s: its last run is still being published", self.job.name)

    def give_up(self) -> bool:
        """Record a run that the end of the program cuts off. Return whether there was one."""
        attempt = self._attempt
        if attempt is None or not self._take(attempt, abandon=True):
            return False
        self._close(attempt, Outcome.TIMEOUT, f"stopped while running{_where(attempt.thread)}")
        return True

    @property
    def why_blocked(self) -> str:
        """Why no run is started, whatever the breaker says; empty: they are."""
        hanging = self._hanging.count
        if hanging < self._hanging_max:
            return ""
        return f"{count(hanging, 'run')} still hang; none is started until one of them returns"

    @property
    def last_run(self) -> Run | None:
        """The newest run that has ended."""
        return self._last_run

    def view(self, next_run: float | None) -> TaskView:
        """Return the state now."""
        with self._lock:
            breaker = self.breaker.view()
            return TaskView(
                collector=self.job.name,
                interval_seconds=self.job.interval_seconds,
                timeout_seconds=self.job.timeout_seconds,
                last_run=self._last_run,
                last_success=self._last_success,
                failures_in_a_row=breaker.failures_in_a_row,
                breaker=breaker,
                next_run=next_run,
                durations_seconds=tuple(self._durations),
                lateness_seconds=tuple(self._lateness),
                abandoned_threads=self._hanging.count,
                source=self.source,
            )

    def _begin(self, due: float | None, now: float, stamp: float) -> _Attempt | None:
        """Return the run that begins now; None: none may begin any more."""
        lateness = 0.0 if due is None else max(0.0, now - due)
        attempt = _Attempt(now, stamp, self._clock.monotonic(), lateness)
        with self._lock:
            if self._is_stopping:
                return None
            self._attempt = attempt
            self.idle.clear()
        return attempt

    def _seconds_left(self, attempt: _Attempt) -> float:
        return attempt.started_monotonic + self.job.timeout_seconds - self._clock.monotonic()

    def _take(self, attempt: _Attempt, *, abandon: bool) -> bool:
        """Take `attempt` out of the task, once: False means that somebody else has decided its outcome."""
        with self._lock:
            if self._attempt is attempt:
                self._attempt = None
                self._hanging.add(int(abandon))
                attempt.duration_seconds = self._clock.monotonic() - attempt.started_monotonic
                return True
        if not abandon:
            self._hanging.add(-1)
            log.info("collector %s: a run that was given up has returned", self.job.name)
        return False

    def _succeed(self, attempt: _Attempt, reading: Reading) -> None:
        if not self._take(attempt, abandon=False):
            return
        self.breaker.succeeded()
        interval, timeout = self.job.interval_seconds, self.job.timeout_seconds
        samples = self._publisher.succeeded(self._id, attempt.stamp, interval, reading, timeout_seconds=timeout)
        self._finish(attempt, Outcome.OK, samples, "")

    def _fail(self, attempt: _Attempt, outcome: Outcome, error: str) -> None:
        if not self._take(attempt, abandon=False):
            return
        if outcome is Outcome.REJECTED:
            self.breaker.refused()
        else:
            self.breaker.failed()
        self._close(attempt, outcome, error)

    def _close(self, attempt: _Attempt, outcome: Outcome, error: str) -> None:
        self._publish_failure(attempt.stamp, error)
        self._finish(attempt, outcome, 0, error)

    def _finish(self, attempt: _Attempt, outcome: Outcome, samples: int, error: str) -> None:
        run = Run(
            collector=self.job.name,
            started=attempt.started,
            duration_seconds=attempt.duration_seconds,
            lateness_seconds=attempt.lateness_seconds,
            outcome=outcome,
            samples=samples,
            error=error,
        )
        self._tell_change(run)
        with self._lock:
            self._last_run = run
            self._last_success = run.started if outcome is Outcome.OK else self._last_success
            self._durations.append(run.duration_seconds)
            self._lateness.append(run.lateness_seconds)
        self._record(run)
        self.idle.set()

    def _tell_change(self, run: Run) -> None:
        """Log when a collector begins to fail and when it works again, not every run in between."""
        was_ok = self._last_run is None or self._last_run.outcome is Outcome.OK
        if was_ok and run.outcome is not Outcome.OK:
            log.warning("collector %s: %s: %s", run.collector, run.outcome.value, run.error)
        elif not was_ok and run.outcome is Outcome.OK:
            log.info("collector %s works again", run.collector)

    def _why_open(self) -> str:
        last = self._last_run.error if self._last_run and self._last_run.error else "stopped by hand"
        return f"{last}; {self.breaker.view().next_try}"

    def _publish_failure(self, ts: float, why: str) -> None:
        interval, timeout = self.job.interval_seconds, self.job.timeout_seconds
        self._publisher.failed(self._id, ts, interval, why, timeout_seconds=timeout)


def _where(thread: int) -> str:
    """Return the place in the code at which `thread` stands, so that a hang explains itself."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return ""
    return f", hangs in {frame.f_code.co_qualname} ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})"
