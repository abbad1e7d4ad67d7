"""When a machine is in trouble."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from core.group import Group, Ratio
from core.limits import Limit


class Thresholds(Group):
    """When a machine is in trouble: lines on charts and the state of its components."""

    cpu_warning_ratio: Ratio = Field(0.70, description="CPU busy, 5-minute average: warning from here.")
    cpu_critical_ratio: Ratio = Field(0.80, description="CPU busy, 5-minute average: critical from here.")
    memory_warning_ratio: Ratio = Field(0.80, description="Memory not available: warning from here.")
    memory_critical_ratio: Ratio = Field(0.85, description="Memory not available: critical from here.")
    disk_warning_ratio: Ratio = Field(0.85, description="Disk used: warning from here.")
    disk_critical_ratio: Ratio = Field(0.90, description="Disk used: critical from here.")
    swap_warning_ratio: Ratio = Field(0.50, description="Swap used: warning from here.")
    swap_critical_ratio: Ratio = Field(0.80, description="Swap used: critical from here.")
    network_warning_ratio: Ratio = Field(0.70, description="Share of a link's speed in use: warning from here.")
    network_critical_ratio: Ratio = Field(0.85, description="Share of a link's speed in use: critical from here.")
    disk_full_warning_seconds: float = Field(
        86_400, gt=0, description="Disk full at its trend within this time: warning."
    )
    disk_full_critical_seconds: float = Field(
        14_400, gt=0, description="Disk full at its trend within this time: critical."
    )
    clock_offset_seconds: float = Field(0.05, gt=0, description="Clock off by this much: critical, half: warning.")

    @model_validator(mode="after")
    def _warning_below_critical(self) -> Self:
        for name in ("cpu", "memory", "disk", "swap", "network"):
            warning, critical = (
                getattr(self, f"{name}_warning_ratio"),
                getattr(self, f"{name}_critical_ratio"),
            )
            if warning >= critical:
                raise ValueError(f"{name}_warning_ratio ({warning}) must be below {name}_critical_ratio ({critical})")
        if self.disk_full_critical_seconds >= self.disk_full_warning_seconds:
            raise ValueError("disk_full_critical_seconds must be below disk_full_warning_seconds")
        return self

    @property
    def cpu(self) -> Limit:
        """Of the busy share of all cores."""
        return Limit(self.cpu_warning_ratio, self.cpu_critical_ratio)

    @property
    def memory(self) -> Limit:
        """Of the share of memory that is not available."""
        return Limit(self.memory_warning_ratio, self.memory_critical_ratio)

    @property
    def disk(self) -> Limit:
        """Of the used share of a disk."""
        return Limit(self.disk_warning_ratio, self.disk_critical_ratio)

    @property
    def disk_full(self) -> Limit:
        """Of the seconds until a disk is full."""
        return Limit(self.disk_full_warning_seconds, self.disk_full_critical_seconds, is_floor=True)

    @property
    def swap(self) -> Limit:
        """Of the used share of swap."""
        return Limit(self.swap_warning_ratio, self.swap_critical_ratio)

    @property
    def network(self) -> Limit:
        """Of the share of a link's speed in use."""
        return Limit(self.network_warning_ratio, self.network_critical_ratio)

    @property
    def clock_offset(self) -> Limit:
        """Of the seconds that the clock is off."""
        return Limit(self.clock_offset_seconds / 2, self.clock_offset_seconds)
