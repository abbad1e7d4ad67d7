"""What the parts of the system collector have in common."""

from __future__ import annotations

from typing import Protocol

from core.model import Sample


class Part(Protocol):
    """One subject of a machine. What the machine does not have gives no sample."""

    def samples(self, at: float) -> list[Sample]:
        """Return the samples of this moment; `at` is in monotonic seconds."""
        ...
