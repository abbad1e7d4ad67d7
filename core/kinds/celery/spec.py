"""What is measured of Celery: its metrics, the rows of its tables, its checks and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What the workers of a broker are judged by."""

    WORKERS = "workers"
    EVENTS = "events"
    QUEUE = "queue"
    FAILURES = "failures"
    RUNTIME = "runtime"
    POOL = "pool"


class Outcome(StrEnum):
    """How a task ended, or left its worker."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRIED = "retried"
    REVOKED = "revoked"
    REJECTED = "rejected"


ENDED = (Outcome.SUCCEEDED, Outcome.FAILED)
"""Those after which a task is over."""


class WorkerState(StrEnum):
    """Whether a worker is there."""

    LOST = "lost"
    """Silent without having left."""
    ONLINE = "online"
    LEFT = "left"


WINDOW_SECONDS = 600.0
"""Outcomes and times are those of the tasks that ended within it."""
MOST_PROBLEMS = 200
"""Tasks that failed, were retried, revoked or rejected: so many are kept."""
MOST_SUCCEEDED = 200
"""Tasks that succeeded: the newest are kept by themselves, beside the counts of all."""
LOST_SECONDS, LOST_HEARTBEATS = 20.0, 5
"""A worker is lost after this silence, if that is more than so many of its heartbeats."""
FAILED = Limit(0.05, 0.50)
"""Failed tasks over those that ended."""
FAILED_LEAST = 3
"""Fewer failed tasks mean nothing."""
QUEUE_WARNING_SECONDS, QUEUE_CRITICAL_SECONDS = 60.0, 600.0
"""Age of the oldest message of a queue in seconds, unless the source says otherwise."""
LONG_TIMES, LONG_LEAST_SECONDS, LONG_LEAST_RUNS = 3.0, 10.0, 20
"""A task runs for long at so many times its p99 and so long at least, once so many runs are known."""

WORKERS = Metric("celery_workers", "Workers online.")
ACTIVE = Metric("celery_tasks_active", "Tasks that workers work on.")
RESERVED = Metric("celery_tasks_reserved", "Tasks that workers have prefetched.")
SCHEDULED = Metric("celery_tasks_scheduled", "Tasks that wait for their time at a worker (eta, countdown).")
SLOTS = Metric("celery_pool_slots", "Tasks that all workers can work on at once.")
POOL_RATIO = Metric("celery_pool_used_ratio", "Active tasks over slots.")
PROCESSED_RATE = Metric("celery_processed_per_second", "Tasks done, by the workers' own count.")
FAILED_RATIO = Metric("celery_failed_ratio", "Failed tasks over those that ended in the last 10 minutes.")
RUNTIME_P50 = Metric("celery_runtime_p50_seconds", "Median runtime of the tasks that ended in the last 10 minutes.")
RUNTIME_P95 = Metric(
    "celery_runtime_p95_seconds", "95th percentile of the runtime of the tasks that ended in the last 10 minutes."
)
QUEUED = Metric("celery_queued_messages", "Messages that no worker has taken yet, all queues.")
OLDEST_MAX = Metric("celery_queue_oldest_seconds_max", "Age of the oldest message of any queue, in seconds.")
UNACKED = Metric("celery_unacked_messages", "Messages that workers took and did not acknowledge; Redis only.")
UNACKED_OLDEST = Metric("celery_unacked_oldest_seconds", "Time since the oldest of those was taken.")
SUCCEEDED_RATE = Metric("celery_succeeded_per_second", "Tasks that succeeded.")
FAILED_RATE = Metric("celery_failed_per_second", "Tasks that failed.")
RETRIED_RATE = Metric("celery_retried_per_second", "Tasks that are retried.")
REVOKED_RATE = Metric("celery_revoked_per_second", "Tasks that were revoked.")
REJECTED_RATE = Metric("celery_rejected_per_second", "Tasks that were rejected.")
SENT_RATE = Metric("celery_sent_per_second", "Tasks sent by producers.")
RECEIVED_RATE = Metric("celery_received_per_second", "Tasks received by workers.")
STARTED_RATE = Metric("celery_started_per_second", "Tasks begun.")
EVENTS_RATE = Metric("celery_events_per_second", "Events of workers that were read.")
MALFORMED_RATE = Metric("celery_malformed_per_second", "Events that made no sense.")
QUEUE_MESSAGES = Metric("celery_queue_messages", "Messages of a queue that no worker has taken yet.", "queue")
QUEUE_OLDEST = Metric("celery_queue_oldest_seconds", "Age of the oldest message of a queue.", "queue")
TASK_P95 = Metric("celery_task_p95_seconds", "95th percentile of the runtime of a task, last 10 minutes.", "task")
TASK_ENDED = Metric("celery_task_ended_10m", "How often a task ended in the last 10 minutes.", "task")
WORKER_ACTIVE = Metric("celery_worker_active", "Tasks that a worker works on.", "worker")
WORKER_LOAD = Metric("celery_worker_load1", "Load average of a worker's machine, one minute.", "worker")

SENT, RECEIVED, STARTED, EVENTS, MALFORMED = "sent", "received", "started", "events", "malformed"
RATES: dict[str, Metric] = {
    Outcome.SUCCEEDED: SUCCEEDED_RATE,
    Outcome.FAILED: FAILED_RATE,
    Outcome.RETRIED: RETRIED_RATE,
    Outcome.REVOKED: REVOKED_RATE,
    Outcome.REJECTED: REJECTED_RATE,
    SENT: SENT_RATE,
    RECEIVED: RECEIVED_RATE,
    STARTED: STARTED_RATE,
    EVENTS: EVENTS_RATE,
    MALFORMED: MALFORMED_RATE,
}
"""The rate of each counter of events."""


@dataclass(frozen=True, slots=True)
class About:
    """What a broker is."""

    TABLE: ClassVar[str] = "about"

    broker: str
    """Redis or AMQP."""
    listening_since: float | None
    """Epoch seconds."""
    pauses: int
    """How often reading events paused."""
    unacked: int | None
    unacked_oldest: float | None
    """When the oldest was taken (epoch seconds)."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue."""

    TABLE: ClassVar[str] = "queues"

    queue: str
    messages: int | None
    oldest_seconds: float | None
    is_exact: bool | None
    """Whether the age is exact, and not the least that it can be."""
    age_status: str | None
    """The Status of that age by the limits of the source."""
    workers: int
    """Online ones that take from it."""
    consumers: int | None
    """AMQP only."""

    @property
    def is_unserved(self) -> bool:
        """Whether it holds messages and nobody takes from it, as far as is known."""
        return bool(self.messages) and not self.workers and not self.consumers


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker."""

    TABLE: ClassVar[str] = "workers"

    worker: str
    state: str
    """A WorkerState."""
    silent_seconds: float | None
    """Since its last heartbeat; None when it only answered."""
    pool: str = ""
    slots: int | None = None
    active: int | None = None
    reserved: int | None = None
    scheduled: int | None = None
    prefetch: int | None = None
    processed: int | None = None
    """Since it began."""
    load: float | None = None
    rss_bytes: float | None = None
    uptime_seconds: float | None = None
    version: str = ""
    queues: str = ""
    is_mute: bool = False
    """Whether it sends no task events."""

    @property
    def is_online(self) -> bool:
        """Whether it is there."""
        return self.state == WorkerState.ONLINE


@dataclass(frozen=True, slots=True)
class Task:
    """What was done of one task within WINDOW_SECONDS."""

    TABLE: ClassVar[str] = "tasks"

    task: str
    ended: int
    succeeded: int
    failed: int
    retried: int
    failed_ratio: float | None
    timed: int
    """How many of them told how long they took."""
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    longest_seconds: float | None
    exception: str
    """The newest."""

    @property
    def is_failing(self) -> bool:
        """Whether too many of them failed."""
        return self.failed >= FAILED_LEAST and FAILED.is_bad(self.failed_ratio or 0.0)


@dataclass(frozen=True, slots=True)
class Registered:
    """A task that workers know, whether it runs or not."""

    TABLE: ClassVar[str] = "registered"

    task: str
    workers: int
    """Online ones that know it."""
    lacking: str
    """Online ones that said what they know, and do not know it."""
    ended: int
    """Within WINDOW_SECONDS, as the two that follow."""
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A task that succeeded."""

    TABLE: ClassVar[str] = "succeeded"

    ts: float
    task: str
    worker: str
    seconds: float | None
    retries: int
    arguments: str
    id: str


@dataclass(frozen=True, slots=True)
class Running:
    """A task that a worker works on."""

    TABLE: ClassVar[str] = "running"

    task: str
    worker: str
    seconds: float
    arguments: str
    id: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A task that failed, was retried, revoked or rejected."""

    TABLE: ClassVar[str] = "problems"

    ts: float
    outcome: str
    """An Outcome."""
    task: str
    worker: str
    seconds: float | None
    retries: int
    exception: str
    arguments: str
    id: str
