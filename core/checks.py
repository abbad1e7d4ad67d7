"""What a watched source is judged by: one check a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.model import Status


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with a source."""

    TABLE: ClassVar[str] = "checks"

    name: str
    """A member of the kind's `Checks`: the card of that name takes its state from here."""
    status: Status
    why: str
    """A sentence without the name of the source: "93 % of its 1 GiB in use"."""
    share: float | None = None
    """How much of a limit is used: the length of its bar."""
