"""Each worker, from its heartbeats and from what it answers to `inspect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.kinds.celery.events import HeardWorker, Seen
from collectors.kinds.celery.listener import Answer
from core.kinds.celery import spec
from core.kinds.celery.spec import Running, Worker, WorkerState

MUTE_TASKS = 3
"""A worker that ended so many tasks while we heard of none sends no task events."""
MOST_RUNNING = 100
TEXT_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Answers:
    """The workers' newest answers, by question and worker."""

    stats: Mapping[str, Answer] = field(default_factory=dict)
    active: Mapping[str, Answer] = field(default_factory=dict)
    active_queues: Mapping[str, Answer] = field(default_factory=dict)
    registered: Mapping[str, Answer] = field(default_factory=dict)
    reserved: Mapping[str, Answer] = field(default_factory=dict)
    scheduled: Mapping[str, Answer] = field(default_factory=dict)


def workers(seen: Seen, answers: Answers, now: float) -> list[Worker]:
    """Return every worker that was heard of within the hour, or that answered lately."""
    heard = {worker.name: worker for worker in seen.workers}
    return [_worker(name, heard.get(name), answers, now) for name in sorted({*heard, *answers.stats})]


def queues_of(workers: Sequence[Worker], answers: Answers) -> dict[str, tuple[str, ...]]:
    """Return the queues that each worker takes from; none when it has not said so."""
    return {each.worker: _queues(answers.active_queues.get(each.worker)) for each in workers}


def registered_of(workers: Sequence[Worker], answers: Answers) -> dict[str, frozenset[str]]:
    """Return the tasks that each online worker knows, of those that have said so."""
    said = {each.worker: answers.registered.get(each.worker) for each in workers if each.is_online}
    return {worker: _registered(answer) for worker, answer in said.items() if answer is not None}


def _registered(answer: Answer) -> frozenset[str]:
    # "jobs.load [rate_limit=10/s]" where a worker tells more than the name.
    body = answer.body if isinstance(answer.body, list) else []
    return frozenset(str(each).partition(" [")[0] for each in body)


def running(answers: Answers, show_arguments: bool) -> list[Running]:
    """Return the tasks at work as the last answers had them, longest first."""
    found = []
    for worker, answer in answers.active.items():
        for task in answer.body if isinstance(answer.body, list) else []:
            began = task.get("time_start")
            if isinstance(began, int | float):
                arguments = f"{task.get('args') or ''} {task.get('kwargs') or ''}".strip() if show_arguments else ""
                found.append(
                    Running(
                        task=str(task.get("name")),
                        worker=worker,
                        seconds=max(answer.ts - began, 0.0),
                        arguments=arguments[:TEXT_CHARACTERS],
                        id=str(task.get("id")),
                    )
                )
    return sorted(found, key=lambda each: -each.seconds)[:MOST_RUNNING]


def _worker(name: str, heard: HeardWorker | None, answers: Answers, now: float) -> Worker:
    stats = _dict(answers.stats.get(name))
    pool, usage = _dict_of(stats.get("pool")), _dict_of(stats.get("rusage"))
    answered = answers.stats[name].ts if name in answers.stats else None
    state = _state(heard, answered, now)
    is_online = state is WorkerState.ONLINE
    active = heard.active if heard and heard.active is not None else _count(answers.active.get(name))
    return Worker(
        worker=name,
        state=state,
        silent_seconds=now - heard.heard if heard else None,
        pool=str(pool.get("implementation", "")).partition(":")[0].rpartition(".")[2],
        slots=_int(pool.get("max-concurrency")),
        active=active if is_online else None,
        reserved=_count(answers.reserved.get(name)) if is_online else None,
        scheduled=_count(answers.scheduled.get(name)) if is_online else None,
        prefetch=_int(stats.get("prefetch_count")),
        processed=_processed(heard, stats),
        load=heard.load if heard else None,
        rss_bytes=float(usage["maxrss"]) * 1024 if isinstance(usage.get("maxrss"), int | float) else None,
        uptime_seconds=float(stats["uptime"]) if isinstance(stats.get("uptime"), int | float) else None,
        version=heard.version if heard else "",
        queues=", ".join(_queues(answers.active_queues.get(name))),
        is_mute=_is_mute(heard),
    )


def _processed(heard: HeardWorker | None, stats: Mapping[str, Any]) -> int | None:
    if heard and heard.processed is not None:
        return heard.processed
    total = stats.get("total")
    return sum(int(count) for count in total.values()) if isinstance(total, dict) else None


def _state(heard: HeardWorker | None, answered: float | None, now: float) -> WorkerState:
    if heard is None:
        return WorkerState.ONLINE
    limit = max(spec.LOST_SECONDS, spec.LOST_HEARTBEATS * heard.every_seconds)
    if heard.said_goodbye:
        return WorkerState.LEFT
    if now - heard.heard <= limit or (answered is not None and now - answered <= limit):
        return WorkerState.ONLINE
    return WorkerState.LOST


def _is_mute(heard: HeardWorker | None) -> bool:
    if heard is None or heard.processed is None or heard.first_processed is None or heard.task_events is not None:
        return False
    return heard.processed - heard.first_processed >= MUTE_TASKS


def _queues(answer: Answer | None) -> tuple[str, ...]:
    body: Sequence[Any] = answer.body if answer is not None and isinstance(answer.body, list) else []
    return tuple(str(each["name"]) for each in body if isinstance(each, dict) and each.get("name"))


def _dict(answer: Answer | None) -> dict[str, Any]:
    return _dict_of(answer.body) if answer is not None else {}


def _dict_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(answer: Answer | None) -> int | None:
    return len(answer.body) if answer is not None and isinstance(answer.body, list) else None


def _int(value: Any) -> int | None:
    return value if isinstance(value, int) else None
