"""The audit: whoever lets in, refuses or changes something says so here. What was said stays as it was said."""

from __future__ import annotations

from enum import StrEnum

from storage.state.audit import Entry, add_entry
from storage.state.database import State, Transaction


class Outcome(StrEnum):
    """What came of something that was done or tried."""

    DONE = "done"
    REFUSED = "refused"
    """Not allowed: a wrong password, a role too low."""
    FAILED = "failed"
    """Allowed, and it did not work."""


def record(
    state: State,
    *,
    who: str,
    what: str,
    target: str = "",
    address: str = "",
    outcome: str = Outcome.DONE,
    detail: str = "",
    at: float,
) -> None:
    """Add to the audit. Raises ValueError for an outcome that there is not, StorageUnavailable.

    what: a few words that are the same each time, noun first ("token made", "signed in"): people filter by them.
    at: epoch seconds. A secret must never stand in any of it.
    """
    with state.begin() as connection:
        record_in(connection, who=who, what=what, target=target, address=address, outcome=outcome, detail=detail, at=at)


def record_in(
    connection: Transaction,
    *,
    who: str,
    what: str,
    target: str = "",
    address: str = "",
    outcome: str = Outcome.DONE,
    detail: str = "",
    at: float,
) -> None:
    """Add to the audit like `record`, in the transaction that makes the change: both are there, or none."""
    add_entry(connection, Entry(at, who, what, target, address, Outcome(outcome).value, detail))
