"""From samples to components: is this machine's CPU, memory, disk, … fine, and a sentence that says why.

Two rules together give a state, and the worse one counts:

* the scale: every component has a limit (all its cores, its memory, a disk's size, a link's speed, the clock
  error that trading bears). Below 70 % of it is fine, from 70 % a warning, above 85 % critical;
* the thresholds of the settings, drawn as lines on the charts. CPU is held against them by its 5-minute
  average as soon as there is one, so that they do not answer to a burst.

So a crossed line is never shown calmer than it is, and the settings can only make a state more severe. What
cannot be measured has no component; what ought to be known and is not (an undisciplined clock) is no "ok".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from core.format import bytes_, coarse_duration, count, duration, number, percent, tenths
from core.limits import LOAD_LIMIT_PER_CORE, PRESSURE_LIMITS, WARNING_SHARE, Limit, on_scale
from core.model import SEVERITY, Component, Labels, Sample, Status, Table, labels, worst
from core.settings.model import Thresholds

PACKET_LOSS_WARNING_PER_SECOND = 1.0
PRESSURE_WORDS = {"cpu": "some task waited for a core", "memory": "all tasks waited for memory",
                  "io": "all tasks waited for a disk"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A component and how much of its limit it uses: the length of its bar. None where it has no limit."""

    component: Component
    share: float | None


class Values:
    """Samples by metric and labels, as the judges below ask for them."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[str, dict[Labels, float]] = {}
        for sample in samples:
            self._values.setdefault(sample.metric, {})[sample.labels] = sample.value

    def get(self, metric: str, **pairs: str) -> float | None:
        """Return one value, or None when it was not measured."""
        return self._values.get(metric, {}).get(labels(**pairs))

    def by(self, metric: str, label: str) -> Mapping[str, float]:
        """Return the values of a metric by one of its labels."""
        return {dict(pairs)[label]: value for pairs, value in self._values.get(metric, {}).items()}


def judge(samples: Iterable[Sample], thresholds: Thresholds) -> list[Judged]:
    """Return every component that the samples tell of."""
    values = Values(samples)
    judges: tuple[Callable[[Values, Thresholds], list[Judged]], ...] = (
        _cpu, _memory, _swap, _disks, _disk_io, _network, _load, _pressure, _clock,
    )  # fmt: skip
    return [judged for judged_by in judges for judged in judged_by(values, thresholds)]


def shares_table(judged: Iterable[Judged]) -> Table:
    """Return how much of its limit each component uses, for the bars of the live view."""
    rows = tuple((each.component.name, each.share) for each in judged if each.share is not None)
    return Table("shares", ("component", "share_ratio"), rows)


def _cpu(values: Values, thresholds: Thresholds) -> list[Judged]:
    now, five = values.get("system_cpu_busy_ratio", core="total"), values.get("system_cpu_busy_5m_ratio")
    if now is None:
        return []
    lasting = five if five is not None else now
    crossed = Limit(thresholds.cpu_warning_ratio, thresholds.cpu_critical_ratio).status(lasting)
    cores = values.get("system_cpu_cores")
    why = f"{percent(now)} of {count(cores, 'core')} busy" if cores else f"{percent(now)} busy"
    if five is not None:
        why += f", {percent(five)} over 5 minutes"
    return [_judged("CPU", worst([on_scale(now), crossed]), why, now, "ratio", now)]


def _memory(values: Values, thresholds: Thresholds) -> list[Judged]:
    used, total = values.get("system_memory_used_ratio"), values.get("system_memory_total_bytes")
    if used is None or total is None:
        return []
    crossed = Limit(thresholds.memory_warning_ratio, thresholds.memory_critical_ratio).status(used)
    why = f"{percent(used)} of {bytes_(total)} in use"
    killed = values.get("system_oom_kills_per_second")
    if killed:
        return [_judged("Memory", Status.CRITICAL, f"{why}; the kernel just killed a process for want of memory",
                        used, "ratio", used)]  # fmt: skip
    return [_judged("Memory", worst([on_scale(used), crossed]), why, used, "ratio", used)]


def _swap(values: Values, thresholds: Thresholds) -> list[Judged]:
    total, used = values.get("system_swap_total_bytes"), values.get("system_swap_used_ratio")
    if total == 0:
        return [_judged("Swap", Status.NOT_CONFIGURED, "this machine has no swap", None, "ratio", None)]
    if total is None or used is None:
        return []
    crossed = Limit(thresholds.swap_warning_ratio, thresholds.swap_critical_ratio).status(used)
    why = f"{percent(used)} of {bytes_(total)} in use"
    return [_judged("Swap", worst([on_scale(used), crossed]), why, used, "ratio", used)]


def _disks(values: Values, thresholds: Thresholds) -> list[Judged]:
    """One component a mount, the one in most trouble first."""
    judged = [
        _disk(mount, used, values, thresholds) for mount, used in values.by("system_disk_used_ratio", "mount").items()
    ]
    return sorted(judged, key=lambda each: (-SEVERITY[each.component.status], -(each.share or 0.0)))


def _disk(mount: str, used: float, values: Values, thresholds: Thresholds) -> Judged:
    name = f"Disk {mount}"
    if values.get("system_disk_became_read_only", mount=mount):
        return _judged(name, Status.CRITICAL, "turned read-only: the kernel stops writing after errors",
                       used, "ratio", used)  # fmt: skip
    if values.get("system_disk_read_only", mount=mount):
        return _judged(name, Status.OK, "mounted read-only: it cannot fill", used, "ratio", None)
    free = values.get("system_disk_free_bytes", mount=mount)
    crossed = Limit(thresholds.disk_warning_ratio, thresholds.disk_critical_ratio).status(used)
    states = [on_scale(used), crossed]
    why = f"{percent(used)} full" + (f", {bytes_(free)} free" if free is not None else "")
    full, speed = (values.get(f"system_disk_{part}", mount=mount) for part in ("full_seconds", "fill_bytes_per_second"))
    if full is not None and speed is not None:
        hours = (values.get("system_disk_fill_window_seconds", mount=mount) or 3_600) / 3_600
        window = "hour's" if hours == 1 else f"{hours:.0f} hours'"
        why += f"; full in {coarse_duration(full)} at the last {window} rate (+{bytes_(speed * 3_600)}/h)"
        until_full = Limit(thresholds.disk_full_warning_seconds, thresholds.disk_full_critical_seconds, is_floor=True)
        states.append(until_full.status(full))
    inodes = values.get("system_disk_inodes_used_ratio", mount=mount)
    if inodes is not None and inodes >= WARNING_SHARE:
        why += f"; {percent(inodes)} of its inodes used"
        states.append(on_scale(inodes))
    return _judged(name, worst(states), why, used, "ratio", used)


def _disk_io(values: Values, _: Thresholds) -> list[Judged]:
    busy = values.by("system_device_busy_ratio", "device")
    if not busy:
        return []
    device = max(busy, key=busy.__getitem__)
    waited = values.get("system_device_await_seconds", device=device)
    why = f"{device} busy {percent(busy[device])} of the time"
    if waited is not None:
        why += f", {duration(waited)} a request"
    return [_judged("Disk I/O", on_scale(busy[device]), why, busy[device], "ratio", busy[device])]


def _network(values: Values, thresholds: Thresholds) -> list[Judged]:
    received = {n: v for n, v in values.by("system_network_receive_bytes_per_second", "nic").items() if n != "lo"}
    if not received:
        return []
    lost = {
        nic: sum(
            values.get(f"system_network_{way}_{what}_per_second", nic=nic) or 0.0
            for way in ("receive", "transmit")
            for what in ("errors", "drops")
        )
        for nic in received
    }
    bad = max(lost, key=lost.__getitem__)
    losing = Limit(PACKET_LOSS_WARNING_PER_SECOND).status(lost[bad])
    loss = f"; {bad} loses {tenths(lost[bad])} packets a second" if losing is Status.WARNING else ""
    shares = values.by("system_network_link_used_ratio", "nic")
    if not shares:
        moved = sum(received.values()) + sum(
            values.get("system_network_transmit_bytes_per_second", nic=nic) or 0.0 for nic in received
        )
        why = f"{bytes_(moved)}/s in and out; no interface tells its link's speed{loss}"
        return [_judged("Network", losing, why, moved, "bytes_per_second", None)]
    nic = max(shares, key=shares.__getitem__)
    crossed = Limit(thresholds.network_warning_ratio, thresholds.network_critical_ratio).status(shares[nic])
    link = values.get("system_network_link_bytes_per_second", nic=nic) or 0.0
    why = f"{nic} uses {percent(shares[nic])} of {link * 8 / 1e9:g} Gbit/s{loss}"
    status = worst([on_scale(shares[nic]), crossed, losing])
    return [_judged("Network", status, why, shares[nic], "ratio", shares[nic])]


def _load(values: Values, _: Thresholds) -> list[Judged]:
    load, per_core = values.get("system_load", minutes="5"), values.get("system_load_per_core", minutes="5")
    if load is None or per_core is None:
        return []
    share = per_core / LOAD_LIMIT_PER_CORE
    why = f"{number(load, 2)} tasks running or waiting over 5 minutes, {number(per_core, 2)} a core"
    return [_judged("Load", on_scale(share), why, load, "count", share)]


def _pressure(values: Values, _: Thresholds) -> list[Judged]:
    shares: dict[str, tuple[float, float]] = {}
    for (resource, kind), limit in PRESSURE_LIMITS.items():
        stalled = values.get("system_pressure_ratio", resource=resource, kind=kind, window="60s")
        if stalled is not None:
            shares[resource] = (stalled / limit, stalled)
    if not shares:
        return []
    resource = max(shares, key=shares.__getitem__)
    share, stalled = shares[resource]
    why = f"{PRESSURE_WORDS[resource]} {percent(stalled)} of the last minute"
    return [_judged("Pressure", on_scale(share), why, stalled, "ratio", share)]


def _clock(values: Values, thresholds: Thresholds) -> list[Judged]:
    synchronised = values.get("system_clock_synchronised")
    offset = values.get("system_clock_offset_seconds")
    if synchronised is None:
        return [_judged("Clock", Status.UNKNOWN, "this machine does not tell how far its clock is off",
                        None, "seconds", None)]  # fmt: skip
    if not synchronised or offset is None:
        return [_judged("Clock", Status.WARNING, "no time server disciplines this clock: how far it is off is unknown",
                        None, "seconds", None)]  # fmt: skip
    limit = thresholds.clock_offset_seconds
    share = abs(offset) / limit
    why = f"{duration(abs(offset))} off, {duration(limit)} allowed"
    states = [on_scale(share), Limit(limit / 2, limit).status(abs(offset))]
    return [_judged("Clock", worst(states), why, offset, "seconds", share)]


def _judged(name: str, status: Status, why: str, value: float | None, unit: str, share: float | None) -> Judged:
    return Judged(Component(name, status, why, value, unit), share)
