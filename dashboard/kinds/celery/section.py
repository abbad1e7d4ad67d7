"""Celery on the pipeline tab: workers, queues, tasks and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from dash import html

from core.format import bytes_, duration, number, percent, tenths
from core.limits import Limit
from dashboard.components.age import local_time
from dashboard.sources.charts import Chart
from dashboard.sources.section import OldPanel, old_section
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from dashboard.sources.table import Field, source_rows, source_table, words
from status.instances import Instance, Row
from storage.clickhouse.reads.sources import SourceSeries

KIND = "celery"
KINDS = (KIND,)
EVENTS = "Source: the workers' events (exchange celeryev), as they come."
QUEUES = "Redis: LLEN of the queue and its priorities; AMQP: passive queue.declare."
AGE = (
    "Time since task-sent, where producers send it (task_send_sent_event); else at least so long: since it was first "
    "seen there. Redis: LINDEX queue -1. Not told by AMQP."
)
INSPECT = "Source: the workers' heartbeats and answers to stats, active, reserved, scheduled (celery inspect)."

CHARTS = (
    Chart("celery-rate", "Tasks, per second", "by how they ended",
          {"celery_succeeded_per_second": "succeeded", "celery_failed_per_second": "failed",
           "celery_retried_per_second": "retried"}, f"Since the reading before. {EVENTS}"),
    Chart("celery-failed", "Failed, % of tasks", "of the last 10 minutes", {"celery_failed_ratio": ""},
          f"task-failed over task-failed and task-succeeded. Warning with three or more failed. {EVENTS}",
          limit=Limit(0.05, 0.5)),
    Chart("celery-runtime", "Runtime", "of the last 10 minutes",
          {"celery_runtime_p50_seconds": "p50", "celery_runtime_p95_seconds": "p95"},
          f"Of all tasks that ended; nearest rank. {EVENTS}"),
    Chart("celery-queued", "Messages waiting", "by queue", {"celery_queue_messages": ""},
          f"Taken by no worker yet. {QUEUES}", label="queue"),
    Chart("celery-oldest", "Oldest message", "by queue", {"celery_queue_oldest_seconds": ""}, AGE,
          label="queue", limit=Limit(60.0, 600.0)),
    Chart("celery-work", "Tasks held by workers", "at work, prefetched, waiting for their time",
          {"celery_tasks_active": "active", "celery_tasks_reserved": "reserved", "celery_tasks_scheduled": "scheduled",
           "celery_pool_slots": "slots"}, INSPECT),
)  # fmt: skip


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each broker, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _card, _details)


def _card(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        tenths(instance.value("celery_processed_per_second")),
        "tasks/s",
        bar_ratio=instance.value("celery_pool_used_ratio"),
        spark=series.one("celery_succeeded_per_second", instance=instance.name),
        definition="Tasks done a second by the workers' own count; the bar is how much of their pools is at work. "
        + INSPECT,
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    def spark(metric: str) -> Any:
        return series.one(metric, instance=instance.name)

    value = instance.value
    return [
        detail_card(instance, "workers", "Celery workers", number(value("celery_workers")), "online",
                    definition="Critical when one falls silent without having left (20 s, or five of its heartbeats), "
                    f"or when none is there. {INSPECT}"),
        detail_card(instance, "queue", "Celery queues", number(value("celery_queued_messages")), "waiting",
                    spark=spark("celery_queued_messages"),
                    definition="The bar is the age of the oldest against its critical limit; critical also when nobody "
                    f"takes from a queue that holds something. {AGE}"),
        detail_card(instance, "failures", "Celery failures", percent(value("celery_failed_ratio")),
                    spark=spark("celery_failed_ratio"),
                    definition=f"Of the tasks that ended in 10 min. Warning above 5 % and from three on. {EVENTS}"),
        detail_card(instance, "runtime", "Celery runtime", duration(value("celery_runtime_p95_seconds")), "p95",
                    spark=spark("celery_runtime_p95_seconds"),
                    definition="Of the last 10 min. Warning when a task runs for three times its p99 (20 runs known, "
                    f"10 s or more). {EVENTS}"),
    ]  # fmt: skip


def queues(shown: Shown) -> html.Div:
    """Return the queues, longest first."""
    late = {
        each.collector: (each.about.get("queue_warning_seconds"), each.about.get("queue_critical_seconds"))
        for each in shown.chosen
    }
    fields = (
        words("queue", "Queue"),
        Field("messages", "Waiting", number, QUEUES),
        Field("oldest_seconds", "Oldest", duration, AGE, partial(_late, late)),
        words("certainty", "", "Whether the age is exact"),
        Field("workers", "Workers", number, "Online ones that take from it: inspect active_queues.", _alone),
        Field("consumers", "Consumers", number, "Told by AMQP only"),
    )
    rows = [
        {**row, "certainty": "" if row["is_exact"] is not False or not row["messages"] else "at least"}
        for row in source_rows(shown.chosen, "queues")
    ]
    return source_table("celery-queues-rows", fields, rows, caption="Queues", nothing="No queue is measured yet.")


def _late(limits: dict[str, tuple[Any, Any]], row: Row) -> str:
    warning, critical = limits.get(row["source"], (None, None))
    seconds = row["oldest_seconds"]
    if seconds is None or warning is None:
        return ""
    return "critical" if seconds >= critical else "warning" if seconds >= warning else ""


def _alone(row: Row) -> str:
    return "critical" if row["messages"] and not row["workers"] and not row["consumers"] else ""


def workers(shown: Shown) -> html.Div:
    """Return the workers, those in trouble first."""
    fields = (
        words("worker", "Worker"),
        words("state", "State", "Lost: silent without having left", lambda row: STATES.get(row["state"], "")),
        Field("silent_seconds", "Last heard", duration, "Its last event or heartbeat"),
        words("pool", "Pool"),
        Field("slots", "Slots", number, "Tasks that it can work on at once"),
        Field("active", "Active", number),
        Field("reserved", "Reserved", number, "Prefetched, not begun; each minute"),
        Field("scheduled", "Scheduled", number, "Waiting for their time (eta, countdown); each minute"),
        Field("prefetch", "Prefetch", number),
        Field("processed", "Processed", number, "Since it began"),
        Field("load", "Load", partial(number, decimals=2), "Load average of its machine, one minute"),
        Field("rss_bytes", "Memory", bytes_, "Greatest resident size of its main process: stats rusage maxrss"),
        Field("uptime_seconds", "Up", duration),
        words("events", "Task events", "Without them (-E) only counts are known", _mute),
        words("queues", "Queues"),
        words("version", "Version"),
    )
    order = {"lost": 0, "online": 1, "left": 2}
    rows = [
        {**row, "events": "off" if row["is_mute"] else None}
        for row in sorted(source_rows(shown.chosen, "workers"), key=lambda row: (order[row["state"]], row["worker"]))
    ]
    return source_table("celery-workers-rows", fields, rows, caption="Workers", nothing="No worker was heard of yet.")


STATES = {"lost": "critical", "left": "muted", "online": "ok"}


def _mute(row: Row) -> str:
    return "warning" if row["is_mute"] else ""


def tasks(shown: Shown) -> html.Div:
    """Return what was done of each task in the last ten minutes."""
    fields = (
        words("name", "Task"),
        Field("ended", "Ended", number),
        Field("failed", "Failed", number, "", lambda row: "warning" if row["failed"] else ""),
        Field("failed_ratio", "Failed %", percent, "", _failing),
        Field("retried", "Retried", number),
        Field("p50", "p50", duration, "Nearest rank, of those that told their time"),
        Field("p95", "p95", duration),
        Field("longest", "Longest", duration),
        words("exception", "Last exception"),
    )
    rows = source_rows(shown.chosen, "tasks")
    return source_table("celery-tasks-rows", fields, rows, caption="Tasks", nothing="No task ended in 10 minutes.")


def _failing(row: Row) -> str:
    return "warning" if row["failed"] >= 3 and (row["failed_ratio"] or 0) > 0.05 else ""


def running(shown: Shown) -> html.Div:
    """Return the tasks at work, longest first."""
    fields = (
        words("task", "Task"),
        Field("seconds", "For", duration, "When its worker last answered"),
        words("worker", "Worker"),
        words("arguments", "Arguments"),
        words("id", "Id"),
    )
    rows = source_rows(shown.chosen, "running")
    return source_table("celery-running-rows", fields, rows, caption="Tasks at work", nothing="No task is at work.")


def problems(shown: Shown) -> html.Div:
    """Return the tasks that failed, were retried, revoked or rejected, newest first."""
    fields = (
        Field("ts", "When", local_time, numeric=False),
        words("outcome", "Outcome", tone=lambda row: "critical" if row["outcome"] == "failed" else "warning"),
        words("task", "Task"),
        words("exception", "Exception"),
        words("worker", "Worker"),
        Field("seconds", "Took", duration),
        Field("retries", "Retries", number),
        words("arguments", "Arguments"),
        words("id", "Id"),
    )
    rows = sorted(source_rows(shown.chosen, "problems"), key=lambda row: -row["ts"])
    return source_table("celery-problems-rows", fields, rows, caption="Failed tasks", nothing="None failed so far.")


SECTION = old_section(
    KIND,
    CHARTS,
    cards,
    {"celery-workers": workers, "celery-queues": queues, "celery-tasks": tasks, "celery-running": running,
     "celery-problems": problems},
    (
        OldPanel("celery-workers", "Workers", "lost ones first", 12, INSPECT.removeprefix("Source: "),
                   "celery-workers-rows"),
        OldPanel("celery-queues", "Celery queues", "longest first", 6, QUEUES),
        OldPanel("celery-tasks", "Tasks", "last 10 minutes, by the time they took", 6,
                   EVENTS.removeprefix("Source: "), "celery-tasks-rows"),
        OldPanel("celery-problems", "Failed and retried tasks", "newest first, at most 200", 8,
                   "task-failed, task-retried, task-revoked, task-rejected.", "celery-problems-rows"),
        OldPanel("celery-running", "Tasks at work", "longest first", 4, "celery inspect active, each 15 s."),
    ),
    metrics=("celery_queued_messages",),
)  # fmt: skip
