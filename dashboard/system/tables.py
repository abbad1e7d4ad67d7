"""The tables of the system tab: disks, devices, interfaces, processes, and the kernel's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import html

from core.format import NOT_AVAILABLE, bytes_, duration, number, percent, rate
from core.limits import on_scale
from core.model import Status
from dashboard.components.card import STATE_SIGNS
from dashboard.components.table import Cell, Column, data_table
from dashboard.system.cards import Present, bits

TONES = {Status.WARNING: "warning", Status.CRITICAL: "critical", Status.DOWN: "critical"}

DISK_COLUMNS = (
    Column("mount", "Mount", numeric=False),
    Column("used", "Used", definition="Share of the space that programs can have"),
    Column("size", "Size"),
    Column("free", "Free"),
    Column("inodes", "Inodes", definition="Share of inodes in use"),
    Column("full", "Full in", definition="At the growth of the last hour or six hours, whichever is sooner"),
)
DEVICE_COLUMNS = (
    Column("device", "Device", numeric=False),
    Column("read", "Read"),
    Column("written", "Written"),
    Column("operations", "Ops/s"),
    Column("busy", "Busy", definition="Share of time with a request to serve"),
    Column("wait", "Wait", definition="Mean time of a request, waiting included"),
)
INTERFACE_COLUMNS = (
    Column("nic", "Interface", numeric=False),
    Column("received", "In"),
    Column("sent", "Out"),
    Column("share", "Of link", definition="Busier direction against the link's speed"),
    Column("errors", "Errors/s"),
    Column("drops", "Drops/s"),
)

PROCESS_COLUMNS = (
    Column("name", "Name", numeric=False),
    Column("pid", "PID"),
    Column("user", "User", numeric=False),
    Column("cpu_ratio", "CPU", definition="Of one core, since the reading before"),
    Column("memory_bytes", "Memory", definition="Resident: what it holds in memory, shared pages included"),
    Column("read_bytes_per_second", "Read/s", definition="Bytes that came from a device, not from cache"),
    Column("written_bytes_per_second", "Written/s", definition="Bytes that go to a device"),
    Column("threads", "Threads"),
    Column("age_seconds", "Up", definition="Time since it started"),
    Column("state", "State", numeric=False),
)
PROCESSES_EACH = 20
"""Processes shown for each of: most CPU, most memory, state in TROUBLED."""
TROUBLED = {"zombie": "warning", "disk": "warning"}


def disk_table(present: Present) -> html.Div:
    """Return the mounts, the one in most trouble first."""
    disks = [part for part in present.components if part.name.startswith("Disk /")]
    states = {part.name.removeprefix("Disk "): part for part in disks}
    table = present.reading.tables.get("mounts") if present.reading else None
    kinds = {mount: f"{kind} on {device}" for mount, device, kind in table.rows} if table else {}
    rows = []
    for mount, part in states.items():
        used, full = part.value, present.value("system_disk_full_seconds", mount=mount)
        free = present.value("system_disk_free_bytes", mount=mount)
        size = present.value("system_disk_total_bytes", mount=mount)
        inodes = present.value("system_disk_inodes_used_ratio", mount=mount)
        tone = TONES.get(part.status, "")
        read_only = present.value("system_disk_read_only", mount=mount)
        rows.append(
            {
                "mount": _named(part.status, mount, f"{kinds.get(mount, '')}: {part.why}"),
                "used": Cell(percent(used), sort=used, tone=tone),
                "size": Cell(bytes_(size), sort=size),
                "free": Cell(bytes_(free), sort=free),
                "inodes": Cell(percent(inodes), sort=inodes, tone=_tone(inodes)),
                "full": Cell(
                    "read-only" if read_only else duration(full) if full is not None else "not filling",
                    sort=full if full is not None else float("inf"),
                    tone=tone if full is not None else "muted",
                    hint=part.why,
                ),
            }
        )
    return data_table("system-disks-rows", DISK_COLUMNS, rows, caption="Disks", nothing="No disk has been read.")


def device_table(present: Present) -> html.Div:
    """Return the disk devices."""
    rows = []
    for device, busy in sorted(present.by("system_device_busy_ratio", "device").items()):
        read, written, reads, writes, wait = (
            present.value(f"system_device_{name}", device=device)
            for name in (
                "read_bytes_per_second",
                "written_bytes_per_second",
                "reads_per_second",
                "writes_per_second",
                "await_seconds",
            )
        )
        operations = (reads or 0.0) + (writes or 0.0)
        rows.append(
            {
                "device": _named(present.now_known(on_scale(busy)), device),
                "read": Cell(rate(read), sort=read),
                "written": Cell(rate(written), sort=written),
                "operations": Cell(number(operations, 1), sort=operations),
                "busy": Cell(percent(busy), sort=busy, tone=_tone(busy)),
                "wait": Cell(duration(wait) if wait is not None else "idle", sort=wait),
            }
        )
    return data_table("system-devices-rows", DEVICE_COLUMNS, rows, caption="Devices", nothing="No device is known yet.")


def interface_table(present: Present) -> html.Div:
    """Return the network interfaces, the busiest first, loopback last."""
    received = present.by("system_network_receive_bytes_per_second", "nic")
    sent = present.by("system_network_transmit_bytes_per_second", "nic")
    order = sorted(received, key=lambda nic: (nic == "lo", -(received[nic] + sent.get(nic, 0.0))))
    rows = [_interface_row(present, nic, received[nic], sent.get(nic)) for nic in order]
    return data_table(
        "system-interfaces-rows", INTERFACE_COLUMNS, rows, caption="Interfaces", nothing="No interface has been read."
    )


def _interface_row(present: Present, nic: str, received: float, sent: float | None) -> dict[str, Any]:
    def lost(what: str) -> float:
        ways = ("receive", "transmit")
        return sum(present.value(f"system_network_{way}_{what}_per_second", nic=nic) or 0.0 for way in ways)

    share = present.value("system_network_link_used_ratio", nic=nic)
    link = present.value("system_network_link_bytes_per_second", nic=nic)
    up = present.value("system_network_up", nic=nic)
    errors, drops = lost("errors"), lost("drops")
    status = on_scale(share) if share is not None else Status.OK
    if errors + drops >= 1:
        status = Status.WARNING if status is Status.OK else status
    unknown = "no speed of its own" if nic == "lo" else "it does not tell its speed"
    return {
        "nic": _named(present.now_known(status) if up else Status.UNKNOWN, nic, "up" if up else "down"),
        "received": Cell(rate(received), sort=received),
        "sent": Cell(rate(sent), sort=sent),
        "share": Cell(percent(share), sort=share, tone=_tone(share), hint=f"of {bits(link)}" if link else unknown),
        "errors": Cell(number(errors, 1), sort=errors, tone="warning" if errors >= 1 else ""),
        "drops": Cell(number(drops, 1), sort=drops, tone="warning" if drops >= 1 else ""),
    }


def process_table(present: Present) -> html.Div:
    """Return the processes with most CPU, those with most memory, and those in a state of trouble; most CPU first."""
    table = present.processes.tables.get("processes") if present.processes else None
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows] if table else []
    return data_table(
        "system-processes-rows", PROCESS_COLUMNS, [_process_row(row) for row in busiest(rows)], caption="Processes",
        stack=False, nothing="No process has been read.",
    )  # fmt: skip


def busiest(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows that a person looks for, in the order given."""

    def top(key: str) -> list[Mapping[str, Any]]:
        return sorted(rows, key=lambda row: -(row[key] or 0))[:PROCESSES_EACH]

    troubled = [row for row in rows if row["state"] in TROUBLED][:PROCESSES_EACH]
    kept = {row["pid"] for row in (*top("cpu_ratio"), *top("memory_bytes"), *troubled)}
    return [row for row in rows if row["pid"] in kept]


def _process_row(row: Mapping[str, Any]) -> dict[str, Any]:
    def cell(key: str, text: Callable[[Any], str]) -> Cell:
        value = row[key]
        return Cell(None if value is None else text(value), sort=value)

    return {
        "name": Cell(row["name"]),
        "pid": Cell(str(row["pid"])),
        "user": Cell(row["user"]),
        "cpu_ratio": cell("cpu_ratio", percent),
        "memory_bytes": cell("memory_bytes", bytes_),
        "read_bytes_per_second": cell("read_bytes_per_second", bytes_),
        "written_bytes_per_second": cell("written_bytes_per_second", bytes_),
        "threads": Cell(None if row["threads"] is None else str(row["threads"])),
        "age_seconds": cell("age_seconds", duration),
        "state": Cell(row["state"], tone=TROUBLED.get(row["state"], "")),
    }


FACTS = (
    ("Context switches", "system_context_switches_per_second", "count", "a second"),
    ("Interrupts", "system_interrupts_per_second", "count", "a second"),
    ("CPU frequency", "system_cpu_frequency_hertz", "hertz", "mean of the cores"),
    ("Threads", "system_threads", "count", "running and sleeping"),
    ("Open files", "system_files_open", "count", "of the whole machine"),
    ("TCP established", "system_tcp_established", "count", "connections"),
    ("TCP in time-wait", "system_tcp_time_wait", "count", "sockets"),
    ("TCP retransmits", "system_tcp_retransmits_per_second", "rate", "segments a second"),
    ("Refused by full listen queues", "system_tcp_listen_drops_per_second", "rate", "a second"),
    ("Swapped out", "system_swap_out_bytes_per_second", "bytes", "a second"),
    ("Killed for want of memory", "system_oom_kills_total", "count", "processes since boot"),
    ("Clock stepped", "system_clock_step_seconds", "step", "against the monotonic clock, since the reading before"),
)
FORMATS = {
    "count": lambda value: number(value),
    "rate": lambda value: number(value, 1),
    "bytes": rate,
    "hertz": lambda value: f"{value / 1e9:.2f} GHz",
    "step": lambda value: duration(value) if abs(value) >= 1e-3 else "no",
}


def facts_table(present: Present) -> html.Div:
    """Return the kernel's figures that have no chart, sensors and what watching costs; what is unknown is left out."""
    rows: list[tuple[str, str, str]] = []
    for name, metric, kind, hint in FACTS:
        value = present.value(metric)
        if value is not None:
            rows.append((name, FORMATS[kind](value), hint))
    states = present.processes.series("system_processes_by_state") if present.processes else {}
    shown = [f"{number(each)} {dict(labels)['state']}" for labels, each in states.items() if each]
    if shown:
        rows.append(("Processes", ", ".join(shown), "by state"))
    for sensor, celsius in sorted(present.by("system_temperature_celsius", "sensor").items()):
        rows.append((f"Temperature {sensor}", f"{celsius:.1f} °C", "sensor of this machine"))
    rows.append(("Cost of watching", cost(present), "CPU of both collectors, share of one core"))
    columns = (Column("name", "Kernel", numeric=False), Column("value", "Now"))
    cells = [{"name": Cell(name, hint=hint), "value": Cell(value, hint=hint)} for name, value, hint in rows]
    body = data_table("system-facts-rows", columns, cells, caption="Kernel", sortable=False, stack=False)
    return html.Div(body, className="fw-pairs")


def cost(present: Present) -> str:
    """Return the CPU share of the collectors that fill this page."""
    shares = [present.value("collector_cpu_ratio", collector=name) for name in ("system", "processes")]
    known = [share for share in shares if share is not None]
    return f"{sum(known) * 100:.3f} %" if known else NOT_AVAILABLE


def _tone(share: float | None) -> str:
    return TONES.get(on_scale(share), "") if share is not None else ""


def _named(status: Status, name: str, hint: str = "") -> Cell:
    sign = html.Span(STATE_SIGNS[status], className=f"fw-sign fw-state-{status.value}")
    return Cell([sign, " ", name], sort=name, hint=hint)
