"""Each worker, from its heartbeats and from what it answers to `inspect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.kinds.celery.events import Seen, Worker
from collectors.kinds.celery.listener import Answer

ONLINE, LEFT, LOST = "online", "left", "lost"
LOST_SECONDS, LOST_HEARTBEATS = 20.0, 5.0
"""A worker is lost after this silence, if that is more than so many of its heartbeats."""
MUTE_TASKS = 3
"""A worker that ended so many tasks while we heard of none sends no task events."""
MOST_RUNNING = 100
TEXT_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Station:
    """A worker."""

    name: str
    state: str
    silent_seconds: float | None
    """Since its last heartbeat; None when it only answered."""
    pool: str = ""
    slots: int | None = None
    active: int | None = None
    reserved: int | None = None
    scheduled: int | None = None
    prefetch: int | None = None
    processed: int | None = None
    """Since it began."""
    load: float | None = None
    rss_bytes: float | None = None
    uptime_seconds: float | None = None
    version: str = ""
    queues: tuple[str, ...] = ()
    is_mute: bool = False

    @property
    def is_online(self) -> bool:
        """Whether it is there."""
        return self.state == ONLINE


@dataclass(frozen=True, slots=True)
class Running:
    """A task that a worker works on."""

    worker: str
    name: str
    id: str
    seconds: float
    arguments: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The workers' newest answers, by question and worker."""

    stats: Mapping[str, Answer] = field(default_factory=dict)
    active: Mapping[str, Answer] = field(default_factory=dict)
    active_queues: Mapping[str, Answer] = field(default_factory=dict)
    reserved: Mapping[str, Answer] = field(default_factory=dict)
    scheduled: Mapping[str, Answer] = field(default_factory=dict)


def stations(seen: Seen, answers: Answers, now: float) -> list[Station]:
    """Return every worker that was heard of within the hour, or that answered lately."""
    beats = {worker.name: worker for worker in seen.workers}
    return [_station(name, beats.get(name), answers, now) for name in sorted({*beats, *answers.stats})]


def running(answers: Answers, show_arguments: bool) -> list[Running]:
    """Return the tasks at work as the last answers had them, longest first."""
    found = []
    for worker, answer in answers.active.items():
        for task in answer.body if isinstance(answer.body, list) else []:
            began = task.get("time_start")
            if isinstance(began, int | float):
                arguments = f"{task.get('args') or ''} {task.get('kwargs') or ''}".strip() if show_arguments else ""
                found.append(
                    Running(worker, str(task.get("name")), str(task.get("id")), max(answer.ts - began, 0.0),
                            arguments[:TEXT_CHARACTERS])
                )  # fmt: skip
    return sorted(found, key=lambda each: -each.seconds)[:MOST_RUNNING]


def _station(name: str, beat: Worker | None, answers: Answers, now: float) -> Station:
    stats = _dict(answers.stats.get(name))
    pool, usage = _dict_of(stats.get("pool")), _dict_of(stats.get("rusage"))
    silent = now - beat.heard if beat else None
    answered = answers.stats[name].ts if name in answers.stats else None
    total = stats.get("total")
    processed = beat.processed if beat and beat.processed is not None else None
    if processed is None and isinstance(total, dict):
        processed = sum(int(count) for count in total.values())
    state = _state(beat, answered, now)
    active = beat.active if beat and beat.active is not None else _count(answers.active.get(name))
    return Station(
        name,
        state,
        silent,
        str(pool.get("implementation", "")).partition(":")[0].rpartition(".")[2],
        _int(pool.get("max-concurrency")),
        active if state == ONLINE else None,
        _count(answers.reserved.get(name)) if state == ONLINE else None,
        _count(answers.scheduled.get(name)) if state == ONLINE else None,
        _int(stats.get("prefetch_count")),
        processed,
        beat.load if beat else None,
        float(usage["maxrss"]) * 1024 if isinstance(usage.get("maxrss"), int | float) else None,
        float(stats["uptime"]) if isinstance(stats.get("uptime"), int | float) else None,
        beat.version if beat else "",
        _queues(answers.active_queues.get(name)),
        _is_mute(beat),
    )


def _state(beat: Worker | None, answered: float | None, now: float) -> str:
    if beat is None:
        return ONLINE
    limit = max(LOST_SECONDS, LOST_HEARTBEATS * beat.every_seconds)
    if beat.said_goodbye:
        return LEFT
    if now - beat.heard <= limit or (answered is not None and now - answered <= limit):
        return ONLINE
    return LOST


def _is_mute(beat: Worker | None) -> bool:
    if beat is None or beat.processed is None or beat.first_processed is None or beat.task_events is not None:
        return False
    return beat.processed - beat.first_processed >= MUTE_TASKS


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
