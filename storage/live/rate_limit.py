"""How often somebody may ask: counted in Redis for all processes, and by this process alone while Redis is away.

A process asks Redis for some requests at once, and gives them out by itself: asked for each one, Redis would cost more
than most answers do. So a limit is held to within what the processes have fetched and not given out (`limits`, fixed
window: https://limits.readthedocs.io/en/stable/strategies.html).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

if TYPE_CHECKING:
    import redis

    from storage.live.redis import Live

WINDOW_SECONDS = 60.0
PARTS = 100
"""Of a limit: so much of it is fetched at once."""
MOST_KEYS = 10_000
"""That are remembered; past it all are fetched anew."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking once more."""

    is_within: bool
    limit: int
    """Requests a minute."""
    remaining: int
    """Requests that may follow in this minute, as far as this process knows."""
    reset_seconds: float
    """Until the minute is over, and the limit whole again."""


@dataclass(slots=True)
class _Fetched:
    left: int
    beyond: int
    """What nobody has fetched yet."""
    ends: float
    """Epoch seconds."""


class _ToTheMillisecond(RedisStorage):
    """Tells when a window ends as exactly as Redis knows it.

    In whole seconds it would seem over up to half a second early, and each request till then would fetch a part of the
    old one that nobody gives out.
    """

    def get_expiry(self, key: str) -> float:
        client = cast("redis.Redis", self.get_connection(True))
        return time.time() + max(int(client.pttl(self.prefixed_key(key))), 0) / 1_000


class RateLimit:
    """A number of requests a minute for each key. One a process; safe to share between threads."""

    def __init__(self, live: Live, name: str, per_minute: int) -> None:
        """name: of what is limited, the same in every process."""
        self._live = live
        self._item = RateLimitItemPerMinute(per_minute, namespace=name)
        self._at_once = max(1, per_minute // PARTS)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._lock = threading.Lock()
        self._fetched: dict[str, _Fetched] = {}

    @cached_property
    def _shared(self) -> FixedWindowRateLimiter:
        # Its connections are those that the newest readings have, so that one answer says for both that Redis is away.
        pool, prefix = self._live.client.connection_pool, self._live.key("limits")
        return FixedWindowRateLimiter(_ToTheMillisecond("redis://", connection_pool=pool, key_prefix=prefix))

    def take(self, key: str) -> Taken:
        """Count a request of `key`, and return whether it is within the limit."""
        now = time.time()  # by which the library and Redis count
        with self._lock:
            found = self._fetched.get(key)
            if found is not None and now < found.ends and (found.left or not found.beyond):
                return self._given(found, now)
        fetched = self._live.ask(lambda: self._fetch(self._shared, key), None) or self._fetch(self._own, key)
        with self._lock:
            if len(self._fetched) >= MOST_KEYS:
                self._fetched.clear()
            found = self._fetched.get(key)
            if found is not None and now < found.ends:  # another thread has fetched meanwhile
                fetched.left += found.left
            self._fetched[key] = fetched
            return self._given(fetched, now)

    def _fetch(self, limiter: FixedWindowRateLimiter, key: str) -> _Fetched:
        is_given = limiter.hit(self._item, key, cost=self._at_once)
        window = limiter.get_window_stats(self._item, key)
        return _Fetched(self._at_once if is_given else 0, window.remaining if is_given else 0, window.reset_time)

    def _given(self, found: _Fetched, now: float) -> Taken:
        is_within = found.left > 0
        found.left -= is_within
        left_seconds = min(max(0.0, found.ends - now), WINDOW_SECONDS)
        return Taken(is_within, self._item.amount, found.left + found.beyond, left_seconds)
