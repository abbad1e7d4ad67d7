"""What a page says when something failed."""

from __future__ import annotations

from core.errors import StorageError


def problem_of(error: Exception) -> str:
    """Return the reason in a sentence; of what a store raises with the words that it does not answer."""
    if isinstance(error, StorageError):
        return f"Storage does not answer: {error}"
    return f"{type(error).__name__}: {error}"


def not_asked(error: StorageError) -> str:
    """Return that a request to the process that collects could not be left, and why."""
    return f"Not asked for: the state database does not answer: {error}"
