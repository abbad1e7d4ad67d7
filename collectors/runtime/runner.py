"""Runs the collectors and importers: schedules them, holds them to their deadlines, records what happened.

Three kinds of threads: APScheduler's (decides what is due), one for each collector (does the work) and the
guard (deadlines, clock jumps). None waits for the database, and none for another collector. What does wait for it
(the changes of state, which are read back) has a thread beside them.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from collectors.runtime.breaker import OPEN_SECONDS_MAX, Breaker
from collectors.runtime.clock_guard import ClockGuard
from collectors.runtime.publisher import Live, Publisher, Writer
from collectors.runtime.schedule import Cadence, OwnThread, make_scheduler, rearm, start_over
from collectors.runtime.task import Hanging, Task
from collectors.runtime.task_view import TaskView
from core.clock import Clock
from core.errors import SourceUnavailable
from core.lease import RENEW_SECONDS, Lease
from core.machine.metrics import CLOCK_JUMP
from core.model import Collector, Importer, Job, Reading, Run, Sample, SourceId
from status.state_log import StateLog

GUARD_SECONDS = 1.0
TRIED_SECONDS = 0.05
"""Between looks whether a run that was asked for has ended."""
STAGGER_SECONDS = 0.1
"""Between the first runs of two collectors, so that they do not all start in the same instant for ever."""

SOURCE_REST_SECONDS = 5.0
"""Longest time that a watched source is left alone after failures, or its interval: it must show within two of those
that it is back."""

log = logging.getLogger(__name__)


class Runner:
    """The collectors of one process. `add` them, `start`, and `stop` once."""

    def __init__(
        self,
        host: str,
        clock: Clock,
        writer: Writer,
        live: Live,
        lease: Lease | None = None,
        states: StateLog | None = None,
    ) -> None:
        self._clock = clock
        self._states = states
        self._publisher = Publisher(host, writer, live, states)
        self._guard = ClockGuard(clock)
        self._lease = lease
        self._is_active = False
        self._tasks: dict[str, Task] = {}
        self._own_threads: dict[str, OwnThread] = {}
        self._hanging: dict[str, Hanging] = {}
        self._threads: list[threading.Thread] = []
        self._helpers: dict[str, Callable[[threading.Event], None]] = {}
        self._stopping = threading.Event()
        self._switch_lock = threading.Lock()
        self.settings_problem = ""
        """Why changed settings were refused (collectors/runtime/reload.py); empty: they were not."""
        self.scheduler = make_scheduler()
        if states is not None:
            self.attend(states.run, "collectors-states")

    def add(self, collector: Collector, source: SourceId | None = None) -> None:
        """Schedule `collector`, of a watched source that. Raises ValueError for a second one of the same name."""
        self._schedule(collector, collector.collect, source)

    def add_importer(self, importer: Importer) -> None:
        """Schedule `importer`. Raises ValueError for a second one of the same name."""
        self._schedule(importer, importer.take_in)

    def _schedule(self, job: Job, work: Callable[[float], Reading], source: SourceId | None = None) -> None:
        name = job.name
        if name in self._tasks:
            raise ValueError(f"two collectors are named {name}")
        own_thread = OwnThread()
        task = Task(
            job,
            work,
            self._clock,
            Breaker(self._clock.monotonic, longest_seconds=_longest_rest(job, source)),
            self._publisher,
            self._publisher.recorded,
            own_thread.replace,
            source,
            self._may_run,
            self._hanging.setdefault(name, Hanging()),
        )
        self.scheduler.add_executor(own_thread, name)
        cadence = Cadence(job.interval_seconds, STAGGER_SECONDS * len(self._tasks))
        self.scheduler.add_job(task.run, cadence, id=name, executor=name)
        self._own_threads[name] = own_thread
        self._tasks[name] = task

    def _may_run(self) -> bool:
        return self._lease is None or self._lease.holds()

    def remove(self, name: str) -> None:
        """Stop a collector and forget it; what the run that it is at brings is thrown away. Raises KeyError."""
        task = self._tasks[name]
        self.scheduler.remove_job(name)
        task.drop()
        self.scheduler.remove_executor(name)
        del self._tasks[name], self._own_threads[name]

    def try_now(self, name: str, wait_seconds: float) -> Run:
        """Run a collector now, whatever its breaker says, wait for it and return the run.

        A run that is at work ends first. Raises KeyError for a collector that there is not; SourceUnavailable, with the
        reason, when no run has ended within that time.
        """
        task, ends = self._tasks[name], time.monotonic() + wait_seconds
        if not self._waited(task.idle.is_set, ends):
            raise SourceUnavailable(f"the run before has not ended within {wait_seconds:g} s; try it again after that")
        if task.why_blocked:
            raise SourceUnavailable(task.why_blocked)
        asked = self._clock.now()
        # The next one of the schedule keeps its distance; this one is none that the scheduler may leave out.
        next_run = datetime.fromtimestamp(asked + task.job.interval_seconds, UTC)
        self.scheduler.modify_job(name, next_run_time=next_run)
        self._own_threads[name].do(task.run_by_hand)

        def run() -> Run | None:
            last = task.last_run
            return last if last is not None and last.started >= asked else None

        self._waited(lambda: run() is not None or self._tasks.get(name) is not task, ends)
        if (found := run()) is not None:
            return found
        if self._tasks.get(name) is not task:
            raise SourceUnavailable("its settings have changed meanwhile; try it again")
        goes_on = "" if task.idle.is_set() else f"; the run is given up after {task.job.timeout_seconds:g} s"
        raise SourceUnavailable(f"no answer within {wait_seconds:g} s{goes_on}")

    def _waited(self, holds: Callable[[], bool], ends: float) -> bool:
        """Wait until something holds, at most until that moment of time.monotonic(). Return whether it does."""
        while not (it_does := holds()) and time.monotonic() < ends:
            if self._stopping.wait(TRIED_SECONDS):
                break
        return it_does

    @property
    def is_collecting(self) -> bool:
        """Whether this process collects: with a lease, while it is ours."""
        return self._lease is None or self._is_active

    def attend(self, loop: Callable[[threading.Event], None], name: str) -> None:
        """Run `loop` in a thread of its own from `start` on; it is given the event that tells it to return."""
        self._helpers[name] = loop

    def start(self) -> None:
        """Start collecting; with a lease, as soon as it is ours."""
        for name, loop in self._helpers.items():
            self._spawn(partial(loop, self._stopping), name)
        self.scheduler.start(paused=self._lease is not None)
        self._spawn(self._watch, "collectors-guard")
        if self._lease is not None:
            self._spawn(self._keep_lease, "collectors-lease")

    def stop(self, deadline_seconds: float) -> None:
        """Start nothing more and let what runs finish within the deadline; then give the lease back.

        A run that does not finish is recorded as such. The writer must be stopped after this, not before.
        """
        ends = time.monotonic() + deadline_seconds
        for task in list(self._tasks.values()):
            task.stop()
        with self._switch_lock:
            self._stopping.set()
            self.scheduler.shutdown(wait=False)
        for task in list(self._tasks.values()):
            if not task.idle.wait(max(0.0, ends - time.monotonic())):
                task.give_up()
        for thread in self._threads:
            thread.join(timeout=GUARD_SECONDS)
        if self._lease is not None:
            self._lease.release()

    @property
    def names(self) -> list[str]:
        """The collectors and importers of now, in the order they were added."""
        return list(self._tasks)

    def views(self) -> list[TaskView]:
        """Return the state of every collector, in the order they were added."""
        times = {job.id: getattr(job, "next_run_time", None) for job in self.scheduler.get_jobs()}
        due = {name: moment.timestamp() for name, moment in times.items() if moment is not None}
        return [task.view(due.get(name)) for name, task in list(self._tasks.items())]

    def task(self, name: str) -> Task:
        """Return the collector's task, to open or close its breaker by hand. Raises KeyError."""
        return self._tasks[name]

    def tick(self) -> None:
        """Do one round of the guard."""
        jump = self._guard.tick()
        if jump:
            self._after_jump(jump)
        for task in list(self._tasks.values()):
            if task.expire():
                log.warning("collector %s: run given up", task.job.name)

    def _after_jump(self, jump: float) -> None:
        now = self._clock.now()
        moved = rearm(self.scheduler, now)
        log.warning("the wall clock jumped by %+.1f s; %d collectors brought back to now", jump, moved)
        if self._may_run():
            self._publisher.sample(now, Sample(CLOCK_JUMP, jump))

    def _spawn(self, loop: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=loop, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self) -> None:
        while not self._stopping.wait(self._seconds_to_next_deadline()):
            try:
                self.tick()
            except Exception:  # without the guard a hang would go unnoticed
                log.exception("the guard of the collectors failed")

    def _seconds_to_next_deadline(self) -> float:
        left = (task.seconds_left() for task in list(self._tasks.values()))
        return max(0.01, min([GUARD_SECONDS, *(seconds for seconds in left if seconds is not None)]))

    def _keep_lease(self) -> None:
        was_held = False
        while not self._stopping.is_set():
            held = self.hold_lease()
            if held != was_held:
                log.info("this process is %s", "collecting" if held else "standing by")
            was_held = held
            self._stopping.wait(RENEW_SECONDS)

    def hold_lease(self) -> bool:
        """Renew or seek the lease once, and collect or pause accordingly. Return whether we collect."""
        held = self._lease is None or self._lease.tick()
        with self._switch_lock:
            if self._stopping.is_set():
                return False
            if held and not self._is_active:
                self._take_over()
            self._is_active = held
            if held:
                self.scheduler.resume()
            else:
                self.scheduler.pause()
        return held

    def _take_over(self) -> None:
        """Begin with the next whole second: in this one whoever collected before may have read everything."""
        if self._states is not None:
            self._states.forget()
        if self._lease is not None:
            start_over(self.scheduler, math.floor(self._clock.now()) + 1.0)


def _longest_rest(job: Job, source: SourceId | None) -> float:
    return max(SOURCE_REST_SECONDS, job.interval_seconds) if source else OPEN_SECONDS_MAX
