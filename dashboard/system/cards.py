"""Verdict and cards of a machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, bytes_, cores_of, count, duration, number, percent, rate, ratio
from core.machine import metrics
from core.machine.spec import ALL_CORES, LIMIT_OF, LOAD_LIMIT_PER_CORE, PRESSURES, Checks, Judged
from core.model import SEVERITY, Status, worst
from dashboard.components.age import age
from dashboard.components.card import card, cards, verdict
from dashboard.system.present import Present
from status.freshness import reading_stale_after_seconds, status_at
from storage.clickhouse.reads.series import SeriesData

SPARK_POINTS = 45
MOST_TROUBLES = 3
CARD_COUNT, CARD_PX = 8, 158
"""How many cards there are, and the least width of one."""


def verdict_line(present: Present) -> html.Div:
    """Return how the machine is, in one sentence: the worst first, or that all is fine."""
    if present.problem or present.reading is None:
        return verdict(status_at(present.reading, present.now), present.problem)
    watched = [part for part in present.components if part.status is not Status.NOT_CONFIGURED]
    troubled = sorted((part for part in watched if part.status is not Status.OK), key=lambda c: -SEVERITY[c.status])
    old = age(present.reading.ts, reading_stale_after_seconds(present.reading), prefix="reading ")
    if not troubled:
        return verdict(Status.OK, [f"All {count(len(watched), 'component')} fine. ", old])
    sentence: list[Any] = []
    for part in troubled[:MOST_TROUBLES]:
        sentence += [html.Strong(part.name), f": {part.why}. "]
    hidden, fine = len(troubled) - MOST_TROUBLES, len(watched) - len(troubled)
    if hidden > 0:
        sentence.append(f"{hidden} more in trouble. ")
    sentence += [f"{count(fine, 'other')} fine. " if fine else "", old]
    return verdict(worst([part.status for part in troubled]), sentence)


def card_strip(present: Present) -> html.Div:
    """Return the cards: CPU, memory, fullest disk, disk input and output, network, load, pressure, clock."""
    makers: tuple[Callable[[Present], html.Article], ...] = (
        _cpu, _memory, _disk, _disk_io, _network, _load, _pressure, _clock,
    )  # fmt: skip
    return cards(*[make(present) for make in makers], minimum_px=CARD_PX)


def _card(
    present: Present,
    id: str,
    name: str,
    value: str,
    *,
    judged: Judged | None,
    why: str,
    definition: str,
    spark: SeriesData | None = None,
    unit: str = "",
) -> html.Article:
    reading = present.reading
    known = judged is not None and not present.problem
    return card(
        f"system-card-{id}",
        name,
        value if judged else NOT_AVAILABLE,
        unit if judged else "",
        state=judged.component.status if judged and known else Status.UNKNOWN,
        why=why if judged else "not measured here" if reading and not present.problem else "no reading",
        bar_ratio=judged.share.share_ratio if judged else None,
        spark=thinned(spark.mean) if spark else None,
        as_of=reading.ts if reading else None,
        stale_after_seconds=reading_stale_after_seconds(reading),
        definition=definition + (f" Now: {judged.component.why}." if judged else ""),
    )


def _cpu(present: Present) -> html.Article:
    cores = present.value(metrics.CPU_CORES)
    means = {"5 min": metrics.CPU_BUSY_5M_RATIO, "15 min": metrics.CPU_BUSY_15M_RATIO}
    limit = present.value(metrics.CPU_LIMIT)
    if limit is not None and (judged := present.check(Checks.CPU)) is not None:
        return _card(
            present, "cpu", "CPU", percent(judged.component.value), judged=judged,
            why=f"of {cores_of(limit)}, {LIMIT_OF}", spark=present.spark(metrics.CPU_OF_LIMIT_RATIO),
            definition="CPU used in the control group that Fundwatch runs in, over its quota. Source: /sys/fs/cgroup.",
        )  # fmt: skip
    parts = [count(cores, "core")] if cores else []
    for name, metric in means.items():
        mean = present.value(metric)
        parts += [f"{name} {percent(mean)}"] if mean is not None else []
    return _card(
        present, "cpu", "CPU", percent(present.value(metrics.CPU_BUSY_RATIO, core=ALL_CORES)),
        judged=present.check(Checks.CPU), why=" · ".join(parts), spark=_all_cores(present),
        definition="Share of time that the cores were neither idle nor waiting for a disk, since the reading before.",
    )  # fmt: skip


def _all_cores(present: Present) -> SeriesData | None:
    cores = present.series.cores if present.series else []
    return next((data for data in cores if data.label("core") == ALL_CORES), None)


def _memory(present: Present) -> html.Article:
    why = f"{bytes_(present.value(metrics.MEMORY_USED))} of {bytes_(present.value(metrics.MEMORY_TOTAL))}"
    if present.value(metrics.MEMORY_LIMIT):
        why += f", {LIMIT_OF}"
    elif present.value(metrics.SWAP_TOTAL):
        why += f" · swap {bytes_(present.value(metrics.SWAP_USED))}"
    return _card(
        present, "memory", "Memory", percent(present.value(metrics.MEMORY_USED_RATIO)),
        judged=present.check(Checks.MEMORY), why=why, spark=present.spark(metrics.MEMORY_USED_RATIO),
        definition="Share of memory that programs could not get any more: total less available.",
    )  # fmt: skip


def _disk(present: Present) -> html.Article:
    disks = present.disks
    fullest = disks[0] if disks else None
    mount = fullest.share.subject if fullest else "/"
    free, full = present.value(metrics.DISK_FREE, mount=mount), present.value(metrics.DISK_FULL, mount=mount)
    why = f"{bytes_(free)} free" + (f" · full in {duration(full)}" if full is not None else "")
    return _card(
        present, "disk", f"Disk {mount}", percent(fullest.component.value if fullest else None), judged=fullest,
        why=why, spark=present.spark(metrics.DISK_USED_RATIO, mount=mount),
        definition=f"The mount in most trouble of {len(disks)}: share of the space for programs in use, as df has it.",
    )  # fmt: skip


def _disk_io(present: Present) -> html.Article:
    judged = present.check(Checks.DISK_IO)
    device = judged.share.subject if judged else ""
    wait = present.value(metrics.DEVICE_AWAIT, device=device)
    return _card(
        present, "io", "Disk I/O", percent(judged.component.value if judged else None), judged=judged,
        why=f"{device} · {f'wait {duration(wait)}' if wait is not None else 'idle'}",
        spark=present.spark(metrics.DEVICE_BUSY_RATIO, device=device),
        definition="Share of time that the busiest device had requests to serve.",
    )  # fmt: skip


def _network(present: Present) -> html.Article:
    judged = present.check(Checks.NETWORK)
    nic = judged.share.subject if judged else ""
    lost = sum(present.total(metrics.NETWORK_LOSSES, nic=each) for each in present.moved)
    tail = f" · {number(lost, 1)} lost/s" if lost else ""
    share = present.value(metrics.LINK_USED_RATIO, nic=nic)
    if share is not None:
        value, why = percent(share), f"of {bits(present.value(metrics.LINK_SPEED, nic=nic))} on {nic}{tail}"
        spark = present.spark(metrics.LINK_USED_RATIO, nic=nic)
    else:
        value, why = rate(sum(present.moved.values())), f"{nic or 'no interface'} · no link speed{tail}"
        spark = present.spark(metrics.RECEIVE_RATE, nic=nic)
    return _card(
        present, "network", "Network", value, judged=judged, why=why, spark=spark,
        definition="Share of the busiest link's speed in use, or bytes in and out where the link speed is unavailable.",
    )  # fmt: skip


def _load(present: Present) -> html.Article:
    one, five, fifteen = (present.value(metrics.LOAD, minutes=minutes) for minutes in ("1", "5", "15"))
    return _card(
        present, "load", "Load", ratio(five), judged=present.check(Checks.LOAD),
        why=f"1 min {ratio(one)} · 15 min {ratio(fifteen)}", spark=present.spark(metrics.LOAD, minutes="5"),
        definition=f"Tasks running or waiting, mean of 5 minutes. The bar is full at {LOAD_LIMIT_PER_CORE:g} per core.",
    )  # fmt: skip


def _pressure(present: Present) -> html.Article:
    judged = present.check(Checks.PRESSURE)
    nearest = next((each for each in PRESSURES if judged and each.resource == judged.share.subject), None)
    limits = ", ".join(f"{each.name} {each.limit_ratio * 100:g} %" for each in PRESSURES)
    labels = {"resource": nearest.resource, "kind": nearest.kind} if nearest else {}
    return _card(
        present, "pressure", "Pressure", percent(judged.component.value if judged else None), judged=judged,
        why=f"{nearest.name} · 1 min" if nearest else "",
        spark=present.spark(metrics.PRESSURE_STALL_RATIO, **labels) if nearest else None,
        definition="Share of the last minute that some task waited for a core, or all for memory or disks; the one "
        f"nearest to its limit ({limits}).",
    )  # fmt: skip


def _clock(present: Present) -> html.Article:
    judged = present.check(Checks.CLOCK)
    offset = judged.component.value if judged else None
    uptime = present.value(metrics.UPTIME)
    parts = ["offset unknown"] if offset is None else []
    parts += [f"up {duration(uptime)}"] if uptime else []
    return _card(
        present, "clock", "Clock", number(offset * 1e3, 1) if offset is not None else NOT_AVAILABLE,
        unit="ms off" if offset is not None else "", judged=judged, why=" · ".join(parts),
        definition="How far the wall clock is off, as the time daemon told the kernel.",
        spark=present.spark(metrics.CLOCK_OFFSET),
    )  # fmt: skip


def bits(bytes_per_second: float | None) -> str:
    """Return a link's speed as people call it: 1.25e9 bytes a second → "10 Gbit/s"."""
    if bytes_per_second is None:
        return NOT_AVAILABLE
    megabits = bytes_per_second * 8 / 1e6
    return f"{megabits / 1e3:g} Gbit/s" if megabits >= 1_000 else f"{megabits:g} Mbit/s"


def thinned(values: Sequence[float | None]) -> list[float | None]:
    """Return at most SPARK_POINTS of the values, evenly chosen, the last always among them.

    Six digits are kept: a sparkline fills its height, and would else show the rounding of a constant.
    """
    step = -(-len(values) // SPARK_POINTS) or 1
    return [value if value is None else float(f"{value:.6g}") for value in values[::-1][::step][::-1]]
