"""The section of Celery: its panels, each with what is asked or heard for it."""

from __future__ import annotations

from core.kinds.celery import spec
from dashboard.kinds.celery import tables
from dashboard.kinds.celery.cards import SPARKED, cards
from dashboard.kinds.celery.charts import CHARTS, EVENTS, INSPECT, QUEUES, WINDOW
from dashboard.sources.common_panels import about_panel
from dashboard.sources.section import Section, TablePanel

SECTION = Section(
    kind="celery",
    charts=CHARTS,
    cards=cards,
    detail_cards=4,
    tables=(
        TablePanel("workers", "Workers", "lost ones first", 12, INSPECT, tables.WORKERS, is_filtered=True),
        TablePanel("queues", "Celery queues", "longest first", 6, QUEUES, tables.QUEUES),
        TablePanel("tasks", "Tasks", f"last {WINDOW}, by the time they took", 6, EVENTS, tables.TASKS,
                   is_filtered=True),
        TablePanel("problems", "Failed and retried tasks", f"newest first, at most {spec.MOST_PROBLEMS}", 8,
                   "task-failed, task-retried, task-revoked, task-rejected.", tables.PROBLEMS, is_filtered=True),
        TablePanel("registered", "Registered tasks", "those that only some workers know first", 6,
                   "celery inspect registered, every fourth inspection; outcomes by the workers' events.",
                   tables.REGISTERED, is_filtered=True, is_lazy=True),
        TablePanel("succeeded", "Successful tasks", f"newest first, at most {spec.MOST_SUCCEEDED}", 6,
                   "task-succeeded.", tables.SUCCEEDED, is_filtered=True, is_lazy=True),
        about_panel("Celery broker", "our reading of events; of a Redis HLEN unacked, ZRANGE unacked_index 0 0.",
                    spec.About, tables.FACTS, is_lazy=True),
        TablePanel("running", "Active tasks", "longest first", 12,
                   "celery inspect active, as often as inspect_seconds says.", tables.RUNNING),
    ),
    metrics=SPARKED,
)  # fmt: skip
