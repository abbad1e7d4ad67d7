"""The lease that picks one active collector process out of several.

A lease is no lock: a process that stalls past its time may act once more before it notices. Whoever acts therefore asks
`holds` first, writes are idempotent as well, and each term has a fencing token that only ever grows.
"""

from __future__ import annotations

import logging
from typing import Protocol

from core.clock import Clock
from core.errors import StorageUnavailable

LEASE_SECONDS = 3.0
RENEW_SECONDS = 1.0

log = logging.getLogger(__name__)


class LeaseStore(Protocol):
    """Where leases are kept. Every method may raise StorageUnavailable."""

    def acquire(self, name: str, owner: str, seconds: float) -> int | None:
        """Take the lease if nobody has it. Return the term's fencing token, or None."""
        ...

    def renew(self, name: str, owner: str, seconds: float) -> bool:
        """Lengthen the lease if `owner` has it. Return whether it has."""
        ...

    def release(self, name: str, owner: str) -> None:
        """Give the lease back if `owner` has it."""
        ...


class Lease:
    """One process's side of the lease; `tick` it every RENEW_SECONDS from one thread."""

    def __init__(self, store: LeaseStore, owner: str, clock: Clock, name: str = "collectors") -> None:
        self._store = store
        self._owner = owner
        self._clock = clock
        self._name = name
        self._expires = 0.0
        self.token: int | None = None
        """Fencing token of the present term; None while somebody else is active."""

    def tick(self) -> bool:
        """Renew the lease, or try to get it. Return whether this process is the active one.

        While the store cannot be reached the lease is kept until its own time has run out, and not longer:
        another process may see the store that this one does not.
        """
        asked = self._clock.monotonic()
        try:
            held = self._renew_or_acquire()
        except StorageUnavailable as error:
            held = self.holds()
            if self.token is not None and not held:
                log.warning("lease lost, the store cannot be reached: %s", error)
        else:
            # Counted from before the request: the store's own time started later than that.
            self._expires = asked + LEASE_SECONDS
        if not held:
            self.token = None
        return held

    def holds(self) -> bool:
        """Return whether the lease is ours at this moment, also in a process that stalled since its last tick."""
        return self.token is not None and self._clock.monotonic() < self._expires

    def release(self) -> None:
        """Give the lease back, so that another process takes over at once and not when it runs out."""
        if self.token is None:
            return
        self.token = None
        try:
            self._store.release(self._name, self._owner)
        except StorageUnavailable as error:
            log.warning("lease not released, it runs out in %g s: %s", LEASE_SECONDS, error)

    def _renew_or_acquire(self) -> bool:
        if self.token is not None and self._store.renew(self._name, self._owner, LEASE_SECONDS):
            return True
        self.token = self._store.acquire(self._name, self._owner, LEASE_SECONDS)
        return self.token is not None
