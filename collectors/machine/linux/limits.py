"""Kernel tables that can run out (file handles, threads) and temperatures."""

from __future__ import annotations

from collectors.base import gauges
from collectors.machine.linux.kernel import Kernel, Remembered
from core.machine import metrics
from core.model import Sample


class Limits:
    """Samples of file handles and threads against their limits."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._thread_limit: Remembered[float | None] = Remembered()

    def samples(self, at: float) -> list[Sample]:
        return [*self._files(), *self._threads(at)]

    def _files(self) -> list[Sample]:
        words = (self._kernel.proc("sys/fs/file-nr") or "").split()
        if len(words) != 3:
            return []
        used, limit = int(words[0]) - int(words[1]), int(words[2])
        return gauges(
            {
                metrics.FILES_OPEN: used,
                metrics.FILES_LIMIT: limit,
                metrics.FILES_USED_RATIO: used / limit if limit else None,
            }
        )

    def _threads(self, at: float) -> list[Sample]:
        if self._thread_limit.is_due(at):
            texts = [self._kernel.proc(f"sys/kernel/{name}") for name in ("pid_max", "threads-max")]
            known = [float(text) for text in texts if text]
            self._thread_limit.put(min(known) if known else None, at)
        return gauges({metrics.THREADS_LIMIT: self._thread_limit.value})


class Temperatures:
    """Samples of every sensor that the machine shows; a virtual machine shows none."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sensors: Remembered[list[tuple[str, str]]] = Remembered()

    def samples(self, at: float) -> list[Sample]:
        if self._sensors.is_due(at):
            self._sensors.put(find_sensors(self._kernel), at)
        found: list[Sample] = []
        for sensor, path in self._sensors.value or []:
            millidegrees = self._kernel.sys_number(path)
            celsius = millidegrees / 1e3 if millidegrees is not None else None
            found += gauges({metrics.TEMPERATURE: celsius}, sensor=sensor)
        return found


def find_sensors(kernel: Kernel) -> list[tuple[str, str]]:
    """Return (name, file under /sys) of each sensor: hardware monitors first, thermal zones where there are none."""
    found: dict[str, str] = {}
    for chip in kernel.list_sys("class/hwmon"):
        folder = f"class/hwmon/{chip}"
        name = (kernel.sys(f"{folder}/name") or chip).strip()
        for file in kernel.list_sys(folder):
            if file.startswith("temp") and file.endswith("_input"):
                label = (kernel.sys(f"{folder}/{file[:-6]}_label") or file[:-6]).strip()
                sensor = f"{name} {label}"
                # Two disks of one kind call themselves the same; the chip's number tells them apart.
                found[f"{sensor} {chip}" if sensor in found else sensor] = f"{folder}/{file}"
    if found:
        return list(found.items())
    zones = [zone for zone in kernel.list_sys("class/thermal") if zone.startswith("thermal_zone")]
    return [
        ((kernel.sys(f"class/thermal/{zone}/type") or zone).strip() + f" {zone[12:]}", f"class/thermal/{zone}/temp")
        for zone in zones
    ]
