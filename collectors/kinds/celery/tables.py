"""The tables of a Celery reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil

from collectors.kinds.celery.events import Seen
from collectors.kinds.celery.found import Found
from core.kinds.celery import spec
from core.kinds.celery.source import CelerySource
from core.kinds.celery.spec import ENDED, Outcome
from core.model import Table
from core.tables import table_of

MOST_ROWS = 200


def by_task(seen: Seen) -> list[spec.Task]:
    """Return a row for each task that ended or was retried lately, those that took most time first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: dict[str, list[float]] = defaultdict(list)
    for each in seen.ended:
        counts[each.name][each.outcome] += 1
        if each.seconds is not None and each.outcome in ENDED:
            seconds[each.name].append(each.seconds)
    latest: dict[str, str] = {}
    for problem in seen.problems:
        latest.setdefault(problem.task, problem.exception)
    rows = [_task(name, found, sorted(seconds[name]), latest.get(name, "")) for name, found in counts.items()]
    return sorted(rows, key=lambda row: (-sum(seconds[row.task]), -row.ended))[:MOST_ROWS]


def _task(name: str, counts: Counter[str], seconds: Sequence[float], exception: str) -> spec.Task:
    ended = sum(counts[outcome] for outcome in ENDED)
    return spec.Task(
        task=name,
        ended=ended,
        succeeded=counts[Outcome.SUCCEEDED],
        failed=counts[Outcome.FAILED],
        retried=counts[Outcome.RETRIED],
        failed_ratio=counts[Outcome.FAILED] / ended if ended else None,
        timed=len(seconds),
        p50_seconds=percentile(seconds, 0.50),
        p95_seconds=percentile(seconds, 0.95),
        p99_seconds=percentile(seconds, 0.99),
        longest_seconds=seconds[-1] if seconds else None,
        exception=exception,
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of the values do not exceed (nearest rank)."""
    return ordered[max(ceil(share * len(ordered)), 1) - 1] if ordered else None


def tables(source: CelerySource, found: Found, about: spec.About) -> list[Table]:
    """Return queues, workers, tasks by name and known, those at work, done and failed, and what the broker is."""
    return [
        table_of(spec.Queue, queues(source, found)),
        table_of(spec.Worker, found.workers[:MOST_ROWS]),
        table_of(spec.Task, found.tasks),
        table_of(spec.Registered, registered(found)),
        table_of(spec.Succeeded, found.seen.succeeded[:MOST_ROWS]),
        table_of(spec.Running, found.running),
        table_of(spec.Problem, found.seen.problems[:MOST_ROWS]),
        table_of(spec.About, [about]),
    ]


def registered(found: Found) -> list[spec.Registered]:
    """Return the tasks that online workers know, those that only some know first, then by name."""
    ended = {each.task: each for each in found.tasks}
    rows = []
    for task in {task for known in found.registered.values() for task in known}:
        lacking = sorted(worker for worker, known in found.registered.items() if task not in known)
        done = ended.get(task)
        rows.append(
            spec.Registered(
                task=task,
                workers=len(found.registered) - len(lacking),
                lacking=", ".join(lacking),
                ended=done.ended if done else 0,
                succeeded=done.succeeded if done else 0,
                failed=done.failed if done else 0,
            )
        )
    return sorted(rows, key=lambda row: (not row.lacking, row.task))[:MOST_ROWS]


def queues(source: CelerySource, found: Found) -> list[spec.Queue]:
    """Return the queues, longest first."""
    takers = Counter(queue for queues in found.served for queue in queues)
    rows = []
    for each in sorted(found.queues, key=lambda each: -(each.messages or 0)):
        age = found.ages.get(each.name)
        rows.append(
            spec.Queue(
                queue=each.name,
                messages=each.messages,
                oldest_seconds=age.seconds if age else None,
                is_exact=age.is_exact if age else None,
                age_status=source.queue_age.status(age.seconds) if age else None,
                workers=takers[each.name],
                consumers=each.consumers,
            )
        )
    return rows
