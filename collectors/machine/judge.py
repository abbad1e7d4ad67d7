"""From samples to components: is this machine's CPU, memory, disk, … fine, and a sentence that says why.

What has thresholds in the settings (CPU, memory, swap, disks, network, clock) is judged by them alone, and they are the
lines on its chart. CPU is held against them by its 5-minute average as soon as there is one: it does not answer to a
burst. What has none (disk I/O, inodes, load, pressure) is judged on the scale of core.limits: from 70 % of its
limit a warning, above 85 % critical.

What cannot be measured has no component; what ought to be known and is not (an undisciplined clock) is no "ok".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from core.format import bytes_, coarse_duration, cores_of, count, duration, number, percent, tenths
from core.limits import WARNING_SHARE, on_scale
from core.machine import metrics
from core.machine.spec import (
    ALL_CORES,
    LIMIT_OF,
    LOAD_LIMIT_PER_CORE,
    LOOPBACK,
    PACKET_LOSS,
    PRESSURE_WINDOW,
    PRESSURES,
    Checks,
    Judged,
    Share,
)
from core.model import SEVERITY, Component, Labels, Sample, Status, labels, worst
from core.settings.thresholds import Thresholds


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


def _cpu(values: Values, thresholds: Thresholds) -> list[Judged]:
    now, five = values.get(metrics.CPU_BUSY_RATIO, core=ALL_CORES), values.get(metrics.CPU_BUSY_5M_RATIO)
    if now is None:
        return []
    limited = _cpu_of_limit(values, thresholds)
    if limited is not None:
        return [limited]
    cores = values.get(metrics.CPU_CORES)
    why = f"{percent(now)} of {count(cores, 'core')} busy" if cores else f"{percent(now)} busy"
    if five is not None:
        why += f", {percent(five)} over 5 minutes"
    return [_ratio(Checks.CPU, thresholds.cpu.status(five if five is not None else now), why, now)]


def _cpu_of_limit(values: Values, thresholds: Thresholds) -> Judged | None:
    """Return how much of its CPU quota our container uses; None without a quota, or before the second reading."""
    cores, now = values.get(metrics.CPU_LIMIT), values.get(metrics.CPU_OF_LIMIT_RATIO)
    if cores is None or now is None:
        return None
    five = values.get(metrics.CPU_OF_LIMIT_5M_RATIO)
    why = f"{percent(now)} of {cores_of(cores)} busy, the {LIMIT_OF}"
    why += f"; {percent(five)} over 5 minutes" if five is not None else ""
    return _ratio(Checks.CPU, thresholds.cpu.status(five if five is not None else now), why, now)


def _memory(values: Values, thresholds: Thresholds) -> list[Judged]:
    used, total = values.get(metrics.MEMORY_USED_RATIO), values.get(metrics.MEMORY_TOTAL)
    if used is None or total is None:
        return []
    why, states = f"{percent(used)} of {bytes_(total)} in use", [thresholds.memory.status(used)]
    host = values.get(metrics.HOST_MEMORY_USED_RATIO)
    if host is not None:
        # The host's memory ends for its containers too, however little of their own they use.
        why += f", the {LIMIT_OF}; host at {percent(host)}"
        states.append(thresholds.memory.status(host))
    if values.get(metrics.OOM_KILLS_RATE):
        return [_ratio(Checks.MEMORY, Status.CRITICAL, f"{why}; out of memory: the kernel just killed a process", used)]
    return [_ratio(Checks.MEMORY, worst(states), why, used)]


def _swap(values: Values, thresholds: Thresholds) -> list[Judged]:
    total, used = values.get(metrics.SWAP_TOTAL), values.get(metrics.SWAP_USED_RATIO)
    if total == 0:
        return [_judged(Checks.SWAP, Status.NOT_CONFIGURED, "this machine has no swap", None, "ratio", None)]
    if total is None or used is None:
        return []
    why = f"{percent(used)} of {bytes_(total)} in use"
    return [_ratio(Checks.SWAP, thresholds.swap.status(used), why, used)]


def _disks(values: Values, thresholds: Thresholds) -> list[Judged]:
    """One component a mount, the one in most trouble first."""
    judged = [
        _disk(mount, used, values, thresholds) for mount, used in values.by(metrics.DISK_USED_RATIO, "mount").items()
    ]
    return sorted(judged, key=lambda each: (-SEVERITY[each.component.status], -(each.share.share_ratio or 0.0)))


def _disk(mount: str, used: float, values: Values, thresholds: Thresholds) -> Judged:
    def judged(status: Status, why: str, share: float | None = used) -> Judged:
        return _judged(Checks.DISK, status, why, used, "ratio", share, subject=mount, name=f"{Checks.DISK} {mount}")

    if values.get(metrics.DISK_BECAME_READ_ONLY, mount=mount):
        return judged(Status.CRITICAL, "turned read-only: the kernel stops writing after errors")
    if values.get(metrics.DISK_READ_ONLY, mount=mount):
        return judged(Status.OK, "mounted read-only: it cannot fill", None)
    free = values.get(metrics.DISK_FREE, mount=mount)
    states = [thresholds.disk.status(used)]
    why = f"{percent(used)} full" + (f", {bytes_(free)} free" if free is not None else "")
    full, speed = values.get(metrics.DISK_FULL, mount=mount), values.get(metrics.DISK_FILL_RATE, mount=mount)
    if full is not None and speed is not None:
        hours = (values.get(metrics.DISK_FILL_WINDOW, mount=mount) or 3_600) / 3_600
        window = "hour's" if hours == 1 else f"{hours:.0f} hours'"
        why += f"; full in {coarse_duration(full)} at the last {window} rate (+{bytes_(speed * 3_600)}/h)"
        states.append(thresholds.disk_full.status(full))
    inodes = values.get(metrics.DISK_INODES_USED_RATIO, mount=mount)
    if inodes is not None and inodes >= WARNING_SHARE:
        why += f"; {percent(inodes)} of its inodes used"
        states.append(on_scale(inodes))
    return judged(worst(states), why)


def _disk_io(values: Values, _: Thresholds) -> list[Judged]:
    busy = values.by(metrics.DEVICE_BUSY_RATIO, "device")
    if not busy:
        return []
    device = max(busy, key=busy.__getitem__)
    waited = values.get(metrics.DEVICE_AWAIT, device=device)
    why = f"{device} busy {percent(busy[device])} of the time"
    if waited is not None:
        why += f", {duration(waited)} per request"
    return [_ratio(Checks.DISK_IO, on_scale(busy[device]), why, busy[device], device)]


def _network(values: Values, thresholds: Thresholds) -> list[Judged]:
    received = {nic: rate for nic, rate in values.by(metrics.RECEIVE_RATE, "nic").items() if nic != LOOPBACK}
    if not received:
        return []
    lost = {nic: sum(values.get(metric, nic=nic) or 0.0 for metric in metrics.NETWORK_LOSSES) for nic in received}
    bad = max(lost, key=lost.__getitem__)
    losing = PACKET_LOSS.status(lost[bad])
    loss = f"; {bad} loses {tenths(lost[bad])} packets a second" if PACKET_LOSS.is_bad(lost[bad]) else ""
    shares = values.by(metrics.LINK_USED_RATIO, "nic")
    if not shares:
        moved = {nic: rate + (values.get(metrics.TRANSMIT_RATE, nic=nic) or 0.0) for nic, rate in received.items()}
        total, busiest = sum(moved.values()), max(moved, key=moved.__getitem__)
        why = f"{bytes_(total)}/s in and out; link speed unavailable{loss}"
        return [_judged(Checks.NETWORK, losing, why, total, "bytes_per_second", None, subject=busiest)]
    nic = max(shares, key=shares.__getitem__)
    link = values.get(metrics.LINK_SPEED, nic=nic) or 0.0
    why = f"{nic} uses {percent(shares[nic])} of {link * 8 / 1e9:g} Gbit/s{loss}"
    status = worst([thresholds.network.status(shares[nic]), losing])
    return [_ratio(Checks.NETWORK, status, why, shares[nic], nic)]


def _load(values: Values, _: Thresholds) -> list[Judged]:
    load, per_core = values.get(metrics.LOAD, minutes="5"), values.get(metrics.LOAD_PER_CORE, minutes="5")
    if load is None or per_core is None:
        return []
    share = per_core / LOAD_LIMIT_PER_CORE
    why = f"{number(load, 2)} tasks running or waiting over 5 minutes, {number(per_core, 2)} per core"
    return [_judged(Checks.LOAD, on_scale(share), why, load, "count", share)]


def _pressure(values: Values, _: Thresholds) -> list[Judged]:
    found = []
    for each in PRESSURES:
        waited = values.get(
            metrics.PRESSURE_RATIO, resource=each.resource, kind=each.kind, window=PRESSURE_WINDOW
        )  # fmt: skip
        if waited is not None:
            found.append((waited / each.limit_ratio, waited, each))
    if not found:
        return []
    share, waited, nearest = max(found, key=lambda each: each[0])
    why = f"{nearest.waits} {percent(waited)} of the last minute"
    return [_judged(Checks.PRESSURE, on_scale(share), why, waited, "ratio", share, subject=nearest.resource)]


def _clock(values: Values, thresholds: Thresholds) -> list[Judged]:
    synchronised, offset = values.get(metrics.CLOCK_SYNCHRONISED), values.get(metrics.CLOCK_OFFSET)
    if synchronised is None:
        why = "offset unavailable on this machine"
        return [_judged(Checks.CLOCK, Status.NOT_CONFIGURED, why, None, "seconds", None)]
    if not synchronised or offset is None:
        why = "not synchronised with a time server: offset unknown"
        return [_judged(Checks.CLOCK, Status.WARNING, why, None, "seconds", None)]
    limit = thresholds.clock_offset
    share = abs(offset) / thresholds.clock_offset_seconds
    why = f"{duration(abs(offset))} off, {duration(limit.critical)} allowed"
    return [_judged(Checks.CLOCK, limit.status(abs(offset)), why, offset, "seconds", share)]


def _ratio(check: Checks, status: Status, why: str, value: float, subject: str = "") -> Judged:
    """Return what was judged by a share of its own limit, which is its bar as well."""
    return _judged(check, status, why, value, "ratio", value, subject=subject)


def _judged(
    check: Checks, status: Status, why: str, value: float | None, unit: str, share: float | None,
    *, subject: str = "", name: str = "",
) -> Judged:  # fmt: skip
    component = Component(name or check.value, status, why, value, unit)
    return Judged(component, Share(check.value, component.name, subject, share))
