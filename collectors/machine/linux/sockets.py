"""The socket tables: how many TCP connections are in which state (/proc/net/tcp, tcp6)."""

from __future__ import annotations

from collections import Counter

from collectors.machine.linux.kernel import Kernel

STATES = {
    "01": "established",
    "02": "syn_sent",
    "03": "syn_received",
    "04": "fin_wait_1",
    "05": "fin_wait_2",
    "06": "time_wait",
    "07": "close",
    "08": "close_wait",
    "09": "last_ack",
    "0A": "listen",
    "0B": "closing",
    "0C": "syn_received",
}


def parse_tcp(text: str) -> Counter[str]:
    """Return how many sockets of /proc/net/tcp are in each state."""
    codes = Counter(line.split(None, 4)[3] for line in text.splitlines()[1:] if line)
    found: Counter[str] = Counter()
    for code, count in codes.items():
        found[STATES.get(code, "other")] += count
    return found


def tcp_states(kernel: Kernel) -> Counter[str] | None:
    """Return how many TCP sockets, of IPv4 and IPv6, are in each state; None when the tables cannot be read.

    A state that no socket is in counts zero: the table was read and there are none.
    """
    texts = [text for text in (kernel.proc("net/tcp"), kernel.proc("net/tcp6")) if text]
    if not texts:
        return None
    found = Counter(dict.fromkeys(STATES.values(), 0))
    for text in texts:
        found.update(parse_tcp(text))
    return found
