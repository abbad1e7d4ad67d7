"""Merges and deletions that a process left when it ended: they are finished at the next start."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.errors import ChangeRejected
from portfolio.tree import delete, merge
from portfolio.tree.alone import alone
from storage.state.changes import unfinished_changes

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)


def finish_changes(stores: Stores) -> list[str]:
    """Do what is left of every change, and return what was done. Raises StorageUnavailable or StorageRejected."""
    if not unfinished_changes(stores.state):
        return []
    try:
        with alone(stores):
            # Looked up once more: another process may have finished them meanwhile.
            left = unfinished_changes(stores.state)
            return [(delete if each.what == delete.DELETE else merge).carry_on(stores, each) for each in left]
    except ChangeRejected as error:
        log.warning("%s What was cut off of it is finished at the next start.", error)
        return []
