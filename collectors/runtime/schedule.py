"""APScheduler as Fundwatch uses it: one thread a collector, a cadence that survives clock steps.

Three of its defaults stop a monitor and are replaced here:
* a pool of ten shared threads: ten stuck jobs stop every other, so each collector has its own thread;
* threads that the interpreter joins at exit: a stuck one would hang the exit, so these are daemons and can be
  abandoned and replaced while they hang;
* an interval that lists every missed time after a step forwards: `Cadence` names at most two.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

Work = Callable[[], None]
LATE_SECONDS = 2.0
"""A run that begins as late counts from when it began, not from when it was due."""

log = logging.getLogger(__name__)


class Cadence(BaseTrigger):  # type: ignore[misc]
    """Every `interval_seconds`, the first time after `delay_seconds`."""

    def __init__(self, interval_seconds: float, delay_seconds: float = 0.0) -> None:
        self.interval_seconds = interval_seconds
        self.delay_seconds = delay_seconds

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """Return the time after `previous`; when that has passed too, the last of the times already due."""
        if previous is None:
            return now + timedelta(seconds=self.delay_seconds)
        missed = floor((now - previous).total_seconds() / self.interval_seconds)
        return previous + timedelta(seconds=self.interval_seconds * max(missed, 1))


class OwnThread(BaseExecutor):  # type: ignore[misc]
    """An executor of one daemon thread that can be given up while it hangs.

    The job's function is called with the time it was due (epoch seconds).
    """

    def __init__(self) -> None:
        super().__init__()
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._alias = ""

    def start(self, scheduler: Any, alias: str) -> None:
        super().start(scheduler, alias)
        self._alias = alias
        self._start_thread()

    def shutdown(self, wait: bool = True) -> None:
        """Let the thread end after what it is doing; never waits, whoever stops has its own deadline."""
        self._queue.put(None)

    def replace(self, first: Work) -> None:
        """Abandon the thread, start another one and let it do `first`; what was queued is dropped."""
        with self._lock:
            self._queue.put(None)
            self._queue = queue.SimpleQueue()
            self._instances.clear()
            self._queue.put(first)
            self._start_thread()

    def do(self, work: Work) -> None:
        """Do `work` in the thread, after what it is at; not when the thread is given up before."""
        with self._lock:
            self._queue.put(work)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        mine = self._queue

        def work() -> None:
            try:
                job.func(run_times[-1].timestamp())
            finally:
                with self._lock:
                    if mine is self._queue:
                        self._run_job_success(job.id, [])

        mine.put(work)

    def _start_thread(self) -> None:
        name = f"collector-{self._alias}"
        threading.Thread(target=_serve, args=(self._queue,), name=name, daemon=True).start()


def make_scheduler() -> BackgroundScheduler:
    """Return a scheduler in UTC that never drops a late run, coalesces missed ones and never overlaps."""
    return BackgroundScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        logger=logging.getLogger("apscheduler.fundwatch"),
    )


def stamped(due: float | None, now: float) -> float:
    """Return the time that stands for a run which was due at `due` and began at `now` (epoch seconds).

    That is when it was due, so that two runs a second apart never share a second however late each began; of a run that
    began much later it is when it did.
    """
    return due if due is not None and 0.0 <= now - due < LATE_SECONDS else now


def start_over(scheduler: BackgroundScheduler, second: float) -> None:
    """Let every job run next at `second` (epoch seconds), or after it by its delay, and go on from there."""
    moment = datetime.fromtimestamp(second, UTC)
    for job in scheduler.get_jobs():
        job.modify(next_run_time=moment + timedelta(seconds=job.trigger.delay_seconds))


def rearm(scheduler: BackgroundScheduler, now: float) -> int:
    """Bring jobs whose next time a clock step has put out of reach back to now; return how many.

    A step backwards leaves the next times in the future by its whole size: nothing would run until the clock
    has caught up.
    """
    moment = datetime.fromtimestamp(now, UTC)
    moved = 0
    for job in scheduler.get_jobs():
        if job.next_run_time is None:
            continue
        latest = moment + timedelta(seconds=job.trigger.interval_seconds)
        if job.next_run_time > latest:
            job.modify(next_run_time=moment + timedelta(seconds=job.trigger.delay_seconds))
            moved += 1
    scheduler.wakeup()
    return moved


def _serve(work_queue: queue.SimpleQueue[Work | None]) -> None:
    while (work := work_queue.get()) is not None:
        try:
            work()
        except Exception:  # the thread must outlive whatever a run does
            log.exception("a collector's run failed outside its collector")
