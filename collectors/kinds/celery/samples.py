"""The samples of a Celery reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.base import gauges
from collectors.kinds.celery.found import Found
from collectors.kinds.celery.tables import percentile
from core.kinds.celery import spec
from core.kinds.celery.spec import ENDED, Outcome
from core.metrics import Metric
from core.model import Sample

WORKERS_CHARTED, TASKS_CHARTED, QUEUES_CHARTED = 8, 6, 12


def samples(instance: str, found: Found, rates: Mapping[Metric, float | None], now: float) -> list[Sample]:
    """Return the samples of the whole, of the longest queues, of tasks and of workers. rates: those since before."""
    made = gauges({**_totals(found, now), **rates}, instance=instance)
    for queue in sorted(found.queues, key=lambda each: -(each.messages or 0))[:QUEUES_CHARTED]:
        age = found.ages.get(queue.name)
        of_queue = {spec.QUEUE_MESSAGES: queue.messages, spec.QUEUE_OLDEST: age.seconds if age else None}
        made += gauges(of_queue, instance=instance, queue=queue.name)
    for task in found.tasks[:TASKS_CHARTED]:
        of_task = {spec.TASK_P95: task.p95_seconds, spec.TASK_ENDED: task.ended}
        made += gauges(of_task, instance=instance, task=task.task)
    for worker in found.online[:WORKERS_CHARTED]:
        of_worker = {spec.WORKER_ACTIVE: worker.active, spec.WORKER_LOAD: worker.load}
        made += gauges(of_worker, instance=instance, worker=worker.worker)
    return made


def _totals(found: Found, now: float) -> dict[Metric, float | None]:
    online, ages = found.online, found.ages.values()
    over = [each for each in found.seen.ended if each.outcome in ENDED]
    seconds = sorted(each.seconds for each in over if each.seconds is not None)
    failed = sum(each.outcome == Outcome.FAILED for each in over)
    slots, active = _sum([each.slots for each in online]), _sum([each.active for each in online])
    unacked = found.unacked
    return {
        spec.WORKERS: float(len(online)) if found.broker.is_listening else None,
        spec.ACTIVE: active,
        spec.RESERVED: _sum([each.reserved for each in online]),
        spec.SCHEDULED: _sum([each.scheduled for each in online]),
        spec.SLOTS: slots,
        spec.POOL_RATIO: active / slots if active is not None and slots else None,
        spec.FAILED_RATIO: failed / len(over) if over else None,
        spec.RUNTIME_P50: percentile(seconds, 0.50),
        spec.RUNTIME_P95: percentile(seconds, 0.95),
        spec.QUEUED: _sum([each.messages for each in found.queues]),
        spec.OLDEST_MAX: max((age.seconds for age in ages), default=None),
        spec.UNACKED: float(unacked.count) if unacked else None,
        spec.UNACKED_OLDEST: max(now - unacked.oldest, 0.0) if unacked and unacked.oldest else None,
    }


def _sum(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None
