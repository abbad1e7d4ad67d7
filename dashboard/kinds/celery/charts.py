"""The charts of Celery."""

from __future__ import annotations

from core.format import coarse_duration, count
from core.kinds.celery import spec
from dashboard.sources.charts import Chart

EVENTS = "The workers' events (exchange celeryev), as they come."
QUEUES = "Redis: LLEN of the queue and its priorities; AMQP: passive queue.declare."
AGE = (
    "Time since task-sent, where producers send it (task_send_sent_event); else the least that it can be: since it was "
    "first seen there. Redis: LINDEX queue -1. Unavailable with AMQP."
)
INSPECT = "The workers' heartbeats and answers to stats, active, reserved, scheduled (celery inspect)."
WINDOW = coarse_duration(spec.WINDOW_SECONDS)

CHARTS = (
    Chart("rate", "Tasks, per second", "by outcome",
          {spec.SUCCEEDED_RATE: "succeeded", spec.FAILED_RATE: "failed", spec.RETRIED_RATE: "retried"},
          f"Since the reading before. Source: {EVENTS}"),
    Chart("failed", "Failed, % of tasks", f"of the last {WINDOW}", {spec.FAILED_RATIO: ""},
          "task-failed over task-failed and task-succeeded. Judged once "
          f"{count(spec.FAILED_LEAST, 'task')} failed. Source: {EVENTS}", limit=spec.FAILED),
    Chart("runtime", "Runtime", f"of the last {WINDOW}", {spec.RUNTIME_P50: "p50", spec.RUNTIME_P95: "p95"},
          f"Of all tasks that ended; nearest rank. Source: {EVENTS}"),
    Chart("queued", "Messages waiting", "by queue", {spec.QUEUE_MESSAGES: ""},
          f"Taken by no worker yet. {QUEUES}", label="queue"),
    Chart("oldest", "Oldest message", "by queue", {spec.QUEUE_OLDEST: ""},
          f"{AGE} The lines are queue_warning_seconds and queue_critical_seconds, where all sources have the same.",
          label="queue", limit_of=lambda source: source.queue_age),
    Chart("work", "Tasks held by workers", "active, prefetched, scheduled",
          {spec.ACTIVE: "active", spec.RESERVED: "reserved", spec.SCHEDULED: "scheduled", spec.SLOTS: "slots"},
          f"Source: {INSPECT}"),
)  # fmt: skip
