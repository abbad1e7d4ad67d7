"""Network: interfaces and TCP (/proc/net/dev, snmp, netstat, sockstat, /sys/class/net)."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.base import gauges
from collectors.machine.linux.kernel import Kernel, Remembered
from core.model import Sample
from core.rates import Rates

FIELDS = (
    ("receive_bytes", 0),
    ("receive_packets", 1),
    ("receive_errors", 2),
    ("receive_drops", 3),
    ("transmit_bytes", 8),
    ("transmit_packets", 9),
    ("transmit_errors", 10),
    ("transmit_drops", 11),
)
"""Name and column in /proc/net/dev."""
CONTAINER_ENDS = ("veth", "cali", "lxc")
"""The host's ends of containers' interfaces: their traffic is on the bridge, and their names are never seen twice."""
TCP_COUNTERS = {
    "Tcp.ActiveOpens": "system_tcp_active_opens_per_second",
    "Tcp.PassiveOpens": "system_tcp_passive_opens_per_second",
    "Tcp.RetransSegs": "system_tcp_retransmits_per_second",
    "Tcp.OutSegs": "system_tcp_segments_sent_per_second",
    "Tcp.EstabResets": "system_tcp_resets_per_second",
    "TcpExt.ListenOverflows": "system_tcp_listen_overflows_per_second",
    "TcpExt.ListenDrops": "system_tcp_listen_drops_per_second",
}


def parse_net_dev(text: str) -> dict[str, dict[str, int]]:
    """Return counters since boot by interface, named as in FIELDS."""
    found: dict[str, dict[str, int]] = {}
    for line in text.splitlines()[2:]:
        nic, colon, rest = line.partition(":")
        words = rest.split()
        if colon and len(words) >= 12:
            found[nic.strip()] = {name: int(words[column]) for name, column in FIELDS}
    return found


def parse_paired_lines(text: str) -> dict[str, int]:
    """Return `Tcp.RetransSegs` and so on from /proc/net/snmp or netstat: a line of names, then one of values."""
    found: dict[str, int] = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        group, _, rest = names.partition(":")
        if group in ("Tcp", "TcpExt"):
            pairs = zip(rest.split(), values.partition(":")[2].split(), strict=False)
            found.update((f"{group}.{name}", int(value)) for name, value in pairs)
    return found


def parse_sockstat(text: str) -> dict[str, int]:
    """Return `TCP.inuse` and so on from /proc/net/sockstat or sockstat6."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        group, _, rest = line.partition(":")
        words = rest.split()
        found.update((f"{group}.{name}", int(value)) for name, value in zip(words[::2], words[1::2], strict=False))
    return found


@dataclass(frozen=True, slots=True)
class Link:
    """An interface's link."""

    up: bool
    bytes_per_second: float | None
    """Speed in one direction; None where the link has none (virtual, loopback) or is down."""


class Interfaces:
    """Samples of every interface that is up or has ever carried something."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rates = Rates()
        self._links: Remembered[dict[str, Link]] = Remembered()

    def samples(self, at: float) -> list[Sample]:
        counters = parse_net_dev(self._kernel.proc("net/dev") or "")
        counters = {nic: counts for nic, counts in counters.items() if not nic.startswith(CONTAINER_ENDS)}
        if self._links.is_due(at):
            self._links.put({nic: self._link(nic) for nic in counters}, at)
            self._rates.forget(at - Remembered.SECONDS)
        links = self._links.value or {}
        found: list[Sample] = []
        for nic, counts in counters.items():
            link = links.get(nic, Link(up=True, bytes_per_second=None))
            if link.up or any(counts.values()):
                found += self._interface(nic, counts, link, at)
        return found

    def _link(self, nic: str) -> Link:
        state = (self._kernel.sys(f"class/net/{nic}/operstate") or "").strip()
        megabits = self._kernel.sys_number(f"class/net/{nic}/speed")
        return Link(
            up=state in ("up", "unknown"), bytes_per_second=megabits * 1e6 / 8 if megabits and megabits > 0 else None
        )

    def _interface(self, nic: str, counts: dict[str, int], link: Link, at: float) -> list[Sample]:
        rates = {name: self._rates.per_second((nic, name), value, at) for name, value in counts.items()}
        received, sent = rates["receive_bytes"], rates["transmit_bytes"]
        share = None
        if link.bytes_per_second and received is not None and sent is not None:
            # A link carries its speed in each direction at once, so the busier direction is what fills up.
            share = max(received, sent) / link.bytes_per_second
        values = {f"system_network_{name}_per_second": rate for name, rate in rates.items()}
        values["system_network_up"] = float(link.up)
        values["system_network_link_bytes_per_second"] = link.bytes_per_second
        values["system_network_link_used_ratio"] = share
        return gauges(values, nic=nic)


class Tcp:
    """Samples of TCP: connections, retransmits, refused connections, sockets."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._rates = Rates()

    def samples(self, at: float) -> list[Sample]:
        counters = parse_paired_lines(self._kernel.proc("net/snmp") or "")
        counters |= parse_paired_lines(self._kernel.proc("net/netstat") or "")
        sockets = parse_sockstat(self._kernel.proc("net/sockstat") or "")
        sockets |= parse_sockstat(self._kernel.proc("net/sockstat6") or "")
        found = gauges(
            {
                "system_tcp_established": counters.get("Tcp.CurrEstab"),
                "system_sockets_used": sockets.get("sockets.used"),
                "system_tcp_sockets": _sum(sockets, "TCP.inuse", "TCP6.inuse"),
                "system_tcp_orphans": sockets.get("TCP.orphan"),
                "system_tcp_time_wait": sockets.get("TCP.tw"),
                "system_udp_sockets": _sum(sockets, "UDP.inuse", "UDP6.inuse"),
            }
        )
        steps = {name: self._rates.step(name, counters[name], at) for name in TCP_COUNTERS if name in counters}
        found += gauges({TCP_COUNTERS[name]: step.per_second if step else None for name, step in steps.items()})
        resent, sent = steps.get("Tcp.RetransSegs"), steps.get("Tcp.OutSegs")
        share = min(resent.change / sent.change, 1.0) if resent and sent and sent.change else None
        return found + gauges({"system_tcp_retransmit_ratio": share})


def _sum(values: dict[str, int], *names: str) -> int | None:
    known = [values[name] for name in names if name in values]
    return sum(known) if known else None
