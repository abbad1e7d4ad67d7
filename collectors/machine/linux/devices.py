"""Disk devices: bytes, operations, utilisation and waiting time (/proc/diskstats)."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.base import gauges
from collectors.machine.linux.kernel import Kernel, Remembered
from core.machine import metrics
from core.model import Sample
from core.rates import Rates

SECTOR_BYTES = 512
"""The unit of /proc/diskstats on every device, whatever its own sector size."""
NOT_DISKS = ("loop", "ram", "zram", "sr", "fd")


@dataclass(frozen=True, slots=True)
class DeviceCounters:
    """Counters of a device since boot."""

    reads: int
    read_bytes: int
    writes: int
    written_bytes: int
    waited_milliseconds: int
    """Time that finished reads and writes spent waiting and being served, summed over them."""
    busy_milliseconds: int
    queue_milliseconds: int
    """Integral of the number of requests in flight."""


def parse_diskstats(text: str) -> dict[str, DeviceCounters]:
    """Return the counters by device name, partitions included."""
    found: dict[str, DeviceCounters] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 14:
            continue
        reads, _, sectors_read, read_ms, writes, _, sectors_written, write_ms, _, busy, queue = map(int, words[3:14])
        found[words[2]] = DeviceCounters(
            reads=reads,
            read_bytes=sectors_read * SECTOR_BYTES,
            writes=writes,
            written_bytes=sectors_written * SECTOR_BYTES,
            waited_milliseconds=read_ms + write_ms,
            busy_milliseconds=busy,
            queue_milliseconds=queue,
        )
    return found


class Devices:
    """Samples of whole devices; partitions, loop and memory devices are left out, and what never moved a byte."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rates = Rates()
        self._whole: Remembered[frozenset[str]] = Remembered()

    def samples(self, at: float) -> list[Sample]:
        if self._whole.is_due(at):
            names = self._kernel.list_sys("block")
            self._whole.put(frozenset(name for name in names if not name.startswith(NOT_DISKS)), at)
            self._rates.forget(at - Remembered.SECONDS)
        whole = self._whole.value or frozenset()
        counters = parse_diskstats(self._kernel.proc("diskstats") or "")
        found: list[Sample] = []
        for device, counted in counters.items():
            if device in whole and counted.reads + counted.writes:
                found += self._device(device, counted, at)
        return found

    def _device(self, device: str, counted: DeviceCounters, at: float) -> list[Sample]:
        def rate(name: str) -> float | None:
            return self._rates.per_second((device, name), getattr(counted, name), at)

        operations = self._rates.step((device, "operations"), counted.reads + counted.writes, at)
        waited = self._rates.step((device, "waited"), counted.waited_milliseconds, at)
        busy, queue = rate("busy_milliseconds"), rate("queue_milliseconds")
        wait = waited.change / operations.change / 1e3 if waited and operations and operations.change else None
        return gauges(
            {
                metrics.DEVICE_READ_RATE: rate("read_bytes"),
                metrics.DEVICE_WRITTEN_RATE: rate("written_bytes"),
                metrics.DEVICE_READS_RATE: rate("reads"),
                metrics.DEVICE_WRITES_RATE: rate("writes"),
                metrics.DEVICE_BUSY_RATIO: min(busy / 1e3, 1.0) if busy is not None else None,
                metrics.DEVICE_AWAIT: wait,
                metrics.DEVICE_QUEUE: queue / 1e3 if queue is not None else None,
            },
            device=device,
        )
