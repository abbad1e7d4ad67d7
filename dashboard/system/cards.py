"""The present of a machine: verdict, cards and tables, from its newest reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, bytes_, count, duration, number, percent, rate, ratio
from core.limits import PRESSURE_LIMITS
from core.model import SEVERITY, Component, LiveReading, Status, worst
from dashboard.components.age import age
from dashboard.components.card import card, cards, verdict
from status.freshness import components_at, reading_stale_after_seconds, status_at, why_unknown
from storage.clickhouse.reads.series import SeriesData
from storage.clickhouse.reads.system import Charts

SPARK_POINTS = 45
MOST_TROUBLES = 3


@dataclass(frozen=True, slots=True)
class Present:
    """What is known of a machine at one moment."""

    reading: LiveReading | None
    processes: LiveReading | None
    charts: Charts | None
    now: float
    collector_host: str

    @property
    def problem(self) -> str:
        """Why the machine's state is not known; empty while its reading is recent."""
        why = why_unknown(self.reading, self.now)
        if self.reading is None:
            return f"{self.collector_host}: {why}. The collector “system” writes one every few seconds."
        if why:
            return f"{self.collector_host}: {why}."
        failed = [part for part in self.reading.components if part.status is Status.DOWN]
        return f"{self.collector_host} cannot be read: {failed[0].why}" if failed else ""

    @property
    def components(self) -> Sequence[Component]:
        """The components of the machine, without its processes."""
        return components_at(self.reading, self.now)

    def now_known(self, status: Status) -> Status:
        """Return a status that follows from the reading; unknown when the reading is stale."""
        return Status.UNKNOWN if why_unknown(self.reading, self.now) else status

    def component(self, name: str) -> Component | None:
        """Return the component of that name."""
        return next((component for component in self.components if component.name == name), None)

    def share(self, component: str) -> float | None:
        """Return how much of its limit a component uses."""
        table = self.reading.tables.get("shares") if self.reading else None
        return dict(table.rows).get(component) if table else None

    def value(self, metric: str, **labels: str) -> float | None:
        """Return one value of the newest reading of either collector."""
        readings = (reading for reading in (self.reading, self.processes) if reading is not None)
        found = (reading.value(metric, **labels) for reading in readings)
        return next((value for value in found if value is not None), None)

    def by(self, metric: str, label: str) -> dict[str, float]:
        """Return the values of a metric by one of its labels."""
        series = self.reading.series(metric) if self.reading else {}
        return {dict(labels)[label]: value for labels, value in series.items()}


def verdict_line(present: Present) -> html.Div:
    """Return how the machine is, in one sentence: the worst first, or that all is fine."""
    if present.problem or present.reading is None:
        return verdict(status_at(present.reading, present.now), present.problem)
    watched = [part for part in _components(present) if part.status is not Status.NOT_CONFIGURED]
    troubled = sorted((part for part in watched if part.status is not Status.OK), key=lambda c: -SEVERITY[c.status])
    old = age(present.reading.ts, reading_stale_after_seconds(present.reading), prefix="reading ")
    if not troubled:
        return verdict(Status.OK, [f"All {len(watched)} components fine. ", old])
    sentence: list[Any] = []
    for part in troubled[:MOST_TROUBLES]:
        sentence += [html.Strong(part.name), f": {part.why}. "]
    hidden, fine = len(troubled) - MOST_TROUBLES, len(watched) - len(troubled)
    if hidden > 0:
        sentence.append(f"{hidden} more in trouble. ")
    sentence += [f"{fine} others fine. " if fine else "", old]
    return verdict(worst([part.status for part in troubled]), sentence)


def _components(present: Present) -> list[Component]:
    return [*present.components, *components_at(present.processes, present.now)]


def card_strip(present: Present) -> html.Div:
    """Return the cards: CPU, memory, fullest disk, disk input and output, network, load, pressure, clock."""
    makers: tuple[Callable[[Present], html.Article], ...] = (
        _cpu, _memory, _disk, _disk_io, _network, _load, _pressure, _clock,
    )  # fmt: skip
    return cards(*[make(present) for make in makers], minimum_px=158)


def _card(
    present: Present,
    id: str,
    name: str,
    value: str,
    *,
    component: Component | None,
    why: str,
    definition: str,
    spark: SeriesData | None = None,
    unit: str = "",
) -> html.Article:
    reading = present.reading
    known = component is not None and not present.problem
    return card(
        f"system-card-{id}",
        name,
        value if component else NOT_AVAILABLE,
        unit if component else "",
        state=component.status if known and component else Status.UNKNOWN,
        why=why if component else "not measured here" if reading and not present.problem else "no reading",
        bar_ratio=present.share(component.name) if component else None,
        spark=thinned(spark.mean) if spark else None,
        as_of=reading.ts if reading else None,
        stale_after_seconds=reading_stale_after_seconds(reading),
        definition=definition + (f" Now: {component.why}." if component else ""),
    )


def _cpu(present: Present) -> html.Article:
    five, fifteen = (present.value(f"system_cpu_busy_{window}_ratio") for window in ("5m", "15m"))
    cores = present.value("system_cpu_cores")
    parts = [count(cores, "core") if cores else ""]
    parts += [f"{name} {percent(mean)}" for name, mean in (("5 min", five), ("15 min", fifteen)) if mean is not None]
    return _card(
        present, "cpu", "CPU", percent(present.value("system_cpu_busy_ratio", core="total")),
        component=present.component("CPU"), why=" · ".join(part for part in parts if part),
        definition="Share of time that the cores were neither idle nor waiting for a disk, since the reading before.",
        spark=_core_total(present.charts),
    )  # fmt: skip


def _core_total(charts: Charts | None) -> SeriesData | None:
    return next((data for data in charts.cores if data.label("core") == "total"), None) if charts else None


def _memory(present: Present) -> html.Article:
    used, total = present.value("system_memory_used_bytes"), present.value("system_memory_total_bytes")
    swap = present.value("system_swap_used_bytes")
    has_swap = bool(present.value("system_swap_total_bytes"))
    why = f"{bytes_(used)} of {bytes_(total)}" + (f" · swap {bytes_(swap)}" if has_swap else "")
    return _card(
        present, "memory", "Memory", percent(present.value("system_memory_used_ratio")),
        component=present.component("Memory"), why=why,
        definition="Share of memory that programs could not get any more: total less available.",
        spark=_spark(present, "system_memory_used_ratio"),
    )  # fmt: skip


def _disk(present: Present) -> html.Article:
    disks = [part for part in _components(present) if part.name.startswith("Disk /")]
    fullest = disks[0] if disks else None
    mount = fullest.name.removeprefix("Disk ") if fullest else "/"
    free = present.value("system_disk_free_bytes", mount=mount)
    full = present.value("system_disk_full_seconds", mount=mount)
    why = f"{bytes_(free)} free" + (f" · full in {duration(full)}" if full is not None else "")
    return _card(
        present, "disk", f"Disk {mount}", percent(fullest.value if fullest else None), component=fullest, why=why,
        definition=f"The mount in most trouble of {len(disks)}: share of the space for programs, as df has it.",
        spark=_spark(present, "system_disk_used_ratio", mount=mount),
    )  # fmt: skip


def _disk_io(present: Present) -> html.Article:
    busy = present.by("system_device_busy_ratio", "device")
    device = max(busy, key=busy.__getitem__, default="")
    wait = present.value("system_device_await_seconds", device=device)
    parts = [device, f"wait {duration(wait)}" if wait is not None else "idle"]
    return _card(
        present, "io", "Disk I/O", percent(busy.get(device)), component=present.component("Disk I/O"),
        why=" · ".join(parts), spark=_spark(present, "system_device_busy_ratio", device=device),
        definition="Share of time that the busiest device had requests to serve.",
    )  # fmt: skip


def _network(present: Present) -> html.Article:
    component = present.component("Network")
    shares = present.by("system_network_link_used_ratio", "nic")
    moved = _moved(present)
    lost = sum(_lost(present, nic) for nic in moved)
    tail = f" · {number(lost, 1)} lost/s" if lost else ""
    nic = max(shares or moved, key=(shares or moved).__getitem__, default="")
    if shares:
        link = present.value("system_network_link_bytes_per_second", nic=nic)
        value, why = percent(shares[nic]), f"of {bits(link)} on {nic}{tail}"
        spark = _spark(present, "system_network_link_used_ratio", nic=nic)
    else:
        value, why = rate(sum(moved.values())), f"{nic or 'no interface'} · no link speed{tail}"
        spark = _spark(present, "system_network_receive_bytes_per_second", nic=nic)
    return _card(
        present, "network", "Network", value, component=component, why=why, spark=spark,
        definition="Share of the busiest link's speed in use, or bytes in and out where no link tells its speed.",
    )  # fmt: skip


def _moved(present: Present) -> dict[str, float]:
    """Return bytes in and out a second by interface, loopback left out."""
    received = present.by("system_network_receive_bytes_per_second", "nic")
    sent = present.by("system_network_transmit_bytes_per_second", "nic")
    return {nic: value + sent.get(nic, 0.0) for nic, value in received.items() if nic != "lo"}


def _lost(present: Present, nic: str) -> float:
    """Return packets lost a second: errors and drops, both ways."""
    names = [
        f"system_network_{way}_{what}_per_second" for way in ("receive", "transmit") for what in ("errors", "drops")
    ]
    return sum(present.value(name, nic=nic) or 0.0 for name in names)


def _load(present: Present) -> html.Article:
    one, five, fifteen = (present.value("system_load", minutes=minutes) for minutes in ("1", "5", "15"))
    return _card(
        present, "load", "Load", ratio(five), component=present.component("Load"),
        why=f"1 m {ratio(one)} · 15 m {ratio(fifteen)}", spark=_spark(present, "system_load", minutes="5"),
        definition="Tasks running or waiting, mean of 5 minutes. The bar is full at two a core.",
    )  # fmt: skip


def _pressure(present: Present) -> html.Article:
    component = present.component("Pressure")
    values = {
        f"{resource} {kind}": present.value("system_pressure_ratio", resource=resource, kind=kind, window="60s")
        for resource, kind in PRESSURE_LIMITS
    }
    nearest = next((name for name, value in values.items() if component and value == component.value), "")
    resource, _, kind = nearest.partition(" ")
    spark = _spark(present, "system_pressure_stall_ratio", resource=resource, kind=kind)
    return _card(
        present, "pressure", "Pressure", percent(component.value if component else None), component=component,
        why=f"{nearest} · 1 min" if nearest else "", spark=spark,
        definition="Share of the last minute that some task waited for a core, or all for memory or disks; the one "
        "nearest to its limit (80, 10 and 40 %).",
    )  # fmt: skip


def _clock(present: Present) -> html.Article:
    component = present.component("Clock")
    offset = component.value if component else None
    booted = present.value("system_uptime_seconds")
    known = offset is not None
    return _card(
        present, "clock", "Clock", number(offset * 1e3, 1) if offset is not None else NOT_AVAILABLE,
        unit="ms off" if known else "", component=component,
        why=("" if known else "no time server · ") + (f"up {duration(booted)}" if booted else ""),
        definition="How far the wall clock is off, as the time daemon told the kernel.",
        spark=_spark(present, "system_clock_offset_seconds"),
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


def _spark(present: Present, metric: str, **labels: str) -> SeriesData | None:
    return present.charts.one(metric, **labels) if present.charts else None
