"""A machine with a known past: its disk /data fills by 4 GiB an hour, its CPU follows a slow wave."""

from __future__ import annotations

import math
from collections.abc import Sequence

from collectors.machine.judge import judge
from core.machine.spec import Mount, Process, Share
from core.model import Component, Reading, Sample, Status
from core.settings.thresholds import Thresholds
from core.tables import table_of
from storage.stores import Stores

GIB = 2.0**30
STEP_SECONDS = 5
TOTAL_GIB, FILL_GIB_PER_HOUR = 100.0, 4.0


def cpu_busy(ts: float) -> float:
    """Return the busy share at a time: between 0.1 and 0.5, one wave in ten minutes."""
    return 0.3 + 0.2 * math.sin(ts / 600 * 2 * math.pi)


def samples(ts: float, disk_used: float = 0.5, cpu: float | None = None) -> list[Sample]:
    """Return what the system collector would have said at `ts`; disk_used is the used share of /data."""
    busy = cpu_busy(ts) if cpu is None else cpu
    free_gib = TOTAL_GIB * (1 - disk_used)
    found = [
        Sample("system_cpu_cores", 2.0),
        Sample("system_memory_total_bytes", 32 * GIB),
        Sample("system_memory_used_bytes", 16 * GIB),
        Sample("system_memory_available_bytes", 16 * GIB),
        Sample("system_memory_free_bytes", 10 * GIB),
        Sample("system_memory_used_ratio", 0.5),
        Sample("system_boot_time_seconds", ts // 86_400 * 86_400 - 86_400 * 30),
        Sample("system_clock_synchronised", 1.0),
        Sample("system_clock_offset_seconds", -0.0021),
        Sample("system_oom_kills_total", 0.0),
    ]
    for core in ("total", "0", "1"):
        found.append(Sample("system_cpu_busy_ratio", busy, (("core", core),)))
        for mode, share in (("user", busy * 0.75), ("system", busy * 0.25), ("iowait", 0.0), ("idle", 1 - busy)):
            found.append(Sample("system_cpu_mode_ratio", share, (("core", core), ("mode", mode))))
    for minutes in ("1", "5", "15"):
        found.append(Sample("system_load", 0.8, (("minutes", minutes),)))
        found.append(Sample("system_load_per_core", 0.4, (("minutes", minutes),)))
    for resource, kind in (("cpu", "some"), ("memory", "full"), ("io", "full")):
        pressed = (("kind", kind), ("resource", resource))
        found.append(Sample("system_pressure_stall_ratio", 0.01, pressed))
        found.append(Sample("system_pressure_ratio", 0.01, (*pressed, ("window", "60s"))))
    mounted = {
        "used_ratio": disk_used,
        "total_bytes": TOTAL_GIB * GIB,
        "used_bytes": disk_used * TOTAL_GIB * GIB,
        "free_bytes": free_gib * GIB,
        "full_seconds": free_gib / FILL_GIB_PER_HOUR * 3_600,
        "fill_bytes_per_second": FILL_GIB_PER_HOUR * GIB / 3_600,
        "fill_window_seconds": 3_600.0,
        "inodes_used_ratio": 0.01,
    }
    found += [Sample(f"system_disk_{name}", value, (("mount", "/data"),)) for name, value in mounted.items()]
    moved = {
        "receive_bytes_per_second": 2e6,
        "transmit_bytes_per_second": 1e6,
        "link_used_ratio": 0.016,
        "link_bytes_per_second": 1.25e8,
        "receive_drops_per_second": 3.0,
        "up": 1.0,
    }
    found += [Sample(f"system_network_{name}", value, (("nic", "eth0"),)) for name, value in moved.items()]
    served = {
        "busy_ratio": 0.12,
        "await_seconds": 0.0004,
        "read_bytes_per_second": 1e6,
        "written_bytes_per_second": 3e6,
        "reads_per_second": 5.0,
        "writes_per_second": 7.0,
    }
    return found + [Sample(f"system_device_{name}", value, (("device", "nvme0"),)) for name, value in served.items()]


def reading(now: float, disk_used: float = 0.5, cpu: float | None = None) -> Reading:
    """Return the reading of the system collector at `now`, judged as it judges."""
    said = samples(now, disk_used, cpu)
    judged = judge(said, Thresholds())
    shares = table_of(Share, [each.share for each in judged])
    mounts = table_of(Mount, [Mount("/data", "/dev/nvme0n1p1", "ext4")])
    return Reading(said, [each.component for each in judged], [shares, mounts])


def processes(count: int = 40) -> Reading:
    """Return the reading of the process collector: process 1000 + n uses n % of a core."""
    rows = [
        Process(
            1_000 + n, f"worker {n}", "trade", "sleeping", n / 100, (count - n) * 1_048_576, 0.0, 10.0 * n, 4, 3_600.0,
            False,
        )
        for n in range(count)
    ]  # fmt: skip
    return Reading((), (Component("Processes", Status.OK, f"{count} processes"),), (table_of(Process, rows),))


def remember(stores: Stores, start: float, end: float, gap: Sequence[float] = (0, 0)) -> None:
    """Store the machine's past from `start` to `end` (epoch seconds), without what lies in `gap`."""
    for ts in range(int(start), int(end), STEP_SECONDS):
        if not gap[0] <= ts < gap[1]:
            used = 0.5 - (end - ts) / 3_600 * FILL_GIB_PER_HOUR / TOTAL_GIB
            stores.writer.put(stores.settings.machine, ts, samples(ts, used))
    stores.writer.flush()


def show(stores: Stores, now: float, disk_used: float = 0.5, cpu: float | None = None) -> None:
    """Make a reading taken at `now` the newest of both collectors."""
    host = stores.settings.machine
    stores.live.put_reading("system", host, now, 5, reading(now, disk_used, cpu))
    stores.live.put_reading("processes", host, now, 15, processes())
    stores.live.bump("system")
