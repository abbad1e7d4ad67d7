"""What crosses from the process that consumes a topic to the importer, as JSON (collectors/runtime/child.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a topic."""

    partition: int
    offset: int
    at: float | None
    """When it was produced, epoch seconds; None: it does not say."""
    text: str
    """What it says; of what is too long the beginning."""
    fault: str = ""
    """Why it can be no rows: empty, no text, too long. Empty: it may be."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Messages that follow those before, and how the group stands."""

    batch: int
    """What `commit` is asked for once they are durable."""
    messages: Sequence[Message]
    partitions: int
    """Of the topic that this member of the group has now."""
    lag: int | None
    """Messages behind these ones in those partitions; None: not known yet."""
    is_all: bool
    """Whether there were no more at that moment."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Whether the group keeps how far it came: not while its members change, then they are read again."""

    is_kept: bool
