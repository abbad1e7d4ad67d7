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
        times["total"] = psutil.cpu_times()._asdict()
        before, self._cpu = self._cpu, times
        booted = psutil.boot_time()
        found = gauges(
            {
                "system_cpu_cores": float(len(times) - 1),
                "system_boot_time_seconds": booted,
                "system_uptime_seconds": time.time() - booted,
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
                found.append(Sample("system_cpu_mode_ratio", change / total, (("core", core), ("mode", mode))))
            idle = changes["idle"] + changes.get("iowait", 0.0)
            found.append(Sample("system_cpu_busy_ratio", 1 - idle / total, labels(core=core)))
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
                "system_disk_total_bytes": total,
                "system_disk_used_bytes": used,
                "system_disk_free_bytes": free,
                "system_disk_used_ratio": used / (used + free) if used + free else None,
                "system_disk_full_seconds": fill.seconds if fill else None,
                "system_disk_fill_bytes_per_second": fill.trend.bytes_per_second if fill else None,
                "system_disk_fill_window_seconds": fill.trend.window_seconds if fill else None,
            },
            mount=mount,
        )

    def _devices(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        for device, counted in (psutil.disk_io_counters(perdisk=True) or {}).items():
            names = {
                "system_device_read_bytes_per_second": counted.read_bytes,
                "system_device_written_bytes_per_second": counted.write_bytes,
                "system_device_reads_per_second": counted.read_count,
                "system_device_writes_per_second": counted.write_count,
            }
            found += gauges(self._per_second(names, device, at), device=device)
        return found

    def _network(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        states: dict[str, Any] = psutil.net_if_stats()
        for nic, counted in psutil.net_io_counters(pernic=True).items():
            names = {
                "system_network_receive_bytes_per_second": counted.bytes_recv,
                "system_network_transmit_bytes_per_second": counted.bytes_sent,
                "system_network_receive_packets_per_second": counted.packets_recv,
                "system_network_transmit_packets_per_second": counted.packets_sent,
                "system_network_receive_errors_per_second": counted.errin,
                "system_network_transmit_errors_per_second": counted.errout,
                "system_network_receive_drops_per_second": counted.dropin,
                "system_network_transmit_drops_per_second": counted.dropout,
            }
            values = self._per_second(names, nic, at)
            link = states[nic].speed * 1e6 / 8 if nic in states and states[nic].speed else None
            moved = [values[name] for name in list(names)[:2]]
            values["system_network_link_bytes_per_second"] = link
            if link and None not in moved:
                values["system_network_link_used_ratio"] = max(value for value in moved if value is not None) / link
            found += gauges(values, nic=nic)
        return found

    def _per_second(self, counters: dict[str, int], of: str, at: float) -> dict[str, float | None]:
        return {metric: self._rates.per_second((metric, of), value, at) for metric, value in counters.items()}


def _load() -> list[Sample]:
    cores = psutil.cpu_count() or 1
    found: list[Sample] = []
    for minutes, load in zip(("1", "5", "15"), psutil.getloadavg(), strict=True):
        found += gauges({"system_load": load, "system_load_per_core": load / cores}, minutes=minutes)
    return found


def _memory() -> list[Sample]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    used = memory.total - memory.available
    return gauges(
        {
            "system_memory_total_bytes": memory.total,
            "system_memory_used_bytes": used,
            "system_memory_available_bytes": memory.available,
            "system_memory_free_bytes": memory.free,
            "system_memory_used_ratio": used / memory.total,
            "system_swap_total_bytes": swap.total,
            "system_swap_used_bytes": swap.used,
            "system_swap_free_bytes": swap.free,
            "system_swap_used_ratio": swap.used / swap.total if swap.total else None,
        }
    )
