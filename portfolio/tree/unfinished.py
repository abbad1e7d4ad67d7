"""Merges and deletions that a process left when it ended: they are finished at the next start, or soon after it."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from core.errors import ChangeRejected, FundwatchError
from portfolio.tree import delete, merge
from portfolio.tree.alone import LEASE_SECONDS, alone
from storage.state.changes import unfinished_changes

if TYPE_CHECKING:
    from storage.stores import Stores

RETRY_SECONDS = 15.0
log = logging.getLogger(__name__)


def finish_changes(stores: Stores) -> list[str]:
    """Do what is left of every change, and return what was done.

    While another process is changing the tree, or one that was killed keeps the lease, nothing is done yet: a thread
    goes on trying until the lease has run out. Raises StorageUnavailable or StorageRejected.
    """
    if not unfinished_changes(stores.state):
        return []
    try:
        return _finish(stores)
    except ChangeRejected as error:
        log.warning("%s What was cut off is finished when that is done.", error)
        threading.Thread(target=_try_again, args=(stores,), name="unfinished changes", daemon=True).start()
        return []


def _finish(stores: Stores) -> list[str]:
    with alone(stores):
        # Looked up once more: another process may have finished them meanwhile.
        left = unfinished_changes(stores.state)
        return [(delete if each.what == delete.DELETE else merge).carry_on(stores, each) for each in left]


def _try_again(stores: Stores) -> None:
    """Finish the changes as soon as nobody else has the lease, which one that was killed keeps for a while."""
    last = time.monotonic() + LEASE_SECONDS + 2 * RETRY_SECONDS
    error: FundwatchError | None = None
    while time.monotonic() < last:
        time.sleep(RETRY_SECONDS)
        try:
            for said in _finish(stores):
                log.warning("Finished what was cut off: %s", said)
            return
        except FundwatchError as found:
            error = found
    log.error("%s What was cut off is finished at the next start.", error)
