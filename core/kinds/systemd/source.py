"""A watched systemd unit of this machine."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from core.kinds.service import ServiceSource


class SystemdSource(ServiceSource):
    """A unit of systemd: a service, a timer, a mount."""

    KIND: ClassVar[str] = "systemd"
    TITLE: ClassVar[str] = "Unit"
    WATCHES: ClassVar[str] = "Units of systemd on this machine."
    EXAMPLE: ClassVar[tuple[str, ...]] = ("watch:", "  systemd:", "    - {name: oms, unit: oms.service}")

    unit: str = Field(pattern=r"^[A-Za-z0-9:_.\\@-]{1,255}$", description="Its name, with the suffix: oms.service.")
    of_user: bool = Field(False, description="A unit of our user's own manager (systemctl --user).")

    @property
    def target(self) -> str:
        """The unit."""
        return self.unit
