"""What the events of Celery workers say: who lives, what was done, what failed. Pure, bounded, safe between threads.

An event is a dict as celery.events sends it: `type` (task-failed, worker-heartbeat, …), `hostname`, `timestamp`,
`uuid`. Ages are by our clock, since clocks of workers differ; durations are the workers' own.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from core.format import cut
from core.kinds.celery import spec
from core.kinds.celery.spec import Outcome, Problem, Succeeded

MOST_ENDED, MOST_TASKS, MOST_WORKERS = 10_000, 5_000, 200
FORGET_WORKER_SECONDS = 3_600.0
TEXT_CHARACTERS, ARGUMENT_CHARACTERS = 300, 80
OUTCOMES = {
    "task-succeeded": Outcome.SUCCEEDED,
    "task-failed": Outcome.FAILED,
    "task-retried": Outcome.RETRIED,
    "task-revoked": Outcome.REVOKED,
    "task-rejected": Outcome.REJECTED,
}
COUNTED: dict[str, str] = {
    **OUTCOMES,
    "task-sent": spec.SENT,
    "task-received": spec.RECEIVED,
    "task-started": spec.STARTED,
}
RETRY = re.compile(r"^Retry\(Retry\(\.\.\.\), (.*), [^,]*\)$", re.DOTALL)
"""How a retry wraps the exception that it is for."""


@dataclass(slots=True)
class Task:
    """What is known of one task."""

    name: str = ""
    arguments: str = ""
    queue: str = ""
    worker: str = ""
    retries: int = 0
    sent: float | None = None
    """Our clock."""
    received: float | None = None
    began: float | None = None
    """The worker's clock."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that ended, or was retried, within the window."""

    ts: float
    name: str
    outcome: str
    seconds: float | None


@dataclass(slots=True)
class HeardWorker:
    """A worker by its heartbeats."""

    name: str
    heard: float
    every_seconds: float = 2.0
    active: int | None = None
    processed: int | None = None
    load: float | None = None
    version: str = ""
    said_goodbye: bool = False
    task_events: float | None = None
    """When its last task event came."""
    first_processed: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was heard, at one moment; its own copy."""

    counts: Mapping[str, int]
    ended: tuple[Ended, ...]
    problems: tuple[Problem, ...]
    """Newest first."""
    workers: tuple[HeardWorker, ...]
    received: Mapping[str, float] = field(default_factory=dict)
    """When a task of this id was received by a worker."""
    sent: Mapping[str, float] = field(default_factory=dict)
    succeeded: tuple[Succeeded, ...] = ()
    """Newest first."""


class Heard:
    """Takes events in one thread, tells in another."""

    def __init__(self, show_arguments: bool = True) -> None:
        self._lock = threading.Lock()
        self._show_arguments = show_arguments
        self._counts: Counter[str] = Counter()
        self._ended: deque[Ended] = deque(maxlen=MOST_ENDED)
        self._problems: deque[Problem] = deque(maxlen=spec.MOST_PROBLEMS)
        self._succeeded: deque[Succeeded] = deque(maxlen=spec.MOST_SUCCEEDED)
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._workers: dict[str, HeardWorker] = {}

    def take(self, body: Any, now: float) -> None:
        """Take an event, or a list of them; what makes no sense is counted as malformed."""
        for event in body if isinstance(body, list) else [body]:
            with self._lock:
                try:
                    self._one(event, now)
                except (TypeError, ValueError, KeyError, AttributeError):
                    self._counts[spec.MALFORMED] += 1

    def look(self, now: float, *ids: str) -> Seen:
        """Return what is known at `now`; of the tasks `ids`, when they were sent and received."""
        with self._lock:
            while self._ended and self._ended[0].ts < now - spec.WINDOW_SECONDS:
                self._ended.popleft()
            for worker in list(self._workers.values()):
                if now - worker.heard > FORGET_WORKER_SECONDS:
                    del self._workers[worker.name]
            known = {id: self._tasks[id] for id in ids if id in self._tasks}
            return Seen(
                dict(self._counts),
                tuple(self._ended),
                tuple(reversed(self._problems)),
                tuple(copy(worker) for worker in self._workers.values()),
                {id: task.received for id, task in known.items() if task.received is not None},
                {id: task.sent for id, task in known.items() if task.sent is not None},
                tuple(reversed(self._succeeded)),
            )

    def _one(self, event: Mapping[str, Any], now: float) -> None:
        kind = str(event["type"])
        self._counts[spec.EVENTS] += 1
        if kind.startswith("worker-"):
            self._worker(str(event["hostname"]), kind, event, now)
        elif kind.startswith("task-"):
            self._task(kind, event, now)

    def _worker(self, name: str, kind: str, event: Mapping[str, Any], now: float) -> None:
        worker = self._workers.get(name)
        if worker is None:
            if len(self._workers) >= MOST_WORKERS:
                del self._workers[min(self._workers.values(), key=lambda each: each.heard).name]
            worker = self._workers[name] = HeardWorker(name, now)
        worker.heard, worker.said_goodbye = now, kind == "worker-offline"
        worker.every_seconds = float(event.get("freq") or worker.every_seconds)
        worker.version = str(event.get("sw_ver") or worker.version)
        if event.get("active") is not None:
            worker.active = int(event["active"])
        if event.get("processed") is not None:
            processed = int(event["processed"])
            if worker.first_processed is None or processed < worker.first_processed:
                worker.first_processed = processed
            worker.processed = processed
        if event.get("loadavg"):
            worker.load = float(event["loadavg"][0])

    def _task(self, kind: str, event: Mapping[str, Any], now: float) -> None:
        if kind not in COUNTED:
            return
        id, outcome, host = str(event["uuid"]), COUNTED[kind], str(event.get("hostname") or "")
        stamped = float(event["timestamp"])
        self._counts[outcome] += 1
        task = self._known(id)
        task.name = str(event.get("name") or task.name)
        task.retries = int(event.get("retries") or task.retries)
        if self._show_arguments and (event.get("args") or event.get("kwargs")):
            task.arguments = _arguments(event)
        if kind == "task-sent":
            task.sent, task.queue = now, str(event.get("queue") or "")
            return
        task.worker = host
        if host in self._workers:
            self._workers[host].task_events = now
        if kind == "task-received":
            task.received = now
        elif kind == "task-started":
            task.began = stamped
        else:
            self._end(id, task, outcome, event, stamped, now)

    def _end(self, id: str, task: Task, outcome: str, event: Mapping[str, Any], stamped: float, now: float) -> None:
        taken = max(stamped - task.began, 0.0) if task.began is not None else None
        seconds = float(event["runtime"]) if event.get("runtime") is not None else taken
        name = task.name or "(not seen when it began)"
        self._ended.append(Ended(now, name, outcome, seconds))
        if outcome == Outcome.SUCCEEDED:
            self._succeeded.append(Succeeded(now, name, task.worker, seconds, task.retries, task.arguments, id))
            return
        exception = RETRY.sub(r"\1", str(event.get("exception") or ""))[:TEXT_CHARACTERS]
        if outcome == Outcome.REVOKED and not exception:
            exception = "expired" if event.get("expired") else "terminated" if event.get("terminated") else ""
        self._problems.append(
            Problem(now, outcome, name, task.worker, seconds, task.retries, exception, task.arguments, id)
        )

    def _known(self, id: str) -> Task:
        task = self._tasks.pop(id, None) or Task()
        self._tasks[id] = task
        while len(self._tasks) > MOST_TASKS:
            self._tasks.popitem(last=False)
        return task


def _arguments(event: Mapping[str, Any]) -> str:
    parts = [str(event.get(key) or "") for key in ("args", "kwargs")]
    text = " ".join(part for part in parts if part not in ("", "()", "[]", "{}"))
    return cut(text, ARGUMENT_CHARACTERS)
