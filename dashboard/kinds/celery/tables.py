"""The tables of Celery."""

from __future__ import annotations

from functools import partial

from core.format import bytes_, duration, number, percent
from core.kinds.celery import spec
from core.kinds.celery.spec import Outcome, WorkerState
from core.model import Status
from dashboard.components.age import local_time
from dashboard.kinds.celery.charts import AGE, WINDOW
from dashboard.kinds.celery.charts import QUEUES as LENGTHS
from dashboard.sources.facts import Fact
from dashboard.sources.table import Field, Rows, words

STATE_TONES: dict[str, str] = {WorkerState.LOST: "critical", WorkerState.LEFT: "muted", WorkerState.ONLINE: "ok"}
STATE_ORDER = {state.value: place for place, state in enumerate(WorkerState)}


def _late(row: spec.Queue) -> str:
    return row.age_status if row.age_status and row.age_status != Status.OK else ""


def _certainty(row: spec.Queue) -> str:
    return "at least" if row.is_exact is False and row.messages else ""


def _unserved(row: spec.Queue) -> str:
    return "critical" if row.is_unserved else ""


QUEUES = Rows(
    spec.Queue,
    (
        words("queue", "Queue"),
        Field("messages", "Waiting", number, LENGTHS),
        Field("oldest_seconds", "Oldest", duration, AGE, _late),
        words("certainty", "", "Whether the age is exact", value=_certainty),
        Field("workers", "Workers", number, "Online ones that take from it: inspect active_queues.", _unserved),
        Field("consumers", "Consumers", number, "AMQP only"),
    ),
    nothing="No queue is measured yet.",
)


def _state_tone(row: spec.Worker) -> str:
    return STATE_TONES.get(row.state, "")


def _events(row: spec.Worker) -> str:
    return "off" if row.is_mute else ""


def _mute(row: spec.Worker) -> str:
    return "warning" if row.is_mute else ""


def _lost_first(row: spec.Worker) -> tuple[int, str]:
    return STATE_ORDER.get(row.state, len(STATE_ORDER)), row.worker


WORKERS = Rows(
    spec.Worker,
    (
        words("worker", "Worker"),
        words("state", "State", "Lost: silent without having left", _state_tone),
        Field("silent_seconds", "Last heard", duration, "Its last event or heartbeat"),
        words("pool", "Pool"),
        Field("slots", "Slots", number, "Tasks that it can work on at once"),
        Field("active", "Active", number),
        Field("reserved", "Reserved", number, "Prefetched, not begun; every fourth inspection"),
        Field("scheduled", "Scheduled", number, "Waiting for their time (eta, countdown); every fourth inspection"),
        Field("prefetch", "Prefetch", number),
        Field("processed", "Processed", number, "Since it began"),
        Field("load", "Load", partial(number, decimals=2), "Load average of its machine, one minute"),
        Field("rss_bytes", "Memory", bytes_, "Greatest resident size of its main process: stats rusage maxrss"),
        Field("uptime_seconds", "Up", duration),
        words("events", "Task events", "Without them (-E) only counts are known", _mute, _events),
        words("queues", "Queues"),
        words("version", "Version"),
    ),
    nothing="No worker was heard of yet.",
    sort=_lost_first,
)


def _failed(row: spec.Task) -> str:
    return "warning" if row.failed else ""


def _failing(row: spec.Task) -> str:
    return "warning" if row.is_failing else ""


TASKS = Rows(
    spec.Task,
    (
        words("task", "Task"),
        Field("ended", "Ended", number),
        Field("succeeded", "Succeeded", number),
        Field("failed", "Failed", number, "", _failed),
        Field("failed_ratio", "Failed %", percent, "", _failing),
        Field("retried", "Retried", number),
        Field("p50_seconds", "p50", duration, "Nearest rank, of those whose time is known"),
        Field("p95_seconds", "p95", duration),
        Field("longest_seconds", "Longest", duration),
        words("exception", "Last exception"),
    ),
    nothing=f"No task ended in {WINDOW}.",
)


def _lacking(row: spec.Registered) -> str:
    return "warning" if row.lacking else ""


def _failed_of(row: spec.Registered) -> str:
    return "warning" if row.failed else ""


REGISTERED = Rows(
    spec.Registered,
    (
        words("task", "Task"),
        Field("workers", "Workers", number, "Online ones that know it"),
        words(
            "lacking",
            "Not known by",
            "Online workers that answered and do not know it: a message of it fails there",
            _lacking,
        ),
        Field("ended", "Ended", number, f"In the last {WINDOW}"),
        Field("succeeded", "Succeeded", number),
        Field("failed", "Failed", number, "", _failed_of),
    ),
    nothing="No worker has said what it knows yet.",
)

SUCCEEDED = Rows(
    spec.Succeeded,
    (
        Field("ts", "When", local_time, numeric=False),
        words("task", "Task"),
        Field("seconds", "Took", duration),
        words("worker", "Worker"),
        Field("retries", "Retries", number),
        words("arguments", "Arguments"),
        words("id", "Id"),
    ),
    nothing="None succeeded since we listen; without task events (-E) only counts are known.",
    sort=lambda row: -row.ts,
)

RUNNING = Rows(
    spec.Running,
    (
        words("task", "Task"),
        Field("seconds", "For", duration, "When its worker last answered"),
        words("worker", "Worker"),
        words("arguments", "Arguments"),
        words("id", "Id"),
    ),
    nothing="No active tasks.",
)


def _outcome_tone(row: spec.Problem) -> str:
    return "critical" if row.outcome == Outcome.FAILED else "warning"


PROBLEMS = Rows(
    spec.Problem,
    (
        Field("ts", "When", local_time, numeric=False),
        words("outcome", "Outcome", tone=_outcome_tone),
        words("task", "Task"),
        words("exception", "Exception"),
        words("worker", "Worker"),
        Field("seconds", "Took", duration),
        Field("retries", "Retries", number),
        words("arguments", "Arguments"),
        words("id", "Id"),
    ),
    nothing="None failed so far.",
    sort=lambda row: -row.ts,
)

FACTS = (
    Fact("broker", "Broker"),
    Fact("listening_since", "Events read since", local_time),
    Fact("pauses", "Pauses in reading events", number),
    Fact("unacked", "Unacknowledged messages", number),
    Fact("unacked_oldest", "Oldest of them taken", local_time),
)
