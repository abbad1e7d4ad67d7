"""The machine: CPU, memory, disks, network, pressure and clock, cheap enough for every five seconds."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from collectors.base import Context
from collectors.machine.cost import Cost
from collectors.machine.judge import judge
from collectors.machine.linux.cgroup import CpuLimit
from collectors.machine.linux.clock import WallClock, adjtimex, is_contained
from collectors.machine.linux.cpu import Cpu, Load
from collectors.machine.linux.devices import Devices
from collectors.machine.linux.disks import Disks, History
from collectors.machine.linux.kernel import Kernel
from collectors.machine.linux.limits import Limits, Temperatures
from collectors.machine.linux.memory import Memory, Pressure
from collectors.machine.linux.network import Interfaces, Tcp
from collectors.machine.linux.part import Part
from core.clock import Clock, SystemClock
from core.machine.spec import SYSTEM, LeftOut, Mount, Share
from core.model import Reading, Table
from core.settings.thresholds import Thresholds
from core.tables import table_of
from storage.clickhouse.reads.series import read_series

HISTORY_POINTS = 360


class SystemCollector:
    """Reads this machine. What the machine does not have gives no sample, never a zero.

    Rates and shares need two readings, the 5- and 15-minute averages as many minutes, a disk's forecast an
    hour, of its own or of `history` (see `collectors.machine.linux.disks.History`). Thresholds only judge components.
    """

    name = SYSTEM
    timeout_seconds = 4.0

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        interval_seconds: float = 5.0,
        clock: Clock | None = None,
        history: History | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        self.interval_seconds = interval_seconds
        self._thresholds = thresholds or Thresholds()
        self._clock = clock or SystemClock()
        kernel = kernel or Kernel()
        self._cost = Cost(self.name, kernel)
        self._disks: Disks | None = None
        self._parts: Sequence[Part]
        if sys.platform == "linux":
            self._disks = Disks(kernel, history)
            self._parts = (*_linux(kernel), self._disks, WallClock(self._clock, adjtimex(), is_contained()))
        else:
            from collectors.machine.portable import Portable

            self._parts = (Portable(), WallClock(self._clock, adjtimex(), is_contained()))

    def collect(self, now: float) -> Reading:
        """Return the machine's state. Raises SourceUnavailable when its kernel does not answer at all."""
        del now
        at = self._clock.monotonic()
        samples = self._cost.begin(at)
        for part in self._parts:
            samples += part.samples(at)
        judged = judge(samples, self._thresholds)
        tables: list[Table] = [table_of(Share, [each.share for each in judged])]
        if self._disks is not None:
            tables.append(table_of(Mount, self._disks.mounts))
            tables.append(table_of(LeftOut, self._disks.left_out))
        self._cost.end()
        return Reading(samples=samples, components=[each.component for each in judged], tables=tables)


def make(context: Context) -> SystemCollector:
    """Return the collector of this machine; disk forecasts start with what ClickHouse still holds."""
    settings, stores = context.settings, context.stores

    def history(metric: str, seconds: float) -> dict[str, list[tuple[float, float]]]:
        now = stores.clock.now()
        found = read_series(
            stores.clickhouse,
            host=settings.machine,
            metrics=[metric],
            start=now - seconds,
            end=now,
            points=HISTORY_POINTS,
        )
        return {
            each.label("mount"): [
                (now - ts, mean) for ts, mean in zip(each.ts, each.mean, strict=True) if mean is not None
            ]
            for each in found
        }

    return SystemCollector(settings.thresholds, settings.intervals.system_seconds, stores.clock, history)


def _linux(kernel: Kernel) -> tuple[Part, ...]:
    return (
        Cpu(kernel),
        CpuLimit(kernel),
        Load(kernel),
        Memory(kernel),
        Pressure(kernel),
        Devices(kernel),
        Interfaces(kernel),
        Tcp(kernel),
        Limits(kernel),
        Temperatures(kernel),
    )
