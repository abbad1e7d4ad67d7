"""A canary of Redis: a number that is written and read back."""

from __future__ import annotations

from core.errors import StorageUnavailable
from storage.live.redis import Live

KEPT_SECONDS = 60


def put_canary(live: Live, machine: str, number: int) -> None:
    """Write a number and read it back. Raises StorageUnavailable, also where another number came back."""
    key, text = live.key("canary", machine), str(number).encode()
    found = live.ask(lambda: live.client.set(key, text, ex=KEPT_SECONDS) and live.client.get(key), None)
    if found != text:
        raise StorageUnavailable(live.problem or "what was written was not read back")
