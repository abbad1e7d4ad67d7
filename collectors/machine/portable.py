"""The system's figures through psutil, for systems that are not Linux: the same metrics, as far as they exist.

Linux has its own sources in `collectors.machine.linux`, which tell more and cost less.
"""

from __future__ import annotations

import shutil
import time
from typing import Any

import psutil

from collectors.base import gauges
from collectors.machine.fill import FillTrend
from core.machine import metrics
from core.machine.spec import ALL_CORES
from core.metrics import Metric
from core.model import Sample, labels
from core.rates import Rates

NO_DISKS = frozenset({"", "devfs", "autofs", "procfs", "squashfs", "iso9660", "nfs", "smbfs", "cifs", "cdrom"})


class Portable:
    """Samples of everything that psutil knows everywhere."""

    def __init__(self) -> None:
        self._rates = Rates()
        self._cpu: dict[str, dict[str, float]] = {}
        self._trends: dict[str, FillTrend] = {}

    def samples(self, at: float) -> list[Sample]:
        return [*self._processors(), *_load(), *_memory(), *self._disks(at), *self._devices(at), *self._network(at)]

    def _processors(self) -> list[Sample]:
        times = {str(core): t._asdict() for core, t in enumerate(psutil.cpu_times(percpu=True))}
        times[ALL_CORES] = psutil.cpu_times()._asdict()
        before, self._cpu = self._cpu, times
        booted = psutil.boot_time()
        found = gauges(
            {
                metrics.CPU_CORES: float(len(times) - 1),
                metrics.BOOT_TIME: booted,
                metrics.UPTIME: time.time() - booted,
            }
        )
        for core, after in times.items():
            changes = {
                mode: after[mode] - before.get(core, after)[mode] for mode in after if not mode.startswith("guest")
            }
            total = sum(changes.values())
            if total <= 0 or min(changes.values()) < 0:
                continue
            for mode, change in changes.items():
                found.append(Sample(metrics.CPU_MODE_RATIO, change / total, (("core", core), ("mode", mode))))
            idle = changes["idle"] + changes.get("iowait", 0.0)
            found.append(Sample(metrics.CPU_BUSY_RATIO, 1 - idle / total, labels(core=core)))
        return found

    def _disks(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        for partition in psutil.disk_partitions(all=False):
            if partition.fstype in NO_DISKS:
                continue
            try:
                usage = shutil.disk_usage(partition.mountpoint)
            except OSError:
                continue
            found += self._disk(partition.mountpoint, usage.total, usage.used, usage.free, at)
        return found

    def _disk(self, mount: str, total: int, used: int, free: int, at: float) -> list[Sample]:
        trend = self._trends.setdefault(mount, FillTrend())
        trend.add(at, used)
        fill = trend.fill(free)
        return gauges(
            {
                metrics.DISK_TOTAL: total,
                metrics.DISK_USED: used,
                metrics.DISK_FREE: free,
                metrics.DISK_USED_RATIO: used / (used + free) if used + free else None,
                metrics.DISK_FULL: fill.seconds if fill else None,
                metrics.DISK_FILL_RATE: fill.trend.bytes_per_second if fill else None,
                metrics.DISK_FILL_WINDOW: fill.trend.window_seconds if fill else None,
            },
            mount=mount,
        )

    def _devices(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        for device, counted in (psutil.disk_io_counters(perdisk=True) or {}).items():
            names = {
                metrics.DEVICE_READ_RATE: counted.read_bytes,
                metrics.DEVICE_WRITTEN_RATE: counted.write_bytes,
                metrics.DEVICE_READS_RATE: counted.read_count,
                metrics.DEVICE_WRITES_RATE: counted.write_count,
            }
            found += gauges(self._per_second(names, device, at), device=device)
        return found

    def _network(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        states: dict[str, Any] = psutil.net_if_stats()
        for nic, counted in psutil.net_io_counters(pernic=True).items():
            names = {
                metrics.RECEIVE_RATE: counted.bytes_recv,
                metrics.TRANSMIT_RATE: counted.bytes_sent,
                metrics.RECEIVE_PACKETS_RATE: counted.packets_recv,
                metrics.TRANSMIT_PACKETS_RATE: counted.packets_sent,
                metrics.RECEIVE_ERRORS_RATE: counted.errin,
                metrics.TRANSMIT_ERRORS_RATE: counted.errout,
                metrics.RECEIVE_DROPS_RATE: counted.dropin,
                metrics.TRANSMIT_DROPS_RATE: counted.dropout,
            }
            values = self._per_second(names, nic, at)
            link = states[nic].speed * 1e6 / 8 if nic in states and states[nic].speed else None
            moved = [values[metrics.RECEIVE_RATE], values[metrics.TRANSMIT_RATE]]
            values[metrics.LINK_SPEED] = link
            if link and None not in moved:
                values[metrics.LINK_USED_RATIO] = max(value for value in moved if value is not None) / link
            found += gauges(values, nic=nic)
        return found

    def _per_second(self, counters: dict[Metric, int], of: str, at: float) -> dict[Metric, float | None]:
        return {metric: self._rates.per_second((metric, of), value, at) for metric, value in counters.items()}


def _load() -> list[Sample]:
    cores = psutil.cpu_count() or 1
    found: list[Sample] = []
    for minutes, load in zip(("1", "5", "15"), psutil.getloadavg(), strict=True):
        found += gauges({metrics.LOAD: load, metrics.LOAD_PER_CORE: load / cores}, minutes=minutes)
    return found


def _memory() -> list[Sample]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    used = memory.total - memory.available
    return gauges(
        {
            metrics.MEMORY_TOTAL: memory.total,
            metrics.MEMORY_USED: used,
            metrics.MEMORY_AVAILABLE: memory.available,
            metrics.MEMORY_FREE: memory.free,
            metrics.MEMORY_USED_RATIO: used / memory.total,
            metrics.SWAP_TOTAL: swap.total,
            metrics.SWAP_USED: swap.used,
            metrics.SWAP_FREE: swap.free,
            metrics.SWAP_USED_RATIO: swap.used / swap.total if swap.total else None,
        }
    )
