"""Network: interfaces and TCP (/proc/net/dev, snmp, netstat, sockstat, /sys/class/net)."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.base import gauges
from collectors.machine.linux.kernel import Kernel, Remembered
from core.machine import metrics
from core.metrics import Metric
from core.model import Sample
from core.rates import Rates

COUNTERS = {
    metrics.RECEIVE_RATE: 0,
    metrics.RECEIVE_PACKETS_RATE: 1,
    metrics.RECEIVE_ERRORS_RATE: 2,
    metrics.RECEIVE_DROPS_RATE: 3,
    metrics.TRANSMIT_RATE: 8,
    metrics.TRANSMIT_PACKETS_RATE: 9,
    metrics.TRANSMIT_ERRORS_RATE: 10,
    metrics.TRANSMIT_DROPS_RATE: 11,
}
"""Column in /proc/net/dev of the counter of each rate."""
CONTAINER_ENDS = ("veth", "cali", "lxc")
"""The host's ends of containers' interfaces: their traffic is on the bridge, and their names are never seen twice."""
TCP_COUNTERS = {
    "Tcp.ActiveOpens": metrics.TCP_ACTIVE_OPENS_RATE,
    "Tcp.PassiveOpens": metrics.TCP_PASSIVE_OPENS_RATE,
    "Tcp.RetransSegs": metrics.TCP_RETRANSMITS_RATE,
    "Tcp.OutSegs": metrics.TCP_SEGMENTS_SENT_RATE,
    "Tcp.EstabResets": metrics.TCP_RESETS_RATE,
    "TcpExt.ListenOverflows": metrics.TCP_LISTEN_OVERFLOWS_RATE,
    "TcpExt.ListenDrops": metrics.TCP_LISTEN_DROPS_RATE,
}


def parse_net_dev(text: str) -> dict[str, dict[Metric, int]]:
    """Return counters since boot by interface, each by the metric of its rate."""
    found: dict[str, dict[Metric, int]] = {}
    for line in text.splitlines()[2:]:
        nic, colon, rest = line.partition(":")
        words = rest.split()
        if colon and len(words) >= 12:
            found[nic.strip()] = {metric: int(words[column]) for metric, column in COUNTERS.items()}
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

    def _interface(self, nic: str, counts: dict[Metric, int], link: Link, at: float) -> list[Sample]:
        rates = {metric: self._rates.per_second((nic, metric), value, at) for metric, value in counts.items()}
        received, sent = rates[metrics.RECEIVE_RATE], rates[metrics.TRANSMIT_RATE]
        share = None
        if link.bytes_per_second and received is not None and sent is not None:
            # A link carries its speed in each direction at once, so the busier direction is what fills up.
            share = max(received, sent) / link.bytes_per_second
        of_link = {
            metrics.NETWORK_UP: float(link.up),
            metrics.LINK_SPEED: link.bytes_per_second,
            metrics.LINK_USED_RATIO: share,
        }
        return gauges({**rates, **of_link}, nic=nic)


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
                metrics.TCP_ESTABLISHED: counters.get("Tcp.CurrEstab"),
                metrics.SOCKETS_USED: sockets.get("sockets.used"),
                metrics.TCP_SOCKETS: _sum(sockets, "TCP.inuse", "TCP6.inuse"),
                metrics.TCP_ORPHANS: sockets.get("TCP.orphan"),
                metrics.TCP_TIME_WAIT: sockets.get("TCP.tw"),
                metrics.UDP_SOCKETS: _sum(sockets, "UDP.inuse", "UDP6.inuse"),
            }
        )
        steps = {name: self._rates.step(name, counters[name], at) for name in TCP_COUNTERS if name in counters}
        found += gauges({TCP_COUNTERS[name]: step.per_second if step else None for name, step in steps.items()})
        resent, sent = steps.get("Tcp.RetransSegs"), steps.get("Tcp.OutSegs")
        share = min(resent.change / sent.change, 1.0) if resent and sent and sent.change else None
        return found + gauges({metrics.TCP_RETRANSMIT_RATIO: share})


def _sum(values: dict[str, int], *names: str) -> int | None:
    known = [values[name] for name in names if name in values]
    return sum(known) if known else None
