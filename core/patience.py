"""How long whoever works now may wait for a store: for threads that must be back in time, whatever they call."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("patience", default=None)
"""Monotonic seconds; None: as long as it takes, within the limits of each store."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let all that this thread asks meanwhile take so long together: then OutOfPatience is raised."""
    before = _until.get()
    until = time.monotonic() + seconds
    token = _until.set(until if before is None else min(before, until))
    try:
        yield
    finally:
        _until.reset(token)


def seconds_left() -> float | None:
    """Return how long this thread may wait yet, not less than 0; None: there is no limit."""
    until = _until.get()
    return None if until is None else max(until - time.monotonic(), 0.0)
