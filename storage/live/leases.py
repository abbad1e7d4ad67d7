"""Leases in Redis: a key that only its owner renews or removes, and that runs out by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis

from core.errors import StorageUnavailable
from storage.live.redis import Live

ACQUIRE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    local now = redis.call('TIME')
    return now[1] * 1000000 + now[2]
end
return 0
"""
"""Answers the server's time in microseconds as fencing token: unlike a counter it grows even after FLUSHALL."""

RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
"""

RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
"""


class LeaseStore:
    """Leases beside the live readings. Every method raises StorageUnavailable while Redis is away."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._acquire = live.client.register_script(ACQUIRE)
        self._renew = live.client.register_script(RENEW)
        self._release = live.client.register_script(RELEASE)

    def acquire(self, name: str, owner: str, seconds: float) -> int | None:
        """Take the lease for `seconds` if nobody has it. Return the term's fencing token, or None."""
        return self._run(self._acquire, name, owner, round(seconds * 1000)) or None

    def renew(self, name: str, owner: str, seconds: float) -> bool:
        """Let the lease run `seconds` from now if `owner` has it. Return whether it has."""
        return bool(self._run(self._renew, name, owner, round(seconds * 1000)))

    def release(self, name: str, owner: str) -> None:
        """Remove the lease if `owner` has it."""
        self._run(self._release, name, owner)

    def _run(self, script: Callable[..., Any], name: str, *arguments: object) -> int:
        try:
            return int(script(keys=[self._live.key("lease", name)], args=list(arguments)))
        except (redis.RedisError, OSError) as error:
            raise StorageUnavailable(f"Redis: {error}") from error
