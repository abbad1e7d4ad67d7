"""Memory, swap, OOM kills and pressure (/proc/meminfo, /proc/vmstat, /proc/pressure, a container's limit)."""

from __future__ import annotations

import mmap
import re

from collectors.base import gauges
from collectors.machine.linux.cgroup import MemoryLimit, MemoryUse
from collectors.machine.linux.kernel import Kernel
from core.machine import metrics
from core.model import Sample
from core.rates import Rates

PRESSURES = ("cpu", "memory", "io")
WINDOWS = (("avg10", "10s"), ("avg60", "60s"), ("avg300", "300s"))


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the fields of /proc/meminfo in bytes; fields without a unit are counts."""
    fields: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words:
            fields[name] = int(words[0]) * (1024 if len(words) > 1 else 1)
    return fields


VMSTAT = re.compile(r"^(pswpin|pswpout|pgmajfault|oom_kill) (\d+)$", re.MULTILINE)


def parse_vmstat(text: str) -> dict[str, int]:
    """Return the counters of /proc/vmstat that matter here."""
    return {name: int(value) for name, value in VMSTAT.findall(text)}


def parse_pressure(text: str) -> dict[str, dict[str, float]]:
    """Return by kind (some, full) the averages in percent and `total` in microseconds."""
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        kind, *pairs = line.split()
        found[kind] = {name: float(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    return found


class Memory:
    """Samples of memory and swap. Used is what is not available: what programs could not have any more."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rates = Rates()
        self._limit = MemoryLimit(kernel)

    def samples(self, at: float) -> list[Sample]:
        fields = parse_meminfo(self._kernel.proc("meminfo") or "")
        counters = parse_vmstat(self._kernel.proc("vmstat") or "")
        return [*self._memory(fields, at), *_swap(fields), *self._counters(counters, at)]

    def _memory(self, fields: dict[str, int], at: float) -> list[Sample]:
        """Return the samples of the memory that runs out first: the machine's, or what our control group may have."""
        total, available = fields.get("MemTotal"), fields.get("MemAvailable")
        if not total or available is None:
            return []
        limited = self._limit.look(at, total)
        if limited is None:
            return _of_machine(fields, total, available)
        return _of_group(*limited, total, available)

    def _counters(self, counters: dict[str, int], at: float) -> list[Sample]:
        def rate(name: str, unit: int = 1) -> float | None:
            return self._rates.per_second(name, counters[name] * unit, at) if name in counters else None

        return gauges(
            {
                metrics.SWAP_IN_RATE: rate("pswpin", mmap.PAGESIZE),
                metrics.SWAP_OUT_RATE: rate("pswpout", mmap.PAGESIZE),
                metrics.MAJOR_FAULTS_RATE: rate("pgmajfault"),
                metrics.OOM_KILLS_RATE: rate("oom_kill"),
                metrics.OOM_KILLS: counters.get("oom_kill"),
            }
        )


def _of_machine(fields: dict[str, int], total: int, available: int) -> list[Sample]:
    used = max(total - available, 0)
    reclaimable = fields.get("Cached", 0) + fields.get("SReclaimable", 0)
    return gauges(
        {
            metrics.MEMORY_TOTAL: total,
            metrics.MEMORY_USED: used,
            metrics.MEMORY_AVAILABLE: available,
            metrics.MEMORY_FREE: fields.get("MemFree"),
            metrics.MEMORY_BUFFERS: fields.get("Buffers"),
            metrics.MEMORY_CACHED: reclaimable,
            metrics.MEMORY_SHARED: fields.get("Shmem"),
            metrics.MEMORY_DIRTY: fields.get("Dirty"),
            metrics.MEMORY_USED_RATIO: used / total,
        }
    )


def _of_group(limit: float, use: MemoryUse, host_total: int, host_available: int) -> list[Sample]:
    return gauges(
        {
            metrics.MEMORY_TOTAL: limit,
            metrics.MEMORY_LIMIT: limit,
            metrics.MEMORY_USED: use.used,
            metrics.MEMORY_AVAILABLE: max(limit - use.used, 0.0),
            metrics.MEMORY_FREE: max(limit - use.total, 0.0),
            metrics.MEMORY_CACHED: use.file,
            metrics.MEMORY_USED_RATIO: use.used / limit if limit else None,
            metrics.HOST_MEMORY_TOTAL: host_total,
            metrics.HOST_MEMORY_USED_RATIO: max(host_total - host_available, 0) / host_total,
        }
    )


def _swap(fields: dict[str, int]) -> list[Sample]:
    total, free = fields.get("SwapTotal"), fields.get("SwapFree")
    if total is None or free is None:
        return []
    used = max(total - free, 0)
    return gauges(
        {
            metrics.SWAP_TOTAL: total,
            metrics.SWAP_USED: used,
            metrics.SWAP_FREE: free,
            metrics.SWAP_USED_RATIO: used / total if total else None,
        }
    )


class Pressure:
    """Pressure stall information: the share of time that some, or all, tasks waited for a resource."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rates = Rates()

    def samples(self, at: float) -> list[Sample]:
        found: list[Sample] = []
        for resource in PRESSURES:
            kinds = parse_pressure(self._kernel.proc(f"pressure/{resource}") or "")
            for kind, values in kinds.items():
                found += self._kind(resource, kind, values, at)
        return found

    def _kind(self, resource: str, kind: str, values: dict[str, float], at: float) -> list[Sample]:
        found: list[Sample] = []
        for field, window in WINDOWS:
            if field in values:
                metric = {metrics.PRESSURE_RATIO: values[field] / 100}
                found += gauges(metric, resource=resource, kind=kind, window=window)
        rate = self._rates.per_second((resource, kind), values["total"], at) if "total" in values else None
        stalled = min(rate / 1e6, 1.0) if rate is not None else None
        return found + gauges({metrics.PRESSURE_STALL_RATIO: stalled}, resource=resource, kind=kind)
