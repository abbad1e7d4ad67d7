"""What each process that answers requests has counted: a field a process in Redis. That of a dead one is removed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import orjson
import redis

from storage.live.redis import Live

TELL_SECONDS = 2.0
"""A process tells its counts this often."""
DEAD_SECONDS = 15.0
"""Past it a process that has told nothing is dead."""


class ToldRequests:
    """The counts of every process. Counts are since a process began, so that FLUSHALL loses none."""

    def __init__(self, live: Live, machine: str = "") -> None:
        self._live = live
        self._key = live.key("requests")
        self._process = f"{machine}:{os.getpid()}:{os.urandom(4).hex()}"

    def tell(self, counts: dict[str, Any]) -> None:
        """Replace what this process has told. When Redis is away nothing happens: the next time tells it all."""
        try:
            self._live.client.hset(self._key, self._process, orjson.dumps(counts))
        except (redis.RedisError, OSError):
            return

    def of_all(self, now: float) -> dict[str, dict[str, Any]]:
        """Return what each process that lives at `now` (epoch seconds) has told, by process; dead ones are removed.

        Raises ConnectionError when Redis does not answer.
        """
        try:
            fields: dict[bytes, bytes] = self._live.client.hgetall(self._key)  # type: ignore[assignment]
            found = {name.decode(): orjson.loads(told) for name, told in fields.items()}
            dead = [name for name, told in found.items() if now - told["ts"] > DEAD_SECONDS]
            if dead:
                self._live.client.hdel(self._key, *dead)
        except (redis.RedisError, OSError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        return {name: told for name, told in found.items() if name not in dead}


def keep_telling(told: ToldRequests, counts: Callable[[], dict[str, Any]], stopping: threading.Event) -> None:
    """Tell the counts of this process from a thread of its own until it is told to stop."""

    def loop() -> None:
        while not stopping.wait(TELL_SECONDS):
            told.tell(counts())

    threading.Thread(target=loop, name="requests", daemon=True).start()
