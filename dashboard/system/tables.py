"""The tables of the system tab: disks, devices, interfaces, processes, and the kernel's figures.

Each is drawn from (what is known of the machine, id of its rows, its title).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, bytes_, cores_of, duration, first_of, number, percent, rate, tenths
from core.limits import on_scale
from core.machine import metrics
from core.machine.spec import (
    LIMIT_OF,
    LOOPBACK,
    PACKET_LOSS,
    PROCESSES,
    SYSTEM,
    Judged,
    LeftOut,
    Mount,
    Process,
    ProcessState,
    WhyLeftOut,
)  # fmt: skip
from core.model import Status, worst
from core.pipeline.spec import COLLECTOR_CPU_RATIO
from dashboard.components.card import STATE_SIGNS
from dashboard.components.table import Cell, Column, data_table
from dashboard.system.cards import bits
from dashboard.system.present import Present

TONES = {Status.WARNING: "warning", Status.CRITICAL: "critical", Status.DOWN: "critical"}

DISK_COLUMNS = (
    Column("mount", "Mount", numeric=False),
    Column("used", "Used", definition="Share of the space that programs can have", unit="ratio"),
    Column("size", "Size", unit="bytes"),
    Column("free", "Free", unit="bytes"),
    Column("inodes", "Inodes", definition="Share of inodes in use", unit="ratio"),
    Column("full", "Full in", definition="At the growth of the last hour or six hours, whichever is sooner", unit="s"),
)
DEVICE_COLUMNS = (
    Column("device", "Device", numeric=False),
    Column("read", "Read", unit="bytes/s"),
    Column("written", "Written", unit="bytes/s"),
    Column("operations", "Ops/s"),
    Column("busy", "Busy", definition="Share of time with a request to serve", unit="ratio"),
    Column("wait", "Wait", definition="Mean time of a request, waiting included", unit="s"),
)
INTERFACE_COLUMNS = (
    Column("nic", "Interface", numeric=False),
    Column("received", "In", unit="bytes/s"),
    Column("sent", "Out", unit="bytes/s"),
    Column("share", "Of link", definition="Busier direction against the link's speed", unit="ratio"),
    Column("errors", "Errors/s"),
    Column("drops", "Drops/s"),
)

PROCESS_COLUMNS = (
    Column("name", "Name", numeric=False),
    Column("pid", "PID"),
    Column("user", "User", numeric=False),
    Column("cpu_ratio", "CPU", definition="Of one core, since the reading before", unit="ratio"),
    Column(
        "memory_bytes", "Memory", definition="Resident: what it holds in memory, shared pages included", unit="bytes"
    ),
    Column(
        "read_bytes_per_second", "Read/s", definition="Bytes that came from a device, not from cache", unit="bytes/s"
    ),
    Column("written_bytes_per_second", "Written/s", definition="Bytes that go to a device", unit="bytes/s"),
    Column("threads", "Threads"),
    Column("age_seconds", "Up", definition="Time since it started", unit="s"),
    Column("state", "State", numeric=False),
)
MOST_NAMED = 8
"""Mounts named that are left out, for each reason."""
PROCESSES_EACH = 20
"""Processes shown for each of: most CPU, most memory, a state of TROUBLED."""
TROUBLED = {ProcessState.ZOMBIE, ProcessState.DISK}


def disk_table(present: Present, id: str, title: str) -> html.Div:
    """Return the mounts, the one in most trouble first."""
    mounts = {each.path: each for each in present.rows(Mount)}
    rows = [_disk_row(present, each, mounts.get(each.share.subject)) for each in present.disks]
    table = data_table(id, DISK_COLUMNS, rows, caption=title, nothing="No disk has been read.")
    told = left_out(present.rows(LeftOut))
    return html.Div([table, html.P(told, className="fw-nothing")]) if told else table


def left_out(found: Sequence[LeftOut]) -> str:
    """Return which mounts are no disks, and why, in words; empty when there are none."""
    parts = []
    for why in WhyLeftOut:
        named = [f"{each.path} ({each.kind})" for each in found if each.why == why]
        if named:
            parts.append(f"{why.value} {first_of(named, MOST_NAMED)}")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def _disk_row(present: Present, disk: Judged, mounted: Mount | None) -> dict[str, Any]:
    component, mount = disk.component, disk.share.subject
    used, full = component.value, present.value(metrics.DISK_FULL, mount=mount)
    free, size = present.value(metrics.DISK_FREE, mount=mount), present.value(metrics.DISK_TOTAL, mount=mount)
    inodes = present.value(metrics.DISK_INODES_USED_RATIO, mount=mount)
    read_only = present.value(metrics.DISK_READ_ONLY, mount=mount)
    tone = TONES.get(component.status, "")
    hint = f"{mounted.kind} on {mounted.device}: {component.why}" if mounted else component.why
    return {
        "mount": _named(component.status, mount, hint),
        "used": Cell(percent(used), sort=used, tone=tone),
        "size": Cell(bytes_(size), sort=size),
        "free": Cell(bytes_(free), sort=free),
        "inodes": Cell(percent(inodes), sort=inodes, tone=_tone(inodes)),
        "full": Cell(
            "read-only" if read_only else duration(full) if full is not None else "not filling",
            sort=full if full is not None else float("inf"),
            tone=tone if full is not None else "muted",
            hint=component.why,
        ),
    }


def device_table(present: Present, id: str, title: str) -> html.Div:
    """Return the disk devices."""
    busy = present.by(metrics.DEVICE_BUSY_RATIO, "device")
    rows = [_device_row(present, device, busy[device]) for device in sorted(busy)]
    return data_table(id, DEVICE_COLUMNS, rows, caption=title, nothing="No device is known yet.")


def _device_row(present: Present, device: str, busy: float) -> dict[str, Any]:
    read = present.value(metrics.DEVICE_READ_RATE, device=device)
    written = present.value(metrics.DEVICE_WRITTEN_RATE, device=device)
    operations = present.total((metrics.DEVICE_READS_RATE, metrics.DEVICE_WRITES_RATE), device=device)
    wait = present.value(metrics.DEVICE_AWAIT, device=device)
    return {
        "device": _named(present.now_known(on_scale(busy)), device),
        "read": Cell(rate(read), sort=read),
        "written": Cell(rate(written), sort=written),
        "operations": Cell(tenths(operations), sort=operations),
        "busy": Cell(percent(busy), sort=busy, tone=_tone(busy)),
        "wait": Cell(duration(wait) if wait is not None else "idle", sort=wait),
    }


def interface_table(present: Present, id: str, title: str) -> html.Div:
    """Return the network interfaces, the busiest first, loopback last."""
    received = present.by(metrics.RECEIVE_RATE, "nic")
    order = sorted(received, key=lambda nic: (nic == LOOPBACK, -present.moved.get(nic, 0.0)))
    rows = [_interface_row(present, nic, received[nic]) for nic in order]
    return data_table(id, INTERFACE_COLUMNS, rows, caption=title, nothing="No interface has been read.")


def _interface_row(present: Present, nic: str, received: float) -> dict[str, Any]:
    sent = present.value(metrics.TRANSMIT_RATE, nic=nic)
    share = present.value(metrics.LINK_USED_RATIO, nic=nic)
    link = present.value(metrics.LINK_SPEED, nic=nic)
    up = present.value(metrics.NETWORK_UP, nic=nic)
    errors, drops = present.total(metrics.NETWORK_ERRORS, nic=nic), present.total(metrics.NETWORK_DROPS, nic=nic)
    used = present.thresholds.network.status(share) if share is not None else Status.OK
    status = worst([used, PACKET_LOSS.status(errors + drops)])
    return {
        "nic": _named(present.now_known(status) if up else Status.UNKNOWN, nic, "up" if up else "down"),
        "received": Cell(rate(received), sort=received),
        "sent": Cell(rate(sent), sort=sent),
        "share": Cell(
            percent(share),
            sort=share,
            tone=TONES.get(used, ""),
            hint=f"of {bits(link)}" if link else "link speed unavailable",
        ),
        "errors": Cell(tenths(errors), sort=errors, tone=TONES.get(PACKET_LOSS.status(errors), "")),
        "drops": Cell(tenths(drops), sort=drops, tone=TONES.get(PACKET_LOSS.status(drops), "")),
    }


def process_table(present: Present, id: str, title: str) -> html.Div:
    """Return the processes with most CPU, those with most memory, and those in a state of trouble; most CPU first."""
    rows = [_process_row(process) for process in busiest(present.rows(Process))]
    return data_table(
        id, PROCESS_COLUMNS, rows, caption=title, stack=False, nothing="No process has been read."
    )  # fmt: skip


def busiest(processes: Sequence[Process]) -> list[Process]:
    """Return the processes that a person looks for, in the order given."""
    by_cpu = sorted(processes, key=lambda each: -(each.cpu_ratio or 0.0))[:PROCESSES_EACH]
    by_memory = sorted(processes, key=lambda each: -each.memory_bytes)[:PROCESSES_EACH]
    troubled = [each for each in processes if each.state in TROUBLED][:PROCESSES_EACH]
    kept = {each.pid for each in (*by_cpu, *by_memory, *troubled)}
    return [each for each in processes if each.pid in kept]


def _process_row(process: Process) -> dict[str, Any]:
    return {
        "name": Cell(process.name),
        "pid": Cell(str(process.pid)),
        "user": Cell(process.user),
        "cpu_ratio": _cell(percent, process.cpu_ratio),
        "memory_bytes": _cell(bytes_, process.memory_bytes),
        "read_bytes_per_second": _cell(bytes_, process.read_bytes_per_second),
        "written_bytes_per_second": _cell(bytes_, process.written_bytes_per_second),
        "threads": Cell(str(process.threads)),
        "age_seconds": _cell(duration, process.age_seconds),
        "state": Cell(process.state, tone="warning" if process.state in TROUBLED else ""),
    }


def _cell(text: Callable[[float], str], value: float | None) -> Cell:
    return Cell(None if value is None else text(value), sort=value)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the kernel: what it is called, how its value is shown, and what it is on hover."""

    title: str
    metric: str
    show: Callable[[float], str]
    hint: str


def _gigahertz(hertz: float) -> str:
    return f"{hertz / 1e9:.2f} GHz"


def _step(seconds: float) -> str:
    return duration(seconds) if abs(seconds) >= 1e-3 else "no"


FIGURES = (
    Figure("Context switches", metrics.CONTEXT_SWITCHES_RATE, number, "a second"),
    Figure("Interrupts", metrics.INTERRUPTS_RATE, number, "a second"),
    Figure("CPU frequency", metrics.CPU_FREQUENCY, _gigahertz, "mean of the cores"),
    Figure("Threads", metrics.THREADS, number, "running and sleeping"),
    Figure("Open files", metrics.FILES_OPEN, number, "of the whole machine"),
    Figure("TCP established", metrics.TCP_ESTABLISHED, number, "connections"),
    Figure("TCP in time-wait", metrics.TCP_TIME_WAIT, number, "sockets"),
    Figure("TCP retransmits", metrics.TCP_RETRANSMITS_RATE, tenths, "segments a second"),
    Figure("TCP listen drops", metrics.TCP_LISTEN_DROPS_RATE, tenths, "connections refused a second, by full queues"),
    Figure("Swapped out", metrics.SWAP_OUT_RATE, rate, "a second"),
    Figure("OOM kills", metrics.OOM_KILLS, number, "processes that the kernel killed for want of memory, since boot"),
    Figure("Clock stepped", metrics.CLOCK_STEP, _step, "against the monotonic clock, since the reading before"),
)


def facts_table(present: Present, id: str, title: str) -> html.Div:
    """Return the kernel's figures that have no chart, sensors and what watching costs; what is unknown is left out."""
    rows: list[tuple[str, str, str]] = []
    for figure in FIGURES:
        value = present.value(figure.metric)
        if value is not None:
            rows.append((figure.title, figure.show(value), figure.hint))
    rows += _limits(present)
    states = present.by(metrics.PROCESSES_BY_STATE, "state")
    shown = [f"{number(each)} {state}" for state, each in states.items() if each]
    if shown:
        rows.append(("Processes", ", ".join(shown), "by state"))
    for sensor, celsius in sorted(present.by(metrics.TEMPERATURE, "sensor").items()):
        rows.append((f"Temperature {sensor}", f"{celsius:.1f} °C", "sensor of this machine"))
    rows.append(("Cost of watching", cost(present), "CPU of both collectors, share of one core"))
    columns = (Column("name", "Kernel", numeric=False), Column("value", "Now"))
    cells = [{"name": Cell(name, hint=hint), "value": Cell(value, hint=hint)} for name, value, hint in rows]
    return html.Div(
        data_table(id, columns, cells, caption=title, sortable=False, stack=False), className="fw-figures"
    )  # fmt: skip


def _limits(present: Present) -> list[tuple[str, str, str]]:
    """Return the limits of the container that Fundwatch runs in, and what the host has beside them."""
    rows = []
    cores, memory = present.value(metrics.CPU_LIMIT), present.value(metrics.MEMORY_LIMIT)
    if cores is not None:
        rows.append((f"CPU, {LIMIT_OF}", cores_of(cores), "CPU quota of its control group"))
    if memory is not None:
        rows.append((f"Memory, {LIMIT_OF}", bytes_(memory), "memory limit of its control group"))
        host, used = present.value(metrics.HOST_MEMORY_TOTAL), present.value(metrics.HOST_MEMORY_USED_RATIO)
        rows.append(("Memory of the host", f"{percent(used)} of {bytes_(host)}", "not available, of all"))
    return rows


def cost(present: Present) -> str:
    """Return the CPU share of the collectors that fill this page."""
    shares = [present.value(COLLECTOR_CPU_RATIO, collector=name) for name in (SYSTEM, PROCESSES)]
    known = [share for share in shares if share is not None]
    return f"{sum(known) * 100:.3f} %" if known else NOT_AVAILABLE


def _tone(share: float | None) -> str:
    return TONES.get(on_scale(share), "") if share is not None else ""


def _named(status: Status, name: str, hint: str = "") -> Cell:
    sign = html.Span(STATE_SIGNS[status], className=f"fw-sign fw-state-{status.value}")
    return Cell([sign, " ", name], sort=name, hint=hint)
