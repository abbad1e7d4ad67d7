"""What the settings of everything that is checked from outside have in common: HTTP, TCP, process, unit, exporter."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from core.group import Seconds
from core.kinds.base import Source


class ServiceSource(Source):
    """A service that is up or down."""

    interval_seconds: Seconds = Field(30, description="Seconds between checks.")
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = Field(5, description="Longest time a check may take.")
    group: str = Field("", max_length=64, description="Name of the group that it stands in.")
    retries: int = Field(
        1, ge=0, le=20, description="Failed checks in a row that are a warning; the next counts as down."
    )
    upside_down: bool = Field(False, description="Reachable is bad: for what must not answer.")
    paused: bool = Field(False, description="Not checked.")
    slow_seconds: float | None = Field(None, gt=0, description="An answer that takes this long is a warning.")

    @property
    @abstractmethod
    def target(self) -> str:
        """What is checked, fit to be shown."""
