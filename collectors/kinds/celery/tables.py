"""The tables of a Celery reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from math import ceil

from collectors.kinds.celery.connection import Age, QueueState
from collectors.kinds.celery.events import ENDED, Seen
from collectors.kinds.celery.workers import Running, Station
from core.model import Table

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class TaskRow:
    """What was done of one task in the last ten minutes; times in seconds."""

    name: str
    ended: int
    succeeded: int
    failed: int
    retried: int
    failed_ratio: float | None
    timed: int
    """How many of them told how long they took."""
    p50: float | None
    p95: float | None
    p99: float | None
    longest: float | None
    exception: str
    """The newest."""


def by_task(seen: Seen) -> list[TaskRow]:
    """Return a row for each task that ended or was retried lately, those that took most time first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: dict[str, list[float]] = defaultdict(list)
    for each in seen.ended:
        counts[each.name][each.outcome] += 1
        if each.seconds is not None and each.outcome in ENDED:
            seconds[each.name].append(each.seconds)
    latest: dict[str, str] = {}
    for problem in seen.problems:
        latest.setdefault(problem.name, problem.exception)
    rows = []
    for name, found in counts.items():
        taken, ended = sorted(seconds[name]), sum(found[outcome] for outcome in ENDED)
        rows.append(
            TaskRow(
                name, ended, found["succeeded"], found["failed"], found["retried"],
                found["failed"] / ended if ended else None, len(taken),
                percentile(taken, 0.50), percentile(taken, 0.95), percentile(taken, 0.99),
                taken[-1] if taken else None, latest.get(name, ""),
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (-sum(seconds[row.name]), -row.ended))[:MOST_ROWS]


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of the values do not exceed (nearest rank)."""
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None


def make_tables(
    queues: Sequence[QueueState], ages: Mapping[str, Age], workers: Sequence[Station], tasks: Sequence[Running],
    rows: Sequence[TaskRow], seen: Seen, now: float,
) -> list[Table]:  # fmt: skip
    """Return queues, workers, tasks by name, tasks at work, and failed ones."""
    takers = Counter(queue for each in workers if each.is_online for queue in each.queues)
    columns = tuple(field.name for field in fields(TaskRow))
    return [
        Table(
            "queues",
            ("queue", "messages", "oldest_seconds", "is_exact", "workers", "consumers"),
            tuple(
                (each.name, each.messages, ages[each.name].seconds if each.name in ages else None,
                 ages[each.name].is_exact if each.name in ages else None, takers[each.name], each.consumers)
                for each in sorted(queues, key=lambda each: -(each.messages or 0))
            ),
        ),
        Table(
            "workers",
            ("worker", "state", "silent_seconds", "pool", "slots", "active", "reserved", "scheduled", "prefetch",
             "processed", "load", "rss_bytes", "uptime_seconds", "version", "queues", "is_mute"),
            tuple(
                (each.name, each.state, each.silent_seconds, each.pool, each.slots, each.active, each.reserved,
                 each.scheduled, each.prefetch, each.processed, each.load, each.rss_bytes, each.uptime_seconds,
                 each.version, ", ".join(each.queues), each.is_mute)
                for each in workers[:MOST_ROWS]
            ),
        ),
        Table("tasks", columns, tuple(astuple(row) for row in rows)),
        Table(
            "running",
            ("task", "worker", "seconds", "arguments", "id"),
            tuple((each.name, each.worker, each.seconds, each.arguments, each.id) for each in tasks),
        ),
        Table(
            "problems",
            ("ts", "outcome", "task", "worker", "seconds", "retries", "exception", "arguments", "id"),
            tuple(
                (each.ts, each.outcome, each.name, each.worker, each.seconds, each.retries, each.exception,
                 each.arguments, each.id)
                for each in seen.problems[:MOST_ROWS]
            ),
        ),
    ]  # fmt: skip
