"""The broker under the workers, over a socket of our own: queues of a Redis in two round trips, the first word of AMQP.

Kombu's messages carry no time, and a list is pushed at one end and taken from the other. How old the oldest is
follows from what was seen: sent (exact, where producers send task-sent), or at the latest when it first stood there.
"""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from collectors.kinds.celery.events import Seen
from collectors.kinds.redis.connection import Refused, Resp
from core.errors import SourceRejected
from core.kinds.celery.source import CelerySource
from core.kinds.redis.source import RedisSource
from core.net.reach import Address, Deadline, connect, explained, garbage

PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
"""Kombu keeps a list for each step of priority: the name, and the name with these at its end."""
LONGEST_HEAD_BYTES = 200_000
MOST_MARKS = 120
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
MOST_FRAME_BYTES = 131_072
START = (10, 10)


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue as a reading finds it."""

    name: str
    messages: int | None
    oldest: str = ""
    """Id of the task that is taken next; empty when there is none or it cannot be told."""
    newest: str = ""
    consumers: int | None = None


@dataclass(frozen=True, slots=True)
class Unacked:
    """Messages that workers took and did not acknowledge: running, prefetched, or waiting for their time."""

    count: int
    oldest: float | None
    """When the oldest was taken (epoch seconds)."""


def redis_source(source: CelerySource) -> RedisSource:
    """Return the broker as a watched Redis."""
    parts = urlsplit(source.broker.get_secret_value())
    url = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    return RedisSource(
        name=source.name, url=SecretStr(url), ca_file=source.ca_file, timeout_seconds=source.timeout_seconds
    )


def database(source: CelerySource) -> int:
    """Return the number of the Redis database. Raises SourceRejected when it is none."""
    path = unquote(urlsplit(source.broker.get_secret_value()).path).strip("/")
    if path and not path.isdigit():
        raise SourceRejected(f"the database in the broker's URL must be a number, not {path}")
    return int(path or 0)


def read_queues(server: Resp, names: Sequence[str]) -> tuple[list[QueueState], Unacked | None]:
    """Return the queues of a Redis, and what is not acknowledged. Raises Refused."""
    lists = [name + step for name in names for step in PRIORITIES]
    asked = [("LLEN", each) for each in lists]
    answers = server.ask_all([*asked, ("HLEN", "unacked"), ("ZRANGE", "unacked_index", 0, 0, "WITHSCORES")])
    lengths = dict(zip(lists, answers, strict=False))
    for answer in lengths.values():
        if isinstance(answer, Refused):
            raise answer
    # The highest priority that has messages is taken from next: kombu's step 0 first.
    heads = {name: next((name + step for step in PRIORITIES if lengths[name + step]), "") for name in names}
    full = [name for name in names if heads[name]]
    ends = server.ask_all([("LINDEX", heads[name], place) for name in full for place in (-1, 0)]) if full else []
    ids = dict(zip(full, zip(ends[::2], ends[1::2], strict=True), strict=True))
    states = []
    for name in names:
        oldest_id, newest_id = map(_task_id, ids.get(name, (None, None)))
        states.append(QueueState(name, sum(lengths[name + step] for step in PRIORITIES), oldest_id, newest_id))
    count, oldest = answers[len(lists) :]
    if isinstance(count, Refused) or isinstance(oldest, Refused):
        return states, None
    return states, Unacked(int(count), float(oldest[1]) if oldest else None)


def _task_id(message: object) -> str:
    if not isinstance(message, bytes) or len(message) > LONGEST_HEAD_BYTES:
        return ""
    try:
        found = json.loads(message)
        return str(found.get("headers", {}).get("id") or found.get("properties", {}).get("correlation_id") or "")
    except (ValueError, AttributeError):
        return ""


@dataclass(frozen=True, slots=True)
class Age:
    """How long the oldest message of a queue has waited; `is_exact` when it was seen as it was sent."""

    seconds: float
    is_exact: bool


class Ages:
    """Remembers what stood where, and tells how old the oldest message of each queue is at least."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[str, float]] = {}
        self._marks: dict[str, deque[tuple[str, float]]] = {}

    def age(self, queue: QueueState, seen: Seen, now: float, *, hears_all: bool) -> Age | None:
        """Return the age, None for an empty queue. `hears_all`: every worker tells which tasks it receives."""
        marks = self._marks.setdefault(queue.name, deque(maxlen=MOST_MARKS))
        if not queue.messages:
            self._heads.pop(queue.name, None)
            marks.clear()
            return Age(0.0, True) if queue.messages == 0 else None
        head, since = self._heads.get(queue.name, ("", now))
        if head != queue.oldest:
            since = now
        self._heads[queue.name] = (queue.oldest, since)
        while marks and (marks[0][0] in seen.received or not hears_all):
            marks.popleft()
        if queue.newest and not (marks and marks[-1][0] == queue.newest):
            marks.append((queue.newest, now))
        if queue.oldest in seen.sent:
            return Age(max(now - seen.sent[queue.oldest], 0.0), True)
        return Age(now - min(since, marks[0][1] if marks else now), False)

    def known_ids(self) -> list[str]:
        """Return the ids whose fate the next look needs."""
        marks = [id for each in self._marks.values() for id, _ in each]
        return [*marks, *(head for head, _ in self._heads.values())]

    def keep(self, names: Sequence[str]) -> None:
        """Forget the queues that are not among `names`."""
        self._heads = {name: value for name, value in self._heads.items() if name in names}
        self._marks = {name: value for name, value in self._marks.items() if name in names}


def probe_amqp(source: CelerySource, deadline: Deadline) -> None:
    """Return when an AMQP 0-9-1 broker answers there. Raises SourceUnavailable or SourceRejected."""
    parts = urlsplit(source.broker.get_secret_value())
    is_tls = parts.scheme == "amqps"
    address = Address(
        parts.hostname or "localhost", parts.port or (5671 if is_tls else 5672), tls=is_tls, ca_file=source.ca_file
    )
    connection = connect(address, deadline)
    try:
        with explained(address, deadline.seconds):
            connection.send(AMQP_HEADER)
            head = connection.exactly(7)
            if head.startswith(b"AMQP"):
                rest = connection.exactly(1)
                version = ".".join(str(part) for part in (*head[5:7], *rest))
                raise SourceRejected(f"{address} speaks AMQP {version}, and Celery needs 0-9-1")
            kind, channel, size = struct.unpack(">BHI", head)
            if (kind, channel) != (1, 0) or not 4 <= size <= MOST_FRAME_BYTES:
                raise garbage(address, "AMQP")
            if struct.unpack(">HH", connection.exactly(4)) != START:
                raise garbage(address, "AMQP")
    finally:
        connection.close()
