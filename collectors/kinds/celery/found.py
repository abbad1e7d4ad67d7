"""What one reading of a broker found: its queues, its workers, what they do and did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.kinds.celery.connection import Age, QueueState, Unacked
from collectors.kinds.celery.events import Seen
from core.kinds.celery.spec import Running, Task, Worker


@dataclass(frozen=True, slots=True)
class Broker:
    """The listener's side of a reading."""

    is_listening: bool
    has_asked: bool
    """Whether the workers had time to answer."""
    problem: str
    silent_seconds: float
    pauses: float
    """How often reading paused in the last minute."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that is judged, counted and shown."""

    broker: Broker
    seen: Seen
    queues: Sequence[QueueState] = ()
    ages: Mapping[str, Age] = field(default_factory=dict)
    """Of the oldest message, by queue."""
    unacked: Unacked | None = None
    workers: Sequence[Worker] = ()
    taken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The queues that each worker takes from."""
    registered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The tasks that each online worker knows, of those that have said so."""
    running: Sequence[Running] = ()
    tasks: Sequence[Task] = ()

    @property
    def online(self) -> list[Worker]:
        """The workers that are there."""
        return [each for each in self.workers if each.is_online]

    @property
    def served(self) -> list[Sequence[str]]:
        """The queues that each online worker takes from."""
        return [self.taken.get(each.worker, ()) for each in self.online]
