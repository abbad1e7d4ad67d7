"""What a page says when something failed."""

from __future__ import annotations

import logging

from core.errors import StorageError, StorageRejected

log = logging.getLogger(__name__)
AWAY = "The state database does not answer."
_logged: set[type[Exception]] = set()


def problem_of(error: Exception) -> str:
    """Return the reason in a sentence; of what a store raises with the words that it does not answer, or refuses."""
    if isinstance(error, StorageRejected):
        return f"Storage refuses this: {error}"
    if isinstance(error, StorageError):
        return f"Storage does not answer: {error}"
    return f"{type(error).__name__}: {error}"


def away(error: StorageError) -> str:
    """Return what anybody may know of a state database that failed; the log has why, once for each kind of error.

    Why tells of machines and files, and is for those who have signed in.
    """
    if type(error) not in _logged:
        _logged.add(type(error))
        log.error("the state database does not answer: %s", error)
    return AWAY


def not_asked(error: StorageError) -> str:
    """Return that a request to the process that collects could not be left, and why."""
    return f"Not asked for: the state database does not answer: {error}"
