"""A watched process of this machine."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from core.kinds.base import checked_pattern
from core.kinds.service import ServiceSource


class ProcessSource(ServiceSource):
    """A process, found by its name, its command line or its pid file."""

    KIND: ClassVar[str] = "process"
    TITLE: ClassVar[str] = "Process"
    WATCHES: ClassVar[str] = "Processes of this machine."
    EXAMPLE: ClassVar[tuple[str, ...]] = (
        "watch:",
        "  process:",
        "    - {name: downloader, command: 'download_bars\\.py'}",
    )

    process: str = Field("", description="Its name, exactly.")
    command: str = Field("", description="Regular expression that its command line must match somewhere.")
    pidfile: str = Field("", description="File that holds its process id.")
    user: str = Field("", description="Whose it must be; empty: anybody's.")
    at_least: int = Field(1, ge=1, description="Fewer processes than this: down.")
    at_most: int | None = Field(None, ge=1, description="More processes than this: a warning.")
    memory_warning_bytes: int | None = Field(None, ge=1, description="All of them resident above this: a warning.")

    @field_validator("command")
    @classmethod
    def _pattern(cls, value: str) -> str:
        return checked_pattern(value)

    @model_validator(mode="after")
    def _is_findable(self) -> Self:
        if not (self.process or self.command or self.pidfile):
            raise ValueError("needs one of process, command, pidfile")
        return self

    @property
    def target(self) -> str:
        """What it is found by."""
        found = {"name": self.process, "command": self.command, "pid file": self.pidfile, "user": self.user}
        return ", ".join(f"{name} {value}" for name, value in found.items() if value)
