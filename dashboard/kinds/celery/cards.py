"""The cards of Celery."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from core.format import coarse_duration, duration, number, percent, tenths
from core.kinds.celery import spec
from core.kinds.celery.spec import Checks
from dashboard.kinds.celery.charts import AGE, EVENTS, INSPECT, WINDOW
from dashboard.sources.limits import threshold_text
from dashboard.sources.shown import Shown
from dashboard.sources.strip import detail_card, source_card, strip
from status.instances import Instance
from storage.clickhouse.reads.sources import SourceSeries

SPARKED = (spec.QUEUED,)
"""Metrics of sparklines that no chart shows."""


def cards(shown: Shown) -> Sequence[Any]:
    """Return a card for each broker, those in trouble first; of a single one what it consists of as well."""
    return strip(shown.chosen, shown.series, _source, _details)


def _source(instance: Instance, series: SourceSeries) -> Any:
    return source_card(
        instance,
        tenths(instance.value(spec.PROCESSED_RATE)),
        "tasks/s",
        bar_ratio=instance.value(spec.POOL_RATIO),
        spark=series.one(spec.SUCCEEDED_RATE, instance=instance.name),
        definition="Tasks done a second by the workers' own count; the bar is the busy share of their pools. "
        f"Source: {INSPECT}",
    )


def _details(instance: Instance, series: SourceSeries) -> list[Any]:
    spark = partial(series.one, instance=instance.name)
    value = instance.value
    return [
        detail_card(instance, Checks.WORKERS, "Celery workers", number(value(spec.WORKERS)), "online",
                    definition="Critical when one falls silent without having left "
                    f"({coarse_duration(spec.LOST_SECONDS)}, or {spec.LOST_HEARTBEATS} of its heartbeats if that is "
                    f"more), or when none is online. Source: {INSPECT}"),
        detail_card(instance, Checks.QUEUE, "Celery queues", number(value(spec.QUEUED)), "waiting",
                    spark=spark(spec.QUEUED),
                    definition="The bar is the age of the oldest message against its critical limit; critical also "
                    f"when no worker takes from a queue that holds something. {AGE}"),
        detail_card(instance, Checks.FAILURES, "Celery failures", percent(value(spec.FAILED_RATIO)),
                    spark=spark(spec.FAILED_RATIO),
                    definition=f"Of the tasks that ended in {WINDOW}. Warning from "
                    f"{threshold_text(spec.FAILED.warning or 0, 'ratio')}, critical from "
                    f"{threshold_text(spec.FAILED.critical or 0, 'ratio')}, "
                    f"once {spec.FAILED_LEAST} failed. Source: {EVENTS}"),
        detail_card(instance, Checks.RUNTIME, "Celery runtime", duration(value(spec.RUNTIME_P95)), "p95",
                    spark=spark(spec.RUNTIME_P95),
                    definition=f"Of the last {WINDOW}. Warning when a task runs for more than {spec.LONG_TIMES:g} "
                    f"times its p99 ({spec.LONG_LEAST_RUNS} runs known, "
                    f"{coarse_duration(spec.LONG_LEAST_SECONDS)} or more). Source: {EVENTS}"),
    ]  # fmt: skip
