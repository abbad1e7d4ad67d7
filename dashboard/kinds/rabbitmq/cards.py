"""The cards of RabbitMQ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from core.format import bytes_, coarse_duration, duration, number, percent, tenths
from core.kinds.rabbitmq import spec
from core.kinds.rabbitmq.spec import Checks
from dashboard.kinds.rabbitmq.charts import NODES, OVERVIEW, QUEUES
from dashboard.kinds.rabbitmq.tables import HEAD
from dashboard.sources.limits import threshold_text
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = (spec.QUEUE_AGE_MAX,)
"""Metrics of sparklines that no chart shows."""


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each cluster, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        number(instance.value(spec.READY)),
        "ready",
        bar_ratio=instance.value(spec.MEMORY_MAX_RATIO),
        spark=series.one(spec.READY, instance=instance.name),
        definition=f"Messages not yet delivered; the bar is the fullest node's memory against its limit. {OVERVIEW}",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    spark = partial(series.one, instance=instance.name)
    value = instance.value
    return [
        detail_card(instance, Checks.NODES, "RabbitMQ nodes", number(value(spec.NODES_RUNNING)), "running",
                    definition=f"Critical when one does not run, or does not see another. Source: {NODES}"),
        detail_card(instance, Checks.MEMORY, "RabbitMQ memory", percent(value(spec.MEMORY_MAX_RATIO)),
                    definition="Of the fullest node. Warning from "
                    f"{threshold_text(spec.MEMORY.warning or 0, 'ratio')} of mem_limit, critical with mem_alarm: "
                    f"publishers are blocked then. Source: {NODES}"),
        detail_card(instance, Checks.DISK, "RabbitMQ disk", bytes_(_least_free(instance)), "free",
                    definition=f"Of the node with least. Warning at {spec.DISK_TIMES.warning:g} times "
                    f"disk_free_limit or less, critical with disk_free_alarm. Source: {NODES}"),
        detail_card(instance, Checks.QUEUES, "RabbitMQ queues", number(value(spec.QUEUE_COUNT)),
                    spark=spark(spec.READY),
                    definition="Critical when one crashed or stopped; warning without a majority of its members, or "
                    "with messages and no consumer for longer than unread_seconds ("
                    f"{coarse_duration(spec.UNREAD_SECONDS)} unless set). Source: {QUEUES}"),
        detail_card(instance, Checks.OLDEST, "RabbitMQ oldest", duration(value(spec.QUEUE_AGE_MAX)),
                    spark=spark(spec.QUEUE_AGE_MAX), definition=f"{HEAD} Source: {QUEUES}"),
        detail_card(instance, Checks.REDELIVERED, "RabbitMQ redelivered", tenths(value(spec.REDELIVERED_RATE)), "/s",
                    definition="Deliveries that are not the first. Warning from "
                    f"{threshold_text(spec.REDELIVERED.warning or 0, 'ratio')} of all. {OVERVIEW}"),
    ]  # fmt: skip


def _least_free(instance: Instance) -> float | None:
    rows = instance.rows(spec.Node) if instance.is_known else []
    return min((row.disk_free_bytes for row in rows if row.disk_free_bytes is not None), default=None)
