"""One change of the fund's tree at a time, whatever thread or process it comes from."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import ChangeRejected, StorageUnavailable
from storage.live.leases import LeaseStore

if TYPE_CHECKING:
    from storage.stores import Stores

LEASE, LEASE_SECONDS = "portfolio tree", 300.0
"""A process that ends in the middle keeps the others out for so long."""
WAIT_SECONDS = 30.0
_lock = threading.Lock()
log = logging.getLogger(__name__)


def _release(leases: LeaseStore, owner: str) -> None:
    try:
        leases.release(LEASE, owner)
    except StorageUnavailable as error:
        # What was done is done, and the caller is told so: the lease runs out by itself.
        log.warning("%s: no portfolio can be changed for %.0f minutes", error, LEASE_SECONDS / 60)


@contextmanager
def alone(stores: Stores) -> Iterator[None]:
    """Keep every other change out meanwhile. Raises ChangeRejected while one goes on, StorageUnavailable."""
    if not _lock.acquire(timeout=WAIT_SECONDS):
        raise ChangeRejected("Another change of a portfolio is going on: try again when it is done.")
    try:
        leases, owner = LeaseStore(stores.live), f"{os.getpid()}-{uuid.uuid4().hex}"
        if leases.acquire(LEASE, owner, LEASE_SECONDS) is None:
            raise ChangeRejected("Another process is changing a portfolio: try again in some minutes.")
        try:
            yield
        finally:
            _release(leases, owner)
    finally:
        _lock.release()
