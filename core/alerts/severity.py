"""How much an alert matters."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Ordered: `severity >= Severity.CRITICAL` means critical or more."""

    INFO = 1
    """Worth knowing, at any time."""
    WARNING = 2
    """To be looked at in working hours."""
    CRITICAL = 3
    """To be looked at now."""
    URGENT = 4
    """Money is at risk now: somebody is woken, and nothing is traded."""

    @classmethod
    def of(cls, word: str) -> Severity:
        """Return the severity of a word, in any case. Raises KeyError for none."""
        return cls[word.upper()]

    @property
    def word(self) -> str:
        """The severity as it is shown and stored: "critical"."""
        return self.name.lower()
